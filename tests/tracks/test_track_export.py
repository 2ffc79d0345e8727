"""Tracks against the network itself, and `motifcnn export tracks` as a user meets it."""

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pyBigWig
import pytest
import torch

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.devices import choose_device
from motifcnn.encoding import EncodedSequences, TrackScale
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel, save_model
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings
from motifcnn.tracks import activations
from motifcnn.tracks.activations import class_activation_map, logit_offsets, window_scores
from motifcnn.tracks.mutagenesis import mutation_effects
from motifcnn.tracks.track_export import TrackRequest, export_tracks

WIDTH = 6
SETTINGS = ModelSettings(filters=5, filter_width=WIDTH, restarts=2, strands="both", activation="exp")
DEVICE = choose_device("cpu")
LEFT = (WIDTH - 1) // 2


def model_of(settings=SETTINGS, alphabet=DNA, scales=()):
    network = MotifNetwork(settings, alphabet, len(scales), 2, seed=3).eval()
    with torch.no_grad():
        network.bias.copy_(torch.arange(4.0).view(2, 2))
        network.norm.running_mean.uniform_(-1, 1, generator=torch.Generator().manual_seed(1))
    return TrainedModel(network, Objective("multi-label", ("first", "second target")), alphabet, scales)


def write_run(path, model, threshold=0.9, rows=(("motif_1", 3), ("motif_2", 8))):
    path.mkdir(parents=True, exist_ok=True)
    save_model(path / "model.safetensors", model)
    lines = ["motif\tfilter\tfilter_threshold", *(f"{name}\tfilter_{n:02d}\t{threshold:.6g}" for name, n in rows)]
    (path / "motifs.tsv").write_text("\n".join(lines) + "\n")
    return path


def random_dna(generator, length):
    return "".join(generator.choice(list("ACGT"), length))


def write_fasta(path, records):
    path.write_text("".join(f">{name}\n{letters}\n" for name, letters in records.items()))
    return path


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run", model_of())


@pytest.fixture
def records(generator):
    lengths = {"a": 40, "chr2:100-150": 50, "chr10:7-40(-)": 33, "b": WIDTH}
    return {name: random_dna(generator, length) for name, length in lengths.items()}


def exported(tmp_path, run, records, out="out", **options):
    """Export and return the folder."""
    sequences = write_fasta(tmp_path / f"{out}.fa", records)
    export_tracks(TrackRequest(run, sequences, tmp_path / out, **options), DEVICE)
    return tmp_path / out


def bigwig(path):
    track = pyBigWig.open(str(path))
    values = {chrom: np.array(track.values(chrom, 0, length)) for chrom, length in track.chroms().items()}
    track.close()
    return values


def bed(path):
    return [line.split("\t") for line in path.read_text().splitlines()]


def dense(model, letters):
    """Scores and activations of one sequence from the network itself, shape [filter, position]."""
    encoded = EncodedSequences(Sequences.from_list(["x"], [DNA.encode(letters)], DNA))
    with torch.no_grad():
        scores = model.network.filters(encoded.batch(torch.arange(1)))
        return scores[0].numpy(), model.network.activate(scores)[0].numpy()


def logits(model, letters):
    encoded = EncodedSequences(Sequences.from_list(["x"], [DNA.encode(letters)], DNA))
    with torch.no_grad():
        return model.network.logits(encoded.batch(torch.arange(1)))[0].numpy()


def test_tracks_are_the_networks_activations_at_their_places(tmp_path, run, records):
    out = exported(tmp_path, run, records)
    model = model_of()
    for name, filter_number in (("motif_1", 2), ("motif_2", 7)):
        found = bigwig(out / f"{name}.bw")
        assert set(found) == {"a", "b", "chr2", "chr10"}
        for sequence, cut in {"a": found["a"], "chr2:100-150": found["chr2"][100:], "b": found["b"]}.items():
            assert np.allclose(cut, dense(model, records[sequence])[1][filter_number], atol=1e-5)
        assert np.isnan(found["chr2"][:100]).all()
        turned = DNA.decode(DNA.reverse_complement(DNA.encode(records["chr10:7-40(-)"])))
        assert np.allclose(found["chr10"][7:], dense(model, turned)[1][filter_number], atol=1e-5)


