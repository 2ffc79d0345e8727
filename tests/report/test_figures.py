import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.report.figures import Axis, Line, line_chart, nice_ticks, padded_axis, scatter_chart, stacked_histogram


def drawn(markup):
    return ET.fromstring(str(markup))


@given(st.floats(-1e3, 1e3), st.floats(1e-2, 1e6))
def test_ticks_are_few_and_inside(low, span):
    ticks = nice_ticks(low, low + span)
    assert len(ticks) <= 11
    assert all(low - span * 1e-6 <= value <= low + span * (1 + 1e-6) for value, _ in ticks)


def test_ticks_are_round_numbers():
    assert [text for _, text in nice_ticks(0, 1)] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert [text for _, text in nice_ticks(-1, 1, 4)] == ["−1.0", "−0.5", "0.0", "0.5", "1.0"]
    assert [text for _, text in nice_ticks(0, 100)] == ["0", "20", "40", "60", "80", "100"]
    assert nice_ticks(1, 1) == ()


def test_a_line_is_lifted_where_a_value_is_missing():
    line = Line("a", np.arange(5.0), np.array([0, 1, np.nan, 1, 0]), 0)
    (path,) = (p for p in drawn(line_chart([line], Axis("x", 0, 4), Axis("y", 0, 1), "t")) if p.get("class") == "line")
    assert path.get("d").count("M") == 2


def test_one_point_is_seen():
    line = Line("a", np.array([1.0]), np.array([0.5]), 0)
    assert "<circle" in line_chart([line], Axis("x", 0, 2), Axis("y", 0, 1), "t")


def test_names_in_figures_are_escaped():
    line = Line("<b>", np.array([0.0, 1.0]), np.array([0.0, 1.0]), 1)
    drawing = line_chart([line], Axis("<x>", 0, 1), Axis("<y>", 0, 1), '"<t>')
    assert "<b>" not in drawing
    assert drawn(drawing).get("aria-label") == '"<t>'


def test_bars_are_as_high_as_their_counts():
    counts = np.array([0.0, 1.0, 4.0, 2.0])
    drawing = drawn(stacked_histogram([("a", counts), ("b", counts)], Axis("x", 0, 1), "sites", "t"))
    heights = [float(bar.get("height")) for bar in drawing.iter("rect")]
    assert len(heights) == 6
    assert heights[1] == pytest.approx(4 * heights[0], abs=0.3)


def test_scatter_of_many_dots_is_thinned():
    values = np.linspace(0, 1, 9000)
    assert len(list(drawn(scatter_chart(values, values, "x", "y", "t")).iter("circle"))) == 1500


def test_small_differences_stay_small():
    axis = padded_axis("x", np.array([0.9999, 1.0]), least_span=0.05)
    assert axis.high - axis.low == pytest.approx(0.05)
    assert padded_axis("x", np.array([0.0, 1.0]), least_span=0.05).low == pytest.approx(-0.05)


def test_equal_values_still_have_an_axis():
    for values in (np.array([3.0, 3.0]), np.zeros(2), np.array([np.nan]), np.array([])):
        axis = padded_axis("x", values)
        assert axis.low < axis.high
