"""Values at genome coordinates along sequences whose names hold their coordinates."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from motifcnn.errors import InputError
from motifcnn.formats.files import open_bytes
from motifcnn.intervals import Interval, parse_interval
from motifcnn.sequences import Sequences

Values = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

TRACK_LINES: Final = (b"#", b"track ", b"browser ")
"""Lines that are no data in the text formats of the UCSC browser begin with these."""
MISSING: Final = frozenset({"", ".", "na", "nan"})
"""Ways to write that there is no value, in lower case."""
LARGEST: Final = float(np.finfo(np.float32).max)
"""Largest value that single precision holds."""
_SHOWN: Final = 3


def is_value(field: str) -> bool:
    """Whether a field is a number, or says that there is none."""
    try:
        float(field)
    except ValueError:
        return field.strip().casefold() in MISSING
    return True


def first_names(names: Sequence[str]) -> str:
    """Return the first names of many, for a message."""
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


@dataclass(frozen=True, eq=False)
class Stretches:
    """Values of some stretches of one chromosome, sorted by start, none of them overlapping another.

    Args:
        chrom: Name of the chromosome.
        starts: First position of each, counted from 0, shape [stretch].
        ends: Position after the last of each, shape [stretch].
        values: Value of each, shape [stretch].
    """

    chrom: str
    starts: Integers
    ends: Integers
    values: Values

    @classmethod
    def sorted(cls, chrom: str, starts: Integers, ends: Integers, values: Values, path: str | Path) -> "Stretches":
        """Sort stretches by their starts.

        Raises:
            InputError: Two overlap.
        """
        order = np.argsort(starts, kind="stable")
        starts, ends = starts[order], ends[order]
        overlaps = np.flatnonzero(ends[:-1] > starts[1:])
        if len(overlaps):
            i = int(overlaps[0])
            raise InputError(
                f"{chrom}:{starts[i]}-{ends[i]} and {chrom}:{starts[i + 1]}-{ends[i + 1]} overlap; "
                "one value a position is needed",
                path,
            )
        return cls(chrom, starts, ends, values[order])


@dataclass(frozen=True, eq=False)
class _Windows:
    """The sequences of one chromosome in the order of their starts, so that neighbours are found by bisection."""

    indices: Integers
    starts: Integers
    ends: Integers
    furthest: Integers

    @classmethod
    def of(cls, indices: Sequence[int], intervals: Sequence[Interval]) -> "_Windows":
        starts = np.array([intervals[i].start for i in indices], dtype=np.int64)
        ends = np.array([intervals[i].end for i in indices], dtype=np.int64)
        order = np.argsort(starts, kind="stable")
        return cls(np.array(indices)[order], starts[order], ends[order], np.maximum.accumulate(ends[order]))

    def near(self, start: int, end: int) -> range:
        """Return the places of all windows that may overlap a stretch."""
        return range(int(np.searchsorted(self.furthest, start, "right")), int(np.searchsorted(self.starts, end)))


def _located(path: str | Path, sequences: Sequences) -> list[Interval]:
    """Read the coordinates in the names."""
    intervals = [parse_interval(name) for name in sequences.names]
    without = [name for name, interval in zip(sequences.names, intervals, strict=True) if interval is None]
    if without:
        raise InputError(
            f"holds values by genome coordinates, and {len(without)} of {len(sequences)} sequences have none in their "
            f"names ({first_names(without)}); name them like chr22:100-301, give BED with --genome, or values as TSV",
            path,
        )
    found = [interval for interval in intervals if interval is not None]
    widths = np.array([interval.width for interval in found], dtype=np.int64)
    wrong = np.flatnonzero(widths != sequences.lengths)
    if len(wrong):
        i = int(wrong[0])
        raise InputError(
            f"cannot be aligned to sequence {sequences.names[i]!r}: it has {sequences.lengths[i]} letters and its name "
            f"says {widths[i]}; names must be 0-based and half-open",
            path,
        )
    return found


def _by_chrom(intervals: Sequence[Interval]) -> dict[str, _Windows]:
    indices: dict[str, list[int]] = {}
    for index, interval in enumerate(intervals):
        indices.setdefault(interval.chrom, []).append(index)
    return {chrom: _Windows.of(members, intervals) for chrom, members in indices.items()}


def check_chroms(wanted: Sequence[str], available: Sequence[str], path: str | Path) -> None:
    """Refuse a track that knows none of the chromosomes.

    Args:
        wanted: Where values are needed.
        available: Where the track has values.
        path: The track.

    Raises:
        InputError: The two have no name in common.
    """
    if set(wanted) & set(available):
        return
    message = f"has no value on {first_names(wanted)}; its chromosomes are {first_names(available)}"
    if {chrom.removeprefix("chr") for chrom in wanted} & set(available):
        message += "; drop 'chr' from the names of the sequences, or add it in this file"
    elif {f"chr{chrom}" for chrom in wanted} & set(available):
        message += "; put 'chr' before the names of the sequences, or drop it in this file"
    else:
        message += "; give the track of the genome that the sequences are from"
    raise InputError(message, path)


def open_bigwig(path: str | Path) -> Any:
    """Open a bigWig with pyBigWig, for reading.

    Raises:
        InputError: The file is damaged.
    """
    import pyBigWig

    try:
        bigwig = pyBigWig.open(str(path))
        bigwig.chroms()
    except (RuntimeError, AttributeError):
        raise InputError("is a damaged bigWig; copy or download it again", path) from None
    return bigwig


def read_bigwig(path: str | Path, sequences: Sequences) -> Values:
    """Read values from a bigWig, of any size, at the coordinates in the names.

    Args:
        path: The file.
        sequences: Sequences with names such as `chr22:100-301`, or `chr1:5-9(-)` on the other strand.

    Returns:
        Shape [total positions], aligned to `sequences.codes`; NaN where there is no value.

    Raises:
        InputError: The file is damaged or knows none of the chromosomes, or a name has no coordinates or those
            of another width.
    """
    intervals = _located(path, sequences)
    values = np.full(len(sequences.codes), np.nan, dtype=np.float32)
    bigwig = open_bigwig(path)
    lengths: dict[str, int] = bigwig.chroms()
    try:
        windows = _by_chrom(intervals)
        check_chroms(list(windows), list(lengths), path)
        for chrom, members in windows.items():
            if chrom not in lengths:
                continue
            _check_ends(members, sequences, chrom, lengths[chrom], path)
            for index in members.indices:
                found = _bigwig_values(bigwig, intervals[index], path)
                offset = int(sequences.offsets[index])
                values[offset : offset + len(found)] = found[::-1] if intervals[index].strand == "-" else found
    finally:
        bigwig.close()
    return values


def _check_ends(members: _Windows, sequences: Sequences, chrom: str, length: int, path: str | Path) -> None:
    past = np.flatnonzero(members.ends > length)
    if len(past):
        name = sequences.names[int(members.indices[past[0]])]
        message = f"sequence {name!r} lies past the end of {chrom}, which has {length} bases here"
        raise InputError(f"{message}; give the track of the genome that the sequences are from", path)


def _bigwig_values(bigwig: Any, interval: Interval, path: str | Path) -> Values:
    """Fill an array from the stored intervals, which are far fewer than positions."""
    values = np.full(interval.width, np.nan, dtype=np.float32)
    try:
        stored = bigwig.intervals(interval.chrom, interval.start, interval.end)
    except RuntimeError:
        raise InputError(f"is a damaged bigWig (at {interval}); copy or download it again", path) from None
    for start, end, value in stored or ():
        values[max(start - interval.start, 0) : end - interval.start] = value
    return values


def read_stretches(path: str | Path, sequences: Sequences, stretches: Iterable[Stretches]) -> Values:
    """Lay stretches of a file along sequences, at the coordinates in the names.

    Args:
        path: The file, for messages.
        sequences: Sequences with names such as `chr22:100-301`, or `chr1:5-9(-)` on the other strand.
        stretches: What the file holds, piece by piece.

    Returns:
        Shape [total positions], aligned to `sequences.codes`; NaN where there is no value.

    Raises:
        InputError: The file knows none of the chromosomes, or a name has no coordinates or those of another width.
    """
    intervals = _located(path, sequences)
    windows = _by_chrom(intervals)
    values = np.full(len(sequences.codes), np.nan, dtype=np.float32)
    available: dict[str, None] = {}
    for piece in stretches:
        available.setdefault(piece.chrom)
        if piece.chrom in windows and len(piece.starts):
            _fill(values, sequences, intervals, windows[piece.chrom], piece.starts, piece.ends, piece.values)
    check_chroms(list(windows), list(available), path)
    return values


def line_blocks(path: str | Path, size: int) -> Iterator[tuple[int, bytes]]:
    """Return the number of the first line and some whole lines, about so many bytes, block after block."""
    line = 1
    with open_bytes(path) as file:
        rest = b""
        while data := file.read(size):
            cut = data.rfind(b"\n") + 1
            block, rest = (rest + data[:cut], data[cut:]) if cut else (b"", rest + data)
            if block:
                yield line, block
                line += block.count(b"\n")
        if rest.strip():
            yield line, rest


def _fill(
    values: Values,
    sequences: Sequences,
    intervals: Sequence[Interval],
    windows: _Windows,
    starts: Integers,
    ends: Integers,
    heights: npt.NDArray[np.float32],
) -> None:
    """Write stretches, sorted by start, into the windows that they overlap."""
    for place in windows.near(int(starts[0]), int(ends[-1])):
        low = int(np.searchsorted(ends, windows.starts[place], "right"))
        high = int(np.searchsorted(starts, windows.ends[place], "left"))
        if low >= high:
            continue
        index = int(windows.indices[place])
        offset, width = int(sequences.offsets[index]), int(sequences.lengths[index])
        target = values[offset : offset + width]
        if intervals[index].strand == "-":
            target = target[::-1]
        begins = np.maximum(starts[low:high] - windows.starts[place], 0)
        stops = np.minimum(ends[low:high] - windows.starts[place], width)
        covered = np.repeat(begins - np.concatenate([[0], np.cumsum(stops - begins)[:-1]]), stops - begins)
        target[covered + np.arange(len(covered))] = np.repeat(heights[low:high], stops - begins)
