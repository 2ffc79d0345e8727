"""The report's section on letters at fixed positions."""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from motifcnn.drawing.logos import inline_svg
from motifcnn.errors import MotifcnnError
from motifcnn.report.run_files import RunFiles, number
from motifcnn.report.tables import MISSING, decimal, probability

Cells = tuple[str, ...]

_MOST_NAMED: Final = 4
"""Positions named in the sentence."""


@dataclass(frozen=True)
class PositionView:
    """One target.

    Args:
        target: Its name.
        logo: The logo's SVG element; empty where there is none.
        sentence: The positions that count most.
        rows: Position, letters, bits, AUROC, p and E of each position that is significant.
    """

    target: str
    logo: Markup
    sentence: str
    rows: tuple[Cells, ...]


def position_views(files: RunFiles, e_threshold: float) -> list[PositionView]:
    """Return the targets of positions.tsv; none where the run has no such file."""
    views = []
    for index, target in enumerate(dict.fromkeys(row.get("target", "") for row in files.positions.rows)):
        rows = files.positions.where("target", target).rows
        significant = [row for row in rows if number(row.get("e_value", "")) <= e_threshold]
        ranked = sorted(significant, key=lambda row: number(row.get("p_value", "")))
        told = [row for row in ranked[:_MOST_NAMED] if row["letters"] != "NA"]
        named = [f"{row['position']} ({row['letters'].replace(',', ', ')})" for row in told]
        sentence = f"Positions that tell most: {', '.join(named)}." if named else ""
        cells = tuple(
            (
                row["position"],
                MISSING if row["letters"] == "NA" else row["letters"].replace(",", ""),
                decimal(number(row["information_bits"]), 2),
                decimal(number(row["test_auroc"])),
                probability(number(row["p_value"])),
                probability(number(row["e_value"])),
            )
            for row in significant
        )
        views.append(PositionView(target, _logo(files, index, target), sentence, cells))
    return views


def _logo(files: RunFiles, index: int, target: str) -> Markup:
    try:
        return Markup(inline_svg(files.position_logos[index], f"p{index}-", f"Letters at each position for {target}"))
    except (IndexError, MotifcnnError):
        return Markup()
