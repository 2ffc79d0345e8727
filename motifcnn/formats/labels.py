"""Labels: a TSV with a header line, the sequence name in the first column, targets in the others."""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from motifcnn.errors import InputError
from motifcnn.formats.files import open_bytes
from motifcnn.intervals import parse_interval

Task = Literal["binary", "multi-label", "classes", "regression"]
Kind = Literal["empty", "0/1", "numbers", "words"]
Values = npt.NDArray[np.float32]

_LOGGER = logging.getLogger(__name__)

_MISSING: Final = frozenset({"", ".", "na", "nan"})
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)
_MOST_CODES: Final = 10
"""Numbers 0, 1, 2 … up to this many are suspected to be codes of classes."""


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of named sequences.

    Args:
        names: One name a row, each once.
        task: What the targets are.
        targets: Name of each column of values.
        classes: Names of the classes in the order of their indices; empty unless task is "classes".
        values: Shape [row, target]: 0 and 1, class indices, or numbers; NaN where missing.
        lines: 1-based line of each row in the file, shape [row].
    """

    names: tuple[str, ...]
    task: Task
    targets: tuple[str, ...]
    classes: tuple[str, ...]
    values: Values
    lines: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Column:
    """One target as it stands in the file; `numbers` holds the number of each word that is one."""

    name: str
    words: Sequence[str]
    counts: Counter[str]
    numbers: dict[str, float]

    @property
    def kind(self) -> Kind:
        """What the column holds; a few words among numbers do not make it one of words."""
        present = [word for word in self.counts if not _is_missing(word)]
        if not present:
            return "empty"
        numeric = sum(self.counts[word] for word in self.numbers)
        if 2 * numeric <= sum(self.counts[word] for word in present):
            return "words"
        if len(self.numbers) < len(present):
            return "numbers"
        return "0/1" if all(number in (0.0, 1.0) for number in self.numbers.values()) else "numbers"

    @property
    def description(self) -> str:
        """The name and what the column holds, for messages."""
        kind = self.kind
        if kind == "words":
            different = sum(not _is_missing(word) for word in self.counts)
            return f"{self.name!r} holds words ({different} different)"
        return f"{self.name!r} holds " + {"empty": "no value", "0/1": "0/1", "numbers": "numbers"}[kind]


@dataclass(frozen=True, eq=False)
class _Table:
    """The file's cells: one tuple of words a column."""

    path: str | Path
    header: tuple[str, ...]
    header_line: int
    columns: tuple[Sequence[str], ...]
    lines: npt.NDArray[np.int64]


def read_labels(path: str | Path, targets: Sequence[str] = ()) -> Labels:
    """Read labels; what the columns hold decides the task.

    One column of 0 and 1 is binary, several are multi-label, one of words is classes, numbers are
    regression. An empty field, ".", "NA" and "NaN" are missing values.

    Args:
        path: TSV, plain or compressed, or "-".
        targets: Columns to read; all by default.

    Raises:
        InputError: The file is no such table, a target is unknown, columns are of different kinds, a
            value is none of its column's kind, or a target has fewer than two different values.
    """
    table = _read_table(path)
    _check_names(table)
    columns = [
        _column(name, table.columns[table.header.index(name)]) for name in _chosen(table, [t.strip() for t in targets])
    ]
    task = _task(columns, table)
    if task == "classes":
        classes = tuple(sorted(word for word in columns[0].counts if not _is_missing(word)))
        index = {word: float(i) for i, word in enumerate(classes)}
        values = _values(columns, [index])
    else:
        classes = ()
        for column in columns:
            _check_numbers(column, table)
        values = _values(columns, [column.numbers for column in columns])
    if task == "regression":
        _warn_of_codes(columns)
    names = tuple(column.name for column in columns)
    check_variety(task, names, classes, values, path)
    return Labels(tuple(table.columns[0]), task, names, classes, values, table.lines)


