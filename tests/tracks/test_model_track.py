"""Tracks of a network along a genome: each window's values are those that `predict` and a scan give for it alone."""

import logging
from pathlib import Path

import numpy as np
import pyBigWig
import pytest
import torch

from motifcnn.alphabet import ALPHABETS, DNA
from motifcnn.devices import Device, choose_device
from motifcnn.encoding import EncodedSequences, TrackScale
from motifcnn.errors import MotifcnnError
from motifcnn.model import sliding_maximum, sliding_network
from motifcnn.model.filters import SharedFilters
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel, save_model
from motifcnn.motifs import Motif
from motifcnn.objectives import Objective
from motifcnn.scanning.distribution import IntegerMotif
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings, ScanSettings
from motifcnn.tracks.model_track import ModelTrackRequest, track_files, write_model_tracks

CPU = choose_device("cpu")
BINARY = Objective("binary", ("bound",), weights=(1.0,))
CLASSES = Objective("classes", ("kind",), ("x", "y y", "z"), weights=(1.0,) * 3)
UNIFORM = ScanSettings(background="uniform")
ONE_LAYER = ModelSettings(filters=6, filter_width=7, restarts=2, strands="both")
NETWORKS = {
    "one layer": ONE_LAYER,
    "one layer and sums": ONE_LAYER,
    "one layer, one strand and sums": ModelSettings(
        filters=6, filter_width=8, restarts=1, strands="single", activation="exp"
    ),
    "one layer, short pooling": ModelSettings(filters=6, filter_width=4, restarts=2, strands="both", pool=5),
    "a dense layer": ModelSettings(architecture="deepbind", filters=6, filter_width=7, restarts=2, strands="both"),
    "average": ModelSettings(filters=6, filter_width=7, restarts=2, strands="both", summary="average"),
    "two layers": ModelSettings(
        filters=6, filter_width=7, restarts=2, strands="both", pool=3, conv_layers=1, conv_filters=4, conv_width=3
    ),
    "two layers and sums": ModelSettings(
        filters=6, filter_width=8, restarts=1, strands="both", conv_layers=1, conv_filters=4, conv_width=3
    ),
}


def make_run(
    folder, settings=ONE_LAYER, objective=BINARY, alphabet="dna", softmask="keep", scales=(), width=30, add_sums=None
):
    folder.mkdir(exist_ok=True)
    network = MotifNetwork(settings, ALPHABETS[alphabet], len(scales), objective.outputs, seed=3)
    with torch.no_grad():
        network.head.mul_(20)
        if network.placement is not None:
            torch.nn.init.normal_(network.placement.values, 0, 1, generator=torch.Generator().manual_seed(5))
    if add_sums is not None:
        add_sums(network, 0.5)
    model = TrainedModel(network.eval(), objective, ALPHABETS[alphabet], scales, softmask, width)
    save_model(folder / "model.safetensors", model)
    return model


def write_genome(path, seed=0, alphabet=DNA, ambiguity="NR"):
    generator = np.random.default_rng(seed)
    texts = {}
    for name, length in (("chr2", 500), ("chr10", 130), ("short", 29), ("just", 30)):
        letters = generator.choice(list(alphabet.letters), length)
        letters[generator.random(length) < 0.02] = ambiguity[-1]
        if length > 100:
            letters[60:100] = ambiguity[0]
        lower = generator.random(length) < 0.3
        texts[name] = "".join(np.where(lower, np.char.lower(letters), letters))
    path.write_text("".join(f">{name}\n{text}\n" for name, text in texts.items()))
    return texts


def motif(width, seed=0):
    generator = np.random.default_rng(seed)
    return Motif(f"m{width}", generator.dirichlet(np.full(4, 0.3), width), DNA, sites=40)


def encoded(text, model):
    kept = "".join("N" if model.softmask == "mask" and letter.islower() else letter for letter in text)
    return model.alphabet.encode(kept)


