"""FASTA: read whole and checked, streamed in bounded memory, written."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import ALPHABETS, INVALID, Alphabet, Codes, detect_alphabet
from motifcnn.errors import InputError
from motifcnn.formats.files import atomic_write, open_bytes, shown
from motifcnn.sequences import Sequences

Softmask = Literal["keep", "mask"]

_BLANKS: Final = b" \t\r\n\v\f"
_CONTROLS: Final = bytes(byte for byte in range(32) if byte not in _BLANKS)
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_LINE_WIDTH: Final = 60
_BLOCK: Final = 1 << 22
_BED: Final = re.compile(rb"(browser|track)\s|\S+\s+\d+\s+\d+(\s|$)")
_FOREIGN: Final = {
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}


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
    _check_fasta(data[start : start + _BLOCK], path)
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
        names = tuple(_first_word(header) for header in headers)
        if "" in names:
            raise _no_name(self.path, self._line(names.index("")))
        if len(set(names)) < len(names):
            first: dict[str, int] = {}
            for number, name in enumerate(names):
                if name in first:
                    raise _twice(name, self._line(first[name]), self.path, self._line(number))
                first[name] = number
        return names

    def bodies(self) -> list[bytes]:
        """Return the letters of each record."""
        bodies = [text.partition(b"\n")[2].translate(None, _BLANKS) for text in self.texts]
        if b"" in bodies:
            number = bodies.index(b"")
            name = _first_word(self.texts[number].partition(b"\n")[0].removeprefix(b">"))
            message = f"{name!r} has no sequence; remove the record or add its letters"
            raise InputError(message, shown(self.path), self._line(number))
        return bodies

    def stray_letter(self, number: int, alphabet: Alphabet, *, detected: bool) -> InputError:
        """Return the fault of the first wrong letter of a record that has one."""
        body = self.texts[number].partition(b"\n")[2]
        return _stray_letter(body, alphabet, self.path, self._line(number) + 1, detected=detected)

    def _line(self, number: int) -> int:
        return self.first_line + sum(text.count(b"\n") + 1 for text in self.texts[:number])


def start_of_text(data: bytes) -> int:
    """Position of the first letter that is no blank, byte order mark or line of comment (`#`)."""
    start = len(_BYTE_ORDER_MARK) if data.startswith(_BYTE_ORDER_MARK) else 0
    while start < len(data) and data[start] in b"#" + _BLANKS:
        end = data.find(b"\n", start) if data[start] in b"#" else start
        start = len(data) if end < 0 else end + 1
    return start


def _check_fasta(head: bytes, path: str | Path) -> None:
    """Refuse what is no FASTA by how it begins."""
    if not head:
        raise InputError("is empty; give FASTA with at least one sequence", shown(path))
    for magic, kind in _FOREIGN.items():
        if head.startswith(magic):
            raise InputError(f"is compressed by {kind}; unpack it, or compress it by gzip or bgzip", shown(path))
    first = head[:4096]
    if len(first.translate(None, _CONTROLS)) < len(first):
        raise InputError("is a binary file; give FASTA", shown(path))
    if not head.startswith(b">"):
        begins = first.split(b"\n", 1)[0][:20].decode("ascii", "replace").rstrip()
        kind = "FASTQ; convert it to FASTA" if head.startswith(b"@") else f"{begins!r}; give FASTA"
        if str(path) == "-" and _BED.match(first):
            kind = f"{begins!r}, as BED does, which commands with --genome read, and from files only; give FASTA"
        raise InputError(f"is not FASTA: it begins with {kind}, where records begin with '>'", shown(path))
    if b"\r" in head[:-1] and b"\n" not in head:  # a block may end between the two of "\r\n"
        raise InputError("has the line ends of an old Macintosh; convert them (tr '\\r' '\\n')", shown(path))


def _first_word(header: bytes) -> str:
    words = header.split(None, 1)
    return words[0].decode("utf-8", "replace") if words else ""


def _no_name(path: str | Path, line: int) -> InputError:
    return InputError("the record has no name; write one after '>'", shown(path), line)


def _twice(name: str, first_line: int, path: str | Path, line: int) -> InputError:
    message = f"the name {name!r} stands twice (first in line {first_line}); give every sequence its own"
    return InputError(message, shown(path), line)


def _counted(letters: bytearray) -> npt.NDArray[np.int64]:
    counts = np.zeros(256, dtype=np.int64)
    seen = np.frombuffer(letters, dtype=np.uint8)
    for start in range(0, len(seen), _BLOCK):  # bincount widens what it is given to eight bytes a letter
        counts += np.bincount(seen[start : start + _BLOCK], minlength=256)
    return counts


def choose_alphabet(alphabet: str | Alphabet, counts: npt.NDArray[np.int64]) -> Alphabet:
    """Return the alphabet asked for; for "auto" that which goes with how often each byte occurs."""
    if isinstance(alphabet, Alphabet):
        return alphabet
    return detect_alphabet(counts) if alphabet == "auto" else ALPHABETS[alphabet]


def translation(alphabet: Alphabet, softmask: Softmask) -> bytes:
    """Table from byte to code, for `bytes.translate`, the fastest way there is."""
    table = alphabet.code_of.copy()
    if softmask == "mask":
        lower = table[ord("a") : ord("z") + 1]
        lower[lower != INVALID] = alphabet.unknown
    return table.tobytes()


def _stray_letter(body: bytes, alphabet: Alphabet, path: str | Path, line: int, *, detected: bool) -> InputError:
    """Return the fault of the first letter in `body`, whose first line is `line`, that is not in the alphabet."""
    known = _BLANKS + bytes(np.flatnonzero(alphabet.code_of != INVALID).tolist())
    stray = body.translate(None, known)[:1]
    line += body.count(b"\n", 0, body.index(stray))
    letter = stray.decode("ascii", "replace")
    if letter in "-.":
        message = f"a gap {letter!r}: this is an alignment; remove the gaps from its sequences"
    elif not letter.isprintable() or not letter.isascii():
        message = f"byte 0x{stray[0]:02x} is no letter; the file is damaged or no FASTA: copy or convert it again"
    else:
        message = f"{letter!r} is no letter of {alphabet.name}, {_remedy(stray, alphabet, detected=detected)}"
    return InputError(message, shown(path), line)


def _remedy(letter: bytes, alphabet: Alphabet, *, detected: bool) -> str:
    """Say what to do about a letter that is not in the alphabet; name only alphabets that have it."""
    if not detected:
        return f"and {alphabet.name} is what is read here; correct it, or give sequences of {alphabet.name}"
    others = [name for name, other in ALPHABETS.items() if other.code_of[ord(letter)] != INVALID]
    choice = f", or give --alphabet {' or '.join(others)}" if others else ""
    return f"for which the file was taken; correct it{choice}"


def find_line(path: str | Path, name: str) -> int | None:
    """Return the 1-based line of a record's header, for a message; None for standard input, which is gone.

    Raises:
        InputError: The file cannot be read.
    """
    if str(path) == "-":
        return None
    with open_bytes(path) as file:
        for line, text in enumerate(file, 1):
            if text.startswith(b">") and _first_word(text[1:]) == name:
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
            _check_fasta(block, path)
            began = True
        yield block, line
        line += int(np.count_nonzero(np.frombuffer(block, dtype=np.uint8) == ord("\n")))  # faster than bytes.count
    if not began:
        _check_fasta(b"", path)


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
                codes = body.translate(table, _BLANKS)
                if alphabet is not None and INVALID in codes:
                    raise _stray_letter(body, alphabet, path, line, detected=detected)
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
    name = _first_word(header[1:])
    if not name:
        raise _no_name(path, line)
    if name in first_lines:
        raise _twice(name, first_lines[name], path, line)
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
