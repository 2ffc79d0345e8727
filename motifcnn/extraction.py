"""From trained filters to motifs: where each filter fires, what stands there, which are the same.

Two faithful readings of a filter are kept apart:

* from its weights: a linear filter scores a window by a constant plus the log-likelihood ratio of a
  PWM against the background, so that PWM is the softmax of the (normalised) weights over the letters
  (Ding et al. 2018); `filter_motifs`;
* from its activations: the best window of each training positive that reaches a threshold, aligned
  and counted; `extract_motifs`.

The second is where refinement on the training positives starts; the better of the two stands.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.comparison import motif_similarity
from motifcnn.encoding import EncodedSequences
from motifcnn.model.network import MotifNetwork
from motifcnn.motifs import Matrix, Motif, count_letters, trim_bounds
from motifcnn.objectives import Objective
from motifcnn.refinement import NO_ANCHOR, refine
from motifcnn.scanning.best import BestSites, best_sites
from motifcnn.sequences import Sequences
from motifcnn.settings import MotifSettings
from motifcnn.significance import Thresholds, best_thresholds

_LOGGER = logging.getLogger(__name__)

_BATCH = 256
_CANDIDATES = 96
"""Most filters whose motifs are scored on the training set; the others are weaker than all of these."""
_LEAST_REFINED, _MOST_REFINED = 8, 32
_REFINED_LETTERS = 3_000_000
"""Distinct motifs refined: as many as read so many letters a round, within these bounds. Small training
sets, where the best filter may rank low, are refined most widely; large ones stay quick."""

_SITE_PSEUDOCOUNT = 1.0
_SHARED_SITES = 0.5

Indices = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ExtractedMotif:
    """A motif, the filters that hold it and how it does on the training set.

    Args:
        motif: Built from the best filter's sites.
        filters: Numbers of all filters that found it, the best first.
        target: Number of the output that it goes with.
        threshold: Least score (bits) of a site, chosen on the training set.
        filter_threshold: Least score of the filter itself at a site.
        statistic: Log-likelihood ratio of its enrichment on the training set, each positive scored as
            if it had not contributed to the motif.
        filter_motif: What the filter's sites gave, where the motif was refined from it; None where
            it is the motif.
        filter_similarity: Correlation of the two.
    """

    motif: Motif
    filters: tuple[int, ...]
    target: int
    threshold: float
    filter_threshold: float
    statistic: float
    filter_motif: Motif | None = None
    filter_similarity: float = 1.0

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


def filter_motifs(network: MotifNetwork, sequences: Sequences) -> list[Motif]:
    """Return what each filter computes, as a motif: probability ∝ background × exp(weight).

    Args:
        network: A trained network.
        sequences: Those that it was trained on, for the background.
    """
    alphabet, background = sequences.alphabet, sequences.letter_frequencies()
    slope = network.norm.slope().detach().cpu().double()
    weights = network.filters.weight.detach().cpu().double()[:, : alphabet.size] * slope[:, None, None]
    logits = weights.permute(0, 2, 1) + torch.log(torch.from_numpy(background))
    matrices = torch.softmax(logits, dim=2).numpy()
    digits = len(str(len(matrices)))
    return [
        Motif(f"filter_{number:0{digits}d}", matrix, alphabet, background=background)
        for number, matrix in enumerate(matrices, start=1)
    ]


def best_filter_sites(network: MotifNetwork, encoded: EncodedSequences, indices: Indices) -> BestSites:
    """Find each filter's best window in each of some examples; scores are the filter's own."""
    network.eval()
    parts = []
    with torch.no_grad():
        for chunk in torch.split(torch.from_numpy(indices), _BATCH):
            found = network.filters.best_windows(encoded.batch(chunk.to(encoded.device)))
            parts.append([found.scores.cpu().numpy(), found.starts.cpu().numpy(), found.reverse.cpu().numpy()])
    scores, starts, reverse = (np.concatenate(column) for column in zip(*parts, strict=True))
    return BestSites(scores.astype(np.float64), starts.astype(np.int64), reverse)


def positive_groups(objective: Objective, values: npt.NDArray[np.float32]) -> list[tuple[Booleans, Booleans]]:
    """Divide examples for enrichment, for each output: (has a value, is a positive).

    A class is held against all others; in regression the upper half against the lower.
    """
    groups = []
    for output in range(objective.outputs):
        truth = values[:, 0] if objective.task == "classes" else values[:, output]
        known = ~np.isnan(truth)
        if objective.task == "classes":
            positive = truth == output
        elif objective.task == "regression":
            positive = truth > objective.means[output]
        else:
            positive = truth == 1
        groups.append((known, positive & known))
    return groups


def extract_motifs(
    network: MotifNetwork,
    objective: Objective,
    encoded: EncodedSequences,
    sequences: Sequences,
    values: npt.NDArray[np.float32],
    training: Indices,
    settings: MotifSettings,
) -> list[ExtractedMotif]:
    """Turn filters into distinct motifs enriched in positives, by training data alone, best first.

    Args:
        network: Trained.
        objective: Its task.
        encoded: All examples, on the network's device.
        sequences: The same, on the CPU.
        values: Targets, shape [example, target].
        training: Indices of the training examples.
        settings: Tunables.
    """
    shown = sequences.subset(training)
    sites = best_filter_sites(network, encoded, training)
    groups = positive_groups(objective, values[training])
    both_strands = network.filters.both_strands
    candidates = _candidates(sites, groups, shown, settings, network.filters.width)
    most = _number_to_refine(groups, shown) if settings.refine else settings.max_motifs
    scored = _score_on_training(candidates, groups, shown, both_strands, settings)
    merged = _merge(scored, groups, both_strands, settings, most)
    if settings.refine:
        refined = _refine(merged, sites, groups, shown, network.filters.width, both_strands, settings)
        merged = _merge(refined, groups, both_strands, settings, settings.max_motifs)
    _LOGGER.debug(
        "%d filters gave %d candidates and %d distinct motifs", network.filters.filters, len(scored), len(merged)
    )
    return [item.extracted.named(f"motif_{n}") for n, item in enumerate(merged, start=1)]


@dataclass(frozen=True, eq=False)
class _Scored:
    """A candidate with its motif's best sites on the training set."""

    extracted: ExtractedMotif
    scores: Matrix
    starts: Indices

    @property
    def hits(self) -> Booleans:
        return self.scores >= self.extracted.threshold