def expected_predictions(model, codes, width, stride):
    windows = [codes[at : at + width] for at in range(0, len(codes) - width + 1, stride)]
    if not windows:
        return np.empty((0, model.network.outputs))
    sequences = Sequences.from_list([str(n) for n in range(len(windows))], windows, model.alphabet)
    with torch.no_grad():
        logits = model.network.logits(EncodedSequences(sequences).batch(torch.arange(len(windows))))
    values = model.objective.predictions(logits).numpy().copy()
    unknown = np.array([(window == model.alphabet.unknown).mean() for window in windows])
    values[unknown > 0.5] = np.nan
    return values


def read(path, sizes, step):
    """One value a stride for each chromosome, by its first base."""
    track = pyBigWig.open(str(path))
    assert track.chroms() == sizes
    found = {chrom: {start: value for start, end, value in track.intervals(chrom) or ()} for chrom in sizes}
    assert all(end - start == step for chrom in sizes for start, end, _ in track.intervals(chrom) or ())
    track.close()
    return found


def same(found, expected, width, stride, tolerance=1e-5):
    for chrom, values in expected.items():
        places = {n * stride + (width - stride) // 2: v for n, v in enumerate(values.tolist()) if not np.isnan(v)}
        assert found[chrom] == pytest.approx(places, abs=tolerance), chrom


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("width", "stride", "threads"), [(30, 3, 1), (41, 10, 2)])
def test_a_window_has_what_predict_says_of_it(tmp_path, monkeypatch, caplog, add_sums, name, width, stride, threads):
    monkeypatch.setattr(sliding_maximum, "_ROOM", 400)  # a few windows at a time
    monkeypatch.setattr(sliding_network, "_ROOM", 1)
    model = make_run(tmp_path / "run", NETWORKS[name], add_sums=add_sums if name.endswith("sums") else None)
    texts = write_genome(tmp_path / "genome.fa")
    settings = ScanSettings(track_width=0 if width == 30 else width, track_stride=0 if stride == 3 else stride)
    out = tmp_path / "out.bw"
    with caplog.at_level(logging.INFO, "motifcnn"):
        done = write_model_tracks(
            ModelTrackRequest(tmp_path / "genome.fa", tmp_path / "run", (), out, settings, threads), CPU
        )
    assert (done.files, done.width, done.stride) == ((out,), width, stride)
    expected = {
        chrom: expected_predictions(model, encoded(text, model), width, stride)[:, 0] for chrom, text in texts.items()
    }
    assert done.windows == sum(int((~np.isnan(values)).sum()) for values in expected.values())
    assert np.nanstd(np.concatenate(list(expected.values()))) > 0.003
    assert any(np.isnan(values).any() for values in expected.values())
    same(read(out, {chrom: len(text) for chrom, text in texts.items()}, stride), expected, width, stride)
    assert ("its first layer is computed once for each base" in caplog.text) == (
        name.startswith(("average", "two layers"))
    )


def test_the_first_layer_of_a_deep_network_reads_each_base_once(tmp_path, monkeypatch):
    monkeypatch.setattr(sliding_network, "_ROOM", 1)  # a few windows at a time
    read, oriented = [], SharedFilters.oriented

    def counted(filters, batch):
        read.append(batch.inputs.shape[0] * batch.inputs.shape[2])
        return oriented(filters, batch)

    monkeypatch.setattr(SharedFilters, "oriented", counted)
    make_run(tmp_path / "run", NETWORKS["two layers"])
    texts = write_genome(tmp_path / "genome.fa")
    settings = ScanSettings(track_stride=3)
    write_model_tracks(
        ModelTrackRequest(tmp_path / "genome.fa", tmp_path / "run", (), tmp_path / "out.bw", settings), CPU
    )
    lengths = [len(text) for text in texts.values() if len(text) >= 30]
    assert len(read) > len(lengths)
    assert sum(read) <= sum(lengths) + (len(read) - len(lengths)) * 27  # what pieces repeat of those before


