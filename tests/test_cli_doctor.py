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
