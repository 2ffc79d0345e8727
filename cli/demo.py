"""`motifcnn demo`: the main job on the data that ship with the package."""

from pathlib import Path
from typing import Annotated

import typer

from motifcnn.errors import MotifcnnError

from . import speech
from .options import Device, Force, Threads
from .train import TrainingProgress, say_layers, say_outcome


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Run directory.")] = Path("motifcnn_demo"),
    force: Force = False,
    device: Device = "auto",
    threads: Threads = 0,
) -> None:
    """Find CRP's motif in E. coli: train on windows around known sites, then scan the whole genome."""
    from motifcnn.demonstration import KNOWN_CONSENSUS, find_known_sites, request
    from motifcnn.pipeline import run

    asked = request(out, force=force, device=device, threads=threads)
    files = asked.files
    speech.say(f"motifcnn train {files.sequences} {files.labels} -o {out} --database {asked.settings.motifs.database}")
    with TrainingProgress() as progress:
        outcome = run(asked, on_layers=say_layers, on_epoch=progress.update)
    assert outcome is not None  # the demo refuses to be one of several processes
    say_outcome(outcome, out, asked.settings.motifs.e_threshold)
    found = find_known_sites(outcome, out, threads)
    if found is None:
        raise MotifcnnError("the demo found no motif; please report this with the output of `motifcnn doctor`")
    typer.echo(f"motif\t{found.consensus}\t(known: {KNOWN_CONSENSUS})")
    typer.echo(f"genome hits\t{found.hits}\tin {found.hits_path}")
    typer.echo(f"known sites found again\t{found.recovered} of {found.known} ({found.recovered / found.known:.0%})")
    typer.echo(f"report\t{out / 'report.html'}")
