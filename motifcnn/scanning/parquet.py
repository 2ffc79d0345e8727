"""Hits as Apache Parquet, for those who go on in a data frame: the columns of the TSV, in row groups.

Needs pyarrow, which is optional.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from motifcnn.errors import MotifcnnError
from motifcnn.scanning.conserved import COLUMNS, TrackScorer
from motifcnn.scanning.distribution import UNITS_PER_BIT, IntegerMotif
from motifcnn.scanning.engine import Hits
from motifcnn.scanning.hits import LARGEST_BED_SCORE, LEAST_P, RESIDUES, has_residues

ROW_GROUP: Final = 1 << 18
"""Hits that wait to be written together: about 10 MB."""
INSTALL: Final = 'pip install "motifcnn[parquet]"'
_STRANDS: Final = ("+", "-", ".")


class ParquetHits:
    """Write hits to a Parquet file as they come; names are dictionaries, p-values are not rounded.

    Args:
        out: Where to write; never sought in.
        motifs: The motifs scanned with.
        double_stranded: Whether strands are told apart; "." stands for none.
        with_q: Whether a q-value column follows.
        scorer: Looks hits up in a track, whose columns follow, if there is one.

    Raises:
        MotifcnnError: pyarrow is not installed.
    """

    def __init__(
        self,
        out: BinaryIO,
        motifs: Sequence[IntegerMotif],
        double_stranded: bool,
        with_q: bool,
        scorer: TrackScorer | None = None,
    ):
        self._scorer = scorer
        self._arrow, parquet = _pyarrow()
        self._motifs, self._double_stranded, self._with_q = motifs, double_stranded, with_q
        self._widths = np.array([motif.width for motif in motifs], dtype=np.int64)
        self._waiting: list[tuple[Hits, npt.NDArray[np.float64] | None]] = []
        self._count = 0
        self._schema = self._columns()
        self._writer: Any = parquet.ParquetWriter(out, self._schema, compression="zstd")

    def _columns(self) -> Any:
        arrow = self._arrow
        name, number = arrow.dictionary(arrow.int32(), arrow.string()), arrow.float64()
        columns = [
            ("chrom", name), ("start", arrow.int64()), ("end", arrow.int64()), ("motif", name),
            ("score", arrow.int32()), ("strand", name), ("log_odds", number), ("p_value", number),
        ]  # fmt: skip
        columns += [("q_value", number)] if self._with_q else []
        columns += [(column, arrow.int64()) for column in RESIDUES] if has_residues(self._motifs) else []
        columns += [(column, number) for column in COLUMNS] if self._scorer is not None else []
        return arrow.schema(columns)

    def write(self, hits: Hits, q_values: npt.NDArray[np.float64] | None = None) -> None:
        """Write hits, or keep them until there are enough for a row group."""
        if not len(hits.starts):
            return
        self._waiting.append((hits, q_values))
        self._count += len(hits.starts)
        if self._count >= ROW_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what waits and the end of the file; `out` stays open.

        Raises:
            InputError: The track has a value at no hit.
        """
        self._flush()
        self._writer.close()
        if self._scorer is not None:
            self._scorer.finish()

    def _flush(self) -> None:
        if not self._count:
            return
        joined = {
            name: np.concatenate([getattr(hits, name) for hits, _ in self._waiting])
            for name in ("starts", "motifs", "reverse", "scores")
        }
        p_values = self._p_values(joined["motifs"], joined["scores"])
        scores = np.minimum(np.rint(-10 * np.log10(np.maximum(p_values, LEAST_P))), LARGEST_BED_SCORE)
        strands = joined["reverse"] if self._double_stranded else np.full(self._count, len(_STRANDS) - 1)
        ends = joined["starts"] + self._widths[joined["motifs"]]
        columns = [
            self._chroms(), joined["starts"], ends,
            self._named(joined["motifs"], [motif.name for motif in self._motifs]),
            scores.astype(np.int32), self._named(strands, _STRANDS), joined["scores"] / UNITS_PER_BIT, p_values,
        ]  # fmt: skip
        if self._with_q:
            columns.append(np.concatenate([q_values for _, q_values in self._waiting if q_values is not None]))
        if has_residues(self._motifs):
            columns += [joined["starts"] + 1, ends]
        if self._scorer is not None:
            looked_up = [self._scorer.columns(hits) for hits, _ in self._waiting]
            columns += [np.concatenate(parts) for parts in zip(*(found.arrays for found in looked_up), strict=True)]
        self._writer.write_table(self._arrow.table(columns, schema=self._schema), row_group_size=ROW_GROUP)
        self._waiting, self._count = [], 0

    def _p_values(self, motifs: npt.NDArray[np.int32], scores: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        p_values = np.empty(len(scores))
        order = np.argsort(motifs, kind="stable")
        present, begins = np.unique(motifs[order], return_index=True)
        for number, mine in zip(present.tolist(), np.split(order, begins[1:]), strict=True):
            p_values[mine] = self._motifs[number].p_values(scores[mine])
        return p_values

    def _chroms(self) -> Any:
        names: dict[str, int] = {}
        numbers = [names.setdefault(hits.chrom, len(names)) for hits, _ in self._waiting]
        return self._named(np.repeat(numbers, [len(hits.starts) for hits, _ in self._waiting]), list(names))

    def _named(self, numbers: npt.NDArray[Any], names: Sequence[str]) -> Any:
        return self._arrow.DictionaryArray.from_arrays(numbers.astype(np.int32), self._arrow.array(list(names)))


def require_pyarrow() -> None:
    """Make sure that Parquet can be written, before any work is done for it.

    Raises:
        MotifcnnError: pyarrow is not installed.
    """
    _pyarrow()


def _pyarrow() -> tuple[ModuleType, ModuleType]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MotifcnnError(f"--format parquet needs pyarrow, which is not installed: {INSTALL}") from None
    return pyarrow, pyarrow.parquet
