"""Values along sequences, such as conservation: a TSV by name, or bigWig, bedGraph or wiggle by genome coordinates.

All give the same array: one value a letter, aligned to `Sequences.codes`, NaN where the file has none.
"""

from collections.abc import Container, Iterator, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from motifcnn.errors import InputError
from motifcnn.formats.bedgraph import bedgraph_stretches
from motifcnn.formats.files import atomic_write, open_bytes
from motifcnn.formats.genome_tracks import (
    LARGEST,
    MISSING,
    TRACK_LINES,
    first_names,
    is_value,
    read_bigwig,
    read_stretches,
)
from motifcnn.formats.wiggle import DECLARATIONS, wiggle_stretches
from motifcnn.sequences import Sequences

Values = npt.NDArray[np.float32]

_LONGEST_SHOWN: Final = 20
_BIGWIG_MAGIC: Final = (b"\x26\xfc\x8f\x88", b"\x88\x8f\xfc\x26")
_BIGBED_MAGIC: Final = (b"\xeb\xf2\x89\x87", b"\x87\x89\xf2\xeb")


class TrackFormat(Enum):
    """Formats of tracks."""

    BIGWIG = auto()
    BEDGRAPH = auto()
    WIGGLE = auto()
    TABLE = auto()


def read_tracks(path: str | Path, sequences: Sequences) -> Values:
    """Read values along sequences.

    The format is told by the content: bigWig, bedGraph (`chrom start end value`) or wiggle (fixed and variable
    step), plain or compressed, or TSV (`name<TAB>v1,v2,…`, one value a letter; an empty value, ".", "NA" and
    "NaN" are missing). All but the last are read at the coordinates in the sequences' names, such as
    `chr22:100-301` or, on the other strand, `chr1:5-9(-)`. A position without a value gets NaN.

    Args:
        path: The file.
        sequences: The sequences.

    Returns:
        Shape [total positions], aligned to `sequences.codes`; NaN where there is no value.

    Raises:
        InputError: The file is damaged, has values for none of the sequences, or values of another number than
            a sequence has letters; or names have no coordinates where they are needed.
    """
    kind = format_of(path)
    if kind == TrackFormat.BIGWIG:
        return read_bigwig(path, sequences)
    if kind == TrackFormat.TABLE:
        return _read_table(path, sequences)
    stretches = bedgraph_stretches(path) if kind == TrackFormat.BEDGRAPH else wiggle_stretches(path)
    return read_stretches(path, sequences, stretches)


def format_of(path: str | Path) -> TrackFormat:
    """Tell a track's format by its content.

    Raises:
        InputError: It is in none of them.
    """
    if str(path) == "-":
        raise InputError("values along sequences cannot come from standard input; give a file")
    with open_bytes(path) as file:
        start = file.read(4)
    if start in _BIGWIG_MAGIC:
        return TrackFormat.BIGWIG
    if start in _BIGBED_MAGIC:
        raise InputError("is bigBed, which holds no values a position; give bigWig, bedGraph or TSV", path)
    first, line = _first_data_line(path)
    if _is_bedgraph(first):
        return TrackFormat.BEDGRAPH
    if first.startswith(DECLARATIONS):
        return TrackFormat.WIGGLE
    if b"\t" not in first:
        raise InputError("is neither bigWig, bedGraph, wiggle nor a TSV of name<TAB>v1,v2,…", path, line)
    return TrackFormat.TABLE


def _first_data_line(path: str | Path) -> tuple[bytes, int]:
    with open_bytes(path) as file:
        for number, line in enumerate(file, start=1):
            if b"\0" in line:
                break
            if line.strip() and not line.startswith(TRACK_LINES):
                return line, number
        else:
            raise InputError("is empty; values along the sequences are needed", path)
    raise InputError("is binary, but not bigWig; give bigWig, bedGraph, wiggle or TSV", path)


def _is_bedgraph(line: bytes) -> bool:
    fields = line.split()
    return len(fields) == 4 and fields[1].isdigit() and fields[2].isdigit()


