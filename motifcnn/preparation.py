"""From the user's files to labelled, checked and divided examples."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import gettempdir

import numpy as np
import torch

from motifcnn.alphabet import DNA
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.alignments import is_alignment
from motifcnn.formats.bed import read_bed, windows
from motifcnn.formats.fasta import read_fasta
from motifcnn.formats.fasta_text import start_of_text
from motifcnn.formats.files import open_bytes, refuse_pipe
from motifcnn.formats.genome import Genome
from motifcnn.formats.labels import Labels, read_labels
from motifcnn.formats.stored_fasta import memory_to_read, store_fasta
from motifcnn.inputs.backgrounds import gc_matched_windows, shuffled_negatives
from motifcnn.inputs.base_targets import read_base_targets
from motifcnn.inputs.channels import missing, read_channels
from motifcnn.inputs.examples import LEAST_EXAMPLES, Examples, assign_splits, join, join_bases
from motifcnn.inputs.shuffles import find_shuffles
from motifcnn.inputs.uneven import lengths_tell, warn_of_uneven_gaps, warn_of_uneven_lengths
from motifcnn.intervals import Interval, parse_interval
from motifcnn.learning.baselines import fit_baselines
from motifcnn.measures import MEASURE_NAMES
from motifcnn.model.architectures import architecture_of
from motifcnn.model.network import resolve
from motifcnn.objectives import Objective
from motifcnn.processors import physical_memory
from motifcnn.ranks import ALONE, Ranks
from motifcnn.sequences import Sequences
from motifcnn.settings import InputSettings, ModelSettings, Settings

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class InputFiles:
    """What the user gave.

    Args:
        sequences: FASTA, or BED or narrowPeak with a genome.
        labels: Labels TSV, or None where all sequences are positives.
        genome: FASTA of the genome.
        conservation: Tracks: TSV, bigWig, bedGraph or wiggle; alignments or profiles, or folders of them.
        per_base: Targets with a value for each base, in place of labels: TSV, bigWig, bedGraph or wiggle.
    """

    sequences: Path
    labels: Path | None = None
    genome: Path | None = None
    conservation: tuple[Path, ...] = ()
    per_base: tuple[Path, ...] = ()

    def by_role(self) -> list[tuple[str, Path]]:
        """Return (role, path) of each file, for the record of the run."""
        named = [("sequences", self.sequences), ("labels", self.labels), ("genome", self.genome)]
        files = [(role, path) for role, path in named if path is not None]
        several = [("conservation", self.conservation), ("per-base target", self.per_base)]
        return files + [(role, path) for role, paths in several for path in paths]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Examples ready for training, and what the user should know of them.

    Args:
        examples: Joined and divided.
        negatives_made: How negatives were made, or None where they were given.
    """

    examples: Examples
    negatives_made: str | None = None


def prepare(files: InputFiles, settings: Settings, ranks: Ranks = ALONE) -> Prepared:
    """Read, join, check and divide the input.

    Args:
        files: What the user gave.
        settings: Every tunable.
        ranks: Processes that each prepare the same; those of one machine share letters that are kept on disk.

    Raises:
        InputError: A file is at fault.
        MotifcnnError: The network and the targets do not suit each other: values for each base, or for each sequence.
    """
    _check_suited(files, settings)
    genome = Genome(files.genome, settings.input.softmask) if files.genome is not None else None
    sequences = read_sequences(files.sequences, genome, settings.input, ranks)
    made = None
    if files.per_base:
        targets = read_base_targets(files.per_base, sequences, settings.input.base_gaps)
        examples, report = join_bases(
            sequences, targets, allow_missing=settings.input.allow_missing, targets_path=files.per_base[0]
        )
        report += targets.lines()
    else:
        examples, report, made = _labelled(sequences, genome, files, settings)
    for line in report:
        _LOGGER.info("%s", line)
    channels = read_channels(files.conservation, examples.sequences, settings.channels)
    examples = examples.with_tracks(channels.values, channels.names)
    if not files.per_base:
        warn_of_uneven_gaps(examples)
        warn_of_uneven_lengths(examples)
    return Prepared(assign_splits(examples, settings.split, settings.seed), made)


def _labelled(
    sequences: Sequences, genome: Genome | None, files: InputFiles, settings: Settings
) -> tuple[Examples, list[str], str | None]:
    """Read labels, or make negatives; also say what was left out, and how negatives were made."""
    made = None
    if files.labels is None:
        sequences, labels, made = _with_made_negatives(sequences, genome, files, settings)
        _LOGGER.info("no labels were given: all sequences are positives, and %s", made)
        labels_path = files.sequences
    else:
        labels = read_labels(files.labels, settings.input.targets)
        labels_path = files.labels
    examples, report = join(
        sequences,
        labels,
        allow_missing=settings.input.allow_missing,
        sequences_path=files.sequences,
        labels_path=labels_path,
    )
    return examples, report, made


