"""`motifcnn scan`: hits on stdout or in a file, from a run or any file of motifs."""

import gc
import gzip
import io
import os
import subprocess
import sys
from itertools import groupby

import numpy as np
import pandas as pd
import pyBigWig
import pytest
from Bio import bgzf

from motifcnn.formats.files import atomic_write
from motifcnn.formats.motif_files import read_motifs


@pytest.fixture(scope="module")
def hits(run_cli, tiny_run):
    """Hits of the best motif of the tiny run in the sequences that it was trained on."""
    result = run_cli("scan", tiny_run.sequences, "-m", tiny_run.path, "--first", 1)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def rows(text):
    return [line.split("\t") for line in text.splitlines()]


def test_hits_are_bed_with_exact_p_values(hits, tiny_run):
    lengths = {line[1:]: 40 for line in tiny_run.sequences.read_text().splitlines() if line[0] == ">"}
    order = {name: number for number, name in enumerate(lengths)}
    table = rows(hits)
    assert len(table) > 100
    for chrom, start, end, motif, score, strand, log_odds, p_value in table:
        assert 0 <= int(start) < int(end) <= lengths[chrom]
        assert (motif, strand in "+-") == ("motif_1", True)
        assert 0 <= int(score) <= 1000
        assert float(log_odds) > 0
        assert 0 < float(p_value) <= 1e-4
    places = [(order[row[0]], int(row[1])) for row in table]
    assert places == sorted(places)


def test_planted_sites_are_found_again(hits, tiny_run):
    truth = rows((tiny_run.sequences.parent / "truth.bed").read_text())
    found = {row[0]: (int(row[1]), int(row[2])) for row in rows(hits)}
    again = [s for s in truth if s[0] in found and int(s[1]) < found[s[0]][1] and int(s[2]) > found[s[0]][0]]
    assert len(again) > 0.6 * len(truth)


def test_the_garbage_collector_sees_all_again_after_a_scan(run_cli, tiny_run):
    assert run_cli("scan", tiny_run.sequences, "-m", tiny_run.path).exit_code == 0
    assert gc.get_freeze_count() == 0


def test_motifs_are_chosen_by_name_or_rank(run_cli, tiny_run, hits):
    scan = ["scan", tiny_run.sequences, "-m", tiny_run.path / "motifs.meme"]
    assert run_cli(*scan, "--motifs", "motif_1").stdout == hits
    everything = rows(run_cli(*scan, "--p-value", 1e-3).stdout)
    assert {row[3] for row in everything} == {m.name for m in read_motifs(tiny_run.path / "motifs.meme")}
    unknown = run_cli(*scan, "--motifs", "motif_1,nobody")
    assert unknown.exit_code == 1
    assert "motifs.meme: has no motif 'nobody'; it has motif_1" in unknown.stderr


def test_a_file_is_written_and_not_written_over(run_cli, tiny_run, hits, tmp_path):
    out = tmp_path / "hits.bed"
    scan = ["scan", tiny_run.sequences, "-m", tiny_run.path, "--first", 1, "-o", out]
    result = run_cli(*scan)
    assert (result.exit_code, result.stdout, out.read_text()) == (0, "", hits)
    assert f"{len(rows(hits)):,} hits in 12,000 letters, in {out}" in result.stderr
    out.write_text("mine")
    refused = run_cli(*scan)
    assert refused.exit_code == 1
    assert f"{out}: exists; give another name with --out, or write over it with --force" in refused.stderr
    assert out.read_text() == "mine"
    with atomic_write(out):
        (leftover,) = tmp_path.glob(".*")
    leftover.write_text("what a killed scan leaves")
    os.utime(leftover, (0, 0))
    assert run_cli(*scan, "--force").exit_code == 0
    assert out.read_text() == hits
    assert list(tmp_path.iterdir()) == [out]
    packed = tmp_path / "hits.bed.gz"
    assert run_cli(*scan[:-1], packed).exit_code == 0
    assert gzip.decompress(packed.read_bytes()).decode() == hits


@pytest.mark.parametrize(("format", "columns"), [("narrowpeak", 10), ("gff3", 9), ("tsv", 8)])
def test_other_formats_hold_the_same_hits(run_cli, tiny_run, hits, format, columns):
    text = run_cli("scan", tiny_run.sequences, "-m", tiny_run.path, "--first", 1, "--format", format).stdout
    table = [row for row in rows(text) if not row[0].startswith("#") and row[0] != "chrom"]
    assert [row[0] for row in table] == [row[0] for row in rows(hits)]
    assert {len(row) for row in table} == {columns}


