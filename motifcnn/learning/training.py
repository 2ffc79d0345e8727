"""The training loop: device, precision, early stopping, checkpoints and exact resumption."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from motifcnn.batches import halved, over_batches
from motifcnn.encoding import EncodedSequences, Places
from motifcnn.errors import InputError, InterruptedRun, MotifcnnError
from motifcnn.inputs.shuffles import Shuffles
from motifcnn.learning.adamw import AdamW
from motifcnn.learning.augmentation import Augmentation, augmented_epochs
from motifcnn.learning.checkpoints import Checkpoint, save_checkpoint, shared_checkpoint
from motifcnn.learning.evaluation import headline_score, score_predictions
from motifcnn.model.batch_share import UNDIVIDED, BatchShare, share_batches
from motifcnn.model.network import MotifNetwork
from motifcnn.objectives import Objective
from motifcnn.ranks import ALONE, Ranks
from motifcnn.settings import TrainingSettings

_LOGGER = logging.getLogger(__name__)
PREDICTION_BATCH = 256

MOST_EPOCHS, LEAST_EPOCHS, ENOUGH_EXAMPLES = 25, 3, 2_000_000
"""Passes over a training set of up to 80,000, over the largest ones, and examples to be shown in between."""

Indices = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True)
class EpochRecord:
    """One row of the history.

    Args:
        epoch: Passes over the training set so far.
        learning_rate: At the end of the epoch.
        train_loss: Mean loss of the epoch's steps, augmentation, dropout and smoothing included.
        validation_loss: Loss of the averaged restarts on the validation set.
        validation_score: AUROC, average precision where positives are rare, or Pearson correlation, there.
    """

    epoch: int
    learning_rate: float
    train_loss: float
    validation_loss: float
    validation_score: float


@dataclass(frozen=True)
class EpochReport:
    """What a caller hears after each epoch.

    Args:
        record: Its figures.
        epochs: Most epochs that there may be.
        seconds_left: Until these are done.
        measure: What the score is, as in `Objective.measures`.
        guessing: What guessing reaches of it on the validation set.
    """

    record: EpochRecord
    epochs: int
    seconds_left: float
    measure: str
    guessing: float


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Encoded examples with their values and their parts.

    Args:
        encoded: All sequences, on the device.
        values: Targets of shape [example, target], or [base, target], as the network has logits; NaN where missing.
        train: Indices of the training set.
        validation: Indices of the validation set.
        per_base: Whether values are those of bases.
        shuffles: Negatives of the training set that each epoch shuffles anew.
    """

    encoded: EncodedSequences
    values: np.ndarray[tuple[int, int], np.dtype[np.float32]]
    train: Indices
    validation: Indices
    per_base: bool = False
    shuffles: Shuffles | None = None

    def shown(self, epoch: int) -> EncodedSequences:
        """Return all sequences as an epoch shows them in training."""
        if self.shuffles is None:
            return self.encoded
        return self.encoded.with_letters(self.shuffles.examples, self.shuffles.drawn(epoch).codes)

    def rows(self, examples: torch.Tensor) -> torch.Tensor:
        """Return the rows of `values` that belong to examples, on the device: their own, or their bases'."""
        return self.encoded.positions_of(examples) if self.per_base else examples


def train(
    network: MotifNetwork,
    objective: Objective,
    data: TrainingData,
    settings: TrainingSettings,
    *,
    seed: int,
    checkpoint: Path | None = None,
    resume: bool = False,
    on_epoch: Callable[[EpochReport], None] = lambda report: None,
    ranks: Ranks = ALONE,
) -> list[EpochRecord]:
    """Train the network in place and leave it with the weights of its best epoch.

    Several processes, each with the same network and data, share every batch and take the steps of one.

    Args:
        network: On the device of the data.
        objective: What to learn.
        data: Examples.
        settings: Tunables of the loop.
        seed: Seed of the order of examples, of their augmentation and of dropout; each epoch draws from the
            seed and its own number, so that a resumed run draws what an uninterrupted one does.
        checkpoint: File that holds the state after each epoch, which the first of several processes reads and
            writes; none is written by default.
        resume: Go on from that file where it exists.
        on_epoch: Called after each epoch.
        ranks: Processes that share the work.

    Returns:
        One record an epoch.

    Raises:
        InterruptedRun: Ctrl-C was pressed; the network holds its best weights so far.
        InputError: The state to go on from is not of this network.
    """
    settings = replace(settings, epochs=settings.epochs or epochs_for(len(data.train)))
    loop = _Loop(network, objective, data, settings, seed, ranks)
    begun = shared_checkpoint(checkpoint, ranks) if resume and checkpoint is not None else None
    if begun is not None and checkpoint is not None:
        try:
            loop.restore(begun)
        except (KeyError, RuntimeError):
            message = "holds the state of another network, or of another version; start again with --force"
            raise InputError(message, checkpoint) from None
        _LOGGER.info("resumed after epoch %d", loop.state.epoch)
    try:
        while not loop.finished:
            started = time.monotonic()
            record = loop.run_epoch()
            if checkpoint is not None and ranks.is_first:
                save_checkpoint(checkpoint, loop.state)
            left = (settings.epochs - record.epoch) * (time.monotonic() - started)
            on_epoch(EpochReport(record, settings.epochs, left, objective.measures[0], loop.guessing))
    except KeyboardInterrupt:
        network.load_state_dict(loop.state.best)
        raise InterruptedRun(f"interrupted in epoch {loop.state.epoch + 1} of at most {settings.epochs}") from None
    network.load_state_dict(loop.state.best)
    share_batches(network, UNDIVIDED)
    network.eval()
    return [EpochRecord(int(row[0]), *row[1:]) for row in loop.state.history]


