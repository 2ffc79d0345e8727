"""From a filter's motif to the motif of the sequences: expectation maximisation that stays near the filter.

A sequence holds no site or one, or any number (`expectation`), on either strand where there are two; a site is drawn
from the motif, everything else from the background. Each round counts the letters of all windows, weighted by the
chance that the window is a site, and of flanks beside them, so that the motif may widen, shrink or shift by
information. Two things keep it from drifting into a stronger motif: windows near the filter's own site are likelier
beforehand, and it ends where it no longer resembles the motif that it started from.
"""

from dataclasses import replace

import numpy as np

from motifcnn.discovery.expectation import NO_ANCHOR, Centres, Expectation, Expected
from motifcnn.discovery.markov_background import Background
from motifcnn.discovery.similarity import motif_similarity
from motifcnn.discovery.triplets import TripletSequences
from motifcnn.motifs import Motif, trim_bounds
from motifcnn.sequences import Sequences
from motifcnn.settings import MotifSettings

__all__ = ["NO_ANCHOR", "Centres", "refine"]

_PSEUDOCOUNT = 1.0

_ROUNDS, _ROUNDS_TO_REST = 15, 100
_EARLY = 2
"""The round whose motif is offered beside the last one's."""

_CONVERGED, _AT_REST = 1e-3, 1e-4
"""Greatest change of a probability in a round at which the motif counts as converged, and as at rest."""

_STRIDE = 1.9
"""How much further than expected the sites a sequence go, on the way to rest: they are what moves slowest
(overrelaxation; below 2, where it would swing)."""

_FIRST_SITES = (0.5, 0.8)
"""Sites a sequence to start with: where the filter has none, and where it has one."""


def refine(
    start: Motif,
    sequences: Sequences,
    centres: Centres,
    background: Background,
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
        background: What stands where no site is.
        both_strands: Whether sites may lie on the reverse strand.
        settings: Tunables.
        to_rest: Whether to go on until the number of sites has settled, too, which takes more rounds than motifs take
            to be told apart.

    Returns:
        The motif after an early round and after the last, as far as it still resembled `start`; none
        where the first round already lost it.
    """
    complement = None
    if both_strands:
        assert start.alphabet.complement_codes is not None
        complement = start.alphabet.complement_codes[: start.alphabet.size].astype(np.int64)
    reading = TripletSequences.of(sequences)
    expectation = Expectation(reading, centres, background, complement, settings.motif_flank, settings.sites)
    motif, each, iterates = start, np.array(_FIRST_SITES), []
    rounds, converged, stride = (_ROUNDS_TO_REST, _AT_REST, _STRIDE) if to_rest else (_ROUNDS, _CONVERGED, 1.0)
    for _ in range(rounds):
        expected = expectation.of(motif, each)
        if expected.sites < min(settings.min_sites, len(sequences)):
            break
        updated = _maximise(start, expected, background, settings)
        if motif_similarity(updated, start, both_strands).correlation < settings.refine_similarity:
            break
        iterates.append(updated)
        at_rest = updated.width == motif.width and _largest_change(updated, motif) < converged
        motif, each = updated, expectation.bounded(each + stride * (expected.each - each), updated.width)
        if at_rest:
            break
    return [*iterates[_EARLY - 1 : _EARLY], *iterates[_EARLY:][-1:]] or iterates[-1:]


def _largest_change(motif: Motif, other: Motif) -> float:
    return float(np.abs(motif.probabilities - other.probabilities).max())


def _maximise(start: Motif, expected: Expected, background: Background, settings: MotifSettings) -> Motif:
    """Make a motif of expected counts, from its first informative position to its last."""
    whole = Motif.from_counts(
        start.name, expected.counts, start.alphabet, background=background.letters, pseudocount=_PSEUDOCOUNT
    )
    first, end = trim_bounds(whole.information(), settings.trim_bits, settings.min_motif_width)
    return replace(whole, probabilities=whole.probabilities[first:end], background=start.background)
