"""The report's section on how well the network predicts, for each of the four tasks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from markupsafe import Markup

from motifcnn.measures import MEASURE_NAMES
from motifcnn.report.curves import Curves, Numbers, auroc_interval, curves
from motifcnn.report.figures import COLOURS, Axis, Line, line_chart, scatter_chart
from motifcnn.report.run_files import RunFiles, Table
from motifcnn.report.tables import MISSING, count, decimal, unit

_BASELINE_NAMES: Final = {
    "gc": "GC content only",
    "dinucleotide": "dinucleotides only",
    "dinucleotides": "dinucleotides only",
    "length": "length only",
    "codons": "codons in reading frames only",
    "tracks": "means of the further channels only",
    "profile": "mean profile by position only",
    "gkm": "gapped k-mers (SVM)",
}
"""Models beside the network by what they see; any other is called by its own name."""
_NOT_TRIVIAL: Final = frozenset({_BASELINE_NAMES["gkm"]})

_MOST_LINES: Final = len(COLOURS)
_MOST_SCATTERS: Final = 6
_REGRESSION_MEASURES: Final = ("pearson", "spearman", "r2")


@dataclass(frozen=True)
class Figure:
    """A figure with its heading, its legend and a remark.

    Args:
        heading: What it shows.
        drawing: The SVG element.
        legend: A piece of each line, its name and its figure of merit.
        remark: How to read it.
    """

    heading: str
    drawing: Markup
    legend: tuple[tuple[Markup, str, str], ...] = ()
    remark: str = ""


@dataclass(frozen=True)
class Performance:
    """What the section shows.

    Args:
        figures: Curves or scatter plots.
        header: Columns of the table.
        rows: Cells of the table; the network's own first, then the trivial models'.
        confusion_classes: Names of the classes, where there are classes.
        confusion: Counts, measured class by predicted class.
        model_score: The network's score (for regression the correlation that the trivial models have too).
        measure: What the scores are: "auroc", "average_precision", "pearson" or "spearman".
        best_baseline: Name and score of the best trivial model, None where none was computed.
        guessing: Average precision of guessing, which is the share of positives, where that is the measure.
    """

    figures: tuple[Figure, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    measure: str
    model_score: float
    best_baseline: tuple[str, float] | None
    confusion_classes: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = field(default=())
    guessing: float = float("nan")


def performance(files: RunFiles) -> Performance:
    """Return the section for the run's task, from its held-out predictions."""
    if files.metrics.get("task") == "regression":
        return _regression(files)
    return _classification(files)


def baseline_name(column: str) -> str:
    """Return a trivial model's name in words, such as "GC content only" for "gc"."""
    return _BASELINE_NAMES.get(column, column.replace("_", " ") + " only")


def baseline_scores(metrics: Mapping[str, Any]) -> tuple[dict[str, float], str]:
    """Return the score of each trivial model that was computed, by its name in words, and the measure.

    Args:
        metrics: metrics.json; its baselines are called `<model>_<measure>`.
    """
    found: dict[str, float] = {}
    measure = headline_measure(metrics)
    for key, value in (metrics.get("baselines") or {}).items():
        kind = next((kind for kind in MEASURE_NAMES if str(key).endswith(f"_{kind}")), "")
        model = str(key).removesuffix(f"_{kind}")
        if value is not None and kind:
            found[baseline_name(model)] = float(value)
            measure = kind
    return found, measure


def headline_measure(metrics: Mapping[str, Any]) -> str:
    """Return which of its scores a run shows first; runs of the first days do not say."""
    return str(metrics.get("headline") or ("pearson" if metrics.get("task") == "regression" else "auroc"))


def _best_trivial(scores: Mapping[str, float]) -> tuple[str, float] | None:
    """Name and score of the trivial model that goes best with the target; a correlation may be negative."""
    trivial = [item for item in scores.items() if item[0] not in _NOT_TRIVIAL]
    return max(trivial, key=lambda item: abs(item[1]), default=None)


def _classification(files: RunFiles) -> Performance:
    measured = _held_out_curves(files)
    trivial = _baseline_curves(files)
    scores, _ = baseline_scores(files.metrics)
    measure = headline_measure(files.metrics)
    rare = measure == "average_precision"
    lines = {**dict(list(measured.items())[:_MOST_LINES])}
    trivial_shown = trivial if len(measured) == 1 else {}
    figures: tuple[Figure, ...] = ()
    if measured:
        figures = (_roc_figure(lines, trivial_shown, len(measured)), _precision_figure(lines, trivial_shown))
        figures = figures[::-1] if rare else figures
    header, rows = _classification_table(files, measured, trivial, scores)
    test = files.metrics.get("test") or {}
    names, confusion = _confusion(files)
    return Performance(
        figures,
        header,
        rows,
        measure,
        _float(test.get(measure)),
        _best_trivial(scores),
        names,
        confusion,
        _float(test.get("share_of_positives")) if rare else float("nan"),
    )


