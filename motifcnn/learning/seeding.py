"""Filters that start from enriched words: what a small training set cannot find by gradients alone.

Gradients through a maximum move a filter only where it wins already, so a filter that starts from noise finds
a motif by luck, more of it the more sequences there are. Half of the filters are therefore started from words
that stand in more positives than negatives of the training set; the others stay random and find the rest.
"""

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.alphabet import Codes
from motifcnn.learning.enriched_words import COUNTED_LETTERS, WordIndex, enriched_words
from motifcnn.model.filters import SharedFilters
from motifcnn.model.network import MotifNetwork
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import TrainingSettings

_SEED_LENGTH = {"dna": 8, "rna": 6, "protein": 3}
"""Letters of a word that a filter starts from, where none are asked for: as many as hundreds of sequences can count."""

_MATCH, _OTHER = 0.6, -0.15
"""Weights of a seeded filter at the letters of its word, and at the other letters there."""
_NOISE = 0.25
"""What is left of the random weights under a word."""


def seed_filters(
    network: MotifNetwork,
    objective: Objective,
    sequences: Sequences,
    values: npt.NDArray[np.float32],
    training: npt.NDArray[np.int64],
    settings: TrainingSettings,
) -> None:
    """Start a share of each restart's filters from words enriched in the training set.

    Args:
        network: Freshly made.
        objective: Its task.
        sequences: All of them.
        values: Their targets, shape [example, target]; NaN where missing.
        training: Which of them are the training set.
        settings: Share and length.
    """
    count = round(settings.seeded_filters * network.architecture.filters)
    length = settings.word_length or _SEED_LENGTH[sequences.alphabet.name]
    if not count or network.filters.width < length:
        return
    chosen = sequences.thinned(training, COUNTED_LETTERS)
    index = WordIndex.of(sequences.subset(chosen), length, network.filters.both_strands)
    share = -(-count // objective.outputs)
    words = _in_turns([enriched_words(index, target, share) for target in objective.columns(values[chosen]).T])
    with torch.no_grad():
        for restart in range(network.restarts):
            for number, word in enumerate(words[:count]):
                _start_from(network.filters, restart * network.architecture.filters + number, word)


def _in_turns(lists: list[list[Codes]]) -> list[Codes]:
    """The first of each list, then the second of each, and so on."""
    longest = max(map(len, lists), default=0)
    return [items[place] for place in range(longest) for items in lists if place < len(items)]


def _start_from(filters: SharedFilters, number: int, word: Codes) -> None:
    weight, alphabet = filters.weight.data[number], filters.alphabet
    first = (filters.width - len(word)) // 2
    weight *= _NOISE
    weight[: alphabet.size, first : first + len(word)] += _OTHER
    for position, letter in enumerate(word.tolist(), start=first):
        weight[letter, position] += _MATCH - _OTHER
