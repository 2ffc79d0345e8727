"""JASPAR in its forms, HOCOMOCO and HOMER: the same matrix however it is laid out; faults by line."""

import io

import numpy as np
import pytest
from Bio import motifs as biopython
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from motifcnn.alphabet import ALPHABETS, DNA, PROTEIN, RNA
from motifcnn.errors import InputError
from motifcnn.formats.jaspar import format_jaspar, write_jaspar
from motifcnn.formats.motif_files import read_motifs
from motifcnn.motifs import Motif

COUNTS = np.array([[0, 3, 79, 40, 8], [94, 75, 4, 3, 1], [1, 0, 3, 4, 1], [2, 19, 11, 50, 87]])
BRACKETS = "".join(f"{a} [ {' '.join(map(str, row))} ]\n" for a, row in zip("ACGT", COUNTS, strict=True))
PLAIN = "".join("\t".join(map(str, row)) + "\n" for row in COUNTS)
POSITIONS = "".join("\t".join(map(str, row)) + "\n" for row in COUNTS.T)


@pytest.fixture
def read(tmp_path):
    def read_text(text, alphabet=None):
        path = tmp_path / "motifs.txt"
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


@pytest.mark.parametrize(
    "body",
    [
        BRACKETS,
        BRACKETS.replace(" [ ", " [").replace(" ]", "]"),
        BRACKETS.replace("[", "").replace("]", ""),
        BRACKETS.replace(" [", "|").replace("]", ""),
        BRACKETS.lower(),
        "".join(reversed(BRACKETS.splitlines(keepends=True))),
        PLAIN,
        POSITIONS,
        "# a comment\n" + PLAIN + "\n\n",
    ],
)
@pytest.mark.parametrize("end", ["", "\n"])
def test_every_layout_holds_the_same_matrix(read, body, end):
    (motif,) = read(f">MA0001.1\tAGL3\n{body.rstrip()}{end}")
    assert (motif.name, motif.alternate_name, motif.sites, motif.alphabet) == ("MA0001.1", "AGL3", 97, DNA)
    np.testing.assert_allclose(motif.probabilities, (COUNTS / COUNTS.sum(axis=0)).T)


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (">MA0001.1 AGL3", ("MA0001.1", "AGL3")),
        ("> MA0001.1", ("MA0001.1", "")),
        (">MA0001.1\tMA0001.1", ("MA0001.1", "")),
        (">MA0634.1\tALX3 (var.2)", ("MA0634.1", "ALX3 (var.2)")),
        (">CTCF_HUMAN.H11MO.0.A", ("CTCF_HUMAN.H11MO.0.A", "")),
        (
            ">ATAGTGCC\t1-ATAGTGCC,BestGuess:CTCF\t8.5\t-4012.9\t0\tT:2015.0(7.7%)",
            ("ATAGTGCC", "1-ATAGTGCC,BestGuess:CTCF"),
        ),
    ],
)
def test_names(read, header, names):
    (motif,) = read(f"{header}\n{POSITIONS}")
    assert (motif.name, motif.alternate_name) == names


def test_a_matrix_without_a_header_is_named_after_its_file(read):
    assert [motif.name for motif in read(PLAIN)] == ["motifs"]


def test_probabilities_are_told_from_counts(read):
    (motif,) = read(">p\n0.1 0.2 0.3 0.4\n0.25 0.25 0.25 0.25\n0 0 0 1\n")
    assert motif.sites == 20
    np.testing.assert_allclose(motif.probabilities, [[0.1, 0.2, 0.3, 0.4], [0.25] * 4, [0, 0, 0, 1]])


def test_the_whole_file_tells_what_square_matrices_mean(read):
    square = "9 0 0 1\n0 10 0 0\n0 0 5 5\n1 1 1 7\n"
    letters_in_rows = read(f">a\n{square}>b\n{PLAIN}")[0]
    positions_in_rows = read(f">a\n{square}>b\n{POSITIONS}")[0]
    np.testing.assert_allclose(letters_in_rows.probabilities[0], [0.9, 0, 0, 0.1])
    np.testing.assert_allclose(positions_in_rows.probabilities[3], [0.1, 0.1, 0.1, 0.7])
    np.testing.assert_allclose(letters_in_rows.probabilities[3], np.array([1, 0, 5, 7]) / 13)
    # alone, the totals tell: the rows hold ten sites each, the columns do not
    assert read(f">a\n{square}")[0].sites == 10
    transposed = "\n".join(map(" ".join, zip(*(row.split() for row in square.splitlines()), strict=True)))
    np.testing.assert_allclose(read(f">a\n{transposed}")[0].probabilities, read(f">a\n{square}")[0].probabilities)


def test_twenty_positions_are_no_amino_acids(read):
    wide = np.arange(80).reshape(4, 20)
    by_letter = "\n".join(" ".join(map(str, row)) for row in wide)
    by_position = "\n".join(" ".join(map(str, row)) for row in wide.T)
    assert [read(f">w\n{text}")[0].width for text in (by_letter, by_position)] == [20, 20]