def _held_out_curves(files: RunFiles) -> dict[str, Curves]:
    """Curves of the network on the held-out examples, by target or class."""
    held_out = files.predictions
    targets = [str(target) for target in files.metrics.get("targets") or []]
    classes = [str(name) for name in files.metrics.get("classes") or []]
    found: dict[str, Curves | None] = {}
    if classes:
        truth = _class_indices(files)
        for index, name in enumerate(classes):
            labels = np.where(np.isnan(truth), np.nan, (truth == index).astype(np.float64))
            found[name] = curves(labels, held_out.numbers(f"predicted_{name}"))
    else:
        for target in targets:
            found[target] = curves(held_out.numbers(target), held_out.numbers(f"predicted_{target}"))
    return {name: curve for name, curve in found.items() if curve is not None}


def _class_indices(files: RunFiles) -> Numbers:
    """Class of each held-out example as an index, NaN where it is missing; cells hold names or indices."""
    classes = [str(name) for name in files.metrics.get("classes") or []]
    target = str((files.metrics.get("targets") or [""])[0])
    index_of = {str(index): float(index) for index in range(len(classes))}
    index_of |= {name: float(index) for index, name in enumerate(classes)}
    rows = files.predictions.rows
    return np.array([index_of.get(row.get(target, ""), np.nan) for row in rows], dtype=np.float64)


def _baseline_curves(files: RunFiles) -> dict[str, Curves]:
    """Curves of the trivial models of the first target, by their names in words."""
    targets = [str(target) for target in files.metrics.get("targets") or []]
    if not targets or not files.baselines.rows or files.metrics.get("classes"):
        return {}
    truth = {row.get("id", ""): row for row in files.predictions.rows}
    in_order = tuple(truth.get(row.get("id", ""), {}) for row in files.baselines.rows)
    labels = Table(files.predictions.columns, in_order).numbers(targets[0])
    found = {
        baseline_name(column): curves(labels, files.baselines.numbers(column))
        for column in files.baselines.columns
        if column != "id"
    }
    return {name: curve for name, curve in found.items() if curve is not None}


def _roc_figure(lines: dict[str, Curves], trivial: dict[str, Curves], all_lines: int) -> Figure:
    drawn = [
        Line(name, curve.false_positive_rate, curve.true_positive_rate, style)
        for style, (name, curve) in enumerate([*_own(lines), *trivial.items()])
    ]
    merits = [curve.auroc for curve in [*lines.values(), *trivial.values()]]
    remark = "The further towards the upper left corner, the better; the grey diagonal is guessing."
    if all_lines > len(lines):
        remark += f" Shown are the first {len(lines)} of {all_lines}; the table has all."
    return Figure(
        "Receiver operating characteristic",
        line_chart(
            drawn,
            Axis("negatives wrongly called positive", 0.0, 1.0),
            Axis("positives found", 0.0, 1.0),
            "Receiver operating characteristic of what was held out",
            guide=(0.0, 1.0),
        ),
        tuple((line.key, line.name, f"AUROC {decimal(merit)}") for line, merit in zip(drawn, merits, strict=True)),
        remark,
    )


def _precision_figure(lines: dict[str, Curves], trivial: dict[str, Curves]) -> Figure:
    drawn = [
        Line(name, curve.recall, curve.precision, style)
        for style, (name, curve) in enumerate([*_own(lines), *trivial.items()])
    ]
    merits = [curve.average_precision for curve in [*lines.values(), *trivial.values()]]
    guide, remark = None, "The higher, the better."
    if len(lines) == 1:
        only = next(iter(lines.values()))
        share = only.positives / (only.positives + only.negatives)
        guide, remark = (share, share), "The higher, the better; the grey line is guessing: the share of positives."
    return Figure(
        "Precision and recall",
        line_chart(
            drawn,
            Axis("recall: share of positives found", 0.0, 1.0),
            Axis("precision: share right among the calls", 0.0, 1.0),
            "Precision against recall of what was held out",
            guide=guide,
        ),
        tuple(
            (line.key, line.name, f"average precision {decimal(merit)}")
            for line, merit in zip(drawn, merits, strict=True)
        ),
        remark,
    )


def _own(lines: dict[str, Curves]) -> list[tuple[str, Curves]]:
    """The network's lines; one alone is called by what it is rather than by its target."""
    if len(lines) == 1:
        return [("this network", next(iter(lines.values())))]
    return list(lines.items())


