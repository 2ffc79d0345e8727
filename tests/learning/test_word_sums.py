import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.encoding import EncodedSequences
from motifcnn.inputs.shuffles import Shuffles
from motifcnn.learning.calibration import calibrate
from motifcnn.learning.training import TrainingData, predict_logits
from motifcnn.learning.word_ridge import fit_words
from motifcnn.learning.word_sums import fit_sums
from motifcnn.model.network import MotifNetwork
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings, TrainingSettings
from motifcnn.significance import rank_auroc

BINARY = Objective("binary", ("bound",), weights=(1.0,))
MODEL = ModelSettings(filters=3, filter_width=8, restarts=2, strands="both")
SETTINGS = TrainingSettings()


def examples(generator, count=300, alphabet=DNA):
    """Sequences of which the odd ones are richer in a word with a free letter, without any strong site."""
    codes = [generator.integers(0, 4, 60).astype(np.uint8) for _ in range(count)]
    labels = np.arange(count) % 2
    for sequence, label in zip(codes, labels, strict=True):
        for start in (5, 20, 35) if label else ():
            sequence[start : start + 7] = [0, 1, 2, 3, 0, 1, 1]
            sequence[start + 3] = generator.integers(0, 4)
            sequence[start + generator.integers(0, 7)] = generator.integers(0, 4)
    sequences = Sequences.from_list([f"s{n}" for n in range(count)], codes, alphabet)
    return sequences, labels.astype(np.float32)[:, None]


