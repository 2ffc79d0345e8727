"""What the readers and writers of motif files share: checked numbers, alphabets, where text goes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from motifcnn.alphabet import DNA, PROTEIN, Alphabet
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.files import write_text
from motifcnn.motifs import Matrix, Motif

Source = str | Path

SUM_TOLERANCE = 0.01
"""How far a row of probabilities may be from 1, as files of two or three decimals are."""

DEFAULT_SITES = 20.0
"""Sites of a motif whose file does not say how many (MEME's `nsites` default)."""

LARGEST_COUNT = 1e15
"""Above it sums lose whole counts; no experiment has so many sites."""


@dataclass(frozen=True)
class MotifRecord:
    """A motif and the 1-based line of its name."""

    motif: Motif
    line: int


def is_number(word: str) -> bool:
    """Whether a word reads as a number (nan and infinity among them)."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def row_of_numbers(words: Sequence[str], path: Source, line: int) -> list[float]:
    """Return the numbers of one matrix row.

    Raises:
        InputError: A word is no number, not finite, negative or absurdly large.
    """
    row = []
    for word in words:
        value = float(word) if is_number(word) else math.nan
        if not math.isfinite(value):
            raise InputError(f"{word!r} is not a number; a matrix row holds numbers only", path, line)
        if value < 0:
            raise InputError(
                f"{word} is negative, as in a log-odds matrix; give counts or probabilities instead", path, line
            )
        if value > LARGEST_COUNT:
            raise InputError(f"{word} is too large for a count; check the matrix", path, line)
        row.append(value)
    return row


def of_counts(name: str, alternate_name: str, counts: Matrix, alphabet: Alphabet, path: Source, line: int) -> Motif:
    """Make a motif of a matrix that may hold counts or probabilities.

    Args:
        name: Identifier.
        alternate_name: Second name.
        counts: Shape [position, letter]; taken as probabilities where every row sums to 1.
        alphabet: The alphabet of its letters.
        path: File, for the message.
        line: Line of the name, for the message.

    Raises:
        InputError: A position has no counts at all.
    """
    totals = counts.sum(axis=1)
    if (totals <= 0).any():
        position = int(np.argmax(totals <= 0)) + 1
        raise InputError(f"motif {name}: position {position} has no counts; remove it or give its counts", path, line)
    are_probabilities = bool((np.abs(totals - 1.0) <= SUM_TOLERANCE).all())
    sites = DEFAULT_SITES if are_probabilities else float(totals.max())
    return Motif(name, counts / totals[:, None], alphabet, sites=sites, alternate_name=alternate_name)


def reconciled(found: Alphabet, wanted: Alphabet | None, path: Source, line: int | None) -> Alphabet:
    """Return the alphabet to read a file in: the wanted one where the columns mean the same.

    DNA and RNA stand for one another (the same four columns); protein and nucleotides do not.

    Raises:
        InputError: The file is of another alphabet than the one wanted.
    """
    if wanted is None:
        return found
    if wanted.size != found.size:
        raise InputError(
            f"holds {found.name} motifs where {wanted.name} is needed; give a file of {wanted.name} motifs", path, line
        )
    return wanted


def alphabet_of_size(columns: int, wanted: Alphabet | None, path: Source, line: int) -> Alphabet:
    """Return the alphabet with so many letters, for a matrix whose letters are not named.

    Raises:
        InputError: No alphabet has so many letters, or the wanted one has not.
    """
    found = next((alphabet for alphabet in (DNA, PROTEIN) if alphabet.size == columns), None)
    if found is None:
        raise InputError(f"a row of {columns} numbers; 4 are needed for DNA and RNA, 20 for protein", path, line)
    return reconciled(found, wanted, path, line)


def common_alphabet(motifs: Sequence[Motif]) -> Alphabet:
    """Return the alphabet of motifs that go into one file.

    Raises:
        MotifcnnError: They are of several alphabets.
    """
    names = sorted({motif.alphabet.name for motif in motifs})
    if len(names) > 1:
        raise MotifcnnError(f"motifs of {' and '.join(names)} in one file; write a file for each alphabet")
    return motifs[0].alphabet


def one_word(text: str) -> str:
    """Return text with its white space replaced, for formats whose fields end at a space."""
    return "_".join(text.split())


def count_text(motif: Motif) -> list[list[str]]:
    """Return letter counts, shape [position, letter]: whole where they are whole, else to six decimals."""
    counts = motif.probabilities * max(motif.sites, 1.0)
    whole = np.rint(counts)
    if np.abs(counts - whole).max() < 5e-7:
        return [[str(int(value)) for value in row] for row in whole]
    return [[f"{value:.6f}" for value in row] for row in counts]


def deliver(target: Source | TextIO, text: str) -> None:
    """Write text to a path (whole or not at all) or to an open text file."""
    if isinstance(target, (str, Path)):
        write_text(target, text)
    else:
        target.write(text)
