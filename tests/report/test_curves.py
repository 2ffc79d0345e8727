import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from motifcnn.report.curves import auroc_interval, curves

EXAMPLES = st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=2, max_size=60).filter(
    lambda pairs: len({label for label, _ in pairs}) == 2
)


@given(EXAMPLES)
def test_areas_are_those_of_scikit_learn(pairs):
    labels, scores = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    found = curves(labels, scores)
    assert found.auroc == pytest.approx(roc_auc_score(labels, scores))
    assert found.average_precision == pytest.approx(average_precision_score(labels, scores))
    assert (found.positives, found.negatives) == (int(labels.sum()), int((1 - labels).sum()))


@given(EXAMPLES)
def test_curves_run_from_corner_to_corner(pairs):
    labels, scores = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    found = curves(labels, scores)
    for rate in (found.false_positive_rate, found.true_positive_rate, found.recall):
        assert rate[0] == 0
        assert rate[-1] == 1
        assert np.all(np.diff(rate) >= 0)
    assert np.all((found.precision >= 0) & (found.precision <= 1))


def test_many_points_are_thinned_but_counted():
    generator = np.random.default_rng(0)
    labels = (generator.random(20_000) < 0.3).astype(float)
    scores = labels + generator.normal(size=20_000)
    found = curves(labels, scores)
    assert len(found.false_positive_rate) <= 400
    assert found.auroc == pytest.approx(roc_auc_score(labels, scores))


def test_missing_labels_and_scores_are_left_out():
    found = curves(np.array([1, 0, np.nan, 1]), np.array([2, 1, 5, np.nan]))
    assert (found.positives, found.negatives, found.auroc) == (1, 1, 1.0)


@pytest.mark.parametrize("labels", [[1, 1], [0, 0], [np.nan, 1], []])
def test_one_kind_alone_has_no_curve(labels):
    assert curves(np.array(labels, dtype=float), np.zeros(len(labels))) is None


def test_interval_of_hanley_and_mcneil():
    # Their formula worked by hand for A = 0.9 and 50 of each: standard error 0.03212.
    low, high = auroc_interval(0.9, 50, 50)
    assert (high - low) / 2 == pytest.approx(1.96 * 0.03212, abs=1e-4)
    assert auroc_interval(0.99, 4, 4)[1] == 1.0


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(1)
    truth = 0.760  # of two normal distributions one standard deviation apart
    covered = 0
    for _ in range(200):
        labels = np.repeat([1.0, 0.0], 60)
        found = curves(labels, labels + generator.normal(size=120))
        low, high = auroc_interval(found.auroc, 60, 60)
        covered += low <= truth <= high
    assert 180 <= covered <= 200
