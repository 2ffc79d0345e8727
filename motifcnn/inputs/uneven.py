"""What tells classes apart without any letter: lengths, and gaps of tracks. Users are warned of both."""

import logging
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from motifcnn.inputs.examples import Examples

_LOGGER = logging.getLogger(__name__)

_UNEVEN_GAPS: Final = 0.05
"""Difference between two classes in the share of positions without a value that is worth a warning."""

_SAME_LENGTH: Final = 2
"""Letters by which lengths may differ and count as one: what a rounded middle or an end that is counted leaves."""

_UNEVEN_LENGTHS: Final = 0.1
"""Kolmogorov's distance between the lengths of two classes that is worth a warning, if it is no chance."""

_NO_CHANCE: Final = 1e-3

Booleans = npt.NDArray[np.bool_]


def lengths_tell(examples: Examples) -> bool:
    """Whether lengths alone tell some target's classes, or the upper half of its values from the lower, apart."""
    return next(_told_by_lengths(examples), None) is not None


def warn_of_uneven_lengths(examples: Examples) -> None:
    """Say whose sequences are longer than the others': a network learns that, too."""
    for name, positive, other in _told_by_lengths(examples):
        lengths = examples.sequences.lengths
        _LOGGER.warning(
            "sequences of %s have lengths of %s letters, the others of %s: the network may learn lengths in place of "
            "motifs; cut all to one length",
            f"{name!r}", _span(lengths[positive]), _span(lengths[other]),
        )  # fmt: skip


def warn_of_uneven_gaps(examples: Examples) -> None:
    """Say where a channel lacks values in one class more than in the other: that alone would tell them apart."""
    if examples.task not in {"binary", "multi-label"} or not examples.track_names:
        return
    owner = np.repeat(np.arange(len(examples)), examples.sequences.lengths)
    for track_name, track in zip(examples.track_names, examples.tracks, strict=True):
        gaps = np.bincount(owner[np.isnan(track)], minlength=len(examples)) / np.maximum(examples.sequences.lengths, 1)
        for name, positive, other in _groups(examples):
            of_positives, of_others = float(gaps[positive].mean()), float(gaps[other].mean())
            if abs(of_positives - of_others) > _UNEVEN_GAPS:
                _LOGGER.warning(
                    "%s has no value at %.0f%% of the positions of %s and %.0f%% of the others': the network may learn "
                    "where the track has gaps; leave sequences outside it out",
                    track_name, 100 * of_positives, f"{name!r}", 100 * of_others,
                )  # fmt: skip


def _told_by_lengths(examples: Examples) -> Iterator[tuple[str, Booleans, Booleans]]:
    lengths = examples.sequences.lengths
    if examples.bases is not None or np.ptp(lengths) <= _SAME_LENGTH:
        return
    from scipy.stats import ks_2samp

    for name, positive, other in _groups(examples):
        distance = ks_2samp(lengths[positive], lengths[other], method="asymp").statistic
        positives, others = int(positive.sum()), int(other.sum())
        chance = 2 * np.exp(-2 * distance**2 * positives * others / (positives + others))  # Smirnov 1939
        if distance > _UNEVEN_LENGTHS and chance < _NO_CHANCE:
            yield name, positive, other


def _groups(examples: Examples) -> Iterator[tuple[str, Booleans, Booleans]]:
    """Yield (name, positives, others) of each target or class with some of both; of values the upper and lower half."""
    if examples.task == "classes":
        known, column = ~np.isnan(examples.values[:, 0]), examples.values[:, 0]
        groups = [(name, column == number, known & (column != number)) for number, name in enumerate(examples.classes)]
    elif examples.task == "regression":
        middles = np.nanmedian(examples.values, axis=0)
        columns = zip(examples.targets, examples.values.T, middles, strict=True)
        groups = [(f"high {name}", column > middle, column <= middle) for name, column, middle in columns]
    else:
        groups = [
            (name, column == 1, column == 0) for name, column in zip(examples.targets, examples.values.T, strict=True)
        ]
    yield from ((name, positive, other) for name, positive, other in groups if positive.any() and other.any())


def _span(lengths: npt.NDArray[np.int64]) -> str:
    low, middle, high = np.quantile(lengths, (0.05, 0.5, 0.95), method="nearest")
    return f"{middle}" if low == high else f"{low} to {high} (median {middle})"
