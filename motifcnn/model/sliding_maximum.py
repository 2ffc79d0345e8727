"""Each filter's best score in sliding windows along a sequence, every base scored once.

Windows that overlap share most of their bases. The places at which a filter may start are cut into blocks of a stride,
and each block where the last filter of an earlier window starts; the highest score of each piece is found by table
look-ups. A window then holds some whole blocks and the first piece of one more, and its maximum is that of theirs.
Where a filter's place in the window adds to its score, windows share no maxima but still the scores.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Codes
from motifcnn.model.maximum_code import COMMON, LANES, WORD, search_intervals, search_placed, words_of

Values = npt.NDArray[np.float32]
_ROOM = 1 << 20
"""Scores that are held at once, 4 MB of them: more would leave the processor's caches."""


class SlidingMaximum:
    """Filters made ready to slide.

    Args:
        weight: Shape [strand, filter, channel, position]; 0 beyond a filter's width.
        widths: Positions that each filter spans, none more than a window, shape [filter].
        fractions: Share of each channel in each code, shape [code, channel].
        window: Positions of a window.
        stride: Step between windows, at most a window.
        place: What a filter's place in the window adds to its score, shape [distance from the window's middle in half
            letters, filter]; then all filters span as many positions. Nothing by default.
    """

    def __init__(
        self,
        weight: Values,
        widths: Sequence[int],
        fractions: Values,
        window: int,
        stride: int,
        place: Values | None = None,
    ):
        self._strands, self._filters, _, self._longest = weight.shape
        self._weight = np.ascontiguousarray(weight.reshape(-1, *weight.shape[2:]).transpose(2, 1, 0))
        self._fractions = _constant(fractions)
        self._window, self._stride, self._place = window, stride, place
        self._blocks, self._rest = np.divmod(window - np.asarray(widths) + 1, stride)
        self._ends = np.unique(np.append(self._rest[self._rest > 0], stride))

    @property
    def windows_at_once(self) -> int:
        """Windows worth taking at once: as scores have room, but at least as many as share a base."""
        if self._place is not None:  # the scores of all letters are held, a block of lanes at a time
            return max(max(_ROOM // LANES, 4 * self._window) // self._stride, 1)
        blocks: int = _ROOM // (self._filters * len(self._ends))
        shared = int(self._blocks.max())
        return max(blocks - shared, shared, 1)

    def of(self, codes: Codes) -> Values:
        """Return the best score of each filter in each window, shape [window, filter].

        Args:
            codes: At least one window of letters; windows start at 0, `stride`, 2 × `stride` …
        """
        count = (len(codes) - self._window) // self._stride + 1
        if self._place is not None:
            return self._placed(codes, count, self._place)
        firsts = np.arange(count + int(self._blocks.max())) * self._stride
        bounds = np.append(0, np.minimum(firsts[:, None] + self._ends, len(codes)).ravel())
        up_to = self._up_to(codes, bounds).reshape(len(firsts), len(self._ends), self._filters)
        best = np.empty((count, self._filters), dtype=np.float32)
        for blocks, rest in np.unique(np.stack([self._blocks, self._rest]), axis=1).T.tolist():
            chosen = np.flatnonzero((self._blocks == blocks) & (self._rest == rest))
            part = slice(None) if len(chosen) == self._filters else chosen
            if rest:
                best[:, part] = up_to[blocks : blocks + count, int(np.searchsorted(self._ends, rest)), part]
            if blocks:
                whole = _highest_of(up_to[:, -1, part], blocks)[:count]
                best[:, part] = np.maximum(best[:, part], whole) if rest else whole
        return best

    def _up_to(self, codes: Codes, bounds: npt.NDArray[np.int64]) -> Values:
        """Best score of each filter from a block's beginning to each piece's end, shape [piece, filter]."""
        row, step, fractions, complement = self._words(codes)
        scores = np.empty((len(bounds) - 1, self._filters), dtype=np.float32)
        for first, last, half in self._lanes():
            search_intervals(
                bounds, len(self._ends), first, last, row, step, fractions, self._weight, complement, half, scores
            )
        return scores

    def _placed(self, codes: Codes, count: int, place: Values) -> Values:
        row, step, fractions, complement = self._words(codes)
        best = np.empty((count, self._filters), dtype=np.float32)
        positions = self._window - self._longest + 1
        for first, last, half in self._lanes():
            search_placed(
                self._stride, positions, 1 - positions, first, last, row, step, fractions, self._weight, complement,
                half, place, best,
            )  # fmt: skip
        return best

    def _words(self, codes: Codes) -> tuple[npt.NDArray[np.uint8], int, Values, npt.NDArray[np.uint8]]:
        """Return the number of the word at each position, the step between words, rows of symbols and complements."""
        words, (rare,) = words_of(codes[None], np.array([len(codes)]), COMMON, self._longest + WORD)
        row, step, symbols = words[0], WORD, COMMON
        if rare or len(self._fractions) < COMMON:
            row, step, symbols = np.pad(codes, (0, self._longest)), 1, len(self._fractions)
        complement = _constant(np.arange(symbols, dtype=np.uint8))  # strands have weights of their own
        return row, step, self._fractions[:symbols], complement

    def _lanes(self) -> Iterator[tuple[int, int, int]]:
        """Give the first filter of each block of lanes, the one after its last, and the lanes of a strand."""
        half = LANES // self._strands
        for first in range(0, self._filters, half):
            yield first, min(first + half, self._filters), half


def _constant(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Copy to an array that cannot be written, as those of alphabets: code is compiled for one kind only."""
    copy = np.array(array, order="C")
    copy.setflags(write=False)
    return copy


def _highest_of(values: Values, length: int) -> Values:
    """Return the maximum of each run of so many rows; there are `length` − 1 fewer."""
    covered = 1
    while 2 * covered <= length:
        values = np.maximum(values[:-covered], values[covered:])
        covered *= 2
    rest = length - covered
    return np.maximum(values[: len(values) - rest], values[rest:]) if rest else values
