"""Whether one model is better than another on the same examples."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from motifcnn.significance import LEAST_PER_CLASS, rank_auroc

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

PERMUTATIONS: Final = 999


@dataclass(frozen=True)
class PairedTest:
    """A difference and what it is worth; NaN where it could not be measured.

    Args:
        first: Score of the first model.
        second: Score of the second.
        standard_error: Of the difference; NaN where the test gives none.
        p_value: Two-sided.
        method: Name of the test.
    """

    first: float
    second: float
    standard_error: float
    p_value: float
    method: str

    @property
    def difference(self) -> float:
        """The first model's lead."""
        return self.first - self.second


def delong(positive: Booleans, first: Floats, second: Floats) -> PairedTest:
    """Compare two AUROCs on the same examples.

    Args:
        positive: Which examples are positives, shape [example].
        first: Predictions of one model, shape [example].
        second: Predictions of the other.

    Source: DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837; by ranks as Sun and Xu 2014.
    """
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if min(positives, negatives) < LEAST_PER_CLASS:
        return PairedTest(rank_auroc(first, positive), rank_auroc(second, positive), math.nan, math.nan, "DeLong")
    parts = [_placements(positive, scores) for scores in (first, second)]
    areas = [float(won.mean()) for won, _ in parts]
    lead_of_positives, lead_of_negatives = (one - other for one, other in zip(*parts, strict=True))
    variance = float(lead_of_positives.var(ddof=1)) / positives + float(lead_of_negatives.var(ddof=1)) / negatives
    error = math.sqrt(variance)
    difference = areas[0] - areas[1]
    deviations = abs(difference) / error if error > 0 else math.inf if difference else 0.0
    return PairedTest(areas[0], areas[1], error, math.erfc(deviations / math.sqrt(2.0)), "DeLong")


def _placements(positive: Booleans, scores: Floats) -> tuple[Floats, Floats]:
    """Share of negatives below each positive, and of positives above each negative; ties count half."""
    from scipy.stats import rankdata

    all_ranks = rankdata(scores)
    own_positive, own_negative = rankdata(scores[positive]), rankdata(scores[~positive])
    below = (all_ranks[positive] - own_positive) / (~positive).sum()
    above = 1.0 - (all_ranks[~positive] - own_negative) / positive.sum()
    return np.asarray(below), np.asarray(above)


def swap_test(
    score: Callable[[Floats], float],
    first: Floats,
    second: Floats,
    generator: np.random.Generator,
    permutations: int = PERMUTATIONS,
) -> PairedTest:
    """Compare two models by swapping their predictions of random halves of the examples.

    Were the models equally good, each example's two predictions could change places; so they must be on one
    scale (ranks, or standardised).

    Args:
        score: Score of predictions of shape [example, output].
        first: Predictions of one model.
        second: Predictions of the other.
        generator: Source of the swaps.
        permutations: Number of random swaps.
    """
    observed = score(first), score(second)
    difference = observed[0] - observed[1]
    if math.isnan(difference):
        return PairedTest(*observed, math.nan, math.nan, "permutation")
    as_far = 0
    for _ in range(permutations):
        swapped = generator.random(len(first)) < 0.5
        one = np.where(swapped[:, None], second, first)
        other = np.where(swapped[:, None], first, second)
        as_far += abs(score(one) - score(other)) >= abs(difference) - 1e-12
    return PairedTest(*observed, math.nan, (1 + as_far) / (1 + permutations), "permutation")
