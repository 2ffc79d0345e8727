import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.learning.paired_tests import delong, swap_test
from motifcnn.significance import rank_auroc


def slow_delong(positive, first, second):
    """DeLong et al. 1988 as it stands: all pairs, then covariances of the components."""

    def components(scores):
        wins = [
            [1.0 if high > low else 0.5 if high == low else 0.0 for low in scores[~positive]]
            for high in scores[positive]
        ]
        return np.mean(wins, axis=1), np.mean(wins, axis=0)

    by_positive, by_negative = zip(components(first), components(second), strict=True)
    covariance = np.cov(np.array(by_positive)) / positive.sum() + np.cov(np.array(by_negative)) / (~positive).sum()
    contrast = np.array([1.0, -1.0])
    return [np.mean(part) for part in by_positive], math.sqrt(max(float(contrast @ covariance @ contrast), 0.0))


@given(st.integers(0, 10_000), st.integers(5, 20), st.integers(5, 20), st.integers(2, 30))
def test_delong_is_that_of_all_pairs(seed, positives, negatives, levels):
    generator = np.random.default_rng(seed)
    positive = np.repeat([True, False], [positives, negatives])
    first, second = generator.integers(0, levels, (2, positives + negatives)).astype(float) + positive
    areas, error = slow_delong(positive, first, second)
    found = delong(positive, first, second)
    assert (found.first, found.second) == (pytest.approx(areas[0]), pytest.approx(areas[1]))
    assert found.first == pytest.approx(rank_auroc(first, positive))
    assert found.standard_error == pytest.approx(error, abs=1e-9)
    if error > 1e-6:
        assert found.p_value == pytest.approx(math.erfc(abs(areas[0] - areas[1]) / error / math.sqrt(2)))


def test_a_model_is_no_better_than_itself(generator):
    positive = generator.random(60) < 0.5
    scores = generator.normal(size=60)
    found = delong(positive, scores, scores)
    assert (found.difference, found.standard_error, found.p_value) == (0, 0, 1)


def test_delong_holds_its_level(generator):
    """Two equally noisy readings of one truth: 5% of the differences are called significant."""
    p_values = []
    for _ in range(400):
        positive = np.repeat([True, False], 60)
        shared = generator.normal(size=120) + positive
        readings = shared + generator.normal(size=(2, 120))
        p_values.append(delong(positive, *readings).p_value)
    assert 0.02 < np.mean(np.array(p_values) < 0.05) < 0.09
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.06)


def test_few_examples_give_no_p_value():
    positive = np.array([True] * 4 + [False] * 20)
    found = delong(positive, positive.astype(float), np.zeros(24))
    assert (found.first, found.second) == (1.0, 0.5)
    assert math.isnan(found.p_value)


def mean_of(predictions):
    return float(predictions.mean())


def test_swapping_tells_a_better_model(generator):
    first, second = generator.normal(size=(50, 1)), generator.normal(size=(50, 1))
    better = swap_test(mean_of, first + 2, second, generator, 199)
    assert better.p_value == pytest.approx(1 / 200)
    assert better.method == "permutation"
    assert better.difference == pytest.approx(mean_of(first) + 2 - mean_of(second))
    assert swap_test(mean_of, first, first, generator, 19).p_value == 1


def test_swapping_is_exact_on_two_examples(generator):
    """Leads 1 and 2: the four swaps give 3, 1, -1, -3, so half of them are as far as 3."""
    found = swap_test(lambda p: float(p.sum()), np.array([[1.0], [2.0]]), np.zeros((2, 1)), generator, 4000)
    assert found.p_value == pytest.approx(0.5, abs=0.03)


def test_what_cannot_be_scored_has_no_p_value(generator):
    found = swap_test(lambda _: math.nan, np.zeros((3, 1)), np.zeros((3, 1)), generator)
    assert math.isnan(found.p_value)
    assert math.isnan(found.difference)
