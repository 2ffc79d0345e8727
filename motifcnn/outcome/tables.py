"""The tables of a run directory that tell what was found: predictions, motifs, pairs, sites."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from motifcnn.alphabet import Alphabet
from motifcnn.discovery.assessment import MotifPair, TestedMotif, found_sites
from motifcnn.discovery.extraction import site_windows
from motifcnn.inputs.examples import Examples
from motifcnn.inputs.splits import PARTS
from motifcnn.outcome.found import Outcome


def _part_names(examples: Examples) -> npt.NDArray[np.str_]:
    return np.array(PARTS)[examples.split]


def predictions_table(outcome: Outcome) -> pd.DataFrame:
    """Return what was measured and what the network says, a row for each example; values of bases in one cell."""
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


def baselines_table(outcome: Outcome) -> pd.DataFrame:
    """Return what the trivial models say of the first output, a row for each held-out example."""
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


def motifs_table(outcome: Outcome, e_threshold: float) -> pd.DataFrame:
    """Return a row for each motif, best first.

    Args:
        outcome: What was found.
        e_threshold: Largest held-out E-value of a motif called significant.
    """
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


def pairs_table(outcome: Outcome) -> pd.DataFrame:
    """Return a row for each pair of significant motifs."""
    table = pd.DataFrame([_pair_row(pair) for pair in outcome.assessment.pairs], columns=list(PAIR_COLUMNS))
    whole = ["letters_between", "tolerance", "found"]
    return table.astype(dict.fromkeys(whole, "Int64"))


def sites_table(outcome: Outcome) -> pd.DataFrame:
    """Return the best sites at the threshold in training and held-out positives, letters as the motif reads them."""
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


def positions_table(outcome: Outcome) -> pd.DataFrame:
    """Return the letters that positives prefer at each position, counted from 1, and what the position alone tells."""
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
