"""FASTA of any size, read once: names in memory, letters in a temporary file."""

import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from motifcnn.alphabet import INVALID, Alphabet
from motifcnn.errors import InputError
from motifcnn.formats.fasta import Softmask, choose_alphabet, find_line, pieces, translation
from motifcnn.formats.files import shown
from motifcnn.mapped import mapped_bytes
from motifcnn.sequences import Sequences

_BLOCK: Final = 1 << 22
_TEXT_MEMORY: Final = 6
"""Bytes of memory that `read_fasta` takes for each byte of a file at its peak."""
_PACKED: Final = 4
"""Letters that a byte of a gzip file holds, about."""


def memory_to_read(path: str | Path) -> int:
    """Return about how many bytes of memory `read_fasta` takes; 0 where the size of the file is not known."""
    if str(path) == "-" or not Path(path).is_file():
        return 0
    with Path(path).open("rb") as file:
        packed = _PACKED if file.read(2) == b"\x1f\x8b" else 1
    return Path(path).stat().st_size * packed * _TEXT_MEMORY


def store_fasta(path: str | Path, alphabet: str | Alphabet = "auto", softmask: Softmask = "keep") -> Sequences:
    """Read all records as `read_fasta` does, with their letters in a temporary file that is mapped into memory.

    Args:
        path: As in `read_fasta`.
        alphabet: As in `read_fasta`.
        softmask: As in `read_fasta`.

    Raises:
        InputError: As in `read_fasta`.
        MotifcnnError: The temporary folder is full.
    """
    names: list[str] = []
    lengths: list[int] = []
    counts = np.zeros(256, dtype=np.int64)
    with tempfile.TemporaryFile() as text:
        for piece in pieces(path):
            if isinstance(piece, str):
                names.append(piece)
                lengths.append(0)
            else:
                text.write(piece.tobytes())
                lengths[-1] += len(piece)
                counts += np.bincount(piece, minlength=256)
        offsets = np.zeros(len(names) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        if 0 in lengths:
            name = names[lengths.index(0)]
            message = f"{name!r} has no sequence; remove the record or add its letters"
            raise InputError(message, shown(path), find_line(path, name))
        chosen = choose_alphabet(alphabet, counts)
        table = np.frombuffer(translation(chosen, softmask), dtype=np.uint8)
        codes = mapped_bytes(int(offsets[-1]))
        text.seek(0)
        for start in range(0, len(codes), _BLOCK):
            letters = np.frombuffer(text.read(_BLOCK), dtype=np.uint8)
            translated = table[letters]
            if (translated == INVALID).any():
                raise _stray_letter(path, chosen, detected=alphabet == "auto")
            codes[start : start + len(letters)] = translated
    return Sequences(tuple(names), codes, offsets, chosen, on_disk=True)


def _stray_letter(path: str | Path, alphabet: Alphabet, *, detected: bool) -> InputError:
    """Read again up to the first wrong letter, to say where it is."""
    try:
        if str(path) != "-":
            for _ in pieces(path, alphabet, detected=detected):
                pass
    except InputError as error:
        return error
    message = f"holds letters that are not of {alphabet.name}; give it as a file to be told which, or give --alphabet"
    return InputError(message, shown(path))
