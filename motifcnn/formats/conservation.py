"""Per-position values along sequences: a TSV keyed by name, bigWig or bedGraph."""

import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt

from motifcnn.errors import InputError
from motifcnn.formats.files import open_bytes
from motifcnn.formats.genome import suggest_chromosome
from motifcnn.intervals import Interval, parse_interval
from motifcnn.sequences import Sequences

_LOGGER = logging.getLogger(__name__)
_BIGWIG_MAGIC = (b"\x26\xfc\x8f\x88", b"\x88\x8f\xfc\x26")

Track = npt.NDArray[np.float32]


def read_tracks(path: str | Path, sequences: Sequences) -> Track:
    """Read one track along all sequences.

    Args:
        path: TSV `name<TAB>v1,v2,…`, bigWig, or bedGraph; the latter two need names with coordinates,
            such as chr22:100-301.
        sequences: Which.

    Returns:
        One value a position of `sequences.codes`; NaN where the file has none.

    Raises:
        InputError: The file is at fault, or its names or lengths do not fit the sequences.
    """
    with open_bytes(path) as file:
        start = file.read(4096)
    if start[:4] in _BIGWIG_MAGIC:
        return _along(sequences, path, _BigWig(path))
    first = next((line for line in start.decode("utf-8", "replace").splitlines() if _is_data(line)), "")
    if not first:
        raise InputError("is empty; give a TSV, bigWig or bedGraph", path)
    return _read_tsv(path, sequences) if len(first.split("\t")) == 2 else _along(sequences, path, _BedGraph(path))


def _is_data(line: str) -> bool:
    return bool(line.strip()) and not line.startswith(("#", "track", "browser"))


def _read_tsv(path: str | Path, sequences: Sequences) -> Track:
    index = {name: number for number, name in enumerate(sequences.names)}
    track = np.full(len(sequences.codes), np.nan, dtype=np.float32)
    found: dict[int, int] = {}
    with open_bytes(path) as file:
        for line, raw in enumerate(file, 1):
            text = raw.decode("utf-8", "replace").rstrip("\r\n")
            if not _is_data(text):
                continue
            name, _, listed = text.partition("\t")
            number = index.get(name)
            if number is None:
                continue
            if number in found:
                raise InputError(f"{name!r} stands twice (first in line {found[number]}); keep one", path, line)
            found[number] = line
            try:
                values = np.array([float(v) if v.strip() not in ("", ".", "NA") else np.nan for v in listed.split(",")])
            except ValueError:
                raise InputError(f"the values of {name!r} must be numbers separated by commas", path, line) from None
            if len(values) != sequences.lengths[number]:
                raise InputError(
                    f"{len(values)} values for {name!r}, which has {sequences.lengths[number]} positions; "
                    "make the track on the same sequences",
                    path,
                    line,
                )
            track[sequences.offsets[number] : sequences.offsets[number + 1]] = values
    if not found:
        raise InputError(f"holds none of the sequences (such as {sequences.names[0]!r}); check the names", path)
    if len(found) < len(sequences):
        _LOGGER.warning("%s: no values for %d of %d sequences", path, len(sequences) - len(found), len(sequences))
    return track


class _BigWig:
    def __init__(self, path: str | Path):
        import pyBigWig

        try:
            self._file = pyBigWig.open(str(path))
            self.chroms = list(self._file.chroms())
        except RuntimeError as error:
            raise InputError(f"is a damaged bigWig ({error}); copy or download it again", path) from None

    def values(self, interval: Interval) -> Track:
        length = self._file.chroms(interval.chrom)
        track = np.full(interval.width, np.nan, dtype=np.float32)
        end = min(interval.end, length)
        if interval.start < end:
            track[: end - interval.start] = self._file.values(interval.chrom, interval.start, end, numpy=True)
        return track


class _BedGraph:
    def __init__(self, path: str | Path):
        import pandas as pd

        with open_bytes(path) as file:
            lines = [line for line in file.read().decode("utf-8", "replace").splitlines() if _is_data(line)]
        rows = [line.split() for line in lines]
        if any(len(row) < 4 for row in rows):
            bad = next(number for number, row in enumerate(rows, 1) if len(row) < 4)
            raise InputError("is no bedGraph line; chromosome, start, end and value are needed", path, bad)
        try:
            table = pd.DataFrame(
                {
                    "chrom": [row[0] for row in rows],
                    "start": np.array([row[1] for row in rows], dtype=np.int64),
                    "end": np.array([row[2] for row in rows], dtype=np.int64),
                    "value": np.array([row[3] for row in rows], dtype=np.float32),
                }
            )
        except ValueError as error:
            raise InputError(f"is no bedGraph ({error})", path) from None
        self._tables = {
            str(chrom): (part["start"].to_numpy(), part["end"].to_numpy(), part["value"].to_numpy())
            for chrom, part in table.sort_values(["chrom", "start"], kind="stable").groupby("chrom")
        }
        self.chroms = list(self._tables)

    def values(self, interval: Interval) -> Track:
        starts, ends, values = self._tables[interval.chrom]
        track = np.full(interval.width, np.nan, dtype=np.float32)
        first = int(np.searchsorted(ends, interval.start, side="right"))
        last = int(np.searchsorted(starts, interval.end, side="left"))
        for number in range(first, last):
            a, b = max(starts[number], interval.start), min(ends[number], interval.end)
            track[a - interval.start : b - interval.start] = values[number]
        return track


def _along(sequences: Sequences, path: str | Path, source: _BigWig | _BedGraph) -> Track:
    track = np.full(len(sequences.codes), np.nan, dtype=np.float32)
    known, missing = set(source.chroms), 0
    for number, name in enumerate(sequences.names):
        interval = parse_interval(name)
        if interval is None:
            raise InputError(
                f"holds genome coordinates, but sequence {name!r} is not named by its own (such as chr22:100-301); "
                "give BED input with --genome, or the track as a TSV",
                path,
            )
        if interval.width != sequences.lengths[number]:
            raise InputError(f"sequence {name!r} has {sequences.lengths[number]} letters, not {interval.width}", path)
        if interval.chrom not in known:
            missing += 1
            continue
        values = source.values(interval)
        track[sequences.offsets[number] : sequences.offsets[number + 1]] = (
            values[::-1] if interval.strand == "-" else values
        )
    if missing == len(sequences):
        chrom = str(sequences.names[0]).partition(":")[0]
        hint = suggest_chromosome(chrom, source.chroms)
        raise InputError(f"holds none of the sequences' chromosomes, such as {chrom!r}{hint}", path)
    if missing:
        _LOGGER.warning("%s: no values for %d of %d sequences (unknown chromosomes)", path, missing, len(sequences))
    return track
