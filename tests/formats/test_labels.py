import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.errors import InputError
from motifcnn.formats.labels import read_labels

NAN = np.nan


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "labels.tsv"

    def write(text):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def refusal(path, targets=()):
    with pytest.raises(InputError) as caught:
        read_labels(path, targets)
    assert "\n" not in str(caught.value)
    return caught.value


def test_one_column_of_0_and_1_is_binary(table):
    labels = read_labels(table("id\tbound\na\t1\nb\t0\nc\t.\nd\t1.0\n"))
    assert labels.names == ("a", "b", "c", "d")
    assert (labels.task, labels.targets, labels.classes) == ("binary", ("bound",), ())
    np.testing.assert_array_equal(labels.values, np.array([[1], [0], [NAN], [1]], dtype=np.float32))
    assert labels.values.dtype == np.float32
    assert labels.lines.tolist() == [2, 3, 4, 5]


def test_several_columns_of_0_and_1_are_multi_label(table):
    labels = read_labels(table("id\tx\ty\na\t1\t0\nb\t0\tNA\nc\t1\t1\n"))
    assert (labels.task, labels.targets) == ("multi-label", ("x", "y"))
    np.testing.assert_array_equal(labels.values, [[1, 0], [0, NAN], [1, 1]])


def test_words_are_classes(table):
    labels = read_labels(table("id\tfamily\na\tzinc\nb\thelix\nc\t\nd\tzinc\ne\t3\n"))
    assert (labels.task, labels.classes) == ("classes", ("3", "helix", "zinc"))
    np.testing.assert_array_equal(labels.values[:, 0], [2, 1, NAN, 2, 0])


def test_words_of_digits_and_underscores_are_no_numbers(table):
    assert read_labels(table("id\tcluster\na\t1_2\nb\t1_3\n")).classes == ("1_2", "1_3")


@pytest.mark.parametrize(
    "text", ["id\tx\ty\na\t-1.5\t2e3\nb\tnan\t7\nc\t0\t0\n", "id\tx\ty\na\t-1.5\t2e3\nb\t\t7\nc\t0\t0\n"]
)
def test_numbers_are_regression(table, text):
    labels = read_labels(table(text))
    assert (labels.task, labels.targets) == ("regression", ("x", "y"))
    np.testing.assert_array_equal(labels.values, [[-1.5, 2000], [NAN, 7], [0, 0]])


def test_targets_are_read_in_the_order_asked_for(table):
    path = table("id\tlabel\tscore\tother\na\t1\t3.5\t-1\nb\t0\t4.5\t2\n")
    assert read_labels(path, ["label"]).task == "binary"
    labels = read_labels(path, ["other", "score", "other"])
    assert labels.targets == ("other", "score")
    np.testing.assert_array_equal(labels.values, [[-1, 3.5], [2, 4.5]])


def test_blank_lines_comments_quotes_and_windows_line_ends_do_not_matter(table):
    text = '\ufeff# made by hand\r\n#"id"\t"label"\r\n\r\n"a"\t"1"\r\n b \t 0 \r\n\r\n'
    labels = read_labels(table(text))
    assert (labels.names, labels.targets) == (("a", "b"), ("label",))
    assert labels.lines.tolist() == [4, 5]


def test_reads_gzip(tmp_path):
    path = tmp_path / "labels.tsv.gz"
    path.write_bytes(gzip.compress(b"id\tlabel\na\t1\nb\t0\n"))
    assert read_labels(path).task == "binary"


def test_codes_of_classes_are_suspected(table, caplog):
    assert read_labels(table("id\tkind\na\t0\nb\t1\nc\t2\n")).task == "regression"
    assert "holds only 0, 1, 2 and is learned as numbers" in caplog.text
    assert "write words such as class_0" in caplog.text
    caplog.clear()
    read_labels(table("id\tkind\na\t0.5\nb\t1\nc\t2\n"))
    assert not caplog.records