def _classification_table(
    files: RunFiles, measured: dict[str, Curves], trivial: dict[str, Curves], scores: dict[str, float]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    test, validation = files.metrics.get("test") or {}, files.metrics.get("validation") or {}
    first = headline_measure(files.metrics)
    merit = MEASURE_NAMES[first]
    what = unit(files.metrics)
    header = ("", "AUROC", "95 % interval", "average precision", what, "positives", f"{merit} on validation")
    names = list(dict.fromkeys([*measured, *map(str, test.get("per_target") or {})]))
    alone = len(names) == 1
    rows: list[tuple[str, ...]] = []
    if len(names) > 1:
        auroc, precision, earlier = test.get("auroc"), test.get("average_precision"), validation.get(first)
        spread = (MISSING, decimal(precision), count(test.get("n")), MISSING)
        rows.append(("mean of all", decimal(auroc), *spread, decimal(earlier)))
    for name in names:
        # bases of a sequence are not independent of one another, so that an interval would be too narrow
        cells = _network_cells(measured.get(name), _part(test, name, alone), with_interval=what == "sequences")
        earlier = decimal(_part(validation, name, alone).get(first))
        rows.append(("this network" if alone else name, *cells, earlier))
    for name, score in scores.items():
        # baselines.tsv holds the first target only, so that several targets have but their mean.
        curve = trivial.get(name) if alone else None
        own = {"auroc": curve.auroc if curve else None, "average_precision": curve.average_precision if curve else None}
        own[first] = score
        _, *numbers = _curve_cells(curve)
        rows.append((name, decimal(own["auroc"]), MISSING, decimal(own["average_precision"]), *numbers, MISSING))
    if first != "average_precision":
        return header, tuple(rows)
    shown, *others = ((row[0], row[3], *row[1:3], *row[4:]) for row in (header, *rows))
    return shown, tuple(others)


def _part(section: Mapping[str, Any], name: str, alone: bool) -> Mapping[str, Any]:
    """Scores of one target; those of the whole section where there is no other target."""
    found: Mapping[str, Any] = (section.get("per_target") or {}).get(name) or (section if alone else {})
    return found


def _network_cells(curve: Curves | None, test: Mapping[str, Any], *, with_interval: bool) -> tuple[str, ...]:
    auroc = test.get("auroc", curve.auroc if curve else None)
    interval = MISSING
    if curve is not None and auroc is not None and with_interval:
        low, high = auroc_interval(auroc, curve.positives, curve.negatives)
        if low < high:  # without any error the formula gives no width, which says nothing
            interval = f"{decimal(low)} to {decimal(high)}"
    precision, examples, positives = _curve_cells(curve)
    return (
        decimal(auroc),
        interval,
        decimal(test["average_precision"]) if "average_precision" in test else precision,
        count(test["n"]) if "n" in test else examples,
        count(test["n_positive"]) if "n_positive" in test else positives,
    )


def _curve_cells(curve: Curves | None) -> tuple[str, str, str]:
    """Average precision, number of sequences and of positives."""
    if curve is None:
        return MISSING, MISSING, MISSING
    return decimal(curve.average_precision), count(curve.positives + curve.negatives), count(curve.positives)


def _confusion(files: RunFiles) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    classes = tuple(str(name) for name in files.metrics.get("classes") or [])
    held_out = files.predictions
    if not classes or not held_out.rows:
        return (), ()
    scores = np.stack([held_out.numbers(f"predicted_{name}") for name in classes], axis=1)
    truth = _class_indices(files)
    known = ~np.isnan(truth) & np.isfinite(scores).all(axis=1)
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (truth[known].astype(int), scores[known].argmax(axis=1)), 1)
    return classes, tuple(tuple(row) for row in counts.tolist())


def _regression(files: RunFiles) -> Performance:
    targets = [str(target) for target in files.metrics.get("targets") or []]
    test, validation = files.metrics.get("test") or {}, files.metrics.get("validation") or {}
    alone = len(targets) == 1
    rows: list[tuple[str, ...]] = []
    for target in targets:
        part, earlier = _part(test, target, alone), _part(validation, target, alone)
        merits = (decimal(part.get(measure)) for measure in _REGRESSION_MEASURES)
        name = "this network" if alone else target
        rows.append((name, *merits, count(part.get("n")), decimal(earlier.get("pearson"))))
    scores, measure = baseline_scores(files.metrics)
    for name, score in scores.items():
        merits = (decimal(score) if column == measure else MISSING for column in _REGRESSION_MEASURES)
        rows.append((name, *merits, MISSING, MISSING))
    figures = (_scatter_figure(files, target) for target in targets[:_MOST_SCATTERS])
    return Performance(
        tuple(figure for figure in figures if figure is not None),
        ("", "Pearson’s r", "Spearman’s ρ", "R²", unit(files.metrics), "Pearson’s r on validation"),
        tuple(rows),
        measure,
        _float(test.get(measure)),
        _best_trivial(scores),
    )


def _scatter_figure(files: RunFiles, target: str) -> Figure | None:
    held_out = files.predictions
    measured, predicted = held_out.numbers(target), held_out.numbers(f"predicted_{target}")
    known = np.isfinite(measured) & np.isfinite(predicted)
    if not known.any():
        return None
    what = unit(files.metrics)
    title = f"Predicted against measured {target} on held-out {what}"
    drawing = scatter_chart(measured[known], predicted[known], f"measured {target}", f"predicted {target}", title)
    return Figure(
        target, drawing, remark=f"One dot a held-out {what.removesuffix('s')}; on the grey line both are equal."
    )


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
