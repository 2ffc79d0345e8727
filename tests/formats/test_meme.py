"""MEME text: every dialect is read, what is broken is refused by line, writing and reading change nothing."""

import io
import math

import numpy as np
import pytest
from Bio import motifs as biopython
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from memelite import io as memelite_io

from motifcnn.alphabet import ALPHABETS, DNA, PROTEIN, RNA
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.meme import format_meme, write_meme
from motifcnn.formats.motif_files import read_motifs
from motifcnn.motifs import Motif

BARE = "MOTIF one\nletter-probability matrix:\n0.7 0.1 0.1 0.1\n0.1 0.7 0.1 0.1"
AMINO_ACIDS = PROTEIN.letters


@pytest.fixture
def read(tmp_path):
    """Read MEME text by way of a file named motifs.meme."""

    def read_text(text, alphabet=None):
        path = tmp_path / "motifs.meme"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_motifs(path, alphabet)

    return read_text


@pytest.fixture
def refusal(read, tmp_path):
    """The message of the refusal of MEME text, its folder left out."""

    def message(text, alphabet=None):
        with pytest.raises(InputError) as caught:
            read(text, alphabet)
        return str(caught.value).removeprefix(f"{tmp_path}/")

    return message


def protein_rows(*best):
    return "\n".join(" ".join("0.905" if a == letter else "0.005" for a in AMINO_ACIDS) for letter in best)


def test_nothing_but_a_name_and_rows_is_needed(read):
    (motif,) = read(BARE)
    assert (motif.name, motif.alternate_name, motif.alphabet, motif.sites) == ("one", "", DNA, 20)
    assert math.isnan(motif.e_value)
    assert motif.background.tolist() == [0.25] * 4
    np.testing.assert_allclose(motif.probabilities, [[0.7, 0.1, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1]])


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\nURL http://example.org/one\n"])
def test_the_end_of_the_file_may_be_anything(read, ending):
    assert read(BARE + ending)[0].width == 2


@pytest.mark.parametrize(
    ("keys", "sites", "e_value"),
    [
        ("", 20, None),
        (" w= 2", 20, None),
        (" alength= 4", 20, None),
        (" nsites= 17 E= 1.5e-4", 17, 1.5e-4),
        (" alength=4 w=2 nsites=17.5 E=1.5e-4", 17.5, 1.5e-4),
        (" alength= 4 w= 2 nsites= 17 P= 3e-9", 17, None),
        (" alength= 4 w= 2 nsites= 17 E= none", 17, None),
        (" alength= 4 w= 2 nsites= 0 E= 0", 0, 0),
    ],
)
def test_any_subset_of_the_matrix_keys_will_do(read, keys, sites, e_value):
    (motif,) = read(BARE.replace("matrix:", f"matrix:{keys}"))
    assert motif.width == 2
    assert motif.sites == sites
    assert motif.e_value == e_value if e_value is not None else math.isnan(motif.e_value)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("MOTIF MA0265.3 ABF1", ("MA0265.3", "ABF1")),
        ("MOTIF 1-ACGTN STREME-1", ("1-ACGTN", "STREME-1")),
        ("MOTIF  1 \twidth =   21   sites =  18   llr = 175   E-value = 1.4e-2", ("1", "")),
        ("MOTIF TGTGA MEME-1\twidth =  21  sites =  18", ("TGTGA", "MEME-1")),
        ("MOTIF x width=3", ("x", "")),
        ("MOTIF\tx\ty and more", ("x", "y")),
    ],
)
def test_names(read, line, names):
    (motif,) = read(BARE.replace("MOTIF one", line))
    assert (motif.name, motif.alternate_name) == names


def test_several_motifs_share_the_header(read):
    text = (
        "MEME version 5.5.8 (Release date: today)\n\nALPHABET= ACGU\n\nBackground letter frequencies (from file x)\n"
        "A 0.3 C 0.2\nG 0.2 U 0.3\n\n" + BARE + "\nURL http://a\n\n" + BARE.replace("one", "two")
    )
    one, two = read(text)
    assert (one.name, two.name) == ("one", "two")
    for motif in (one, two):
        assert motif.alphabet is RNA
        np.testing.assert_allclose(motif.background, [0.3, 0.2, 0.2, 0.3])


def test_streme_states_its_alphabet_at_length(read):
    text = (
        """MEME version 5.5

ALPHABET "DNA" DNA-LIKE
A "Adenine" CC0000 ~ T "Thymine" 008000
C "Cytosine" 0000CC ~ G "Guanine" FFB300  # a pair
N "Any base" = ACGT
X = ACGT
. = ACGT
R "Purine" = AG
U = T
END ALPHABET

strands: + -

"""
        + BARE
    )
    assert read(text)[0].alphabet is DNA
    assert read(text, RNA)[0].alphabet is RNA


