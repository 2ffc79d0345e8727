"""Values of sliding windows as bigWig files, several at a time, in memory that does not grow with the genome."""

import logging
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from motifcnn.errors import InputError, MotifcnnError

_LOGGER = logging.getLogger(__name__)
_MOST_SUMMARISED: Final = 1 << 25
"""Values of a file up to which summaries for wide views are written: they take 14 bytes of memory a value."""
_SUMMARIES: Final = 10
"""Levels of summaries, pyBigWig's default."""

Values = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class WindowValues:
    """Values of neighbouring windows, which come one step after another.

    Args:
        chrom: Name of the chromosome.
        start: First base that the first value stands for, counted from 0; each stands for one step.
        values: Shape [track, window]; NaN where there is none.
    """

    chrom: str
    start: int
    values: Values


def write_window_tracks(
    paths: Sequence[Path], stretches: Iterable[WindowValues], sizes: Mapping[str, int], step: int
) -> list[int]:
    """Write each track to a bigWig file of its own and make sure that it can be read back whole.

    Args:
        paths: One file a track; they appear together when all are whole.
        stretches: Chromosome by chromosome in the order of `sizes`, each sorted by start.
        sizes: Length of each chromosome.
        step: Bases that a value stands for.

    Returns:
        Number of values in each file.

    Raises:
        MotifcnnError: There is no value at all, or a file could not be written whole.
    """
    # the index of a bigWig is searched by name, so that its chromosomes must be sorted by bytes
    header = {chrom: sizes[chrom] for chrom in sorted(sizes, key=str.encode)}
    most = sum(size // step for size in sizes.values())
    if most > _MOST_SUMMARISED:
        _LOGGER.info("%d values a track: written without summaries for wide views, which would take memory", most)
    with _folder_beside(paths[0]) as folder, ExitStack() as stack:
        files = [_Track(folder / f"{number}.bw", path, header, step, most) for number, path in enumerate(paths)]
        for file in files:
            stack.callback(file.close)
        for stretch in stretches if list(header) == list(sizes) else stack.enter_context(_sorted(stretches, folder)):
            for file, values in zip(files, stretch.values, strict=True):
                file.add(stretch.chrom, stretch.start, values)
        for file in files:
            file.finish(header)
        if not any(file.written for file in files):
            raise MotifcnnError(f"{paths[0]}: no window has a value, so there is nothing to write")
        for file in files:
            file.path.replace(file.target)
    return [file.written for file in files]


@contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror}); choose another place", path) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Track:
    """One bigWig file in the making, under another name."""

    def __init__(self, path: Path, target: Path, header: Mapping[str, int], step: int, most: int):
        import pyBigWig

        self.path, self.target, self.written = path, target, 0
        self._step = step
        self._file: Any = pyBigWig.open(str(path), "w")
        self._file.addHeader(list(header.items()), maxZooms=_SUMMARIES if most <= _MOST_SUMMARISED else 0)

    def add(self, chrom: str, start: int, values: Values) -> None:
        """Add values of neighbouring windows, those that are there."""
        edges = np.flatnonzero(np.diff(np.concatenate(([0], (~np.isnan(values)).astype(np.int8), [0]))))
        for first, last in pairwise(edges.tolist()):
            if np.isnan(values[first]):
                continue
            here = np.ascontiguousarray(values[first:last])
            try:
                self._file.addEntries(chrom, start + first * self._step, values=here, span=self._step, step=self._step)
            except RuntimeError as error:  # pyBigWig's only one, also for a full disk
                raise self._fault(str(error)) from None
            self.written += last - first

    def finish(self, header: Mapping[str, int]) -> None:
        """Close the file and read back what it says of itself."""
        import pyBigWig

        self.close()
        try:
            read = pyBigWig.open(str(self.path))
            whole = read.chroms() == dict(header) and read.header()["nBasesCovered"] == self.written * self._step
            read.close()
        except RuntimeError:
            whole = False
        if not whole:
            raise self._fault("it cannot be read back whole")

    def close(self) -> None:
        """Close the file, once."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _fault(self, reason: str) -> MotifcnnError:
        why = " ".join(reason.split())
        return MotifcnnError(f"{self.target}: a bigWig could not be written ({why}); is there space left?")


@contextmanager
def _sorted(stretches: Iterable[WindowValues], folder: Path) -> Iterator[Iterator[WindowValues]]:
    """Keep values on disk until all are there, then give them by chromosome."""
    with (folder / "values").open("w+b") as file:
        places: list[tuple[str, int, tuple[int, ...], int]] = []
        for stretch in stretches:
            places.append((stretch.chrom, stretch.start, stretch.values.shape, file.tell()))
            file.write(np.ascontiguousarray(stretch.values, dtype=np.float32).tobytes())
        yield _read(file, sorted(places, key=lambda place: place[0].encode()))


def _read(file: IO[bytes], places: Iterable[tuple[str, int, tuple[int, ...], int]]) -> Iterator[WindowValues]:
    for chrom, start, shape, at in places:
        file.seek(at)
        values = np.frombuffer(file.read(4 * int(np.prod(shape))), dtype=np.float32)
        yield WindowValues(chrom, start, values.reshape(shape))