def _read_table(path: str | Path, sequences: Sequences) -> Values:
    values = np.full(len(sequences.codes), np.nan, dtype=np.float32)
    index_of = {name: index for index, name in enumerate(sequences.names)}
    placed, others = 0, list[str]()
    for number, name, row in table_rows(path, index_of):
        index = index_of.get(name)
        if index is None:
            others += [name] if len(others) < 1000 else []
            continue
        placed += 1
        start, end = int(sequences.offsets[index]), int(sequences.offsets[index + 1])
        if len(row) != end - start:
            message = f"{len(row)} values for {name!r}, which has {end - start} letters; one value a letter is needed"
            raise InputError(message, path, number)
        values[start:end] = row
    if not placed:
        raise InputError(_no_name_known(others, sequences), path)
    return values


def write_table(
    path: str | Path, sequences: Sequences, values: npt.NDArray[np.number] | npt.NDArray[np.bool_], name: str
) -> None:
    """Write values along sequences as TSV (`name<TAB>v1,v2,…`), which `read_tracks` reads again.

    Args:
        path: Where to write.
        sequences: The sequences.
        values: Shape [total positions]; NaN where there is no value.
        name: Heading of the values.
    """
    with atomic_write(path) as file:
        file.write(f"id\t{name}\n".encode())
        for own, row in zip(sequences.names, sequences.cells(values, "%.6g"), strict=True):
            file.write(f"{own}\t{row}\n".encode())


def table_rows(path: str | Path, wanted: Container[str] | None = None) -> Iterator[tuple[int, str, Values]]:
    """Give line number, name and values of each row.

    Args:
        path: The file.
        wanted: Names whose values are read; others come without values. None: all are read.

    Raises:
        InputError: The file is damaged, or a name stands twice.
    """
    line_of: dict[str, int] = {}
    for number, name, text in _table_lines(path):
        if wanted is not None and name not in wanted:
            yield number, name, np.empty(0, dtype=np.float32)
            continue
        if name in line_of:
            raise InputError(f"{name!r} stands in line {line_of[name]} already; keep one row a name", path, number)
        line_of[name] = number
        yield number, name, np.array(_parse_row(text, name, path, number), dtype=np.float32)


def _table_lines(path: str | Path) -> Iterator[tuple[int, str, str]]:
    """Return line number, name and values of each row; a header line is passed over."""
    header_possible = True
    with open_bytes(path) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip() or (line.startswith(b"#") and b"\t" not in line):
                continue
            try:
                name, tab, text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n").partition("\t")
            except UnicodeDecodeError:
                raise InputError("is not UTF-8 text; save the table as UTF-8", path, number) from None
            if not tab:
                raise InputError("no tab in this line; name<TAB>v1,v2,… is needed", path, number)
            is_header = header_possible and _is_header(text)
            header_possible = False
            if not is_header:
                yield number, name.strip(), text


def _is_header(text: str) -> bool:
    return not any(is_value(field) for field in text.split(","))


def _parse_row(text: str, name: str, path: str | Path, line: int) -> Sequence[float]:
    fields = text.split(",")
    try:
        row = list(map(float, fields))
    except ValueError:
        row = []
        for position, field in enumerate(fields, start=1):
            if not is_value(field):
                word = field.strip()
                found = word if len(word) <= _LONGEST_SHOWN else f"{word[:_LONGEST_SHOWN]}…"
                remedy = "separate values by commas, and write NaN where one is missing"
                message = f"{found!r}, value {position} of {name!r}, is not a number; {remedy}"
                raise InputError(message, path, line) from None
            row.append(np.nan if field.strip().casefold() in MISSING else float(field))
    for position, value in enumerate(row, start=1):
        if abs(value) > LARGEST:
            message = f"{value:g}, value {position} of {name!r}, is too large; write NaN if it is missing"
            raise InputError(message, path, line)
    return row


def _no_name_known(others: Sequence[str], sequences: Sequences) -> str:
    message = f"has values for none of the {len(sequences)} sequences: names here are {first_names(others)}, "
    message += f"names of the sequences are {first_names(sequences.names)}"
    known = set(sequences.names)
    if any(name.removeprefix("chr") in known for name in others):
        return f"{message}; drop 'chr' from the names here"
    if any(f"chr{name}" in known for name in others):
        return f"{message}; put 'chr' before the names here"
    return f"{message}; use the names of the sequences"
