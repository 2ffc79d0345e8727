from dataclasses import replace

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA
from motifcnn.encoding import Batch
from motifcnn.model.network import MotifNetwork
from motifcnn.model.table import layer_table
from motifcnn.settings import ModelSettings

SMALL = ModelSettings(filters=5, filter_width=6, restarts=3, strands="single", conv_filters=4, conv_width=3)
SHAPES = {
    "whole": SMALL,
    "pooled": replace(SMALL, pool=4),
    "uneven": replace(SMALL, pool=7, conv_layers=1),
    "layers": replace(SMALL, pool=3, conv_layers=2, conv_dilation=2),
}
LENGTH = 60


def network_of(settings, tracks=0):
    return MotifNetwork(settings, DNA, tracks, 2, seed=3).eval()


def layer_outputs(network, inputs):
    """Output of each layer for one example, as the network computes them: filters, pooling, convolutions."""
    batch = Batch(inputs, torch.tensor([inputs.shape[2]]))
    scores = network.filters(batch)
    pooled = network.pooled(batch).scores
    features = network.activate(pooled)
    outputs = [scores, features]
    known = torch.isfinite(pooled).any(dim=1, keepdim=True)
    for block in network.blocks:
        features, known = block(features, known)
        outputs.append(features)
    return outputs


@pytest.mark.parametrize("tracks", [0, 2])
@pytest.mark.parametrize("settings", SHAPES.values(), ids=SHAPES)
def test_shapes_and_parameters_are_those_of_the_network(settings, tracks):
    network = network_of(settings, tracks)
    rows = layer_table(network, LENGTH)
    outputs = layer_outputs(network, torch.rand(1, 4 + tracks, LENGTH))
    assert [row.output for row in rows[:-1]] == [f"{out.shape[1]} × {out.shape[2]}" for out in outputs]
    assert rows[-1].output == "2"
    assert sum(row.parameters for row in rows) == sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("settings", SHAPES.values(), ids=SHAPES)
def test_receptive_fields_are_those_found_by_gradients(settings):
    network = network_of(settings)
    rows = layer_table(network, LENGTH)
    generator = torch.Generator().manual_seed(0)
    reached = [set() for _ in rows[:-1]]
    middles = None
    for _ in range(40):  # a maximum passes gradients to one position only: many inputs reach all
        inputs = torch.rand(1, 4, LENGTH, generator=generator, requires_grad=True)
        outputs = layer_outputs(network, inputs)
        middles = [out.shape[2] // 2 for out in outputs]
        for number, (out, middle) in enumerate(zip(outputs, middles, strict=True)):
            column = out[0, :, middle]
            (gradient,) = torch.autograd.grad(column.sum(), inputs, retain_graph=True)
            reached[number] |= set(np.flatnonzero(gradient[0].abs().sum(dim=0).numpy()).tolist())
    fields = [max(positions) - min(positions) + 1 for positions in reached]
    assert fields == [row.receptive_field for row in rows[:-1]]
    assert rows[-1].receptive_field == LENGTH


def test_what_unshared_weights_would_cost():
    first = layer_table(network_of(SMALL), LENGTH)[0]
    assert first.parameters == 3 * 5 * 4 * 6
    assert first.locally_connected_parameters == first.parameters * LENGTH


@pytest.mark.parametrize(("strands", "shown"), [("both", "both strands"), ("single", "one strand")])
def test_layers_are_named(strands, shown):
    rows = layer_table(network_of(replace(SHAPES["layers"], strands=strands)), LENGTH)
    assert [row.layer for row in rows] == [
        f"3 × 5 filters of width 6, {shown}",
        "maximum over 3 positions, norm, relu",
        "convolution 1 of width 3, norm, relu",
        "convolution 2 of width 3, norm, relu",
        "global maximum, linear head",
    ]


def test_sums_of_words_stand_beside_the_network_where_sequences_hold_words():
    rows = layer_table(network_of(SMALL), LENGTH, word_sums=True)
    assert rows[:-1] == layer_table(network_of(SMALL), LENGTH)
    assert (rows[-1].layer, rows[-1].output, rows[-1].parameters) == ("beside it: sums of words of 8", "2", 2 * 4**8)
    assert layer_table(network_of(SMALL), 7, word_sums=True) == layer_table(network_of(SMALL), 7)


def test_codons_stand_beside_the_words_where_a_frame_can_be_told():
    rows = layer_table(network_of(SMALL), 60, word_sums=True, reading_frames=True)
    assert rows[:-1] == layer_table(network_of(SMALL), 60, word_sums=True)
    assert (rows[-1].layer, rows[-1].parameters) == (
        "beside it, where there are reading frames: codons in these", 3 * 64 + 1,
    )  # fmt: skip
    assert layer_table(network_of(SMALL), 60, reading_frames=True) == rows[:-2]
    short = layer_table(network_of(SMALL), 59, word_sums=True)
    assert layer_table(network_of(SMALL), 59, word_sums=True, reading_frames=True) == short
