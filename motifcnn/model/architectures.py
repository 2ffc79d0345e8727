"""Networks by name: what follows the shared first layer, and how that layer is laid out.

All go through the same first layer (`filters`): its filters scan both strands with one set of weights and give the
larger score at each position, so that filters become motifs whatever follows. Up to there a sequence and its reverse
complement differ in nothing but the order of positions (and, for filters of even width, by one position). A global
maximum right after it (`motif`, `deepbind`) makes predictions exactly invariant. Further convolutions, local pooling
and dense heads read positions in order: predictions of the other architectures are not invariant.

Departures from the papers, of all alike: every layer is normalised and none has a bias beside that; the first pooling
takes its maxima before normalisation and activation, which are monotonic; a pool's last window may be cut short; the
optimiser and its settings are the command's own. The papers' first layers read one strand.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import nn

from motifcnn.model.blocks import (
    Convolution,
    DenseConvolution,
    Dropout,
    Layer,
    Pooling,
    ResidualConvolution,
    SeparableConvolution,
    SqueezeExcitation,
)
from motifcnn.model.koo import ARCHITECTURES as KOO
from motifcnn.model.koo import DENSE as KOO_DENSE
from motifcnn.model.pyramids import AtrousPyramid, UNet
from motifcnn.settings import AUTO, ModelSettings

Summary = Literal["maximum", "average", "dense", "bases"]

_BLOCKS: dict[str, Callable[[int, int, int, int, int, torch.Generator], Layer]] = {
    "plain": Convolution,
    "separable": SeparableConvolution,
    "residual": ResidualConvolution,
    "dense": DenseConvolution,
    "unet": UNet,
    "aspp": AtrousPyramid,
}


@dataclass(frozen=True)
class Stage:
    """A further layer and the pooling after it.

    Args:
        filters: Filters of each restart.
        width: Positions that a filter reads.
        block: Kind of the layer, as in `ModelSettings.conv_block`.
        dilation: Step between the positions that a filter reads.
        pool: Positions that become one.
        dropout: Share of the pooled features dropped in training.
    """

    filters: int
    width: int
    block: str = "plain"
    dilation: int = 1
    pool: int = 1
    dropout: float = 0.0


@dataclass(frozen=True)
class Architecture:
    """A network; where settings say 0 or auto, its own figures stand.

    Args:
        source: Paper and what is taken from it.
        filters: Filters of the first layer.
        filter_width: Positions that they span on DNA; AUTO where the alphabet decides.
        pool: Width of the first pooling; AUTO for the whole sequence.
        restarts: Networks trained side by side.
        dropout: Share of the first layer's features dropped in training, where further layers follow.
        stages: Further layers.
        summary: What the head reads: each feature's maximum, its average, all positions of all features, or each
            base by itself, for a value of each.
        hidden: Units of the dense layers before the linear head.
        placement: Whether the place of a window counts, where the whole sequence is pooled.
    """

    source: str
    filters: int
    filter_width: int = AUTO
    pool: int = AUTO
    restarts: int = 1
    dropout: float = 0.0
    stages: tuple[Stage, ...] = ()
    summary: Summary = "maximum"
    hidden: tuple[int, ...] = field(default=())
    placement: bool = False


def _koo(name: str, title: str) -> Architecture:
    first, *others = KOO[name]
    return Architecture(
        f"Koo and Eddy 2019, PLoS Computational Biology 15:e1007560 ({title}); with --activation exp Koo and Ploenzke "
        "2021, Nature Machine Intelligence 3:258.",
        filters=first.filters,
        filter_width=first.width,
        pool=first.pool,
        dropout=first.dropout,
        stages=tuple(Stage(s.filters, s.width, pool=s.pool, dropout=s.dropout) for s in others),
        summary="dense",
        hidden=(KOO_DENSE,),
    )


ARCHITECTURES: dict[str, Architecture] = {
    "motif": Architecture(
        "This project's: best windows of four restarts, weighed by their place, and a linear head.",
        64,
        restarts=4,
        placement=True,
    ),
    "deepbind": Architecture(
        "Alipanahi et al. 2015, Nature Biotechnology 33:831: 16 detectors of 24 letters, maxima, 32 hidden units.",
        filters=16,
        filter_width=24,
        hidden=(32,),
    ),
    "basset": Architecture(
        "Kelley, Snoek and Rinn 2016, Genome Research 26:990: three convolutions and pools, two dense layers of 1,000.",
        filters=300,
        filter_width=19,
        pool=3,
        stages=(Stage(200, 11, pool=4), Stage(200, 7, pool=4)),
        summary="dense",
        hidden=(1000, 1000),
    ),
    "koo-2": _koo("koo-2", "CNN-2"),
    "koo-50": _koo("koo-50", "CNN-50"),
    "koo-deep": _koo("koo-deep", "CNN-deep"),
    "pyramid": Architecture(
        "The tower of Basenji (Kelley et al. 2018, Genome Research 28:739), narrower: convolutions of width 5 and "
        "pools of 2 in turn, a quarter more filters on each floor; global average (Lin et al. 2013).",
        filters=64,
        filter_width=19,
        pool=2,
        stages=tuple(Stage(filters, 5, pool=2) for filters in (80, 100, 125)),
        summary="average",
    ),
    "dilated": Architecture(
        "The dilated residual layers of Basenji (Kelley et al. 2018, Genome Research 28:739; Yu and Koltun 2016), five "
        "of width 3 whose steps double from 1 to 16, and a last mixture; global average.",
        filters=64,
        filter_width=19,
        pool=4,
        stages=(*(Stage(64, 3, "residual", 2**power) for power in range(5)), Stage(64, 1)),
        summary="average",
    ),
    "unet": Architecture(
        "Ronneberger, Fischer and Brox 2015 (MICCAI, LNCS 9351:234) along sequences, narrower: a U-Net of three pools "
        "of 2, and a value for each base.",
        filters=32,
        filter_width=19,
        pool=1,
        stages=(Stage(32, 3, "unet"),),
        summary="bases",
    ),
    "aspp": Architecture(
        "Chen et al. 2017 (DeepLab version 3, arXiv:1706.05587) along sequences: residual layers of dilations 1 to 8, "
        "atrous spatial pyramid pooling of dilations 6, 12 and 18, and a value for each base.",
        filters=32,
        filter_width=19,
        pool=1,
        stages=(*(Stage(32, 3, "residual", 2**power) for power in range(4)), Stage(32, 3, "aspp", 6)),
        summary="bases",
    ),
}
"""The networks that `--architecture` names."""


def architecture_of(settings: ModelSettings) -> Architecture:
    """Return the architecture that settings name, overlaid by what else they say.

    Layers asked for by `conv_layers` follow the architecture's own.
    """
    named = ARCHITECTURES[settings.architecture]
    further = Stage(settings.conv_filters, settings.conv_width, settings.conv_block, settings.conv_dilation)
    return replace(
        named,
        filters=settings.filters or named.filters,
        pool=settings.pool or named.pool,
        restarts=settings.restarts or named.restarts,
        stages=named.stages + (further,) * settings.conv_layers,
        summary=named.summary if settings.summary == "auto" else settings.summary,
    )


def layers_of(
    architecture: Architecture, squeeze: bool, generator: torch.Generator, draws: torch.Generator
) -> nn.ModuleList:
    """Make the layers between the first one and the head.

    Args:
        architecture: All figures filled in.
        squeeze: Whether gates follow each convolution.
        generator: Source of the initial weights.
        draws: Source of what dropout drops.
    """
    restarts, features = architecture.restarts, architecture.filters
    layers: list[Layer] = []
    if architecture.dropout and architecture.stages:
        layers.append(Pooling(features, 1, Dropout(architecture.dropout, draws)))
    for stage in architecture.stages:
        kind = _BLOCKS[stage.block]
        layers.append(kind(restarts, features, stage.filters, stage.width, stage.dilation, generator))
        features = layers[-1].outgoing
        if squeeze:
            layers.append(SqueezeExcitation(restarts, features, generator))
        if stage.pool > 1 or stage.dropout:
            layers.append(Pooling(features, stage.pool, Dropout(stage.dropout, draws)))
    return nn.ModuleList(layers)


def positions_after(architecture: Architecture, length: int) -> int:
    """Return the positions that the pools leave of a sequence of this length."""
    for width in (architecture.pool or 1, *(stage.pool for stage in architecture.stages)):
        length = -(-length // width)
    return length
