"""A track of a whole genome or proteome, read piece by piece: bigWig from the disk, text formats from memory."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from motifcnn.errors import InputError
from motifcnn.formats.bedgraph import bedgraph_stretches
from motifcnn.formats.conservation import TrackFormat, format_of, table_rows
from motifcnn.formats.genome_tracks import Stretches, open_bigwig
from motifcnn.formats.wiggle import wiggle_stretches

Values = npt.NDArray[np.float32]

_PIECE: Final = 1 << 22
"""Positions read at a time."""


class TrackReader(Protocol):
    """Values at positions of named sequences.

    Args:
        lengths: Positions of each sequence that have, or may have, a value; by name.
    """

    lengths: Mapping[str, int]

    def values(self, name: str, start: int, end: int) -> Values:
        """Return the values from start to end, counted from 0; NaN where there is none, also past the end."""


def open_track(path: Path) -> TrackReader:
    """Open a track in any format that `formats.conservation` reads.

    Raises:
        InputError: The file is at fault.
    """
    kind = format_of(path)
    if kind == TrackFormat.BIGWIG:
        return _BigWig(path)
    if kind == TrackFormat.TABLE:
        return _Table({name: row for _, name, row in table_rows(path)})
    return _InMemory(bedgraph_stretches(path) if kind == TrackFormat.BEDGRAPH else wiggle_stretches(path), path)


def pieces(reader: TrackReader, overlap: int) -> Iterator[tuple[Values, int]]:
    """Give all values, a bounded number at a time, and how many of them begin this piece's own windows.

    Args:
        reader: The track.
        overlap: Values that follow a piece's own, if the sequence has them: a window of one more begins in one piece.
    """
    for name, length in reader.lengths.items():
        for start in range(0, length, _PIECE):
            yield reader.values(name, start, min(start + _PIECE + overlap, length)), min(_PIECE, length - start)


class _BigWig:
    def __init__(self, path: Path):
        self._file, self._path = open_bigwig(path), path
        self.lengths: Mapping[str, int] = self._file.chroms()

    def values(self, name: str, start: int, end: int) -> Values:
        result = np.full(end - start, np.nan, dtype=np.float32)
        last = min(end, self.lengths.get(name, 0))
        if last > start:
            try:
                result[: last - start] = self._file.values(name, start, last, numpy=True)
            except RuntimeError:
                where = f"{name}:{start}-{last}"
                raise InputError(f"is a damaged bigWig (at {where}); copy or download it again", self._path) from None
        return result


class _Table:
    def __init__(self, rows: Mapping[str, Values]):
        self._rows = rows
        self.lengths: Mapping[str, int] = {name: len(row) for name, row in rows.items()}

    def values(self, name: str, start: int, end: int) -> Values:
        result = np.full(end - start, np.nan, dtype=np.float32)
        found = self._rows.get(name, result[:0])[start:end]
        result[: len(found)] = found
        return result


class _InMemory:
    def __init__(self, stretches: Iterable[Stretches], path: Path):
        parts: dict[str, list[Stretches]] = {}
        for piece in stretches:
            if len(piece.starts):
                parts.setdefault(piece.chrom, []).append(piece)
        self._stretches = {chrom: _joined(chrom, mine, path) for chrom, mine in parts.items()}
        self.lengths: Mapping[str, int] = {chrom: int(held.ends[-1]) for chrom, held in self._stretches.items()}

    def values(self, name: str, start: int, end: int) -> Values:
        result = np.full(end - start, np.nan, dtype=np.float32)
        held = self._stretches.get(name)
        if held is None:
            return result
        low, high = np.searchsorted(held.ends, start, "right"), np.searchsorted(held.starts, end, "left")
        begins = np.maximum(held.starts[low:high] - start, 0)
        widths = np.minimum(held.ends[low:high] - start, end - start) - begins
        first = np.repeat(begins - np.cumsum(widths) + widths, widths)
        result[first + np.arange(len(first))] = np.repeat(held.values[low:high], widths)
        return result


def _joined(chrom: str, parts: list[Stretches], path: Path) -> Stretches:
    starts, ends, values = (
        np.concatenate([getattr(part, field) for part in parts]) for field in ("starts", "ends", "values")
    )
    return Stretches.sorted(chrom, starts, ends, values, path)
