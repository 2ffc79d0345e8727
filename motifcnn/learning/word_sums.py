"""Sums of words and of codons in reading frames: branches fitted to the training set, to stand beside the filters."""

import logging

import numpy as np
import torch

from motifcnn.inputs.shuffles import Shuffles
from motifcnn.learning.reading_frames import find_reading_frames
from motifcnn.learning.training import TrainingData
from motifcnn.learning.word_ridge import Floats, fit_words
from motifcnn.model.network import MotifNetwork
from motifcnn.model.sum_branch import SumBranch
from motifcnn.model.word_branch import SUMMED_WORD_LENGTH, WordBranch
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import TrainingSettings

_LOGGER = logging.getLogger(__name__)

_FREE = 2
"""Letters of a word that may differ: of 4 to 10 letters with 0 to 4 free ones, 8 with 2 did as well as any in folds of
the training files of DNA; RNA was not tried."""
_LETTERS = 20_000_000
"""Letters of the sequences that words are fitted to, at most; of more, every second one or fewer are taken."""
_SHUFFLES = 7
"""Draws of the negatives beside themselves, where these are shuffles: in folds 15 did little better, 3 worse."""
_SLOPE = 10.0
"""Logit of a ridge regression's prediction of 1 against 0: folds gave 7 to 16."""


def fit_sums(
    network: MotifNetwork, objective: Objective, data: TrainingData, sequences: Sequences, settings: TrainingSettings
) -> list[SumBranch]:
    """Fit a word branch, and where there are reading frames a branch of these, to the training set together.

    There are none for protein, values of bases, and sequences shorter than a word.

    Args:
        network: Beside which they are to stand.
        objective: The task.
        data: Examples.
        sequences: The same, as letters.
        settings: Tunables.
    """
    alphabet = sequences.alphabet
    length = SUMMED_WORD_LENGTH.get(alphabet.name)
    if not settings.word_sums or network.per_base or length is None or sequences.lengths.max() < length:
        return []
    train = sequences.thinned(data.train, _LETTERS)
    shown, both_strands = sequences.subset(train), network.filters.both_strands
    frames = find_reading_frames(shown, both_strands=both_strands) if settings.reading_frames else None
    targets, counts = objective.columns(data.values[train]), None
    if data.shuffles is not None:
        shown, targets, counts = _with_more_shuffles(shown, targets, data.shuffles)
    words, codons = fit_words(
        shown,
        targets,
        length,
        length - _FREE,
        both_strands,
        settings.word_penalty,
        None if frames is None else frames.read_codons(shown),
        counts,
    )
    slope = 1.0 if objective.task == "regression" else _SLOPE
    branches: list[SumBranch] = [WordBranch(alphabet, torch.from_numpy(words) * slope)]
    if frames is not None:
        _LOGGER.info("%.0f%% of the training sequences have a reading frame; codons are summed", 100 * frames.share)
        branches.append(frames.with_weights(torch.from_numpy(codons).float() * slope))
    return [branch.to(data.encoded.device) for branch in branches]


def _with_more_shuffles(sequences: Sequences, targets: Floats, shuffles: Shuffles) -> tuple[Sequences, Floats, Floats]:
    """Put more shuffles beside the training set, so that all of a negative count as much together as it does alone."""
    draws = min(_SHUFFLES, _LETTERS // max(len(shuffles.sequences.codes), 1))
    more = [shuffles.drawn(number) for number in range(draws)]
    counts = np.where(targets[:, 0] == 0, 1.0 / (1 + draws), 1.0)
    added = draws * len(shuffles.examples)
    return (
        Sequences.joined([sequences, *more]),
        np.concatenate([targets, np.zeros((added, 1))]),
        np.concatenate([counts, np.full(added, 1.0 / (1 + draws))]),
    )
