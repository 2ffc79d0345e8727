"""Activation tracks of a run's motifs, class activation maps and mutagenesis of its targets, as files.

Values are computed once, kept in an unnamed file on disk in the order in which they will be written,
and then written track by track: memory holds one piece of one sequence, the sequences themselves and the sites.
"""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from motifcnn.devices import Device
from motifcnn.encoding import Tracks
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.files import refuse_read, write_text
from motifcnn.formats.genome import Genome
from motifcnn.formats.igv import write_igv_session
from motifcnn.formats.npz import NpzFile
from motifcnn.formats.track_spool import Layout, TrackSpool
from motifcnn.formats.tracks import Peak, write_bed, write_bedgraph, write_bigwig
from motifcnn.intervals import Interval
from motifcnn.model.store import TrainedModel
from motifcnn.prediction.predicting import model_of, read_model_input
from motifcnn.runs import RunDirectory
from motifcnn.sequences import Sequences
from motifcnn.tracks.motif_filters import MotifFilter, read_motif_filters
from motifcnn.tracks.track_values import Arrays, Sites, TrackPlan, fill, index_of

_LOGGER = logging.getLogger(__name__)

ENDINGS = {"bedgraph": ".bedgraph", "bigwig": ".bw", "bed": ".bed"}
"""Formats of one file a track, and the endings of the files."""
FORMATS = (*ENDINGS, "npz")
"""All formats."""
INDEX_FILE = "tracks.tsv"
ARRAYS_FILE = "tracks.npz"
SESSION_FILE = "igv_session.xml"