class _Loop:
    """The state of a training run and its steps."""

    def __init__(
        self,
        network: MotifNetwork,
        objective: Objective,
        data: TrainingData,
        settings: TrainingSettings,
        seed: int,
        ranks: Ranks,
    ):
        self.share = BatchShare(ranks)
        share_batches(network, self.share)
        self.network, self.objective, self.data, self.settings, self.seed = network, objective, data, settings, seed
        self.device = data.encoded.device
        self.values = torch.from_numpy(data.values).to(self.device)
        self.optimiser = AdamW(network.parameters(), settings.weight_decay)
        self.steps = math.ceil(len(data.train) / settings.batch_size)
        self.augmented = augmented_epochs(settings)
        self.shown = data.encoded
        self.places: Places | None = None
        self.state = Checkpoint.begin(network, self.optimiser)
        known = data.values[self._rows(data.validation)]
        self.guessing = score_predictions(objective, np.zeros((len(known), objective.outputs)), known).guessing

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or none of the last ones was better, of those without augmentation."""
        stale = self.state.epoch - max(self.state.best_epoch, self.augmented)
        return self.state.epoch >= self.settings.epochs or (self.state.epoch > 0 and stale >= self.settings.patience)

    def restore(self, state: Checkpoint) -> None:
        state.put_into(self.network, self.optimiser)
        self.state = state

    def run_epoch(self) -> EpochRecord:
        """Take the next pass; where the device's memory does not hold a batch, from its start with smaller ones."""
        begun = self.state.kept()
        while True:
            try:
                return self._run_epoch()
            except torch.cuda.OutOfMemoryError as error:
                if self.share.ranks.size > 1:  # the others wait for their part of this batch
                    advice = f"give --batch-size {max(self.settings.batch_size // 2, 1)}"
                    raise MotifcnnError(f"the device's memory is full ({error}); start again: {advice}") from None
            self._begin_with(begun, halved(self.settings.batch_size))

    def _begin_with(self, state: Checkpoint, batch_size: int) -> None:
        self.settings = replace(self.settings, batch_size=batch_size)
        self.steps = math.ceil(len(self.data.train) / batch_size)
        self.optimiser.zero_grad()
        self.restore(state)

    def _run_epoch(self) -> EpochRecord:
        epoch = self.state.epoch
        for tensor in self.network.state_dict().values():
            self.share.ranks.copy_first(tensor)  # what unlike processors round differently must not add up
        draws = torch.Generator().manual_seed(_epoch_seed(self.seed, epoch))
        self.network.dropout.generator.manual_seed(_epoch_seed(self.seed + 1, epoch))
        order = torch.from_numpy(self.data.train)[torch.randperm(len(self.data.train), generator=draws)]
        self.shown, self.places = self.data.shown(epoch), self._places(epoch)
        self.network.train()
        losses = [
            self._step(indices.to(self.device), epoch * self.steps + number)
            for number, indices in enumerate(torch.split(order, self.settings.batch_size))
        ]
        train_loss = float(torch.stack(losses).mean()) / self.network.restarts
        validation_loss, score = self._validate()
        rate = self._learning_rate((epoch + 1) * self.steps - 1)
        record = EpochRecord(epoch + 1, rate, train_loss, validation_loss, score)
        # where positives are rare the weighted loss hangs on few of them, and says little of what comes first
        by_score = self.objective.rare and math.isfinite(score)
        cost = -score if by_score else validation_loss
        better = cost < self.state.best_cost
        self.state = replace(
            Checkpoint.take(self.network, self.optimiser),
            epoch=epoch + 1,
            history=(*self.state.history, (record.epoch, rate, train_loss, validation_loss, score)),
            best=_snapshot(self.network) if better else self.state.best,
            best_epoch=epoch + 1 if better else self.state.best_epoch,
            best_cost=cost if better else self.state.best_cost,
        )
        return record

    def _places(self, epoch: int) -> Places | None:
        if epoch >= self.augmented:
            return None
        width = self.network.settings.filter_width
        return Augmentation(self.settings, _epoch_seed(self.seed + 2, epoch), width).places

    def _step(self, indices: torch.Tensor, number: int) -> torch.Tensor:
        indices = indices[self.share.begin(len(indices))]
        batch = self.shown.batch(indices, self.places)
        with _autocast(self.device, self.settings.precision):
            logits = self.network(batch)
        values = self.values[self.data.rows(indices)]
        loss = self.objective.loss(logits.float(), values, self.settings.label_smoothing)
        loss = self.share.weigh(loss, torch.isfinite(values).sum())
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.share.add_gradients(self.network)
        largest_norm = self.settings.gradient_clip * self.network.restarts**0.5
        self.optimiser.step(self._learning_rate(number), largest_norm)
        return self.share.total(loss.detach())

    def _learning_rate(self, step: int) -> float:
        """Linear warm-up, then half a cosine down to a hundredth of the peak."""
        total = self.steps * self.settings.epochs
        warm = max(1, round(self.settings.warmup * total))
        if step < warm:
            return self.settings.learning_rate * (step + 1) / warm
        progress = (step - warm) / max(1, total - warm)
        return self.settings.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))

    def _validate(self) -> tuple[float, float]:
        logits = self._validation_logits()
        values = self.data.values[self._rows(self.data.validation)]
        loss = float(self.objective.loss(logits[:, None], torch.from_numpy(values)))
        predictions = self.objective.predictions(logits).numpy()
        figures = torch.tensor([loss, headline_score(self.objective, predictions, values)], dtype=torch.float64)
        self.share.ranks.copy_first(figures)  # so that all stop at the same epoch, whatever their processors round
        return float(figures[0]), float(figures[1])

    def _validation_logits(self) -> torch.Tensor:
        """Predict as many whole batches in each process as in any other, and give all of them to all."""
        chosen, ranks = self.data.validation, self.share.ranks
        begin, end = own_rows(len(chosen), ranks)
        own = predict_logits(self.network, self.data.encoded, chosen[begin:end], self.settings.precision)
        first = len(self._rows(chosen[:begin]))
        logits = torch.zeros(len(self._rows(chosen)), self.network.outputs)
        logits[first : first + len(own)] = own
        ranks.add_up(logits)
        return logits

    def _rows(self, examples: Indices) -> Indices:
        return self.data.rows(torch.from_numpy(examples).to(self.device)).cpu().numpy()


