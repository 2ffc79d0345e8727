"""A set of named sequences of any lengths, held as one byte a letter."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Alphabet, Codes
from motifcnn.mapped import mapped_bytes

_BLOCK: Final = 1 << 13
"""Sequences taken at a time where something is made of each letter."""

_SMALL: Final = 1 << 27
"""Letters of a subset that are held in memory, wherever the whole is."""


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences end to end in one array.

    Args:
        names: One name a sequence.
        codes: Letter codes of all sequences, one after another, shape [total positions].
        offsets: Where each sequence starts in `codes`, and the end of the last, shape [sequence + 1].
        alphabet: The alphabet of the codes.
        on_disk: Whether the codes live in a file that is mapped into memory; so do those of subsets, then.
    """

    names: tuple[str, ...]
    codes: Codes
    offsets: npt.NDArray[np.int64]
    alphabet: Alphabet
    on_disk: bool = False

    @classmethod
    def from_list(cls, names: Sequence[str], sequences: Sequence[Codes], alphabet: Alphabet) -> Self:
        """Join sequences given one by one."""
        offsets = np.zeros(len(sequences) + 1, dtype=np.int64)
        np.cumsum([len(codes) for codes in sequences], out=offsets[1:])
        codes = np.concatenate(sequences) if len(sequences) else np.empty(0, dtype=np.uint8)
        return cls(tuple(names), codes, offsets, alphabet)

    @classmethod
    def joined(cls, parts: "Sequence[Sequences]") -> "Sequences":
        """Put sets of sequences of one alphabet after one another, in memory."""
        lengths = np.concatenate([part.lengths for part in parts])
        names = tuple(name for part in parts for name in part.names)
        codes = np.concatenate([part.codes for part in parts])
        return Sequences(names, codes, np.concatenate([[0], np.cumsum(lengths)]), parts[0].alphabet)

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
        on_disk = self.on_disk and offsets[-1] > _SMALL
        codes = mapped_bytes(int(offsets[-1])) if on_disk else np.empty(int(offsets[-1]), dtype=np.uint8)
        for first in range(0, len(indices), _BLOCK):  # positions take eight bytes a letter
            chosen = indices[first : first + _BLOCK]
            codes[offsets[first] : offsets[first + len(chosen)]] = self.codes[self.positions_of(chosen)]
        return Sequences(names, codes, offsets, self.alphabet, on_disk)

    def thinned(self, indices: npt.NDArray[np.int64], letters: int) -> npt.NDArray[np.int64]:
        """Return every so-manieth of some sequences, so that they have about so many letters at most."""
        return indices[:: max(1, -(-int(self.lengths[indices].sum()) // letters))]

    def blocks(self) -> Iterator["Sequences"]:
        """Yield all sequences in their order, some thousands at a time, as views."""
        for first in range(0, len(self), _BLOCK):
            offsets = self.offsets[first : first + _BLOCK + 1]
            names, codes = self.names[first : first + _BLOCK], self.codes[offsets[0] : offsets[-1]]
            yield Sequences(names, codes, offsets - offsets[0], self.alphabet)

    def cells(self, values: npt.NDArray[np.number] | npt.NDArray[np.bool_], form: str) -> list[str]:
        """Return a cell of a table for each sequence: a number for each of its letters, commas between them.

        Args:
            values: Shape [total positions].
            form: How a number is written, such as "%.6g"; true and false are always 1 and 0.
        """
        if values.dtype == np.bool_:  # a hundred times faster, at two bytes a letter
            text = np.full((len(values), 2), ord(","), dtype=np.uint8)
            text[:, 0] = values + np.uint8(ord("0"))
            digits, ends = text.tobytes().decode("ascii"), (2 * self.offsets).tolist()
            return [digits[start : max(start, end - 1)] for start, end in pairwise(ends)]
        return [",".join(part) for part in np.split(np.char.mod(form, values), self.offsets[1:-1])]

    def letter_frequencies(self) -> npt.NDArray[np.float64]:
        """Return the share of each letter, ambiguity codes left out, one of each added so that none is 0."""
        size = self.alphabet.size
        counts = np.ones(size)
        for block in self.blocks():  # bincount widens what it is given to eight bytes a letter
            counts += np.bincount(block.codes, minlength=size)[:size]
        return np.asarray(counts / counts.sum())

    def gc_content(self) -> npt.NDArray[np.float64]:
        """Return the share of G and C in each nucleotide sequence, ambiguity codes as fractions."""
        share = self.alphabet.fractions[:, [self.alphabet.letters.index(letter) for letter in "GC"]].sum(axis=1)
        sums = np.concatenate([[0.0], np.cumsum(share[self.codes], dtype=np.float64)])
        return np.asarray((sums[self.offsets[1:]] - sums[self.offsets[:-1]]) / np.maximum(self.lengths, 1))
