"""Tracks: values along sequences or chromosomes, as bedGraph, bigWig and BED.

A sequence that carries no genome coordinates in its name is a chromosome of its own that starts at 0.
"""

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.files import atomic_write
from motifcnn.intervals import Interval, parse_interval

Values = npt.NDArray[np.float32]

_DECIMALS = 4


@dataclass(frozen=True, eq=False)
class Stretch:
    """Values of neighbouring positions.

    Args:
        chrom: Name of the chromosome or sequence.
        start: Position of the first value, counted from 0.
        values: One value a position, shape [position]; NaN where there is none.
    """

    chrom: str
    start: int
    values: Values

    @property
    def end(self) -> int:
        """Position after the last value."""
        return self.start + len(self.values)

    @property
    def interval(self) -> Interval:
        """Where the values lie."""
        return Interval(self.chrom, self.start, self.end)


@dataclass(frozen=True)
class Peak:
    """An interval of a track that reaches a threshold.

    Args:
        interval: Where it lies.
        name: What made it, such as a motif.
        height: The highest value inside.
    """

    interval: Interval
    name: str
    height: float


def place(name: str, length: int) -> Interval:
    """Say where a sequence lies: at the coordinates in its name, or on a chromosome of its own.

    Args:
        name: Name of the sequence, such as `chr22:100-301` or `chr1:5-9(-)`.
        length: Number of its positions.

    Raises:
        InputError: The name has white space, or its coordinates span another number of positions.
    """
    if not name or re.search(r"\s", name):
        raise InputError(f"sequence name {name!r} cannot stand in a track; give it a name without white space")
    interval = parse_interval(name)
    if interval is None:
        return Interval(name, 0, length)
    if interval.width != length:
        raise InputError(
            f"sequence {name} spans {interval.width} positions by its name but holds {length}; "
            "mend the name, or give one without coordinates"
        )
    return interval


def placed(name: str, values: Values) -> Stretch:
    """Put a sequence's values where the sequence lies (see `place`).

    Values of the minus strand are turned round to run along the plus strand.

    Args:
        name: Name of the sequence.
        values: One value a position, in the direction of the sequence, shape [position].

    Raises:
        InputError: As for `place`.
    """
    interval = place(name, len(values))
    return Stretch(interval.chrom, interval.start, values[::-1] if interval.strand == "-" else values)


