"""Bytes that live in a file and come to memory where they are read."""

import os
import tempfile

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
    with tempfile.TemporaryFile() as file:
        try:
            _reserve(file.fileno(), size)
        except OSError as error:
            raise MotifcnnError(
                f"{size:,} bytes do not fit into the temporary folder {tempfile.gettempdir()} ({error.strerror}); "
                "set TMPDIR to a folder with room, or give --on-disk no"
            ) from None
        # a plain array on the mapping, which outlives the file's descriptor
        return np.asarray(np.memmap(file, dtype=np.uint8, mode="r+", shape=(size,)))


def _reserve(descriptor: int, size: int) -> None:
    """Give a file its size, with room on the disk where the system can: a full disk would end the process later."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.ftruncate(descriptor, size)
