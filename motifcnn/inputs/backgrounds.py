"""Negatives: shuffles that keep every k-let count, and windows of a genome matched in GC content."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, count
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import DNA, Codes
from motifcnn.compiling import compiled
from motifcnn.errors import MotifcnnError
from motifcnn.intervals import Interval

if TYPE_CHECKING:
    from motifcnn.formats.genome import Genome
    from motifcnn.sequences import Sequences

Vector = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MAXIMUM_UNKNOWN = 0.05
"""Largest share of ambiguity codes in a window taken from the genome."""

GC_BIN = 0.05
"""Width of a range of GC content within which sequences count as alike."""

BLOCK = 1 << 18
"""Bases of the genome read at a time."""

_QUICK = (0.05, 1)
_THOROUGH = (1.0, 50)
"""Share of a block's starts that are looked at, and how many of the fitting ones are tried for a positive."""

_SHUFFLED = "_shuffled"

_FEW_KEYS = 1024
"""Words that a table of all of them numbers faster than sorting them does."""


def shuffle(codes: Codes, k: int, generator: np.random.Generator) -> Codes:
    """Shuffle a sequence so that the count of every word of k letters stays what it was.

    Every sequence with these counts and these ends is equally likely. The first and the last k-1
    letters stay in place; k = 1 is a plain permutation. Ambiguity codes are letters like others.

    Args:
        codes: Shape [position].
        k: Length of the words, at least 1.
        generator: Source of randomness.

    Raises:
        MotifcnnError: k is below 1, or so long that its words cannot be numbered.

    Source: Altschul & Erickson 1985 (Eulerian walks); the last edges are drawn as a random
    spanning tree by Wilson 1996, which never has to be drawn again.
    """
    return shuffle_each(codes, np.array([0, len(codes)], dtype=np.int64), k, generator)


def shuffle_each(codes: Codes, offsets: Integers, k: int, generator: np.random.Generator) -> Codes:
    """Shuffle each of some sequences as `shuffle` does.

    Args:
        codes: Of all, one after another, shape [total positions].
        offsets: Where each starts in `codes`, and the end of the last, shape [sequence + 1].
        k: Length of the words whose counts are kept, at least 1.
        generator: Source of randomness.
    """
    if k < 1:
        raise MotifcnnError(f"words of {k} letters cannot be kept; give a length of 1 or more")
    base = int(codes.max()) + 1 if codes.size else 1
    if base ** (k - 1) >= 2**62:
        raise MotifcnnError(f"words of {k} letters are too long to be counted; give a shorter length")
    shuffled = codes.copy()
    if k > 1:
        _walks(codes, offsets, k, base, generator, shuffled)
        return shuffled
    for start, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        generator.shuffle(shuffled[start:end])
    return shuffled


def shuffled_negatives(sequences: "Sequences", k: int, generator: np.random.Generator) -> "Sequences":
    """Shuffle each sequence as `shuffle` does.

    Names get the ending `_shuffled`, or one with a number such as `_shuffled_2` where that would make the name of
    another sequence.

    Args:
        sequences: The positives.
        k: Length of the words whose counts are kept, at least 1.
        generator: Source of randomness.
    """
    ending = _free_ending(sequences.names)
    return replace(
        sequences,
        names=tuple(name + ending for name in sequences.names),
        codes=shuffle_each(sequences.codes, sequences.offsets, k, generator),
    )


def _free_ending(names: Sequence[str]) -> str:
    """Return an ending that makes no name into another of them."""
    taken = set(names)
    for ending in chain([_SHUFFLED], (f"{_SHUFFLED}_{number}" for number in count(2))):
        if not any(name + ending in taken for name in taken):
            return ending
    raise AssertionError("numbers never end")


@compiled
def _walks(codes: Any, offsets: Any, k: int, base: int, generator: Any, shuffled: Any) -> None:
    """Walk over each sequence longer than k letters."""
    for sequence in range(len(offsets) - 1):
        start, end = offsets[sequence], offsets[sequence + 1]
        if end - start > k:
            _walk(codes[start:end], k, base, generator, shuffled[start:end])


@compiled
def _numbered(keys: Any, kinds: int) -> Any:
    """Number keys from 0 on in their order, equal ones alike, and count the different ones."""
    number = np.zeros(len(keys), dtype=np.int64)
    if kinds <= _FEW_KEYS:
        place = np.zeros(kinds, dtype=np.int64)
        for key in keys:
            place[key] = 1
        place = np.cumsum(place)
        for i in range(len(keys)):
            number[i] = place[keys[i]] - 1
        return number, place[-1]
    order = np.argsort(keys, kind="mergesort")
    for i in range(1, len(keys)):
        number[order[i]] = number[order[i - 1]] + (keys[order[i]] != keys[order[i - 1]])
    return number, number[order[-1]] + 1


