"""Layers that see several scales at once and keep every position: a U-Net, and atrous spatial pyramid pooling."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from motifcnn.model.blocks import Convolution, Features, Layer, drawn_weight, mean_over, pooled_maxima, side_by_side

FLOORS = 3
"""Times that a U-Net pools."""
_GROWTH = 1.5
"""Features of a floor for each of the floor above; with the paper's 2 there would be three times the parameters."""
_RATES = (1, 2, 3)
"""Dilations of the pyramid's branches for each of the first one's: 6, 12 and 18 in the paper."""


def floor_features(features: int) -> list[int]:
    """Return the features of each floor of a U-Net, from those of the uppermost."""
    return [round(features * _GROWTH**floor) for floor in range(FLOORS + 1)]


class UNet(Layer):
    """Features convolved, pooled by 2 and convolved again, three times, then brought back the same way.

    Each floor has two convolutions on the way down and two on the way up; between floors stand a maximum over 2 and,
    on the way up, a transposed convolution of width and stride 2, linear, beside whose features those of the way down
    are put (skip connection). A last window may be cut short, and what is brought back is cut to the floor's length, so
    that sequences may have any. Source: Ronneberger, Fischer and Brox 2015 (four pools, each with twice the features).

    Parameters of a restart, with f the features of the floors and c(a, b) = b × (a × width + 2):
    c(incoming, f0) + c(f0, f0), c(f, g) + c(g, g) + c(2f, f) + c(f, f) + 2 × f × g for each floor f and its lower g.

    Args:
        restarts: Groups.
        incoming: Features a restart has before.
        outgoing: Features a restart has after, and on the uppermost floor.
        width: Positions that a filter reads.
        dilation: Step between those positions.
        generator: Source of the initial weights.
    """

    def __init__(
        self, restarts: int, incoming: int, outgoing: int, width: int, dilation: int, generator: torch.Generator
    ):
        super().__init__(outgoing, _reach(2 * dilation * (width - 1)))
        sizes = floor_features(outgoing)
        self.down = nn.ModuleList(
            _Twice(restarts, before, after, width, dilation, generator)
            for before, after in pairwise([incoming, *sizes])
        )
        self.up = nn.ModuleList(_Up(restarts, lower, upper, generator) for upper, lower in pairwise(sizes))
        self.mixed = nn.ModuleList(_Twice(restarts, 2 * size, size, width, dilation, generator) for size in sizes[:-1])
        self.restarts = restarts

    def title(self, number: int) -> str:
        """Name it."""
        return f"u-net {number}: {FLOORS} pools of 2, convolutions of width {self.down[0].width}"

    def forward(self, features: torch.Tensor, known: torch.Tensor) -> Features:
        """Go down, and up again."""
        left: list[Features] = []
        for floor, convolutions in enumerate(self.down):
            if floor:
                # features are rectified, and 0 where nothing is known: padding wins no maximum
                features, known = pooled_maxima(features, 2), pooled_maxima(known.to(features.dtype), 2) > 0
            features = convolutions(features, known)
            left.append((features, known))
        for (kept, known), up, mix in zip(left[-2::-1], reversed(self.up), reversed(self.mixed), strict=True):
            features = mix(side_by_side([kept, up(features, known)], self.restarts), known)
        return features, known


def _reach(twice: int) -> int:
    """Positions that one output of a U-Net sees, less one, where the windows of its pools lie worst.

    Args:
        twice: The same of two convolutions.
    """
    span = 0
    for _ in range(FLOORS):
        span = -(-(span + twice) // 2)
    span += twice
    for _ in range(FLOORS):
        span = 2 * span + 1 + twice
    return span


class _Twice(nn.Module):
    """Two convolutions, one after the other."""

    def __init__(
        self, restarts: int, incoming: int, outgoing: int, width: int, dilation: int, generator: torch.Generator
    ):
        super().__init__()
        self.width = width
        self.first = Convolution(restarts, incoming, outgoing, width, dilation, generator)
        self.second = Convolution(restarts, outgoing, outgoing, width, dilation, generator)

    def forward(self, features: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.second(*self.first(features, known))[0]
        return found


class _Up(nn.Module):
    """Two positions from each one."""

    def __init__(self, restarts: int, incoming: int, outgoing: int, generator: torch.Generator):
        super().__init__()
        # either position reads all incoming features once
        drawn = drawn_weight(restarts * outgoing * 2, incoming, 1, 1.0, generator)
        self.weight = nn.Parameter(drawn.data.view(restarts * incoming, outgoing, 2))
        self.restarts = restarts

    def forward(self, features: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Double the positions and keep those that are known on the floor above."""
        doubled = functional.conv_transpose1d(features, self.weight, stride=2, groups=self.restarts)
        return doubled[:, :, : known.shape[2]] * known


class AtrousPyramid(Layer):
    """Atrous spatial pyramid pooling: what several dilations, each position and the whole sequence tell, mixed.

    Five branches read the features: a mixture of width 1, three dilated convolutions, and a mixture of the features'
    means over the sequence; a convolution of width 1 reads all five. Source: Chen et al. 2017 (DeepLab version 3,
    arXiv:1706.05587).

    Parameters of a restart, with c(a, b, w) = b × (a × w + 2) and n = outgoing:
    2 × c(incoming, n, 1) + 3 × c(incoming, n, width) + c(5n, n, 1).

    Args:
        restarts: Groups.
        incoming: Features a restart has before.
        outgoing: Features a restart has after, and each branch.
        width: Positions that a dilated filter reads.
        dilation: Step between those positions in the first dilated branch; two and three times as much in the others.
        generator: Source of the initial weights.
    """

    sees_all = True

    def __init__(
        self, restarts: int, incoming: int, outgoing: int, width: int, dilation: int, generator: torch.Generator
    ):
        super().__init__(outgoing)
        shapes = [(1, 1), *((width, dilation * rate) for rate in _RATES)]
        self.branches = nn.ModuleList(
            Convolution(restarts, incoming, outgoing, span, step, generator) for span, step in shapes
        )
        self.whole = Convolution(restarts, incoming, outgoing, 1, 1, generator)
        self.mixture = Convolution(restarts, 5 * outgoing, outgoing, 1, 1, generator)
        self.restarts, self.dilation = restarts, dilation

    def title(self, number: int) -> str:
        """Name it."""
        return f"atrous pyramid {number} of dilations {', '.join(str(self.dilation * rate) for rate in _RATES)}"

    def forward(self, features: torch.Tensor, known: torch.Tensor) -> Features:
        """Read each branch, and mix them."""
        parts = [branch(features, known)[0] for branch in self.branches]
        whole, _ = self.whole(mean_over(features, known)[:, :, None], known.any(dim=2, keepdim=True))
        mixed: Features = self.mixture(side_by_side([*parts, whole * known], self.restarts), known)
        return mixed
