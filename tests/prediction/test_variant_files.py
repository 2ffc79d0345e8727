"""Tables and annotated VCF of variants, and `motifcnn predict --vcf` as a user meets it."""

import csv
import gzip
from io import StringIO

import numpy as np
import pandas as pd
import pytest

from motifcnn.formats.meme import write_meme
from motifcnn.formats.motif_files import read_motifs
from motifcnn.formats.vcf import VcfReader

HEADER = (
    "##fileformat=VCFv4.3\n##INFO=<ID=AF,Number=A,Type=Float,Description=\"x\">\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tsample\n"
)  # fmt: skip
SITE = 150


@pytest.fixture(scope="module")
def inputs(tiny_run, tmp_path_factory):
    """A genome with one perfect site of the run's best motif, and variants in and around it."""
    folder = tmp_path_factory.mktemp("variants")
    (motif, *_) = read_motifs(tiny_run.path / "motifs.meme")
    site = "".join("ACGT"[letter] for letter in motif.probabilities.argmax(axis=1))
    letters = "".join(np.random.default_rng(5).choice(list("ACGT"), 400))
    letters = letters[:SITE] + site + letters[SITE + len(site) :]
    strong = int(motif.information().argmax())
    worst = "ACGT"[int(motif.probabilities[strong].argmin())]
    broken = letters[: SITE + strong] + worst + letters[SITE + strong + 1 :]
    for name, text in (("g.fa", letters), ("broken.fa", broken)):
        (folder / name).write_text(f">chr1\n{text}\n")
    place, best = SITE + strong, letters[SITE + strong]
    rows = [
        (20, "rs1", letters[20], f"{'ACGT'.replace(letters[20], '')[0]},<DEL>"),
        (place, "rs2", best, worst),
        (SITE - 1, ".", letters[SITE - 1 : SITE + len(site)], f"{letters[SITE - 1]},{letters[SITE - 1]}{worst}"),
    ]
    body = "".join(f"chr1\t{at + 1}\t{name}\t{ref}\t{alt}\t.\tPASS\tAF=0.1\tGT\t0/1\n" for at, name, ref, alt in rows)
    (folder / "v.vcf").write_text(HEADER + body)
    (folder / "broken.vcf").write_text(HEADER + f"chr1\t{place + 1}\t.\t{worst}\t{best}\t.\t.\t.\tGT\t0/1\n")
    return folder, motif


def predict(run_cli, inputs, tiny_run, *more, vcf="v.vcf", genome="g.fa"):
    options = ("-m", tiny_run.path, "--device", "cpu", "--width", 60, *more)
    result = run_cli("predict", "--vcf", inputs[0] / vcf, "--genome", inputs[0] / genome, *options)
    assert result.exit_code == 0, result.stderr
    return result