@compiled
def _walk(codes: Any, k: int, base: int, generator: Any, shuffled: Any) -> None:
    """Write a uniformly random Eulerian walk over the words of k-1 letters to `shuffled`."""
    visits = len(codes) - k + 2
    keys = np.zeros(visits, dtype=np.int64)
    for i in range(visits):
        for j in range(k - 1):
            keys[i] = keys[i] * base + codes[i + j]
    vertex, vertices = _numbered(keys, base ** (k - 1))

    # edges that leave vertex v: positions first[v] to first[v + 1] of `target` and `letter`
    first = np.zeros(vertices + 1, dtype=np.int64)
    for i in range(visits - 1):
        first[vertex[i] + 1] += 1
    first = np.cumsum(first)
    fill = first[:-1].copy()
    target = np.empty(visits - 1, dtype=np.int64)
    letter = np.empty(visits - 1, dtype=np.uint8)
    for i in range(visits - 1):
        edge = fill[vertex[i]]
        target[edge] = vertex[i + 1]
        letter[edge] = codes[i + k - 1]
        fill[vertex[i]] += 1

    # Wilson's walk: the last edge to leave each vertex, a uniform tree towards the last vertex
    reached = np.zeros(vertices, dtype=np.bool_)
    reached[vertex[visits - 1]] = True
    last = np.zeros(vertices, dtype=np.int64)
    for v in range(vertices):
        at = v
        while not reached[at]:
            last[at] = generator.integers(first[at], first[at + 1])
            at = target[last[at]]
        at = v
        while not reached[at]:
            reached[at] = True
            at = target[last[at]]

    for v in range(vertices):
        end = first[v + 1]
        if v != vertex[visits - 1]:
            end -= 1
            target[last[v]], target[end] = target[end], target[last[v]]
            letter[last[v]], letter[end] = letter[end], letter[last[v]]
        for i in range(end - 1, first[v], -1):
            j = generator.integers(first[v], i + 1)
            target[i], target[j] = target[j], target[i]
            letter[i], letter[j] = letter[j], letter[i]

    at = vertex[0]
    leaving = first[:-1].copy()
    for i in range(visits - 1):
        edge = leaving[at]
        leaving[at] += 1
        shuffled[i + k - 1] = letter[edge]
        at = target[edge]


