"""Windows of sequences with a value for each base, labelled by what they hold: what motifs are found and tested in.

A window is an example of its own: whether a motif's sites lie where the labels do is then the question that all tests
of motifs ask of sequences. It is named by its place, such as `chr1:120-177` or `seq7:20-77`.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from motifcnn.inputs.base_targets import BaseTargets
from motifcnn.inputs.examples import Examples
from motifcnn.intervals import Interval, parse_interval
from motifcnn.sequences import Sequences

Span = tuple[int, int]

FILTERS_WIDE = 3
"""Width of a window in widths of a filter: a site, its flanks and little else."""


def sited_examples(examples: Examples, filter_width: int) -> Examples:
    """Return what motifs are found and tested in: the examples, or windows of those with values for each base.

    Args:
        examples: Divided.
        filter_width: Letters that a filter of the network reads.
    """
    return examples if examples.bases is None else base_windows(examples, FILTERS_WIDE * filter_width)


def base_windows(examples: Examples, width: int) -> Examples:
    """Cut examples with values for each base into windows.

    Of 0 and 1: each stretch of bases with a 1 in any target makes the window around its middle, or several side by
    side where it is longer than a window; the gaps between them are cut up into windows of the other kind. A window has
    label 1 for a target where any of its bases has. Of numbers: the whole sequence is cut up, and a window's value is
    the mean of its bases. Windows without a value are left out.

    Args:
        examples: With `bases`.
        width: Bases of a window; a shorter sequence is a window as it is.

    Returns:
        Windows in the parts of their sequences, with their stretches of the tracks.
    """
    bases, sequences = examples.bases, examples.sequences
    assert bases is not None
    labelled = bases.kind == "0/1"
    marks = (bases.values == 1).any(axis=1) if labelled else np.zeros(len(bases.values), dtype=bool)
    spans = [
        (owner, start, end)
        for owner, (first, last) in enumerate(zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True))
        for start, end in _spans(marks[first:last], width)
    ]
    owners, starts, ends = np.array(spans, dtype=np.int64).reshape(-1, 3).T
    offsets = np.append(0, np.cumsum(ends - starts))
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], ends - starts)
    positions = np.repeat(sequences.offsets[owners] + starts, ends - starts) + within
    names = tuple(_place(sequences.names[owner], start, end) for owner, start, end in spans)
    cut = Sequences(names, sequences.codes[positions], offsets, sequences.alphabet)
    own = bases.at(positions)
    values = _labels(own, cut) if labelled else own.means(cut)
    windows = replace(
        examples,
        sequences=cut,
        task=("binary" if values.shape[1] == 1 else "multi-label") if labelled else "regression",
        values=values,
        tracks=examples.tracks[:, positions],
        split=examples.split[owners],
        bases=None,
    )
    return windows.subset(np.flatnonzero(~np.isnan(values).all(axis=1)))


def _spans(marks: npt.NDArray[np.bool_], width: int) -> Iterator[Span]:
    """Give start and end of each window, in order and apart; what is too narrow for one at an end is left out."""
    length, done = len(marks), 0
    if length <= width:
        yield 0, length
        return
    edges = np.flatnonzero(np.diff(np.concatenate(([0], marks.astype(np.int8), [0]))))
    for start, end in edges.reshape(-1, 2).tolist():
        if end <= done:
            continue
        span = -(-(end - start) // width) * width
        first = max(done, min((start + end - span) // 2, length - span))
        yield from _side_by_side(done, first, width)
        done = min(first + span, length)
        yield from _side_by_side(first, done, width)
    yield from _side_by_side(done, length, width)


def _side_by_side(start: int, end: int, width: int) -> Iterator[Span]:
    return ((first, first + width) for first in range(start, end - width + 1, width))


def _labels(own: BaseTargets, cut: Sequences) -> npt.NDArray[np.float32]:
    """1 where any base of a window has, 0 where all known ones have 0, NaN where none is known."""
    means = own.means(cut)
    return np.where(np.isnan(means), np.nan, means > 0).astype(np.float32)


def _place(name: str, start: int, end: int) -> str:
    """Name a window by its place, on the chromosome where the sequence's name tells it."""
    outer = parse_interval(name)
    if outer is None:
        return str(Interval(name, start, end))
    if outer.strand == "-":
        start, end = outer.width - end, outer.width - start
    return str(replace(outer, start=outer.start + start, end=outer.start + end))
