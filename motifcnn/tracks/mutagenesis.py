"""In-silico mutagenesis: what every single change of a sequence does to a network's logits.

Where the network pools over the whole sequence, a change matters through the windows that overlap it alone: they are
scored again, and the best of the others is known. Any other network, and any on a GPU, reads every mutant; so does one
that learned places where letters are left out or put in, which moves all others from or to the middle.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.alphabet import Codes
from motifcnn.encoding import EncodedSequences, Tracks
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel
from motifcnn.sequences import Sequences
from motifcnn.tracks.mutation_code import LANES, indels, segment_maxima, substituted

_PIECE = 1024
"""Positions changed at once: with 256 filters their best windows, all letters, take 4 MB."""
_BATCH_LETTERS = 2**16
"""Letters of mutants read at once: their scores, by 512 filters and strands, take 128 MB."""

Values = npt.NDArray[np.float32]
_Mutant = tuple[Codes, Tracks]


@dataclass(frozen=True, eq=False)
class MutationEffects:
    """Logits of a sequence, and how changes move them (mutant less sequence).

    Args:
        logits: Shape [output].
        substitutions: Effect of each letter at each position, shape [output, position, letter]; 0 for the letter
            that is there.
        deletions: Effect of leaving a position out, shape [output, position]; None where not asked for.
        insertions: Effect of each letter put before each position, and at last after the end, shape
            [output, position + 1, letter]; None where not asked for. Further channels are unknown there.
    """

    logits: Values
    substitutions: Values
    deletions: Values | None = None
    insertions: Values | None = None

    def letter_effects(self, codes: Codes) -> Values:
        """Return what each letter is worth: the logit less its mean with each other letter there.

        Args:
            codes: The sequence.

        Returns:
            Shape [output, position]; of an ambiguity code, the logit less its mean with each letter.
        """
        letters = self.substitutions.shape[2]
        others = np.where(codes < letters, letters - 1, letters).astype(np.float32)
        return np.asarray(-self.substitutions.sum(axis=2) / others)


def mutation_effects(
    model: TrainedModel,
    sequences: Sequences,
    tracks: Tracks | None = None,
    device: torch.device | str = "cpu",
    *,
    with_indels: bool = False,
) -> Iterator[MutationEffects]:
    """Change every position of every sequence, one change at a time, in the order of the sequences.

    Args:
        model: Trained.
        sequences: In the model's alphabet, none shorter than its filters.
        tracks: Further input channels, as the model was trained with, shape [track, total positions].
        device: Where to compute; the model must be there.
        with_indels: Whether to delete and insert single letters too.
    """
    network = model.network
    local = network.whole_sequence and not (with_indels and network.placement is not None)
    if local and torch.device(device).type == "cpu":
        yield from _by_windows(model, sequences, tracks, with_indels)
    else:
        yield from read_every_mutant(model, sequences, tracks, device, with_indels=with_indels)


def read_every_mutant(
    model: TrainedModel,
    sequences: Sequences,
    tracks: Tracks | None = None,
    device: torch.device | str = "cpu",
    *,
    with_indels: bool = False,
) -> Iterator[MutationEffects]:
    """Do what `mutation_effects` does by letting the network read each mutant, whatever network it is."""
    for cut in _cuts(sequences):
        own = np.empty((0, cut.stop - cut.start), dtype=np.float32) if tracks is None else tracks[:, cut]
        reader = _Reader(model, sequences.codes[cut], own, torch.device(device))
        yield reader.effects(with_indels=with_indels)


def _cuts(sequences: Sequences) -> list[slice]:
    """Where each sequence lies among the codes."""
    return [slice(int(a), int(b)) for a, b in zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True)]


def _by_windows(
    model: TrainedModel, sequences: Sequences, tracks: Tracks | None, with_indels: bool
) -> Iterator[MutationEffects]:
    """Search the windows that changes touch, several pieces at a time; the network turns best scores into logits."""
    blocks = _blocks_of(model.network)
    pieces = (
        piece
        for cut in _cuts(sequences)
        for piece in _pieces_of(sequences.codes[cut], _scaled(model, tracks, cut), blocks)
    )
    threads = torch.get_num_threads()
    search = partial(_effects_in, model.network, blocks, with_indels)
    try:
        # many small pieces side by side, each on one thread: torch's own threads would wait for one another
        with ThreadPoolExecutor(threads, "mutants", torch.set_num_threads, (1,)) as pool:
            parts: list[list[Values]] = []
            while group := list(islice(pieces, 2 * threads)):
                for piece, found in zip(group, pool.map(search, group), strict=True):
                    parts.append(found)
                    if piece.end == len(piece.codes):
                        yield _joined(parts, piece.codes)
                        parts = []
    finally:
        torch.set_num_threads(threads)


@dataclass(frozen=True, eq=False)
class _Block:
    """Some filters as rows of lanes.

    Args:
        filters: Numbers of the filters.
        letters: Number of letters proper.
        half: Lane of the first filter's reverse strand; `LANES` where one strand is read.
        table: Rows of the symbols, shape [symbol, column, lane].
        track_table: Rows of the tracks, shape [track, column, lane].
        place: What a window's score begins with, by its distance from the middle (see `PlaceCurves.rows`), shape
            [row, lane].
    """

    filters: slice
    letters: int
    half: int
    table: Values
    track_table: Values
    place: Values


def _blocks_of(network: MotifNetwork) -> list[_Block]:
    """Lay the filters out."""
    layer, alphabet = network.filters, network.filters.alphabet
    half = LANES // 2 if layer.both_strands else LANES
    weight = layer.weight.detach()
    strands = [weight, weight[:, layer.complement].flip(2)][: 1 + layer.both_strands]
    fractions = torch.from_numpy(alphabet.fractions.copy())
    rows = torch.zeros(1, layer.filters) if network.placement is None else network.placement.rows().detach()
    blocks = []
    for first in range(0, layer.filters, half):
        chosen = slice(first, min(first + half, layer.filters))
        lanes = torch.zeros(layer.width, weight.shape[1], LANES)
        place = torch.zeros(len(rows), LANES)
        for number, strand in enumerate(strands):
            begin = number * half
            place[:, begin : begin + chosen.stop - first] = rows[:, chosen]
            lanes[:, :, begin : begin + chosen.stop - first] = strand[chosen].permute(2, 1, 0)
        table = torch.einsum("sl,clx->scx", fractions, lanes[:, : alphabet.size]).contiguous().numpy()
        track_table = lanes[:, alphabet.size :].permute(1, 0, 2).contiguous().numpy()
        blocks.append(_Block(chosen, alphabet.size, half, table, track_table, place.numpy()))
    return blocks


def _scaled(model: TrainedModel, tracks: Tracks | None, cut: slice) -> Values:
    """Return the tracks of a sequence as the network gets them, shape [track, position]."""
    scaled = np.zeros((len(model.scales), cut.stop - cut.start), dtype=np.float32)
    for row, scale in enumerate(model.scales):
        assert tracks is not None
        scaled[row] = np.nan_to_num((tracks[row, cut] - scale.mean) / scale.deviation, nan=0.0)
    return scaled


@dataclass(frozen=True, eq=False)
class _Piece:
    """Some positions of a sequence, to be changed one by one.

    Args:
        codes: The whole sequence.
        tracks: Its scaled tracks, shape [track, position].
        begin: First position.
        end: Position after the last.
        left: Best score of the windows that end before `begin`, shape [filter].
        right: Best score of those that start at `end` or after, shape [filter].
        best: Best score of all, shape [filter].
    """

    codes: Codes
    tracks: Values
    begin: int
    end: int
    left: Values
    right: Values
    best: Values


def _pieces_of(codes: Codes, tracks: Values, blocks: list[_Block]) -> Iterator[_Piece]:
    """Cut a sequence, and find the best windows that lie outside each piece."""
    length, filters = len(codes), blocks[-1].filters.stop
    width = blocks[0].table.shape[1]
    windows = length - width + 1
    begins = range(0, length, _PIECE)
    ends = [min(begin + _PIECE, length) for begin in begins]
    lows, highs = [max(0, begin - width + 1) for begin in begins], [min(end, windows) for end in ends]
    bounds = np.unique(np.array([*lows, *highs], dtype=np.int64))
    segments = np.full((len(bounds) + 1, filters), -np.inf, dtype=np.float32)  # none before the first, after the last
    for block in blocks:
        found = np.empty((len(bounds) - 1, block.filters.stop - block.filters.start), dtype=np.float32)
        segment_maxima(codes, tracks, block.table, block.track_table, block.place, block.half, bounds, found)
        segments[1:-1, block.filters] = found
    before = np.maximum.accumulate(segments)
    after = np.maximum.accumulate(segments[::-1])[::-1]
    for begin, end, low, high in zip(begins, ends, lows, highs, strict=True):
        left, right = before[np.searchsorted(bounds, low)], after[np.searchsorted(bounds, high) + 1]
        yield _Piece(codes, tracks, begin, end, left, right, before[-1])


def _effects_in(network: MotifNetwork, blocks: list[_Block], with_indels: bool, piece: _Piece) -> list[Values]:
    """Return the sequence's logits, shape [output], and the effects of changes in a piece, [..., output].

    Substitutions come first, shape [position, letter]; where indels are asked for, deletions, shape [position], and
    insertions, shape [position, letter], the sequence's end among the positions, follow.
    """
    letters, positions = blocks[0].letters, piece.end - piece.begin
    places = positions + (piece.end == len(piece.codes))
    shapes = [(positions, letters), (positions,), (places, letters)][: 3 if with_indels else 1]
    found = [np.empty((*shape, len(piece.best)), dtype=np.float32) for shape in shapes]
    for block in blocks:
        own = block.filters
        common = piece.codes, piece.tracks, block.table, block.track_table, block.place, block.half, piece.begin
        beside = piece.left[own], piece.right[own]
        parts = [scores[..., own] for scores in found]
        substituted(*common, piece.end, *beside, parts[0])
        if with_indels:
            indels(*common, piece.begin + places, *beside, *parts[1:])
    logits = _logits_of(network, piece.best)
    effects = [_logits_of(network, scores) - logits for scores in found]
    for branch in network.sums:
        logits = logits + branch.total(piece.codes)
        added = branch.effects(piece.codes, piece.begin, piece.end, with_indels=with_indels)
        effects = [one + other for one, other in zip(effects, added, strict=True)]
    return [logits, *effects]


def _logits_of(network: MotifNetwork, best: Values) -> Values:
    """Return logits of best scores, shape [..., filter] to [..., output]."""
    with torch.no_grad():
        pooled = torch.from_numpy(best.reshape(-1, best.shape[-1]))[:, :, None]
        logits = network.head_logits(network.activate(pooled), pooled)
    return logits.numpy().reshape(*best.shape[:-1], -1)


def _joined(parts: list[list[Values]], codes: Codes) -> MutationEffects:
    """Put the pieces of a sequence together."""
    logits = parts[0][0]
    effects = [np.moveaxis(np.concatenate(each), -1, 0) for each in list(zip(*parts, strict=True))[1:]]
    proper = np.flatnonzero(codes < effects[0].shape[2])
    effects[0][:, proper, codes[proper]] = 0.0
    return MutationEffects(logits, *effects)


class _Reader:
    """Lets the network read every mutant of a sequence.

    Args:
        model: Trained.
        codes: The sequence.
        tracks: Its tracks, shape [track, position].
        device: Where the model is.
    """

    def __init__(self, model: TrainedModel, codes: Codes, tracks: Tracks, device: torch.device):
        self._model, self._codes, self._tracks, self._device = model, codes, tracks, device

    def effects(self, *, with_indels: bool) -> MutationEffects:
        """Change every position."""
        length, letters = len(self._codes), self._model.alphabet.size
        logits = self._logits(iter([(self._codes, self._tracks)]))[0]

        def moved(mutants: Iterator[_Mutant], *shape: int) -> Values:
            return np.moveaxis((self._logits(mutants) - logits).reshape(*shape, -1), -1, 0)

        substitutions = moved(self._substituted(), length, letters)
        proper = np.flatnonzero(self._codes < letters)
        substitutions[:, proper, self._codes[proper]] = 0.0
        if not with_indels:
            return MutationEffects(logits, substitutions)
        deletions = moved(self._deleted(), length)
        return MutationEffects(logits, substitutions, deletions, moved(self._inserted(), length + 1, letters))

    def _substituted(self) -> Iterator[_Mutant]:
        for position in range(len(self._codes)):
            for letter in range(self._model.alphabet.size):
                codes = self._codes.copy()
                codes[position] = letter
                yield codes, self._tracks

    def _deleted(self) -> Iterator[_Mutant]:
        for position in range(len(self._codes)):
            yield np.delete(self._codes, position), np.delete(self._tracks, position, axis=1)

    def _inserted(self) -> Iterator[_Mutant]:
        for position in range(len(self._codes) + 1):
            tracks = np.insert(self._tracks, position, np.nan, axis=1)
            for letter in range(self._model.alphabet.size):
                yield np.insert(self._codes, position, letter), tracks

    def _logits(self, mutants: Iterator[_Mutant]) -> Values:
        """Return the logits of mutants, shape [mutant, output]."""
        size = max(1, _BATCH_LETTERS // len(self._codes))
        parts = []
        while group := list(islice(mutants, size)):
            # the sequence itself is read along: what is one letter shorter may be shorter than a filter
            read = [(self._codes, self._tracks), *group]
            codes, tracks = [each[0] for each in read], np.concatenate([each[1] for each in read], axis=1)
            sequences = Sequences.from_list([""] * len(read), codes, self._model.alphabet)
            encoded = EncodedSequences(sequences, tracks, self._model.scales, self._device)
            with torch.no_grad():
                logits = self._model.network.logits(encoded.batch(torch.arange(len(read), device=self._device)))
            parts.append(logits[1:].float().cpu().numpy())
        return np.concatenate(parts)
