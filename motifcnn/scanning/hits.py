"""Hits as text: BED6+, narrowPeak, GFF3 and TSV, formatted in bulk.

All that follows the end of a hit depends on its motif and integer score alone, so it is made once for each score
that occurs; a compiled loop puts names, positions and these ends of lines together.
"""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numba
import numpy as np
import numpy.typing as npt

from motifcnn.scanning.distribution import UNITS_PER_BIT, IntegerMotif
from motifcnn.scanning.engine import Hits

Format = Literal["bed", "narrowpeak", "gff3", "tsv"]

_MOST_KEPT: Final = 1 << 26
"""Bytes of ends of lines that are kept for later hits."""
_LONGEST_NUMBER: Final = 20
LEAST_P: Final = 1e-300
"""What smaller p-values count as where their logarithm is written."""
LARGEST_BED_SCORE: Final = 1000


@dataclass(frozen=True, eq=False)
class HitFormatter:
    """Turn hits into lines of one format.

    Args:
        motifs: The motifs scanned with.
        format: Which format.
        double_stranded: Whether strands are told apart; "." stands for none.
        with_q: Whether a q-value column follows.
    """

    motifs: Sequence[IntegerMotif]
    format: Format
    double_stranded: bool
    with_q: bool = False
    _ends: "_LineEnds" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ends", _LineEnds(self.motifs, self.format, "+" if self.double_stranded else "."))

    def header(self) -> str:
        """Return the lines before the first hit."""
        if self.format == "gff3":
            return "##gff-version 3\n"
        if self.format == "tsv":
            q = "\tq_value" if self.with_q else ""
            return f"chrom\tstart\tend\tmotif\tscore\tstrand\tlog_odds\tp_value{q}\n"
        return ""

    def lines(self, hits: Hits, q_values: npt.NDArray[np.float64] | None = None) -> str:
        """Return one line a hit.

        Args:
            hits: The hits.
            q_values: The q-value of each; the same wherever motif and score are.
        """
        if not len(hits.starts):
            return ""
        which = self._ends.of(hits, q_values)
        begins, text = np.frombuffer(self._ends.begins, dtype=np.int64), np.frombuffer(self._ends.text, dtype=np.uint8)
        marks = np.frombuffer(self._ends.marks, dtype=np.int64)
        gff3 = self.format == "gff3"
        kind = "nucleotide_motif" if self.double_stranded else "sequence_motif"
        beginning = (f"{hits.chrom}\tmotifcnn\t{kind}\t" if gff3 else f"{hits.chrom}\t").encode()
        room = len(which) * (len(beginning) + 2 * _LONGEST_NUMBER) + int((begins[which + 1] - begins[which]).sum())
        lines = np.empty(room, dtype=np.uint8)
        widths = np.array([motif.width for motif in self.motifs], dtype=np.int64)[hits.motifs]
        reverse = hits.reverse & self.double_stranded
        used = _write(
            np.frombuffer(beginning, dtype=np.uint8), hits.starts, widths, int(gff3), which, begins, text, marks,
            reverse, lines,
        )  # fmt: skip
        return lines[:used].tobytes().decode()


class _LineEnds:
    """What follows the end of a hit, for each motif and score met so far.

    Args:
        motifs: The motifs scanned with.
        format: Which format.
        strand: What stands for a strand; "-" is put over it on the other one.
    """

    def __init__(self, motifs: Sequence[IntegerMotif], format: Format, strand: str):
        self._motifs, self._format, self._strand = motifs, format, strand
        sizes = np.array([len(motif.survival) for motif in motifs], dtype=np.int64)
        self._bases = np.cumsum(sizes) - sizes
        self._lowest = np.array([motif.lowest for motif in motifs], dtype=np.int64)
        self._greatest = sizes - 1
        self._places = np.full(int(sizes.sum()), -1, dtype=np.int32)
        self._clear()

    def _clear(self) -> None:
        self.text, self.begins, self.marks = bytearray(), array("q", [0]), array("q")
        self._places.fill(-1)

    def of(self, hits: Hits, q_values: npt.NDArray[np.float64] | None) -> npt.NDArray[np.int32]:
        """Return the place of each hit's end of line in `begins`, making those that are new."""
        if len(self.text) > _MOST_KEPT:
            self._clear()
        steps = np.clip(hits.scores - self._lowest[hits.motifs], 0, self._greatest[hits.motifs])
        keys = self._bases[hits.motifs] + steps
        new = np.flatnonzero(self._places[keys] < 0)
        _, first = np.unique(keys[new], return_index=True)
        new = new[first]
        self._places[keys[new]] = np.arange(len(self.marks), len(self.marks) + len(new))
        q = [None] * len(new) if q_values is None else q_values[new].tolist()
        columns = hits.motifs[new].tolist(), steps[new].tolist(), hits.scores[new].tolist(), q
        for number, step, score, q_value in zip(*columns, strict=True):
            motif = self._motifs[number]
            before, after = self._around_strand(motif, score, float(motif.survival[step]), q_value)
            self.marks.append(len(before.encode()))
            self.text += f"{before}{self._strand}{after}\n".encode()
            self.begins.append(len(self.text))
        return np.asarray(self._places[keys])

    def _around_strand(self, motif: IntegerMotif, score: int, p: float, q: float | None) -> tuple[str, str]:
        tenth = 0.0 - 10 * math.log10(max(p, LEAST_P))
        odds = f"{score / UNITS_PER_BIT:.3f}"
        if self._format == "gff3":
            extra = "" if q is None else f";q_value={q:.3g}"
            return f"\t{tenth:.3f}\t", f"\t.\tName={motif.name};log_odds={odds};p_value={p:.3g}{extra}"
        before = f"\t{motif.name}\t{min(round(tenth), LARGEST_BED_SCORE)}\t"
        if self._format == "narrowpeak":
            log_p = 0.0 - math.log10(max(p, LEAST_P))
            log_q = "-1" if q is None else f"{0.0 - math.log10(max(q, LEAST_P)):.3f}"
            return before, f"\t{odds}\t{log_p:.3f}\t{log_q}\t{motif.width // 2}"
        return before, f"\t{odds}\t{p:.3g}" + ("" if q is None else f"\t{q:.3g}")


@numba.njit(cache=True, nogil=True)
def _digits(number, text, place):  # type: ignore[no-untyped-def] # pragma: no cover
    """Write a number that is not negative; return the place after it."""
    count, rest = 1, number // 10
    while rest:
        count, rest = count + 1, rest // 10
    for at in range(place + count - 1, place - 1, -1):
        text[at] = 48 + number % 10
        number //= 10
    return place + count


@numba.njit(cache=True, nogil=True)
def _write(beginning, starts, widths, first, which, begins, text, marks, reverse, lines):  # type: ignore[no-untyped-def] # pragma: no cover
    """Write all lines; return their length. The first position is counted from `first`."""
    place = 0
    for hit in range(len(starts)):
        for byte in beginning:
            lines[place] = byte
            place += 1
        place = _digits(starts[hit] + first, lines, place)
        lines[place] = 9  # a tab
        place = _digits(starts[hit] + widths[hit], lines, place + 1)
        end = which[hit]
        if reverse[hit]:
            mark = place + marks[end]
        for at in range(begins[end], begins[end + 1]):
            lines[place] = text[at]
            place += 1
        if reverse[hit]:
            lines[mark] = 45  # "-"
    return place
