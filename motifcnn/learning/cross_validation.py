"""How well networks predict what they were not trained on, fold by fold, as mean and spread."""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from motifcnn.learning.evaluation import Scores, score_predictions
from motifcnn.learning.folds import Fold
from motifcnn.objectives import Objective
from motifcnn.ranks import Ranks

_LOGGER = logging.getLogger(__name__)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """What the networks of all folds reached, each on the examples that it was not trained on.

    Args:
        folds: How the examples were divided each time.
        predictions: Of each fold's held-out examples, shape [example, output].
        scores: Of each fold.
        outputs: Names of the outputs.
    """

    folds: tuple[Fold, ...]
    predictions: tuple[Floats, ...]
    scores: tuple[Scores, ...]
    outputs: tuple[str, ...]

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the scores that the task has; the first one is said."""
        return self.scores[0].measures

    def mean_and_deviation(self, measure: str) -> tuple[float, float]:
        """Return the mean of a measure over the folds where it is defined, and its standard deviation (n − 1)."""
        values = [score for scores in self.scores if not math.isnan(score := scores.mean(measure))]
        if not values:
            return math.nan, math.nan
        return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else math.nan


def cross_validate(
    folds: Sequence[Fold], objective: Objective, held_out_predictions: Callable[[Fold], Floats], ranks: Ranks
) -> CrossValidation | None:
    """Train a network for each fold and score it on the examples held out.

    Several processes take turns: each trains whole networks, just as one process does.

    Args:
        folds: Divisions of the examples; may be none.
        objective: The task.
        held_out_predictions: Trains on a fold and predicts its test set, shape [example, output].
        ranks: Processes that share the work.

    Returns:
        None where there are no folds, and in all processes but the first.
    """
    predictions = {}
    for number, fold in enumerate(folds):
        if number % ranks.size == ranks.rank:
            _LOGGER.info("fold %d of %d: %d examples held out", number + 1, len(folds), len(fold.examples.part("test")))
            predictions[number] = held_out_predictions(fold)
            if not ranks.is_first:
                ranks.send(predictions[number].astype(np.float64).tobytes())
    if not folds or not ranks.is_first:
        return None
    for number in range(len(folds)):
        if number not in predictions:
            received = np.frombuffer(ranks.receive(number % ranks.size) or b"", dtype=np.float64)
            predictions[number] = received.reshape(-1, objective.outputs)
    scores = []
    for number, fold in enumerate(folds):
        values = fold.examples.targeted[fold.examples.rows(fold.examples.part("test"))]
        scores.append(score_predictions(objective, predictions[number], values))
    ordered = tuple(predictions[number] for number in range(len(folds)))
    return CrossValidation(tuple(folds), ordered, tuple(scores), objective.output_names)


def folds_table(found: CrossValidation) -> pd.DataFrame:
    """Return one row a fold and target: sizes of the parts and scores."""
    rows = []
    for fold, scores in zip(found.folds, found.scores, strict=True):
        sizes = {part: len(fold.examples.part(part)) for part in ("train", "validation")}
        for target, of_target in scores.per_target.items():
            row = {"fold": fold.name, "target": target, **sizes, "test": of_target.n}
            if "auroc" in found.measures:
                row["positives"] = of_target.positives
            rows.append(row | {measure: getattr(of_target, measure) for measure in found.measures})
    return pd.DataFrame(rows)


def fold_predictions_table(found: CrossValidation) -> pd.DataFrame:
    """Return what each example was predicted by the network of the fold that held it out, in the examples' order."""
    tables = []
    for fold, predicted in zip(found.folds, found.predictions, strict=True):
        indices = fold.examples.part("test")
        names = np.array(fold.examples.sequences.names, dtype=object)[indices]
        table = pd.DataFrame({"id": names, "fold": fold.name}, index=indices)
        for column, output in enumerate(found.outputs):
            table[f"predicted_{output}"] = fold.examples.cells(predicted[:, column], indices)
        tables.append(table)
    return pd.concat(tables).sort_index(kind="stable")


def cross_validation_metrics(found: CrossValidation) -> dict[str, Any]:
    """Return what metrics.json says: the number of folds, and of each measure mean, deviation and every fold's."""
    figures: dict[str, Any] = {"folds": len(found.folds), "measure": found.measures[0]}
    for measure in found.measures:
        mean, deviation = found.mean_and_deviation(measure)
        each = [scores.mean(measure) for scores in found.scores]
        figures[measure] = {"mean": mean, "standard_deviation": deviation, "each": each}
    return figures
