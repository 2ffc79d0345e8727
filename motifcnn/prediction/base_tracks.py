"""Predicted values of bases as bedGraph or bigWig at the sequences' coordinates, or as TSV; and how good they are."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from motifcnn.errors import InputError
from motifcnn.formats.files import write_text
from motifcnn.formats.genome import Genome
from motifcnn.formats.tracks import Stretch, bedgraph_lines, chromosome_sizes, in_order, placed, write_bigwig
from motifcnn.inputs.base_targets import read_base_targets
from motifcnn.intervals import parse_interval
from motifcnn.learning.evaluation import Scores, score_predictions
from motifcnn.prediction.predicting import Predicted

Form = Literal["bedgraph", "bigwig", "tsv"]

_ENDINGS: Final[dict[str, Form]] = {
    ".bedgraph": "bedgraph", ".bdg": "bedgraph", ".bg": "bedgraph", ".bw": "bigwig", ".bigwig": "bigwig",
    ".tsv": "tsv", ".txt": "tsv",
}  # fmt: skip


def form_of(path: Path | None, predicted: Predicted) -> Form:
    """Choose a format: by the file's ending, else bedGraph where each sequence has coordinates, else TSV.

    Args:
        path: Where to write; None for standard output.
        predicted: What to write.
    """
    endings = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"] if path is not None else []
    if endings and endings[-1] in _ENDINGS:
        return _ENDINGS[endings[-1]]
    located = all(parse_interval(name) is not None for name in predicted.sequences.names)
    one = path is not None or len(predicted.names) == 1
    return "bedgraph" if located and one else "tsv"


def write_bases(
    predicted: Predicted, path: Path | None, write: Callable[[str], Any], genome: Path | None = None
) -> list[Path]:
    """Write predicted values of bases.

    Several targets have a bedGraph or bigWig each, named `PATH.TARGET.ENDING`; a TSV holds all of them.

    Args:
        predicted: Values, a row each base.
        path: Where to write; None for `write`.
        write: Takes text for standard output.
        genome: FASTA of the genome, whose lengths of chromosomes a bigWig has; else they end with the last sequence.

    Returns:
        The files that were written.

    Raises:
        InputError: Sequences overlap, or a name cannot stand in a track.
    """
    form = form_of(path, predicted)
    if form == "tsv":
        text = predicted.table().to_csv(
            sep="\t", index=False, float_format="%.6g", lineterminator="\n", quoting=csv.QUOTE_NONE
        )
        if path is None:
            write(text)
            return []
        write_text(path, text)
        return [path]
    written = []
    for name, column in zip(predicted.names, predicted.values.T, strict=True):
        cut = np.split(column.astype(np.float32), predicted.sequences.offsets[1:-1])
        track = in_order([placed(own, part) for own, part in zip(predicted.sequences.names, cut, strict=True)])
        if path is None:
            write("".join(bedgraph_lines(track, "standard output")))
            continue
        own_path = path if len(predicted.names) == 1 else _own_path(path, name)
        if form == "bigwig":
            write_bigwig(own_path, track, _sizes(track, genome))
        else:
            write_text(own_path, "".join(bedgraph_lines(track, own_path)))
        written.append(own_path)
    return written


def files_of(path: Path, names: Sequence[str]) -> list[Path]:
    """Return every file that predictions of these targets may be written to."""
    return [path, *(_own_path(path, name) for name in names)]


def score_bases(predicted: Predicted, truth: Sequence[Path], gaps: Literal["missing", "zero"]) -> Scores:
    """Score predictions against measured values.

    Args:
        predicted: Values of bases.
        truth: One file a target, in the order of the model's, as in training.
        gaps: What a base without a value is.

    Raises:
        InputError: A file is at fault, or their number or kind is not that of the model's targets.
    """
    if len(truth) != len(predicted.names):
        raise InputError(
            f"the model has {len(predicted.names)} targets ({', '.join(predicted.names)}) and {len(truth)} files were "
            "given; repeat --per-base for each, in that order",
            truth[0],
        )
    measured = read_base_targets(truth, predicted.sequences, gaps)
    labels = predicted.objective.task != "regression"
    if labels and measured.kind != "0/1":
        raise InputError(f"holds {measured.kind}, and the model predicts 0 or 1; give values of that kind", truth[0])
    return score_predictions(predicted.objective, predicted.values, measured.values)


def _own_path(path: Path, name: str) -> Path:
    ending = "".join(path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:])
    return path.with_name(f"{path.name.removesuffix(ending)}.{name}{ending}")


def _sizes(track: Sequence[Stretch], genome: Path | None) -> dict[str, int]:
    least = chromosome_sizes(track)
    if genome is None:
        return least
    known = Genome(genome).lengths
    return {chrom: known.get(chrom, size) for chrom, size in least.items()}
