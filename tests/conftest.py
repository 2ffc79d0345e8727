"""What all tests share: the command line as installed, and the folder of real data sets."""

import os
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def generator():
    return np.random.default_rng(0)


@pytest.fixture
def run_cli():
    """Run `motifcnn ARGUMENTS…` in this process; returns typer's result (exit_code, stdout, stderr)."""
    (entry,) = entry_points(group="console_scripts", name="motifcnn")
    app = entry.load()
    runner = CliRunner()

    def run(*arguments, **options):
        return runner.invoke(app, [str(argument) for argument in arguments], **options)

    return run


@pytest.fixture(scope="session")
def real_data():
    """Folder of the real data sets, which are not the project's to ship."""
    folder = Path(os.environ.get("MOTIFCNN_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data sets at {folder}; set MOTIFCNN_REAL_DATA to their folder")
    return folder
