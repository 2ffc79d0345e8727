import gzip

import numpy as np
import pyBigWig
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.alphabet import DNA
from motifcnn.errors import InputError
from motifcnn.formats import bedgraph
from motifcnn.formats.conservation import read_tracks
from motifcnn.formats.fasta import read_fasta
from motifcnn.intervals import parse_interval
from motifcnn.sequences import Sequences

NAN = np.nan


def sequences_of(lengths):
    codes = [np.zeros(length, dtype=np.uint8) for length in lengths.values()]
    return Sequences.from_list(list(lengths), codes, DNA)


def located(*names):
    return sequences_of({name: parse_interval(name).width for name in names})


def refusal(path, sequences):
    with pytest.raises(InputError) as caught:
        read_tracks(path, sequences)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "track.txt"

    def write(text):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def bigwig(tmp_path):
    path = tmp_path / "track.bw"
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader([("chr1", 100), ("chr2", 50)])
        file.addEntries(["chr1", "chr1", "chr2"], [10, 15, 0], ends=[12, 20, 5], values=[1.0, 2.0, 3.0])
    return path


BEDGRAPH = "track type=bedGraph\n# by hand\nchr1\t10\t12\t1\nchr1 15 20 2\nchr2\t0\t5\t3\n"
WINDOWS = ("chr1:8-18", "chr1:8-18(+)", "chr1:14-22(-)", "chr2:3-8", "chr1:60-62")
ALONG_WINDOWS = [
    *(NAN, NAN, 1, 1, NAN, NAN, NAN, 2, 2, 2),
    *(NAN, NAN, 1, 1, NAN, NAN, NAN, 2, 2, 2),
    *(NAN, NAN, 2, 2, 2, 2, 2, NAN),
    *(3, 3, NAN, NAN, NAN),
    *(NAN, NAN),
]


# --- TSV


def test_table_is_aligned_by_name(text_file):
    path = text_file("b\t4,.,6\nx\t1,2\na\t1,NaN\nc\t,1e-3,NA,-2\n")
    values = read_tracks(path, sequences_of({"a": 2, "empty": 0, "b": 3, "none": 2, "c": 4}))
    np.testing.assert_array_equal(values, np.array([1, NAN, 4, NAN, 6, NAN, NAN, NAN, 1e-3, NAN, -2], dtype=np.float32))
    assert values.dtype == np.float32


@pytest.mark.parametrize("prefix", ["id\tconservation\n", "# made by hand\n\n", "#id\tphastCons\n", "\ufeff"])
def test_table_may_have_a_header(text_file, prefix):
    np.testing.assert_array_equal(read_tracks(text_file(prefix + "a\t1,2\r\n"), sequences_of({"a": 2})), [1, 2])


def test_table_may_be_compressed_and_name_tracks(text_file):
    path = text_file(gzip.compress(b"track1\t1,2\ntrack2\t3\n"))
    np.testing.assert_array_equal(read_tracks(path, sequences_of({"track2": 1, "track1": 2})), [3, 1, 2])


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "is empty"),
        (b"\x89PNG\x00\x00", None, "is binary, but not bigWig"),
        (b"\xeb\xf2\x89\x87\x00", None, "is bigBed"),
        ("track name=x\na,1,2\n", 2, "is neither bigWig, bedGraph, wiggle nor a TSV"),
        ("b\t1\na\t1,2\n", 2, "2 values for 'a', which has 3 letters"),
        ("a\t1,2,3\nb\t1,2\n", 2, "2 values for 'b', which has 1 letters"),
        ("a\t1,2,3\nb\t1\na\t1,2,3\n", 3, "'a' stands in line 1 already"),
        ("b\t1\na\t1,high,3\n", 2, "'high', value 2 of 'a', is not a number; separate values by commas, and"),
        ("b\t1\na\t0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n", 2, "'0 0 0 0 0 0 0 0 0 0 …', value 1 of 'a', is not"),
        ("b\t1\na\t1,1e300,3\n", 2, "1e+300, value 2 of 'a', is too large"),
        ("b\t1\na\t1,inf,3\n", 2, "inf, value 2 of 'a', is too large"),
        ("b\t1\na 1,2,3\n", 2, "no tab in this line"),
        (b"b\t1\n\xff\t1,2,3\n", 2, "is not UTF-8"),
        ("x\t1\ny\t2\n", None, "none of the 2 sequences: names here are x, y, names of the sequences are a, b"),
    ],
)  # fmt: skip
def test_refuses_tables(text_file, text, line, message):
    path = text_file(text)
    error = refusal(path, sequences_of({"a": 3, "b": 1}))
    assert message in error.message
    assert (error.path, error.line) == (str(path), line)


