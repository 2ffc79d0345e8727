"""Targets with a value for each base: tracks read along the sequences, and what kind of values they hold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.conservation import read_tracks
from motifcnn.formats.genome_tracks import first_names
from motifcnn.inputs.channels import distinct
from motifcnn.sequences import Sequences

Values = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Kind = Literal["0/1", "counts", "numbers"]

_LEARNED_BY: Final[dict[Kind, str]] = {
    "0/1": "cross-entropy; AUROC and average precision",
    "counts": "Poisson; Pearson and Spearman correlation",
    "numbers": "squared error; Pearson and Spearman correlation",
}
"""Loss and measures of each kind."""


@dataclass(frozen=True, eq=False)
class BaseTargets:
    """Values at each base.

    Args:
        names: One name a target, no two alike.
        values: Shape [total positions, target], aligned to `Sequences.codes`; NaN where there is no value.
        kind: What they are: 0 and 1, counts (whole numbers from 0), or other numbers.
    """

    names: tuple[str, ...]
    values: Values
    kind: Kind

    def at(self, positions: Integers) -> "BaseTargets":
        """Return the values at some positions."""
        return replace(self, values=self.values[positions])

    def means(self, sequences: Sequences) -> Values:
        """Return each sequence's mean over its bases with a value, shape [sequence, target]; NaN where none has one."""
        columns = []
        for column in self.values.T:
            known = ~np.isnan(column)
            totals = [
                np.append(0.0, np.cumsum(part, dtype=np.float64)) for part in (known, np.where(known, column, 0.0))
            ]
            count, total = (
                cumulative[sequences.offsets[1:]] - cumulative[sequences.offsets[:-1]] for cumulative in totals
            )
            columns.append(np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0))
        return np.stack(columns, axis=1).astype(np.float32)

    def check_variety(self, part: str, remedy: str) -> None:
        """Refuse 0/1 targets that are all alike in a part of the examples.

        Args:
            part: Whose bases these are.
            remedy: What to do, for the message.

        Raises:
            MotifcnnError: A target has only one value, or none.
        """
        for target, column in zip(self.names, self.values.T, strict=True):
            known = np.unique(column[~np.isnan(column)])
            if len(known) < 2:
                held = f"only {known[0]:g}" if len(known) else "no value"
                raise MotifcnnError(f"the bases of the {part} set have {held} for {target!r}; {remedy}")

    def lines(self) -> list[str]:
        """Say in a line each what the targets hold, and by what they are learned and measured."""
        lines = []
        for name, column in zip(self.names, self.values.T, strict=True):
            known = column[~np.isnan(column)]
            held = f"mean {known.mean(dtype=np.float64):.4g}"
            if self.kind == "0/1":
                held = f"{100 * known.mean(dtype=np.float64):.3g}% of them 1"
            count = f"{len(known):,} of {len(column):,} bases"
            lines.append(f"{name}: {self.kind} at {count}, {held}; learned by {_LEARNED_BY[self.kind]}")
        return lines


def read_base_targets(paths: Sequence[Path], sequences: Sequences, gaps: Literal["missing", "zero"]) -> BaseTargets:
    """Read one target a file along the sequences.

    Args:
        paths: Files as `formats.conservation` reads them.
        sequences: The sequences.
        gaps: What a base without a value is: missing, or 0.

    Raises:
        InputError: A file is at fault, has one value only, or files hold values of different kinds.
    """
    names = distinct([path.name.split(".")[0] or path.name for path in paths])
    columns = [read_tracks(path, sequences) for path in paths]
    if gaps == "zero":
        columns = [np.nan_to_num(column, nan=0.0) for column in columns]
    kinds = [_kind(column) for column in columns]
    for path, column in zip(paths, columns, strict=True):
        known = column[~np.isnan(column)]
        if len(known) and (known == known[0]).all():
            remedy = "; if bases without a value stand for 0, say --base-gaps zero" if np.isnan(column).any() else ""
            raise InputError(
                f"every value along the sequences is {known[0]:g}, so that there is nothing to learn{remedy}", path
            )
    if "0/1" in kinds and len(set(kinds)) > 1:
        other = paths[next(n for n, kind in enumerate(kinds) if kind != "0/1")]
        raise InputError(
            f"holds 0 and 1 alone, and {other.name} other numbers; give targets of one kind together",
            paths[kinds.index("0/1")],
        )
    return BaseTargets(names, np.stack(columns, axis=1), kinds[0] if len(set(kinds)) == 1 else "numbers")


def _kind(column: Values) -> Kind:
    known = column[~np.isnan(column)]
    if ((known == 0) | (known == 1)).all():
        return "0/1"
    return "counts" if bool((known >= 0).all() and (known == np.floor(known)).all()) else "numbers"


def with_a_value(
    targets: BaseTargets, sequences: Sequences, path: Path, *, allow_missing: bool
) -> tuple[Integers, list[str]]:
    """Find the sequences with a value somewhere.

    Args:
        targets: Of all sequences.
        sequences: The sequences.
        path: First file of the targets, for the message.
        allow_missing: Leave the others out, rather than refuse them.

    Returns:
        Their indices; and lines for people: what is left out.

    Raises:
        InputError: Some sequence has no value.
    """
    known = ~np.isnan(targets.means(sequences)).all(axis=1)
    without = [sequences.names[index] for index in np.flatnonzero(~known)]
    if not without:
        return np.arange(len(sequences)), []
    found = f"{len(without)} of {len(sequences)} sequences have no value at any base ({first_names(without)})"
    if not allow_missing:
        raise InputError(f"{found}; mend the names, or go on without these: --allow-missing", path)
    return np.flatnonzero(known), [f"{found}; these are left out"]
