"""The report's words and figures on further channels: what they add, and how they run along motifs' sites."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from motifcnn.report.column_bars import column_bars
from motifcnn.report.figures import Axis, Line, line_chart, padded_axis
from motifcnn.report.run_files import Row, RunFiles, Table, number
from motifcnn.report.tables import count, decimal, probability

_MOST_SHOWN: Final = 3
"""Channels drawn under a logo; a profile of 20 would bury it."""
_HEIGHT: Final = 150


@dataclass(frozen=True)
class TrackView:
    """A channel along a motif's sites.

    Args:
        drawing: Its mean at each position, as an SVG element.
        remark: What it is; below the motif's logo also whether the sites stand out.
    """

    drawing: Markup
    remark: str


def ablation_sentence(metrics: Mapping[str, Any], names: Sequence[str]) -> str:
    """Say in one sentence what the channels add; empty where this was not measured.

    Args:
        metrics: metrics.json.
        names: The channels.
    """
    ablation = metrics.get("ablation")
    if not ablation:
        return ""
    which = " and ".join(names) if len(names) <= 2 else f"The {len(names)} channels"
    adds = "adds" if len(names) == 1 else "add"
    difference, p_value = _known(ablation, "difference"), _known(ablation, "p_value")
    if math.isnan(difference):
        return f"What {which} {adds} could not be measured on held-out sequences."
    merit = "AUROC" if ablation.get("measure") == "auroc" else "to the correlation"
    p_text = f"p = {probability(p_value)}" if not math.isnan(p_value) else "too few sequences for a p-value"
    method = "" if math.isnan(p_value) else f" ({ablation.get('method')})"
    sign = "+" if difference >= 0 else ""
    both = f"{decimal(_known(ablation, 'with'))} with, {decimal(_known(ablation, 'without'))} without"
    return f"{which} {adds} {sign}{decimal(difference)} {merit} on held-out sequences: {both}, {p_text}{method}."


def track_names(metrics: Mapping[str, Any]) -> list[str]:
    """Return the names of the channels of a run."""
    tracks = (metrics.get("data") or {}).get("tracks") or []
    return [str(track["name"]) for track in tracks if isinstance(track, Mapping) and "name" in track]


def track_views(files: RunFiles, motif: str) -> list[TrackView]:
    """Return the first channels along a motif's sites and beside them; none where the run had no channels."""
    views = []
    for row, profile in _profiles(files, motif):
        track, chance, width = row.get("track", ""), number(row.get("shifted_mean", "")), number(row.get("width", ""))
        positions, means = profile.numbers("position"), profile.numbers("mean")
        first, last = float(positions.min()), float(positions.max())
        ticks = ((first, f"−{-first:.0f}"), (0.0, "1"), (width - 1, f"{width:.0f}"), (last, f"+{last - width + 1:.0f}"))
        held = means if math.isnan(chance) else np.append(means, chance)
        drawing = line_chart(
            [Line(track, positions, means, 0)],
            Axis("position in the motif and beside it", first, last, ticks),
            padded_axis("mean", held),
            f"Mean of {track} along the sites of {motif}",
            guide=None if math.isnan(chance) else (chance, chance),
            height=_HEIGHT,
        )
        views.append(TrackView(drawing, track))
    return views


def aligned_tracks(files: RunFiles, motif: str, first: int, columns: int) -> list[TrackView]:
    """Return the first channels column by column below a motif's logo.

    Args:
        files: Of the run.
        motif: Its name.
        first: Position in the motif of the first column drawn; negative where others begin before it.
        columns: Columns drawn.
    """
    views = []
    for row, profile in _profiles(files, motif):
        track, chance, width = row.get("track", ""), number(row.get("shifted_mean", "")), int(number(row["width"]))
        values, errors = np.full((2, columns), np.nan)
        places = profile.numbers("position") - first
        drawn = (places >= 0) & (places < columns)
        for into, column in ((values, "mean"), (errors, "standard_error")):
            into[places[drawn].astype(int)] = profile.numbers(column)[drawn]
        title = f"Mean of {track} at each position of {motif}"
        drawing = column_bars(values, errors, slice(-first, width - first), chance, title)
        views.append(TrackView(drawing, f"{_remark(row, track, chance)} {_use(files, motif, track)}".strip()))
    return views


def _profiles(files: RunFiles, motif: str) -> Iterator[tuple[Row, Table]]:
    """The first channels with values at a motif’s sites: row of motif_tracks.tsv, rows of track_profiles.tsv."""
    for row in files.motif_tracks.where("motif", motif).rows[:_MOST_SHOWN]:
        profile = files.track_profiles.where("motif", motif).where("track", row.get("track", ""))
        if np.isfinite(profile.numbers("mean")).any() and not math.isnan(number(row.get("width", ""))):
            yield row, profile


def _use(files: RunFiles, motif: str, track: str) -> str:
    """Say how much the motif's filter makes of a channel, and where."""
    (found,) = files.motifs.where("motif", motif).rows[:1] or ({},)
    weights = files.filter_tracks.where("filter", found.get("filter", "")).where("track", track)
    values, positions = weights.numbers("weight"), weights.numbers("position")
    if not len(values) or not np.isfinite(values).any():
        return ""
    strongest = int(np.nanargmax(np.abs(values)))
    share = number(weights.rows[0].get("share", ""))
    direction = "high" if values[strongest] > 0 else "low"
    return (
        f"Of what {found.get('filter', '')} can say, {decimal(100 * share, 0)} % is the track’s, most at its position "
        f"{positions[strongest] + 1:.0f}, where {direction} values count for the motif."
    )


def _remark(row: Mapping[str, str], track: str, chance: float) -> str:
    sites, p_value = count(number(row.get("sites", ""))), number(row.get("p_value", ""))
    start = f"{track}, mean of {sites} sites"
    if math.isnan(p_value):
        return f"{start}; too few held-out sites with values to say whether they stand out.{_of_all(row)}"
    tested, mean = count(number(row.get("held_out_sites", ""))), number(row.get("site_mean", ""))
    return (
        f"{start}. Held out: {decimal(mean)} at {tested} sites, {decimal(chance)} when the track is shifted "
        f"(grey line); p = {probability(p_value)}, permutation.{_of_all(row)}"
    )


def _of_all(row: Mapping[str, str]) -> str:
    p_value = number(row.get("all_p_value", ""))
    if math.isnan(p_value):
        return ""
    means = (decimal(number(row.get(f"all_{name}", ""))) for name in ("site_mean", "shifted_mean"))
    return " With training’s sites, which made the motif: {}, {}, p = {}.".format(*means, probability(p_value))


def _known(values: Mapping[str, Any], key: str) -> float:
    value = values.get(key)
    return float(value) if isinstance(value, (int, float)) else math.nan
