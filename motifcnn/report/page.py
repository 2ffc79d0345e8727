"""The report: one HTML page made from the files of a run directory, and from nothing else.

The page needs no network and holds nothing that differs between two runs of one command: no times, no
durations, no place of its own.
"""

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from markupsafe import Markup

from motifcnn.alphabet import ALPHABETS, DNA
from motifcnn.drawing.letter_shapes import letter_colours
from motifcnn.drawing.logos import inline_svg
from motifcnn.errors import MotifcnnError
from motifcnn.formats.files import write_text
from motifcnn.report.articles import Article, article, site_colours
from motifcnn.report.channels import TrackView, ablation_sentence, track_names, track_views
from motifcnn.report.figures import COLOURS, Axis, Line, line_chart, padded_axis, stacked_histogram
from motifcnn.report.nothing import why_nothing
from motifcnn.report.pairs import pair_rows, pair_sentences, why_no_pairs
from motifcnn.report.performance import Figure, Performance, headline_measure, performance
from motifcnn.report.positions import position_views
from motifcnn.report.run_files import RunFiles, Table, read_run
from motifcnn.report.tables import (
    MotifRow,
    changed_settings,
    count,
    decimal,
    flat_settings,
    grouped,
    motif_rows,
    plural,
    probability,
    repeat_command,
    unit,
)
from motifcnn.report.wording import (
    MEASURES,
    baseline_remark,
    cautions,
    cross_validation_sentence,
    headline,
    motif_sentence,
)
from motifcnn.settings import MotifSettings

REPORT_NAME = "report.html"

_BINS = 20
_HASH_DIGITS = 12
_PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class MotifView:
    """A motif as the page shows it.

    Args:
        row: Its numbers.
        logo: The logo's SVG element; empty where there is none.
        spread: Where its sites lie along the sequences, None where no site is known.
        tracks: Further channels along its sites.
        anchor: Name of its own place on the page.
        article: What stands there.
    """

    row: MotifRow
    logo: Markup
    spread: Figure | None
    tracks: list[TrackView]
    anchor: str
    article: Article


def write_report(run_directory: Path) -> None:
    """Write report.html into a run directory, from the directory's other files.

    Args:
        run_directory: As `motifcnn train` writes it.

    Raises:
        InputError: It is no run directory, or one of its files is damaged.
    """
    write_text(run_directory / REPORT_NAME, render(read_run(run_directory)))


