"""Further input channels: the user's files of values along sequences, read, counted and matched with a model."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motifcnn.encoding import Tracks, TrackScale
from motifcnn.errors import InputError
from motifcnn.formats.conservation import read_tracks
from motifcnn.inputs.aligned_channels import is_aligned, read_aligned
from motifcnn.sequences import Sequences
from motifcnn.settings import ChannelSettings

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Channels:
    """Values along sequences.

    Args:
        names: One name a channel, no two alike.
        values: Shape [channel, total positions], aligned to `Sequences.codes`; NaN where there is no value.
    """

    names: tuple[str, ...]
    values: Tracks


@dataclass(frozen=True)
class Missing:
    """What a channel lacks.

    Args:
        positions: Share of all positions that have no value.
        sequences: Number of sequences that have no value at all.
    """

    positions: float
    sequences: int


def read_channels(paths: Sequence[Path], sequences: Sequences, settings: ChannelSettings) -> Channels:
    """Read each file along the sequences, and say what is missing.

    Args:
        paths: Files as `formats.conservation` reads them, or files and folders as `aligned_channels` does.
        sequences: The sequences.
        settings: How the columns of alignments are scored.

    Raises:
        InputError: A file is at fault.
    """
    if not paths:
        return Channels((), np.empty((0, len(sequences.codes)), dtype=np.float32))
    names, parts = [], []
    for path, file_name in zip(paths, distinct([path.name for path in paths]), strict=True):
        if str(path) != "-" and is_aligned(path):
            kinds, values = read_aligned(path, sequences, settings)
        else:
            kinds, values = ("",), read_tracks(path, sequences)[None]
        names += [f"{file_name}:{kind}" if kind else file_name for kind in kinds]
        parts.append(values)
    channels = Channels(tuple(names), np.concatenate(parts))
    _say_missing(channels, sequences)
    return channels


def missing(values: Tracks, sequences: Sequences) -> list[Missing]:
    """Count what each channel lacks.

    Args:
        values: Shape [channel, total positions]; NaN where there is no value.
        sequences: The sequences that they are aligned to.
    """
    starts = sequences.offsets[:-1][sequences.lengths > 0]
    lacking = []
    for channel in values:
        known = ~np.isnan(channel)
        without = int((~np.logical_or.reduceat(known, starts)).sum()) if len(starts) else 0
        lacking.append(Missing(float(1.0 - known.mean()) if len(known) else 0.0, without))
    return lacking


def matched(channels: Channels, scales: Sequence[TrackScale], path: Path) -> Channels:
    """Put channels into the order of a model's.

    They are matched by name where all names are the model's, else taken in the order given.

    Args:
        channels: As they were read.
        scales: The model's.
        path: The sequences' file, for messages.

    Raises:
        InputError: Their number is not the model's.
    """
    wanted = [scale.name for scale in scales]
    if len(channels.names) != len(wanted):
        raise InputError(
            f"the model was trained with {len(wanted)} tracks ({', '.join(wanted) or 'none'}) and "
            f"{len(channels.names)} were given; repeat --conservation for each, in that order",
            path,
        )
    if set(channels.names) == set(wanted):
        order = [channels.names.index(name) for name in wanted]
        return Channels(tuple(wanted), channels.values[order])
    for given, trained in zip(channels.names, wanted, strict=True):
        if given != trained:
            _LOGGER.warning("%s is read in the place of %s, which the model was trained with", given, trained)
    return Channels(tuple(wanted), channels.values)


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Number names that occur more than once, so that no two are alike."""
    total, seen = Counter(names), Counter[str]()
    distinct = []
    for name in names:
        seen[name] += 1
        distinct.append(f"{name}#{seen[name]}" if total[name] > 1 else name)
    return tuple(distinct)


def _say_missing(channels: Channels, sequences: Sequences) -> None:
    for name, lacking in zip(channels.names, missing(channels.values, sequences), strict=True):
        if lacking.sequences:
            _LOGGER.warning("%s has no value for %d of %d sequences", name, lacking.sequences, len(sequences))
        if lacking.positions:
            _LOGGER.info(
                "%s has no value at %.2g%% of the positions, which get its mean", name, 100 * lacking.positions
            )