def data_of(sequences, values):
    count = len(sequences)
    order = np.arange(count)
    return TrainingData(EncodedSequences(sequences), values, order[: count // 2], order[count // 2 : count * 2 // 3])


def added(sequences, values, objective=BINARY, settings=SETTINGS, model=MODEL):
    network = MotifNetwork(model, sequences.alphabet, 0, objective.outputs, seed=2).eval()
    data = data_of(sequences, values)
    calibrate(network, objective, data, sequences, settings)
    return network, predict_logits(network, data.encoded, np.arange(len(sequences)))


def test_words_find_what_untrained_filters_cannot(generator):
    sequences, values = examples(generator)
    rest = np.arange(200, 300)
    network, logits = added(sequences, values)
    _, without = added(sequences, values, settings=replace(SETTINGS, word_sums=False))
    positive = values[rest, 0] == 1
    assert rank_auroc(logits[rest, 0].numpy(), positive) > max(0.9, rank_auroc(without[rest, 0].numpy(), positive))
    assert network.words is not None


def test_both_strands_give_the_same(generator):
    sequences, values = examples(generator)
    network, logits = added(sequences, values)
    turned = Sequences.from_list(
        sequences.names, [DNA.reverse_complement(sequences[n]) for n in range(len(sequences))], DNA
    )
    other = predict_logits(network, EncodedSequences(turned), np.arange(len(sequences)))
    assert torch.allclose(other, logits, atol=1e-5)


def test_words_are_fitted_to_the_training_set_alone(generator):
    sequences, values = examples(generator)
    network, _ = added(sequences, values)
    train = np.arange(150)
    expected, _ = fit_words(
        sequences.subset(train), values[train].astype(np.float64), 8, 6, True, SETTINGS.word_penalty
    )
    ratio = network.words.weights.numpy() / np.where(np.abs(expected) > 1e-4, expected, np.nan)
    assert np.nanmax(ratio) == pytest.approx(np.nanmin(ratio), rel=1e-3)
    changed = values.copy()
    changed[200:] = 1 - changed[200:]
    again, _ = added(sequences, changed)
    assert torch.equal(again.words.weights, network.words.weights)


def test_they_can_be_switched_off_and_are_left_out_of_short_sequences(generator):
    sequences, values = examples(generator)
    assert added(sequences, values, settings=replace(SETTINGS, word_sums=False))[0].words is None
    short = Sequences.from_list(sequences.names, [sequences[n][:7] for n in range(len(sequences))], DNA)
    assert added(short, values, model=replace(MODEL, filter_width=5))[0].words is None


@pytest.mark.parametrize("task", ["multi-label", "classes", "regression"])
def test_every_task_gains(generator, task):
    sequences, values = examples(generator)
    rest = np.arange(200, 300)
    if task == "multi-label":
        objective = Objective(task, ("a", "b"), weights=(1.0, 1.0))
        values = np.column_stack([values[:, 0], generator.integers(0, 2, 300)]).astype(np.float32)
        values[::7, 0] = np.nan
    elif task == "classes":
        objective = Objective(task, ("kind",), ("no", "yes"), weights=(1.0, 1.0))
    else:
        objective = Objective(task, ("level",), means=(0.5,), deviations=(0.5,))
    _, logits = added(sequences, values, objective)
    truth = np.arange(300) % 2 == 1
    scores = logits[:, 1] - logits[:, 0] if task == "classes" else logits[:, 0]
    assert rank_auroc(scores[rest].numpy(), truth[rest]) > 0.9


def test_proteins_have_none(generator):
    sequences, values = examples(generator, alphabet=PROTEIN)
    assert added(sequences, values, model=replace(MODEL, strands="single"))[0].words is None


def test_of_many_sequences_some_are_fitted(generator, monkeypatch):
    sequences, values = examples(generator)
    monkeypatch.setattr("motifcnn.learning.word_sums._LETTERS", -(-int(sequences.lengths[:150].sum()) // 3))
    network, _ = added(sequences, values)
    some = np.arange(0, 150, 3)
    expected, _ = fit_words(sequences.subset(some), values[some].astype(np.float64), 8, 6, True, SETTINGS.word_penalty)
    ratio = network.words.weights.numpy() / np.where(np.abs(expected) > 1e-4, expected, np.nan)
    assert np.nanmax(ratio) == pytest.approx(np.nanmin(ratio), rel=1e-3)


def test_words_are_fitted_to_more_shuffles_too_that_count_together_as_much(generator):
    """Sevenfold, or as often as letters allow."""
    sequences, values = examples(generator)
    data, network = data_of(sequences, values), MotifNetwork(MODEL, DNA, 0, 1, seed=2)
    negatives = data.train[values[data.train, 0] == 0]
    shuffles = Shuffles(negatives, sequences.subset(negatives), k=2, seed=4)
    shown = Sequences.joined([sequences.subset(data.train), *(shuffles.drawn(n) for n in range(7))])
    targets = np.concatenate([values[data.train], np.zeros((7 * len(negatives), 1))])
    expected, _ = fit_words(
        shown, targets, 8, 6, True, SETTINGS.word_penalty, counts=np.where(targets[:, 0] == 0, 1 / 8, 1.0)
    )
    (branch,) = fit_sums(network, BINARY, replace(data, shuffles=shuffles), sequences, SETTINGS)
    assert branch.weights.numpy() == pytest.approx(10 * expected, abs=1e-4)


def test_codons_are_weighed_where_there_are_reading_frames(generator, genes, caplog):
    sequences = Sequences.from_list([f"s{n}" for n in range(300)], genes(300), DNA)
    values = (np.arange(300) % 2).astype(np.float32)[:, None]
    with caplog.at_level(logging.INFO, "motifcnn.learning.word_sums"):
        network, _ = added(sequences, values)
    assert "% of the training sequences have a reading frame; codons are summed" in caplog.text
    weights = network.reading_frames.weights[0]
    assert weights[::2].mean() < 0 < weights[1::2].mean()
    assert added(sequences, values, settings=replace(SETTINGS, reading_frames=False))[0].reading_frames is None
    assert added(sequences, values, settings=replace(SETTINGS, word_sums=False))[0].reading_frames is None
    assert added(*examples(generator))[0].reading_frames is None
