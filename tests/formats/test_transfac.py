"""TRANSFAC: as TRANSFAC, JASPAR and STAMP write it, checked against Biopython; faults by line."""

import io

import numpy as np
import pytest
from Bio import motifs as biopython
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from motifcnn.alphabet import ALPHABETS, DNA, PROTEIN, RNA
from motifcnn.errors import InputError
from motifcnn.formats.motif_files import read_motifs
from motifcnn.formats.transfac import format_transfac, write_transfac
from motifcnn.motifs import Motif

TWO = """VV  EXAMPLE January 15, 2013
XX
//
AC  M00001
XX
ID  V$MYOD_01
NA  MyoD
BF  T00526 MyoD; Species: mouse, Mus musculus.
P0      A      C      G      T
01      1      2      2      0      S
02      2      1      2      0      R
03      3      0      1      1      A
XX
BA  5 functional elements
//
ID  second one
P0      T      A      C      G
01      5      0      0      0      T
02      0      0      5      0
//
"""


@pytest.fixture
def read(tmp_path):
    def read_text(text, alphabet=None):
        path = tmp_path / "motifs.tf"
        path.write_text(text)
        return read_motifs(path, alphabet)

    return read_text


@pytest.fixture
def refusal(read, tmp_path):
    def message(text, alphabet=None):
        with pytest.raises(InputError) as caught:
            read(text, alphabet)
        return str(caught.value).removeprefix(f"{tmp_path}/")

    return message


@pytest.mark.parametrize("text", [TWO, TWO.removesuffix("//\n"), TWO.rstrip(), TWO.replace("P0", "PO")])
def test_records_are_read(read, text):
    first, second = read(text)
    assert (first.name, first.alternate_name, first.sites, first.alphabet) == ("M00001", "V$MYOD_01", 5, DNA)
    np.testing.assert_allclose(first.probabilities * 5, [[1, 2, 2, 0], [2, 1, 2, 0], [3, 0, 1, 1]])
    assert (second.name, second.alternate_name) == ("second_one", "")
    assert second.consensus == "TC"


def test_biopython_reads_the_same(read):
    first = "//\n".join(TWO.split("//\n")[:2]) + "//\n"  # it takes letters in one order only
    (their,) = (record for record in biopython.parse(io.StringIO(first), "transfac") if record.counts)
    np.testing.assert_allclose(read(TWO)[0].probabilities * 5, np.array([their.counts[a] for a in "ACGT"]).T)


def test_stamp_leaves_out_both_p0_and_the_end_of_records(read):
    one, two = read("DE\tone\n0\t1\t2\t3\t4\tT\n1\t9\t1\t0\t0\tA\nXX\nDE\ttwo\n0\t1\t2\t3\t4\tT\nXX\n")
    assert (one.name, two.name, one.width, two.width) == ("one", "two", 2, 1)


def test_rna_and_protein(read):
    assert read(TWO.replace("  T\n", "  U\n").replace("P0      T", "P0      U"))[0].alphabet is RNA
    letters = "  ".join(PROTEIN.letters)
    counts = "  ".join("9" if a == "W" else "0" for a in PROTEIN.letters)
    (motif,) = read(f"ID p\nP0 {letters}\n01 {counts} W\n//\n")
    assert motif.alphabet is PROTEIN
    assert motif.consensus == "W"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2      1      2      0", "2      1      2", "motifs.tf:11: a row of 3 counts; the P0 line names 4 letters"),
        ("2      1      2      0      R", "", "motifs.tf:11: a row of 0 counts; the P0 line names 4 letters"),
        ("//\nID  second one\n", "", "motifs.tf:15: a P0 line after rows of counts; end the record before it with //"),
        ("2      1      2      0", "2      1      x      0", "motifs.tf:11: 'x' is not a number"),
        ("2      1      2      0", "2      1      -2     0", "motifs.tf:11: -2 is negative"),
        ("2      1      2      0", "0      0      0      0", "motifs.tf:4: motif M00001: position 2 has no counts"),
        ("C      G      T\n01      1", "C      G      N\n01      1", "motifs.tf:4: record M00001: letters 'ACGN' are"),
        ("ID  second one\n", "", "motifs.tf:16: a matrix without a name; give it an AC or ID field"),
        ("ID  second one", "ID  M00001", "motifs.tf:16: motif M00001 was already on line 4; rename one of them"),
        ("01      5      0      0      0      T\n02      0      0      5      0\n", "", "motifs.tf:16: record second"),
    ],
)  # fmt: skip
def test_faults_are_named_with_their_line(refusal, old, new, message):
    assert old in TWO
    assert message in refusal(TWO.replace(old, new))


def test_rows_of_no_known_alphabet_are_refused(refusal):
    assert "motifs.tf:2: a row of 3 counts; 4 or 20 are needed" in refusal("ID a\n01 1 2 3\n")


def test_a_file_without_records_is_refused(refusal):
    assert refusal("VV  nothing\nXX\n//\n") == "motifs.tf: holds no motif; give a file with at least one"


def test_another_alphabet_than_the_one_needed_is_refused(refusal):
    assert "motifs.tf:4: holds dna motifs where protein is needed" in refusal(TWO, PROTEIN)


@given(data=st.data(), alphabet=st.sampled_from(list(ALPHABETS.values())), sites=st.integers(2, 10**5))
def test_reading_what_was_written_gives_it_back(data, alphabet, sites, tmp_path_factory):
    rows = data.draw(arrays(float, (data.draw(st.integers(1, 6)), alphabet.size), elements=st.floats(0, 1))) + 1e-9
    motif = Motif("m", rows / rows.sum(axis=1, keepdims=True), alphabet, sites=sites, alternate_name="x y")
    path = tmp_path_factory.getbasetemp() / "written.tf"
    write_transfac(path, [motif])
    (back,) = read_motifs(path)
    assert (back.name, back.alternate_name, back.alphabet) == ("m", "x y", alphabet)
    assert back.sites == pytest.approx(sites, abs=1e-4)
    np.testing.assert_allclose(back.probabilities, motif.probabilities, atol=1e-5)


def test_biopython_reads_what_was_written():
    motif = Motif("a", np.array([[0.5, 0.25, 0.25, 0], [0, 0.123456, 0, 0.876544]]), DNA, sites=10)
    their = biopython.parse(io.StringIO(format_transfac([motif])), "transfac")[0]
    assert their["AC"] == "a"
    np.testing.assert_allclose(np.array([their.counts[a] for a in "ACGT"]).T / 10, motif.probabilities, atol=1e-7)
