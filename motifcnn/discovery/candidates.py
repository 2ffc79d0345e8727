"""Candidate motifs on the training set: how well each tells positives, which are one, which adds what."""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, islice
from typing import Literal

import numpy as np
import numpy.typing as npt

from motifcnn.discovery.forward_selection import (
    RIDGE,
    fitted_chances,
    forward_selection,
    score_tests,
    standardised,
)
from motifcnn.discovery.markov_background import Background
from motifcnn.discovery.similarity import motif_similarity
from motifcnn.motifs import Matrix, Motif
from motifcnn.scanning.best import best_sites
from motifcnn.sequences import Sequences
from motifcnn.settings import MotifSettings
from motifcnn.significance import Thresholds, best_thresholds, rank_auroc

Indices = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Origin = Literal["filter", "word", "rest"]

_SHARED_SITES = 0.5
"""Share of a motif's sites that lie on another's from which the two are one."""

_COLUMN_PENALTY = 1.5
"""Nats that each position must earn: half a nat for each of the three free numbers of a nucleotide position
(an information criterion in the spirit of Akaike 1974, milder as the numbers are not all put to use)."""

_MOST_SELECTED_ON = 3_000
"""Examples, evenly spread over all, on which columns are chosen by what they add."""

_MOST_PARTS = 6
"""Motifs, those of most evidence first, looked at for parts of a mixture."""


@dataclass(frozen=True, eq=False)
class ExtractedMotif:
    """A motif, the filters that hold it and how it does on the training set.

    Args:
        motif: Built from the best filter's sites, or refined.
        filters: Numbers of all filters that found it, the best first.
        target: Number of the output that it goes with.
        threshold: Least score (bits) of a site, chosen on the training set.
        filter_threshold: Least score of the filter itself at a site.
        statistic: Evidence in nats that it tells positives on the training set, each positive scored as
            if it had not contributed to the motif, less a penalty on the width.
        filter_motif: What the filter's sites gave, where the motif was refined from it; None where
            it is the motif.
        filter_similarity: Correlation of the two.
        origin: What refinement started from: the filter's motif, or a word that lies in its sites and is enriched in
            positives, or in the rest of them that better motifs do not explain.
        fitted: Whether the matrix was fitted to the labels in the end.
    """

    motif: Motif
    filters: tuple[int, ...]
    target: int
    threshold: float
    filter_threshold: float
    statistic: float
    filter_motif: Motif | None = None
    filter_similarity: float = 1.0
    origin: Origin = "filter"
    fitted: bool = False

    @property
    def held_by(self) -> tuple[int, int]:
        """Its target and the filter that holds it best, by which a candidate is told from others."""
        return self.target, self.filters[0]

    @property
    def refined(self) -> bool:
        """Whether the motif is another than the filter's sites gave."""
        return self.filter_motif is not None

    @property
    def faithful(self) -> Motif:
        """The motif of the filter's own sites."""
        return self.filter_motif if self.filter_motif is not None else self.motif

    def named(self, name: str) -> "ExtractedMotif":
        """Return it with another name."""
        source = self.filter_motif and replace(self.filter_motif, name=name)
        return replace(self, motif=replace(self.motif, name=name), filter_motif=source)


