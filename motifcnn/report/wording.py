"""Sentences of the report: what was found, and what could not be said and why."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from motifcnn.measures import MEASURE_NAMES
from motifcnn.report.curves import auroc_interval
from motifcnn.report.performance import Performance
from motifcnn.report.run_files import RunFiles
from motifcnn.report.tables import MotifRow, count, decimal, plural, probability, unit

_FEW_HELD_OUT: Final = 30
"""Below so many held-out positives the 95 % interval of an AUROC is wider than about ±0.1."""

_CLEARLY_BETTER: Final = 0.02
"""Lead in AUROC or correlation below which a trivial model is called as good."""


MEASURES: Final = MEASURE_NAMES | {"pearson": "correlation (Pearson)", "spearman": "rank correlation (Spearman)"}
"""Figures of merit in words."""


def headline(metrics: Mapping[str, Any], measured: Performance) -> str:
    """Return one or two sentences on how well the network predicts."""
    score = measured.model_score
    examples, what = count((metrics.get("test") or {}).get("n")), unit(metrics)
    if math.isnan(score):
        return "How well the network predicts could not be measured on held-out sequences."
    task, merit = metrics.get("task"), MEASURES.get(measured.measure, measured.measure)
    if task == "regression":
        does = f"predicts the measured values with a {merit}"
    elif task == "classes":
        does = f"tells the classes apart with a mean {merit}"
    elif len(metrics.get("targets") or []) > 1:
        does = f"predicts the targets with a mean {merit}"
    else:
        does = f"tells positives from negatives with an {merit}"
    guessing = f"{measured.guessing:.2g}" if measured.measure == "average_precision" else "0.5"
    if task == "binary" and _may_be_guessing(metrics):
        return (
            f"The network does not tell positives from negatives better than guessing: {merit} {decimal(score, 2)} on "
            f"{examples} held-out {what}, where guessing has {guessing}."
        )
    sentence = f"The network {does} of {decimal(score, 2)} on {examples} held-out {what}"
    if measured.measure == "average_precision":
        sentence += f", where guessing has {guessing}, the share of positives"
    if measured.best_baseline is None:
        return sentence + "."
    name, baseline = measured.best_baseline
    return f"{sentence}; the best trivial model ({name}) reaches {decimal(baseline, 2)}."


def cross_validation_sentence(found: Mapping[str, Any]) -> str:
    """Return one sentence on cross-validation; empty where there was none.

    Args:
        found: `cross_validation` of metrics.json.
    """
    if not found:
        return ""
    figures = []
    shown = dict.fromkeys([str(found.get("measure")), "auroc", "average_precision", "pearson"])
    for measure in (name for name in shown if name in found):
        mean, deviation = (found[measure].get(key) for key in ("mean", "standard_deviation"))
        figures.append(f"{MEASURE_NAMES[measure]} {decimal(mean, 3)} ± {decimal(deviation, 3)}")
    return (
        f"Cross-validation in {count(found['folds'])} folds: held-out {', '.join(figures)} "
        "(mean and standard deviation over folds)."
    )


def _may_be_guessing(metrics: Mapping[str, Any]) -> bool:
    """Whether 0.5 lies in or above the 95 % interval of the AUROC of the only target."""
    parts = list(((metrics.get("test") or {}).get("per_target") or {}).values())
    if len(parts) != 1:
        return False
    positives, examples = parts[0].get("n_positive") or 0, parts[0].get("n") or 0
    auroc = float((metrics.get("test") or {}).get("auroc") or "nan")
    return bool(0 < positives < examples) and auroc_interval(auroc, positives, examples - positives)[0] <= 0.5


def motif_sentence(rows: Sequence[MotifRow], e_threshold: float, targets: int) -> str:
    """Return one or two sentences on the motifs; never empty.

    Args:
        rows: The motif table, best first.
        e_threshold: Largest E-value of a motif called significant.
        targets: How many label columns there are.
    """
    limit = f"E\u00a0≤\u00a0{probability(e_threshold)}"
    if not rows:
        return f"No motif was significant ({limit}): no filter of the network fired at enough sites to make a motif."
    significant = [row for row in rows if row.significant]
    more = [row for row in significant if not row.composition_only]
    ranked = more or significant
    best = ranked[0] if ranked else min(rows, key=lambda row: float(row.p_value.value or "inf"))
    reads = f"{best.name} ({best.consensus}"
    reads += f", {best.target})" if targets > 1 and best.target else ")"
    if not significant and not best.p_value.value:
        return f"No motif could be tested on held-out sequences; the one found first is {reads}."
    if not significant:
        return (
            f"No motif was significant ({limit}): the best was {reads} with p\u00a0=\u00a0{best.p_value.text} "
            f"and E\u00a0=\u00a0{best.e_value.text} on held-out sequences."
        )
    lead = "One motif is" if len(significant) == 1 else f"{plural(len(significant), 'motif')} are"
    which = "the first" if len(significant) > 1 else "it"
    if best is not significant[0]:
        which = "the first that is more than composition" if len(more) > 1 else "the one that is more than composition"
    sentence = f"{lead} significant on held-out sequences ({limit}); {which} is {reads}"
    sentence += f", E\u00a0=\u00a0{best.e_value.text}"
    if best.best_match:
        sentence += f"; the nearest known motif is {best.best_match} (E\u00a0=\u00a0{best.match_e_value.text}"
        sentence += f"; {best.kin})" if best.kin else ")"
    if not more:
        sentence += f". Composition alone explains {'it' if len(significant) == 1 else 'each of them'}"
    return sentence + "."


def baseline_remark(measured: Performance) -> str:
    """Return how to read the trivial models beside the network; empty where none was computed."""
    if measured.best_baseline is None:
        return ""
    return (
        "The rows that end in “only” are trivial models, which see no motif; "
        "the network should be clearly better than they are."
    )


def cautions(files: RunFiles, measured: Performance, rows: Sequence[MotifRow]) -> list[str]:
    """Return what the run could not say and why: its own notes first, then what the numbers show."""
    metrics, record = files.metrics, files.record
    found = [str(note) for note in record.get("notes") or []]
    if record.get("status") == "interrupted":
        found.append("Training was interrupted: the network is the best up to then, not that of a full run.")
    if rows and not any(row.significant for row in rows):
        found.append(
            "No motif in the table is significant: motifs as good turn up by chance, so that none should be "
            "reported as a finding. More sequences may tell more."
        )
    found += _about_composition(rows)
    found += _about_baselines(measured)
    found += _about_numbers(metrics)
    if not any(row.best_match for row in rows) and rows:
        found.append(
            f"No known motif of {record['database']} is like any of these."
            if record.get("database")
            else "The motifs were not compared with known ones; --database jaspar (or a MEME file) does so, "
            "and the command “motifcnn compare” afterwards."
        )
    made = (metrics.get("data") or {}).get("negatives_made")
    if made:
        found.append(
            f"No negatives were given; they were made ({made}). Every figure says how positives differ from these, "
            "not from other sequences."
        )
    found.append(
        "A motif says which letters tell the sequences apart. That a protein binds there, or that it is this factor "
        "and not a relative with the same motif, has to be shown by experiment."
    )
    return found


def _about_composition(rows: Sequence[MotifRow]) -> list[str]:
    named = [row.name for row in rows if row.composition_only]
    if not named:
        return []
    return [
        f"Composition alone explains {', '.join(named)}: shuffled positives, or others of the same GC content, hold "
        f"{'it' if len(named) == 1 else 'them'} nearly as often as the positives do. No site need be there."
    ]


def _about_baselines(measured: Performance) -> list[str]:
    if measured.best_baseline is None:
        return [
            "What composition or length alone would reach was not measured, so that the network's figures stand alone."
        ]
    name, score = measured.best_baseline
    if math.isnan(measured.model_score) or abs(score) < measured.model_score - _CLEARLY_BETTER:
        return []
    what = MEASURES.get(measured.measure, measured.measure)
    return [
        f"A trivial model does as well as the network, or nearly so ("
        f"{name}: {what} {decimal(score, 2)} against "
        f"{decimal(measured.model_score, 2)}). The labels may follow composition or length more than any motif; "
        "negatives matched in both would tell."
    ]


def _about_numbers(metrics: Mapping[str, Any]) -> list[str]:
    positives = (metrics.get("data") or {}).get("positives") or {}
    few = {
        str(target): int(counts["test"])
        for target, counts in positives.items()
        if isinstance((counts or {}).get("test"), int) and counts["test"] < _FEW_HELD_OUT
    }
    if not few:
        return []
    if len(positives) == 1:
        which = f"Only {plural(next(iter(few.values())), 'positive was', 'positives were')} held out"
    else:
        which = "Few positives were held out for " + ", ".join(
            f"{name} ({number_of})" for name, number_of in few.items()
        )
    return [f"{which}: AUROC and E-values are coarse, and a weak motif can be missed."]
