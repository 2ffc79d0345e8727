"""Words that stand in more sequences of one kind than of the other: where filters may start from.

Every word of k letters is scored by the targets of the sequences that hold it, one mismatch counting
half. Words are taken one by one; after each, the sequences that hold it count less, so that the next
word is one that explains others (as in boosting).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Codes
from motifcnn.sequences import Sequences

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MISMATCH = 0.5
"""What a word with one letter changed counts, against the word itself."""
_DISCOUNT = 0.5
"""What is left of a sequence's weight once a word that it holds has been taken."""
_PRIOR = 1.0
"""Sequences' worth of doubt in the score of a word: rare words do not win by chance alone."""
COUNTED_LETTERS = 10_000_000
"""Letters of the sequences whose words are to be counted, at most: those of more sequences tell no other words."""


@dataclass(frozen=True, eq=False)
class WordIndex:
    """Which words stand in which sequences, each pair once.

    Args:
        length: Letters of a word.
        size: Letters of the alphabet.
        words: Number of the word of each pair: its letters as digits, the first one highest. With both
            strands, the smaller of the numbers of the word and its reverse complement.
        examples: Sequence of each pair.
        both_strands: Whether a word and its reverse complement are one.
        mirror: Number of the reverse complement of each word; each word itself with one strand only.
    """

    length: int
    size: int
    words: Integers
    examples: Integers
    both_strands: bool
    mirror: Integers

    @classmethod
    def of(cls, sequences: Sequences, length: int, both_strands: bool) -> "WordIndex":
        """Find the words of some sequences; those over an ambiguity code are left out.

        Args:
            sequences: The sequences.
            length: Letters of a word.
            both_strands: Whether a word and its reverse complement are one.
        """
        alphabet = sequences.alphabet
        size, codes = alphabet.size, sequences.codes
        windows = max(len(codes) - length + 1, 0)
        number, plain = np.zeros(windows, dtype=np.int64), np.ones(windows, dtype=np.bool_)
        for position in range(length):
            letter = codes[position : position + windows]
            number = number * size + letter
            plain &= letter < size
        example = np.repeat(np.arange(len(sequences)), sequences.lengths)[:windows]
        plain &= np.arange(windows) + length <= sequences.offsets[1:][example]
        mirror = np.arange(size**length)
        if both_strands:
            assert alphabet.complement_codes is not None
            mirror = _reverse_complements(alphabet.complement_codes[:size], length)
        words = np.minimum(number[plain], mirror[number[plain]])
        pairs = np.sort(example[plain] * size**length + words)
        pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]]
        return cls(length, size, pairs % size**length, pairs // size**length, both_strands, mirror)

    def sums(self, weights: Floats) -> Floats:
        """Add up, for each word, the weights of the sequences that hold it, one mismatch counting `MISMATCH`."""
        own = np.bincount(self.words, weights[self.examples], minlength=self.size**self.length)
        own = np.where(self.mirror < np.arange(len(own)), own[self.mirror], own)  # both numbers of a word count alike
        cube = own.reshape((self.size,) * self.length)
        near = sum(cube.sum(axis=axis, keepdims=True) - cube for axis in range(self.length))
        # the neighbours of a palindrome come in pairs that are one word
        share = np.where(self.mirror == np.arange(len(own)), MISMATCH / 2, MISMATCH) if self.both_strands else MISMATCH
        return np.asarray(own + share * np.asarray(near).ravel())

    def holders(self, word: int) -> Integers:
        """Return the sequences that hold a word exactly."""
        return np.asarray(self.examples[self.words == min(word, int(self.mirror[word]))])

    def letters(self, word: int) -> Codes:
        """Return the codes of a word's letters."""
        digits = word // self.size ** np.arange(self.length - 1, -1, -1) % self.size
        return digits.astype(np.uint8)


def _reverse_complements(complement: Codes, length: int) -> Integers:
    size = len(complement)
    numbers = np.arange(size**length)
    mirrored = np.zeros_like(numbers)
    for _ in range(length):
        mirrored = mirrored * size + complement[numbers % size]
        numbers //= size
    return mirrored


def enriched_words(index: WordIndex, targets: Floats, count: int) -> list[Codes]:
    """Choose words that go with high targets, the surest first, each for what those before it left.

    Args:
        index: Words of the sequences.
        targets: A number for each sequence (1 for positives, 0 for others, or a measurement); NaN where unknown.
        count: Most words to choose.

    Returns:
        Codes of the letters of each word; fewer than asked for where no further word is enriched.
    """
    known = ~np.isnan(targets)
    values, weights = np.where(known, targets, 0.0), known.astype(np.float64)
    taken = np.zeros(len(index.mirror), dtype=np.bool_)
    chosen: list[Codes] = []
    if not known.any() or np.ptp(values[known]) == 0:
        return chosen
    centred = (values - values[known].mean()) * known
    doubt = np.sqrt(index.sums(centred**2) + _PRIOR * float(np.mean(centred**2)))
    while len(chosen) < count:
        left = (values - np.average(values, weights=weights)) * weights
        scores = np.where(taken, -np.inf, index.sums(left) / doubt)
        word = int(scores.argmax())
        if scores[word] <= 0:
            break
        chosen.append(index.letters(word))
        taken[[word, index.mirror[word]]] = True
        weights[index.holders(word)] *= _DISCOUNT
    return chosen
