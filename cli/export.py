"""`motifcnn export`: a run's logos, motifs and tracks for other programs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from motifcnn.errors import InputError, MotifcnnError

from . import speech
from .options import Conservation, Device, Force, GenomeFile, Threads

export = typer.Typer(
    name="export", help="Write a run's logos, motifs or tracks for other programs.", no_args_is_help=True
)

Run = Annotated[Path, typer.Argument(metavar="[RUN|FILE.meme]", help="Run directory, or a file of motifs.")]


class LogoFormat(StrEnum):
    """Picture formats."""

    SVG = "svg"
    PNG = "png"
    PDF = "pdf"


class MotifFormat(StrEnum):
    """Motif formats."""

    MEME = "meme"
    JASPAR = "jaspar"
    TRANSFAC = "transfac"


class TrackFormat(StrEnum):
    """Formats of tracks."""

    ALL = "all"
    BEDGRAPH = "bedgraph"
    BIGWIG = "bigwig"
    BED = "bed"
    NPZ = "npz"


@export.command("logos")
def logos(
    run: Run = Path("motifcnn_out"),
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to; made if missing.")] = Path("logos"),
    file_format: Annotated[LogoFormat, typer.Option("--format", help="Picture format.")] = LogoFormat.SVG,
    sheet: Annotated[
        bool, typer.Option("--sheet", help="All on one sheet, sheet.svg and sheet.pdf (or .png by --format).")
    ] = False,
    force: Force = False,
) -> None:
    """Draw a sequence logo of each motif: one file a motif, or all on one sheet."""
    from motifcnn.drawing.logos import logo_file_name, write_logo
    from motifcnn.formats.motif_files import read_motifs
    from motifcnn.runs import motif_file

    if sheet:
        _write_sheets(run, out, file_format, force=force)
        return
    source = motif_file(run)
    motifs = read_motifs(source)
    paths = [out / f"{logo_file_name(motif.name)}.{file_format}" for motif in motifs]
    _make_room(out, paths, source, force=force)
    for motif, path in zip(motifs, paths, strict=True):
        write_logo(motif, path)
    speech.say(f"{len(motifs)} {'logo' if len(motifs) == 1 else 'logos'} in {out}")


def _write_sheets(run: Path, out: Path, file_format: LogoFormat, *, force: bool) -> None:
    from motifcnn.drawing.logo_sheet import write_sheet
    from motifcnn.report.sheet import sheet_rows
    from motifcnn.runs import motif_file

    source = motif_file(run)  # says what is wrong where there is no run, or no motif in it
    rows = sheet_rows(run)
    endings = ["png"] if file_format == LogoFormat.PNG else ["svg", "pdf"]
    paths = [out / f"sheet.{ending}" for ending in endings]
    _make_room(out, paths, source, force=force)
    for path in paths:
        write_sheet(rows, path)
    speech.say(f"{len(rows)} {'motif' if len(rows) == 1 else 'motifs'} in {' and '.join(map(str, paths))}")


def _make_room(out: Path, paths: list[Path], source: Path, *, force: bool) -> None:
    """Make the folder; refuse to write over files unless asked to, and over the motifs' own in any case."""
    from motifcnn.formats.files import refuse_read

    for path in paths:
        refuse_read(path, [source], "give another folder with -o")
    present = [path for path in paths if path.exists()]
    if present and not force:
        raise MotifcnnError(f"{present[0]}: is there already; give another folder with -o, or --force to write over it")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"no folder can be made there ({error.strerror}); give another with -o", out) from None


@export.command("motifs")
def motifs(
    run: Run = Path("motifcnn_out"),
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; stdout by default.")] = None,
    file_format: Annotated[MotifFormat, typer.Option("--format", help="Motif format.")] = MotifFormat.MEME,
    force: Force = False,
) -> None:
    """Write the motifs as MEME, JASPAR or TRANSFAC text."""
    import sys

    from motifcnn.formats.files import refuse_read
    from motifcnn.formats.jaspar import write_jaspar
    from motifcnn.formats.meme import write_meme
    from motifcnn.formats.motif_files import read_motifs
    from motifcnn.formats.transfac import write_transfac
    from motifcnn.runs import motif_file

    writers = {MotifFormat.MEME: write_meme, MotifFormat.JASPAR: write_jaspar, MotifFormat.TRANSFAC: write_transfac}
    source = motif_file(run)
    found = read_motifs(source)
    if out is None:
        writers[file_format](sys.stdout, found)
        return
    refuse_read(out, [source], "give another file with -o")
    if out.exists() and not force:
        raise MotifcnnError(f"{out}: is there already; give another file with -o, or --force to write over it")
    writers[file_format](out, found)
    speech.say(f"{len(found)} {'motif' if len(found) == 1 else 'motifs'} in {out}")