@pytest.mark.parametrize("on_gpu", [True, False])
def test_what_a_gpu_does_is_said(tmp_path, caplog, on_gpu):
    class OnGpu(Device):
        is_gpu = on_gpu

    make_run(tmp_path / "run")
    write_genome(tmp_path / "genome.fa")
    request = ModelTrackRequest(tmp_path / "genome.fa", tmp_path / "run", (), tmp_path / "out.bw", UNIFORM)
    with caplog.at_level(logging.INFO, "motifcnn"):
        write_model_tracks(request, OnGpu(CPU.torch_device, "pretended"))
    assert ("looked up in tables on the processor; the GPU computes the rest" in caplog.text) == on_gpu


@pytest.mark.parametrize("softmask", ["keep", "mask"])
def test_several_targets_have_a_file_each_and_letters_are_read_as_in_training(tmp_path, softmask):
    model = make_run(tmp_path / "run", objective=CLASSES, softmask=softmask)
    texts = write_genome(tmp_path / "genome.fa")
    request = ModelTrackRequest(tmp_path / "genome.fa", tmp_path / "run", (), tmp_path / "out.bw", ScanSettings())
    done = write_model_tracks(request, CPU)
    assert [path.name.partition("_")[0] for path in done.files] == ["out.x.bw", "out.y", "out.z.bw"]
    sizes = {chrom: len(text) for chrom, text in texts.items()}
    for number, path in enumerate(done.files):
        expected = {
            chrom: expected_predictions(model, encoded(text, model), 30, 3)[:, number] for chrom, text in texts.items()
        }
        same(read(path, sizes, 3), expected, 30, 3)


def test_protein_networks_run_along_proteins(tmp_path):
    alphabet = ALPHABETS["protein"]
    model = make_run(tmp_path / "run", NETWORKS["one layer, one strand and sums"], alphabet="protein")
    texts = write_genome(tmp_path / "genome.fa", alphabet=alphabet, ambiguity="XB")
    request = ModelTrackRequest(tmp_path / "genome.fa", tmp_path / "run", (), tmp_path / "out.bw", ScanSettings())
    write_model_tracks(request, CPU)
    expected = {chrom: expected_predictions(model, encoded(text, model), 30, 3)[:, 0] for chrom, text in texts.items()}
    same(read(tmp_path / "out.bw", {chrom: len(text) for chrom, text in texts.items()}, 3), expected, 30, 3)


@pytest.mark.parametrize("strands", ["both", "single"])
def test_best_hits_have_the_scores_of_a_scan(tmp_path, monkeypatch, strands):
    monkeypatch.setattr(sliding_maximum, "_ROOM", 400)
    model = make_run(tmp_path / "run")
    texts = write_genome(tmp_path / "genome.fa")
    motifs = (motif(6), motif(12), motif(9))
    settings = ScanSettings(background="uniform", strands=strands, track_stride=4)
    request = ModelTrackRequest(tmp_path / "genome.fa", tmp_path / "run", motifs, tmp_path / "out.bw", settings)
    done = write_model_tracks(request, CPU)
    assert [path.name for path in done.files[1:]] == ["out.best.m6.bw", "out.best.m12.bw", "out.best.m9.bw"]
    for each, path in zip(motifs, done.files[1:], strict=True):
        integer = IntegerMotif.from_log_odds(each.log_odds(np.full(4, 0.25)))
        tables = [integer.scores, integer.reverse_complement(DNA.complement_codes)][: 1 + (strands == "both")]
        expected = {}
        for chrom, text in texts.items():
            codes = encoded(text, model)
            sites = np.full(len(codes), -np.inf)
            for at in range(len(codes) - each.width + 1):
                site = codes[at : at + each.width]
                if (site < 4).all():
                    sites[at] = max(table[np.arange(each.width), site].sum() for table in tables) / 500
            best = [sites[at : at + 30 - each.width + 1].max() for at in range(0, len(codes) - 29, 4)]
            expected[chrom] = np.where(np.isneginf(best), np.nan, best)
        assert any(np.isnan(values).any() for values in expected.values())
        same(read(path, {chrom: len(text) for chrom, text in texts.items()}, 4), expected, 30, 4, tolerance=1e-3)


