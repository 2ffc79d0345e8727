"""`torchrun … -m motifcnn`: several processes give one process's files, and end together."""

import json
import os
import subprocess
import sys
import time

import pandas as pd
import pytest

from motifcnn.alphabet import DNA

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
COMMANDS = """
import json, sys
from importlib.metadata import entry_points
app = entry_points(group="console_scripts")["motifcnn"].load()
for command in json.loads(sys.argv[1]):
    try:
        app(command)
    except SystemExit as ended:
        assert not ended.code, ended
"""
"""Several commands one after another, so that torch is loaded once."""

KILLED = """
import os, signal
from importlib.metadata import entry_points
from motifcnn.scanning.engine import Scanner
find = Scanner.scan
def killed(self, chunks):
    yield from find(self, chunks)
    if os.environ["RANK"] == os.environ["KILLED"]:
        os.kill(os.getpid(), signal.SIGKILL)
Scanner.scan = killed
entry_points(group="console_scripts")["motifcnn"].load()()
"""


KILLED_IN_TRAINING = """
import os, signal
from importlib.metadata import entry_points
from motifcnn.learning.training import _Loop
run_epoch = _Loop.run_epoch
def killed(self):
    if self.state.epoch == 0:
        maps = [line.split() for line in open("/proc/self/maps") if os.environ["TMPDIR"] in line]
        with open("letters" + os.environ["RANK"], "w") as file:
            file.write(" ".join(sorted({line[4] for line in maps})))
    if self.state.epoch == 5 and os.environ["RANK"] == os.environ["KILLED"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return run_epoch(self)
_Loop.run_epoch = killed
if os.environ["KILLED"] != "none":
    import torch.distributed
    destroy = torch.distributed.destroy_process_group
    def stopped_meanwhile():
        os.kill(os.getpid(), signal.SIGTERM)
        destroy()
    torch.distributed.destroy_process_group = stopped_meanwhile
entry_points(group="console_scripts")["motifcnn"].load()()
"""
"""The launcher's SIGTERM comes at the worst moment: as the process that lives cleans up, before it has said why."""


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """A genome of three shares, the last of the end of a chromosome and many contigs."""
    import numpy as np

    generator = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("ranks") / "genome.fa"
    lengths = [9_000_000, *[5000] * 300]
    with path.open("w") as file:
        for number, length in enumerate(lengths):
            file.write(f">chr{number}\n{DNA.decode(generator.integers(0, 4, length).astype(np.uint8))}\n")
    return path


@pytest.fixture(scope="module")
def motifs(tmp_path_factory):
    path = tmp_path_factory.mktemp("motifs") / "motifs.jaspar"
    rows = []
    for name, word in (("m1", "GATTACAG"), ("m2", "CACGTG")):
        counts = [[9 if letter == other else 1 for other in word] for letter in "ACGT"]
        rows += [f">{name}", *(f"{a} [ {' '.join(map(str, row))} ]" for a, row in zip("ACGT", counts, strict=True))]
    path.write_text("\n".join(rows) + "\n")
    return path


def faults(done):
    return [line for line in done.stderr.splitlines() if line.startswith("motifcnn: error: ")]


