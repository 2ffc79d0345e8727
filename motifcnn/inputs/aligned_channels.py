"""Channels from alignments and profiles: a file whose rows are the sequences, or a folder with a file for each."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import INVALID, Alphabet, Codes
from motifcnn.errors import InputError
from motifcnn.formats.alignments import GAPS, Alignment, is_alignment, read_alignments
from motifcnn.formats.genome_tracks import Stretches, first_names, read_stretches
from motifcnn.formats.profiles import is_pssm, read_pssm
from motifcnn.inputs.column_conservation import GAP, conservation, profile
from motifcnn.sequences import Sequences
from motifcnn.settings import ChannelSettings

Values = npt.NDArray[np.float32]

_STRETCH = re.compile(r"(?P<name>.+)/(?P<start>\d+)-(?P<end>\d+)")
"""A row's name in Pfam's form: a stretch of a longer sequence, counted from 1."""
_UNSAFE = re.compile(r"[^\w.+-]")
_ENDINGS: Final = (".gz", ".bgz")


@dataclass(frozen=True, eq=False)
class _Row:
    """Values along one sequence, or a stretch of it.

    Args:
        name: The sequence.
        start: Its first letter that the row holds, from 0.
        letters: The row without gaps.
        values: Shape [channel, letter]; NaN where there is none.
        path: The file.
        line: Where the row begins, from 1.
        whole: Whether the row must hold the whole sequence.
    """

    name: str
    start: int
    letters: bytes
    values: Values
    path: Path
    line: int
    whole: bool = True


def is_aligned(path: Path) -> bool:
    """Tell whether a path is a folder, an alignment or a position-specific scoring matrix."""
    return path.is_dir() or is_alignment(path) or is_pssm(path)


def read_aligned(path: Path, sequences: Sequences, settings: ChannelSettings) -> tuple[tuple[str, ...], Values]:
    """Read channels from alignments or profiles.

    Stockholm, aligned FASTA and MAF give one channel, the columns' conservation; A3M and PSI-BLAST's matrices
    give one for each amino acid, its log-odds. Rows are matched by name, also where the name of a row says which
    stretch of a sequence it is (`NAME/25-272`); MAF by the place of each block's first row. In a folder the file
    `NAME.…` belongs to sequence NAME, letters other than A–Z, a–z, 0–9, `.`, `+`, `-` written `_`, and in it the
    row of that name, or else the first.

    Args:
        path: File or folder.
        sequences: The sequences.
        settings: How columns are scored.

    Returns:
        What each channel is, empty where it is the only one; and the values of shape [channel, total positions],
        NaN where there are none.

    Raises:
        InputError: A file is damaged, a row differs from its sequence, or nothing belongs to any sequence.
    """
    if path.is_dir():
        rows = list(_folder_rows(path, sequences, settings))
    elif is_pssm(path):
        rows = [_pssm_row(path, _stem(path), sequences.alphabet)]
    else:
        alignments = read_alignments(path)
        if alignments[0].places and not set(alignments[0].names[:1]) & set(sequences.names):
            return ("",), _at_coordinates(alignments, sequences, settings)[None]
        rows = [row for alignment in alignments for row in _rows(alignment, sequences.alphabet, settings)]
    channels = {len(row.values) for row in rows}
    if len(channels) > 1:
        raise InputError("holds profiles and alignments; put them into two folders", path)
    number = channels.pop() if channels else 1
    values = np.full((number, len(sequences.codes)), np.nan, dtype=np.float32)
    if not _placed(rows, sequences, values):
        there = first_names([row.name for row in rows]) or "none that fits"
        raise InputError(
            f"has rows for none of the {len(sequences)} sequences: names here are {there}, names of the sequences "
            f"are {first_names(sequences.names)}; use the names of the sequences",
            path,
        )
    return tuple(sequences.alphabet.letters) if number > 1 else ("",), values


def _stem(path: Path) -> str:
    name = path.name
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return Path(name).stem


def _folder_rows(folder: Path, sequences: Sequences, settings: ChannelSettings) -> Iterator[_Row]:
    files = {_stem(file): file for file in sorted(folder.iterdir()) if file.is_file()}
    for name in sequences.names:
        file = files.get(name) or files.get(_UNSAFE.sub("_", name))
        if file is None:
            continue
        if is_pssm(file):
            yield _pssm_row(file, name, sequences.alphabet)
            continue
        alignment = read_alignments(file)[0]
        number = alignment.names.index(name) if name in alignment.names else 0
        (row,) = _rows(alignment, sequences.alphabet, settings, (number,))
        yield _Row(name, 0, row.letters, row.values, file, row.line)


def _pssm_row(path: Path, name: str, alphabet: Alphabet) -> _Row:
    _needs_protein(alphabet, path)
    matrix = read_pssm(path)
    return _Row(name, 0, matrix.letters, np.ascontiguousarray(matrix.log_odds.T), path, matrix.lines[0])


def _needs_protein(alphabet: Alphabet, path: Path) -> None:
    if alphabet.name != "protein":
        raise InputError(f"is a profile of amino acids, and the sequences are {alphabet.name}; give an alignment", path)


def _codes(alignment: Alignment, alphabet: Alphabet) -> Codes:
    """Return the columns' codes, shape [row, column]."""
    table = alphabet.code_of.copy()
    table[np.frombuffer(GAPS, dtype=np.uint8)] = GAP
    allowed = np.flatnonzero(alphabet.code_of != INVALID).astype(np.uint8).tobytes() + GAPS
    for row, line in zip(alignment.rows, alignment.lines, strict=True):
        strays = row.translate(None, allowed)
        if strays:
            message = f"letter {chr(strays[0])!r} is not {alphabet.name}; give an alignment of the sequences' kind"
            raise InputError(message, alignment.path, line)
    columns = alignment.columns()
    return table[np.frombuffer(b"".join(columns), dtype=np.uint8)].reshape(len(columns), -1)


