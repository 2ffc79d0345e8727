"""From trained filters to motifs: where each filter fires, and what stands there.

Two faithful readings of a filter are kept apart:

* from its weights: a linear filter scores a window by a constant plus the log-likelihood ratio of a
  PWM against the background, so that PWM is the softmax of the (normalised) weights over the letters
  (Ding et al. 2018); `filter_motifs`;
* from its activations: the best window of each training positive that reaches a threshold, aligned
  and counted; `extract_motifs`.

The second is where refinement starts (`refined_motifs`); the better of the two stands. Motifs are held
against even letters: the matrices that are fitted to labels are exact in that measure.
"""

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.batches import over_batches
from motifcnn.discovery.candidates import ExtractedMotif, TrainingSet, in_turns
from motifcnn.discovery.refined_motifs import fitted_to_labels, refined_motifs, with_words_for_the_rest
from motifcnn.discovery.word_motifs import FilterSites
from motifcnn.encoding import Batch, EncodedSequences
from motifcnn.model.network import MotifNetwork
from motifcnn.motifs import Matrix, Motif, count_letters, trim_bounds
from motifcnn.objectives import Objective
from motifcnn.scanning.best import BestSites
from motifcnn.sequences import Sequences
from motifcnn.settings import MotifSettings

_LOGGER = logging.getLogger(__name__)

_BATCH = 256
_STRONGEST, _ADDING = 64, 24
"""Most filters whose motifs are scored on the training set: the strongest, targets in turns, and those that add most to
each target's best. Where one motif is strong, all of the strongest filters may hold it."""

_SITE_PSEUDOCOUNT = 1.0

Indices = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


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

    def found_in(batch: Batch) -> list[npt.NDArray[Any]]:
        found = network.filters.best_windows(batch)
        return [part.cpu().numpy() for part in (found.scores, found.starts, found.reverse)]

    with torch.no_grad():
        parts = over_batches(encoded, torch.from_numpy(indices), _BATCH, found_in)
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
    """Turn filters into distinct motifs enriched in positives, by some of the data alone, best first.

    Args:
        network: Trained.
        objective: Its task.
        encoded: All examples, on the network's device.
        sequences: The same, on the CPU.
        values: Targets, shape [example, target].
        training: Indices of the examples that motifs may be made from.
        settings: Tunables.
    """
    both_strands = network.filters.both_strands
    shown = TrainingSet(
        sequences.subset(training), positive_groups(objective, values[training]), both_strands, settings
    )
    sites = best_filter_sites(network, encoded, training)
    filters = FilterSites(sites, network.filters.width)
    candidates = _candidates(filters, shown)
    scored = shown.score(candidates)
    marked = {item.extracted.target for item in scored}
    if settings.refine:
        scored = refined_motifs(candidates, scored, filters, shown)
    distinct = shown.merge(shown.without_mixtures(scored), settings.max_motifs)
    if settings.refine:
        distinct = with_words_for_the_rest(distinct, candidates, filters, shown)
    ordered = shown.in_order(distinct)
    if len(marked) > settings.max_motifs:
        without = len(marked - {item.extracted.target for item in ordered})
        _LOGGER.warning(
            "--max-motifs %d leaves %d of the %d targets that filters tell without a motif; raise it for one of each",
            settings.max_motifs, without, len(marked),
        )  # fmt: skip
    if settings.refine:
        ordered = fitted_to_labels(ordered, shown)
    _LOGGER.debug(
        "%d filters gave %d candidates and %d distinct motifs", network.filters.filters, len(candidates), len(ordered)
    )
    return [item.extracted.named(f"motif_{n}") for n, item in enumerate(ordered, start=1)]


def _candidates(filters: FilterSites, shown: TrainingSet) -> list[ExtractedMotif]:
    """Build the motifs of the filters that tell some output's positives."""
    scores = filters.sites.scores
    choices = [shown.thresholds(scores, target) for target in range(len(shown.groups))]
    statistics = np.stack([choice.statistic for choice in choices])
    candidates = []
    for target, number in _chosen(scores, statistics, shown):
        threshold = float(choices[target].values[number])
        members = np.flatnonzero(shown.groups[target][1] & (scores[:, number] >= threshold))
        motif = _motif_of_sites(filters, number, members, shown)
        candidates.append(ExtractedMotif(motif, (number,), target, 0.0, threshold, float(statistics[target, number])))
    return candidates


def _chosen(scores: Matrix, statistics: Matrix, shown: TrainingSet) -> list[tuple[int, int]]:
    """Choose filters, each with an output: those most enriched in it of all, and those that add most to its best."""
    target_of = statistics.argmax(axis=0).tolist()
    best = statistics.max(axis=0)
    ranked = [number for number in np.argsort(-best, kind="stable").tolist() if best[number] > 0]
    strongest = in_turns([target_of[number] for number in ranked], _STRONGEST)
    chosen = [(target_of[ranked[place]], ranked[place]) for place in strongest]
    each = -(-_ADDING // len(statistics))
    for target, own in enumerate(statistics):
        enriched = np.flatnonzero(own > 0)
        if len(enriched):
            first = int(own[enriched].argmax())
            adding = enriched[shown.adding(scores[:, enriched], target, first, each)]
            chosen += [(target, number) for number in [int(enriched[first]), *adding.tolist()]]
    return list(dict.fromkeys(chosen))


def _motif_of_sites(filters: FilterSites, number: int, members: Indices, shown: TrainingSet) -> Motif:
    """Align a filter's sites with flanks on both sides, count their letters and trim by information."""
    settings, alphabet = shown.settings, shown.sequences.alphabet
    starts, reverse = filters.sites.starts[members, number], filters.sites.reverse[members, number]
    windows = site_windows(shown.sequences, members, starts, reverse, filters.width, settings.motif_flank)
    motif = Motif.from_counts(
        "candidate", count_letters(list(windows), alphabet), alphabet, pseudocount=_SITE_PSEUDOCOUNT
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