def test_names_of_chromosomes_that_differ_in_a_table_are_explained(text_file):
    assert "drop 'chr' from" in refusal(text_file("chr1:0-2\t1,2\n"), located("1:0-2")).message
    assert "put 'chr' before" in refusal(text_file("1:0-2\t1,2\n"), located("chr1:0-2")).message


def test_refuses_standard_input():
    assert "standard input" in refusal("-", located("chr1:0-2")).message


def test_refuses_a_missing_file(tmp_path):
    refusal(tmp_path / "none.bw", located("chr1:0-2"))


# --- genome coordinates


def test_bigwig_is_read_at_the_names(bigwig):
    np.testing.assert_array_equal(read_tracks(bigwig, located(*WINDOWS)), ALONG_WINDOWS)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("block", [10, 25, 1 << 20])
def test_bedgraph_is_read_at_the_names(text_file, monkeypatch, pack, block):
    monkeypatch.setattr(bedgraph, "_BLOCK", block)
    path = text_file(pack(BEDGRAPH.encode()))
    np.testing.assert_array_equal(read_tracks(path, located(*WINDOWS)), ALONG_WINDOWS)


def test_bedgraph_may_be_unsorted_and_end_without_a_line_break(text_file):
    lines = BEDGRAPH.splitlines()[2:]
    path = text_file("\n".join(reversed(lines)))
    np.testing.assert_array_equal(read_tracks(path, located(*WINDOWS)), ALONG_WINDOWS)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6), st.integers(-9, 9)), min_size=1, max_size=20),
    st.lists(st.tuples(st.integers(0, 80), st.integers(1, 30), st.sampled_from("+-")), min_size=1, max_size=8),
    st.randoms(),
)
def test_bedgraph_equals_a_slow_reading(tmp_path_factory, stretches, windows, random):
    chromosome = np.full(400, NAN, dtype=np.float32)
    lines, position = [], 0
    for gap, width, height in stretches:
        lines.append(f"c\t{position + gap}\t{position + gap + width}\t{height}\n")
        chromosome[position + gap : position + gap + width] = height
        position += gap + width
    random.shuffle(lines)
    path = tmp_path_factory.mktemp("tracks") / "track.bedgraph"
    path.write_text("".join(lines))
    names = list(dict.fromkeys(f"c:{start}-{start + width}({strand})" for start, width, strand in windows))
    expected = []
    for name in names:
        start, end = (int(number) for number in name[2:-3].split("-"))
        expected.append(chromosome[start:end][:: 1 if name.endswith("(+)") else -1])
    np.testing.assert_array_equal(read_tracks(path, located(*names)), np.concatenate(expected))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("chr1\t0\t5\t1\nchr1\t5\t9\n", 2, "3 fields; chrom, start, end and value are needed"),
        ("chr1\t0\t5\t1\n# x\nchr1\t5\t9\t1\t+\n", 3, "5 fields"),
        ("chr1\t0\t5\t1\nchr1\tx\t9\t1\n", 2, "'x' to '9' is no interval"),
        ("chr1\t0\t5\t1\nchr1\t9\t9\t1\n", 2, "'9' to '9' is no interval"),
        ("chr1\t0\t5\t1\nchr1\t-2\t9\t1\n", 2, "'-2' to '9' is no interval"),
        ("chr1\t0\t5\t1\nchr1\t5\t9\thigh\n", 2, "'high' is not a number"),
        ("chr1\t0\t5\t1\nchr1\t5\t9\t1e300\n", 2, "1e300 is too large"),
        ("chr1\t0\t5\t1\nchr1\t4\t99999999999999999999\t2\n", None, "cannot be read as bedGraph"),
        (b"chr1\t0\t5\t1\nchr\xff\t5\t9\t2\n", None, "cannot be read as bedGraph"),
        ("chr1\t0\t5\t1\nchr1\t4\t9\t2\n", None, "chr1:0-5 and chr1:4-9 overlap"),
        ("1\t0\t5\t1\n", None, "on chr1; its chromosomes are 1; drop 'chr' from the names of the sequences"),
        ("X\t0\t5\t1\n", None, "has no value on chr1; its chromosomes are X; give the track of the genome"),
    ],
)  # fmt: skip
def test_refuses_bedgraphs(text_file, text, line, message):
    path = text_file(text)
    error = refusal(path, located("chr1:0-5"))
    assert message in error.message
    assert (error.path, error.line) == (str(path), line)


