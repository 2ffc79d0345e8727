"""What all tests share: the command line as installed, and the folder of real data sets."""

import os
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def generator():
    return np.random.default_rng(0)


TINY = (
    *("--filters", 8, "--filter-width", 9, "--restarts", 1, "--epochs", 12),
    *("--threads", 1, "--device", "cpu"),
)  # fmt: skip
"""Options of a run that takes a second and still finds one strong motif."""


@dataclass(frozen=True)
class TinyRun:
    """A finished run on simulated sequences, and what it was made from.

    Args:
        sequences: FASTA.
        labels: TSV of one 0/1 column.
        truth: Motif that was planted, MEME.
        path: Run directory.
        options: Options of the training.
        result: What the command line said.
    """

    sequences: Path
    labels: Path
    truth: Path
    path: Path
    options: tuple
    result: object


@pytest.fixture(scope="session")
def run_cli():
    """Run `motifcnn ARGUMENTS…` in this process; returns typer's result (exit_code, stdout, stderr)."""
    (entry,) = entry_points(group="console_scripts", name="motifcnn")
    app = entry.load()
    runner = CliRunner()

    def run(*arguments, **options):
        return runner.invoke(app, [str(argument) for argument in arguments], **options)

    return run


@pytest.fixture(scope="session")
def tiny_run(run_cli, tmp_path_factory):
    """One small run for all tests that only read it."""
    folder = tmp_path_factory.mktemp("tiny")
    simulated = ["--sequences", 300, "--length", 40, "--motifs", 1, "--motif-width", 8]
    made = run_cli("simulate", "-o", folder / "input", *simulated)
    assert made.exit_code == 0, made.stderr
    sequences, labels = folder / "input" / "sequences.fa", folder / "input" / "labels.tsv"
    result = run_cli("train", sequences, labels, "-o", folder / "run", *TINY)
    assert result.exit_code == 0, result.stderr
    return TinyRun(sequences, labels, folder / "input" / "motifs.meme", folder / "run", TINY, result)


@pytest.fixture(scope="session")
def real_data():
    """Folder of the real data sets, which are not the project's to ship."""
    folder = Path(os.environ.get("MOTIFCNN_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data sets at {folder}; set MOTIFCNN_REAL_DATA to their folder")
    return folder
