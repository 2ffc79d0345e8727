"""Whether a motif is more than composition: two further held-out tests.

Positives may differ from others in how common each letter is. A motif of common letters is then found more often
in positives, without any site. Two comparisons tell: the held-out positives against shuffles of themselves that keep
every dinucleotide, and against those held-out others that have the same GC content.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from motifcnn.inputs.backgrounds import GC_BIN, shuffled_negatives
from motifcnn.motifs import Motif
from motifcnn.scanning.best import best_sites
from motifcnn.sequences import Sequences
from motifcnn.significance import LEAST_PER_CLASS, Booleans, Floats, found_more_often

SIGNIFICANT = 0.05
"""p-value above which a motif is no more frequent than its composition makes it."""

_MOST_SHUFFLES, _SHUFFLED_SEQUENCES = 10, 1000
"""Shuffles of each positive: so many that there are about a thousand, within bounds."""


@dataclass(frozen=True)
class CompositionTest:
    """A motif in held-out positives against what their composition alone would give.

    Args:
        shuffled_share: Share of the shuffles of held-out positives that hold a site.
        shuffled_p_value: One-sided, of positives against their shuffles.
        matched_share: Share of others that hold a site, weighted to the positives' GC content.
        matched_p_value: One-sided, of positives against others of the same GC content; NaN for protein.
        explained: Whether composition accounts for the motif: in one of the two comparisons the positives
            are not significantly ahead, and more than half of their lead over the others is gone.
    """

    shuffled_share: float
    shuffled_p_value: float
    matched_share: float
    matched_p_value: float
    explained: bool


UNTESTED = CompositionTest(math.nan, math.nan, math.nan, math.nan, False)
"""What is said where there are too few held-out sequences."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The held-out examples of one output, with shuffles of its positives.

    Args:
        sequences: The held-out examples that have a value.
        positive: Which are positives, shape [example].
        shuffles: Shuffled positives, several of each.
        gc_bins: Range of GC content of each example, shape [example]; None for protein.
    """

    sequences: Sequences
    positive: Booleans
    shuffles: Sequences
    gc_bins: npt.NDArray[np.int64] | None

    @classmethod
    def of(cls, sequences: Sequences, positive: Booleans, generator: np.random.Generator) -> "HeldOut":
        """Shuffle the positives, keeping dinucleotides (of protein, whose pairs hardly repeat, single letters)."""
        nucleotides = sequences.alphabet.size == 4
        own = np.flatnonzero(positive)
        copies = int(np.clip(_SHUFFLED_SEQUENCES // max(len(own), 1), 1, _MOST_SHUFFLES))
        shuffles = shuffled_negatives(sequences.subset(np.repeat(own, copies)), 2 if nucleotides else 1, generator)
        bins = np.floor(sequences.gc_content() / GC_BIN + 1e-9).astype(np.int64) if nucleotides else None
        return cls(sequences, positive, shuffles, bins)


def composition_test(
    motif: Motif, threshold: float, scores: Floats, held_out: HeldOut, both_strands: bool
) -> CompositionTest:
    """Compare held-out positives with their shuffles and with others of the same GC content.

    The shuffles are held against the positives by Fisher's exact test, the others by its sum over ranges of GC
    content, in each of which the counts of sites are those of chance (see `found_more_often`).

    Args:
        motif: The motif.
        threshold: Least score of a site, in bits.
        scores: Best score of each held-out example, shape [example].
        held_out: The examples and shuffles.
        both_strands: Whether sites may lie on the reverse strand.
    """
    positive = held_out.positive
    if min(positive.sum(), (~positive).sum()) < LEAST_PER_CLASS:
        return UNTESTED
    found = scores >= threshold
    in_shuffles = best_sites([motif.log_odds()], held_out.shuffles, both_strands).scores[:, 0] >= threshold
    windows = np.maximum(held_out.sequences.lengths - motif.width + 1, 0).astype(np.float64)
    both = np.concatenate([found[positive], in_shuffles])
    shuffled_p = found_more_often(both, np.arange(len(both)) < positive.sum(), np.ones(len(both)))
    shuffled = float(in_shuffles.mean())
    matched, matched_p = math.nan, math.nan
    if held_out.gc_bins is not None:
        matched = _weighted_share(found, positive, held_out.gc_bins)
        matched_p = found_more_often(found, positive, windows, held_out.gc_bins)
    share, other_share = float(found[positive].mean()), float(found[~positive].mean())
    middle = (share + other_share) / 2
    explained = any(p > SIGNIFICANT and level > middle for p, level in ((shuffled_p, shuffled), (matched_p, matched)))
    return CompositionTest(shuffled, shuffled_p, matched, matched_p, explained)


def _weighted_share(found: Booleans, positive: Booleans, bins: npt.NDArray[np.int64]) -> float:
    """Share of the others with a site, each range of GC content weighing as among the positives.

    Positives of a range without others count nowhere; NaN where no range has both.
    """
    weights, shares = [], []
    for number in np.unique(bins[positive]):
        others = (bins == number) & ~positive
        if others.any():
            weights.append(float((positive & (bins == number)).sum()))
            shares.append(float(found[others].mean()))
    return float(np.average(shares, weights=weights)) if weights else math.nan
