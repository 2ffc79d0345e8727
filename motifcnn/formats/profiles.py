"""Position-specific scoring matrices as PSI-BLAST writes them (`-out_ascii_pssm`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import PROTEIN
from motifcnn.errors import InputError
from motifcnn.formats.files import open_bytes

_LETTERS: Final = PROTEIN.letters
_SIZE: Final = len(_LETTERS)


@dataclass(frozen=True, eq=False)
class Profile:
    """Log-odds along one sequence.

    Args:
        letters: The sequence.
        log_odds: Shape [position, letter], letters in the order of `alphabet.PROTEIN`.
        lines: Line of each position, from 1.
    """

    letters: bytes
    log_odds: npt.NDArray[np.float32]
    lines: tuple[int, ...]


def is_pssm(path: str | Path) -> bool:
    """Tell whether a file holds a position-specific scoring matrix."""
    with open_bytes(path) as file:
        start = file.read(4096)
    return any(_header(line) for line in start.splitlines())


def read_pssm(path: Path) -> Profile:
    """Read a matrix: a line of letters, then number, letter and at least 20 log-odds a line.

    Raises:
        InputError: The file is damaged.
    """
    order: list[int] | None = None
    letters, rows, lines = bytearray(), [], []
    with open_bytes(path) as file:
        for number, line in enumerate(file, start=1):
            fields = line.split()
            if order is None:
                order = _header(line)
            elif fields and fields[0].isdigit():
                values = _values(fields, path, number)
                letters += fields[1]
                rows.append([values[place] for place in order])
                lines.append(number)
            elif rows:
                break  # statistics follow the matrix
    if order is None or not rows:
        raise InputError("holds no matrix; give what PSI-BLAST writes with -out_ascii_pssm", path)
    return Profile(bytes(letters).upper(), np.array(rows, dtype=np.float32), tuple(lines))


def _header(line: bytes) -> list[int] | None:
    """Return where each letter of the alphabet stands in a line of letters; None if it is no such line."""
    words = line.decode("ascii", "replace").split()[:_SIZE]
    return [words.index(letter) for letter in _LETTERS] if sorted(words) == sorted(_LETTERS) else None


def _values(fields: list[bytes], path: Path, line: int) -> list[float]:
    try:
        values = [float(field) for field in fields[2 : 2 + _SIZE]]
    except ValueError:
        values = []
    if len(values) != _SIZE or len(fields[1]) != 1:
        raise InputError(f"number, letter and {_SIZE} log-odds are needed in this line", path, line)
    return values
