"""`motifcnn simulate`: four files that agree with one another, or one line of refusal."""

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.formats.conservation import read_tracks
from motifcnn.formats.fasta import read_fasta
from motifcnn.formats.motif_files import read_motifs

NAMES = ["labels.tsv", "motifs.meme", "positive.bases.tsv", "sequences.fa", "truth.bed"]


def small(out, *more):
    return ["simulate", "-o", out, "--sequences", 30, "--length", 50, *more]


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("task", ["binary", "multi-label"])
def test_the_files_agree(run_cli, tmp_path, task):
    result = run_cli(*small(tmp_path / "out", "--task", task))
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    targets = [f"{target}.bases.tsv" for target in (["positive"] if task == "binary" else ["planted_1", "planted_2"])]
    assert sorted(contents(tmp_path / "out")) == sorted([*NAMES[:2], *targets, *NAMES[3:]])
    sequences = read_fasta(tmp_path / "out" / "sequences.fa")
    header, *rows = [line.split("\t") for line in (tmp_path / "out" / "labels.tsv").read_text().splitlines()]
    motifs = read_motifs(tmp_path / "out" / "motifs.meme")
    assert header == ["id", "positive"] if task == "binary" else ["id", *[motif.name for motif in motifs]]
    assert [row[0] for row in rows] == list(sequences.names)
    truth = [line.split("\t") for line in (tmp_path / "out" / "truth.bed").read_text().splitlines()]
    assert all(len(site) == 6 and int(site[2]) - int(site[1]) == 10 and site[5] in "+-" for site in truth)
    assert {site[0] for site in truth} == {row[0] for row in rows if "1" in row[1:]}
    assert {site[3] for site in truth} <= {motif.name for motif in motifs}
    for target in targets:
        inside = read_tracks(tmp_path / "out" / target, sequences)
        own = [site for site in truth if task == "binary" or target == f"{site[3]}.bases.tsv"]
        expected = np.zeros(len(inside))
        for name, start, end, *_ in own:
            first = int(sequences.offsets[sequences.names.index(name)])
            expected[first + int(start) : first + int(end)] = 1
        assert np.array_equal(inside, expected)


def test_the_seed_decides_every_byte(run_cli, tmp_path):
    for name, seed in (("first", 3), ("again", 3), ("other", 4)):
        assert run_cli(*small(tmp_path / name, "--seed", seed)).exit_code == 0
    assert contents(tmp_path / "first") == contents(tmp_path / "again")
    assert all(contents(tmp_path / "first")[name] != contents(tmp_path / "other")[name] for name in NAMES)


def test_given_motifs_are_planted(run_cli, tmp_path):
    meme = tmp_path / "in.meme"
    meme.write_text(
        "MEME version 4\n\nALPHABET= ACGT\n\nMOTIF exact\nletter-probability matrix: alength= 4 w= 4\n"
        "1 0 0 0\n1 0 0 0\n0 1 0 0\n0 0 1 0\n"
    )
    result = run_cli(*small(tmp_path / "out", "--meme", meme))
    assert result.exit_code == 0, result.stderr
    sequences = read_fasta(tmp_path / "out" / "sequences.fa", "dna")
    texts = {name: DNA.decode(sequences[i]) for i, name in enumerate(sequences.names)}
    lines = (tmp_path / "out" / "truth.bed").read_text().splitlines()
    assert len(lines) == 15
    for name, start, end, motif, _, strand in (line.split("\t") for line in lines):
        assert texts[name][int(start) : int(end)] == {"+": "AACG", "-": "CGTT"}[strand]
        assert motif == "exact"


@pytest.mark.parametrize("name", NAMES)
def test_the_motifs_read_are_not_written_over_even_by_force(run_cli, tmp_path, name):
    assert run_cli(*small(tmp_path / "first")).exit_code == 0
    meme = (tmp_path / "first" / "motifs.meme").read_bytes()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_bytes(meme)
    result = run_cli(*small(tmp_path / "out", "--meme", tmp_path / "out" / name, "--force"))
    assert result.exit_code == 1
    assert f"{name}: is a file that is read; give another directory with --out" in result.stderr
    assert contents(tmp_path / "out") == {name: meme}


def test_files_are_named_after_motifs_whose_names_are_paths(run_cli, tmp_path):
    meme, name = tmp_path / "in.meme", "../CTCF(Zf)/Homer"
    meme.write_text(
        f"MEME version 4\n\nALPHABET= ACGT\n\nMOTIF {name}\nletter-probability matrix: alength= 4 w= 2\n"
        "1 0 0 0\n0 1 0 0\n"
    )
    result = run_cli(*small(tmp_path / "out", "--meme", meme, "--task", "multi-label"))
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.meme", "out"]
    (bases,) = (tmp_path / "out").glob("*.bases.tsv")
    assert bases.read_text().splitlines()[0] == f"id\t{name}"
    assert (tmp_path / "out" / "labels.tsv").read_text().splitlines()[0] == f"id\t{name}"


def test_an_occupied_directory_is_refused_unless_forced(run_cli, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    result = run_cli(*small(tmp_path))
    assert result.exit_code == 1
    assert (
        f"{tmp_path}: is not empty; give another directory with --out, or write over it with --force" in result.stderr
    )
    assert sorted(contents(tmp_path)) == ["mine.txt"]
    assert run_cli(*small(tmp_path, "--force")).exit_code == 0
    assert sorted(contents(tmp_path)) == sorted(["mine.txt", *NAMES])


def test_a_file_for_a_directory_is_refused(run_cli, tmp_path):
    (tmp_path / "file").write_text("")
    result = run_cli(*small(tmp_path / "file"))
    assert result.exit_code == 1
    assert f"{tmp_path / 'file'}: is a file; give a directory with --out" in result.stderr


def test_settings_that_cannot_be_met_leave_nothing_behind(run_cli, tmp_path):
    result = run_cli(*small(tmp_path / "out", "--sites", 6))
    assert result.exit_code == 1
    assert "a sequence of 50 letters cannot hold sites of 60" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_negative_seed_is_refused(run_cli, tmp_path):
    result = run_cli(*small(tmp_path / "out", "--seed", -1))
    assert result.exit_code == 1
    assert "seed must be 0 or more" in result.stderr


def test_motifs_of_dna_are_planted_into_rna(run_cli, tmp_path):
    made = run_cli(*small(tmp_path / "dna"))
    assert made.exit_code == 0, made.stderr
    given = ("--meme", tmp_path / "dna" / "motifs.meme", "--alphabet")
    result = run_cli(*small(tmp_path / "rna", *given, "rna"))
    assert result.exit_code == 0, result.stderr
    letters = (tmp_path / "rna" / "sequences.fa").read_text().splitlines()[1]
    assert set(letters) == set("ACGU")
    refused = run_cli(*small(tmp_path / "protein", *given, "protein"))
    assert refused.exit_code == 1
    assert "motifs.meme" in refused.stderr
    assert not (tmp_path / "protein").exists()
