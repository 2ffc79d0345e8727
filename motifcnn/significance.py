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

_COLUMNS = 16
"""Columns of scores looked at together: what is made of each score takes some hundred bytes."""

_EQUAL_WINDOWS = 0.01
"""Share by which the mean numbers of windows of two classes may differ and still count as equal."""


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
    blocks = range(0, scores.shape[1], _COLUMNS)
    found = [_best_thresholds(scores[:, first : first + _COLUMNS], positive, least) for first in blocks]
    none = Thresholds(np.empty(0), np.empty(0))
    return Thresholds(
        np.concatenate([none.values, *(part.values for part in found)]),
        np.concatenate([none.statistic, *(part.statistic for part in found)]),
    )


def _best_thresholds(scores: npt.NDArray[np.floating], positive: Booleans, least: int) -> Thresholds:
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
    found = scores >= threshold
    found_positives, found_negatives = int((found & positive).sum()), int((found & ~positive).sum())
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if min(positives, negatives) < LEAST_PER_CLASS:
        return Enrichment(found_positives, positives, found_negatives, negatives, math.nan, math.nan)
    windows = np.maximum(lengths - width + 1, 0).astype(np.float64)
    p = found_more_often(found, positive, windows)
    return Enrichment(found_positives, positives, found_negatives, negatives, p, rank_auroc(scores, positive))


def found_more_often(
    found: Booleans, positive: Booleans, windows: Floats, strata: npt.NDArray[np.int64] | None = None
) -> float:
    """Return the exact one-sided p-value of positives holding a site more often than others.

    Args:
        found: Which examples hold one, shape [example].
        positive: Which are positives.
        windows: Places that a site can have in each example.
        strata: Group of each example; only examples of one group are held against one another, and the
            groups' counts add up (the exact form of Cochran, Mantel and Haenszel's test). One group by default.

    Returns:
        The p-value; NaN where no group holds both positives and others.
    """
    from scipy.stats import binom, hypergeom

    if positive.all() or not positive.any():
        return math.nan
    mean_positive, mean_other = windows[positive].mean(), windows[~positive].mean()
    alike = abs(mean_positive - mean_other) <= _EQUAL_WINDOWS * max(mean_positive, mean_other)
    strata = np.zeros(len(found), dtype=np.int64) if strata is None else strata
    observed, comparable, distribution = 0, False, np.ones(1)
    for stratum in np.unique(strata):
        inside = strata == stratum
        positives, hits = int((positive & inside).sum()), int((found & inside).sum())
        if positives in (0, int(inside.sum())):
            continue
        count = np.arange(min(hits, positives if alike else hits) + 1)
        share = windows[positive & inside].sum() / max(windows[inside].sum(), 1.0)
        chance = hypergeom.pmf(count, inside.sum(), positives, hits) if alike else binom.pmf(count, hits, share)
        distribution = np.convolve(distribution, chance)
        observed += int((found & positive & inside).sum())
        comparable = True
    if not comparable:
        return math.nan
    return float(min(1.0, distribution[observed:].sum())) if observed else 1.0


def rank_auroc(scores: Floats, positive: Booleans) -> float:
    """Return the area under the ROC curve from ranks, ties counted half (Mann and Whitney 1947)."""
    positives, others = int(positive.sum()), int((~positive).sum())
    if not positives or not others:
        return math.nan
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * others))


def average_precision(scores: Floats, positive: Booleans) -> float:
    """Return the mean precision over the steps of recall, equal scores taken in one step; NaN without positives."""
    if not positive.any():
        return math.nan
    order = np.argsort(-scores, kind="stable")
    last_of_equals = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    found = np.cumsum(positive[order])[last_of_equals]
    return float(np.sum(np.diff(found, prepend=0) * found / (last_of_equals + 1)) / found[-1])
