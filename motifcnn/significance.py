"""Whether a motif separates positives from others: thresholds on training data, tests on held-out data.

The design is STREME's (Bailey 2021): a sequence counts as found when its best site reaches the
motif's threshold, which is fixed on training data; Fisher's exact test then compares the shares
found on sequences that took no part in training, stopping or the choice of the threshold.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

LEAST_PER_CLASS = 5
"""Below this many held-out sequences of a class no test can mean anything."""


@dataclass(frozen=True)
class Thresholds:
    """For each column of scores the threshold that separates positives best.

    Args:
        values: The least score that counts as found, shape [column].
        statistic: Log-likelihood ratio (G/2, in nats) of that division; 0 where positives are not
            found more often than others at any threshold.
    """

    values: Floats
    statistic: Floats


def best_thresholds(scores: npt.NDArray[np.floating], positive: Booleans, least: int = 1) -> Thresholds:
    """Choose for each column the threshold with the strongest enrichment of positives above it.

    Args:
        scores: Shape [example, column].
        positive: Which examples are positives, shape [example].
        least: Least number of positives that must reach the threshold.
    """
    examples = len(scores)
    order = np.argsort(-scores, axis=0, kind="stable")
    ranked = np.take_along_axis(np.asarray(scores, dtype=np.float64), order, axis=0)
    found_positives = np.cumsum(positive[order].astype(np.int64), axis=0)
    found = np.arange(1, examples + 1)[:, None]
    ratio = _log_likelihood_ratio(found_positives, found - found_positives, int(positive.sum()), int((~positive).sum()))
    # a threshold must fall between two different scores, and on a real one
    ratio[:-1][ranked[:-1] == ranked[1:]] = 0.0
    ratio[(found_positives < least) | ~np.isfinite(ranked)] = 0.0
    best = np.argmax(ratio, axis=0)
    columns = np.arange(scores.shape[1])
    return Thresholds(ranked[best, columns], ratio[best, columns])


def _log_likelihood_ratio(
    found_positives: npt.NDArray[np.int64], found_others: npt.NDArray[np.int64], positives: int, others: int
) -> Floats:
    """One-sided: 0 where the share found is not larger among the positives."""
    total = positives + others
    observed = np.stack([found_positives, found_others, positives - found_positives, others - found_others]).astype(
        np.float64
    )
    found = observed[0] + observed[1]
    expected = np.stack(
        [
            found * positives / total,
            found * others / total,
            (total - found) * positives / total,
            (total - found) * others / total,
        ]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(observed > 0, observed * np.log(observed / expected), 0.0)
    return np.where(observed[0] > expected[0], terms.sum(axis=0), 0.0)


@dataclass(frozen=True)
class Enrichment:
    """A held-out test of one motif.

    Args:
        found_positives: Positives whose best site reaches the threshold.
        positives: All positives.
        found_negatives: Others whose best site reaches it.
        negatives: All others.
        p_value: One-sided; NaN with fewer than `LEAST_PER_CLASS` examples of either class.
        auroc: Of the best site's score; NaN where there is no p-value.
    """

    found_positives: int
    positives: int
    found_negatives: int
    negatives: int
    p_value: float
    auroc: float


def enrichment_test(
    scores: Floats, positive: Booleans, threshold: float, lengths: npt.NDArray[np.int64], width: int
) -> Enrichment:
    """Test whether positives hold a site more often than others.

    Fisher's exact test; where positives and others differ in mean length, longer ones find more by
    chance, so the exact binomial test is used with the share of windows as the chance (Bailey 2021).

    Args:
        scores: Best score of each example, shape [example]; minus infinity where no window fits.
        positive: Which examples are positives.
        threshold: Least score that counts, chosen on other data.
        lengths: Length of each example.
        width: Width of the motif.
    """
    from scipy.stats import binom, hypergeom

    found = scores >= threshold
    found_positives, found_negatives = int((found & positive).sum()), int((found & ~positive).sum())
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if min(positives, negatives) < LEAST_PER_CLASS:
        return Enrichment(found_positives, positives, found_negatives, negatives, math.nan, math.nan)
    windows = np.maximum(lengths - width + 1, 0).astype(np.float64)
    mean_positive, mean_negative = windows[positive].mean(), windows[~positive].mean()
    if abs(mean_positive - mean_negative) <= 0.01 * max(mean_positive, mean_negative):
        p_value = hypergeom.sf(found_positives - 1, positives + negatives, positives, int(found.sum()))
    else:
        share = windows[positive].sum() / windows.sum()
        p_value = binom.sf(found_positives - 1, int(found.sum()), share)
    p = 1.0 if not found.any() else float(min(1.0, p_value))
    return Enrichment(found_positives, positives, found_negatives, negatives, p, rank_auroc(scores, positive))


def rank_auroc(scores: Floats, positive: Booleans) -> float:
    """Return the area under the ROC curve from ranks, ties counted half (Mann and Whitney 1947)."""
    from scipy.stats import rankdata

    positives, others = int(positive.sum()), int((~positive).sum())
    if not positives or not others:
        return math.nan
    ranks = rankdata(scores)
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * others))