def epochs_for(examples: int) -> int:
    """Return the passes over a training set: many over a small one, few over one that shows everything in a few."""
    return min(max(ENOUGH_EXAMPLES // max(examples, 1), LEAST_EPOCHS), MOST_EPOCHS)


def own_rows(count: int, ranks: Ranks) -> tuple[int, int]:
    """Return the first of `count` examples that this process predicts, and the one after its last.

    Each process takes as many whole batches as any other, so that predictions are those of one process.
    """
    step = -(-count // (PREDICTION_BATCH * ranks.size)) * PREDICTION_BATCH
    begin = min(ranks.rank * step, count)
    return begin, min(begin + step, count)


def predict_logits(
    network: MotifNetwork, encoded: EncodedSequences, indices: Indices, precision: str = "float32"
) -> torch.Tensor:
    """Return the mean logits of examples on the CPU, shape [example, output]; or [base, output], example by example.

    Args:
        network: The network, on the device of the sequences.
        encoded: Sequences.
        indices: Which of them.
        precision: As in `TrainingSettings`.
    """
    network.eval()
    if not len(indices):
        return torch.empty(0, network.outputs)
    with torch.no_grad(), _autocast(encoded.device, precision):
        chosen, most = torch.from_numpy(indices), PREDICTION_BATCH // (8 if network.per_base else 1)
        return torch.cat(over_batches(encoded, chosen, most, lambda batch: network.logits(batch).float().cpu()))


def _autocast(device: torch.device, precision: str) -> torch.autocast:
    enabled = precision == "bf16" or (precision == "auto" and device.type == "cuda")
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)


def _epoch_seed(seed: int, epoch: int) -> int:
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _snapshot(network: MotifNetwork) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
