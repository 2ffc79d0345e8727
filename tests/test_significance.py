import math
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, fisher_exact
from sklearn.metrics import roc_auc_score

from motifcnn.significance import average_precision, best_thresholds, enrichment_test, found_more_often, rank_auroc


def slow_ratio(found_positives, found_others, positives, others):
    """Log-likelihood ratio of two shares against one, by the definition; 0 unless positives are found more often."""
    share = (found_positives + found_others) / (positives + others)
    if found_positives / positives <= found_others / others:
        return 0.0
    observed = [found_positives, found_others, positives - found_positives, others - found_others]
    expected = [share * positives, share * others, (1 - share) * positives, (1 - share) * others]
    return sum(o * math.log(o / e) for o, e in zip(observed, expected, strict=True) if o)


def slow_threshold(scores, positive, least):
    best = (0.0, None)
    for threshold in sorted(set(scores[np.isfinite(scores)]), reverse=True):
        found = scores >= threshold
        if (found & positive).sum() >= least:
            ratio = slow_ratio((found & positive).sum(), (found & ~positive).sum(), positive.sum(), (~positive).sum())
            if ratio > best[0] + 1e-12:
                best = (ratio, threshold)
    return best


@given(st.integers(0, 10_000), st.integers(1, 6))
@settings(max_examples=60)
def test_best_thresholds_are_those_of_loops(seed, least):
    generator = np.random.default_rng(seed)
    examples = int(generator.integers(4, 40))
    scores = generator.integers(-5, 6, (examples, 3)).astype(float)  # with many ties
    scores[generator.random(scores.shape) < 0.1] = -np.inf
    positive = generator.random(examples) < 0.5
    positive[:2] = [True, False]
    found = best_thresholds(scores, positive, least)
    for column in range(3):
        ratio, threshold = slow_threshold(scores[:, column], positive, least)
        assert found.statistic[column] == pytest.approx(ratio, abs=1e-9)
        if threshold is not None:
            assert found.values[column] == threshold


def test_depleted_motifs_have_no_statistic():
    positive = np.arange(20) < 10
    assert best_thresholds((~positive).astype(float)[:, None], positive).statistic.tolist() == [0.0]


def examples_with(found_positives, positives, found_others, others):
    scores = np.zeros(positives + others)
    scores[:found_positives] = 1.0
    scores[positives : positives + found_others] = 1.0
    return scores, np.arange(positives + others) < positives


@pytest.mark.parametrize("counts", [(30, 40, 10, 50), (5, 5, 0, 5), (40, 40, 60, 60), (3, 10, 9, 12), (0, 10, 3, 10)])
def test_equal_lengths_give_fishers_exact_test(counts):
    scores, positive = examples_with(*counts)
    test = enrichment_test(scores, positive, 1.0, np.full(len(scores), 100), 10)
    found_positives, positives, found_others, others = counts
    table = [[found_positives, positives - found_positives], [found_others, others - found_others]]
    assert test.p_value == pytest.approx(fisher_exact(table, alternative="greater").pvalue)
    assert (test.found_positives, test.positives, test.found_negatives, test.negatives) == counts
    assert test.auroc == pytest.approx(roc_auc_score(positive, scores))


def test_unequal_lengths_give_the_binomial_test_by_windows():
    scores, positive = examples_with(30, 40, 10, 50)
    lengths = np.where(positive, 200, 100)
    share = 40 * 191 / (40 * 191 + 50 * 91)
    expected = binomtest(30, 40, share, alternative="greater").pvalue
    assert enrichment_test(scores, positive, 1.0, lengths, 10).p_value == pytest.approx(expected)


@pytest.mark.parametrize(("longer", "exact"), [(100, True), (101, True), (102, False)])
def test_mean_windows_within_a_hundredth_count_as_equal(longer, exact):
    scores, positive = examples_with(30, 40, 10, 50)
    lengths = np.where(positive, longer, 100)
    p = enrichment_test(scores, positive, 1.0, lengths, 1).p_value
    fisher = fisher_exact([[30, 10], [10, 40]], alternative="greater").pvalue
    assert bool(p == pytest.approx(fisher)) == exact


@pytest.mark.parametrize(("positives", "others"), [(4, 50), (50, 4), (0, 9)])
def test_fewer_than_five_of_a_class_are_no_test(positives, others):
    scores, positive = examples_with(positives, positives, 1, others)
    test = enrichment_test(scores, positive, 1.0, np.full(len(scores), 100), 10)
    assert math.isnan(test.p_value)
    assert math.isnan(test.auroc)
    assert (test.positives, test.negatives) == (positives, others)


