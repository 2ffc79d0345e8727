"""Sequence logos: letters stacked by frequency, stacks as high as their information in bits.

PNG and PDF are drawn by logomaker (Tareen and Kinney 2020). SVG has the same outlines in the same places, written
directly: in a hundredth of the time, and a sixth of the bytes. A logo's bytes depend on its motif alone.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from motifcnn.alphabet import Alphabet
from motifcnn.drawing.letter_shapes import letter_colours, letter_outline, letter_width, text_outline
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.files import atomic_write
from motifcnn.motifs import Matrix, Motif

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOGO_FORMATS: Final = ("svg", "png", "pdf")

LEAST_BITS: Final = 0.01
"""Letters below this height are thinner than a line on screen and in print; each costs as much time as a tall one."""

_LINE: Final = "fill: none; stroke: #000000; stroke-width: 0.6"
_LEAST_COLUMNS: Final = 4
_LETTER_SHARE: Final = 0.95  # of a column's width, as logomaker has it
_INCHES_A_LETTER: Final = 0.24
_HEIGHT: Final = 1.2
_LEFT, _RIGHT, _BOTTOM, _TOP = 0.45, 0.05, 0.2, 0.07
_RESOLUTION: Final = 200
_FACTS: Final[dict[str, dict[str, Any]]] = {
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    # What matplotlib would write by itself: the time of day, and its own version.
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@dataclass(frozen=True)
class LogoFrame:
    """Where the columns of a logo's drawing lie, in points from its upper left corner.

    Args:
        columns: Columns that are needed; the drawing has room for a few at least.
    """

    columns: int
    column: float = 72 * _INCHES_A_LETTER
    left: float = 72 * _LEFT
    top: float = 72 * _TOP
    floor: float = 72 * (_HEIGHT - _BOTTOM)
    height: float = 72 * _HEIGHT

    @property
    def right(self) -> float:
        """End of the last column."""
        return self.left + self.column * max(self.columns, _LEAST_COLUMNS)

    @property
    def width(self) -> float:
        """Of the whole drawing."""
        return self.right + 72 * _RIGHT


def logo_heights(motif: Motif) -> Matrix:
    """Return the height of every letter in bits: probability times the position's information.

    Args:
        motif: The motif to draw.

    Returns:
        Heights of shape [position, letter]; letters below `LEAST_BITS` are 0.

    Source: Schneider and Stephens 1990, without their correction for few sequences (the motif's
    pseudocount stands in for it).
    """
    heights = motif.probabilities * motif.information()[:, None]
    heights[heights < LEAST_BITS] = 0.0
    return heights


def draw_logo(motif: Motif, axes: "Axes") -> None:
    """Draw a logo on matplotlib axes: positions from 1 on the x axis, bits on the y axis.

    The y axis always reaches the most that the alphabet allows (2 bits for nucleotides, 4.32 for
    protein), so that logos can be compared by eye.

    Args:
        motif: The motif to draw.
        axes: Where to draw; what it holds is kept.
    """
    import logomaker
    import pandas as pd

    alphabet = motif.alphabet
    table = pd.DataFrame(logo_heights(motif), columns=list(alphabet.letters), index=np.arange(1, motif.width + 1))
    seen = table.loc[:, (table > 0).any()]
    if seen.shape[1]:  # logomaker warns of an axis without height
        logomaker.Logo(
            seen, ax=axes, color_scheme=letter_colours(alphabet), font_name="DejaVu Sans", font_weight="bold"
        )
    axes.set_ylim(0.0, float(np.log2(alphabet.size)))
    axes.set_xlim(0.5, motif.width + 0.5)
    axes.set_yticks(_bit_ticks(alphabet))
    axes.set_xticks(_position_ticks(motif.width))
    axes.set_ylabel("bits", fontsize=9, labelpad=2)
    axes.tick_params(labelsize=8, length=2, pad=1.5, width=0.6)
    axes.tick_params(axis="x", length=0)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_linewidth(0.6)


def write_logo(motif: Motif, path: str | Path) -> None:
    """Write a logo as SVG, PNG or PDF, told by the path's ending; the same motif gives the same bytes.

    Args:
        motif: The motif to draw.
        path: Where to write.

    Raises:
        InputError: The ending names no format known here.
    """
    kind = logo_kind(path)
    content = logo_document(motif).encode() if kind == "svg" else _rendered(motif, kind)
    with atomic_write(path) as handle:
        handle.write(content)


def logo_kind(path: str | Path) -> str:
    """Return the format that a path's ending names.

    Raises:
        InputError: It names none known here.
    """
    kind = Path(path).suffix.lower().removeprefix(".")
    if kind not in LOGO_FORMATS:
        raise InputError(f"a logo cannot be written as {kind!r}; let the name end in .svg, .png or .pdf", path)
    return kind


def logo_document(motif: Motif, before: int = 0, columns: int = 0) -> str:
    """Return a logo as an SVG document, laid out and drawn as `write_logo` draws PNG and PDF.

    Args:
        motif: The motif to draw.
        before: Columns left free before it, to align it with a logo below or above.
        columns: Columns in all; by default as many as it needs.
    """
    frame = LogoFrame(max(columns, before + motif.width))
    used: dict[str, str] = {}
    body = "".join((*_axes(motif, before, frame), *_letters(motif, before, frame, used)))
    colours = letter_colours(motif.alphabet)
    shapes = "".join(
        f'<path id="{name}" style="fill: {colours[letter]}" d="{letter_outline(letter)}"/>'
        for letter, name in used.items()
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink" width="{frame.width:.2f}pt" height="{frame.height:.2f}pt" '
        f'viewBox="0 0 {frame.width:.2f} {frame.height:.2f}" version="1.1">'
        f"<defs>{shapes}</defs>{body}</svg>\n"
    )


def _letters(motif: Motif, before: int, frame: LogoFrame, used: dict[str, str]) -> Iterator[str]:
    """The letters, smallest lowest in each stack, as logomaker stacks them; those used are put into `used`."""
    column, bit = frame.column, _bit(motif.alphabet)
    for position, heights in enumerate(logo_heights(motif)):
        floor = frame.floor
        for number in np.argsort(heights, kind="stable"):
            if heights[number] <= 0:
                continue
            letter = motif.alphabet.letters[number]
            name = used.setdefault(letter, f"letter-{letter}")
            wide, high = column * _LETTER_SHARE * letter_width(letter), bit * heights[number]
            left = frame.left + column * (before + position) + (column - wide) / 2
            yield (
                f'<use xlink:href="#{name}" '
                f'transform="translate({left:.2f} {floor:.2f}) scale({wide:.3f} {-high:.3f})"/>'
            )
            floor -= high


def _axes(motif: Motif, before: int, frame: LogoFrame) -> Iterator[str]:
    """Lines, ticks and numbers; text as outlines, so that no font is needed."""
    left, floor, bit = frame.left, frame.floor, _bit(motif.alphabet)
    yield f'<path d="M{left:.2f} {frame.top:.2f}V{floor:.2f}H{frame.right:.2f}" style="{_LINE}"/>'
    for bits in _bit_ticks(motif.alphabet):
        y = floor - bit * bits
        yield f'<path d="M{left - 2:.2f} {y:.2f}H{left:.2f}" style="{_LINE}"/>'
        yield _text(str(bits), 8, left - 3.5, y + 2.9, 1.0)
    for position in _position_ticks(motif.width):
        yield _text(str(position), 8, left + frame.column * (before + position - 0.5), floor + 8.0, 0.5)
    outline, length = text_outline("bits", 9)
    middle = (frame.top + floor + length) / 2
    yield f'<path d="{outline}" transform="translate({left - 15:.2f} {middle:.2f}) rotate(-90) scale(1 -1)"/>'


def _text(text: str, size: float, x: float, y: float, anchor: float) -> str:
    outline, width = text_outline(text, size)
    return f'<path d="{outline}" transform="translate({x - anchor * width:.2f} {y:.2f}) scale(1 -1)"/>'


def _bit(alphabet: Alphabet) -> float:
    """Points a bit."""
    return 72 * (_HEIGHT - _BOTTOM - _TOP) / float(np.log2(alphabet.size))


def _bit_ticks(alphabet: Alphabet) -> range:
    return range(0, int(np.log2(alphabet.size)) + 1, 1 if alphabet.size == 4 else 2)


def _position_ticks(width: int) -> list[int]:
    every = 1 if width <= 30 else 5
    return [position for position in range(1, width + 1) if position == 1 or position % every == 0]


def inline_svg(svg: str, prefix: str, label: str) -> str:
    """Make an SVG document into an element of an HTML page.

    The XML prolog, document type, metadata and style sheet go; every id gets the prefix; the fixed
    size goes, so that the page's style decides it.

    Args:
        svg: The document, as matplotlib writes it.
        prefix: Put before every id; letters, digits, "-" and "_" only.
        label: What the picture shows, for readers that cannot see it.

    Raises:
        MotifcnnError: The text holds no svg element.
    """
    from html import escape

    start, end = svg.find("<svg"), svg.rfind("</svg>")
    if start < 0 or end < 0:
        raise MotifcnnError("a logo file holds no <svg> element; write the logos again with `motifcnn export logos`")
    element = svg[start : end + len("</svg>")]
    # A <style> would hold for the whole page; positions finer than 0.01 point are not seen but double the size.
    element = re.sub(r"<metadata>.*?</metadata>\s*|<style.*?</style>\s*", "", element, flags=re.DOTALL)
    element = re.sub(r' d="([^"]*)"', lambda path: f' d="{_shortened(path[1])}"', element)
    element = re.sub(r'\bid="', f'id="{prefix}', element)
    element = re.sub(r'href="#', f'href="#{prefix}', element)
    element = element.replace("url(#", f"url(#{prefix}")
    head, body = element.split(">", 1)
    head = re.sub(r'\s(?:width|height|version|xmlns(?::\w+)?)="[^"]*"', "", head)
    body = body.replace("xlink:href=", "href=")
    return f'{head} preserveAspectRatio="xMinYMid meet" role="img" aria-label="{escape(label)}">{body}'


def _shortened(outline: str) -> str:
    return re.sub(r"\s*\n\s*", "", re.sub(r"(\d\.\d\d)\d+", r"\1", outline))


def logo_file_name(motif_name: str) -> str:
    """Return a motif's name as it can stand in a file name: without its ending, unique for unlike names.

    Args:
        motif_name: Any text.
    """
    plain = re.sub(r"[^A-Za-z0-9._+-]+", "_", motif_name).lstrip(".")[:80]
    if plain and plain == motif_name:
        return plain
    import hashlib

    return f"{plain}_{hashlib.sha256(motif_name.encode()).hexdigest()[:8]}"


def file_facts(kind: str) -> dict[str, Any]:
    """Return the metadata with which matplotlib writes neither the time of day nor its own version."""
    return _FACTS[kind]


def _rendered(motif: Motif, kind: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with fixed_style():
        figure = _figure(motif.width)
        FigureCanvasAgg(figure)
        draw_logo(motif, figure.axes[0])
        buffer = BytesIO()
        figure.savefig(buffer, format=kind, metadata=_FACTS[kind], dpi=_RESOLUTION)
    return buffer.getvalue()


@contextmanager
def fixed_style() -> Iterator[None]:
    """Matplotlib's own defaults, whatever the user's matplotlibrc says, with ids that do not vary."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({"svg.hashsalt": "motifcnn", "svg.fonttype": "path", "savefig.facecolor": "white"})
        yield


def _figure(width: int) -> "Figure":
    """An empty figure without pyplot: nothing is kept in its registry of open figures."""
    from matplotlib.figure import Figure

    inches = _LEFT + _RIGHT + _INCHES_A_LETTER * max(width, _LEAST_COLUMNS)
    figure = Figure(figsize=(inches, _HEIGHT))
    figure.add_axes(
        (
            _LEFT / inches,
            _BOTTOM / _HEIGHT,
            1 - (_LEFT + _RIGHT) / inches,
            1 - (_BOTTOM + _TOP) / _HEIGHT,
        )
    )
    return figure
