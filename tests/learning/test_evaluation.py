import math

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import average_precision_score, r2_score, roc_auc_score

from motifcnn.learning.evaluation import Scores, TargetScores, headline_score, score_predictions
from motifcnn.objectives import Objective

LABELS = Objective("multi-label", ("a", "b"), weights=(1.0, 1.0))
CLASSES = Objective("classes", ("kind",), ("x", "y", "z"), weights=(1.0,) * 3)
NUMBERS = Objective("regression", ("a", "b"), means=(0.0, 0.0), deviations=(1.0, 1.0))
BINARY = Objective("binary", ("label",), weights=(1.0,))
RARE = Objective("binary", ("label",), weights=(99.0,), rare=True)


def test_labels_are_scored_as_by_sklearn(generator):
    values = generator.integers(0, 2, (50, 2)).astype(np.float32)
    values[generator.random((50, 2)) < 0.2] = np.nan
    predictions = np.round(generator.random((50, 2)), 1)  # with ties
    scores = score_predictions(LABELS, predictions, values)
    for column, name in enumerate("ab"):
        known = ~np.isnan(values[:, column])
        truth, predicted = values[known, column], predictions[known, column]
        found = scores.per_target[name]
        assert (found.n, found.positives) == (known.sum(), truth.sum())
        assert found.auroc == pytest.approx(roc_auc_score(truth, predicted))
        assert found.average_precision == pytest.approx(average_precision_score(truth, predicted))
        assert math.isnan(found.pearson)
    assert scores.headline == pytest.approx(np.mean([s.auroc for s in scores.per_target.values()]))
    assert (scores.measures, scores.n, scores.guessing) == (("auroc", "average_precision"), 50, 0.5)


def test_each_class_is_scored_against_the_others(generator):
    values = generator.integers(0, 3, (60, 1)).astype(np.float32)
    values[5] = np.nan
    predictions = generator.dirichlet(np.ones(3), 60)
    scores = score_predictions(CLASSES, predictions, values)
    known = np.arange(60) != 5
    for column, name in enumerate("xyz"):
        truth = values[known, 0] == column
        assert scores.per_target[name].auroc == pytest.approx(roc_auc_score(truth, predictions[known, column]))
        assert scores.per_target[name].positives == truth.sum()


def test_numbers_are_scored_as_by_scipy(generator):
    values = generator.normal(size=(40, 2)).astype(np.float32)
    values[:4, 1] = np.nan
    predictions = values + generator.normal(size=(40, 2))
    predictions[:4, 1] = 0.3
    scores = score_predictions(NUMBERS, predictions, values)
    truth, predicted = values[4:, 1].astype(float), predictions[4:, 1]
    found = scores.per_target["b"]
    assert found.n == 36
    assert found.pearson == pytest.approx(pearsonr(truth, predicted).statistic)
    assert found.spearman == pytest.approx(spearmanr(truth, predicted).statistic)
    assert found.r2 == pytest.approx(r2_score(truth, predicted))
    assert math.isnan(found.auroc)
    assert scores.headline == pytest.approx((scores.per_target["a"].pearson + found.pearson) / 2)


def test_what_is_not_defined_is_nan_and_left_out_of_the_mean():
    values = np.array([[1, 1], [1, 0], [1, np.nan]], dtype=np.float32)
    scores = score_predictions(LABELS, np.array([[0.1, 0.9], [0.2, 0.1], [0.3, 0.5]]), values)
    assert math.isnan(scores.per_target["a"].auroc)
    assert scores.headline == 1.0
    assert math.isnan(Scores(("auroc",), 0, {"a": TargetScores(0)}).headline)


@pytest.mark.parametrize("values", [[[1], [2]], [[2], [2], [2], [2]]], ids=["two", "constant"])
def test_numbers_without_variety_have_no_correlation(values):
    objective = Objective("regression", ("a",), means=(0.0,), deviations=(1.0,))
    values = np.array(values, dtype=np.float32)
    assert math.isnan(score_predictions(objective, np.arange(len(values))[:, None] * 1.0, values).headline)
    assert math.isnan(score_predictions(objective, np.ones((5, 1)), np.arange(5)[:, None] * 1.0).headline)


def test_guessing_reaches_the_share_of_positives_where_these_are_rare(generator):
    values = np.array([[1]] * 3 + [[0]] * 97, dtype=np.float32)
    scores = score_predictions(RARE, np.zeros((100, 1)), values)  # which cannot tell anything apart
    assert scores.headline == scores.guessing == scores.share_of_positives == pytest.approx(0.03)
    assert score_predictions(LABELS, np.zeros((100, 2)), np.hstack([values, 1 - values])).share_of_positives == 0.5
    assert score_predictions(NUMBERS, np.zeros((100, 2)), values.repeat(2, axis=1)).guessing == 0.0
    assert math.isnan(score_predictions(RARE, np.zeros((97, 1)), values[3:]).guessing)


@pytest.mark.parametrize(
    "objective", [BINARY, LABELS, CLASSES, NUMBERS, RARE], ids=["binary", "labels", "classes", "numbers", "rare"]
)
def test_the_headline_alone_is_that_of_all_scores(objective, generator):
    values = generator.normal(size=(60, len(objective.targets)))
    if objective.task != "regression":
        values = generator.integers(0, 3 if objective.classes else 2, values.shape).astype(float)
    values[generator.random(values.shape) < 0.1] = np.nan
    for one_sided in (False, True):
        if one_sided and len(objective.targets) > 1:
            values[:, 1] = 1.0  # not defined for this target
        predictions = np.round(generator.normal(size=(60, objective.outputs)), 1)
        expected = score_predictions(objective, predictions, values.astype(np.float32)).headline
        assert headline_score(objective, predictions, values.astype(np.float32)) == pytest.approx(expected)
    assert math.isnan(headline_score(objective, predictions, np.full_like(values, np.nan)))
