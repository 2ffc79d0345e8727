"""What the scanner compiles: the vector engine's search, with LLVM vector operations, and the writing of lines.

numba compiles these functions once; `machine_code` keeps the result and loads it without numba. So they take nothing
but whole numbers and addresses, ask for no memory and raise nothing.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg,type-var,var-annotated"

from collections.abc import Iterator
from functools import partial, reduce

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from motifcnn.scanning.layout import COPIED, GROUP, INTEGER, LANES, LITERAL, MANTISSA, PIECE, TEXT, THOUSANDTHS, TRIPLE

_TRIPLE_ROWS = 4**TRIPLE + 1
_UNROLLED = 8
_STRIDE = 32
"""Words of nucleotides made at a time."""
_BYTES = ir.VectorType(ir.IntType(8), LANES)
_WHOLE = ir.IntType(64)
_NEVER = -(1 << 31)


def _load(builder, place, vector):
    return builder.load(builder.bitcast(place, vector.as_pointer()), align=1)


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
        self._count = cgutils.alloca_once_value(builder, _WHOLE(0))
        self._zero = ir.Constant(_BYTES, [0] * LANES)
        self._add = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(_BYTES, [_BYTES, _BYTES]), f"llvm.sadd.sat.v{LANES}i8"
        )

    def emit(self):
        """Emit one loop for each number of slots of triples up to `_UNROLLED`, and one for all else."""
        builder = self._builder
        rest, after = builder.append_basic_block("rest"), builder.append_basic_block("after")
        triples = builder.icmp_signed("==", self._word, _WHOLE(TRIPLE))
        choose = builder.switch(builder.select(triples, self._slots, _WHOLE(0)), rest)
        for count in range(1, _UNROLLED + 1):
            case = builder.append_basic_block(f"slots{count}")
            choose.add_case(_WHOLE(count), case)
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
        place = builder.add(builder.zext(code, _WHOLE), builder.mul(slot, size))
        return _load(builder, builder.gep(self._rows, [place]), _BYTES)

    def _unrolled(self, windows, count):
        size = _WHOLE(_TRIPLE_ROWS * LANES)
        rows = [[self._row(at, _WHOLE(slot), _WHOLE(TRIPLE), size) for slot in range(count)] for at in windows]
        return [reduce(lambda left, right: self._builder.call(self._add, [left, right]), each) for each in rows]

    def _general(self, windows):
        builder = self._builder
        totals = [
            cgutils.alloca_once_value(builder, self._row(at, _WHOLE(0), self._word, self._size)) for at in windows
        ]
        with cgutils.for_range(builder, self._slots, start=_WHOLE(1)) as loop:
            for at, total in zip(windows, totals, strict=True):
                row = self._row(at, loop.index, self._word, self._size)
                builder.store(builder.call(self._add, [builder.load(total), row]), total)
        return [builder.load(total) for total in totals]

    def _alive(self, total):
        return self._builder.bitcast(self._builder.icmp_signed(">=", total, self._zero), _WHOLE)

    def _loop(self, add_up):
        """Below zero everywhere at all windows of a group: that is what one test tells, most of the time."""
        builder = self._builder
        with cgutils.for_range_slice(builder, _WHOLE(0), self._windows, _WHOLE(GROUP)) as (first, _):
            windows = [builder.add(first, _WHOLE(step)) for step in range(GROUP)]
            totals = add_up(windows)
            any_alive = builder.icmp_unsigned("!=", self._alive(reduce(builder.and_, totals)), _WHOLE(0))
            with builder.if_then(any_alive, likely=False):
                for at, total in zip(windows, totals, strict=True):
                    lanes, count = self._alive(total), builder.load(self._count)
                    builder.store(at, builder.gep(self._places, [count]))
                    builder.store(lanes, builder.gep(self._lanes, [count]))
                    one_more = builder.zext(builder.icmp_unsigned("!=", lanes, _WHOLE(0)), _WHOLE)
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
    """Write the place of each triple's row, `_STRIDE` at a time; return whether any triple is clean."""

    def emit(context, builder, signature, arguments):
        codes, words, count = arguments
        narrow, wide = (ir.VectorType(ir.IntType(bits), _STRIDE) for bits in (8, 16))

        def all_of(vector, value):
            return ir.Constant(vector, [value] * _STRIDE)

        clean = cgutils.alloca_once_value(builder, ir.IntType(_STRIDE)(0))
        with cgutils.for_range_slice(builder, _WHOLE(0), count, _WHOLE(_STRIDE)) as (at, _):
            letters = [_load(builder, builder.gep(codes, [builder.add(at, _WHOLE(n))]), narrow) for n in range(TRIPLE)]
            proper = builder.icmp_unsigned("<", reduce(builder.or_, letters), all_of(narrow, 4))
            value = reduce(
                lambda high, low: builder.add(builder.shl(high, all_of(wide, 2)), low),
                (builder.zext(letter, wide) for letter in letters),
            )
            value = builder.select(proper, value, all_of(wide, 4**TRIPLE))
            place = builder.bitcast(builder.gep(words, [at]), wide.as_pointer())
            builder.store(builder.mul(value, all_of(wide, LANES)), place, align=1)
            proper = builder.bitcast(proper, ir.IntType(_STRIDE))
            builder.store(builder.or_(builder.load(clean), proper), clean)
        return builder.icmp_unsigned("!=", builder.load(clean), ir.IntType(_STRIDE)(0))

    return types.boolean(codes, words, types.int64), emit


