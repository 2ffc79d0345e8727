"""Nearest known motifs by Tomtom's statistic, computed exactly.

A query column scores a target column by minus their Euclidean distance, shifted so that the query
column's median over all target columns is 0, and put into integer bins. The score of an alignment
is the sum over the query's columns, unaligned ones counting 0 (the "complete score"); the score of
a target is that of its best alignment. Under the null hypothesis aligned columns are drawn at
random from all target columns, so the distribution of each sum is a convolution, and that of the
best of all offsets the product over the offsets, as if these were independent.

Sources: Gupta et al. 2007, Genome Biology 8:R24; Tanaka et al. 2011, Bioinformatics 27:1603 (complete
scores); Schreiber 2025 (memelite), whose results this reproduces but for its hashing of columns.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from motifcnn.discovery.similarity import LEAST_OVERLAP
from motifcnn.errors import MotifcnnError
from motifcnn.motifs import Matrix, Motif, trim_bounds

_LOGGER = logging.getLogger(__name__)

SCORE_BINS = 100
"""Bins between the least and the greatest column score: `t` of the Tomtom paper."""

FEW_TARGETS = 50
"""Below this number of targets the null distribution is coarse (MEME's tomtom warns at 50, too)."""

NEAR_FACTOR, NEAR_E_VALUE, FAR_E_VALUE = 1000.0, 1e-3, 0.1
"""A match is near with an E-value up to so many times the best one's, or up to the second; never above the third."""

_UNRELATED_SHOWN = 3


@dataclass(frozen=True)
class Match:
    """A target motif that resembles a query.

    Args:
        query: Name of the query.
        target_name: Name of the target.
        target_alternate_name: Its second name, such as the factor's.
        p_value: Chance that a random target of this width aligns as well, on either strand.
        e_value: Expected number of such targets in the database.
        offset: Position in the (oriented) target of the query's first column; may be negative.
        overlap: Number of aligned columns, of those compared.
        orientation: "+" or, where the target's reverse complement aligns better, "-".
        target_family: Family of the factor, such as "Ets-related", or empty.
    """

    query: str
    target_name: str
    target_alternate_name: str
    p_value: float
    e_value: float
    offset: int
    overlap: int
    orientation: Literal["+", "-"]
    target_family: str = ""

    @property
    def factor(self) -> str:
        """What the target is called: its second name if it has one."""
        return self.target_alternate_name or self.target_name


@dataclass(frozen=True)
class Relatives:
    """Known motifs that a query cannot be told from: factors of one family have nearly one motif.

    Args:
        best: The nearest known motif.
        family: Family of most near ones, or empty.
        members: Near motifs of that family, or of any where none is known; one a factor, by rising E-value.
    """

    best: Match
    family: str
    members: tuple[Match, ...]

    @property
    def factors(self) -> tuple[str, ...]:
        """Names of the members."""
        return tuple(member.factor for member in self.members)

    @property
    def named(self) -> str:
        """The nearest factor, with the family, which need not be its own; empty where none is near."""
        if not self.members:
            return ""
        if not self.family:
            return self.best.factor
        own = self.best.target_family == self.family
        return f"{self.best.factor} (family {self.family})" if own else f"{self.best.factor} and family {self.family}"


def compare(
    queries: Sequence[Motif],
    database: Sequence[Motif],
    *,
    e_threshold: float = float("inf"),
    least: int = 0,
    trim_bits: float = 0.0,
) -> list[list[Match]]:
    """Rank the motifs of a database by their likeness to each query.

    DNA is compared in both orientations, RNA and protein in one.

    Args:
        queries: Motifs of one alphabet.
        database: Motifs of the same alphabet (RNA may be held against DNA, in one orientation).
        e_threshold: Matches with a greater E-value are left out.
        least: Matches of each query, the best, that are kept whatever their E-value.
        trim_bits: Outer positions of a query that hold less information are not compared, unless it would keep
            fewer than `LEAST_OVERLAP`; by default matrices are compared as they are.

    Returns:
        For each query its matches by rising p-value; offsets are of the whole query's first column.

    Raises:
        MotifcnnError: The database is empty, or the alphabets differ.
    """
    if not queries:
        return []
    if not database:
        raise MotifcnnError("a database without motifs; give one with at least one")
    sizes = {motif.alphabet.size for motif in (*queries, *database)}
    if len(sizes) > 1:
        kinds = f"{queries[0].alphabet.name} motifs against {database[0].alphabet.name} ones"
        raise MotifcnnError(f"{kinds} cannot be compared; give a database of the same alphabet")
    if len(database) < FEW_TARGETS:
        _LOGGER.warning("only %d motifs to compare with: p-values rest on their columns and are coarse", len(database))
    both_strands = all(motif.alphabet.double_stranded for motif in (*queries, *database))
    targets = _Targets(database, both_strands)
    return [_matches(query, database, targets, e_threshold, least, trim_bits) for query in queries]


def relatives(matches: Sequence[Match]) -> Relatives | None:
    """Name the family of the known motifs nearest to a query.

    The factor whose motif happens to come first is often a relative of the right one (GABPA's sites come out nearest to
    ELK4), while the family stays the same. Without families the three nearest are named.

    Args:
        matches: Of one query, by rising p-value.

    Returns:
        None where there is no match at all.
    """
    if not matches:
        return None
    best = matches[0]
    limit = min(max(NEAR_FACTOR * best.e_value, NEAR_E_VALUE), FAR_E_VALUE)
    near = list({match.factor.upper(): match for match in reversed(matches) if match.e_value <= limit}.values())[::-1]
    counts = Counter(match.target_family for match in near if match.target_family)
    if not counts:
        return Relatives(best, "", tuple(near[:_UNRELATED_SHOWN]))
    most = max(counts.values())
    family = best.target_family if counts[best.target_family] == most else counts.most_common(1)[0][0]
    return Relatives(best, family, tuple(match for match in near if match.target_family == family))


class _Targets:
    """All columns of the targets, and then of their reverse complements, side by side."""

    def __init__(self, database: Sequence[Motif], both_strands: bool):
        oriented = list(database)
        if both_strands:
            oriented += [motif.reverse_complement() for motif in database]
        self.both_strands = both_strands
        self.columns = np.concatenate([motif.probabilities for motif in oriented])
        self.widths = np.array([motif.width for motif in oriented])
        self.squares = (self.columns**2).sum(axis=1)

    def padded(self, flank: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Lay the targets out with `flank` empty columns before each and after the last.

        Returns:
            Where each column goes, shape [column], and where each target's stretch starts.
        """
        starts = np.cumsum(self.widths + flank) - self.widths - flank
        before = np.repeat(np.cumsum(self.widths) - self.widths, self.widths)
        within = np.arange(len(self.columns)) - before
        return np.repeat(starts + flank, self.widths) + within, starts


def _matches(
    query: Motif, database: Sequence[Motif], targets: _Targets, e_threshold: float, least: int, trim_bits: float
) -> list[Match]:
    first, end = trim_bounds(query.information(), trim_bits, LEAST_OVERLAP)
    width = end - first
    scores, zero = _integer_scores(query.probabilities[first:end], targets)
    best, offsets = _best_alignments(scores - zero, targets)
    p_values = _p_values(scores, zero, best + width * zero, targets.widths)
    number = len(database)
    reverse = np.zeros(number, dtype=bool)
    if targets.both_strands:
        reverse = best[number:] > best[:number]
        p_values = np.minimum(p_values[:number], p_values[number:])
        p_values *= 2 - p_values  # 1 - (1 - p)², exact for small p
        offsets = np.where(reverse, offsets[number:], offsets[:number])
    order = np.argsort(p_values, kind="stable")[: max(least, int((p_values * number <= e_threshold).sum()))]
    return [
        Match(
            query.name,
            database[i].name,
            database[i].alternate_name,
            float(p_values[i]),
            float(p_values[i] * number),
            int(offsets[i]) - first,
            _overlap(width, database[i].width, int(offsets[i])),
            "-" if reverse[i] else "+",
            database[i].family,
        )
        for i in order
    ]


def _overlap(query_width: int, target_width: int, offset: int) -> int:
    return min(query_width, target_width - offset) - max(0, -offset)


def _integer_scores(query: Matrix, targets: _Targets) -> tuple[npt.NDArray[np.int64], int]:
    """Return scores from 0 to SCORE_BINS, shape [query column, target column], and the score of the median."""
    squares = (query**2).sum(axis=1)[:, None] + targets.squares - 2.0 * query @ targets.columns.T
    scores = -np.sqrt(np.maximum(squares, 0.0))
    scores -= np.median(scores, axis=1, keepdims=True)
    lowest = int(np.floor(scores.min()))
    scale = int(SCORE_BINS // max(float(scores.max()) - lowest, 1.0))
    return np.floor((scores - lowest) * scale + 0.5).astype(np.int64), -lowest * scale


def _best_alignments(
    scores: npt.NDArray[np.int64], targets: _Targets
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return each target's best sum over all offsets, and the offset (of largest overlap, among equals).

    Args:
        scores: Shape [query column, target column]; 0 is the median's.
        targets: The target columns.
    """
    width = len(scores)
    flank = width - 1
    places, starts = targets.padded(flank)
    length = int(starts[-1] + flank + targets.widths[-1])
    sums = np.zeros(length + flank, dtype=np.int64)
    laid_out = np.zeros(length + flank, dtype=np.int64)
    for column in range(width):
        laid_out[places] = scores[column]
        # sums[s] belongs to the query starting at s: its column meets the target's column s + column
        sums[:length] += laid_out[column : column + length]
    sums = sums[:length]
    stretch = np.repeat(np.arange(len(starts)), targets.widths + flank)
    offset = np.arange(length) - starts[stretch] - flank
    overlap = np.minimum(width, targets.widths[stretch] - offset) - np.maximum(0, -offset)
    # One number orders by sum, then by overlap, then by the earlier offset.
    bound = int(targets.widths.max()) + width + 1
    ranked = (sums * bound + overlap) * bound - offset
    best = np.maximum.reduceat(ranked, starts)
    where = np.flatnonzero(ranked == best[stretch])
    return sums[where], offset[where]


def _p_values(
    scores: npt.NDArray[np.int64], zero: int, best: npt.NDArray[np.int64], widths: npt.NDArray[np.int64]
) -> Matrix:
    """Return for each target the chance that the best sum of a random one is as high.

    Args:
        scores: Shape [query column, target column], from 0 to SCORE_BINS.
        zero: Score of an unaligned column.
        best: Each target's best sum, unaligned columns included.
        widths: Each target's width.
    """
    unique_widths, place = np.unique(widths, return_inverse=True)
    log_miss = _log_all_miss(scores, zero, unique_widths)
    # -expm1 keeps p-values exact where they are far below the spacing of floats around 1
    return np.clip(-np.expm1(log_miss[place, best]), np.finfo(float).tiny, 1.0)


def _log_all_miss(scores: npt.NDArray[np.int64], zero: int, target_widths: npt.NDArray[np.int64]) -> Matrix:
    """Return log P(no offset of a random target sums to s or more), shape [target width, s].

    A target of some width aligns with one range of query columns per offset: with prefixes and
    suffixes of the query at its ends, and in between with the whole query or, where the target is
    the narrower one, with every window of its width.
    """
    width, columns = scores.shape
    histograms = np.stack([np.bincount(row, minlength=SCORE_BINS + 1) for row in scores]) / columns
    log_miss = np.zeros((len(target_widths), width * max(SCORE_BINS, zero) + 2))
    for first in range(width):
        distribution = np.ones(1)
        for last in range(first, width):
            span = last - first + 1
            at_an_end = first == 0 or last == width - 1
            if span > target_widths.max():
                break
            distribution = np.convolve(distribution, histograms[last])
            uses = (target_widths >= span if at_an_end else target_widths == span).astype(np.float64)
            if span == width:
                uses *= target_widths - width + 1
            used = np.flatnonzero(uses)
            if used.size:
                log_span = _log_below(distribution, zero * (width - span), log_miss.shape[1])
                log_miss[used] += uses[used, None] * log_span
    return log_miss


def _log_below(distribution: Matrix, shift: int, length: int) -> Matrix:
    """Return log P(sum + shift < s) for s from 0 to length - 1, given the probability of each sum."""
    at_least = np.zeros(length)
    at_least[: shift + 1] = 1.0
    tail = np.cumsum(distribution[::-1])[::-1]  # from the far end, where it must be exact
    at_least[shift : shift + len(tail)] = np.minimum(tail, 1.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log1p(-at_least))
