"""Background files: letter and pair frequencies as MEME, FIMO and fasta-get-markov write them.

Specification: https://meme-suite.org/meme/doc/bfile-format.html
"""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Alphabet
from motifcnn.errors import InputError
from motifcnn.formats.files import open_bytes, shown

_SUM_TOLERANCE: Final = 0.01
"""MEME itself writes no more than three or four digits."""
_KNOWN_ORDERS: Final = {1: "letter", 2: "pair"}

Frequencies = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MarkovBackground:
    """A background model of order 0 or 1.

    Args:
        letters: Frequency of each letter, shape [letter]; sums to 1.
        pairs: Frequency of each pair of neighbours, shape [letter, next letter], sums to 1; None where not given.
    """

    letters: Frequencies
    pairs: Frequencies | None


def read_background(path: str | Path, alphabet: Alphabet) -> MarkovBackground:
    """Read a background file; words of three letters and more are passed over.

    Args:
        path: Lines of word and frequency, in either case; "#" begins a comment.
        alphabet: Of the motifs; T and U stand for one another.

    Raises:
        InputError: A line is broken, a word is missing or stands twice, a frequency is not above 0, or the
            frequencies of one length do not sum to 1.
    """
    found: dict[str, tuple[float, int]] = {}
    with open_bytes(path) as file:
        for line, raw in enumerate(file, 1):
            words = raw.decode("utf-8", "replace").lstrip("\ufeff").split("#", 1)[0].split()
            if not words:
                continue
            word, frequency = _entry(words, alphabet, path, line)
            if word in found:
                message = f"{word} stands twice (first in line {found[word][1]}); remove one of the lines"
                raise InputError(message, shown(path), line)
            found[word] = frequency, line
    frequencies = {word: frequency for word, (frequency, _) in found.items()}
    has_pairs = any(len(word) == 2 for word in frequencies)
    return MarkovBackground(
        _table(frequencies, 1, alphabet, path),
        _table(frequencies, 2, alphabet, path).reshape(alphabet.size, -1) if has_pairs else None,
    )


def _entry(words: list[str], alphabet: Alphabet, path: str | Path, line: int) -> tuple[str, float]:
    if len(words) != 2:
        found = " ".join(words)[:40]
        raise InputError(f"{found!r}; a word and its frequency are expected, as in `A 0.29`", shown(path), line)
    word = words[0].upper()
    if alphabet.size == 4:
        word = word.replace(*("UT" if "T" in alphabet.letters else "TU"))
    strange = next((letter for letter in word if letter not in alphabet.letters), None)
    if strange is not None:
        raise InputError(
            f"{words[0]!r} where words of the motifs' {alphabet.name} letters {alphabet.letters} are expected; "
            "give a background of the same alphabet, without ambiguity codes",
            shown(path),
            line,
        )
    try:
        frequency = float(words[1])
    except ValueError:
        frequency = np.nan
    if not 0 < frequency <= 1:
        message = f"a frequency of {words[1]} for {words[0]}; a number above 0 and up to 1 is needed"
        raise InputError(message, shown(path), line)
    return word, frequency


def _table(frequencies: dict[str, float], length: int, alphabet: Alphabet, path: str | Path) -> Frequencies:
    """Return the frequencies of all words of one length, scaled to sum to exactly 1."""
    kind = _KNOWN_ORDERS[length]
    words = ["".join(letters) for letters in product(alphabet.letters, repeat=length)]
    missing = [word for word in words if word not in frequencies]
    if missing:
        listed = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        raise InputError(f"has no frequency of {listed}; give one for every {kind} of {alphabet.letters}", shown(path))
    values = np.array([frequencies[word] for word in words])
    if abs(values.sum() - 1) > _SUM_TOLERANCE:
        hint = ": give each pair's own frequency, not the chance of its second letter" if length == 2 else ""
        raise InputError(f"{kind} frequencies that sum to {values.sum():.4g}; they must sum to 1{hint}", shown(path))
    return np.asarray(values / values.sum())
