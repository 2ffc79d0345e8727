"""Activation tracks of a run's motifs, and class activation maps of its targets, as files for genome browsers.

Values are computed once, kept in an unnamed file on disk in the order in which they will be written,
and then written track by track: memory holds one piece of one sequence, the sequences themselves and the sites.
"""

import csv
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from motifcnn.activations import Values, WindowScores, class_activation_map, logit_offsets, window_scores
from motifcnn.devices import Device
from motifcnn.encoding import Tracks
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.files import write_text
from motifcnn.formats.genome import Genome
from motifcnn.formats.track_spool import Layout, TrackSpool
from motifcnn.formats.tracks import Peak, write_bed, write_bedgraph, write_bigwig
from motifcnn.intervals import Interval
from motifcnn.logos import logo_file_name
from motifcnn.model.filters import same_padding
from motifcnn.model.store import TrainedModel
from motifcnn.predicting import model_of, read_model_input
from motifcnn.runs import RunDirectory
from motifcnn.sequences import Sequences

_LOGGER = logging.getLogger(__name__)

ENDINGS = {"bedgraph": ".bedgraph", "bigwig": ".bw", "bed": ".bed"}
"""Formats and the endings of their files."""
INDEX_FILE = "tracks.tsv"
_ROUNDING = 5e-6
"""Most that a threshold moves, for its size, when motifs.tsv writes it with six digits."""


@dataclass(frozen=True)
class TrackRequest:
    """What to export.

    Args:
        run: Run directory.
        sequences: FASTA, or BED with a genome.
        out: Folder to write to; made if missing.
        genome: FASTA of the genome.
        conservation: Tracks, in the order of training.
        formats: Keys of `ENDINGS`.
        force: Whether to write over files that are there.
    """

    run: Path
    sequences: Path
    out: Path
    genome: Path | None = None
    conservation: tuple[Path, ...] = ()
    formats: tuple[str, ...] = tuple(ENDINGS)
    force: bool = False


@dataclass(frozen=True)
class MotifFilter:
    """A reported motif and the filter that stands for it.

    Args:
        name: Name of the motif.
        filter: Number of the filter, from 0.
        threshold: Least score of the filter at a site.
    """

    name: str
    filter: int
    threshold: float


@dataclass(frozen=True)
class TrackSummary:
    """What was written.

    Args:
        sequences: Number of sequences.
        motifs: Names of the motifs.
        targets: Names of the targets with a class activation map; none where the network has no exact one.
        sites: Windows that reach the threshold, one number a motif.
        overlapping: Sequences that overlap an earlier one.
        files: Number of files.
    """

    sequences: int
    motifs: tuple[str, ...]
    targets: tuple[str, ...]
    sites: tuple[int, ...]
    overlapping: int
    files: int


def export_tracks(request: TrackRequest, device: Device) -> TrackSummary:
    """Write each motif's activation and each target's class activation map along sequences.

    Where sequences overlap on a chromosome, the highest activation stands, and of a class activation
    map the value farthest from 0.

    Args:
        request: What to export.
        device: Where to compute.

    Raises:
        InputError: The run or the input is at fault.
        MotifcnnError: Files are there already, or cannot be written.
    """
    run = RunDirectory(request.run)
    motifs = read_motif_filters(run)
    model = model_of(request.run, device)
    for motif in motifs:
        if not 0 <= motif.filter < model.network.filters.filters:
            raise InputError(f"names a filter that the model has not ({motif.name}); train again", run.motifs_table)
    targets = model.objective.output_names if model.network.whole_sequence else ()
    files = _file_names(motifs, targets)
    _refuse_present(request, files)
    sequences, tracks = read_model_input(
        model, request.sequences, request.genome, request.conservation, whole_intervals=True
    )
    layout = Layout.of(sequences.names, sequences.lengths.tolist(), request.sequences)
    sizes = _sizes(layout, request)
    _make_folder(request.out)
    with TrackSpool(layout, len(files), request.out) as spool:
        sites = _fill(spool, model, sequences, tracks, motifs, bool(targets), device)
        for row, name in enumerate(files):
            for kind in request.formats:
                path = request.out / f"{name}{ENDINGS[kind]}"
                if kind == "bedgraph":
                    write_bedgraph(path, spool.stretches(row))
                elif kind == "bigwig":
                    write_bigwig(path, spool.stretches(row), sizes)
                elif row < len(motifs):
                    _write_sites(path, layout, motifs[row], sites[row], model.network.filters.width)
    counts = tuple(len(found) for found in sites)
    offsets = logit_offsets(model.network)
    write_text(request.out / INDEX_FILE, _index(files, motifs, counts, targets, offsets))
    written = len(_paths(request, files))
    return TrackSummary(
        len(sequences), tuple(motif.name for motif in motifs), targets, counts, layout.overlapping, written
    )


