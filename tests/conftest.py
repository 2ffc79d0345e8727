"""What all tests share: the command line as installed, processes that share work, and the folder of real data sets."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from typer.testing import CliRunner

REPOSITORY = Path(__file__).resolve().parent.parent

# a busy machine is slow, which is no fault of what is tested
settings.register_profile("motifcnn", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("motifcnn")


@pytest.fixture
def generator():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def add_sums():
    """Put random sums of words, and of codons where letters have them, beside the filters of a network."""
    import torch

    from motifcnn.model.frame_branch import FrameBranch
    from motifcnn.model.word_branch import WordBranch

    def add(network, share=1.0, offset=0.0):
        alphabet, both_strands, outputs = network.filters.alphabet, network.filters.both_strands, network.outputs
        drawn = torch.Generator().manual_seed(4)
        sums = [WordBranch(alphabet, torch.randn(outputs, alphabet.size**3, generator=drawn))]
        if alphabet.size == 4:
            ratios, weights = torch.randn(64, generator=drawn) / 2, torch.randn(outputs, 64, generator=drawn)
            sums.append(FrameBranch(alphabet, both_strands, ratios, torch.tensor(-1.0), weights))
        network.reweigh(share, torch.full((outputs,), offset), sums)

    return add


TINY = (
    *("--filters", 8, "--filter-width", 9, "--restarts", 1, "--epochs", 12),
    *("--threads", 1, "--device", "cpu", "--database", "none"),
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


class ThreadRanks:
    """Stands for `Ranks` where threads of this process share the work; sums are the same in every run."""

    def __init__(self, rank, size, barrier, table):
        self.rank, self.size, self.is_first = rank, size, rank == 0
        self._barrier, self._table, self.messages = barrier, table, 0

    def _all(self, values):
        self.messages += 1
        self._table[self.rank] = values
        self._barrier.wait(60)
        given = list(self._table)
        self._barrier.wait(60)
        return given

    def add_up(self, values):
        values.copy_(sum(self._all(values.clone())))

    def copy_first(self, values):
        values.copy_(self._all(values.clone())[0])

    def hand_out(self, data):
        return self._all(data)[0]


@pytest.fixture(scope="session")
def together():
    """Call a function in several threads, each with its own `Ranks`; return what each gives, or raise its fault."""

    def call(size, function):
        barrier, table = threading.Barrier(size), [None] * size

        def one(rank):
            try:
                return function(ThreadRanks(rank, size, barrier, table))
            except BaseException:
                barrier.abort()
                raise

        with ThreadPoolExecutor(size) as pool:
            futures = [pool.submit(one, rank) for rank in range(size)]
        faults = [error for future in futures if (error := future.exception()) is not None]
        for error in faults:
            if not isinstance(error, threading.BrokenBarrierError):
                raise error
        return [future.result() for future in futures]

    return call


@pytest.fixture(scope="session")
def real_data():
    """Folder of the real data sets, which are not the project's to ship."""
    folder = Path(os.environ.get("MOTIFCNN_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data sets at {folder}; set MOTIFCNN_REAL_DATA to their folder")
    return folder


@pytest.fixture
def interrupt_and_resume(run_cli, monkeypatch):
    """Run a training, interrupt it after its second epoch as Ctrl-C does, and let it go on."""
    from motifcnn.learning import training

    def go(*command):
        save, seen = training.save_checkpoint, []

        def interrupt(path, state):
            save(path, state)
            seen.append(state.epoch)
            if len(seen) == 2:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(training, "save_checkpoint", interrupt)
            assert run_cli(*command).exit_code == 130
        resumed = run_cli(*command, "--resume")
        assert resumed.exit_code == 0, resumed.stderr

    return go