def test_protein_is_read_in_both_forms_of_alphabet(read):
    rows = f"MOTIF p\nletter-probability matrix: alength= 20\n{protein_rows('L', 'V')}\n"
    long = "".join(f'{a} "Name of {a}" 0000CC\n' for a in AMINO_ACIDS)
    background = "\n".join(f"{a} 0.050" for a in AMINO_ACIDS)
    for header in (
        f"ALPHABET= {AMINO_ACIDS}\n",
        f'ALPHABET "Protein" PROTEIN-LIKE\n{long}X = {AMINO_ACIDS}\nEND ALPHABET\n',
        f"Background letter frequencies\n{background}\n\n",
        "",
    ):
        (motif,) = read(header + rows)
        assert motif.alphabet is PROTEIN
        assert motif.consensus == "LV"


def test_columns_follow_the_order_of_the_alphabet_line(read):
    (motif,) = read("ALPHABET= TGCA\n" + BARE.replace("0.7 0.1 0.1 0.1", "0.7 0.2 0.1 0.0"))
    np.testing.assert_allclose(motif.probabilities[0], [0.0, 0.1, 0.2, 0.7])


def test_log_odds_beside_probabilities_are_passed_over(read):
    log_odds = "\nlog-odds matrix: alength= 4 w= 2 E= 1\n 90 -100 -20 3\n -9 10 20 -3\n"
    text = BARE.replace("\nletter", log_odds + "\nletter") + log_odds + BARE.replace("one", "two")
    assert [motif.width for motif in read(text)] == [2, 2]


def test_full_meme_output(read):
    text = """********************************************************************************
MEME - Motif discovery tool
********************************************************************************
MEME version 5.5.5 (Release date: Thu Sep 14 08:48:04 2023 +1000)

TRAINING SET
PRIMARY SEQUENCES= crp0.s
ALPHABET= ACGT
Sequence name            Weight Length  Sequence name            Weight Length
ce1cg                    1.0000    105  ara                      1.0000    105

Letter frequencies in dataset:
A 0.304 C 0.196 G 0.196 T 0.304
Background letter frequencies (from file dataset with add-one prior applied):
A 0.304 C 0.196 G 0.196 T 0.304
Background model order: 0
********************************************************************************
MOTIF TGTGA MEME-1\twidth =   2  sites =   9  llr = 47  p-value = 1.0e-2  E-value = 5.4e-003
********************************************************************************
\tMotif TGTGA MEME-1 Description
Simplified        A  12
Multilevel           TG
--------------------------------------------------------------------------------
\tMotif TGTGA MEME-1 position-specific scoring matrix
log-odds matrix: alength= 4 w= 2 n= 1700 bayes= 7.5 E= 5.4e-003
   -45    -86    -86     94
  -145     14    -86     54

\tMotif TGTGA MEME-1 position-specific probability matrix
--------------------------------------------------------------------------------
letter-probability matrix: alength= 4 w= 2 nsites= 9 E= 5.4e-003
 0.222222  0.111111  0.111111  0.555556
 0.111111  0.222222  0.111111  0.555556
--------------------------------------------------------------------------------
SUMMARY OF MOTIFS
SEQUENCE NAME            COMBINED P-VALUE  MOTIF DIAGRAM
"""
    (motif,) = read(text)
    assert (motif.name, motif.alternate_name, motif.sites, motif.e_value) == ("TGTGA", "MEME-1", 9, 0.0054)
    np.testing.assert_allclose(motif.background, [0.304, 0.196, 0.196, 0.304])


def test_small_deviations_are_divided_out(read):
    (motif,) = read(BARE.replace("0.7 0.1 0.1 0.1", "0.33 0.33 0.33 0"))
    np.testing.assert_allclose(motif.probabilities[0], [1 / 3, 1 / 3, 1 / 3, 0])


