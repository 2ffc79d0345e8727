"""The GPU engine: the integer scores and the hits of the other engines, from a CUDA device.

Letters go up packed, the kernel writes down hits alone, the device sorts them, and they come back. Each stretch of a
sequence is the work of a lane: a stream with buffers of its own, on the host in memory that the device reads by itself.
While one lane computes, others copy, so that copies take no time of their own. The scanner's threads drive the lanes.
"""

import queue
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.alphabet import Codes
from motifcnn.scanning.gpu_tables import Packed, strand_tables
from motifcnn.scanning.gpu_work import DeviceTables, Found, Search, Stretch

_SHARE: Final = 1 << 21
"""Windows that a lane takes at a time."""
_LANES: Final = 3
"""One uploads, one computes, one sorts and downloads."""
_FIRST_ROOM: Final = 1 << 20
_MOST_ROOM: Final = 1 << 23
"""Hits of a stretch; one with more of them is divided."""

Ints = npt.NDArray[np.int32]
_Hits = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Ints]
"""Starts, numbers of the motif strands, scores."""


class GpuEngine:
    """Motif strands made ready to scan on a device.

    Args:
        scores: Integer scores of each motif strand, shape [position, 4 letters], at most 64 positions.
        thresholds: Least score of a hit for each.
        device: Where to compute.
        search: Finds the hits of a stretch; by default the Triton kernels.
        share: Most windows of a stretch.
        rooms: Hits of a stretch that there is room for in the beginning, and at most; at least as many as strands.
    """

    def __init__(
        self,
        scores: Sequence[Ints],
        thresholds: Sequence[int],
        device: torch.device | str,
        search: Search | None = None,
        *,
        share: int = _SHARE,
        rooms: tuple[int, int] = (_FIRST_ROOM, _MOST_ROOM),
    ):
        self.share = share
        self.workers = _LANES
        place = torch.device(device)
        self._search = _kernel() if search is None else search
        self._tables = DeviceTables.of(strand_tables(scores, thresholds), place)
        self._overlap = max(len(table) for table in scores) - 1
        self._most_room = max(rooms[1], len(scores))
        self._lanes: queue.SimpleQueue[_Lane] = queue.SimpleQueue()
        for _ in range(_LANES):
            self._lanes.put(_Lane(place, share + self._overlap, min(rooms), len(scores)))
        if place.type == "cuda":
            torch.cuda.synchronize(place)  # the lanes' streams do not wait for the one that made their buffers

    def find(self, codes: Codes, begin: int, end: int) -> _Hits:
        """Return starts, strands and scores of the hits starting at `begin` up to `end`, by start and strand."""
        lane = self._lanes.get()
        try:
            stretches = range(begin, end, self.share)
            parts = [part for at in stretches for part in self._found(lane, codes, at, min(at + self.share, end))]
        finally:
            self._lanes.put(lane)
        if not parts:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
        starts, strands, scores = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return starts, strands, scores

    def _found(self, lane: "_Lane", codes: Codes, begin: int, end: int) -> Iterator[_Hits]:
        with lane.active():
            lane.upload(codes[begin : end + self._overlap], end - begin)
            hits, needed = lane.run(self._search, self._tables)
            while lane.room < needed <= self._most_room:  # nothing is lost: once more with room for all
                lane.make_room(min(needed + needed // 4, self._most_room))
                hits, needed = lane.run(self._search, self._tables)
            if needed <= lane.room:
                starts, strands, scores = lane.download(hits)
                yield starts + begin, strands, scores
                return
        middle = (begin + end) // 2
        yield from self._found(lane, codes, begin, middle)
        yield from self._found(lane, codes, middle, end)


def _kernel() -> Search:
    from motifcnn.scanning.gpu_kernel import Kernel

    return Kernel()


class _Lane:
    """A stream of a device with buffers here and there.

    Args:
        device: The device.
        length: Most letters of a stretch.
        room: Hits that there is room for.
        strand_count: Motif strands.
    """

    def __init__(self, device: torch.device, length: int, room: int, strand_count: int):
        self._device, self._strands = device, strand_count
        self._on_gpu = device.type == "cuda"
        self._stream = torch.cuda.Stream(device) if self._on_gpu else None  # type: ignore[no-untyped-call]
        sizes = Packed.sizes(length)
        self._host = [torch.empty(size, dtype=torch.uint8, pin_memory=self._on_gpu) for size in sizes]
        self._packed = Packed(*(buffer.numpy() for buffer in self._host))
        self._there = [torch.empty(size, dtype=torch.uint8, device=device) for size in sizes]
        self._counts = torch.empty(2, dtype=torch.int64, pin_memory=self._on_gpu)
        self.make_room(room)

    @property
    def room(self) -> int:
        """Hits that there is room for."""
        return len(self._found.keys)

    def make_room(self, room: int) -> None:
        """Make room for other numbers of hits; those that are there are lost."""
        self._found = Found.with_room(room, self._device)
        self._keys = torch.empty(room, dtype=torch.int64, pin_memory=self._on_gpu)
        self._scores = torch.empty(room, dtype=torch.int32, pin_memory=self._on_gpu)

    def active(self) -> AbstractContextManager[object]:
        """Send what the device has to do to this lane's stream."""
        return nullcontext() if self._stream is None else torch.cuda.stream(self._stream)

    def upload(self, codes: Codes, windows: int) -> None:
        """Send letters up; what went up before must have been used."""
        self._packed.fill(codes)
        for here, there, size in zip(self._host, self._there, Packed.sizes(len(codes)), strict=True):
            there[:size].copy_(here[:size], non_blocking=True)
        letters, unknown = self._there
        self._stretch = Stretch(letters, unknown, len(codes), windows)

    def run(self, search: Search, tables: DeviceTables) -> tuple[int, int]:
        """Search, and return the number of hits and the room that they and what led to them needed."""
        self._found.counters.zero_()
        search(self._stretch, tables, self._found)
        self._counts.copy_(self._found.counters, non_blocking=True)
        self._wait()
        marks, hits = self._counts.tolist()
        return hits, max(marks, hits)

    def download(self, count: int) -> _Hits:
        """Sort the hits and bring them back: starts from the first letter on, strands and scores."""
        keys, order = torch.sort(self._found.keys[:count])
        self._keys[:count].copy_(keys, non_blocking=True)
        self._scores[:count].copy_(self._found.scores[:count][order], non_blocking=True)
        self._wait()
        starts, strands = np.divmod(self._keys[:count].numpy(), self._strands)
        return starts, strands, self._scores[:count].numpy().copy()

    def _wait(self) -> None:
        if self._stream is not None:
            self._stream.synchronize()
