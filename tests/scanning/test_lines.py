"""Columns as text: by compiled code, by Python, and by Python's own formatting, all the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.scanning import lines as module
from motifcnn.scanning.layout import GENERAL, INTEGER, LITERAL, MANTISSA, TEXT, THOUSANDTHS
from motifcnn.scanning.lines import Column, general, lines, literal
from motifcnn.scanning.machine_code import machine_code

WAYS = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "python"])


def text(columns, count, compiled):
    """Write so few lines by compiled code, too, as are left to Python otherwise."""
    return module._compiled(columns, count, machine_code()) if compiled else lines(columns, count, None)


def write(columns, count, compiled):
    return text([*columns, literal("\n")], count, compiled).decode().splitlines()


chances = st.one_of(
    st.floats(0, 1),
    st.floats(-330, 0).map(lambda power: 10**power),
    st.builds(lambda digits, power: float(f"{digits}e-{power}"), st.integers(0, 99995), st.integers(5, 320)),
    st.builds(lambda count, width: count / 4**width, st.integers(0, 256), st.integers(4, 40)),
)


@given(st.lists(chances, min_size=1))
def test_general_numbers_are_written_as_by_c(numbers):
    expected = [f"{number:.3g}" for number in numbers]
    column = Column(GENERAL, general(np.array(numbers)))
    assert write([column], len(numbers), True) == write([column], len(numbers), False) == expected


@WAYS
def test_general_numbers_at_ties_and_powers_of_ten(compiled):
    numbers = [0.0, 1.0, 0.03125, 0.00390625, 0.9995, 0.99949, 9.995e-5, 9.9949e-5, 1e-4, 1e-5, 1.005e-7, 5e-324, 0.5]
    numbers += [float(f"{digits}e-{power}") for digits in (1, 10, 15, 999) for power in range(3, 300, 7)]
    expected = [f"{number:.3g}" for number in numbers]
    assert write([Column(GENERAL, general(np.array(numbers)))], len(numbers), compiled) == expected


def test_general_is_digits_and_exponent():
    assert general(np.array([0.0123456, 0.5])).tolist() == [123 * MANTISSA + 2, 500 * MANTISSA + 1]


@WAYS
@given(
    st.lists(
        st.tuples(st.integers(-(10**17), 10**17), st.integers(-(10**9), 10**9), st.integers(0, 2)),
        min_size=1, max_size=50,
    ),
    st.lists(st.text(max_size=40).map(str.encode), min_size=3, max_size=3),
)  # fmt: skip
def test_columns_of_every_kind_follow_one_another(compiled, rows, texts):
    wholes, thousandths, which = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    columns = [
        Column(TEXT, which, [b"+", b"", b"a word of more than sixteen letters"]), literal("\t"),
        Column(INTEGER, wholes), literal(" that is a longer piece of text "), Column(THOUSANDTHS, thousandths),
        Column(TEXT, which, texts),
    ]  # fmt: skip
    expected = b"".join(
        b"%s\t%d that is a longer piece of text %.3f%s"
        % ([b"+", b"", b"a word of more than sixteen letters"][text], whole, parts / 1000, texts[text])
        for whole, parts, text in rows
    )
    assert text(columns, len(rows), compiled) == expected


@WAYS
def test_a_literal_alone_is_repeated(compiled):
    assert text([Column(LITERAL, texts=[b"xy"])], 3, compiled) == b"xyxyxy"
    assert text([literal("x")], 0, compiled) == b""


def test_few_lines_are_left_to_python_and_many_to_compiled_code(monkeypatch):
    """To begin with compiled code takes longer than to write a line."""
    monkeypatch.setattr(module, "_by_python", lambda columns, count: b"python")
    monkeypatch.setattr(module, "_compiled", lambda columns, count, code: b"compiled")
    assert [lines([], count, machine_code()) for count in (1, 7, 8, 100)] == [b"python"] * 2 + [b"compiled"] * 2
    assert lines([], 100, None) == b"python"
