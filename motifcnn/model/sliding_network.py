"""A whole network in sliding windows along a sequence, its first layer computed once for each base.

A filter's score at a place does not depend on the window, but for the places where the filter would hang over the
window's edge, which are masked. A pooling window begins with its window, so that the maxima of windows whose starts
differ by whole pools are the same ones; normalisation and activation go value by value. All that is done once along
the sequence; windows then read what is theirs of it, and the further layers and the head compute each by itself.
"""

from dataclasses import dataclass
from itertools import groupby
from math import gcd

import torch
from torch.nn import functional

from motifcnn.alphabet import Codes
from motifcnn.encoding import EncodedSequences
from motifcnn.model.filters import MASKED, same_padding
from motifcnn.model.network import MotifNetwork
from motifcnn.sequences import Sequences

_ROOM = 1 << 23
"""Scores of the first layer that are held at once, 32 MB of them."""
_BATCH_ROOM = 1 << 21
"""Activations of windows that are computed at once: more would leave the processor's caches."""


@dataclass(frozen=True)
class _Cells:
    """Neighbouring positions after pooling whose pooling windows have the same number of unmasked positions.

    Args:
        first: Number of the first one in a window.
        count: How many.
        begin: First unmasked position of its pooling window, counted from the window's start.
        length: Unmasked positions of each.
    """

    first: int
    count: int
    begin: int
    length: int


class SlidingNetwork:
    """A network made ready to slide.

    Args:
        network: In evaluation mode; it reads sequence alone, and more than the filters' best windows.
        width: Letters of a window, at least the filters'.
        stride: Step between windows.
    """

    def __init__(self, network: MotifNetwork, width: int, stride: int):
        self._network, self._width, self._stride = network, width, stride
        self._pool = network.architecture.pool or 1
        self._positions = -(-width // self._pool)
        self._cells = _cells_of(width, self._pool, network.filters.width)

    @property
    def windows_at_once(self) -> int:
        """Windows worth taking at once: as scores have room, but several times as many as share a base."""
        strands = 1 + self._network.filters.both_strands
        letters = max(_ROOM // (strands * self._network.filters.filters), 8 * self._width)
        return (letters - self._width) // self._stride + 1

    def of(self, codes: Codes) -> torch.Tensor:
        """Return the mean of the restarts' logits for each window, shape [window, output]; words are left out.

        Args:
            codes: At least one window of letters; windows start at 0, `stride`, 2 × `stride` …
        """
        network, filters = self._network, self._network.filters.filters
        device = network.head.device
        parts = self._parts(codes, device)
        known = torch.full((1, 1, self._positions), MASKED, device=device)
        for cells in self._cells:
            known[:, :, cells.first : cells.first + cells.count] = 0.0
        windows = (len(codes) - self._width) // self._stride + 1
        logits = []
        batch = max(_BATCH_ROOM // (filters * self._positions), 1)
        for first in range(0, windows, batch):
            last = min(first + batch, windows)
            activations = torch.zeros(last - first, filters, self._positions, device=device)
            for cells, part in zip(self._cells, parts, strict=True):
                activations[:, :, cells.first : cells.first + cells.count] = part[first:last]
            logits.append(network.head_logits(activations, known.expand(last - first, -1, -1)))
        return torch.cat(logits)

    def _parts(self, codes: Codes, device: torch.device) -> list[torch.Tensor]:
        """Return the activations of each group of cells: views of shape [window, filter, cell] that share values."""
        sequence = Sequences.from_list([""], [codes], self._network.filters.alphabet)
        batch = EncodedSequences(sequence, device=device).batch(torch.zeros(1, dtype=torch.int64, device=device))
        scores = self._network.filters(batch)
        windows = (len(codes) - self._width) // self._stride + 1
        parts = []
        for cells in self._cells:
            step = gcd(self._stride, self._pool) if cells.count > 1 else self._stride
            end = cells.begin + (windows - 1) * self._stride + (cells.count - 1) * self._pool + cells.length
            highest = functional.max_pool1d(scores[:, :, cells.begin : end], cells.length, step)
            spanned = (cells.count - 1) * self._pool // step + 1
            of_windows = self._network.activate(highest)[0].unfold(1, spanned, self._stride // step)
            parts.append(of_windows[:, :, :: max(self._pool // step, 1)].permute(1, 0, 2))
        return parts


def _cells_of(width: int, pool: int, span: int) -> list[_Cells]:
    """Group the positions after pooling that are not masked.

    Args:
        width: Letters of a window.
        pool: Positions that become one.
        span: Positions of a filter.
    """
    before, after = same_padding(span)
    cells = []
    for first in range(0, width, pool):
        begin, end = max(first, before), min(first + pool, width - after)
        if begin < end:
            cells.append((first, begin, end - begin))
    groups = []
    for (length, _), group in groupby(cells, key=lambda cell: (cell[2], cell[1] - cell[0])):
        members = list(group)
        first, begin, _ = members[0]
        groups.append(_Cells(first // pool, len(members), begin, length))
    return groups
