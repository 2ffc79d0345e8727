"""The layer table: what each layer gives, sees and costs."""

from collections.abc import Iterator
from dataclasses import dataclass

from motifcnn.model.blocks import Layer
from motifcnn.model.frame_branch import CODON, LEAST_LENGTH
from motifcnn.model.network import MotifNetwork
from motifcnn.model.word_branch import SUMMED_WORD_LENGTH


@dataclass(frozen=True)
class LayerRow:
    """One layer.

    Args:
        layer: What it is.
        output: Shape of an example's output, `features × positions`.
        receptive_field: Sequence positions that one output sees.
        parameters: Trained numbers.
        locally_connected_parameters: What the layer would have with weights of its own at every position.
    """

    layer: str
    output: str
    receptive_field: int
    parameters: int
    locally_connected_parameters: int


def layer_table(
    network: MotifNetwork, length: int, *, word_sums: bool = False, reading_frames: bool = False
) -> list[LayerRow]:
    """Describe the network for sequences of this length, restarts counted together.

    Args:
        network: The network.
        length: Positions of a sequence.
        word_sums: Whether sums of words stand beside the filters.
        reading_frames: Whether sums of codons do, where there are reading frames.
    """
    rows = list(_rows(network, length))
    alphabet = network.filters.alphabet
    word = SUMMED_WORD_LENGTH.get(alphabet.name)
    if word_sums and word is not None and length >= word:
        weights = network.outputs * alphabet.size**word
        rows.append(LayerRow(f"beside it: sums of words of {word}", f"{network.outputs}", length, weights, weights))
        if reading_frames and length >= LEAST_LENGTH:
            weights = (network.outputs + 1) * alphabet.size**CODON + 1
            row = "beside it, where there are reading frames: codons in these"
            rows.append(LayerRow(row, f"{network.outputs}", length, weights, weights))
    return rows


def _rows(network: MotifNetwork, length: int) -> Iterator[LayerRow]:
    architecture, filters = network.architecture, network.filters
    strands = "both strands" if filters.both_strands else "one strand"
    weights = filters.weight.numel()
    yield LayerRow(
        f"{network.restarts} × {architecture.filters} filters of width {filters.width}, {strands}",
        f"{filters.filters} × {length}",
        filters.width,
        weights,
        weights * length,
    )
    pool = length if network.whole_sequence else max(1, architecture.pool)
    norm, placed = 2 * filters.filters, ""
    if network.placement is not None:
        norm += network.placement.values.numel()
        placed = " weighed by their place"
    pooled = f"maximum over {pool} positions{placed}, " if pool > 1 else ""
    yield LayerRow(
        f"{pooled}norm, {network.settings.activation}",
        f"{filters.filters} × {-(-length // pool)}",
        min(length, filters.width + pool - 1),
        norm,
        norm,
    )
    further = list(_further_rows(network, length, pool))
    yield from further
    if network.per_base:
        weights = network.head.numel() + network.bias.numel() + sum(p.numel() for p in network.hidden.parameters())
        field = further[-1].receptive_field if further else min(length, filters.width)
        yield LayerRow("each base, linear head", f"{network.outputs} × {length}", field, weights, weights * length)
    else:
        yield from _head_rows(network, length)


def _further_rows(network: MotifNetwork, length: int, pool: int) -> Iterator[LayerRow]:
    positions, field = -(-length // pool), min(length, network.filters.width + pool - 1)
    step, number = pool, 0
    for layer in network.blocks:
        assert isinstance(layer, Layer)
        number += layer.counted
        weights = sum(parameter.numel() for parameter in layer.parameters())
        unshared = weights * (1 if layer.sees_all else positions)
        field = length if layer.sees_all else min(length, field + step * (layer.reach + layer.pool - 1))
        positions, step = -(-positions // layer.pool), step * layer.pool
        features = f"{network.restarts * layer.outgoing} × {positions}"
        yield LayerRow(layer.title(number), features, field, weights, unshared)


def _head_rows(network: MotifNetwork, length: int) -> Iterator[LayerRow]:
    before = {"maximum": "global maximum, ", "average": "global average, ", "dense": "all positions, "}[
        network.architecture.summary
    ]
    for layer, units in zip(network.hidden, network.architecture.hidden, strict=True):
        weights = sum(parameter.numel() for parameter in layer.parameters())
        yield LayerRow(f"{before}dense layer, norm, relu", f"{network.restarts * units}", length, weights, weights)
        before = ""
    weights = network.head.numel() + network.bias.numel()
    yield LayerRow(f"{before}linear head", f"{network.outputs}", length, weights, weights)
