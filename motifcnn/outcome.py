"""What a training run found, and how it is written down in the run directory."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from motifcnn.alphabet import Alphabet
from motifcnn.discovery.assessment import Assessment, MotifPair, TestedMotif, found_sites
from motifcnn.discovery.channel_findings import (
    ChannelFindings,
    ablation_metrics,
    filters_table,
    profiles_table,
    shifts_table,
)
from motifcnn.discovery.extraction import positive_groups, site_windows
from motifcnn.discovery.fixed_positions import FixedPositions
from motifcnn.drawing.logos import write_logo
from motifcnn.formats.files import atomic_write
from motifcnn.formats.meme import write_meme
from motifcnn.inputs.channels import missing
from motifcnn.inputs.examples import Examples
from motifcnn.learning.baselines import Baseline
from motifcnn.learning.cross_validation import (
    CrossValidation,
    cross_validation_metrics,
    fold_predictions_table,
    folds_table,
)
from motifcnn.learning.evaluation import Scores, score_predictions
from motifcnn.learning.training import EpochRecord
from motifcnn.model.store import TrainedModel, save_model
from motifcnn.model.table import LayerRow
from motifcnn.motifs import Motif
from motifcnn.objectives import Objective
from motifcnn.report import write_report
from motifcnn.runs import RunDirectory, RunRecord, write_json
from motifcnn.significance import LEAST_PER_CLASS

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Outcome:
    """Everything that a run found.

    Args:
        model: The trained model.
        examples: What it was trained and tested on.
        looked_at: Those that motifs were looked for in: all, or a sample of very many; windows of those with values for
            each base.
        predictions: Shape [example or base, output], for all examples.
        history: One record an epoch.
        layers: The layer table.
        baselines: Trivial models on the held-out examples.
        filters: What each filter computes.
        assessment: The motifs.
        channels: What was found of the further channels.
        positions: Targets that depend on letters at fixed positions.
        site_objective: The task of those that motifs were looked for in.
        cross_validation: What networks trained on folds reached, where that was asked for.
    """

    model: TrainedModel
    examples: Examples
    looked_at: Examples
    predictions: npt.NDArray[np.float64]
    history: tuple[EpochRecord, ...]
    layers: tuple[LayerRow, ...]
    baselines: tuple[Baseline, ...]
    filters: tuple[Motif, ...]
    assessment: Assessment
    site_objective: Objective
    channels: ChannelFindings = field(default_factory=ChannelFindings)
    positions: tuple[FixedPositions, ...] = ()
    cross_validation: CrossValidation | None = None

    def scores(self, part: Part) -> Scores:
        """Return the network's scores on "train", "validation" or "test"."""
        rows = self.examples.rows(self.examples.part(part))
        return score_predictions(self.model.objective, self.predictions[rows], self.examples.targeted[rows])


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
    _write_table(run.predictions, _predictions_table(outcome))
    _write_table(run.baselines, _baselines_table(outcome))
    _write_table(run.motifs_table, _motifs_table(outcome, record.settings.motifs.e_threshold))
    _write_table(run.sites, _sites_table(outcome))
    _write_table(run.pairs, _pairs_table(outcome))
    if outcome.cross_validation is not None:
        _write_table(run.folds, folds_table(outcome.cross_validation))
        _write_table(run.fold_predictions, fold_predictions_table(outcome.cross_validation))
    if outcome.positions:
        _write_table(run.positions, _positions_table(outcome))
    for number, found in enumerate(outcome.positions, start=1):
        write_logo(found.motif, run.logos / f"positions_{number}.svg")
    if outcome.examples.track_names:
        _write_table(run.motif_tracks, shifts_table(outcome.channels))
        _write_table(run.track_profiles, profiles_table(outcome.channels))
        _write_table(run.filter_tracks, filters_table(outcome.channels, outcome.model, outcome.assessment))
    write_json(run.metrics, _metrics(outcome, negatives_made))
    for motif in motifs:
        write_logo(motif, run.logos / f"{motif.name}.svg")
    record.notes.extend(_notes(outcome))
    record.status = "complete"
    record.write(run)
    write_report(run.path)
    run.checkpoint.unlink(missing_ok=True)


