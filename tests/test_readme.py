"""The README cannot lie: its commands are the program's, and they run."""

import re
import shlex
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import typer

from motifcnn.outcome.tables import MOTIF_COLUMNS, PAIR_COLUMNS, SITE_COLUMNS
from motifcnn.settings import Settings

REPOSITORY = Path(__file__).resolve().parent.parent
README = (REPOSITORY / "README.md").read_text()
TINY = ("--filters", "12", "--restarts", "1", "--epochs", "10", "--threads", "1", "--database", "none")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands(program):
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines]
    return [line[1:] for line in words if line and line[0] == program]


@pytest.fixture(scope="module")
def program():
    (entry,) = entry_points(group="console_scripts", name="motifcnn")
    return typer.main.get_command(entry.load())


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder to write to that looks like the checkout."""
    (tmp_path / "data").symlink_to(REPOSITORY / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_listed_are_those_of_the_program(program):
    listed = re.findall(r"^\| `(\w+)[^|]*` \|", README.split("## Commands")[1].split("##")[0], re.MULTILINE)
    assert listed == list(program.commands)


def test_the_options_named_exist(program):
    def options(command):
        own = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        return own.union(*(options(child) for child in getattr(command, "commands", {}).values()))

    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README))
    assert len(named) > 3
    assert named <= options(program) | {"--help", "--nproc-per-node"}  # the latter is of torchrun


def test_the_targets_of_make_exist():
    targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    used = {words[0] for words in commands("make")}
    assert used == {"demo", "test"}
    assert used <= set(targets)


def test_links_and_pictures_exist():
    paths = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if not link.startswith("http")]
    assert paths
    assert not [path for path in paths if not (REPOSITORY / path).exists()]


@pytest.mark.parametrize(
    ("file", "columns"), [("motifs.tsv", MOTIF_COLUMNS), ("pairs.tsv", PAIR_COLUMNS), ("sites.tsv", SITE_COLUMNS)]
)
def test_every_column_of_motifs_is_explained(file, columns):
    text = (REPOSITORY / "docs" / "motifs.md").read_text()
    section = text.split(f"## Columns of `{file}`")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`([a-z_]+)`", " ".join(rows))) == sorted(columns)


def test_the_files_of_a_run_are_those_listed(tiny_run):
    section = README.split("## The run directory")[1].split("\nSame seed")[0]
    listed = {name.rstrip("/") for name in re.findall(r"`([a-z_]+(?:\.[a-z]+|/))`", section)}
    assert listed == {path.name for path in tiny_run.path.iterdir()}


def run_all(run_cli, more):
    said = []
    for words in commands("motifcnn"):
        result = run_cli(*words, *(more if words[0] == "train" else ()))
        assert result.exit_code == 0, (words, result.stderr)
        said.append((words[0], result))
    return said


def check_outputs(folder):
    assert (folder / "crp_run" / "report.html").stat().st_size > 10_000
    assert len((folder / "crp_hits.bed").read_text().splitlines()) > 100
    predicted = (folder / "crp_predictions.tsv").read_text().splitlines()
    assert len(predicted) == 1 + (folder / "data" / "crp.fa").read_text().count(">")


def test_the_four_commands_run_on_a_small_network(run_cli, checkout):
    said = run_all(run_cli, TINY)
    assert [name for name, _ in said] == ["check", "train", "scan", "predict"]
    check_outputs(checkout)


@pytest.mark.slow
def test_the_four_commands_run_as_they_stand(run_cli, checkout):
    run_all(run_cli, ())
    check_outputs(checkout)
    assert "TGTGA" in (checkout / "crp_run" / "motifs.tsv").read_text()


def library_example():
    (block,) = blocks("python")
    assert len(block.strip().splitlines()) <= 8
    return compile(block, "README.md", "exec")


def test_the_library_example_runs_on_a_small_network(checkout, monkeypatch, capsys):
    settings = Settings()
    small = replace(settings.model, filters=12, restarts=1)
    tiny = replace(settings, threads=1, model=small, training=replace(settings.training, epochs=10))
    monkeypatch.setattr("motifcnn.settings.Settings", lambda: tiny)
    exec(library_example(), {})
    assert re.fullmatch(r"0\.\d+ [A-Z]+\n", capsys.readouterr().out)
    assert (checkout / "library_run" / "report.html").exists()


@pytest.mark.slow
def test_the_library_example_runs_as_it_stands(checkout, capsys):
    exec(library_example(), {})
    score, consensus = capsys.readouterr().out.split()
    assert float(score) > 0.4  # average precision: one in eleven is a positive
    assert "TGTGA" in consensus or "TCACA" in consensus
