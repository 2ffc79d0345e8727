"""What may follow the shared first layer: convolutions of several kinds, pooling, gates, dense layers.

Every layer works on the features of all restarts at once, shape [example, restart × feature, position], and shares
nothing between restarts. It gets and gives a mask of the real positions, shape [example, 1, position]; features past an
example's end are 0, so that what else is in the batch changes nothing. Weights start so that the second moment of
the features neither grows nor fades with depth (He et al. 2015), before normalisation has seen a single batch.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from motifcnn.model.batch_share import BatchLayer
from motifcnn.model.filters import MASKED, ScoreNorm, same_padding

Features = tuple[torch.Tensor, torch.Tensor]

_REDUCTION = 16
"""Features for each unit of a gate (Hu et al. 2018)."""


def drawn_weight(outgoing: int, incoming: int, width: int, gain: float, generator: torch.Generator) -> nn.Parameter:
    """Draw weights of variance gain / inputs: a gain of 2 after rectified features, else of 1."""
    deviation = (gain / (incoming * width)) ** 0.5
    return nn.Parameter(torch.randn(outgoing, incoming, width, generator=generator) * deviation)


def _convolved(features: torch.Tensor, weight: torch.Tensor, groups: int, dilation: int = 1) -> torch.Tensor:
    padded = functional.pad(features, same_padding(weight.shape[2], dilation))
    return functional.conv1d(padded, weight, dilation=dilation, groups=groups)


def _normalised(norm: ScoreNorm, scores: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    if scores.device.type == "cpu" and bool(known.all()):  # a GPU would have to be waited for
        return norm.of_known(scores)
    normalised: torch.Tensor = norm(scores.masked_fill(~known, MASKED))
    return normalised


class Dropout(BatchLayer):
    """Dropout that draws from a generator of its own, so that a run can be repeated and resumed."""

    def __init__(self, share: float, generator: torch.Generator):
        super().__init__()
        self.share = share
        self.generator = generator

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Set a share of the features to 0 and scale up the others, in training only."""
        if not self.training or self.share == 0:
            return features
        draws = self.batch_share.draw(features.shape, self.generator).to(features.device)
        return features * (draws >= self.share) / (1.0 - self.share)


class Layer(nn.Module, ABC):
    """A layer between the first one and the head.

    Args:
        outgoing: Features of each restart that it gives.
        reach: Positions that one output sees, less one.
        pool: Positions that become one.
    """

    sees_all = False
    """Whether an output depends on the whole sequence."""
    counted = True
    """Whether it has a number among the network's layers."""

    def __init__(self, outgoing: int, reach: int = 0, pool: int = 1):
        super().__init__()
        self.outgoing, self.reach, self.pool = outgoing, reach, pool

    @abstractmethod
    def title(self, number: int) -> str:
        """Say in a few words what the layer does, as the so-many-th of its kind."""

    @abstractmethod
    def forward(self, features: torch.Tensor, known: torch.Tensor) -> Features:
        """Map features and the mask of real positions."""


class Convolution(Layer):
    """A convolution of each restart's features: grouped, "same" padded, normalised, ReLU.

    Parameters of a restart: outgoing × (incoming × width + 2).

    Args:
        restarts: Groups.
        incoming: Features a restart has before.
        outgoing: Features a restart has after.
        width: Positions that a filter reads.
        dilation: Step between those positions.
        generator: Source of the initial weights.
    """

    def __init__(
        self, restarts: int, incoming: int, outgoing: int, width: int, dilation: int, generator: torch.Generator
    ):
        super().__init__(outgoing, dilation * (width - 1))
        self.weight = drawn_weight(restarts * outgoing, incoming, width, 2.0, generator)
        self.norm = ScoreNorm(restarts * outgoing)
        self.restarts, self.dilation = restarts, dilation

    def title(self, number: int) -> str:
        """Name it."""
        return f"convolution {number} of width {self.weight.shape[2]}, norm, relu"

    def forward(self, features: torch.Tensor, known: torch.Tensor) -> Features:
        """Convolve."""
        scores = _convolved(features, self.weight, self.restarts, self.dilation)
        return functional.relu(_normalised(self.norm, scores, known)), known


