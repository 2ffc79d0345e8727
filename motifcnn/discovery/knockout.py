"""What motifs do in the network: held-out score lost when their filters are silenced, alone and in pairs.

A silenced filter gives its mean training activation everywhere, so that it says nothing of any example. Scores are
those of the filters alone: sums of words beside them would know a silenced motif's letters still.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.encoding import EncodedSequences
from motifcnn.inputs.examples import Examples
from motifcnn.learning.evaluation import headline_score
from motifcnn.model.network import MotifNetwork
from motifcnn.objectives import Objective

_BATCH = 256
_GROUPS = 10
"""Parts of the held-out examples that are left out in turn to see how firm an interaction is."""

Filters = tuple[int, ...]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interaction:
    """What two motifs do together.

    Args:
        loss: Held-out score lost when both are silenced.
        excess: That loss less the two motifs' own. Above 0 either makes up for the other (redundant); below 0
            each is of use only beside the other (synergistic).
        standard_error: Of the excess, by leaving out tenths of the examples (jackknife).
    """

    loss: float
    excess: float
    standard_error: float

    @property
    def kind(self) -> str:
        """In a word: "redundant", "synergistic" or, within two standard errors of 0, "independent"."""
        if math.isnan(self.excess) or math.isnan(self.standard_error):
            return ""
        if abs(self.excess) <= 2 * self.standard_error:
            return "independent"
        return "redundant" if self.excess > 0 else "synergistic"


@dataclass(frozen=True, eq=False)
class KnockOut:
    """What silencing costs.

    Args:
        losses: Held-out score (the headline's measure) lost by each motif alone.
        interactions: One a pair.
    """

    losses: tuple[float, ...]
    interactions: tuple[Interaction, ...]


def knock_out(
    network: MotifNetwork,
    objective: Objective,
    encoded: EncodedSequences,
    examples: Examples,
    motifs: Sequence[Filters],
    pairs: Sequence[tuple[int, int]] = (),
) -> KnockOut:
    """Silence each motif's filters, and those of each pair, and score the held-out examples again.

    Args:
        network: Trained.
        objective: Its task.
        encoded: All examples on the network's device.
        examples: The same, with their parts.
        motifs: Filters of each motif.
        pairs: Numbers of motifs to be silenced together.
    """
    test = examples.part("test")
    if not len(test):
        nothing = Interaction(math.nan, math.nan, math.nan)
        return KnockOut((math.nan,) * len(motifs), (nothing,) * len(pairs))
    silenced = [*motifs, *(motifs[a] + motifs[b] for a, b in pairs)]
    means = _mean_activations(network, encoded, examples.part("train"))
    predictions = _predictions(network, objective, encoded, test, silenced, means)
    values = examples.values[test]
    losses = _losses(objective, predictions, values)
    replicates = _leaving_out(objective, predictions, values) if pairs else np.empty((0, len(silenced)))
    interactions = []
    for column, (a, b) in enumerate(pairs, start=len(motifs)):
        excess = replicates[:, column] - replicates[:, a] - replicates[:, b]
        error = math.sqrt((_GROUPS - 1) / _GROUPS * float(((excess - excess.mean()) ** 2).sum()))
        interactions.append(Interaction(float(losses[column]), float(losses[column] - losses[a] - losses[b]), error))
    return KnockOut(tuple(losses[: len(motifs)].tolist()), tuple(interactions))


def _losses(objective: Objective, predictions: Floats, values: npt.NDArray[np.float32]) -> Floats:
    """Score of the whole network less that of each silenced one."""
    scores = np.array([headline_score(objective, guesses, values) for guesses in predictions])
    return np.asarray(scores[0] - scores[1:])


def _leaving_out(objective: Objective, predictions: Floats, values: npt.NDArray[np.float32]) -> Floats:
    """Losses without each group of examples, shape [group, silenced]; groups are alike in the first target."""
    group = np.empty(len(values), dtype=np.int64)
    group[np.argsort(values[:, 0], kind="stable")] = np.arange(len(values)) % _GROUPS
    return np.stack(
        [_losses(objective, predictions[:, group != left], values[group != left]) for left in range(_GROUPS)]
    )


def _predictions(
    network: MotifNetwork,
    objective: Objective,
    encoded: EncodedSequences,
    indices: npt.NDArray[np.int64],
    silenced: Sequence[Filters],
    means: torch.Tensor,
) -> Floats:
    """Predictions of the whole network and of each silenced one, shape [1 + silenced, example, output]."""
    network.eval()
    numbers = [torch.tensor(filters, device=encoded.device) for filters in silenced]
    logits: list[list[torch.Tensor]] = [[] for _ in range(len(silenced) + 1)]
    with torch.no_grad():
        for chunk in torch.split(torch.from_numpy(indices), _BATCH):
            pooled = network.pooled(encoded.batch(chunk.to(encoded.device))).scores
            activations = network.activate(pooled)
            logits[0].append(network.head_logits(activations, pooled))
            for number, filters in enumerate(numbers, start=1):
                changed = activations.clone()
                changed[:, filters] = torch.where(
                    torch.isfinite(pooled[:, filters]), means[filters][:, None], changed[:, filters]
                )
                logits[number].append(network.head_logits(changed, pooled))
    # in double precision: the sigmoid of a large logit is 1 in single, and ties hide the order
    return np.stack([objective.predictions(torch.cat(parts).cpu().double()).numpy() for parts in logits])


def _mean_activations(network: MotifNetwork, encoded: EncodedSequences, indices: npt.NDArray[np.int64]) -> torch.Tensor:
    network.eval()
    total = torch.zeros(network.filters.filters, dtype=torch.float64)
    count = torch.zeros(network.filters.filters, dtype=torch.float64)
    with torch.no_grad():
        for chunk in torch.split(torch.from_numpy(indices), _BATCH):
            pooled = network.pooled(encoded.batch(chunk.to(encoded.device))).scores
            known = torch.isfinite(pooled)
            total += (network.activate(pooled) * known).sum(dim=(0, 2)).cpu()
            count += known.sum(dim=(0, 2)).cpu()
    return (total / count.clamp(min=1)).float().to(encoded.device)
