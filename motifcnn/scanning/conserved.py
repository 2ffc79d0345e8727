"""Hits seen with a track, such as conservation: its mean over each hit, a combined score, and p-values of that.

A hit's track score is the surprisal, in bits, of the track's mean over it: −log2 of the share of all windows of the
same width in the track whose mean is at least as high. The combined score is the sum of log-odds and track score. Under
the null the track is shifted circularly against the sequence: then the two are independent, the first with its exact
distribution, the second with that of all windows of the track. All shifts are counted, none is drawn (those that put
the track's ends into a window are left out).
"""

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt

from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.genome_tracks import check_chroms, first_names
from motifcnn.formats.track_reader import TrackReader, open_track, pieces
from motifcnn.scanning.distribution import UNITS_PER_BIT, IntegerMotif
from motifcnn.scanning.engine import Hits
from motifcnn.scanning.hits import HitFormatter

_LOGGER = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]
Wholes = npt.NDArray[np.int64]

COLUMNS: Final = ("track_mean", "combined_score", "permutation_p_value")
"""Columns that follow a hit's own."""
FORMATS: Final = ("bed", "tsv", "gff3", "parquet")
"""Formats that have room for them."""
LEVELS_PER_BIT: Final = 20
"""Track scores are rounded down to 1/20 bit, so that they too are integers and sums have exact chances."""
_UNITS: Final = UNITS_PER_BIT // LEVELS_PER_BIT
_BINS: Final = 1 << 16
"""Bins of the means, between the least and the greatest; means within one count as equal."""
_NUDGE: Final = 1e-6
_STRETCH: Final = 1 << 21
"""Positions of the track that are looked at together."""


@dataclass(frozen=True, eq=False)
class _WindowMeans:
    """How often each mean occurs among a track's windows of one width.

    Args:
        low: Least mean.
        step: Width of a bin.
        levels: Track score of each bin, in 1/20 bit, shape [bin].
        chances: Share of the windows with each track score, shape [level].
    """

    low: float
    step: float
    levels: Wholes
    chances: Floats

    @classmethod
    def of(cls, counts: Wholes, low: float, step: float) -> "_WindowMeans":
        total = int(counts.sum())
        at_least = np.cumsum(counts[::-1])[::-1]
        surprisal = np.log2(total / np.maximum(at_least, 1))
        # a surprisal just below a level by rounding is that level
        levels = np.floor(surprisal * LEVELS_PER_BIT + 1e-9).astype(np.int64)
        chances = np.bincount(levels, weights=counts, minlength=1) / total
        return cls(low, step, levels, chances)

    def level(self, means: Floats) -> Wholes:
        return np.asarray(self.levels[_bins(means, self.low, self.step)])


def _bins(means: Floats, low: float, step: float) -> Wholes:
    # equal means of different sums may differ in their last digits, and must not fall into two bins
    return np.clip(np.floor((means - low) / step + _NUDGE), 0, _BINS - 1).astype(np.int64)


@dataclass(frozen=True, eq=False)
class TrackColumns:
    """What a track says of hits; NaN where it has no value; all of shape [hit].

    Args:
        means: Mean of the track over the hit.
        combined: Log-odds plus track score, in bits.
        p_values: Chance of this combined score or more at one window of one strand, the track circularly shifted.
    """

    means: Floats
    combined: Floats
    p_values: Floats

    @property
    def arrays(self) -> tuple[Floats, Floats, Floats]:
        """All three, in the order of `COLUMNS`."""
        return self.means, self.combined, self.p_values


class TrackScorer:
    """Looks hits up in a track.

    Args:
        path: The track: bigWig, bedGraph, wiggle, or TSV by name.
        motifs: The motifs scanned with, with all their chances.
        names: Of the sequences that hits may lie on, of which the track has to know one; None where they are not known
            beforehand.

    Raises:
        InputError: The track is damaged, has no values or knows none of the names.
    """

    def __init__(self, path: Path, motifs: Sequence[IntegerMotif], names: Iterable[str] | None = None):
        self._path, self._motifs = path, motifs
        self._reader = open_track(path)
        if names is not None:
            _refuse_unknown(names, self._reader, path)
        self._null = _window_means(self._reader, sorted({motif.width for motif in motifs}), path)
        self._tables: dict[int, Floats] = {}
        self._widths = np.array([motif.width for motif in motifs], dtype=np.int64)
        self._hits = self._without = 0
        self._unknown: dict[str, None] = {}

    def columns(self, hits: Hits) -> TrackColumns:
        """Return what the track says of hits."""
        if not len(hits.starts):
            return TrackColumns(np.empty(0), np.empty(0), np.empty(0))
        means = self._means(hits)
        combined, p_values = np.full(len(means), np.nan), np.full(len(means), np.nan)
        for number in np.unique(hits.motifs).tolist():
            mine = np.flatnonzero((hits.motifs == number) & ~np.isnan(means))
            null = self._null[self._motifs[number].width]
            total = hits.scores[mine] + null.level(means[mine]) * _UNITS
            combined[mine] = total / UNITS_PER_BIT
            p_values[mine] = self._survival(number)[total - self._motifs[number].lowest]
        self._hits += len(means)
        self._without += int(np.isnan(means).sum())
        if hits.chrom not in self._reader.lengths:
            self._unknown.setdefault(hits.chrom)
        return TrackColumns(means, combined, p_values)

    def _means(self, hits: Hits) -> Floats:
        """Look up a stretch of bounded length at a time: hits may lie far apart."""
        stretches = hits.starts // _STRETCH
        cuts = np.flatnonzero(np.diff(stretches)) + 1
        bounds = zip(np.append(0, cuts).tolist(), np.append(cuts, len(stretches)).tolist(), strict=True)
        return np.concatenate([self._means_of_stretch(hits[begin:end]) for begin, end in bounds])

    def _means_of_stretch(self, hits: Hits) -> Floats:
        ends = hits.starts + self._widths[hits.motifs]
        first = int(hits.starts.min())
        values = self._reader.values(hits.chrom, first, int(ends.max()))
        sums, counts = _cumulated(values)
        starts, ends = hits.starts - first, ends - first
        number = counts[ends] - counts[starts]
        known = number > 0
        means = np.divide(sums[ends] - sums[starts], number, out=np.full(len(number), np.nan), where=known)
        return np.asarray(means)

    def _survival(self, number: int) -> Floats:
        """Chance that log-odds and track score together reach each sum, from the motif's least log-odds up."""
        if number not in self._tables:
            motif = self._motifs[number]
            chances = self._null[motif.width].chances
            size = len(motif.survival)
            table = np.zeros(size + _UNITS * (len(chances) - 1))
            for level in np.flatnonzero(chances).tolist():
                shift = level * _UNITS
                table[:shift] += chances[level]
                table[shift : shift + size] += chances[level] * motif.survival
            self._tables[number] = table
        return self._tables[number]

    def finish(self) -> None:
        """Say how many hits had no value.

        Raises:
            InputError: The track knows none of the sequences with hits.
        """
        if self._hits and self._without == self._hits:
            there, here = first_names(list(self._reader.lengths)), first_names(list(self._unknown))
            known = f"its sequences are {there}, hits are on {here}" if here else "hits lie where it has none"
            raise InputError(f"has a value at no hit: {known}; give the track of this genome", self._path)
        if self._without:
            unknown = f" (it does not know {first_names(list(self._unknown))})" if self._unknown else ""
            _LOGGER.warning("%s has no value at %d of %d hits%s", self._path, self._without, self._hits, unknown)


