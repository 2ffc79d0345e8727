"""Receiver operating characteristic and precision–recall curves of held-out predictions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

_MOST_POINTS = 400
"""Points of a drawn curve; more cannot be told apart on a page."""


@dataclass(frozen=True, eq=False)
class Curves:
    """Both curves of one set of predictions.

    Args:
        false_positive_rate: Shape [point], from 0 to 1.
        true_positive_rate: Shape [point], from 0 to 1.
        recall: Shape [point], from 0 to 1.
        precision: Shape [point].
        auroc: Area under the first; ties count half.
        average_precision: Mean precision over the steps of recall.
        positives: Number of positives.
        negatives: Number of negatives.
    """

    false_positive_rate: Numbers
    true_positive_rate: Numbers
    recall: Numbers
    precision: Numbers
    auroc: float
    average_precision: float
    positives: int
    negatives: int


def curves(labels: Numbers, scores: Numbers) -> Curves | None:
    """Return the curves; None where there are no positives or no negatives.

    Args:
        labels: 1 for positives, 0 for negatives, NaN where not known (left out), shape [example].
        scores: Higher for what is held to be positive, NaN where not known, shape [example].
    """
    known = ~(np.isnan(labels) | np.isnan(scores))
    truth, score = labels[known] > 0.5, scores[known]
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return None
    order = np.argsort(-score, kind="stable")
    last_of_ties = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    true_positives = np.cumsum(truth[order])[last_of_ties].astype(np.float64)
    called = last_of_ties + 1.0
    recall = true_positives / positives
    precision = true_positives / called
    false_rate = np.concatenate(([0.0], (called - true_positives) / negatives))
    true_rate = np.concatenate(([0.0], recall))
    auroc = float(np.sum(np.diff(false_rate) * (true_rate[1:] + true_rate[:-1]) / 2))
    average_precision = float(np.sum(np.diff(true_rate) * precision))
    thin, thin_recall = _thinned(len(false_rate)), _thinned(len(recall))
    return Curves(
        false_rate[thin],
        true_rate[thin],
        np.concatenate(([0.0], recall[thin_recall])),
        np.concatenate((precision[:1], precision[thin_recall])),
        auroc,
        average_precision,
        positives,
        negatives,
    )


def auroc_interval(auroc: float, positives: int, negatives: int) -> tuple[float, float]:
    """Return a 95 % confidence interval of an AUROC, cut to 0–1.

    Args:
        auroc: The area measured.
        positives: Number of positives it was measured on.
        negatives: Number of negatives.

    Source: Hanley and McNeil 1982, equation 1.
    """
    first = auroc / (2 - auroc)
    second = 2 * auroc**2 / (1 + auroc)
    variance = (auroc * (1 - auroc) + (positives - 1) * (first - auroc**2) + (negatives - 1) * (second - auroc**2)) / (
        positives * negatives
    )
    margin = 1.96 * float(np.sqrt(max(variance, 0.0)))
    return max(0.0, auroc - margin), min(1.0, auroc + margin)


def _thinned(points: int) -> npt.NDArray[np.int64]:
    return np.unique(np.linspace(0, points - 1, min(points, _MOST_POINTS)).round().astype(np.int64))
