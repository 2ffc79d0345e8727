"""Negatives that are shuffles of positives: what they keep of these, and more of them without end.

A network shown the same shuffles again and again learns them by heart. Which sequences a positive could have been
shuffled to is known, however, so that each look at the negatives may be one at others of them. A shuffle of a shuffle
is one of the positive, too, so that nobody has to know which belongs to which.
"""

import logging
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from motifcnn.inputs.backgrounds import shuffle_each
from motifcnn.inputs.examples import Examples
from motifcnn.inputs.near_identical import Clusters
from motifcnn.sequences import Sequences

_LOGGER = logging.getLogger(__name__)

_LONGEST: Final = 6
"""Letters of the words whose counts are compared, at most, and as many different words: `_WORDS`."""
_WORDS: Final = 1 << 20
_DISTINCT: Final = 0.5
"""Different counts of words among positives, for each of them, at least: short sequences may be alike by chance."""
_SAME: Final = 0.5
"""Share of places at which a negative has its positive's letter, at most: mutants of a site are no shuffles."""
_COMPARED: Final = 1000
"""Negatives whose places are compared, and sequences of a label that are compared with their shuffles, about."""
_LONGER: Final = 3
_DRAWS: Final = 9
_BEYOND: Final = 10.0
"""Words longer by so many letters than those that shuffling kept recur in real sequences; and beyond so many standard
deviations of so many draws, which no shuffle's do: human sets have 35 and more, their shuffles 2."""
_LETTERS: Final = 20_000_000
"""Letters of all examples, at most: so many negatives cannot be learned by heart."""


@dataclass(frozen=True, eq=False)
class Shuffles:
    """Negatives of a training set that are shuffles of positives.

    Args:
        examples: Their numbers.
        sequences: Their letters.
        k: Letters of the words whose counts shuffling kept.
        seed: Of the draws.
    """

    examples: npt.NDArray[np.int64]
    sequences: Sequences
    k: int
    seed: int

    def drawn(self, number: int) -> Sequences:
        """Shuffle each of them anew; draws of the same number are the same."""
        generator = np.random.default_rng([self.seed, number])
        codes = shuffle_each(self.sequences.codes, self.sequences.offsets, self.k, generator)
        return replace(self.sequences, codes=codes)


def find_shuffles(examples: Examples, seed: int) -> Shuffles | None:
    """Find the training set's negatives, where all negatives of a label are shuffles of its positives; else None.

    Examples with further channels have none: what these would be in a shuffle, nobody knows.

    Args:
        examples: Divided.
        seed: Of the draws.
    """
    sequences = examples.sequences
    if examples.task != "binary" or examples.track_names or len(sequences.codes) > _LETTERS:
        return None
    labels = examples.values[:, 0]
    kept, _ = _words_kept(sequences, labels)
    if not kept:
        return None
    if _recur(sequences.subset(np.flatnonzero(labels == 0)), kept, seed):
        if not _recur(sequences.subset(np.flatnonzero(labels == 1)), kept, seed):
            _LOGGER.warning(
                "sequences labelled 1 look like shuffles, and those labelled 0 like what was shuffled: words that "
                "recur are in these alone; turn the labels round if they are the wrong way round"
            )
        return None
    _LOGGER.info("negatives are shuffles of positives that keep words of %d letters: each epoch makes new ones", kept)
    training = examples.part("train")
    negatives = training[labels[training] == 0]
    return Shuffles(negatives, sequences.subset(negatives), kept, seed)


def with_shuffles(clusters: Clusters, examples: Examples) -> Clusters:
    """Join the clusters of sequences with those of their shuffles; the same ones where negatives are no shuffles.

    A sequence's shuffle has its composition and the other label: who learns the one by heart is wrong about the other.

    Args:
        clusters: Which sequences are near-identical.
        examples: The sequences and their labels.
    """
    if examples.task != "binary":
        return clusters
    kept, counts = _words_kept(examples.sequences, examples.values[:, 0])
    if not kept:
        return clusters
    known = np.flatnonzero(~np.isnan(examples.values[:, 0]))
    _, alike = np.unique(counts[known], return_inverse=True)
    first, size = int(clusters.members.max()) + 1, int(clusters.members.max() + alike.max()) + 2
    edges = (np.ones(len(known), dtype=np.int8), (clusters.members[known], first + alike))
    _, component = connected_components(coo_array(edges, shape=(size, size)), directed=False)
    _, members = np.unique(component[clusters.members], return_inverse=True)
    return Clusters(members.astype(np.int64), clusters.hashes)


