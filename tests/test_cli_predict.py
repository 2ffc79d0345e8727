"""`motifcnn predict`: the run's own predictions again, for any sequences."""

import gzip
from io import StringIO

import numpy as np
import pandas as pd


def table(text):
    return pd.read_csv(StringIO(text), sep="\t")


def test_it_repeats_what_the_run_wrote(run_cli, tiny_run):
    result = run_cli("predict", tiny_run.sequences, "-m", tiny_run.path, "--device", "cpu")
    assert result.exit_code == 0, result.stderr
    predicted = table(result.stdout)
    written = pd.read_csv(tiny_run.path / "predictions.tsv", sep="\t")
    assert list(predicted.columns) == ["id", "positive"]
    assert list(predicted["id"]) == list(written["id"])
    np.testing.assert_allclose(predicted["positive"], written["predicted_positive"], atol=2e-5)


def test_other_sequences_in_any_order_and_letter_case(run_cli, tiny_run, tmp_path):
    records = tiny_run.sequences.read_text().split(">")[1:]
    (tmp_path / "some.fa.gz").write_bytes(gzip.compress("".join(f">{r}" for r in records[9:4:-1]).lower().encode()))
    some = table(run_cli("predict", tmp_path / "some.fa.gz", "-m", tiny_run.path / "model.safetensors").stdout)
    every = table(run_cli("predict", tiny_run.sequences, "-m", tiny_run.path).stdout).set_index("id")
    assert list(some["id"]) == [record.split()[0] for record in records[9:4:-1]]
    np.testing.assert_allclose(some["positive"], every.loc[some["id"], "positive"], atol=2e-5)


def test_the_other_strand_gives_the_same(run_cli, tiny_run, tmp_path):
    flip = str.maketrans("ACGT", "TGCA")
    lines = tiny_run.sequences.read_text().splitlines()
    flipped = [line if line[0] == ">" else line.translate(flip)[::-1] for line in lines]
    (tmp_path / "flipped.fa").write_text("\n".join(flipped) + "\n")
    forward = table(run_cli("predict", tiny_run.sequences, "-m", tiny_run.path).stdout)
    reverse = table(run_cli("predict", tmp_path / "flipped.fa", "-m", tiny_run.path).stdout)
    np.testing.assert_allclose(forward["positive"], reverse["positive"], atol=2e-5)


def test_a_file_is_written_and_not_written_over(run_cli, tiny_run, tmp_path):
    out = tmp_path / "predictions.tsv"
    predict = ["predict", tiny_run.sequences, "-m", tiny_run.path, "-o", out]
    result = run_cli(*predict)
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"300 predictions in {out}" in result.stderr
    assert out.read_text() == run_cli(*predict[:4]).stdout
    out.write_text("mine")
    refused = run_cli(*predict)
    assert refused.exit_code == 1
    assert f"{out}: exists; give another name with --out, or write over it with --force" in refused.stderr
    assert out.read_text() == "mine"
    assert run_cli(*predict, "--force").exit_code == 0


def test_sequences_shorter_than_the_filters_are_refused(run_cli, tiny_run, tmp_path):
    (tmp_path / "short.fa").write_text(">a\nACGTACGTACGT\n>b\nACGT\n>c\nACG\n")
    result = run_cli("predict", tmp_path / "short.fa", "-m", tiny_run.path)
    assert result.exit_code == 1
    assert (
        "short.fa: 2 sequences are shorter than the model's filters of width 9 (first: b); remove or lengthen them"
        in result.stderr
    )


def test_letters_of_another_alphabet_are_refused(run_cli, tiny_run, tmp_path):
    (tmp_path / "protein.fa").write_text(">a\nMKLVEELFQWPLE\n")
    result = run_cli("predict", tmp_path / "protein.fa", "-m", tiny_run.path)
    assert result.exit_code == 1
    assert "protein.fa:2: " in result.stderr
    assert "is no letter of dna" in result.stderr
