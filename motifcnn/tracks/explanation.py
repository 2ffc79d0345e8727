"""What a network sees in one sequence: motifs, contributions, and what each letter is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Codes
from motifcnn.devices import Device
from motifcnn.encoding import Tracks
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.fasta import read_fasta
from motifcnn.formats.files import is_there
from motifcnn.formats.genome import Genome
from motifcnn.intervals import Interval, parse_interval
from motifcnn.model.filters import same_padding
from motifcnn.model.store import TrainedModel
from motifcnn.prediction.predicting import model_of, model_tracks
from motifcnn.runs import RunDirectory
from motifcnn.sequences import Sequences
from motifcnn.tracks.activations import class_activation_map, window_scores
from motifcnn.tracks.motif_filters import MotifFilter, read_motif_filters
from motifcnn.tracks.mutagenesis import mutation_effects

Values = npt.NDArray[np.float32]

_LONGEST_SHOWN = 20
"""Letters of a sequence that a message repeats."""


@dataclass(frozen=True)
class MotifHit:
    """A window that reaches a motif's threshold.

    Args:
        motif: Number of the motif among those of the explanation.
        start: First position in the sequence.
        reverse: Whether it reads the reverse strand.
        activation: Of the motif's filter there.
    """

    motif: int
    start: int
    reverse: bool
    activation: float


@dataclass(frozen=True, eq=False)
class Explanation:
    """One sequence as one network sees it.

    Args:
        name: Name of the sequence.
        interval: Where it lies on its chromosome; None where its name does not say.
        model: The network.
        codes: Letters, shape [position].
        logits: Shape [output].
        predictions: Probabilities, or values in the targets' units, shape [output].
        motifs: Names of the run's motifs.
        activations: Of each motif's filter, at the middles of windows, shape [motif, position].
        hits: Sorted by position.
        contributions: Class activation map, shape [output, position]; None where there is no exact one.
        worth: The logit less its mean with each other letter, shape [output, position].
        tracks: Further channels, unscaled, shape [track, position]; NaN where there is no value.
    """

    name: str
    interval: Interval | None
    model: TrainedModel
    codes: Codes
    logits: Values
    predictions: Values
    motifs: tuple[str, ...]
    activations: Values
    hits: tuple[MotifHit, ...]
    contributions: Values | None
    worth: Values
    tracks: Tracks

    def output(self, target: str | None) -> int:
        """Return the number of a target, by default of that with the highest logit.

        Raises:
            MotifcnnError: There is no such target.
        """
        names = self.model.objective.output_names
        if target is None:
            return int(np.argmax(self.logits))
        if target not in names:
            raise MotifcnnError(f"--target {target}: the model has no such target; its targets are {', '.join(names)}")
        return names.index(target)


def read_one(text: str, model: TrainedModel, genome: Path | None, name: str | None) -> Sequences:
    """Find the one sequence that is meant: a file's, a region of a genome, or letters.

    Args:
        text: FASTA file or "-", coordinates such as `chr22:100-301`, or the letters themselves.
        model: For the alphabet, and how lower case is read.
        genome: FASTA of the genome that coordinates belong to.
        name: Which sequence of the file; the first by default.

    Raises:
        InputError: There is no such sequence, or its letters are not the model's.
    """
    if text == "-" or (is_there(text) and Path(text).is_file()):
        every = read_fasta(text, model.alphabet, softmask=model.softmask)  # type: ignore[arg-type]
        if name is not None and name not in every.names:
            raise InputError(
                f"holds no sequence {name!r} (its first is {every.names[0]!r}); give a name that is in it", text
            )
        number = 0 if name is None else every.names.index(name)
        return every.subset(np.array([number]))
    if name is not None:
        raise MotifcnnError(f"--name {name}: chooses a sequence of a file, and {_begins(text)} is none; leave it out")
    interval = parse_interval(text)
    if interval is not None:
        if genome is None:
            raise MotifcnnError(f"{text}: coordinates need the genome that they belong to; add --genome FASTA")
        codes = Genome(genome, model.softmask).fetch(interval, model.alphabet)  # type: ignore[arg-type]
        return Sequences.from_list([text], [codes], model.alphabet)
    if not text.isalpha():
        raise InputError(
            "is neither a file, coordinates such as chr22:100-301, nor the letters of a sequence; give one of them",
            text,
        )
    try:
        return Sequences.from_list(["sequence"], [model.alphabet.encode(text)], model.alphabet)
    except MotifcnnError as error:
        raise MotifcnnError(
            f"{_begins(text)}: there is no such file, and as a sequence: {error}; correct the path, or give letters of "
            f"{model.alphabet.name}"
        ) from None


def _begins(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def explain(
    run: Path, text: str, genome: Path | None, name: str | None, conservation: tuple[Path, ...], device: Device
) -> Explanation:
    """Explain one sequence.

    Args:
        run: Run directory.
        text: See `read_one`.
        genome: See there.
        name: See there.
        conservation: Tracks, as for training.
        device: Where to compute.

    Raises:
        InputError: The run or the sequence is at fault.
    """
    directory = RunDirectory(run)
    if not directory.motifs_table.is_file():
        raise InputError("is no complete run; give the directory that `motifcnn train` wrote with -m", run)
    model = model_of(run, device, whole="explain")
    motifs = read_motif_filters(directory, model)
    sequence = read_one(text, model, genome, name)
    tracks = model_tracks(model, sequence, conservation, Path(text))
    activations, hits, contributions = _seen(model, sequence, tracks, motifs, device)
    (effects,) = mutation_effects(model, sequence, tracks, device.torch_device)
    interval = parse_interval(sequence.names[0])
    return Explanation(
        sequence.names[0],
        interval if interval is not None and interval.width == len(sequence.codes) else None,
        model,
        sequence.codes,
        effects.logits,
        _predictions(model, effects.logits),
        tuple(motif.name for motif in motifs),
        activations,
        tuple(sorted(hits, key=lambda hit: (hit.start, hit.motif))),
        contributions,
        effects.letter_effects(sequence.codes),
        tracks,
    )


def _predictions(model: TrainedModel, logits: Values) -> Values:
    import torch

    return np.asarray(model.objective.predictions(torch.from_numpy(logits)[None])[0].numpy())


def _seen(
    model: TrainedModel, sequence: Sequences, tracks: Tracks, motifs: Sequence[MotifFilter], device: Device
) -> tuple[Values, list[MotifHit], Values | None]:
    """Return activations, hits and contributions of one sequence, put together from its pieces."""
    network, length = model.network, len(sequence.codes)
    left = same_padding(network.filters.width)[0]
    pieces = list(window_scores(model, sequence, [motif.filter for motif in motifs], tracks, device.torch_device))
    scores, heights, reverse = (
        np.concatenate([getattr(piece, part) for piece in pieces], axis=1)
        for part in ("scores", "activations", "reverse")
    )
    activations = np.zeros((len(motifs), length), dtype=np.float32)
    activations[:, left : left + heights.shape[1]] = heights
    hits = [
        MotifHit(row, start, bool(reverse[row, start]), float(heights[row, start]))
        for row, motif in enumerate(motifs)
        for start in _apart(scores[row], motif.least_score, network.filters.width)
    ]
    if not network.has_exact_map:
        return activations, hits, None
    highest = np.argmax([piece.best for piece in pieces], axis=0)
    filters = np.arange(network.filters.filters)
    best, starts = (
        np.stack([getattr(piece, part) for piece in pieces])[highest, filters] for part in ("best", "best_starts")
    )
    return activations, hits, class_activation_map(network, best, starts, sequence.codes)


def _apart(scores: Values, threshold: float, width: int) -> list[int]:
    """Starts of the windows that reach a threshold, the best first; one that overlaps a better one is none."""
    kept: list[int] = []
    taken = np.zeros(len(scores), dtype=np.bool_)
    for start in sorted(np.flatnonzero(scores >= threshold).tolist(), key=lambda start: (-scores[start], start)):
        if not taken[max(0, start - width + 1) : start + width].any():
            taken[start] = True
            kept.append(start)
    return kept


def strongest_window(values: Values, width: int) -> tuple[int, int]:
    """Return the stretch of a width in which values are farthest from 0 in all.

    Args:
        values: Shape [position].
        width: Positions; all of them where there are no more.
    """
    if len(values) <= width:
        return 0, len(values)
    sums = np.concatenate([[0.0], np.cumsum(np.abs(values), dtype=np.float64)])
    start = int(np.argmax(sums[width:] - sums[:-width]))
    return start, start + width
