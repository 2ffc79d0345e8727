"""Letters as outlines that fill a box, in the colours of the logos, for drawings that stretch them."""

from functools import cache

import numpy as np

from motifcnn.alphabet import Alphabet

_CURVES = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}
"""Matplotlib's codes of a path's parts, and SVG's."""
_POINTS = {"M": 1, "L": 1, "Q": 2, "C": 3, "Z": 1}
_AMBIGUOUS = "#888888"


@cache
def letter_outline(letter: str) -> str:
    """Return a letter's outline as SVG path data, from (0, 0), its lower left corner, up to (1, 1).

    The typeface is DejaVu Sans Bold, which comes with matplotlib, as in the logos.
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    path = TextPath((0, 0), letter, size=100, prop=FontProperties(family="DejaVu Sans", weight="bold"))
    corners = path.vertices[path.codes != 79]
    low, high = corners.min(axis=0), corners.max(axis=0)
    vertices = (np.asarray(path.vertices) - low) / (high - low)
    parts, place = [], 0
    while place < len(vertices):
        kind = _CURVES[int(path.codes[place])]
        points = vertices[place : place + _POINTS[kind]]
        parts.append(kind if kind == "Z" else kind + " ".join(f"{x:.3f} {y:.3f}" for x, y in points))
        place += _POINTS[kind]
    return "".join(parts)


def letter_colours(alphabet: Alphabet) -> dict[str, str]:
    """Return the colour of each symbol as #rrggbb; ambiguity codes are grey."""
    from logomaker.src.colors import get_color_dict

    from motifcnn.logos import colour_scheme

    scheme = get_color_dict(colour_scheme(alphabet), alphabet.letters)
    colours = dict.fromkeys(alphabet.symbols, _AMBIGUOUS)
    for letter in alphabet.letters:
        colours[letter] = "#" + "".join(f"{round(255 * share):02x}" for share in scheme[letter])
    return colours
