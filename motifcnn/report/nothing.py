"""Why nothing was found, with the numbers: a report must not end in silence."""

import math
from collections.abc import Sequence

import numpy as np

from motifcnn.report.run_files import Row, RunFiles, number
from motifcnn.report.tables import count, decimal, plural, probability, unit


def why_nothing(files: RunFiles, e_threshold: float, merit: str, score: float) -> list[str]:
    """Return sentences on why no motif is significant; none where one is.

    Args:
        files: Of the run.
        e_threshold: Largest E-value of a motif called significant.
        merit: What the network's score is called.
        score: The network's score on held-out sequences.
    """
    rows = files.motifs.rows
    if any(number(row.get("e_value", "")) <= e_threshold for row in rows):
        return []
    motifs = (files.record.get("settings") or {}).get("motifs") or {}
    said = []
    # the settings may leave the number of filters to the architecture; the first layer's outputs tell it
    filters = number(files.layers.rows[0]["output"].split(" ")[0]) if files.layers.rows else math.nan
    if np.isfinite(filters):
        looked = f"The network has {count(int(filters))} filters"
        needed = motifs.get("min_sites")
        least = f" at {needed} sites or more" if needed else ""
        if rows:
            said.append(f"{looked}; they gave {plural(len(rows), 'motif')} enriched in training positives{least}.")
        else:
            said.append(f"{looked}; none fired more often in training positives than in the others{least}.")
    said += _limit(rows, e_threshold) or _parts(files)
    if np.isfinite(score):
        said.append(
            f"The network itself reaches {merit} {decimal(score, 2)} on held-out {unit(files.metrics)}. Near guessing "
            "there may be nothing to find, or too few sequences to find it; far above, more than single motifs tells "
            "them apart."
        )
    return said


def _parts(files: RunFiles) -> list[str]:
    """How many sequences there were to learn from and to test on."""
    data = files.metrics.get("data") or {}
    splits, said = data.get("splits") or {}, []
    kind = "positive" if unit(files.metrics) == "sequences" else "positive base"
    for target, counts in (data.get("positives") or {}).items():
        positives, of = (counts or {}).get("train"), splits.get("train")
        if isinstance(positives, int) and isinstance(of, int):
            said.append(
                f"{plural(positives, kind)} of {target} among {plural(of, 'training sequence')}, and "
                f"{count(counts.get('test'))} among {count(splits.get('test'))} held out, were there to tell it from."
            )
    return said


def _limit(rows: Sequence[Row], e_threshold: float) -> list[str]:
    """How frequent a motif would have had to be."""
    positives, others = held_out_numbers(rows)
    if not positives or not others:
        return []
    needed = least_found(positives, others, e_threshold / len(rows))
    tested = (
        f"{plural(len(rows), 'motif was', 'motifs were')} tested on {plural(positives, 'positive')} and "
        f"{plural(others, 'other')} held out, so that p\u00a0≤\u00a0{probability(e_threshold / len(rows))} was needed."
    )
    if needed is None:
        return [
            tested,
            "Not even a motif in every positive and in no other sequence reaches that: give more sequences.",
        ]
    return [tested, f"A motif that no other sequence holds reaches that if {count(needed)} of the positives hold it."]


def held_out_numbers(rows: Sequence[Row]) -> tuple[int, int]:
    """Return how many positives and others were held out, as the first motif that tells says; 0 where none does."""
    for row in rows:
        positives, others = number(row.get("positives", "")), number(row.get("negatives", ""))
        if np.isfinite(positives) and np.isfinite(others):
            return int(positives), int(others)
    return 0, 0


def least_found(positives: int, others: int, p_value: float) -> int | None:
    """Return in how many positives a motif must be that no other holds, for Fisher's exact test to reach a p-value.

    Args:
        positives: Number of held-out positives.
        others: Number of other held-out sequences.
        p_value: Largest p-value that counts.

    Returns:
        None where even all positives are too few.
    """
    chance = 1.0
    for found in range(1, positives + 1):
        chance *= (positives - found + 1) / (positives + others - found + 1)
        if chance <= p_value:
            return found
    return None
