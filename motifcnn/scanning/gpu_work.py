"""What the GPU engine and the code that it runs hand to one another."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.scanning.gpu_tables import StrandTables


@dataclass(frozen=True, eq=False)
class Stretch:
    """Packed letters on a device.

    Args:
        letters: Four letters a byte, the first lowest.
        unknown: Eight marks of ambiguity codes a byte, the first lowest.
        length: Number of letters.
        windows: Windows to score, counted from the first letter.
    """

    letters: torch.Tensor
    unknown: torch.Tensor
    length: int
    windows: int


@dataclass(frozen=True, eq=False)
class DeviceSpan:
    """A `SpanTable` on a device."""

    span: int
    first: int
    left: torch.Tensor
    needed: torch.Tensor


@dataclass(frozen=True, eq=False)
class DeviceTables:
    """`StrandTables` on a device."""

    spans: tuple[DeviceSpan, ...]
    scores: torch.Tensor
    firsts: torch.Tensor
    widths: torch.Tensor
    thresholds: torch.Tensor
    ranks: torch.Tensor
    longest: int
    given: int

    @classmethod
    def of(cls, tables: StrandTables, device: torch.device) -> "DeviceTables":
        """Copy tables to a device."""

        def there(array: npt.NDArray[np.generic]) -> torch.Tensor:
            return torch.from_numpy(array).to(device)

        return cls(
            tuple(DeviceSpan(span.span, span.first, there(span.left), there(span.needed)) for span in tables.spans),
            there(tables.scores),
            there(tables.firsts),
            there(tables.widths),
            there(tables.thresholds),
            there(tables.ranks),
            tables.longest,
            tables.given,
        )


@dataclass(frozen=True, eq=False)
class Found:
    """Room on a device for what a search finds; counters go on counting where there is no room left.

    Args:
        marks: Windows in which strands of a block may have hits: the window, the block and a bit for each
            such strand, 32 bits each, shape [room, 3].
        keys: Window × given strands + number of the strand of each hit, 64 bits, shape [room].
        scores: Scores of the hits, 32 bits, shape [room].
        counters: Numbers of marks and of hits, 64 bits, shape [2].
    """

    marks: torch.Tensor
    keys: torch.Tensor
    scores: torch.Tensor
    counters: torch.Tensor

    @classmethod
    def with_room(cls, room: int, device: torch.device) -> "Found":
        """Make room."""
        return cls(
            torch.empty((room, 3), dtype=torch.int32, device=device),
            torch.empty(room, dtype=torch.int64, device=device),
            torch.empty(room, dtype=torch.int32, device=device),
            torch.zeros(2, dtype=torch.int64, device=device),
        )

    @property
    def room(self) -> int:
        """Marks, and hits, that there is room for."""
        return len(self.keys)


class Search(Protocol):
    """A search for the hits of all strands in a stretch."""

    def __call__(self, stretch: Stretch, tables: DeviceTables, found: Found) -> None:
        """Write down the hits, in any order; counters are 0 before."""
