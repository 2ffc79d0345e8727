"""Hits as text: BED6+, narrowPeak, GFF3 and TSV, formatted in bulk."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from motifcnn.scanning.distribution import UNITS_PER_BIT, IntegerMotif
from motifcnn.scanning.engine import Hits

Format = Literal["bed", "narrowpeak", "gff3", "tsv"]


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

    def header(self) -> str:
        """Return the lines before the first hit."""
        if self.format == "gff3":
            return "##gff-version 3\n"
        if self.format == "tsv":
            q = "\tq_value" if self.with_q else ""
            return f"chrom\tstart\tend\tmotif\tscore\tstrand\tlog_odds\tp_value{q}\n"
        return ""

    def lines(self, hits: Hits, q_values: npt.NDArray[np.float64] | None = None) -> str:
        """Return one line a hit."""
        if not len(hits.starts):
            return ""
        p = np.empty(len(hits.starts))
        for number in np.unique(hits.motifs):
            chosen = hits.motifs == number
            p[chosen] = self.motifs[number].p_values(hits.scores[chosen])
        widths = np.array([motif.width for motif in self.motifs])
        names = np.array([motif.name for motif in self.motifs], dtype=object)
        strands = np.where(hits.reverse, "-", "+") if self.double_stranded else np.full(len(p), ".")
        columns = {
            "chrom": hits.chrom,
            "start": hits.starts,
            "end": hits.starts + widths[hits.motifs],
            "motif": names[hits.motifs],
            "score": np.clip(np.rint(-10 * np.log10(np.maximum(p, 1e-300))), 0, 1000).astype(np.int64),
            "strand": strands,
            "log_odds": np.char.mod("%.3f", hits.scores / UNITS_PER_BIT),
            "p_value": np.char.mod("%.3g", p),
        }
        if self.with_q and q_values is not None:
            columns["q_value"] = np.char.mod("%.3g", q_values)
        return self._arranged(pd.DataFrame(columns), p, q_values)

    def _arranged(self, table: pd.DataFrame, p: npt.NDArray[np.float64], q: npt.NDArray[np.float64] | None) -> str:
        if self.format == "narrowpeak":
            log_p = np.char.mod("%.3f", 0.0 - np.log10(np.maximum(p, 1e-300)))
            log_q = np.char.mod("%.3f", 0.0 - np.log10(np.maximum(q, 1e-300))) if q is not None else "-1"
            summit = (table["end"] - table["start"]) // 2
            table = table[["chrom", "start", "end", "motif", "score", "strand", "log_odds"]].assign(
                log_p=log_p, log_q=log_q, summit=summit
            )
        elif self.format == "gff3":
            extra = ";q_value=" + table["q_value"] if "q_value" in table else ""
            attributes = "Name=" + table["motif"] + ";log_odds=" + table["log_odds"] + ";p_value=" + table["p_value"]
            table = pd.DataFrame(
                {
                    "chrom": table["chrom"],
                    "source": "motifcnn",
                    "type": "nucleotide_motif" if self.double_stranded else "sequence_motif",
                    "start": table["start"] + 1,
                    "end": table["end"],
                    "score": np.char.mod("%.3f", 0.0 - 10 * np.log10(np.maximum(p, 1e-300))),
                    "strand": table["strand"],
                    "phase": ".",
                    "attributes": attributes + extra,
                }
            )
        return str(table.to_csv(sep="\t", index=False, header=False, lineterminator="\n", quoting=3))