@dataclass(frozen=True, eq=False)
class Scored:
    """A candidate with its motif's best sites on the training set.

    Args:
        extracted: The candidate.
        scores: Score of the best site in each sequence.
        fair: The same, each positive's as if the motif had not been made from it.
        starts: First position of the best site.
    """

    extracted: ExtractedMotif
    scores: Matrix
    fair: Matrix
    starts: Indices

    @property
    def hits(self) -> Booleans:
        """Sequences with a site."""
        return self.scores >= self.extracted.threshold


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Where candidates compete.

    Args:
        sequences: All sequences that motifs may be made from.
        groups: For each output which of them have a value, and which are positives.
        both_strands: Whether sites may lie on the reverse strand.
        settings: Tunables.
    """

    sequences: Sequences
    groups: Sequence[tuple[Booleans, Booleans]]
    both_strands: bool
    settings: MotifSettings

    @cached_property
    def background(self) -> Background:
        """What stands where no site is."""
        return Background.of(self.sequences, self.settings.background_order, self.both_strands)

    def positives(self, target: int) -> Indices:
        """Return which sequences are positives of an output."""
        return np.flatnonzero(self.groups[target][1])

    def thresholds(self, scores: Matrix, target: int) -> Thresholds:
        """Choose thresholds for columns of scores, shape [sequence, column]."""
        known, positive = self.groups[target]
        return best_thresholds(scores[known], positive[known], self.settings.min_sites)

    def score(self, candidates: Sequence[ExtractedMotif]) -> list[Scored]:
        """Scan with each candidate's motif; the most evidence first, those that are never enriched left out."""
        if not candidates:
            return []
        found = best_sites([item.motif.log_odds() for item in candidates], self.sequences, self.both_strands)
        without_own = self._without_own(candidates, found.scores)
        scored = []
        for column, candidate in enumerate(candidates):
            scores, fair = found.scores[:, column], without_own[:, column]
            choice = self.thresholds(scores[:, None], candidate.target)
            if choice.statistic[0] > 0:
                evidence = self._evidence(fair, candidate.target) - _COLUMN_PENALTY * candidate.motif.width
                extracted = replace(candidate, threshold=float(choice.values[0]), statistic=evidence)
                scored.append(Scored(extracted, scores, fair, found.starts[:, column]))
        return by_evidence(scored)

    def _evidence(self, scores: Matrix, target: int) -> float:
        """The mean of two log-likelihood ratios: of the best threshold, and of the ranks (Mann and Whitney 1947).

        The first rewards strong sites in some positives, the second a say in all of them.
        """
        known, positive = self.groups[target]
        positives, others = int(positive[known].sum()), int((~positive[known]).sum())
        above = max(rank_auroc(scores[known], positive[known]) - 0.5, 0.0)
        ranks = 6.0 * above**2 * positives * others / (positives + others + 1)
        return float(0.5 * (self.thresholds(scores[:, None], target).statistic[0] + ranks))

    def _without_own(self, candidates: Sequence[ExtractedMotif], scores: Matrix) -> Matrix:
        """Return the scores, but each positive's as if the motif had not been made from it."""
        fair = scores.copy()
        for target in sorted({candidate.target for candidate in candidates}):
            own = self.positives(target)
            columns = np.flatnonzero([candidate.target == target for candidate in candidates])
            matrices = [candidates[int(column)].motif.log_odds_without_one() for column in columns]
            fair[np.ix_(own, columns)] = best_sites(matrices, self.sequences.subset(own), self.both_strands).scores
        return fair

    def merge(self, scored: Sequence[Scored], most: int) -> list[Scored]:
        """Keep the best of each set of duplicates, which takes over the others' filters; at most so many.

        Where there are more, the first of each target are kept, then the second of each, and so on.
        """
        kept: list[Scored] = []
        kept_of: Counter[int] = Counter()
        for candidate in scored:
            for number, better in enumerate(kept):
                if self.same(candidate, better):
                    own = better.extracted.filters
                    filters = own + tuple(item for item in candidate.extracted.filters if item not in own)
                    kept[number] = replace(better, extracted=replace(better.extracted, filters=filters))
                    break
            else:
                if kept_of[candidate.extracted.target] < most:
                    kept_of[candidate.extracted.target] += 1
                    kept.append(candidate)
        return [kept[number] for number in in_turns([item.extracted.target for item in kept], most)]

    def same(self, candidate: Scored, better: Scored) -> bool:
        """Whether one of two motifs is enough.

        Of one target, whether the better one takes in the other. Of different targets, whether most sites of each lie
        on the other's: factors of one family mark different sequences with motifs that are alike, and each target
        keeps its own.
        """
        if candidate.extracted.target != better.extracted.target:
            return self._inside(candidate, better) and self._inside(better, candidate)
        return self.takes_in(better, candidate)

    def takes_in(self, item: Scored, other: Scored) -> bool:
        """Whether the matrices agree, or most of the other one's sites lie on those of a motif."""
        matrices = motif_similarity(other.extracted.motif, item.extracted.motif, self.both_strands)
        return matrices.correlation >= self.settings.merge_similarity or self._inside(other, item)

    def _inside(self, item: Scored, other: Scored) -> bool:
        """Whether most of a motif's sites in its positives lie on another's sites."""
        hits = item.hits & self.groups[item.extracted.target][1]
        width, other_width = item.extracted.motif.width, other.extracted.motif.width
        overlapping = other.hits & overlap(item.starts, width, other.starts, other_width)
        return bool((overlapping & hits).sum() >= _SHARED_SITES * max(1, hits.sum()))

    def without_mixtures(self, scored: Sequence[Scored]) -> list[Scored]:
        """Leave out motifs that take in the sites of two others which together tell positives better.

        A wide filter can hold parts of two motifs side by side, and then marks more positives than either.
        """
        return [item for item in scored if not self._mixture(item, scored)]

    def _mixture(self, item: Scored, scored: Sequence[Scored]) -> bool:
        target = item.extracted.target
        others = (other for other in scored if other is not item and other.extracted.target == target)
        inside = list(islice((other for other in others if self.same(other, item)), _MOST_PARTS))
        pairs = [
            (one, other)
            for one, other in combinations(inside, 2)
            if not self.same(one, other) and not self.same(other, one)
        ]
        if not pairs:
            return False
        alone = self._joint_evidence([item]) + _COLUMN_PENALTY * min(one.extracted.motif.width for one, _ in pairs)
        return any(self._joint_evidence(pair) > alone for pair in pairs)

    def _joint_evidence(self, items: Sequence[Scored]) -> float:
        """Log-likelihood in nats of a logistic model of the motifs' best hits."""
        from sklearn.linear_model import LogisticRegression

        known, positive = self.groups[items[0].extracted.target]
        features = np.stack([standardised(item.fair[known]) for item in items], axis=1)
        chances = LogisticRegression(C=1.0 / RIDGE).fit(features, positive[known]).predict_proba(features)
        return float(np.log(np.maximum(chances[np.arange(len(chances)), positive[known].astype(int)], 1e-12)).sum())

    def in_order(self, scored: Sequence[Scored]) -> list[Scored]:
        """Order candidates by what each adds to those before it.

        The first of an output is that of most evidence; each next one adds most to a logistic model of
        the ones before it (by the score test of its best hits), less the penalty on its width. So what
        the first motif explains does not count a second time.
        """
        targets = sorted({item.extracted.target for item in scored})
        own = [[item for item in scored if item.extracted.target == target] for target in targets]
        lists = [self._added(items, target) for target, items in zip(targets, own, strict=True)]
        return [item for _, item in heapq.merge(*lists, key=lambda pair: -pair[0])]

    def _added(self, items: list[Scored], target: int) -> Iterator[tuple[float, Scored]]:
        known, positive = self.groups[target]
        features = np.stack([standardised(item.fair[known]) for item in items])
        penalties = _COLUMN_PENALTY * np.array([item.extracted.motif.width for item in items])
        yield items[0].extracted.statistic, items[0]
        for gain, number in forward_selection(features, positive[known].astype(np.float64), penalties):
            yield gain, items[number]

    def unexplained(self, items: Sequence[Scored]) -> Matrix:
        """Return what a logistic model of motifs of one target leaves of its labels; NaN where there is no label."""
        known, positive = self.groups[items[0].extracted.target]
        left = np.full(len(known), np.nan)
        left[known] = positive[known] - fitted_chances(self._model(items), positive[known].astype(np.float64))
        return left

    def adds_most(self, items: Sequence[Scored], others: Sequence[Scored]) -> Scored:
        """Choose, of further motifs of a target, that which adds most to a logistic model of some, less its penalty."""
        known, positive = self.groups[items[0].extracted.target]
        features = np.stack([standardised(other.fair[known]) for other in others])
        penalties = _COLUMN_PENALTY * np.array([other.extracted.motif.width for other in others])
        gains = score_tests(self._model(items), features, positive[known].astype(np.float64)) - penalties
        return others[int(gains.argmax())]

    def _model(self, items: Sequence[Scored]) -> Matrix:
        known, _ = self.groups[items[0].extracted.target]
        return np.stack([np.ones(int(known.sum())), *(standardised(item.fair[known]) for item in items)], axis=1)

    def adding(self, scores: Matrix, target: int, first: int, most: int) -> Indices:
        """Choose columns by what each adds to those before it in a logistic model of an output.

        Args:
            scores: Of the best windows, shape [sequence, column].
            target: Number of the output.
            first: The column to begin with.
            most: Number of columns to choose besides.
        """
        known, positive = self.groups[target]
        own = np.flatnonzero(known)
        own = own[:: -(-len(own) // _MOST_SELECTED_ON) or 1]
        order = np.append(first, np.delete(np.arange(scores.shape[1]), first))
        features = np.stack([standardised(scores[own, column]) for column in order])
        chosen = forward_selection(features, positive[own].astype(np.float64), np.zeros(len(order)))
        return order[[number for gain, number in islice(chosen, most) if gain > 0]]


def in_turns(targets: Sequence[int], most: int) -> list[int]:
    """Choose so many of a ranked list, the first of each target before the second of any.

    Args:
        targets: Target of each, the best first.
        most: How many at most.

    Returns:
        Their places in the list, in its order.
    """
    seen: Counter[int] = Counter()
    turns = []
    for target in targets:
        turns.append(seen[target])
        seen[target] += 1
    return sorted(np.argsort(turns, kind="stable")[:most].tolist())


def by_evidence(scored: Sequence[Scored]) -> list[Scored]:
    """Sort candidates, the most evidence first."""
    return sorted(scored, key=lambda item: -item.extracted.statistic)


def overlap(
    starts: npt.NDArray[np.int64], width: int, other_starts: npt.NDArray[np.int64], other_width: int
) -> Booleans:
    """Whether sites share at least half of the narrower one's positions; shapes as numpy broadcasts them."""
    first = np.maximum(starts, other_starts)
    last = np.minimum(starts + width, other_starts + other_width)
    return np.asarray(last - first >= 0.5 * min(width, other_width))
