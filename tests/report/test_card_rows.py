import re

import numpy as np
import pytest

from motifcnn.report.card_rows import STEP, BarRow, Box, BoxRow, LetterRow, LineRow, Scale, TextRow, number

COLOURS = {"A": "#008000", "C": "#0000ff"}


def values(*numbers):
    return np.array(numbers, dtype=np.float32)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (-0.001, "0"), (1.5, "1.5"), (100.0, "100"), (-2.345, "-2.35")]
)
def test_coordinates_are_short(value, text):
    assert number(value) == text


def test_a_scale_holds_its_values_and_zero():
    scale = Scale.around(values(1.0, -3.0, np.nan), 40.0)
    assert [scale.down(value) for value in (1.0, 0.0, -3.0)] == [0.0, 10.0, 40.0]
    assert Scale.around(values(2.0, 4.0), 40.0).down(0.0) == 40.0
    assert Scale.around(values(np.nan), 40.0).down(0.0) == 40.0
    assert {text for _, text in scale.ticks()} >= {"0", "−2"}


def test_letters_stand_on_the_line_or_hang_from_it():
    row = LetterRow("worth", "logit", "ACAC", values(2.0, -2.0, 0.001, 1.0), Scale(-2.0, 2.0, 40.0), COLOURS)
    drawn = re.findall(
        r'href="#letter-(\w)" transform="translate\((\S+) (\S+)\) scale\((\S+) (\S+)\)" fill="(\S+)"', row.draw(0, 4)
    )
    assert [(letter, float(base), float(height)) for letter, _, base, _, height, _ in drawn] == [
        ("A", 20.0, -20.0), ("C", 40.0, -20.0), ("C", 20.0, -10.0),
    ]  # fmt: skip
    assert [float(x) for _, x, *_ in drawn] == [0.4, STEP + 0.4, 3 * STEP + 0.4]
    assert drawn[0][5] == COLOURS["A"]
    assert row.draw(1, 2).count("<use") == 1


def test_the_sequence_is_written_out():
    drawn = TextRow("sequence", "ACCA", COLOURS).draw(1, 4)
    assert re.findall(r'x="([^"]+)"[^>]*>(\w+)<', drawn) == [("25", "A"), ("5 15", "CC")]


def boxes(*bounds):
    return [Box(f"m{n} <x>", start, end, "+", "#123456", "hint & more") for n, (start, end) in enumerate(bounds)]


def test_boxes_that_overlap_lie_in_lanes():
    row = BoxRow("motifs", boxes((0, 10), (5, 15), (10, 20), (12, 22)))
    assert row.lanes == [0, 1, 0, 2]
    assert row.height == 3 * BoxRow("motifs", []).height


def test_boxes_are_cut_at_the_ends_of_a_line_and_escaped():
    row = BoxRow("motifs", boxes((0, 30), (50, 60)))
    drawn = row.draw(10, 40)
    assert drawn.count("<path") == 1
    assert "m0 &lt;x&gt;" in drawn
    assert "hint &amp; more" in drawn
    numbers = [float(text) for text in re.findall(r"[MHL]([\d.]+)", drawn)]
    assert (min(numbers), max(numbers)) == (0.0, 20 * STEP)


@pytest.mark.parametrize(("strand", "tip"), [("+", 100.0), ("-", 0.0)])
def test_boxes_point_where_they_read(strand, tip):
    box = Box("m", 0, 10, strand, "#123456", "")
    outline = re.search(r' d="([^"]+)"', BoxRow("motifs", [box]).draw(0, 10))[1]
    assert float(re.search(r"L([\d.]+) ", outline)[1]) == tip


def test_lines_and_bars():
    scale = Scale(0.0, 2.0, 20.0)
    line = LineRow("activation", "", [("a & b", "#111111", values(0.0, 2.0, 1.0))], scale).draw(0, 3)
    assert 'd="M5 20L15 0L25 10"' in line
    assert "a &amp; b" in line
    bars = BarRow("track", "", values(1.0, np.nan, 0.0, 2.0), scale, "#111111").draw(0, 4)
    assert re.search(r'd="([^"]+)"', bars)[1] == "M0 20V10h10V20ZM30 20V0h10V20Z"
