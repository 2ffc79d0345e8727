"""The plain engine, in NumPy alone: for machines on which nothing can be compiled."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Codes

_MOST_WORDS = 8192
"""Table rows: of 6 nucleotides, or 3 amino acids."""
_NEVER = -(1 << 40)

Ints = npt.NDArray[np.int32]
_Words = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Reader:
    """One motif strand, read a few letters at a time; slots that tell most come first.

    Args:
        threshold: Least score of a hit.
        width: Positions of the motif.
        word: Letters in a slot.
        offsets: Where each slot begins in the window; the last one may overlap the one before, and then counts
            nothing for what that counted.
        tables: Score of each word in each slot, the ambiguous one last; shape [slot, word].
        needed: Least score after each slot with which the threshold can be reached.
    """

    threshold: int
    width: int
    word: int
    offsets: tuple[int, ...]
    tables: npt.NDArray[np.int64]
    needed: tuple[int, ...]


class PlainEngine:
    """Motif strands made ready to scan.

    Args:
        scores: Integer scores of each motif strand, shape [position, letter].
        thresholds: Least score of a hit for each.
    """

    def __init__(self, scores: Sequence[Ints], thresholds: Sequence[int]):
        self._readers = [_reader(*each) for each in zip(scores, thresholds, strict=True)]
        self._letters = scores[0].shape[1]

    def find(self, codes: Codes, begin: int, end: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Ints]:
        """Return starts, strands and scores of the hits starting at `begin` up to `end`, by start and strand."""
        widest = max(reader.width for reader in self._readers)
        near = codes[begin : end + widest - 1]
        words = cache(lambda word: _words(near, word, self._letters))
        parts = [_find(reader, words(reader.word), len(near), end - begin) for reader in self._readers]
        starts = np.concatenate([part[0] for part in parts])
        scores = np.concatenate([part[1] for part in parts]).astype(np.int32)
        strands = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
        order = np.argsort(starts * len(parts) + strands)
        return starts[order] + begin, strands[order], scores[order]


def _reader(scores: Ints, threshold: int) -> _Reader:
    width, letters = scores.shape
    word = min(next(k for k in range(64, 0, -1) if letters**k <= _MOST_WORDS or k == 1), width)
    offsets = [*range(0, width - word, word), width - word]
    tables = []
    for number, offset in enumerate(offsets):
        columns = scores[offset : offset + word].astype(np.int64)
        columns[: max(number * word - offset, 0)] = 0  # counted already
        table = np.zeros(1, dtype=np.int64)
        for column in columns:
            table = (table[:, None] + column).ravel()
        tables.append(np.append(table, _NEVER))
    order = sorted(range(len(offsets)), key=lambda slot: np.mean(tables[slot][:-1]) - np.max(tables[slot]))
    tables = [tables[slot] for slot in order]
    best = [int(table.max()) for table in tables]
    needed = [threshold - sum(best[number + 1 :]) for number in range(len(tables))]
    return _Reader(
        threshold, width, word, tuple(offsets[slot] for slot in order), np.stack(tables), tuple(needed)
    )  # fmt: skip


def _words(codes: Codes, word: int, letters: int) -> _Words:
    """Return the number of the word that begins at each position where one fits; letters**word for ambiguous ones."""
    count = max(len(codes) - word + 1, 0)
    values, ambiguous = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.bool_)
    for step in range(word):
        here = codes[step : step + count]
        values = values * letters + here
        ambiguous |= here >= letters
    values[ambiguous] = letters**word
    return values


def _find(reader: _Reader, words: _Words, length: int, windows: int) -> tuple[npt.NDArray[np.int64], _Words]:
    windows = max(min(windows, length - reader.width + 1), 0)
    starts = np.arange(windows)
    totals = np.zeros(windows, dtype=np.int64)
    for slot, (offset, table, needed) in enumerate(zip(reader.offsets, reader.tables, reader.needed, strict=True)):
        here = words[offset : offset + windows] if slot == 0 else words[starts + offset]
        totals = totals + table[here]
        alive = np.flatnonzero(totals >= needed)
        starts, totals = starts[alive], totals[alive]
    return starts, totals
