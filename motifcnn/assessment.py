"""Motifs on trial: held-out enrichment, weight in the network, known relatives, sites."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.comparison import Match, compare
from motifcnn.encoding import EncodedSequences
from motifcnn.evaluation import score_predictions
from motifcnn.examples import Examples
from motifcnn.extraction import ExtractedMotif, positive_groups
from motifcnn.model.network import MotifNetwork
from motifcnn.motifs import Motif
from motifcnn.objectives import Objective
from motifcnn.scanning.best import BestSites, best_sites
from motifcnn.settings import MotifSettings
from motifcnn.significance import Enrichment, enrichment_test, rank_auroc

_BATCH = 256

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TestedMotif:
    """A motif and what the held-out examples say of it.

    Args:
        extracted: The motif and its filters.
        enrichment: Test on the held-out set.
        e_value: p-value × number of motifs tested.
        train_auroc: AUROC of the best site on the training set.
        importance: Held-out score (AUROC or Pearson) lost when the motif's filters are silenced.
        recurrence: Restarts in which some filter found it.
        match: Nearest known motif, if a database was given and anything came near.
    """

    extracted: ExtractedMotif
    enrichment: Enrichment
    e_value: float
    train_auroc: float
    importance: float
    recurrence: int
    match: Match | None = None

    @property
    def motif(self) -> Motif:
        """The motif itself."""
        return self.extracted.motif


TestedMotif.__test__ = False  # type: ignore[attr-defined]  # not a test case, whatever pytest thinks


@dataclass(frozen=True, eq=False)
class Assessment:
    """All motifs on trial, best first, and their sites in all examples.

    Args:
        motifs: Significant ones first, then by enrichment on the training set.
        sites: Best site of each motif (in their order) in each example.
    """

    motifs: tuple[TestedMotif, ...]
    sites: BestSites


def assess(
    network: MotifNetwork,
    objective: Objective,
    encoded: EncodedSequences,
    examples: Examples,
    extracted: Sequence[ExtractedMotif],
    settings: MotifSettings,
    database: Sequence[Motif],
) -> Assessment:
    """Test each motif on the held-out examples, which took no part in anything before.

    Args:
        network: Trained.
        objective: Its task.
        encoded: All examples on the network's device.
        examples: The same, with their parts.
        extracted: Distinct motifs from the training set.
        settings: Tunables.
        database: Known motifs; may be empty.
    """
    if not extracted:
        none = np.empty((len(examples.sequences), 0))
        return Assessment((), BestSites(none, none.astype(np.int64), none.astype(bool)))
    matrices = [item.motif.log_odds() for item in extracted]
    sites = best_sites(matrices, examples.sequences, network.filters.both_strands)
    groups = positive_groups(objective, examples.values)
    losses = _knock_out(network, objective, encoded, examples, extracted)
    tested = []
    for column, item in enumerate(extracted):
        enrichment = _held_out_test(sites.scores[:, column], groups[item.target], examples, item)
        known, positive = groups[item.target]
        train = examples.part("train")
        train = train[known[train]]
        restarts = {number // network.settings.filters for number in item.filters}
        tested.append(
            TestedMotif(
                item,
                enrichment,
                e_value=enrichment.p_value * len(extracted),
                train_auroc=rank_auroc(sites.scores[train, column], positive[train]),
                importance=losses[column],
                recurrence=len(restarts),
            )
        )
    order = sorted(range(len(tested)), key=lambda n: _rank(tested[n], settings.e_threshold))
    named = [_renamed(tested[old], f"motif_{new}") for new, old in enumerate(order, start=1)]
    matched = _with_matches(named, database)
    return Assessment(
        tuple(matched), BestSites(sites.scores[:, order], sites.starts[:, order], sites.reverse[:, order])
    )


def _rank(tested: TestedMotif, e_threshold: float) -> tuple[bool, float]:
    """Significant first; within, the larger training set orders more surely than the held-out one."""
    return not tested.e_value <= e_threshold, -tested.extracted.statistic


def _renamed(tested: TestedMotif, name: str) -> TestedMotif:
    extracted = tested.extracted.named(name)
    return replace(tested, extracted=replace(extracted, motif=replace(extracted.motif, e_value=tested.e_value)))


def _held_out_test(
    scores: npt.NDArray[np.float64],
    group: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]],
    examples: Examples,
    item: ExtractedMotif,
) -> Enrichment:
    known, positive = group
    held_out = examples.part("test")
    held_out = held_out[known[held_out]]
    lengths = examples.sequences.lengths[held_out]
    return enrichment_test(scores[held_out], positive[held_out], item.threshold, lengths, item.motif.width)


def _knock_out(
    network: MotifNetwork,
    objective: Objective,
    encoded: EncodedSequences,
    examples: Examples,
    extracted: Sequence[ExtractedMotif],
) -> list[float]:
    """Held-out score lost when each motif's filters give their mean activation everywhere."""
    test, train = examples.part("test"), examples.part("train")
    if not len(test):
        return [math.nan] * len(extracted)
    network.eval()
    means = _mean_activations(network, encoded, train)
    values = examples.values[test]
    silenced = [torch.tensor(item.filters, device=encoded.device) for item in extracted]
    logits: list[list[torch.Tensor]] = [[] for _ in range(len(extracted) + 1)]
    with torch.no_grad():
        for chunk in torch.split(torch.from_numpy(test), _BATCH):
            batch = encoded.batch(chunk.to(encoded.device))
            pooled = network.pooled(batch).scores
            activations = network.activate(pooled)
            logits[0].append(network.head_logits(activations, pooled))
            for number, filters in enumerate(silenced, start=1):
                changed = activations.clone()
                changed[:, filters] = torch.where(
                    torch.isfinite(pooled[:, filters]), means[filters][:, None], changed[:, filters]
                )
                logits[number].append(network.head_logits(changed, pooled))
    scores = [  # in double precision: the sigmoid of a large logit is 1 in single, and ties hide the order
        score_predictions(objective, objective.predictions(torch.cat(parts).cpu().double()).numpy(), values).headline
        for parts in logits
    ]
    return [scores[0] - score for score in scores[1:]]


def _mean_activations(network: MotifNetwork, encoded: EncodedSequences, indices: Indices) -> torch.Tensor:
    total = torch.zeros(network.filters.filters, dtype=torch.float64)
    count = torch.zeros(network.filters.filters, dtype=torch.float64)
    with torch.no_grad():
        for chunk in torch.split(torch.from_numpy(indices), _BATCH):
            pooled = network.pooled(encoded.batch(chunk.to(encoded.device))).scores
            known = torch.isfinite(pooled)
            total += (network.activate(pooled) * known).sum(dim=(0, 2)).cpu()
            count += known.sum(dim=(0, 2)).cpu()
    return (total / count.clamp(min=1)).float().to(encoded.device)


def _with_matches(tested: Sequence[TestedMotif], database: Sequence[Motif]) -> list[TestedMotif]:
    if not database or not tested:
        return list(tested)
    matches = compare([item.motif for item in tested], database)
    return [replace(item, match=found[0] if found else None) for item, found in zip(tested, matches, strict=True)]
