from dataclasses import replace

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA
from motifcnn.encoding import EncodedSequences, TrackScale
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings
from motifcnn.tracks.activations import class_activation_map, logit_offsets, window_scores

WIDTH = 5
SETTINGS = ModelSettings(filters=3, filter_width=WIDTH, restarts=2, strands="both")
OBJECTIVE = Objective("multi-label", ("a", "b"), weights=(1.0, 1.0))
SCALES = (TrackScale("phyloP", 0.5, 2.0),)


@pytest.fixture
def sequences(generator):
    codes = [generator.integers(0, 5, length).astype(np.uint8) for length in (30, 12, 5, 41)]
    return Sequences.from_list(list("abcd"), codes, DNA)


def model_of(settings=SETTINGS, scales=()):
    network = MotifNetwork(settings, DNA, len(scales), 2, seed=1)
    with torch.no_grad():
        network.norm.log_gain.add_(torch.linspace(-0.5, 0.5, 6))
        network.norm.running_mean.add_(torch.linspace(-1, 1, 6))
        network.norm.running_variance.mul_(torch.linspace(0.5, 2, 6))
        if network.placement is not None:
            torch.nn.init.normal_(network.placement.values, 0, 1, generator=torch.Generator().manual_seed(5))
        network.bias.add_(torch.tensor([[0.5, -1.0], [1.5, 2.0]]))
    return TrainedModel(network.eval(), OBJECTIVE, DNA, scales)


def slow_scores(model, number, codes):
    """Score, activation and strand of one filter at each window, by loops."""
    weight = model.network.filters.weight[number].detach().numpy()
    norm = model.network.norm
    gain = np.exp(norm.log_gain.detach().numpy()[number]) / np.sqrt(norm.running_variance.numpy()[number] + 1e-5)
    shift = norm.shift.detach().numpy()[number] - norm.running_mean.numpy()[number] * gain
    rows = []
    for start in range(len(codes) - WIDTH + 1):
        window = codes[start : start + WIDTH]
        forward, reverse = (
            (weight.T * DNA.fractions[reading]).sum() for reading in (window, DNA.reverse_complement(window))
        )
        normed = max(forward, reverse) * gain + shift
        activation = np.exp(normed) if model.network.settings.activation == "exp" else max(0.0, normed)
        rows.append((max(forward, reverse), activation, reverse > forward))
    return (np.array(column) for column in zip(*rows, strict=True))


def joined(pieces, name):
    """Values of each sequence over all its pieces."""
    found = {}
    for piece in pieces:
        assert piece.start == sum(part.shape[1] for part in found.get(piece.sequence, []))
        found.setdefault(piece.sequence, []).append(getattr(piece, name))
    return {sequence: np.concatenate(parts, axis=1) for sequence, parts in found.items()}


@pytest.mark.parametrize("activation", ["relu", "exp"])
@pytest.mark.parametrize("piece", [2**14, 7])
def test_windows_score_as_by_loops_however_they_are_cut(sequences, activation, piece, monkeypatch):
    monkeypatch.setattr("motifcnn.tracks.activations._PIECE", piece)
    model = model_of(replace(SETTINGS, activation=activation))
    pieces = list(window_scores(model, sequences, [4, 1]))
    scores, activations, reverse = (joined(pieces, name) for name in ("scores", "activations", "reverse"))
    assert list(scores) == [0, 1, 2, 3]
    for sequence in range(4):
        for row, number in enumerate((4, 1)):
            slow, active, turned = slow_scores(model, number, sequences[sequence])
            assert scores[sequence][row] == pytest.approx(slow, abs=1e-5)
            assert activations[sequence][row] == pytest.approx(active, abs=1e-4)
            assert (reverse[sequence][row] == turned).mean() > 0.95  # but for palindromes


def test_batches_change_nothing(sequences, monkeypatch):
    model = model_of()
    together = list(window_scores(model, sequences, [0, 5]))
    monkeypatch.setattr("motifcnn.tracks.activations._BATCH_SCORES", 1)
    for first, second in zip(together, window_scores(model, sequences, [0, 5]), strict=True):
        assert first.sequence == second.sequence
        assert first.scores == pytest.approx(second.scores, abs=1e-5)
        assert (first.best_starts == second.best_starts).all()


def test_best_windows_are_what_the_head_sees(sequences):
    model = model_of()
    batch = EncodedSequences(sequences).batch(torch.arange(4))
    found = model.network.filters.best_windows(batch, model.network.placement)
    for piece in window_scores(model, sequences, []):
        assert piece.best == pytest.approx(found.scores[piece.sequence].detach().numpy(), abs=1e-5)
        assert (piece.best_starts == found.starts[piece.sequence].numpy()).all()


def test_further_channels_count_and_are_scaled(sequences, generator):
    model = model_of(scales=SCALES)
    tracks = generator.normal(size=(1, len(sequences.codes))).astype(np.float32)
    with torch.no_grad():
        batch = EncodedSequences(sequences, tracks, SCALES).batch(torch.arange(4))
        dense = model.network.filters(batch)[:, 2].numpy()
    for piece in window_scores(model, sequences, [2], tracks):
        expected = dense[piece.sequence][np.isfinite(dense[piece.sequence])]
        assert piece.scores[0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("sums", [False, True])
@pytest.mark.parametrize("activation", ["relu", "exp"])
def test_a_map_adds_up_to_the_logits(sequences, activation, sums, add_sums):
    model = model_of(replace(SETTINGS, activation=activation))
    if sums:
        add_sums(model.network)
    offsets = logit_offsets(model.network)
    assert offsets.tolist() == [1.0, 0.5]
    with torch.no_grad():
        logits = model.network.logits(EncodedSequences(sequences).batch(torch.arange(4))).numpy()
    for piece in window_scores(model, sequences, []):
        codes = sequences[piece.sequence]
        shared = class_activation_map(model.network, piece.best, piece.best_starts, codes)
        assert shared.shape == (2, len(codes))
        assert shared.sum(axis=1) + offsets == pytest.approx(logits[piece.sequence], abs=1e-4)


def test_a_map_lies_on_the_best_windows_of_filters():
    network = model_of().network
    best, starts = np.full(6, -50.0, dtype=np.float32), np.zeros(6, dtype=np.int64)
    best[3], starts[3] = 10.0, 7
    shared = class_activation_map(network, best, starts, np.zeros(20, dtype=np.uint8))
    assert np.flatnonzero(np.abs(shared).sum(axis=0)).tolist() == [7, 8, 9, 10, 11]
    assert np.ptp(shared[:, 7:12], axis=1) == pytest.approx([0, 0])


def test_other_networks_have_no_exact_map():
    network = model_of(replace(SETTINGS, pool=4)).network
    with pytest.raises(
        ValueError, match=r"^only a linear head after pooling over the whole sequence has an exact map$"
    ):
        class_activation_map(
            network, np.zeros(6, dtype=np.float32), np.zeros(6, dtype=np.int64), np.zeros(20, np.uint8)
        )
