"""What a training run found."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from motifcnn.discovery.assessment import Assessment
from motifcnn.discovery.channel_findings import ChannelFindings
from motifcnn.discovery.fixed_positions import FixedPositions
from motifcnn.inputs.examples import Examples
from motifcnn.inputs.splits import Part
from motifcnn.learning.baselines import Baseline
from motifcnn.learning.cross_validation import CrossValidation
from motifcnn.learning.evaluation import Scores, score_predictions
from motifcnn.learning.training import EpochRecord
from motifcnn.model.store import TrainedModel
from motifcnn.model.table import LayerRow
from motifcnn.motifs import Motif
from motifcnn.objectives import Objective


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
