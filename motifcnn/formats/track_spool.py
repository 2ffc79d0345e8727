"""Where sequences lie on the tracks made of them, and a file on disk in which tracks are put together."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.tracks import Stretch, Values, place
from motifcnn.intervals import Interval, parse_interval

_STRETCH = 2**20
"""Most positions of a stretch that is read back at once."""
_ITEM = np.dtype(np.float32).itemsize


@dataclass(frozen=True)
class Place:
    """Where a sequence lies.

    Args:
        interval: On which chromosome, or on one of its own.
        offset: Its first position in the layout.
        located: Whether its name gives genome coordinates.
    """

    interval: Interval
    offset: int
    located: bool


@dataclass(frozen=True)
class Layout:
    """Sequences in the order of a track: blocks of overlapping sequences, one after another.

    Args:
        places: One place a sequence, in the order of the sequences.
        blocks: Stretches that sequences cover, sorted by chromosome (bytes) and start, apart from each other.
        overlapping: Sequences that overlap one before them.
    """

    places: tuple[Place, ...]
    blocks: tuple[Interval, ...]
    overlapping: int

    @classmethod
    def of(cls, names: Sequence[str], lengths: Sequence[int], path: str | Path | None = None) -> Self:
        """Lay sequences out.

        Args:
            names: One a sequence; such as `chr22:100-301` for genome coordinates.
            lengths: Their numbers of positions.
            path: File that they come from, for messages.

        Raises:
            InputError: A name cannot stand in a track, or does not fit its sequence.
        """
        intervals = [_placed(name, length, path) for name, length in zip(names, lengths, strict=True)]
        order = sorted(range(len(names)), key=lambda n: (intervals[n].chrom.encode(), intervals[n].start))
        blocks: list[Interval] = []
        members: list[list[int]] = []
        overlaps: list[int] = []
        for number in order:
            interval = intervals[number]
            if blocks and blocks[-1].chrom == interval.chrom and interval.start < blocks[-1].end:
                blocks[-1] = Interval(interval.chrom, blocks[-1].start, max(blocks[-1].end, interval.end))
                members[-1].append(number)
                overlaps.append(number)
            else:
                blocks.append(Interval(interval.chrom, interval.start, interval.end))
                members.append([number])
        places: dict[int, Place] = {}
        offset = 0
        for block, inside in zip(blocks, members, strict=True):
            for number in inside:
                interval = intervals[number]
                located = parse_interval(names[number]) is not None
                places[number] = Place(interval, offset + interval.start - block.start, located)
            offset += block.width
        return cls(tuple(places[number] for number in range(len(names))), tuple(blocks), len(overlaps))

    @property
    def positions(self) -> int:
        """Number of positions in all."""
        return sum(block.width for block in self.blocks)

    def sizes(self) -> dict[str, int]:
        """Return the least length that each chromosome must have."""
        return {block.chrom: block.end for block in self.blocks}

    def positions_of(self, starts: npt.NDArray[np.int64]) -> Iterator[tuple[str, int]]:
        """Give chromosome and position of positions in the layout."""
        offsets = np.cumsum([0, *(block.width for block in self.blocks)])
        for start, number in zip(starts.tolist(), np.searchsorted(offsets, starts, side="right") - 1, strict=True):
            block = self.blocks[number]
            yield block.chrom, block.start + start - int(offsets[number])


def _placed(name: str, length: int, path: str | Path | None) -> Interval:
    try:
        return place(name, length)
    except InputError as error:
        raise InputError(error.message, path) from None


class TrackSpool:
    """Tracks in an unnamed file, written in any order and read back in the layout's; 0 where nothing was put.

    Args:
        layout: Where sequences lie.
        tracks: Number of tracks.
        folder: Where the file is made; it is gone afterwards, whatever happens.

    Raises:
        MotifcnnError: The folder cannot be written, or no space is left.
    """

    def __init__(self, layout: Layout, tracks: int, folder: Path):
        self.layout = layout
        self._folder = folder
        self._positions = layout.positions
        try:
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
            self._file.truncate(tracks * self._positions * _ITEM)
        except OSError as error:
            raise self._fault(error) from None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Remove the file."""
        self._file.close()

    def put(self, track: int, offset: int, values: Values, merge: Callable[[Values, Values], Values]) -> None:
        """Put values in a track.

        Args:
            track: Its number.
            offset: Position of the first value in the layout.
            values: Shape [position].
            merge: Chooses between what is there and what comes, position by position.
        """
        there = self._read(track, offset, len(values))
        try:
            self._file.seek((track * self._positions + offset) * _ITEM)
            self._file.write(np.ascontiguousarray(merge(there, values), dtype=np.float32).tobytes())
        except OSError as error:
            raise self._fault(error) from None

    def stretches(self, track: int) -> Iterator[Stretch]:
        """Read a track back, sorted and without overlaps."""
        offset = 0
        for block in self.layout.blocks:
            for start in range(0, block.width, _STRETCH):
                length = min(_STRETCH, block.width - start)
                yield Stretch(block.chrom, block.start + start, self._read(track, offset + start, length))
            offset += block.width

    def _read(self, track: int, offset: int, length: int) -> Values:
        self._file.seek((track * self._positions + offset) * _ITEM)
        return np.frombuffer(self._file.read(length * _ITEM), dtype=np.float32)

    def _fault(self, error: OSError) -> MotifcnnError:
        return MotifcnnError(f"{self._folder}: tracks cannot be put there ({error.strerror}); choose another place")