def test_parquet_holds_the_hits_of_the_tsv(run_cli, tiny_run, tmp_path):
    scan = ["scan", tiny_run.sequences, "-m", tiny_run.path, "--first", 1, "--q-values", "--format"]
    out = tmp_path / "hits.parquet"
    assert run_cli(*scan, "parquet", "-o", out).exit_code == 0
    table = pd.read_parquet(out)
    text = pd.read_csv(io.StringIO(run_cli(*scan, "tsv").stdout), sep="\t")
    assert len(text) > 100
    for column in text:
        found = table[column].astype(text[column].dtype)
        if column in {"p_value", "q_value"}:
            np.testing.assert_allclose(found, text[column], rtol=0.005)
        else:
            np.testing.assert_array_equal(found, text[column])
    assert list(table) == list(text)
    assert run_cli(*scan, "parquet").stdout_bytes == out.read_bytes()
    refused = run_cli(*scan, "parquet", "-o", tmp_path / "hits.parquet.gz")
    assert refused.exit_code == 1
    assert "hits.parquet.gz: Parquet is compressed in itself; leave .gz out of the name" in refused.stderr


def test_parquet_without_pyarrow(run_cli, tiny_run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    out = tmp_path / "hits.parquet"
    refused = run_cli("scan", tiny_run.sequences, "-m", tiny_run.path, "--format", "parquet", "-o", out)
    assert refused.exit_code == 1
    assert '--format parquet needs pyarrow, which is not installed: pip install "motifcnn[parquet]"' in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_q_values_are_added(run_cli, tiny_run, hits):
    table = rows(run_cli("scan", tiny_run.sequences, "-m", tiny_run.path, "--first", 1, "--q-values").stdout)
    assert [row[:8] for row in table] == rows(hits)
    assert all(float(row[7]) <= float(row[8]) <= 1 for row in table)


def test_the_run_of_the_present_directory_and_standard_input(run_cli, tiny_run, tmp_path):
    (tmp_path / "motifcnn_out").symlink_to(tiny_run.path)
    entry = "from importlib.metadata import entry_points as e; e(group='console_scripts')['motifcnn'].load()()"
    with tiny_run.sequences.open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-c", entry, "scan", "-", "--first", "1"],
            stdin=file, capture_output=True, text=True, check=True, cwd=tmp_path,
        )  # fmt: skip
    of_motif = run_cli("scan", tiny_run.sequences, "-m", tiny_run.path, "--first", 1, "--background", "motif")
    assert done.stdout == of_motif.stdout
    assert done.stderr.startswith("scanning standard input with 1 motif of motifcnn_out/motifs.meme, p ≤ 0.0001, ")
    assert "standard input cannot be read twice: letter frequencies are those of each motif" in done.stderr


def test_a_background_file(run_cli, tiny_run, tmp_path):
    background = tmp_path / "background.txt"
    background.write_text("# order 0\nA 0.25\nC 0.25\nG 0.25\nT 0.25\n")
    scan = ["scan", tiny_run.sequences, "-m", tiny_run.path, "--first", 1, "--background"]
    assert run_cli(*scan, background).stdout == run_cli(*scan, "uniform").stdout != ""
    refused = run_cli(*scan, background, "--background-order", 1)
    assert refused.exit_code == 1
    assert f"motifcnn: error: {background}: holds no pairs of letters; add lines such as" in refused.stderr
    background.write_text("A 0.5\nC 0.5 0.5\n")
    faulty = run_cli(*scan, background)
    assert faulty.exit_code == 1
    assert f"motifcnn: error: {background}:2: 'C 0.5 0.5'; a word and its frequency are expected" in faulty.stderr


def test_a_motif_too_short_for_the_threshold_is_said(run_cli, tiny_run, tmp_path):
    """No word of 6 letters is rarer than 1 in 4096."""
    motif = tmp_path / "short.meme"
    matrix = "\n".join(["1 0 0 0"] * 6)
    motif.write_text(f"MEME version 4\nMOTIF short\nletter-probability matrix: w= 6 nsites= 1000\n{matrix}\n")
    refused = run_cli("scan", tiny_run.sequences, "-m", motif, "--background", "uniform")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "short cannot reach p ≤ 0.0001: its best word of 6 letters has p = 0.00024; left out" in refused.stderr
    assert "error: no motif can reach p ≤ 0.0001; give a larger --p-value" in refused.stderr
    found = run_cli("scan", tiny_run.sequences, "-m", motif, "--background", "uniform", "--p-value", 2.5e-4)
    assert {row[7] for row in rows(found.stdout)} <= {"0.000244"}


