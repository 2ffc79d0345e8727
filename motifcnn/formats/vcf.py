"""VCF: variants read one by one, and written again with further INFO fields (VCF 4.3)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from motifcnn.errors import InputError
from motifcnn.formats.files import open_bytes, shown

_COLUMNS: Final = 8
_INFO: Final = 7
_LETTERS: Final = re.compile(r"[ACGTNRYSWKMBDHV]+", re.IGNORECASE)
_SYMBOLIC: Final = re.compile(r"<[^<>\t]+>|\*|\.|.*[\[\]].*|\.[A-Za-z]+|[A-Za-z]+\.")
"""What stands for an alternative without giving its letters: <DEL>, *, a missing one, breakends."""
_ID: Final = re.compile(r"^##INFO=<ID=([^,>]+)")


@dataclass(frozen=True)
class Record:
    """One line of a VCF.

    Args:
        line: 1-based, in the file.
        fields: All columns as they are.
        chrom: Name of the chromosome.
        position: First position of the reference allele, counted from 0.
        identifier: Its name, or ".".
        reference: Letters of the reference allele, upper case.
        alternatives: Letters of each alternative, upper case; None where it is symbolic.
    """

    line: int
    fields: tuple[str, ...]
    chrom: str
    position: int
    identifier: str
    reference: str
    alternatives: tuple[str | None, ...]


@dataclass(frozen=True)
class InfoField:
    """A further INFO field.

    Args:
        identifier: Its key.
        number: "1", "A" (one for each alternative) or ".".
        kind: "Float" or "String".
        description: What it holds.
    """

    identifier: str
    number: str
    kind: str
    description: str

    def __str__(self) -> str:
        text = self.description.replace("\\", "\\\\").replace('"', '\\"')
        return f'##INFO=<ID={self.identifier},Number={self.number},Type={self.kind},Description="{text}">'


class VcfReader:
    """Reads a VCF, plain, gzip or bgzip, line by line.

    Args:
        path: The file, or "-".
    """

    def __init__(self, path: str | Path):
        self.path = path
        self.header: list[str] = []
        """Lines before the first record, those of the columns last; complete once a record was read."""

    def __iter__(self) -> Iterator[Record]:
        """Give the records in order.

        Raises:
            InputError: The file is no VCF, or a line of it is damaged.
        """
        with open_bytes(self.path) as file:
            for line, raw in enumerate(file, start=1):
                try:
                    text = raw.decode("utf-8-sig" if line == 1 else "utf-8").rstrip("\r\n")
                except UnicodeDecodeError:
                    raise InputError(
                        "is no text; give VCF, plain or bgzip (convert BCF by `bcftools view`)", shown(self.path), line
                    ) from None
                if text.startswith("#"):
                    self.header.append(text)
                elif text.strip():
                    if not self.header or not self.header[-1].startswith("#CHROM"):
                        raise self._fault(
                            "a variant before the line of columns that begins with #CHROM; give VCF", line
                        )
                    yield self._record(text, line)
        if not self.header or not self.header[-1].startswith("#CHROM"):
            raise InputError("holds no line of columns that begins with #CHROM; give VCF", shown(self.path))

    def _record(self, text: str, line: int) -> Record:
        fields = tuple(text.split("\t"))
        if len(fields) < _COLUMNS:
            raise self._fault(
                f"{len(fields)} columns, where VCF has {_COLUMNS} or more, separated by tabs; mend the line", line
            )
        chrom, position, identifier, reference, alternatives = fields[:5]
        if not position.isdigit() or int(position) < 1:
            raise self._fault(f"POS {position!r} is not a position; it counts from 1", line)
        if _LETTERS.fullmatch(reference) is None:
            raise self._fault(f"REF {reference!r} is not made of letters of DNA; mend the line", line)
        found = tuple(self._alternative(text, line) for text in alternatives.split(","))
        return Record(line, fields, chrom, int(position) - 1, identifier, reference.upper(), found)

    def _alternative(self, text: str, line: int) -> str | None:
        if _LETTERS.fullmatch(text):
            return text.upper()
        if _SYMBOLIC.fullmatch(text):
            return None
        raise self._fault(f"ALT {text!r} is neither letters of DNA nor a symbol such as <DEL>; mend the line", line)

    def _fault(self, message: str, line: int) -> InputError:
        return InputError(message, shown(self.path), line)


class VcfWriter:
    """Writes records again, with further INFO fields.

    Args:
        file: Where to write.
        added: The fields; those of the same name that are there already are replaced.
        notes: Lines for the header, without "##".
    """

    def __init__(self, file: BinaryIO, added: Sequence[InfoField], notes: Sequence[str] = ()):
        self._file, self._added, self._notes = file, added, notes
        self._names = {field.identifier for field in added}

    def write_header(self, header: Sequence[str]) -> None:
        """Write the header: the lines there were, the new ones, and the line of columns."""
        kept = [line for line in header[:-1] if not self._is_replaced(line)]
        lines = [*kept, *(f"##{note}" for note in self._notes), *map(str, self._added), header[-1]]
        self._file.write(("\n".join(lines) + "\n").encode())

    def _is_replaced(self, line: str) -> bool:
        match = _ID.match(line)
        return (match is not None and match[1] in self._names) or line.removeprefix("##") in self._notes

    def write(self, record: Record, values: Mapping[str, str]) -> None:
        """Write a record.

        Args:
            record: As it was read.
            values: Text of the new fields by their keys; those left out are not written.
        """
        old = [each for each in record.fields[_INFO].split(";") if each.split("=")[0] not in self._names | {".", ""}]
        info = ";".join([*old, *(f"{key}={value}" for key, value in values.items())]) or "."
        self._file.write(("\t".join([*record.fields[:_INFO], info, *record.fields[_INFO + 1 :]]) + "\n").encode())


def info_text(text: str) -> str:
    """Return text as it can stand in an INFO field: what separates there is written as %XX (VCF 4.3)."""
    return re.sub(r"[:;=%,|\s]", lambda match: f"%{ord(match[0]):02X}", text)


def info_keys(prefix: str, names: Sequence[str]) -> list[str]:
    """Return a key of INFO fields for each name, no two alike."""
    keys: list[str] = []
    for name in names:
        key = plain = f"{prefix}{re.sub(r'[^0-9A-Za-z_.]', '_', name)}"
        number = 1
        while key in keys:
            number += 1
            key = f"{plain}_{number}"
        keys.append(key)
    return keys
