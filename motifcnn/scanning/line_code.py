"""What the scanner compiles to write lines of text."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg,type-var,var-annotated"

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from motifcnn.scanning.code_parts import load, past
from motifcnn.scanning.layout import COPIED, INTEGER, LITERAL, MANTISSA, TEXT, THOUSANDTHS


@intrinsic
def _copy(typing_context, target, source):
    """Copy `COPIED` bytes."""

    def emit(context, builder, signature, arguments):
        vector = ir.VectorType(ir.IntType(8), COPIED)
        place = builder.bitcast(arguments[0], vector.as_pointer())
        builder.store(load(builder, arguments[1], vector), place, align=1)
        return context.get_dummy_value()

    return types.void(target, source), emit


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
                    _copy(past(lines, place + done), past(texts, begin + done))
                place += length
            elif kind == INTEGER:
                place = _digits(value, lines, place)
            elif kind == THOUSANDTHS:
                place = _thousandths(value, lines, place)
            else:
                place = _general(value, lines, place)
    return place
