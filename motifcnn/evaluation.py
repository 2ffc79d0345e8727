"""How good predictions are, and what trivial models reach on the same examples."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences

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
    """Scores of all targets and their means."""

    task: str
    n: int
    per_target: dict[str, TargetScores]

    def mean(self, measure: str) -> float:
        """Return the mean of a measure over the targets for which it is defined."""
        values = [getattr(scores, measure) for scores in self.per_target.values()]
        known = [value for value in values if not math.isnan(value)]
        return float(np.mean(known)) if known else math.nan

    @property
    def headline(self) -> float:
        """The one figure to show: AUROC, or Pearson correlation in regression."""
        return self.mean("pearson" if self.task == "regression" else "auroc")


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
    for column, name in enumerate(objective.output_names):
        truth = values[:, 0] if objective.task == "classes" else values[:, column]
        known = ~np.isnan(truth)
        predicted, truth = predictions[known, column].astype(np.float64), truth[known].astype(np.float64)
        if objective.task == "regression":
            per_target[name] = _score_values(predicted, truth)
        else:
            per_target[name] = _score_labels(predicted, truth == (column if objective.task == "classes" else 1))
    return Scores(objective.task, len(values), per_target)


def _score_labels(predicted: Matrix, truth: npt.NDArray[np.bool_]) -> TargetScores:
    from sklearn.metrics import average_precision_score, roc_auc_score

    n, positives = len(truth), int(truth.sum())
    if positives in (0, n):
        return TargetScores(n, positives)
    return TargetScores(
        n,
        positives,
        auroc=float(roc_auc_score(truth, predicted)),
        average_precision=float(average_precision_score(truth, predicted)),
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


def baseline_features(sequences: Sequences) -> dict[str, Matrix]:
    """Return what trivial models see, each of shape [example, feature].

    For nucleotides: GC content, dinucleotide frequencies and length; for protein: amino-acid
    frequencies and length.
    """
    size = sequences.alphabet.size
    lengths = sequences.lengths.astype(np.float64)
    features = {"length": np.log(lengths)[:, None]}
    singles = _word_frequencies(sequences, 1)
    if size > 4:
        return {"composition": singles, **features}
    gc = singles[:, [sequences.alphabet.letters.index("C"), sequences.alphabet.letters.index("G")]].sum(axis=1)
    return {"gc": gc[:, None], "dinucleotides": _word_frequencies(sequences, 2), **features}


def _word_frequencies(sequences: Sequences, width: int) -> Matrix:
    """Frequencies of the unambiguous words of one width, shape [example, word]."""
    size = sequences.alphabet.size
    windows = np.lib.stride_tricks.sliding_window_view(sequences.codes, width)
    owner = np.repeat(np.arange(len(sequences)), sequences.lengths)[: len(windows)]
    inside = owner == np.repeat(np.arange(len(sequences)), sequences.lengths)[width - 1 :]
    clean = inside & (windows < size).all(axis=1)
    words = windows[clean].astype(np.int64) @ (size ** np.arange(width - 1, -1, -1))
    counts = np.bincount(owner[clean] * size**width + words, minlength=len(sequences) * size**width)
    table = counts.reshape(len(sequences), size**width).astype(np.float64)
    return np.asarray(table / np.maximum(table.sum(axis=1, keepdims=True), 1.0))


@dataclass(frozen=True, eq=False)
class Baseline:
    """A trivial model: its predictions on the held-out examples and their scores."""

    name: str
    predictions: Matrix
    scores: Scores


def fit_baselines(
    objective: Objective,
    sequences: Sequences,
    values: npt.NDArray[np.float32],
    fitted_on: npt.NDArray[np.int64],
    scored_on: npt.NDArray[np.int64],
) -> list[Baseline]:
    """Fit a linear model on each trivial feature and score it on held-out examples.

    A feature that is the same for all sequences (such as the length of windows) predicts nothing
    and scores an AUROC of 0.5.

    Args:
        objective: The task.
        sequences: All sequences.
        values: Targets, shape [example, target]; NaN where missing.
        fitted_on: Indices of the examples to fit on.
        scored_on: Indices of the examples to predict.
    """
    baselines = []
    for name, features in baseline_features(sequences).items():
        spread = features[fitted_on].std(axis=0)
        scaled = (features - features[fitted_on].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        columns = [
            _fit_linear(objective, column, scaled[fitted_on], values[fitted_on], scaled[scored_on])
            for column in range(objective.outputs)
        ]
        predictions = np.stack(columns, axis=1)
        baselines.append(Baseline(name, predictions, score_predictions(objective, predictions, values[scored_on])))
    return baselines


def _fit_linear(
    objective: Objective, column: int, features: Matrix, values: npt.NDArray[np.float32], scored: Matrix
) -> Matrix:
    from sklearn.linear_model import LogisticRegression, Ridge

    truth = values[:, 0] if objective.task == "classes" else values[:, column]
    known = ~np.isnan(truth)
    if objective.task == "regression":
        return np.asarray(Ridge().fit(features[known], truth[known]).predict(scored), dtype=np.float64)
    labels = truth[known] == (column if objective.task == "classes" else 1)
    if labels.all() or not labels.any():
        return np.full(len(scored), float(labels.mean()) if labels.size else 0.5)
    model = LogisticRegression(max_iter=1000, class_weight="balanced").fit(features[known], labels)
    return np.asarray(model.predict_proba(scored)[:, 1], dtype=np.float64)
