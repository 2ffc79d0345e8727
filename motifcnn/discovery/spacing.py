"""Whether two motifs keep a distance, an order or an orientation to each other.

In each sequence that holds a site of both, the second site is described as the first one reads: how many letters lie
between them, whether it lies downstream, and whether it is on the same strand. Under the null hypothesis the two have
nothing to do with each other: the second motif's sites are handed round among the sequences, so that each motif keeps
its own distribution of places and strands, also where both crowd around the middle. What is compared is the most
surprising count of any arrangement, so that nothing has to be corrected for the number of arrangements looked at.

The design is SpaMo's (Whitington et al. 2011), but for its null, which takes all distances to be equally likely.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from motifcnn.compiling import compiled

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

MOST_BETWEEN = 150
"""Letters between two sites up to which a spacing is looked for (SpaMo's margin)."""

TOLERANCES = (1, 3, 7)
"""Widths of the ranges of distances that count as one spacing."""

LEAST_SEQUENCES = 10
"""Below this many sequences with both motifs nothing can be told."""

PERMUTATIONS = 9999
_ENOUGH = 10
"""Permutations as surprising as what was seen after which counting ends (Besag and Clifford 1991)."""

_MOST_SEQUENCES = 2000


@dataclass(frozen=True)
class Placed:
    """Sites of one motif, one a sequence.

    Args:
        starts: First position of each, shape [sequence].
        reverse: Whether it is on the reverse strand.
        width: Width of the motif.
    """

    starts: Integers
    reverse: Booleans
    width: int

    def some(self, chosen: Integers) -> "Placed":
        """Return the sites of some sequences."""
        return Placed(self.starts[chosen], self.reverse[chosen], self.width)


@dataclass(frozen=True)
class Spacing:
    """How two motifs are arranged.

    Args:
        sequences: Sequences with a site of both.
        between: Fewest letters between the two sites at the most surprising spacing; -1 where there is none.
        tolerance: How many distances, from that one up, count as this spacing.
        downstream: Whether the second site lies downstream of the first, as the first reads.
        same_strand: Whether both are on one strand.
        found: Sequences with this spacing.
        expected: Their expected number, of as many whose sites do not overlap.
        p_value: Chance that any spacing is as surprising; NaN with too few sequences.
        order_p_value: Chance that order and orientation are as uneven, whatever the distance.
    """

    sequences: int
    between: int
    tolerance: int
    downstream: bool
    same_strand: bool
    found: int
    expected: float
    p_value: float
    order_p_value: float


def spacing_test(first: Placed, second: Placed, lengths: Integers, generator: np.random.Generator) -> Spacing:
    """Test whether two motifs keep a spacing, an order or an orientation.

    Args:
        first: Sites of one motif.
        second: Sites of another in the same sequences.
        lengths: Length of each sequence.
        generator: Source of the permutations.
    """
    number = len(lengths)
    if number < LEAST_SEQUENCES:
        return Spacing(number, -1, 0, False, False, 0, math.nan, math.nan, math.nan)
    # every so-manieth: time grows with the square of the number
    chosen = np.unique(np.linspace(0, number - 1, min(number, _MOST_SEQUENCES)).round().astype(np.int64))
    first, second, lengths = first.some(chosen), second.some(chosen), lengths[chosen]
    room = (lengths - second.width).astype(np.float64)
    shares = second.starts / np.maximum(room, 1.0)
    sites = (first.starts, first.reverse, np.int64(first.width), shares, second.reverse, room, np.int64(second.width))
    expected = _shares(*sites)
    seen = _arrangements(np.arange(len(chosen)), *sites)
    tolerances = np.array(TOLERANCES)
    statistic, cell, tolerance = _most_surprising(seen, expected, tolerances)
    observed = np.array([statistic, _unevenness(seen, expected)])
    counts, draws = _permuted(sites, expected, tolerances, observed, PERMUTATIONS, _ENOUGH, generator)
    p_value, order_p_value = (_p_value(int(count), int(drawn)) for count, drawn in zip(counts, draws, strict=True))
    if statistic <= 0:
        return Spacing(number, -1, 0, False, False, 0, math.nan, 1.0, order_p_value)
    kind, between = divmod(int(cell), MOST_BETWEEN + 1)
    inside = slice(between, between + int(tolerance))
    return Spacing(
        number,
        between,
        int(tolerance),
        kind >= 2,
        kind % 2 == 1,
        round(float(seen[kind, inside].sum()) * number / len(chosen)),
        float(expected[kind, inside].sum() * seen.sum()) * number / len(chosen),
        p_value,
        order_p_value,
    )


def _p_value(count: int, draws: int) -> float:
    return count / draws if count >= _ENOUGH else (count + 1) / (draws + 1)


@compiled
def _cell(start, reverse, width, other, other_reverse, other_width):  # type: ignore[no-untyped-def] # pragma: no cover
    """Return the kind (2 × downstream + same strand; -1 where the sites overlap) and the letters between them."""
    if other >= start + width:
        between, right = other - start - width, True
    elif start >= other + other_width:
        between, right = start - other - other_width, False
    else:
        return -1, 0
    downstream = right != reverse
    return 2 * int(downstream) + int(reverse == other_reverse), between


@compiled
def _arrangements(order, starts, reverse, width, shares, other_reverse, room, other_width):  # type: ignore[no-untyped-def] # pragma: no cover
    """Count arrangements, the second site taken from sequence order[i]: [kind, letters between]; last: more."""
    counts = np.zeros((4, MOST_BETWEEN + 2))
    for i in range(len(order)):
        j = order[i]
        other = int(np.round(shares[j] * room[i]))
        kind, between = _cell(starts[i], reverse[i], width, other, other_reverse[j], other_width)
        if kind >= 0:
            counts[kind, min(between, MOST_BETWEEN + 1)] += 1.0
    return counts


@compiled
def _shares(starts, reverse, width, shares, other_reverse, room, other_width):  # type: ignore[no-untyped-def] # pragma: no cover
    """Return the share of each arrangement among all pairs of sequences in which the sites lie apart."""
    counts = np.zeros((4, MOST_BETWEEN + 2))
    for i in range(len(starts)):
        for j in range(len(starts)):
            other = int(np.round(shares[j] * room[i]))
            kind, between = _cell(starts[i], reverse[i], width, other, other_reverse[j], other_width)
            if kind >= 0:
                counts[kind, min(between, MOST_BETWEEN + 1)] += 1.0
    return counts / max(counts.sum(), 1.0)


@compiled
def _most_surprising(counts, expected, tolerances):  # type: ignore[no-untyped-def] # pragma: no cover
    """Return the largest log-likelihood ratio of a count against a Poisson one, its cell and its tolerance.

    Expected are the shares of as many sites apart as were counted: how often sites overlap says nothing of where
    they lie when they do not, and the two sites of one motif never do.
    """
    best, where, wide = 0.0, -1, 0
    apart = counts.sum()
    for tolerance in tolerances:
        for kind in range(4):
            seen, awaited = 0.0, 0.0
            for between in range(MOST_BETWEEN + 1):
                seen += counts[kind, between]
                awaited += expected[kind, between] * apart
                if between >= tolerance:
                    seen -= counts[kind, between - tolerance]
                    awaited -= expected[kind, between - tolerance] * apart
                if between >= tolerance - 1 and seen > 1.0 and seen > awaited > 1e-9:
                    ratio = seen * np.log(seen / awaited) - (seen - awaited)
                    if ratio > best + 1e-9:
                        best, where, wide = ratio, kind * (MOST_BETWEEN + 1) + between - tolerance + 1, tolerance
    return best, where, wide


@compiled
def _unevenness(counts, expected):  # type: ignore[no-untyped-def] # pragma: no cover
    """Return the log-likelihood ratio (G) of the four kinds against their expected shares of as many sites apart."""
    apart, total = counts.sum(), 0.0
    for kind in range(4):
        seen, awaited = counts[kind].sum(), expected[kind].sum() * apart
        if seen > 0.0 and awaited > 1e-9:
            total += seen * np.log(seen / awaited)
    return total


@compiled
def _permuted(sites, expected, tolerances, observed, most, enough, generator):  # type: ignore[no-untyped-def] # pragma: no cover
    """Count permutations as surprising, and as uneven, as what was seen, each until there are enough.

    Returns:
        The two counts and the permutations that each took.
    """
    starts, reverse, width, shares, other_reverse, room, other_width = sites
    order = np.arange(len(starts))
    counts, draws = np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.int64)
    for _ in range(most):
        if counts.min() >= enough:
            break
        for i in range(len(order) - 1, 0, -1):
            j = generator.integers(0, i + 1)
            order[i], order[j] = order[j], order[i]
        arranged = _arrangements(order, starts, reverse, width, shares, other_reverse, room, other_width)
        if counts[0] < enough:
            draws[0] += 1
            counts[0] += _most_surprising(arranged, expected, tolerances)[0] >= observed[0] - 1e-9
        if counts[1] < enough:
            draws[1] += 1
            counts[1] += _unevenness(arranged, expected) >= observed[1] - 1e-9
    return counts, draws
