"""An untrained model that fits its examples, and its training: filters first, then sums of words beside them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from motifcnn.devices import Device
from motifcnn.encoding import EncodedSequences, track_scales
from motifcnn.inputs.examples import Examples
from motifcnn.learning.seeding import seed_filters
from motifcnn.learning.training import EpochRecord, EpochReport, TrainingData, train
from motifcnn.learning.word_sums import add_word_sums
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel
from motifcnn.objectives import Objective
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
    objective = Objective.from_training_set(
        examples.task,
        examples.targets,
        examples.classes,
        examples.values[training],
        weigh_classes=settings.training.class_weights,
    )
    scales = track_scales(examples.track_names, examples.tracks_of(training))
    network = MotifNetwork(model_settings, sequences.alphabet, len(scales), objective.outputs, settings.seed)
    seed_filters(network, objective, sequences, examples.values, training, settings.training)
    network.to(device.torch_device)
    encoded = EncodedSequences(sequences, examples.tracks, scales, device.torch_device)
    softmask, width, scored = settings.input.softmask, int(np.median(sequences.lengths)), settings.channels
    return TrainedModel(network, objective, sequences.alphabet, scales, softmask, width, scored), encoded


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
    """Train the filters in all processes, then, in the first, put sums of words beside them.

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
    data = TrainingData(encoded, examples.values, examples.part("train"), examples.part("validation"))
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
        add_word_sums(model.network, model.objective, data, examples.sequences, settings.training)
    return history
