"""The values of tracks, computed sequence by sequence into a file on disk and, where asked for, into arrays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from motifcnn.devices import Device
from motifcnn.drawing.logos import logo_file_name
from motifcnn.encoding import Tracks
from motifcnn.formats.npz import NpzFile
from motifcnn.formats.track_spool import TrackSpool
from motifcnn.model.filters import same_padding
from motifcnn.model.store import TrainedModel
from motifcnn.sequences import Sequences
from motifcnn.tracks.activations import Values, WindowScores, class_activation_map, logit_offsets, window_scores
from motifcnn.tracks.motif_filters import MotifFilter
from motifcnn.tracks.mutagenesis import mutation_effects

_SITE = np.dtype([("start", np.int64), ("reverse", np.bool_), ("height", np.float32)])
"""A window that reaches a motif's threshold: first position in the layout, strand and activation."""

Sites = npt.NDArray[np.void]


@dataclass(frozen=True)
class TrackPlan:
    """Which tracks there are, in this order.

    Args:
        motifs: Activation of each of these.
        mapped: Targets with a class activation map.
        mutated: Targets with the worth of each letter.
        deleted: Targets with the worth of each position, found by leaving it out.
    """

    motifs: tuple[MotifFilter, ...]
    mapped: tuple[str, ...]
    mutated: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Give kind, name and file name without ending of each track."""
        for motif in self.motifs:
            yield "motif", motif.name, logo_file_name(motif.name)
        parts = (("target", "contribution", self.mapped), ("mutagenesis",) * 2 + (self.mutated,))
        for kind, prefix, targets in (*parts, ("deletion",) * 2 + (self.deleted,)):
            for target in targets:
                yield kind, target, f"{prefix}_{logo_file_name(target)}"


class _SiteBuffer:
    """Sites of one motif in one growing buffer: small arrays kept by the thousand would scatter the heap."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, starts: npt.NDArray[np.int64], reverse: npt.NDArray[np.bool_], heights: Values) -> None:
        """Add the sites of a piece."""
        sites = np.empty(len(starts), dtype=_SITE)
        sites["start"], sites["reverse"], sites["height"] = starts, reverse, heights
        self._bytes += sites.tobytes()

    def sites(self) -> Sites:
        """Return all, sorted by position; a window of two overlapping sequences counts once."""
        sites = np.frombuffer(self._bytes, dtype=_SITE)
        _, first = np.unique(sites["start"] * 2 + sites["reverse"], return_index=True)
        return np.asarray(sites[first])


class Arrays:
    """The same values as arrays padded with NaN, in each sequence's own direction.

    Args:
        file: Where they go.
        plan: Which tracks there are.
        model: Trained.
        sequences: Along which.
    """

    def __init__(self, file: NpzFile, plan: TrackPlan, model: TrainedModel, sequences: Sequences):
        number, longest, letters = len(sequences), int(sequences.lengths.max()), model.alphabet.size
        file.add("sequences", np.array(sequences.names, dtype=np.str_))
        file.add("lengths", sequences.lengths)
        file.add("motifs", np.array([motif.name for motif in plan.motifs], dtype=np.str_))
        file.add("targets", np.array(model.objective.output_names, dtype=np.str_))
        file.add("letters", np.array(list(model.alphabet.letters), dtype=np.str_))
        self.activations = file.empty("activations", (number, len(plan.motifs), longest))
        for row, length in enumerate(sequences.lengths.tolist()):
            self.activations[row, :, :length] = 0.0
        if plan.mapped:
            file.add("logit_offsets", logit_offsets(model.network).astype(np.float32))
            self.contributions = file.empty("contributions", (number, len(plan.mapped), longest))
        if plan.mutated:
            self.logits = file.empty("logits", (number, len(plan.mutated)))
            self.mutagenesis = file.empty("mutagenesis", (number, len(plan.mutated), longest, letters))
        if plan.deleted:
            self.deletions = file.empty("deletions", (number, len(plan.deleted), longest))
            self.insertions = file.empty("insertions", (number, len(plan.deleted), longest + 1, letters))


def fill(
    plan: TrackPlan,
    spool: TrackSpool,
    arrays: Arrays | None,
    model: TrainedModel,
    sequences: Sequences,
    tracks: Tracks,
    device: Device,
) -> list[Sites]:
    """Compute all tracks and return each motif's sites.

    Args:
        plan: Which tracks there are.
        spool: Where they go, in the order of the plan.
        arrays: Where they go too.
        model: Trained.
        sequences: Along which.
        tracks: Further input channels, shape [track, total positions].
        device: Where to compute.
    """
    sites = _fill_activations(plan, spool, arrays, model, sequences, tracks, device)
    if plan.mutated:
        _fill_mutations(plan, spool, arrays, model, sequences, tracks, device)
    return sites


