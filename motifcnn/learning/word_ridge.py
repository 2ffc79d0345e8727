"""Weights for the words of whole sequences: ridge regression on all gapped words at once.

Two words are alike by the gapped words of k letters that they share (Ghandi et al. 2014): with m of their l letters
different, C(l - m, k) of C(l, k). Ridge regression with this kernel needs neither the gapped words themselves nor the
kernel between sequences: a conjugate gradient turns one number a sequence into sums over the table of all words,
spreads these over like words along one letter at a time, and reads the sequences' words off the table again. Further
numbers of each sequence can stand beside its words.
"""

from math import comb

import numpy as np
import numpy.typing as npt

from motifcnn.model.word_code import add_words, sum_words
from motifcnn.sequences import Sequences

Floats = npt.NDArray[np.float64]
Table = npt.NDArray[np.float32]

_ITERATIONS = 40
_TOLERANCE = 1e-2
"""Residual, against the targets', at which the conjugate gradient stops: far below what changes a ranking."""
_FURTHER = 5.0
"""Chosen for codons in folds of the training files of five yeast factors, of 1 to 10: from 3 on within .003."""
_SAMPLED = 16
"""Sequences whose similarity with themselves is measured, to scale the penalty."""
_ALL = slice(None)


class WordKernel:
    """The kernel between sequences, as steps between one number a sequence and one a word.

    Args:
        sequences: The sequences.
        length: Letters of a word.
        informative: Letters of a gapped word.
        both_strands: Whether a word and its reverse complement are one.
    """

    def __init__(self, sequences: Sequences, length: int, informative: int, both_strands: bool):
        self.sequences, self.length = sequences, length
        self.size = sequences.alphabet.size
        self.complement = sequences.alphabet.complement_codes if both_strands else None
        shared = range(length - informative + 1)
        self.likeness = [comb(length - changed, informative) / comb(length, informative) for changed in shared]
        self.starts = sequences.offsets[:-1].astype(np.int64)
        self.scale = 1.0 / np.sqrt(np.maximum(sequences.lengths - length + 1, 1))

    def table(self, values: Floats, chosen: slice = _ALL) -> Table:
        """Add each chosen sequence's value, scaled, to its words and to those like them, shape [word]."""
        counts = np.zeros(self.size**self.length, dtype=np.float32)
        weights = (values * self.scale[chosen]).astype(np.float32)
        starts, lengths = self.starts[chosen], self.sequences.lengths[chosen]
        add_words(self.sequences.codes, starts, lengths, self.size, self.length, weights, counts)
        return self.spread(counts)

    def spread(self, counts: Table) -> Table:
        """Give each word its likeness with every word times that word's count."""
        cube = counts.reshape((self.size,) * self.length)
        if self.complement is not None:
            turned = cube.transpose()[np.ix_(*[self.complement[: self.size]] * self.length)]
            cube = cube + turned
        # sums over all words with so many letters changed, from the first letter to the last
        changed: list[Table | None] = [cube] + [None] * (len(self.likeness) - 1)
        for axis in range(self.length):
            for number in range(len(changed) - 1, 0, -1):
                source, own = changed[number - 1], changed[number]
                if source is not None:
                    others = source.sum(axis=axis, keepdims=True) - source
                    changed[number] = others if own is None else own + others
        total = sum(share * part for share, part in zip(self.likeness, changed, strict=True) if part is not None)
        return np.ascontiguousarray(total).ravel()

    def sums(self, table: Table, chosen: slice = _ALL) -> Floats:
        """Add up each chosen sequence's words in a table, scaled, shape [sequence]."""
        starts, lengths = self.starts[chosen], self.sequences.lengths[chosen]
        found = np.empty((len(starts), 1), dtype=np.float64)
        sum_words(self.sequences.codes, starts, lengths, self.size, self.length, table[None], found)
        return np.asarray(found[:, 0] * self.scale[chosen])

    def self_similarity(self) -> float:
        """Return the mean similarity of a sequence with itself, from some of them."""
        chosen = np.unique(np.linspace(0, len(self.sequences) - 1, _SAMPLED).astype(np.int64))
        alone = [slice(number, number + 1) for number in chosen.tolist()]
        return float(np.mean([self.sums(self.table(np.ones(1), one), one)[0] for one in alone]))


def fit_words(
    sequences: Sequences,
    targets: Floats,
    length: int,
    informative: int,
    both_strands: bool,
    penalty: float,
    further: Floats | None = None,
    counts: Floats | None = None,
) -> tuple[Table, Floats]:
    """Fit a weight for each word, and each further number, to targets with their means taken off.

    Args:
        sequences: Of the training set.
        targets: Shape [sequence, target]; NaN where unknown.
        length: Letters of a word.
        informative: Letters of a gapped word.
        both_strands: Whether a word and its reverse complement are one.
        penalty: Of ridge regression, in mean similarities of a sequence with itself.
        further: Numbers of each sequence, shape [sequence, number]. Their part in the similarity of a sequence with
            itself, where it has one, is `_FURTHER` times that of words in the mean, each weighed by its own.
        counts: What each sequence counts, shape [sequence]; 1 by default.

    Returns:
        Weights of words, shape [target, word], and of further numbers, shape [target, number]; a sequence's prediction
        is the sum over its words, divided by the root of their number, and over its further numbers.
    """
    kernel = WordKernel(sequences, length, informative, both_strands)
    likeness = max(kernel.self_similarity(), 1e-6)
    beside, scale = np.zeros((len(sequences), 0)), 1.0
    if further is not None:
        own = np.square(further).sum(axis=1)
        scale = float(np.sqrt(_FURTHER * likeness * own.sum() / max(np.square(own).sum(), 1e-12)))
        beside = further * scale
    counts = np.ones(len(sequences)) if counts is None else counts
    solved = [_solve(kernel, beside, column, counts, penalty * likeness) for column in targets.T]
    return np.stack([kernel.table(values) for values in solved]), np.stack(
        [values @ beside * scale for values in solved]
    )


def _solve(kernel: WordKernel, further: Floats, targets: Floats, counts: Floats, ridge: float) -> Floats:
    """Conjugate gradient for (kernel + ridge / counts) × values = centred targets, over sequences with a target."""
    known = ~np.isnan(targets)
    roots = np.sqrt(np.where(known, counts, 0.0))
    filled = np.where(known, targets, 0.0)
    residual = roots * (filled - np.average(filled, weights=roots**2)) if known.any() else roots
    values, direction, size = np.zeros(len(targets)), residual, float(residual @ residual)
    enough = _TOLERANCE**2 * size
    for _ in range(_ITERATIONS):
        if size <= enough:
            break
        weighed = roots * direction
        image = roots * (kernel.sums(kernel.table(weighed)) + further @ (weighed @ further)) + ridge * direction
        step = size / float(direction @ image)
        values, residual = values + step * direction, residual - step * image
        previous, size = size, float(residual @ residual)
        direction = residual + (size / previous) * direction
    return roots * values
