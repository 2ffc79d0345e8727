"""The compiled part of the vector engine: LLVM vector operations, which numba has no names for, and their loops.

Everything is in one file because numba's cache on disk looks at one file only to see whether it is stale.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg"

from functools import reduce

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

LANES = 64
TRIPLE = 3
"""Letters in a word of nucleotides."""
_TRIPLE_ROWS = 4**TRIPLE + 1
_UNROLLED = 8
PIECE = 8192
"""Windows that pass through one block's table at a time: words and table then stay in the nearest caches."""
_BYTES = ir.VectorType(ir.IntType(8), LANES)
_WHOLE = ir.IntType(64)


class _Search:
    """Emits the search for the next window at which a lane is not below zero.

    Args:
        context: Of numba's compiler.
        builder: Where code goes.
        signature: Of the intrinsic.
        arguments: Values of the intrinsic's arguments.
    """

    def __init__(self, context, builder, signature, arguments):
        def data(number):
            return context.make_array(signature.args[number])(context, builder, arguments[number]).data

        self._builder = builder
        self._rows = builder.gep(data(0), [arguments[1]])
        self._codes = data(2)
        self._first, self._end, self._slots, self._word, self._size = arguments[3:8]
        self._lanes = data(8)
        self._found = cgutils.alloca_once(builder, _WHOLE)
        self._after = builder.append_basic_block("after")
        self._add = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(_BYTES, [_BYTES, _BYTES]), f"llvm.sadd.sat.v{LANES}i8"
        )

    def emit(self):
        """Emit one loop for each number of slots of triples up to `_UNROLLED`, and one for all else."""
        builder = self._builder
        rest = builder.append_basic_block("rest")
        triples = builder.icmp_signed("==", self._word, _WHOLE(TRIPLE))
        choose = builder.switch(builder.select(triples, self._slots, _WHOLE(0)), rest)
        for count in range(1, _UNROLLED + 1):
            case = builder.append_basic_block(f"slots{count}")
            choose.add_case(_WHOLE(count), case)
            builder.position_at_end(case)
            self._loop(lambda at, count=count: self._unrolled(at, count))
        builder.position_at_end(rest)
        self._loop(self._general)
        builder.position_at_end(self._after)
        return builder.load(self._found)

    def _row(self, at, slot, word, size):
        builder = self._builder
        code = builder.load(builder.gep(self._codes, [builder.add(at, builder.mul(slot, word))]))
        place = builder.add(builder.zext(code, _WHOLE), builder.mul(slot, size))
        return builder.load(builder.bitcast(builder.gep(self._rows, [place]), _BYTES.as_pointer()), align=1)

    def _unrolled(self, at, count):
        rows = [self._row(at, _WHOLE(slot), _WHOLE(TRIPLE), _WHOLE(_TRIPLE_ROWS * LANES)) for slot in range(count)]
        return reduce(lambda left, right: self._builder.call(self._add, [left, right]), rows)

    def _general(self, at):
        builder = self._builder
        total = cgutils.alloca_once_value(builder, self._row(at, _WHOLE(0), self._word, self._size))
        with cgutils.for_range(builder, self._slots, start=_WHOLE(1)) as loop:
            row = self._row(at, loop.index, self._word, self._size)
            builder.store(builder.call(self._add, [builder.load(total), row]), total)
        return builder.load(total)

    def _loop(self, total):
        builder = self._builder
        place = cgutils.alloca_once_value(builder, self._first)
        head, body, step, stop = (builder.append_basic_block(name) for name in ("head", "body", "step", "stop"))
        builder.branch(head)
        builder.position_at_end(head)
        at = builder.load(place)
        builder.store(at, self._found)
        builder.cbranch(builder.icmp_signed("<", at, self._end), body, self._after)
        builder.position_at_end(body)
        alive = builder.icmp_signed(">=", total(at), ir.Constant(_BYTES, [0] * LANES))
        bits = builder.bitcast(alive, _WHOLE)
        builder.cbranch(builder.icmp_unsigned("==", bits, _WHOLE(0)), step, stop)
        builder.position_at_end(step)
        builder.store(builder.add(at, _WHOLE(1)), place)
        builder.branch(head)
        builder.position_at_end(stop)
        builder.store(bits, self._lanes)
        builder.branch(self._after)


