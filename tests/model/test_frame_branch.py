import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA, RNA
from motifcnn.encoding import EncodedSequences
from motifcnn.model import frame_branch
from motifcnn.model.frame_branch import FrameBranch
from motifcnn.sequences import Sequences

LENGTHS = (31, 2, 3, 42, 7)


@pytest.fixture
def sequences(generator):
    """With ambiguity codes; of lengths around that of a codon."""
    codes = [generator.choice(5, length, p=[0.24, 0.24, 0.24, 0.24, 0.04]).astype(np.uint8) for length in LENGTHS]
    return Sequences.from_list(list("abcde"), codes, DNA)


@pytest.fixture(params=[DNA, RNA], ids=lambda alphabet: alphabet.name)
def branch(generator, request):
    """DNA with six frames, RNA with three; of two outputs."""
    ratios, weights = (torch.from_numpy(generator.normal(size=shape).astype(np.float32)) for shape in (64, (2, 64)))
    return FrameBranch(request.param, request.param is DNA, ratios / 2, torch.tensor(-1.3), weights)


def slow_codons(branch, codes):
    """The numbers of the codons of each frame, by loops, frames of the reverse complement last."""
    strands = [codes] if branch.alphabet is RNA else [codes, DNA.reverse_complement(codes)]
    for strand in strands:
        for phase in range(3):
            starts = range(phase, len(strand) - 2, 3)
            codons = [strand[start : start + 3].tolist() for start in starts]
            yield [a * 16 + b * 4 + c for a, b, c in codons if max(a, b, c) < 4]


def slow_total(branch, codes):
    """Each frame's sum of weights by its chance, from the odds of its codons against none."""
    frames = [np.array(numbers, dtype=int) for numbers in slow_codons(branch, codes)]
    odds = np.array([np.exp(-1.3 + branch.ratios.numpy()[numbers].sum()) for numbers in frames])
    chances = odds / (1 + odds.sum())
    sums = np.array([branch.weights.numpy()[:, numbers].sum(axis=1) for numbers in frames])
    return chances @ sums / np.sqrt(max(len(codes) - 2, 1))


def test_codons_add_what_the_loops_say_together_or_alone(branch, sequences):
    batch = EncodedSequences(sequences).batch(torch.arange(5))
    expected = [slow_total(branch, sequences[number]) for number in range(5)]
    assert branch(batch).numpy() == pytest.approx(np.array(expected), abs=1e-5)
    for number in range(5):
        assert branch.total(sequences[number]) == pytest.approx(expected[number], abs=1e-5)


def test_codons_read_are_what_the_weights_are_for(branch, sequences, monkeypatch):
    monkeypatch.setattr("motifcnn.sequences._BLOCK", 2)
    batch = EncodedSequences(sequences).batch(torch.arange(5))
    read = branch.read_codons(sequences)
    assert read @ branch.weights.double().numpy().T == pytest.approx(branch(batch).numpy(), abs=1e-5)
    doubled = branch.with_weights(2 * branch.weights)
    assert torch.allclose(doubled(batch), 2 * branch(batch), atol=1e-5)


def test_tensors_give_the_same_on_any_device(branch, sequences):
    batch = EncodedSequences(sequences).batch(torch.arange(5))
    totals = branch._gathered(batch.codes, batch.lengths)
    scale = (batch.lengths - 2).clamp(min=1).double().rsqrt()[:, None]
    assert torch.allclose((branch._combined(totals) * scale).float(), branch(batch), atol=1e-5)
    two = EncodedSequences(sequences).batch(torch.tensor([1, 1]))  # two letters: no codon at all
    assert branch._combined(branch._gathered(two.codes, two.lengths)).abs().max() == 0


def test_the_reverse_complement_has_the_same_frames(generator):
    weights = torch.from_numpy(generator.normal(size=(1, 64)).astype(np.float32))
    branch = FrameBranch(DNA, True, torch.randn(64), torch.tensor(0.0), weights)
    for length in (30, 31, 32):
        codes = generator.integers(0, 4, length).astype(np.uint8)
        assert branch.total(DNA.reverse_complement(codes)) == pytest.approx(branch.total(codes), abs=1e-5)


def test_shares_add_up_and_lie_on_the_codons(branch, sequences):
    for number in range(5):
        shared = branch.shares(sequences[number])
        assert shared.shape == (2, len(sequences[number]))
        assert shared.sum(axis=1) == pytest.approx(branch.total(sequences[number]), abs=1e-5)
    weights = torch.zeros(1, 64)
    weights[0, 0b100110] = 6.0  # GCG; in no frame but the second is it likely
    ratios = torch.full((64,), -20.0)
    ratios[0b100110] = 90.0
    shared = FrameBranch(branch.alphabet, False, ratios, torch.tensor(0.0), weights).shares(DNA.encode("AAAAGCGAA"))
    assert shared[0] == pytest.approx(np.array([0, 0, 0, 0, 2, 2, 2, 0, 0]) / np.sqrt(7))


@pytest.mark.parametrize("piece", [1 << 15, 10])
@pytest.mark.parametrize(("width", "stride"), [(10, 1), (7, 3), (31, 5), (2, 1)])
def test_sliding_windows_are_sequences_of_their_own(branch, sequences, monkeypatch, width, stride, piece):
    monkeypatch.setattr(frame_branch, "_PIECE", piece)
    codes = sequences[0]
    expected = [slow_total(branch, codes[start : start + width]) for start in range(0, 31 - width + 1, stride)]
    assert branch.sliding(codes, width, stride) == pytest.approx(np.array(expected), abs=1e-5)


@pytest.mark.parametrize("length", [2, 3, 4, 5, 22])
def test_effects_are_those_of_the_changed_sequences(branch, generator, length):
    codes = generator.integers(0, 5, length).astype(np.uint8)
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


def test_effects_of_a_part_are_that_part_of_the_effects(branch, generator):
    codes = generator.integers(0, 4, 20).astype(np.uint8)
    whole = branch.effects(codes, 0, 20, with_indels=True)
    for part, every in zip(branch.effects(codes, 4, 9, with_indels=True), whole, strict=True):
        assert (part == every[4:9]).all()
    (substitutions,) = branch.effects(codes, 0, 20, with_indels=False)
    assert (substitutions == whole[0]).all()
