"""The report's figures as SVG elements: drawn by hand so that they are small, sharp and the same every time."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

Numbers = npt.NDArray[np.float64]

# Okabe and Ito 2008: told apart with any kind of colour vision; the dashes tell lines apart without colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#000000")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "1 2")

_WIDTH, _HEIGHT = 380, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 12, 44
_MOST_DOTS = 1500


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a chart.

    Args:
        name: What it shows, for the legend.
        x: Shape [point].
        y: Shape [point]; NaN breaks the line.
        style: Index of its colour and dashes.
    """

    name: str
    x: Numbers
    y: Numbers
    style: int

    @property
    def key(self) -> Markup:
        """A short piece of the line for the legend."""
        return Markup(
            '<svg class="key" viewBox="0 0 28 8" aria-hidden="true"><line x1="1" y1="4" x2="27" y2="4" {}/></svg>'
        ).format(Markup(_stroke(self.style)))


@dataclass(frozen=True)
class Axis:
    """An axis of a chart.

    Args:
        label: What it measures.
        low: Its least value.
        high: Its greatest value.
        ticks: Values to mark, with their text; chosen by itself when empty.
    """

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()


class _Canvas:
    """Where values lie on the drawing; collects its elements."""

    def __init__(self, x: Axis, y: Axis, title: str, height: int = _HEIGHT):
        self.x, self.y, self.title, self.height = x, y, title, height
        self.parts: list[str] = []

    def across(self, value: float) -> float:
        span = (self.x.high - self.x.low) or 1.0
        return _LEFT + (value - self.x.low) / span * (_WIDTH - _LEFT - _RIGHT)

    def down(self, value: float) -> float:
        span = (self.y.high - self.y.low) or 1.0
        return self.height - _BOTTOM - (value - self.y.low) / span * (self.height - _TOP - _BOTTOM)

    def frame(self) -> None:
        """Draw grid, ticks and labels."""
        left, right, bottom, top = _LEFT, _WIDTH - _RIGHT, self.height - _BOTTOM, _TOP
        for value, text in self.y.ticks or nice_ticks(self.y.low, self.y.high):
            place = _place(self.down(value))
            self.parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{place}" y2="{place}"/>')
            self.parts.append(f'<text x="{left - 6}" y="{place}" dy="4" text-anchor="end">{escape(text)}</text>')
        for value, text in self.x.ticks or nice_ticks(self.x.low, self.x.high):
            place = _place(self.across(value))
            self.parts.append(f'<line class="grid" x1="{place}" x2="{place}" y1="{top}" y2="{bottom}"/>')
            self.parts.append(f'<text x="{place}" y="{bottom + 15}" text-anchor="middle">{escape(text)}</text>')
        self.parts.append(f'<path class="axis" d="M{left} {top}V{bottom}H{right}"/>')
        middle = _place((left + right) / 2)
        self.parts.append(
            f'<text class="label" x="{middle}" y="{self.height - 8}" text-anchor="middle">{escape(self.x.label)}</text>'
        )
        centre = _place((top + bottom) / 2)
        self.parts.append(
            f'<text class="label" transform="translate(13 {centre}) rotate(-90)" text-anchor="middle">'
            f"{escape(self.y.label)}</text>"
        )

    def markup(self) -> Markup:
        """Return the finished drawing."""
        body = "".join(self.parts)
        return Markup(
            f'<svg class="chart" viewBox="0 0 {_WIDTH} {self.height}" role="img" aria-label="{escape(self.title)}">'
            f"{body}</svg>"
        )


def line_chart(
    lines: Sequence[Line],
    x: Axis,
    y: Axis,
    title: str,
    *,
    guide: tuple[float, float] | None = None,
    height: int = _HEIGHT,
) -> Markup:
    """Draw lines over one another.

    Args:
        lines: Drawn last to first, so that the first lies on top.
        x: Horizontal axis.
        y: Vertical axis.
        title: What the figure shows, for readers that cannot see it.
        guide: Heights at the left and right end of a thin grey line, such as that of chance.
        height: Of the drawing, in its own units, of which it is 380 wide.
    """
    canvas = _Canvas(x, y, title, height)
    canvas.frame()
    if guide is not None:
        canvas.parts.append(
            f'<line class="guide" x1="{_place(canvas.across(x.low))}" y1="{_place(canvas.down(guide[0]))}" '
            f'x2="{_place(canvas.across(x.high))}" y2="{_place(canvas.down(guide[1]))}"/>'
        )
    for line in reversed(lines):
        canvas.parts.append(
            f'<path class="line" d="{_path(canvas, line)}" {_stroke(line.style)}>'
            f"<title>{escape(line.name)}</title></path>"
        )
        if np.isfinite(line.y).sum() == 1:  # a single point makes no line
            only = int(np.flatnonzero(np.isfinite(line.y))[0])
            canvas.parts.append(_dot(canvas, float(line.x[only]), float(line.y[only]), COLOURS[line.style], 3))
    return canvas.markup()