class SeparableConvolution(Layer):
    """A filter of its own for each feature, then a mixture of the features at each position; normalised, ReLU.

    Source: Chollet 2017 (Xception), without an activation between the two. Parameters of a restart:
    incoming × width + outgoing × (incoming + 2).

    Args:
        restarts: Groups.
        incoming: Features a restart has before.
        outgoing: Features a restart has after.
        width: Positions that a filter reads.
        dilation: Step between those positions.
        generator: Source of the initial weights.
    """

    def __init__(
        self, restarts: int, incoming: int, outgoing: int, width: int, dilation: int, generator: torch.Generator
    ):
        super().__init__(outgoing, dilation * (width - 1))
        self.depthwise = drawn_weight(restarts * incoming, 1, width, 2.0, generator)
        self.pointwise = drawn_weight(restarts * outgoing, incoming, 1, 1.0, generator)
        self.norm = ScoreNorm(restarts * outgoing)
        self.restarts, self.dilation = restarts, dilation

    def title(self, number: int) -> str:
        """Name it."""
        return f"separable convolution {number} of width {self.depthwise.shape[2]}, norm, relu"

    def forward(self, features: torch.Tensor, known: torch.Tensor) -> Features:
        """Convolve each feature, then mix them."""
        each = _convolved(features, self.depthwise, len(self.depthwise), self.dilation)
        scores = _convolved(each, self.pointwise, self.restarts)
        return functional.relu(_normalised(self.norm, scores, known)), known


