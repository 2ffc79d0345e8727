"""What stands where no site is: letters drawn one by one, or each after the one or two before it (a Markov chain).

Of order k a stretch has the chance ∏ P(words of k + 1 letters) / ∏ P(words of k letters inside): that of the chain, and
the same on either strand where words are counted on both.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Alphabet
from motifcnn.discovery.triplets import TripletSequences
from motifcnn.motifs import Matrix
from motifcnn.sequences import Sequences

_PSEUDOCOUNT = 1.0
"""Of each word, so that none is impossible."""


@dataclass(frozen=True, eq=False)
class Background:
    """A background of order 0, or a higher one.

    Args:
        letters: Frequencies, shape [letter].
        long_words: Natural logs of the chances of words of order + 1 letters, in the order of their codes; empty for
            order 0, of which `letters` say all.
        short_words: The same of words of one letter less.
        order: How many letters before it a letter depends on.
    """

    letters: Matrix
    long_words: Matrix = field(default_factory=lambda: np.zeros(0))
    short_words: Matrix = field(default_factory=lambda: np.zeros(0))
    order: int = 0

    @classmethod
    def of(cls, sequences: Sequences, order: int, both_strands: bool) -> "Background":
        """Count the words of sequences; on both strands where sites may lie on both.

        Args:
            sequences: All that are shown, with sites and without.
            order: 0 or more.
            both_strands: Whether words are counted on the reverse strand, too.
        """
        letters = sequences.letter_frequencies()
        if order == 0:
            return cls(letters)
        size, words = sequences.alphabet.size, _words(TripletSequences.of(sequences).letters, letters.size, order + 1)
        starts = np.ones(len(words), dtype=bool)
        for before_the_end in range(1, order + 1):
            starts[np.maximum(sequences.offsets[1:] - before_the_end, 0)] = False
        inside = words[starts & (words >= 0)]
        shape = (size,) * (order + 1)
        counts = np.bincount(inside, minlength=size ** (order + 1)).reshape(shape).astype(np.float64)
        counts += _PSEUDOCOUNT
        if both_strands:
            counts = counts + _reverse_complement(counts, sequences.alphabet)
        chances = counts / counts.sum()
        # the words of a letter less begin and end those counted, but for the ends of the sequences
        shorter = (chances.sum(axis=-1) + chances.sum(axis=0)) / 2.0
        return cls(letters, np.log(chances).ravel(), np.log(shorter).ravel(), order)

    def surprisal(self, letters: npt.NDArray[np.int64], width: int) -> Matrix:
        """Return minus the natural log of the chance of each window, shape [position].

        Order 0 gives zeros: scores against the letters know them already. So do windows with an ambiguity code,
        which can be no site.

        Args:
            letters: Codes of all sequences, one after another.
            width: Of a window, which starts at the position; more than the order.
        """
        if self.order == 0:
            return np.zeros(len(letters))
        long, short = (
            self._sums(letters, table, size)
            for table, size in ((self.long_words, self.order + 1), (self.short_words, self.order))
        )
        first = np.arange(len(letters))
        end = np.minimum(first + width - self.order, len(letters))
        return np.asarray(short[end] - short[np.minimum(first + 1, end)] - long[end] + long[first])

    def _sums(self, letters: npt.NDArray[np.int64], table: Matrix, size: int) -> Matrix:
        """Add up the logs of the words that start before each position, shape [position + 1]."""
        words = _words(letters, self.letters.size, size)
        return np.concatenate([[0.0], np.cumsum(np.where(words >= 0, table[words], 0.0))])


def _words(letters: npt.NDArray[np.int64], alphabet_size: int, size: int) -> npt.NDArray[np.int64]:
    """Return the code of the word that starts at each position; -1 where it holds no letter or passes the end."""
    ahead = np.concatenate([letters, np.full(size, alphabet_size)])
    places = np.stack([ahead[shift : shift + len(letters)] for shift in range(size)])
    codes = np.zeros(len(letters), dtype=np.int64)
    for place in places:
        codes = codes * alphabet_size + place
    return np.where((places < alphabet_size).all(axis=0), codes, -1)


def _reverse_complement(counts: Matrix, alphabet: Alphabet) -> Matrix:
    assert alphabet.complement_codes is not None
    other = alphabet.complement_codes[: alphabet.size]
    return np.asarray(counts[np.ix_(*[other] * counts.ndim)].transpose(range(counts.ndim)[::-1]))
