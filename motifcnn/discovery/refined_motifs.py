"""Filters' motifs, refined: on the positives they mark, beside enriched words, and against the labels."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from motifcnn.discovery.candidates import ExtractedMotif, Scored, TrainingSet, by_evidence, in_turns
from motifcnn.discovery.discrimination import discriminate, rescaled
from motifcnn.discovery.refinement import NO_ANCHOR, refine
from motifcnn.discovery.similarity import motif_similarity
from motifcnn.discovery.word_motifs import FilterSites, WordMotifs, with_faithful
from motifcnn.learning.paired_tests import delong
from motifcnn.motifs import Motif
from motifcnn.scanning.best import best_sites

_LEAST_REFINED, _MOST_REFINED, _LEAST_OF_EACH = 8, 32, 2
_REFINED_LETTERS = 3_000_000
"""Distinct motifs refined: as many as read so many letters a round, within these bounds; and so many of each target
where that is more, but no more than are reported. Small training sets, where the best filter may rank low, are
refined most widely; large ones stay quick."""

_EXPLAINING = 5
"""Motifs of a target that are chosen in turn, each among words that tell what those before it leave, too."""

_BEYOND_DOUBT = 2.0
"""Standard errors by which a fit to the labels must tell unseen examples better to be kept."""

Indices = npt.NDArray[np.int64]


def refined_motifs(
    candidates: Sequence[ExtractedMotif], scored: Sequence[Scored], filters: FilterSites, shown: TrainingSet
) -> list[Scored]:
    """Refine filters' motifs and enriched words on the positives; the most evidence first.

    Args:
        candidates: The motifs of all filters that mark positives.
        scored: The same, scored.
        filters: Where the filters fire.
        shown: The training set.
    """
    most = _number_to_refine(shown)
    distinct = shown.merge(scored, most)
    from_filters = _settled(_refine(distinct, filters, shown), distinct, shown)
    known = [item for item in shown.merge(from_filters, most) if item.extracted.statistic > 0]
    # a word's motif that takes in the sites of several motifs that filters tell apart is a mixture of them
    words = WordMotifs.of(candidates, filters, shown, most).enriched()
    return by_evidence([*from_filters, *(item for item in words if _alike(item, known, shown) <= 1)])


def with_words_for_the_rest(
    distinct: Sequence[Scored], candidates: Sequence[ExtractedMotif], filters: FilterSites, shown: TrainingSet
) -> list[Scored]:
    """Add motifs of words enriched in what the first motifs do not explain, where a set is small enough to afford it.

    On few sequences filters tell the first motif and little else. The first motif of a target is that of most evidence;
    each next one, of a filter or of a word that tells what those before it leave, adds most to a logistic model of
    them. Motifs that one of these takes in, or that mark another target as well, are left out.

    Args:
        distinct: Motifs, the most evidence first.
        candidates: The motifs of all filters that mark positives.
        filters: Where the filters fire.
        shown: The training set.
    """
    most = _number_to_refine(shown)
    if most < _MOST_REFINED:
        return list(distinct)
    words = WordMotifs.of(candidates, filters, shown, most)
    result: list[Scored] = []
    for target in range(len(shown.groups)):
        own = [item for item in distinct if item.extracted.target == target]
        apart = [*result, *(item for item in distinct if item.extracted.target > target)]
        chosen, left = own[:1], own[1:]
        for _ in range(1, min(_EXPLAINING, shown.settings.max_motifs) if own else 0):
            left += words.for_the_rest(chosen)
            left = [item for item in left if not any(shown.same(item, known) for known in (*chosen, *apart))]
            if not left:
                break
            chosen.append(shown.adds_most(chosen, left))
            left.remove(chosen[-1])
        result += chosen + [item for item in own if item in left]
    return [result[n] for n in in_turns([item.extracted.target for item in result], shown.settings.max_motifs)]


def fitted_to_labels(ordered: Sequence[Scored], shown: TrainingSet) -> list[Scored]:
    """Fit the matrix of each output's first motif to the labels, where there are examples enough and it pays.

    The first motif is the one that explains most; the others' sites tell too little to be fitted. Where positives
    hold several motifs a matrix can gain by taking in the sites of another: such a fit is not kept.
    """
    seen: set[int] = set()
    result = []
    for item in ordered:
        first = item.extracted.target not in seen
        seen.add(item.extracted.target)
        fitted = _fitted(item, shown) if first else item
        result.append(item if first and _strayed(fitted, item, ordered, shown) else fitted)
    return result


def _fitted(item: Scored, shown: TrainingSet) -> Scored:
    source = item.extracted
    motif = _discriminated(source, np.flatnonzero(shown.groups[source.target][0]), shown)
    if motif is None:
        return item
    kept = _tells_more(source, shown)
    motif = _as_sharp_as_its_sites(motif if kept else source.motif, source.target, shown)
    likeness = motif_similarity(motif, source.faithful, shown.both_strands).correlation
    if motif_similarity(motif, source.motif, shown.both_strands).correlation < shown.settings.refine_similarity:
        return item  # the fit ran into another motif
    found = best_sites([motif.log_odds()], shown.sequences, shown.both_strands)
    choice = shown.thresholds(found.scores, source.target)
    if choice.statistic[0] <= 0:
        return item
    fitted = replace(
        source,
        motif=motif,
        threshold=float(choice.values[0]),
        filter_motif=source.faithful,
        filter_similarity=likeness,
        fitted=kept,
    )
    return Scored(fitted, found.scores[:, 0], item.fair, found.starts[:, 0])


def _discriminated(source: ExtractedMotif, examples: Indices, shown: TrainingSet) -> Motif | None:
    """Fit a motif to the labels of some examples; None where they are too few."""
    return discriminate(
        source.motif,
        shown.sequences.subset(examples),
        shown.groups[source.target][1][examples],
        both_strands=shown.both_strands,
        settings=shown.settings,
    )


def _tells_more(source: ExtractedMotif, shown: TrainingSet) -> bool:
    """Whether fits to either half of the examples tell the other half's positives better, beyond doubt.

    A fit may gain by what goes with the sites, such as composition, and hurt elsewhere; it has to earn its place.
    """
    known, positive = shown.groups[source.target]
    gain = variance = 0.0
    halves = [
        np.concatenate([np.flatnonzero(known & (positive == kind))[half::2] for kind in (0, 1)]) for half in (0, 1)
    ]
    for fitted_on, tested_on in (halves, halves[::-1]):
        motif = _discriminated(source, np.sort(fitted_on), shown)
        if motif is None:
            return False
        matrices = [motif.log_odds(), source.motif.log_odds()]
        found = best_sites(matrices, shown.sequences.subset(tested_on), shown.both_strands)
        test = delong(positive[tested_on], found.scores[:, 0], found.scores[:, 1])
        gain += test.difference
        variance += test.standard_error**2
    return bool(gain > _BEYOND_DOUBT * np.sqrt(variance))


def _as_sharp_as_its_sites(motif: Motif, target: int, shown: TrainingSet) -> Motif:
    """Give a motif the information of its sites, of which labels and few rounds of refining say next to nothing.

    Expectation maximisation tells it once it has come to rest, which takes more rounds than to tell motifs apart.
    """
    own, background = shown.positives(target), shown.background
    positives, nowhere = shown.sequences.subset(own), np.full(len(own), NO_ANCHOR)
    both_strands, settings = shown.both_strands, shown.settings
    rested = refine(motif, positives, nowhere, background, both_strands=both_strands, settings=settings, to_rest=True)
    return rescaled(motif, rested[-1].total_information()) if rested else motif


def _number_to_refine(shown: TrainingSet) -> int:
    letters = max(int(shown.sequences.lengths[positive].sum()) for _, positive in shown.groups)
    affordable = int(np.clip(_REFINED_LETTERS // max(letters, 1), _LEAST_REFINED, _MOST_REFINED))
    return max(affordable, min(_LEAST_OF_EACH * len(shown.groups), shown.settings.max_motifs))


def _refine(faithful: Sequence[Scored], filters: FilterSites, shown: TrainingSet) -> list[Scored]:
    """Refine each motif twice, with its filter's sites for anchors and without; return the better of each."""
    background = shown.background
    attempts = []
    for source in (item.extracted for item in faithful):
        own = shown.positives(source.target)
        scores, starts = filters.sites.scores[own, source.filters[0]], filters.sites.starts[own, source.filters[0]]
        anchored = np.where(scores >= source.filter_threshold, 2 * starts + filters.width - 1, NO_ANCHOR)
        positives = shown.sequences.subset(own)
        for centres in (anchored, np.full(len(own), NO_ANCHOR)):
            motifs = refine(
                source.motif, positives, centres, background, both_strands=shown.both_strands, settings=shown.settings
            )
            attempts += [with_faithful(source, motif, source.motif, shown) for motif in motifs]
    better = {item.extracted.held_by: item for item in faithful}
    for attempt in shown.score(attempts):
        key = attempt.extracted.held_by
        if attempt.extracted.statistic > better[key].extracted.statistic:
            better[key] = attempt
    return by_evidence(list(better.values()))


