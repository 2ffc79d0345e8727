"""`motifcnn doctor`: versions and devices; what is missing makes it fail."""

import tomllib
from importlib.metadata import version
from pathlib import Path

from motifcnn import __version__

PROJECT = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text())["project"]


def rows(result):
    return dict(line.split("\t") for line in result.stdout.splitlines())


def test_it_names_every_dependency_and_the_device(run_cli):
    result = run_cli("doctor")
    assert result.exit_code == 0, result.stdout
    found = rows(result)
    needed = {requirement.split(">")[0] for requirement in PROJECT["dependencies"]}
    assert found["motifcnn"] == __version__
    assert needed <= set(found)
    assert found["torch"] == version("torch")
    assert found["--device auto"].split()[0] in {"cpu", "cuda", "mps"}


def test_what_is_missing_is_told_with_its_remedy(run_cli, monkeypatch):
    monkeypatch.setattr("motifcnn.cli.doctor._version", lambda name: None if "o" in name else "1.0")
    result = run_cli("doctor")
    assert result.exit_code == 1
    assert rows(result)["torch"] == "MISSING: pip install torch"
    assert rows(result)["typer"] == "1.0"


def test_it_says_which_engine_scans(run_cli, monkeypatch):
    assert rows(run_cli("doctor"))["scanner"].startswith("compiled for this processor and kept; set MOTIFCNN_SCANNER=")
    monkeypatch.setattr("motifcnn.scanning.machine_code.is_kept", lambda: False)
    assert rows(run_cli("doctor"))["scanner"].startswith("compiled for this processor, each time anew; set MOTIFCNN_")
    monkeypatch.setattr("motifcnn.scanning.machine_code.compiled_code", lambda: None)
    assert rows(run_cli("doctor"))["scanner"] == (
        "NumPy, many times slower than compiled code, which cannot be made here"
    )
    monkeypatch.setenv("MOTIFCNN_SCANNER", "numpy")
    assert rows(run_cli("doctor"))["scanner"] == (
        "NumPy, many times slower than compiled code: MOTIFCNN_SCANNER=numpy asks for it"
    )
    monkeypatch.setenv("MOTIFCNN_SCANNER", "fast")
    assert "MOTIFCNN_SCANNER=fast: must be one of auto, compiled, numpy" in run_cli("doctor").stderr
