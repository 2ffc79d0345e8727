"""An untrained model that fits its examples, and its training: filters first, then what they and words weigh."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from motifcnn.devices import Device
from motifcnn.encoding import EncodedSequences, track_scales
from motifcnn.inputs.base_windows import sited_examples
from motifcnn.inputs.examples import Examples
from motifcnn.inputs.shuffles import find_shuffles
from motifcnn.learning.calibration import calibrate
from motifcnn.learning.seeding import seed_filters
from motifcnn.learning.training import EpochRecord, EpochReport, TrainingData, train
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel
from motifcnn.objectives import Link, Objective, Task
from motifcnn.ranks import ALONE, Ranks
from motifcnn.settings import ModelSettings, Settings


def assemble(
    examples: Examples, settings: Settings, model_settings: ModelSettings, device: Device
) -> tuple[TrainedModel, EncodedSequences]:
    """Make an untrained model that fits the examples, and put these on its device.

    Args:
        examples: Divided.
        settings: Every tunable.
        model_settings: The network's, with nothing left open.
        device: Where to compute.
    """
    sequences, training = examples.sequences, examples.part("train")
    objective = objective_of(examples, settings)
    scales = track_scales(examples.track_names, examples.tracks_of(training))
    network = MotifNetwork(model_settings, sequences.alphabet, len(scales), objective.outputs, settings.seed)
    sited = sited_examples(examples, model_settings.filter_width)
    of_sites = objective if sited is examples else objective_of(sited, settings)
    seed_filters(network, of_sites, sited.sequences, sited.values, sited.part("train"), settings.training)
    network.to(device.torch_device)
    encoded = EncodedSequences(sequences, examples.tracks, scales, device.torch_device)
    softmask, width, scored = settings.input.softmask, int(np.median(sequences.lengths)), settings.channels
    return TrainedModel(network, objective, sequences.alphabet, scales, softmask, width, scored), encoded


def objective_of(examples: Examples, settings: Settings) -> Objective:
    """Say what is to be learned of examples: their values, or those of their bases."""
    task: Task = examples.task
    link: Link = "identity"
    if examples.bases is not None:
        task = "regression"
        if examples.bases.kind == "0/1":
            task = "binary" if len(examples.targets) == 1 else "multi-label"
        link = "log" if examples.bases.kind == "counts" else "identity"
    values = examples.targeted[examples.rows(examples.part("train"))]
    weighed = settings.training.class_weights
    return Objective.from_training_set(
        task, examples.targets, examples.classes, values, weigh_classes=weighed, link=link
    )


def fit(
    model: TrainedModel,
    encoded: EncodedSequences,
    examples: Examples,
    settings: Settings,
    *,
    checkpoint: Path | None = None,
    resume: bool = False,
    on_epoch: Callable[[EpochReport], None] = lambda report: None,
    ranks: Ranks = ALONE,
) -> list[EpochRecord]:
    """Train the filters in all processes, then, in the first, weigh their logits and those of words.

    Args:
        model: As `assemble` makes it; trained in place.
        encoded: Its examples.
        examples: The same, with their values and parts.
        settings: Every tunable.
        checkpoint: As in `train`.
        resume: As in `train`.
        on_epoch: As in `train`.
        ranks: Processes that share the work.
    """
    per_base = examples.bases is not None
    training, validation = examples.part("train"), examples.part("validation")
    shuffles = find_shuffles(examples, settings.seed) if settings.training.fresh_shuffles else None
    data = TrainingData(encoded, examples.targeted, training, validation, per_base, shuffles)
    history = train(
        model.network,
        model.objective,
        data,
        settings.training,
        seed=settings.seed,
        checkpoint=checkpoint,
        resume=resume,
        on_epoch=on_epoch,
        ranks=ranks,
    )
    if ranks.is_first:
        calibrate(model.network, model.objective, data, examples.sequences, settings.training)
    return history
