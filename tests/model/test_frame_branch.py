import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA
from motifcnn.encoding import EncodedSequences
from motifcnn.model.frame_branch import FrameBranch
from motifcnn.sequences import Sequences


@pytest.fixture
def branch(generator):
    ratios, weights = (torch.from_numpy(generator.normal(size=shape).astype(np.float32)) for shape in (64, (2, 64)))
    return FrameBranch(DNA, True, ratios / 2, torch.tensor(-1.3), weights)


def test_codons_read_are_what_the_weights_are_for(branch, generator, monkeypatch):
    monkeypatch.setattr("motifcnn.sequences._BLOCK", 2)
    codes = [generator.integers(0, 5, length).astype(np.uint8) for length in (31, 2, 3, 42, 7)]
    sequences = Sequences.from_list(list("abcde"), codes, DNA)
    batch = EncodedSequences(sequences).batch(torch.arange(5))
    read = branch.read_codons(sequences)
    assert read @ branch.weights.double().numpy().T == pytest.approx(branch(batch).numpy(), abs=1e-5)


def test_the_reverse_complement_has_the_same_frames(branch, generator):
    for length in (30, 31, 32):
        codes = generator.integers(0, 4, length).astype(np.uint8)
        assert branch.total(DNA.reverse_complement(codes)) == pytest.approx(branch.total(codes), abs=1e-5)


def test_shares_lie_on_the_codons_of_the_frame():
    weights, ratios = torch.zeros(1, 64), torch.full((64,), -20.0)
    weights[0, 0b100110], ratios[0b100110] = 6.0, 90.0  # GCG; in no frame but the second is it likely
    shared = FrameBranch(DNA, False, ratios, torch.tensor(0.0), weights).shares(DNA.encode("AAAAGCGAA"))
    assert shared[0] == pytest.approx(np.array([0, 0, 0, 0, 2, 2, 2, 0, 0]) / np.sqrt(7))


def test_the_share_of_sequences_with_a_frame_is_that_of_all_frames():
    frames = FrameBranch(DNA, True, torch.zeros(64), torch.tensor(0.3 / 0.7 / 6).log(), torch.zeros(0, 64))
    assert frames.share == pytest.approx(0.3)
