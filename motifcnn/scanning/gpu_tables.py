"""Motif strands as 8-bit matrices for a GPU, and sequences packed for the way there.

A window is a one-hot row, a motif strand a column, and their product a bound: matrix products of 8-bit integers are
what a GPU does fastest, and they add up in 32 bits, so that nothing overflows. The columns hold how much of an
allowance of 127 a letter leaves: 127 less how far it falls short of the position's best letter, in units of which 126
make up the whole distance from the motif's best score to its threshold, rounded so that no hit is lost. A letter that
costs the hit by itself leaves 0, and so does an ambiguity code, whose one-hot row is empty: a window with one
is ruled out in the same product. What is left, little more than the hits, is scored exactly.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Codes

LETTERS: Final = 4
BLOCK: Final = 32
"""Motif strands of a matrix product: one bit of a word each."""
SPANS: Final = (8, 16, 32, 64)
"""Positions that a product reads, powers of 2 as its dimensions must be; a motif goes to the least that holds it."""
_ALLOWANCE: Final = 127
_OUT_OF_REACH: Final = 2**30

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class SpanTable:
    """Bounds of the motif strands of similar width.

    Args:
        span: Positions that a product reads.
        first: Number of its first block among those of all tables.
        left: What letters leave of the allowance, shape [strand, span × 4 letters].
        needed: Least sum of a window that may be a hit, shape [strand].
    """

    span: int
    first: int
    left: npt.NDArray[np.int8]
    needed: Ints


@dataclass(frozen=True, eq=False)
class StrandTables:
    """Motif strands in blocks of 32, those of like width together; the last block of a span may have strands to spare.

    Args:
        spans: Bounds, one table a span that occurs.
        scores: Exact scores, all strands one after another, each [position][letter].
        firsts: Where each strand begins in `scores`, shape [strand].
        widths: Width of each strand.
        thresholds: Least score of a hit.
        ranks: Number of the strand as it was given.
        longest: The greatest width.
        given: How many strands were given.
    """

    spans: tuple[SpanTable, ...]
    scores: Ints
    firsts: Ints
    widths: Ints
    thresholds: Ints
    ranks: Ints
    longest: int
    given: int


def strand_tables(scores: Sequence[Ints], thresholds: Sequence[int]) -> StrandTables:
    """Make the tables.

    Args:
        scores: Integer scores of each motif strand, shape [position, 4 letters], at most 64 positions.
        thresholds: Least score of a hit for each.
    """
    span_of = np.array([next(span for span in SPANS if len(table) <= span) for table in scores])
    spans: list[SpanTable] = []
    order: list[int] = []
    for span in np.unique(span_of).tolist():
        members = np.flatnonzero(span_of == span).tolist()
        room = -(-len(members) // BLOCK) * BLOCK
        left = np.zeros((room, span, LETTERS), dtype=np.int8)
        needed = np.full(room, _OUT_OF_REACH, dtype=np.int32)
        for place, rank in enumerate(members):
            left[place, : len(scores[rank])], needed[place] = _bounds(scores[rank], thresholds[rank])
        spans.append(SpanTable(span, len(order) // BLOCK, left.reshape(room, -1), needed))
        order += members + [members[0]] * (room - len(members))  # those to spare are never looked at
    sizes = np.array([table.size for table in scores])
    begins = np.cumsum(sizes) - sizes
    return StrandTables(
        tuple(spans),
        np.concatenate([np.asarray(table, dtype=np.int32).ravel() for table in scores]),
        begins[order].astype(np.int32),
        np.array([len(scores[rank]) for rank in order], dtype=np.int32),
        np.array([thresholds[rank] for rank in order], dtype=np.int32),
        np.array(order, dtype=np.int32),
        max(len(table) for table in scores),
        len(scores),
    )


def _bounds(scores: Ints, threshold: int) -> tuple[npt.NDArray[np.int8], int]:
    """Return what each letter leaves of the allowance, shape [position, letter], and the least sum of a hit."""
    highest = scores.max(axis=1, keepdims=True).astype(np.int64)
    spare = int(highest.sum()) - threshold
    if spare < 0:  # no word reaches the threshold
        return np.zeros(scores.shape, dtype=np.int8), _OUT_OF_REACH
    short = highest - scores
    units = np.where(short > spare, _ALLOWANCE, short * (_ALLOWANCE - 1) // max(spare, 1))
    return (_ALLOWANCE - units).astype(np.int8), _ALLOWANCE * len(scores) - (_ALLOWANCE - 1)


def unfit(widths: Sequence[int], letters: int) -> Iterator[str]:
    """Say what keeps motifs from these tables."""
    if letters != LETTERS:
        yield f"the GPU scans nucleotides, and these motifs have {letters} letters"
    if max(widths) > SPANS[-1]:
        yield f"the GPU scans motifs of up to {SPANS[-1]} positions, and one has {max(widths)}"


@dataclass(frozen=True, eq=False)
class Packed:
    """Room for packed letters: two bits each, and one bit that marks ambiguity codes.

    Args:
        letters: Four letters a byte, the first lowest.
        unknown: Eight marks a byte, the first lowest.
    """

    letters: Bytes
    unknown: Bytes

    @staticmethod
    def sizes(length: int) -> tuple[int, int]:
        """Bytes needed for the letters and for the marks."""
        return -(-length // 4), -(-length // 8)

    def fill(self, codes: Codes) -> None:
        """Pack letters from the beginning."""
        letters, unknown = self.sizes(len(codes))
        whole = len(codes) // 4
        # four bytes of two bits each meet in the highest byte of the product
        fours = np.ascontiguousarray(codes[: 4 * whole]).view("<u4") & np.uint32(0x03030303)
        self.letters[:whole] = (fours * np.uint32(0x01041040)) >> np.uint32(24)
        if letters > whole:
            rest = (codes[4 * whole :] & 3).tolist()
            self.letters[whole] = sum(code << 2 * place for place, code in enumerate(rest))
        self.unknown[:unknown] = np.packbits(codes >= LETTERS, bitorder="little")
