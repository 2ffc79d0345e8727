"""Motifs on trial: held-out enrichment, weight in the network, known relatives, sites."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from motifcnn.discovery.candidates import ExtractedMotif
from motifcnn.discovery.comparison import Relatives
from motifcnn.discovery.composition import UNTESTED, CompositionTest, HeldOut, composition_test
from motifcnn.discovery.extraction import positive_groups
from motifcnn.discovery.knockout import Interaction, knock_out
from motifcnn.discovery.nearest import FlankedMotif, nearest_known
from motifcnn.discovery.placement import Centrality, central_enrichment
from motifcnn.discovery.spacing import Placed, Spacing, spacing_test
from motifcnn.encoding import EncodedSequences
from motifcnn.inputs.examples import Examples
from motifcnn.inputs.splits import PARTS
from motifcnn.model.network import MotifNetwork
from motifcnn.motifs import Motif
from motifcnn.objectives import Objective
from motifcnn.scanning.best import BestSites, best_sites, occupancies
from motifcnn.sequences import Sequences
from motifcnn.settings import MotifSettings
from motifcnn.significance import Enrichment, enrichment_test, rank_auroc

MOST_PAIRED = 8
"""Significant motifs that are more than composition, looked at in pairs, the best first."""

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TestedMotif:
    """A motif and what the held-out examples say of it.

    Args:
        extracted: The motif and its filters.
        enrichment: Test on the held-out set, with the sites of its target's better significant motifs erased.
        e_value: p-value × number of motifs tested.
        occupancy_auroc: Held-out AUROC of the sum of the motif's odds over all places.
        composition: Whether more than the positives' composition is needed to explain it.
        train_auroc: AUROC of the best site on the training set.
        importance: Held-out score (the headline's measure) lost when the motif's filters are silenced.
        centrality: Whether the held-out positives' sites crowd around the middle.
        central_e_value: Its p-value × number of motifs tested.
        recurrence: Restarts in which some filter found it.
        relatives: Nearest known motifs, if a database was given.
        known: The nearest one itself.
    """

    extracted: ExtractedMotif
    enrichment: Enrichment
    e_value: float
    occupancy_auroc: float
    composition: CompositionTest
    train_auroc: float
    importance: float
    centrality: Centrality
    central_e_value: float
    recurrence: int
    relatives: Relatives | None = None
    known: Motif | None = None

    @property
    def motif(self) -> Motif:
        """The motif itself."""
        return self.extracted.motif


TestedMotif.__test__ = False  # type: ignore[attr-defined]  # not a test case, whatever pytest thinks


@dataclass(frozen=True, eq=False)
class MotifPair:
    """Two significant motifs, or two sites of one, and what they do together.

    Args:
        first: The better one.
        second: The other; the same where two sites of one motif are looked at.
        interaction: In the network, on the held-out set; of one motif not defined.
        spacing: In the positives.
        tested: Number of pairs looked at, those of one motif with itself included.
    """

    first: TestedMotif
    second: TestedMotif
    interaction: Interaction
    spacing: Spacing
    tested: int

    @property
    def spacing_e_value(self) -> float:
        """p-value of the spacing × number of pairs."""
        return self.spacing.p_value * self.tested

    @property
    def order_e_value(self) -> float:
        """p-value of order and orientation × number of pairs."""
        return self.spacing.order_p_value * self.tested


@dataclass(frozen=True, eq=False)
class Assessment:
    """All motifs on trial, best first, and their sites in all examples.

    Args:
        motifs: Significant ones first, then by what each adds on the training set; those that were sought in what
            others leave never before the first of their target.
        sites: Best site of each motif (in their order) in each example.
        pairs: The best significant motifs, two by two, and then each with itself.
    """

    motifs: tuple[TestedMotif, ...]
    sites: BestSites
    pairs: tuple[MotifPair, ...] = ()


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
        generator: Source of shuffles and permutations.
    """
    if not extracted:
        none = np.empty((len(examples.sequences), 0))
        return Assessment((), BestSites(none, none.astype(np.int64), none.astype(bool)))
    both_strands, e_threshold = network.filters.both_strands, settings.e_threshold
    sites = best_sites([item.motif.log_odds() for item in extracted], examples.sequences, both_strands)
    groups = positive_groups(objective, examples.values)
    enrichments = _held_out_tests(extracted, sites, groups, examples, both_strands, e_threshold)
    e_values = [enrichment.p_value * len(extracted) for enrichment in enrichments]
    order = _order(extracted, [e_value <= e_threshold for e_value in e_values])
    ranked = [_renamed(extracted[old], f"motif_{new}", e_values[old]) for new, old in enumerate(order, start=1)]
    sites = BestSites(sites.scores[:, order], sites.starts[:, order], sites.reverse[:, order])
    trial = _Trial(sites, groups, examples, network, generator)
    tested = [
        trial.tested(column, item, enrichments[old])
        for column, (item, old) in enumerate(zip(ranked, order, strict=True))
    ]
    chosen = [
        number for number, item in enumerate(tested) if item.e_value <= e_threshold and not item.composition.explained
    ][:MOST_PAIRED]
    numbers = list(combinations(chosen, 2))
    silenced = knock_out(network, objective, encoded, examples, [item.filters for item in ranked], numbers)
    weighed = [replace(item, importance=loss) for item, loss in zip(tested, silenced.losses, strict=True)]
    matched = trial.with_known(weighed, database, settings.motif_flank)
    looked_at = len(numbers) + len(chosen)
    pairs = [
        trial.pair(matched, a, b, interaction, looked_at)
        for (a, b), interaction in zip(numbers, silenced.interactions, strict=True)
    ]
    pairs += [trial.two_sites(matched, column, looked_at) for column in chosen]
    return Assessment(tuple(matched), sites, tuple(pairs))


def found_sites(assessment: Assessment, objective: Objective, examples: Examples) -> list[Indices]:
    """Return, for each motif, the training and held-out positives whose best site reaches its threshold."""
    groups = positive_groups(objective, examples.values)
    measured = examples.split != PARTS.index("validation")
    return [
        np.flatnonzero(
            groups[tested.extracted.target][1]
            & measured
            & (assessment.sites.scores[:, column] >= tested.extracted.threshold)
        )
        for column, tested in enumerate(assessment.motifs)
    ]


def _order(extracted: Sequence[ExtractedMotif], significant: Sequence[bool]) -> list[int]:
    """Put significant motifs first, else in the order found, best first.

    A motif sought in what others leave stays behind the first of its target: that a few held-out examples of a small
    set happen to bear out the one and not the other does not turn a remark on the rest into the finding.
    """
    leaders: dict[int, int] = {}
    for number, item in enumerate(extracted):
        leaders.setdefault(item.target, number)

    def later(number: int) -> bool:
        item = extracted[number]
        return not (significant[number] and (item.origin != "rest" or significant[leaders[item.target]]))

    return sorted(range(len(extracted)), key=later)


def _renamed(extracted: ExtractedMotif, name: str, e_value: float) -> ExtractedMotif:
    named = extracted.named(name)
    return replace(named, motif=replace(named.motif, e_value=e_value))


def _held_out_tests(
    extracted: Sequence[ExtractedMotif],
    sites: BestSites,
    groups: Sequence[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]],
    examples: Examples,
    both_strands: bool,
    e_threshold: float,
) -> list[Enrichment]:
    """Test the motifs in turn, best first, each on what the significant ones of its target before it leave.

    A significant motif's best site in a sequence is erased where it reaches the threshold, as STREME does
    (Bailey 2021), so that half a motif, or a shifted copy of it, does not pass for another. What marks another target
    says nothing of that: the core of one factor's motif may be the motif of another factor of the family. The AUROC
    is the motif's own, with nothing erased.
    """
    held_out = examples.part("test")
    left: dict[int, Sequences] = {}
    enrichments = []
    for column, item in enumerate(extracted):
        known, positive = groups[item.target]
        own = held_out[known[held_out]]
        if item.target not in left:
            left[item.target] = examples.sequences.subset(own)
        found = best_sites([item.motif.log_odds()], left[item.target], both_strands)
        lengths = left[item.target].lengths
        enrichment = enrichment_test(found.scores[:, 0], positive[own], item.threshold, lengths, item.motif.width)
        if not math.isnan(enrichment.auroc):
            enrichment = replace(enrichment, auroc=rank_auroc(sites.scores[own, column], positive[own]))
        enrichments.append(enrichment)
        if enrichment.p_value * len(extracted) <= e_threshold:
            _erase(left[item.target], found, item)
    return enrichments


