import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA
from motifcnn.model.word_branch import WordBranch


def test_shares_lie_on_the_word():
    weights = torch.zeros(2, 64)
    weights[1, 0b100110] = 6.0  # GCG
    shared = WordBranch(DNA, weights).shares(DNA.encode("AAGCGAA"))
    assert shared[0].tolist() == [0.0] * 7
    assert shared[1] == pytest.approx(np.array([0, 0, 2, 2, 2, 0, 0]) / np.sqrt(5))


def test_weights_are_one_for_each_word():
    with pytest.raises(ValueError, match=r"^63 weights are not one for each word of dna$"):
        WordBranch(DNA, torch.zeros(1, 63))
