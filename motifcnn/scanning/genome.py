"""Scan a genome file with motifs: background, thresholds, stream, hits in order."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from motifcnn.alphabet import ALPHABETS, RNA, Alphabet
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.fasta import FastaChunk, pieces, stream_fasta
from motifcnn.formats.files import shown
from motifcnn.motifs import Motif
from motifcnn.ranks import ALONE, Ranks
from motifcnn.scanning.background import background_of
from motifcnn.scanning.conserved import TrackScorer, require_room
from motifcnn.scanning.distribution import UNITS_PER_BIT, IntegerMotif
from motifcnn.scanning.division import scan_divided
from motifcnn.scanning.engine import Scanner
from motifcnn.scanning.parquet import require_pyarrow
from motifcnn.scanning.q_values import ScoreHistogram, counted
from motifcnn.scanning.writing import hit_writer
from motifcnn.settings import ScanSettings

_LOGGER = logging.getLogger(__name__)
_MOST_NAMED = 5
"""Motifs that a message names."""


@dataclass(frozen=True)
class ScanSummary:
    """What a scan found.

    Args:
        hits: Number of hits of each motif, in order.
        letters: Letters read.
    """

    hits: tuple[int, ...]
    letters: int


def scan_genome(
    path: Path,
    motifs: Sequence[Motif],
    settings: ScanSettings,
    out: BinaryIO,
    threads: int = 1,
    device: str = "cpu",
    ranks: Ranks = ALONE,
    conservation: Path | None = None,
) -> ScanSummary:
    """Write every occurrence of the motifs in a FASTA file.

    Args:
        path: FASTA, plain, gzip or bgzip, or "-".
        motifs: All of one alphabet.
        settings: Threshold, background, strands, format.
        out: Where hits are written, sorted by sequence and start.
        threads: Processor threads.
        device: "cpu", or a CUDA device such as "cuda:0".
        ranks: Processes that share the work. All but the first write no hits, and count none.
        conservation: Track whose mean, and combined score, follow each hit (see `scanning.conserved`).

    Raises:
        MotifcnnError: A motif, the genome or the track is at fault.
    """
    ranks.check_readable(path)
    if conservation is not None:
        require_room(settings.format)
    if settings.format == "parquet":
        require_pyarrow()
    alphabet = _one_alphabet(motifs)
    both = scans_both_strands(alphabet, settings)
    if settings.strands == "auto" and alphabet is RNA:
        _LOGGER.info(
            "motifs of RNA are looked for on the given strand only; in DNA, --strands both scans the other, too"
        )
    background = background_of(path, alphabet, settings, both)
    ready, thresholds, complete = [], [], []
    for motif in motifs:
        whole = IntegerMotif.from_log_odds(motif.log_odds(background.of(motif)), background.chain)
        thresholds.append(whole.threshold(settings.p_value))
        complete += [whole] if conservation is not None else []
        ready.append(whole.tail(whole.highest if thresholds[-1] is None else thresholds[-1]))
    _say_thresholds(ready, thresholds, settings.p_value)
    if all(threshold is None for threshold in thresholds):
        raise MotifcnnError(f"no motif can reach p ≤ {settings.p_value:g}; give a larger --p-value")
    scanner = Scanner(ready, thresholds, alphabet, both_strands=both, threads=threads, device=device)
    scorer = None
    if conservation is not None and ranks.is_first:
        scorer = TrackScorer(conservation, complete, _record_names(path))
    writer = hit_writer(out, ready, settings.format, double_stranded=both, with_q=settings.q_values, scorer=scorer)
    counts = np.zeros(len(ready), dtype=np.int64)
    tally = _Tally(ready, alphabet, settings.q_values and ranks.is_first)
    # shares end where chunks do, and those of a process with a GPU would be longer than those of one without
    chunk = int(ranks.hand_out(b"%d" % scanner.chunk))
    chunks = stream_fasta(path, alphabet, chunk=chunk, overlap=scanner.overlap, softmask=settings.softmask)
    found = scan_divided(scanner, tally.counted(chunks), ranks)
    if settings.q_values:
        histogram = ScoreHistogram(ready, thresholds)
        with counted(found, histogram) as waiting:
            for hits, q_values in histogram.q_values(waiting, tally.windows * (1 + both)):
                writer.write(hits, q_values)
        counts += histogram.of_motifs()
    else:
        for hits in found:
            writer.write(hits)
            counts += np.bincount(hits.motifs, minlength=len(ready))
    writer.close()
    if ranks.is_first:
        _say_too_wide(ready, tally.longest)
    return ScanSummary(tuple(counts.tolist()), tally.letters)


def scans_both_strands(alphabet: Alphabet, settings: ScanSettings) -> bool:
    """Say whether both strands are scanned.

    Raises:
        MotifcnnError: Both are asked for and there is one.
    """
    if settings.strands == "both" and alphabet.complement is None:
        raise MotifcnnError(f"{alphabet.name} has one strand only; use --strands single")
    return settings.strands == "both" or (settings.strands == "auto" and alphabet.double_stranded)


def _record_names(path: Path) -> Iterator[str] | None:
    """Give the names of a genome's records; None where it is no file, which can be read once only."""
    if path.is_file():
        return (piece for piece in pieces(path) if isinstance(piece, str))
    _LOGGER.info("%s cannot be read twice: a track of other sequences is refused at the end only", shown(path))
    return None


