import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import average_precision_score, r2_score, roc_auc_score

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.evaluation import Scores, TargetScores, baseline_features, fit_baselines, score_predictions
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences

LABELS = Objective("multi-label", ("a", "b"), weights=(1.0, 1.0))
CLASSES = Objective("classes", ("kind",), ("x", "y", "z"), weights=(1.0,) * 3)
NUMBERS = Objective("regression", ("a", "b"), means=(0.0, 0.0), deviations=(1.0, 1.0))
BINARY = Objective("binary", ("label",), weights=(1.0,))


def random_sequences(generator, alphabet, lengths, frequencies=None):
    codes = [generator.choice(alphabet.size, length, p=frequencies).astype(np.uint8) for length in lengths]
    return Sequences.from_list([f"s{n}" for n in range(len(codes))], codes, alphabet)


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
    assert (scores.task, scores.n) == ("multi-label", 50)


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
    assert math.isnan(Scores("binary", 0, {"a": TargetScores(0)}).headline)


@pytest.mark.parametrize("values", [[[1], [2]], [[2], [2], [2], [2]]], ids=["two", "constant"])
def test_numbers_without_variety_have_no_correlation(values):
    objective = Objective("regression", ("a",), means=(0.0,), deviations=(1.0,))
    values = np.array(values, dtype=np.float32)
    assert math.isnan(score_predictions(objective, np.arange(len(values))[:, None] * 1.0, values).headline)
    assert math.isnan(score_predictions(objective, np.ones((5, 1)), np.arange(5)[:, None] * 1.0).headline)


def slow_frequencies(text, letters, width):
    words = ["".join(word) for word in product(letters, repeat=width)]
    counts = [sum(text[i : i + width] == word for i in range(len(text) - width + 1)) for word in words]
    return [count / max(1, sum(counts)) for count in counts]


@given(
    st.lists(st.text("ACGTN", min_size=1, max_size=15), min_size=2, max_size=6).filter(lambda t: len("".join(t)) > 1)
)
@settings(max_examples=60, deadline=None)
def test_word_frequencies_are_those_of_loops(texts):
    sequences = Sequences.from_list([f"s{n}" for n in range(len(texts))], [DNA.encode(t) for t in texts], DNA)
    features = baseline_features(sequences)
    assert list(features) == ["gc", "dinucleotides", "length"]
    for row, text in enumerate(texts):
        assert features["dinucleotides"][row] == pytest.approx(slow_frequencies(text, "ACGT", 2))
        single = slow_frequencies(text, "ACGT", 1)
        assert features["gc"][row] == pytest.approx([single[1] + single[2]])
        assert features["length"][row] == pytest.approx([math.log(len(text))])


def test_protein_has_composition_and_length(generator):
    sequences = random_sequences(generator, PROTEIN, [9, 30])
    features = baseline_features(sequences)
    assert list(features) == ["composition", "length"]
    text = PROTEIN.decode(sequences[1])
    assert features["composition"][1] == pytest.approx(slow_frequencies(text, PROTEIN.letters, 1))


def baselines(objective, sequences, values):
    fitted, scored = np.arange(0, 80), np.arange(80, 120)
    found = fit_baselines(objective, sequences, values, fitted, scored)
    return {baseline.name: baseline for baseline in found}


def biased(generator, alphabet=DNA):
    """Every other sequence is rich in G and C; all are of one length."""
    rich = random_sequences(generator, alphabet, [60] * 60, [0.15, 0.35, 0.35, 0.15])
    poor = random_sequences(generator, alphabet, [60] * 60, [0.35, 0.15, 0.15, 0.35])
    codes = [(rich if n % 2 else poor)[n // 2] for n in range(120)]
    return Sequences.from_list([f"s{n}" for n in range(120)], codes, alphabet), (np.arange(120) % 2).astype(np.float32)


@pytest.mark.parametrize("alphabet", [DNA, RNA], ids=lambda a: a.name)
def test_baselines_find_what_is_trivial_and_nothing_else(generator, alphabet):
    sequences, rich = biased(generator, alphabet)
    found = baselines(BINARY, sequences, rich[:, None])
    assert found["gc"].scores.headline > 0.95
    assert found["dinucleotides"].scores.headline > 0.9
    assert found["length"].scores.headline == 0.5
    assert found["gc"].predictions.shape == (40, 1)
    assert found["gc"].scores.n == 40


def test_length_is_a_baseline_of_its_own(generator):
    long = np.arange(120) % 2
    sequences = random_sequences(generator, DNA, 50 + 30 * long)
    found = baselines(BINARY, sequences, long[:, None].astype(np.float32))
    assert found["length"].scores.headline == 1.0


def test_baselines_of_classes_and_numbers_with_missing_values(generator):
    sequences, rich = biased(generator)
    kinds = np.where(rich == 1, 2, 0)[:, None].astype(np.float32)
    kinds[::10] = np.nan
    found = baselines(CLASSES, sequences, kinds)["gc"]
    assert found.predictions.shape == (40, 3)
    assert found.scores.per_target["z"].auroc > 0.9
    assert (found.predictions[:, 1] == 0).all()  # a class without a training example
    numbers = np.stack([rich * 3 + 1, -rich], axis=1)
    numbers[::7, 1] = np.nan
    gc = baselines(NUMBERS, sequences, numbers)["gc"]
    assert gc.scores.headline > 0.7
    assert gc.predictions[:, 0].mean() == pytest.approx(2.5, abs=0.3)


def test_what_is_scored_takes_no_part_in_the_fit(generator):
    sequences, rich = biased(generator)
    changed = rich.copy()
    changed[80:] = 1 - changed[80:]
    before = baselines(BINARY, sequences, rich[:, None])["gc"].predictions
    assert np.array_equal(before, baselines(BINARY, sequences, changed[:, None])["gc"].predictions)
