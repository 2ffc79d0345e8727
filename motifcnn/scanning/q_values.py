"""Benjamini and Hochberg's q-values of hits, in memory that does not grow with their number.

A q-value depends on how many hits of its motif score as much or more, so on a histogram of scores alone; the hits
themselves wait in a temporary file until all are counted.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

import numpy as np
import numpy.typing as npt

from motifcnn.errors import MotifcnnError
from motifcnn.scanning.distribution import IntegerMotif
from motifcnn.scanning.engine import Hits
from motifcnn.scanning.records import RECORD, packed, unpacked

Floats = npt.NDArray[np.float64]


class ScoreHistogram:
    """Hits counted by motif and score.

    Args:
        motifs: The motifs scanned with.
        thresholds: Least score of a hit for each; None where a motif has no hits.
    """

    def __init__(self, motifs: Sequence[IntegerMotif], thresholds: Sequence[int | None]):
        self._motifs = motifs
        self._lowest = np.array(
            [
                motif.highest + 1 if threshold is None else max(threshold, motif.lowest)
                for motif, threshold in zip(motifs, thresholds, strict=True)
            ],
            dtype=np.int64,
        )
        sizes = np.array([motif.highest + 1 for motif in motifs], dtype=np.int64) - self._lowest
        self._begins = np.append(0, np.cumsum(sizes))
        self._counts = np.zeros(int(sizes.sum()), dtype=np.int64)

    def add(self, hits: Hits) -> None:
        """Count hits."""
        places, counts = np.unique(self._places(hits), return_counts=True)
        self._counts[places] += counts

    def of_motifs(self) -> npt.NDArray[np.int64]:
        """Return the number of hits of each motif."""
        totals = np.append(0, np.cumsum(self._counts))
        return np.asarray(np.diff(totals[self._begins]))

    def q_values(self, found: Iterable[Hits], windows: npt.NDArray[np.int64]) -> Iterator[tuple[Hits, Floats]]:
        """Give each hit its q-value, once all are counted.

        Args:
            found: The hits.
            windows: Windows tested with each motif, on all strands.
        """
        table = np.ones(len(self._counts))
        for number, (motif, tests) in enumerate(zip(self._motifs, windows.tolist(), strict=True)):
            here = slice(int(self._begins[number]), int(self._begins[number + 1]))
            scores = np.arange(self._lowest[number], motif.highest + 1)
            as_good = np.cumsum(self._counts[here][::-1])[::-1]
            raw = np.where(self._counts[here] > 0, motif.p_values(scores) * tests / np.maximum(as_good, 1), 1.0)
            table[here] = np.minimum(np.minimum.accumulate(raw), 1.0)  # the least of this and every lower score
        for hits in found:
            yield hits, table[self._places(hits)]

    def _places(self, hits: Hits) -> npt.NDArray[np.int64]:
        return np.asarray(self._begins[hits.motifs] + hits.scores - self._lowest[hits.motifs])


@contextmanager
def counted(found: Iterable[Hits], histogram: ScoreHistogram) -> Iterator[Iterator[Hits]]:
    """Count all hits, which go to a temporary file, and give what reads them back.

    Raises:
        MotifcnnError: There is no room for the file.
    """
    with tempfile.TemporaryFile() as file:
        stretches = []
        for hits in found:
            histogram.add(hits)
            if not len(hits.starts):
                continue
            try:
                file.write(packed(hits))
            except OSError as error:
                raise MotifcnnError(
                    f"{tempfile.gettempdir()}: hits waiting for their q-values cannot be written ({error.strerror}); "
                    "set TMPDIR to a folder with more room"
                ) from None
            stretches.append((hits.chrom, len(hits.starts)))
        file.seek(0)
        yield _read(file, stretches)


def _read(file: IO[bytes], stretches: Sequence[tuple[str, int]]) -> Iterator[Hits]:
    for chrom, count in stretches:
        yield unpacked(chrom, file.read(count * RECORD.itemsize))
