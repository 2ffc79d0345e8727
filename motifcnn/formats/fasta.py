"""FASTA: read whole and checked, streamed in bounded memory, written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import INVALID, Alphabet, Codes
from motifcnn.errors import InputError
from motifcnn.formats.fasta_text import (
    BLANKS,
    Softmask,
    check_fasta,
    choose_alphabet,
    first_word,
    named_twice,
    nameless,
    start_of_text,
    stray_letter,
    translation,
)
from motifcnn.formats.files import atomic_write, open_bytes, shown
from motifcnn.sequences import Sequences

_LINE_WIDTH: Final = 60
_BLOCK: Final = 1 << 22


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
    start = start_of_text(data)
    check_fasta(data[start : start + _BLOCK], path)
    records = _Records(data[start:].split(b"\n>"), data.count(b"\n", 0, start) + 1, path)
    del data
    names, bodies = records.names(), records.bodies()
    offsets = np.zeros(len(bodies) + 1, dtype=np.int64)
    np.cumsum([len(body) for body in bodies], out=offsets[1:])
    letters = bytearray().join(bodies)
    del bodies
    chosen = choose_alphabet(alphabet, _counted(letters))
    codes = np.frombuffer(letters.translate(translation(chosen, softmask)), dtype=np.uint8)
    if (codes == INVALID).any():
        number = int(np.searchsorted(offsets, int(np.argmax(codes == INVALID)), side="right")) - 1
        raise records.stray_letter(number, chosen, detected=alphabet == "auto")
    return Sequences(names, codes, offsets, chosen)


@dataclass(frozen=True)
class _Records:
    """The text of each record, and how to find its lines again for a message.

    Args:
        texts: Header (the ">" left out but for the first), newline, lines of letters.
        first_line: 1-based line of the first header.
        path: The file.
    """

    texts: list[bytes]
    first_line: int
    path: str | Path

    def names(self) -> tuple[str, ...]:
        headers = [text.partition(b"\n")[0] for text in self.texts]
        headers[0] = headers[0][1:]
        names = tuple(first_word(header) for header in headers)
        if "" in names:
            raise nameless(self.path, self._line(names.index("")))
        if len(set(names)) < len(names):
            first: dict[str, int] = {}
            for number, name in enumerate(names):
                if name in first:
                    raise named_twice(name, self._line(first[name]), self.path, self._line(number))
                first[name] = number
        return names

    def bodies(self) -> list[bytes]:
        """Return the letters of each record."""
        bodies = [text.partition(b"\n")[2].translate(None, BLANKS) for text in self.texts]
        if b"" in bodies:
            number = bodies.index(b"")
            name = first_word(self.texts[number].partition(b"\n")[0].removeprefix(b">"))
            message = f"{name!r} has no sequence; remove the record or add its letters"
            raise InputError(message, shown(self.path), self._line(number))
        return bodies

    def stray_letter(self, number: int, alphabet: Alphabet, *, detected: bool) -> InputError:
        """Return the fault of the first wrong letter of a record that has one."""
        body = self.texts[number].partition(b"\n")[2]
        return stray_letter(body, alphabet, self.path, self._line(number) + 1, detected=detected)

    def _line(self, number: int) -> int:
        return self.first_line + sum(text.count(b"\n") + 1 for text in self.texts[:number])


def _counted(letters: bytearray) -> npt.NDArray[np.int64]:
    counts = np.zeros(256, dtype=np.int64)
    seen = np.frombuffer(letters, dtype=np.uint8)
    for start in range(0, len(seen), _BLOCK):  # bincount widens what it is given to eight bytes a letter
        counts += np.bincount(seen[start : start + _BLOCK], minlength=256)
    return counts


def find_line(path: str | Path, name: str) -> int | None:
    """Return the 1-based line of a record's header, for a message; None for standard input, which is gone.

    Raises:
        InputError: The file cannot be read.
    """
    if str(path) == "-":
        return None
    with open_bytes(path) as file:
        for line, text in enumerate(file, 1):
            if text.startswith(b">") and first_word(text[1:]) == name:
                return line
    return None


class FastaChunk(NamedTuple):
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

    A record without sequence (a contig may have none) gives one chunk without letters.

    Args:
        path: FASTA, plain, gzip or bgzip; "-" for standard input.
        alphabet: Of the sequences.
        chunk: Most letters of a chunk; more than `overlap`.
        overlap: Letters that a chunk repeats of the one before.
        softmask: As in `read_fasta`.

    Raises:
        InputError: As for `read_fasta`.
    """
    if not 0 <= overlap < chunk:
        raise ValueError(f"chunk {chunk} must exceed overlap {overlap}")
    name: str | None = None
    waiting: list[Codes] = []
    start = length = 0
    for piece in pieces(path, alphabet, softmask):
        if isinstance(piece, str):
            if name is not None:
                yield FastaChunk(name, start, _joined(waiting), last=True)
            name, waiting, start, length = piece, [], 0, 0
            continue
        assert name is not None
        waiting.append(piece)
        length += len(piece)
        if length > chunk:
            codes, at = _joined(waiting), 0
            while length - at > chunk:
                yield FastaChunk(name, start + at, codes[at : at + chunk], last=False)
                at += chunk - overlap
            waiting, start, length = [codes[at:]], start + at, length - at
    if name is not None:
        yield FastaChunk(name, start, _joined(waiting), last=True)


