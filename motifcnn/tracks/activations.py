"""What a trained network answers to where: filter activations and class activation maps along sequences.

Long sequences are cut into pieces that overlap by a window less one, so that memory grows with
neither their length nor their number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.alphabet import Codes
from motifcnn.encoding import EncodedSequences, Tracks
from motifcnn.model.filters import same_padding
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel
from motifcnn.sequences import Sequences

_BATCH_SCORES = 2**22
"""Filter scores computed at once, 16 MB of them: few enough for any machine, enough to keep it busy."""
_PIECE = 2**14
"""Most windows of a piece."""

Values = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class WindowScores:
    """What the windows of one piece of a sequence score; all windows lie wholly in the sequence.

    Args:
        sequence: Number of the sequence.
        start: First position of the piece's first window.
        scores: Scores of the filters asked for, the better strand's, shape [filter, window].
        activations: The same after normalisation and activation.
        reverse: Whether the better strand was the reverse one; same shape.
        best: Best score of every filter of the network, with what its place adds, shape [all filters].
        best_starts: First position in the sequence of that window, shape [all filters].
    """

    sequence: int
    start: int
    scores: Values
    activations: Values
    reverse: npt.NDArray[np.bool_]
    best: Values
    best_starts: npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Piece:
    sequence: int
    start: int
    windows: int


def window_scores(
    model: TrainedModel,
    sequences: Sequences,
    filters: Sequence[int],
    tracks: Tracks | None = None,
    device: torch.device | str = "cpu",
) -> Iterator[WindowScores]:
    """Score every window of every sequence, piece by piece, in the order of the sequences.

    Args:
        model: Trained.
        sequences: In the model's alphabet, none shorter than its filters.
        filters: Numbers of the filters to give scores of.
        tracks: Further input channels, as the model was trained with, shape [track, total positions].
        device: Where to compute; the model must be there.
    """
    network = model.network
    chosen = torch.tensor(list(filters), device=device, dtype=torch.long)
    for pieces in _batches(sequences.lengths - network.filters.width + 1, network.filters.filters):
        with torch.no_grad():
            batch = _encoded(model, sequences, tracks, pieces, device).batch(torch.arange(len(pieces), device=device))
            scores, reverse = network.filters.oriented(batch)
            best, middles = _with_place(network, sequences, pieces, scores).max(dim=2)
            found = [
                values.cpu().numpy()
                for values in (
                    scores[:, chosen],
                    network.activate(scores)[:, chosen],
                    reverse[:, chosen],
                    best,
                    middles,
                )
            ]
        left = same_padding(network.filters.width)[0]
        for row, piece in enumerate(pieces):
            windows = slice(left, left + piece.windows)
            shown, activations, turned = (values[row, :, windows] for values in found[:3])
            starts = found[4][row] - left + piece.start
            yield WindowScores(piece.sequence, piece.start, shown, activations, turned, found[3][row], starts)


def _with_place(
    network: MotifNetwork, sequences: Sequences, pieces: list[_Piece], scores: torch.Tensor
) -> torch.Tensor:
    """Add what the place of each window adds to scores that stand at the windows' middles."""
    if network.placement is None:
        return scores
    begins, lengths = (
        torch.tensor(values, device=scores.device)[:, None]
        for values in ([p.start for p in pieces], [int(sequences.lengths[p.sequence]) for p in pieces])
    )
    width = network.filters.width
    starts = begins - same_padding(width)[0] + torch.arange(scores.shape[2], device=scores.device)
    return scores + network.placement.rows()[network.placement.row_of(starts, lengths, width)].mT


def class_activation_map(network: MotifNetwork, best: Values, starts: npt.NDArray[np.int64], codes: Codes) -> Values:
    """Share each logit out along a sequence, exactly: [output, position], adding up to logit − bias.

    A network that pools over the whole sequence sees only each filter's best window; what that adds to a
    logit is shared evenly by the positions of the window (class activation maps: Zhou et al. 2016), and so is
    what a word or a codon adds by its positions.

    Args:
        network: One with `has_exact_map`.
        best: Score of each filter's best window in the sequence, shape [filter].
        starts: First position of those windows, shape [filter].
        codes: Letters of the sequence, shape [position].

    Raises:
        ValueError: The network has no exact map.
    """
    if not network.has_exact_map:
        raise ValueError("only a linear head after pooling over the whole sequence has an exact map")
    with torch.no_grad():
        device = network.head.device
        activations = network.activate(torch.from_numpy(best).to(device)[None])[0]
        shares = (activations[:, None] * network.feature_weights()).double().cpu().numpy() / network.filters.width
    where = (starts[:, None] + np.arange(network.filters.width)).ravel()
    rows = [
        np.bincount(where, np.repeat(shares[:, output], network.filters.width), minlength=len(codes))
        for output in range(network.outputs)
    ]
    shared = np.stack(rows).astype(np.float32)
    for branch in network.sums:
        shared += branch.shares(codes)
    return shared


def logit_offsets(network: MotifNetwork) -> npt.NDArray[np.float64]:
    """Return what each logit is where no filter, no word and no codon adds anything, shape [output]."""
    return np.asarray(network.bias.detach().double().mean(dim=0).cpu().numpy())


def _batches(windows: npt.NDArray[np.int64], filters: int) -> Iterator[list[_Piece]]:
    """Pieces in order, as many at once as keep the scores, padded to the longest piece, within bounds."""
    waiting: list[_Piece] = []
    longest = 0
    for sequence, total in enumerate(windows.tolist()):
        for start in range(0, total, _PIECE):
            piece = _Piece(sequence, start, min(_PIECE, total - start))
            longest = max(longest, piece.windows)
            if waiting and (len(waiting) + 1) * longest * filters > _BATCH_SCORES:
                yield waiting
                waiting, longest = [], piece.windows
            waiting.append(piece)
    if waiting:
        yield waiting


def _encoded(
    model: TrainedModel,
    sequences: Sequences,
    tracks: Tracks | None,
    pieces: list[_Piece],
    device: torch.device | str,
) -> EncodedSequences:
    overhang = model.network.filters.width - 1
    firsts = [int(sequences.offsets[piece.sequence]) + piece.start for piece in pieces]
    cuts = [slice(first, first + piece.windows + overhang) for first, piece in zip(firsts, pieces, strict=True)]
    codes = [sequences.codes[cut] for cut in cuts]
    part = Sequences.from_list([sequences.names[piece.sequence] for piece in pieces], codes, sequences.alphabet)
    channels = None if tracks is None else np.concatenate([tracks[:, cut] for cut in cuts], axis=1)
    return EncodedSequences(part, channels, model.scales, device)
