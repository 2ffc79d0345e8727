"""Values under the columns of a logo, such as conservation along a motif's sites: as wide and as high as the logo."""

from html import escape

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from motifcnn.drawing.logos import LogoFrame
from motifcnn.report.figures import COLOURS, nice_ticks

Numbers = npt.NDArray[np.float64]

_ROOM = 1.05
"""Height of the axis, in heights of what it has to hold."""


def column_bars(values: Numbers, errors: Numbers, own: slice, chance: float, title: str) -> Markup:
    """Draw a bar under each column of a logo.

    Args:
        values: Shape [column]; NaN draws nothing.
        errors: Standard error of each.
        own: Columns of the motif itself; bars of the others are pale.
        chance: Height of a grey line; NaN draws none.
        title: What is drawn, for readers that cannot see it.
    """
    frame = LogoFrame(len(values))
    held = np.concatenate([values - np.nan_to_num(errors), values + np.nan_to_num(errors), [0.0, chance]])
    low, high = _ROOM * float(np.nanmin(held)), _ROOM * float(np.nanmax(held))
    scale = (frame.floor - frame.top) / ((high - low) or 1.0)

    def down(value: float) -> str:
        return f"{frame.floor - (value - low) * scale:.2f}"

    parts = []
    for value, text in nice_ticks(low, high, 3):
        parts.append(f'<path class="axis" d="M{frame.left - 2:.2f} {down(value)}H{frame.left:.2f}"/>')
        parts.append(f'<text x="{frame.left - 4:.2f}" y="{down(value)}" dy="2.5" text-anchor="end">{text}</text>')
    inside = set(range(len(values))[own])
    for column, (value, error) in enumerate(zip(values.tolist(), errors.tolist(), strict=True)):
        if not np.isfinite(value):
            continue
        left = frame.left + frame.column * column
        opacity = "" if column in inside else ' opacity="0.35"'
        bar = f"M{left + 1:.2f} {down(0.0)}V{down(value)}h{frame.column - 2:.2f}V{down(0.0)}Z"
        parts.append(f'<path d="{bar}" fill="{COLOURS[0]}"{opacity}/>')
        if np.isfinite(error):
            whisker = f"M{left + frame.column / 2:.2f} {down(value - error)}V{down(value + error)}"
            parts.append(f'<path class="axis" d="{whisker}"/>')
    if np.isfinite(chance):
        parts.append(f'<path class="guide" d="M{frame.left:.2f} {down(chance)}H{frame.right:.2f}"/>')
    parts.append(f'<path class="axis" d="M{frame.left:.2f} {frame.top:.2f}V{frame.floor:.2f}"/>')
    parts.append(f'<path class="axis" d="M{frame.left:.2f} {down(0.0)}H{frame.right:.2f}"/>')
    return Markup(  # numbers alone, but for the title
        f'<svg class="columns" viewBox="0 0 {frame.width:.2f} {frame.height:.2f}" preserveAspectRatio="xMinYMid meet" '
        f'role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )
