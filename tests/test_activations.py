from dataclasses import replace

import numpy as np
import pytest
import torch

from motifcnn.activations import activation_tracks, windows_above
from motifcnn.alphabet import DNA
from motifcnn.encoding import EncodedSequences, TrackScale
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings

WIDTH = 5
SETTINGS = ModelSettings(filters=3, filter_width=WIDTH, restarts=2, strands="both")


@pytest.fixture
def sequences(generator):
    codes = [generator.integers(0, 5, length).astype(np.uint8) for length in (30, 12, 5, 41)]
    return Sequences.from_list(list("abcd"), codes, DNA)


def model_of(settings=SETTINGS, scales=()):
    network = MotifNetwork(settings, DNA, len(scales), 1, seed=1)
    with torch.no_grad():
        network.norm.log_gain.add_(torch.linspace(-0.5, 0.5, 6))
        network.norm.running_mean.add_(torch.linspace(-1, 1, 6))
        network.norm.running_variance.mul_(torch.linspace(0.5, 2, 6))
    return TrainedModel(network.eval(), Objective("binary", ("label",), weights=(1.0,)), DNA, scales)


def slow_track(model, number, codes):
    """Scores and activations of one filter by loops, each at the middle of its window."""
    weight = model.network.filters.weight[number].detach().numpy()
    norm = model.network.norm
    log_gain, shift = norm.log_gain.detach().numpy()[number], norm.shift.detach().numpy()[number]
    gain = np.exp(log_gain) / np.sqrt(norm.running_variance.numpy()[number] + 1e-5)
    shift = shift - norm.running_mean.numpy()[number] * gain
    scores, activations = np.full(len(codes), -np.inf), np.zeros(len(codes))
    for start in range(len(codes) - WIDTH + 1):
        window = codes[start : start + WIDTH]
        score = max((weight.T * DNA.fractions[reading]).sum() for reading in (window, DNA.reverse_complement(window)))
        middle = start + (WIDTH - 1) // 2
        scores[middle] = score
        normed = score * gain + shift
        activations[middle] = np.exp(normed) if model.network.settings.activation == "exp" else max(0.0, normed)
    return scores, activations


@pytest.mark.parametrize("activation", ["relu", "exp"])
def test_tracks_are_those_of_loops(sequences, activation):
    model = model_of(replace(SETTINGS, activation=activation))
    found = list(activation_tracks(model, sequences, [4, 1]))
    assert [tracks.index for tracks in found] == [0, 1, 2, 3]
    for tracks in found:
        for row, number in enumerate((4, 1)):
            scores, activations = slow_track(model, number, sequences[tracks.index])
            assert tracks.scores[row] == pytest.approx(scores, abs=1e-5)
            assert tracks.activations[row] == pytest.approx(activations, abs=1e-4)


def test_tracks_do_not_depend_on_the_batch(sequences, monkeypatch):
    model = model_of()
    together = list(activation_tracks(model, sequences, [0]))
    monkeypatch.setattr("motifcnn.activations._BATCH", 1)
    for first, second in zip(together, activation_tracks(model, sequences, [0]), strict=True):
        assert first.scores == pytest.approx(second.scores, abs=1e-5)


def test_best_of_a_track_is_what_the_head_sees(sequences):
    """The greatest activation of each track is the pooled feature."""
    model = model_of()
    with torch.no_grad():
        pooled = model.network.activate(model.network.pooled(EncodedSequences(sequences).batch(torch.arange(4))).scores)
    for tracks in activation_tracks(model, sequences, range(6)):
        assert tracks.activations.max(axis=1) == pytest.approx(pooled[tracks.index, :, 0].numpy(), abs=1e-5)


def test_further_channels_count(sequences, generator):
    model = model_of(scales=(TrackScale("phyloP", 0.0, 1.0),))
    tracks = generator.normal(size=(1, len(sequences.codes))).astype(np.float32)
    first = next(activation_tracks(model, sequences, [0], tracks))
    second = next(activation_tracks(model, sequences, [0], tracks + 1))
    assert not np.allclose(first.scores[:, 2:-2], second.scores[:, 2:-2])


@pytest.mark.parametrize("width", [4, 5])
def test_windows_above_are_those_that_score(width):
    scores = np.full(10, -np.inf, dtype=np.float32)
    left = (width - 1) // 2
    for start, score in ((0, 2.0), (3, 1.0), (10 - width, 1.5)):
        scores[start + left] = score
    assert windows_above(scores, width, 1.5) == [(0, width), (10 - width, 10)]
    assert windows_above(scores, width, 9.0) == []
