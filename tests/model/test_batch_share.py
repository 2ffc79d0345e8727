"""What several processes do with their shares of a batch is what one does with the whole."""

from itertools import chain

import pytest
import torch
from torch import nn

from motifcnn.model.batch_share import UNDIVIDED, BatchShare, share_batches
from motifcnn.model.blocks import Dropout
from motifcnn.model.filters import ScoreNorm


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("count", [4, 7, 64])
def test_rows_are_disjoint_complete_and_even(together, size, count):
    rows = together(size, lambda ranks: BatchShare(ranks).begin(count))
    taken = [list(range(count))[own] for own in rows]
    assert [*chain(*taken)] == list(range(count))
    assert max(map(len, taken)) - min(map(len, taken)) <= 1


def test_fewer_examples_than_processes_are_each_ones_own(together):
    def step(ranks):
        share = BatchShare(ranks)
        values = torch.ones(2)
        assert share.begin(2) == slice(None)
        assert share.total(values) is values
        assert share.weigh(values, torch.tensor(2)) is values
        share.add_gradients(nn.Linear(2, 1))
        return ranks.messages

    assert together(3, step) == [0, 0, 0]


def test_alone_nothing_changes():
    values, generator = torch.ones(3), torch.Generator()
    assert UNDIVIDED.total(values) is values
    assert UNDIVIDED.weigh(values, torch.tensor(1)) is values
    expected = torch.rand(3, 2, generator=generator.manual_seed(1))
    assert torch.equal(UNDIVIDED.draw(torch.Size([3, 2]), generator.manual_seed(1)), expected)


def test_moments_and_gradients_are_those_of_the_whole_batch(together, generator):
    scores = torch.from_numpy(generator.normal(3, 2, (7, 5, 6))).float()
    scores[generator.random((7, 5, 6)) < 0.3] = -torch.inf
    weights = torch.from_numpy(generator.normal(size=(7, 5, 6))).float()

    def step(ranks=None):
        norm, inputs = ScoreNorm(5), scores.clone().requires_grad_()
        share = BatchShare(ranks) if ranks else UNDIVIDED
        share_batches(norm, share)
        rows = share.begin(7) if ranks else slice(None)
        known = torch.isfinite(scores[rows])
        out = norm(inputs[rows])
        torch.where(known, out * weights[rows], 0.0).sum().backward()
        share.add_gradients(norm)
        return norm, inputs.grad

    norm, gradient = step()
    shares = together(2, step)
    for other, _ in shares:
        for name, tensor in norm.state_dict().items():
            assert torch.allclose(other.state_dict()[name], tensor, atol=1e-6), name
        assert torch.allclose(other.log_gain.grad, norm.log_gain.grad, atol=1e-5)
        assert torch.allclose(other.shift.grad, norm.shift.grad, atol=1e-5)
    assert torch.allclose(sum(part for _, part in shares), gradient, atol=1e-6)


def test_draws_are_those_of_the_whole_batch(together):
    def drop(ranks=None):
        layer = Dropout(0.5, torch.Generator().manual_seed(4))
        share = BatchShare(ranks) if ranks else UNDIVIDED
        share_batches(layer, share)
        return torch.cat([layer(torch.ones(9, 3)[share.begin(9) if ranks else slice(None)]) for _ in range(2)])

    first, second = together(2, drop)
    whole = drop()
    assert torch.equal(torch.cat([first[:4], second[:5]]), whole[:9])
    assert torch.equal(torch.cat([first[4:], second[5:]]), whole[9:])


def test_means_over_known_values_are_those_of_the_whole_batch(together):
    values = torch.tensor([1.0, torch.nan, 3.0, torch.nan, torch.nan])

    def mean(ranks):
        share = BatchShare(ranks)
        own = values[share.begin(5)]
        known = torch.isfinite(own)
        return share.total(share.weigh(own[known].sum() / known.sum().clamp(min=1), known.sum()))

    assert [float(found) for found in together(2, mean)] == [2.0, 2.0]
