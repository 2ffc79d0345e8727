"""Examples: sequences joined with their labels and tracks, and divided into training, validation and test."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.genome_tracks import first_names
from motifcnn.formats.labels import Labels, Task, check_variety
from motifcnn.inputs.base_targets import BaseTargets, with_a_value
from motifcnn.inputs.near_identical import Clusters, find_clusters
from motifcnn.inputs.splits import PARTS, TEST, TRAIN, UNDIVIDED, VALIDATION, Part, divide, parts_by_chromosome, strata
from motifcnn.sequences import Sequences
from motifcnn.settings import SplitSettings

Integers = npt.NDArray[np.int64]
Values = npt.NDArray[np.float32]

_LOGGER = logging.getLogger(__name__)

LEAST_EXAMPLES: Final = 20
LEAST_PER_CLASS: Final = 5
"""Fewer examples cannot be divided into three parts that each say something."""
_LARGE_CLUSTER: Final = 0.2
"""Share of the examples from which one cluster distorts the split."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Labelled sequences.

    Args:
        sequences: The sequences.
        task: What the targets are.
        targets: Their names.
        classes: Names of the classes; empty unless task is "classes".
        values: Shape [example, target]: 0 and 1, class indices, or numbers; NaN where missing.
        tracks: Values along the sequences, aligned to `sequences.codes`, shape [track, total
            positions]; NaN where there is none.
        track_names: One name a track.
        split: Part of each example: 0 training, 1 validation, 2 test, shape [example].
        bases: Values at each base, where these are to be learned; `values` are their means then, numbers.
    """

    sequences: Sequences
    task: Task
    targets: tuple[str, ...]
    classes: tuple[str, ...]
    values: Values
    tracks: Values
    track_names: tuple[str, ...]
    split: npt.NDArray[np.int8]
    bases: BaseTargets | None = None

    def __len__(self) -> int:
        return len(self.sequences)

    def part(self, part: Part) -> Integers:
        """Return the indices of the examples of one part, in their order."""
        return np.flatnonzero(self.split == PARTS.index(part)).astype(np.int64)

    @property
    def targeted(self) -> Values:
        """What is to be learned, a row for each example, or for each base, shape [row, target]; NaN where missing."""
        return self.values if self.bases is None else self.bases.values

    def rows(self, indices: Integers) -> Integers:
        """Return the rows of `targeted`, and of predictions, that belong to examples: their own, or their bases'."""
        return indices if self.bases is None else self.sequences.positions_of(indices)

    def cells(self, column: npt.NDArray[np.floating], indices: Integers) -> npt.NDArray[np.floating] | list[str]:
        """Return one cell of a table for each of some examples: its number, or those of its bases after commas.

        Args:
            column: Numbers of these examples' rows, one after another.
            indices: The examples.
        """
        if self.bases is None:
            return column
        return self.sequences.subset(indices).cells(column, "%.4g")

    def subset(self, indices: Integers) -> "Examples":
        """Return some of the examples, in the order of the indices."""
        return replace(
            self,
            sequences=self.sequences.subset(indices),
            values=self.values[indices],
            tracks=self.tracks_of(indices),
            split=self.split[indices],
            bases=self.bases and self.bases.at(self.sequences.positions_of(indices)),
        )

    def tracks_of(self, indices: Integers) -> Values:
        """Return the tracks of some of the examples, aligned to their letters."""
        if not self.track_names:
            return np.empty((0, int(self.sequences.lengths[indices].sum())), dtype=np.float32)
        return self.tracks[:, self.sequences.positions_of(indices)]

    def with_tracks(self, tracks: Values, names: tuple[str, ...]) -> "Examples":
        """Return the examples with these tracks in the place of those they have.

        Args:
            tracks: Shape [track, total positions], aligned to `sequences.codes`.
            names: One name a track.
        """
        return replace(self, tracks=tracks, track_names=names)