def test_five_of_each_class_are_a_test():
    scores, positive = examples_with(5, 5, 0, 5)
    assert enrichment_test(scores, positive, 1.0, np.full(10, 100), 10).p_value == pytest.approx(1 / 252)


@pytest.mark.parametrize("lengths", [(100, 100), (200, 100)])
def test_nothing_found_is_no_evidence(lengths):
    scores, positive = examples_with(0, 10, 0, 10)
    assert enrichment_test(scores, positive, 1.0, np.where(positive, *lengths), 10).p_value == 1.0


def test_examples_shorter_than_the_motif_are_not_found():
    positive = np.arange(20) < 10
    scores = np.where(positive, 3.0, -np.inf)
    test = enrichment_test(scores, positive, 3.0, np.where(positive, 100, 5), 10)
    assert (test.found_positives, test.found_negatives) == (10, 0)
    assert test.p_value == pytest.approx(1.0)  # all windows are the positives'
    assert test.auroc == 1.0


@given(st.integers(0, 10_000))
@settings(max_examples=30)
def test_auroc_is_that_of_sklearn_ties_included(seed):
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, 6, 30).astype(float)
    positive = np.append(generator.random(28) < 0.4, [True, False])
    assert rank_auroc(scores, positive) == pytest.approx(roc_auc_score(positive, scores))


@pytest.mark.parametrize("positive", [np.zeros(4, dtype=bool), np.ones(4, dtype=bool)])
def test_auroc_of_one_class_is_not_known(positive):
    assert math.isnan(rank_auroc(np.arange(4.0), positive))


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_strata_are_compared_within_themselves_as_by_enumeration(seed):
    generator = np.random.default_rng(seed)
    found, positive, strata = generator.random(8) < 0.5, generator.random(8) < 0.5, generator.integers(0, 2, 8)
    p_value = found_more_often(found, positive, np.ones(8), strata)
    mixed = [s for s in (0, 1) if 0 < positive[strata == s].sum() < (strata == s).sum()]
    if not mixed:
        assert math.isnan(p_value)
        return
    observed = sum((found & positive)[strata == s].sum() for s in mixed)
    # every way of handing the labels out within each stratum
    sums = [
        [sum(found[strata == s] & np.array(labels)) for labels in permutations(positive[strata == s])] for s in mixed
    ]
    expected = np.mean([sum(draw) >= observed for draw in product(*sums)])
    assert p_value == pytest.approx(expected)


def test_strata_of_unequal_lengths_add_binomials_up():
    found, positive = np.array([1, 1, 0, 0, 1, 0, 1, 1], dtype=bool), np.array([1, 0, 1, 0, 1, 1, 0, 1], dtype=bool)
    strata, windows = np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.where(positive, 20.0, 10.0)
    chances = [
        [math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]
        for n, share in ((2, 40 / 60), (3, 60 / 70))
    ]
    expected = sum(a * b for i, a in enumerate(chances[0]) for j, b in enumerate(chances[1]) if i + j >= 3)
    assert found_more_often(found, positive, windows, strata) == pytest.approx(expected)


@pytest.mark.parametrize("positive", [False, True])
def test_one_kind_alone_has_no_p_value(positive):
    assert math.isnan(found_more_often(np.arange(6) < 3, np.full(6, positive), np.ones(6), np.arange(6) % 2))


def test_one_stratum_is_no_stratum():
    scores, positive = examples_with(30, 40, 10, 50)
    p_value = found_more_often(scores > 0, positive, np.ones(90))
    assert p_value == found_more_often(scores > 0, positive, np.ones(90), np.full(90, 7))
    assert p_value == pytest.approx(fisher_exact([[30, 10], [10, 40]], alternative="greater").pvalue)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=30))
def test_average_precision_sums_precision_over_the_steps_of_recall(drawn):
    scores, positive = np.array([score for score, _ in drawn], dtype=float), np.array([label for _, label in drawn])
    found = average_precision(scores, positive)
    if not positive.any():
        assert math.isnan(found)
        return
    expected, before = 0.0, 0
    for threshold in sorted(set(scores), reverse=True):
        called = scores >= threshold
        hits = int((called & positive).sum())
        expected += (hits - before) / positive.sum() * hits / called.sum()
        before = hits
    assert found == pytest.approx(expected)
