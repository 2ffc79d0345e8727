"""`motifcnn compare`: a table of matches on stdout or in a file, the unmatched on stderr."""

import io
import subprocess
import sys

import numpy as np
import pandas
import pytest

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.formats.motif_files import format_meme, write_jaspar, write_meme
from motifcnn.motifs import Motif

COLUMNS = ["query", "target", "target_name", "p_value", "e_value", "offset", "overlap", "orientation", "family"]


@pytest.fixture
def database():
    """Sixty random motifs."""
    generator = np.random.default_rng(0)
    matrices = generator.dirichlet([0.2] * 4, size=(60, 10))
    return [Motif(f"T{i}", matrix, DNA, alternate_name=f"factor{i}") for i, matrix in enumerate(matrices)]


@pytest.fixture
def files(tmp_path, database):
    """A database, and queries: a copy, a flipped and trimmed copy, and one that is like nothing."""
    write_jaspar(tmp_path / "known.jaspar", database)
    flipped = database[7].reverse_complement().probabilities[1:]
    queries = [
        Motif("copy", database[3].probabilities, DNA),
        Motif("flipped", flipped, DNA),
        Motif("flat", np.full((8, 4), 0.25), DNA),
    ]
    run = tmp_path / "run"
    run.mkdir()
    write_meme(run / "motifs.meme", queries)
    return run, tmp_path / "known.jaspar"


def table(text):
    return pandas.read_csv(io.StringIO(text), sep="\t")


def test_the_table_names_the_nearest_motifs(run_cli, files):
    run, known = files
    result = run_cli("compare", run, "--database", known)
    assert result.exit_code == 0, result.stderr
    matches = table(result.stdout)
    assert list(matches.columns) == COLUMNS
    first = matches.groupby("query", sort=False).first()
    assert list(first.index) == ["copy", "flipped"]
    assert first.loc["copy", ["target", "target_name", "offset", "overlap", "orientation"]].tolist() == [
        *("T3", "factor3", 0, 10, "+")
    ]
    assert first.loc["flipped", ["target", "offset", "overlap", "orientation"]].tolist() == ["T7", 1, 9, "-"]
    assert (matches["e_value"] <= 0.1).all()
    np.testing.assert_allclose(matches["e_value"], matches["p_value"] * 60, rtol=0.02)
    assert "no match with E up to 0.1 for 1 of 3 motifs: flat" in result.stderr


def test_a_file_of_motifs_and_standard_input_will_do(run_cli, files):
    run, known = files
    whole = run_cli("compare", run, "--database", known).stdout
    assert run_cli("compare", run / "motifs.meme", "--database", known).stdout == whole
    entry = "from importlib.metadata import entry_points as e; e(group='console_scripts')['motifcnn'].load()()"
    command = [sys.executable, "-c", entry, "compare", "-", "--database", known]
    with (run / "motifs.meme").open("rb") as file:
        piped = subprocess.run(command, stdin=file, capture_output=True, text=True, check=True)
    assert piped.stdout == whole


def test_the_threshold_decides_what_is_reported(run_cli, files):
    run, known = files
    everything = table(run_cli("compare", run, "--database", known, "--e-threshold", 1e9).stdout)
    assert len(everything) == 3 * 60
    nothing = run_cli("compare", run, "--database", known, "--e-threshold", 0)
    assert nothing.stdout == "\t".join(COLUMNS) + "\n"
    assert "no match with E up to 0 for 3 of 3 motifs: copy, flipped, flat" in nothing.stderr


def test_many_without_a_match_are_counted(run_cli, tmp_path, files):
    flat = [Motif(f"flat{i}", np.full((8, 4), 0.25), DNA) for i in range(5)]
    (tmp_path / "flat.meme").write_text(format_meme(flat))
    result = run_cli("compare", tmp_path / "flat.meme", "--database", files[1])
    assert "for 5 of 5 motifs: flat0, flat1, flat2 and 2 more" in result.stderr


def test_a_file_is_written_and_not_written_over(run_cli, files, tmp_path):
    run, known = files
    out = tmp_path / "matches.tsv"
    expected = run_cli("compare", run, "--database", known).stdout
    result = run_cli("compare", run, "--database", known, "-o", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert out.read_text() == expected
    assert "2 matches in" in result.stderr
    out.write_text("mine")
    refused = run_cli("compare", run, "--database", known, "-o", out)
    assert refused.exit_code == 1
    assert "exists; give another name with --out, or write over it with --force" in refused.stderr
    assert out.read_text() == "mine"
    assert run_cli("compare", run, "--database", known, "-o", out, "--force").exit_code == 0
    assert out.read_text() == expected


def test_jaspar_is_what_is_compared_with_by_default(run_cli, files):
    pytest.importorskip("pyjaspar", reason="pyjaspar is not installed")
    result = run_cli("compare", files[0], "--database", "jaspar:fungi", "--e-threshold", 1e9)
    assert result.exit_code == 0, result.stderr
    assert table(result.stdout)["target"].str.startswith("MA").all()
    assert "CORE, fungi" in result.stderr
    assert "bHLH-ZIP" in set(table(result.stdout)["family"])
    assert "CORE\n" in run_cli("compare", files[0]).stderr


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--database", "missing.meme"], 1, "missing.meme: there is no such file"),
        (["--database", "none"], 2, "leaves nothing to compare with; leave it out, or give a file"),
        (["--database", "known.jaspar", "--e-threshold", "-1"], 2, "--e-threshold must be 0 or more"),
        (["--database", "known.jaspar", "--trim-bits", "-1"], 2, "--trim-bits must be 0 or more"),
    ],
)
def test_refusals(run_cli, files, monkeypatch, options, code, message):
    monkeypatch.chdir(files[1].parent)
    result = run_cli("compare", files[0], *options)
    assert result.exit_code == code
    assert message in " ".join(result.stderr.replace("│", " ").split())  # usage faults stand in a box
    assert result.stdout == ""


def test_a_folder_that_is_no_run_is_refused(run_cli, tmp_path, files):
    result = run_cli("compare", tmp_path, "--database", files[1])
    assert result.exit_code == 1
    assert "holds no motifs.meme" in result.stderr


def test_protein_has_no_database_by_default(run_cli, tmp_path):
    write_meme(tmp_path / "protein.meme", [Motif("p", np.full((4, 20), 0.05), PROTEIN)])
    result = run_cli("compare", tmp_path / "protein.meme")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no known motifs of protein are to be had by default; give --database a file of them" in result.stderr


def test_outer_positions_without_information_are_not_compared(run_cli, tmp_path, files, database):
    flanks = np.full((7, 4), 0.25)
    padded = Motif("padded", np.vstack([flanks, database[3].probabilities[2:9], flanks]), DNA)
    write_meme(tmp_path / "padded.meme", [padded])
    first, whole = (
        table(run_cli("compare", tmp_path / "padded.meme", "--database", files[1], *options).stdout).iloc[0]
        for options in ((), ("--trim-bits", 0))
    )
    assert first[["target", "offset", "overlap"]].tolist() == ["T3", -5, 7]
    assert whole[["target", "offset", "overlap"]].tolist() == ["T3", -5, 10]
