"""A set of named sequences of any lengths, held as one byte a letter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Alphabet, Codes


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences end to end in one array.

    Args:
        names: One name a sequence.
        codes: Letter codes of all sequences, one after another, shape [total positions].
        offsets: Where each sequence starts in `codes`, and the end of the last, shape [sequence + 1].
        alphabet: The alphabet of the codes.
    """

    names: tuple[str, ...]
    codes: Codes
    offsets: npt.NDArray[np.int64]
    alphabet: Alphabet

    @classmethod
    def from_list(cls, names: Sequence[str], sequences: Sequence[Codes], alphabet: Alphabet) -> Self:
        """Join sequences given one by one."""
        offsets = np.zeros(len(sequences) + 1, dtype=np.int64)
        np.cumsum([len(codes) for codes in sequences], out=offsets[1:])
        codes = np.concatenate(sequences) if len(sequences) else np.empty(0, dtype=np.uint8)
        return cls(tuple(names), codes, offsets, alphabet)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Codes:
        """Return the codes of one sequence, a view."""
        return self.codes[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of letters of each sequence."""
        return np.diff(self.offsets)

    def positions_of(self, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the positions in `codes` of some sequences, one after another."""
        lengths = self.lengths[indices]
        ends = np.cumsum(lengths)
        within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - lengths, lengths)
        return np.repeat(self.offsets[indices], lengths) + within

    def subset(self, indices: npt.NDArray[np.int64]) -> "Sequences":
        """Return some of the sequences, in the order of the indices."""
        offsets = np.zeros(len(indices) + 1, dtype=np.int64)
        np.cumsum(self.lengths[indices], out=offsets[1:])
        names = tuple(self.names[int(index)] for index in indices)
        return Sequences(names, self.codes[self.positions_of(indices)], offsets, self.alphabet)

    def letter_frequencies(self) -> npt.NDArray[np.float64]:
        """Return the share of each letter, ambiguity codes left out, one of each added so that none is 0."""
        counts = np.bincount(self.codes, minlength=self.alphabet.size)[: self.alphabet.size] + 1.0
        return np.asarray(counts / counts.sum())

    def gc_content(self) -> npt.NDArray[np.float64]:
        """Return the share of G and C in each nucleotide sequence, ambiguity codes as fractions."""
        share = self.alphabet.fractions[:, [self.alphabet.letters.index(letter) for letter in "GC"]].sum(axis=1)
        sums = np.concatenate([[0.0], np.cumsum(share[self.codes], dtype=np.float64)])
        return np.asarray((sums[self.offsets[1:]] - sums[self.offsets[:-1]]) / np.maximum(self.lengths, 1))