def read_motif_filters(run: RunDirectory) -> list[MotifFilter]:
    """Read which filter stands for each reported motif, and its threshold, from motifs.tsv.

    Raises:
        InputError: There is no complete run, it has no motif, or the table is damaged.
    """
    path = run.motifs_table
    if not path.is_file():
        raise InputError(f"holds no {path.name}; give the directory that `motifcnn train` wrote", run.path)
    found = []
    with path.open(encoding="utf-8", newline="") as handle:
        for line, row in enumerate(csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE), start=2):
            try:
                number = int(row["filter"].rpartition("_")[2]) - 1
                found.append(MotifFilter(row["motif"], number, float(row["filter_threshold"])))
            except (KeyError, TypeError, ValueError, AttributeError):
                raise InputError(
                    "gives no motif, filter and filter_threshold; was it edited? train again", path, line
                ) from None
    if not found:
        raise InputError("this run found no motif, so there is no track to export; its report.html says more", run.path)
    return found


_SITE = np.dtype([("start", np.int64), ("reverse", np.bool_), ("height", np.float32)])
"""A window that reaches a motif's threshold: first position in the layout, strand and activation."""

Sites = npt.NDArray[np.void]


class _SiteBuffer:
    """Sites of one motif in one growing buffer: small arrays kept by the thousand would scatter the heap."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, starts: npt.NDArray[np.int64], reverse: npt.NDArray[np.bool_], heights: Values) -> None:
        """Add the sites of a piece."""
        sites = np.empty(len(starts), dtype=_SITE)
        sites["start"], sites["reverse"], sites["height"] = starts, reverse, heights
        self._bytes += sites.tobytes()

    def sites(self) -> Sites:
        """Return all, sorted by position; a window of two overlapping sequences counts once."""
        sites = np.frombuffer(self._bytes, dtype=_SITE)
        _, first = np.unique(sites["start"] * 2 + sites["reverse"], return_index=True)
        return np.asarray(sites[first])


def _fill(
    spool: TrackSpool,
    model: TrainedModel,
    sequences: Sequences,
    tracks: Tracks,
    motifs: Sequence[MotifFilter],
    maps: bool,
    device: Device,
) -> list[Sites]:
    """Compute all tracks into the spool, motifs first, and return each motif's sites."""
    network = model.network
    width, left = network.filters.width, same_padding(network.filters.width)[0]
    thresholds = np.array([m.threshold - _ROUNDING * abs(m.threshold) for m in motifs], dtype=np.float64)
    sites = [_SiteBuffer() for _ in motifs]
    best = _BestSoFar()
    filters = [motif.filter for motif in motifs]
    for piece in window_scores(model, sequences, filters, tracks, device.torch_device):
        place = spool.layout.places[piece.sequence]
        length, windows = int(sequences.lengths[piece.sequence]), piece.scores.shape[1]
        turned = place.interval.strand == "-"
        first = length - width - (piece.start + windows - 1) if turned else piece.start
        step = -1 if turned else 1
        for row in range(len(motifs)):
            activations = piece.activations[row, ::step]
            spool.put(row, place.offset + first + left, activations, np.maximum)
            above = np.flatnonzero(piece.scores[row, ::step] >= thresholds[row])
            reverse = piece.reverse[row, ::step][above] ^ turned
            sites[row].add(place.offset + first + above, reverse, activations[above])
        best.take(piece)
        if maps and piece.start + windows + width - 1 == length:
            contributions = class_activation_map(network, best.scores, best.starts, length)
            for row, values in enumerate(contributions, start=len(motifs)):
                spool.put(row, place.offset, values[::step], _farther_from_zero)
    return [buffer.sites() for buffer in sites]


