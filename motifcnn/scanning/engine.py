"""The scanning engine: every window of a stream of sequence, on one or both strands, against integer thresholds."""

import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Alphabet, Codes
from motifcnn.errors import MotifcnnError
from motifcnn.formats.fasta import FastaChunk
from motifcnn.scanning.bundles import Bundle, bundled
from motifcnn.scanning.distribution import IntegerMotif
from motifcnn.scanning.machine_code import compiled_code
from motifcnn.scanning.plain import PlainEngine
from motifcnn.scanning.vector import VectorEngine

if TYPE_CHECKING:
    from motifcnn.scanning.gpu import GpuEngine

_LOGGER = logging.getLogger(__name__)
_SHARE = 1 << 20
"""Most windows that a thread takes at a time."""
_LEAST_SHARE = 1 << 12
_CHUNK = 1 << 22
"""Most letters that are read at a time."""
_HITS = 1 << 18
"""Hits that are held at a time, about: some 10 MB, and as much again while they are sorted and written."""
_HITS_OF_GPU = 1 << 20
"""The same for a GPU, which short stretches of sequence would not keep busy."""
_TRIED = 32
"""Motif strands whose best words a GPU must find before it is trusted."""
_NOTICED = 1.0
"""Seconds after which a user wonders."""

Ints = npt.NDArray[np.int32]
_Found = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Ints]
"""Starts, numbers of the motif strands, scores."""
_NOTHING: _Found = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32))


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

    def __getitem__(self, which: slice) -> "Hits":
        """Return some of them."""
        return Hits(self.chrom, self.starts[which], self.motifs[which], self.reverse[which], self.scores[which])


class _Engine(Protocol):
    """Finds the hits of motif strands, sorted by start and then by strand."""

    def find(self, codes: Codes, begin: int, end: int) -> _Found: ...


class Scanner:
    """Motifs made ready to scan.

    Args:
        motifs: Integer motifs.
        thresholds: Least score of a hit for each; None leaves the motif out.
        alphabet: Of motifs and sequences.
        both_strands: Whether to read the reverse strand too.
        threads: Processor threads.
        device: "cpu", or a CUDA device such as "cuda:0".

    Attributes:
        chunk: Letters to read at a time so that hits do not fill the memory, however many motifs there are.

    Raises:
        MotifcnnError: The device fails.
    """

    def __init__(
        self,
        motifs: Sequence[IntegerMotif],
        thresholds: Sequence[int | None],
        alphabet: Alphabet,
        *,
        both_strands: bool,
        threads: int = 1,
        device: str = "cpu",
    ):
        self._unknown = alphabet.unknown
        self.longest = max(motif.width for motif in motifs)
        self.threads = threads
        hits = _HITS if device == "cpu" else _HITS_OF_GPU
        self.chunk = max(_letters(motifs, thresholds, both_strands, hits), 2 * self.longest)
        self._ahead = 1
        self._share = min(_SHARE, max(self.chunk // threads, _LEAST_SHARE))
        strands: list[tuple[int, bool, Ints, int]] = []
        for number, (motif, threshold) in enumerate(zip(motifs, thresholds, strict=True)):
            if threshold is None:
                continue
            strands.append((number, False, motif.scores, threshold))
            if both_strands:
                assert alphabet.complement_codes is not None
                strands.append((number, True, motif.reverse_complement(alphabet.complement_codes), threshold))
        self._motifs = np.array([strand[0] for strand in strands], dtype=np.int32)
        self._reverse = np.array([strand[1] for strand in strands], dtype=np.bool_)
        scores, least = [strand[2] for strand in strands], [strand[3] for strand in strands]
        self._engine: _Engine | None
        if device != "cpu" and strands:
            self._engine = gpu = _gpu_engine(scores, least, device)
            self._share, self._ahead, self.threads = gpu.share, gpu.workers, max(threads, gpu.workers)
        else:
            self._engine = _engine(scores, least)

    @property
    def overlap(self) -> int:
        """Letters that consecutive chunks of a sequence must share."""
        return self.longest - 1

    def scan(self, chunks: Iterable[FastaChunk]) -> Iterator[Hits]:
        """Scan chunks that overlap by `overlap`; each window belongs to the chunk in which it starts first."""
        with ThreadPoolExecutor(self.threads) as pool:
            waiting: deque[tuple[Bundle, list[Future[_Found]]]] = deque()
            for bundle in bundled(chunks, self._unknown, self.chunk):
                waiting.append((bundle, self._begin(bundle, pool)))
                if len(waiting) > self._ahead:  # the next one is read and begun before this one is waited for
                    yield from self._hits(*waiting.popleft())
            while waiting:
                yield from self._hits(*waiting.popleft())

    def _begin(self, bundle: Bundle, pool: ThreadPoolExecutor) -> "list[Future[_Found]]":
        if self._engine is None:
            return []
        end = len(bundle.codes) if bundle.last else len(bundle.codes) - self.overlap
        begins = range(0, end, self._share)
        return [pool.submit(self._engine.find, bundle.codes, at, min(at + self._share, end)) for at in begins]

    def _hits(self, bundle: Bundle, shares: "list[Future[_Found]]") -> Iterator[Hits]:
        parts = [share.result() for share in shares] or [_NOTHING]
        starts, strands, scores = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        for chunk, own, begin in bundle.owners(starts):
            here = strands[own]
            places = starts[own] + (chunk.start - begin)
            yield Hits(chunk.name, places, self._motifs[here], self._reverse[here], scores[own])


def _letters(motifs: Sequence[IntegerMotif], thresholds: Sequence[int | None], both_strands: bool, hits: int) -> int:
    """Return how many letters have about so many hits by chance."""
    asked = [(motif, threshold) for motif, threshold in zip(motifs, thresholds, strict=True) if threshold is not None]
    rate = sum(float(motif.p_values(np.array([least], dtype=np.int32))[0]) for motif, least in asked)
    return int(min(_CHUNK, hits / max((1 + both_strands) * rate, 1e-9)))


def _gpu_engine(scores: Sequence[Ints], thresholds: Sequence[int], device: str) -> "GpuEngine":
    """Make ready to scan on a CUDA device, and see that it finds what the processor finds."""
    from motifcnn.scanning.gpu import GpuEngine

    began = time.perf_counter()
    # the best words of some strands, an unknown letter after each; an odd step meets strands of both kinds
    chosen = scores[:: -(-len(scores) // _TRIED) | 1]
    letters = [np.append(table.argmax(axis=1), table.shape[1]) for table in chosen]
    codes = np.concatenate(letters).astype(np.uint8)
    try:
        engine = GpuEngine(scores, thresholds, device)
        found: Sequence[npt.NDArray[Any]] = engine.find(codes, 0, len(codes))
        expected: Sequence[npt.NDArray[Any]] = PlainEngine(scores, thresholds).find(codes, 0, len(codes))
        if not all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True)):
            raise RuntimeError("its hits are not the processor's")
    except Exception as error:  # whatever a driver or a foreign compiler comes up with
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise MotifcnnError(f"scanning on {device} failed ({reason}); use --device cpu") from error
    if (seconds := time.perf_counter() - began) > _NOTICED:
        _LOGGER.info("made %s ready in %.1f s", device, seconds)
    return engine


def _engine(scores: Sequence[Ints], thresholds: Sequence[int]) -> _Engine | None:
    """Choose vector code, or NumPy where that cannot be compiled; None without a motif."""
    if not scores:
        return None
    code = compiled_code()
    return PlainEngine(scores, thresholds) if code is None else VectorEngine(scores, thresholds, code)
