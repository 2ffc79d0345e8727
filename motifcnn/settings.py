"""Every tunable and its default, each once; to and from TOML.

The command line's options, its help and the documentation are made from these classes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from math import inf
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import tomli_w

from motifcnn.errors import InputError

AUTO = 0
"""Value of a whole-number setting that is found from the data."""


def _setting(default: Any, help_text: str, **bounds: float) -> Any:
    """Declare a tunable; bounds are any of least, most (inclusive), above, below (exclusive)."""
    return field(default=default, metadata={"help": help_text, "bounds": bounds})


@dataclass(frozen=True)
class InputSettings:
    """How sequences and labels are read."""

    alphabet: Literal["auto", "dna", "rna", "protein"] = _setting("auto", "Letters of the sequences.")
    softmask: Literal["keep", "mask"] = _setting("keep", "Lower-case letters: keep them, or mask them as N.")
    targets: tuple[str, ...] = _setting((), "Label columns to learn; all by default.")
    on_disk: Literal["auto", "yes", "no"] = _setting(
        "auto", "Letters of FASTA: read from a temporary file as needed; auto: where they would fill half the memory."
    )
    width: int = _setting(200, "Width of the windows cut around BED intervals, in bases.", least=1)
    allow_missing: bool = _setting(False, "Go on when sequences lack labels or labels lack sequences.")
    negatives: Literal["auto", "shuffle", "genome"] = _setting(
        "auto", "Where negatives come from when no labels are given: shuffled positives or GC-matched genome."
    )
    base_gaps: Literal["missing", "zero"] = _setting(
        "missing", "Bases without a value in a --per-base target: left out of learning, or zero."
    )
    shuffle_k: int = _setting(2, "Length of the words whose counts a shuffle keeps.", least=1)


@dataclass(frozen=True)
class ChannelSettings:
    """How the columns of alignments become conservation."""

    column_score: Literal["jensen-shannon", "relative-entropy"] = _setting(
        "jensen-shannon", "Conservation of an alignment's column: divergence from, or entropy to, the background."
    )
    column_window: int = _setting(
        0, "Columns on each side whose mean makes half of a column's conservation; 0: none.", least=0
    )
    gap_penalty: bool = _setting(True, "Multiply a column's conservation by its share of letters.")


@dataclass(frozen=True)
class SplitSettings:
    """How examples are divided into training, validation and held-out test."""

    validation_fraction: float = _setting(0.1, "Share of the examples for early stopping.", above=0, below=1)
    test_fraction: float = _setting(0.1, "Share of the examples held out for every reported figure.", above=0, below=1)
    validation_chroms: tuple[str, ...] = _setting((), "Chromosomes that make the validation set.")
    test_chroms: tuple[str, ...] = _setting((), "Chromosomes that make the held-out test set.")
    similarity: float = _setting(
        0.5, "Share of common words from which sequences count as near-identical.", above=0, most=1
    )


@dataclass(frozen=True)
class FoldSettings:
    """Cross-validation beside the main training."""

    folds: int = _setting(0, "Further networks, each tested on a fold that it was not trained on; 0: none.", least=0)
    holdout_chroms: tuple[str, ...] = _setting(
        (), "Chromosomes to hold out in turn, or all; with --folds in so many groups."
    )


@dataclass(frozen=True)
class ModelSettings:
    """The network."""

    architecture: Literal[
        "motif", "deepbind", "basset", "koo-2", "koo-50", "koo-deep", "pyramid", "dilated", "unet", "aspp"
    ] = _setting(
        "motif",
        "Network; all have the same first layer, whose filters become motifs. unet and aspp are for --per-base.",
    )
    filters: int = _setting(
        AUTO, "Filters of the first layer, for each restart; 0: the architecture's, 64 for motif.", least=0
    )
    filter_width: int = _setting(
        AUTO,
        "Positions that a filter spans; 0: the architecture's for DNA (motif: 19), 12 for RNA, 9 for protein.",
        least=0,
    )
    restarts: int = _setting(
        AUTO, "Networks trained side by side from different starts and averaged; 0: 4 for motif, else 1.", least=0
    )
    activation: Literal["relu", "exp"] = _setting("relu", "First activation.")
    strands: Literal["auto", "both", "single"] = _setting("auto", "Strands scanned by the filters; auto: both for DNA.")
    pool: int = _setting(
        AUTO, "Width of the first max-pooling; 0: the architecture's, for motif the whole sequence.", least=0
    )
    placement: bool = _setting(
        True, "Learn where in a sequence sites count most, from its middle; where the whole sequence is pooled."
    )
    conv_layers: int = _setting(0, "Further convolution layers after those of the architecture.", least=0)
    conv_block: Literal["plain", "separable", "residual", "dense", "unet", "aspp"] = _setting(
        "plain",
        "Kind of these layers: plain, depthwise separable, residual, densely connected, U-Net, or atrous pyramid.",
    )
    conv_filters: int = _setting(64, "Filters of each further layer, for each restart.", least=1)
    conv_width: int = _setting(5, "Positions that a further filter spans.", least=1)
    conv_dilation: int = _setting(1, "Step between the positions that a further filter reads.", least=1)
    squeeze: bool = _setting(False, "Put squeeze-and-excitation gates behind every layer after the first.")
    summary: Literal["auto", "maximum", "average", "dense", "bases"] = _setting(
        "auto",
        "What the head reads: each feature's maximum, average, all positions, or each base; auto: the architecture's.",
    )
    input_length: int = _setting(
        AUTO, "Letters that a head of all positions reads; 0: those of the longest sequence.", least=0
    )
    dropout: float = _setting(0.5, "Share of pooled features dropped in training.", least=0, below=1)


@dataclass(frozen=True)
class TrainingSettings:
    """The training loop."""

    epochs: int = _setting(
        AUTO, "Most passes over the training set; 0: 25, or so many as take 2 million examples, but 3.", least=0
    )
    batch_size: int = _setting(64, "Examples in a step.", least=1)
    learning_rate: float = _setting(4e-3, "Peak learning rate of AdamW.", above=0)
    weight_decay: float = _setting(1e-2, "Weight decay of AdamW.", least=0)
    warmup: float = _setting(0.1, "Share of the steps in which the learning rate rises.", least=0, most=1)
    patience: int = _setting(25, "Epochs without a better validation score before stopping.", least=1)
    label_smoothing: float = _setting(0.02, "Share of the label moved towards even odds.", least=0, below=1)
    class_weights: bool = _setting(True, "Weigh the classes of a target equally.")
    gradient_clip: float = _setting(1.0, "Largest norm of the gradient.", above=0)
    fresh_shuffles: bool = _setting(
        True, "Where all negatives are shuffles of positives, shuffle them anew in each epoch and for sums of words."
    )
    augment_shift: int = _setting(
        0, "Most letters by which training sequences are shifted, either way, anew in each epoch; 0: none.", least=0
    )
    augment_substitutions: float = _setting(
        0.0, "Share of their letters redrawn from the same sequence, anew in each epoch.", least=0, most=1
    )
    augment_indels: int = _setting(
        0, "Most letters inserted or deleted at one place of each, anew in each epoch; 0: none.", least=0
    )
    clean_epochs: float = _setting(
        0.2,
        "Share of the epochs, at the end, that show training sequences unchanged.",
        least=0,
        most=1,
    )
    ablation: bool = _setting(False, "Train again without the further channels, and test what they add.")
    seeded_filters: float = _setting(
        0.5, "Share of the filters that start from words enriched in the training set.", least=0, most=1
    )
    word_length: int = _setting(AUTO, "Letters of those words; 0: 8 for DNA, 6 for RNA, 3 for protein.", least=0)
    word_sums: bool = _setting(True, "Add a weight for each word of the whole sequence to the filters' logits.")
    reading_frames: bool = _setting(True, "Where sequences have reading frames, add a weight for each codon in these.")
    word_penalty: float = _setting(2.0, "Penalty of those weights, in similarities of a sequence with itself.", above=0)
    precision: Literal["auto", "float32", "bf16"] = _setting("auto", "Arithmetic; auto: bf16 on GPUs.")

    @property
    def augmentations(self) -> tuple[str, ...]:
        """Names of the settings by which training sequences are changed at random; none by default."""
        return tuple(
            name for name in ("augment_shift", "augment_substitutions", "augment_indels") if getattr(self, name)
        )


@dataclass(frozen=True)
class MotifSettings:
    """From filters to motifs."""

    trim_bits: float = _setting(0.25, "Least information of a motif's outer positions, in bits.", least=0)
    motif_flank: int = _setting(4, "Positions beside a filter's sites that its motif may extend to.", least=0)
    min_motif_width: int = _setting(5, "Least width of a motif.", least=1)
    min_sites: int = _setting(10, "Least number of training sites of a motif.", least=1)
    refine: bool = _setting(True, "Refine each filter's motif on the training positives.")
    sites: Literal["zoops", "anr"] = _setting(
        "zoops", "Sites that a sequence may hold when motifs are refined: zero or one (zoops), or any number (anr)."
    )
    background_order: int = _setting(
        0, "Letters before it on which a letter between sites depends when motifs are refined.", least=0, most=2
    )
    refine_similarity: float = _setting(0.6, "Correlation with the filter's motif at which refining ends.", least=0)
    merge_similarity: float = _setting(0.8, "Correlation of columns from which two motifs are one.", least=0)
    e_threshold: float = _setting(0.05, "Largest held-out E-value of a motif called significant.", above=0)
    max_motifs: int = _setting(20, "Most motifs reported; of several targets the best of each before others.", least=1)
    database: str = _setting(
        "auto",
        "Known motifs to compare with: a file of motifs, jaspar, jaspar:GROUP, or none; "
        "auto: jaspar for DNA, where pyjaspar is installed.",
    )


@dataclass(frozen=True)
class ComparisonSettings:
    """Nearest known motifs; no part of a training run's settings."""

    e_threshold: float = _setting(0.1, "Largest E-value of a match that is reported.")
    trim_bits: float = _setting(
        0.1, "Least information of a motif's outer positions, in bits; the rest is not compared."
    )


