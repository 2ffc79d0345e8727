"""bedGraph: a value for each of some stretches of a genome."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from motifcnn.errors import InputError
from motifcnn.formats.genome_tracks import LARGEST, MISSING, TRACK_LINES, Integers, Stretches, is_value, line_blocks

_BLOCK: Final = 1 << 23
"""Bytes read at a time."""


def bedgraph_stretches(path: str | Path) -> Iterator[Stretches]:
    """Read a bedGraph, plain or compressed, of any size and in any order, piece by piece.

    Args:
        path: The file.

    Raises:
        InputError: The file is damaged.
    """
    for first_line, block in line_blocks(path, _BLOCK):
        chroms, starts, ends, heights = _parse_block(block, path, first_line)
        names, numbers = np.unique(chroms, return_inverse=True)
        for number, chrom in enumerate(names):
            mine = np.flatnonzero(numbers == number)
            yield Stretches.sorted(str(chrom), starts[mine], ends[mine], heights[mine], path)


def _parse_block(
    block: bytes, path: str | Path, first_line: int
) -> tuple[npt.NDArray[np.object_], Integers, Integers, npt.NDArray[np.float32]]:
    """Split lines of `chrom start end value` into columns."""
    import pandas as pd

    kept = block
    if any(word in block for word in TRACK_LINES):
        kept = b"".join(line for line in block.splitlines(keepends=True) if not line.startswith(TRACK_LINES))
    if not kept.strip():
        empty = np.empty(0, dtype=np.int64)
        return np.empty(0, dtype=object), empty, empty, np.empty(0, dtype=np.float32)
    try:
        table = pd.read_csv(
            BytesIO(kept),
            sep=r"\s+",
            header=None,
            names=["chrom", "start", "end", "value"],
            index_col=False,
            dtype={"chrom": str, "start": np.int64, "end": np.int64, "value": np.float64},
            na_values=["."],
            keep_default_na=True,
            quoting=3,
            on_bad_lines="error",
        )
    except (ValueError, OverflowError) as error:
        _refuse_line(block, path, first_line)
        message = f"cannot be read as bedGraph ({error}); lines of chrom, start, end and value are needed"
        raise InputError(" ".join(message.split()), path) from None
    starts, ends = table["start"].to_numpy(), table["end"].to_numpy()
    # a line that is cut short looks like one without a value here
    if (starts < 0).any() or (ends <= starts).any() or not (table["value"].abs() <= LARGEST).all():
        _refuse_line(block, path, first_line)
    return table["chrom"].to_numpy(dtype=object), starts, ends, table["value"].to_numpy(dtype=np.float32)


def _refuse_line(block: bytes, path: str | Path, first_line: int) -> None:
    """Name the first line that is no `chrom start end value`."""
    for number, line in enumerate(block.splitlines(), start=first_line):
        fields = line.decode("utf-8", "replace").split()
        if not fields or line.startswith(TRACK_LINES):
            continue
        if len(fields) != 4:
            raise InputError(f"{len(fields)} fields; chrom, start, end and value are needed", path, number)
        if not (fields[1].isdigit() and fields[2].isdigit() and int(fields[1]) < int(fields[2])):
            message = f"{fields[1]!r} to {fields[2]!r} is no interval; a start from 0 below the end is needed"
            raise InputError(message, path, number)
        if not is_value(fields[3]):
            raise InputError(f"{fields[3]!r} is not a number; write NaN if there is no value", path, number)
        if fields[3].casefold() not in MISSING and abs(float(fields[3])) > LARGEST:
            raise InputError(f"{fields[3]} is too large a value; write NaN if there is none", path, number)