def test_the_maximum_is_the_best_window(tmp_path, run, records):
    found = bigwig(exported(tmp_path, run, records) / "motif_1.bw")
    encoded = EncodedSequences(Sequences.from_list(["x"], [DNA.encode(records["a"])], DNA))
    network = model_of().network
    with torch.no_grad():
        best = network.filters.best_windows(encoded.batch(torch.arange(1)))
        height = network.activate(best.scores)[0, 2]
    assert np.argmax(found["a"]) == int(best.starts[0, 2]) + LEFT
    assert found["a"].max() == pytest.approx(float(height), rel=1e-5)


def test_sites_are_the_windows_that_reach_the_threshold(tmp_path, run, records):
    out = exported(tmp_path, run, records)
    single = model_of(replace(SETTINGS, strands="single"))
    sites = {(row[0], int(row[1]), row[5]): row for row in bed(out / "motif_2.bed")}
    expected = {}
    for chrom, letters in (("a", records["a"]), ("b", records["b"])):
        for start in range(len(letters) - WIDTH + 1):
            window = letters[start : start + WIDTH]
            turned = DNA.decode(DNA.reverse_complement(DNA.encode(window)))
            plus, minus = (float(dense(single, text)[0][7, LEFT]) for text in (window, turned))
            if max(plus, minus) >= 0.9:
                expected[chrom, start, "-" if minus > plus else "+"] = True
    assert expected
    assert {key for key in sites if key[0] in "ab"} == set(expected)
    values = bigwig(out / "motif_2.bw")
    for (chrom, start, _), row in sites.items():
        assert int(row[2]) == start + WIDTH
        assert row[3] == "motif_2"
        assert float(row[6]) == pytest.approx(values[chrom][start + LEFT], rel=1e-5)


def test_a_minus_strand_sequence_gives_what_its_plus_strand_gives(tmp_path, run, generator):
    letters = random_dna(generator, 60)
    turned = DNA.decode(DNA.reverse_complement(DNA.encode(letters)))
    plus = exported(tmp_path, run, {"chr1:5-65": letters}, "plus")
    minus = exported(tmp_path, run, {"chr1:5-65(-)": turned}, "minus")
    for name in ("motif_1", "motif_2", "contribution_first"):
        assert np.allclose(bigwig(plus / f"{name}.bw")["chr1"][5:], bigwig(minus / f"{name}.bw")["chr1"][5:], atol=1e-5)
    assert (plus / "motif_2.bed").read_text()
    assert [row[:4] + row[5:6] for row in bed(plus / "motif_2.bed")] == [
        row[:4] + row[5:6] for row in bed(minus / "motif_2.bed")
    ]


def test_shifting_a_sequence_shifts_its_tracks(tmp_path, run, generator):
    core, shift = random_dna(generator, 50), 9
    padded = "N" * shift + core + "N" * 4
    here = exported(tmp_path, run, {"s": core}, "here")
    there = exported(tmp_path, run, {"s": padded}, "there")
    inside = slice(LEFT, 50 - WIDTH + 1 + LEFT)
    for name in ("motif_1", "motif_2"):
        one, other = bigwig(here / f"{name}.bw")["s"], bigwig(there / f"{name}.bw")["s"]
        assert np.allclose(one[inside], other[shift:][inside], atol=1e-5)


