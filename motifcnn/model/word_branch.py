"""What the words of a whole sequence add to a logit: a linear branch beside the filters, each word with its weight."""

from typing import Self

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.alphabet import Alphabet, Codes
from motifcnn.model.sum_branch import Change, Integers, SumBranch, Values
from motifcnn.model.word_code import changed_sums, sum_words, word_values

SUMMED_WORD_LENGTH = {"dna": 8, "rna": 8}
"""Letters of a summed word: tables of 65,536 weights. Proteins have none: nothing has shown that they would gain."""


class WordBranch(SumBranch):
    """A weight for each word and output.

    Args:
        alphabet: Of the words.
        weights: Shape [output, word]; a word's number has its letters as digits, the first one highest.
    """

    def __init__(self, alphabet: Alphabet, weights: torch.Tensor):
        super().__init__(alphabet, round(np.log(weights.shape[1]) / np.log(alphabet.size)), weights)

    def with_weights(self, weights: torch.Tensor) -> Self:
        """Return the same branch with other weights, shape [output, word]."""
        return type(self)(self.alphabet, weights)

    def _summed(self, codes: Codes, starts: Integers, lengths: Integers) -> torch.Tensor:
        sums = np.empty((len(starts), len(self.weights)), dtype=np.float32)
        sum_words(codes, starts, lengths, self.alphabet.size, self.length, self.weights.numpy(), sums)
        return torch.from_numpy(sums)

    def _gathered(self, codes: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        numbers, known = self._letters(codes, lengths, max(codes.shape[1] - self.length + 1, 0))
        return torch.stack([(row[numbers] * known).sum(dim=1) for row in self.weights], dim=1)

    def shares(self, codes: Codes) -> Values:
        """Share out what the branch adds along a sequence, shape [output, position]: each word's part evenly."""
        words = len(codes) - self.length + 1
        shared = np.zeros((len(self.weights), len(codes)), dtype=np.float32)
        if words < 1:
            return shared
        each = 1.0 / (self.length * np.sqrt(words))
        for row, weights in zip(shared, self.weights.cpu().numpy(), strict=True):
            values = word_values(codes, self.alphabet.size, self.length, weights)
            row[:] = np.convolve(values, np.full(self.length, each))
        return shared

    def sliding(self, codes: Codes, width: int, stride: int) -> Values:
        """Return what the branch adds for windows that slide along a sequence, shape [window, output]."""
        words = max(width - self.length + 1, 0)
        windows = (len(codes) - width) // stride + 1
        first = np.arange(windows) * stride
        found = np.empty((windows, len(self.weights)), dtype=np.float32)
        for output, weights in enumerate(self.weights.cpu().numpy()):
            before = _sums_before(word_values(codes, self.alphabet.size, self.length, weights))
            found[:, output] = (before[first + words] - before[first]) / np.sqrt(max(words, 1))
        return found

    def _change(self, codes: Codes, begin: int) -> Change:
        size, weights = self.alphabet.size, self.weights.cpu().numpy()
        before = [_sums_before(word_values(codes, size, self.length, row)) for row in weights]

        def changed(places: int, deleted: int, letter: int) -> Values:
            found = np.empty((places, len(weights)), dtype=np.float32)
            for output, row in enumerate(weights):
                own = codes, before[output], size, self.length, row, begin
                changed_sums(*own, deleted, letter, found[:, output])
            return found

        return changed


def _sums_before(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(values)])