def _candidates(
    sites: BestSites, groups: list[tuple[Booleans, Booleans]], sequences: Sequences, settings: MotifSettings, width: int
) -> list[ExtractedMotif]:
    """Build the motif of each filter for the output that it is most enriched in."""
    choices = [_group_thresholds(sites.scores, group, settings.min_sites) for group in groups]
    statistics = np.stack([choice.statistic for choice in choices])
    target_of = statistics.argmax(axis=0)
    best = statistics.max(axis=0)
    order = [number for number in np.argsort(-best, kind="stable")[:_CANDIDATES] if best[number] > 0]
    background = sequences.letter_frequencies()
    candidates = []
    for number in order:
        target = int(target_of[number])
        threshold = float(choices[target].values[number])
        members = np.flatnonzero(groups[target][1] & (sites.scores[:, number] >= threshold))
        motif = _motif_of_sites(
            sequences,
            members,
            sites.starts[members, number],
            sites.reverse[members, number],
            width,
            background,
            settings,
        )
        candidates.append(ExtractedMotif(motif, (int(number),), target, 0.0, threshold, float(best[number])))
    return candidates


def _group_thresholds(scores: Matrix, group: tuple[Booleans, Booleans], least: int) -> Thresholds:
    known, positive = group
    return best_thresholds(scores[known], positive[known], least)


