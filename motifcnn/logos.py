"""Sequence logos: letters stacked by frequency, stacks as high as their information in bits.

The drawing is logomaker's (Tareen and Kinney 2020); a logo's bytes depend on its motif alone.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from motifcnn.alphabet import Alphabet
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.files import atomic_write
from motifcnn.motifs import Matrix, Motif

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOGO_FORMATS: Final = ("svg", "png", "pdf")

LEAST_BITS: Final = 0.01
"""Letters below this height are thinner than a line on screen and in print; each costs as much time as a tall one."""

_NUCLEOTIDE_COLOURS: Final = "classic"
_PROTEIN_COLOURS: Final = "chemistry"
_SALT: Final = "motifcnn"
_INCHES_A_LETTER: Final = 0.24
_HEIGHT: Final = 1.2
_LEFT, _RIGHT, _BOTTOM, _TOP = 0.45, 0.05, 0.2, 0.07
_RESOLUTION: Final = 200
_FACTS: Final[dict[str, dict[str, Any]]] = {
    # What matplotlib would write by itself: the time of day, and its own version.
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


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
        logomaker.Logo(seen, ax=axes, color_scheme=colour_scheme(alphabet), font_name="DejaVu Sans", font_weight="bold")
    highest = float(np.log2(alphabet.size))
    step = 1 if alphabet.size == 4 else 2
    axes.set_ylim(0.0, highest)
    axes.set_xlim(0.5, motif.width + 0.5)
    axes.set_yticks(range(0, int(highest) + 1, step))
    every = 1 if motif.width <= 30 else 5
    axes.set_xticks([position for position in range(1, motif.width + 1) if position == 1 or position % every == 0])
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
    kind = Path(path).suffix.lower().removeprefix(".")
    if kind not in LOGO_FORMATS:
        raise InputError(f"a logo cannot be written as {kind!r}; let the name end in .svg, .png or .pdf", path)
    content = _rendered(motif, kind)
    with atomic_write(path) as handle:
        handle.write(content)


def logo_svg(motif: Motif, prefix: str = "") -> str:
    """Return a logo as an `<svg>` element that can stand inside an HTML page.

    Args:
        motif: The motif to draw.
        prefix: Put before every id of the drawing; give each logo of a page its own, for ids must
            differ within a page. By default it is made from the motif's name.
    """
    return inline_svg(_rendered(motif, "svg").decode(), prefix or f"logo-{logo_file_name(motif.name)}-", motif.name)


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


def _rendered(motif: Motif, kind: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with _fixed_style():
        figure = _figure(motif.width)
        FigureCanvasAgg(figure)
        draw_logo(motif, figure.axes[0])
        buffer = BytesIO()
        figure.savefig(buffer, format=kind, metadata=_FACTS[kind], dpi=_RESOLUTION)
    return buffer.getvalue()


@contextmanager
def _fixed_style() -> Iterator[None]:
    """Matplotlib's own defaults, whatever the user's matplotlibrc says, with ids that do not vary."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({"svg.hashsalt": _SALT, "svg.fonttype": "path", "savefig.facecolor": "white"})
        yield


def _figure(width: int) -> "Figure":
    """An empty figure without pyplot: nothing is kept in its registry of open figures."""
    from matplotlib.figure import Figure

    inches = _LEFT + _RIGHT + _INCHES_A_LETTER * max(width, 4)
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


def colour_scheme(alphabet: Alphabet) -> str:
    """Return the name that logomaker has for the colours of an alphabet."""
    return _PROTEIN_COLOURS if alphabet.name == "protein" else _NUCLEOTIDE_COLOURS