def _column_values(alignment: Alignment, alphabet: Alphabet, settings: ChannelSettings) -> Values:
    """Return the values of each column, shape [channel, column]."""
    codes = _codes(alignment, alphabet)
    if alignment.insertions:
        _needs_protein(alphabet, alignment.path)
        return profile(codes, alphabet).T.astype(np.float32)
    scores = conservation(
        codes, alphabet, settings.column_score, window=settings.column_window, gap_penalty=settings.gap_penalty
    )
    return scores[None].astype(np.float32)


def _rows(
    alignment: Alignment, alphabet: Alphabet, settings: ChannelSettings, chosen: Sequence[int] | None = None
) -> Iterator[_Row]:
    """Return the rows asked for, by default all, with the values of their columns."""
    values = _column_values(alignment, alphabet, settings)
    padded = np.concatenate([values, np.full((len(values), 1), np.nan, dtype=np.float32)], axis=1)
    for number in range(len(alignment.rows)) if chosen is None else chosen:
        letters, column = alignment.letters_of(number)
        start = alignment.places[number].start if alignment.places else 0
        whole = not alignment.places
        name, line = alignment.names[number], alignment.lines[number]
        yield _Row(name, start, letters, padded[:, column], alignment.path, line, whole)


def _placed(rows: Sequence[_Row], sequences: Sequences, values: Values) -> int:
    """Write rows along the sequences that they belong to; return how many did."""
    index_of = {name: index for index, name in enumerate(sequences.names)}
    placed = 0
    for row in rows:
        index, fitted = index_of.get(row.name), row
        stretch = _STRETCH.fullmatch(row.name)
        if index is None and stretch is not None and stretch["name"] in index_of:
            index = index_of[stretch["name"]]
            fitted = replace(row, start=int(stretch["start"]) - 1, whole=False)
        if index is None:
            continue
        _check_letters(fitted, sequences[index], sequences.names[index], sequences.alphabet)
        first = int(sequences.offsets[index]) + fitted.start
        values[:, first : first + len(row.letters)] = row.values
        placed += 1
    return placed


def _check_letters(row: _Row, sequence: Codes, name: str, alphabet: Alphabet) -> None:
    """Refuse a row whose letters are not the sequence's; ambiguous letters fit any."""
    held = alphabet.encode_bytes(row.letters)
    there = sequence[max(row.start, 0) : row.start + len(held)]
    remedy = "align the very sequences that are given, or leave this row out"
    if len(there) != len(held) or (row.whole and len(held) != len(sequence)):
        message = f"row {row.name!r} has {len(held)} letters without its gaps, and {name!r} has {len(sequence)}"
        raise InputError(f"{message}; {remedy}", row.path, row.line)
    differ = np.flatnonzero((held != there) & (held < alphabet.size) & (there < alphabet.size))
    if len(differ):
        i = int(differ[0])
        message = (
            f"row {row.name!r} without its gaps differs from {name!r} at letter {row.start + i + 1}: "
            f"{chr(row.letters[i])} here, {alphabet.decode(there[i : i + 1])} there"
        )
        raise InputError(f"{message}; {remedy}", row.path, row.line)


def _at_coordinates(blocks: Sequence[Alignment], sequences: Sequences, settings: ChannelSettings) -> Values:
    """Lay MAF blocks along sequences with coordinates in their names, and check the letters."""
    path = blocks[0].path
    pieces, letters = [], []
    for block in blocks:
        (row,) = _rows(block, sequences.alphabet, settings, (0,))
        place = block.places[0]
        codes = sequences.alphabet.encode_bytes(row.letters)
        first, scores = place.start, row.values[0]
        if place.strand == "-":
            first, scores = place.source_size - place.start - len(codes), scores[::-1]
            codes = sequences.alphabet.reverse_complement(codes)
        chrom = place.source.partition(".")[2] or place.source
        starts = first + np.arange(len(codes), dtype=np.int64)
        pieces.append(Stretches(chrom, starts, starts + 1, scores))
        letters.append(Stretches(chrom, starts, starts + 1, codes.astype(np.float32)))
    values = read_stretches(path, sequences, pieces)
    _check_reference(read_stretches(path, sequences, letters), sequences, path)
    return values


def _check_reference(laid: Values, sequences: Sequences, path: Path) -> None:
    """Refuse blocks whose first rows are not the sequences; `laid` holds codes of the plus strand."""
    alphabet = sequences.alphabet
    codes = np.where(np.isnan(laid), alphabet.unknown, laid).astype(np.uint8)
    minus = np.repeat([name.endswith("(-)") for name in sequences.names], sequences.lengths)
    if alphabet.complement_codes is not None:
        codes = np.where(minus, alphabet.complement_codes[codes], codes)
    differ = np.flatnonzero((codes != sequences.codes) & (codes < alphabet.size) & (sequences.codes < alphabet.size))
    if len(differ):
        at = int(differ[0])
        index = int(np.searchsorted(sequences.offsets, at, "right")) - 1
        raise InputError(
            f"the first rows differ from {sequences.names[index]!r} at letter {at - int(sequences.offsets[index]) + 1} "
            f"(and {len(differ) - 1} more): {alphabet.decode(codes[at : at + 1])} here, "
            f"{alphabet.decode(sequences.codes[at : at + 1])} there; give an alignment to the same genome",
            path,
        )
