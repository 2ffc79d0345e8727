"""Further channels at the motifs: means along sites and flanks, whether sites stand out, which filters use them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from motifcnn.encoding import Tracks
from motifcnn.model.network import MotifNetwork
from motifcnn.sequences import Sequences

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

FLANK: Final = 20
"""Positions beside a site that a profile spans."""
SHIFTS: Final = 9999
"""Random circular shifts of the permutation test."""
LEAST_SITES: Final = 5
"""Below this many held-out sites no test can mean anything."""


@dataclass(frozen=True, eq=False)
class MotifSites:
    """Where a motif lies in the sequences.

    Args:
        name: The motif.
        width: Its positions.
        examples: Which sequence each site is in, shape [site].
        starts: First position of each.
        reverse: Whether it is on the reverse strand.
        held_out: Whether its sequence is held out.
    """

    name: str
    width: int
    examples: Indices
    starts: Indices
    reverse: npt.NDArray[np.bool_]
    held_out: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ShiftTest:
    """Sites against circular shifts of the channel.

    Args:
        sites: Sites with a value.
        site_mean: Mean of the channel over them.
        shifted_mean: The same after circular shifts, on average; NaN with too few sites.
        p_value: Share of circular shifts whose mean is at least as high; NaN with fewer than LEAST_SITES sites.
    """

    sites: int
    site_mean: float
    shifted_mean: float
    p_value: float


@dataclass(frozen=True, eq=False)
class SiteProfile:
    """A channel along a motif's sites.

    Args:
        motif: Name of the motif.
        track: Name of the channel.
        width: Positions of the motif; position 0 is its first.
        means: Mean over the sites from position −FLANK to width + FLANK − 1; NaN where no site has a value.
        errors: Standard error of each.
        counts: Sites with a value at each.
        sites: All sites, training and held-out.
        held_out: Test on the held-out sites.
        all: Test on all sites; those of training sequences took part in the choice of the motif.
    """

    motif: str
    track: str
    width: int
    means: Floats
    errors: Floats
    counts: Indices
    sites: int
    held_out: ShiftTest
    all: ShiftTest

    @property
    def positions(self) -> Indices:
        """Position of each mean, counted from the motif's first."""
        return np.arange(len(self.means), dtype=np.int64) - FLANK


def site_profiles(
    motifs: Sequence[MotifSites],
    sequences: Sequences,
    names: Sequence[str],
    tracks: Tracks,
    generator: np.random.Generator,
) -> list[SiteProfile]:
    """Return the profile of every channel at every motif, in this order: motifs, in each the channels.

    Args:
        motifs: Their sites.
        sequences: All sequences.
        names: One name a channel.
        tracks: Shape [channel, total positions], aligned to `sequences.codes`; NaN where missing.
        generator: Source of the shifts.
    """
    return [
        _profile(motif, sequences, name, track, generator)
        for motif in motifs
        for name, track in zip(names, tracks, strict=True)
    ]


def _profile(
    motif: MotifSites, sequences: Sequences, name: str, track: npt.NDArray[np.float32], generator: np.random.Generator
) -> SiteProfile:
    around = _around(motif, sequences, track)
    known = ~np.isnan(around)
    counts = known.sum(axis=0)
    filled = np.where(known, around, 0.0)
    means = np.divide(filled.sum(axis=0), counts, out=np.full(len(counts), np.nan), where=counts > 0)
    squares = np.where(known, (around - means) ** 2, 0.0).sum(axis=0)
    errors = np.sqrt(np.divide(squares, (counts - 1) * counts, out=np.full(len(counts), np.nan), where=counts > 1))
    everywhere = np.ones(len(around), dtype=bool)
    tests = [shift_test(motif, chosen, sequences, track, generator) for chosen in (motif.held_out, everywhere)]
    return SiteProfile(motif.name, name, motif.width, means, errors, counts, len(around), *tests)


