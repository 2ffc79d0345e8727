"""What the further channels add: the same network trained without them, compared on held-out examples."""

import logging
import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from motifcnn.encoding import EncodedSequences
from motifcnn.inputs.examples import Examples
from motifcnn.learning.calibration import calibrate
from motifcnn.learning.paired_tests import PairedTest, delong, swap_test
from motifcnn.learning.seeding import seed_filters
from motifcnn.learning.training import TrainingData, predict_logits, train
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel
from motifcnn.objectives import Objective
from motifcnn.settings import TrainingSettings
from motifcnn.significance import rank_auroc

_LOGGER = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ablation:
    """The model with its channels (first) against the model without (second), on held-out examples.

    Args:
        overall: Of the mean score of all outputs.
        per_target: Of each output.
        measure: "auroc", or "pearson" in regression.
    """

    overall: PairedTest
    per_target: dict[str, PairedTest]
    measure: str


def ablate(
    model: TrainedModel,
    predictions: npt.NDArray[np.floating],
    examples: Examples,
    settings: TrainingSettings,
    seed: int,
    generator: np.random.Generator,
) -> Ablation:
    """Train the same network on the letters alone, with the same examples, parts and seed, and compare.

    Args:
        model: Trained with the channels.
        predictions: Its own, shape [example, output].
        examples: What it was trained and tested on.
        settings: Its training's.
        seed: Its training's.
        generator: Source of permutations.
    """
    _LOGGER.info("training the same network without %s, to tell what they add", ", ".join(examples.track_names))
    network, objective = model.network, model.objective
    device = next(network.parameters()).device
    training = examples.part("train")
    alone = MotifNetwork(network.settings, model.alphabet, 0, objective.outputs, seed)
    seed_filters(alone, objective, examples.sequences, examples.values, training, settings)
    alone.to(device)
    encoded = EncodedSequences(examples.sequences, device=device)
    data = TrainingData(encoded, examples.values, training, examples.part("validation"))
    train(alone, objective, data, settings, seed=seed)
    calibrate(alone, objective, data, examples.sequences, settings)
    test = examples.part("test")
    without = objective.predictions(predict_logits(alone, encoded, test).double()).numpy()
    return compare_models(objective, examples.values[test], predictions[test].astype(np.float64), without, generator)


def compare_models(
    objective: Objective,
    values: npt.NDArray[np.float32],
    first: Floats,
    second: Floats,
    generator: np.random.Generator,
) -> Ablation:
    """Compare two models' predictions of the same examples.

    Labels and classes are compared by DeLong's test, one by one; numbers, and the mean over several outputs, by
    swapping the two predictions of random examples (ranks; in regression standardised).

    Args:
        objective: The task of both.
        values: Shape [example, target]; NaN where missing.
        first: Predictions of shape [example, output].
        second: The other model's.
        generator: Source of permutations.
    """
    numeric = objective.task == "regression"
    on_one_scale = _standardised if numeric else _ranks
    one, other = on_one_scale(first), on_one_scale(second)

    per_target: dict[str, PairedTest] = {}
    for column, name in enumerate(objective.output_names):
        truth = values[:, 0] if objective.task == "classes" else values[:, column]
        known = ~np.isnan(truth)
        if numeric:
            score = partial(_correlation, truth[known].astype(np.float64))
            pair = one[known][:, [column]], other[known][:, [column]]
            per_target[name] = swap_test(score, *pair, generator)
        else:
            positive = truth[known] == (column if objective.task == "classes" else 1)
            per_target[name] = delong(positive, first[known, column], second[known, column])
    mean = partial(_mean_score, objective, values)
    only_one = next(iter(per_target.values())) if len(per_target) == 1 else None
    overall = only_one or swap_test(mean, one, other, generator)
    return Ablation(overall, per_target, "pearson" if numeric else "auroc")


def _correlation(truth: Floats, predictions: Floats) -> float:
    if len(truth) < 3 or not np.ptp(truth) or not np.ptp(predictions):
        return math.nan
    return float(np.corrcoef(truth, predictions[:, 0])[0, 1])


def _mean_score(objective: Objective, values: npt.NDArray[np.float32], predictions: Floats) -> float:
    """Mean over the outputs, as `evaluation.Scores` has it, without the measures that are not asked for here."""
    scores = []
    for column in range(objective.outputs):
        truth = values[:, 0] if objective.task == "classes" else values[:, column]
        known = ~np.isnan(truth)
        if objective.task == "regression":
            scores.append(_correlation(truth[known].astype(np.float64), predictions[known][:, [column]]))
        else:
            positive = truth[known] == (column if objective.task == "classes" else 1)
            scores.append(rank_auroc(predictions[known, column], positive))
    defined = [score for score in scores if not math.isnan(score)]
    return float(np.mean(defined)) if defined else math.nan


def _ranks(predictions: Floats) -> Floats:
    from scipy.stats import rankdata

    return np.asarray(rankdata(predictions, axis=0) / max(len(predictions), 1))


def _standardised(predictions: Floats) -> Floats:
    spread = predictions.std(axis=0)
    return np.asarray((predictions - predictions.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