def test_a_background_of_zero_is_lifted_so_that_scores_exist(read):
    (motif,) = read("Background letter frequencies\nA 0.5 C 0.5 G 0 T 0\n\n" + BARE)
    assert (motif.background > 0).all()
    np.testing.assert_allclose(motif.background, [0.5, 0.5, 0, 0], atol=2e-4)
    assert np.isfinite(motif.log_odds().scores).all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.7 0.1 0.1 0.1", "0.7 0.1 0.1 0.12", "motifs.meme:3: a row of the letter-probability matrix sums to 1.02;"),
        ("0.7 0.1 0.1 0.1", "14 2 2 2", "sums to 20; it must sum to 1: divide each count by its row's total"),
        ("0.1 0.7 0.1 0.1", "0.2 0.7 0.1", "motifs.meme:4: a row of 3 numbers; dna needs 4"),
        ("0.1 0.7 0.1 0.1", "0.1 0.7 0.1 x", "motifs.meme:4: 'x' is not a number"),
        ("0.1 0.7 0.1 0.1", "0.1 0.7 0.1 nan", "motifs.meme:4: 'nan' is not a number"),
        ("0.1 0.7 0.1 0.1", "0.4 0.7 0.1 -0.2", "motifs.meme:4: -0.2 is negative, as in a log-odds matrix"),
        ("matrix:", "matrix: w= 3", "motifs.meme:2: w= 3 but 2 rows follow"),
        ("matrix:", "matrix: w= 1", "motifs.meme:2: w= 1 but 2 rows follow"),
        ("matrix:", "matrix: w= 0", "motifs.meme:2: w= 0; a whole number above 0 is needed"),
        ("matrix:", "matrix: alength= 5", "motifs.meme:2: a row of 5 numbers; 4 are needed for DNA and RNA, 20"),
        ("matrix:", "matrix: nsites= many", "motifs.meme:2: nsites= many; a number of sites is needed"),
        ("MOTIF one\n", "", "motifs.meme:1: a matrix without a MOTIF line of its own above it"),
        ("MOTIF one", "MOTIF", "motifs.meme:1: MOTIF without a name"),
        ("MOTIF one", "MOTIF zero\nMOTIF one", "motifs.meme:1: motif zero has no letter-probability matrix"),
        ("MOTIF one", "ALPHABET= ACGN\nMOTIF one", "motifs.meme:1: letters 'ACGN' are neither DNA, RNA nor protein"),
        ("MOTIF one", 'ALPHABET "DNA" DNA-LIKE\nMOTIF one', "motifs.meme:1: this ALPHABET has no END ALPHABET line"),
        (
            "MOTIF one",
            "Background letter frequencies\nA 0.9 C 0.9 G 0 T 0\n\nMOTIF one",
            "motifs.meme:2: background frequencies that sum to 1.8; they must sum to 1 over ACGT",
        ),
        ("MOTIF one", "Background letter frequencies\nMOTIF one", "motifs.meme:1: no letter frequencies where"),
    ],
)
def test_faults_are_named_with_their_line(refusal, old, new, message):
    assert old in BARE
    assert message in refusal(BARE.replace(old, new))


def test_a_matrix_without_rows_is_refused(refusal):
    assert refusal("MOTIF one\nletter-probability matrix: w= 2\n").startswith("motifs.meme:2: motif one: no rows")


def test_a_second_matrix_of_one_motif_is_refused(refusal):
    assert "motifs.meme:5: a matrix without a MOTIF line" in refusal(BARE + "\n" + BARE.split("\n", 1)[1])


def test_no_motif_at_all_is_refused(refusal):
    assert refusal("MEME version 4\n\nALPHABET= ACGT\n") == (
        "motifs.meme: holds no motif; give a file with at least one"
    )
    assert refusal(format_meme([])).startswith("motifs.meme: holds no motif")


def test_a_name_used_twice_is_refused_with_both_lines(refusal):
    assert refusal(f"{BARE}\n\n{BARE}") == "motifs.meme:6: motif one was already on line 1; rename one of them"


def test_mixed_alphabets_are_refused(refusal):
    protein = f"MOTIF two\nletter-probability matrix: alength= 20\n{protein_rows('L')}\n"
    assert "alength= 20 where the alphabet (line 2) is dna with 4 letters" in refusal(f"{BARE}\n{protein}")
    assert "motifs.meme:5: protein motifs after dna ones (line 2); put each" in refusal(
        f"{BARE}\nALPHABET= {AMINO_ACIDS}\n{protein}"
    )
    assert "motifs.meme:6: rna motifs after dna ones (line 1)" in refusal(f"ALPHABET= ACGT\n{BARE}\nALPHABET= ACGU\n")


def test_another_alphabet_than_the_one_needed_is_refused(refusal, read):
    assert "motifs.meme:1: holds dna motifs where protein is needed" in refusal(f"ALPHABET= ACGT\n{BARE}", PROTEIN)
    assert "motifs.meme:2: holds dna motifs where protein is needed" in refusal(BARE, "protein")
    assert read(f"ALPHABET= ACGT\n{BARE}", "rna")[0].alphabet is RNA
    assert read(BARE, "auto")[0].alphabet is DNA


