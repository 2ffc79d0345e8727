import gzip

import numpy as np
import pytest

from motifcnn.errors import InputError
from motifcnn.formats.alignments import is_alignment, read_alignments

STOCKHOLM = """# STOCKHOLM 1.0
#=GF ID one
a/1-3  AC.G
#=GR a/1-3 SS ....
b      -CTG

a/1-3  T
b      t
#=GC RF xxxxx
//
# STOCKHOLM 1.0
c  AA
//
"""
MAF = """##maf version=1
# a comment
a score=1
s hg19.chr22 10 4 + 100 AC-GT
s mm10.chr1  5 4 - 200 A-CGT
i mm10.chr1 N 0 C 0

a score=2
s hg19.chr22 20 2 - 100 AA
s mm10.chr1  9 1 + 200 A-
"""


@pytest.fixture
def file(tmp_path):
    def write(text, name="alignment.txt"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_stockholm_joins_its_blocks_and_may_hold_several(file, pack):
    first, second = read_alignments(file(pack(STOCKHOLM.encode())))
    assert first.names == ("a/1-3", "b")
    assert first.rows == (b"AC.GT", b"-CTGt")
    assert first.lines == (3, 5)
    assert (second.names, second.rows) == (("c",), (b"AA",))


def test_letters_know_their_columns(file):
    first, _ = read_alignments(file(STOCKHOLM))
    letters, columns = first.letters_of(1)
    assert letters == b"CTGT"
    np.testing.assert_array_equal(columns, [1, 2, 3, 4])


def test_aligned_fasta(file):
    (found,) = read_alignments(file(">a more words\nAC-\nGt\n>b\nACTGT\n"))
    assert (found.names, found.rows, found.lines) == (("a", "b"), (b"AC-Gt", b"ACTGT"), (1, 4))
    assert found.columns() == found.rows


def test_comments_may_stand_before_fasta(file):
    path = file("# an alignment by Pfam\n#\n\n>a\nAC-\n>b\nACT\n")
    assert is_alignment(path)
    (found,) = read_alignments(path)
    assert (found.names, found.rows, found.lines) == (("a", "b"), (b"AC-", b"ACT"), (4, 6))


@pytest.mark.parametrize("name", ["x.a3m", "x.txt"])
def test_insertions_stand_in_no_column(file, name):
    (found,) = read_alignments(file(">query\nACGT\n>other\nAkk-Gw.T\n", name))
    assert found.insertions
    assert found.columns() == (b"ACGT", b"A-GT")
    letters, columns = found.letters_of(1)
    assert letters == b"AKKGWT"
    np.testing.assert_array_equal(columns, [0, -1, -1, 2, -1, 3])


def test_the_ending_tells_a3m_without_insertions(file):
    assert read_alignments(file(">q\nAC\n>o\nA-\n", "x.a3m"))[0].insertions
    assert not read_alignments(file(">q\nAc\n>o\nA-\n", "x.fa"))[0].insertions


def test_maf_blocks_lie_where_their_first_rows_do(file):
    first, second = read_alignments(file(MAF))
    assert first.names == ("hg19.chr22", "mm10.chr1")
    assert first.rows == (b"AC-GT", b"A-CGT")
    place = second.places[0]
    assert (place.source, place.start, place.strand, place.source_size) == ("hg19.chr22", 20, "-", 100)


def test_what_is_an_alignment(file):
    assert is_alignment(file(STOCKHOLM))
    assert is_alignment(file(MAF))
    assert is_alignment(file(">a\nAC\n"))
    assert not is_alignment(file("a\t1,2\n"))
    assert not is_alignment(file("# comment\na\t1,2\n"))
    assert not is_alignment(file("fixedStep chrom=c start=1 step=1\n1\n"))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("# STOCKHOLM 1.0\na AC GT\n//\n", 2, "3 words in this line; a name and a row"),
        ("# STOCKHOLM 1.0\na ACGT\nb ACG\n//\n", 3, "row 'b' has 3 columns and 'a' has 4; rows of one length"),
        ("# STOCKHOLM 1.0\na ACGT\n", None, "ends within an alignment; end it with a line that holds // alone"),
        ("# STOCKHOLM 1.0\n//\n", None, "holds no alignment"),
        (">a\nACGT\n>b\nACG\n", 3, "row 'b' has 3 columns and 'a' has 4"),
        ("##maf version=1\na\ns hg19.chr1 1 2 + 9\n", 3, "6 words in this line; s, source, start"),
        ("##maf version=1\na\ns hg19.chr1 1 x + 9 AC\n", 3, "no whole numbers or no strand"),
        ("##maf version=1\na\ns hg19.chr1 1 3 + 9 A-C\n", 3, "2 letters in this row and its size is 3"),
        ("a\t1,2\n", None, "is no alignment; give Stockholm, aligned FASTA, A3M or MAF"),
    ],
)
def test_refuses_damaged_files(file, text, line, message):
    path = file(text)
    with pytest.raises(InputError) as caught:
        read_alignments(path)
    assert message in caught.value.message
    assert (caught.value.path, caught.value.line) == (str(path), line)
