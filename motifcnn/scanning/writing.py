"""Writers of hits, one for text and one for Parquet, alike to those who have hits."""

from collections.abc import Sequence
from typing import BinaryIO, Literal, Protocol

import numpy as np
import numpy.typing as npt

from motifcnn.scanning.conserved import ConservedHits, TrackScorer
from motifcnn.scanning.distribution import IntegerMotif
from motifcnn.scanning.engine import Hits
from motifcnn.scanning.hits import Format, HitFormatter
from motifcnn.scanning.parquet import ParquetHits


class HitWriter(Protocol):
    """Takes hits in order; the file is whole after `close`."""

    def write(self, hits: Hits, q_values: npt.NDArray[np.float64] | None = None) -> None:
        """Write hits, with the q-value of each where there are any."""

    def close(self) -> None:
        """Write what is left."""


class TextHits:
    """Write hits as lines.

    Args:
        out: Where to write.
        formatter: Makes the lines.
    """

    def __init__(self, out: BinaryIO, formatter: HitFormatter):
        self._out, self._formatter = out, formatter
        out.write(formatter.header().encode())

    def write(self, hits: Hits, q_values: npt.NDArray[np.float64] | None = None) -> None:
        """Write one line a hit."""
        self._out.writelines(self._formatter.lines(hits, q_values))

    def close(self) -> None:
        """Do nothing: every line is written."""


def hit_writer(
    out: BinaryIO,
    motifs: Sequence[IntegerMotif],
    format: Format | Literal["parquet"],
    *,
    double_stranded: bool,
    with_q: bool,
    scorer: TrackScorer | None = None,
) -> HitWriter:
    """Return what writes hits in a format.

    Args:
        out: Where to write.
        motifs: The motifs scanned with.
        format: Which format.
        double_stranded: Whether strands are told apart; "." stands for none.
        with_q: Whether hits come with q-values.
        scorer: Looks hits up in a track, if there is one.

    Raises:
        MotifcnnError: The format needs a package that is not installed.
    """
    if format == "parquet":
        return ParquetHits(out, motifs, double_stranded, with_q, scorer)
    formatter = HitFormatter(motifs, format, double_stranded, with_q)
    return TextHits(out, formatter) if scorer is None else ConservedHits(out, formatter, scorer)