def render(files: RunFiles) -> str:
    """Return the page of a run's files; the same files give the same text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": count, "grouped": grouped}
    return environment.get_template("report.html.j2").render(_contents(files))


def _contents(files: RunFiles) -> dict[str, Any]:
    """Everything that the template names."""
    record, metrics = files.record, files.metrics
    chosen = record.get("settings") or {}
    e_threshold = float((chosen.get("motifs") or {}).get("e_threshold", MotifSettings().e_threshold))
    rows = motif_rows(files.motifs.rows, e_threshold, str(metrics.get("task", "")))
    measured = performance(files)
    pairs = pair_rows(files.pairs.rows, e_threshold)
    return {
        "task": metrics.get("task", ""),
        "unit": unit(metrics),
        "headline": headline(metrics, measured),
        "merit": MEASURES[headline_measure(metrics)],
        "motif_sentence": motif_sentence(rows, e_threshold, len(metrics.get("targets") or [])),
        "tiles": _tiles(metrics, measured, rows),
        "motifs": _motif_views(files, rows),
        "has_targets": len({row.target for row in rows}) > 1 or bool(metrics.get("classes")),
        "has_matches": any(row.best_match for row in rows),
        "e_threshold": probability(e_threshold),
        "pairs": pairs,
        "pair_sentences": pair_sentences(pairs),
        "why_no_pairs": why_no_pairs(files.pairs.rows),
        "positions": position_views(files, e_threshold),
        "performance": measured,
        "baseline_remark": baseline_remark(measured),
        "ablation_sentence": ablation_sentence(metrics, track_names(metrics)),
        "cross_validation": cross_validation_sentence(metrics.get("cross_validation") or {}),
        "folds": files.folds,
        "learning": _learning_figures(files.history, headline_measure(metrics)),
        "data": metrics.get("data") or {},
        "split_rows": _split_rows(metrics),
        "split_parts": _PARTS,
        "layers": files.layers,
        "cautions": cautions(files, measured, rows),
        "command": repeat_command([str(argument) for argument in record.get("command") or ["motifcnn"]]),
        "inputs": _inputs(record),
        "changed": changed_settings(chosen),
        "settings": flat_settings(chosen),
        "seed": record.get("seed", 0),
        "device": record.get("device", ""),
        "database": record.get("database", ""),
        "software": record.get("software") or {},
        "environment": {
            name: value
            for name, value in (record.get("environment") or {}).items()
            if name in {"python", "torch", "numpy"}
        },
        "both_strands": any(row.get("strand") == "-" for row in files.sites.rows),
        "strand_colours": COLOURS[:2],
        "site_style": Markup(_site_style(metrics)),
        "why_nothing": why_nothing(
            files, e_threshold, MEASURES.get(measured.measure, measured.measure), measured.model_score
        ),
    }


def _site_style(metrics: dict[str, Any]) -> str:
    name = str((metrics.get("data") or {}).get("alphabet", ""))
    alphabet = ALPHABETS.get(name, DNA)
    return site_colours(letter_colours(alphabet), alphabet.letters)


def _tiles(metrics: dict[str, Any], measured: Performance, rows: list[MotifRow]) -> list[tuple[str, str]]:
    """The few numbers to see first, each with what it is."""
    merit = MEASURES.get(measured.measure, measured.measure)
    tiles = [(decimal(measured.model_score, 2), f"{merit} on held-out {unit(metrics)}")]
    if measured.best_baseline is not None:
        name, score = measured.best_baseline
        tiles.append((decimal(score, 2), f"the same for {name}"))
    if measured.measure == "average_precision":
        tiles.append((f"{measured.guessing:.2g}", "share of positives, which guessing reaches"))
    significant = sum(row.significant for row in rows)
    tiles.append((count(significant), "significant motif" if significant == 1 else "significant motifs"))
    tiles.append((count((metrics.get("data") or {}).get("sequences")), "sequences in all"))
    return tiles


def _motif_views(files: RunFiles, rows: list[MotifRow]) -> list[MotifView]:
    equal_length = (files.metrics.get("data") or {}).get("shortest") == (files.metrics.get("data") or {}).get("longest")
    views = []
    for index, row in enumerate(rows):
        sites = files.sites.where("motif", row.name)
        spread = _spread(sites, row, equal_length)
        own = article(files, row, files.motifs.rows[index], sites, f"a{index}-")
        logo = _logo(files, row, f"m{index}-")
        views.append(MotifView(row, logo, spread, track_views(files, row.name), f"each-{index + 1}", own))
    return views


def _logo(files: RunFiles, row: MotifRow, prefix: str) -> Markup:
    try:
        return Markup(inline_svg(files.logos[row.name], prefix, f"Logo of {row.name}: {row.consensus}"))
    except (KeyError, MotifcnnError):
        return Markup()


def _spread(sites: Table, row: MotifRow, equal_length: bool) -> Figure | None:
    """A histogram of where the sites lie between the first and the last place that a site can have.

    Counted so, sites without a preferred place make a flat histogram whatever the sequences' lengths.
    """
    starts, ends, lengths = (sites.numbers(column) for column in ("start", "end", "length"))
    known = np.isfinite(starts) & np.isfinite(ends) & np.isfinite(lengths) & (lengths - (ends - starts) > 0)
    if not known.any():
        return None
    places = starts[known] / (lengths - (ends - starts))[known]
    minus = np.array([site.get("strand", ".") == "-" for site in sites.rows], dtype=bool)[known]
    both = "-" in {site.get("strand", ".") for site in sites.rows}
    bins = np.clip((places * _BINS).astype(int), 0, _BINS - 1)
    layers = [("plus strand" if both else "sites", np.bincount(bins[~minus], minlength=_BINS).astype(np.float64))]
    if both:
        layers.append(("minus strand", np.bincount(bins[minus], minlength=_BINS).astype(np.float64)))
    # On equal lengths the axis can be in letters: of the site's first letter, counted from 1.
    longest = float((lengths - (ends - starts))[known].max())
    ticks: tuple[tuple[float, str], ...] = ((0.0, "start"), (0.5, "middle"), (1.0, "end"))
    if equal_length:
        ticks = tuple((share, f"{round(share * longest) + 1}") for share in (0.0, 0.25, 0.5, 0.75, 1.0))
    axis = Axis("first letter of the site" if equal_length else "place along the sequence", 0.0, 1.0, ticks)
    return Figure(
        row.name,
        stacked_histogram(layers, axis, "sites", f"Places of the sites of {row.name} along the sequences"),
        remark=plural(int(known.sum()), "site") + (f"; {row.central}" if row.central else ""),
    )


def _learning_figures(history: Table, measure: str) -> list[Figure]:
    if not history.rows:
        return []
    epochs = history.numbers("epoch")
    low, high = float(np.nanmin(epochs)), float(np.nanmax(epochs))
    x = Axis("epoch (pass over the training sequences)", low, high if high > low else low + 1)
    losses = [
        Line("training", epochs, history.numbers("train_loss"), 0),
        Line("validation", epochs, history.numbers("validation_loss"), 1),
    ]
    score = history.numbers("validation_score")
    merit = MEASURES[measure]
    chosen_by = f"highest {merit}" if measure == "average_precision" else "least validation loss"
    figures = [
        Figure(
            "Loss",
            line_chart(
                losses, x, padded_axis("loss", np.concatenate([line.y for line in losses])), "Loss at each epoch"
            ),
            tuple((line.key, line.name, "") for line in losses),
            "The lower, the better. Where training falls and validation rises, the network learns by heart.",
        )
    ]
    if np.isfinite(score).any():
        best = int(np.nanargmax(score))
        line, y = Line("validation", epochs, score, 0), padded_axis(f"validation {merit}", score, least_span=0.05)
        figures.append(
            Figure(
                "Score",
                line_chart([line], x, y, f"Validation {merit} at each epoch"),
                ((line.key, f"validation {merit}", f"best {decimal(float(score[best]))} at epoch {epochs[best]:g}"),),
                f"The higher, the better. The network is the one of the epoch with the {chosen_by}.",
            )
        )
    return figures


def _split_rows(metrics: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """The data table: sequences and positives in each part."""
    data = metrics.get("data") or {}
    rows = [("sequences", [count((data.get("splits") or {}).get(part)) for part in _PARTS])]
    positives = data.get("positives") or {}
    for target, counts in positives.items():
        kind = "above the mean" if metrics.get("task") == "regression" else "positives"
        kind = kind if unit(metrics) == "sequences" else f"bases: {kind}"
        name = kind if len(positives) == 1 else f"{kind}: {target}"
        rows.append((name, [count((counts or {}).get(part)) for part in _PARTS]))
    return rows


def _inputs(record: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Role, name, size and shortened hash of each input file."""
    return [
        (
            str(item.get("role", "")),
            PurePath(str(item.get("path", ""))).name,
            f"{count(item.get('bytes'))} bytes",
            str(item.get("sha256", ""))[:_HASH_DIGITS],
        )
        for item in record.get("inputs") or []
    ]
