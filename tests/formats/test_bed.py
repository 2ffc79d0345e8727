"""BED and narrowPeak: what a line says, which windows are cut for it, and faults by their line."""

import gzip

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.errors import InputError
from motifcnn.formats.bed import BedRecord, read_bed, windows
from motifcnn.formats.genome import Genome
from motifcnn.intervals import Interval

PEAK = "chr1\t10\t30\tpeak_1\t500\t-\t7.5\t3.2\t1.1\t4\n"


def write(folder, text, name="x.bed"):
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.fixture
def genome(tmp_path, generator):
    letters = DNA.decode(generator.integers(0, 4, 100).astype(np.uint8))
    return Genome(write(tmp_path, f">chr1\n{letters}\n>chr2\n{letters[::-1]}\n", "g.fa")), letters


@pytest.mark.parametrize(
    ("line", "record"),
    [
        ("chr1\t10\t30\n", BedRecord(Interval("chr1", 10, 30), "", 0.0, None, 1)),
        ("chr1 10 30\r\n", BedRecord(Interval("chr1", 10, 30), "", 0.0, None, 1)),
        ("chr1\t0\t1\ta b\n", BedRecord(Interval("chr1", 0, 1), "a b", 0.0, None, 1)),
        ("chr1\t10\t30\t.\t.\t.\n", BedRecord(Interval("chr1", 10, 30), "", 0.0, None, 1)),
        ("chr1\t10\t30\tx\thigh\t+\n", BedRecord(Interval("chr1", 10, 30, "+"), "x", 0.0, None, 1)),
        (PEAK, BedRecord(Interval("chr1", 10, 30, "-"), "peak_1", 500.0, 14, 1)),
        (PEAK.replace("\t4\n", "\t-1\n"), BedRecord(Interval("chr1", 10, 30, "-"), "peak_1", 500.0, None, 1)),
        (PEAK.replace("\n", "\t9\n"), BedRecord(Interval("chr1", 10, 30, "-"), "peak_1", 500.0, None, 1)),
    ],
    ids=["three columns", "spaces", "name", "dots", "no score", "summit", "no summit", "eleven columns"],
)
def test_a_line_is_a_record(tmp_path, line, record):
    assert read_bed(write(tmp_path, line)) == [record]


def test_comments_are_passed_over_and_lines_are_counted_all_the_same(tmp_path):
    text = 'track name="peaks"\nbrowser position chr1\n# by hand\n\nchr1\t5\t9\nchr2\t1\t2\n'
    for name in ("x.bed", "x.bed.gz"):
        found = read_bed(write(tmp_path, text, name))
        assert [(str(record.interval), record.line) for record in found] == [("chr1:5-9", 5), ("chr2:1-2", 6)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chr1\t5\t9\nchr1\t5\n", r"x\.bed:2: is no BED line; chromosome, start and end are needed"),
        ("chr1\tstart\tend\n", r"x\.bed:1: is no BED line"),
        ("chr1\t9\t5\n", r"x\.bed:1: start 9 and end 5 make no interval; BED counts from 0, end not included"),
        ("chr1\t5\t5\n", r"start 5 and end 5 make no interval"),
        ("chr1\t-1\t5\n", r"start -1 and end 5 make no interval"),
        ("# nothing\n", r"x\.bed: holds no interval; give BED with chromosome, start and end"),
    ],
)
def test_faults_are_told_with_their_line(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_bed(write(tmp_path, text))


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "x.bed").write_bytes(b"chr1\t5\t9\n\xff\xfe\n")
    with pytest.raises(InputError, match=r"x\.bed:2: is not text; give BED"):
        read_bed(tmp_path / "x.bed")


def test_windows_lie_around_the_summit_or_the_middle_and_on_the_forward_strand(tmp_path, genome):
    genome, letters = genome
    path = write(tmp_path, PEAK + "chr2\t40\t60\tx\t0\t-\n")
    found = windows(read_bed(path), genome, 8, path)
    assert found.names == ("chr1:10-18", "chr2:46-54")  # around 14, and around 50
    assert DNA.decode(found[0]) == letters[10:18]
    assert DNA.decode(found[1]) == letters[::-1][46:54]


def test_whole_intervals_are_cut_where_no_width_is_given_and_the_same_one_once(tmp_path, genome):
    genome, letters = genome
    path = write(tmp_path, "chr1\t40\t60\nchr1\t5\t9\nchr1\t40\t60\tagain\n")
    found = windows(read_bed(path), genome, 0, path)
    assert found.names == ("chr1:40-60", "chr1:5-9")
    assert [DNA.decode(found[n]) for n in range(2)] == [letters[40:60], letters[5:9]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chr1\t5\t9\nchr1\t90\t101\n", r"x\.bed:2: chr1:90-101 reaches past the chromosome, which has 100 bases"),
        ("1\t5\t9\n", r"x\.bed:1: chromosome '1' is not in .*did you mean 'chr1'"),
    ],
)
def test_windows_that_the_genome_has_not_are_refused(tmp_path, genome, text, message):
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=message):
        windows(read_bed(path), genome[0], 0, path)
