"""Bytes that live in a file and come to memory where they are read."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from motifcnn.errors import MotifcnnError


def mapped_bytes(size: int) -> npt.NDArray[np.uint8]:
    """Return room for bytes in a temporary file, which goes when nothing refers to it any more, whatever happens.

    Args:
        size: Number of bytes.

    Raises:
        MotifcnnError: The temporary folder has no room for it.
    """
    if not size:
        return np.empty(0, dtype=np.uint8)
    with temporary_file(size) as file:
        return map_file(file)


@contextmanager
def temporary_file(size: int) -> Iterator[BinaryIO]:
    """Open a file of so many zeros in the temporary folder, under no name: it goes with the last who holds it.

    Args:
        size: Number of bytes.

    Raises:
        MotifcnnError: The temporary folder has no room for it.
    """
    with tempfile.TemporaryFile() as file:
        try:
            _reserve(file.fileno(), size)
        except OSError as error:
            raise MotifcnnError(
                f"{size:,} bytes do not fit into the temporary folder {tempfile.gettempdir()} ({error.strerror}); "
                "set TMPDIR to a folder with room, or give --on-disk no"
            ) from None
        yield file


def map_file(file: BinaryIO) -> npt.NDArray[np.uint8]:
    """Return the bytes of a file that is not empty, as a plain array on a mapping, which outlives its descriptor."""
    return np.asarray(np.memmap(file, dtype=np.uint8, mode="r+"))


def _reserve(descriptor: int, size: int) -> None:
    """Give a file its size, with room on the disk where the system can: a full disk would end the process later."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.ftruncate(descriptor, size)
