from dataclasses import replace

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.encoding import Batch, EncodedSequences
from motifcnn.errors import MotifcnnError
from motifcnn.model.network import MotifNetwork, resolve
from motifcnn.model.table import layer_table
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings

SMALL = ModelSettings(filters=5, filter_width=6, restarts=3, strands="both", conv_filters=4, conv_width=3)
SHAPES = {
    "whole sequence": SMALL,
    "exponential": replace(SMALL, activation="exp"),
    "local pooling": replace(SMALL, pool=4),
    "two further layers": replace(SMALL, pool=3, conv_layers=2, conv_dilation=2),
    "unpooled with a layer": replace(SMALL, pool=1, conv_layers=1, activation="exp"),
}


@pytest.fixture
def batch(generator):
    codes = [generator.integers(0, 5, length).astype(np.uint8) for length in (30, 22, 41, 6)]
    sequences = Sequences.from_list(["a", "b", "c", "d"], codes, DNA)
    return EncodedSequences(sequences).batch(torch.arange(4))


def network_of(settings, outputs=2):
    return MotifNetwork(settings, DNA, 0, outputs, seed=3)


@pytest.mark.parametrize("settings", SHAPES.values(), ids=SHAPES)
def test_shapes_and_gradients(settings, batch):
    network = network_of(settings)
    network.train()
    logits = network(batch)
    assert logits.shape == (4, 3, 2)
    assert torch.isfinite(logits).all()
    logits.square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("name", ["whole sequence", "exponential"])
def test_the_head_reads_best_windows_as_it_would_read_a_summary(name, generator):
    """One sequence is shorter than the filters, so that nothing is known of it."""
    codes = [generator.integers(0, 4, length).astype(np.uint8) for length in (30, 5, 41)]
    batch = EncodedSequences(Sequences.from_list(["a", "b", "c"], codes, DNA)).batch(torch.arange(3))
    network = network_of(SHAPES[name]).eval()
    pooled = network.pooled(batch).scores
    activations = network.activate(pooled)
    summary = network.summarise(*network.features(activations, pooled))
    expected = torch.einsum("nrf,rfo->nro", summary, network.head) + network.bias
    assert torch.equal(network.restart_logits(activations, pooled), expected)
    assert not summary[1].any()


@pytest.mark.parametrize("settings", SHAPES.values(), ids=SHAPES)
def test_predictions_do_not_depend_on_the_batch(settings, batch):
    network = network_of(settings).eval()
    with torch.no_grad():
        together = network.logits(batch)
        for row, length in enumerate(batch.lengths.tolist()):
            alone = network.logits(Batch(batch.inputs[row : row + 1, :, :length], batch.lengths[row : row + 1]))
            assert torch.allclose(together[row], alone[0], atol=1e-5)


@pytest.mark.parametrize("name", ["whole sequence", "exponential"])
def test_reverse_complement_changes_no_prediction(name, batch):
    network = network_of(SHAPES[name]).eval()
    row = Batch(batch.inputs[2:3], batch.lengths[2:3])
    flipped = Batch(row.inputs[:, [3, 2, 1, 0]].flip(2), row.lengths)
    with torch.no_grad():
        assert torch.allclose(network.logits(row), network.logits(flipped), atol=1e-5)


@pytest.mark.parametrize("settings", SHAPES.values(), ids=SHAPES)
def test_restarts_share_nothing(settings, batch):
    """The gradient of one restart's logits reaches only its own share of every parameter."""
    network = network_of(settings).eval()
    network(batch)[:, 1].sum().backward()
    for name, parameter in network.named_parameters():
        shares = parameter.grad.reshape(3, -1).abs().sum(dim=1)
        assert shares[0] == shares[2] == 0, name


def test_logits_are_the_sum_of_what_features_add(batch):
    network = network_of(SHAPES["two further layers"]).eval()
    with torch.no_grad():
        pooled = network.pooled(batch).scores
        best = network.features(network.activate(pooled), pooled)[0].amax(dim=2)
        added = best @ network.feature_weights() + network.bias.mean(dim=0)
        assert torch.allclose(added, network.logits(batch), atol=1e-5)


def test_dropout_is_drawn_from_its_own_generator(batch):
    network = network_of(SMALL)
    network.train()
    draws = []
    for _ in range(2):
        network.dropout.generator.manual_seed(5)
        draws.append(network(batch))
        torch.rand(7)  # the global generator plays no part
    assert torch.equal(*draws)


def test_same_seed_same_weights():
    first, second = network_of(SMALL), network_of(SMALL)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


@pytest.mark.parametrize(
    ("lengths", "alphabet", "expected"),
    [([101, 101, 200], DNA, 19), ([9] * 5, PROTEIN, 9), ([8, 9, 8, 8], PROTEIN, 8), ([300, 41], PROTEIN, 9)],
)
def test_filter_width_found_from_the_data(lengths, alphabet, expected):
    assert resolve(ModelSettings(), alphabet, torch.tensor(lengths)).filter_width == expected


def test_sequences_shorter_than_a_filter_are_refused():
    with pytest.raises(MotifcnnError, match=r"2 sequences are shorter than the filters of width 19 \(shortest: 7\)"):
        resolve(ModelSettings(), DNA, torch.tensor([101, 101, 101, 7, 12]))
    with pytest.raises(MotifcnnError, match="give --filter-width 30"):
        resolve(ModelSettings(filter_width=40), DNA, torch.tensor([30, 50]))


def test_strands():
    lengths = torch.tensor([100])
    assert resolve(ModelSettings(), DNA, lengths).strands == "both"
    assert resolve(ModelSettings(), PROTEIN, lengths).strands == "single"
    assert resolve(ModelSettings(strands="single"), DNA, lengths).strands == "single"
    with pytest.raises(MotifcnnError, match="one strand only"):
        resolve(ModelSettings(strands="both"), PROTEIN, lengths)


@pytest.mark.parametrize("settings", SHAPES.values(), ids=SHAPES)
def test_layer_table_counts_every_parameter(settings):
    network = network_of(settings)
    rows = layer_table(network, 100)
    assert sum(row.parameters for row in rows) == sum(p.numel() for p in network.parameters())
    assert rows[0].parameters == 3 * 5 * 4 * 6
    assert rows[0].locally_connected_parameters == 3 * 5 * 4 * 6 * 100
    assert rows[0].receptive_field == 6
    assert rows[-1].receptive_field == 100


def test_receptive_field_of_stacked_layers():
    rows = layer_table(network_of(SHAPES["two further layers"]), 100)
    # width 6, pooled by 3: 8 positions; each layer of width 3 and dilation 2 adds 4 steps of 3
    assert [row.receptive_field for row in rows] == [6, 8, 20, 32, 100]


def test_sums_are_added_to_the_share_of_the_restarts(batch, add_sums):
    network = network_of(SMALL).eval()
    with torch.no_grad():
        before = network.logits(batch)
        add_sums(network, 0.3, -2.0)
        expected = 0.3 * before + network.words(batch) + network.reading_frames(batch) - 2.0
        assert torch.allclose(network.logits(batch), expected, atol=1e-5)