@intrinsic
def _lowest_bit(typing_context, bits):
    """Place of the lowest bit that is set."""

    def emit(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), emit


@intrinsic
def _past(typing_context, address, count):
    """The address so many elements further."""

    def emit(context, builder, signature, arguments):
        return builder.gep(arguments[0], [arguments[1]])

    return address(address, types.int64), emit


@intrinsic
def _copy(typing_context, target, source):
    """Copy `COPIED` bytes."""

    def emit(context, builder, signature, arguments):
        vector = ir.VectorType(ir.IntType(8), COPIED)
        place = builder.bitcast(arguments[0], vector.as_pointer())
        builder.store(_load(builder, arguments[1], vector), place, align=1)
        return context.get_dummy_value()

    return types.void(target, source), emit


@numba.njit
def _fill_words(codes, length, begin, word, letters, ambiguous, words, count):  # pragma: no cover
    """Fill in the place of each word's row; return whether any word is clean."""
    whole = max(min(count, length - begin - word + 1), 0)  # the others are cut short
    here = 0
    clean = False
    if word == TRIPLE:
        here = whole - whole % _STRIDE
        clean = _triples(_past(codes, begin), words, here)
    for place in range(here, whole):
        value = 0
        for step in range(word):
            code = codes[begin + place + step]
            value = value * letters + code if code < letters and value < ambiguous else ambiguous
        clean |= value < ambiguous
        words[place] = value * LANES
    for place in range(whole, count):
        words[place] = ambiguous * LANES
    return clean


@numba.njit
def _exact(codes, length, start, width, letters, table, first):  # pragma: no cover
    """Score one window; the least integer where it is cut short or holds an ambiguity code."""
    if start + width > length:
        return _NEVER
    total = 0
    for position in range(width):
        code = codes[start + position]
        if code >= letters:
            return _NEVER
        total += table[first + position * letters + code]
    return total


def find_hits(  # pragma: no cover
    codes, length, begin, end, tables, begins, slots, blocks, word, letters, ambiguous, widths, thresholds, exact,
    firsts, ranks, words, places, alive, starts, strands, scores, room, next_begin,
):  # fmt: skip
    """Fill in starts, strands and scores of hits, piece after piece, and return their number.

    Where the room does not do for a piece, next_begin[0] says where that begins; `end` where all are done.
    """
    found = 0
    stride = (ambiguous + 1) * LANES
    most_slots = slots[0]
    narrowest = widths[0]
    for block in range(blocks):  # strands are in order of width
        most_slots = max(most_slots, slots[block])
    for piece in range(begin, end, PIECE):
        windows = min(PIECE, end - piece)
        clean = _fill_words(codes, length, piece, word, letters, ambiguous, words, windows + most_slots * word + GROUP)
        if not clean and narrowest >= word:
            continue
        before = found
        for block in range(blocks):
            count = _candidates(_past(tables, begins[block]), words, windows, slots[block], word, stride, places, alive)
            for candidate in range(count):
                at, bits = places[candidate], alive[candidate]
                while bits != 0 and at < windows:
                    strand = block * LANES + _lowest_bit(bits)
                    bits &= bits - numba.uint64(1)
                    total = _exact(codes, length, piece + at, widths[strand], letters, exact, firsts[strand])
                    if total >= thresholds[strand]:
                        if found < room:
                            starts[found] = piece + at
                            strands[found] = ranks[strand]
                            scores[found] = total
                        found += 1
        if found > room:
            next_begin[0] = piece
            return before
    next_begin[0] = end
    return found


