"""The rows of a sequence's card: letters, hits, lines and bars over the same positions, as SVG text."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from motifcnn.report.figures import nice_ticks

Values = npt.NDArray[np.float32]

STEP: Final = 10.0
"""Width of a position."""
_LANE: Final = 18.0
_THINNEST: Final = 0.6
"""Letters below this height are not seen, but cost as much as tall ones."""


class Row(Protocol):
    """One thing shown along the positions."""

    @property
    def label(self) -> str:
        """What it is."""
        ...

    @property
    def unit(self) -> str:
        """What its axis measures; empty where it has none."""
        ...

    @property
    def height(self) -> float:
        """How high the row is."""
        ...

    def axis(self) -> tuple[tuple[float, str], ...]:
        """Return distances from the top and texts of the ticks."""
        ...

    def draw(self, begin: int, end: int) -> str:
        """Draw positions from `begin` to `end`, the first at x = 0, from y = 0 down."""
        ...


def number(value: float) -> str:
    """Write a coordinate to a hundredth, so that the last bits of arithmetic do not change the file."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


@dataclass(frozen=True)
class Scale:
    """Heights of values in a row.

    Args:
        low: Least value, at the bottom.
        high: Greatest value, at the top.
        height: Of the row.
    """

    low: float
    high: float
    height: float

    @classmethod
    def around(cls, values: Values, height: float) -> "Scale":
        """Make one that holds all finite values and 0."""
        known = values[np.isfinite(values)]
        low = min(0.0, float(known.min())) if known.size else 0.0
        high = max(0.0, float(known.max())) if known.size else 0.0
        return cls(low, high if high > low else low + 1.0, height)

    def down(self, value: float) -> float:
        """Return the distance of a value from the top."""
        return (self.high - value) / (self.high - self.low) * self.height

    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Return distances from the top and texts of some round values."""
        return tuple(
            (self.down(value), text) for value, text in nice_ticks(self.low, self.high, max(3, int(self.height / 18)))
        )


class _Scaled:
    """What rows of values have in common."""

    scale: Scale

    @property
    def height(self) -> float:
        """How high the row is."""
        return self.scale.height

    def axis(self) -> tuple[tuple[float, str], ...]:
        """Return the ticks."""
        return self.scale.ticks()

    def _zero_line(self, positions: int) -> str:
        """Draw the line at 0."""
        zero = number(self.scale.down(0.0))
        return f'<line class="zero" x2="{number(positions * STEP)}" y1="{zero}" y2="{zero}"/>'


@dataclass(frozen=True, eq=False)
class LetterRow(_Scaled):
    """Letters as high as they are worth: above the line those that raise the logit, below those that lower it.

    Args:
        label: What it is.
        unit: What the height measures.
        letters: One a position.
        values: What each is worth, shape [position].
        scale: Of all lines of the card.
        colours: Of the letters.
    """

    label: str
    unit: str
    letters: str
    values: Values
    scale: Scale
    colours: dict[str, str]

    def draw(self, begin: int, end: int) -> str:
        """Draw some positions."""
        zero = self.scale.down(0.0)
        parts = [self._zero_line(end - begin)]
        for place in range(begin, end):
            tip = self.scale.down(float(self.values[place]))
            height = abs(tip - zero)
            if height >= _THINNEST:
                letter, x = self.letters[place], number((place - begin) * STEP + 0.4)
                where = f"translate({x} {number(max(tip, zero))}) scale({number(STEP - 0.8)} {number(-height)})"
                parts.append(f'<use href="#letter-{letter}" transform="{where}" fill="{self.colours[letter]}"/>')
        return "".join(parts)


@dataclass(frozen=True, eq=False)
class TextRow:
    """The letters of the sequence, all of one size.

    Args:
        label: What it is.
        letters: One a position.
        colours: Of the letters.
    """

    label: str
    letters: str
    colours: dict[str, str]
    unit: str = ""
    height: float = 13.0

    def axis(self) -> tuple[tuple[float, str], ...]:
        """Return no ticks."""
        return ()

    def draw(self, begin: int, end: int) -> str:
        """Draw some positions."""
        parts = []
        for letter in sorted(set(self.letters[begin:end])):
            places = [place for place in range(begin, end) if self.letters[place] == letter]
            where = " ".join(number((place - begin + 0.5) * STEP) for place in places)
            text = letter * len(places)
            parts.append(f'<text class="letter" x="{where}" y="10.5" style="fill:{self.colours[letter]}">{text}</text>')
        return "".join(parts)


@dataclass(frozen=True)
class Box:
    """A hit.

    Args:
        name: Of its motif.
        start: First position.
        end: Position after the last.
        strand: "+", "-" or "." where there is only one.
        colour: Of its motif.
        hint: What a reader sees who points at it.
    """

    name: str
    start: int
    end: int
    strand: str
    colour: str
    hint: str


@dataclass(frozen=True, eq=False)
class BoxRow:
    """Hits as boxes that point where they read, in as many lanes as keep them apart.

    Args:
        label: What it is.
        boxes: Sorted by start.
    """

    label: str
    boxes: Sequence[Box]
    unit: str = ""

    @property
    def lanes(self) -> list[int]:
        """Lane of each box, from 0."""
        ends: list[int] = []
        lanes = []
        for box in self.boxes:
            lane = next((number for number, end in enumerate(ends) if end <= box.start), len(ends))
            ends[lane : lane + 1] = [box.end]
            lanes.append(lane)
        return lanes

    @property
    def height(self) -> float:
        """How high the row is."""
        return _LANE * max(1, max(self.lanes, default=0) + 1)

    def axis(self) -> tuple[tuple[float, str], ...]:
        """Return no ticks."""
        return ()

    def draw(self, begin: int, end: int) -> str:
        """Draw some positions."""
        parts = []
        for box, lane in zip(self.boxes, self.lanes, strict=True):
            first, last = max(box.start, begin), min(box.end, end)
            if first >= last:
                continue
            x, right, top = (first - begin) * STEP, (last - begin) * STEP, lane * _LANE + 1
            outline = _arrow(x, right, top, top + _LANE - 3, box.strand)
            room = int((right - x - 14) / 6.2)
            name = box.name if len(box.name) <= room else f"{box.name[: room - 1]}…" if room > 1 else ""
            parts.append(
                f'<g><title>{escape(box.hint)}</title><path d="{outline}" fill="{box.colour}"/>'
                f'<text class="name" x="{number((x + right) / 2)}" y="{number(top + 11)}">{escape(name)}</text></g>'
            )
        return "".join(parts)


def _arrow(left: float, right: float, top: float, bottom: float, strand: str) -> str:
    """Outline of a box with a point on the side it reads to."""
    point, middle = min(7.0, (right - left) / 2), (top + bottom) / 2
    if strand == ".":
        return f"M{number(left)} {number(top)}H{number(right)}V{number(bottom)}H{number(left)}Z"
    tip, start, neck = (right, left, right - point) if strand == "+" else (left, right, left + point)
    return (
        f"M{number(start)} {number(top)}H{number(neck)}L{number(tip)} {number(middle)}"
        f"L{number(neck)} {number(bottom)}H{number(start)}Z"
    )


@dataclass(frozen=True, eq=False)
class LineRow(_Scaled):
    """Values as lines over one another.

    Args:
        label: What it is.
        unit: What it measures.
        lines: Name, colour and values, shape [position], of each line.
        scale: Of all lines of the card.
    """

    label: str
    unit: str
    lines: Sequence[tuple[str, str, Values]]
    scale: Scale

    def draw(self, begin: int, end: int) -> str:
        """Draw some positions."""
        parts = [self._zero_line(end - begin)]
        for name, colour, values in self.lines:
            points = [
                f"{number((place - begin + 0.5) * STEP)} {number(self.scale.down(float(values[place])))}"
                for place in range(begin, end)
            ]
            parts.append(
                f'<path class="line" stroke="{colour}" d="M{"L".join(points)}"><title>{escape(name)}</title></path>'
            )
        return "".join(parts)


@dataclass(frozen=True, eq=False)
class BarRow(_Scaled):
    """Values as bars; none where there is no value.

    Args:
        label: What it is.
        unit: What it measures.
        values: Shape [position].
        scale: Of all lines of the card.
        colour: Of the bars.
    """

    label: str
    unit: str
    values: Values
    scale: Scale
    colour: str

    def draw(self, begin: int, end: int) -> str:
        """Draw some positions."""
        zero = self.scale.down(0.0)
        bars = []
        for place in range(begin, end):
            value = float(self.values[place])
            if np.isfinite(value) and value:
                tip = self.scale.down(value)
                x = number((place - begin) * STEP)
                bars.append(f"M{x} {number(zero)}V{number(tip)}h{number(STEP)}V{number(zero)}Z")
        return f'<path d="{"".join(bars)}" fill="{self.colour}"/>{self._zero_line(end - begin)}'
