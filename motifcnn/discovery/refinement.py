"""From a filter's motif to the motif of the sequences: expectation maximisation that stays near the filter.

A sequence holds no site or one (ZOOPS), on either strand where there are two; a site is drawn from
the motif, everything else from the letters' background (Bailey and Elkan 1994, ISMB 2:28). Each
round counts the letters of all windows, weighted by the chance that the window is the site, and of
flanks beside them, so that the motif may widen, shrink or shift by information. Two things keep it
from drifting into a stronger motif: windows near the filter's own site are likelier beforehand,
and it ends where it no longer resembles the motif that it started from.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from motifcnn.compiling import compiled
from motifcnn.discovery.comparison import motif_similarity
from motifcnn.discovery.triplets import TripletSequences, triplet_scores
from motifcnn.motifs import Matrix, Motif, trim_bounds
from motifcnn.sequences import Sequences
from motifcnn.settings import MotifSettings

NO_ANCHOR = -1
"""In place of the centre of a filter's site where a sequence has none."""

_PSEUDOCOUNT = 1.0
_ANCHOR_WEIGHT = 10.0
"""How much likelier a window at the filter's site is than another, before its letters are read."""

_LOG_ANCHOR_WEIGHT = float(np.log(_ANCHOR_WEIGHT))

_ROUNDS, _ROUNDS_TO_REST = 15, 100
_EARLY = 2
"""The round whose motif is offered beside the last one's."""

_CONVERGED, _AT_REST = 1e-3, 1e-4
"""Greatest change of a probability in a round at which the motif counts as converged, and as at rest."""

_STRIDE = 1.9
"""How much further than expected the share of sequences with a site goes, on the way to rest: it is what moves
slowest (overrelaxation; below 2, where it would swing)."""

_FIRST_SHARES = (0.5, 0.8)
"""Shares of sequences with a site to start with: where the filter has none, and where it has one."""

_LEAST_SHARE, _MOST_SHARE = 1e-3, 0.999
"""Bounds of the share of sequences with a site, which would stick at 0 and 1."""

_NEGLIGIBLE, _NEGLIGIBLE_IN_ALL = 1e-4, 0.02
"""Windows less likely than this to be the site are not counted, nor those that all together are less likely: a bound
for each alone would leave out more of the weak sites the longer the sequences are."""

_FAR_BELOW = 15.0
"""Nats below the best window from which another adds next to nothing (3e-7) to the sum of all."""

Centres = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Expected:
    """What a round expects.

    Args:
        counts: Letters at the sites and beside them, shape [position, letter].
        sites: Number of sites.
        shares: Share of sequences with a site, first of those without an anchor, then of those with
            one: a filter that finds nothing in a sequence says something, too.
    """

    counts: Matrix
    sites: float
    shares: Matrix


def refine(
    start: Motif,
    sequences: Sequences,
    centres: Centres,
    background: Matrix,
    *,
    both_strands: bool,
    settings: MotifSettings,
    to_rest: bool = False,
) -> list[Motif]:
    """Refine a motif on the sequences that it is to be found in.

    Args:
        start: Where to start: the motif of a filter.
        sequences: Training positives, in the motif's alphabet.
        centres: Twice the centre of the filter's site in each sequence (so that it is whole for any
            width), shape [sequence]; `NO_ANCHOR` where there is none.
        background: Letter frequencies of what is no site.
        both_strands: Whether sites may lie on the reverse strand.
        settings: Tunables.
        to_rest: Whether to go on until the share of sequences with a site has settled, too, which takes more
            rounds than motifs take to be told apart.

    Returns:
        The motif after an early round and after the last, as far as it still resembled `start`; none
        where the first round already lost it.
    """
    reading = TripletSequences.of(sequences)
    motif, shares, iterates = start, np.array(_FIRST_SHARES), []
    rounds, converged, stride = (_ROUNDS_TO_REST, _AT_REST, _STRIDE) if to_rest else (_ROUNDS, _CONVERGED, 1.0)
    for _ in range(rounds):
        expected = _expect(motif, reading, centres, shares, background, both_strands, settings.motif_flank)
        if expected.sites < min(settings.min_sites, len(sequences)):
            break
        updated = _maximise(start, expected, background, settings)
        if motif_similarity(updated, start, both_strands).correlation < settings.refine_similarity:
            break
        iterates.append(updated)
        at_rest = updated.width == motif.width and _largest_change(updated, motif) < converged
        motif, shares = updated, np.clip(shares + stride * (expected.shares - shares), _LEAST_SHARE, _MOST_SHARE)
        if at_rest:
            break
    return [*iterates[_EARLY - 1 : _EARLY], *iterates[_EARLY:][-1:]] or iterates[-1:]