class _BestSoFar:
    """Best window of each filter in the pieces of a sequence seen so far."""

    scores: Values
    starts: npt.NDArray[np.int64]

    def take(self, piece: WindowScores) -> None:
        """Look at the next piece; one that starts at 0 begins a new sequence."""
        if piece.start == 0:
            self.scores, self.starts = piece.best, piece.best_starts
        else:
            better = piece.best > self.scores
            self.scores = np.where(better, piece.best, self.scores)
            self.starts = np.where(better, piece.best_starts, self.starts)


def _farther_from_zero(one: Values, other: Values) -> Values:
    return np.where(np.abs(one) >= np.abs(other), one, other)


def _sizes(layout: Layout, request: TrackRequest) -> dict[str, int]:
    """Length of each chromosome: the genome's where there is one, else as far as sequences reach."""
    sizes = layout.sizes()
    if request.genome is None:
        return sizes
    genome = Genome(request.genome)
    for place in layout.places:
        if place.located:
            genome.check(place.interval, request.sequences)
            sizes[place.interval.chrom] = genome.lengths[place.interval.chrom]
    genome.close()
    return sizes


def _file_names(motifs: Sequence[MotifFilter], targets: Sequence[str]) -> list[str]:
    """Names of the tracks' files without their endings: motifs, then targets."""
    names = [logo_file_name(motif.name) for motif in motifs]
    return names + [f"contribution_{logo_file_name(target)}" for target in targets]


def _paths(request: TrackRequest, files: Sequence[str]) -> list[Path]:
    names = [
        f"{name}{ENDINGS[kind]}"
        for name in files
        for kind in request.formats
        if kind != "bed" or not name.startswith("contribution_")
    ]
    return [request.out / name for name in [*names, INDEX_FILE]]


def _refuse_present(request: TrackRequest, files: Sequence[str]) -> None:
    present = [path for path in _paths(request, files) if path.exists()]
    if present and not request.force:
        raise MotifcnnError(f"{present[0]}: is there already; give another folder with -o, or --force to write over it")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"no folder can be made there ({error.strerror}); give another with -o", folder) from None


def _write_sites(path: Path, layout: Layout, motif: MotifFilter, sites: Sites, width: int) -> None:
    places = layout.positions_of(sites["start"])
    peaks = (
        Peak(Interval(chrom, start, start + width, "-" if reverse else "+"), motif.name, float(height))
        for (chrom, start), reverse, height in zip(places, sites["reverse"], sites["height"], strict=True)
    )
    highest = float(sites["height"].max()) if len(sites) else 1.0
    write_bed(path, peaks, highest if highest > 0 else 1.0)


def _index(
    files: Sequence[str],
    motifs: Sequence[MotifFilter],
    counts: Sequence[int],
    targets: Sequence[str],
    offsets: npt.NDArray[np.float64],
) -> str:
    """Say what each track holds; a target's logit is the sum of its track along a sequence, and the offset."""
    lines = ["track\tkind\tname\tfilter\tfilter_threshold\tsites\tlogit_offset"]
    for name, motif, count in zip(files, motifs, counts, strict=False):
        lines.append(f"{name}\tmotif\t{motif.name}\t{motif.filter + 1}\t{motif.threshold:.6g}\t{count}\tNA")
    for name, target, offset in zip(files[len(motifs) :], targets, offsets, strict=False):
        lines.append(f"{name}\ttarget\t{target}\tNA\tNA\tNA\t{offset:.6g}")
    return "\n".join(lines) + "\n"