def join(
    sequences: Sequences,
    labels: Labels,
    *,
    allow_missing: bool,
    sequences_path: str | Path,
    labels_path: str | Path,
) -> tuple[Examples, list[str]]:
    """Join sequences and labels by name, in the order of the sequences.

    Args:
        sequences: The sequences.
        labels: Their labels, in any order.
        allow_missing: Leave sequences without labels and labels without sequences out, rather than refuse them.
        sequences_path: File of the sequences, for messages.
        labels_path: File of the labels, for messages.

    Returns:
        The examples, all in the training set, without tracks; and lines for people: what was left out.

    Raises:
        InputError: Names do not match, or too few examples or classes are left.
    """
    row_of = {name: row for row, name in enumerate(labels.names)}
    rows = np.array([row_of.get(name, -1) for name in sequences.names], dtype=np.int64)
    labelled = np.flatnonzero(rows >= 0)
    unlabelled = [sequences.names[i] for i in np.flatnonzero(rows < 0)]
    used = np.zeros(len(labels.names), dtype=bool)
    used[rows[labelled]] = True
    unknown = np.flatnonzero(~used)
    report = []
    if len(unknown) or unlabelled:
        found = _mismatch([labels.names[i] for i in unknown], unlabelled)
        line = int(labels.lines[unknown[0]]) or None if len(unknown) else None
        if not len(labelled):
            raise InputError(_nothing_in_common(sequences, labels, sequences_path), labels_path, line)
        if not allow_missing:
            remedy = f"mend the names, or go on with the {len(labelled)} that have both: --allow-missing"
            raise InputError(f"{found}; {remedy}", labels_path, line)
        report.append(f"{found}; these are left out, {len(labelled)} examples have both")
    kept = sequences.subset(labelled) if unlabelled else sequences
    values = labels.values[rows[labelled]]
    _check_enough(labels, values, labels_path)
    no_tracks = np.empty((0, len(kept.codes)), dtype=np.float32)
    split = np.full(len(kept), TRAIN, dtype=np.int8)
    return Examples(kept, labels.task, labels.targets, labels.classes, values, no_tracks, (), split), report


def join_bases(
    sequences: Sequences, targets: BaseTargets, *, allow_missing: bool, targets_path: Path
) -> tuple[Examples, list[str]]:
    """Make examples of sequences with a value for each base.

    Args:
        sequences: The sequences.
        targets: Values at their bases.
        allow_missing: Leave sequences without any value out, rather than refuse them.
        targets_path: First file of the targets, for messages.

    Returns:
        The examples, as `join` gives them.

    Raises:
        InputError: Sequences have no value, or too few are left.
    """
    kept, report = with_a_value(targets, sequences, targets_path, allow_missing=allow_missing)
    if len(kept) < LEAST_EXAMPLES:
        message = f"{_count(len(kept), 'sequence')} with a value; at least {LEAST_EXAMPLES} are needed"
        raise InputError(f"{message} to train and to test", targets_path)
    no_tracks = np.empty((0, len(sequences.codes)), dtype=np.float32)
    split, values = np.full(len(sequences), TRAIN, dtype=np.int8), targets.means(sequences)
    examples = Examples(sequences, "regression", targets.names, (), values, no_tracks, (), split, targets)
    return (examples if len(kept) == len(sequences) else examples.subset(kept)), report


def assign_splits(examples: Examples, settings: SplitSettings, seed: int) -> Examples:
    """Divide the examples into training, validation and test.

    The targets are spread evenly, near-identical sequences (see `near_identical`) stay together, and the
    result depends on the sequences, their labels and the seed alone. With chromosomes given, these make the
    validation or test set as they stand, and near-identical sequences across the border are counted.

    Args:
        examples: The examples.
        settings: Shares, chromosomes, and the similarity from which sequences count as near-identical.
        seed: Seed of the choice.

    Raises:
        MotifcnnError: Names without coordinates, or unknown chromosomes, for a split by chromosome; a part
            would have no examples, or only one class.
    """
    clusters = find_clusters(examples.sequences, settings.similarity)
    _speak_of_clusters(clusters)
    _warn_of_contradictions(examples, clusters)
    fixed = np.full(len(examples), UNDIVIDED, dtype=np.int8)
    by_chromosome = bool(settings.validation_chroms or settings.test_chroms)
    if by_chromosome:
        names, validation, test = examples.sequences.names, settings.validation_chroms, settings.test_chroms
        fixed = parts_by_chromosome(names, validation, test)
    split = fixed
    if (fixed == UNDIVIDED).any():
        split = divide(
            strata(examples.task, examples.values),
            clusters,
            0.0 if settings.validation_chroms else settings.validation_fraction,
            0.0 if settings.test_chroms else settings.test_fraction,
            seed,
            fixed,
        )
    divided = replace(examples, split=split)
    _check_parts(divided, clusters, by_chromosome=by_chromosome)
    if by_chromosome:
        _warn_of_straddling(split, clusters)
    return divided


def _mismatch(unknown: Sequence[str], unlabelled: Sequence[str]) -> str:
    found = []
    if unknown:
        found.append(f"{_count(len(unknown), 'label')} without a sequence ({first_names(unknown)})")
    if unlabelled:
        found.append(f"{_count(len(unlabelled), 'sequence')} without a label ({first_names(unlabelled)})")
    return " and ".join(found)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _nothing_in_common(sequences: Sequences, labels: Labels, sequences_path: str | Path) -> str:
    message = (
        f"no label has a sequence in {sequences_path}: names here are {first_names(labels.names)}, "
        f"names there are {first_names(sequences.names)}"
    )
    known = set(sequences.names)
    readings: dict[str, Callable[[str], str]] = {
        "drop 'chr' from the names here": lambda name: name.removeprefix("chr"),
        "put 'chr' before the names here": lambda name: f"chr{name}",
        "keep the first word of each name here": lambda name: name.split(maxsplit=1)[0],
        "take the '>' off the names here": lambda name: name.removeprefix(">"),
    }
    for remedy, reading in readings.items():
        if any(reading(name) in known for name in labels.names[:1000]):
            return f"{message}; {remedy}"
    return f"{message}; the first column must hold the names of the sequences"


