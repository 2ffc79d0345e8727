"""The arithmetic of the GPU's kernels in torch, on any device: slow, and what the kernels are tested against."""

import torch

from motifcnn.scanning.gpu_tables import BLOCK, LETTERS
from motifcnn.scanning.gpu_work import DeviceSpan, DeviceTables, Found, Stretch

_AT_ONCE = 1 << 12
"""Windows of which sums with all strands are held."""


def search(stretch: Stretch, tables: DeviceTables, found: Found) -> None:
    """Find the hits of all strands in a stretch, as the kernels do, in an order of their own."""
    codes = _unpacked(stretch)
    for table in tables.spans:
        for begin in range(0, stretch.windows, _AT_ONCE):
            windows = torch.arange(begin, min(begin + _AT_ONCE, stretch.windows), device=codes.device)
            _mark(windows, codes, table, found)
    _rescore(codes, tables, found)


def _unpacked(stretch: Stretch) -> torch.Tensor:
    """Return one code a letter; 4 stands for all ambiguity codes."""
    at = torch.arange(stretch.length, device=stretch.letters.device)
    letters = (stretch.letters[at // 4].int() >> (2 * (at % 4))) & 3
    marked = (stretch.unknown[at // 8].int() >> (at % 8)) & 1
    return torch.where(marked == 1, LETTERS, letters)


def _letters_at(codes: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    return torch.where(at < len(codes), codes[at.clamp(max=len(codes) - 1)], LETTERS)


def _mark(windows: torch.Tensor, codes: torch.Tensor, table: DeviceSpan, found: Found) -> None:
    letters = torch.arange(LETTERS, device=codes.device)
    here = _letters_at(codes, windows[:, None] + torch.arange(table.span, device=codes.device))
    rows = (here[:, :, None] == letters).flatten(1).float()
    sums = (rows @ table.left.float().T).int()  # whole numbers below 2²⁴ are exact in single precision
    alive = (sums >= table.needed).view(len(windows), -1, BLOCK)
    bits = (alive.long() << torch.arange(BLOCK, device=codes.device)).sum(dim=2)
    row, block = torch.nonzero(bits, as_tuple=True)
    kept = _kept(found, 0, len(row))
    word = bits[row, block].to(torch.int32)  # of 32 bits, the last of them the sign
    found.marks[kept] = torch.stack([windows[row].int(), block.int() + table.first, word], 1)[: kept.stop - kept.start]


def _rescore(codes: torch.Tensor, tables: DeviceTables, found: Found) -> None:
    window, block, bits = found.marks[: min(int(found.counters[0]), found.room)].T[:, :, None].long()
    lane = torch.arange(BLOCK, device=codes.device)
    row, lane = torch.nonzero((bits >> lane) & 1, as_tuple=True)
    window, strand = window[row, 0], block[row, 0] * BLOCK + lane
    position = torch.arange(tables.longest, device=codes.device)
    covered = position < tables.widths[strand][:, None]
    letters = _letters_at(codes, window[:, None] + position)
    clean = ((letters < LETTERS) | ~covered).all(dim=1)
    at = tables.firsts[strand][:, None] + position * LETTERS + letters
    total = (tables.scores[at.clamp(max=len(tables.scores) - 1)] * covered).sum(dim=1)
    hit = clean & (total >= tables.thresholds[strand])
    kept = _kept(found, 1, int(hit.sum()))
    number = kept.stop - kept.start
    found.keys[kept] = (window * tables.given + tables.ranks[strand])[hit][:number]
    found.scores[kept] = total[hit][:number].int()


def _kept(found: Found, counter: int, number: int) -> slice:
    """Count what was found and return the places of what there is room for."""
    before = int(found.counters[counter])
    found.counters[counter] += number
    return slice(min(before, found.room), min(before + number, found.room))