def _around(motif: MotifSites, sequences: Sequences, track: npt.NDArray[np.float32]) -> Floats:
    """Return the channel at each site and its flanks, in the direction of the motif: [site, position]."""
    where = motif.starts[:, None] + np.arange(-FLANK, motif.width + FLANK)
    inside = (where >= 0) & (where < sequences.lengths[motif.examples][:, None])
    flat = np.where(inside, where + sequences.offsets[motif.examples][:, None], 0)
    values = np.where(inside, track[flat].astype(np.float64), np.nan)
    return np.where(motif.reverse[:, None], values[:, ::-1], values)


def shift_test(
    motif: MotifSites,
    chosen: npt.NDArray[np.bool_],
    sequences: Sequences,
    track: npt.NDArray[np.float32],
    generator: np.random.Generator,
) -> ShiftTest:
    """Ask whether sites are higher than the same channel shifted circularly along each sequence.

    Each shift moves every sequence's values by a random number of positions of its own, which keeps the values, their
    neighbourhood and what is peculiar to the sequence, and breaks the link with the site.

    Args:
        motif: Its sites.
        chosen: Which of them are tested, shape [site].
        sequences: All sequences.
        track: Shape [total positions]; NaN where missing.
        generator: Source of the shifts.

    Returns:
        The p-value is (1 + shifts at least as high) / (1 + shifts).
    """
    observed, everywhere = [], []
    for site in np.flatnonzero(chosen):
        example, start = int(motif.examples[site]), int(motif.starts[site])
        along = track[sequences.offsets[example] : sequences.offsets[example + 1]].astype(np.float64)
        windows = _circular_means(along, motif.width)
        if not math.isnan(windows[start]):
            observed.append(windows[start])
            everywhere.append(windows[~np.isnan(windows)])
    sites = len(observed)
    if sites < LEAST_SITES:
        return ShiftTest(sites, float(np.mean(observed)) if sites else math.nan, math.nan, math.nan)
    observed_mean = float(np.mean(observed))
    sums = np.zeros(SHIFTS)
    for windows in everywhere:
        sums += windows[generator.integers(0, len(windows), SHIFTS)]
    as_high = int((sums / sites >= observed_mean - 1e-12).sum())
    expected = float(np.mean([windows.mean() for windows in everywhere]))
    return ShiftTest(sites, observed_mean, expected, (1 + as_high) / (1 + SHIFTS))


def _circular_means(values: Floats, width: int) -> Floats:
    """Mean of the known values of the window that begins at each position, past the end going on at the start."""
    known = ~np.isnan(values)
    wrapped = np.concatenate([np.where(known, values, 0.0), np.where(known, values, 0.0)[: width - 1]])
    counted = np.concatenate([known, known[: width - 1]]).astype(np.float64)
    sums, counts = (np.convolve(part, np.ones(width), "valid") for part in (wrapped, counted))
    return np.asarray(np.divide(sums, counts, out=np.full(len(values), np.nan), where=counts > 0))


@dataclass(frozen=True, eq=False)
class FilterUse:
    """How a filter uses a channel.

    Args:
        filter: Number of the filter, from 0.
        track: Number of the channel, from 0.
        weights: What one standard deviation of the channel adds to the filter's normalised score, at each position.
        share: What the channel can change within one standard deviation either way, as a share of what it and
            the letters can.
    """

    filter: int
    track: int
    weights: Floats
    share: float


def filter_use(network: MotifNetwork, letters: int) -> list[FilterUse]:
    """Return how each filter uses each channel, from its weights.

    Args:
        network: Trained with further channels.
        letters: Number of letter channels, which come first.
    """
    slope = network.norm.slope().detach().cpu().double()
    weights = (network.filters.weight.detach().cpu().double() * slope[:, None, None]).numpy()
    by_letters = (weights[:, :letters].max(axis=1) - weights[:, :letters].min(axis=1)).sum(axis=1)
    by_tracks = 2.0 * np.abs(weights[:, letters:]).sum(axis=2)
    total = np.maximum(by_letters + by_tracks.sum(axis=1), np.finfo(np.float64).tiny)
    return [
        FilterUse(number, track, weights[number, letters + track], float(by_tracks[number, track] / total[number]))
        for number in range(len(weights))
        for track in range(weights.shape[1] - letters)
    ]
