"""The run directory, written from what was found."""

import csv
import math
from pathlib import Path

import pandas as pd

from motifcnn.discovery.channel_findings import filters_table, profiles_table, shifts_table
from motifcnn.drawing.logos import write_logo
from motifcnn.formats.files import atomic_write
from motifcnn.formats.meme import write_meme
from motifcnn.learning.cross_validation import fold_predictions_table, folds_table
from motifcnn.model.store import save_model
from motifcnn.outcome.found import Outcome
from motifcnn.outcome.metrics import run_metrics
from motifcnn.outcome.tables import (
    baselines_table,
    motifs_table,
    pairs_table,
    positions_table,
    predictions_table,
    sites_table,
)
from motifcnn.report import write_report
from motifcnn.runs import RunDirectory, RunRecord, write_json
from motifcnn.significance import LEAST_PER_CLASS


def write_outcome(run: RunDirectory, outcome: Outcome, negatives_made: str | None, record: RunRecord) -> None:
    """Write all files of a run; the record that calls it complete comes last.

    Args:
        run: Where.
        outcome: What was found.
        negatives_made: How negatives were made, or None.
        record: Provenance.
    """
    motifs = [tested.motif for tested in outcome.assessment.motifs]
    save_model(run.model, outcome.model)
    write_meme(run.filters_meme, outcome.filters)
    if motifs:
        write_meme(run.motifs_meme, motifs)
        write_meme(run.filter_motifs_meme, [tested.extracted.faithful for tested in outcome.assessment.motifs])
    known = {item.known.name: item.known for item in outcome.assessment.motifs if item.known is not None}
    if known:
        write_meme(run.known_meme, list(known.values()))
    _write_table(run.history, pd.DataFrame(outcome.history))
    _write_table(run.layers, pd.DataFrame(outcome.layers))
    _write_table(run.predictions, predictions_table(outcome))
    _write_table(run.baselines, baselines_table(outcome))
    _write_table(run.motifs_table, motifs_table(outcome, record.settings.motifs.e_threshold))
    _write_table(run.sites, sites_table(outcome))
    _write_table(run.pairs, pairs_table(outcome))
    if outcome.cross_validation is not None:
        _write_table(run.folds, folds_table(outcome.cross_validation))
        _write_table(run.fold_predictions, fold_predictions_table(outcome.cross_validation))
    if outcome.positions:
        _write_table(run.positions, positions_table(outcome))
    for number, found in enumerate(outcome.positions, start=1):
        write_logo(found.motif, run.logos / f"positions_{number}.svg")
    if outcome.examples.track_names:
        _write_table(run.motif_tracks, shifts_table(outcome.channels))
        _write_table(run.track_profiles, profiles_table(outcome.channels))
        _write_table(run.filter_tracks, filters_table(outcome.channels, outcome.model, outcome.assessment))
    write_json(run.metrics, run_metrics(outcome, negatives_made))
    for motif in motifs:
        write_logo(motif, run.logos / f"{motif.name}.svg")
    record.notes.extend(_notes(outcome))
    record.status = "complete"
    record.write(run)
    write_report(run.path)
    run.checkpoint.unlink(missing_ok=True)


def _write_table(path: Path, table: pd.DataFrame) -> None:
    with atomic_write(path) as file:
        file.write(
            table.to_csv(
                sep="\t", index=False, float_format="%.6g", na_rep="NA", lineterminator="\n", quoting=csv.QUOTE_NONE
            ).encode()
        )


def _notes(outcome: Outcome) -> list[str]:
    """Say in words what the figures cannot, or should not, be taken for."""
    notes = []
    motifs = outcome.assessment.motifs
    held_out = len(outcome.looked_at.part("test"))
    if len(outcome.looked_at) < len(outcome.examples) and outcome.examples.bases is None:
        notes.append(
            f"Motifs were made from and tested on a sample of {len(outcome.looked_at)} of the {len(outcome.examples)} "
            f"sequences ({held_out} of them held out), in which rare positives are more common."
        )
    if not motifs:
        notes.append("No filter fired more often in positives than in the others on the training set.")
    elif all(math.isnan(tested.enrichment.p_value) for tested in motifs):
        notes.append(
            f"No p-value could be given: {held_out} held-out examples are too few "
            f"({LEAST_PER_CLASS} of each class needed)."
        )
    return notes
