import re

import numpy as np
import pytest

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.drawing.letter_shapes import letter_colours, letter_outline, letter_width, text_outline


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


@pytest.mark.parametrize(("alphabet", "scheme"), [(DNA, "classic"), (RNA, "classic"), (PROTEIN, "chemistry")])
def test_colours_are_logomakers(alphabet, scheme):
    from logomaker.src.colors import get_color_dict

    theirs = get_color_dict(scheme, alphabet.letters)
    for letter in alphabet.letters:
        assert letter_colours(alphabet)[letter] == "#" + "".join(f"{round(255 * part):02x}" for part in theirs[letter])


def test_words_stand_on_their_base_line():
    outline, width = text_outline("12", 8)
    points = np.array([float(text) for text in re.findall(r"-?\d+\.\d+", outline)]).reshape(-1, 2)
    assert points[:, 1].min() == pytest.approx(0, abs=0.2)
    assert points[:, 0].max() == pytest.approx(width, abs=0.01)
    assert 4 < points[:, 1].max() < 8
    assert text_outline("12", 16)[1] == pytest.approx(2 * width, rel=0.05)


def test_narrow_letters_are_not_stretched():
    assert letter_width("I") < 0.6
    assert letter_width("W") == letter_width("A") == letter_width("E") == 1.0