def test_rna_and_protein(read):
    assert read(f">r\n{BRACKETS.replace('T', 'U')}")[0].alphabet is RNA
    assert read(f">r\n{PLAIN}", RNA)[0].alphabet is RNA
    (motif,) = read(">p\n" + "".join(f"{a} [ {int(a == 'W') * 9} 1 ]\n" for a in reversed(PROTEIN.letters)))
    assert motif.alphabet is PROTEIN
    assert motif.consensus[0] == "W"
    (motif,) = read(">p\n" + "".join(" ".join(str(int(a == b)) for a in PROTEIN.letters) + "\n" for b in "LLV"))
    assert motif.consensus == "LLV"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (">chr1\nACGTACGT\n", "motifs.txt:2: 'ACGTACGT' is no row of counts; motifs are needed here"),
        (f">a\n{BRACKETS.replace('94', 'x')}", "motifs.txt:3: 'C [ x 75 4 3 1 ]' is no row of counts"),
        (f">a\n{BRACKETS.replace('75', 'x')}", "motifs.txt:3: 'x' is not a number"),
        (f">a\n{BRACKETS.replace('75', '-7')}", "motifs.txt:3: -7 is negative, as in a log-odds matrix"),
        (f">a\n{BRACKETS.replace('75', '7e99')}", "motifs.txt:3: 7e99 is too large for a count; check the matrix"),
        (f">a\n{BRACKETS.replace('75 ', '')}", "motifs.txt:3: a row of 4 numbers where the first of motif a has 5"),
        (f">a\n{BRACKETS.replace('C [', 'A [')}", "motifs.txt:3: a second row for A in motif a; remove one"),
        (f">a\n{BRACKETS.replace('C [', 'X [')}", "motifs.txt:1: motif a has rows for AXGT; one for each letter"),
        (
            f">a\n{BRACKETS.replace('C [ 94 75 4 3 1 ]', '94 75 4 3 1')}",
            "motifs.txt:3: a row without a letter in motif a",
        ),
        (">a\n1 2 3\n1 2 3\n", "motifs.txt:1: motif a has 2 rows of 3 numbers; either the rows or the columns"),
        (f">a\n>b\n{PLAIN}", "motifs.txt:1: motif a has no rows; add them, or remove it"),
        (f">\n{PLAIN}", "motifs.txt:1: a header without a name; write `>name`"),
        (">a\n0 0 0 0\n1 2 3 4\n", "motifs.txt:1: motif a: position 1 has no counts; remove it or give its counts"),
        (f">a\n{PLAIN}>b\n{PLAIN}>a\n{PLAIN}", "motifs.txt:11: motif a was already on line 1; rename one of them"),
        (f">a\n{BRACKETS}>b\n{BRACKETS.replace('T', 'U')}", "motifs.txt:6: rna motifs after dna ones (line 1)"),
    ],
)
def test_faults_are_named_with_their_line(refusal, text, message):
    assert message in refusal(text)


def test_another_alphabet_than_the_one_needed_is_refused(refusal):
    assert "motifs.txt:1: holds dna motifs where protein is needed" in refusal(f">a\n{BRACKETS}", PROTEIN)
    assert "motifs.txt:1: holds dna motifs where protein is needed" in refusal(f">a\n{PLAIN}", PROTEIN)


@given(data=st.data(), alphabet=st.sampled_from(list(ALPHABETS.values())), sites=st.integers(2, 10**5))
def test_reading_what_was_written_gives_it_back(data, alphabet, sites, tmp_path_factory):
    rows = data.draw(arrays(float, (data.draw(st.integers(1, 6)), alphabet.size), elements=st.floats(0, 1))) + 1e-9
    motif = Motif("m", rows / rows.sum(axis=1, keepdims=True), alphabet, sites=sites, alternate_name="x y")
    path = tmp_path_factory.getbasetemp() / "written.jaspar"
    write_jaspar(path, [motif])
    (back,) = read_motifs(path)
    assert (back.name, back.alternate_name, back.alphabet) == ("m", "x y", alphabet)
    assert back.sites == pytest.approx(sites, abs=1e-4)
    np.testing.assert_allclose(back.probabilities, motif.probabilities, atol=1e-5)


def test_whole_counts_are_written_as_such():
    stream = io.StringIO()
    write_jaspar(stream, [Motif("a", np.array([[0.5, 0.5, 0, 0], [0, 0, 0, 1.0]]), DNA, sites=10)])
    assert stream.getvalue() == ">a\ta\nA  [  5  0 ]\nC  [  5  0 ]\nG  [  0  0 ]\nT  [  0 10 ]\n"


def test_biopython_reads_what_was_written():
    motif = Motif("a", np.array([[0.5, 0.25, 0.25, 0], [0, 0.123456, 0, 0.876544]]), DNA, sites=10)
    (their,) = biopython.parse(io.StringIO(format_jaspar([motif])), "jaspar")
    np.testing.assert_allclose(np.array([their.counts[a] for a in "ACGT"]).T / 10, motif.probabilities, atol=1e-7)


def test_a_real_database_reads_as_biopython_reads_it(real_data):
    path = real_data / "motif_db" / "JASPAR2024_CORE_nonredundant.jaspar"
    if not path.exists():
        pytest.skip("JASPAR is not among the real data sets")
    ours = read_motifs(path)
    with path.open() as file:
        theirs = biopython.parse(file, "jaspar")
    assert len(ours) == len(theirs) == 2346
    for our, their in zip(ours, theirs, strict=True):
        assert our.name == their.matrix_id
        assert our.alternate_name.split(" ")[0] == their.name
        counts = np.array([their.counts[letter] for letter in "ACGT"]).T
        assert our.sites == counts.sum(axis=1).max()
        np.testing.assert_allclose(our.probabilities, counts / counts.sum(axis=1, keepdims=True))


def test_real_hocomoco_is_read(real_data):
    path = real_data / "motif_db" / "HOCOMOCOv11_HUMAN.pfm"
    if not path.exists():
        pytest.skip("HOCOMOCO is not among the real data sets")
    motifs = {motif.name: motif for motif in read_motifs(path)}
    assert len(motifs) == 401
    ctcf = motifs["CTCF_HUMAN.H11MO.0.A"]
    assert "GGCCACCAGRKGGC" in ctcf.consensus