def _check_suited(files: InputFiles, settings: Settings) -> None:
    """Refuse what does not go together: one stream for two files; a network with a value for each base, and labels."""
    if str(files.sequences) == str(files.labels) == "-":
        raise MotifcnnError("SEQS and LABELS cannot both be standard input; give one of them as a file")
    per_base = architecture_of(settings.model).summary == "bases"
    name = f"--architecture {settings.model.architecture}"
    if files.per_base and files.labels is not None:
        raise MotifcnnError(f"{files.labels}: labels and --per-base cannot be learned together; leave one of them out")
    if files.per_base and not per_base:
        raise MotifcnnError(
            f"{name} has one value for each sequence, and --per-base gives one for each base; "
            "use --architecture unet or aspp"
        )
    if per_base and not files.per_base:
        raise MotifcnnError(
            f"{name} has a value for each base, and nothing gives these; "
            "add --per-base FILE (TSV, bedGraph, bigWig), or use another architecture"
        )
    options = [f"--{name.replace('_', '-')}" for name in settings.training.augmentations]
    options += ["--ablation"] * settings.training.ablation + ["--baseline gkm"] * (settings.baseline == "gkm")
    if files.per_base and options:
        raise MotifcnnError(f"{options[0]} is for values of whole sequences; leave it out with --per-base")


def fit_model(settings: ModelSettings, examples: Examples, path: Path) -> ModelSettings:
    """Fill in what the model's settings leave to the examples.

    A curve of the distance from the middle would tell how long a sequence is, so where lengths tell labels there is
    none.

    Args:
        settings: Settings, perhaps with AUTO in them.
        examples: What the model is to learn.
        path: Their file, for the message.

    Raises:
        InputError: Some sequence is shorter than a filter.
    """
    sequences = examples.sequences
    try:
        fitted = resolve(settings, sequences.alphabet, torch.from_numpy(sequences.lengths))
        return replace(fitted, placement=fitted.placement and not lengths_tell(examples))
    except InputError as error:
        shortest = sequences.names[int(sequences.lengths.argmin())]
        raise InputError(f"{shortest!r} is too short: {error}", path) from None


def read_sequences(path: Path, genome: Genome | None, settings: InputSettings, ranks: Ranks = ALONE) -> Sequences:
    """Read FASTA, or cut the windows of a BED or narrowPeak file out of a genome.

    Args:
        path: FASTA, BED or narrowPeak; "-" reads standard input.
        genome: Of the intervals.
        settings: How sequences are read.
        ranks: As in `prepare`.

    Raises:
        InputError: The file is at fault, or is BED and there is no genome.
    """
    refuse_pipe(path)
    if str(path) == "-" or _looks_like_fasta(path, expected=genome is None):
        if _belongs_on_disk(path, settings):
            return store_fasta(path, settings.alphabet, settings.softmask, ranks)
        return read_fasta(path, settings.alphabet, softmask=settings.softmask)
    if is_alignment(path):
        raise InputError(
            "is an alignment; give its sequences as FASTA without gaps here, and the alignment to --conservation", path
        )
    if genome is None:
        raise InputError("is not FASTA (its first letter is not '>'); if it is BED, add --genome FASTA", path)
    records = read_bed(path)
    cut = windows(records, genome, settings.width, path)
    if len(cut) < len(records):
        twice = len(records) - len(cut)
        _LOGGER.info("%d of %d intervals have the window of an earlier one, which is kept once", twice, len(records))
    return cut


def _belongs_on_disk(path: Path, settings: InputSettings) -> bool:
    needed, there = memory_to_read(path), physical_memory()
    chosen = settings.on_disk == "yes" or (settings.on_disk == "auto" and needed > there / 2)
    if chosen:
        _LOGGER.info(
            "letters are kept in a temporary file in %s (TMPDIR): reading them takes about %.2g GB, and there are %.2g",
            gettempdir(), needed / 1e9, there / 1e9,
        )  # fmt: skip
    return chosen


def _looks_like_fasta(path: Path, *, expected: bool) -> bool:
    with open_bytes(path) as file:
        start = file.read(4096)
    if not start.strip():
        return expected
    start = start[start_of_text(start) :]
    return start.startswith(b">") or b"\0" in start  # the reader of FASTA says it better


