"""The plain engine: one motif strand at a time, window by window; for where vector code cannot be compiled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Codes

_FIRST_ROOM = 4096

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class _Reader:
    """One motif strand, columns ordered so that hopeless windows are dropped early."""

    threshold: int
    columns: npt.NDArray[np.int64]
    table: Ints
    needed: npt.NDArray[np.int64]


class PlainEngine:
    """Motif strands made ready to scan.

    Args:
        scores: Integer scores of each motif strand, shape [position, letter].
        thresholds: Least score of a hit for each.
    """

    def __init__(self, scores: Sequence[Ints], thresholds: Sequence[int]):
        self._readers = [_reader(*each) for each in zip(scores, thresholds, strict=True)]

    def find(self, codes: Codes, begin: int, end: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Ints]:
        """Return starts, strands and scores of the hits starting at `begin` up to `end`, by start and strand."""
        parts = [_find(reader, codes, begin, end) for reader in self._readers]
        starts = np.concatenate([part[0] for part in parts])
        scores = np.concatenate([part[1] for part in parts])
        strands = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
        order = np.argsort(starts * len(parts) + strands)
        return starts[order], strands[order], scores[order]


def _reader(scores: Ints, threshold: int) -> _Reader:
    spread = scores.max(axis=1).astype(np.int64) - scores.astype(np.float64).mean(axis=1)
    columns = np.argsort(-spread, kind="stable").astype(np.int64)
    best_left = np.append(np.cumsum(scores.max(axis=1)[columns][::-1], dtype=np.int64)[::-1][1:], 0)
    return _Reader(threshold, columns, np.ascontiguousarray(scores[columns]), threshold - best_left)


def _find(reader: _Reader, codes: Codes, begin: int, end: int) -> tuple[npt.NDArray[np.int64], Ints]:
    room = _FIRST_ROOM
    while True:
        starts, scores = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int32)
        last = min(end, len(codes) - len(reader.columns) + 1)
        found = _scan(codes, begin, last, reader.columns, reader.table, reader.needed, starts, scores)
        if found <= room:
            return starts[:found], scores[:found]
        room = found


@numba.njit(cache=True, nogil=True)
def _scan(codes, begin, end, columns, table, needed, starts, scores):  # type: ignore[no-untyped-def] # pragma: no cover
    found = 0
    width, letters = table.shape
    for start in range(begin, end):
        total = 0
        alive = True
        for step in range(width):
            code = codes[start + columns[step]]
            if code >= letters:  # an ambiguity code
                alive = False
                break
            total += table[step, code]
            if total < needed[step]:
                alive = False
                break
        if alive:
            if found < len(starts):
                starts[found] = start
                scores[found] = total
            found += 1
    return found