def _motif_of_sites(
    sequences: Sequences,
    members: Indices,
    starts: Indices,
    reverse: Booleans,
    width: int,
    background: Matrix,
    settings: MotifSettings,
) -> Motif:
    """Align sites with flanks on both sides, count their letters and trim by information."""
    windows = site_windows(sequences, members, starts, reverse, width, settings.motif_flank)
    counts = count_letters(list(windows), sequences.alphabet)
    motif = Motif.from_counts(
        "candidate", counts, sequences.alphabet, background=background, pseudocount=_SITE_PSEUDOCOUNT
    )
    start, end = trim_bounds(motif.information(), settings.trim_bits, settings.min_motif_width)
    return replace(motif, probabilities=motif.probabilities[start:end])


def site_windows(
    sequences: Sequences, members: Indices, starts: Indices, reverse: Booleans, width: int, flank: int
) -> npt.NDArray[np.uint8]:
    """Cut sites and their flanks out of sequences, read in the direction of the site.

    Args:
        sequences: The sequences.
        members: Which of them, shape [site].
        starts: First position of each site.
        reverse: Whether it is on the reverse strand.
        width: Width of a site.
        flank: Further positions on each side; those past an end are the unknown letter.

    Returns:
        Codes of shape [site, width + 2 × flank].
    """
    alphabet = sequences.alphabet
    where = starts[:, None] + np.arange(-flank, width + flank)
    inside = (where >= 0) & (where < sequences.lengths[members][:, None])
    flat = np.where(inside, where + sequences.offsets[members][:, None], 0)
    windows = np.where(inside, sequences.codes[flat], np.uint8(alphabet.unknown))
    if reverse.any():
        assert alphabet.complement_codes is not None
        windows[reverse] = alphabet.complement_codes[windows[reverse][:, ::-1]]
    return windows


def _score_on_training(
    candidates: Sequence[ExtractedMotif],
    groups: list[tuple[Booleans, Booleans]],
    sequences: Sequences,
    both_strands: bool,
    settings: MotifSettings,
) -> list[_Scored]:
    """Scan the training set with each candidate's motif; best enrichment first."""
    if not candidates:
        return []
    found = best_sites([candidate.motif.log_odds() for candidate in candidates], sequences, both_strands)
    without_own = _scores_without_own(candidates, groups, found.scores, sequences, both_strands)
    scored = []
    for column, candidate in enumerate(candidates):
        group, scores = groups[candidate.target], found.scores[:, column]
        choice = _group_thresholds(scores[:, None], group, settings.min_sites)
        fair = _group_thresholds(without_own[:, [column]], group, settings.min_sites)
        if choice.statistic[0] > 0:
            extracted = replace(candidate, threshold=float(choice.values[0]), statistic=float(fair.statistic[0]))
            scored.append(_Scored(extracted, scores, found.starts[:, column]))
    return _ranked(scored)


def _scores_without_own(
    candidates: Sequence[ExtractedMotif],
    groups: list[tuple[Booleans, Booleans]],
    scores: Matrix,
    sequences: Sequences,
    both_strands: bool,
) -> Matrix:
    """Return the scores, but each positive's as if the motif had not been made from it."""
    fair = scores.copy()
    for target in sorted({candidate.target for candidate in candidates}):
        own = np.flatnonzero(groups[target][1])
        columns = np.flatnonzero([candidate.target == target for candidate in candidates])
        matrices = [candidates[int(column)].motif.log_odds_without_one() for column in columns]
        fair[np.ix_(own, columns)] = best_sites(matrices, sequences.subset(own), both_strands).scores
    return fair


def _ranked(scored: Sequence[_Scored]) -> list[_Scored]:
    return sorted(scored, key=lambda item: -item.extracted.statistic)


