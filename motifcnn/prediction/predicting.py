"""Use a trained network on other sequences."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from motifcnn.devices import Device
from motifcnn.encoding import EncodedSequences, Tracks
from motifcnn.errors import InputError
from motifcnn.formats.genome import Genome
from motifcnn.inputs.channels import matched, read_channels
from motifcnn.learning.training import own_rows, predict_logits
from motifcnn.model.store import TrainedModel, load_model
from motifcnn.objectives import Objective
from motifcnn.preparation import read_sequences
from motifcnn.ranks import ALONE, Ranks
from motifcnn.runs import RunDirectory
from motifcnn.sequences import Sequences
from motifcnn.settings import InputSettings


def model_of(path: Path, device: Device, *, whole: str = "") -> TrainedModel:
    """Load the model of a run directory, or of a model file itself.

    Args:
        path: Run directory or model file.
        device: Where to compute.
        whole: Command or option that needs one value of a whole sequence; empty for others.

    Raises:
        InputError: There is none, or it has a value for each base where one of a sequence is needed.
    """
    model = load_model(RunDirectory(path).model if path.is_dir() else path, device.torch_device)
    if whole and model.network.per_base:
        raise InputError(
            f"{whole} needs one value of a sequence, and this network has one for each base; "
            "give a run of another architecture",
            path,
        )
    return model


@dataclass(frozen=True, eq=False)
class Predicted:
    """Predictions of the sequences of a file.

    Args:
        sequences: What was predicted; none in all processes but the first.
        objective: The model's task.
        values: Probabilities, or values in the targets' units, shape [sequence, output]; or [base, output].
        per_base: Whether these are of bases.
    """

    sequences: Sequences
    objective: Objective
    values: npt.NDArray[np.float64]
    per_base: bool

    @property
    def names(self) -> tuple[str, ...]:
        """One name an output."""
        return self.objective.output_names

    def table(self) -> pd.DataFrame:
        """Return a row a sequence: `id`, and one column a target or class; values of bases stand between commas."""
        columns: dict[str, Any] = {"id": list(self.sequences.names)}
        for name, column in zip(self.names, self.values.T, strict=True):
            columns[name] = self.sequences.cells(column, "%.6g") if self.per_base else column
        return pd.DataFrame(columns)


def read_model_input(
    model: TrainedModel,
    sequences_path: Path,
    genome: Path | None,
    conservation: tuple[Path, ...],
    *,
    whole_intervals: bool = False,
    ranks: Ranks = ALONE,
) -> tuple[Sequences, Tracks]:
    """Read sequences and tracks as the model was trained on them.

    Args:
        model: Trained.
        sequences_path: FASTA, or BED with a genome.
        genome: FASTA of the genome.
        conservation: Tracks, matched with those of training by their names, or else by their order.
        whole_intervals: Whether BED intervals are read as they are, not as windows of one width.
        ranks: Processes that each read the same.

    Raises:
        InputError: The input does not suit the model.
    """
    width = 0 if whole_intervals else model.width
    settings = replace(InputSettings(), alphabet=model.alphabet.name, softmask=model.softmask, width=width)  # type: ignore[arg-type]
    reference = Genome(genome, settings.softmask) if genome is not None else None
    sequences = read_sequences(sequences_path, reference, settings, ranks)
    return sequences, model_tracks(model, sequences, conservation, sequences_path)


def model_tracks(model: TrainedModel, sequences: Sequences, conservation: tuple[Path, ...], path: Path) -> Tracks:
    """Read the model's further channels along sequences, and refuse sequences that do not suit it.

    Args:
        model: Trained.
        sequences: In its alphabet.
        conservation: Tracks, matched with those of training by their names, or else by their order.
        path: Where the sequences come from, for messages.

    Returns:
        Shape [track, total positions].

    Raises:
        InputError: A sequence is shorter than a filter, or the tracks do not suit the model.
    """
    span = model.network.filters.width
    short = np.flatnonzero(sequences.lengths < span)
    if short.size:
        raise InputError(
            f"{short.size} {'sequence is' if short.size == 1 else 'sequences are'} shorter than the model's filters "
            f"of width {span} (first: {sequences.names[int(short[0])]}); "
            f"remove or lengthen {'it' if short.size == 1 else 'them'}",
            path,
        )
    channels = read_channels(conservation, sequences, model.channels)
    return matched(channels, model.scales, path).values


def predict_file(
    model_path: Path,
    sequences_path: Path,
    genome: Path | None,
    conservation: tuple[Path, ...],
    device: Device,
    ranks: Ranks = ALONE,
) -> Predicted:
    """Predict each sequence of a file, or each of its bases.

    Args:
        model_path: Run directory, or model file.
        sequences_path: FASTA, or BED with a genome.
        genome: FASTA of the genome.
        conservation: Tracks, in the order of training.
        device: Where to compute.
        ranks: Processes that share the work.

    Returns:
        All predictions in the first of several processes, none in the others.

    Raises:
        InputError: The model or the input is at fault.
    """
    ranks.check_readable(sequences_path)
    model = model_of(model_path, device)
    sequences, tracks = read_model_input(model, sequences_path, genome, conservation, ranks=ranks)
    encoded = EncodedSequences(sequences, tracks, model.scales, device.torch_device)
    logits = _divided_logits(model, encoded, len(sequences), ranks)
    shown = sequences if ranks.is_first else sequences.subset(np.arange(0))
    values = model.objective.predictions(logits).numpy()
    return Predicted(shown, model.objective, values, model.network.per_base)


def _divided_logits(model: TrainedModel, encoded: EncodedSequences, count: int, ranks: Ranks) -> torch.Tensor:
    """Predict as many whole batches in each process as in any other; return all in the first one."""
    own = predict_logits(model.network, encoded, np.arange(*own_rows(count, ranks)))
    if not ranks.is_first:
        ranks.send(own.numpy().tobytes())
        return own[:0]
    others = (np.frombuffer(ranks.receive(rank) or b"", dtype=np.float32) for rank in range(1, ranks.size))
    return torch.cat([own, *(torch.from_numpy(part.copy()).reshape(-1, own.shape[1]) for part in others)])
