"""The vector engine: every window against motif strands in 8-bit arithmetic that only rules out.

A motif strand's columns are taken k letters at a time (a slot); for each word of k letters a table holds how far the
word falls short of the slot's best one, in units of which 127 make up the whole distance from the motif's best score
to its threshold, rounded down. At each window the shortfalls of its words are subtracted from 127 with saturation:
below zero, the window cannot reach the threshold. What is left, little more than the hits, is scored exactly in
integers, so that rounding never decides.

Many strands are searched for with a strand in each of 64 lanes of a vector; the few that are left over, with 64
windows in the lanes, where the processor can look up 64 bytes at a time.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Codes
from motifcnn.scanning.layout import LANES, PIECE, SHUFFLED_WORDS, TESTED, TOGETHER, TRIPLE
from motifcnn.scanning.machine_code import MachineCode
from motifcnn.scanning.shortfalls import Ints, Table, aligned, shortfalls, to_shuffle

_FIRST_ROOM = 1 << 14
"""Hits; what threads take at a time rarely has more."""
_FEW: Final = {16: 26, 64: 44}
"""Most motif strands for which windows in the lanes are faster, by the bytes that the processor can look up in."""

Wholes = npt.NDArray[np.int64]
Found = tuple[Wholes, Wholes, Ints]
"""Starts, strands and scores of hits."""


class _Strands:
    """Motif strands in order of width.

    Args:
        scores: Integer scores of each, shape [position, letter].
        thresholds: Least score of a hit for each.
        ranks: Place of each in the order in which hits at one position are reported.
    """

    def __init__(self, scores: Sequence[Ints], thresholds: Sequence[int], ranks: Sequence[int]):
        self.scores, self.thresholds, self.ranks = scores, thresholds, ranks

    @property
    def letters(self) -> int:
        """Letters proper of the alphabet."""
        return int(self.scores[0].shape[1])

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, which: slice) -> "_Strands":
        return _Strands(self.scores[which], self.thresholds[which], self.ranks[which])

    def blocks(self, size: int) -> "Iterator[_Strands]":
        """Divide them, so many a block."""
        return (self[start : start + size] for start in range(0, len(self), size))


class _Search:
    """One of the compiled searches, with its tables.

    Args:
        function: The compiled search.
        strands: Motif strands.
        tables: Shortfalls of each block of them, shape [slot, ...].
        size: Motif strands of a block.
        word: Letters in a word.
    """

    def __init__(self, function: Callable[..., int], strands: _Strands, tables: Sequence[Table], size: int, word: int):
        exact = [scores.ravel() for scores in strands.scores]
        slots = [len(table) for table in tables]
        members = [len(block) for block in strands.blocks(size)]
        self._function, self._word, self._most_slots = function, word, max(slots)
        of_blocks = aligned(tables), _begins([table.size for table in tables]), _wholes(slots), _wholes(members)
        of_strands = (
            _wholes([len(scores) for scores in strands.scores]), np.array(strands.thresholds, dtype=np.int32),
            np.concatenate(exact, dtype=np.int32), _begins([scores.size for scores in exact]), _wholes(strands.ranks),
        )  # fmt: skip
        self._kept = of_blocks, of_strands
        self._arguments = (
            *(array.ctypes.data for array in of_blocks), len(tables), word, strands.scores[0].shape[1],
            *(array.ctypes.data for array in of_strands),
        )  # fmt: skip

    @classmethod
    def by_strands(cls, strands: _Strands, code: MachineCode) -> "_Search":
        """Put 64 strands in the lanes."""
        word = TRIPLE if strands.letters == 4 else 1
        tables = [shortfalls(block.scores, block.thresholds, word, LANES) for block in strands.blocks(LANES)]
        return cls(code.search_by_strands, strands, tables, LANES, word)

    @classmethod
    def by_windows(cls, strands: _Strands, code: MachineCode) -> "_Search":
        """Put 64 windows in the lanes, for few strands at a time."""
        entries = code.table_entries()
        word = round(math.log(entries, 4)) if strands.letters == 4 else 1
        tables = [
            to_shuffle(shortfalls(block.scores, block.thresholds, word, len(block)), entries)
            for block in strands.blocks(TOGETHER)
        ]
        return cls(code.search_by_windows, strands, tables, TOGETHER, word)

    def find(self, codes: Codes, begin: int, end: int) -> Iterator[Wholes]:
        """Return hits starting at `begin` up to `end`, part after part, in any order; rows are as of `Found`."""
        words = np.empty(PIECE + TESTED + self._most_slots * self._word + 2 * LANES, dtype=np.uint16)
        candidates = np.empty((2, PIECE + TESTED), dtype=np.int64)
        next_begin = np.array([begin], dtype=np.int64)
        room = _FIRST_ROOM
        while next_begin[0] < end:
            hits = np.empty((3, room), dtype=np.int64)
            found = self._function(
                codes, len(codes), int(next_begin[0]), end, *self._arguments, words, candidates, hits, room, next_begin
            )
            yield hits[:, :found]
            room *= 2


class VectorEngine:
    """Motif strands made ready to search.

    Args:
        scores: Integer scores of each motif strand, shape [position, letter].
        thresholds: Least score of a hit for each.
        code: The compiled searches.
    """

    def __init__(self, scores: Sequence[Ints], thresholds: Sequence[int], code: MachineCode):
        order = np.argsort([len(table) for table in scores], kind="stable")  # like widths share a block
        strands = _Strands([scores[n] for n in order], [thresholds[n] for n in order], order.tolist())
        few = strands_by_windows(len(strands), strands.letters, code.table_entries())
        many = len(strands) - few
        self._searches = [_Search.by_strands(strands[:many], code)] if many else []
        self._searches += [_Search.by_windows(strands[many:], code)] if few else []
        self._strands = len(strands)

    def find(self, codes: Codes, begin: int, end: int) -> Found:
        """Return starts, strands and scores of the hits starting at `begin` up to `end`, by start and strand."""
        codes = np.ascontiguousarray(codes)
        nothing = np.empty((3, 0), dtype=np.int64)
        parts = [nothing, *(part for search in self._searches for part in search.find(codes, begin, end))]
        hits = np.concatenate(parts, axis=1)
        starts, strands, scores = hits[:, np.argsort(hits[0] * self._strands + hits[1])]
        return starts, strands, scores.astype(np.int32)


def strands_by_windows(count: int, letters: int, entries: int) -> int:
    """Return how many of so many motif strands are best searched with windows in the lanes.

    Args:
        count: Motif strands.
        letters: Letters of the alphabet.
        entries: Bytes that the processor can look up in at a time; 0 where it cannot.
    """
    if not entries or (letters != 4 and letters > SHUFFLED_WORDS):
        return 0
    rest = count % LANES
    return rest if rest <= _FEW[entries] else 0


def _wholes(numbers: Sequence[int]) -> Wholes:
    return np.array(numbers, dtype=np.int64)


def _begins(sizes: Sequence[int]) -> Wholes:
    return np.cumsum([0, *sizes[:-1]], dtype=np.int64)
