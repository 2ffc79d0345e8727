"""Motifs on trial: held-out enrichment, weight in the network, known relatives, sites."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.comparison import Match, compare
from motifcnn.composition import UNTESTED, CompositionTest, HeldOut, composition_test
from motifcnn.encoding import EncodedSequences
from motifcnn.evaluation import score_predictions
from motifcnn.examples import Examples
from motifcnn.extraction import ExtractedMotif, positive_groups
from motifcnn.model.network import MotifNetwork
from motifcnn.motifs import Motif
from motifcnn.objectives import Objective
from motifcnn.scanning.best import BestSites, best_sites, occupancies
from motifcnn.sequences import Sequences
from motifcnn.settings import MotifSettings
from motifcnn.significance import Enrichment, enrichment_test, rank_auroc

_BATCH = 256

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TestedMotif:
    """A motif and what the held-out examples say of it.

    Args:
        extracted: The motif and its filters.
        enrichment: Test on the held-out set, with the sites of better significant motifs erased.
        e_value: p-value × number of motifs tested.
        occupancy_auroc: Held-out AUROC of the sum of the motif's odds over all places.
        composition: Whether more than the positives' composition is needed to explain it.
        train_auroc: AUROC of the best site on the training set.
        importance: Held-out score (AUROC or Pearson) lost when the motif's filters are silenced.
        recurrence: Restarts in which some filter found it.
        match: Nearest known motif, if a database was given and anything came near.
    """

    extracted: ExtractedMotif
    enrichment: Enrichment
    e_value: float
    occupancy_auroc: float
    composition: CompositionTest
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
    generator: np.random.Generator,
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
        generator: Source of the shuffles.
    """
    if not extracted:
        none = np.empty((len(examples.sequences), 0))
        return Assessment((), BestSites(none, none.astype(np.int64), none.astype(bool)))
    matrices = [item.motif.log_odds() for item in extracted]
    sites = best_sites(matrices, examples.sequences, network.filters.both_strands)
    groups = positive_groups(objective, examples.values)
    losses = _knock_out(network, objective, encoded, examples, extracted)
    both_strands, e_threshold = network.filters.both_strands, settings.e_threshold
    enrichments = _held_out_tests(extracted, sites, groups, examples, both_strands, e_threshold)
    unerased = _unerased_tests(extracted, sites, groups, examples, both_strands, generator)
    tested = []
    for column, (item, enrichment) in enumerate(zip(extracted, enrichments, strict=True)):
        known, positive = groups[item.target]
        train = examples.part("train")
        train = train[known[train]]
        restarts = {number // network.settings.filters for number in item.filters}
        tested.append(
            TestedMotif(
                item,
                enrichment,
                e_value=enrichment.p_value * len(extracted),
                occupancy_auroc=unerased[column][0],
                composition=unerased[column][1],
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


def _held_out_tests(
    extracted: Sequence[ExtractedMotif],
    sites: BestSites,
    groups: Sequence[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]],
    examples: Examples,
    both_strands: bool,
    e_threshold: float,
) -> list[Enrichment]:
    """Test the motifs in turn, best first, each on what the significant ones before it leave.

    A significant motif's best site in a sequence is erased where it reaches the threshold, as STREME does
    (Bailey 2021), so that half a motif, or a shifted copy of it, does not pass for another. The AUROC is the
    motif's own, with nothing erased.
    """
    held_out = examples.part("test")
    left = examples.sequences.subset(held_out)
    enrichments = []
    for column, item in enumerate(extracted):
        found = best_sites([item.motif.log_odds()], left, both_strands)
        known, positive = (mask[held_out] for mask in groups[item.target])
        scores, lengths = found.scores[known, 0], left.lengths[known]
        enrichment = enrichment_test(scores, positive[known], item.threshold, lengths, item.motif.width)
        if not math.isnan(enrichment.auroc):
            alone = sites.scores[held_out[known], column]
            enrichment = replace(enrichment, auroc=rank_auroc(alone, positive[known]))
        enrichments.append(enrichment)
        if enrichment.p_value * len(extracted) <= e_threshold:
            _erase(left, found, item)
    return enrichments


def _unerased_tests(
    extracted: Sequence[ExtractedMotif],
    sites: BestSites,
    groups: Sequence[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]],
    examples: Examples,
    both_strands: bool,
    generator: np.random.Generator,
) -> list[tuple[float, CompositionTest]]:
    """For each motif, with nothing erased: held-out AUROC of its occupancy, and whether composition explains it."""
    held_out = examples.part("test")
    by_target: dict[int, tuple[Indices, HeldOut]] = {}
    results = []
    for column, item in enumerate(extracted):
        if item.target not in by_target:
            known, positive = groups[item.target]
            own = held_out[known[held_out]]
            by_target[item.target] = own, HeldOut.of(examples.sequences.subset(own), positive[own], generator)
        own, data = by_target[item.target]
        test = composition_test(item.motif, item.threshold, sites.scores[own, column], data, both_strands)
        sums = occupancies([item.motif.log_odds()], data.sequences, both_strands)[:, 0]
        results.append((math.nan if test is UNTESTED else rank_auroc(sums, data.positive), test))
    return results


def _erase(sequences: Sequences, found: BestSites, item: ExtractedMotif) -> None:
    """Overwrite the best sites that reach the motif's threshold with the unknown letter, which no site may hold."""
    hit = np.flatnonzero(found.scores[:, 0] >= item.threshold)
    first = sequences.offsets[hit] + found.starts[hit, 0]
    sequences.codes[first[:, None] + np.arange(item.motif.width)] = sequences.alphabet.unknown


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
