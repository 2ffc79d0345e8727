"""Genomic intervals: 0-based, half-open, as in BED."""

import re
from dataclasses import dataclass, replace

_COORDINATES = re.compile(r"^(?P<chrom>[^\s:]+):(?P<start>\d+)-(?P<end>\d+)(?:\((?P<strand>[+-])\))?$")


@dataclass(frozen=True)
class Interval:
    """A stretch of a chromosome.

    Args:
        chrom: Name of the chromosome.
        start: First position, counted from 0.
        end: Position after the last.
        strand: "+", "-" or "." where it is not known.
    """

    chrom: str
    start: int
    end: int
    strand: str = "."

    @property
    def width(self) -> int:
        """Number of positions."""
        return self.end - self.start

    def resized(self, width: int, centre: int | None = None) -> "Interval":
        """Return the interval of this width around `centre`, by default around the middle."""
        middle = (self.start + self.end) // 2 if centre is None else centre
        start = middle - width // 2
        return replace(self, start=start, end=start + width)

    def fits(self, chrom_length: int) -> bool:
        """Whether the interval lies wholly on a chromosome of this length."""
        return 0 <= self.start < self.end <= chrom_length

    def __str__(self) -> str:
        strand = f"({self.strand})" if self.strand in "+-" else ""
        return f"{self.chrom}:{self.start}-{self.end}{strand}"


def parse_interval(name: str) -> Interval | None:
    """Read coordinates such as `chr22:100-301` or `chr1:5-9(-)`; None where there are none."""
    match = _COORDINATES.match(name)
    if match is None or int(match["end"]) <= int(match["start"]):
        return None
    return Interval(match["chrom"], int(match["start"]), int(match["end"]), match["strand"] or ".")