def _write_table(path: Any, table: pd.DataFrame) -> None:
    with atomic_write(path) as file:
        file.write(table.to_csv(sep="\t", index=False, float_format="%.6g", na_rep="NA", lineterminator="\n").encode())


def _part_names(examples: Examples) -> npt.NDArray[np.str_]:
    return np.array(PARTS)[examples.split]


def _predictions_table(outcome: Outcome) -> pd.DataFrame:
    examples, objective = outcome.examples, outcome.model.objective
    table = pd.DataFrame({"id": examples.sequences.names, "split": _part_names(examples)})
    everything = np.arange(len(examples))
    for column, name in enumerate(examples.targets):
        values = examples.targeted[:, column]
        if objective.task == "classes":
            known = ~np.isnan(values)
            words = np.array([*objective.classes, None], dtype=object)
            table[name] = words[np.where(known, values, len(objective.classes)).astype(int)]
        else:
            table[name] = examples.cells(values, everything)
    for column, name in enumerate(objective.output_names):
        table[f"predicted_{name}"] = examples.cells(outcome.predictions[:, column], everything)
    return table


def _baselines_table(outcome: Outcome) -> pd.DataFrame:
    test = outcome.examples.part("test")
    table = pd.DataFrame({"id": np.array(outcome.examples.sequences.names, dtype=object)[test]})
    for baseline in outcome.baselines:
        table[baseline.name] = outcome.examples.cells(baseline.predictions[:, 0], test)
    return table


def _motif_row(tested: TestedMotif, outcome: Outcome, e_threshold: float) -> dict[str, Any]:
    extracted, enrichment, composition = tested.extracted, tested.enrichment, tested.composition
    relatives = tested.relatives
    match = relatives.best if relatives else None
    return {
        "motif": tested.motif.name,
        "consensus": tested.motif.consensus,
        "width": tested.motif.width,
        "information_bits": tested.motif.total_information(),
        "sites": round(tested.motif.sites),
        "test_auroc": enrichment.auroc,
        "p_value": enrichment.p_value,
        "e_value": tested.e_value,
        "importance": tested.importance,
        "best_match": match.factor if match else None,
        "match_p_value": match.p_value if match else math.nan,
        "match_e_value": match.e_value if match else math.nan,
        "target": outcome.model.objective.output_names[extracted.target],
        "filter": outcome.filters[extracted.filters[0]].name,
        "recurrence": f"{tested.recurrence}/{outcome.model.network.restarts}",
        "train_auroc": tested.train_auroc,
        "threshold": extracted.threshold,
        "filter_threshold": extracted.filter_threshold,
        "found_positives": enrichment.found_positives,
        "positives": enrichment.positives,
        "found_negatives": enrichment.found_negatives,
        "negatives": enrichment.negatives,
        "occupancy_auroc": tested.occupancy_auroc,
        "shuffled_share": composition.shuffled_share,
        "shuffled_p_value": composition.shuffled_p_value,
        "gc_matched_share": composition.matched_share,
        "gc_matched_p_value": composition.matched_p_value,
        "composition_only": "yes" if composition.explained and tested.e_value <= e_threshold else "no",
        "central_p_value": tested.centrality.p_value,
        "central_e_value": tested.central_e_value,
        "central_window": tested.centrality.window,
        "central_found": tested.centrality.found,
        "central_sites": tested.centrality.sites,
        "match_id": match.target_name if match else None,
        "match_offset": match.offset if match else None,
        "match_orientation": match.orientation if match else None,
        "match_family": (relatives.family or None) if relatives else None,
        "match_members": (", ".join(relatives.factors) or None) if relatives else None,
        "refined": "yes" if extracted.refined else "no",
        "filter_similarity": extracted.filter_similarity,
        "origin": extracted.origin,
        "fitted": "yes" if extracted.fitted else "no",
    }


