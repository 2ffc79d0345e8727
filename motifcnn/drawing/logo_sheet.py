"""All motifs of a run on one sheet, for a figure or a wall: logos below one another, with what is known of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from motifcnn.drawing.logos import draw_logo, file_facts, fixed_style, logo_kind
from motifcnn.formats.files import atomic_write
from motifcnn.motifs import Motif

_INCHES_A_LETTER, _LOGO_HEIGHT, _ROW_HEIGHT = 0.2, 0.75, 1.15
_LEFT, _GAP, _RIGHT, _TOP = 0.5, 0.65, 0.15, 0.35
_LEAST_COLUMNS = 12
_RESOLUTION = 200


@dataclass(frozen=True)
class SheetLogo:
    """A logo on a sheet.

    Args:
        column: Where in its row, from 0.
        caption: What it shows beyond the row's title; may be empty.
        motif: What is drawn.
    """

    column: int
    caption: str
    motif: Motif


@dataclass(frozen=True)
class SheetRow:
    """One motif of a sheet, with others of interest beside it.

    Args:
        title: Its heading, such as its name and E-value.
        logos: Side by side, at most one a column.
    """

    title: str
    logos: tuple[SheetLogo, ...]


def write_sheet(rows: Sequence[SheetRow], path: str | Path) -> None:
    """Write all logos on one page as SVG, PDF or PNG, told by the path's ending; equal rows give equal bytes.

    The page is as long as it has to be. The drawing is logomaker's.

    Args:
        rows: One a motif, from top to bottom.
        path: Where to write.

    Raises:
        InputError: The ending names no format known here.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    kind = logo_kind(path)
    widths = _column_widths(rows)
    wide = _LEFT + sum(widths) + _GAP * (len(widths) - 1) + _RIGHT
    high = _TOP + _ROW_HEIGHT * len(rows)
    with fixed_style():
        figure = Figure(figsize=(wide, high))
        FigureCanvasAgg(figure)
        for index, row in enumerate(rows):
            top = high - _ROW_HEIGHT * index
            figure.text(0.1 / wide, (top - 0.22) / high, row.title, fontsize=9, fontweight="bold", va="baseline")
            for logo in row.logos:
                left = _LEFT + sum(widths[: logo.column]) + _GAP * logo.column
                floor, inches = top - _ROW_HEIGHT + 0.08, _INCHES_A_LETTER * logo.motif.width
                draw_logo(logo.motif, figure.add_axes((left / wide, floor / high, inches / wide, _LOGO_HEIGHT / high)))
                figure.text(left / wide, (top - 0.22) / high, logo.caption, fontsize=8, va="baseline")
        buffer = BytesIO()
        figure.savefig(buffer, format=kind, metadata=file_facts(kind), dpi=_RESOLUTION)
    with atomic_write(path) as handle:
        handle.write(buffer.getvalue())


def _column_widths(rows: Sequence[SheetRow]) -> list[float]:
    """Inches of each column: its widest logo's, or enough for a title."""
    logos = [logo for row in rows for logo in row.logos]
    columns = 1 + max((logo.column for logo in logos), default=0)
    widest = [_LEAST_COLUMNS] * columns
    for logo in logos:
        widest[logo.column] = max(widest[logo.column], logo.motif.width)
    return [_INCHES_A_LETTER * letters for letters in widest]
