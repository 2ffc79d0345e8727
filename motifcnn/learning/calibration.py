"""Calibration: what a trained network's logits weigh, alone or with sums of words, chosen on the validation set.

A network that has learned its training set by heart is too sure of itself; its logits are multiplied by one number and
moved by another for each output, which changes no order (temperature scaling, Guo et al. 2017). Where sums of words
stand beside the filters, both have a share.
"""

import logging

import torch

from motifcnn.batches import over_batches
from motifcnn.learning.training import TrainingData, predict_logits
from motifcnn.learning.word_sums import fit_sums
from motifcnn.model.network import MotifNetwork
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import TrainingSettings

_LOGGER = logging.getLogger(__name__)

_ALONE, _BOTH = ((1.0,), 1.0), ((0.6, 0.4), 0.3)
"""Shares of the filters, or of filters and words, before the validation set is seen, and how far from them it may
easily lead."""
_LEAST_ALONE = 0.05
"""So that the order of examples is never lost, whatever the validation set says."""
_BATCH = 1024


class _Minimiser(torch.optim.LBFGS):
    """L-BFGS without what PyTorch wraps around this method, which imports its compiler, at a second or so."""

    add_param_group = torch.optim.Optimizer.add_param_group.__wrapped__  # type: ignore[attr-defined]


def calibrate(
    network: MotifNetwork, objective: Objective, data: TrainingData, sequences: Sequences, settings: TrainingSettings
) -> None:
    """Put sums of words and codons beside the filters of a trained network, where it has such, and weigh its logits.

    Args:
        network: Trained.
        objective: Its task.
        data: Examples; sums are fitted to the training set, logits weighed on the validation set.
        sequences: The same, as letters.
        settings: Tunables.
    """
    sums = fit_sums(network, objective, data, sequences, settings)
    validation = torch.from_numpy(data.validation)
    logits = [predict_logits(network, data.encoded, data.validation, settings.precision)]
    if sums:
        added = over_batches(
            data.encoded, validation, _BATCH, lambda batch: torch.stack([own(batch).cpu() for own in sums]).sum(dim=0)
        )
        logits.append(torch.cat([*added, logits[0][:0]]))
    rows = data.rows(validation.to(data.encoded.device)).cpu().numpy()
    shares, offset = weigh(objective, torch.stack(logits), torch.from_numpy(data.values[rows]))
    _LOGGER.info("logits of the filters are multiplied by %.2f", shares[0])
    if sums:
        _LOGGER.info("sums of words are multiplied by %.2f", shares[1])
        sums = [branch.with_weights(branch.weights * shares[1]) for branch in sums]
    network.reweigh(shares[0], offset.to(data.encoded.device), sums)


def weigh(objective: Objective, logits: torch.Tensor, values: torch.Tensor) -> tuple[tuple[float, ...], torch.Tensor]:
    """Find the shares of one or two predictions in their sum, and an offset, by the loss and what is likely beforehand.

    Args:
        objective: The task.
        logits: Of each, shape [prediction, example, output].
        values: Targets, shape [example, target]; NaN where missing.

    Returns:
        Shares, none below 0, that of one alone above it, and offsets, shape [output].
    """
    logits, values = logits.double(), values.double()
    least = _LEAST_ALONE if len(logits) == 1 else 0.0
    shares, offset = _likeliest(objective, logits, values, torch.ones(len(logits), dtype=torch.float64))
    if bool((shares < 0).any()):
        shares, offset = _likeliest(objective, logits, values, (shares >= 0).double())
    return tuple(shares.clamp(min=least).tolist()), offset.float()


def _likeliest(
    objective: Objective, logits: torch.Tensor, values: torch.Tensor, allowed: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Minimise the loss of all examples and the squares of what departs from the likely; shares not allowed are 0."""
    before, spread = _ALONE if len(logits) == 1 else _BOTH
    likely = torch.tensor(before, dtype=torch.float64)
    shares = likely.clone().requires_grad_()
    offset = torch.zeros(logits.shape[2], dtype=torch.float64, requires_grad=True)
    optimiser = _Minimiser([shares, offset], max_iter=100, line_search_fn="strong_wolfe")

    def step() -> torch.Tensor:
        shares.grad = offset.grad = None
        cost = 0.5 * (((shares - likely) / spread) ** 2).sum() + 0.5 * (offset**2).sum()
        if len(values):
            summed = torch.einsum("k,kno->no", shares * allowed, logits) + offset
            cost = cost + objective.loss(summed[:, None], values) * len(values)
        cost.backward()  # type: ignore[no-untyped-call]
        return cost

    optimiser.step(step)  # type: ignore[no-untyped-call]
    return (shares * allowed).detach(), offset.detach()