def _fill_activations(
    plan: TrackPlan,
    spool: TrackSpool,
    arrays: Arrays | None,
    model: TrainedModel,
    sequences: Sequences,
    tracks: Tracks,
    device: Device,
) -> list[Sites]:
    network, motifs = model.network, plan.motifs
    width, left = network.filters.width, same_padding(network.filters.width)[0]
    sites = [_SiteBuffer() for _ in motifs]
    best = _BestSoFar()
    for piece in window_scores(model, sequences, [motif.filter for motif in motifs], tracks, device.torch_device):
        place = spool.layout.places[piece.sequence]
        length, windows = int(sequences.lengths[piece.sequence]), piece.scores.shape[1]
        turned = place.interval.strand == "-"
        first = length - width - (piece.start + windows - 1) if turned else piece.start
        step = -1 if turned else 1
        for row, motif in enumerate(motifs):
            activations = piece.activations[row, ::step]
            spool.put(row, place.offset + first + left, activations, np.maximum)
            above = np.flatnonzero(piece.scores[row, ::step] >= motif.least_score)
            reverse = piece.reverse[row, ::step][above] ^ turned
            sites[row].add(place.offset + first + above, reverse, activations[above])
        if arrays is not None:
            middles = slice(piece.start + left, piece.start + left + windows)
            arrays.activations[piece.sequence, :, middles] = piece.activations
        best.take(piece)
        if plan.mapped and piece.start + windows + width - 1 == length:
            contributions = class_activation_map(network, best.scores, best.starts, sequences[piece.sequence])
            _put(spool, len(motifs), piece.sequence, contributions)
            if arrays is not None:
                arrays.contributions[piece.sequence, :, :length] = contributions
    return [buffer.sites() for buffer in sites]


def _fill_mutations(
    plan: TrackPlan,
    spool: TrackSpool,
    arrays: Arrays | None,
    model: TrainedModel,
    sequences: Sequences,
    tracks: Tracks,
    device: Device,
) -> None:
    first = len(plan.motifs) + len(plan.mapped)
    mutants = mutation_effects(model, sequences, tracks, device.torch_device, with_indels=bool(plan.deleted))
    for number, effects in enumerate(mutants):
        length = int(sequences.lengths[number])
        _put(spool, first, number, effects.letter_effects(sequences[number]))
        if effects.deletions is not None:
            _put(spool, first + len(plan.mutated), number, -effects.deletions)
        if arrays is not None:
            arrays.logits[number] = effects.logits
            arrays.mutagenesis[number, :, :length] = effects.substitutions
            if effects.deletions is not None and effects.insertions is not None:
                arrays.deletions[number, :, :length] = effects.deletions
                arrays.insertions[number, :, : length + 1] = effects.insertions


def _put(spool: TrackSpool, first: int, sequence: int, values: Values) -> None:
    """Put a sequence's values, shape [track, position], into the tracks from `first` on."""
    place = spool.layout.places[sequence]
    for row, track in enumerate(values, start=first):
        spool.put(row, place.offset, track[::-1] if place.interval.strand == "-" else track, _farther_from_zero)


class _BestSoFar:
    """Best window of each filter in the pieces of a sequence seen so far."""

    scores: Values
    starts: npt.NDArray[np.int64]

    def take(self, piece: WindowScores) -> None:
        """Look at the next piece; one that starts at 0 begins a new sequence."""
        if piece.start == 0:
            self.scores, self.starts = piece.best, piece.best_starts
        else:
            better = piece.best > self.scores
            self.scores = np.where(better, piece.best, self.scores)
            self.starts = np.where(better, piece.best_starts, self.starts)


def _farther_from_zero(one: Values, other: Values) -> Values:
    return np.where(np.abs(one) >= np.abs(other), one, other)


def index_of(plan: TrackPlan, model: TrainedModel, counts: Sequence[int]) -> str:
    """Return the table that says what each track holds.

    A target's logit is the sum of its contributions along a sequence, and the offset.

    Args:
        plan: Which tracks there are.
        model: Trained.
        counts: Sites of each motif.
    """
    lines = ["track\tkind\tname\tfilter\tfilter_threshold\tsites\tlogit_offset"]
    motifs = {motif.name: (motif, count) for motif, count in zip(plan.motifs, counts, strict=True)}
    offsets = dict(zip(model.objective.output_names, logit_offsets(model.network), strict=True))
    for kind, name, file in plan.rows():
        if kind == "motif":
            motif, count = motifs[name]
            lines.append(f"{file}\t{kind}\t{name}\t{motif.filter + 1}\t{motif.threshold:.6g}\t{count}\tNA")
        else:
            offset = f"{offsets[name]:.6g}" if kind == "target" else "NA"
            lines.append(f"{file}\t{kind}\t{name}\tNA\tNA\tNA\t{offset}")
    return "\n".join(lines) + "\n"
