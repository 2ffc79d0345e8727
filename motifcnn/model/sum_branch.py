"""What sums over a whole sequence add to a logit: the part that all such branches share.

A filter sees its best window alone. Many weak sites, and letters that only lean one way, tell through their sum. A
branch adds up weights over the words of a sequence, divided by the root of their number; the weights are fitted in one
step (see `word_ridge`), not by gradients. As a sum over words, it falls on positions exactly.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from motifcnn.alphabet import Alphabet, Codes
from motifcnn.encoding import Batch

Values = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Change = Callable[[int, int, int], Values]
"""Effects of one kind of change, shape [place, output]: of so many places, letters left out, letter put there or -1."""


def root_scale(words: torch.Tensor) -> torch.Tensor:
    """Return what sums over this many words are multiplied by."""
    return words.clamp(min=1).double().rsqrt().float()


class SumBranch(nn.Module, ABC):
    """Sums over the words of a sequence.

    Args:
        alphabet: Of the words.
        length: Letters of a word.
        weights: Shape [output, word]; a word's number has its letters as digits, the first one highest.
    """

    weights: torch.Tensor

    def __init__(self, alphabet: Alphabet, length: int, weights: torch.Tensor):
        super().__init__()
        if weights.shape[1] != alphabet.size**length:
            raise ValueError(f"{weights.shape[1]} weights are not one for each word of {alphabet.name}")
        self.alphabet = alphabet
        self.length = length
        self.register_buffer("weights", weights)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Return what the branch adds to each logit, shape [example, output]; unknown letters add nothing."""
        codes, lengths = batch.codes, batch.lengths
        assert codes is not None
        if codes.device.type == "cpu":
            examples, positions = codes.shape
            starts = np.arange(examples, dtype=np.int64) * positions
            sums = self._summed(np.ascontiguousarray(codes.numpy()).reshape(-1), starts, lengths.numpy())
        else:
            sums = self._gathered(codes, lengths)
        return sums * root_scale(lengths - self.length + 1)[:, None]

    def total(self, codes: Codes) -> Values:
        """Return what the branch adds to each logit of one sequence, shape [output]."""
        return np.asarray(self.sliding(codes, len(codes), 1)[0])

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
        change, positions = self._change(codes, begin), end - begin

        def each_letter(places: int, deleted: int) -> Values:
            return np.stack([change(places, deleted, letter) for letter in range(self.alphabet.size)], axis=1)

        found = [each_letter(positions, 1)]
        if with_indels:
            found += [change(positions, 1, -1), each_letter(positions + (end == len(codes)), 0)]
        return found

    def _letters(self, codes: torch.Tensor, lengths: torch.Tensor, words: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the number of the word at each of the first so many positions, and whether there is one."""
        known = torch.arange(words, device=codes.device) + self.length <= lengths[:, None]
        numbers = torch.zeros_like(known, dtype=torch.long)
        for position in range(self.length):
            letters = codes[:, position : position + words].long()
            numbers = numbers * self.alphabet.size + letters.clamp(max=self.alphabet.size - 1)
            known = known & (letters < self.alphabet.size)
        return numbers, known

    @abstractmethod
    def with_weights(self, weights: torch.Tensor) -> Self:
        """Return the same branch with other weights, shape [output, word]."""

    @abstractmethod
    def _summed(self, codes: Codes, starts: Integers, lengths: Integers) -> torch.Tensor:
        """Add up the words of sequences that lie in one array, on the processor: [example, output], not yet scaled."""

    @abstractmethod
    def _gathered(self, codes: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Do what `_summed` does by tensors, on any device; codes have shape [example, position]."""

    @abstractmethod
    def shares(self, codes: Codes) -> Values:
        """Share out what the branch adds along a sequence, shape [output, position]: each word's part evenly."""

    @abstractmethod
    def sliding(self, codes: Codes, width: int, stride: int) -> Values:
        """Return what the branch adds for windows that slide along a sequence, shape [window, output].

        Args:
            codes: The sequence.
            width: Letters of a window; no more than the sequence has.
            stride: Step between windows.
        """

    @abstractmethod
    def _change(self, codes: Codes, begin: int) -> Change:
        """Prepare a sequence for changes at each position from `begin`."""
