"""What the scanner compiles to search with motif strands in the lanes of vectors: many of them at a time.

A lane is a motif strand; at each window, one row of a table is added for each word.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg,type-var,var-annotated"

from functools import partial, reduce

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from motifcnn.scanning.code_parts import WHOLE, load, past
from motifcnn.scanning.layout import GROUP, LANES, TRIPLE
from motifcnn.scanning.search_code import search_of

_TRIPLE_ROWS = 4**TRIPLE + 1
_UNROLLED = 8
_STRIDE = 32
"""Words of nucleotides made at a time."""
_BYTES = ir.VectorType(ir.IntType(8), LANES)


class _Search:
    """Emits the search for windows at which a lane is not below zero, `GROUP` windows at a time.

    Args:
        context: Of numba's compiler.
        builder: Where code goes.
        signature: Of the intrinsic.
        arguments: Values of the intrinsic's arguments.
    """

    def __init__(self, context, builder, signature, arguments):
        self._builder = builder
        self._rows, self._words, self._windows, self._slots, self._word, self._size, self._places, self._lanes = (
            arguments
        )
        self._count = cgutils.alloca_once_value(builder, WHOLE(0))
        self._zero = ir.Constant(_BYTES, [0] * LANES)
        self._add = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(_BYTES, [_BYTES, _BYTES]), f"llvm.sadd.sat.v{LANES}i8"
        )

    def emit(self):
        """Emit one loop for each number of slots of triples up to `_UNROLLED`, and one for all else."""
        builder = self._builder
        rest, after = builder.append_basic_block("rest"), builder.append_basic_block("after")
        triples = builder.icmp_signed("==", self._word, WHOLE(TRIPLE))
        choose = builder.switch(builder.select(triples, self._slots, WHOLE(0)), rest)
        for count in range(1, _UNROLLED + 1):
            case = builder.append_basic_block(f"slots{count}")
            choose.add_case(WHOLE(count), case)
            builder.position_at_end(case)
            self._loop(partial(self._unrolled, count=count))
            builder.branch(after)
        builder.position_at_end(rest)
        self._loop(self._general)
        builder.branch(after)
        builder.position_at_end(after)
        return builder.load(self._count)

    def _row(self, at, slot, word, size):
        builder = self._builder
        code = builder.load(builder.gep(self._words, [builder.add(at, builder.mul(slot, word))]))
        place = builder.add(builder.zext(code, WHOLE), builder.mul(slot, size))
        return load(builder, builder.gep(self._rows, [place]), _BYTES)

    def _unrolled(self, windows, count):
        size = WHOLE(_TRIPLE_ROWS * LANES)
        rows = [[self._row(at, WHOLE(slot), WHOLE(TRIPLE), size) for slot in range(count)] for at in windows]
        return [reduce(lambda left, right: self._builder.call(self._add, [left, right]), each) for each in rows]

    def _general(self, windows):
        builder = self._builder
        totals = [cgutils.alloca_once_value(builder, self._row(at, WHOLE(0), self._word, self._size)) for at in windows]
        with cgutils.for_range(builder, self._slots, start=WHOLE(1)) as loop:
            for at, total in zip(windows, totals, strict=True):
                row = self._row(at, loop.index, self._word, self._size)
                builder.store(builder.call(self._add, [builder.load(total), row]), total)
        return [builder.load(total) for total in totals]

    def _alive(self, total):
        return self._builder.bitcast(self._builder.icmp_signed(">=", total, self._zero), WHOLE)

    def _loop(self, add_up):
        """Below zero everywhere at all windows of a group: that is what one test tells, most of the time."""
        builder = self._builder
        with cgutils.for_range_slice(builder, WHOLE(0), self._windows, WHOLE(GROUP)) as (first, _):
            windows = [builder.add(first, WHOLE(step)) for step in range(GROUP)]
            totals = add_up(windows)
            any_alive = builder.icmp_unsigned("!=", self._alive(reduce(builder.and_, totals)), WHOLE(0))
            with builder.if_then(any_alive, likely=False):
                for at, total in zip(windows, totals, strict=True):
                    lanes, count = self._alive(total), builder.load(self._count)
                    builder.store(at, builder.gep(self._places, [count]))
                    builder.store(lanes, builder.gep(self._lanes, [count]))
                    one_more = builder.zext(builder.icmp_unsigned("!=", lanes, WHOLE(0)), WHOLE)
                    builder.store(builder.add(count, one_more), self._count)


@intrinsic
def _candidates(typing_context, rows, words, windows, slots, word, size, places, lanes):
    """Write places and lanes of windows where a lane is not below zero; return their number.

    Up to a multiple of `GROUP`, and there must be room for one more than there are windows.
    """
    whole = types.int64
    signature = whole(rows, words, whole, whole, whole, whole, places, lanes)
    return signature, lambda *arguments: _Search(*arguments).emit()


@intrinsic
def _triples(typing_context, codes, words, count):
    """Write the place of each triple's row, `_STRIDE` at a time; return whether any letter of the first is proper."""

    def emit(context, builder, signature, arguments):
        codes, words, count = arguments
        narrow, wide = (ir.VectorType(ir.IntType(bits), _STRIDE) for bits in (8, 16))

        def all_of(vector, value):
            return ir.Constant(vector, [value] * _STRIDE)

        any_proper = cgutils.alloca_once_value(builder, ir.IntType(_STRIDE)(0))
        with cgutils.for_range_slice(builder, WHOLE(0), count, WHOLE(_STRIDE)) as (at, _):
            letters = [load(builder, builder.gep(codes, [builder.add(at, WHOLE(n))]), narrow) for n in range(TRIPLE)]
            first_proper, proper = (
                builder.icmp_unsigned("<", letter, all_of(narrow, 4))
                for letter in (letters[0], reduce(builder.or_, letters))
            )
            value = reduce(
                lambda high, low: builder.add(builder.shl(high, all_of(wide, 2)), low),
                (builder.zext(letter, wide) for letter in letters),
            )
            value = builder.select(proper, value, all_of(wide, 4**TRIPLE))
            place = builder.bitcast(builder.gep(words, [at]), wide.as_pointer())
            builder.store(builder.mul(value, all_of(wide, LANES)), place, align=1)
            first_proper = builder.bitcast(first_proper, ir.IntType(_STRIDE))
            builder.store(builder.or_(builder.load(any_proper), first_proper), any_proper)
        return builder.icmp_unsigned("!=", builder.load(any_proper), ir.IntType(_STRIDE)(0))

    return types.boolean(codes, words, types.int64), emit


@numba.njit
def _fill_words(codes, length, begin, word, letters, words, windows, most_slots):  # pragma: no cover
    """Fill in the place of each word's row."""
    count = windows + most_slots * word + GROUP
    whole = max(min(count, length - begin - word + 1), 0)  # the others are cut short
    ambiguous = letters**word
    here = 0
    any_proper = False
    if word == TRIPLE:
        here = whole - whole % _STRIDE
        any_proper = _triples(past(codes, begin), words, here)
    for place in range(here, count):
        value = 0
        for step in range(word):
            code = codes[begin + place + step] if begin + place + step < length else letters
            value = value * letters + code if code < letters and value < ambiguous else ambiguous
            any_proper |= step == 0 and code < letters
        words[place] = value * LANES
    return any_proper


@numba.njit
def _find_candidates(tables, words, windows, slots, members, word, letters, places, alive):  # pragma: no cover
    return _candidates(tables, words, windows, slots, word, (letters**word + 1) * LANES, places, alive)


@numba.njit
def _of_candidate(place, bit):  # pragma: no cover
    return place, bit


search_by_strands = search_of(_fill_words, _find_candidates, _of_candidate)