def _check_enough(labels: Labels, values: Values, path: str | Path) -> None:
    """Refuse fewer examples, or fewer of a class, than can be divided into three parts."""
    check_variety(labels.task, labels.targets, labels.classes, values, path)
    for target, column in zip(labels.targets, values.T, strict=True):
        known = column[~np.isnan(column)]
        if len(known) < LEAST_EXAMPLES:
            message = (
                f"{_count(len(known), 'example')} with a value of {target!r}; at least {LEAST_EXAMPLES} are needed"
            )
            raise InputError(f"{message} to train and to test", path)
        if labels.task == "regression":
            continue
        names = labels.classes or ("0", "1")
        counts = np.bincount(known.astype(np.int64), minlength=len(names))
        if counts.min() < LEAST_PER_CLASS:
            rare = _count(int(counts.min()), "example")
            remedy = "leave the target out with --targets" if len(labels.targets) > 1 else "add some"
            if labels.task == "classes":
                remedy = "add some, or join it with another class"
            message = (
                f"{rare} of class {names[int(counts.argmin())]} of {target!r}; at least {LEAST_PER_CLASS} are needed"
            )
            raise InputError(f"{message}: {remedy}", path)


def _speak_of_clusters(clusters: Clusters) -> None:
    """Say how many sequences are near-identical; many in one cluster are variants of one sequence."""
    sizes = np.bincount(clusters.members)
    total, largest = len(clusters.members), int(sizes.max())
    if largest > 1:
        groups = int((sizes > 1).sum())
        together = "this group stays" if groups == 1 else f"these {groups} groups stay"
        _LOGGER.info(
            "%d of %d sequences are near-identical to others; %s together", int(sizes[sizes > 1].sum()), total, together
        )
    if largest > total * _LARGE_CLUSTER:
        _LOGGER.warning(
            "%d of %d sequences are near-identical to one another and stay together in training; "
            "if they are variants of one sequence by design, use --similarity 1",
            largest,
            total,
        )


def _warn_of_contradictions(examples: Examples, clusters: Clusters) -> None:
    """Count identical sequences with different labels: no model can tell them apart."""
    if examples.task == "regression":
        return
    rows = np.where(np.isnan(examples.values), -1, examples.values).astype(np.int64)
    _, content = np.unique(clusters.hashes, return_inverse=True)
    order = np.argsort(content, kind="stable")
    same = content[order][1:] == content[order][:-1]
    different = same & (rows[order][1:] != rows[order][:-1]).any(axis=1)
    if different.any():
        number = len(np.unique(content[order][1:][different]))
        _LOGGER.warning("%s given more than once, with different labels", _count(number, "sequence"))


def _warn_of_straddling(split: npt.NDArray[np.int8], clusters: Clusters) -> None:
    trained = np.zeros(int(clusters.members.max()) + 1, dtype=bool)
    trained[clusters.members[split == TRAIN]] = True
    for part in (VALIDATION, TEST):
        straddling = int(((split == part) & trained[clusters.members]).sum())
        if straddling:
            _LOGGER.warning(
                "%s of %s set are near-identical to training sequences of other chromosomes",
                _count(straddling, "sequence"),
                f"the {PARTS[part]}",
            )


def _check_parts(examples: Examples, clusters: Clusters, *, by_chromosome: bool) -> None:
    largest = int(np.bincount(clusters.members).max())
    remedy = "choose other chromosomes" if by_chromosome else "give more sequences, or larger shares of the split"
    if not by_chromosome and largest > len(examples) // 2:
        remedy = f"{largest} of {len(examples)} sequences are near-identical and stay together; raise --similarity"
    for part in PARTS:
        values = examples.values[examples.split == PARTS.index(part)]
        if not len(values):
            raise MotifcnnError(f"the split leaves no example for {part}; {remedy}")
        if examples.bases is not None and examples.bases.kind == "0/1":
            examples.bases.at(examples.rows(examples.part(part))).check_variety(part, remedy)
        if examples.task == "regression":
            continue
        for target, column in zip(examples.targets, values.T, strict=True):
            known = np.unique(column[~np.isnan(column)])
            if len(known) >= 2:
                continue
            message = f"the {part} set has examples of only one class of {target!r}"
            if examples.task == "binary":
                raise MotifcnnError(f"{message}; {remedy}")
            _LOGGER.warning("%s", message)
