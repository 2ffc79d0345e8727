"""How good predictions are."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from motifcnn.objectives import Objective
from motifcnn.significance import average_precision, rank_auroc

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TargetScores:
    """Scores of one target or class; NaN where they are not defined.

    Args:
        n: Examples with a value.
        positives: Those of them with the label (0 in regression).
        auroc: Area under the receiver operating characteristic.
        average_precision: Area under the precision–recall curve, as a step function.
        pearson: Correlation of predicted and measured values.
        spearman: Correlation of their ranks.
        r2: Share of the variance explained.
    """

    n: int
    positives: int = 0
    auroc: float = math.nan
    average_precision: float = math.nan
    pearson: float = math.nan
    spearman: float = math.nan
    r2: float = math.nan


@dataclass(frozen=True)
class Scores:
    """Scores of all targets and their means.

    Args:
        measures: Names of the scores that the task has, that to be shown first.
        n: Examples.
        per_target: Scores of each target or class.
    """

    measures: tuple[str, ...]
    n: int
    per_target: dict[str, TargetScores]

    def mean(self, measure: str) -> float:
        """Return the mean of a measure over the targets for which it is defined."""
        values = [getattr(scores, measure) for scores in self.per_target.values()]
        known = [value for value in values if not math.isnan(value)]
        return float(np.mean(known)) if known else math.nan

    @property
    def headline(self) -> float:
        """The one figure to show: AUROC, average precision where positives are rare, Pearson's r in regression."""
        return self.mean(self.measures[0])

    @property
    def guessing(self) -> float:
        """What guessing reaches of the headline's measure."""
        return {"auroc": 0.5, "average_precision": self.share_of_positives}.get(self.measures[0], 0.0)

    @property
    def share_of_positives(self) -> float:
        """What guessing has for average precision: the mean share of positives of the targets that have one."""
        shares = [s.positives / s.n for s in self.per_target.values() if not math.isnan(s.average_precision)]
        return float(np.mean(shares)) if shares else math.nan


def score_predictions(
    objective: Objective, predictions: npt.NDArray[np.floating], values: npt.NDArray[np.floating]
) -> Scores:
    """Score predictions against the truth, missing values left out.

    Args:
        objective: The task.
        predictions: Shape [example, output].
        values: Shape [example, target]; NaN where missing.
    """
    per_target = {}
    for name, (predicted, truth) in zip(objective.output_names, _known(objective, predictions, values), strict=True):
        measured = objective.task == "regression"
        per_target[name] = _score_values(predicted, truth) if measured else _score_labels(predicted, truth == 1)
    return Scores(objective.measures, len(values), per_target)


def headline_score(
    objective: Objective, predictions: npt.NDArray[np.floating], values: npt.NDArray[np.floating]
) -> float:
    """Return `score_predictions(...).headline` and nothing else, in a fraction of the time."""
    scores = []
    for predicted, truth in _known(objective, predictions, values):
        if objective.task != "regression":
            score = average_precision if objective.rare else rank_auroc
            scores.append(score(predicted, truth == 1))
        elif len(truth) >= 3 and np.ptp(truth) > 0 and np.ptp(predicted) > 0:
            scores.append(float(np.corrcoef(predicted, truth)[0, 1]))
    defined = [score for score in scores if not math.isnan(score)]
    return float(np.mean(defined)) if defined else math.nan


def _known(
    objective: Objective, predictions: npt.NDArray[np.floating], values: npt.NDArray[np.floating]
) -> Iterator[tuple[Matrix, Matrix]]:
    """Give predictions and truth of each output, missing values left out."""
    for predicted, truth in zip(predictions.T, objective.columns(values, standardised=False).T, strict=True):
        known = ~np.isnan(truth)
        yield predicted[known].astype(np.float64), truth[known]


def _score_labels(predicted: Matrix, truth: npt.NDArray[np.bool_]) -> TargetScores:
    n, positives = len(truth), int(truth.sum())
    if positives in (0, n):
        return TargetScores(n, positives)
    return TargetScores(
        n,
        positives,
        auroc=rank_auroc(predicted, truth),
        average_precision=average_precision(predicted, truth),
    )


def _score_values(predicted: Matrix, truth: Matrix) -> TargetScores:
    from scipy.stats import pearsonr, spearmanr

    if len(truth) < 3 or np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return TargetScores(len(truth))
    residual = float(((truth - predicted) ** 2).sum())
    return TargetScores(
        len(truth),
        pearson=float(pearsonr(predicted, truth).statistic),
        spearman=float(spearmanr(predicted, truth).statistic),
        r2=1.0 - residual / float(((truth - truth.mean()) ** 2).sum()),
    )