def check_variety(task: Task, targets: Sequence[str], classes: Sequence[str], values: Values, path: str | Path) -> None:
    """Refuse targets from which nothing can be learned because all their values are the same.

    Args:
        task: What the targets are.
        targets: Their names.
        classes: Names of the classes.
        values: Shape [row, target]; NaN where missing.
        path: File of the labels, for the message.

    Raises:
        InputError: A target has no value, or only one class or value.
    """
    for target, column in zip(targets, values.T, strict=True):
        known = column[~np.isnan(column)]
        if not len(known):
            raise InputError(f"target {target!r} has no value at all; leave it out with --targets", path)
        if (known == known[0]).all():
            value = classes[int(known[0])] if task == "classes" else f"{known[0]:g}"
            total = f"{len(known)} of {len(known)} labels"
            if task == "regression":
                raise InputError(f"target {target!r} is always {value} ({total}); there is nothing to learn", path)
            remedy = "add sequences of another class"
            if task == "binary":
                remedy = f"add sequences with label {1 - int(known[0])}"
                remedy += ", or leave LABELS out to have negatives made" if known[0] == 1 else ""
            if task == "multi-label":
                remedy = "leave it out with --targets"
            raise InputError(f"only one class: target {target!r} is {value} in {total}; {remedy}", path)


def _is_missing(word: str) -> bool:
    return word.casefold() in _MISSING


def _number(word: str) -> float | None:
    return float(word) if _NUMBER.fullmatch(word) else None


def _read_table(path: str | Path) -> _Table:
    """Split the file into columns; every row has as many fields as the header."""
    lines = _read_lines(path)
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line and not line.isspace()]
    while numbered and numbered[0][1].startswith("#") and "\t" not in numbered[0][1]:
        del numbered[0]
    if not numbered:
        raise InputError("is empty; a header line and one row a sequence are needed", path)
    header_line, first = numbered[0]
    if "\t" not in first:
        raise InputError(_untabbed(first), path, header_line)
    header = tuple(_clean(field) for field in first.removeprefix("#").split("\t"))
    _check_widths(numbered, len(header), path)
    rows = [line for _, line in numbered[1:]]
    cells = "\t".join(rows).split("\t") if rows else []
    columns = tuple([_clean(word) for word in cells[i :: len(header)]] for i in range(len(header)))
    table = _Table(path, header, header_line, columns, np.array([n for n, _ in numbered[1:]], dtype=np.int64))
    _check_header(table)
    if not rows:
        raise InputError("has a header line but no rows; one row a sequence is needed", path)
    return table