def _settled(ranked: Sequence[Scored], faithful: Sequence[Scored], shown: TrainingSet) -> list[Scored]:
    """Put the filter's own motif back where refinement ran into a better motif that the filter does not hold.

    Weaker motifs survive so, and no filter counts as having found what only refinement found.
    """
    sources = {item.extracted.held_by: item for item in faithful}
    settled: list[Scored] = []
    distinct: list[Scored] = []

    def known(item: Scored) -> bool:
        return any(shown.same(item, better) for better in distinct)

    for item in ranked:
        if not known(item):
            distinct.append(item)
            settled.append(item)
        else:
            source = sources[item.extracted.held_by]
            settled.append(item if known(source) else source)
    return by_evidence(settled)


def _strayed(fitted: Scored, item: Scored, known: Sequence[Scored], shown: TrainingSet) -> bool:
    """Whether a fit is no longer the motif that it began with, and takes in the sites of others instead."""
    likeness = motif_similarity(fitted.extracted.motif, item.extracted.motif, shown.both_strands).correlation
    if likeness >= shown.settings.merge_similarity:
        return False
    return _alike(fitted, known, shown) > _alike(item, known, shown)


def _alike(item: Scored, known: Sequence[Scored], shown: TrainingSet) -> int:
    """Count the motifs whose sites another takes in."""
    return sum(shown.takes_in(item, other) for other in known)