def _refuse_unknown(names: Iterable[str], reader: TrackReader, path: Path) -> None:
    """Refuse a track that knows none of the names; no more of them are looked at than it takes to find one."""
    others = []
    for name in names:
        if name in reader.lengths:
            return
        others.append(name)
    check_chroms(others, list(reader.lengths), path)


def _cumulated(values: npt.NDArray[np.float32]) -> tuple[Floats, Wholes]:
    known = ~np.isnan(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0), dtype=np.float64)])
    return sums, np.concatenate([[0], np.cumsum(known, dtype=np.int64)])


def _window_means(reader: TrackReader, widths: Sequence[int], path: Path) -> dict[int, _WindowMeans]:
    """Count the means of all windows of the track, for each width."""
    low, high = math.inf, -math.inf
    for values, _ in pieces(reader, 0):
        if not np.isnan(values).all():
            low, high = min(low, float(np.nanmin(values))), max(high, float(np.nanmax(values)))
    if low > high:
        raise InputError("has no value anywhere; give another track", path)
    step = (high - low) / _BINS or 1.0
    counts = {width: np.zeros(_BINS, dtype=np.int64) for width in widths}
    for values, own in pieces(reader, max(widths) - 1):
        sums, known = _cumulated(values)
        for width in widths:
            windows = max(min(own, len(values) - width + 1), 0)
            number = known[width : width + windows] - known[:windows]
            inside = number > 0
            means = (sums[width : width + windows] - sums[:windows])[inside] / number[inside]
            counts[width] += np.bincount(_bins(means, low, step), minlength=_BINS)
    return {width: _WindowMeans.of(counts[width], low, step) for width in widths}


class ConservedHits:
    """Write hits as lines, with the columns of a track after their own.

    Args:
        out: Where to write.
        formatter: Makes the lines, of one of `FORMATS`.
        scorer: Looks hits up.
    """

    def __init__(self, out: BinaryIO, formatter: HitFormatter, scorer: TrackScorer):
        self._out, self._formatter, self._scorer = out, formatter, scorer
        names = "".join(f"\t{name}" for name in COLUMNS) if formatter.format == "tsv" else ""
        out.write(formatter.header().replace("\n", f"{names}\n").encode())

    def write(self, hits: Hits, q_values: npt.NDArray[np.float64] | None = None) -> None:
        """Write one line a hit."""
        columns = self._scorer.columns(hits)
        form = ";track_mean=%s;combined_score=%s;permutation_p_value=%s\n"
        if self._formatter.format != "gff3":
            form = "\t%s\t%s\t%s\n"
        texts = [
            form % ((f"{mean:.4g}", f"{combined:.3f}", f"{p:.3g}") if not math.isnan(mean) else ("NA",) * 3)
            for mean, combined, p in zip(
                columns.means.tolist(), columns.combined.tolist(), columns.p_values.tolist(), strict=True
            )
        ]
        lines = b"".join(self._formatter.lines(hits, q_values)).split(b"\n")
        self._out.write(b"".join(line + text.encode() for line, text in zip(lines, texts, strict=False)))

    def close(self) -> None:
        """Say how many hits had no value.

        Raises:
            InputError: None had.
        """
        self._scorer.finish()


def require_room(format: str) -> None:
    """Refuse formats that have no room for further columns.

    Raises:
        MotifcnnError: The format is one of these.
    """
    if format not in FORMATS:
        raise MotifcnnError(
            f"--conservation adds columns, for which {format} has no room; give --format {' or '.join(FORMATS)}"
        )
