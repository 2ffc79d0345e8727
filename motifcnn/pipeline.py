"""The whole street of `motifcnn train`, from files to a complete run directory."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.assembly import assemble, fit, objective_of
from motifcnn.devices import Device, choose_device, use_threads
from motifcnn.discovery.assessment import assess
from motifcnn.discovery.channel_findings import channel_findings
from motifcnn.discovery.extraction import extract_motifs, filter_motifs
from motifcnn.discovery.fixed_positions import fixed_positions
from motifcnn.discovery.known_motifs import KnownMotifs, database_file, known_motifs
from motifcnn.discovery.sample import sample_for_motifs
from motifcnn.encoding import EncodedSequences
from motifcnn.errors import InterruptedRun, MotifcnnError
from motifcnn.inputs.base_windows import sited_examples
from motifcnn.inputs.examples import Examples
from motifcnn.inputs.splits import PARTS
from motifcnn.learning.ablation import ablate
from motifcnn.learning.base_baselines import fit_base_baselines
from motifcnn.learning.baselines import Baseline, fit_baselines
from motifcnn.learning.cross_validation import CrossValidation, cross_validate
from motifcnn.learning.folds import Fold, divide_into_folds
from motifcnn.learning.training import EpochRecord, EpochReport, predict_logits
from motifcnn.model.store import TrainedModel, save_model
from motifcnn.model.table import LayerRow, layer_table
from motifcnn.objectives import Objective
from motifcnn.outcome import Outcome, write_outcome
from motifcnn.preparation import InputFiles, Prepared, fit_model, prepare
from motifcnn.ranks import Ranks, joined
from motifcnn.runs import JsonLinesHandler, RunDirectory, RunRecord
from motifcnn.settings import Settings

_LOGGER = logging.getLogger(__name__)
Predictions = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TrainingRequest:
    """Everything that `motifcnn train` was asked for.

    Args:
        files: Input files.
        out: Run directory.
        settings: Every tunable.
        command: Arguments of the program, for the record.
        force: Write over an earlier run.
        resume: Go on with an interrupted run.
    """

    files: InputFiles
    out: Path
    settings: Settings
    command: Sequence[str] = ()
    force: bool = False
    resume: bool = False


def run(
    request: TrainingRequest,
    on_layers: Callable[[list[LayerRow]], None] = lambda rows: None,
    on_epoch: Callable[[EpochReport], None] = lambda report: None,
) -> Outcome | None:
    """Train, extract and test motifs, and write the run directory.

    Where torchrun started several processes, all read the input and train together; the first one does the rest.

    Args:
        request: What to do.
        on_layers: Called with the layer table before training.
        on_epoch: Called after each epoch.

    Returns:
        What was found; None in all processes but the first.

    Raises:
        MotifcnnError: Input or settings are at fault; nothing was written.
        InterruptedRun: Ctrl-C; the best model so far is kept, and the message says how to go on.
    """
    settings = request.settings
    if settings.training.ablation and not request.files.conservation:
        raise MotifcnnError("--ablation tells what further channels add, and there are none; give --conservation")
    with ExitStack() as recording:
        log = recording.enter_context(JsonLinesHandler())
        with joined() as ranks:
            street = _begin(request, ranks, on_layers)
            if ranks.is_first:
                log.open(street.directory.log, append=request.resume)
                recording.enter_context(_kept_when_interrupted(street.directory, street.record, street.model))
            history = fit(
                street.model,
                street.encoded,
                street.prepared.examples,
                settings,
                checkpoint=street.directory.checkpoint,
                resume=request.resume,
                on_epoch=on_epoch if ranks.is_first else lambda report: None,
                ranks=ranks,
            )
            validated = _cross_validate(street, settings, ranks)
        if not ranks.is_first:
            return None
        outcome = replace(_harvest(street, history, settings), cross_validation=validated)
        write_outcome(street.directory, outcome, street.prepared.negatives_made, street.record)
    return outcome


@dataclass(frozen=True, eq=False)
class _Street:
    """What is ready when training begins."""

    directory: RunDirectory
    record: RunRecord
    device: Device
    prepared: Prepared
    folds: Sequence[Fold]
    model: TrainedModel
    encoded: EncodedSequences
    layers: Sequence[LayerRow]
    known: KnownMotifs


def _begin(request: TrainingRequest, ranks: Ranks, on_layers: Callable[[list[LayerRow]], None]) -> _Street:
    """Read and check the input, make an untrained model and, in the first process, the run directory."""
    settings = request.settings
    ranks.check_readable(request.files.sequences)
    device = choose_device(settings.device)
    threads = use_threads(settings.threads)
    share = f"{threads} {'thread' if threads == 1 else 'threads'}"
    share += f" in each of {ranks.size} processes" if ranks.size > 1 else ""
    _LOGGER.info("computing on %s (%s), %s", device.torch_device, device.reason, share)
    known_file = database_file(settings.motifs.database)
    inputs = request.files.by_role() + ([("known motifs", known_file)] if known_file is not None else [])
    record = RunRecord(request.command, settings, inputs, f"{device.torch_device} ({device.reason})")
    prepared = prepare(request.files, settings, ranks)
    known = known_motifs(settings.motifs.database, prepared.examples.sequences.alphabet)
    record.database = known.source
    model_settings = fit_model(settings.model, prepared.examples, request.files.sequences)
    folds = divide_into_folds(prepared.examples, settings.cross_validation, settings.split, settings.seed)
    model, encoded = assemble(prepared.examples, settings, model_settings, device)
    directory = RunDirectory(request.out)
    layers = layer_table(
        model.network,
        int(prepared.examples.sequences.lengths.max()),
        word_sums=settings.training.word_sums and not model.network.per_base,
        reading_frames=settings.training.reading_frames,
    )
    if ranks.is_first:
        directory.prepare(force=request.force, resume=request.resume, inputs=[path for _, path in inputs])
        if request.resume:
            record.check_resumable(directory)
        record.write(directory)
        on_layers(layers)
    return _Street(directory, record, device, prepared, folds, model, encoded, layers, known)


@contextmanager
def _kept_when_interrupted(directory: RunDirectory, record: RunRecord, model: TrainedModel) -> Iterator[None]:
    """On Ctrl-C keep the best model so far and say how to go on."""
    try:
        yield
    except (InterruptedRun, KeyboardInterrupt) as interruption:
        save_model(directory.model, model)
        record.status = "interrupted"
        record.write(directory)
        raise InterruptedRun(
            f"{str(interruption) or 'interrupted after the training'}; the best model so far is {directory.model}; "
            "repeat the command with --resume to go on where it stopped"
        ) from None


def _cross_validate(street: _Street, settings: Settings, ranks: Ranks) -> CrossValidation | None:
    """Train a network on each fold as the main one was trained, each process its own ones."""

    def held_out_predictions(fold: Fold) -> Predictions:
        model, encoded = assemble(fold.examples, settings, street.model.network.settings, street.device)
        fit(model, encoded, fold.examples, settings)
        logits = predict_logits(model.network, encoded, fold.examples.part("test"))
        return np.asarray(model.objective.predictions(logits.double()).numpy())

    return cross_validate(street.folds, street.model.objective, held_out_predictions, ranks)


def _harvest(street: _Street, history: Sequence[EpochRecord], settings: Settings) -> Outcome:
    """Predict, extract motifs from training data and put them on trial on held-out data."""
    model, encoded, examples = street.model, street.encoded, street.prepared.examples
    network, objective, sequences = model.network, model.objective, examples.sequences
    everything = torch.arange(len(sequences)).numpy()
    # in double precision: the sigmoid of a large logit is 1 in single, and ties hide the order
    predictions = objective.predictions(predict_logits(network, encoded, everything).double()).numpy()
    _LOGGER.info("turning %d filters into motifs", network.filters.filters)
    generator = np.random.default_rng((settings.seed, 1))  # not the stream that may have made the negatives
    looked_at, their_letters = examples, encoded
    site_model = model
    if examples.bases is not None:
        looked_at = sited_examples(examples, network.filters.width)
        site_model = replace(model, objective=objective_of(looked_at, settings))
        _LOGGER.info("motifs are looked for in %d windows of the sequences", len(looked_at))
    of_sites = site_model.objective
    sample = sample_for_motifs(looked_at, of_sites, generator)
    if len(sample) < len(looked_at):
        _LOGGER.info("motifs are made from and tested on a sample of %d of %d sequences", len(sample), len(looked_at))
        looked_at = looked_at.subset(sample)
    if looked_at is not examples:
        their_letters = EncodedSequences(looked_at.sequences, looked_at.tracks, model.scales, encoded.device)
    # the held-out part alone judges motifs, so they may be made from the validation part, too
    shown = np.flatnonzero(looked_at.split != PARTS.index("test"))
    extracted = extract_motifs(
        network, of_sites, their_letters, looked_at.sequences, looked_at.values, shown, settings.motifs
    )
    assessment = assess(
        network, of_sites, their_letters, looked_at, extracted, settings.motifs, street.known.motifs, generator
    )
    ablation = None
    if settings.training.ablation:
        ablation = ablate(model, predictions, examples, settings.training, settings.seed, generator)
    return Outcome(
        model=model,
        examples=examples,
        looked_at=looked_at,
        predictions=predictions,
        history=tuple(history),
        layers=tuple(street.layers),
        baselines=tuple(_baselines(objective, examples, settings)),
        filters=tuple(filter_motifs(network, sequences)),
        assessment=assessment,
        channels=channel_findings(site_model, looked_at, assessment, ablation, generator),
        positions=tuple(fixed_positions(objective, looked_at, settings.motifs.e_threshold))
        if examples.bases is None
        else (),
        site_objective=of_sites,
    )


def _baselines(objective: Objective, examples: Examples, settings: Settings) -> list[Baseline]:
    """Fit trivial models of what the network has learned."""
    if examples.bases is not None:
        return fit_base_baselines(objective, examples)
    return fit_baselines(
        objective,
        examples.sequences,
        examples.values,
        examples.part("train"),
        examples.part("test"),
        tracks=examples.tracks,
        gapped_words=settings.baseline == "gkm",
    )
