"""Divide examples into folds, each of which is held out once: evenly, or by chromosome.

Even folds hold clusters of near-identical sequences whole, together with their shuffles where negatives are such, and
spread the targets evenly; they depend on the examples and the seed alone. Where chromosomes are folds, sequences
near-identical to held-out ones, or shuffled from them, are left out of training.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from motifcnn.errors import MotifcnnError
from motifcnn.inputs.examples import Examples
from motifcnn.inputs.near_identical import Clusters, find_clusters
from motifcnn.inputs.shuffles import with_shuffles
from motifcnn.inputs.splits import (
    TEST,
    TRAIN,
    UNDIVIDED,
    check_chromosomes,
    chromosomes,
    divide,
    natural_order,
    strata,
)
from motifcnn.settings import FoldSettings, SplitSettings

Integers = npt.NDArray[np.int64]
EVERY: Final = "all"
"""In the place of names: each chromosome is held out."""
_OPTION: Final = "--holdout-chroms"


@dataclass(frozen=True, eq=False)
class Fold:
    """One division of the examples.

    Args:
        name: Chromosomes that are held out, or the fold's number from 1.
        examples: Divided so that this fold is the test set; some may be in no part.
    """

    name: str
    examples: Examples


def divide_into_folds(examples: Examples, settings: FoldSettings, split: SplitSettings, seed: int) -> tuple[Fold, ...]:
    """Make the folds that were asked for; none by default.

    With chromosomes alone each of them is a fold; with a number of folds too, whole chromosomes are dealt out so that
    the folds are about as large as one another.

    Args:
        examples: All of them.
        settings: Number of folds, chromosomes.
        split: Share of the validation set among what is not held out, and what counts as near-identical.
        seed: Seed of the choice.

    Raises:
        MotifcnnError: There are too few examples or chromosomes, names without coordinates, or a part lacks a class.
    """
    if not settings.folds and not settings.holdout_chroms:
        return ()
    clusters = with_shuffles(find_clusters(examples.sequences, split.similarity), examples)
    groups = strata(examples.task, examples.values)
    if settings.holdout_chroms:
        held_out, names = _by_chromosome(examples, settings)
    else:
        held_out = even_folds(groups, clusters, settings.folds, seed)
        names = [str(number + 1) for number in range(settings.folds)]
    folds = [
        Fold(name, replace(examples, split=_parts(held_out == number, groups, clusters, split, seed)))
        for number, name in enumerate(names)
    ]
    for fold in folds:
        _check(fold)
    return tuple(folds)


def even_folds(groups: Integers, clusters: Clusters, count: int, seed: int) -> Integers:
    """Return the fold of each example, from 0, shape [example].

    Args:
        groups: Group of each example, to be spread evenly.
        clusters: Which examples are near-identical and stay together.
        count: Folds.
        seed: Seed of the choice.
    """
    folds = np.full(len(groups), count - 1, dtype=np.int64)
    fixed = np.full(len(groups), UNDIVIDED, dtype=np.int8)
    for number in range(count - 1):
        parts = divide(groups, clusters, 0.0, 1.0 / (count - number), seed + number, fixed)
        folds[parts == TEST] = number
        fixed[parts == TEST] = TRAIN
    return folds


def _by_chromosome(examples: Examples, settings: FoldSettings) -> tuple[Integers, list[str]]:
    """Return the fold of each example, -1 where it is never held out, and what each fold holds out."""
    of_example = chromosomes(examples.sequences.names, _OPTION)
    known = sorted(set(of_example), key=natural_order)
    wanted = tuple(known) if settings.holdout_chroms == (EVERY,) else tuple(dict.fromkeys(settings.holdout_chroms))
    check_chromosomes(_OPTION, wanted, known)
    count = settings.folds or len(wanted)
    if len(wanted) < count:
        raise MotifcnnError(f"--folds {count}: {_OPTION} names {len(wanted)} chromosomes; each fold needs one")
    sizes = {chrom: of_example.count(chrom) for chrom in wanted}
    fold_of, filled = {}, [0] * count
    ordered: Sequence[str] = sorted(wanted, key=lambda chrom: -sizes[chrom]) if count < len(wanted) else wanted
    for number, chrom in enumerate(ordered):
        fold_of[chrom] = int(np.argmin(filled)) if count < len(wanted) else number
        filled[fold_of[chrom]] += sizes[chrom]
    names = [",".join(chrom for chrom in wanted if fold_of[chrom] == number) for number in range(count)]
    return np.array([fold_of.get(chrom, -1) for chrom in of_example], dtype=np.int64), names


def _parts(
    held_out: npt.NDArray[np.bool_], groups: Integers, clusters: Clusters, split: SplitSettings, seed: int
) -> npt.NDArray[np.int8]:
    """Divide what is not held out into training and validation, without what is near-identical to the held-out part."""
    fixed = np.where(held_out, TEST, UNDIVIDED).astype(np.int8)
    shared = np.isin(clusters.members, clusters.members[held_out]) & ~held_out
    fixed[shared] = TRAIN
    parts = divide(groups, clusters, split.validation_fraction, 0.0, seed, fixed)
    parts[shared] = UNDIVIDED
    return parts


def _check(fold: Fold) -> None:
    """Refuse a fold that cannot be trained on or tested."""
    examples = fold.examples
    for part in ("train", "validation", "test"):
        indices = np.flatnonzero(examples.split == ("train", "validation", "test").index(part))
        values = examples.values[indices]
        if not len(values):
            raise MotifcnnError(f"fold {fold.name} leaves no example for {part}; ask for fewer or other folds")
        if examples.task == "binary" and len(np.unique(values[~np.isnan(values)])) < 2:
            raise MotifcnnError(
                f"fold {fold.name} has examples of only one class for {part}; ask for fewer or other folds"
            )
