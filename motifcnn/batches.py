"""Batch by batch through some examples, in batches that fit the device's memory."""

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

from motifcnn.encoding import Batch, EncodedSequences
from motifcnn.errors import MotifcnnError

_LOGGER = logging.getLogger(__name__)
Result = TypeVar("Result")


def over_batches(
    encoded: EncodedSequences, indices: torch.Tensor, size: int, compute: Callable[[Batch], Result]
) -> list[Result]:
    """Compute something of each batch of some examples, in their order.

    Where the device's memory does not hold a batch, it and all that follow are half as large.

    Args:
        encoded: All examples.
        indices: Some of them, on the CPU.
        size: Examples of a batch.
        compute: What is wanted; of an example it must not depend on the others of its batch.

    Raises:
        MotifcnnError: Not even one example fits.
    """
    results: list[Result] = []
    done = 0
    while done < len(indices):
        chunk = indices[done : done + size]
        try:
            results.append(compute(encoded.batch(chunk.to(encoded.device))))
        except torch.cuda.OutOfMemoryError:
            full = True  # the fault holds on to what was computed until this block ends
        else:
            full, done = False, done + len(chunk)
        if full:
            size = halved(len(chunk))
    return results


def halved(size: int) -> int:
    """Say that the device's memory is full, give back what is not in use, and return half the size.

    Raises:
        MotifcnnError: There is nothing to halve.
    """
    if size == 1:
        raise MotifcnnError(
            "the device's memory does not hold one example; give fewer --filters or --restarts, shorter sequences, "
            "or --device cpu"
        )
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    _LOGGER.warning("the device's memory is full with batches of %d; going on with batches of %d", size, size // 2)
    return size // 2