def _largest_change(motif: Motif, other: Motif) -> float:
    return float(np.abs(motif.probabilities - other.probabilities).max())


def _maximise(start: Motif, expected: _Expected, background: Matrix, settings: MotifSettings) -> Motif:
    """Make a motif of expected counts, from its first informative position to its last."""
    whole = Motif.from_counts(
        start.name, expected.counts, start.alphabet, background=background, pseudocount=_PSEUDOCOUNT
    )
    first, end = trim_bounds(whole.information(), settings.trim_bits, settings.min_motif_width)
    return replace(whole, probabilities=whole.probabilities[first:end], background=start.background)


def _expect(
    motif: Motif,
    reading: TripletSequences,
    centres: Centres,
    shares: Matrix,
    background: Matrix,
    both_strands: bool,
    flank: int,
) -> _Expected:
    """Weigh every window by the chance that it is its sequence's site, and count letters."""
    log_odds = motif.log_odds(background)
    strands = [log_odds.scores, log_odds.reverse_complement().scores] if both_strands else [log_odds.scores]
    letters = motif.alphabet.size
    complement = np.arange(letters, dtype=np.int64)
    if both_strands:
        assert motif.alphabet.complement_codes is not None
        complement = motif.alphabet.complement_codes[:letters].astype(np.int64)
    counts, found = np.zeros((motif.width + 2 * flank, letters)), np.zeros(2)
    _accumulate(
        reading.letters,
        reading.triplets,
        reading.offsets,
        triplet_scores(np.stack(strands) * np.log(2.0)),
        motif.width,
        complement,
        centres,
        shares,
        flank,
        counts,
        found,
    )
    anchored = int((centres >= 0).sum())
    return _Expected(counts, float(found.sum()), found / np.maximum([len(centres) - anchored, anchored], 1))


@compiled
def _accumulate(  # type: ignore[no-untyped-def] # pragma: no cover
    codes, triplets, offsets, strands, width, complement, centres, shares, flank, counts, found
):
    longest = 0
    for sequence in range(len(offsets) - 1):
        longest = max(longest, offsets[sequence + 1] - offsets[sequence])
    scores = np.empty((strands.shape[0], longest))
    for sequence in range(len(offsets) - 1):
        start, end = offsets[sequence], offsets[sequence + 1]
        windows = end - start - width + 1
        prior, best = _score_windows(triplets, start, windows, strands, width, centres[sequence], flank, scores)
        if prior == 0.0:
            continue
        group = int(centres[sequence] >= 0)
        likelihood = 0.0
        for strand in range(strands.shape[0]):
            for window in range(windows):
                if scores[strand, window] > best - _FAR_BELOW:
                    likelihood += np.exp(scores[strand, window] - best)
        # the sequence without a site, on the same scale
        whole = likelihood + (1.0 - shares[group]) / shares[group] * prior * np.exp(-best)
        found[group] += likelihood / whole
        _count_letters(codes, start, end, width, complement, flank, scores[:, : max(windows, 0)], best, whole, counts)


@compiled
def _score_windows(  # type: ignore[no-untyped-def] # pragma: no cover
    triplets, start, windows, strands, width, centre, flank, scores
):
    """Write down each window's log-likelihood ratio and weight; return the sum of weights and the best."""
    prior, best = 0.0, -np.inf
    for window in range(windows):
        near = centre >= 0 and abs(2 * window + width - 1 - centre) <= 2 * flank
        for strand in range(strands.shape[0]):
            score = _LOG_ANCHOR_WEIGHT if near else 0.0
            for triplet in range(strands.shape[1]):
                score += strands[strand, triplet, triplets[start + window + 3 * triplet]]
            scores[strand, window] = score
            best = max(best, score)
        if scores[0, window] > -np.inf:
            prior += strands.shape[0] * (_ANCHOR_WEIGHT if near else 1.0)
    return prior, best


@compiled
def _count_letters(  # type: ignore[no-untyped-def] # pragma: no cover
    codes, start, end, width, complement, flank, scores, best, whole, counts
):
    """Add the letters of a sequence's windows and of their flanks, each by the window's chance."""
    floor = best + np.log(whole * min(_NEGLIGIBLE, _NEGLIGIBLE_IN_ALL / scores.size))
    for strand in range(scores.shape[0]):
        for window in range(scores.shape[1]):
            if scores[strand, window] < floor:
                continue
            chance = np.exp(scores[strand, window] - best) / whole
            for column in range(width + 2 * flank):
                shift = column - flank
                place = start + window + (shift if strand == 0 else width - 1 - shift)
                if start <= place < end and codes[place] < counts.shape[1]:
                    code = codes[place] if strand == 0 else complement[codes[place]]
                    counts[column, code] += chance
