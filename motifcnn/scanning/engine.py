"""The scanning engine: every window of a stream of sequence, on one or both strands, against integer thresholds."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Alphabet, Codes
from motifcnn.formats.fasta import FastaChunk
from motifcnn.scanning.distribution import IntegerMotif

_EXCLUDED = -(1 << 25)
"""Score of an ambiguity code: no window of up to 60 positions can make up for one."""
_FIRST_ROOM = 4096

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Hits:
    """Windows at or above their motif's threshold in one stretch of one sequence, sorted by start.

    Args:
        chrom: Name of the sequence.
        starts: First position, counted from 0, shape [hit].
        motifs: Number of the motif.
        reverse: Whether the site reads on the reverse strand.
        scores: Integer scores.
    """

    chrom: str
    starts: npt.NDArray[np.int64]
    motifs: Ints
    reverse: npt.NDArray[np.bool_]
    scores: Ints


@dataclass(frozen=True, eq=False)
class _Reader:
    """One motif on one strand, columns ordered so that hopeless windows are dropped early."""

    motif: int
    reverse: bool
    threshold: int
    columns: npt.NDArray[np.int64]
    table: Ints
    needed: Ints


class Scanner:
    """Motifs made ready to scan.

    Args:
        motifs: Integer motifs.
        thresholds: Least score of a hit for each; None leaves the motif out.
        alphabet: Of motifs and sequences.
        both_strands: Whether to read the reverse strand too.
        threads: Processor threads.
    """

    def __init__(
        self,
        motifs: Sequence[IntegerMotif],
        thresholds: Sequence[int | None],
        alphabet: Alphabet,
        *,
        both_strands: bool,
        threads: int = 1,
    ):
        self.longest = max(motif.width for motif in motifs)
        self.threads = threads
        self._widths = np.array([motif.width for motif in motifs], dtype=np.int64)
        self._readers = []
        for number, (motif, threshold) in enumerate(zip(motifs, thresholds, strict=True)):
            if threshold is None:
                continue
            self._readers.append(_reader(number, False, motif.scores, threshold, alphabet))
            if both_strands:
                assert alphabet.complement_codes is not None
                scores = motif.reverse_complement(alphabet.complement_codes)
                self._readers.append(_reader(number, True, scores, threshold, alphabet))

    @property
    def overlap(self) -> int:
        """Letters that consecutive chunks of a sequence must share."""
        return self.longest - 1

    def scan(self, chunks: Iterable[FastaChunk]) -> Iterator[Hits]:
        """Scan chunks that overlap by `overlap`; each window belongs to the chunk in which it starts first."""
        with ThreadPoolExecutor(self.threads) as pool:
            for chunk in chunks:
                end = len(chunk.codes) if chunk.last else len(chunk.codes) - self.overlap
                parts = pool.map(lambda reader, c=chunk.codes, e=end: _find(reader, c, e), self._readers)
                yield self._sorted(chunk, list(parts))

    def _sorted(self, chunk: FastaChunk, parts: list[tuple[Ints, Ints]]) -> Hits:
        sizes = [len(starts) for starts, _ in parts]
        starts = np.concatenate([part[0] for part in parts]) if parts else np.empty(0, dtype=np.int32)
        scores = np.concatenate([part[1] for part in parts]) if parts else np.empty(0, dtype=np.int32)
        motifs = np.repeat(np.array([r.motif for r in self._readers], dtype=np.int32), sizes)
        reverse = np.repeat(np.array([r.reverse for r in self._readers], dtype=np.bool_), sizes)
        order = np.lexsort((reverse, motifs, starts))
        return Hits(
            chunk.name, starts[order].astype(np.int64) + chunk.start, motifs[order], reverse[order], scores[order]
        )


def _reader(number: int, reverse: bool, scores: Ints, threshold: int, alphabet: Alphabet) -> _Reader:
    table = np.full((len(scores), len(alphabet.symbols)), _EXCLUDED, dtype=np.int32)
    table[:, : alphabet.size] = scores
    spread = scores.max(axis=1).astype(np.int64) - scores.astype(np.float64).mean(axis=1)
    columns = np.argsort(-spread, kind="stable").astype(np.int64)
    best_left = np.append(np.cumsum(scores.max(axis=1)[columns][::-1])[::-1][1:], 0)
    return _Reader(
        number,
        reverse,
        threshold,
        columns,
        np.ascontiguousarray(table[columns]),
        (threshold - best_left).astype(np.int32),
    )


def _find(reader: _Reader, codes: Codes, end: int) -> tuple[Ints, Ints]:
    room = _FIRST_ROOM
    while True:
        starts, scores = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32)
        found = _scan(
            codes,
            min(end, len(codes) - len(reader.columns) + 1),
            reader.columns,
            reader.table,
            reader.needed,
            starts,
            scores,
        )
        if found <= room:
            return starts[:found], scores[:found]
        room = found


@numba.njit(cache=True, nogil=True)
def _scan(codes, windows, columns, table, needed, starts, scores):  # type: ignore[no-untyped-def] # pragma: no cover
    found = 0
    width = len(columns)
    for start in range(windows):
        total = 0
        alive = True
        for step in range(width):
            total += table[step, codes[start + columns[step]]]
            if total < needed[step]:
                alive = False
                break
        if alive:
            if found < len(starts):
                starts[found] = start
                scores[found] = total
            found += 1
    return found
