"""What holds for every branch of sums: the same answer from loops, batches, tensors, windows and changed sequences."""

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.encoding import EncodedSequences
from motifcnn.model import frame_branch
from motifcnn.model.frame_branch import FrameBranch
from motifcnn.model.word_branch import WordBranch
from motifcnn.sequences import Sequences

KINDS = ["words", "words of protein", "frames of both strands", "frames of one strand"]
ODDS = -1.3


@pytest.fixture(params=KINDS)
def branch(generator, request):
    """A branch of two outputs."""

    def drawn(*shape):
        return torch.from_numpy(generator.normal(size=shape).astype(np.float32))

    if request.param.startswith("words"):
        return WordBranch(*((PROTEIN, drawn(2, 20**2)) if "protein" in request.param else (DNA, drawn(2, 4**3))))
    both = "both" in request.param
    return FrameBranch(DNA if both else RNA, both, drawn(64) / 2, torch.tensor(ODDS), drawn(2, 64))


@pytest.fixture
def sequences(branch, generator):
    """With some unknown letters; of lengths around that of a word."""
    size = branch.alphabet.size
    codes = [generator.integers(0, size, length).astype(np.uint8) for length in (31, 2, 3, 42, 7)]
    for own in codes:
        own[generator.random(len(own)) < 0.05] = size
    return Sequences.from_list(list("abcde"), codes, branch.alphabet)


def numbers(branch, codes, starts):
    """Numbers of the words at some places, those over an unknown letter left out."""
    words = [codes[start : start + branch.length].tolist() for start in starts]
    size = branch.alphabet.size
    known = [word for word in words if max(word) < size]
    return np.array([sum(code * size**n for n, code in enumerate(reversed(word))) for word in known], dtype=int)


def slow_total(branch, codes):
    """Sum of the words' weights, of frames by their chances, over the root of the number of words, by loops."""
    words, weights = len(codes) - branch.length + 1, branch.weights.numpy()
    if isinstance(branch, WordBranch):
        total = weights[:, numbers(branch, codes, range(words))].sum(axis=1)
    else:
        strands = [codes] if branch.alphabet is RNA else [codes, DNA.reverse_complement(codes)]
        frames = [numbers(branch, strand, range(phase, words, 3)) for strand in strands for phase in range(3)]
        odds = np.array([np.exp(ODDS + branch.ratios.numpy()[own].sum()) for own in frames])
        total = odds / (1 + odds.sum()) @ np.array([weights[:, own].sum(axis=1) for own in frames])
    return total / np.sqrt(max(words, 1))


def test_sums_are_what_the_loops_say_together_or_alone(branch, sequences):
    batch = EncodedSequences(sequences).batch(torch.arange(5))
    expected = [slow_total(branch, sequences[number]) for number in range(5)]
    assert branch(batch).numpy() == pytest.approx(np.array(expected), abs=1e-5)
    assert torch.allclose(branch.with_weights(2 * branch.weights)(batch), 2 * branch(batch), atol=1e-5)
    for number in range(5):
        assert branch.total(sequences[number]) == pytest.approx(expected[number], abs=1e-5)


def test_tensors_give_the_same_on_any_device(branch, sequences):
    batch = EncodedSequences(sequences).batch(torch.arange(5))
    scale = (batch.lengths - branch.length + 1).clamp(min=1).double().rsqrt()[:, None]
    found = branch._gathered(batch.codes, batch.lengths) * scale
    assert torch.allclose(found.float(), branch(batch), atol=1e-5)
    short = EncodedSequences(sequences.subset(np.array([1, 1]))).batch(torch.arange(2))
    assert torch.allclose(branch._gathered(short.codes, short.lengths).float(), branch(short), atol=1e-5)


def test_shares_add_up(branch, sequences):
    for number in range(5):
        shared = branch.shares(sequences[number])
        assert shared.shape == (2, len(sequences[number]))
        assert shared.sum(axis=1) == pytest.approx(branch.total(sequences[number]), abs=1e-5)


@pytest.mark.parametrize("piece", [1 << 15, 10])
@pytest.mark.parametrize(("width", "stride"), [(10, 1), (7, 3), (31, 5), (2, 1)])
def test_sliding_windows_are_sequences_of_their_own(branch, sequences, monkeypatch, width, stride, piece):
    monkeypatch.setattr(frame_branch, "_PIECE", piece)
    codes = sequences[0]
    expected = [slow_total(branch, codes[start : start + width]) for start in range(0, 31 - width + 1, stride)]
    assert branch.sliding(codes, width, stride) == pytest.approx(np.array(expected), abs=1e-5)


@pytest.mark.parametrize("length", [2, 3, 4, 5, 22])
def test_effects_are_those_of_the_changed_sequences(branch, generator, length):
    size = branch.alphabet.size
    codes = generator.integers(0, size + 1, length).astype(np.uint8)
    before = slow_total(branch, codes)
    substitutions, deletions, insertions = branch.effects(codes, 0, length, with_indels=True)
    assert insertions.shape == (length + 1, size, 2)
    for place in range(length + 1):
        for letter in range(size):
            longer = slow_total(branch, np.insert(codes, place, letter)) - before
            assert insertions[place, letter] == pytest.approx(longer, abs=1e-5)
            if place < length:
                changed = codes.copy()
                changed[place] = letter
                assert substitutions[place, letter] == pytest.approx(slow_total(branch, changed) - before, abs=1e-5)
        if place < length:
            assert deletions[place] == pytest.approx(slow_total(branch, np.delete(codes, place)) - before, abs=1e-5)


def test_effects_of_a_part_are_that_part_of_the_effects(branch, generator):
    codes = generator.integers(0, branch.alphabet.size, 20).astype(np.uint8)
    whole = branch.effects(codes, 0, 20, with_indels=True)
    for part, every in zip(branch.effects(codes, 4, 9, with_indels=True), whole, strict=True):
        assert (part == every[4:9]).all()
    (substitutions,) = branch.effects(codes, 0, 20, with_indels=False)
    assert (substitutions == whole[0]).all()
