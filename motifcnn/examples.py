"""Examples: sequences joined with their labels and tracks, and divided into three parts."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.labels import Labels, Task
from motifcnn.intervals import parse_interval
from motifcnn.sequences import Sequences
from motifcnn.settings import SplitSettings
from motifcnn.similarity import near_identical_clusters, seeded_draws

_LOGGER = logging.getLogger(__name__)

TRAIN, VALIDATION, TEST = 0, 1, 2
PARTS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
LEAST_EXAMPLES = 20
LEAST_PER_CLASS = 5
_QUANTILES = 10

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Examples:
    """Labelled sequences.

    Args:
        sequences: The sequences.
        task: Kind of the targets.
        targets: Their names.
        classes: Names of the classes; empty unless the task is "classes".
        values: Shape [example, target]; NaN where missing.
        tracks: Shape [track, total positions]; NaN where there is no value.
        track_names: One name a track.
        split: Part of each example: 0 training, 1 validation, 2 held-out test.
    """

    sequences: Sequences
    task: Task
    targets: tuple[str, ...]
    classes: tuple[str, ...]
    values: npt.NDArray[np.float32]
    tracks: npt.NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))
    track_names: tuple[str, ...] = ()
    split: npt.NDArray[np.int8] = field(default_factory=lambda: np.empty(0, dtype=np.int8))

    def __len__(self) -> int:
        return len(self.sequences)

    def part(self, name: Literal["train", "validation", "test"] | str) -> Indices:
        """Return the indices of one part."""
        return np.flatnonzero(self.split == PARTS[name])

    def with_tracks(self, tracks: npt.NDArray[np.float32], names: tuple[str, ...]) -> "Examples":
        """Return the same examples with tracks beside their letters."""
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

    Returns:
        The examples, and what was left out and why, in words.

    Raises:
        InputError: Names without a partner (unless allowed), too few examples, or one class only.
    """
    row_of = {name: row for row, name in enumerate(labels.names)}
    known = set(sequences.names)
    unlabelled = [name for name in sequences.names if name not in row_of]
    unknown = [name for name in labels.names if name not in known]
    report = []
    if unlabelled:
        report.append(f"{len(unlabelled)} sequences have no label (first: {_first(unlabelled)})")
    if unknown:
        report.append(f"{len(unknown)} labels have no sequence (first: {_first(unknown)})")
    kept = np.array([i for i, name in enumerate(sequences.names) if name in row_of], dtype=np.int64)
    if report and (not allow_missing or not len(kept)):
        remedy = "--allow-missing goes on without them" if len(kept) else "no name is in both files"
        line = int(labels.lines[row_of[unknown[0]]]) if unknown and not unlabelled else None
        raise InputError(f"{'; '.join(report)} in {sequences_path}; {remedy}", labels_path, line)
    values = labels.values[[row_of[sequences.names[int(i)]] for i in kept]]
    joined = sequences if len(kept) == len(sequences) else sequences.subset(kept)
    examples = Examples(joined, labels.task, labels.targets, labels.classes, values)
    _check_enough(examples, labels_path)
    return examples, [f"{line}; left out" for line in report]


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:3])


def _check_enough(examples: Examples, path: str | Path) -> None:
    if len(examples) < LEAST_EXAMPLES:
        raise InputError(f"{len(examples)} labelled sequences; at least {LEAST_EXAMPLES} are needed", path)
    if examples.task == "regression":
        for column, name in enumerate(examples.targets):
            known = examples.values[:, column][~np.isnan(examples.values[:, column])]
            if not known.size or np.ptp(known) == 0:
                raise InputError(f"target {name!r} has the same value everywhere; there is nothing to learn", path)
        return
    for column, name in enumerate(examples.targets):
        truth = examples.values[:, column]
        names = examples.classes or ("0", "1")
        counts = {word: int((truth == number).sum()) for number, word in enumerate(names)}
        shown = ", ".join(f"{count} of class {word}" for word, count in counts.items())
        if min(counts.values()) == 0 or len(counts) < 2:
            raise InputError(f"target {name!r} has one class only ({shown}); give examples of another", path)
        if min(counts.values()) < LEAST_PER_CLASS:
            raise InputError(f"target {name!r} has {shown}; at least {LEAST_PER_CLASS} of each are needed", path)


