"""RNA through the whole street: U and T are one letter, and there is one strand."""

import io

import numpy as np
import pandas as pd
import pytest

from motifcnn.alphabet import RNA
from motifcnn.formats.motif_files import read_motifs

QUICK = ("--filters", 16, "--restarts", 1, "--epochs", 12, "--threads", 1, "--device", "cpu")
WORD = "UGUAAAUA"


@pytest.fixture(scope="module")
def rna_run(run_cli, tmp_path_factory):
    """A run on RNA of 60 letters, every second with Pumilio's word, and the same sequences written with T."""
    generator = np.random.default_rng(5)
    folder = tmp_path_factory.mktemp("rna")
    texts, labels = [], []
    for number in range(300):
        text = RNA.decode(generator.integers(0, 4, 60).astype(np.uint8))
        if number % 2:
            start = int(generator.integers(2, 50))
            text = text[:start] + WORD + text[start + len(WORD) :]
        texts.append(text)
        labels.append(f"r{number}\t{number % 2}\n")
    for name, letter in (("u.fa", "U"), ("t.fa", "T")):
        records = "".join(f">r{number}\n{text.replace('U', letter)}\n" for number, text in enumerate(texts))
        (folder / name).write_text(records)
    (folder / "r.tsv").write_text("id\tlabel\n" + "".join(labels))
    result = run_cli("train", folder / "u.fa", folder / "r.tsv", "-o", folder / "run", *QUICK)
    assert result.exit_code == 0, result.stderr
    return folder, result


def test_the_word_is_found_on_one_strand(rna_run):
    folder, result = rna_run
    assert "one strand" in result.stderr
    motif = read_motifs(folder / "run" / "motifs.meme")[0]
    assert motif.alphabet is RNA
    assert WORD in motif.consensus.upper()
    assert set(pd.read_csv(folder / "run" / "sites.tsv", sep="\t")["strand"]) == {"+"}
    assert "ALPHABET= ACGU" in (folder / "run" / "motifs.meme").read_text()


@pytest.mark.parametrize("command", [("predict",), ("scan", "--first", 1, "--format", "tsv")])
def test_t_is_read_as_u(rna_run, run_cli, command):
    folder, _ = rna_run
    results = [run_cli(command[0], folder / name, "-m", folder / "run", *command[1:]) for name in ("u.fa", "t.fa")]
    assert results[0].exit_code == 0, results[0].stderr
    assert results[0].stdout == results[1].stdout != ""
    if command[0] == "scan":
        assert set(pd.read_csv(io.StringIO(results[0].stdout), sep="\t")["strand"]) == {"."}


def test_a_scan_of_one_strand_says_so_unless_strands_are_given(rna_run, run_cli):
    folder, _ = rna_run
    said = {
        strands: run_cli("scan", folder / "t.fa", "-m", folder / "run", "--p-value", 0.001, *strands)
        for strands in ((), ("--strands", "single"), ("--strands", "both"))
    }
    message = "motifs of RNA are looked for on the given strand only; in DNA, --strands both scans the other, too"
    assert [message in result.stderr for result in said.values()] == [True, False, False]
    alone, single, both = (result.stdout for result in said.values())
    assert alone == single
    assert {line.split("\t")[5] for line in both.splitlines()} == {"+", "-"}


def test_training_on_t_with_the_alphabet_given_is_training_on_u(rna_run, run_cli):
    folder, _ = rna_run
    options = ("--alphabet", "rna", *QUICK)
    result = run_cli("train", folder / "t.fa", folder / "r.tsv", "-o", folder / "t_run", *options)
    assert result.exit_code == 0, result.stderr
    for name in ("motifs.meme", "predictions.tsv"):
        assert (folder / "t_run" / name).read_bytes() == (folder / "run" / name).read_bytes()
