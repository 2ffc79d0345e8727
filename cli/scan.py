"""`motifcnn scan`: motif occurrences in a genome, with exact p-values."""

import gc
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, NamedTuple

import typer

from motifcnn.errors import MotifcnnError
from motifcnn.settings import Settings

from . import speech
from .options import Force
from .refusals import refuse_existing, refuse_given
from .tunables import with_tunables

if TYPE_CHECKING:
    from motifcnn.ranks import Ranks


@with_tunables(
    "", "scan", without=("baseline",), help_of={"seed": "Taken as by others; a scan draws nothing at random."}
)
def scan(
    genome: Annotated[Path, typer.Argument(metavar="GENOME", help="FASTA, plain, gzip or bgzip; - reads stdin.")],
    motifs: Annotated[
        Path, typer.Option("--motif-file", "-m", metavar="RUN|FILE", help="Run directory, or a file of motifs.")
    ] = Path("motifcnn_out"),
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; left out: stdout.")] = None,
    names: Annotated[str, typer.Option("--motifs", help="Names of the motifs to use, separated by commas.")] = "",
    conservation: Annotated[
        Path | None, typer.Option(help="Track to look hits up in: bigWig, bedGraph, wiggle, or TSV by name.")
    ] = None,
    first: Annotated[int, typer.Option(min=0, help="Use the first N motifs only; 0: all.")] = 0,
    model_track: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.bw",
            help="Write the network's prediction and each motif's best hit in sliding windows instead.",
        ),
    ] = None,
    force: Force = False,
    *,
    context: typer.Context,
    settings: Settings,
) -> None:
    """Find every occurrence of motifs in a genome of any size."""
    wanted = tuple(name.strip() for name in names.split(",") if name.strip())
    if model_track is not None:
        of_hits = {name: context.params[name] for name in ("p_value", "format", "q_values")}
        refuse_given(
            "is about hits, and --model-track writes none; leave one of them out",
            out=out,
            conservation=conservation,
            **of_hits,
        )
        _write_model_track(genome, motifs, model_track, _Choice(wanted, first), settings, force)
        return
    of_windows = {name: context.params[name] for name in ("track_width", "track_stride")}
    refuse_given("is about windows that the network reads; add --model-track", **of_windows)
    from motifcnn.formats.files import shown
    from motifcnn.formats.motif_files import read_motifs
    from motifcnn.processors import count_threads
    from motifcnn.ranks import joined
    from motifcnn.runs import motif_file
    from motifcnn.scanning.device import choose_scan_device
    from motifcnn.scanning.genome import choose_motifs, scan_genome

    with joined() as ranks, _imports_left_alone():
        path = motif_file(motifs)
        ranks.check_readable(path)
        refuse_existing(out, force=force, inputs=(genome, path, conservation))
        if settings.scan.format == "parquet":
            _check_place_of_parquet(out)
        chosen = choose_motifs(read_motifs(path), wanted, first, path)
        threads = count_threads(settings.threads)
        device = choose_scan_device(settings.device, chosen, genome)
        scale = f"{speech.counted(len(chosen), 'motif')} of {shown(path)}, p ≤ {settings.scan.p_value:g}"
        means = f"{speech.counted(threads, 'thread')}{speech.crowd(ranks)}, on {device.name} ({device.reason})"
        speech.say(f"scanning {shown(genome)} with {scale}, {means}")
        with _output(out, ranks) as file:
            summary = scan_genome(genome, chosen, settings.scan, file, threads, device.name, ranks, conservation)
            file.flush()
        found = speech.counted(sum(summary.hits), "hit")
        speech.say(f"{found} in {speech.counted(summary.letters, 'letter')}" + (f", in {out}" if out else ""))


@contextmanager
def _imports_left_alone() -> Iterator[None]:
    """Keep the garbage collector from looking through all that is imported whenever a genome has many records."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _output(out: Path | None, ranks: "Ranks") -> AbstractContextManager[BinaryIO]:
    from motifcnn.formats.files import atomic_write, remove_stale

    if not ranks.is_first:
        return nullcontext(BytesIO())  # takes no more than a header
    if out is None:
        return nullcontext(sys.stdout.buffer)
    remove_stale(out)
    return atomic_write(out)


class _Choice(NamedTuple):
    """Which motifs: names, and how many at most; nothing and 0 stand for all."""

    names: tuple[str, ...]
    first: int


def _write_model_track(genome: Path, run: Path, track: Path, choice: _Choice, settings: Settings, force: bool) -> None:
    from motifcnn.ranks import refuse_several

    refuse_several("--model-track")
    if not run.is_dir():
        raise MotifcnnError(
            f"{run}: {'is no run directory' if run.exists() else 'there is no such directory'}; --model-track needs "
            "the network of one: give -m the directory that `motifcnn train` wrote"
        )
    from motifcnn.devices import choose_device, use_threads
    from motifcnn.formats.files import shown
    from motifcnn.formats.motif_files import read_motifs
    from motifcnn.runs import RunDirectory
    from motifcnn.scanning.genome import choose_motifs
    from motifcnn.tracks.model_track import ModelTrackRequest, write_model_tracks

    device, threads = choose_device(settings.device), use_threads(settings.threads)
    path = RunDirectory(run).motifs_meme
    chosen = choose_motifs(read_motifs(path), choice.names, choice.first, path) if path.exists() else []
    speech.say(
        f"scanning {shown(genome)} with the network and {speech.counted(len(chosen), 'motif')} of {run}, "
        f"{speech.counted(threads, 'thread')}, on {device.torch_device} ({device.reason})"
    )
    request = ModelTrackRequest(genome, run, tuple(chosen), track, settings.scan, threads, force)
    done = write_model_tracks(request, device)
    outputs = len(done.files) - len(chosen)
    listed = ", ".join(map(str, done.files[: outputs + 1])) + (f" … {done.files[-1]}" if len(chosen) > 1 else "")
    speech.say(f"{done.windows:,} windows of {done.width}, one every {done.stride}, in {listed}")


def _check_place_of_parquet(out: Path | None) -> None:
    if out is None and sys.stdout.isatty():
        raise MotifcnnError("--format parquet is no text for a terminal; give a file with --out")
    if out is not None and out.suffix == ".gz":
        raise MotifcnnError(f"{out}: Parquet is compressed in itself; leave .gz out of the name")
