"""What pairs of motifs do together, in words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from motifcnn.report.run_files import Row, number
from motifcnn.report.tables import MISSING, count, decimal, plural, probability

_KINDS = {
    "redundant": "redundant: either makes up for the other",
    "synergistic": "synergistic: each needs the other",
    "independent": "independent",
}


@dataclass(frozen=True)
class PairRow:
    """A row of the table of pairs.

    Args:
        first: Name of the better motif.
        second: Name of the other; the same where two sites of one motif are looked at.
        losses: Held-out score lost without the first, the second, and both.
        excess: Loss of both less the two losses, with its standard error.
        kind: What that means.
        sequences: Positives with a site of both.
        spacing: Letters between the sites and how often, in words.
        spacing_e_value: Of the spacing.
        order_e_value: Of order and orientation, whatever the distance.
        spaced: Whether the spacing is significant.
        ordered: Whether order and orientation are.
    """

    first: str
    second: str
    losses: tuple[str, str, str]
    excess: str
    kind: str
    sequences: str
    spacing: str
    spacing_e_value: str
    order_e_value: str
    spaced: bool
    ordered: bool


def pair_rows(rows: Sequence[Row], e_threshold: float) -> list[PairRow]:
    """Return the rows of the table of pairs, in the order of the file.

    A motif with itself has a row where enough sequences hold two sites of it.

    Args:
        rows: Of pairs.tsv.
        e_threshold: Largest E-value of what is called significant.
    """
    return [_pair_row(row, e_threshold) for row in rows if not _says_nothing(row)]


def why_no_pairs(rows: Sequence[Row]) -> str:
    """Say why the table of pairs is empty.

    Args:
        rows: Of pairs.tsv: none, or that of one motif with itself.
    """
    if not rows:
        return "Pairs are looked at where motifs are significant."
    name = rows[0].get("motif_a", "")
    return (
        f"{name} has no partner: it is the only significant motif that is more than composition, and too few "
        "positives hold two sites of it to tell their spacing."
    )


def pair_sentences(rows: Sequence[PairRow]) -> list[str]:
    """Return sentences on each pair that keeps a spacing or an order, or acts together."""
    said = []
    for row in rows:
        names = f"Two sites of {row.first}" if row.first == row.second else f"{row.first} and {row.second}"
        if row.spaced:
            said.append(f"{names} keep a spacing: {row.spacing} (E\u00a0=\u00a0{row.spacing_e_value}).")
        if row.ordered:
            said.append(
                f"{names} keep an order or orientation, whatever the distance (E\u00a0=\u00a0{row.order_e_value})."
            )
        if row.kind.startswith(("redundant", "synergistic")):
            said.append(f"{names} are {row.kind}.")
    return said


def _says_nothing(row: Row) -> bool:
    tested = (number(row.get(column, "")) for column in ("spacing_e_value", "order_e_value"))
    return row.get("motif_a") == row.get("motif_b") and all(map(math.isnan, tested))


def _pair_row(row: Row, e_threshold: float) -> PairRow:
    loss_a, loss_b, loss_both = (decimal(number(row.get(f"loss_{which}", ""))) for which in ("a", "b", "both"))
    spacing_e, order_e = number(row.get("spacing_e_value", "")), number(row.get("order_e_value", ""))
    excess, error = number(row.get("interaction", "")), number(row.get("standard_error", ""))
    return PairRow(
        row.get("motif_a", ""),
        row.get("motif_b", ""),
        (loss_a, loss_b, loss_both),
        f"{decimal(excess)} ± {decimal(error)}",
        _KINDS.get(row.get("kind", ""), MISSING),
        count(number(row.get("sequences", ""))),
        _spacing(row),
        probability(spacing_e),
        probability(order_e),
        spacing_e <= e_threshold,
        order_e <= e_threshold,
    )


def _spacing(row: Row) -> str:
    between, tolerance = number(row.get("letters_between", "")), number(row.get("tolerance", ""))
    if not between >= 0:
        return MISSING
    letters = plural(int(between), "letter")
    if tolerance > 1:
        letters = f"{int(between)} to {int(between + tolerance - 1)} letters"
    side, strand = row.get("side", ""), row.get("strand", "")
    one, other = row.get("motif_a", ""), row.get("motif_b", "")
    where = f"{other} {side} of {one}, {strand} strand"
    if one == other:
        where = f"the weaker {side} of the stronger, {strand} strand"
    found, expected = count(number(row.get("found", ""))), decimal(number(row.get("expected", "")), 1)
    return f"{letters} between, {where}: in {found} of {count(number(row.get('sequences', '')))}, {expected} expected"
