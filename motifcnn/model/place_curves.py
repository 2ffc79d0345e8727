"""What the place of a window adds to its score: where in a sequence sites count most, learned beside the filters.

Windows cut around peaks hold their sites near the middle, background holds its chance sites anywhere. Each restart
learns one curve of the distance from the middle, straight between a few knots, which is added to the scores of all
its filters before the maximum is taken. On both strands the curve is the same to the left and to the right, so that a
sequence and its reverse complement still score the same; on one strand either side has its own.
"""

import numpy as np
import torch
from torch import nn

_KNOTS = (0, 4, 8, 16, 32, 64, 128)
"""Distances from the middle, in letters, at which a curve is told; beyond the last it is level."""


class PlaceCurves(nn.Module):
    """A curve for each restart.

    Args:
        restarts: Number of curves.
        filters: Filters of a restart.
        mirrored: Whether left and right of the middle are the same.
    """

    basis: torch.Tensor

    def __init__(self, restarts: int, filters: int, mirrored: bool):
        super().__init__()
        knots = np.array(_KNOTS if mirrored else (*(-knot for knot in _KNOTS[:0:-1]), *_KNOTS))
        self.reach = 2 * _KNOTS[-1]
        halves = np.arange(-self.reach, self.reach + 1) / 2
        away = np.abs(halves) if mirrored else halves
        basis = np.stack([np.interp(away, knots, single) for single in np.eye(len(knots))], axis=1)
        self.register_buffer("basis", torch.from_numpy(basis.astype(np.float32)), persistent=False)
        self.values = nn.Parameter(torch.zeros(restarts, len(knots)))
        self.filters = filters

    def rows(self) -> torch.Tensor:
        """Return what is added at each distance from the middle, in half letters from −reach on: [row, filter]."""
        curves = self.basis @ self.values.T
        return curves[:, :, None].expand(-1, -1, self.filters).reshape(len(curves), -1)

    def row_of(self, starts: torch.Tensor, lengths: torch.Tensor, width: int) -> torch.Tensor:
        """Return the row of windows.

        Args:
            starts: First position of each window in its sequence.
            lengths: Length of the sequence; of a shape that goes with `starts`.
            width: Of the windows.
        """
        return (2 * starts + width - lengths).clamp(-self.reach, self.reach) + self.reach
