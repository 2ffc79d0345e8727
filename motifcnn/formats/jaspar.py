"""JASPAR count matrices in their forms, and the position-by-row matrices of HOCOMOCO and HOMER.

Letter rows, labelled (`A [ 0 3 79 ]`, `A | 0 3 79`, `A 0 3 79`) or in the order A C G T; or, as
HOCOMOCO's pfm/pcm and HOMER's motif files have them, one row a position and one column a letter.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np

from motifcnn.alphabet import Alphabet, alphabet_of
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats import motif_text
from motifcnn.formats.motif_text import MotifRecord, Source
from motifcnn.motifs import Matrix, Motif

_LABELLED = re.compile(r"([A-Za-z])\s*[\s|:=\[]\s*\[?(.*)$")
_EQUAL_SUMS = 0.02
"""Totals within 2% of one another are one number of sites."""


@dataclass
class _Block:
    """The rows under one header."""

    name: str
    alternate_name: str
    line: int
    rows: list[tuple[int, str, list[float]]] = field(default_factory=list)  # line, label or "", numbers

    @property
    def labelled(self) -> bool:
        return any(label for _, label, _ in self.rows)


def looks_like_jaspar(lines: Sequence[str]) -> bool:
    """Whether the first line that says something is a `>` header or a matrix row."""
    first = next((line.strip() for line in lines if line.strip() and not line.startswith("#")), "")
    return first.startswith(">") or motif_text.is_number((first.split() or [""])[0]) or bool(_labelled_row(first))


def parse_jaspar(lines: Sequence[str], path: Source, alphabet: Alphabet | None = None) -> list[MotifRecord]:
    """Read JASPAR, HOCOMOCO (pfm, pcm) or HOMER matrices of counts or probabilities.

    Args:
        lines: The file's lines.
        path: File, for messages and for the name of a matrix without a header.
        alphabet: The alphabet needed; DNA and RNA stand for one another.

    Raises:
        InputError: A row is no row of numbers, letters are missing, or rows differ in length.
    """
    blocks = _blocks(lines, path)
    by_position = _rows_are_positions(blocks, path)
    records = []
    for block in blocks:
        if block.labelled:
            found, counts = _of_labelled(block, alphabet, path)
        else:
            matrix = np.array([numbers for _, _, numbers in block.rows])
            counts = matrix if by_position else matrix.T
            found = motif_text.alphabet_of_size(counts.shape[1], alphabet, path, block.line)
        motif = motif_text.of_counts(block.name, block.alternate_name, counts, found, path, block.line)
        records.append(MotifRecord(motif, block.line))
    return records


def _labelled_row(line: str) -> tuple[str, list[str]] | None:
    match = _LABELLED.match(line)
    if match is None:
        return None
    words = match.group(2).replace("]", " ").split()
    return (match.group(1), words) if words and motif_text.is_number(words[0]) else None


def _blocks(lines: Sequence[str], path: Source) -> list[_Block]:
    blocks: list[_Block] = []
    for number, raw in enumerate(lines, start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith(">"):
            blocks.append(_Block(*_names(line[1:], path, number), number))
            continue
        labelled = _labelled_row(line)
        label, words = labelled if labelled else ("", line.split())
        if not labelled and not motif_text.is_number(words[0]):
            shown = line if len(line) <= 30 else f"{line[:30]}…"
            raise InputError(
                f"{shown!r} is no row of counts; motifs are needed here, as MEME, JASPAR or TRANSFAC text", path, number
            )
        if not blocks:
            blocks.append(_Block(Path(path).stem or "motif", "", number))
        blocks[-1].rows.append((number, label.upper(), motif_text.row_of_numbers(words, path, number)))
    for block in blocks:
        _refuse_ragged(block, path)
    return blocks


def _names(header: str, path: Source, line: int) -> tuple[str, str]:
    """Split a header into name and alternate name; HOMER goes on with tab-separated figures."""
    words = header.split(maxsplit=1)
    if not words:
        raise InputError("a header without a name; write `>name`", path, line)
    rest = words[1].split("\t") if len(words) > 1 else [""]
    alternate_name = rest[0].strip()
    return words[0], "" if alternate_name == words[0] else alternate_name


def _refuse_ragged(block: _Block, path: Source) -> None:
    if not block.rows:
        raise InputError(f"motif {block.name} has no rows; add them, or remove it", path, block.line)
    length = len(block.rows[0][2])
    for line, label, numbers in block.rows:
        if len(numbers) != length:
            raise InputError(
                f"a row of {len(numbers)} numbers where the first of motif {block.name} has {length}; "
                "all rows of a matrix must be of one length",
                path,
                line,
            )
        if block.labelled and not label:
            raise InputError(f"a row without a letter in motif {block.name}, whose other rows have one", path, line)


def _rows_are_positions(blocks: Sequence[_Block], path: Source) -> bool:
    """Tell from a whole file whether unlabelled rows are positions (HOCOMOCO) or letters (JASPAR)."""
    matrices = [np.array([numbers for _, _, numbers in block.rows]) for block in blocks if not block.labelled]
    for letters in (4, 20):
        letter_rows = all(matrix.shape[0] == letters for matrix in matrices)
        position_rows = all(matrix.shape[1] == letters for matrix in matrices)
        if letter_rows and position_rows:  # all square: every position holds the same sites, letters do not
            return all(_equal(m.sum(axis=1)) for m in matrices) and not all(_equal(m.sum(axis=0)) for m in matrices)
        if letter_rows or position_rows:
            return position_rows
    block = next(block for block in blocks if not block.labelled and len(block.rows) not in {4, 20})
    raise InputError(
        f"motif {block.name} has {len(block.rows)} rows of {len(block.rows[0][2])} numbers; either the rows or the "
        "columns must be the letters (4, or 20 for protein), and the same in the whole file",
        path,
        block.line,
    )


def _equal(totals: Matrix) -> bool:
    return float(totals.max() - totals.min()) <= _EQUAL_SUMS * float(totals.max())


def _of_labelled(block: _Block, wanted: Alphabet | None, path: Source) -> tuple[Alphabet, Matrix]:
    rows: dict[str, list[float]] = {}
    for line, letter, numbers in block.rows:
        if letter in rows:
            raise InputError(f"a second row for {letter} in motif {block.name}; remove one", path, line)
        rows[letter] = numbers
    try:
        found = alphabet_of("".join(rows))
    except MotifcnnError:
        raise InputError(
            f"motif {block.name} has rows for {''.join(rows)}; one for each letter of DNA, RNA or protein is needed",
            path,
            block.line,
        ) from None
    counts = np.array([rows[letter] for letter in found.letters]).T
    return motif_text.reconciled(found, wanted, path, block.line), counts


def format_jaspar(motifs: Sequence[Motif]) -> str:
    """Return motifs as JASPAR text; counts are probability × sites.

    Background and E-value have no place in this format.
    """
    return "".join(_format_motif(motif) for motif in motifs)


def write_jaspar(target: Source | TextIO, motifs: Sequence[Motif]) -> None:
    """Write motifs as JASPAR text to a path or an open text file; see `format_jaspar`."""
    motif_text.deliver(target, format_jaspar(motifs))


def _format_motif(motif: Motif) -> str:
    counts = list(zip(*motif_text.count_text(motif), strict=True))
    width = max(len(count) for row in counts for count in row)
    lines = [f">{motif_text.one_word(motif.name)}\t{motif.alternate_name or motif.name}"]
    for letter, row in zip(motif.alphabet.letters, counts, strict=True):
        lines.append(f"{letter}  [ {' '.join(count.rjust(width) for count in row)} ]")
    return "\n".join(lines) + "\n"