@numba.njit
def _digits(number, text, place):  # pragma: no cover
    """Write a whole number; return the place after it."""
    if number < 0:
        text[place] = 45  # "-"
        place, number = place + 1, -number
    count, rest = 1, number // 10
    while rest:
        count, rest = count + 1, rest // 10
    for at in range(place + count - 1, place - 1, -1):
        text[at] = 48 + number % 10
        number //= 10
    return place + count


@numba.njit
def _thousandths(number, text, place):  # pragma: no cover
    """Write thousandths as a number with three decimals; return the place after it."""
    if number < 0:
        text[place] = 45
        place, number = place + 1, -number
    place = _digits(number // 1000, text, place)
    text[place] = 46  # "."
    for step in range(3):
        text[place + 3 - step] = 48 + number % 10
        number //= 10
    return place + 4


@numba.njit
def _general(number, text, place):  # pragma: no cover
    """Write ddd * MANTISSA + x as C's %.3g writes d.dd · 10^-x; return the place after it."""
    digits, power = number // MANTISSA, number % MANTISSA
    count = 3
    while count > 1 and digits % 10 == 0:
        digits, count = digits // 10, count - 1
    if 0 < power <= 4:  # 0.000ddd
        text[place] = 48
        text[place + 1] = 46
        for at in range(place + 2, place + 1 + power):
            text[at] = 48
        return _digits(digits, text, place + 1 + power)
    after = _digits(digits, text, place + (count > 1))
    if count > 1:
        text[place] = text[place + 1]
        text[place + 1] = 46
    if power == 0:
        return after
    text[after] = 101  # "e"
    text[after + 1] = 45
    if power < 10:
        text[after + 2] = 48
        after += 1
    return _digits(power, text, after + 2)


def write_lines(kinds, arguments, fields, values, hits, texts, begins, lines):  # pragma: no cover
    """Write all lines; return their length."""
    place = 0
    for hit in range(hits):
        for field in range(fields):
            kind, argument = kinds[field], arguments[field]
            value = argument if kind == LITERAL else values[argument * hits + hit]
            if kind in (LITERAL, TEXT):
                begin, length = begins[value], begins[value + 1] - begins[value]
                for done in range(0, length, COPIED):
                    _copy(_past(lines, place + done), _past(texts, begin + done))
                place += length
            elif kind == INTEGER:
                place = _digits(value, lines, place)
            elif kind == THOUSANDTHS:
                place = _thousandths(value, lines, place)
            else:
                place = _general(value, lines, place)
    return place


def _pointers(*kinds):
    return [types.CPointer(kind) for kind in kinds]


_BYTE, _SHORT, _LONG = types.uint8, types.uint16, types.int64
_ONE = [_LONG]
SIGNATURES = {
    find_hits: [
        *_pointers(_BYTE), *3 * _ONE, *_pointers(types.int8, _LONG, _LONG), *4 * _ONE,
        *_pointers(_LONG, types.int32, types.int32, _LONG, _LONG),
        *_pointers(_SHORT, _LONG, types.uint64, _LONG, _LONG, types.int32), *_ONE, *_pointers(_LONG),
    ],
    write_lines: [
        *_pointers(_LONG, _LONG), *_ONE, *_pointers(_LONG), *_ONE, *_pointers(_BYTE, _LONG, _BYTE),
    ],
}  # fmt: skip


def compiled() -> Iterator[tuple[str, str, str]]:
    """Return each compiled function's name, LLVM's code that holds it, and what it is called in there."""
    for function, arguments in SIGNATURES.items():
        done = numba.cfunc(_LONG(*arguments), error_model="numpy")(function)
        # the function itself rather than what C would call: the latter leans on numba where something is raised
        yield function.__name__, done.inspect_llvm(), done.native_name.removeprefix("cfunc.")
