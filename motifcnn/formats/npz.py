"""NumPy's `.npz`: arrays larger than memory, filled in any order, in a file that is whole or not there."""

import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from motifcnn.errors import InputError, MotifcnnError

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of every entry, the earliest that zip knows, so that the same arrays give the same bytes."""


class NpzFile:
    """Arrays by name, on disk until they are packed at the end; without pickle.

    Args:
        path: The file, which appears when the arrays are left without a fault.

    Raises:
        MotifcnnError: The folder cannot be written, or no space is left.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            self._folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        except OSError as error:
            raise InputError(f"cannot be written ({error.strerror}); choose another place", path) from None
        self._names: list[str] = []

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Pack the arrays, unless something went wrong."""
        try:
            if kind is None:
                self._pack()
        except OSError as error:
            raise MotifcnnError(f"{self.path}: cannot be written ({error.strerror}); choose another place") from None
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, name: str, values: npt.NDArray[np.generic]) -> None:
        """Add an array.

        Args:
            name: Its name in the file.
            values: Numbers, or text of fixed width; no objects.
        """
        np.save(self._new(name), values, allow_pickle=False)

    def empty(self, name: str, shape: Sequence[int]) -> npt.NDArray[np.float32]:
        """Add an array of NaN, to be filled in place; it lies on disk.

        Args:
            name: Its name in the file.
            shape: Its shape.
        """
        if 0 in shape:
            self.add(name, np.empty(tuple(shape), dtype=np.float32))
            return np.empty(tuple(shape), dtype=np.float32)
        try:
            values = np.lib.format.open_memmap(self._new(name), mode="w+", dtype=np.float32, shape=tuple(shape))
        except OSError as error:
            raise MotifcnnError(f"{self.path}: cannot be written ({error.strerror}); choose another place") from None
        for first in range(len(values)):
            values[first] = np.nan
        return np.asarray(values)

    def _new(self, name: str) -> Path:
        self._names.append(name)
        return self._folder / f"{name}.npy"

    def _pack(self) -> None:
        unfinished = self._folder / "packed"
        with zipfile.ZipFile(unfinished, "w") as packed:
            for name in self._names:
                entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                path = self._folder / f"{name}.npy"
                with path.open("rb") as source, packed.open(entry, "w", force_zip64=True) as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                path.unlink()
        unfinished.replace(self.path)