class _Tally:
    """Counts the letters that pass, all and in one sequence, and each motif's windows without ambiguity codes."""

    def __init__(self, motifs: Sequence[IntegerMotif], alphabet: Alphabet, count_windows: bool):
        self.letters = self.longest = 0
        self.windows = np.zeros(len(motifs), dtype=np.int64)
        self._widths = np.array([motif.width for motif in motifs], dtype=np.int64)
        self._alphabet, self._count_windows = alphabet, count_windows

    def counted(self, chunks: Iterable[FastaChunk]) -> Iterator[FastaChunk]:
        overlap = int(self._widths.max()) - 1
        for chunk in chunks:
            end = len(chunk.codes) - (0 if chunk.last else overlap)
            self.letters += end
            self.longest = max(self.longest, chunk.start + len(chunk.codes))
            if self._count_windows:
                gaps = np.flatnonzero(chunk.codes >= self._alphabet.size)
                firsts = np.append(0, gaps + 1)
                ends = np.append(gaps, len(chunk.codes))
                for width in np.unique(self._widths):
                    windows = np.maximum(np.minimum(ends - width + 1, end) - firsts, 0).sum()
                    self.windows[self._widths == width] += windows
            yield chunk


def _one_alphabet(motifs: Sequence[Motif]) -> Alphabet:
    names = {motif.alphabet.name for motif in motifs}
    if len(names) > 1:
        raise MotifcnnError(f"motifs of {' and '.join(sorted(names))} cannot be scanned together; choose with --motifs")
    return ALPHABETS[names.pop()]


def _say_thresholds(motifs: Sequence[IntegerMotif], thresholds: Sequence[int | None], p_value: float) -> None:
    left_out = [motif for motif, threshold in zip(motifs, thresholds, strict=True) if threshold is None]
    if len(left_out) > _MOST_NAMED:
        names = ", ".join(motif.name for motif in left_out[:_MOST_NAMED])
        best = min(motif.survival[-1] for motif in left_out)
        _LOGGER.warning(
            "%d motifs cannot reach p ≤ %g, their best words having p = %.2g or more; left out: %s, …",
            len(left_out), p_value, best, names,
        )  # fmt: skip
    else:
        for motif in left_out:
            _LOGGER.warning(
                "%s cannot reach p ≤ %g: its best word of %d letters has p = %.2g; left out",
                motif.name, p_value, motif.width, motif.survival[-1],
            )  # fmt: skip
    for motif, threshold in zip(motifs, thresholds, strict=True):
        if threshold is not None:
            _LOGGER.debug("%s: hits from %.2f bits", motif.name, threshold / UNITS_PER_BIT)


def _say_too_wide(motifs: Sequence[IntegerMotif], longest: int) -> None:
    wide = [motif.name for motif in motifs if motif.width > longest]
    if wide:
        _LOGGER.warning(
            "no sequence has room for %s%s: the longest has %d letters",
            ", ".join(wide[:_MOST_NAMED]), ", …" if len(wide) > _MOST_NAMED else "", longest,
        )  # fmt: skip


def choose_motifs(motifs: Sequence[Motif], names: Sequence[str], first: int, path: Path) -> list[Motif]:
    """Choose motifs by name (or second name), or the first few.

    Raises:
        InputError: No motif has a name asked for.
    """
    chosen = list(motifs)
    if names:
        for name in names:
            if all(name not in (motif.name, motif.alternate_name) for motif in motifs):
                known = ", ".join(motif.name for motif in motifs[:5])
                raise InputError(f"has no motif {name!r}; it has {known}{', …' if len(motifs) > 5 else ''}", path)
        chosen = [motif for motif in chosen if motif.name in names or motif.alternate_name in names]
    return [replace(motif) for motif in (chosen[:first] if first else chosen)]
