"""Divide examples into training, validation and held-out test.

Clusters of near-identical sequences go as a whole, the targets are spread evenly, and the result depends
on the examples and the seed alone, not on their order.
"""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from motifcnn.errors import MotifcnnError
from motifcnn.inputs.near_identical import Clusters, seeded
from motifcnn.intervals import parse_interval

Integers = npt.NDArray[np.int64]
Parts = npt.NDArray[np.int8]
Values = npt.NDArray[np.float32]

Part = Literal["train", "validation", "test"]
PARTS: Final[tuple[Part, ...]] = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)
UNDIVIDED: Final = -1

_BINS: Final = 10
_LEAST_IN_BIN: Final = 10
"""Quantile bins of a regression target, and examples a bin at least."""
_FEW_STRATA: Final = 50
"""Up to this many strata, each is given a place in every part, where it has an example for each."""
_ONE_TARGET: Final = 3
_RARE: Final = 0.1
_FEW_IN_PART: Final = 5
"""Of so many strata (a 0/1 target has two, and that of missing values), one that is a smaller share of all is given so
many places in every part, and no more than one in so many: rare positives choose the epoch and test motifs, too."""
_COORDINATES = re.compile(r"(?P<coordinates>[^\s:]+:\d+-\d+(?:\([+-]\))?)(?:_\w+)?")
"""Coordinates with an ending such as `_shuffled`, as sequences made from others have."""


def strata(task: str, values: Values) -> Integers:
    """Number the groups of examples with like targets.

    Classes, and combinations of 0/1 targets, are groups of their own, as are missing values; numbers are grouped
    by quantile (several targets: by the mean of their ranks).

    Args:
        task: What the targets are.
        values: Shape [example, target]; NaN where missing.

    Returns:
        Group of each example, from 0, shape [example].
    """
    if task == "regression":
        return _quantile_bins(values)
    coded = np.where(np.isnan(values), -1, values).astype(np.int64)
    if coded.shape[1] == 1:
        return np.unique(coded[:, 0], return_inverse=True)[1].astype(np.int64)
    return np.unique(coded, axis=0, return_inverse=True)[1].ravel().astype(np.int64)


