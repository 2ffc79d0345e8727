"""FASTA of any size, read once: names in memory, letters in a temporary file."""

import tempfile
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import INVALID, Alphabet
from motifcnn.errors import InputError
from motifcnn.formats.fasta import find_line, pieces
from motifcnn.formats.fasta_text import Softmask, choose_alphabet, translation
from motifcnn.formats.files import shown
from motifcnn.mapped import map_file, temporary_file
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


class Processes(Protocol):
    """Processes of one machine that read the same file; `motifcnn.ranks.Ranks` says what the methods do."""

    @property
    def is_first_here(self) -> bool:
        """Whether this is the first of them."""
        ...

    def share_file(self, file: BinaryIO | None) -> BinaryIO | None:
        """Return the file that the first has open; None where another does not see it."""
        ...


def store_fasta(
    path: str | Path, alphabet: str | Alphabet = "auto", softmask: Softmask = "keep", processes: Processes | None = None
) -> Sequences:
    """Read all records as `read_fasta` does, with their letters in a temporary file that is mapped into memory.

    Args:
        path: As in `read_fasta`.
        alphabet: As in `read_fasta`.
        softmask: As in `read_fasta`.
        processes: Of this machine, all of which call this with the same file: the first stores the letters, and the
            others map them too. By default this one is alone.

    Raises:
        InputError: As in `read_fasta`.
        MotifcnnError: The temporary folder is full.
    """
    stores = processes is None or processes.is_first_here
    with tempfile.TemporaryFile() as text:
        names, offsets, counts = _read(path, text if stores else None)
        chosen = choose_alphabet(alphabet, counts)
        table = np.frombuffer(translation(chosen, softmask), dtype=np.uint8)
        if (table[counts > 0] == INVALID).any():
            raise _stray_letter(path, chosen, detected=alphabet == "auto")
        if stores:
            with temporary_file(int(offsets[-1])) as file:
                codes = map_file(file)
                text.seek(0)
                for start in range(0, len(codes), _BLOCK):
                    letters = np.frombuffer(text.read(_BLOCK), dtype=np.uint8)
                    codes[start : start + len(letters)] = table[letters]
                if processes is not None:
                    processes.share_file(file)
            return Sequences(names, codes, offsets, chosen, on_disk=True)
    assert processes is not None
    stored = processes.share_file(None)
    if stored is None:
        return store_fasta(path, alphabet, softmask)
    with stored:
        return Sequences(names, map_file(stored), offsets, chosen, on_disk=True)


def _read(
    path: str | Path, text: BinaryIO | None
) -> tuple[tuple[str, ...], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the names, where each sequence starts and the last ends, and how often each byte stands; keep the text."""
    names: list[str] = []
    lengths: list[int] = []
    counts = np.zeros(256, dtype=np.int64)
    for piece in pieces(path):
        if isinstance(piece, str):
            names.append(piece)
            lengths.append(0)
        else:
            if text is not None:
                text.write(piece.tobytes())
            lengths[-1] += len(piece)
            counts += np.bincount(piece, minlength=256)
    if 0 in lengths:
        name = names[lengths.index(0)]
        message = f"{name!r} has no sequence; remove the record or add its letters"
        raise InputError(message, shown(path), find_line(path, name))
    offsets = np.zeros(len(names) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return tuple(names), offsets, counts


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
