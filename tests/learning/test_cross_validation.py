import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.inputs.examples import Examples
from motifcnn.learning.cross_validation import (
    cross_validate,
    cross_validation_metrics,
    fold_predictions_table,
    folds_table,
)
from motifcnn.learning.folds import Fold
from motifcnn.objectives import Objective
from motifcnn.ranks import ALONE
from motifcnn.sequences import Sequences

GUESSES = np.array([0.9, 0.1, 0.8, 0.7, 0.2, 0.3, 0.4, 0.6, 0.2, 0.1])
"""Of ten examples, every second one negative."""


class Mail:
    """Ranks of which the messages are kept."""

    def __init__(self, rank, sent):
        self.rank, self.size, self.is_first, self._sent = rank, 2, rank == 0, sent

    def send(self, data):
        self._sent.append(data)

    def receive(self, rank):
        assert rank == 1
        return self._sent.pop(0)


def folds_of(task="binary"):
    sequences = Sequences.from_list([f"s{n}" for n in range(10)], [np.zeros(5, dtype=np.uint8)] * 10, DNA)
    values = ((np.arange(10) + 1) % 2)[:, None].astype(np.float32)
    if task == "regression":
        values = np.arange(10, dtype=np.float32)[:, None]
    tracks = np.empty((0, 50), dtype=np.float32)
    names = [("b", (5, 6, 7, 8, 9)), ("a", (0, 1, 2, 3, 4))]
    splits = [np.where(np.isin(np.arange(10), held_out), 2, 0).astype(np.int8) for _, held_out in names]
    return [
        Fold(name, Examples(sequences, task, ("label",), (), values, tracks, (), split))
        for (name, _), split in zip(names, splits, strict=True)
    ]


def guess(fold):
    return GUESSES[fold.examples.part("test")][:, None]


def test_mean_and_deviation_are_those_of_the_folds():
    found = cross_validate(folds_of(), Objective("binary", ("label",), weights=(1.0,)), guess, ALONE)
    # first fold: positives 6, 8 (.4, .2) against 5, 7, 9 (.3, .6, .1); second: .9, .8, .2 against .1, .7
    each = [3 / 6, 5 / 6]
    figures = cross_validation_metrics(found)
    assert figures["folds"] == 2
    assert figures["measure"] == "auroc"
    assert figures["auroc"]["each"] == pytest.approx(each)
    assert figures["auroc"]["mean"] == pytest.approx(np.mean(each))
    assert figures["auroc"]["standard_deviation"] == pytest.approx(abs(each[0] - each[1]) / 2**0.5)
    table = folds_table(found)
    assert table.to_dict("list")["fold"] == ["b", "a"]
    assert table[["train", "validation", "test", "positives"]].to_numpy().tolist() == [[5, 0, 5, 2], [5, 0, 5, 3]]


def test_predictions_stand_in_the_order_of_the_examples():
    found = cross_validate(folds_of(), Objective("binary", ("label",), weights=(1.0,)), guess, ALONE)
    table = fold_predictions_table(found)
    assert table["id"].tolist() == [f"s{n}" for n in range(10)]
    assert table["fold"].tolist() == ["a"] * 5 + ["b"] * 5
    assert table["predicted_label"].to_numpy() == pytest.approx(GUESSES)


def test_numbers_have_correlations():
    objective = Objective("regression", ("label",), means=(0.0,), deviations=(1.0,))
    found = cross_validate(folds_of("regression"), objective, guess, ALONE)
    figures = cross_validation_metrics(found)
    assert set(figures) == {"folds", "measure", "pearson", "spearman", "r2"}
    assert "positives" not in folds_table(found)


def test_processes_take_turns_and_the_first_has_all():
    objective, sent, trained = Objective("binary", ("label",), weights=(1.0,)), [], []

    def noted(fold):
        trained.append(fold.name)
        return guess(fold)

    assert cross_validate(folds_of(), objective, noted, Mail(1, sent)) is None
    assert trained == ["a"]
    found = cross_validate(folds_of(), objective, noted, Mail(0, sent))
    assert trained == ["a", "b"]
    alone = cross_validate(folds_of(), objective, guess, ALONE)
    assert cross_validation_metrics(found) == cross_validation_metrics(alone)
    assert fold_predictions_table(found).equals(fold_predictions_table(alone))


def test_without_folds_nothing_is_done():
    assert cross_validate((), Objective("binary", ("label",), weights=(1.0,)), guess, ALONE) is None
