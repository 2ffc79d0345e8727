from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.motifs import LogOdds, Motif
from motifcnn.scanning.distribution import UNITS_PER_BIT, Chain, IntegerMotif

UNIFORM = np.full(4, 0.25)
SKEWED = np.array([0.4, 0.1, 0.15, 0.35])


def integer_motif(seed, width, background, concentration=0.5):
    generator = np.random.default_rng(seed)
    motif = Motif("m", generator.dirichlet(np.full(4, concentration), width), DNA, sites=50)
    return IntegerMotif.from_log_odds(motif.log_odds(background))


def all_words(motif, background):
    """Score and chance of every word; of a chain's words where the background is one."""
    size = motif.scores.shape[1]
    scores, chances, last = np.zeros(1, dtype=np.int64), np.ones(1), None
    for column in motif.scores:
        following = background
        if isinstance(background, Chain):
            following = background.first if last is None else background.following[last]
        scores = (scores[:, None] + column).ravel()
        chances = (chances[:, None] * following).ravel()
        last = np.tile(np.arange(size), len(scores) // size)
    return scores, chances


def random_background(generator, size, order, *, same_on_both_strands=False):
    """Letter frequencies, or a chain; with `same_on_both_strands`, in its own equilibrium, too."""
    pairs = generator.integers(1, 100, (size, size)).astype(float)
    if same_on_both_strands:  # pairs that are as frequent turned round, and whose letters begin as many as they end
        pairs += pairs[::-1, ::-1].T
        pairs += pairs.T
    return Chain.from_pairs(pairs) if order else pairs.sum(axis=1) / pairs.sum()


def assert_enumerated(motif, scores, chances):
    """Every score's p-value is the sum over all words that score as much or more."""
    order = np.argsort(-scores, kind="stable")
    values, last_places = np.unique(-scores[order], return_index=True)
    ends = np.append(last_places[1:], len(scores))
    sums = np.cumsum(chances[order])[ends - 1]
    np.testing.assert_allclose(motif.p_values(-values), sums, rtol=1e-9)
    assert (np.diff(motif.survival) <= 0).all()
    assert (scores.min(), scores.max()) == (motif.lowest, motif.highest)


@pytest.mark.parametrize("order", [0, 1])
@given(seed=st.integers(0, 9999), width=st.integers(1, 8))
@settings(max_examples=40)
def test_p_values_are_those_of_full_enumeration(order, seed, width):
    generator = np.random.default_rng(seed)
    background = random_background(generator, 4, order)
    probabilities = generator.dirichlet(np.full(4, generator.choice([0.1, 0.5, 5.0])), width)
    frequencies = background.first if order else background
    matrix = Motif("m", probabilities, DNA, sites=50).log_odds(frequencies)
    motif = IntegerMotif.from_log_odds(matrix, background if order else None)
    assert_enumerated(motif, *all_words(motif, background))


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_p_values_of_protein_motifs_are_those_of_full_enumeration(order, width):
    generator = np.random.default_rng(width)
    background = random_background(generator, 20, order)
    matrix = Motif("m", generator.dirichlet(np.full(20, 0.2), width), PROTEIN, sites=50).log_odds(np.full(20, 0.05))
    chosen = background if order else matrix.background
    motif = IntegerMotif.from_log_odds(matrix, background if order else None)
    assert_enumerated(motif, *all_words(motif, chosen))


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("width", range(1, 9))
def test_p_values_of_the_other_strand_are_those_of_full_enumeration(order, width):
    """Where letters and pairs are as frequent on both strands, one p-value serves both."""
    generator = np.random.default_rng(width)
    background = random_background(generator, 4, order, same_on_both_strands=True)
    frequencies = background.first if order else background
    matrix = Motif("m", generator.dirichlet(np.full(4, 0.5), width), DNA, sites=50).log_odds(frequencies)
    motif = IntegerMotif.from_log_odds(matrix, background if order else None)
    turned = replace(motif, scores=motif.reverse_complement(DNA.complement_codes))
    assert_enumerated(motif, *all_words(turned, background))


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("seed", range(4))
def test_the_better_of_both_strands_has_about_the_p_value_of_two_independent_ones(order, seed):
    """Of all words: never more than twice that of one strand, and 1 - (1 - p)² unless the motif is a palindrome."""
    generator = np.random.default_rng(seed)
    background = random_background(generator, 4, order, same_on_both_strands=True)
    half = generator.dirichlet(np.full(4, 0.5), 4)
    columns = {"palindrome": np.concatenate([half, half[::-1, ::-1]]), "other": generator.dirichlet(np.full(4, 0.5), 8)}
    for kind, probabilities in columns.items():
        matrix = Motif("m", probabilities, DNA, sites=50).log_odds(background.first if order else background)
        motif = IntegerMotif.from_log_odds(matrix, background if order else None)
        turned = replace(motif, scores=motif.reverse_complement(DNA.complement_codes))
        scores, chances = all_words(motif, background)
        better = np.maximum(scores, all_words(turned, background)[0])
        for p in (1e-2, 1e-3):
            threshold = motif.threshold(p)
            one = float(motif.p_values(np.array([threshold]))[0])
            both = chances[better >= threshold].sum()
            assert both <= 2 * one * (1 + 1e-9)
            assert both == pytest.approx(one if kind == "palindrome" else 1 - (1 - one) ** 2, rel=0.1)


@given(seed=st.integers(0, 999), width=st.integers(1, 5), p_value=st.sampled_from([1.0, 0.31, 0.0123, 0.00123]))
@example(seed=402, width=2, p_value=0.31)  # some words have just this p-value, but for rounding
@settings(max_examples=40)
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


def test_a_chain_without_memory_is_the_order_0_background():
    chain = Chain(SKEWED, np.tile(SKEWED, (4, 1)))
    matrix = Motif("m", np.random.default_rng(2).dirichlet(np.ones(4), 9), DNA, sites=50).log_odds(SKEWED)
    plain = IntegerMotif.from_log_odds(matrix)
    np.testing.assert_allclose(IntegerMotif.from_log_odds(matrix, chain).survival, plain.survival, rtol=1e-9)


@given(seed=st.integers(0, 99), p_value=st.sampled_from([1.0, 0.1, 0.001]))
@settings(max_examples=20)
def test_a_tail_keeps_what_is_at_or_above_the_threshold(seed, p_value):
    motif = integer_motif(seed, 6, SKEWED)
    threshold = motif.threshold(p_value)
    tail = motif.tail(threshold)
    scores = np.arange(threshold, motif.highest + 1)
    assert (tail.lowest, tail.highest, tail.threshold(p_value)) == (threshold, motif.highest, threshold)
    assert (tail.p_values(scores) == motif.p_values(scores)).all()
    assert motif.tail(motif.lowest - 5).survival.tolist() == motif.survival.tolist()