def test_an_unknown_chromosome_among_known_ones_has_no_value(bigwig):
    values = read_tracks(bigwig, located("chr1:10-12", "chrUn:10-12"))
    np.testing.assert_array_equal(values, [1, 1, NAN, NAN])


def test_refuses_names_without_coordinates(bigwig, text_file):
    for path in (bigwig, text_file(BEDGRAPH)):
        error = refusal(path, sequences_of({"a": 5, "chr1:0-5": 5, "b": 2}))
        assert "2 of 3 sequences have none in their names (a, b); name them like chr22:100-301" in error.message


def test_refuses_another_length(bigwig, text_file):
    for path in (bigwig, text_file(BEDGRAPH)):
        error = refusal(path, sequences_of({"chr1:0-5": 5, "chr1:5-9": 5}))
        assert "sequence 'chr1:5-9': it has 5 letters and its name says 4" in error.message


def test_refuses_coordinates_past_the_end(bigwig):
    assert (
        "'chr2:48-51' lies past the end of chr2, which has 50 bases" in refusal(bigwig, located("chr2:48-51")).message
    )


def test_names_of_chromosomes_that_differ_are_explained(bigwig):
    error = refusal(bigwig, located("1:10-12"))
    assert "has no value on 1; its chromosomes are chr1, chr2; put 'chr' before the names of the seq" in error.message


def test_refuses_a_damaged_bigwig(bigwig, capfd):
    bigwig.write_bytes(bigwig.read_bytes()[:40])
    assert "damaged bigWig" in refusal(bigwig, located("chr1:10-12")).message


@pytest.mark.parametrize("factor", ["CTCF", "REST", "YY1"])
def test_three_formats_agree_on_real_data(real_data, factor):
    folder = real_data / "human_chr22_conservation"
    sequences = read_fasta(folder / f"{factor}.fa", DNA)
    table = read_tracks(folder / f"{factor}.conservation.tsv", sequences)
    stored = read_tracks(folder / "chr22.phastConsElements.bw", sequences)
    text = read_tracks(folder / "chr22.phastConsElements.bedGraph.gz", sequences)
    assert not np.isnan(table).any()
    assert table.std() > 0.05
    np.testing.assert_allclose(stored, table, atol=1e-6, rtol=0)
    np.testing.assert_allclose(text, table, atol=1e-6, rtol=0)


def test_all_formats_give_the_same_values(tmp_path, generator):
    heights = np.round(generator.normal(size=60), 3)
    names = ("chr1:5-25", "chr1:20-45(-)", "chr1:40-60(+)")
    with pyBigWig.open(str(tmp_path / "t.bw"), "w") as file:
        file.addHeader([("chr1", 60)])
        file.addEntries("chr1", 0, values=heights.tolist(), span=1, step=1)
    lines = {
        "t.bedgraph": "".join(f"chr1\t{i}\t{i + 1}\t{v}\n" for i, v in enumerate(heights)),
        "t.fixed.wig": "fixedStep chrom=chr1 start=1 step=1\n" + "".join(f"{v}\n" for v in heights),
        "t.variable.wig": "variableStep chrom=chr1\n" + "".join(f"{i} {v}\n" for i, v in enumerate(heights, 1)),
        "t.tsv": "".join(
            f"{name}\t{','.join(map(str, heights[found.start : found.end][:: -1 if found.strand == '-' else 1]))}\n"
            for name in names
            for found in [parse_interval(name)]
        ),
    }
    for name, text in lines.items():
        (tmp_path / name).write_text(text)
    expected = read_tracks(tmp_path / "t.bw", located(*names))
    assert not np.isnan(expected).any()
    for name in lines:
        np.testing.assert_allclose(read_tracks(tmp_path / name, located(*names)), expected, atol=1e-6, rtol=0)
