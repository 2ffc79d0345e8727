import numpy as np
import pytest

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.errors import InputError
from motifcnn.formats.markov import read_background

ORDER_0 = "#   order 0\nA 3.0e-01\nC 2.0e-01\nG 2.0e-01\nT 3.0e-01\n"
PAIRS = "".join(f"{a}{b} {(n + 1) / 136:.6f}\n" for n, (a, b) in enumerate((a, b) for a in "ACGT" for b in "ACGT"))


def read(tmp_path, text, alphabet=DNA):
    path = tmp_path / "background.txt"
    path.write_text(text)
    return read_background(path, alphabet)


def test_order_0_alone(tmp_path):
    background = read(tmp_path, ORDER_0)
    np.testing.assert_allclose(background.letters, [0.3, 0.2, 0.2, 0.3])
    assert background.pairs is None


def test_pairs_are_by_first_and_second_letter_whatever_the_order_of_the_lines(tmp_path):
    lines = (ORDER_0 + "# order 1\n" + PAIRS).splitlines()[::-1]
    background = read(tmp_path, "\n".join(lines))
    assert background.pairs.shape == (4, 4)
    np.testing.assert_allclose(background.pairs, np.arange(1, 17).reshape(4, 4) / 136, rtol=1e-3)
    assert background.pairs.sum() == pytest.approx(1, abs=1e-15)


def test_case_blanks_comments_bytes_and_longer_words(tmp_path):
    text = (
        "\ufeff# tuple   frequency\r\n\r\na\t0.3 # mostly\r\n  c 0.2\r\ng 0.2\r\nt 0.3\r\naaa 0.5\r\n#AC 7\r\nacgt 0.1"
    )
    np.testing.assert_allclose(read(tmp_path, text).letters, [0.3, 0.2, 0.2, 0.3])


def test_rounded_frequencies_are_scaled_to_sum_to_1(tmp_path):
    letters = read(tmp_path, "A 0.297\nC 0.204\nG 0.204\nT 0.297\n").letters
    assert letters.sum() == pytest.approx(1, abs=1e-15)
    assert letters[0] == pytest.approx(0.297 / 1.002)


def test_t_and_u_stand_for_one_another(tmp_path):
    np.testing.assert_array_equal(read(tmp_path, ORDER_0, RNA).letters, read(tmp_path, ORDER_0).letters)
    np.testing.assert_array_equal(
        read(tmp_path, ORDER_0.replace("T", "U")).letters, read(tmp_path, ORDER_0, DNA).letters
    )


def test_protein(tmp_path):
    text = "".join(f"{letter} {0.04 if letter < 'M' else 0.06}\n" for letter in reversed(PROTEIN.letters))
    expected = np.array([0.04 if letter < "M" else 0.06 for letter in PROTEIN.letters])
    np.testing.assert_allclose(read(tmp_path, text, PROTEIN).letters, expected / expected.sum())


@pytest.mark.parametrize(
    ("text", "alphabet", "message"),
    [
        ("A 0.5\nC 0.5\n", DNA, r"background.txt: has no frequency of G, T; give one for every letter of ACGT$"),
        ("", DNA, r"background.txt: has no frequency of A, C, G, T; give one for every letter"),
        (ORDER_0 + "AC 0.1", DNA, r"txt: has no frequency of AA, AG, AT, CA, CC, …; give one for every pair of ACGT$"),
        (ORDER_0 + "A 0.3", DNA, r"background.txt:6: A stands twice \(first in line 2\); remove one of the lines$"),
        (
            "A 0.3\nB 0.3",
            DNA,
            r"txt:2: 'B' where words of the motifs' dna letters ACGT are expected; give a background",
        ),
        ("A 0.3\nAL 0.3", DNA, r"background.txt:2: 'AL' where words of the motifs' dna letters ACGT are expected"),
        ("\n# x\nA 0", DNA, r"background.txt:3: a frequency of 0 for A; a number above 0 and up to 1 is needed$"),
        ("A many", DNA, r"background.txt:1: a frequency of many for A; a number above 0"),
        ("A nan", DNA, r"background.txt:1: a frequency of nan for A; a number above 0"),
        ("A 1.2", DNA, r"background.txt:1: a frequency of 1.2 for A; a number above 0 and up to 1 is needed$"),
        (
            "A 0.3 C 0.2",
            DNA,
            r"background.txt:1: 'A 0.3 C 0.2'; a word and its frequency are expected, as in `A 0.29`$",
        ),
        (ORDER_0.replace("3.0", "4.0"), DNA, r"txt: letter frequencies that sum to 1.2; they must sum to 1$"),
        (
            ORDER_0 + "".join(f"{a}{b} 0.25\n" for a in "ACGT" for b in "ACGT"),
            DNA,
            r"txt: pair frequencies that sum to 4; they must sum to 1: give each pair's own frequency, not the chance",
        ),
        (
            ORDER_0,
            PROTEIN,
            r"txt: has no frequency of D, E, F, H, I, …; give one for every letter of ACDEFGHIKLMNPQRSTVWY",
        ),
    ],
)
def test_faults(tmp_path, text, alphabet, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, text, alphabet)