def assign_splits(examples: Examples, settings: SplitSettings, seed: int) -> Examples:
    """Divide examples into training, validation and held-out test.

    Stratified by target, drawn from the seed and the names alone (so the order of the input does not
    matter); near-identical sequences always come to the same part. Chromosomes named in the settings
    make their part whole, and the rest is divided where a part has none.

    Raises:
        MotifcnnError: An unknown chromosome, or a part would be empty.
    """
    split = np.full(len(examples), -1, dtype=np.int8)
    _assign_chromosomes(examples, settings, split)
    clusters = near_identical_clusters(examples.sequences, settings.similarity)
    draws = seeded_draws(examples.sequences.names, seed)
    leader = _leaders(clusters, draws)
    strata = _strata(examples)[leader]
    for stratum in np.unique(strata):
        members = np.flatnonzero((strata == stratum) & (split < 0))
        order = members[np.lexsort((draws[members], leader[members], draws[leader[members]]))]
        total = len(order)
        test_target = 0 if settings.test_chroms else round(settings.test_fraction * total)
        validation_target = 0 if settings.validation_chroms else round(settings.validation_fraction * total)
        parts = np.full(total, TRAIN, dtype=np.int8)
        # a cluster belongs where its first member falls
        _, first, group = np.unique(leader[order], return_index=True, return_inverse=True)
        place = first[group]
        parts[place < test_target + validation_target] = VALIDATION
        parts[place < test_target] = TEST
        split[order] = parts
    _check_parts(split)
    return replace(examples, split=split)


def _leaders(clusters: Indices, draws: npt.NDArray[np.uint64]) -> Indices:
    """The member of each example's cluster with the lowest draw."""
    order = np.lexsort((draws, clusters))
    _, first = np.unique(clusters[order], return_index=True)
    return np.asarray(order[first][clusters], dtype=np.int64)


def _strata(examples: Examples) -> Indices:
    """A number for each combination of target values; tenths of the range in regression."""
    values = examples.values.astype(np.float64)
    if examples.task == "regression":
        edges = np.nanquantile(values[:, 0], np.linspace(0, 1, _QUANTILES + 1)[1:-1])
        values = np.digitize(values[:, :1], edges).astype(np.float64)
    _, strata = np.unique(np.nan_to_num(values, nan=-1.0), axis=0, return_inverse=True)
    return np.asarray(strata, dtype=np.int64).reshape(-1)


def _assign_chromosomes(examples: Examples, settings: SplitSettings, split: npt.NDArray[np.int8]) -> None:
    if not settings.test_chroms and not settings.validation_chroms:
        return
    intervals = [parse_interval(name) for name in examples.sequences.names]
    if any(interval is None for interval in intervals):
        raise MotifcnnError("splitting by chromosome needs names with coordinates, such as chr1:100-301")
    chroms = np.array([interval.chrom for interval in intervals if interval is not None])
    known = sorted(set(chroms.tolist()))
    for part, wanted in ((TEST, settings.test_chroms), (VALIDATION, settings.validation_chroms)):
        for chrom in wanted:
            if chrom not in known:
                raise MotifcnnError(f"no sequence lies on chromosome {chrom!r}; there are {', '.join(known)}")
            split[chroms == chrom] = part


def _check_parts(split: npt.NDArray[np.int8]) -> None:
    for name, part in PARTS.items():
        if not (split == part).any():
            raise MotifcnnError(
                f"the {name} set would be empty; change --test-fraction and --validation-fraction, the chromosomes, "
                "or --similarity where most sequences are near-identical"
            )
