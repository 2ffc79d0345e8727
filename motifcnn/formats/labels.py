"""Labels: a TSV with a header line, names in the first column and a target in every other."""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from motifcnn.errors import InputError
from motifcnn.formats.files import open_bytes

Task = Literal["binary", "multi-label", "classes", "regression"]

MISSING = frozenset({"", ".", "na", "nan", "none"})


@dataclass(frozen=True, eq=False)
class Labels:
    """Targets of named sequences.

    Args:
        names: One name a row.
        task: What the columns ask for.
        targets: Names of the columns.
        classes: Names of the classes in order of their index; empty unless the task is "classes".
        values: Shape [row, target]; NaN where missing; class indices where the task is "classes".
        lines: 1-based line of each row in the file.
    """

    names: tuple[str, ...]
    task: Task
    targets: tuple[str, ...]
    classes: tuple[str, ...]
    values: npt.NDArray[np.float32]
    lines: npt.NDArray[np.int64]


def read_labels(path: str | Path, targets: tuple[str, ...] = ()) -> Labels:
    """Read labels and tell the task from what the columns hold.

    Args:
        path: TSV, plain or gzip.
        targets: Columns to take; all by default.

    Raises:
        InputError: The file is missing, empty, binary, has no header, rows of other lengths, a name
            twice, or columns of different kinds.
    """
    header, rows, lines = _read_rows(path)
    columns = _chosen_columns(header, targets, path)
    names = _checked_names(rows, lines, path)
    cells = [[row[column].strip() for row in rows] for column in columns]
    chosen = tuple(header[column] for column in columns)
    kinds = [_kind(column, lines, name, path) for column, name in zip(cells, chosen, strict=True)]
    if len(set(kinds)) > 1 or (kinds[0] == "words" and len(kinds) > 1):
        held = ", ".join(f"{name} ({kind})" for name, kind in zip(chosen, kinds, strict=True))
        raise InputError(f"the columns are of different kinds: {held}; choose with --targets {chosen[0]}", path, 1)
    lines_array = np.array(lines, dtype=np.int64)
    if kinds[0] == "words":
        classes = tuple(sorted({cell for cell in cells[0] if cell.lower() not in MISSING}))
        index = {name: float(number) for number, name in enumerate(classes)}
        column = np.array([index.get(cell, np.nan) for cell in cells[0]], dtype=np.float32)
        return Labels(names, "classes", chosen, classes, column[:, None], lines_array)
    values = np.array([[_number(cell) for cell in column] for column in cells], dtype=np.float32).T
    task: Task = "regression" if kinds[0] == "numbers" else "binary" if len(kinds) == 1 else "multi-label"
    return Labels(names, task, chosen, (), values, lines_array)


def _read_rows(path: str | Path) -> tuple[list[str], list[list[str]], list[int]]:
    with open_bytes(path) as file:
        data = file.read()
    if b"\0" in data[:4096]:
        raise InputError("is a binary file; give a TSV", path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("is not text; give a TSV", path) from None
    numbered = [(n, line.rstrip("\r").split("\t")) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not numbered:
        raise InputError("is empty; give a TSV with a header line and one row a sequence", path)
    first_line, header = numbered[0]
    header = [field.strip() for field in header]
    if len(header) < 2:
        raise InputError("has no tab in its first line; columns must be separated by tabs", path, first_line)
    if any(_is_number(field) or field.lower() in MISSING for field in header[1:]):
        raise InputError("looks like data; add a header line such as 'id<TAB>label'", path, first_line)
    if len(set(header)) < len(header):
        raise InputError("two columns have one name; rename one", path, first_line)
    for line, row in numbered[1:]:
        if len(row) != len(header):
            raise InputError(f"has {len(row)} fields where the header has {len(header)}; mend the row", path, line)
    if len(numbered) == 1:
        raise InputError("has a header and no rows; give one row a sequence", path, first_line)
    return header, [row for _, row in numbered[1:]], [line for line, _ in numbered[1:]]


def _chosen_columns(header: list[str], targets: tuple[str, ...], path: str | Path) -> list[int]:
    for target in targets:
        if target not in header[1:]:
            near = difflib.get_close_matches(target, header[1:], 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(f"has no column {target!r}; its columns are {', '.join(header[1:])}{hint}", path, 1)
    return [header.index(target, 1) for target in targets] if targets else list(range(1, len(header)))


def _checked_names(rows: list[list[str]], lines: list[int], path: str | Path) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    for row, line in zip(rows, lines, strict=True):
        name = row[0].strip()
        if name in seen:
            raise InputError(f"the name {name!r} stands twice (first in line {seen[name]}); keep one", path, line)
        seen[name] = line
    return tuple(seen)


def _kind(cells: list[str], lines: list[int], name: str, path: str | Path) -> str:
    """Tell what a column holds: "0/1", "numbers" or "words"."""
    known = [(cell, line) for cell, line in zip(cells, lines, strict=True) if cell.lower() not in MISSING]
    if not known:
        raise InputError(f"column {name!r} holds no value; choose others with --targets", path)
    words = [(cell, line) for cell, line in known if not _is_number(cell)]
    if not words:
        return "0/1" if all(float(cell) in (0.0, 1.0) for cell, _ in known) else "numbers"
    if len(words) <= 0.1 * len(known):
        cell, line = words[0]
        raise InputError(f"{cell!r} in column {name!r} is not a number as the others are; mend it", path, line)
    return "words"


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(cell: str) -> float:
    return float("nan") if cell.lower() in MISSING else float(cell)