def test_model_track_holds_predictions_and_best_hits_of_windows(run_cli, tiny_run, hits, tmp_path):
    out = tmp_path / "out.bw"
    scan = ["scan", tiny_run.sequences, "-m", tiny_run.path, "--first", 1, "--device", "cpu", "--model-track", out]
    result = run_cli(*scan)
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    first, last = result.stderr.splitlines()
    assert "with the network and 1 motif of " in first
    assert first.endswith("on cpu (as asked)")
    best = tmp_path / "out.best.motif_1.bw"
    assert last == f"300 windows of 40, one every 5, in {out}, {best}"
    predicted = rows(run_cli("predict", tiny_run.sequences, "-m", tiny_run.path, "--device", "cpu").stdout)[1:]
    highest = {}
    for hit in rows(hits):
        highest[hit[0]] = max(highest.get(hit[0], -100), float(hit[6]))
    with pyBigWig.open(str(out)) as track, pyBigWig.open(str(best)) as best_track:
        for name, value in predicted:
            assert track.intervals(name) == ((17, 22, pytest.approx(float(value), abs=1e-5)),)
            if name in highest:
                assert best_track.intervals(name)[0][2] == pytest.approx(highest[name], abs=1e-3)
    assert highest
    again = run_cli(*scan)
    assert again.exit_code == 1
    assert f"{out}: exists; give another name, or write over it with --force" in again.stderr
    assert run_cli(*scan, "--force").exit_code == 0


def test_model_track_names_what_it_cannot_do(run_cli, tiny_run, tmp_path):
    def said(*arguments):
        result = run_cli("scan", tiny_run.sequences, *arguments)
        assert result.exit_code == 1
        return result.stderr.removeprefix("motifcnn: error: ").removesuffix("\n")

    meme, out = tiny_run.path / "motifs.meme", tmp_path / "out.bw"
    needs = "--model-track needs the network of one: give -m the directory that `motifcnn train` wrote"
    assert said("-m", meme, "--model-track", out) == f"{meme}: is no run directory; {needs}"
    assert said("-m", "no/run", "--model-track", out) == f"no/run: there is no such directory; {needs}"
    ending = said("-m", tiny_run.path, "--model-track", tmp_path / "out.bed").splitlines()[-1]
    assert ending.endswith("out.bed: tracks are bigWig; give a name that ends in .bw")
    assert not list(tmp_path.iterdir())


def test_a_track_stands_beside_the_hits(run_cli, tiny_run, tmp_path):
    (tmp_path / "t.bedgraph").write_text("chr1\t0\t30\t0.5\nchr1\t30\t80\t2\n")
    (tmp_path / "g.fa").write_text(">chr1\n" + "ACGTTGCATG" * 8 + "\n")
    options = ("-m", tiny_run.truth, "--p-value", 0.01, "--background", "uniform", "--threads", 1)
    plain = run_cli("scan", tmp_path / "g.fa", *options)
    result = run_cli("scan", tmp_path / "g.fa", *options, "--conservation", tmp_path / "t.bedgraph")
    assert result.exit_code == 0, result.stderr
    hits = [line.split("\t") for line in result.stdout.splitlines()]
    assert [hit[:8] for hit in hits] == [line.split("\t") for line in plain.stdout.splitlines()]
    assert len(hits) > 0
    assert all(float(hit[10]) > 0 for hit in hits)
    track = run_cli("scan", tmp_path / "g.fa", "--model-track", tmp_path / "o.bw", "--conservation", tmp_path / "t.bw")
    assert track.exit_code == 2
    assert "--conservation" in track.stderr


@pytest.mark.parametrize("format", ["bed", "narrowpeak", "gff3"])
def test_packed_hits_are_what_tabix_indexes(run_cli, tmp_path, format):
    """Blocks of BGZF and its mark of the end, chromosomes in one piece each, starts in order."""
    generator = np.random.default_rng(0)
    genome = {name: "".join(generator.choice(list("ACGT"), 20_000)) for name in ("chrB", "chrA", "chrC")}
    (tmp_path / "genome.fa").write_text("".join(f">{name}\n{letters}\n" for name, letters in genome.items()))
    (tmp_path / "m.jaspar").write_text(">m m\nA [ 9 1 5 1 ]\nC [ 1 1 1 9 ]\nG [ 1 9 1 1 ]\nT [ 1 1 5 1 ]\n")
    path = tmp_path / f"hits.{format}.gz"
    done = run_cli(
        "scan", tmp_path / "genome.fa", "-m", tmp_path / "m.jaspar", "-o", path, "--format", format, "--p-value", 0.05
    )
    assert done.exit_code == 0, done.stderr
    packed = path.read_bytes()
    assert packed.endswith(bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000"))
    with path.open("rb") as file:
        lengths = [length for _, _, _, length in bgzf.BgzfBlocks(file)]
    assert (len(lengths) > 2, max(lengths) <= 1 << 16, lengths[-1]) == (True, True, 0)
    table = [row for row in rows(gzip.decompress(packed).decode()) if not row[0].startswith("#")]
    assert [name for name, _ in groupby(row[0] for row in table)] == list(genome)
    for _, mine in groupby(table, key=lambda row: row[0]):
        starts = [int(row[3 if format == "gff3" else 1]) for row in mine]
        assert starts == sorted(starts)
