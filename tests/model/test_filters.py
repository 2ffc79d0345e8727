import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.encoding import EncodedSequences
from motifcnn.model.batch_share import BatchShare
from motifcnn.model.filters import ScoreNorm, SharedFilters, same_padding
from motifcnn.ranks import ALONE
from motifcnn.sequences import Sequences


def random_sequences(generator, lengths, alphabet=DNA, symbols=None):
    codes = [generator.integers(0, symbols or alphabet.size, length).astype(np.uint8) for length in lengths]
    return Sequences.from_list([f"s{n}" for n in range(len(lengths))], codes, alphabet)


def batch_of(sequences, tracks=None, scales=()):
    return EncodedSequences(sequences, tracks, scales).batch(torch.arange(len(sequences)))


def filters_for(alphabet, width, both_strands, filters=6, tracks=0):
    seed = torch.Generator().manual_seed(1)
    return SharedFilters(filters, alphabet.size + tracks, width, alphabet, both_strands, seed)


def slow_scores(filters, sequence, alphabet):
    """Score of every window on the better strand, by loops: [filter, start]."""
    weight = filters.weight.detach().numpy()
    windows = len(sequence) - filters.width + 1
    table = np.full((filters.filters, windows), -np.inf)
    for number in range(filters.filters):
        for start in range(windows):
            window = sequence[start : start + filters.width]
            readings = [window, alphabet.reverse_complement(window)] if filters.both_strands else [window]
            for reading in readings:
                score = sum(
                    weight[number, :, position] @ alphabet.fractions[code] for position, code in enumerate(reading)
                )
                table[number, start] = max(table[number, start], score)
    return table


@pytest.mark.parametrize(("alphabet", "both_strands"), [(DNA, True), (DNA, False), (RNA, False), (PROTEIN, False)])
def test_scores_equal_a_scan_by_loops(generator, alphabet, both_strands):
    sequences = random_sequences(generator, [9, 12, 5], alphabet, symbols=len(alphabet.symbols))
    filters = filters_for(alphabet, 5, both_strands)
    batch = batch_of(sequences)
    dense = filters(batch).detach().numpy()
    best = filters.best_windows(batch)
    left = same_padding(5)[0]
    for index in range(len(sequences)):
        slow = slow_scores(filters, sequences[index], alphabet)
        windows = slow.shape[1]
        assert np.allclose(dense[index, :, left : left + windows], slow, atol=1e-5)
        outside = np.delete(dense[index], np.arange(left, left + windows), axis=1)
        assert np.isneginf(outside).all()  # padding can never win
        assert np.allclose(best.scores[index].detach().numpy(), slow.max(axis=1), atol=1e-5)
        assert (best.starts[index].numpy() == slow.argmax(axis=1)).all()


def test_best_windows_without_gradients_are_the_same(generator):
    filters = filters_for(DNA, 4, True)
    batch = batch_of(random_sequences(generator, [20, 11]))
    with_gradients = filters.best_windows(batch)
    with torch.no_grad():
        without = filters.best_windows(batch)
    assert torch.allclose(with_gradients.scores, without.scores, atol=1e-6)
    assert (with_gradients.starts == without.starts).all()
    assert (with_gradients.reverse == without.reverse).all()


@pytest.mark.parametrize("both_strands", [True, False])
def test_gradient_through_the_best_windows_is_that_of_the_dense_maximum(generator, both_strands):
    filters = filters_for(DNA, 6, both_strands).double()
    batch = batch_of(random_sequences(generator, [30, 17, 25]))
    batch = type(batch)(batch.inputs.double(), batch.lengths)
    factors = torch.randn(3, 6, dtype=torch.float64)
    (filters.best_windows(batch).scores * factors).sum().backward()
    sparse, filters.weight.grad = filters.weight.grad, None
    (filters(batch).amax(dim=2) * factors).sum().backward()
    assert torch.allclose(sparse, filters.weight.grad)


def test_both_strands_score_alike(generator):
    sequences = random_sequences(generator, [15, 18])
    flipped = Sequences.from_list(sequences.names, [DNA.reverse_complement(sequences[n]) for n in range(2)], DNA)
    filters = filters_for(DNA, 7, True)
    there, back = filters.best_windows(batch_of(sequences)), filters.best_windows(batch_of(flipped))
    assert torch.allclose(there.scores, back.scores, atol=1e-6)
    lengths = torch.tensor([[15], [18]])
    assert (there.starts == lengths - 7 - back.starts).all()
    assert (there.reverse != back.reverse).all()