@dataclass(frozen=True)
class SimulationSettings:
    """Sequences with planted motifs; no part of a training run's settings."""

    sequences: int = _setting(2000, "Sequences to make.")
    length: int = _setting(200, "Letters of each sequence; of the shortest where --longest is given.")
    longest: int = _setting(AUTO, "Letters of the longest sequence; 0: all have the same length.")
    alphabet: Literal["dna", "rna", "protein"] = _setting("dna", "Letters of the sequences; left out: those of --meme.")
    motifs: int = _setting(2, "Random motifs to plant where no MEME file is given.")
    motif_width: int = _setting(10, "Positions of a random motif.")
    motif_bits: float = _setting(14.0, "Information of a random motif, in bits.")
    sites: int = _setting(1, "Sites planted in each positive; with multi-label, of each of its motifs.")
    gc: float = _setting(0.5, "Share of G and C in the background of DNA and RNA.")
    positives: float = _setting(0.5, "Share of positives; with multi-label, for each motif.")
    task: Literal["binary", "multi-label"] = _setting("binary", "One label for any motif, or one label a motif.")


@dataclass(frozen=True)
class ScanSettings:
    """Scanning with motifs."""

    p_value: float = _setting(1e-4, "Largest p-value of a hit, at one window of one strand.", above=0, most=1)
    strands: Literal["auto", "both", "single"] = _setting("auto", "Strands to scan; auto: both for DNA.")
    background: str = _setting(
        "sequences",
        "Letter frequencies: sequences (the genome's), motif (each motif's own), uniform, or a file of them.",
    )
    background_order: int = _setting(0, "1: p-values also reckon with which letter follows which.", least=0, most=1)
    format: Literal["bed", "narrowpeak", "gff3", "tsv", "parquet"] = _setting("bed", "Format of the hits.")
    q_values: bool = _setting(False, "Add q-values (Benjamini and Hochberg, for each motif).")
    softmask: Literal["keep", "mask"] = _setting("keep", "Lower-case letters: scan them, or leave them out.")
    track_width: int = _setting(
        AUTO, "Width of the windows of --model-track; 0: that of the run's training sequences.", least=0
    )
    track_stride: int = _setting(AUTO, "Step between these windows; 0: an eighth of their width.", least=0)


