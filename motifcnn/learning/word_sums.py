"""Sums of words: a branch fitted to the training set, to stand beside a network's filters."""

import torch

from motifcnn.learning.training import TrainingData
from motifcnn.learning.word_ridge import fit_words
from motifcnn.model.network import MotifNetwork
from motifcnn.model.word_branch import SUMMED_WORD_LENGTH, WordBranch
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import TrainingSettings

_FREE = 2
"""Letters of a word that may differ: of 4 to 10 letters with 0 to 4 free ones, 8 with 2 did as well as any in folds of
the training files of DNA; RNA was not tried."""
_LETTERS = 20_000_000
"""Letters of the sequences that words are fitted to, at most; of more, every second one or fewer are taken."""
_SLOPE = 10.0
"""Logit of a ridge regression's prediction of 1 against 0: folds gave 7 to 16."""


def fit_word_branch(
    network: MotifNetwork, objective: Objective, data: TrainingData, sequences: Sequences, settings: TrainingSettings
) -> WordBranch | None:
    """Fit a word branch to the training set; None for protein, values of bases, and sequences shorter than a word.

    Args:
        network: Beside which it is to stand.
        objective: The task.
        data: Examples.
        sequences: The same, as letters.
        settings: Tunables.
    """
    alphabet = sequences.alphabet
    length = SUMMED_WORD_LENGTH.get(alphabet.name)
    if not settings.word_sums or network.per_base or length is None or sequences.lengths.max() < length:
        return None
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
    return WordBranch(alphabet, weights).to(data.encoded.device)
