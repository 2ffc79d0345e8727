"""Hits as text: BED6+, narrowPeak, GFF3 and TSV, formatted in bulk.

What p-value, score and log-odds a hit has depends on its motif and integer score alone, so these numbers are rounded
once for each motif and score that a hit can have.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import PROTEIN
from motifcnn.scanning.distribution import UNITS_PER_BIT, IntegerMotif
from motifcnn.scanning.engine import Hits
from motifcnn.scanning.layout import GENERAL, INTEGER, TEXT, THOUSANDTHS
from motifcnn.scanning.lines import Column, Wholes, general, lines, literal
from motifcnn.scanning.machine_code import compiled_code

Format = Literal["bed", "narrowpeak", "gff3", "tsv"]

_TOGETHER: Final = 1 << 15
"""Hits that are formatted at a time: what stands in between then stays in the caches."""
LEAST_P: Final = 1e-300
"""What smaller p-values count as where their logarithm is written."""
LARGEST_BED_SCORE: Final = 1000


RESIDUES: Final = ("first_residue", "last_residue")
"""Columns that number a hit's residues from 1, as databases of proteins do."""


def has_residues(motifs: Sequence[IntegerMotif]) -> bool:
    """Whether tables end with `RESIDUES`: those of proteins do."""
    return bool(motifs[0].scores.shape[1] == PROTEIN.size)


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
    _numbers: "_Numbers" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_numbers", _Numbers.of(self.motifs, 10 if self.format == "gff3" else 1))

    def header(self) -> str:
        """Return the lines before the first hit."""
        if self.format == "gff3":
            return "##gff-version 3\n"
        if self.format == "tsv":
            q = "\tq_value" if self.with_q else ""
            residues = "".join(f"\t{name}" for name in RESIDUES) if has_residues(self.motifs) else ""
            return f"chrom\tstart\tend\tmotif\tscore\tstrand\tlog_odds\tp_value{q}{residues}\n"
        return ""

    def lines(self, hits: Hits, q_values: npt.NDArray[np.float64] | None = None) -> Iterator[bytes]:
        """Give one line a hit, many of them at a time.

        Args:
            hits: The hits.
            q_values: The q-value of each.
        """
        make = {"gff3": self._gff3, "narrowpeak": self._narrowpeak}.get(self.format, self._bed)
        for begin in range(0, len(hits.starts), _TOGETHER):
            some = hits[begin : begin + _TOGETHER]
            q = None if q_values is None else q_values[begin : begin + _TOGETHER]
            yield lines([*make(some, q), literal("\n")], len(some.starts), compiled_code())

    def _bed(self, hits: Hits, q: npt.NDArray[np.float64] | None) -> list[Column]:
        numbers, which = self._numbers, self._numbers.places(hits)
        columns = [
            *self._bed5(hits, which), literal("\t"), self._odds(hits), literal("\t"),
            Column(GENERAL, numbers.p_values[which]),
        ]  # fmt: skip
        columns = columns if q is None else [*columns, literal("\t"), Column(GENERAL, general(q))]
        if self.format != "tsv" or not has_residues(self.motifs):
            return columns
        return [*columns, literal("\t"), Column(INTEGER, hits.starts + 1), literal("\t"), self._end(hits)]

    def _narrowpeak(self, hits: Hits, q: npt.NDArray[np.float64] | None) -> list[Column]:
        numbers, which = self._numbers, self._numbers.places(hits)
        log_q = literal("-1") if q is None else Column(THOUSANDTHS, _thousandths(_minus_log10(q)))
        return [
            *self._bed5(hits, which), literal("\t"), self._odds(hits), literal("\t"),
            Column(THOUSANDTHS, numbers.log_p[which]), literal("\t"), log_q, literal("\t"),
            Column(INTEGER, numbers.widths[hits.motifs] // 2),
        ]  # fmt: skip

    def _bed5(self, hits: Hits, which: Wholes) -> list[Column]:
        """Return all up to the strand."""
        return [
            literal(f"{hits.chrom}\t"), Column(INTEGER, hits.starts), literal("\t"), self._end(hits), literal("\t"),
            self._name(hits), literal("\t"), Column(INTEGER, self._numbers.scores[which]), literal("\t"),
            self._strand(hits),
        ]  # fmt: skip

    def _gff3(self, hits: Hits, q: npt.NDArray[np.float64] | None) -> list[Column]:
        numbers, which = self._numbers, self._numbers.places(hits)
        kind = "nucleotide_motif" if self.double_stranded else "sequence_motif"
        columns = [
            literal(f"{hits.chrom}\tmotifcnn\t{kind}\t"), Column(INTEGER, hits.starts + 1), literal("\t"),
            self._end(hits), literal("\t"), Column(THOUSANDTHS, numbers.log_p[which]), literal("\t"),
            self._strand(hits), literal("\t.\tName="), self._name(hits), literal(";log_odds="), self._odds(hits),
            literal(";p_value="), Column(GENERAL, numbers.p_values[which]),
        ]  # fmt: skip
        return columns if q is None else [*columns, literal(";q_value="), Column(GENERAL, general(q))]

    def _end(self, hits: Hits) -> Column:
        return Column(INTEGER, hits.starts + self._numbers.widths[hits.motifs])

    def _name(self, hits: Hits) -> Column:
        return Column(TEXT, hits.motifs, self._numbers.names)

    def _strand(self, hits: Hits) -> Column:
        if not self.double_stranded:
            return literal(".")
        return Column(TEXT, hits.reverse.astype(np.int64), [b"+", b"-"])

    def _odds(self, hits: Hits) -> Column:
        return Column(THOUSANDTHS, hits.scores.astype(np.int64) * (1000 // UNITS_PER_BIT))


@dataclass(frozen=True, eq=False)
class _Numbers:
    """What follows from motif and score.

    Args:
        names: Of the motifs.
        widths: Of the motifs.
        bases: Place of a score of 0 of each motif in what follows.
        p_values: Digits and exponents of p-values, all motifs one after another.
        scores: BED's score of the same.
        log_p: Thousandths of -log10 of the same, or of ten times that.
    """

    names: list[bytes]
    widths: Wholes
    bases: Wholes
    p_values: npt.NDArray[np.int32]
    scores: npt.NDArray[np.int16]
    log_p: npt.NDArray[np.int32]

    @classmethod
    def of(cls, motifs: Sequence[IntegerMotif], scale: int) -> "_Numbers":
        sizes = np.array([len(motif.survival) for motif in motifs], dtype=np.int64)
        lowest = np.array([motif.lowest for motif in motifs], dtype=np.int64)
        return cls(
            [motif.name.encode() for motif in motifs],
            np.array([motif.width for motif in motifs], dtype=np.int64),
            np.cumsum(sizes) - sizes - lowest,
            np.concatenate([general(motif.survival).astype(np.int32) for motif in motifs]),
            np.concatenate([_bed_scores(motif.survival) for motif in motifs]),
            np.concatenate([_thousandths(scale * _minus_log10(motif.survival)).astype(np.int32) for motif in motifs]),
        )

    def places(self, hits: Hits) -> Wholes:
        return np.asarray(self.bases[hits.motifs] + hits.scores)


def _minus_log10(chances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(0.0 - np.log10(np.maximum(chances, LEAST_P)))


def _bed_scores(chances: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    return np.minimum(np.rint(10 * _minus_log10(chances)), LARGEST_BED_SCORE).astype(np.int16)


def _thousandths(numbers: npt.NDArray[np.float64]) -> Wholes:
    return np.rint(1000 * numbers).astype(np.int64)