class ResidualConvolution(Layer):
    """What two convolutions add to the features: a dilated one to half as many, a mixture back to all.

    The sum is divided by √2, so that it varies as its parts do. Where the number of features changes, the features
    are mixed to the new number without normalisation (He et al. 2016, option B). Sources: He et al. 2016; the dilated
    layers of Basenji (Kelley et al. 2018), after Yu and Koltun 2016. Parameters of a restart, with h = max(1,
    outgoing // 2): h × (incoming × width + 2) + outgoing × (h + 2), and incoming × outgoing where these differ.

    Args:
        restarts: Groups.
        incoming: Features a restart has before.
        outgoing: Features a restart has after.
        width: Positions that a filter reads.
        dilation: Step between those positions.
        generator: Source of the initial weights.
    """

    def __init__(
        self, restarts: int, incoming: int, outgoing: int, width: int, dilation: int, generator: torch.Generator
    ):
        super().__init__(outgoing, dilation * (width - 1))
        inner = max(1, outgoing // 2)
        self.narrow = drawn_weight(restarts * inner, incoming, width, 1.0, generator)
        self.narrow_norm = ScoreNorm(restarts * inner)
        self.widen = drawn_weight(restarts * outgoing, inner, 1, 2.0, generator)
        self.widen_norm = ScoreNorm(restarts * outgoing)
        self.skip = None if incoming == outgoing else drawn_weight(restarts * outgoing, incoming, 1, 1.0, generator)
        self.restarts, self.dilation = restarts, dilation

    def title(self, number: int) -> str:
        """Name it."""
        return f"residual convolution {number} of width {self.narrow.shape[2]}, dilation {self.dilation}"

    def forward(self, features: torch.Tensor, known: torch.Tensor) -> Features:
        """Add what the convolutions find."""
        scores = _convolved(features, self.narrow, self.restarts, self.dilation)
        inner = functional.relu(_normalised(self.narrow_norm, scores, known))
        added = _normalised(self.widen_norm, _convolved(inner, self.widen, self.restarts), known)
        kept = features if self.skip is None else _convolved(features, self.skip, self.restarts)
        return (kept + added.masked_fill(~known, 0.0)) / math.sqrt(2.0), known


class DenseConvolution(Layer):
    """A convolution whose features stand beside those that it reads: each later layer reads all earlier ones.

    Source: Huang et al. 2017 (DenseNet), normalised after the convolution as everywhere here. Parameters of a
    restart: growth × (incoming × width + 2).

    Args:
        restarts: Groups.
        incoming: Features a restart has before; all are kept.
        growth: Features that are added to them.
        width: Positions that a filter reads.
        dilation: Step between those positions.
        generator: Source of the initial weights.
    """

    def __init__(
        self, restarts: int, incoming: int, growth: int, width: int, dilation: int, generator: torch.Generator
    ):
        super().__init__(incoming + growth, dilation * (width - 1))
        self.new = Convolution(restarts, incoming, growth, width, dilation, generator)

    def title(self, number: int) -> str:
        """Name it."""
        return f"densely connected {self.new.title(number)}"

    def forward(self, features: torch.Tensor, known: torch.Tensor) -> Features:
        """Put new features beside the old ones, restart by restart."""
        found, _ = self.new(features, known)
        return side_by_side([features, found], self.new.restarts), known


class SqueezeExcitation(Layer):
    """Gates: each feature is multiplied by what the means of all features over the sequence make of it.

    Source: Hu et al. 2018. The gate is twice a sigmoid, which starts around 1 and so leaves the features' size as it
    is. Parameters of a restart, with u = max(1, features // 16) units: 2 × features × u + u + features.

    Args:
        restarts: Groups.
        features: Features of a restart.
        generator: Source of the initial weights.
    """

    sees_all = True
    counted = False

    def __init__(self, restarts: int, features: int, generator: torch.Generator):
        super().__init__(features)
        units = max(1, features // _REDUCTION)
        self.squeeze = drawn_weight(restarts * units, features, 1, 2.0, generator)
        # a bias above 0 keeps the few units from starting where no example wakes them
        self.squeeze_bias = nn.Parameter(torch.full((restarts * units,), 1.0))
        # small, so that the gates of many layers together start near 1 too
        self.excite = drawn_weight(restarts * features, units, 1, 0.01, generator)
        self.excite_bias = nn.Parameter(torch.zeros(restarts * features))
        self.restarts = restarts

    def title(self, number: int) -> str:
        """Name it."""
        return "squeeze and excitation"

    def forward(self, features: torch.Tensor, known: torch.Tensor) -> Features:
        """Multiply."""
        means = mean_over(features, known)[:, :, None]
        units = functional.relu(functional.conv1d(means, self.squeeze, self.squeeze_bias, groups=self.restarts))
        gates = 2.0 * torch.sigmoid(functional.conv1d(units, self.excite, self.excite_bias, groups=self.restarts))
        return features * gates, known


class Pooling(Layer):
    """Maxima over windows side by side, of which the last may be cut short, then dropout.

    Args:
        features: Features of a restart.
        width: Positions that become one.
        dropout: Of what is left.
    """

    counted = False

    def __init__(self, features: int, width: int, dropout: Dropout):
        super().__init__(features, pool=width)
        self.dropout = dropout

    def title(self, number: int) -> str:
        """Name it."""
        dropped = f"dropout of {self.dropout.share:g}" if self.dropout.share else ""
        return ", ".join(filter(None, [f"maximum over {self.pool} positions" if self.pool > 1 else "", dropped]))

    def forward(self, features: torch.Tensor, known: torch.Tensor) -> Features:
        """Pool."""
        if self.pool > 1:
            best = pooled_maxima(features.masked_fill(~known, MASKED), self.pool)
            known = pooled_maxima(known.to(features.dtype), self.pool) > 0
            features = best.masked_fill(~known, 0.0)
        return self.dropout(features), known


class DenseLayer(nn.Module):
    """Units that read all of a restart's numbers: linear, normalised, ReLU.

    Parameters of a restart: units × (incoming + 2).

    Args:
        restarts: Groups.
        incoming: Numbers that a restart has before.
        units: Numbers that it has after.
        generator: Source of the initial weights.
    """

    def __init__(self, restarts: int, incoming: int, units: int, generator: torch.Generator):
        super().__init__()
        self.weight = nn.Parameter(
            torch.randn(restarts, incoming, units, generator=generator) * (2.0 / incoming) ** 0.5
        )
        self.norm = ScoreNorm(restarts * units)

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """Map numbers, shape [example, restart, number]."""
        scores = torch.einsum("nri,riu->nru", numbers, self.weight)
        normalised: torch.Tensor = self.norm(scores.flatten(1))
        return functional.relu(normalised).view(scores.shape)


def side_by_side(parts: Sequence[torch.Tensor], restarts: int) -> torch.Tensor:
    """Put features beside one another, restart by restart; each of shape [example, restart × feature, position]."""
    return torch.cat([part.reshape(len(part), restarts, -1, part.shape[2]) for part in parts], dim=2).flatten(1, 2)


def pooled_maxima(features: torch.Tensor, width: int) -> torch.Tensor:
    """Return maxima over windows side by side; the last one may be cut short."""
    if width == 1:
        return features
    return functional.max_pool1d(features, min(width, features.shape[2]), width, ceil_mode=True)


def mean_over(features: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Return the mean of features over the real positions, shape [example, feature]."""
    return (features * known).sum(dim=2) / known.sum(dim=2).clamp(min=1)
