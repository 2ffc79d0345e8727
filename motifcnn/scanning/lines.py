"""Lines of text from columns of whole numbers: by compiled code, or by Python where there is none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from motifcnn.scanning.layout import COPIED, GENERAL, INTEGER, LITERAL, MANTISSA, TEXT, THOUSANDTHS
from motifcnn.scanning.machine_code import MachineCode

Wholes = npt.NDArray[np.int64]

_LONGEST_NUMBER: Final = 21
_DOUBTFUL: Final = 1e-6
"""Nearer to a tie than this, and than that to a power of ten, rounding is left to Python, which is exact."""
_MANY: Final = 8
"""Lines from which compiled code is faster than Python."""


@dataclass(frozen=True, eq=False)
class Column:
    """A part of each line.

    Args:
        kind: LITERAL, the same everywhere; TEXT, one of several; INTEGER; THOUSANDTHS, a number with three decimals;
            GENERAL, a number as `%.3g` writes it.
        values: One number a line: place in `texts`, the integer, thousandths, or what `general` returns; none for
            LITERAL.
        texts: What LITERAL (one) and TEXT choose from.
    """

    kind: int
    values: npt.NDArray[np.integer[Any]] | None = None
    texts: Sequence[bytes] = ()


def literal(text: str) -> Column:
    """Return a column that is the same everywhere."""
    return Column(LITERAL, texts=[text.encode()])


def general(numbers: npt.NDArray[np.float64]) -> Wholes:
    """Return digits and exponents of numbers from 0 to 1, rounded to three digits: ddd * MANTISSA + x for d.dd · 10^-x.

    Ties and everything near them, and the very small, are rounded by Python, so that all are as `%.3g` writes them.
    """
    safe = np.maximum(numbers, 1e-290)
    powers = np.floor(-np.log10(safe)).astype(np.int64)
    powers += safe * 10.0**powers < 1  # just below a power of ten: -log10 is one whole number more
    scaled = safe * 10.0 ** (powers + 2)
    digits = np.rint(scaled)
    doubtful = (np.abs(scaled - np.floor(scaled) - 0.5) < _DOUBTFUL) | (digits < 100) | (digits > 999)
    doubtful |= numbers < 1e-290
    result = digits.astype(np.int64) * MANTISSA + powers
    for place in np.flatnonzero(doubtful).tolist():
        mantissa, power = f"{numbers[place]:.2e}".split("e")
        result[place] = int(mantissa.replace(".", "")) * MANTISSA - int(power)
    return np.asarray(result)


def lines(columns: Sequence[Column], count: int, code: MachineCode | None) -> bytes:
    """Return `count` lines, columns one after another.

    Args:
        columns: Ends of lines included.
        count: Number of lines.
        code: Compiled functions, if there are any.
    """
    return _by_python(columns, count) if code is None or count < _MANY else _compiled(columns, count, code)


def _compiled(columns: Sequence[Column], count: int, code: MachineCode) -> bytes:
    texts = [text for column in columns for text in column.texts]
    begins = np.cumsum([0, *map(len, texts)])
    firsts = np.cumsum([0, *(len(column.texts) for column in columns)])
    values = [
        column.values + (first if column.kind == TEXT else 0)
        for column, first in zip(columns, firsts, strict=False)
        if column.values is not None
    ]
    numbers = np.cumsum([column.values is not None for column in columns]) - 1
    literals = np.array([column.kind == LITERAL for column in columns])
    longest = sum(max(map(len, column.texts), default=_LONGEST_NUMBER) for column in columns)
    text = np.empty(longest * count + COPIED, dtype=np.uint8)
    used = code.write_lines(
        np.array([column.kind for column in columns], dtype=np.int64),
        np.where(literals, firsts[:-1], numbers),
        len(columns),
        np.concatenate([np.empty(0, dtype=np.int64), *values]),
        count,
        np.frombuffer(b"".join(texts) + bytes(COPIED), dtype=np.uint8),
        begins,
        text,
    )
    return text[:used].tobytes()


def _by_python(columns: Sequence[Column], count: int) -> bytes:
    return b"".join(map(b"".join, zip(*(_words(column, count) for column in columns), strict=True)))


def _words(column: Column, count: int) -> Iterator[bytes]:
    if column.values is None:
        return repeat(column.texts[0], count)
    values = column.values.tolist()
    if column.kind == TEXT:
        return map(column.texts.__getitem__, values)
    if column.kind == INTEGER:
        return (b"%d" % value for value in values)
    if column.kind == THOUSANDTHS:
        return (b"%.3f" % (value / 1000) for value in values)
    assert column.kind == GENERAL
    return (b"%.3g" % float(f"{value // MANTISSA}e-{value % MANTISSA + 2}") for value in values)