def _erase(sequences: Sequences, found: BestSites, item: ExtractedMotif) -> None:
    """Overwrite the best sites that reach the motif's threshold with the unknown letter, which no site may hold."""
    hit = np.flatnonzero(found.scores[:, 0] >= item.threshold)
    first = sequences.offsets[hit] + found.starts[hit, 0]
    sequences.codes[first[:, None] + np.arange(item.motif.width)] = sequences.alphabet.unknown


class _Trial:
    """What the tests of all motifs share.

    Args:
        sites: Best sites of the motifs, in their order.
        groups: For each output which examples have a value and which are positives.
        examples: All examples.
        network: Trained.
        generator: Source of shuffles and permutations.
    """

    def __init__(
        self,
        sites: BestSites,
        groups: Sequence[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]],
        examples: Examples,
        network: MotifNetwork,
        generator: np.random.Generator,
    ):
        self.sites, self.groups, self.examples, self.generator = sites, groups, examples, generator
        self.both_strands, self.filters = network.filters.both_strands, network.architecture.filters
        self._held_out: dict[int, tuple[Indices, HeldOut]] = {}

    def held_out(self, target: int) -> tuple[Indices, HeldOut]:
        """Return the held-out examples with a value of an output, and shuffles of its positives."""
        if target not in self._held_out:
            known, positive = self.groups[target]
            test = self.examples.part("test")
            own = test[known[test]]
            data = HeldOut.of(self.examples.sequences.subset(own), positive[own], self.generator)
            self._held_out[target] = own, data
        return self._held_out[target]

    def tested(self, column: int, item: ExtractedMotif, enrichment: Enrichment) -> TestedMotif:
        """Put one motif through the tests for which nothing is erased; its importance is not yet known."""
        own, data = self.held_out(item.target)
        scores = self.sites.scores[:, column]
        composition = composition_test(item.motif, item.threshold, scores[own], data, self.both_strands)
        sums = occupancies([item.motif.log_odds()], data.sequences, self.both_strands)[:, 0]
        sited = own[data.positive & (scores[own] >= item.threshold)]
        starts, lengths = self.sites.starts[sited, column], self.examples.sequences.lengths[sited]
        centrality = central_enrichment(starts, lengths, item.motif.width)
        known, positive = self.groups[item.target]
        train = self.examples.part("train")
        train = train[known[train]]
        number = self.sites.scores.shape[1]
        return TestedMotif(
            item,
            enrichment,
            e_value=enrichment.p_value * number,
            occupancy_auroc=math.nan if composition is UNTESTED else rank_auroc(sums, data.positive),
            composition=composition,
            train_auroc=rank_auroc(scores[train], positive[train]),
            importance=math.nan,
            centrality=centrality,
            central_e_value=centrality.p_value * number,
            recurrence=len({filter_number // self.filters for filter_number in item.filters}),
        )

    def with_known(self, tested: Sequence[TestedMotif], database: Sequence[Motif], flank: int) -> list[TestedMotif]:
        """Find the nearest known motifs, by the motifs and what stands beside their sites outside the held-out set."""
        flanked = [self._flanked(column, item.extracted, flank) for column, item in enumerate(tested)]
        by_name = {motif.name: motif for motif in database}
        return [
            replace(item, relatives=near, known=by_name[near.best.target_name] if near else None)
            for item, near in zip(tested, nearest_known(flanked, database), strict=True)
        ]

    def _flanked(self, column: int, item: ExtractedMotif, flank: int) -> FlankedMotif:
        hits = self.groups[item.target][1] & (self.sites.scores[:, column] >= item.threshold)
        members = np.flatnonzero(hits & (self.examples.split != PARTS.index("test")))
        starts, reverse = self.sites.starts[members, column], self.sites.reverse[members, column]
        return FlankedMotif.of(item.motif, self.examples.sequences, members, starts, reverse, flank)

    def pair(self, tested: Sequence[TestedMotif], a: int, b: int, interaction: Interaction, number: int) -> MotifPair:
        """Describe two motifs; their spacing in the positives of both, where both have a site."""
        both = self.groups[tested[a].extracted.target][1] & self.groups[tested[b].extracted.target][1]
        for column in (a, b):
            both = both & (self.sites.scores[:, column] >= tested[column].extracted.threshold)
        where = np.flatnonzero(both)
        first, second = (
            Placed(self.sites.starts[where, column], self.sites.reverse[where, column], tested[column].motif.width)
            for column in (a, b)
        )
        spacing = spacing_test(first, second, self.examples.sequences.lengths[where], self.generator)
        return MotifPair(tested[a], tested[b], interaction, spacing, number)

    def two_sites(self, tested: Sequence[TestedMotif], column: int, number: int) -> MotifPair:
        """Describe the best and the next best site of one motif in positives that hold two apart."""
        item = tested[column].extracted
        where = np.flatnonzero(self.groups[item.target][1] & (self.sites.scores[:, column] >= item.threshold))
        best = BestSites(*(part[where, column : column + 1] for part in _parts(self.sites)))
        left = self.examples.sequences.subset(where)
        _erase(left, best, item)
        other = best_sites([item.motif.log_odds()], left, self.both_strands)
        two = np.flatnonzero(other.scores[:, 0] >= item.threshold)
        first, second = (
            Placed(found.starts[two, 0], found.reverse[two, 0], item.motif.width) for found in (best, other)
        )
        spacing = spacing_test(first, second, left.lengths[two], self.generator)
        return MotifPair(tested[column], tested[column], Interaction(math.nan, math.nan, math.nan), spacing, number)


def _parts(sites: BestSites) -> tuple[npt.NDArray[Any], ...]:
    return sites.scores, sites.starts, sites.reverse
