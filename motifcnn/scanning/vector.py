"""The vector engine: 64 motif strands at a time against every window, in 8-bit arithmetic that only rules out.

A motif strand is a lane of a vector. Its columns are taken k letters at a time (a slot); for each word of k letters
a table holds how far the word falls short of the slot's best one, in units of which 127 make up the whole distance
from the motif's best score to its threshold, rounded down. At each window the shortfalls of its words are
subtracted from 127 with saturation: below zero, the window cannot reach the threshold. What is left, little more
than the hits, is scored exactly in integers, so that rounding never decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Codes
from motifcnn.scanning.layout import GROUP, LANES, PIECE, TRIPLE
from motifcnn.scanning.machine_code import MachineCode

_FULL = 127
_DEAD = -128
_FIRST_ROOM = 1 << 14
"""Hits; what threads take at a time rarely has more."""

Ints = npt.NDArray[np.int32]
Found = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Ints]
"""Starts, strands and scores of hits."""


@dataclass(frozen=True, eq=False)
class VectorEngine:
    """Motif strands in blocks of 64 lanes.

    Args:
        code: The compiled search.
        tables: Shortfalls, all blocks one after another, each [slot][word][lane]; the
            last word is one with an ambiguity code.
        begins: Where each block begins in `tables`, shape [block].
        slots: Slots of each block, shape [block].
        word: Letters in a word.
        letters: Letters proper of the alphabet.
        widths: Width of each motif strand, shape [strand].
        thresholds: Least score of a hit, shape [strand].
        scores: Exact scores, all strands one after another, each [position][letter].
        firsts: Where each strand begins in `scores`, shape [strand].
        ranks: Place of each strand in the order in which hits at one position are reported, shape [strand].
    """

    code: MachineCode
    tables: npt.NDArray[np.int8]
    begins: npt.NDArray[np.int64]
    slots: npt.NDArray[np.int64]
    word: int
    letters: int
    widths: npt.NDArray[np.int64]
    thresholds: Ints
    scores: Ints
    firsts: npt.NDArray[np.int64]
    ranks: npt.NDArray[np.int64]

    @classmethod
    def of(cls, scores: Sequence[Ints], thresholds: Sequence[int], code: MachineCode) -> "VectorEngine":
        """Make the tables.

        Args:
            scores: Integer scores of each motif strand, shape [position, letter].
            thresholds: Least score of a hit for each.
            code: The compiled search.
        """
        letters = scores[0].shape[1]
        word = TRIPLE if letters == 4 else 1
        order = np.argsort([len(table) for table in scores], kind="stable")  # like widths share a block
        blocks = [order[start : start + LANES] for start in range(0, len(order), LANES)]
        tables = [_table([scores[n] for n in block], [thresholds[n] for n in block], word) for block in blocks]
        sizes = [table.size for table in tables]
        exact = [np.asarray(scores[n], dtype=np.int32).ravel() for n in order]
        return cls(
            code,
            _aligned(np.concatenate([table.ravel() for table in tables])),
            np.cumsum([0, *sizes[:-1]], dtype=np.int64),
            np.array([len(table) for table in tables], dtype=np.int64),
            word,
            letters,
            np.array([len(scores[n]) for n in order], dtype=np.int64),
            np.array([thresholds[n] for n in order], dtype=np.int32),
            np.concatenate(exact),
            np.cumsum([0, *(table.size for table in exact[:-1])], dtype=np.int64),
            order.astype(np.int64),
        )

    def find(self, codes: Codes, begin: int, end: int) -> Found:
        """Return starts, strands and scores of the hits starting at `begin` up to `end`, by start and strand."""
        codes = np.ascontiguousarray(codes)
        words = np.empty(PIECE + int(self.slots.max()) * self.word + GROUP, dtype=np.uint16)
        places, alive = np.empty(PIECE + GROUP, dtype=np.int64), np.empty(PIECE + GROUP, dtype=np.uint64)
        next_begin = np.array([begin], dtype=np.int64)
        parts: list[Found] = []
        room = _FIRST_ROOM
        while not parts or next_begin[0] < end:
            starts, strands = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
            scores = np.empty(room, dtype=np.int32)
            found = self.code.find_hits(
                codes, len(codes), int(next_begin[0]), end, self.tables, self.begins, self.slots, len(self.slots),
                self.word, self.letters, self.letters**self.word, self.widths, self.thresholds, self.scores,
                self.firsts, self.ranks, words, places, alive, starts, strands, scores, room, next_begin,
            )  # fmt: skip
            order = np.argsort(starts[:found] * len(self.widths) + strands[:found])
            parts.append((starts[order], strands[order], scores[order]))
            room *= 2
        starts, strands, scores = (np.concatenate(column) for column in zip(*parts, strict=True))
        return starts, strands, scores


def _aligned(table: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Copy to where no row straddles two cache lines."""
    room = np.empty(table.size + LANES, dtype=np.int8)
    start = -room.ctypes.data % LANES
    room[start : start + table.size] = table
    return room[start : start + table.size]


def _table(scores: Sequence[Ints], thresholds: Sequence[int], word: int) -> npt.NDArray[np.int8]:
    """Return one block's shortfalls, shape [slot, word, lane]."""
    letters = scores[0].shape[1]
    slots = -(-max(len(table) for table in scores) // word)
    rows = np.zeros((slots, letters**word + 1, LANES), dtype=np.int64)
    rows[0] = _DEAD  # lanes without a motif
    for lane, (table, threshold) in enumerate(zip(scores, thresholds, strict=True)):
        lacks = table.max(axis=1, keepdims=True).astype(np.int64) - table
        spare = int(table.max(axis=1).sum()) - threshold
        if spare < 0:  # no word reaches the threshold
            continue
        lacks = np.concatenate([lacks, np.zeros((slots * word - len(table), letters), dtype=np.int64)])
        of_words = lacks[::word]
        for step in range(1, word):
            of_words = (of_words[:, :, None] + lacks[step::word][:, None, :]).reshape(slots, -1)
        rows[:, :-1, lane] = -(of_words * _FULL // max(spare, 1))
        rows[:, -1, lane] = np.where(np.arange(1, slots + 1) * word <= len(table), 2 * _DEAD, 0)
        rows[0, :, lane] += _FULL
    return np.maximum(rows, _DEAD).astype(np.int8)