@dataclass(frozen=True)
class Settings:
    """Everything that a training run depends on besides its input files."""

    seed: int = _setting(0, "Seed of every random choice.", least=0, most=2**63 - 1)
    device: str = _setting("auto", "Where to compute: auto, cpu, cuda, cuda:N or mps.")
    threads: int = _setting(AUTO, "Processor threads; 0: all.", least=0)
    baseline: Literal["trivial", "gkm"] = _setting(
        "trivial", "Models to compare with: trivial ones; or also one of gapped k-mers, as gkm-SVM is."
    )
    input: InputSettings = field(default_factory=InputSettings)
    channels: ChannelSettings = field(default_factory=ChannelSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    cross_validation: FoldSettings = field(default_factory=FoldSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    motifs: MotifSettings = field(default_factory=MotifSettings)
    scan: ScanSettings = field(default_factory=ScanSettings)


def help_text(section: type, name: str) -> str:
    """Return the one-line description of a setting."""
    return next(str(f.metadata["help"]) for f in fields(section) if f.name == name)


def to_dict(settings: Any) -> dict[str, Any]:
    """Return settings as nested plain values, ready for TOML or JSON."""
    plain: dict[str, Any] = {}
    for item in fields(settings):
        value = getattr(settings, item.name)
        plain[item.name] = to_dict(value) if is_dataclass(value) else list(value) if isinstance(value, tuple) else value
    return plain


def to_toml(settings: Settings) -> str:
    """Return settings as TOML text that `from_toml` reads back to an equal value."""
    return tomli_w.dumps(to_dict(settings))


def from_toml(path: Path) -> Settings:
    """Read settings; those not mentioned keep their defaults.

    Raises:
        InputError: The file is missing, is no TOML, or names an unknown setting or value.
    """
    import tomllib

    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror}); give the path of a TOML file", path) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"is not TOML: {error}; mend it, or leave --config out", path) from None
    return from_dict(table, path)


