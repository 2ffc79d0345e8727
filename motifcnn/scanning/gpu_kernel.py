"""The Triton kernels of the GPU engine: bounds as matrix products of 8-bit integers, then exact scores of what is left.

Matrix products rather than table look-ups, because a look-up takes the load unit once for each word of letters,
motif strand and window, some six times a score, while the tensor cores need less time for the product of 16
positions than it takes to compare its result. So nearly all of the work is that comparison, and it is done on the
registers that hold the sums: 32 strands become the bits of one word a window, and words of no bit go no further.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"

from dataclasses import dataclass

import torch
import triton
import triton.language as tl

from motifcnn.scanning import gpu_tables
from motifcnn.scanning.gpu_work import DeviceTables, Found, Stretch

_LETTERS = tl.constexpr(gpu_tables.LETTERS)
_BLOCK = tl.constexpr(gpu_tables.BLOCK)


@triton.jit
def _code(letters, unknown, at, inside):
    """Letters at some positions; 4 for ambiguity codes and where nothing is."""
    letter = (tl.load(letters + at // 4, mask=inside, other=0).to(tl.int32) >> (2 * (at % 4))) & 3
    marked = (tl.load(unknown + at // 8, mask=inside, other=255).to(tl.int32) >> (at % 8)) & 1
    return tl.where(marked == 0, letter, _LETTERS)


@triton.jit(do_not_specialize=["windows", "length", "first", "room"])
def mark(
    letters, unknown, windows, length, left, needed, strands, first, marks, counters, room,
    SPAN: tl.constexpr, POSITIONS: tl.constexpr,  # noqa: N803
):  # fmt: skip
    """Write down the windows in which strands of a block may have hits.

    Args:
        letters: Packed letters, four a byte.
        unknown: Marks of ambiguity codes, eight a byte.
        windows: Windows to look at; those that do not fit into `length` letters are ruled out.
        length: Letters.
        left: What letters leave of the allowance, shape [strand, span × letter].
        needed: Least sum of a window that may be a hit, shape [strand].
        strands: Strands of the table, a multiple of a block.
        first: Number of the first block.
        marks: Room for window, block and bits.
        counters: Marks so far comes first.
        room: Marks that can be written down.
        SPAN: Positions that a product reads.
        POSITIONS: Windows of a program.
    """
    window = tl.program_id(0) * POSITIONS + tl.arange(0, POSITIONS)
    at = window[:, None] + tl.arange(0, SPAN)[None, :]
    code = _code(letters, unknown, at, (window < windows)[:, None] & (at < length))
    one_hot = (code[:, :, None] == tl.arange(0, _LETTERS)[None, None, :]).to(tl.int8)
    rows = tl.reshape(one_hot, (POSITIONS, SPAN * _LETTERS))
    entry = tl.arange(0, SPAN * _LETTERS)
    lane = tl.arange(0, _BLOCK)
    for begin in range(0, strands, _BLOCK):
        columns = tl.load(left + (begin + lane)[None, :] * (SPAN * _LETTERS) + entry[:, None])
        sums = tl.dot(rows, columns, out_dtype=tl.int32)
        alive = sums >= tl.load(needed + begin + lane)[None, :]
        bits = tl.xor_sum(tl.where(alive, 1 << lane[None, :], 0), axis=1)
        some = bits != 0
        slot = tl.atomic_add(counters + tl.zeros_like(window), 1, mask=some, sem="relaxed")
        kept = some & (slot < room)
        tl.store(marks + 3 * slot, window, mask=kept)
        tl.store(marks + 3 * slot + 1, first + begin // _BLOCK, mask=kept)
        tl.store(marks + 3 * slot + 2, bits, mask=kept)


@triton.jit(do_not_specialize=["length", "room", "given", "longest"])
def rescore(
    letters, unknown, length, scores, firsts, widths, thresholds, ranks, longest, given,
    marks, keys, found, counters, room, MARKS: tl.constexpr,  # noqa: N803
):  # fmt: skip
    """Score what is marked exactly and write down the hits.

    Args:
        letters: Packed letters, four a byte.
        unknown: Marks of ambiguity codes, eight a byte.
        length: Letters.
        scores: Exact scores, all strands one after another, each [position][letter].
        firsts: Where each strand begins in `scores`.
        widths: Width of each strand.
        thresholds: Least score of a hit.
        ranks: Number of each strand as it was given.
        longest: The greatest width.
        given: How many strands were given.
        marks: Window, block and bits.
        keys: Room for window × `given` + number of the strand of each hit.
        found: Room for scores.
        counters: Marks, and hits so far.
        room: Marks and hits that there is room for.
        MARKS: Marks that a program looks at together.
    """
    count = tl.minimum(tl.load(counters), room)
    lane = tl.arange(0, _BLOCK)[None, :]
    for begin in range(tl.program_id(0) * MARKS, count, tl.num_programs(0) * MARKS):
        number = begin + tl.arange(0, MARKS)
        valid = number < count
        window = tl.load(marks + 3 * number, mask=valid, other=0)[:, None]
        block = tl.load(marks + 3 * number + 1, mask=valid, other=0)[:, None]
        bits = tl.load(marks + 3 * number + 2, mask=valid, other=0)[:, None]
        alive = ((bits >> lane) & 1) == 1
        strand = block * _BLOCK + lane
        width = tl.load(widths + strand, mask=alive, other=0)
        table = tl.load(firsts + strand, mask=alive, other=0)
        alive = alive & (window + width <= length)
        total = tl.zeros((MARKS, _BLOCK), dtype=tl.int32)
        for position in range(longest):
            here = alive & (position < width)
            code = _code(letters, unknown, window + position, here)
            alive = alive & ((code < _LETTERS) | (position >= width))
            total += tl.load(scores + table + position * _LETTERS + code, mask=here & (code < _LETTERS), other=0)
        hit = alive & (total >= tl.load(thresholds + strand, mask=alive, other=0))
        slot = tl.atomic_add(counters + 1 + tl.zeros_like(strand), 1, mask=hit, sem="relaxed")
        kept = hit & (slot < room)
        rank = tl.load(ranks + strand, mask=kept, other=0)
        tl.store(keys + slot, window.to(tl.int64) * given + rank, mask=kept)
        tl.store(found + slot, total, mask=kept)


@dataclass(frozen=True)
class Kernel:
    """A search by the two kernels, and how the work is cut up.

    Args:
        positions: Windows of a program that marks.
        warps: Groups of 32 threads that share a program.
        stages: Blocks of strands that are fetched ahead.
        programs: Programs that rescore.
        marks: Marks that one of these looks at together.
    """

    positions: int = 128
    warps: int = 4
    stages: int = 3
    programs: int = 528
    marks: int = 16

    def __call__(self, stretch: Stretch, tables: DeviceTables, found: Found) -> None:
        """Find the hits of all strands in a stretch, in any order, given counters at 0."""
        with torch.cuda.device(found.keys.device if found.keys.is_cuda else -1):
            for table in tables.spans:
                mark[(triton.cdiv(stretch.windows, self.positions),)](
                    stretch.letters, stretch.unknown, stretch.windows, stretch.length,
                    table.left, table.needed, len(table.needed), table.first, found.marks, found.counters, found.room,
                    SPAN=table.span, POSITIONS=self.positions, num_warps=self.warps, num_stages=self.stages,
                )  # fmt: skip
            rescore[(self.programs,)](
                stretch.letters, stretch.unknown, stretch.length, tables.scores, tables.firsts, tables.widths,
                tables.thresholds, tables.ranks, tables.longest, tables.given,
                found.marks, found.keys, found.scores, found.counters, found.room, MARKS=self.marks,
            )  # fmt: skip
