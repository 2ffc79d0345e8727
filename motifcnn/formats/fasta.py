"""FASTA: read whole and checked, streamed in bounded memory, written."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import ALPHABETS, INVALID, Alphabet, Codes, detect_alphabet
from motifcnn.errors import InputError
from motifcnn.formats.files import atomic_write, open_bytes
from motifcnn.sequences import Sequences

Softmask = Literal["keep", "mask"]
Bytes = npt.NDArray[np.uint8]

_NEWLINE, _HEADER = ord("\n"), ord(">")
_BLANK: Final = np.zeros(256, dtype=bool)
_BLANK[[ord(c) for c in " \t\r\n\v\f"]] = True
_LOWER: Final = np.zeros(256, dtype=bool)
_LOWER[ord("a") : ord("z") + 1] = True
_LINE_WIDTH = 60
_READ = 1 << 22


def _shown(path: str | Path) -> str:
    return "standard input" if str(path) == "-" else str(path)


def _check_text(data: bytes, path: str | Path) -> None:
    """Refuse what is no FASTA by its first bytes."""
    if b"\0" in data[:4096]:
        raise InputError("is a binary file; give FASTA", _shown(path))
    if not data.lstrip().startswith(b">"):
        raise InputError("is not FASTA: its first letter is not '>'", _shown(path), 1)


def read_fasta(path: str | Path, alphabet: str | Alphabet = "auto", softmask: Softmask = "keep") -> Sequences:
    """Read all records.

    Args:
        path: FASTA, plain, gzip or bgzip; "-" for standard input.
        alphabet: The alphabet or its name; "auto" finds it by composition.
        softmask: Keep lower-case letters, or mask them as the unknown letter.

    Raises:
        InputError: The file is missing, empty, binary, damaged or no FASTA, a name stands twice, a record has
            no sequence, or a letter is not in the alphabet.
    """
    with open_bytes(path) as file:
        data = file.read()
    if not data.strip():
        raise InputError("is empty; give FASTA with at least one sequence", _shown(path))
    _check_text(data, path)
    text = np.frombuffer(data, dtype=np.uint8)
    line_starts = np.concatenate([[0], np.flatnonzero(text == _NEWLINE) + 1])
    line_starts = line_starts[line_starts < len(text)]
    header_lines = np.flatnonzero(text[line_starts] == _HEADER)
    starts = line_starts[header_lines]
    body_lines = header_lines + 1
    ends = np.append(line_starts, len(text))[body_lines]
    names = [_name_of(data[a:b], path, int(line) + 1) for a, b, line in zip(starts, ends, header_lines, strict=True)]
    _check_unique(names, header_lines, path)
    is_letter = ~_BLANK[text]
    for a, b in zip(starts, ends, strict=True):
        is_letter[a:b] = False
    is_letter[: starts[0]] = False
    cumulative = np.concatenate([[0], np.cumsum(is_letter)])
    offsets = cumulative[np.append(starts, len(text))].astype(np.int64)
    _check_not_empty(names, offsets, header_lines, path)
    letters = text[is_letter]
    chosen = _chosen_alphabet(alphabet, letters)
    codes = chosen.code_of[letters]
    if (codes == INVALID).any():
        where = int(np.argmax(codes == INVALID))
        position = int(np.searchsorted(cumulative, where + 1)) - 1
        line = int(np.searchsorted(line_starts, position, side="right"))
        raise InputError(_stray(chr(letters[where]), chosen, alphabet == "auto"), _shown(path), line)
    if softmask == "mask":
        codes = np.where(_LOWER[letters], np.uint8(chosen.unknown), codes)
    return Sequences(tuple(names), codes, offsets, chosen)


def _name_of(header: bytes, path: str | Path, line: int) -> str:
    words = header[1:].split(None, 1)
    if not words:
        raise InputError("the record has no name; write one after '>'", _shown(path), line)
    return words[0].decode("utf-8", "replace")


def _check_unique(names: list[str], header_lines: npt.NDArray[np.int64], path: str | Path) -> None:
    seen: dict[str, int] = {}
    for name, line in zip(names, header_lines.tolist(), strict=True):
        if name in seen:
            raise InputError(
                f"the name {name!r} stands twice (first in line {seen[name]}); give every sequence its own",
                _shown(path),
                line + 1,
            )
        seen[name] = line + 1


def _check_not_empty(
    names: list[str], offsets: npt.NDArray[np.int64], header_lines: npt.NDArray[np.int64], path: str | Path
) -> None:
    empty = np.flatnonzero(np.diff(offsets) == 0)
    if empty.size:
        first = int(empty[0])
        raise InputError(
            f"{names[first]!r} has no sequence; remove the record", _shown(path), int(header_lines[first]) + 1
        )


def _chosen_alphabet(alphabet: str | Alphabet, letters: Bytes) -> Alphabet:
    if isinstance(alphabet, Alphabet):
        return alphabet
    if alphabet == "auto":
        return detect_alphabet(np.bincount(letters, minlength=256))
    return ALPHABETS[alphabet]


def _stray(letter: str, alphabet: Alphabet, detected: bool) -> str:
    if letter in "-.":
        return f"a gap {letter!r}: this looks like an alignment; remove the gaps"
    taken = f"the file was taken for {alphabet.name}" if detected else f"--alphabet {alphabet.name}"
    return f"{letter!r} is no letter of {alphabet.name} ({taken}); mend the sequence, or give the right --alphabet"


@dataclass(frozen=True, eq=False)
class FastaChunk:
    """A stretch of one record.

    Args:
        name: Name of the record.
        start: Position of the first letter in the record.
        codes: Letter codes.
        last: Whether the record ends here.
    """

    name: str
    start: int
    codes: Codes
    last: bool


def stream_fasta(
    path: str | Path, alphabet: Alphabet, *, chunk: int = 1 << 22, overlap: int = 0, softmask: Softmask = "keep"
) -> Iterator[FastaChunk]:
    """Read records piece by piece, in memory that does not grow with their length.

    A record without sequence gives one chunk without letters.

    Args:
        path: FASTA, plain, gzip or bgzip; "-" for standard input.
        alphabet: Of the sequences.
        chunk: Most letters of a chunk; more than `overlap`.
        overlap: Letters that a chunk repeats of the one before.
        softmask: As in `read_fasta`.

    Raises:
        InputError: As for `read_fasta`.
    """
    if chunk <= overlap:
        raise ValueError(f"chunk {chunk} must exceed overlap {overlap}")
    name: str | None = None
    kept, start = np.empty(0, dtype=np.uint8), 0
    for piece in _pieces(path, alphabet, softmask):
        if isinstance(piece, str):
            if name is not None:
                yield FastaChunk(name, start, kept, True)
            name, kept, start = piece, np.empty(0, dtype=np.uint8), 0
            continue
        assert name is not None
        kept = np.concatenate([kept, piece])
        while len(kept) > chunk:
            yield FastaChunk(name, start, kept[:chunk], False)
            start += chunk - overlap
            kept = kept[chunk - overlap :]
    if name is not None:
        yield FastaChunk(name, start, kept, True)


def _pieces(path: str | Path, alphabet: Alphabet, softmask: Softmask) -> Iterator[str | Codes]:
    """Names of records, each followed by the codes of its letters in pieces."""
    seen: dict[str, int] = {}
    line = 1
    rest = b""
    first = True
    with open_bytes(path) as file:
        while block := file.read(_READ):
            if first:
                block = block.lstrip() if block.strip() else block
                _check_text(block, path)
                first = False
            data = rest + block
            rest = b""
            position = 0
            while position < len(data):
                if data[position] == _HEADER:  # a line, or a block within a sequence, begins here
                    end = data.find(b"\n", position)
                    if end < 0:
                        rest = data[position:]
                        break
                    yield _new_name(data[position:end], seen, path, line)
                    line += 1
                    position = end + 1
                    continue
                end = data.find(b"\n>", position)
                end = len(data) if end < 0 else end + 1
                yield _letters(data[position:end], alphabet, softmask, path, line)
                line += data.count(b"\n", position, end)
                position = end
    if rest:
        yield _new_name(rest, seen, path, line)
    if first:
        raise InputError("is empty; give FASTA with at least one sequence", _shown(path))


def _new_name(header: bytes, seen: dict[str, int], path: str | Path, line: int) -> str:
    name = _name_of(header, path, line)
    if name in seen:
        raise InputError(
            f"the name {name!r} stands twice (first in line {seen[name]}); give every sequence its own",
            _shown(path),
            line,
        )
    seen[name] = line
    return name


def _letters(data: bytes, alphabet: Alphabet, softmask: Softmask, path: str | Path, line: int) -> Codes:
    text = np.frombuffer(data, dtype=np.uint8)
    is_letter = ~_BLANK[text]
    letters = text[is_letter]
    codes = alphabet.code_of[letters]
    if (codes == INVALID).any():
        where = int(np.flatnonzero(is_letter)[int(np.argmax(codes == INVALID))])
        raise InputError(_stray(chr(text[where]), alphabet, False), _shown(path), line + data.count(b"\n", 0, where))
    return np.where(_LOWER[letters], np.uint8(alphabet.unknown), codes) if softmask == "mask" else codes


def write_fasta(path: str | Path, sequences: Sequences) -> None:
    """Write all records, 60 letters a line."""
    with atomic_write(path) as file:
        for index, name in enumerate(sequences.names):
            letters = sequences.alphabet.decode(sequences[index])
            lines = [letters[i : i + _LINE_WIDTH] for i in range(0, len(letters), _LINE_WIDTH)]
            file.write(("\n".join([f">{name}", *lines]) + "\n").encode())