MOTIF_COLUMNS = (
    "motif", "consensus", "width", "information_bits", "sites", "test_auroc", "p_value", "e_value", "importance",
    "best_match", "match_p_value", "match_e_value", "target", "filter", "recurrence", "train_auroc", "threshold",
    "filter_threshold", "found_positives", "positives", "found_negatives", "negatives",
    "occupancy_auroc", "shuffled_share", "shuffled_p_value", "gc_matched_share", "gc_matched_p_value",
    "composition_only", "central_p_value", "central_e_value", "central_window", "central_found", "central_sites",
    "match_id", "match_offset", "match_orientation", "match_family", "match_members", "refined", "filter_similarity",
    "origin", "fitted",
)  # fmt: skip


def _motifs_table(outcome: Outcome, e_threshold: float) -> pd.DataFrame:
    rows = [_motif_row(tested, outcome, e_threshold) for tested in outcome.assessment.motifs]
    return pd.DataFrame(rows, columns=list(MOTIF_COLUMNS)).astype({"match_offset": "Int64"})


def _pair_row(pair: MotifPair) -> dict[str, Any]:
    spacing, interaction = pair.spacing, pair.interaction
    known = spacing.between >= 0
    return {
        "motif_a": pair.first.motif.name,
        "motif_b": pair.second.motif.name,
        "loss_a": pair.first.importance,
        "loss_b": pair.second.importance,
        "loss_both": interaction.loss,
        "interaction": interaction.excess,
        "standard_error": interaction.standard_error,
        "kind": interaction.kind or None,
        "sequences": spacing.sequences,
        "letters_between": spacing.between if known else None,
        "tolerance": spacing.tolerance if known else None,
        "side": ("downstream" if spacing.downstream else "upstream") if known else None,
        "strand": ("same" if spacing.same_strand else "opposite") if known else None,
        "found": spacing.found if known else None,
        "expected": spacing.expected,
        "spacing_p_value": spacing.p_value,
        "spacing_e_value": pair.spacing_e_value,
        "order_p_value": spacing.order_p_value,
        "order_e_value": pair.order_e_value,
    }


PAIR_COLUMNS = (
    "motif_a", "motif_b", "loss_a", "loss_b", "loss_both", "interaction", "standard_error", "kind", "sequences",
    "letters_between", "tolerance", "side", "strand", "found", "expected", "spacing_p_value", "spacing_e_value",
    "order_p_value", "order_e_value",
)  # fmt: skip


def _pairs_table(outcome: Outcome) -> pd.DataFrame:
    table = pd.DataFrame([_pair_row(pair) for pair in outcome.assessment.pairs], columns=list(PAIR_COLUMNS))
    whole = ["letters_between", "tolerance", "found"]
    return table.astype(dict.fromkeys(whole, "Int64"))


def _sites_table(outcome: Outcome) -> pd.DataFrame:
    """Best sites at the threshold in training and held-out positives, with their letters as the motif reads them."""
    examples, sites = outcome.looked_at, outcome.assessment.sites
    found_in = found_sites(outcome.assessment, outcome.site_objective, examples)
    names = np.array(examples.sequences.names, dtype=object)
    parts = _part_names(examples)
    tables = []
    for column, tested in enumerate(outcome.assessment.motifs):
        scores, found = sites.scores[:, column], found_in[column]
        starts, reverse, width = sites.starts[found, column], sites.reverse[found, column], tested.motif.width
        windows = site_windows(examples.sequences, found, starts, reverse, width, _SITE_FLANK)
        tables.append(
            pd.DataFrame(
                {
                    "motif": tested.motif.name,
                    "id": names[found],
                    "split": parts[found],
                    "start": starts,
                    "end": starts + width,
                    "strand": np.where(reverse, "-", "+"),
                    "log_odds": scores[found],
                    "length": examples.sequences.lengths[found],
                    "upstream": _words(windows[:, :_SITE_FLANK], examples.sequences.alphabet),
                    "site": _words(windows[:, _SITE_FLANK : _SITE_FLANK + width], examples.sequences.alphabet),
                    "downstream": _words(windows[:, _SITE_FLANK + width :], examples.sequences.alphabet),
                }
            )
        )
    return pd.concat(tables) if tables else pd.DataFrame(columns=list(SITE_COLUMNS))


