"""Per-position tracks of a trained network: what each filter, and each target, answers to where.

Tracks have one value a position. A filter's value stands at the middle of its window (see
`SharedFilters.forward`), so a track keeps the sequence's length; positions where no window fits
hold 0 activation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.encoding import EncodedSequences, Tracks
from motifcnn.model.filters import same_padding
from motifcnn.model.store import TrainedModel
from motifcnn.sequences import Sequences

_BATCH = 64

Values = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ActivationTracks:
    """Tracks of one sequence.

    Args:
        index: Number of the sequence.
        scores: Filter scores of shape [filter, position]; minus infinity where no window fits.
        activations: The same after normalisation and activation; 0 where no window fits.
    """

    index: int
    scores: Values
    activations: Values


def activation_tracks(
    model: TrainedModel, sequences: Sequences, filters: Sequence[int], tracks: Tracks | None = None, device: str = "cpu"
) -> Iterator[ActivationTracks]:
    """Compute tracks of some filters along each sequence, one sequence at a time.

    Args:
        model: Trained.
        sequences: In the model's alphabet.
        filters: Numbers of the filters.
        tracks: Further input channels, as the model was trained with.
        device: Where to compute; the model must be there.
    """
    encoded = EncodedSequences(sequences, tracks, model.scales, device)
    chosen = torch.tensor(list(filters), device=device, dtype=torch.long)
    with torch.no_grad():
        for chunk in torch.split(torch.arange(len(sequences)), _BATCH):
            batch = encoded.batch(chunk.to(device))
            scores = model.network.filters(batch)
            activations = model.network.activate(scores)[:, chosen].cpu().numpy()
            shown = scores[:, chosen].cpu().numpy()
            for row, index in enumerate(chunk.tolist()):
                length = int(sequences.lengths[index])
                yield ActivationTracks(index, shown[row, :, :length], activations[row, :, :length])


def windows_above(scores: Values, width: int, threshold: float) -> list[tuple[int, int]]:
    """Return the windows (start, end) of one track whose score reaches a threshold.

    Args:
        scores: Filter scores, shape [position], each at the middle of its window.
        width: Width of the filter.
        threshold: Least score.
    """
    middles = np.flatnonzero(scores >= threshold)
    left = same_padding(width)[0]
    return [(int(middle) - left, int(middle) - left + width) for middle in middles]
