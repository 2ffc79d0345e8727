"""Filters and words together: the word branch fitted, and both weighed on the validation set."""

import logging

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.model.network import MotifNetwork
from motifcnn.model.word_branch import WORD_LENGTH, WordBranch
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import TrainingSettings
from motifcnn.training import TrainingData, predict_logits
from motifcnn.word_ridge import fit_words

_LOGGER = logging.getLogger(__name__)

_FREE = {"dna": 2, "rna": 2, "protein": 1}
"""Letters of a word that may differ: of 4 to 10 letters with 0 to 4 free ones, best in folds of the training files."""
_SHARES, _SPREAD = (0.6, 0.4), 0.3
"""Shares of filters and words before the validation set is seen, and how far from them it may easily lead."""
_SLOPE = 10.0
"""Logit of a ridge regression's prediction of 1 against 0: folds gave 7 to 16."""

Values = npt.NDArray[np.float32]


def add_word_sums(
    network: MotifNetwork, objective: Objective, data: TrainingData, sequences: Sequences, settings: TrainingSettings
) -> None:
    """Put a word branch beside the filters of a trained network, each with the share that suits the validation set.

    The branch is fitted to the training set; with the shares found it is fitted again to the training and the
    validation set, which costs nothing else.

    Args:
        network: Trained; it is left as it is where sequences are shorter than a word.
        objective: Its task.
        data: Examples.
        sequences: The same, as letters.
        settings: Tunables.
    """
    alphabet, both_strands = sequences.alphabet, network.filters.both_strands
    length = WORD_LENGTH[alphabet.name]
    if not settings.word_sums or sequences.lengths.max() < length:
        return

    def branch(examples: npt.NDArray[np.int64]) -> torch.Tensor:
        targets = objective.columns(data.values[examples])
        informative = length - _FREE[alphabet.name]
        table = fit_words(sequences.subset(examples), targets, length, informative, both_strands, settings.word_penalty)
        return torch.from_numpy(table) * (1.0 if objective.task == "regression" else _SLOPE)

    device = data.encoded.device
    by_filters = predict_logits(network, data.encoded, data.validation, settings.precision)
    words = WordBranch(alphabet, branch(data.train)).to(device)
    by_words = words(data.encoded.batch(torch.from_numpy(data.validation).to(device))).cpu()
    values = torch.from_numpy(data.values[data.validation])
    shares, offset = weigh(objective, torch.stack([by_filters, by_words]), values)
    _LOGGER.info("filters count %.2f, sums of words %.2f", *shares)
    both = np.sort(np.concatenate([data.train, data.validation]))
    network.add_words(WordBranch(alphabet, branch(both) * shares[1]).to(device), shares[0], offset.to(device))


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
