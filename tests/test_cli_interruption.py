"""A run that is killed or interrupted goes on to the very result of one that was left alone."""

import json
import signal
import subprocess
import sys

import pytest

STOPPING = """
import os, signal, sys
from importlib.metadata import entry_points
import motifcnn.learning.training as training

signal.signal(signal.SIGINT, signal.default_int_handler)  # which shells have their background jobs ignore
number, epochs = getattr(signal, sys.argv.pop(1)), int(sys.argv.pop(1))
save, done = training.save_checkpoint, 0

def save_or_stop(path, state):
    global done
    if done == epochs:
        os.kill(os.getpid(), number)
    done += 1
    save(path, state)

training.save_checkpoint = save_or_stop
entry_points(group="console_scripts")["motifcnn"].load()()
"""
"""The command line, stopped by a signal at the end of an epoch, before that epoch is written down."""

TIMED = {"run.json", "log.jsonl", "report.html"}
"""What holds times, or the command, which is another one for a resumed run."""


def stopped(how, epochs, tiny_run, run):
    command = ["train", tiny_run.sequences, tiny_run.labels, "-o", run, *tiny_run.options]
    return subprocess.run(
        [sys.executable, "-c", STOPPING, how, str(epochs), *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
    ), command


def contents(run):
    return {str(p.relative_to(run)): p.read_bytes() for p in run.rglob("*") if p.is_file() and p.name not in TIMED}


def test_a_killed_run_goes_on_to_the_same_result(run_cli, tiny_run, tmp_path):
    run = tmp_path / "run"
    done, command = stopped("SIGKILL", 5, tiny_run, run)
    assert done.returncode == -signal.SIGKILL
    assert json.loads((run / "run.json").read_text())["status"] == "running"
    assert sorted(contents(run)) == ["checkpoint.safetensors", "settings.toml"]
    (run / ".motifcnn-0123456789ab.part").write_bytes(b"what a kill in the middle of a write leaves")
    refused = run_cli(*command, "--seed", 1, "--resume")
    assert refused.exit_code == 1
    assert "was begun with other settings; resume with --config" in refused.stderr
    resumed = run_cli(*command, "--resume")
    assert resumed.exit_code == 0, resumed.stderr
    assert "resumed after epoch 5" in resumed.stderr
    assert contents(run) == contents(tiny_run.path)
    again = run_cli(*command, "--resume")
    assert again.exit_code == 1
    assert "is complete, so there is nothing to resume; --force starts again" in again.stderr


def test_ctrl_c_keeps_the_best_model_and_says_how_to_go_on(run_cli, tiny_run, tmp_path):
    run = tmp_path / "run"
    done, command = stopped("SIGINT", 8, tiny_run, run)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("interrupted in epoch ")
    assert last.endswith(
        f" of at most 12; the best model so far is {run / 'model.safetensors'}; "
        "repeat the command with --resume to go on where it stopped"
    )
    assert json.loads((run / "run.json").read_text())["status"] == "interrupted"
    predicted = run_cli("predict", tiny_run.sequences, "-m", run)
    assert predicted.exit_code == 0, predicted.stderr
    assert run_cli(*command, "--resume").exit_code == 0
    assert contents(run) == contents(tiny_run.path)


def test_ctrl_c_after_the_training(run_cli, tiny_run, tmp_path, monkeypatch):
    run = tmp_path / "run"
    command = ["train", tiny_run.sequences, tiny_run.labels, "-o", run, *tiny_run.options]

    def interrupt(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("motifcnn.pipeline.extract_motifs", interrupt)
        result = run_cli(*command)
    assert result.exit_code == 130
    assert "interrupted after the training; the best model so far is" in result.stderr
    assert (run / "model.safetensors").read_bytes() == (tiny_run.path / "model.safetensors").read_bytes()
    assert run_cli(*command, "--resume").exit_code == 0
    assert contents(run) == contents(tiny_run.path)


@pytest.mark.parametrize("command", ["train", "scan", "predict"])
def test_help_needs_no_torch(command):
    code = (
        "import sys; from importlib.metadata import entry_points as e; from typer.testing import CliRunner; "
        "app = e(group='console_scripts')['motifcnn'].load(); "
        f"assert CliRunner().invoke(app, ['{command}', '--help']).exit_code == 0; "
        "print([name for name in ('torch', 'pandas', 'numba', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