@export.command("tracks")
def tracks(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RUN] SEQS", help="Run directory (default: motifcnn_out); FASTA, or BED with --genome."
        ),
    ] = None,
    regions: Annotated[
        Path | None, typer.Option(help="BED of regions of the genome, in place of SEQS; with --genome.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to; made if missing.")] = Path("tracks"),
    file_format: Annotated[
        list[TrackFormat] | None,
        typer.Option(
            "--format",
            help="Values as bedGraph or bigWig, sites as BED, all as NumPy arrays (npz); may be repeated. "
            "all: the first three, the default.",
        ),
    ] = None,
    mutagenesis: Annotated[
        bool,
        typer.Option(
            "--mutagenesis",
            help="Change every letter in silico; tracks hold the logit less its mean with the other letters.",
        ),
    ] = False,
    indels: Annotated[
        bool,
        typer.Option("--indels", help="Also delete and insert every letter; tracks hold what a position is worth."),
    ] = False,
    hits: Annotated[
        list[Path] | None, typer.Option(help="Hits of `motifcnn scan` for the IGV session; may be repeated.")
    ] = None,
    genome: GenomeFile = None,
    conservation: Conservation = None,
    force: Force = False,
    device: Device = "auto",
    threads: Threads = 0,
) -> None:
    """Write each motif's activation, and each target's contributions, along sequences.

    Sequences named by coordinates, such as chr22:100-301, go out in genome coordinates; others in their own.
    BED intervals are read as they are. The file tracks.tsv says what each track holds; igv_session.xml opens
    genome, tracks and hits in IGV.
    """
    from motifcnn.devices import choose_device, use_threads
    from motifcnn.tracks.track_export import ENDINGS, FORMATS, TrackRequest, export_tracks

    run, sequences = _run_and_sequences(paths or [], regions)
    if regions is not None and genome is None:
        raise typer.BadParameter("needs --genome FASTA, to cut the regions from", param_hint="--regions")
    wanted = set(file_format or [TrackFormat.ALL])
    formats = tuple(kind for kind in FORMATS if kind in wanted or (TrackFormat.ALL in wanted and kind in ENDINGS))
    chosen = choose_device(device)
    use_threads(threads)
    speech.say(f"computing on {chosen.torch_device} ({chosen.reason})")
    request = TrackRequest(
        run, sequences, out, genome, tuple(conservation or ()), formats, mutagenesis, indels, tuple(hits or ()), force
    )
    summary = export_tracks(request, chosen)
    if summary.overlapping:
        speech.warn(
            f"{speech.counted(summary.overlapping, 'overlap')} between sequences on a chromosome; there the highest "
            "activation was kept, and of all else the value farthest from 0"
        )
    if not summary.targets:
        speech.say(
            "this network's head is not linear in best windows, so that there is no exact map of the targets' logits"
        )
    speech.say(
        f"{speech.counted(len(summary.motifs), 'motif')} and {speech.counted(len(summary.targets), 'target')} along "
        f"{speech.counted(summary.sequences, 'sequence')}, {speech.counted(sum(summary.sites), 'site')}, "
        f"{speech.counted(summary.files, 'file')} in {out}"
        + (f"; {summary.session.name} opens them in IGV" if summary.session is not None else "")
    )


def _run_and_sequences(paths: list[Path], regions: Path | None) -> tuple[Path, Path]:
    """Tell the run directory and the file of sequences apart."""
    given = [*paths, *([] if regions is None else [regions])]
    if not given or len(given) > 2:
        raise typer.BadParameter("give a run directory and one file of sequences", param_hint="[RUN] SEQS")
    run, sequences = (Path("motifcnn_out"), *given)[-2:]
    if sequences.is_dir():
        raise typer.BadParameter(
            f"{sequences} is a directory where sequences are expected; give the run first, then FASTA, or --regions",
            param_hint="[RUN] SEQS",
        )
    return run, sequences
