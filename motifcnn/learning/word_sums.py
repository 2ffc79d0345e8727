"""Filters and words together: the word branch fitted, and both weighed on the validation set."""

import logging

import torch

from motifcnn.batches import over_batches
from motifcnn.learning.training import TrainingData, predict_logits
from motifcnn.learning.word_ridge import fit_words
from motifcnn.model.network import MotifNetwork
from motifcnn.model.word_branch import WORD_LENGTH, WordBranch
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import TrainingSettings

_LOGGER = logging.getLogger(__name__)

_FREE = 2
"""Letters of a word that may differ: of 4 to 10 letters with 0 to 4 free ones, 8 with 2 did as well as any in folds of
the training files of DNA; RNA was not tried."""
_SHARES, _SPREAD = (0.6, 0.4), 0.3
"""Shares of filters and words before the validation set is seen, and how far from them it may easily lead."""
_LETTERS = 20_000_000
"""Letters of the sequences that words are fitted to, at most; of more, every second one or fewer are taken."""
_BATCH = 1024
_SLOPE = 10.0
"""Logit of a ridge regression's prediction of 1 against 0: folds gave 7 to 16."""


def add_word_sums(
    network: MotifNetwork, objective: Objective, data: TrainingData, sequences: Sequences, settings: TrainingSettings
) -> None:
    """Put a word branch beside the filters of a trained network, each with the share that suits the validation set.

    The branch is fitted to the training set.

    Args:
        network: Trained; it is left as it is for protein, and where sequences are shorter than a word.
        objective: Its task.
        data: Examples.
        sequences: The same, as letters.
        settings: Tunables.
    """
    alphabet = sequences.alphabet
    length = WORD_LENGTH.get(alphabet.name)
    if not settings.word_sums or length is None or sequences.lengths.max() < length:
        return
    train = sequences.thinned(data.train, _LETTERS)
    table = fit_words(
        sequences.subset(train),
        objective.columns(data.values[train]),
        length,
        length - _FREE,
        network.filters.both_strands,
        settings.word_penalty,
    )
    weights = torch.from_numpy(table) * (1.0 if objective.task == "regression" else _SLOPE)
    device = data.encoded.device
    words = WordBranch(alphabet, weights).to(device)
    by_filters = predict_logits(network, data.encoded, data.validation, settings.precision)
    by_words = over_batches(data.encoded, torch.from_numpy(data.validation), _BATCH, lambda batch: words(batch).cpu())
    logits = torch.stack([by_filters, torch.cat([*by_words, by_filters[:0]])])
    shares, offset = weigh(objective, logits, torch.from_numpy(data.values[data.validation]))
    _LOGGER.info("filters count %.2f, sums of words %.2f", *shares)
    network.add_words(WordBranch(alphabet, words.weights * shares[1]), shares[0], offset.to(device))


def weigh(objective: Objective, logits: torch.Tensor, values: torch.Tensor) -> tuple[tuple[float, float], torch.Tensor]:
    """Find the shares of two predictions in their sum, and an offset, by the loss and what is likely beforehand.

    Args:
        objective: The task.
        logits: Of both, shape [2, example, output].
        values: Targets, shape [example, target]; NaN where missing.

    Returns:
        Shares, neither below 0, and offsets, shape [output].
    """
    logits, values = logits.double(), values.double()
    shares, offset = _likeliest(objective, logits, values, torch.ones(2, dtype=torch.float64))
    if bool((shares < 0).any()):
        shares, offset = _likeliest(objective, logits, values, (shares >= 0).double())
    filters, words = shares.clamp(min=0).tolist()
    return (filters, words), offset.float()


def _likeliest(
    objective: Objective, logits: torch.Tensor, values: torch.Tensor, allowed: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Minimise the loss of all examples and the squares of what departs from the likely; shares not allowed are 0."""
    likely = torch.tensor(_SHARES, dtype=torch.float64)
    shares = likely.clone().requires_grad_()
    offset = torch.zeros(logits.shape[2], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([shares, offset], max_iter=100, line_search_fn="strong_wolfe")

    def step() -> torch.Tensor:
        optimiser.zero_grad()
        cost = 0.5 * (((shares - likely) / _SPREAD) ** 2).sum() + 0.5 * (offset**2).sum()
        if len(values):
            summed = torch.einsum("k,kno->no", shares * allowed, logits) + offset
            cost = cost + objective.loss(summed[:, None], values) * len(values)
        cost.backward()  # type: ignore[no-untyped-call]
        return cost

    optimiser.step(step)  # type: ignore[no-untyped-call]
    return (shares * allowed).detach(), offset.detach()
