"""Training sequences changed at random, anew in each epoch; the last epochs see them as they are.

Lee et al. 2023 (EvoAug, Genome Biology 24:105) train on shifted, mutated, lengthened and shortened sequences, then tune
on the true ones at a tenth of the learning rate, which is about what ours has fallen to in its last fifth. Here a
changed sequence keeps its length: a shift is circular, what an insertion pushes over the end is lost, and a deletion
is made up for there. New letters come from random places of the same sequence, so that its composition stays in the
mean what it is, whatever the alphabet. Inserted ones bring the further channels of their place with them; substituted
ones stand in the channels of the letter that they replace.

Each draw is a number of a stream of its own example (SplitMix64; Steele et al. 2014), computed where the letters live.
It depends on the epoch's seed, the example and the position alone: not on batches, processes or device.
"""

import math
from dataclasses import dataclass

import torch

from motifcnn.settings import TrainingSettings


def augmented_epochs(settings: TrainingSettings) -> int:
    """Return how many epochs, from the first on, see changed sequences; 0 where nothing is to be changed."""
    if not settings.augmentations:
        return 0
    return settings.epochs - math.ceil(settings.clean_epochs * settings.epochs)


@dataclass(frozen=True)
class Augmentation:
    """The changes of one epoch.

    Args:
        settings: How much to change.
        seed: Of the epoch, 64 bits.
        width: Letters of a filter; shorter sequences stay as they are.
    """

    settings: TrainingSettings
    seed: int
    width: int

    def places(
        self, examples: torch.Tensor, lengths: torch.Tensor, positions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the place in its sequence from which each letter is taken, and from which its further channels.

        Args:
            examples: Numbers of the examples in the whole set.
            lengths: Their numbers of letters.
            positions: 0 up to the longest of these; past an example's end its places mean nothing.

        Returns:
            Both of shape [example, position].
        """
        stream = _mixed(examples[:, None] * _STEP + _signed(self.seed))
        length, changed = lengths[:, None], (lengths >= self.width)[:, None]
        of_shift, of_size, of_place = torch.split(_numbers(stream, torch.arange(3, device=stream.device)), 1, dim=1)
        shift = _up_to(self.settings.augment_shift, of_shift) * changed
        size = _up_to(self.settings.augment_indels, of_size) * changed
        place = _share_of(length, of_place)
        moved = positions >= place
        kept = positions - size * moved
        channels = (kept - shift) % length
        if not self.settings.augment_indels and not self.settings.augment_substitutions:
            return channels, channels
        numbers = _numbers(stream, positions + 3)
        elsewhere = _share_of(length, numbers)
        new = moved & ((kept < place) | (kept >= length))
        channels = torch.where(new, elsewhere, channels)
        substituted = (_upper(numbers) < int(self.settings.augment_substitutions * 2**31)) & changed
        return torch.where(substituted, elsewhere, channels), channels


def _signed(bits: int) -> int:
    """Read 64 bits as a signed number, which is what tensors hold."""
    return (bits + 2**63) % 2**64 - 2**63


_STEP = _signed(0x9E3779B97F4A7C15)
_FACTORS = _signed(0xBF58476D1CE4E5B9), _signed(0x94D049BB133111EB)


def _numbers(stream: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    """Return some of the 64-bit numbers of streams of SplitMix64, shape [stream, number]."""
    return _mixed(stream + (which + 1) * _STEP)


def _mixed(bits: torch.Tensor) -> torch.Tensor:
    bits = (bits ^ _shifted(bits, 30)) * _FACTORS[0]
    bits = (bits ^ _shifted(bits, 27)) * _FACTORS[1]
    return bits ^ _shifted(bits, 31)


def _shifted(bits: torch.Tensor, by: int) -> torch.Tensor:
    """Shift to the right, with zeros coming in."""
    shifted: torch.Tensor = (bits >> by) & (2 ** (64 - by) - 1)
    return shifted


def _upper(numbers: torch.Tensor) -> torch.Tensor:
    """Return the upper 31 bits."""
    return _shifted(numbers, 33)


def _share_of(length: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Turn the lower 31 bits into a place below a length."""
    places: torch.Tensor = (numbers & (2**31 - 1)) * length >> 31
    return places


def _up_to(most: int, numbers: torch.Tensor) -> torch.Tensor:
    """Turn the upper 31 bits into a whole number from −most to most."""
    return (_upper(numbers) * (2 * most + 1) >> 31) - most
