"""Letters as outlines that fill a box, in the colours of the logos, for drawings that stretch them."""

from functools import cache

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Alphabet

_CURVES = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}
"""Matplotlib's codes of a path's parts, and SVG's."""
_POINTS = {"M": 1, "L": 1, "Q": 2, "C": 3, "Z": 1}
_NUCLEOTIDES = {"A": "#008000", "C": "#0000ff", "G": "#ffa600", "TU": "#ff0000"}
_PROTEIN = {"GSTYC": "#008000", "QN": "#800080", "KRH": "#0000ff", "DE": "#ff0000", "AVLIPWFM": "#000000"}
"""Logomaker's schemes "classic" and "chemistry", here so that a drawing need not load it."""
_AMBIGUOUS = "#888888"


@cache
def letter_outline(letter: str) -> str:
    """Return a letter's outline as SVG path data, from (0, 0), its lower left corner, up to (1, 1).

    The typeface is DejaVu Sans Bold, which comes with matplotlib, as in the logos.
    """
    vertices, codes = _text_path(letter, 100.0, "bold")
    corners = vertices[codes != 79]
    low, high = corners.min(axis=0), corners.max(axis=0)
    return _path_data((vertices - low) / (high - low), codes, 3)


@cache
def letter_width(letter: str) -> float:
    """Return the share of a logo's column that a letter fills: 1, but narrow letters are not stretched beyond E."""
    own, widest = (
        np.ptp(vertices[codes != 79, 0])
        for vertices, codes in (_text_path(text, 100.0, "bold") for text in (letter, "E"))
    )
    return min(1.0, float(own / widest))


@cache
def text_outline(text: str, size: float) -> tuple[str, float]:
    """Return a word in upright DejaVu Sans as SVG path data, from its base line up, and its width; both in points."""
    vertices, codes = _text_path(text, size, "normal")
    return _path_data(vertices, codes, 2), float(vertices[codes != 79, 0].max())


def _text_path(text: str, size: float, weight: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    path = TextPath((0, 0), text, size=size, prop=FontProperties(family="DejaVu Sans", weight=weight))
    return np.asarray(path.vertices), np.asarray(path.codes)


def _path_data(vertices: npt.NDArray[np.float64], codes: npt.NDArray[np.uint8], decimals: int) -> str:
    parts, place = [], 0
    while place < len(vertices):
        kind = _CURVES[int(codes[place])]
        points = vertices[place : place + _POINTS[kind]]
        parts.append(kind if kind == "Z" else kind + " ".join(f"{x:.{decimals}f} {y:.{decimals}f}" for x, y in points))
        place += _POINTS[kind]
    return "".join(parts)


def letter_colours(alphabet: Alphabet) -> dict[str, str]:
    """Return the colour of each symbol as #rrggbb; ambiguity codes are grey."""
    scheme = _PROTEIN if alphabet.name == "protein" else _NUCLEOTIDES
    colours = {letter: colour for letters, colour in scheme.items() for letter in letters}
    return {symbol: colours[symbol] if symbol in alphabet.letters else _AMBIGUOUS for symbol in alphabet.symbols}
