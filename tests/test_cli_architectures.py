"""Every architecture through the whole street: train, motifs, predict, tracks, explain."""

import io

import numpy as np
import pandas as pd
import pytest

from motifcnn.discovery.similarity import motif_similarity
from motifcnn.formats.motif_files import read_motifs
from motifcnn.model.architectures import ARCHITECTURES
from motifcnn.model.store import load_model

QUICK = (
    *("--filters", 8, "--filter-width", 9, "--restarts", 1, "--threads", 1, "--device", "cpu", "--no-word-sums"),
    *("--database", "none"),
)  # fmt: skip
BLOCKS = ("--conv-layers", 2, "--conv-filters", 8, "--squeeze", "--pool", 4, "--summary", "average")
OF_SEQUENCES = [name for name, architecture in ARCHITECTURES.items() if architecture.summary != "bases"]
OPTIONS = {name: ("--architecture", name) for name in OF_SEQUENCES if name != "motif"}
KINDS = ("separable", "residual", "dense", "unet", "aspp")
OPTIONS |= {f"{kind} layers": (*BLOCKS, "--conv-block", kind) for kind in KINDS}


@pytest.mark.parametrize("name", OPTIONS)
def test_training_and_predicting(name, run_cli, tiny_run, tmp_path):
    """What the run predicted, `predict` predicts again from the stored model, alone or in company."""
    out = tmp_path / "run"
    trained = run_cli("train", tiny_run.sequences, tiny_run.labels, "-o", out, *QUICK, "--epochs", 3, *OPTIONS[name])
    assert trained.exit_code == 0, trained.stderr
    network = load_model(out / "model.safetensors").network
    assert network.settings.architecture == (name if name in ARCHITECTURES else "motif")
    layers = pd.read_csv(out / "layers.tsv", sep="\t")
    assert layers["parameters"].sum() == sum(parameter.numel() for parameter in network.parameters())
    predicted = run_cli("predict", tiny_run.sequences, "-m", out, "--device", "cpu")
    assert predicted.exit_code == 0, predicted.stderr
    again = pd.read_csv(io.StringIO(predicted.stdout), sep="\t")
    before = pd.read_csv(out / "predictions.tsv", sep="\t").set_index("id").loc[again["id"]]
    assert np.allclose(again.iloc[:, 1], before.filter(like="predicted_").iloc[:, 0], atol=1e-4)
    assert again.iloc[:, 1].nunique() > 100


@pytest.fixture(scope="module")
def deep_run(run_cli, tiny_run, tmp_path_factory):
    """A network of further layers and a dense head, trained well enough to find the planted motif."""
    out = tmp_path_factory.mktemp("deep") / "run"
    options = (*QUICK, "--architecture", "koo-50", "--activation", "exp", "--epochs", 12)
    result = run_cli("train", tiny_run.sequences, tiny_run.labels, "-o", out, *options)
    assert result.exit_code == 0, result.stderr
    return out, options


def test_filters_become_motifs(deep_run, tiny_run):
    motif, truth = read_motifs(deep_run[0] / "motifs.meme")[0], read_motifs(tiny_run.truth)[0]
    assert motif_similarity(motif, truth, both_strands=True).correlation > 0.8


def test_an_interrupted_run_goes_on(deep_run, interrupt_and_resume, tiny_run, tmp_path):
    """Dropout in every layer draws again what an uninterrupted run drew."""
    out, options = deep_run
    interrupt_and_resume("train", tiny_run.sequences, tiny_run.labels, "-o", tmp_path / "run", *options)
    for name in ("model.safetensors", "history.tsv", "predictions.tsv"):
        assert (tmp_path / "run" / name).read_bytes() == (out / name).read_bytes()


def test_tracks_leave_out_what_is_not_exact(deep_run, run_cli, tiny_run, tmp_path):
    result = run_cli("export", "tracks", deep_run[0], tiny_run.sequences, "-o", tmp_path / "tracks")
    assert result.exit_code == 0, result.stderr
    names = [path.name for path in (tmp_path / "tracks").iterdir()]
    assert "motif_1.bw" in names
    assert "no exact map of the targets' logits" in result.stderr
    assert not any("contribution" in name for name in names)


def test_longer_sequences_than_a_dense_head_reads_are_refused(deep_run, run_cli, tmp_path):
    (tmp_path / "long.fa").write_text(">a\n" + "ACGT" * 60 + "\n")
    result = run_cli("predict", tmp_path / "long.fa", "-m", deep_run[0])
    assert result.exit_code == 1
    assert "longer than the 40 letters" in result.stderr
    assert len(result.stderr.strip().splitlines()[-1]) < 300


def test_an_unknown_name_is_refused_with_the_list(run_cli, tiny_run, tmp_path):
    result = run_cli("train", tiny_run.sequences, tiny_run.labels, "-o", tmp_path / "run", "--architecture", "resnet")
    assert result.exit_code == 2
    assert all(name in result.stderr for name in ARCHITECTURES)
    config = tmp_path / "settings.toml"
    config.write_text("[model]\narchitecture = 'resnet'\n")
    result = run_cli("train", tiny_run.sequences, tiny_run.labels, "-o", tmp_path / "run", "--config", config)
    assert result.exit_code == 1
    assert f"one of {', '.join(ARCHITECTURES)} is needed" in result.stderr
