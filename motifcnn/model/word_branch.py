"""What the words of a whole sequence add to a logit: a linear branch beside the filters.

A filter sees its best window alone. Many weak sites, and letters that only lean one way, tell through their sum: each
word of a sequence adds a weight of its own, and the sum is divided by the root of the number of words. The weights
are fitted in one step (see `word_ridge`), not by gradients. As a sum over words, the branch falls on positions exactly.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from motifcnn.alphabet import Alphabet, Codes
from motifcnn.encoding import Batch
from motifcnn.model.word_code import changed_sums, sum_words, word_values

SUMMED_WORD_LENGTH = {"dna": 8, "rna": 8}
"""Letters of a summed word: tables of 65,536 weights. Proteins have none: nothing has shown that they would gain."""

Values = npt.NDArray[np.float32]


def root_scale(windows: torch.Tensor) -> torch.Tensor:
    """Return what sums over this many words are multiplied by."""
    return windows.clamp(min=1).double().rsqrt().float()


class WordBranch(nn.Module):
    """A weight for each word and output.

    Args:
        alphabet: Of the words.
        weights: Shape [output, word]; a word's number has its letters as digits, the first one highest.
    """

    weights: torch.Tensor

    def __init__(self, alphabet: Alphabet, weights: torch.Tensor):
        super().__init__()
        self.alphabet = alphabet
        self.length = round(np.log(weights.shape[1]) / np.log(alphabet.size))
        if weights.shape[1] != alphabet.size**self.length:
            raise ValueError(f"{weights.shape[1]} weights are not one for each word of {alphabet.name}")
        self.register_buffer("weights", weights)

    def with_weights(self, weights: torch.Tensor) -> "WordBranch":
        """Return the same branch with other weights, shape [output, word]."""
        return WordBranch(self.alphabet, weights)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Return what the branch adds to each logit, shape [example, output]; unknown letters add nothing."""
        codes, lengths = batch.codes, batch.lengths
        assert codes is not None
        if codes.device.type == "cpu":
            examples, positions = codes.shape
            starts = np.arange(examples, dtype=np.int64) * positions
            sums = np.empty((examples, len(self.weights)), dtype=np.float32)
            flat = np.ascontiguousarray(codes.numpy()).reshape(-1)
            sum_words(flat, starts, lengths.numpy(), self.alphabet.size, self.length, self.weights.numpy(), sums)
            return torch.from_numpy(sums) * root_scale(lengths - self.length + 1)[:, None]
        return self._gathered(codes, lengths)

    def _gathered(self, codes: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Do what `forward` does by tensors, on any device."""
        windows = max(codes.shape[1] - self.length + 1, 0)
        numbers = torch.zeros(len(codes), windows, dtype=torch.long, device=codes.device)
        known = torch.arange(windows, device=codes.device) + self.length <= lengths[:, None]
        for position in range(self.length):
            letters = codes[:, position : position + windows].long()
            numbers = numbers * self.alphabet.size + letters.clamp(max=self.alphabet.size - 1)
            known = known & (letters < self.alphabet.size)
        scale = root_scale(lengths - self.length + 1)
        columns = [(row[numbers] * known).sum(dim=1) * scale for row in self.weights]
        return torch.stack(columns, dim=1)

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

    def total(self, codes: Codes) -> Values:
        """Return what the branch adds to each logit of one sequence, shape [output]."""
        return np.asarray(self.sliding(codes, len(codes), 1)[0])

    def sliding(self, codes: Codes, width: int, stride: int) -> Values:
        """Return what the branch adds for windows that slide along a sequence, shape [window, output].

        Args:
            codes: The sequence.
            width: Letters of a window; no more than the sequence has.
            stride: Step between windows.
        """
        words = max(width - self.length + 1, 0)
        windows = (len(codes) - width) // stride + 1
        first = np.arange(windows) * stride
        found = np.empty((windows, len(self.weights)), dtype=np.float32)
        for output, weights in enumerate(self.weights.cpu().numpy()):
            before = _sums_before(word_values(codes, self.alphabet.size, self.length, weights))
            found[:, output] = (before[first + words] - before[first]) / np.sqrt(max(words, 1))
        return found

    def effects(self, codes: Codes, begin: int, end: int, *, with_indels: bool) -> list[Values]:
        """Return what changes of a sequence do to the branch, change less sequence.

        Args:
            codes: The sequence.
            begin: First position to change.
            end: Position after the last one.
            with_indels: Whether to delete and insert single letters too.

        Returns:
            Substitutions, shape [position, letter, output]; where asked for, deletions, shape [position, output], and
            insertions before each position, shape [position, letter, output], at last after the sequence's end where
            `end` is its end.
        """
        size, outputs = self.alphabet.size, len(self.weights)
        places = end - begin + (end == len(codes))
        found = [np.empty((end - begin, size, outputs), dtype=np.float32)]
        if with_indels:
            found.append(np.empty((end - begin, outputs), dtype=np.float32))
            found.append(np.empty((places, size, outputs), dtype=np.float32))
        for output, weights in enumerate(self.weights.cpu().numpy()):
            values = word_values(codes, size, self.length, weights)
            before = _sums_before(values)
            common = codes, before, size, self.length, weights, begin
            for letter in range(size):
                changed_sums(*common, 1, letter, found[0][:, letter, output])
                if with_indels:
                    changed_sums(*common, 0, letter, found[2][:, letter, output])
            if with_indels:
                changed_sums(*common, 1, -1, found[1][:, output])
        return found


def _sums_before(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(values)])