def scatter_chart(horizontal: Numbers, vertical: Numbers, x_label: str, y_label: str, title: str) -> Markup:
    """Draw predicted against measured values, with the line on which they are equal.

    Args:
        horizontal: Finite values, shape [example].
        vertical: Finite values, shape [example].
        x_label: What the first are.
        y_label: What the second are.
        title: What the figure shows, for readers that cannot see it.
    """
    # Every so-manieth dot: a random choice would need a seed, and the order of the file is not one of value.
    chosen = np.unique(np.linspace(0, len(horizontal) - 1, min(len(horizontal), _MOST_DOTS)).round().astype(int))
    x, y = padded_axis(x_label, horizontal), padded_axis(y_label, vertical)
    canvas = _Canvas(x, y, title, height=_WIDTH)
    canvas.frame()
    low, high = max(x.low, y.low), min(x.high, y.high)
    if low < high:
        canvas.parts.append(
            f'<line class="guide" x1="{_place(canvas.across(low))}" y1="{_place(canvas.down(low))}" '
            f'x2="{_place(canvas.across(high))}" y2="{_place(canvas.down(high))}"/>'
        )
    opacity = 0.55 if len(chosen) < 300 else 0.3
    dots = "".join(_dot(canvas, float(horizontal[i]), float(vertical[i]), "", 2.5) for i in chosen)
    canvas.parts.append(f'<g fill="{COLOURS[0]}" fill-opacity="{opacity}">{dots}</g>')
    return canvas.markup()


def stacked_histogram(layers: Sequence[tuple[str, Numbers]], x: Axis, y_label: str, title: str) -> Markup:
    """Draw counts per bin, one layer on another, with a line at the height of an even spread.

    Args:
        layers: Name and counts of shape [bin] of each layer, lowest first.
        x: Horizontal axis; the bins share it evenly.
        y_label: What is counted.
        title: What the figure shows, for readers that cannot see it.
    """
    total = np.sum([counts for _, counts in layers], axis=0)
    bins = len(total)
    highest = max(float(total.max()), 1.0)
    canvas = _Canvas(x, Axis(y_label, 0.0, highest * 1.05, _whole_ticks(highest)), title, height=190)
    canvas.frame()
    floor = np.zeros(bins)
    step = (x.high - x.low) / bins
    for index, (name, counts) in enumerate(layers):
        bars = []
        for place in np.flatnonzero(counts):
            left, right = canvas.across(x.low + step * place), canvas.across(x.low + step * (place + 1))
            top, bottom = canvas.down(floor[place] + counts[place]), canvas.down(floor[place])
            bars.append(
                f'<rect x="{_place(left + 0.5)}" y="{_place(top)}" width="{_place(right - left - 1)}" '
                f'height="{_place(bottom - top)}"/>'
            )
        canvas.parts.append(f'<g fill="{COLOURS[index]}"><title>{escape(name)}</title>{"".join(bars)}</g>')
        floor = floor + counts
    even = float(total.sum()) / bins
    canvas.parts.append(
        f'<line class="guide" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{_place(canvas.down(even))}" '
        f'y2="{_place(canvas.down(even))}"/>'
    )
    return canvas.markup()


def padded_axis(label: str, values: Numbers, least_span: float = 0.0) -> Axis:
    """Return an axis that holds all finite values with a little room around them.

    Args:
        label: What it measures.
        values: What it must hold, shape [value].
        least_span: Least distance between its ends, so that differences of no weight stay small.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return Axis(label, 0.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    room = (high - low) * 0.05 or abs(high) * 0.05 or 0.5
    room = max(room, (least_span - (high - low)) / 2)
    return Axis(label, low - room, high + room)


def nice_ticks(low: float, high: float, about: int = 5) -> tuple[tuple[float, str], ...]:
    """Return round values between two, about so many, each with its text."""
    rough = (high - low) / about
    if not rough > 0 or not np.isfinite(rough):
        return ()
    power = 10.0 ** np.floor(np.log10(rough))
    step = float(next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999))
    decimals = int(max(0, -np.floor(np.log10(step) + 1e-9)))
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return tuple((index * step, _tick_text(index * step, decimals)) for index in range(first, last + 1))


def _tick_text(value: float, decimals: int) -> str:
    if value and (abs(value) >= 1e6 or decimals > 5):
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    text = f"{value:.{decimals}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def _whole_ticks(highest: float) -> tuple[tuple[float, str], ...]:
    return tuple(tick for tick in nice_ticks(0.0, highest, 3) if float(tick[0]).is_integer())


def _path(canvas: _Canvas, line: Line) -> str:
    """The line's points, lifted where a value is missing."""
    pieces, pen_down = [], False
    for x, y in zip(line.x.tolist(), line.y.tolist(), strict=True):
        if np.isfinite(x) and np.isfinite(y):
            pieces.append(f"{'L' if pen_down else 'M'}{_place(canvas.across(x))} {_place(canvas.down(y))}")
            pen_down = True
        else:
            pen_down = False
    return "".join(pieces)


def _dot(canvas: _Canvas, x: float, y: float, colour: str, radius: float) -> str:
    fill = f' fill="{colour}"' if colour else ""
    return f'<circle cx="{_place(canvas.across(x))}" cy="{_place(canvas.down(y))}" r="{radius}"{fill}/>'


def _stroke(style: int) -> str:
    dash = DASHES[style % len(DASHES)]
    pattern = f' stroke-dasharray="{dash}"' if dash else ""
    return f'stroke="{COLOURS[style % len(COLOURS)]}" stroke-width="{2.2 if style == 0 else 1.7}"{pattern}'


def _place(value: float) -> str:
    """A coordinate to a tenth of a unit, so that the last bits of arithmetic do not change the file."""
    return f"{value + 0.0:.1f}".removesuffix(".0")