def test_the_maximum_is_the_best_hit_that_scan_reports(tmp_path, tiny_run, run_cli):
    out = tmp_path / "o"
    result = run_cli("export", "tracks", tiny_run.path, tiny_run.sequences, "-o", out, "--format", "bigwig")
    assert result.exit_code == 0, result.stderr
    rows = [row for row in bed(out / "tracks.tsv")[1:] if row[1] == "motif"]
    checked = 0
    for file, _, _, number, *_ in rows:
        scanned = run_cli(
            *("scan", tiny_run.sequences, "-m", tiny_run.path / "filters.meme", "--motifs", f"filter_{number}"),
            *("--p-value", 1, "--background", "motif", "--format", "tsv"),
        )
        assert scanned.exit_code == 0, scanned.stderr
        hits = [line.split("\t") for line in scanned.stdout.splitlines()[1:]]
        best = {}
        for chrom, start, end, _, _, _, log_odds, _ in hits:
            best[chrom] = max(best.get(chrom, (float("-inf"),)), (float(log_odds), int(start), int(end)))
        left = (int(hits[0][2]) - int(hits[0][1]) - 1) // 2
        for chrom, values in bigwig(out / f"{file}.bw").items():
            if values.max() > 0.05:  # below, sixth decimals in the file of filters tell which window is best
                assert np.argmax(values) - left == best[chrom][1]
                checked += 1
    assert checked > 100


def test_contributions_and_offset_add_up_to_the_logit(tmp_path, run, records):
    out = exported(tmp_path, run, records)
    index = [line.split("\t") for line in (out / "tracks.tsv").read_text().splitlines()]
    targets = [row for row in index if row[1] == "target"]
    assert [row[2] for row in targets] == ["first", "second target"]
    for output, row in enumerate(targets):
        found = bigwig(out / f"{row[0]}.bw")
        for sequence, chrom in (("a", "a"), ("b", "b"), ("chr2:100-150", "chr2"), ("chr10:7-40(-)", "chr10")):
            expected = logits(model_of(), records[sequence])[output]
            assert np.nansum(found[chrom]) + float(row[6]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("settings", [SETTINGS, replace(SETTINGS, strands="single", activation="relu")])
def test_pieces_of_any_size_give_the_same(monkeypatch, generator, settings):
    model = model_of(settings, scales=(TrackScale("t", 0.5, 2.0),))
    codes = [generator.integers(0, 5, length).astype(np.uint8) for length in (30, WIDTH, 71)]
    sequences = Sequences.from_list(["a", "b", "c"], codes, DNA)
    tracks = generator.normal(size=(1, len(sequences.codes))).astype(np.float32)
    whole = list(window_scores(model, sequences, [1, 6], tracks))
    monkeypatch.setattr(activations, "_PIECE", 7)
    monkeypatch.setattr(activations, "_BATCH_SCORES", 200)
    pieces = list(window_scores(model, sequences, [1, 6], tracks))
    assert len(pieces) > len(whole) == 3
    with torch.no_grad():
        best = model.network.filters.best_windows(
            EncodedSequences(sequences, tracks, model.scales).batch(torch.arange(3))
        )
    for number, piece in enumerate(whole):
        parts = [part for part in pieces if part.sequence == number]
        assert np.allclose(np.concatenate([part.scores for part in parts], axis=1), piece.scores, atol=1e-5)
        assert np.allclose(np.concatenate([part.activations for part in parts], axis=1), piece.activations, atol=1e-5)
        assert np.allclose(np.max([part.best for part in parts], axis=0), piece.best, atol=1e-5)
        assert np.allclose(piece.best, best.scores[number].numpy(), atol=1e-5)
        assert (piece.best_starts == best.starts[number].numpy()).all()


def test_contributions_of_a_sequence_in_pieces(tmp_path, run, generator, monkeypatch):
    monkeypatch.setattr(activations, "_PIECE", 11)
    letters = random_dna(generator, 80)
    out = exported(tmp_path, run, {"s": letters}, formats=("bigwig",))
    offset = logit_offsets(model_of().network)[0]
    assert np.nansum(bigwig(out / "contribution_first.bw")["s"]) + offset == pytest.approx(
        logits(model_of(), letters)[0], abs=1e-5
    )


def test_only_a_pooled_linear_head_has_an_exact_map(tmp_path, records):
    local = model_of(replace(SETTINGS, pool=4))
    with pytest.raises(
        ValueError, match=r"^only a linear head after pooling over the whole sequence has an exact map$"
    ):
        class_activation_map(local.network, np.zeros(10, np.float32), np.zeros(10, np.int64), np.zeros(30, np.uint8))
    out = exported(tmp_path, write_run(tmp_path / "local", local), records)
    assert {path.name for path in out.iterdir()} == {
        "tracks.tsv", "motif_1.bedgraph", "motif_1.bw", "motif_1.bed", "motif_2.bedgraph", "motif_2.bw", "motif_2.bed",
    }  # fmt: skip


def test_overlapping_sequences_give_the_maximum_and_each_site_once(tmp_path, run, generator):
    letters = random_dna(generator, 80)
    whole = exported(tmp_path, run, {"chr1:0-80": letters}, "whole")
    halves = exported(tmp_path, run, {"chr1:30-80": letters[30:], "chr1:0-50": letters[:50]}, "halves")
    for name in ("motif_1", "motif_2"):
        assert np.allclose(bigwig(whole / f"{name}.bw")["chr1"], bigwig(halves / f"{name}.bw")["chr1"], atol=1e-5)
        assert [row[:4] for row in bed(whole / f"{name}.bed")] == [row[:4] for row in bed(halves / f"{name}.bed")]


def test_command_writes_what_is_asked_for(tmp_path, run, records, run_cli):
    sequences = write_fasta(tmp_path / "in.fa", records)
    result = run_cli("export", "tracks", run, sequences, "-o", tmp_path / "o", "--format", "bed", "--format", "bigwig")
    assert result.exit_code == 0, result.stderr
    assert {path.name for path in (tmp_path / "o").iterdir()} == {
        "tracks.tsv", "motif_1.bw", "motif_1.bed", "motif_2.bw", "motif_2.bed",
        "contribution_first.bw",
        next(path.name for path in (tmp_path / "o").glob("contribution_second_target_*.bw")),
    }  # fmt: skip
    assert "2 motifs and 2 targets along 4 sequences" in " ".join(result.stderr.split())


def test_command_reads_bed_and_a_genome_as_given(tmp_path, run, generator, run_cli):
    genome = write_fasta(tmp_path / "genome.fa", {"chr1": random_dna(generator, 300)})
    regions = tmp_path / "regions.bed"
    regions.write_text("chr1\t100\t150\nchr1\t20\t90\nchr1\t140\t160\n")
    result = run_cli("export", "tracks", run, regions, "--genome", genome, "-o", tmp_path / "o")
    assert result.exit_code == 0, result.stderr
    assert "1 overlap between sequences" in " ".join(result.stderr.split())
    found = bigwig(tmp_path / "o" / "motif_1.bw")["chr1"]
    covered = np.flatnonzero(~np.isnan(found))
    assert len(found) == 300
    assert covered.tolist() == [*range(20, 90), *range(100, 160)]


def test_regions_of_a_genome(tmp_path, run, generator, run_cli):
    letters = random_dna(generator, 300)
    genome = write_fasta(tmp_path / "genome.fa", {"chr1": letters})
    (tmp_path / "regions.bed").write_text("chr1\t100\t150\n")
    arguments = ("--regions", tmp_path / "regions.bed", "--format", "bigwig", "-o", tmp_path / "o")
    result = run_cli("export", "tracks", run, *arguments, "--genome", genome)
    assert result.exit_code == 0, result.stderr
    named = exported(tmp_path, run, {"chr1:100-150": letters[100:150]}, "named")
    for name in ("motif_1", "contribution_first"):
        assert (
            bigwig(tmp_path / "o" / f"{name}.bw")["chr1"][100:150] == bigwig(named / f"{name}.bw")["chr1"][100:]
        ).all()
    without = run_cli("export", "tracks", run, *arguments)
    assert without.exit_code == 2
    assert "needs --genome FASTA" in without.stderr
    assert run_cli("export", "tracks", run, genome, *arguments, "--genome", genome).exit_code == 2
    (tmp_path / "regions.bed").write_text("chr1\t100\t150\n1\t100\t150\n")
    wrong = run_cli("export", "tracks", run, *arguments, "--genome", genome, "--force")
    assert "regions.bed:2: chromosome '1' is not in" in wrong.stderr
    assert "did you mean 'chr1'?" in wrong.stderr


def effects_of(model, letters):
    sequences = Sequences.from_list(["x"], [DNA.encode(letters)], DNA)
    (effects,) = mutation_effects(model, sequences, with_indels=True)
    return effects, effects.letter_effects(sequences[0])


@pytest.mark.parametrize("pool", [0, 4])
def test_mutagenesis_tracks_are_the_worth_of_each_letter(tmp_path, records, pool):
    model = model_of(replace(SETTINGS, pool=pool))
    records["b"] += "ACGT"  # one letter less must still be as long as a filter, for pooling within the sequence
    out = exported(tmp_path, write_run(tmp_path / "mutated", model), records, indels=True)
    names = {"first": "first", "second target": next(out.glob("deletion_second_target_*.bw")).stem[len("deletion_") :]}
    for output, name in enumerate(names.values()):
        worth, deletion = (bigwig(out / f"{kind}_{name}.bw") for kind in ("mutagenesis", "deletion"))
        for sequence, chrom, step in (("a", "a", 1), ("chr2:100-150", "chr2", 1), ("chr10:7-40(-)", "chr10", -1)):
            effects, expected = effects_of(model, records[sequence])
            found = slice(-len(records[sequence]), None)
            assert np.allclose(worth[chrom][found], expected[output, ::step], atol=1e-5)
            assert np.allclose(deletion[chrom][found], -effects.deletions[output, ::step], atol=1e-5)
    kinds = [row[1] for row in bed(out / "tracks.tsv")]
    assert kinds[-4:] == ["mutagenesis", "mutagenesis", "deletion", "deletion"]


def test_arrays_hold_what_the_tracks_hold(tmp_path, run, records):
    out = exported(tmp_path, run, records, formats=("npz",), indels=True)
    assert {path.name for path in out.iterdir()} == {"tracks.npz", "tracks.tsv"}
    arrays = np.load(out / "tracks.npz", allow_pickle=False)
    model, longest = model_of(), 50
    assert arrays["sequences"].tolist() == list(records)
    assert arrays["motifs"].tolist() == ["motif_1", "motif_2"]
    assert arrays["targets"].tolist() == ["first", "second target"]
    assert "".join(arrays["letters"]) == "ACGT"
    assert arrays["mutagenesis"].shape == (4, 2, longest, 4)
    for row, letters in enumerate(records.values()):
        length = len(letters)
        assert arrays["lengths"][row] == length
        scores, activations = dense(model, letters)
        known = np.where(np.isfinite(scores), activations, 0.0)[[2, 7]]
        assert np.allclose(arrays["activations"][row, :, :length], known, atol=1e-5)
        effects, _ = effects_of(model, letters)
        assert np.allclose(arrays["mutagenesis"][row, :, :length], effects.substitutions, atol=1e-5)
        assert np.allclose(arrays["deletions"][row, :, :length], effects.deletions, atol=1e-5)
        assert np.allclose(arrays["insertions"][row, :, : length + 1], effects.insertions, atol=1e-5)
        assert np.allclose(arrays["logits"][row], logits(model, letters), atol=1e-5)
        sums = arrays["contributions"][row, :, :length].sum(axis=1) + arrays["logit_offsets"]
        assert np.allclose(sums, logits(model, letters), atol=1e-5)
        for name in ("activations", "contributions", "mutagenesis", "deletions"):
            assert np.isnan(arrays[name][row, :, length:]).all()


def test_arrays_are_there_whole_or_not_at_all(tmp_path, run, records, monkeypatch):
    monkeypatch.setattr("motifcnn.tracks.track_export.fill", lambda *_: (_ for _ in ()).throw(RuntimeError("stop")))
    with pytest.raises(RuntimeError):
        exported(tmp_path, run, records, formats=("npz",))
    assert list((tmp_path / "out").iterdir()) == []


def session(path):
    root = ElementTree.parse(path).getroot()
    return root, {each.get("path"): each.get("name") for each in root.iter("Resource")}


def test_a_session_opens_genome_tracks_and_hits(tmp_path, run, generator, run_cli):
    genome = write_fasta(tmp_path / "genome.fa", {"chr1": random_dna(generator, 300)})
    (tmp_path / "regions.bed").write_text("chr1\t100\t150\n")
    (tmp_path / "hits & more.bed").write_text("chr1\t100\t106\tm\t5\t+\n")
    result = run_cli(
        *("export", "tracks", run, "--regions", tmp_path / "regions.bed", "--genome", genome),
        *("--hits", tmp_path / "hits & more.bed", "-o", tmp_path / "deep" / "o", "--mutagenesis"),
    )
    assert result.exit_code == 0, result.stderr
    folder = tmp_path / "deep" / "o"
    root, resources = session(folder / "igv_session.xml")
    assert root.tag == "Session"
    assert (root.get("genome"), root.get("locus")) == ("../../genome.fa", "chr1:101-150")
    assert resources["../../hits & more.bed"] == "hits & more.bed"
    assert resources["motif_1.bw"] == "motif_1"
    assert resources["motif_1.bed"] == "motif_1, sites"
    assert resources["contribution_first.bw"] == "first, contribution"
    assert resources["mutagenesis_first.bw"] == "first, mutagenesis"
    assert all((folder / path).is_file() for path in resources)


def test_sequences_of_their_own_are_a_genome(tmp_path, run, generator):
    out = exported(tmp_path, run, {"s": random_dna(generator, 40)}, formats=("bedgraph",))
    root, resources = session(out / "igv_session.xml")
    assert (root.get("genome"), root.get("locus")) == ("../out.fa", "s:1-40")
    assert list(resources) == [
        "motif_1.bedgraph", "motif_2.bedgraph", "contribution_first.bedgraph",
        next(out.glob("contribution_second*")).name,
    ]  # fmt: skip


def test_default_run_directory(tmp_path, records, run_cli, monkeypatch):
    write_run(tmp_path / "motifcnn_out", model_of())
    write_fasta(tmp_path / "in.fa", records)
    monkeypatch.chdir(tmp_path)
    assert run_cli("export", "tracks", "in.fa").exit_code == 0
    assert (tmp_path / "tracks" / "motif_1.bw").exists()


def test_files_that_are_there_are_kept_without_force(tmp_path, run, records, run_cli):
    sequences = write_fasta(tmp_path / "in.fa", records)
    arguments = ("export", "tracks", run, sequences, "-o", tmp_path / "o", "--format", "bed")
    assert run_cli(*arguments).exit_code == 0
    before = (tmp_path / "o" / "motif_2.bed").read_bytes()
    (tmp_path / "o" / "motif_1.bed").write_text("mine")
    again = run_cli(*arguments)
    assert again.exit_code == 1
    assert "is there already" in again.stderr
    assert "--force" in again.stderr
    assert (tmp_path / "o" / "motif_1.bed").read_text() == "mine"
    assert run_cli(*arguments, "--force").exit_code == 0
    assert (tmp_path / "o" / "motif_1.bed").read_text() != "mine"
    assert (tmp_path / "o" / "motif_2.bed").read_bytes() == before


@pytest.mark.parametrize("role", ["sequences", "--hits", "--genome", "--conservation"])
def test_what_is_read_is_not_written_over_even_by_force(tmp_path, run, records, run_cli, role):
    sequences = write_fasta(tmp_path / "in.fa", records)
    own = write_fasta(tmp_path / "tracks.tsv", records)
    given = [own] if role == "sequences" else [sequences, role, own]
    result = run_cli("export", "tracks", run, *given, "-o", tmp_path, "--force")
    assert result.exit_code == 1
    assert f"{own}: is a file that is read; give another folder with -o" in result.stderr
    assert own.read_bytes() == sequences.read_bytes()


@pytest.mark.parametrize(
    ("records", "fault"),
    [
        ({"p": "MKLVWWQEFHHPP"}, "is no letter of dna"),
        ({"long": "ACGTACGTAC", "short": "ACG"}, "shorter than the model's filters of width 6 (first: short)"),
        ({"chr1:10-30": "ACGTACGTAC"}, "spans 20 positions by its name but holds 10"),
    ],
)
def test_sequences_that_do_not_suit_are_refused(tmp_path, run, run_cli, records, fault):
    sequences = write_fasta(tmp_path / "in.fa", records)
    result = run_cli("export", "tracks", run, sequences, "-o", tmp_path / "o")
    assert result.exit_code == 1
    assert fault in result.stderr
    assert "in.fa" in result.stderr
    assert not (tmp_path / "o").exists()


def test_other_refusals(tmp_path, run, records, run_cli):
    sequences = write_fasta(tmp_path / "in.fa", records)
    none = write_run(tmp_path / "none", model_of(), rows=())
    assert "found no motif" in run_cli("export", "tracks", none, sequences, "-o", tmp_path / "o").stderr
    assert run_cli("export", "tracks", run, sequences, sequences).exit_code == 2
    for mistaken in ((run,), (sequences, run)):
        refused = run_cli("export", "tracks", *mistaken)
        assert refused.exit_code == 2
        assert "is a directory where sequences are expected" in " ".join(refused.stderr.replace("│", " ").split())
    tracked = write_run(tmp_path / "tracked", model_of(scales=(TrackScale("phylop", 0.0, 1.0),)))
    assert "trained with 1 tracks (phylop) and 0" in run_cli("export", "tracks", tracked, sequences).stderr
    genome = write_fasta(tmp_path / "genome.fa", {"2": "ACGT" * 40, "chr10": "ACGT" * 40})
    result = run_cli("export", "tracks", run, sequences, "--genome", genome, "-o", tmp_path / "o")
    assert "did you mean '2'?" in result.stderr
    result = run_cli("export", "tracks", run, sequences, "--hits", tmp_path / "no.bed", "-o", tmp_path / "o")
    assert "no.bed: there is no such file of hits; check the path" in result.stderr
    assert not (tmp_path / "o").exists()


def test_conservation_reaches_the_filters(tmp_path, run_cli, generator):
    model = model_of(scales=(TrackScale("phylop", 0.2, 1.5),))
    run = write_run(tmp_path / "run", model)
    letters, values = random_dna(generator, 30), generator.normal(size=30).round(3)
    sequences = write_fasta(tmp_path / "in.fa", {"s": letters})
    (tmp_path / "c.tsv").write_text("s\t" + ",".join(map(str, values)) + "\n")
    out = tmp_path / "o"
    result = run_cli("export", "tracks", run, sequences, "--conservation", tmp_path / "c.tsv", "-o", out)
    assert result.exit_code == 0, result.stderr
    encoded = EncodedSequences(
        Sequences.from_list(["s"], [DNA.encode(letters)], DNA), values.astype(np.float32)[None], model.scales
    )
    with torch.no_grad():
        batch = encoded.batch(torch.arange(1))
        expected = model.network.activate(model.network.filters(batch))[0, 2].numpy()
    assert np.allclose(bigwig(out / "motif_1.bw")["s"], expected, atol=1e-5)


def test_protein_is_read_on_one_strand(tmp_path):
    run = write_run(tmp_path / "run", model_of(replace(SETTINGS, strands="single"), PROTEIN), threshold=-50)
    out = exported(tmp_path, run, {"p": "MKLVWWQEFHHPP"})
    assert {row[5] for row in bed(out / "motif_1.bed")} == {"+"}
    assert len(bed(out / "motif_1.bed")) == 13 - WIDTH + 1