def _read_lines(path: str | Path) -> list[str]:
    with open_bytes(path) as file:
        data = file.read()
    if b"\0" in data[:65536]:
        raise InputError("is not text; give a TSV (a spreadsheet must be saved as tab-separated text)", path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError("is not UTF-8 text; save the table as UTF-8", path, line) from None
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _clean(field: str) -> str:
    """Drop outer blanks and the quotes that spreadsheets and R put around words."""
    field = field.strip()
    return field[1:-1].strip() if len(field) > 1 and field[0] == field[-1] == '"' else field


def _untabbed(line: str) -> str:
    if line.startswith(">"):
        return "is FASTA where a table of labels is expected; give SEQS first, then LABELS"
    if "," in line or ";" in line:
        return "no tab in this line: it looks like CSV; separate the columns by tabs"
    return "no tab in this line; a table of tab-separated columns with a header line is needed"


def _check_widths(numbered: Sequence[tuple[int, str]], width: int, path: str | Path) -> None:
    for number, line in numbered:
        found = line.count("\t") + 1
        if found == 1:
            raise InputError(_untabbed(line), path, number)
        if found != width:
            raise InputError(f"{found} fields where the header has {width}; each row needs one a column", path, number)


def _check_header(table: _Table) -> None:
    place = table.path, table.header_line
    for index, name in enumerate(table.header[1:], start=1):
        is_data = _number(name) is not None or (name != "" and _is_missing(name)) or name in table.columns[index]
        if is_data or parse_interval(table.header[0]) is not None:
            raise InputError(
                f"line {table.header_line} looks like data ({name!r} as the name of a column); "
                "add a header line such as id<TAB>label",
                *place,
            )
        if not name:
            raise InputError(f"column {index + 1} has no name in the header; give it one", *place)
    for name, count in Counter(table.header[1:]).items():
        if count > 1:
            raise InputError(f"{count} columns are called {name!r}; give each a name of its own", *place)


def _check_names(table: _Table) -> None:
    names = table.columns[0]
    if "" in names:
        raise InputError("no sequence name in the first column", table.path, int(table.lines[names.index("")]))
    if len(set(names)) == len(names):
        return
    first: dict[str, int] = {}
    for name, line in zip(names, table.lines.tolist(), strict=True):
        if name in first:
            message = f"sequence {name!r} stands in line {first[name]} already; keep one row a sequence"
            raise InputError(message, table.path, line)
        first[name] = line


def _chosen(table: _Table, targets: Sequence[str]) -> list[str]:
    """Return the names of the columns to read."""
    available = table.header[1:]
    for target in targets:
        if target not in available:
            close = get_close_matches(target, available, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            message = f"--targets: there is no column {target!r}; {hint}the columns are {', '.join(available)}"
            raise InputError(message, table.path, table.header_line)
    return list(dict.fromkeys(targets or available))


def _column(name: str, words: Sequence[str]) -> _Column:
    counts = Counter(words)
    numbers = {word: number for word in counts if (number := _number(word)) is not None}
    return _Column(name, words, counts, numbers)


def _task(columns: Sequence[_Column], table: _Table) -> Task:
    kinds = [column.kind for column in columns]
    full = [column.name for column, kind in zip(columns, kinds, strict=True) if kind != "empty"]
    if "empty" in kinds:
        remedy = f"leave it out: --targets {','.join(full)}" if full else "fill it in"
        name = columns[kinds.index("empty")].name
        raise InputError(f"target {name!r} has no value at all; {remedy}", table.path, table.header_line)
    first = columns[kinds.index("0/1") if "0/1" in kinds else 0].name
    if len(set(kinds)) > 1:
        found = ", ".join(column.description for column in columns)
        message = f"columns of different kinds: {found}; choose those to learn, such as --targets {first}"
        raise InputError(message, table.path, table.header_line)
    if kinds[0] == "words":
        if len(columns) > 1:
            found = ", ".join(column.description for column in columns)
            message = f"several columns of words: {found}; choose one, such as --targets {first}"
            raise InputError(message, table.path, table.header_line)
        _refuse_decimal_commas(columns[0], table)
        return "classes"
    if kinds[0] == "numbers":
        return "regression"
    return "binary" if len(columns) == 1 else "multi-label"


def _refuse_decimal_commas(column: _Column, table: _Table) -> None:
    """Refuse words that are all numbers but for a comma in the place of the point, as spreadsheets write them."""
    words = [word for word in column.counts if not _is_missing(word)]
    if all(_number(word.replace(",", ".")) is not None for word in words):
        row = next(i for i, word in enumerate(column.words) if "," in word)
        found = f"{column.words[row]!r} in column {column.name!r} has a decimal comma"
        raise InputError(f"{found}; write numbers with a point", table.path, int(table.lines[row]))


def _check_numbers(column: _Column, table: _Table) -> None:
    """Refuse words among numbers, and numbers that single precision cannot hold."""
    limit = float(np.finfo(np.float32).max)
    bad = {word for word in column.counts if word not in column.numbers and not _is_missing(word)}
    large = {word for word, number in column.numbers.items() if abs(number) > limit}
    if bad or large:
        row = next(i for i, word in enumerate(column.words) if word in bad or word in large)
        found = f"{column.words[row]!r} in column {column.name!r}"
        if column.words[row] in large:
            message = f"{found} is too large a number; write '.' if it is missing"
        else:
            message = f"{found} is not a number, as most others are; mend it, or write '.' if it is missing"
        raise InputError(message, table.path, int(table.lines[row]))


def _values(columns: Sequence[_Column], tables: Sequence[dict[str, float]]) -> Values:
    """Look each word up; those that stand in no table are missing."""
    values = np.empty((len(columns[0].words), len(columns)), dtype=np.float32)
    for index, (column, table) in enumerate(zip(columns, tables, strict=True)):
        values[:, index] = [table.get(word, np.nan) for word in column.words]
    return values


def _warn_of_codes(columns: Sequence[_Column]) -> None:
    for column in columns:
        numbers = sorted(set(column.numbers.values()))
        consecutive = [numbers[0] + i for i in range(len(numbers))]
        if numbers[0] in (0.0, 1.0) and numbers == consecutive and len(numbers) <= _MOST_CODES:
            found = ", ".join(f"{number:g}" for number in numbers)
            _LOGGER.warning(
                "column %r holds only %s and is learned as numbers; if these are classes, write words such as class_%g",
                column.name,
                found,
                numbers[0],
            )