def in_order(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Sort stretches by the bytes of their chromosome's name and by start, as genome browsers' tools ask for."""
    return sorted(stretches, key=lambda stretch: (stretch.chrom.encode(), stretch.start))


def chromosome_sizes(stretches: Iterable[Stretch]) -> dict[str, int]:
    """Return the least length that each chromosome must have."""
    sizes: dict[str, int] = {}
    for stretch in stretches:
        sizes[stretch.chrom] = max(sizes.get(stretch.chrom, 0), stretch.end)
    return sizes


def write_bedgraph(path: str | Path, stretches: Iterable[Stretch]) -> None:
    """Write a track as bedGraph: four columns, neighbours of equal value (to four decimals) joined.

    Args:
        path: Where to write.
        stretches: The track, sorted (`in_order`), without overlaps; may be a stream.

    Raises:
        InputError: Stretches are out of order or overlap.
    """
    with atomic_write(path) as handle:
        for line in bedgraph_lines(stretches, path):
            handle.write(line.encode())


def bedgraph_lines(stretches: Iterable[Stretch], path: str | Path) -> Iterator[str]:
    """Give the lines that `write_bedgraph` writes.

    Args:
        stretches: As there.
        path: Where they are to go, for messages.

    Raises:
        InputError: Stretches are out of order or overlap.
    """
    for stretch in _checked(stretches, path):
        rounded = np.round(stretch.values.astype(np.float64), _DECIMALS) + 0.0  # no minus zero
        for start, end in _runs(rounded):
            if not np.isnan(rounded[start]):
                yield f"{stretch.chrom}\t{stretch.start + start}\t{stretch.start + end}\t{rounded[start]:.6g}\n"


def write_bigwig(path: str | Path, stretches: Iterable[Stretch], sizes: Mapping[str, int]) -> None:
    """Write a track as bigWig and make sure that it can be read back whole.

    Args:
        path: Where to write.
        stretches: The track, sorted (`in_order`), without overlaps; may be a stream.
        sizes: Length of each chromosome; see `chromosome_sizes` where it is not known.

    Raises:
        InputError: Stretches are out of order, overlap, or lie outside the chromosomes.
        MotifcnnError: There is nothing to write, or the file could not be written whole.
    """
    if not sizes:
        raise MotifcnnError(f"{path}: a bigWig without chromosomes cannot be written; give at least one sequence")
    target = Path(path)
    # bigWig is written by seeking, so that pyBigWig needs a file name; the whole file then takes its place at once.
    try:
        folder = tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror}); choose another place", path) from None
    try:
        unfinished = Path(folder) / "track.bw"
        # The index of a bigWig is searched by name, so that its header must be sorted by bytes.
        header = {chrom: int(sizes[chrom]) for chrom in sorted(sizes, key=str.encode)}
        written = _write_entries(unfinished, _checked(stretches, path, header), header)
        if not written:
            raise MotifcnnError(f"{path}: a bigWig without any value cannot be written; give at least one sequence")
        _check_whole(unfinished, written, header, path)
        unfinished.replace(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_bed(path: str | Path, peaks: Iterable[Peak], full_score: float) -> None:
    """Write peaks as BED6 and a seventh column, their height.

    Args:
        path: Where to write.
        peaks: In the order in which they are to stand.
        full_score: Height that gets the full score of 1000; lower ones get their share of it.

    Raises:
        MotifcnnError: `full_score` is not above 0.
    """
    if not full_score > 0:
        raise MotifcnnError(f"a full score of {full_score:g} leaves no scale for BED scores; it must be above 0")
    with atomic_write(path) as handle:
        for peak in peaks:
            place = peak.interval
            score = int(np.clip(round(1000 * peak.height / full_score), 0, 1000))
            row = (place.chrom, place.start, place.end, peak.name, score, place.strand, f"{peak.height:.6g}")
            handle.write(("\t".join(map(str, row)) + "\n").encode())


def _runs(values: npt.NDArray[np.floating]) -> Iterator[tuple[int, int]]:
    """Start and end of each run of one value; NaN equals NaN here."""
    if len(values) == 0:
        return
    same = (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    bounds = [0, *(np.flatnonzero(~same) + 1).tolist(), len(values)]
    yield from pairwise(bounds)


def _checked(
    stretches: Iterable[Stretch], path: str | Path, sizes: Mapping[str, int] | None = None
) -> Iterator[Stretch]:
    """Pass stretches on that are in order, apart and on their chromosome; refuse the first that is not."""
    rank = None if sizes is None else {chrom: index for index, chrom in enumerate(sizes)}
    seen: set[str] = set()
    last: Stretch | None = None
    for stretch in stretches:
        if sizes is not None and stretch.chrom not in sizes:
            raise InputError(f"sequence {stretch.chrom} is not among the chromosomes of the header", path)
        if sizes is not None and stretch.end > sizes[stretch.chrom]:
            raise InputError(
                f"{stretch.interval} reaches past the end of {stretch.chrom} ({sizes[stretch.chrom]} positions); "
                "give the genome that the coordinates belong to",
                path,
            )
        if last is not None and stretch.chrom == last.chrom:
            _check_apart(last, stretch, path)
        elif stretch.chrom in seen or (rank and last and rank[stretch.chrom] < rank[last.chrom]):
            raise InputError(f"{stretch.interval} comes too late: tracks must be sorted by chromosome and start", path)
        seen.add(stretch.chrom)
        last = stretch
        yield stretch


def _check_apart(last: Stretch, stretch: Stretch, path: str | Path) -> None:
    if stretch.start < last.start:
        raise InputError(
            f"{stretch.interval} comes after {last.interval}: tracks must be sorted by chromosome and start", path
        )
    if stretch.start < last.end:
        raise InputError(
            f"{last.interval} and {stretch.interval} overlap, and a track holds one value a position; "
            "leave one of them out",
            path,
        )


def _write_entries(path: Path, stretches: Iterable[Stretch], sizes: Mapping[str, int]) -> int:
    """Write a bigWig and return how many positions got a value."""
    import pyBigWig

    written = 0
    track = pyBigWig.open(str(path), "w")
    try:
        track.addHeader(list(sizes.items()))
        for stretch in stretches:
            edges = np.diff(np.concatenate(([0], (~np.isnan(stretch.values)).astype(np.int8), [0])))
            for start, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
                values = np.ascontiguousarray(stretch.values[start:end], dtype=np.float32)
                track.addEntries(stretch.chrom, stretch.start + int(start), values=values, span=1, step=1)
                written += int(end - start)
    except RuntimeError as error:  # pyBigWig's only one, also for a full disk; the check of the file says the rest
        raise MotifcnnError(f"{path.name}: a bigWig could not be written ({error}); is there space left?") from None
    finally:
        track.close()
    return written


def _check_whole(unfinished: Path, written: int, sizes: Mapping[str, int], path: str | Path) -> None:
    import pyBigWig

    try:
        track = pyBigWig.open(str(unfinished))
        whole = track.chroms() == dict(sizes) and track.header()["nBasesCovered"] == written
        track.close()
    except RuntimeError:
        whole = False
    if not whole:
        raise MotifcnnError(f"{path}: the bigWig was not written whole; see whether there is space left on the disk")
