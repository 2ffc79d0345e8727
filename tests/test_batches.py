import logging

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA
from motifcnn.batches import halved, over_batches
from motifcnn.encoding import EncodedSequences
from motifcnn.errors import MotifcnnError
from motifcnn.sequences import Sequences


@pytest.fixture
def encoded(generator):
    codes = [generator.integers(0, 4, length).astype(np.uint8) for length in generator.integers(3, 9, 20)]
    return EncodedSequences(Sequences.from_list([f"s{n}" for n in range(20)], codes, DNA))


def holding(most):
    """Letters of each example, by a device that holds so many examples at a time."""
    sizes = []

    def compute(batch):
        sizes.append(len(batch.lengths))
        if len(batch.lengths) > most:
            raise torch.cuda.OutOfMemoryError("simulated")
        return batch.lengths

    return compute, sizes


def test_everything_is_computed_in_its_order(encoded):
    compute, sizes = holding(20)
    chosen = torch.tensor([5, 3, 3, 19, 0])
    expected = [len_of for batch in (chosen,) for len_of in encoded.batch(batch).lengths.tolist()]
    assert torch.cat(over_batches(encoded, chosen, 2, compute)).tolist() == expected
    assert sizes == [2, 2, 1]
    assert over_batches(encoded, chosen[:0], 2, compute) == []


def test_batches_are_halved_until_they_fit_and_stay_so(encoded, caplog):
    compute, sizes = holding(3)
    with caplog.at_level(logging.WARNING, "motifcnn"):
        found = torch.cat(over_batches(encoded, torch.arange(20), 16, compute))
    assert torch.equal(found, torch.cat(over_batches(encoded, torch.arange(20), 20, lambda batch: batch.lengths)))
    assert sizes == [16, 8, 4, *[2] * 10]
    assert caplog.messages == [
        f"the device's memory is full with batches of {size}; going on with batches of {size // 2}"
        for size in (16, 8, 4)
    ]


def test_where_one_example_does_not_fit_it_is_a_fault(encoded):
    compute, sizes = holding(0)
    with pytest.raises(MotifcnnError, match=r"does not hold one example; give fewer --filters .* or --device cpu"):
        over_batches(encoded, torch.arange(3), 4, compute)
    assert sizes == [3, 1]


def test_other_faults_are_not_swallowed(encoded):
    with pytest.raises(ZeroDivisionError):
        over_batches(encoded, torch.arange(3), 4, lambda batch: 1 // 0)


def test_half_of_an_odd_size():
    assert [halved(size) for size in (7, 2)] == [3, 1]