def _number_to_refine(groups: list[tuple[Booleans, Booleans]], sequences: Sequences) -> int:
    letters = max(int(sequences.lengths[positive].sum()) for _, positive in groups)
    return int(np.clip(_REFINED_LETTERS // max(letters, 1), _LEAST_REFINED, _MOST_REFINED))


def _refine(
    faithful: Sequence[_Scored],
    sites: BestSites,
    groups: list[tuple[Booleans, Booleans]],
    sequences: Sequences,
    width: int,
    both_strands: bool,
    settings: MotifSettings,
) -> list[_Scored]:
    """Refine motifs on the positives of their outputs; keep the better of each, best enrichment first.

    Each is refined twice, with its filter's sites for anchors and without.
    """
    attempts = []
    for source in (item.extracted for item in faithful):
        own = np.flatnonzero(groups[source.target][1])
        scores, starts = sites.scores[own, source.filters[0]], sites.starts[own, source.filters[0]]
        anchored = np.where(scores >= source.filter_threshold, 2 * starts + width - 1, NO_ANCHOR)
        positives = sequences.subset(own)
        for centres in (anchored, np.full(len(own), NO_ANCHOR)):
            for motif in refine(source.motif, positives, centres, both_strands=both_strands, settings=settings):
                likeness = motif_similarity(motif, source.motif, both_strands).correlation
                attempts.append(replace(source, motif=motif, filter_motif=source.motif, filter_similarity=likeness))
    sources = {item.extracted.filters[0]: item for item in faithful}
    better = dict(sources)
    for attempt in _score_on_training(attempts, groups, sequences, both_strands, settings):
        number = attempt.extracted.filters[0]
        if attempt.extracted.statistic > better[number].extracted.statistic:
            better[number] = attempt
    return _settled(_ranked(list(better.values())), sources, groups, both_strands, settings)


def _settled(
    ranked: Sequence[_Scored],
    sources: dict[int, _Scored],
    groups: list[tuple[Booleans, Booleans]],
    both_strands: bool,
    settings: MotifSettings,
) -> list[_Scored]:
    """Put the filter's own motif back where refinement ran into a better motif that the filter does not hold.

    Weaker motifs survive so, and no filter counts as having found what only refinement found.
    """
    settled: list[_Scored] = []
    distinct: list[_Scored] = []

    def known(item: _Scored) -> bool:
        return any(_same_motif(item, better, groups, both_strands, settings) for better in distinct)

    for item in ranked:
        if not known(item):
            distinct.append(item)
            settled.append(item)
        else:
            source = sources[item.extracted.filters[0]]
            settled.append(item if known(source) else source)
    return _ranked(settled)


def _merge(
    scored: Sequence[_Scored],
    groups: list[tuple[Booleans, Booleans]],
    both_strands: bool,
    settings: MotifSettings,
    most: int,
) -> list[_Scored]:
    """Keep the best of each set of duplicates, which takes over the others' filters; at most so many."""
    kept: list[_Scored] = []
    for candidate in scored:
        for number, better in enumerate(kept):
            if _same_motif(candidate, better, groups, both_strands, settings):
                filters = better.extracted.filters + candidate.extracted.filters
                kept[number] = replace(better, extracted=replace(better.extracted, filters=filters))
                break
        else:
            if len(kept) < most:
                kept.append(candidate)
    return kept


def _same_motif(
    candidate: _Scored,
    better: _Scored,
    groups: list[tuple[Booleans, Booleans]],
    both_strands: bool,
    settings: MotifSettings,
) -> bool:
    """Whether the matrices agree, or most of the candidate's sites lie on the better one's."""
    matrices = motif_similarity(candidate.extracted.motif, better.extracted.motif, both_strands)
    if matrices.correlation >= settings.merge_similarity:
        return True
    hits = candidate.hits & groups[candidate.extracted.target][1]
    width, other_width = candidate.extracted.motif.width, better.extracted.motif.width
    first = np.maximum(candidate.starts, better.starts)
    last = np.minimum(candidate.starts + width, better.starts + other_width)
    overlapping = better.hits & (last - first >= 0.5 * min(width, other_width))
    return bool((overlapping & hits).sum() >= _SHARED_SITES * max(1, hits.sum()))
