"""What variants do: each alternative allele against the reference, to a network's predictions and to motifs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.alphabet import DNA, Codes
from motifcnn.devices import Device
from motifcnn.encoding import EncodedSequences, Tracks
from motifcnn.errors import InputError
from motifcnn.formats.files import shown
from motifcnn.formats.genome import Genome
from motifcnn.formats.vcf import Record, VcfReader
from motifcnn.inputs.channels import matched, read_channels
from motifcnn.intervals import Interval
from motifcnn.learning.training import predict_logits
from motifcnn.model.store import TrainedModel
from motifcnn.motifs import LogOdds, Motif
from motifcnn.scanning.best import best_sites
from motifcnn.scanning.distribution import IntegerMotif
from motifcnn.sequences import Sequences

_BATCH = 4096
"""Records at once: with windows of 200 bases, 2 MB of letters."""

Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class MotifChange:
    """A motif's best hit among the windows that an allele touches.

    Args:
        motif: Name.
        p_reference: Its p-value, at one window of one strand, with the reference allele; 1 where no window fits.
        p_alternative: The same with the alternative.
    """

    motif: str
    p_reference: float
    p_alternative: float

    def is_gained(self, threshold: float) -> bool:
        """Whether the hit reaches a p-value with the alternative only."""
        return self.p_alternative <= threshold < self.p_reference

    def is_lost(self, threshold: float) -> bool:
        """Whether the hit reaches a p-value with the reference only."""
        return self.p_reference <= threshold < self.p_alternative

    @property
    def fold(self) -> float:
        """How far the p-values are apart, on a scale of logarithms."""
        return abs(float(np.log(max(self.p_reference, 1e-300)) - np.log(max(self.p_alternative, 1e-300))))


@dataclass(frozen=True, eq=False)
class AlleleEffect:
    """What one alternative allele does.

    Args:
        allele: Its letters.
        logits: With the reference and with the alternative, shape [2, output].
        predictions: The same as probabilities, or values in the targets' units.
        changes: One a motif, in the order of the motifs.
    """

    allele: str
    logits: Values
    predictions: Values
    changes: tuple[MotifChange, ...]

    @property
    def strongest(self) -> MotifChange | None:
        """The motif whose p-values are farthest apart; None where there is none, or nothing changes."""
        best = max(self.changes, key=lambda change: change.fold, default=None)
        return best if best is not None and best.fold > 0 else None


@dataclass(frozen=True, eq=False)
class VariantEffect:
    """What one line of a VCF does.

    Args:
        record: The line.
        alleles: One an alternative, in their order; None where it is symbolic, or too near to an end.
    """

    record: Record
    alleles: tuple[AlleleEffect | None, ...]


@dataclass(frozen=True, eq=False)
class VariantInput:
    """What effects are computed from.

    Args:
        model: A network for DNA.
        genome: That the variants belong to.
        conservation: Tracks, as for training.
        motifs: Of the run; none where there are none.
        width: Of the window around a reference allele, in bases.
    """

    model: TrainedModel
    genome: Genome
    conservation: tuple[Path, ...]
    motifs: Sequence[Motif]
    width: int


def variant_effects(reader: VcfReader, given: VariantInput, device: Device) -> Iterator[VariantEffect]:
    """Compare alleles, in the order of the file.

    The network reads the window of the reference around the variant, and the same with the alternative in place of
    the reference allele, longer or shorter by what is inserted or deleted. Windows end where the chromosome does.

    Args:
        reader: The variants.
        given: What to compare with.
        device: Where to compute.

    Raises:
        InputError: The file is damaged, or does not belong to the genome.
    """
    if given.model.alphabet is not DNA:
        raise InputError(f"variants are DNA, and the model was trained on {given.model.alphabet.name}", reader.path)
    comparison = _Comparison(given, shown(reader.path), device)
    records = iter(reader)
    while waiting := list(islice(records, _BATCH)):
        yield from comparison.effects(waiting)


@dataclass(frozen=True, eq=False)
class _Window:
    """A reference allele and its surroundings.

    Args:
        interval: All of it.
        left: Letters before the allele.
        allele: The reference allele, as the VCF gives it.
        right: Letters after it.
    """

    interval: Interval
    left: Codes
    allele: Codes
    right: Codes

    def with_allele(self, allele: Codes) -> Codes:
        """Return the letters with another allele."""
        return np.concatenate([self.left, allele, self.right])

    def tracks_with(self, tracks: Tracks, length: int) -> Tracks:
        """Return tracks of the reference, shape [track, position], for an allele of another length.

        What is deleted goes, what is inserted has no value.
        """
        begin, end = len(self.left), len(self.left) + len(self.allele)
        kept = min(length, len(self.allele))
        new = np.full((len(tracks), length - kept), np.nan, dtype=np.float32)
        return np.concatenate([tracks[:, : begin + kept], new, tracks[:, end:]], axis=1)


def _window(record: Record, genome: Genome, width: int, least: int) -> _Window:
    """Cut the window around a record's reference allele: of a width, and at least so much on each side of it."""
    start, end = record.position, record.position + len(record.reference)
    before = max((width - (end - start)) // 2, least)
    after = max(width - (end - start) - before, least)
    low, high = max(0, start - before), min(genome.lengths[record.chrom], end + after)
    codes = genome.fetch(Interval(record.chrom, low, high))
    interval = Interval(record.chrom, low, high)
    return _Window(interval, codes[: start - low], DNA.encode(record.reference), codes[end - low :])


def _check_reference(record: Record, genome: Genome, path: str | Path) -> None:
    """Refuse a record whose reference allele is not what the genome has there; its ambiguity codes agree with all."""
    interval = Interval(record.chrom, record.position, record.position + len(record.reference))
    genome.check(interval, path, record.line)
    there, given = genome.fetch(interval), DNA.encode(record.reference)
    known = (there < DNA.size) & (given < DNA.size)
    if (there != given)[known].any():
        shown = [text if len(text) <= 20 else f"{text[:19]}…" for text in (record.reference, DNA.decode(there))]
        raise InputError(
            f"REF {shown[0]} at {record.chrom}:{record.position + 1} is {shown[1]} in {genome.path}; "
            "give the genome that the variants were called on",
            path,
            record.line,
        )


class _Comparison:
    """Compares the alleles of some records at a time.

    Args:
        given: What to compare with.
        path: Of the variants, for messages.
        device: Where to compute.
    """

    def __init__(self, given: VariantInput, path: str | Path, device: Device):
        self._given, self._path, self._device = given, path, device
        genome = given.genome
        self._letters = genome if genome.softmask == "keep" else Genome(genome.path)  # alleles are never masked
        self._motifs = [IntegerMotif.from_log_odds(motif.log_odds()) for motif in given.motifs]
        self._read: dict[str, _Window] = {}
        self._reach = max((motif.width - 1 for motif in self._motifs), default=0)

    def effects(self, records: Sequence[Record]) -> Iterator[VariantEffect]:
        """Compare, in the order of the records."""
        span = self._given.model.network.filters.width
        for record in records:
            _check_reference(record, self._letters, self._path)
        windows = [_window(record, self._given.genome, self._given.width, span - 1) for record in records]
        alleles: list[tuple[int, str]] = []
        for number, (record, window) in enumerate(zip(records, windows, strict=True)):
            flanks = len(window.left) + len(window.right)
            if flanks + len(record.reference) >= span:
                alleles += [(number, text) for text in record.alternatives if text and flanks + len(text) >= span]
        logits = self._logits(windows, alleles)
        beside = [_window(record, self._letters, 0, self._reach) for record in records]
        changes = _changes([beside[number] for number, _ in alleles], [text for _, text in alleles], self._motifs)
        found: dict[tuple[int, str], AlleleEffect] = {}
        for row, (number, text) in enumerate(alleles):
            pair = np.stack([logits[number], logits[len(records) + row]])
            predictions = self._given.model.objective.predictions(torch.from_numpy(pair)).numpy()
            found[number, text] = AlleleEffect(text, pair, predictions, changes[row])
        for number, record in enumerate(records):
            yield VariantEffect(record, tuple(found.get((number, text or "")) for text in record.alternatives))

    def _logits(self, windows: Sequence[_Window], alleles: Sequence[tuple[int, str]]) -> Values:
        """Return the logits of all references, then of all alternatives, shape [window, output]; NaN if too short."""
        model = self._given.model
        reference = Sequences.from_list(
            [str(window.interval) for window in windows], [window.with_allele(window.allele) for window in windows], DNA
        )
        tracks = self._tracks(windows, len(reference.codes))
        codes = [reference[number] for number in range(len(windows))]
        codes += [windows[number].with_allele(DNA.encode(text)) for number, text in alleles]
        parts = [tracks[:, a:b] for a, b in zip(reference.offsets[:-1], reference.offsets[1:], strict=True)]
        parts += [windows[number].tracks_with(parts[number], len(text)) for number, text in alleles]
        every = Sequences.from_list([""] * len(codes), codes, DNA)
        encoded = EncodedSequences(every, np.concatenate(parts, axis=1), model.scales, self._device.torch_device)
        logits = np.full((len(codes), model.network.outputs), np.nan, dtype=np.float32)
        fitting = np.flatnonzero(every.lengths >= model.network.filters.width)
        logits[fitting] = predict_logits(model.network, encoded, fitting).numpy()
        return logits

    def _tracks(self, windows: Sequence[_Window], positions: int) -> Tracks:
        """Return the further channels along the references, shape [track, total positions].

        A track may know nothing of a chromosome, but must know one of those seen so far: a window of each is read too.
        """
        every = [*windows, *self._read.values()]
        codes = [window.with_allele(window.allele) for window in every]
        sequences = Sequences.from_list([str(window.interval) for window in every], codes, DNA)
        model = self._given.model
        channels = read_channels(self._given.conservation, sequences, model.channels)
        if self._given.conservation:
            self._read |= {window.interval.chrom: window for window in windows}
        return matched(channels, model.scales, Path(self._path)).values[:, :positions]


def _changes(
    beside: Sequence[_Window], alleles: Sequence[str], ready: Sequence[IntegerMotif]
) -> list[tuple[MotifChange, ...]]:
    """Return each motif's best hit with and without each allele, among the windows that touch it."""
    columns = []
    for motif in ready:
        reach = motif.width - 1
        parts: list[Codes] = []
        for window, text in zip(beside, alleles, strict=True):
            left = window.left[len(window.left) - min(reach, len(window.left)) :]
            reference, alternative = _differing(window.allele, DNA.encode(text))
            before, after = reference
            kept = np.concatenate([left, window.allele[:before]])[-reach:] if reach else left[:0]
            rest = np.concatenate([window.allele[len(window.allele) - after :], window.right[:reach]])[:reach]
            parts += [
                np.concatenate([kept, window.allele[before : len(window.allele) - after], rest]),
                np.concatenate([kept, alternative, rest]),
            ]
        columns.append(_best_p_values(motif, parts))
    return [
        tuple(
            MotifChange(motif.name, float(column[2 * row]), float(column[2 * row + 1]))
            for motif, column in zip(ready, columns, strict=True)
        )
        for row in range(len(alleles))
    ]


def _differing(reference: Codes, alternative: Codes) -> tuple[tuple[int, int], Codes]:
    """Return how many letters two alleles share at their beginnings and ends, and what lies between in the second."""
    shortest = min(len(reference), len(alternative))
    same = reference[:shortest] == alternative[:shortest]
    before = shortest if same.all() else int(np.argmin(same))
    rest = shortest - before
    same = reference[::-1][:rest] == alternative[::-1][:rest]
    after = rest if same.all() else int(np.argmin(same))
    return (before, after), alternative[before : len(alternative) - after]


def _best_p_values(motif: IntegerMotif, parts: Sequence[Codes]) -> npt.NDArray[np.float64]:
    """Return the p-value of a motif's best window, on either strand, in each stretch; 1 where none fits."""
    matrix = LogOdds(motif.name, motif.scores.astype(np.float64), DNA, np.full(DNA.size, 1 / DNA.size))
    stretches = Sequences.from_list([""] * len(parts), list(parts), DNA)
    best = best_sites([matrix], stretches, both_strands=True).scores[:, 0]
    found = np.isfinite(best)
    p_values = np.ones(len(parts))
    p_values[found] = motif.p_values(best[found].astype(np.int32))
    return p_values
