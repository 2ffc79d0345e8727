import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.encoding import EncodedSequences
from motifcnn.model.word_branch import WordBranch
from motifcnn.sequences import Sequences

LENGTH = 3


@pytest.fixture
def sequences(generator):
    """With ambiguity codes; of lengths around that of a word."""
    codes = [generator.integers(0, 5, length).astype(np.uint8) for length in (30, 2, 3, 41, 7)]
    return Sequences.from_list(list("abcde"), codes, DNA)


def branch_of(generator, outputs=2, alphabet=DNA, length=LENGTH):
    weights = generator.normal(size=(outputs, alphabet.size**length)).astype(np.float32)
    return WordBranch(alphabet, torch.from_numpy(weights))


def slow_total(branch, codes):
    """Sum of the words' weights over the root of the number of windows, by loops."""
    total = np.zeros(len(branch.weights))
    windows = len(codes) - branch.length + 1
    for start in range(windows):
        word = codes[start : start + branch.length].tolist()
        if max(word) < branch.alphabet.size:
            number = sum(code * branch.alphabet.size**place for place, code in enumerate(reversed(word)))
            total += branch.weights[:, number].numpy()
    return total / np.sqrt(max(windows, 1))


def test_words_add_what_the_loops_say_together_or_alone(generator, sequences):
    branch = branch_of(generator)
    batch = EncodedSequences(sequences).batch(torch.arange(5))
    expected = [slow_total(branch, sequences[number]) for number in range(5)]
    assert branch(batch).numpy() == pytest.approx(np.array(expected), abs=1e-5)
    for number in range(5):
        assert branch.total(sequences[number]) == pytest.approx(expected[number], abs=1e-5)


def test_tensors_give_the_same_on_any_device(generator, sequences):
    branch = branch_of(generator)
    batch = EncodedSequences(sequences).batch(torch.arange(5))
    assert torch.allclose(branch._gathered(batch.codes, batch.lengths), branch(batch), atol=1e-5)


def test_shares_add_up_and_lie_on_the_word(generator, sequences):
    branch = branch_of(generator)
    for number in range(5):
        shared = branch.shares(sequences[number])
        assert shared.shape == (2, len(sequences[number]))
        assert shared.sum(axis=1) == pytest.approx(branch.total(sequences[number]), abs=1e-5)
    branch.weights.zero_()
    branch.weights[1, 0b100110] = 6.0  # GCG
    shared = branch.shares(DNA.encode("AAGCGAA"))
    assert shared[0].tolist() == [0.0] * 7
    assert shared[1] == pytest.approx(np.array([0, 0, 2, 2, 2, 0, 0]) / np.sqrt(5))


@pytest.mark.parametrize(("width", "stride"), [(10, 1), (7, 3), (30, 5), (2, 1)])
def test_sliding_windows_are_sequences_of_their_own(generator, sequences, width, stride):
    branch, codes = branch_of(generator), sequences[0]
    expected = [slow_total(branch, codes[start : start + width]) for start in range(0, 30 - width + 1, stride)]
    assert branch.sliding(codes, width, stride) == pytest.approx(np.array(expected), abs=1e-5)


@pytest.mark.parametrize("length", [2, 3, 4, 20])
def test_effects_are_those_of_the_changed_sequences(generator, length):
    branch, codes = branch_of(generator), generator.integers(0, 5, length).astype(np.uint8)
    before = slow_total(branch, codes)
    substitutions, deletions, insertions = branch.effects(codes, 0, length, with_indels=True)
    assert insertions.shape == (length + 1, 4, 2)
    for place in range(length + 1):
        for letter in range(4):
            longer = slow_total(branch, np.insert(codes, place, letter)) - before
            assert insertions[place, letter] == pytest.approx(longer, abs=1e-5)
            if place < length:
                changed = codes.copy()
                changed[place] = letter
                assert substitutions[place, letter] == pytest.approx(slow_total(branch, changed) - before, abs=1e-5)
        if place < length:
            assert deletions[place] == pytest.approx(slow_total(branch, np.delete(codes, place)) - before, abs=1e-5)


def test_effects_of_a_part_are_that_part_of_the_effects(generator):
    branch, codes = branch_of(generator), generator.integers(0, 4, 20).astype(np.uint8)
    whole = branch.effects(codes, 0, 20, with_indels=True)
    for part, every in zip(branch.effects(codes, 4, 9, with_indels=True), whole, strict=True):
        assert (part == every[4:9]).all()
    (substitutions,) = branch.effects(codes, 0, 20, with_indels=False)
    assert (substitutions == whole[0]).all()


def test_proteins_have_words_of_their_own(generator):
    branch = branch_of(generator, 1, PROTEIN, 2)
    assert branch.length == 2
    codes = generator.integers(0, 22, 15).astype(np.uint8)
    assert branch.total(codes) == pytest.approx(slow_total(branch, codes), abs=1e-5)


def test_weights_are_one_for_each_word():
    with pytest.raises(ValueError, match=r"^63 weights are not one for each word of dna$"):
        WordBranch(DNA, torch.zeros(1, 63))
