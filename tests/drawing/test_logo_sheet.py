import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.drawing.logo_sheet import SheetLogo, SheetRow, write_sheet
from motifcnn.errors import InputError
from motifcnn.motifs import Motif


def motif_of(word):
    return Motif(word, np.eye(4)[DNA.encode(word)] * 0.96 + 0.01, DNA)


ROWS = [
    SheetRow("first", (SheetLogo(0, "", motif_of("ACGTAC")), SheetLogo(1, "known", motif_of("ACGT")))),
    SheetRow("second", (SheetLogo(0, "", motif_of("TTGACATTTTTTTTTTTTTT")),)),
    SheetRow("third", (SheetLogo(0, "", motif_of("GG")), SheetLogo(1, "known", motif_of("CCCC")))),
]


@pytest.mark.parametrize("kind", ["svg", "pdf", "png"])
def test_equal_rows_give_equal_bytes(tmp_path, kind):
    for name in ("a", "b"):
        write_sheet(ROWS[:1], tmp_path / f"{name}.{kind}")
    first, second = ((tmp_path / f"{name}.{kind}").read_bytes() for name in ("a", "b"))
    assert first == second
    assert first.startswith({"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[kind])
    assert b"Date" not in first


def test_every_motif_stands_on_the_sheet_in_its_row_and_column(tmp_path):
    write_sheet(ROWS, tmp_path / "a.svg")
    root = ET.fromstring((tmp_path / "a.svg").read_text())
    width, height = map(float, root.get("viewBox").split()[2:])
    space = "{http://www.w3.org/2000/svg}"
    frames = [group for group in root.iter(f"{space}g") if re.fullmatch(r"axes_\d+", group.get("id", ""))]
    assert len(frames) == 5
    corners = []
    for frame in frames:
        outline = frame.find(f"{space}g[@id]/{space}path").get("d")
        numbers = np.array(re.findall(r"-?[\d.]+", outline), dtype=float).reshape(-1, 2)
        corners.append((*numbers.min(axis=0), *numbers.max(axis=0)))
    left, top, right, bottom = np.array(corners).T
    assert (left > 0).all()
    assert (right <= width).all()
    assert (top > 0).all()
    assert (bottom <= height).all()
    assert left[0] == left[2] == left[3]
    assert left[1] == left[4] > right[2]  # the second column is right of the widest logo of the first
    assert top[0] == top[1] < top[2] < top[3] == top[4]


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be written as"):
        write_sheet(ROWS, tmp_path / "a.gif")