@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.floats(-1e30, 1e30)), st.one_of(st.none(), st.floats(-1e30, 1e30))),
        min_size=3,
    )
)
def test_numbers_come_back_as_written(tmp_path_factory, rows):
    rows = [(0.5, 0.25), (0.75, 0.125), *rows]
    path = tmp_path_factory.mktemp("labels") / "labels.tsv"
    lines = [f"s{i}\t" + "\t".join("." if v is None else repr(v) for v in row) for i, row in enumerate(rows)]
    path.write_text("id\tx\ty\n" + "\n".join(lines) + "\n")
    labels = read_labels(path)
    expected = np.array([[NAN if v is None else v for v in row] for row in rows], dtype=np.float32)
    np.testing.assert_array_equal(labels.values, expected)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "is empty"),
        ("\n \n", None, "is empty"),
        ("id\tlabel\n", None, "no rows"),
        (b"PK\x03\x04\x00\x00", None, "is not text; give a TSV (a spreadsheet"),
        (b"id\tlabel\na\t\xff\n", 2, "is not UTF-8"),
        (">a\nACGT\n", 1, "is FASTA where a table of labels is expected; give SEQS first"),
        ("id,label\na,1\n", 1, "looks like CSV; separate the columns by tabs"),
        ("id label\na 1\n", 1, "no tab in this line"),
        ("id\tlabel\na\t1\nb 0\n", 3, "no tab in this line"),
        ("a\t1\nb\t0\n", 1, "line 1 looks like data ('1' as the name of a column); add a header line"),
        ("a\tzinc\nb\thelix\nc\tzinc\n", 1, "line 1 looks like data"),
        ("chr1:5-9\tzinc\nb\thelix\n", 1, "line 1 looks like data"),
        ("# made by hand\na\t-0.25\nb\t0\n", 2, "line 2 looks like data"),
        ("id\t\na\t1\n", 1, "column 2 has no name"),
        ("id\tx\tx\na\t1\t0\n", 1, "2 columns are called 'x'"),
        ("id\tlabel\na\t1\nb\t0\t3\n", 3, "3 fields where the header has 2"),
        ("id\tx\ty\na\t1\t0\nb\t0\n", 3, "2 fields where the header has 3"),
        ("id\tlabel\na\t1\nb\t0\n\na\t0\n", 5, "sequence 'a' stands in line 2 already"),
        ("id\tlabel\na\t1\n\t0\n", 3, "no sequence name"),
        ("id\tx\na\t1.5\nb\t2\nc\thigh\nd\t3\n", 4, "'high' in column 'x' is not a number, as most others are"),
        ("id\tx\na\t1\nb\t0\nc\tyes\nd\t0\n", 4, "'yes' in column 'x' is not a number"),
        ("id\tx\na\t1.5\nb\t2\nc\tinf\n", 4, "'inf' in column 'x' is too large"),
        ("id\tx\na\t1.5\nb\t2\nc\t1e300\n", 4, "'1e300' in column 'x' is too large"),
        ("id\tx\na\t.\nb\tNA\n", 1, "target 'x' has no value at all; fill it in"),
        ("id\tx\ty\tz\na\t.\t1\t0\nb\t\t0\t1\n", 1, "target 'x' has no value at all; leave it out: --targets y,z"),
        ("id\tx\na\t1\nb\t1\n", None, "target 'x' is 1 in 2 of 2 labels; add sequences with label 0, or"),
        ("id\tx\na\t0\nb\t0\n", None, "add sequences with label 1"),
        ("id\tx\na\tzinc\nb\tzinc\n", None, "only one class: target 'x' is zinc in 2 of 2 labels"),
        ("id\tx\ty\na\t0\t1\nb\t0\t0\n", None, "target 'x' is 0 in 2 of 2 labels; leave it out with --targets"),
        ("id\tx\na\t2.5\nb\t2.5\n", None, "target 'x' is always 2.5 (2 of 2 labels)"),
        ("id\tx\ty\na\tp\tq\nb\tr\ts\n", 1, "several columns of words"),
    ],
)  # fmt: skip
def test_refuses(table, text, line, message):
    path = table(text)
    error = refusal(path)
    assert message in error.message
    assert (error.path, error.line) == (str(path), line)


def test_refuses_columns_of_different_kinds(table):
    error = refusal(table("id\tnote\tlabel\tscore\na\tgood\t1\t3.5\nb\tbad\t0\t4.5\n"))
    assert error.message == (
        "columns of different kinds: 'note' holds words (2 different), 'label' holds 0/1, 'score' holds numbers; "
        "choose those to learn, such as --targets label"
    )


def test_refuses_an_unknown_target(table):
    error = refusal(table("id\tlabel\tscore\na\t1\t3.5\nb\t0\t4.5\n"), ["lable"])
    assert "no column 'lable'; did you mean 'label'? the columns are label, score" in error.message
    assert "did you mean" not in refusal(table("id\tlabel\na\t1\nb\t0\n"), ["xyz"]).message


def test_refuses_a_missing_file(tmp_path):
    assert refusal(tmp_path / "none.tsv").path == str(tmp_path / "none.tsv")


def test_reads_real_labels(real_data):
    path = real_data / "human_encode" / "CTCF_HepG2" / "train.labels.tsv"
    assert refusal(path).message.endswith("such as --targets label")
    labels = read_labels(path, ["label"])
    assert labels.task == "binary"
    assert len(labels.names) == len(labels.values) > 3000