def _quantile_bins(values: Values) -> Integers:
    count = len(values)
    ranks = np.full(values.shape, np.nan)
    for column in range(values.shape[1]):
        known = ~np.isnan(values[:, column])
        distinct, group = np.unique(values[known, column], return_inverse=True)
        # equal values share a rank, so that the bins do not depend on the order of the examples
        ranks[known, column] = (np.cumsum(np.bincount(group, minlength=len(distinct))) / max(known.sum(), 1))[group]
    known = ~np.isnan(ranks)
    mean = np.where(known, ranks, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    bins = max(1, min(_BINS, count // _LEAST_IN_BIN))
    numbered = np.minimum((mean * bins).astype(np.int64), bins - 1)
    return np.where(known.any(axis=1), numbered, bins)


def divide(
    groups: Integers, clusters: Clusters, validation_fraction: float, test_fraction: float, seed: int, fixed: Parts
) -> Parts:
    """Give each example a part, clusters as a whole and groups evenly.

    Clusters of several examples go first, the largest ones before the others, each to the part that
    lacks most of what it holds; single examples then fill the parts up group by group.

    Args:
        groups: Group of each example, from 0, shape [example].
        clusters: Which examples are near-identical.
        validation_fraction: Share of all examples wanted for validation.
        test_fraction: Share of all examples wanted for the test.
        seed: Seed of the choice.
        fixed: Parts that are given already; `UNDIVIDED` where not, shape [example].

    Returns:
        Part of each example: 0 training, 1 validation, 2 test, shape [example].
    """
    parts = fixed.copy()
    open_examples = np.flatnonzero(parts == UNDIVIDED)
    fractions = np.array([1.0 - validation_fraction - test_fraction, validation_fraction, test_fraction])
    n_groups = int(groups.max()) + 1
    sizes = np.bincount(groups[open_examples], minlength=n_groups)
    wanted = fractions[:, None] * sizes[None, :].astype(np.float64)
    order = open_examples[np.argsort(seeded(clusters.hashes[open_examples], seed), kind="stable")]
    counts = np.bincount(clusters.members[order], minlength=int(clusters.members.max()) + 1)
    several = counts[clusters.members[order]] > 1
    lacking = _place_clusters(parts, order[several], clusters.members, groups, wanted)
    _place_singles(parts, order[~several], groups, lacking)
    return parts


def _place_clusters(
    parts: Parts, order: Integers, members: Integers, groups: Integers, wanted: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Place the examples of `order`, which are in clusters, and return what each part lacks of each group."""
    lacking = wanted.copy()
    if not len(order):
        return lacking
    _, first, number, sizes = np.unique(members[order], return_index=True, return_inverse=True, return_counts=True)
    examples = order[np.argsort(number, kind="stable")]
    ends = np.cumsum(sizes)
    total = lacking.sum(axis=1)
    weight = 1.0 / np.maximum(wanted, 1e-9)
    for cluster in np.lexsort((first, -sizes)):
        mine = examples[ends[cluster] - sizes[cluster] : ends[cluster]]
        held, held_counts = np.unique(groups[mine], return_counts=True)
        need = (lacking[:, held] * weight[:, held]) @ held_counts
        # a cluster that does not fit into what a part lacks would leave others without examples
        need[1:][total[1:] < len(mine)] = -np.inf
        part = int(np.argmax(need))
        parts[mine] = part
        lacking[part, held] -= held_counts
        total[part] -= len(mine)
    return lacking


def _place_singles(parts: Parts, order: Integers, groups: Integers, lacking: npt.NDArray[np.float64]) -> None:
    """Fill the parts up, group by group; what rounding leaves over goes to the next group."""
    sizes = np.bincount(groups[order], minlength=lacking.shape[1])
    examples = order[np.argsort(groups[order], kind="stable")]
    ends = np.cumsum(sizes)
    left_over = np.zeros(3)
    for group in np.flatnonzero(sizes):
        mine = examples[ends[group] - sizes[group] : ends[group]]
        parts[mine] = TRAIN
        taken = 0
        for part in (TEST, VALIDATION):
            need = lacking[part, group] + left_over[part]
            least = int(lacking.shape[1] <= _FEW_STRATA and sizes[group] >= 3 and lacking[part, group] > 0)
            if least and lacking.shape[1] <= _ONE_TARGET and sizes[group] < _RARE * len(order):
                need = max(need, min(_FEW_IN_PART, sizes[group] // _FEW_IN_PART))
            number = min(max(round(need), least), len(mine) - taken)
            parts[mine[taken : taken + number]] = part
            taken += number
            left_over[part] = need - number


def parts_by_chromosome(names: Sequence[str], validation: Sequence[str], test: Sequence[str]) -> Parts:
    """Give the sequences of some chromosomes to validation and test.

    Args:
        names: Names with coordinates, such as `chr22:100-301`.
        validation: Chromosomes of the validation set; may be empty.
        test: Chromosomes of the held-out test set; may be empty.

    Returns:
        Part of each sequence, shape [sequence]; where one of the two sets has no chromosomes,
        `UNDIVIDED` for all sequences on other chromosomes, else training for these.

    Raises:
        MotifcnnError: A name has no coordinates, a chromosome is unknown or in both sets.
    """
    chroms = chromosomes(names, "--validation-chroms and --test-chroms")
    known = sorted(set(chroms), key=natural_order)
    for option, wanted in (("--validation-chroms", validation), ("--test-chroms", test)):
        check_chromosomes(option, wanted, known)
    both = sorted(set(validation) & set(test), key=natural_order)
    if both:
        raise MotifcnnError(f"{', '.join(both)} in --validation-chroms and in --test-chroms; keep it in one of them")
    rest = TRAIN if validation and test else UNDIVIDED
    part_of = dict.fromkeys(known, rest) | dict.fromkeys(validation, VALIDATION) | dict.fromkeys(test, TEST)
    return np.array([part_of[chrom] for chrom in chroms], dtype=np.int8)


def chromosomes(names: Sequence[str], options: str) -> list[str]:
    """Return the chromosome of each sequence.

    Args:
        names: Names with coordinates, such as `chr22:100-301`.
        options: What asks for chromosomes, for the message.

    Raises:
        MotifcnnError: A name has no coordinates.
    """
    chroms = [_chrom(name) for name in names]
    nameless = [name for name, chrom in zip(names, chroms, strict=True) if chrom is None]
    if nameless:
        raise MotifcnnError(
            f"a split by chromosome needs names with coordinates such as chr1:100-301, and {len(nameless)} of "
            f"{len(names)} have none ({', '.join(nameless[:3])}); leave {options} out"
        )
    return [chrom for chrom in chroms if chrom is not None]


def check_chromosomes(option: str, wanted: Sequence[str], known: Sequence[str]) -> None:
    """Refuse chromosomes on which no sequence lies.

    Args:
        option: What asks for them, for the message.
        wanted: Those asked for.
        known: Those that there are.

    Raises:
        MotifcnnError: Naming the first unknown one.
    """
    for chrom in wanted:
        if chrom not in known:
            raise MotifcnnError(_unknown_chrom(option, chrom, known))


def _chrom(name: str) -> str | None:
    match = _COORDINATES.fullmatch(name)
    interval = parse_interval(match["coordinates"]) if match is not None else None
    return interval.chrom if interval is not None else None


def _unknown_chrom(option: str, chrom: str, known: Sequence[str]) -> str:
    other = chrom.removeprefix("chr") if chrom.startswith("chr") else f"chr{chrom}"
    close = [other] if other in known else get_close_matches(chrom, known, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    shown = ", ".join(known[:30]) + (f" and {len(known) - 30} more" if len(known) > 30 else "")
    return f"{option}: no sequence lies on {chrom}; {hint}the chromosomes are {shown}"


def natural_order(name: str) -> list[tuple[int, str]]:
    """Sort chr2 before chr10."""
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", name)]