def torchrun(code, tmp_path, *arguments, **environment):
    script = tmp_path / "started.py"
    script.write_text(code)
    return subprocess.run(
        [sys.executable, *TORCHRUN, str(script), *map(str, arguments)], env={**os.environ, **environment},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_files_are_those_of_one_process(run_cli, genome, motifs, tiny_run, tmp_path):
    scan = ["scan", str(genome), "-m", str(motifs), "--p-value", "1e-3"]
    commands = {
        "hits.bed": scan,
        "q.tsv": [*scan, "--q-values", "--format", "tsv"],
        "hits.parquet": [*scan, "--format", "parquet", "--background-order", "1"],
        "predictions.tsv": ["predict", str(tiny_run.sequences), "-m", str(tiny_run.path)],
    }
    alone, told = tmp_path / "alone", {}
    alone.mkdir()
    for name, command in commands.items():
        result = run_cli(*command, "-o", alone / name)
        assert result.exit_code == 0, result.stderr
        told[name] = result.stderr.splitlines()[-1]
    done = torchrun(COMMANDS, tmp_path, json.dumps([[*c, "-o", str(tmp_path / n)] for n, c in commands.items()]))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    for name in commands:
        assert (tmp_path / name).read_bytes() == (alone / name).read_bytes(), name
        assert (
            done.stderr.count(told[name].replace("/alone/", "/")) == 1
        )  # the first process speaks, the other does not
    assert (tmp_path / "hits.bed").read_text().count("\n") > 10_000
    assert done.stderr.count("in each of 2 processes") == 4


@pytest.mark.parametrize("rank", ["0", "1"])
def test_a_killed_process_ends_all_without_a_file(genome, motifs, tmp_path, rank):
    folder = tmp_path / "out"
    folder.mkdir()
    began = time.monotonic()
    scan = ["scan", genome, "-m", motifs, "--p-value", "1e-3", "-o", folder / "hits.bed"]
    done = torchrun(KILLED, tmp_path, *scan, KILLED=rank)
    assert done.returncode != 0
    assert not (folder / "hits.bed").exists()
    assert time.monotonic() - began < 120
    if rank == "1":  # a process that is killed itself can remove nothing
        assert list(folder.iterdir()) == []
        assert len(faults(done)) == 1
        assert "no file was left half-written" in faults(done)[0]
    assert "ranks.py" not in done.stderr  # torchrun's own traceback is the only one


def test_training_goes_on_after_a_killed_process_and_is_that_of_one(tiny_run, tmp_path, monkeypatch):
    run = tmp_path / "run"
    # with the letters in one file, of which each reads its share of each batch
    command = ["train", tiny_run.sequences, tiny_run.labels, "-o", run, *tiny_run.options, "--on-disk", "yes"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    done = torchrun(KILLED_IN_TRAINING, tmp_path, *command, KILLED="1")
    assert done.returncode != 0
    letters = [(tmp_path / f"letters{rank}").read_text() for rank in "01"]
    assert letters[0].isdigit()  # one file, which is the same
    assert letters[0] == letters[1]
    assert len(faults(done)) == 1, done.stderr
    assert "ranks.py" not in done.stderr
    assert json.loads((run / "run.json").read_text())["status"] == "running"
    assert not (run / "model.safetensors").exists()
    done = torchrun(KILLED_IN_TRAINING, tmp_path, *command, "--resume", KILLED="none")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("resumed after epoch 5") == 1
    assert done.stderr.count("report: ") == 1
    files = [sorted(str(path.relative_to(of)) for path in of.rglob("*")) for of in (run, tiny_run.path)]
    assert files[0] == files[1]
    history, alone = (pd.read_csv(of / "history.tsv", sep="\t") for of in (run, tiny_run.path))
    for column in ("train_loss", "validation_loss"):
        assert history[column].to_numpy() == pytest.approx(alone[column].to_numpy(), abs=1e-4)
    predicted, expected = (pd.read_csv(of / "predictions.tsv", sep="\t") for of in (run, tiny_run.path))
    assert predicted["predicted_positive"].to_numpy() == pytest.approx(
        expected["predicted_positive"].to_numpy(), abs=1e-3
    )
    motifs = [pd.read_csv(of / "motifs.tsv", sep="\t")["consensus"][0] for of in (run, tiny_run.path)]
    assert motifs[0] == motifs[1]


def test_a_fault_is_told_once(genome, motifs, tmp_path):
    spoilt = tmp_path / "spoilt.fa"
    spoilt.write_text(genome.read_text() + ">last\nACGE\n")
    scan = ["scan", spoilt, "-m", motifs, "--background", "uniform", "-o", tmp_path / "hits.bed"]
    done = torchrun(COMMANDS, tmp_path, json.dumps([list(map(str, scan))]))
    assert done.returncode == 1
    assert len(faults(done)) == 1
    assert f"motifcnn: error: {spoilt}:604: 'E' is no letter of dna" in done.stderr
    assert not (tmp_path / "hits.bed").exists()


def test_commands_that_do_not_share_their_work_say_so(run_cli, monkeypatch, tmp_path):
    for name, value in (("WORLD_SIZE", "2"), ("LOCAL_RANK", "0"), ("LOCAL_WORLD_SIZE", "2"), ("MASTER_ADDR", "a")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MASTER_PORT", "1")
    commands = {
        "simulate": ["simulate", "-o", tmp_path / "input"],
        "--model-track": ["scan", "genome.fa", "--model-track", tmp_path / "out.bw"],
    }
    for what, command in commands.items():
        for rank in ("0", "1"):
            monkeypatch.setenv("RANK", rank)
            result = run_cli(*command)
            said = "" if rank == "1" else f"motifcnn: error: {what} runs in one process; start it without torchrun\n"
            assert (result.exit_code, result.stderr) == (1, said)
    assert list(tmp_path.iterdir()) == []


def test_python_m_is_the_command_line(run_cli):
    done = subprocess.run([sys.executable, "-m", "motifcnn", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == run_cli("--version").stdout