@pytest.mark.parametrize(("width", "dilation"), [(1, 1), (2, 1), (5, 1), (19, 1), (3, 4), (4, 3)])
def test_same_padding_keeps_the_length(width, dilation):
    left, right = same_padding(width, dilation)
    assert left + right == dilation * (width - 1)
    padded = torch.nn.functional.pad(torch.zeros(1, 1, 40), (left, right))
    assert torch.nn.functional.conv1d(padded, torch.zeros(1, 1, width), dilation=dilation).shape[2] == 40


def test_initial_weights_follow_he():
    filters = filters_for(DNA, 19, True, filters=2000)
    assert float(filters.weight.detach().var()) == pytest.approx(2 / (19 * 4), rel=0.03)


def test_tracks_are_reversed_but_not_complemented(generator):
    filters = filters_for(DNA, 3, True, tracks=1)
    inputs = torch.cat([batch_of(random_sequences(generator, [9])).inputs, torch.rand(1, 1, 9)], dim=1)
    flipped = inputs.flip(2)[:, [3, 2, 1, 0, 4]]
    batch = batch_of(random_sequences(generator, [9]))
    there = filters(type(batch)(inputs, batch.lengths))
    back = filters(type(batch)(flipped, batch.lengths))
    assert torch.allclose(there[:, :, 1:-1], back.flip(2)[:, :, 1:-1], atol=1e-6)


def test_norm_keeps_order_and_masks_and_learns_moments():
    norm = ScoreNorm(2, momentum=1.0)
    scores = torch.tensor([[[1.0, 5.0, float("-inf")], [2.0, 2.0, 4.0]], [[3.0, 7.0, 9.0], [0.0, 1.0, 3.0]]])
    normed = norm(scores).detach()
    known = torch.isfinite(scores)
    assert (torch.isfinite(normed) == known).all()
    first = normed[:, 0][known[:, 0]]
    assert float(first.mean()) == pytest.approx(0, abs=1e-6)
    assert float(first.var(unbiased=False)) == pytest.approx(1, abs=1e-3)
    assert (first.argsort() == scores[:, 0][known[:, 0]].argsort()).all()
    norm.eval()
    assert torch.allclose(norm(scores)[known], normed[known], atol=1e-5)
    assert (norm.slope() > 0).all()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(5, 3, 40), (7, 3)])
def test_the_fast_norm_of_known_scores_is_the_same(training, shape):
    """Values, gradients of scores, gain and shift, and running moments."""
    results = []
    for fast in (False, True):
        norm = ScoreNorm(3).train(training)
        norm.log_gain.data[:], norm.shift.data[:] = torch.tensor([0.5, -0.2, 0.0]), torch.tensor([1.0, 0.0, -2.0])
        norm.running_mean[:], norm.running_variance[:] = 0.3, 2.0
        scores = (torch.randn(shape, generator=torch.Generator().manual_seed(1)) * 3 + 1).requires_grad_()
        normalised = norm.of_known(scores) if fast else norm(scores)
        (normalised**3).sum().backward()
        moments = norm.running_mean, norm.running_variance
        results.append([normalised, scores.grad, norm.log_gain.grad, norm.shift.grad, *moments])
    for slow, fast in zip(*results, strict=True):
        assert torch.allclose(slow, fast, rtol=1e-4, atol=1e-4)


def test_one_process_and_several_normalise_alike_to_the_last_bit(generator):
    """Training amplifies what they round otherwise, until the histories differ."""

    class Divided(BatchShare):
        divided = True

        def total(self, values):
            return values

    scores = torch.from_numpy(generator.normal(size=(64, 3, 1)).astype(np.float32))
    results = []
    for share in (BatchShare(ALONE), Divided(ALONE)):
        norm = ScoreNorm(3).train()
        norm.batch_share = share
        own = scores.clone().requires_grad_()
        normalised = norm(own)
        (normalised**3).sum().backward()
        results.append([normalised, own.grad, norm.log_gain.grad, norm.running_mean, norm.running_variance])
    for one, several in zip(*results, strict=True):
        assert torch.equal(one, several)