@st.composite
def motif_lists(draw):
    alphabet = draw(st.sampled_from(list(ALPHABETS.values())))
    names = draw(st.lists(st.text("abcXYZ019._-:()", min_size=1, max_size=8), min_size=1, max_size=4, unique=True))
    positive = st.floats(0.01, 1)
    background = draw(arrays(float, alphabet.size, elements=positive))
    return [
        Motif(
            name,
            (rows := draw(arrays(float, (draw(st.integers(1, 6)), alphabet.size), elements=st.floats(0, 1))) + 1e-9)
            / rows.sum(axis=1, keepdims=True),
            alphabet,
            sites=draw(st.integers(0, 10**7) | st.floats(0, 1e4)),
            background=background / background.sum(),
            alternate_name=draw(st.sampled_from(["", "CTCF", "Ahr::Arnt"])),
            e_value=draw(st.floats(0, 1e6) | st.just(math.nan)),
        )
        for name in names
    ]


@given(motifs=motif_lists())
def test_reading_what_was_written_gives_it_back(motifs, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "written.meme"
    write_meme(path, motifs)
    back = read_motifs(path, motifs[0].alphabet)
    assert len(back) == len(motifs)
    for old, new in zip(motifs, back, strict=True):
        assert (new.name, new.alternate_name, new.alphabet) == (old.name, old.alternate_name, old.alphabet)
        np.testing.assert_allclose(new.probabilities, old.probabilities, atol=1.01e-6)
        np.testing.assert_allclose(new.background, old.background, atol=1.01e-6)
        np.testing.assert_allclose(new.sites, old.sites, rtol=1e-9)
        np.testing.assert_allclose(new.e_value, old.e_value, rtol=1e-5)
    assert format_meme(back) == path.read_text()


def test_the_text_that_is_written():
    motif = Motif(
        "m", np.array([[1 / 3, 1 / 3, 1 / 3, 0], [0, 0, 0.5, 0.5]]), DNA, 7, alternate_name="a b", e_value=0.5
    )
    assert format_meme([motif]) == (
        "MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\n"
        "Background letter frequencies\nA 0.250000 C 0.250000 G 0.250000 T 0.250000\n\n"
        "MOTIF m a_b\nletter-probability matrix: alength= 4 w= 2 nsites= 7 E= 0.5\n"
        " 0.333334  0.333333  0.333333  0.000000\n 0.000000  0.000000  0.500000  0.500000\n"
    )


def test_strands_are_stated_for_dna_only():
    assert "strands" in format_meme([], DNA)
    assert "strands" not in format_meme([], RNA)
    assert "strands" not in format_meme([], PROTEIN)


def test_a_handle_is_written_to_as_well():
    stream = io.StringIO()
    write_meme(stream, [], RNA)
    assert "ALPHABET= ACGU" in stream.getvalue()


def test_what_one_file_cannot_hold_is_refused():
    uniform = np.full((3, 4), 0.25)
    with pytest.raises(MotifcnnError, match="motifs of dna and rna in one file; write a file for each alphabet"):
        format_meme([Motif("a", uniform, DNA), Motif("b", uniform, RNA)])
    with pytest.raises(MotifcnnError, match="different backgrounds"):
        format_meme([Motif("a", uniform, DNA), Motif("b", uniform, DNA, background=np.array([0.4, 0.1, 0.1, 0.4]))])


@pytest.mark.parametrize("name", ["JASPAR2024_CORE_fungi.meme", "JASPAR2024_CORE_vertebrates.meme"])
def test_a_real_database_reads_as_biopython_reads_it(real_data, name):
    path = real_data / "motif_db" / name
    if not path.exists():
        pytest.skip(f"{name} is not among the real data sets")
    ours = read_motifs(path)
    with path.open() as file:
        theirs = biopython.parse(file, "minimal")
    assert len(ours) == len(theirs) > 100
    for our, their in zip(ours, theirs, strict=True):
        assert (our.name, our.sites, our.e_value) == (their.name, their.num_occurrences, their.evalue)
        expected = np.array([their.pwm[letter] for letter in "ACGT"]).T  # of counts, rounded to whole ones
        np.testing.assert_allclose(our.probabilities, expected, atol=2.5 / our.sites)
    exact = list(memelite_io.read_meme(path).values())
    for our, matrix in zip(ours, exact, strict=True):
        np.testing.assert_allclose(our.probabilities, matrix.T, atol=3e-6)


def test_motifs_of_other_tools_read_as_biopython_reads_them(real_data):
    paths = sorted((real_data.parent / "peers").glob("*/*.meme"))
    if not paths:
        pytest.skip("no motifs of other tools beside the real data sets")
    for path in paths:
        ours = read_motifs(path)
        with path.open() as file:
            assert [motif.name for motif in ours] == [motif.name for motif in biopython.parse(file, "minimal")]
