"""Short sequences scanned together: a proteome or an assembly in pieces costs no more than one long sequence."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Codes
from motifcnn.formats.fasta import FastaChunk


@dataclass(frozen=True, eq=False)
class Bundle:
    """A chunk of a long sequence, or several short sequences, whole, with an unknown letter after each.

    Args:
        chunks: What it holds.
        codes: Their letters.
        begins: Where in `codes` each begins, shape [chunk].
    """

    chunks: tuple[FastaChunk, ...]
    codes: Codes
    begins: npt.NDArray[np.int64]

    @classmethod
    def of(cls, chunks: Sequence[FastaChunk], unknown: int) -> "Bundle":
        """Put chunks together; one alone stays as it is."""
        if len(chunks) == 1:
            return cls(tuple(chunks), chunks[0].codes, np.zeros(1, dtype=np.int64))
        parts: list[Any] = [*[chunk.codes for chunk in chunks], b""]
        codes = np.frombuffer(bytes([unknown]).join(parts), dtype=np.uint8)
        lengths = np.array([len(chunk.codes) + 1 for chunk in chunks], dtype=np.int64)
        return cls(tuple(chunks), codes, np.cumsum(lengths) - lengths)

    @property
    def last(self) -> bool:
        """Whether no letters of a sequence in it are left for a later one."""
        return self.chunks[-1].last

    def owners(self, starts: npt.NDArray[np.int64]) -> Iterator[tuple[FastaChunk, slice, int]]:
        """Divide hits among the sequences.

        Args:
            starts: Where in `codes` each hit begins, in order.

        Yields:
            Each chunk that has hits, which they are, and where in `codes` the chunk begins; a chunk alone in any case.
        """
        if len(self.chunks) == 1:
            yield self.chunks[0], slice(0, len(starts)), 0
            return
        numbers = np.searchsorted(self.begins, starts, side="right") - 1
        present, firsts = np.unique(numbers, return_index=True)
        ends = np.append(firsts, len(starts))[1:]
        for number, first, end in zip(present.tolist(), firsts.tolist(), ends.tolist(), strict=True):
            yield self.chunks[number], slice(first, end), int(self.begins[number])


def bundled(chunks: Iterable[FastaChunk], unknown: int, largest: int) -> Iterator[Bundle]:
    """Put sequences that follow one another together where they are short.

    Args:
        chunks: Of any sequences, in their order.
        unknown: Code of the unknown letter, which no hit can hold.
        largest: Letters of a bundle of several, at most.
    """
    short: list[FastaChunk] = []
    letters = 0
    for chunk in chunks:
        whole = chunk.start == 0 and chunk.last
        if short and not (whole and letters + len(chunk.codes) < largest):
            yield Bundle.of(short, unknown)
            short, letters = [], 0
        if whole:
            short.append(chunk)
            letters += len(chunk.codes) + 1
        else:
            yield Bundle.of([chunk], unknown)
    if short:
        yield Bundle.of(short, unknown)
