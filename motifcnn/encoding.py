"""Sequences and per-position tracks → tensors `[example, channel, position]`, made a batch at a time.

The data stay one byte a letter on the device; one-hot rows exist only within a batch, and only where
a layer asks for them.
"""

import warnings
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.sequences import Sequences

Tracks = npt.NDArray[np.float32]

Places = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""From indices of examples, their lengths and positions to the places in each sequence from which its letters are
taken, and from which its tracks, both [example, position]."""


@dataclass(frozen=True)
class TrackScale:
    """What was subtracted from a track and what it was then divided by, so that it can be done again."""

    name: str
    mean: float
    deviation: float


def track_scales(names: tuple[str, ...], tracks: Tracks) -> tuple[TrackScale, ...]:
    """Measure the mean and the standard deviation of each track, missing values left out.

    Args:
        names: One name a track.
        tracks: Shape [track, position]; NaN where there is no value.
    """
    scales = []
    for name, track in zip(names, tracks, strict=True):
        known = track[~np.isnan(track)].astype(np.float64)
        mean, deviation = (float(known.mean()), float(known.std())) if known.size else (0.0, 1.0)
        scales.append(TrackScale(name, mean, deviation or 1.0))
    return tuple(scales)


class Batch:
    """Model input.

    Args:
        inputs: Shape [example, channel, position]; channels are the letters, then the tracks; all
            channels are 0 past an example's end. Or a function that makes it when it is needed.
        lengths: Number of positions of each example, shape [example].
        codes: Codes of the letters, shape [example, position]; any code past an example's end. None where they
            are not known.
    """

    def __init__(
        self,
        inputs: torch.Tensor | Callable[[], torch.Tensor],
        lengths: torch.Tensor,
        codes: torch.Tensor | None = None,
    ):
        self._inputs = inputs
        self.lengths = lengths
        self.codes = codes

    @property
    def inputs(self) -> torch.Tensor:
        """Shape [example, channel, position]; made at the first use."""
        if not isinstance(self._inputs, torch.Tensor):
            self._inputs = self._inputs()
        return self._inputs

    def reverse_complement(self, channels: torch.Tensor) -> "Batch":
        """Return the other strand, its first letter first.

        Args:
            channels: Which channel holds a channel's complement, shape [channel].
        """
        positions = torch.arange(self.inputs.shape[2], device=self.lengths.device)
        where = self.lengths[:, None] - 1 - positions
        turned = self.inputs[:, channels].gather(2, where.clamp(min=0)[:, None].expand(-1, len(channels), -1))
        return Batch(turned * (where >= 0)[:, None], self.lengths)


class EncodedSequences:
    """A set of sequences held on a device as bytes, from which batches are gathered.

    Sequences whose letters are on disk stay there: batches of bytes are gathered from the file and go to the device.

    Args:
        sequences: The sequences.
        tracks: Shape [track, total positions]; NaN where there is no value, which becomes the mean.
        scales: Scale of each track.
        device: Where the bytes live and batches are made.
    """

    def __init__(
        self,
        sequences: Sequences,
        tracks: Tracks | None = None,
        scales: tuple[TrackScale, ...] = (),
        device: torch.device | str = "cpu",
    ):
        self.device = torch.device(device)
        self._home = torch.device("cpu") if sequences.on_disk else self.device
        self._lengths = torch.as_tensor(sequences.lengths, dtype=torch.int64, device=self._home)
        self._starts = torch.as_tensor(sequences.offsets[:-1].astype(np.int64), device=self._home)
        # past an example's end the first letter is read, which counts for nothing
        self._codes = _tensor_of(sequences.codes).to(self._home)
        # asked once: to look for the longest of each batch would make the device wait
        self._one_length = int(sequences.lengths[0]) if len(np.unique(sequences.lengths)) == 1 else None
        rows = torch.from_numpy(sequences.alphabet.fractions.copy())
        self._rows = rows.to(self.device)
        self._tracks: torch.Tensor | None = None
        if scales:
            if tracks is None or len(tracks) != len(scales):
                raise ValueError(f"{len(scales)} scales need as many tracks")
            scaled = np.stack([(t - s.mean) / s.deviation for t, s in zip(tracks, scales, strict=True)])
            self._tracks = torch.from_numpy(np.nan_to_num(scaled.astype(np.float32), nan=0.0)).to(self._home)

    def __len__(self) -> int:
        return len(self._lengths)

    def positions_of(self, indices: torch.Tensor) -> torch.Tensor:
        """Return the places of some sequences' letters among those of all, one sequence after another."""
        indices = indices.to(self._home)
        lengths = self._lengths[indices]
        before = self._starts[indices] - (lengths.cumsum(0) - lengths)
        where: torch.Tensor = before.repeat_interleave(lengths)
        return (where + torch.arange(len(where), device=self._home)).to(self.device)

    def with_letters(self, indices: npt.NDArray[np.int64], codes: npt.NDArray[np.uint8]) -> "EncodedSequences":
        """Return these sequences, of which some have other letters; on the same device.

        Args:
            indices: Which of them.
            codes: Their letters, as many as they had, one sequence after another.
        """
        changed = copy(self)
        changed._codes = self._codes.clone()
        where = self.positions_of(torch.from_numpy(indices)).to(self._home)
        changed._codes[where] = torch.from_numpy(codes).to(self._home)
        return changed

    def batch(self, indices: torch.Tensor, places: Places | None = None) -> Batch:
        """Encode the examples of these indices, padded to the longest of them.

        Args:
            indices: Which examples.
            places: Where to take what stands at each position; from there by default.
        """
        indices = indices.to(self._home)
        lengths = self._lengths[indices]
        positions = torch.arange(self._one_length or int(lengths.max()), device=self._home)
        inside = positions < lengths[:, None]
        starts = self._starts[indices][:, None]
        letters, of_tracks = (positions, positions) if places is None else places(indices, lengths, positions)
        codes = self._codes[torch.where(inside, starts + letters, 0)].to(self.device)

        def inputs() -> torch.Tensor:
            channels = [self._rows[codes.long()].permute(0, 2, 1)]
            if self._tracks is not None:
                where = torch.where(inside, starts + of_tracks, 0)
                channels.append(self._tracks[:, where].permute(1, 0, 2).to(self.device))
            return (torch.cat(channels, dim=1) * inside[:, None, :].to(self.device)).contiguous()

        return Batch(inputs, lengths.to(self.device), codes)


def _tensor_of(codes: npt.NDArray[np.uint8]) -> torch.Tensor:
    """Return codes as a tensor on the same memory, which is never written to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        return torch.from_numpy(codes)