def _joined(pieces: Sequence[Codes]) -> Codes:
    if len(pieces) == 1:
        return pieces[0]
    return np.concatenate(pieces) if pieces else np.empty(0, dtype=np.uint8)


def _blocks(file: BinaryIO, path: str | Path) -> Iterator[tuple[bytes, int]]:
    """Blocks of a file that begins like FASTA, each with the number of its first line."""
    line = 1
    began = False
    while block := file.read(_BLOCK):
        if not began:
            start = start_of_text(block)
            line += block.count(b"\n", 0, start)
            block = block[start:]
            if not block:
                continue
            check_fasta(block, path)
            began = True
        yield block, line
        line += int(np.count_nonzero(np.frombuffer(block, dtype=np.uint8) == ord("\n")))  # faster than bytes.count
    if not began:
        check_fasta(b"", path)


def pieces(
    path: str | Path, alphabet: Alphabet | None = None, softmask: Softmask = "keep", *, detected: bool = False
) -> Iterator[str | npt.NDArray[np.uint8]]:
    """Names of records, each followed by its letters in pieces: as codes of an alphabet, or as they stand.

    Raises:
        InputError: As for `read_fasta`, but for a record without letters.
    """
    table = translation(alphabet, softmask) if alphabet is not None else None
    first_lines: dict[str, int] = {}
    header: bytes | None = None  # the part of a header line that is already read
    line_begins = True
    with open_bytes(path) as file:
        for block, first_line in _blocks(file, path):
            line, position = first_line, 0
            while position < len(block):
                if header is None and line_begins and block[position] == ord(">"):
                    header = b""
                if header is not None:
                    end = block.find(b"\n", position)
                    header += block[position:] if end < 0 else block[position:end]
                    if end < 0:
                        break
                    yield _new_name(header, first_lines, path, line)
                    header, position, line = None, end + 1, line + 1
                    line_begins = True
                    continue
                end = _next_record(block, position)
                body = block[position:end]
                codes = body.translate(table, BLANKS)
                if alphabet is not None and INVALID in codes:
                    raise stray_letter(body, alphabet, path, line, detected=detected)
                yield np.frombuffer(codes, dtype=np.uint8)
                if end < len(block):  # otherwise the next block says in which line it begins
                    line += body.count(b"\n")
                line_begins = body.endswith(b"\n")
                position = end
        if header is not None:
            yield _new_name(header, first_lines, path, line)


def _next_record(block: bytes, position: int) -> int:
    """Return where the next line that begins with ">" does, or the end."""
    while (found := block.find(b">", position)) >= 0:  # many times faster than a search for two letters
        if found and block[found - 1] == ord("\n"):
            return found
        position = found + 1
    return len(block)


def _new_name(header: bytes, first_lines: dict[str, int], path: str | Path, line: int) -> str:
    name = first_word(header[1:])
    if not name:
        raise nameless(path, line)
    if name in first_lines:
        raise named_twice(name, first_lines[name], path, line)
    first_lines[name] = line
    return name


def write_fasta(path: str | Path, sequences: Sequences) -> None:
    """Write all records, 60 letters a line.

    Raises:
        MotifcnnError: As for `atomic_write`.
    """
    with atomic_write(path) as file:
        for index, name in enumerate(sequences.names):
            letters = sequences.alphabet.decode(sequences[index])
            lines = [letters[i : i + _LINE_WIDTH] for i in range(0, len(letters), _LINE_WIDTH)]
            file.write(("\n".join([f">{name}", *lines]) + "\n").encode())
