from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from motifcnn.alphabet import DNA
from motifcnn.motifs import LogOdds, Motif
from motifcnn.scanning.distribution import UNITS_PER_BIT, Chain, IntegerMotif

UNIFORM = np.full(4, 0.25)
SKEWED = np.array([0.4, 0.1, 0.15, 0.35])


def integer_motif(seed, width, background, concentration=0.5):
    generator = np.random.default_rng(seed)
    motif = Motif("m", generator.dirichlet(np.full(4, concentration), width), DNA, sites=50)
    return IntegerMotif.from_log_odds(motif.log_odds(background))


def all_words(motif, background):
    """Score and chance of every word."""
    words = np.array(list(product(range(4), repeat=motif.width)))
    scores = motif.scores[np.arange(motif.width), words].sum(axis=1)
    return scores, background[words].prod(axis=1)


@given(seed=st.integers(0, 999), width=st.integers(1, 6), skewed=st.booleans())
@settings(max_examples=40, deadline=None)
def test_p_values_are_those_of_full_enumeration(seed, width, skewed):
    background = SKEWED if skewed else UNIFORM
    motif = integer_motif(seed, width, background)
    scores, chances = all_words(motif, background)
    assert (scores.min(), scores.max()) == (motif.lowest, motif.highest)
    for score in np.unique(scores)[:: max(1, len(np.unique(scores)) // 50)]:
        enumerated = chances[scores >= score].sum()
        assert motif.p_values(np.array([score]))[0] == pytest.approx(enumerated, rel=1e-9)


@given(seed=st.integers(0, 999), width=st.integers(1, 5), p_value=st.sampled_from([1.0, 0.31, 0.0123, 0.00123]))
@example(seed=402, width=2, p_value=0.31)  # some words have just this p-value, but for rounding
@settings(max_examples=40, deadline=None)
def test_threshold_is_the_least_score_with_the_p_value(seed, width, p_value):
    motif = integer_motif(seed, width, SKEWED)
    scores, chances = all_words(motif, SKEWED)
    threshold = motif.threshold(p_value)
    rare = [score for score in np.unique(scores) if chances[scores >= score].sum() <= p_value + 1e-12]
    if not rare:
        assert threshold is None
    else:
        assert (scores >= threshold).sum() == (scores >= rare[0]).sum()  # the same words reach both


def test_p_value_never_rises_with_the_score_and_is_1_at_the_lowest():
    motif = integer_motif(3, 19, SKEWED)
    assert motif.survival[0] == pytest.approx(1.0)
    assert (np.diff(motif.survival) <= 0).all()
    assert motif.p_values(np.array([motif.lowest - 10, motif.highest + 10])).tolist() == [1.0, motif.survival[-1]]


def test_smallest_p_value_of_a_wide_motif_keeps_its_digits():
    motif = integer_motif(5, 30, SKEWED, concentration=0.05)
    best = motif.scores == motif.scores.max(axis=1, keepdims=True)
    assert motif.survival[-1] == pytest.approx((best * SKEWED).sum(axis=1).prod(), rel=1e-9)
    assert motif.survival[-1] < 1e-12


def test_scores_are_the_log_odds_within_the_rounding():
    motif = Motif("m", np.random.default_rng(1).dirichlet(np.ones(4), 12), DNA).log_odds(SKEWED)
    ready = IntegerMotif.from_log_odds(motif)
    assert np.abs(ready.scores / UNITS_PER_BIT - motif.scores).max() <= 0.5 / UNITS_PER_BIT
    assert (ready.name, ready.width) == ("m", 12)


def test_excluded_letters_cost_more_than_any_motif_gains():
    scores = np.array([[2.0, -np.inf, -np.inf, -np.inf]] * 4)
    motif = IntegerMotif.from_log_odds(LogOdds("m", scores, DNA, UNIFORM))
    assert motif.highest == 4 * 2 * UNITS_PER_BIT
    assert motif.p_values(np.array([0, motif.highest])).tolist() == [0.25**4] * 2


def test_reverse_complement_reads_the_other_strand():
    motif = integer_motif(2, 7, UNIFORM)
    other = motif.reverse_complement(DNA.complement_codes)
    word = np.array([0, 1, 1, 3, 2, 0, 2], dtype=np.uint8)
    turned = DNA.reverse_complement(word)
    positions = np.arange(7)
    assert other[positions, word].sum() == motif.scores[positions, turned].sum()


@given(seed=st.integers(0, 999), width=st.integers(1, 6))
@settings(max_examples=20, deadline=None)
def test_p_values_under_a_chain_are_those_of_full_enumeration(seed, width):
    generator = np.random.default_rng(seed)
    chain = Chain.from_pairs(generator.integers(1, 100, (4, 4)).astype(float))
    matrix = Motif("m", generator.dirichlet(np.full(4, 0.5), width), DNA, sites=50).log_odds(SKEWED)
    motif = IntegerMotif.from_log_odds(matrix, chain)
    words = np.array(list(product(range(4), repeat=width)))
    scores = motif.scores[np.arange(width), words].sum(axis=1)
    chances = chain.first[words[:, 0]] * chain.following[words[:, :-1], words[:, 1:]].prod(axis=1)
    assert chances.sum() == pytest.approx(1.0)
    for score in np.unique(scores)[:: max(1, len(np.unique(scores)) // 50)]:
        assert motif.p_values(np.array([score]))[0] == pytest.approx(chances[scores >= score].sum(), rel=1e-9)


def test_a_chain_without_memory_is_the_order_0_background():
    chain = Chain(SKEWED, np.tile(SKEWED, (4, 1)))
    matrix = Motif("m", np.random.default_rng(2).dirichlet(np.ones(4), 9), DNA, sites=50).log_odds(SKEWED)
    plain = IntegerMotif.from_log_odds(matrix)
    np.testing.assert_allclose(IntegerMotif.from_log_odds(matrix, chain).survival, plain.survival, rtol=1e-9)
