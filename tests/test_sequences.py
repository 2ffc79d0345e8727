import numpy as np
import pytest

from motifcnn import sequences as module
from motifcnn.alphabet import DNA
from motifcnn.sequences import Sequences


@pytest.fixture(params=[2, 1 << 13])
def block(request, monkeypatch):
    """Few and many sequences in a block."""
    monkeypatch.setattr(module, "_BLOCK", request.param)


@pytest.fixture
def some(generator):
    codes = [generator.integers(0, 5, length).astype(np.uint8) for length in (3, 1, 7, 2, 5)]
    return Sequences.from_list(list("abcde"), codes, DNA), codes


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("chosen", [[], [4], [3, 0, 3], [0, 1, 2, 3, 4]])
def test_a_subset_holds_the_letters_of_its_members_in_their_order(some, chosen):
    sequences, codes = some
    subset = sequences.subset(np.array(chosen, dtype=np.int64))
    assert subset.names == tuple("abcde"[n] for n in chosen)
    assert [subset[n].tolist() for n in range(len(subset))] == [codes[n].tolist() for n in chosen]
    assert subset.codes.dtype == np.uint8


@pytest.mark.usefixtures("block")
def test_blocks_are_all_sequences_one_after_another_without_copies(some):
    sequences, codes = some
    blocks = list(sequences.blocks())
    assert sum((block.names for block in blocks), ()) == sequences.names
    assert [block[n].tolist() for block in blocks for n in range(len(block))] == [each.tolist() for each in codes]
    assert all(np.shares_memory(block.codes, sequences.codes) for block in blocks)


@pytest.mark.usefixtures("block")
def test_joined_sequences_stand_one_after_another(some):
    sequences, codes = some
    joined = Sequences.joined([sequences, sequences.subset(np.array([2, 0]))])
    assert joined.names == tuple("abcdeca")
    assert [joined[n].tolist() for n in range(7)] == [codes[n].tolist() for n in (0, 1, 2, 3, 4, 2, 0)]


def test_letters_are_counted_over_all_blocks(some):
    sequences, codes = some
    counts = np.array([1 + sum(int((each == letter).sum()) for each in codes) for letter in range(4)])
    assert sequences.letter_frequencies() == pytest.approx(counts / counts.sum())


def test_thinned_to_so_many_letters(some):
    sequences, _ = some
    everything = np.arange(5)
    assert sequences.thinned(everything, 18).tolist() == [0, 1, 2, 3, 4]
    assert sequences.thinned(everything, 17).tolist() == [0, 2, 4]
    assert sequences.thinned(everything, 6).tolist() == [0, 3]
    assert sequences.thinned(everything[2:], 100).tolist() == [2, 3, 4]
    assert sequences.thinned(everything[:0], 1).tolist() == []


def test_cells_of_true_and_false_need_no_numbers_made_into_text(some, generator, monkeypatch):
    sequences, codes = some
    values = generator.random(len(sequences.codes)) < 0.5
    expected = sequences.cells(values.astype(int), "%d")
    assert [cell.count(",") + 1 for cell in expected if cell] == [len(each) for each in codes if len(each)]
    monkeypatch.delattr(np.char, "mod")
    assert sequences.cells(values, "%d") == expected