@intrinsic
def _next_alive(typing_context, tables, base, words, first, end, slots, word, size, alive):
    """First window from `first` up to `end` where a lane is not below zero in the end; its lanes go to alive[0]."""
    whole = types.int64
    signature = whole(tables, whole, words, whole, whole, whole, whole, whole, alive)
    return signature, lambda *arguments: _Search(*arguments).emit()


@intrinsic
def _lowest_bit(typing_context, bits):
    """Place of the lowest bit that is set."""

    def emit(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), emit


@numba.njit(cache=True, nogil=True, inline="never")
def _search(tables, base, words, first, end, slots, word, size, alive):  # pragma: no cover
    return _next_alive(tables, base, words, first, end, slots, word, size, alive)


@numba.njit(cache=True, nogil=True)
def _words(codes, begin, word, letters, words):  # pragma: no cover
    """Fill in the place of each word's row; return whether any word is clean."""
    ambiguous = letters**word
    whole = max(min(len(words), len(codes) - begin - word + 1), 0)  # the others are cut short
    words[whole:] = ambiguous * LANES
    worst = ambiguous
    here = codes[begin : begin + whole + word - 1]
    if word == TRIPLE:  # without branches, so that it becomes vector code
        for place in range(whole):
            one, two, three = here[place], here[place + 1], here[place + 2]
            value = (one << 4) + (two << 2) + three if (one | two | three) < 4 else ambiguous
            worst = min(worst, value)
            words[place] = value * LANES
    else:
        for place in range(whole):
            value = min(here[place], ambiguous)
            worst = min(worst, value)
            words[place] = value * LANES
    return worst < ambiguous


@numba.njit(cache=True, nogil=True)
def _exact(codes, start, width, letters, table, first):  # pragma: no cover
    """Score one window; the least integer where it is cut short or holds an ambiguity code."""
    if start + width > len(codes):
        return -(1 << 31)
    total = 0
    for position in range(width):
        code = codes[start + position]
        if code >= letters:
            return -(1 << 31)
        total += table[first + position * letters + code]
    return total


@numba.njit(cache=True, nogil=True)
def scan_blocks( # pragma: no cover
    codes, begin, end, tables, begins, slots, word, letters, widths, thresholds, exact, firsts, ranks,
    starts, strands, scores,
):  # fmt: skip
    """Fill in starts, strands and scores of all hits, as far as there is room; return their number."""
    found = 0
    stride = (letters**word + 1) * LANES
    alive = np.zeros(1, dtype=np.uint64)
    words = np.empty(PIECE + slots.max() * word, dtype=np.uint16)
    for piece in range(begin, end, PIECE):
        windows = min(PIECE, end - piece)
        clean = _words(codes, piece, word, letters, words[: windows + slots.max() * word])
        if not clean and widths.min() >= word:
            continue
        for block in range(len(slots)):
            base, count = begins[block], slots[block]
            at = _search(tables, base, words, 0, windows, count, word, stride, alive)
            while at < windows:
                bits = alive[0]
                while bits != 0:
                    strand = block * LANES + _lowest_bit(bits)
                    bits &= bits - np.uint64(1)
                    total = _exact(codes, piece + at, widths[strand], letters, exact, firsts[strand])
                    if total >= thresholds[strand]:
                        if found < len(starts):
                            starts[found] = piece + at
                            strands[found] = ranks[strand]
                            scores[found] = total
                        found += 1
                at = _search(tables, base, words, at + 1, windows, count, word, stride, alive)
    return found
