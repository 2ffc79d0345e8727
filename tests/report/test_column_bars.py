"""Bars below a logo: under its columns, as high as their values, with whiskers and the line of chance."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.drawing.logos import logo_document
from motifcnn.motifs import Motif
from motifcnn.report.column_bars import column_bars


def bars(drawing):
    """(left, foot, tip, width) of each bar."""
    shapes = [path.get("d") for path in ET.fromstring(drawing).iter("path") if path.get("fill")]
    return [tuple(map(float, re.match(r"M(\S+) (\S+)V(\S+)h(\S+)V", shape).groups())) for shape in shapes]


@pytest.mark.parametrize("columns", [2, 7])
def test_bars_stand_under_the_columns_of_a_logo(columns):
    letters = Motif("m", np.eye(4)[np.zeros(columns, dtype=int)], DNA)
    logo = ET.fromstring(logo_document(letters))
    drawing = column_bars(np.ones(columns), np.full(columns, np.nan), slice(0, columns), np.nan, "t")
    assert ET.fromstring(drawing).get("viewBox") == logo.get("viewBox")
    uses = [use.get("transform") for use in logo.iter("{http://www.w3.org/2000/svg}use")]
    lefts = [float(re.match(r"translate\((\S+)", use)[1]) for use in uses]
    wides = [float(re.search(r"scale\((\S+)", use)[1]) for use in uses]
    for (left, _, _, width), letter, wide in zip(bars(drawing), lefts, wides, strict=True):
        assert left + width / 2 == pytest.approx(letter + wide / 2, abs=4)  # an A does not fill its box evenly


def test_heights_are_the_values_and_what_is_missing_is_not_drawn():
    values = np.array([0.5, np.nan, 1.0, -0.25])
    drawn = bars(column_bars(values, np.full(4, 0.1), slice(0, 4), 0.3, "t"))
    rises = np.array([foot - tip for _, foot, tip, _ in drawn])
    np.testing.assert_allclose(rises / rises[1], [0.5, 1.0, -0.25], atol=1e-3)


def test_bars_beside_the_motif_are_pale():
    drawing = column_bars(np.ones(5), np.zeros(5), slice(1, 3), np.nan, "t")
    pale = [path.get("opacity") is not None for path in ET.fromstring(drawing).iter("path") if path.get("fill")]
    assert pale == [True, False, False, True, True]


def test_chance_and_errors_are_lines_within_the_drawing():
    drawing = ET.fromstring(column_bars(np.zeros(3), np.full(3, 0.2), slice(0, 3), 0.9, "Mean of <a>"))
    assert drawing.get("aria-label") == "Mean of <a>"
    assert sum(path.get("class") == "guide" for path in drawing.iter("path")) == 1
    places = [float(place) for path in drawing.iter("path") for place in re.findall(r" (\d+\.\d+)", path.get("d"))]
    assert min(places) >= 0
    assert max(places) <= float(drawing.get("viewBox").split()[3])
