"""Gapped words: short words with free positions, counted; the explicit form of the gapped-k-mer kernel.

A gapped word fixes `informative` letters within a window of `length` and leaves the others free. The kernel of
gkm-SVM (Ghandi et al. 2014, PLoS Comput Biol 10:e1003711) is the dot product of such counts; with short windows the
counts fit in memory, and a linear model over them learns in seconds what the kernel's takes minutes for.
"""

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Alphabet
from motifcnn.errors import MotifcnnError
from motifcnn.sequences import Sequences

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Mask = tuple[int, ...]
Integers = npt.NDArray[np.int64]

_SIZES: Final = {"dna": (8, 6), "rna": (8, 6), "protein": (5, 3)}
"""(length, informative); for DNA 7 to 10 and 5 or 6 were tried on folds of the development sets' training files."""
_MOST_BYTES: Final = 2**32
"""Counts may take 4 GiB; a few million letters of DNA."""
_BYTES_A_COUNT: Final = 8
"""A float32 and an int32 index in the sparse matrix."""


@dataclass(frozen=True)
class GappedWords:
    """Which gapped words are counted.

    Two that differ by a shift within the window are one, counted once and weighted by the root of the number of
    shifts; on both strands two that are each other's reverse complement are one, weighted by the root of 2. So
    dot products are those of the plain counts.

    Args:
        alphabet: Letters of the words.
        length: Longest span of a word, in letters.
        informative: Fixed letters of a word, from 2 to `length`.
        both_strands: Count the words of the reverse complement too.
    """

    alphabet: Alphabet
    length: int
    informative: int
    both_strands: bool

    @classmethod
    def for_alphabet(cls, alphabet: Alphabet, *, both_strands: bool) -> Self:
        """Return words of a size that suits an alphabet."""
        return cls(alphabet, *_SIZES[alphabet.name], both_strands)

    @cached_property
    def masks(self) -> tuple[Mask, ...]:
        """Fixed positions of each kind of word, the first of them 0; of two that mirror each other, the smaller."""
        inner = itertools.combinations(range(1, self.length), self.informative - 1)
        masks = [(0, *rest) for rest in inner]
        return tuple(mask for mask in masks if not self.both_strands or mask <= _mirrored(mask))

    @property
    def words(self) -> int:
        """Number of words of one mask."""
        return int(self.alphabet.size**self.informative)

    def counts(self, sequences: Sequences) -> "csr_matrix":
        """Return the weighted counts, shape [example, mask × word], float32; words over ambiguity codes are left out.

        Word w of mask m stands in column m · `words` + w; its letters are the digits of w, the first one highest.

        Raises:
            MotifcnnError: The counts would not fit in memory.
        """
        from scipy.sparse import csr_matrix, hstack

        needed = len(sequences.codes) * (1 + self.both_strands) * len(self.masks) * _BYTES_A_COUNT
        if needed > _MOST_BYTES:
            raise MotifcnnError(
                f"gapped words of {len(sequences.codes):,} letters would take {needed / 2**30:.0f} GiB; "
                "leave the gapped-word model out, or give fewer or shorter sequences"
            )
        return csr_matrix(hstack([self._counts_of(mask, sequences) for mask in self.masks], format="csr"))

    def _counts_of(self, mask: Mask, sequences: Sequences) -> "csr_matrix":
        from scipy.sparse import csr_matrix

        owners = np.repeat(np.arange(len(sequences), dtype=np.int32), sequences.lengths)
        rows, words = _words_at(mask, sequences.codes, owners, self.alphabet.size)
        weight = np.full(self.words, np.sqrt(self.length - mask[-1]), dtype=np.float32)
        if self.both_strands:
            complement = self.alphabet.complement_codes
            assert complement is not None
            other = _words_at(mask, complement[sequences.codes[::-1]], owners[::-1], self.alphabet.size)
            rows, words = np.concatenate([rows, other[0]]), np.concatenate([words, other[1]])
            weight *= np.sqrt(2, dtype=np.float32)
            if mask == _mirrored(mask):
                turned = self._reverse_complements()
                weight[turned == np.arange(self.words)] /= np.sqrt(2, dtype=np.float32)
                kept = words <= turned[words]
                rows, words = rows[kept], words[kept]
        counts = csr_matrix((np.ones(len(rows), np.float32), (rows, words)), shape=(len(sequences), self.words))
        counts.data *= weight[counts.indices]
        return counts

    def _reverse_complements(self) -> Integers:
        """Number of each word's reverse complement."""
        complement = self.alphabet.complement_codes
        assert complement is not None
        left, turned = np.arange(self.words), np.zeros(self.words, dtype=np.int64)
        for _ in range(self.informative):
            turned = turned * self.alphabet.size + complement[left % self.alphabet.size]
            left = left // self.alphabet.size
        return turned


def _mirrored(mask: Mask) -> Mask:
    return tuple(mask[-1] - position for position in reversed(mask))


def _words_at(
    mask: Mask, codes: npt.NDArray[np.uint8], owners: npt.NDArray[np.int32], size: int
) -> tuple[npt.NDArray[np.int32], Integers]:
    """Return owner and number of the word at each place where all its span is letters proper of one sequence."""
    places = max(len(codes) - mask[-1], 0)
    if not places:
        return np.empty(0, np.int32), np.empty(0, np.int64)
    clean = owners[:places] == owners[len(codes) - places :]
    for position in range(mask[-1] + 1):
        clean &= codes[position : position + places] < size
    words = np.zeros(places, dtype=np.int64)
    for position in mask:
        words = words * size + codes[position : position + places]
    return owners[:places][clean], words[clean]


def unit_rows(counts: "csr_matrix") -> "csr_matrix":
    """Scale each example's counts to length 1, so that long sequences weigh no more than short ones."""
    from scipy.sparse import csr_matrix, diags

    norms = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    return csr_matrix(diags((1 / np.where(norms > 0, norms, 1)).astype(np.float32)) @ counts)
