"""The figures of a run, for metrics.json."""

from dataclasses import asdict
from typing import Any

from motifcnn.discovery.channel_findings import ablation_metrics
from motifcnn.discovery.extraction import positive_groups
from motifcnn.inputs.channels import missing
from motifcnn.inputs.splits import PARTS
from motifcnn.learning.cross_validation import cross_validation_metrics
from motifcnn.learning.evaluation import Scores
from motifcnn.outcome.found import Outcome


def run_metrics(outcome: Outcome, negatives_made: str | None) -> dict[str, Any]:
    """Return what metrics.json holds: the task, the data, the scores of the parts, and those of the trivial models.

    Args:
        outcome: What was found.
        negatives_made: How negatives were made, or None.
    """
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
