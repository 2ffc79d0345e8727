"""TRANSFAC matrices, as TRANSFAC, JASPAR, RSAT and STAMP write them."""

import re
from collections.abc import Sequence
from typing import TextIO

import numpy as np

from motifcnn.alphabet import Alphabet, alphabet_of
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats import motif_text
from motifcnn.formats.motif_text import MotifRecord, Source
from motifcnn.motifs import Matrix, Motif

_FIELD = re.compile(r"(AC|ID|NA|DE|VV|BF|P0|PO|XX|//)(\s|$)")
_LETTERS_OF_SIZE = {4: "ACGT", 20: "ACDEFGHIKLMNPQRSTVWY"}


def looks_like_transfac(lines: Sequence[str]) -> bool:
    """Whether the first line that says something is a TRANSFAC field."""
    first = next((line.strip() for line in lines if line.strip() and not line.startswith("#")), "")
    return bool(_FIELD.match(first))


def parse_transfac(lines: Sequence[str], path: Source, alphabet: Alphabet | None = None) -> list[MotifRecord]:
    """Read TRANSFAC records of counts or probabilities.

    A motif is named by its AC field, or else ID, NA or DE; the next of these is its alternate name.

    Args:
        lines: The file's lines.
        path: File, for messages.
        alphabet: The alphabet needed; DNA and RNA stand for one another.

    Raises:
        InputError: A row does not fit its P0 line, or a record has no name or no rows.
    """
    records = []
    record = _Record(path)
    for number, raw in enumerate(lines, start=1):
        words = raw.split()
        if not words or words[0].startswith("#"):
            continue
        key = words[0]
        if key == "//":
            records += record.finish(alphabet)
            record = _Record(path)
        elif key in {"AC", "ID", "NA", "DE"}:
            if key in record.names and record.rows:  # STAMP leaves the `//` out
                records += record.finish(alphabet)
                record = _Record(path)
            record.add_name(key, words[1:], number)
        elif key in {"P0", "PO"}:
            record.set_letters("".join(words[1:]).upper(), number)
        elif key.isdigit():
            record.add_row(words[1:], number)
    return records + record.finish(alphabet)


class _Record:
    """One record as far as it has been read."""

    def __init__(self, path: Source):
        self.path = path
        self.names: dict[str, str] = {}
        self.letters = ""
        self.rows: list[list[float]] = []
        self.line: int | None = None

    def start(self, line: int) -> None:
        if self.line is None:
            self.line = line

    def add_name(self, key: str, words: Sequence[str], line: int) -> None:
        self.start(line)
        if words:
            self.names.setdefault(key, " ".join(words))

    def set_letters(self, letters: str, line: int) -> None:
        """Take the letters of a P0 line."""
        self.start(line)
        if self.rows:
            raise InputError("a P0 line after rows of counts; end the record before it with //", self.path, line)
        self.letters = letters

    def add_row(self, words: Sequence[str], line: int) -> None:
        """Take a row: counts, then perhaps the consensus letter."""
        self.start(line)
        numbers = list(words)
        if numbers and not motif_text.is_number(numbers[-1]):
            numbers.pop()
        row = motif_text.row_of_numbers(numbers, self.path, line)
        self.letters = self.letters or _LETTERS_OF_SIZE.get(len(row), "")
        if not row or len(row) != len(self.letters):
            expected = f"the P0 line names {len(self.letters)} letters" if self.letters else "4 or 20 are needed"
            raise InputError(f"a row of {len(row)} counts; {expected}", self.path, line)
        self.rows.append(row)

    def finish(self, wanted: Alphabet | None) -> list[MotifRecord]:
        """Return the motif; none where the record holds file-wide fields only (VV, comments)."""
        names = list(dict.fromkeys(self.names[key] for key in ("AC", "ID", "NA", "DE") if key in self.names))
        if not names and not self.rows:
            return []
        assert self.line is not None
        if not names:
            raise InputError("a matrix without a name; give it an AC or ID field", self.path, self.line)
        if not self.rows:
            raise InputError(
                f"record {names[0]} has no rows of counts under a P0 line; add them, or remove it", self.path, self.line
            )
        found, counts = self._matrix(names[0])
        alphabet = motif_text.reconciled(found, wanted, self.path, self.line)
        name = motif_text.one_word(names[0])
        alternate_name = names[1] if len(names) > 1 else ""
        motif = motif_text.of_counts(name, alternate_name, counts, alphabet, self.path, self.line)
        return [MotifRecord(motif, self.line)]

    def _matrix(self, name: str) -> tuple[Alphabet, Matrix]:
        try:
            found = alphabet_of(self.letters)
        except MotifcnnError as error:
            raise InputError(f"record {name}: {error}; name them in the P0 line", self.path, self.line) from None
        return found, np.array(self.rows)[:, [self.letters.index(letter) for letter in found.letters]]


def format_transfac(motifs: Sequence[Motif]) -> str:
    """Return motifs as TRANSFAC records; counts are probability × sites.

    Background and E-value have no place in this format.
    """
    return "".join(_format_motif(motif) for motif in motifs)


def write_transfac(target: Source | TextIO, motifs: Sequence[Motif]) -> None:
    """Write motifs as TRANSFAC records to a path or an open text file; see `format_transfac`."""
    motif_text.deliver(target, format_transfac(motifs))


def _format_motif(motif: Motif) -> str:
    name = motif_text.one_word(motif.name)
    lines = [f"AC  {name}", "XX", f"ID  {motif.alternate_name or motif.name}", "XX"]
    lines.append("P0  " + " ".join(letter.rjust(10) for letter in motif.alphabet.letters))
    for position, (row, letter) in enumerate(zip(motif_text.count_text(motif), motif.consensus, strict=True), start=1):
        lines.append(f"{position:02d}  {' '.join(count.rjust(10) for count in row)}      {letter}")
    return "\n".join([*lines, "XX", "//"]) + "\n"
