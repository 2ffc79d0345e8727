"""Tables of how far words fall short of the best, with which compiled code rules windows out."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from motifcnn.scanning.layout import LANES

_FULL = 127
_DEAD = -128

Ints = npt.NDArray[np.int32]
Table = npt.NDArray[np.int8]


def shortfalls(scores: Sequence[Ints], thresholds: Sequence[int], word: int, lanes: int) -> Table:
    """Return one block's shortfalls, shape [slot, word, lane].

    The last word is one with an ambiguity code; lanes without a motif strand, and strands that no word can bring to
    their threshold, are below zero at once.

    Args:
        scores: Integer scores of each motif strand, shape [position, letter].
        thresholds: Least score of a hit for each.
        word: Letters of a word.
        lanes: Room for motif strands.
    """
    letters = scores[0].shape[1]
    slots = -(-max(len(table) for table in scores) // word)
    rows = np.zeros((slots, letters**word + 1, lanes), dtype=np.int64)
    rows[0] = _DEAD
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


def to_shuffle(table: Table, entries: int) -> Table:
    """Lay a block's shortfalls out for shuffles of bytes, shape [slot, lane, row, entry].

    Args:
        table: Shape [slot, word, lane]; the last word is left out.
        entries: Bytes that a shuffle chooses from; they are repeated to fill a row of 64.
    """
    slots, words, lanes = table.shape
    rows = -(-(words - 1) // entries)
    room = np.zeros((slots, lanes, rows * entries), dtype=np.int8)
    room[:, :, : words - 1] = table[:, :-1].transpose(0, 2, 1)
    return np.tile(room.reshape(slots, lanes, rows, entries), LANES // entries)


def aligned(tables: Sequence[Table]) -> Table:
    """Copy them one after another to where no row of 64 straddles two cache lines; shape [byte]."""
    size = sum(table.size for table in tables)
    room = np.empty(size + LANES, dtype=np.int8)
    start = -room.ctypes.data % LANES
    return np.concatenate([table.ravel() for table in tables], out=room[start : start + size])