def gc_matched_windows(
    positives: Sequence[Interval],
    positive_gc: Vector,
    genome: "Genome",
    avoid: Sequence[Interval],
    generator: np.random.Generator,
    bin_width: float = GC_BIN,
) -> list[Interval]:
    """Draw one window of the genome for each positive, of its width and nearly its GC content.

    The windows overlap neither one another nor `avoid` nor the positives, and hold few ambiguity
    codes. The genome is read in blocks in random order until all are found, so that memory and
    mostly time do not grow with its size.

    Args:
        positives: Windows to be matched; repeat one to get several negatives for it.
        positive_gc: Share of G and C of each positive, shape [positive].
        genome: Where to draw from.
        avoid: Further intervals that no window may touch.
        generator: Source of randomness.
        bin_width: Width of the range of GC content around the positive's own.

    Returns:
        One interval for each positive, in the same order, with its strand.

    Raises:
        MotifcnnError: The genome does not hold enough such windows.
    """
    search = _WindowSearch(positives, np.asarray(positive_gc, dtype=np.float64), bin_width)
    blocked = _Blocked([*positives, *avoid])
    widest = max((positive.width for positive in positives), default=0)
    blocks = [
        Interval(chrom, start, min(start + BLOCK, length))
        for chrom, length in genome.lengths.items()
        for start in range(0, length, BLOCK)
    ]
    # The first pass takes a small share from each block, so that the windows come from all over the
    # genome (of a large one: from 500 places or more); the others take what they find.
    share = -(-len(positives) // max(1, min(len(blocks), 500)))
    for quota, effort in ((share, _QUICK), (len(positives), _QUICK), (len(positives), _THOROUGH)):
        for index in generator.permutation(len(blocks)):
            if not search.open.size:
                break
            block = blocks[index]
            end = min(block.end + widest, genome.lengths[block.chrom])
            codes = genome.fetch(Interval(block.chrom, block.start, end), DNA)
            search.draw(block, codes, blocked, quota, effort, generator)
    if search.open.size:
        found = len(positives) - search.open.size
        raise MotifcnnError(
            f"only {found} of {len(positives)} windows of the genome match the positives in width and GC content "
            f"(to {bin_width / 2:g}) outside the {len(positives) + len(avoid)} intervals to avoid; "
            "give a larger genome, or make negatives by shuffling"
        )
    return [window for window in search.windows if window is not None]


class _Blocked:
    """Intervals not to be touched, merged and sorted, and those handed out since."""

    def __init__(self, intervals: Sequence[Interval]):
        by_chrom: dict[str, list[tuple[int, int]]] = {}
        for interval in intervals:
            by_chrom.setdefault(interval.chrom, []).append((interval.start, interval.end))
        self._fixed = {}
        for chrom, pairs in by_chrom.items():
            bounds = np.array(sorted(pairs), dtype=np.int64)
            self._fixed[chrom] = (bounds[:, 0], np.maximum.accumulate(bounds[:, 1]))
        self._handed_out: dict[str, list[tuple[int, int]]] = {}
        self._widest = 0

    def touches(self, chrom: str, starts: Integers, width: int) -> npt.NDArray[np.bool_]:
        """Whether windows overlap an interval that was to be avoided from the beginning."""
        if chrom not in self._fixed:
            return np.zeros(len(starts), dtype=bool)
        fixed_starts, furthest_ends = self._fixed[chrom]
        before = np.searchsorted(fixed_starts, starts + width, side="left")
        reach = np.where(before > 0, furthest_ends[np.maximum(before - 1, 0)], 0)
        return np.asarray((before > 0) & (reach > starts))

    def hand_out(self, chrom: str, start: int, width: int) -> bool:
        """Reserve a window unless it overlaps one handed out before; return whether it was free."""
        taken = self._handed_out.setdefault(chrom, [])
        index = bisect_left(taken, (start - self._widest, 0))
        while index < len(taken) and taken[index][0] < start + width:
            if taken[index][1] > start:
                return False
            index += 1
        insort(taken, (start, start + width))
        self._widest = max(self._widest, width)
        return True


class _WindowSearch:
    """Which positives still lack a negative, and the windows found so far."""

    def __init__(self, positives: Sequence[Interval], gc: Vector, bin_width: float):
        self.positives = positives
        self.gc = gc
        self.half_bin = bin_width / 2
        self.widths = np.array([positive.width for positive in positives], dtype=np.int64)
        self.open = np.arange(len(positives))
        self.windows: list[Interval | None] = [None] * len(positives)

    def draw(
        self,
        block: Interval,
        codes: Codes,
        blocked: _Blocked,
        quota: int,
        effort: tuple[float, int],
        generator: np.random.Generator,
    ) -> None:
        """Take up to `quota` windows that start in a block.

        Args:
            block: The stretch of the genome in which windows may start.
            codes: Its letters and those after it that windows may reach into.
            blocked: What they must not overlap.
            quota: Most windows to take.
            effort: Share of the starts to look at, and how many to try for each positive.
            generator: Source of randomness.
        """
        density, tries = effort
        strong = _running_sum((codes == DNA.letters.index("C")) | (codes == DNA.letters.index("G")))
        unknown = _running_sum(codes >= DNA.size)
        waiting = generator.permutation(self.open)
        taken: list[int] = []
        for width in np.unique(self.widths[waiting]).tolist():
            same_width = waiting[self.widths[waiting] == width]
            starts, gc = _candidates(block, strong, unknown, width, density, generator)
            free = ~blocked.touches(block.chrom, starts + block.start, width)
            order = np.argsort(gc[free], kind="stable")
            starts, gc = starts[free][order] + block.start, gc[free][order]
            lowest = np.searchsorted(gc, self.gc[same_width] - self.half_bin, side="left")
            highest = np.searchsorted(gc, self.gc[same_width] + self.half_bin, side="right")
            for positive, low, high in zip(same_width.tolist(), lowest.tolist(), highest.tolist(), strict=True):
                if len(taken) >= quota:
                    break
                for pick in (low + generator.random(tries if high > low else 0) * (high - low)).astype(np.int64):
                    start = int(starts[pick])
                    if blocked.hand_out(block.chrom, start, width):
                        strand = self.positives[positive].strand
                        self.windows[positive] = Interval(block.chrom, start, start + width, strand)
                        taken.append(positive)
                        break
        self.open = np.setdiff1d(self.open, taken)


def _running_sum(marked: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    total = np.zeros(len(marked) + 1, dtype=np.int32)
    np.cumsum(marked, out=total[1:])
    return total


def _candidates(
    block: Interval,
    strong: npt.NDArray[np.int32],
    unknown: npt.NDArray[np.int32],
    width: int,
    density: float,
    generator: np.random.Generator,
) -> tuple[Integers, Vector]:
    """Draw starts (from the block's own) of windows with few unknown letters, and their GC content."""
    possible = min(block.width, len(strong) - width)
    if possible <= 0 or width <= 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    starts = (
        np.arange(possible) if density >= 1.0 else generator.integers(0, possible, max(50, int(possible * density)))
    )
    unknowns = unknown[starts + width] - unknown[starts]
    known = unknowns <= MAXIMUM_UNKNOWN * width
    starts, unknowns = starts[known], unknowns[known]
    return starts, (strong[starts + width] - strong[starts]) / (width - unknowns)