def _words_kept(sequences: Sequences, labels: npt.NDArray[np.float32]) -> tuple[int, npt.NDArray[np.uint64]]:
    """Return the length of the longest words of which each negative has what some positive has, 0 where of none.

    And a number for each sequence that tells what it has of them.
    """
    negatives, positives = np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)
    counts = np.zeros(len(sequences), dtype=np.uint64)
    if not len(negatives):
        return 0, counts
    kept, distinct, letters = 0, 0, int(sequences.codes.max()) + 1
    partners = negatives
    for length in range(1, min(_LONGEST, int(sequences.lengths.min()) - 1) + 1):
        if letters**length > _WORDS:
            break
        marks = _word_counts(sequences, length, letters)
        known, first = np.unique(marks[positives], return_index=True)
        if not np.isin(marks[negatives], known).all():
            break
        kept, distinct, counts = length, len(known), marks
        partners = positives[first[np.searchsorted(known, marks[negatives])]]
    if not kept or distinct < _DISTINCT * len(positives) or _likeness(sequences, negatives, partners) > _SAME:
        return 0, counts
    return kept, counts


def _recur(sequences: Sequences, kept: int, seed: int) -> bool:
    """Whether longer words recur as they do in no shuffles of the same sequences: motifs, repeats, codons."""
    some = sequences.subset(np.arange(0, len(sequences), max(1, len(sequences) // _COMPARED)))
    letters, length = int(some.codes.max()) + 1, kept + _LONGER
    while letters**length > _WORDS and length > kept + 1:
        length -= 1
    draws = []
    for number in range(_DRAWS):
        codes = shuffle_each(some.codes, some.offsets, kept, np.random.default_rng([seed, number]))
        draws.append(_recurrences(replace(some, codes=codes), length, letters))
    spread = max(float(np.std(draws, ddof=1)), 1.0)
    return _recurrences(some, length, letters) > float(np.mean(draws)) + _BEYOND * spread


def _recurrences(sequences: Sequences, length: int, letters: int) -> int:
    """Count pairs of places, in all sequences together, with the same word of known letters."""
    words = np.zeros(max(len(sequences.codes) - length + 1, 0), dtype=np.int64)
    for place in range(length):
        words = words * letters + sequences.codes[place : place + len(words)]
    known = np.concatenate([[0], np.cumsum(sequences.codes < sequences.alphabet.size)])
    owner = np.repeat(np.arange(len(sequences)), sequences.lengths)
    whole = owner[: len(words)] == owner[len(owner) - len(words) :]
    counts = np.unique(words[whole & (known[length:] - known[:-length] == length)], return_counts=True)[1]
    return int((counts * (counts - 1) // 2).sum())


def _likeness(sequences: Sequences, some: npt.NDArray[np.int64], others: npt.NDArray[np.int64]) -> float:
    """Return the mean share of places with the same letter, of pairs of the same length."""
    chosen = slice(None, None, max(1, len(some) // _COMPARED))
    pairs = zip(some[chosen].tolist(), others[chosen].tolist(), strict=True)
    return float(np.mean([np.mean(sequences[one] == sequences[other]) for one, other in pairs]))


def _word_counts(sequences: Sequences, length: int, letters: int) -> npt.NDArray[np.uint64]:
    """Return a number for each sequence that is the same where all words stand equally often in it.

    It is the sum of a random number for each word (Zobrist 1970): that of other words is another, but for one chance in
    2**64.
    """
    numbers = np.random.default_rng(0).integers(0, 2**64, letters**length, dtype=np.uint64)
    found = []
    for block in sequences.blocks():
        word = np.zeros(len(block.codes) - length + 1, dtype=np.int64)
        for place in range(length):
            word = word * letters + block.codes[place : place + len(word)]
        before = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(numbers[word])])
        found.append(before[block.offsets[1:] - length + 1] - before[block.offsets[:-1]])
    return np.concatenate(found)
