import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.inputs.column_conservation import (
    GAP,
    background,
    column_frequencies,
    conservation,
    henikoff_weights,
    profile,
    smoothed,
)


def codes(*rows, alphabet=DNA):
    table = {**{letter: code for code, letter in enumerate(alphabet.symbols)}, "-": GAP}
    return np.array([[table[letter] for letter in row] for row in rows], dtype=np.uint8)


def test_weights_of_henikoffs_example():
    """Henikoff and Henikoff 1994: column sums of 1 / (kinds × copies) by hand: 4/3, 4/3, 1 and 4/3 of 5."""
    rows = codes("GYVGS", "GFDGF", "GYDGF", "GYQGG", alphabet=PROTEIN)
    np.testing.assert_allclose(henikoff_weights(rows, PROTEIN), [4 / 15, 4 / 15, 1 / 5, 4 / 15])


def test_copies_of_a_row_share_its_weight():
    rows = codes("AC", "AC", "AC", "GT")
    np.testing.assert_allclose(henikoff_weights(rows, DNA), [1 / 6, 1 / 6, 1 / 6, 1 / 2])


def test_rows_without_letters_weigh_alike():
    np.testing.assert_allclose(henikoff_weights(codes("--", "NN"), DNA), [0.5, 0.5])


def test_conservation_by_hand():
    """Four columns of DNA, background 1/4 each, two rows of weight 1/2.

    AA: f = (1, 0, 0, 0), middle (.625, .125, .125, .125):
        ½ log2(1/.625) + ½ (.25 log2(.25/.625) + .75 log2(.25/.125)) = ½ × .678072 + ½ × .419518 = .548795.
    AC: middle (.375, .375, .125, .125): ½ log2(.5/.375) + ½ (.5 log2(.25/.375) + .5) = ½ × .415037 + ½ × .207519.
    G-: as the first, times the share of letters, ½.
    --: no value.
    """
    rows = codes("AAG-", "AC--")
    weights = henikoff_weights(rows, DNA)
    # row 1: 1/2 + 1/2 + 1, row 2: 1/2 + 1/2
    np.testing.assert_allclose(weights, [2 / 3, 1 / 3])
    even = codes("AAG-", "ACNG")[:, :3]
    even_weights = np.array([0.5, 0.5])
    frequencies, gaps = column_frequencies(even, even_weights, DNA)
    np.testing.assert_allclose(frequencies, [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 1, 0]])
    np.testing.assert_allclose(gaps, [0, 0, 0.5])
    symmetric = codes("AAG-", "AC-G")
    np.testing.assert_allclose(
        conservation(symmetric, DNA), [0.548795, 0.311278, 0.548795 / 2, 0.548795 / 2], atol=1e-6
    )
    np.testing.assert_allclose(conservation(symmetric, DNA, "relative-entropy"), [2, 1, 1, 1], atol=1e-12)
    np.testing.assert_allclose(
        conservation(symmetric, DNA, gap_penalty=False), [0.548795, 0.311278, 0.548795, 0.548795], atol=1e-6
    )
    assert np.isnan(conservation(codes("A-", "A-"), DNA)).tolist() == [False, True]


def slow_divergence(frequencies, expected):
    total = 0.0
    for p, q in zip(frequencies, expected, strict=True):
        middle = (p + q) / 2
        total += (p * math.log2(p / middle) if p else 0.0) + (q * math.log2(q / middle) if q else 0.0)
    return total / 2


@given(st.lists(st.text("ACDWY-X", min_size=6, max_size=6), min_size=1, max_size=6))
def test_divergence_is_that_of_a_slow_reading(texts):
    rows = codes(*texts, alphabet=PROTEIN)
    weights = henikoff_weights(rows, PROTEIN)
    found = conservation(rows, PROTEIN)
    for column in range(rows.shape[1]):
        counts = dict.fromkeys(PROTEIN.letters, 0.0)
        for text, weight in zip(texts, weights, strict=True):
            if text[column] not in "-X":
                counts[text[column]] += weight
        filled = sum(counts.values())
        if not filled:
            assert np.isnan(found[column])
            continue
        expected = slow_divergence([count / filled for count in counts.values()], background(PROTEIN)) * filled
        assert found[column] == pytest.approx(expected, abs=1e-12)
        assert -1e-12 <= found[column] <= 1


def test_a_rare_letter_is_more_conserved_than_a_common_one():
    tryptophan, leucine = conservation(codes("WL", "WL", alphabet=PROTEIN), PROTEIN)
    assert tryptophan > leucine
    assert dict(zip(PROTEIN.letters, background(PROTEIN), strict=True))["W"] == pytest.approx(0.014 / 1.002)


def test_ambiguous_letters_count_as_fractions():
    frequencies, gaps = column_frequencies(codes("B", "D", alphabet=PROTEIN), np.array([0.5, 0.5]), PROTEIN)
    assert frequencies[0, PROTEIN.letters.index("D")] == pytest.approx(0.75)
    assert frequencies[0, PROTEIN.letters.index("N")] == pytest.approx(0.25)
    assert gaps[0] == pytest.approx(0)


def test_neighbours_make_half_of_a_smoothed_score():
    np.testing.assert_allclose(smoothed(np.array([0.0, 1.0, 0.5, np.nan]), 1), [0.5, 0.625, 0.75, np.nan])
    np.testing.assert_allclose(smoothed(np.array([4.0]), 3), [4.0])
    np.testing.assert_allclose(conservation(codes("AAA", "AAA"), DNA, window=2), [0.548795] * 3, atol=1e-6)


def test_profile_by_hand():
    """Column A, A of kinds 1 and column A, C of kinds 2: α = ½; (½ × 1 + 10 × ¼) / 10½ = 2/7 against ¼."""
    log_odds = profile(codes("AAA-", "AC--")[:, :2], DNA)
    rare = math.log2(10 / 10.5)
    np.testing.assert_allclose(log_odds[0], [math.log2((3 / 10.5) / 0.25), rare, rare, rare])
    np.testing.assert_allclose(log_odds[1], [math.log2((2.75 / 10.5) / 0.25)] * 2 + [rare] * 2)
    np.testing.assert_allclose(profile(codes("A-", "C-"), DNA)[1], 0.0, atol=1e-12)