def _with_made_negatives(
    positives: Sequences, genome: Genome | None, files: InputFiles, settings: Settings
) -> tuple[Sequences, Labels, str]:
    least, kind = LEAST_EXAMPLES // 2, settings.input.negatives
    if len(positives) < least:
        found = f"{len(positives)} {'sequence' if len(positives) == 1 else 'sequences'}"
        raise InputError(f"{found} without labels; at least {least} are needed to train and to test", files.sequences)
    located = [parse_interval(name) for name in positives.names]
    complete = all(interval is not None for interval in located)
    if kind == "auto":
        kind = "genome" if genome is not None and complete else "shuffle"
    generator = np.random.default_rng(settings.seed)
    if kind == "shuffle":
        if files.conservation:
            raise MotifcnnError(
                "shuffled negatives have no conservation; give labels, or --genome and --negatives genome"
            )
        negatives = shuffled_negatives(positives, settings.input.shuffle_k, generator)
        made = f"each was shuffled once with its {settings.input.shuffle_k}-letter words kept, to make the negatives"
    else:
        if genome is None:
            raise MotifcnnError("--negatives genome needs --genome FASTA")
        if not complete:
            raise InputError(
                "names without coordinates (such as chr1:100-301); use --negatives shuffle", files.sequences
            )
        negatives = _genomic_negatives(positives, [i for i in located if i is not None], genome, generator)
        made = f"{len(negatives)} windows of the genome with the same GC content were taken as negatives"
    both = Sequences.from_list(
        positives.names + negatives.names,
        [positives[i] for i in range(len(positives))] + [negatives[i] for i in range(len(negatives))],
        positives.alphabet,
    )
    values = np.zeros((len(both), 1), dtype=np.float32)
    values[: len(positives)] = 1.0
    lines = np.zeros(len(both), dtype=np.int64)
    return both, Labels(both.names, "binary", ("label",), (), values, lines), made


def _genomic_negatives(
    positives: Sequences, located: list[Interval], genome: Genome, generator: np.random.Generator
) -> Sequences:
    shares, whole = positives.gc_content(), genome
    if genome.softmask == "mask":  # choose as if nothing were masked, or the masked letters alone would tell them apart
        whole = Genome(genome.path)
        shares = Sequences.from_list(positives.names, [whole.fetch(i) for i in located], DNA).gc_content()
    chosen = gc_matched_windows(located, shares, whole, [], generator)
    return Sequences.from_list([str(i) for i in chosen], [genome.fetch(i, DNA) for i in chosen], DNA)


def inspect_input(files: InputFiles, settings: Settings) -> list[tuple[str, str]]:
    """Say what is in the input and what trivial models reach on it, as (name, value) rows.

    Raises:
        InputError: A file is at fault.
    """
    prepared = prepare(files, settings)
    examples = prepared.examples
    sequences, lengths = examples.sequences, examples.sequences.lengths
    fit_model(settings.model, examples, files.sequences)
    find_shuffles(examples, settings.seed)  # says whether negatives are such, and labels the wrong way round
    rows = [
        ("sequences", f"{len(sequences)}"),
        ("alphabet", sequences.alphabet.name),
        ("length", f"{lengths.min()} to {lengths.max()}, median {np.median(lengths):g}"),
        ("ambiguous letters", f"{(sequences.codes >= sequences.alphabet.size).mean():.4%}"),
        ("task", examples.task),
        ("negatives", prepared.negatives_made or "as given"),
    ]
    parts = {part: examples.part(part) for part in ("train", "validation", "test")}
    rows += [(f"{part} examples", f"{len(indices)}") for part, indices in parts.items()]
    objective = Objective.from_training_set(
        examples.task, examples.targets, examples.classes, examples.values[parts["train"]], weigh_classes=True
    )
    if examples.task != "regression":
        for name, truth in zip(objective.output_names, objective.columns(examples.values).T, strict=True):
            rows.append((f"{name} positives", f"{(truth == 1).sum()} of {(~np.isnan(truth)).sum()}"))
    measure = MEASURE_NAMES[objective.measures[0]]
    rows += _track_rows(examples)
    baselines = fit_baselines(
        objective,
        sequences,
        examples.values,
        parts["train"],
        parts["test"],
        tracks=examples.tracks,
        gapped_words=settings.baseline == "gkm",
    )
    rows += [
        (f"{baseline.name} alone, held-out {measure}", f"{baseline.scores.headline:.4f}") for baseline in baselines
    ]
    return rows


def _track_rows(examples: Examples) -> list[tuple[str, str]]:
    rows = []
    lacking = missing(examples.tracks, examples.sequences)
    for name, track, lack in zip(examples.track_names, examples.tracks, lacking, strict=True):
        known = track[~np.isnan(track)]
        span = f"{known.min():g} to {known.max():g}, mean {known.mean():.4g}" if len(known) else "no value"
        rows.append((f"track {name}", f"{span}; {lack.positions:.2%} missing, {lack.sequences} sequences without"))
    return rows