SITE_COLUMNS = (
    "motif", "id", "split", "start", "end", "strand", "log_odds", "length", "upstream", "site", "downstream",
)  # fmt: skip

_SITE_FLANK = 5
"""Letters shown on each side of a site, as it is read; those past an end are unknown letters."""


def _words(codes: npt.NDArray[np.uint8], alphabet: Alphabet) -> list[str]:
    return [alphabet.decode(row) for row in codes]


def _positions_table(outcome: Outcome) -> pd.DataFrame:
    """Letters that positives prefer at each position, counted from 1, and what the position alone tells."""
    return pd.concat(
        pd.DataFrame(
            {
                "target": found.target,
                "position": np.arange(1, found.motif.width + 1),
                "letters": [",".join(letters) or None for letters in found.letters],  # "NA" could be two amino acids
                "information_bits": found.motif.information(),
                "test_auroc": found.aurocs,
                "p_value": found.p_values,
                "e_value": found.e_values,
            }
        )
        for found in outcome.positions
    )


def _metrics(outcome: Outcome, negatives_made: str | None) -> dict[str, Any]:
    examples, objective = outcome.examples, outcome.model.objective
    lengths = examples.sequences.lengths
    groups, validated = positive_groups(objective, examples.targeted), outcome.cross_validation
    return {
        "task": objective.task,
        "headline": objective.measures[0],
        "targets": list(objective.targets),
        "classes": list(objective.classes),
        "unit": "sequences" if examples.bases is None else "bases",
        "data": {
            "sequences": len(examples.sequences),
            "shortest": int(lengths.min()),
            "longest": int(lengths.max()),
            "alphabet": examples.sequences.alphabet.name,
            "splits": {part: len(examples.part(part)) for part in PARTS},
            "positives": {
                name: {part: int(group[1][examples.rows(examples.part(part))].sum()) for part in PARTS}
                for name, group in zip(objective.output_names, groups, strict=True)
            },
            "looked_at_for_motifs": len(outcome.looked_at),
            "tracks": _tracks(outcome),
            "negatives_made": negatives_made,
        },
        "test": _scores_dict(outcome.scores("test")),
        "validation": _scores_dict(outcome.scores("validation")),
        **({"cross_validation": cross_validation_metrics(validated)} if validated is not None else {}),
        **({"ablation": ablation_metrics(outcome.channels.ablation)} if outcome.channels.ablation else {}),
        "baselines": {
            f"{baseline.name}_{objective.measures[0]}": baseline.scores.headline for baseline in outcome.baselines
        },
    }


def _tracks(outcome: Outcome) -> list[dict[str, Any]]:
    """Scale of each further channel, and what it lacks."""
    examples = outcome.examples
    lacking = missing(examples.tracks, examples.sequences)
    return [
        asdict(scale) | {"missing_positions": lack.positions, "sequences_without": lack.sequences}
        for scale, lack in zip(outcome.model.scales, lacking, strict=True)
    ]


def _scores_dict(scores: Scores) -> dict[str, Any]:
    """Return the scores of a part, the headline's measure first; the share of positives is what guessing reaches."""
    labels = "average_precision" in scores.measures
    per_target = {
        name: {measure: getattr(target, measure) for measure in scores.measures}
        | {"n": target.n}
        | ({"n_positive": target.positives} if labels else {})
        for name, target in scores.per_target.items()
    }
    means = {measure: scores.mean(measure) for measure in scores.measures}
    guessing = {"share_of_positives": scores.share_of_positives} if labels else {}
    return means | guessing | {"n": scores.n, "per_target": per_target}


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
