"""Multiple alignments: Stockholm, aligned FASTA, A3M and MAF, all as rows of one length.

The format is told by the content; A3M, whose lower-case letters are insertions in no column, by rows of unequal
length or by the ending `.a3m`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from motifcnn.errors import InputError
from motifcnn.formats.files import open_bytes

GAPS: Final = b"-.~_"
"""Letters that stand for no letter."""
_INSERTED: Final = bytes(range(ord("a"), ord("z") + 1)) + b"."
_STOCKHOLM: Final = b"# STOCKHOLM"
_MAF: Final = b"##maf"
_HEAD: Final = 1 << 14
"""Bytes in which an alignment, after comments, must have begun."""


@dataclass(frozen=True)
class Place:
    """Where a row of a MAF block lies.

    Args:
        source: As the file names it, such as `hg19.chr22`.
        start: First position on its strand, counted from 0.
        strand: "+" or "-".
        source_size: Length of the whole source.
    """

    source: str
    start: int
    strand: str
    source_size: int


@dataclass(frozen=True, eq=False)
class Alignment:
    """One alignment.

    Args:
        names: One name a row.
        rows: Letters and gaps as they stand in the file, joined where a row is broken into pieces.
        lines: Line on which each row begins, from 1.
        path: The file.
        insertions: Whether lower-case letters stand in no column (A3M).
        places: Where each row lies, in MAF; else empty.
    """

    names: tuple[str, ...]
    rows: tuple[bytes, ...]
    lines: tuple[int, ...]
    path: Path
    insertions: bool = False
    places: tuple[Place, ...] = field(default=())

    def columns(self) -> tuple[bytes, ...]:
        """Return the rows with their insertions left out: one letter or gap a column."""
        return tuple(row.translate(None, _INSERTED) for row in self.rows) if self.insertions else self.rows

    def letters_of(self, row: int) -> tuple[bytes, np.ndarray[tuple[int], np.dtype[np.int64]]]:
        """Return a row without gaps, and the column of each letter (−1 for an insertion).

        Args:
            row: Number of the row, from 0.
        """
        text = np.frombuffer(self.rows[row], dtype=np.uint8)
        inserted = np.isin(text, np.frombuffer(_INSERTED, dtype=np.uint8)) & self.insertions
        column = np.where(inserted, -1, np.cumsum(~inserted) - 1)
        letters = ~np.isin(text, np.frombuffer(GAPS, dtype=np.uint8))
        return text[letters].tobytes().upper(), column[letters]


def is_alignment(path: str | Path) -> bool:
    """Tell whether a file begins as an alignment does."""
    return _beginning(path).startswith((_STOCKHOLM, b">", _MAF))


def _beginning(path: str | Path) -> bytes:
    """Return the first words of a file; comments before FASTA are passed over."""
    with open_bytes(path) as file:
        start = file.read(_HEAD).lstrip()
    if start.startswith((_STOCKHOLM, _MAF)):
        return start
    return next((line for line in start.splitlines() if line.strip() and not line.startswith(b"#")), b"")


def read_alignments(path: Path) -> list[Alignment]:
    """Read all alignments of a file, plain or compressed.

    Args:
        path: Stockholm, aligned FASTA, A3M or MAF.

    Raises:
        InputError: The file is damaged, or rows of one alignment differ in length.
    """
    start = _beginning(path)
    with open_bytes(path) as file:
        if start.startswith(_STOCKHOLM):
            found = list(_stockholm(file, path))
        elif start.startswith(_MAF):
            found = list(_maf(file, path))
        elif start.startswith(b">"):
            found = [_fasta(file, path)]
        else:
            raise InputError("is no alignment; give Stockholm, aligned FASTA, A3M or MAF", path)
    if not found:
        raise InputError("holds no alignment", path)
    for alignment in found:
        _check_lengths(alignment)
    return found


def _check_lengths(alignment: Alignment) -> None:
    rows = alignment.columns()
    for name, row, line in zip(alignment.names, rows, alignment.lines, strict=True):
        if len(row) != len(rows[0]):
            message = f"row {name!r} has {len(row)} columns and {alignment.names[0]!r} has {len(rows[0])}"
            raise InputError(f"{message}; rows of one length are needed", alignment.path, line)


def _stockholm(file: BinaryIO, path: Path) -> Iterator[Alignment]:
    rows: dict[str, bytes] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(file, start=1):
        text = line.strip()
        if text == b"//":
            if rows:
                yield Alignment(tuple(rows), tuple(rows.values()), tuple(lines.values()), path)
            rows, lines = {}, {}
        elif text and not text.startswith(b"#"):
            fields = text.split()
            if len(fields) != 2:
                message = f"{len(fields)} words in this line; a name and a row of letters and gaps are needed"
                raise InputError(message, path, number)
            name = fields[0].decode("utf-8", "replace")
            rows[name] = rows.get(name, b"") + fields[1]
            lines.setdefault(name, number)
    if rows:
        raise InputError("ends within an alignment; end it with a line that holds // alone", path)


def _fasta(file: BinaryIO, path: Path) -> Alignment:
    names: list[str] = []
    rows: list[bytearray] = []
    lines: list[int] = []
    for number, line in enumerate(file, start=1):
        text = line.strip()
        if text.startswith(b">"):
            names.append((text[1:].split() or [b""])[0].decode("utf-8", "replace"))
            rows.append(bytearray())
            lines.append(number)
        elif rows:
            rows[-1] += text.translate(None, b" \t")
    plain = tuple(map(bytes, rows))
    named_so = any(suffix.lower() == ".a3m" for suffix in path.suffixes)
    insertions = named_so or len({len(row) for row in plain}) > 1
    return Alignment(tuple(names), plain, tuple(lines), path, insertions)


def _maf(file: BinaryIO, path: Path) -> Iterator[Alignment]:
    """Read the blocks; each lies where its first row does."""
    block: list[tuple[Place, bytes, int]] = []
    for number, line in enumerate(file, start=1):
        fields = line.split()
        if fields[:1] == [b"s"]:
            block.append(_maf_row(fields, path, number))
        elif fields[:1] == [b"a"] or not fields:
            if block:
                yield _maf_block(block, path)
            block = []
    if block:
        yield _maf_block(block, path)


def _maf_row(fields: Sequence[bytes], path: Path, line: int) -> tuple[Place, bytes, int]:
    form = "s, source, start, size, strand, source size and letters are needed"
    if len(fields) != 7:
        raise InputError(f"{len(fields)} words in this line; {form}", path, line)
    source, start, size, strand, source_size, text = (field.decode("utf-8", "replace") for field in fields[1:])
    if not (start.isdecimal() and size.isdecimal() and source_size.isdecimal() and strand in {"+", "-"}):
        raise InputError(f"no whole numbers or no strand in this line; {form}", path, line)
    letters = len(fields[6].translate(None, GAPS))
    if letters != int(size):
        raise InputError(
            f"{letters} letters in this row and its size is {size}; mend or leave out the block", path, line
        )
    return Place(source, int(start), strand, int(source_size)), text.encode(), line


def _maf_block(block: Sequence[tuple[Place, bytes, int]], path: Path) -> Alignment:
    places, rows, lines = zip(*block, strict=True)
    return Alignment(tuple(place.source for place in places), rows, lines, path, places=places)
