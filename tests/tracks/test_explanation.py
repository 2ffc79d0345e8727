"""An explanation against the network itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.devices import choose_device
from motifcnn.encoding import EncodedSequences, TrackScale
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel, save_model
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings
from motifcnn.tracks import activations
from motifcnn.tracks.activations import logit_offsets
from motifcnn.tracks.explanation import explain, read_one, strongest_window
from motifcnn.tracks.mutagenesis import mutation_effects

WIDTH = 6
SETTINGS = ModelSettings(filters=5, filter_width=WIDTH, restarts=2, strands="both")
DEVICE = choose_device("cpu")


def make_run(path, settings=SETTINGS, alphabet=DNA, scales=(), threshold=0.5, motifs=(("m1", 3), ("m2", 8))):
    network = MotifNetwork(settings, alphabet, len(scales), 2, seed=3).eval()
    model = TrainedModel(network, Objective("multi-label", ("first", "second")), alphabet, scales)
    path.mkdir(exist_ok=True)
    save_model(path / "model.safetensors", model)
    rows = "".join(f"{name}\tfilter_{number:02d}\t{threshold}\n" for name, number in motifs)
    (path / "motifs.tsv").write_text("motif\tfilter\tfilter_threshold\n" + rows)
    return model


def encoded(model, letters, tracks=None):
    sequences = Sequences.from_list(["x"], [model.alphabet.encode(letters)], model.alphabet)
    return EncodedSequences(sequences, tracks, model.scales).batch(torch.arange(1))


@pytest.fixture
def letters(generator):
    return "".join(generator.choice(list("ACGT"), 80))


@pytest.mark.parametrize("piece", [2**14, 13])
@pytest.mark.parametrize("pool", [0, 4])
def test_it_is_what_the_network_says(tmp_path, letters, monkeypatch, piece, pool):
    monkeypatch.setattr(activations, "_PIECE", piece)
    model = make_run(tmp_path / "run", replace(SETTINGS, pool=pool))
    found = explain(tmp_path / "run", letters, None, None, (), DEVICE)
    batch = encoded(model, letters)
    with torch.no_grad():
        scores = model.network.filters(batch)
        heights = model.network.activate(scores)[0].numpy()
        logits = model.network.logits(batch)[0]
    assert np.allclose(found.activations, np.where(np.isfinite(scores[0].numpy()), heights, 0)[[2, 7]], atol=1e-5)
    assert np.allclose(found.logits, logits, atol=1e-5)
    assert np.allclose(found.predictions, logits.sigmoid(), atol=1e-5)
    sequences = Sequences.from_list(["x"], [DNA.encode(letters)], DNA)
    (effects,) = mutation_effects(model, sequences)
    assert np.allclose(found.worth, effects.letter_effects(sequences[0]), atol=1e-5)
    if pool:
        assert found.contributions is None
    else:
        assert np.allclose(found.contributions.sum(axis=1) + logit_offsets(model.network), logits, atol=1e-5)


def test_hits_reach_the_threshold_and_do_not_overlap(tmp_path, letters):
    model = make_run(tmp_path / "run")
    found = explain(tmp_path / "run", letters, None, None, (), DEVICE)
    with torch.no_grad():
        scores = model.network.filters(encoded(model, letters))[0].numpy()
    assert len(found.hits) > 3
    assert list(found.hits) == sorted(found.hits, key=lambda hit: (hit.start, hit.motif))
    left = (WIDTH - 1) // 2
    for motif, number in enumerate((2, 7)):
        own = np.array([hit.start for hit in found.hits if hit.motif == motif])
        assert (np.diff(own) >= WIDTH).all()
        assert (scores[number, own + left] >= 0.5).all()
        for start in np.flatnonzero(scores[number] >= 0.5) - left:
            near = own[np.abs(own - start) < WIDTH]
            assert scores[number, near + left].max() >= scores[number, start + left]
    turned = DNA.decode(DNA.reverse_complement(DNA.encode(letters)))
    other = explain(tmp_path / "run", turned, None, None, (), DEVICE)
    mirrored = {(hit.motif, len(letters) - WIDTH - hit.start, not hit.reverse) for hit in other.hits}
    assert {(hit.motif, hit.start, hit.reverse) for hit in found.hits} == mirrored


def test_a_run_without_motifs_is_explained_too(tmp_path, letters):
    make_run(tmp_path / "run", motifs=())
    found = explain(tmp_path / "run", letters, None, None, (), DEVICE)
    assert found.hits == ()
    assert found.activations.shape == (0, 80)
    assert found.worth.any()


def test_further_channels_and_coordinates(tmp_path, letters):
    make_run(tmp_path / "run", scales=(TrackScale("t.tsv", 0.2, 1.5),))
    (tmp_path / "s.fa").write_text(f">a\nACGTACGTAC\n>chr2:10-90(-)\n{letters}\n")
    (tmp_path / "t.tsv").write_text(
        "a\t" + ",".join("1" * 10) + "\nchr2:10-90(-)\t" + ",".join(["0.5", "."] * 40) + "\n"
    )
    name = "chr2:10-90(-)"
    found = explain(tmp_path / "run", str(tmp_path / "s.fa"), None, name, (tmp_path / "t.tsv",), DEVICE)
    assert (found.name, found.interval.start, found.interval.strand) == (name, 10, "-")
    assert found.tracks[0, ::2].tolist() == [0.5] * 40
    assert np.isnan(found.tracks[0, 1::2]).all()


def test_one_sequence_is_found_wherever_it_is(tmp_path, letters):
    model = make_run(tmp_path / "run")
    (tmp_path / "s.fa").write_text(f">first\nACGTAC\n>second\n{letters}\n")
    (tmp_path / "g.fa").write_text(f">chr1\n{letters}\n")

    def codes(text, genome=None, name=None):
        sequence = read_one(str(text), model, genome, name)
        return sequence.names[0], DNA.decode(sequence[0])

    assert codes(tmp_path / "s.fa") == ("first", "ACGTAC")
    assert codes(tmp_path / "s.fa", name="second") == ("second", letters)
    assert codes("chr1:10-30", tmp_path / "g.fa") == ("chr1:10-30", letters[10:30])
    assert codes("acgtn") == ("sequence", "ACGTN")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("ACGTACGT", {"name": "x"}, r"--name x: chooses a sequence of a file, and ACGTACGT is none; leave it out"),
        ("s.fa", {"name": "third"}, r"s\.fa: holds no sequence 'third' \(its first is 'first'\); give a name"),
        ("chr1:0-4", {}, "chr1:0-4: coordinates need the genome that they belong to; add --genome FASTA"),
        ("chr9:0-4", {"genome": "g.fa"}, "chromosome 'chr9' is not in"),
        ("9:0-4", {"genome": "h.fa"}, "did you mean 'chr9'?"),
        ("no/such.fa", {}, "is neither a file, coordinates such as chr22:100-301, nor the letters of a sequence"),
        ("nosuchfile", {}, "nosuchfile: there is no such file, and as a sequence: letter 'o' at position 2 is not dna"),
    ],
)
def test_what_is_not_there_is_named(tmp_path, monkeypatch, text, options, message):
    monkeypatch.chdir(tmp_path)
    model = make_run(tmp_path / "run")
    (tmp_path / "s.fa").write_text(">first\nACGTAC\n")
    (tmp_path / "g.fa").write_text(">chr1\nACGTAC\n")
    (tmp_path / "h.fa").write_text(">chr9\nACGTAC\n")
    with pytest.raises(MotifcnnError, match=message.replace("?", r"\?")):
        read_one(text, model, options.get("genome"), options.get("name"))


def test_other_refusals(tmp_path, letters):
    make_run(tmp_path / "run")
    with pytest.raises(InputError, match="is no complete run; give the directory"):
        explain(tmp_path, letters, None, None, (), DEVICE)
    with pytest.raises(InputError, match="shorter than the model's filters of width 6"):
        explain(tmp_path / "run", "ACG", None, None, (), DEVICE)
    found = explain(tmp_path / "run", letters, None, None, (), DEVICE)
    assert found.output("second") == 1
    assert found.output(None) == int(np.argmax(found.logits))
    with pytest.raises(
        MotifcnnError, match="--target third: the model has no such target; its targets are first, second"
    ):
        found.output("third")


def test_protein(tmp_path):
    make_run(tmp_path / "run", replace(SETTINGS, strands="single"), PROTEIN)
    found = explain(tmp_path / "run", "MKLVWWQEFHHPPX", None, None, (), DEVICE)
    assert found.worth.shape == (2, 14)
    assert not any(hit.reverse for hit in found.hits)


def test_the_strongest_window():
    values = np.array([0, 1, -3, 2, 0, 0, 4], dtype=np.float32)
    assert strongest_window(values, 3) == (1, 4)
    assert strongest_window(values, 1) == (6, 7)
    assert strongest_window(values, 7) == strongest_window(values, 9) == (0, 7)