def test_names_of_files():
    assert track_files(Path("a/out.bw"), ["bound"], ["m1"]) == [Path("a/out.bw"), Path("a/out.best.m1.bw")]
    assert track_files(Path("out.bigWig"), ["a", "b"], []) == [Path("out.a.bigWig"), Path("out.b.bigWig")]
    for name in ("out.bed", "out"):
        with pytest.raises(
            MotifcnnError, match=rf"^--model-track {name}: tracks are bigWig; give a name that ends in \.bw"
        ):
            track_files(Path(name), ["bound"], [])


REFUSALS = {
    "stdin": ({"genome": Path("-")}, {}, r"reads the genome more than once, so not from standard input; give a file"),
    "gaps": ({"settings": ScanSettings(track_stride=31)}, {}, r"--track-stride 31: would leave gaps between windows"),
    "narrow": (
        {"settings": ScanSettings(track_width=6)}, {},
        r"--track-width 6: the run's filters and motifs span up to 7 positions; give at least that",
    ),
    "narrow for a motif": ({"motifs": (motif(31),)}, {}, r"--track-width 30: .* span up to 31 positions"),
    "wide for a dense head": (
        {"settings": ScanSettings(track_width=33)},
        {"settings": ModelSettings(filters=6, filter_width=7, restarts=2, pool=4, summary="dense", input_length=30)},
        r"--track-width 33: the network's dense head reads 30 letters; give at most that",
    ),
    "wide": (
        {"settings": ScanSettings(track_width=501)}, {},
        r"genome\.fa: no sequence is as long as a window of 501; give a smaller --track-width",
    ),
    "masked": ({"settings": ScanSettings(softmask="mask")}, {}, r"--softmask mask: the network was trained with"),
    "tracks": (
        {}, {"scales": (TrackScale("phyloP", 0.0, 1.0),)},
        r"run: its model reads tracks beside the sequence \(phyloP\), and --model-track reads sequence alone; ",
    ),
    "ending": ({"out": Path("out.bed")}, {}, r"--model-track out\.bed: tracks are bigWig"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(tmp_path, name):
    changes, run, said = REFUSALS[name]
    make_run(tmp_path / "run", **run)
    write_genome(tmp_path / "genome.fa")
    given = {
        "genome": tmp_path / "genome.fa", "run": tmp_path / "run", "motifs": (), "out": tmp_path / "out.bw",
        "settings": UNIFORM,
    }  # fmt: skip
    with pytest.raises(MotifcnnError, match=said):
        write_model_tracks(ModelTrackRequest(**(given | changes)), CPU)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["genome.fa", "run"]


def test_a_directory_without_model_and_files_that_are_there_are_refused(tmp_path):
    (tmp_path / "run").mkdir()
    write_genome(tmp_path / "genome.fa")
    request = ModelTrackRequest(tmp_path / "genome.fa", tmp_path / "run", (motif(6),), tmp_path / "out.bw", UNIFORM)
    with pytest.raises(MotifcnnError, match="there is no model here; give a run directory of `motifcnn train`"):
        write_model_tracks(request, CPU)
    make_run(tmp_path / "run")
    (tmp_path / "out.best.m6.bw").write_text("mine")
    with pytest.raises(
        MotifcnnError, match=r"out\.best\.m6\.bw: exists; give another name, or write over it with --force"
    ):
        write_model_tracks(request, CPU)
    assert (tmp_path / "out.best.m6.bw").read_text() == "mine"
    assert len(write_model_tracks(ModelTrackRequest(**(vars(request) | {"force": True})), CPU).files) == 2
