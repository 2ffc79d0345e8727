"""Motifs at fixed positions: sequences of one short length, such as MHC ligands or windows around phosphosites.

There each position is a column of an alignment that needs no search. What letters do in each is learned on training
sequences and tested on held-out ones.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from motifcnn.discovery.extraction import positive_groups
from motifcnn.inputs.examples import Examples
from motifcnn.motifs import Matrix, Motif
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.significance import LEAST_PER_CLASS

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

SHORTEST: Final = 5
LONGEST: Final = 35
"""Sequences of other lengths are searched for motifs, not aligned as they stand."""
_PSEUDOCOUNT: Final = 5.0
"""Letters, distributed as in all sequences, that are added to each column."""
_CLEARLY_MORE, _LEAST_SHARE = 1.5, 0.05
"""A letter is named where it is so many times as frequent in positives, and has this share of them."""


@dataclass(frozen=True, eq=False)
class PositionMotif(Motif):
    """Letters of the positives at each position, held against those of the others at the same position.

    Args:
        others: Shape [position, letter], like `probabilities`.
    """

    others: Matrix | None = None

    def information(self) -> Matrix:
        """Return the relative entropy of positives to others at each position, in bits."""
        assert self.others is not None
        return np.asarray((self.probabilities * np.log2(self.probabilities / self.others)).sum(axis=1))


@dataclass(frozen=True, eq=False)
class FixedPositions:
    """What positions say of one target.

    Args:
        target: Its name.
        motif: From the training sequences.
        letters: Letters that positives prefer, by position.
        aurocs: Held-out AUROC of each position alone, scored as training has it; NaN with too few sequences.
        p_values: One-sided, of the same (Mann and Whitney).
        e_values: p times the number of positions of all targets.
    """

    target: str
    motif: PositionMotif
    letters: tuple[str, ...]
    aurocs: Floats
    p_values: Floats
    e_values: Floats


def fixed_positions(objective: Objective, examples: Examples, e_threshold: float) -> list[FixedPositions]:
    """Recognise targets that depend on letters at fixed positions; none where lengths differ or are long.

    Args:
        objective: The task.
        examples: With their parts.
        e_threshold: Largest E-value of a position that makes its target one of these.
    """
    lengths = examples.sequences.lengths
    if lengths.min() != lengths.max() or not SHORTEST <= lengths.max() <= LONGEST:
        return []
    columns = examples.sequences.codes.reshape(len(lengths), -1)
    training = np.zeros(len(examples), dtype=bool)
    training[examples.part("train")] = True
    held_out = np.zeros(len(examples), dtype=bool)
    held_out[examples.part("test")] = True
    groups = positive_groups(objective, examples.values)
    found = []
    for name, (known, positive) in zip(objective.output_names, groups, strict=True):
        sides = (positive & training, known & ~positive & training)
        if min(side.sum() for side in sides) < LEAST_PER_CLASS:
            continue
        motif = _learned(columns, *sides, examples.sequences, name)
        tested = known & held_out
        aurocs, p_values = _tested(columns[tested], positive[tested], motif)
        e_values = p_values * columns.shape[1] * len(groups)
        if np.nanmin(e_values, initial=math.inf) <= e_threshold:
            found.append(FixedPositions(name, motif, _preferred(motif), aurocs, p_values, e_values))
    return found


def _learned(
    columns: npt.NDArray[np.uint8], positive: Booleans, other: Booleans, sequences: Sequences, name: str
) -> PositionMotif:
    alphabet, background = sequences.alphabet, sequences.letter_frequencies()

    def shares(rows: Booleans) -> Matrix:
        counts = alphabet.fractions.astype(np.float64)[columns[rows]].sum(axis=0) + _PSEUDOCOUNT * background
        return np.asarray(counts / counts.sum(axis=1, keepdims=True))

    sites = float(positive.sum())
    return PositionMotif(name, shares(positive), alphabet, background=background, sites=sites, others=shares(other))


def _tested(columns: npt.NDArray[np.uint8], positive: Booleans, motif: PositionMotif) -> tuple[Floats, Floats]:
    """Score each held-out sequence by its letter at each position and compare positives with others."""
    from scipy.stats import mannwhitneyu

    width = motif.width
    if min(positive.sum(), (~positive).sum()) < LEAST_PER_CLASS:
        return np.full(width, np.nan), np.full(width, np.nan)
    assert motif.others is not None
    odds = np.log2(motif.probabilities / motif.others)
    scores = np.stack([motif.alphabet.fractions[columns[:, i]] @ odds[i] for i in range(width)], axis=1)
    tests = [mannwhitneyu(scores[positive, i], scores[~positive, i], alternative="greater") for i in range(width)]
    pairs = float(positive.sum()) * float((~positive).sum())
    p_values = [test.pvalue if np.ptp(scores[:, i]) else 1.0 for i, test in enumerate(tests)]
    return np.array([test.statistic / pairs for test in tests]), np.array(p_values)


def _preferred(motif: PositionMotif) -> tuple[str, ...]:
    assert motif.others is not None
    ratio = motif.probabilities / motif.others
    named = []
    for position in range(motif.width):
        chosen = np.flatnonzero((ratio[position] >= _CLEARLY_MORE) & (motif.probabilities[position] >= _LEAST_SHARE))
        order = chosen[np.argsort(-motif.probabilities[position, chosen], kind="stable")]
        named.append("".join(motif.alphabet.letters[letter] for letter in order))
    return tuple(named)
