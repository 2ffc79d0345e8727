import re

import numpy as np
import pytest

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.letter_shapes import letter_colours, letter_outline


@pytest.mark.parametrize("letter", DNA.letters + "NU" + PROTEIN.letters)
def test_an_outline_fills_the_box(letter):
    outline = letter_outline(letter)
    assert re.fullmatch(r"([MLQC][-\d. ]+|Z)+", outline)
    points = np.array([float(text) for text in re.findall(r"-?\d+\.\d+", outline)]).reshape(-1, 2)
    assert points.min(axis=0) == pytest.approx([0, 0], abs=2e-3)
    assert points.max(axis=0) == pytest.approx([1, 1], abs=2e-3)


def test_letters_have_outlines_of_their_own():
    assert len({letter_outline(letter) for letter in PROTEIN.letters}) == 20


def test_colours_are_those_of_the_logos():
    assert letter_colours(DNA)["A"] == "#008000"
    assert letter_colours(DNA)["T"] == letter_colours(RNA)["U"] == "#ff0000"
    assert letter_colours(PROTEIN)["K"] == "#0000ff"
    assert letter_colours(DNA)["N"] == "#888888"
    assert set(letter_colours(PROTEIN)) == set(PROTEIN.symbols)
