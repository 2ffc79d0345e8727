"""What the place of a window adds: the same by tables and by convolution, the same on both strands, learned."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA
from motifcnn.encoding import Batch, EncodedSequences
from motifcnn.model.filters import SharedFilters
from motifcnn.model.network import MotifNetwork
from motifcnn.model.place_curves import PlaceCurves
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings

WIDTH, RESTARTS, FILTERS = 5, 2, 3
KNOTS = [0, 4, 8, 16, 32, 64, 128]


def placement_of(mirrored):
    placement = PlaceCurves(RESTARTS, FILTERS, mirrored)
    torch.nn.init.normal_(placement.values, 0, 1, generator=torch.Generator().manual_seed(5))
    return placement


def filters_of(both_strands):
    return SharedFilters(RESTARTS * FILTERS, 4, WIDTH, DNA, both_strands, torch.Generator().manual_seed(1))


def batch_of(generator, lengths=(30, 5, 41, 300, 12)):
    codes = [generator.integers(0, 5, length).astype(np.uint8) for length in lengths]
    return EncodedSequences(Sequences.from_list(list(map(str, lengths)), codes, DNA)).batch(torch.arange(len(lengths)))


def added(placement, restart, start, length):
    """What a window's place adds, told by its definition."""
    values = placement.values[restart].detach().numpy()
    away = start + WIDTH / 2 - length / 2
    if len(values) == len(KNOTS):
        return np.interp(abs(away), KNOTS, values)
    return np.interp(away, [-knot for knot in KNOTS[:0:-1]] + KNOTS, values)


@pytest.mark.parametrize("both_strands", [True, False])
@pytest.mark.parametrize("by_tables", [True, False])
def test_the_best_window_is_that_of_score_and_place(generator, both_strands, by_tables):
    filters, placement, batch = filters_of(both_strands), placement_of(both_strands), batch_of(generator)
    found = filters.best_windows(batch if by_tables else Batch(batch.inputs, batch.lengths), placement)
    dense = filters(batch).detach().numpy()
    for example, length in enumerate(batch.lengths.tolist()):
        for number in range(RESTARTS * FILTERS):
            totals = [
                dense[example, number, start + (WIDTH - 1) // 2] + added(placement, number // FILTERS, start, length)
                for start in range(length - WIDTH + 1)
            ]
            assert found.scores[example, number].item() == pytest.approx(max(totals), abs=1e-5)
            assert totals[int(found.starts[example, number])] == pytest.approx(max(totals), abs=1e-5)


@pytest.mark.parametrize("both_strands", [True, False])
@pytest.mark.parametrize("by_tables", [True, False])
def test_gradients_are_those_of_the_dense_maximum(generator, both_strands, by_tables):
    filters, placement, batch = filters_of(both_strands), placement_of(both_strands), batch_of(generator)
    factors = torch.randn(len(batch.lengths), RESTARTS * FILTERS, generator=torch.Generator().manual_seed(2))
    found = filters.best_windows(batch if by_tables else Batch(batch.inputs, batch.lengths), placement)
    (found.scores * factors).sum().backward()
    gradients = [filters.weight.grad.clone(), placement.values.grad.clone()]
    filters.weight.grad = placement.values.grad = None
    starts = torch.arange(batch.inputs.shape[2]) - (WIDTH - 1) // 2
    rows = placement.rows()[placement.row_of(starts, batch.lengths[:, None], WIDTH)]
    ((filters(batch) + rows.mT).amax(dim=2) * factors).sum().backward()
    for gradient, parameter in zip(gradients, (filters.weight, placement.values), strict=True):
        assert parameter.grad.abs().sum() > 0
        assert torch.allclose(gradient, parameter.grad, atol=1e-4)


def network_of(**changes):
    settings = ModelSettings(filters=FILTERS, filter_width=WIDTH, restarts=RESTARTS, strands="both")
    return MotifNetwork(replace(settings, **changes), DNA, 0, 1, seed=3).eval()


def test_a_sequence_and_its_reverse_complement_predict_the_same(generator):
    network = network_of()
    torch.nn.init.normal_(network.placement.values, 0, 1, generator=torch.Generator().manual_seed(5))
    codes = [generator.integers(0, 4, length).astype(np.uint8) for length in (31, 40)]
    turned = [DNA.reverse_complement(each) for each in codes]
    batch = EncodedSequences(Sequences.from_list(list("abcd"), codes + turned, DNA)).batch(torch.arange(4))
    with torch.no_grad():
        logits = network.logits(batch)[:, 0].tolist()
    assert logits[:2] == pytest.approx(logits[2:], abs=1e-6)


def test_only_the_default_network_learns_places():
    assert network_of().placement is not None
    for changes in ({"placement": False}, {"pool": 4}, {"architecture": "deepbind"}, {"conv_layers": 1, "pool": 2}):
        assert network_of(**changes).placement is None
