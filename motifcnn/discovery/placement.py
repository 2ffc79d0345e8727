"""Whether sites lie near the middle of their sequences, as they do where sequences are centred on what was measured.

The test is CentriMo's (Bailey and Machanick 2012): if sites had no preferred place, the number of them in a central
window would be binomial; the best of all windows counts, corrected for their number. Sequences of unequal lengths are
compared by the share of their places that lie at least as centrally as the site, which makes the test conservative.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

LEAST_SITES = 5
"""Below this many sites no preferred place can be told."""

_SHARES = np.arange(1, 50) / 50
"""Central windows, as shares of the places, where sequences have unequal lengths."""


@dataclass(frozen=True)
class Centrality:
    """How central the sites of one motif are.

    Args:
        sites: Number of sites.
        p_value: Of the best window, corrected for the number of windows; NaN with too few sites.
        window: Share of all places in the best window, from 0 to 1; NaN with too few sites.
        found: Sites in it.
    """

    sites: int
    p_value: float
    window: float
    found: int


def central_enrichment(starts: Integers, lengths: Integers, width: int) -> Centrality:
    """Test whether sites crowd around the middle of their sequences.

    Args:
        starts: First position of each site, shape [site].
        lengths: Length of its sequence, at least the width.
        width: Width of the motif.
    """
    from scipy.stats import binom

    places = lengths - width + 1
    windows = _windows(places) if len(places) else _SHARES[:0]
    if len(starts) < LEAST_SITES or places.max(initial=0) < 2 or not len(windows):
        return Centrality(len(starts), math.nan, math.nan, 0)
    central = central_shares(starts, places)
    counts = (central[:, None] <= windows + 1e-12).sum(axis=0)
    p_values = np.asarray(binom.sf(counts - 1, len(starts), windows))
    best = int(np.argmin(p_values))
    corrected = -math.expm1(len(windows) * math.log1p(-min(float(p_values[best]), 1 - 1e-16)))
    return Centrality(len(starts), min(1.0, corrected), float(windows[best]), int(counts[best]))


def central_shares(starts: Integers, places: Integers) -> npt.NDArray[np.float64]:
    """Return for each site the share of places in its sequence that are at least as central as its own.

    Args:
        starts: First position of each site, from 0 to places - 1.
        places: Number of places that a site can have in its sequence.
    """
    away = np.abs(2 * starts - (places - 1))  # twice the distance from the middle
    return np.asarray((away + 1) / places)


def _windows(places: Integers) -> npt.NDArray[np.float64]:
    """All central windows but the whole sequence; none where both of two places are as central."""
    if places.min() < places.max():
        return np.asarray(_SHARES)
    only = int(places[0])
    return np.arange(2 - only % 2, only, 2) / only
