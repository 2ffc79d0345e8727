"""Sequences and scores three letters at a time: one look-up in place of three, for models read at every window."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from motifcnn.motifs import Matrix
from motifcnn.sequences import Sequences

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TripletSequences:
    """Sequences letter by letter, and three letters at a time.

    Args:
        letters: Codes of all sequences, one after another; all ambiguity codes are one, the size of the alphabet.
        triplets: Code of the letter at each position and the two after it.
        offsets: Where each sequence starts, and the end of the last.
    """

    letters: Integers
    triplets: Integers
    offsets: Integers

    @classmethod
    def of(cls, sequences: Sequences) -> "TripletSequences":
        """Encode sequences."""
        size = sequences.alphabet.size + 1  # all ambiguity codes are one
        letters = np.minimum(sequences.codes.astype(np.int64), size - 1)
        ahead = np.concatenate([letters, np.full(2, size - 1)])
        return cls(letters, (ahead[:-2] * size + ahead[1:-1]) * size + ahead[2:], sequences.offsets)


def triplet_scores(strands: Matrix) -> Matrix:
    """Add up the scores of three positions at a time.

    Args:
        strands: Shape [strand, position, letter].

    Returns:
        Shape [strand, triplet, code of three letters]. A letter that is none scores minus infinity;
        positions that fill up the last triplet score 0.
    """
    number, width, letters = strands.shape
    triplets = -(-width // 3)
    single = np.zeros((number, 3 * triplets, letters + 1))
    single[:, :width, :letters] = strands
    single[:, :width, letters] = -np.inf
    first, second, third = (single[:, place::3] for place in range(3))
    sums = first[:, :, :, None, None] + second[:, :, None, :, None] + third[:, :, None, None, :]
    return np.ascontiguousarray(sums.reshape(number, triplets, -1))
