"""The layer table: what each layer gives, sees and costs."""

from collections.abc import Iterator
from dataclasses import dataclass

from motifcnn.model.network import MotifNetwork
from motifcnn.model.word_branch import WORD_LENGTH


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


def layer_table(network: MotifNetwork, length: int, *, word_sums: bool = False) -> list[LayerRow]:
    """Describe the network for sequences of this length, restarts counted together.

    Args:
        network: The network.
        length: Positions of a sequence.
        word_sums: Whether sums of words stand beside the filters.
    """
    rows = list(_rows(network, length))
    alphabet = network.filters.alphabet
    word = WORD_LENGTH.get(alphabet.name)
    if word_sums and word is not None and length >= word:
        weights = network.outputs * alphabet.size**word
        rows.append(LayerRow(f"beside it: sums of words of {word}", f"{network.outputs}", length, weights, weights))
    return rows


def _rows(network: MotifNetwork, length: int) -> Iterator[LayerRow]:
    settings, filters = network.settings, network.filters
    strands = "both strands" if filters.both_strands else "one strand"
    weights = filters.weight.numel()
    yield LayerRow(
        f"{settings.restarts} × {settings.filters} filters of width {filters.width}, {strands}",
        f"{filters.filters} × {length}",
        filters.width,
        weights,
        weights * length,
    )
    pool = length if network.whole_sequence else max(1, settings.pool)
    positions = -(-length // pool)
    field = min(length, filters.width + pool - 1)
    norm = 2 * filters.filters
    yield LayerRow(
        f"maximum over {pool} positions, norm, {settings.activation}",
        f"{filters.filters} × {positions}",
        field,
        norm,
        norm,
    )
    step = pool
    for number, block in enumerate(network.blocks, start=1):
        weights = sum(parameter.numel() for parameter in block.parameters())
        field = min(length, field + step * settings.conv_dilation * (settings.conv_width - 1))
        yield LayerRow(
            f"convolution {number} of width {settings.conv_width}, norm, relu",
            f"{settings.restarts * settings.conv_filters} × {positions}",
            field,
            weights,
            weights * positions,
        )
    weights = network.head.numel() + network.bias.numel()
    yield LayerRow("global maximum, linear head", f"{network.outputs}", length, weights, weights)