@dataclass(frozen=True)
class TrackRequest:
    """What to export.

    Args:
        run: Run directory.
        sequences: FASTA, or BED with a genome.
        out: Folder to write to; made if missing.
        genome: FASTA of the genome.
        conservation: Tracks, in the order of training.
        formats: Some of `FORMATS`.
        mutagenesis: Whether to change every letter too.
        indels: Whether mutagenesis deletes and inserts letters as well.
        hits: Files that the session of the genome browser opens besides.
        force: Whether to write over files that are there.
    """

    run: Path
    sequences: Path
    out: Path
    genome: Path | None = None
    conservation: tuple[Path, ...] = ()
    formats: tuple[str, ...] = tuple(ENDINGS)
    mutagenesis: bool = False
    indels: bool = False
    hits: tuple[Path, ...] = ()
    force: bool = False


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
        session: File that opens all in IGV; None where there is no genome to open.
    """

    sequences: int
    motifs: tuple[str, ...]
    targets: tuple[str, ...]
    sites: tuple[int, ...]
    overlapping: int
    files: int
    session: Path | None


def export_tracks(request: TrackRequest, device: Device) -> TrackSummary:
    """Write each motif's activation and each target's class activation map along sequences.

    Where sequences overlap on a chromosome, the highest activation stands, and of all else the value farthest
    from 0.

    Args:
        request: What to export.
        device: Where to compute.

    Raises:
        InputError: The run or the input is at fault.
        MotifcnnError: Files are there already, or cannot be written.
    """
    run = RunDirectory(request.run)
    changed = request.mutagenesis or request.indels
    model = model_of(request.run, device, whole="--mutagenesis" if changed else "")
    motifs = read_motif_filters(run, model)
    if not motifs:
        raise InputError("this run found no motif, so there is no track to export; its report.html says more", run.path)
    plan = _plan(request, model, motifs)
    _refuse_present(request, plan)
    sequences, tracks = read_model_input(
        model, request.sequences, request.genome, request.conservation, whole_intervals=True
    )
    layout = Layout.of(sequences.names, sequences.lengths.tolist(), request.sequences)
    sizes = _sizes(layout, request)
    _refuse_missing(request.hits)
    _make_folder(request.out)
    counts = _write(request, plan, model, sequences, tracks, layout, sizes, device)
    write_text(request.out / INDEX_FILE, index_of(plan, model, counts))
    session = _write_session(request, plan, layout)
    written = len(_paths(request, plan)) - (session is None)
    names = tuple(motif.name for motif in motifs)
    return TrackSummary(len(sequences), names, plan.mapped, counts, layout.overlapping, written, session)


def _plan(request: TrackRequest, model: TrainedModel, motifs: Sequence[MotifFilter]) -> TrackPlan:
    targets = model.objective.output_names
    mapped = targets if model.network.has_exact_map else ()
    mutated = targets if request.mutagenesis or request.indels else ()
    return TrackPlan(tuple(motifs), mapped, mutated, targets if request.indels else ())


def _write(
    request: TrackRequest,
    plan: TrackPlan,
    model: TrainedModel,
    sequences: Sequences,
    tracks: Tracks,
    layout: Layout,
    sizes: dict[str, int],
    device: Device,
) -> tuple[int, ...]:
    """Compute and write all tracks, and return how many sites each motif has."""
    names = [name for _, _, name in plan.rows()]
    with ExitStack() as open_files:
        arrays = None
        if "npz" in request.formats:
            packed = open_files.enter_context(NpzFile(request.out / ARRAYS_FILE))
            arrays = Arrays(packed, plan, model, sequences)
        spool = open_files.enter_context(TrackSpool(layout, len(names), request.out))
        sites = fill(plan, spool, arrays, model, sequences, tracks, device)
        for row, name in enumerate(names):
            for kind, ending in ENDINGS.items():
                path = request.out / f"{name}{ending}"
                if kind not in request.formats:
                    continue
                if kind == "bedgraph":
                    write_bedgraph(path, spool.stretches(row))
                elif kind == "bigwig":
                    write_bigwig(path, spool.stretches(row), sizes)
                elif row < len(plan.motifs):
                    _write_sites(path, layout, plan.motifs[row], sites[row], model.network.filters.width)
    return tuple(len(found) for found in sites)


def _write_session(request: TrackRequest, plan: TrackPlan, layout: Layout) -> Path | None:
    """Write the file that opens genome, tracks and hits together; sequences of their own are a genome too."""
    located = [place for place in layout.places if place.located]
    genome = request.genome if request.genome is not None or located else request.sequences
    values = next((kind for kind in ("bigwig", "bedgraph") if kind in request.formats), None)
    if genome is None or str(genome) == "-":
        return None
    tracks = [(path.name, path) for path in request.hits]
    for kind, name, file in plan.rows():
        title = name if kind == "motif" else f"{name}, {_TITLES[kind]}"
        if values is not None:
            tracks.append((title, request.out / f"{file}{ENDINGS[values]}"))
        if kind == "motif" and "bed" in request.formats:
            tracks.append((f"{name}, sites", request.out / f"{file}{ENDINGS['bed']}"))
    if not tracks:
        return None
    first = layout.blocks[0]
    path = request.out / SESSION_FILE
    write_igv_session(path, genome, tracks, f"{first.chrom}:{first.start + 1}-{first.end}")
    return path


_TITLES = {"target": "contribution", "mutagenesis": "mutagenesis", "deletion": "deletion"}


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


def _paths(request: TrackRequest, plan: TrackPlan) -> list[Path]:
    names = [
        f"{name}{ENDINGS[kind]}"
        for role, _, name in plan.rows()
        for kind in ENDINGS
        if kind in request.formats and (kind != "bed" or role == "motif")
    ]
    arrays = [ARRAYS_FILE] if "npz" in request.formats else []
    return [request.out / name for name in [*names, *arrays, INDEX_FILE, SESSION_FILE]]


def _refuse_present(request: TrackRequest, plan: TrackPlan) -> None:
    inputs = (request.sequences, request.genome, *request.conservation, *request.hits)
    paths = _paths(request, plan)
    for path in paths:
        refuse_read(path, inputs, "give another folder with -o")
    present = [path for path in paths if path.exists()]
    if present and not request.force:
        raise MotifcnnError(f"{present[0]}: is there already; give another folder with -o, or --force to write over it")


def _refuse_missing(hits: Sequence[Path]) -> None:
    for path in hits:
        if not path.is_file():
            raise InputError("there is no such file of hits; check the path, or write it with `motifcnn scan`", path)


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