def from_dict(table: dict[str, Any], path: Path | None = None) -> Settings:
    """Make settings from nested plain values, as `to_dict` returns them.

    Raises:
        InputError: A name or value is not one of the settings'.
    """
    settings = _read_section(Settings, table, path, "")
    assert isinstance(settings, Settings)
    return settings


def _read_section(section: type, table: dict[str, Any], path: Path | None, prefix: str) -> Any:
    hints = get_type_hints(section)
    result = section()
    for name, value in table.items():
        if name not in hints:
            known = ", ".join(prefix + known_name for known_name in hints)
            raise InputError(f"unknown setting {prefix + name!r}; the settings here are {known}", path)
        kind = hints[name]
        if is_dataclass(kind):
            if not isinstance(value, dict):
                raise InputError(f"[{prefix + name}] must be a table", path)
            assert isinstance(kind, type)
            checked: Any = _read_section(kind, value, path, f"{prefix}{name}.")
        else:
            checked = _checked(kind, value, prefix + name, path)
        result = replace(result, **{name: checked})
    return result


def _checked(kind: Any, value: Any, name: str, path: Path | None) -> Any:
    if get_origin(kind) is Literal:
        if value in get_args(kind):
            return value
        expected = "one of " + ", ".join(map(str, get_args(kind)))
    elif get_origin(kind) is tuple:
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            return tuple(value)
        expected = "a list of words"
    elif kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    elif type(value) is kind:
        return value
    else:
        expected = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}[kind]
    raise InputError(f"setting {name} = {value!r}: {expected} is needed", path)


def first_problem(settings: Settings) -> str | None:
    """Return what is wrong with the values of settings, or None."""
    for name, value, bounds in _bounded(settings):
        if not _within(value, bounds):
            wanted = " and ".join(f"{_WORDS[kind]} {bound:g}" for kind, bound in bounds.items())
            return f"--{name.replace('_', '-')} {value}: it must be {wanted}"
    if settings.motifs.background_order >= settings.motifs.min_motif_width:
        return "--background-order reaches past a motif; make it less than --min-motif-width"
    if settings.cross_validation.folds == 1:
        return "--folds 1: nothing would be left to train on; give 2 or more"
    if settings.split.validation_fraction + settings.split.test_fraction >= 1:
        return "--validation-fraction and --test-fraction leave nothing to train on; make them smaller"
    return None


_WORDS = {"least": "at least", "most": "at most", "above": "above", "below": "below"}


def _bounded(section: Any) -> Iterator[tuple[str, float, dict[str, float]]]:
    for item in fields(section):
        value = getattr(section, item.name)
        if is_dataclass(value):
            yield from _bounded(value)
        elif item.metadata["bounds"]:
            yield item.name, value, item.metadata["bounds"]


def _within(value: float, bounds: dict[str, float]) -> bool:
    return (
        bounds.get("least", -inf) <= value <= bounds.get("most", inf)
        and bounds.get("above", -inf) < value < bounds.get("below", inf)
    )  # fmt: skip
