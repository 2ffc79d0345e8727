"""Wiggle: runs of values at fixed steps, or at positions that each line states.

Positions count from 1 in these files; here from 0, as everywhere. Source: the UCSC browser's description of the
format, https://genome.ucsc.edu/goldenPath/help/wiggle.html.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from motifcnn.errors import InputError
from motifcnn.formats.genome_tracks import LARGEST, Stretches, line_blocks

DECLARATIONS: Final = (b"fixedStep", b"variableStep")
"""What the first line of a run begins with."""
_BLOCK: Final = 1 << 23
"""Bytes read at a time."""
_NO_DATA = re.compile(rb"^(?:fixedStep|variableStep|track|browser|#)[^\n]*\n?", re.MULTILINE)

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Run:
    """A declaration line: where the values after it stand.

    Args:
        chrom: Name of the chromosome.
        span: Positions that have each value.
        step: Positions from one value to the next; 0 where each line states its own.
        start: Position of the next value, counted from 0; of no meaning where step is 0.
    """

    chrom: str
    span: int
    step: int
    start: int


def wiggle_stretches(path: str | Path) -> Iterator[Stretches]:
    """Read a wiggle file, plain or compressed, of any size, piece by piece.

    Args:
        path: The file.

    Raises:
        InputError: The file is damaged.
    """
    run: _Run | None = None
    for first_line, block in line_blocks(path, _BLOCK):
        line, position = first_line, 0
        for match in [*_NO_DATA.finditer(block), None]:
            data = block[position : match.start() if match else len(block)]
            if data.strip():
                if run is None:
                    raise InputError("a value before any fixedStep or variableStep line; put one before it", path, line)
                yield _stretches(run, data, path, line)
                run = replace(run, start=run.start + run.step * len(data.split()))
            line += data.count(b"\n")
            if match is None:
                break
            position = match.end()
            if match[0].startswith(DECLARATIONS):
                run = _declared(match[0], path, line)
            line += 1


def _declared(text: bytes, path: str | Path, line: int) -> _Run:
    """Read a declaration line."""
    kind, *fields = text.decode("utf-8", "replace").split()
    values = dict(field.partition("=")[::2] for field in fields)
    needed = ("chrom", "start", "step") if kind == "fixedStep" else ("chrom",)
    given = {"step": "1", **values}  # some writers leave step=1 out
    missing = [name for name in needed if not given.get(name)]
    numbers = {name: given.get(name, "1") for name in ("start", "step", "span")}
    wrong = [f"{name}={value}" for name, value in numbers.items() if not value.isdecimal() or int(value) < 1]
    if missing or wrong or kind not in {"fixedStep", "variableStep"}:
        what = f"lacks {missing[0]}" if missing else f"has {wrong[0]}" if wrong else f"begins with {kind}"
        form = "fixedStep chrom=… start=… step=… span=… or variableStep chrom=… span=… is needed, numbers from 1"
        raise InputError(f"this line {what}; {form}", path, line)
    start, step, span = (int(numbers[name]) for name in ("start", "step", "span"))
    if kind == "variableStep":
        return _Run(values["chrom"], span, 0, 0)
    if span > step:
        raise InputError(f"span={span} is more than step={step}, so values overlap; give span ≤ step", path, line)
    return _Run(values["chrom"], span, step, start - 1)


def _stretches(run: _Run, data: bytes, path: str | Path, line: int) -> Stretches:
    """Read the values after a declaration."""
    columns = 1 if run.step else 2
    try:
        numbers = np.array(data.split(), dtype=np.float64).reshape(-1, columns)
    except ValueError as error:
        _refuse_line(data, columns, path, line)
        raise InputError(f"cannot be read as wiggle ({error}); numbers are needed", path, line) from None
    positions: Numbers = numbers[:, 0]
    values: Numbers = numbers[:, -1]
    if columns == 1:
        positions = np.arange(len(values), dtype=np.float64) * run.step + (run.start + 1)
    if (np.abs(values) > LARGEST).any() or not (positions >= 1).all() or not _one_value_a_line(data, len(values)):
        _refuse_line(data, columns, path, line)
    starts = positions.astype(np.int64) - 1
    known = ~np.isnan(values)
    starts, heights = starts[known], values[known].astype(np.float32)
    return Stretches.sorted(run.chrom, starts, starts + run.span, heights, path)


def _one_value_a_line(data: bytes, values: int) -> bool:
    return sum(map(bool, map(bytes.strip, data.splitlines()))) == values


def _refuse_line(data: bytes, columns: int, path: str | Path, first_line: int) -> None:
    """Name the first line that does not hold what its run needs."""
    form = "one value" if columns == 1 else "a position from 1 and a value"
    for number, text in enumerate(data.decode("utf-8", "replace").splitlines(), start=first_line):
        fields = text.split()
        if not fields:
            continue
        if len(fields) != columns:
            raise InputError(f"{len(fields)} fields in this line; {form} is needed", path, number)
        if columns == 2 and not (fields[0].isdecimal() and int(fields[0]) >= 1):
            raise InputError(f"{fields[0]!r} is no position; {form} is needed", path, number)
        if not _is_number(fields[-1]) or abs(float(fields[-1])) > LARGEST:
            raise InputError(f"{fields[-1]!r} is not a value; write NaN if there is none", path, number)


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
