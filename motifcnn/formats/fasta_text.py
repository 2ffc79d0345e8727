"""What FASTA looks like, and what is said where a file does not."""

import re
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import ALPHABETS, INVALID, Alphabet, detect_alphabet
from motifcnn.errors import InputError
from motifcnn.formats.files import shown

Softmask = Literal["keep", "mask"]

BLANKS: Final = b" \t\r\n\v\f"
_CONTROLS: Final = bytes(byte for byte in range(32) if byte not in BLANKS)
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BED: Final = re.compile(rb"(browser|track)\s|\S+\s+\d+\s+\d+(\s|$)")
_FOREIGN: Final = {
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}


def start_of_text(data: bytes) -> int:
    """Position of the first letter that is no blank, byte order mark or line of comment (`#`)."""
    start = len(_BYTE_ORDER_MARK) if data.startswith(_BYTE_ORDER_MARK) else 0
    while start < len(data) and data[start] in b"#" + BLANKS:
        end = data.find(b"\n", start) if data[start] in b"#" else start
        start = len(data) if end < 0 else end + 1
    return start


def check_fasta(head: bytes, path: str | Path) -> None:
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


def first_word(header: bytes) -> str:
    """Return the name in a header whose ">" is left out; nothing where there is none."""
    words = header.split(None, 1)
    return words[0].decode("utf-8", "replace") if words else ""


def nameless(path: str | Path, line: int) -> InputError:
    """Return the fault of a record without a name."""
    return InputError("the record has no name; write one after '>'", shown(path), line)


def named_twice(name: str, first_line: int, path: str | Path, line: int) -> InputError:
    """Return the fault of a record with the name of another one."""
    message = f"the name {name!r} stands twice (first in line {first_line}); give every sequence its own"
    return InputError(message, shown(path), line)


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


def stray_letter(body: bytes, alphabet: Alphabet, path: str | Path, line: int, *, detected: bool) -> InputError:
    """Return the fault of the first letter in `body`, whose first line is `line`, that is not in the alphabet."""
    known = BLANKS + bytes(np.flatnonzero(alphabet.code_of != INVALID).tolist())
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