def test_the_table_repeats_what_predict_says_of_both_alleles(run_cli, inputs, tiny_run, tmp_path):
    result = predict(run_cli, inputs, tiny_run)
    table = pd.read_csv(StringIO(result.stdout), sep="\t", keep_default_na=False)
    assert list(table.columns) == [
        "chrom", "pos", "id", "ref", "alt", "positive_ref", "positive_alt", "positive_difference",
        "positive_logit_difference", "motif", "motif_p_ref", "motif_p_alt", "gained", "lost",
    ]  # fmt: skip
    assert len(table) == 4
    letters = (inputs[0] / "g.fa").read_text().splitlines()[1]
    with (tmp_path / "both.fa").open("w") as file:
        for number, row in enumerate(table.itertuples()):
            start = row.pos - 1
            before = max((60 - len(row.ref)) // 2, 8)
            left, right = letters[max(0, start - before) : start], letters[start + len(row.ref) :]
            right = right[: max(60 - len(row.ref) - before, 8)]
            file.write(f">{number}_ref\n{left}{row.ref}{right}\n>{number}_alt\n{left}{row.alt}{right}\n")
    plain = run_cli("predict", tmp_path / "both.fa", "-m", tiny_run.path, "--device", "cpu").stdout
    values = pd.read_csv(StringIO(plain), sep="\t")["positive"].to_numpy().reshape(-1, 2)
    np.testing.assert_allclose(table[["positive_ref", "positive_alt"]].astype(float), values, rtol=1e-4)
    difference = (values[:, 1] - values[:, 0]).tolist()
    assert table["positive_difference"].astype(float).tolist() == pytest.approx(difference, abs=1e-4)
    odds = np.log(values / (1 - values))
    assert table["positive_logit_difference"].astype(float).tolist() == pytest.approx(odds[:, 1] - odds[:, 0], abs=5e-3)
    assert "4 alternatives of 3 variants" in " ".join(result.stderr.split())
    assert "left out: 1 symbolic alternative, such as <DEL> or *" in " ".join(result.stderr.split())


def test_the_motif_is_lost_and_gained(run_cli, inputs, tiny_run):
    name = inputs[1].name
    rows = list(csv.DictReader(StringIO(predict(run_cli, inputs, tiny_run).stdout), delimiter="\t"))
    for row in rows[1:]:
        lost = {text.split(":")[0]: text.split(":")[1:] for text in row["lost"].split(",")}
        before, after = map(float, lost[name])
        assert before <= 1e-4 < after
    assert float(rows[1]["positive_difference"]) < 0
    turned = predict(run_cli, inputs, tiny_run, vcf="broken.vcf", genome="broken.fa")
    (row,) = csv.DictReader(StringIO(turned.stdout), delimiter="\t")
    assert name in {text.split(":")[0] for text in row["gained"].split(",")}
    assert row["lost"] == "NA"
    none = predict(run_cli, inputs, tiny_run, "--p-value", 0, vcf="broken.vcf", genome="broken.fa")
    assert next(csv.DictReader(StringIO(none.stdout), delimiter="\t"))["gained"] == "NA"


@pytest.mark.parametrize("name", ["o.vcf", "o.vcf.gz"])
def test_the_annotated_file_says_what_the_table_says(run_cli, inputs, tiny_run, tmp_path, name):
    result = predict(run_cli, inputs, tiny_run, "--annotated", tmp_path / name, "-o", tmp_path / "t.tsv")
    assert result.stdout == ""
    rows = list(csv.DictReader(StringIO((tmp_path / "t.tsv").read_text()), delimiter="\t"))
    reader = VcfReader(tmp_path / name)
    records = list(reader)
    plain = (tmp_path / name).read_bytes()
    text = (gzip.decompress(plain) if name.endswith("gz") else plain).decode()
    assert text.count("##INFO=<ID=MCNN_") == 6
    assert reader.header[0] == "##fileformat=VCFv4.3"
    assert [record.fields[:7] for record in records] == [record.fields[:7] for record in VcfReader(inputs[0] / "v.vcf")]
    found = [dict(each.split("=", 1) for each in record.fields[7].split(";")) for record in records]
    assert [each["AF"] for each in found] == ["0.1"] * 3
    assert [record.fields[8:] for record in records] == [("GT", "0/1")] * 3
    assert found[0]["MCNN_ALT_positive"] == f"{rows[0]['positive_alt']},."
    assert found[0]["MCNN_REF_positive"] == rows[0]["positive_ref"]
    assert found[1]["MCNN_DIFF_positive"] == rows[1]["positive_difference"]
    assert found[2]["MCNN_LOGIT_positive"] == ",".join(row["positive_logit_difference"] for row in rows[2:])
    lost = [text.split("|") for text in found[1]["MCNN_LOST"].split(",")]
    assert [":".join(each[1:]) for each in lost] == rows[1]["lost"].split(",")
    assert {each[0] for each in lost} == {rows[1]["alt"]}


def test_a_file_without_variants_gives_headers(run_cli, inputs, tiny_run, tmp_path):
    (inputs[0] / "none.vcf").write_text(HEADER)
    result = predict(run_cli, inputs, tiny_run, "--annotated", tmp_path / "o.vcf", vcf="none.vcf")
    assert result.stdout.startswith("chrom\tpos\tid\t")
    assert result.stdout.count("\n") == 1
    assert list(VcfReader(tmp_path / "o.vcf")) == []


def test_a_model_file_has_no_motifs(run_cli, inputs, tiny_run, tmp_path):
    options = ("-m", tiny_run.path / "model.safetensors", "--annotated", tmp_path / "o.vcf")
    (row, *_) = csv.DictReader(StringIO(predict(run_cli, inputs, tiny_run, *options).stdout), delimiter="\t")
    assert (row["motif"], row["gained"], row["lost"]) == ("NA", "NA", "NA")
    assert "MCNN_LOST" not in (tmp_path / "o.vcf").read_text()


def test_names_of_motifs_are_escaped(run_cli, inputs, tiny_run, tmp_path):
    import shutil
    from dataclasses import replace

    shutil.copytree(tiny_run.path, tmp_path / "run")
    with (tmp_path / "run" / "motifs.meme").open("w") as file:
        write_meme(file, [replace(inputs[1], name="a;b=c|d")])
    predict(run_cli, inputs, tiny_run, "-m", tmp_path / "run", "--annotated", tmp_path / "o.vcf", "-o", tmp_path / "t")
    assert "|a%3Bb%3Dc%7Cd|" in (tmp_path / "o.vcf").read_text()


def test_usage(run_cli, inputs, tiny_run, tmp_path):
    vcf, genome = inputs[0] / "v.vcf", inputs[0] / "g.fa"
    assert run_cli("predict", "-m", tiny_run.path).exit_code == 2
    assert run_cli("predict", genome, "--vcf", vcf, "--genome", genome).exit_code == 2
    assert "needs --genome FASTA" in run_cli("predict", "--vcf", vcf).stderr
    assert "needs variants; add --vcf" in run_cli("predict", genome, "--annotated", tmp_path / "x.vcf").stderr
    same = ("predict", "--vcf", vcf, "--genome", genome, "-m", tiny_run.path, "--annotated", vcf)
    for force in ((), ("--force",)):
        assert "v.vcf: is a file that is read; give another name with --annotated" in run_cli(*same, *force).stderr
    assert vcf.read_text().startswith(HEADER)
