"""`motifcnn check`: what is in the input, and what a trivial model already reaches on it."""

from pathlib import Path
from typing import Annotated

import typer

from motifcnn.settings import Settings

from . import speech
from .options import GenomeFile
from .tunables import with_tunables


@with_tunables("", "input", "channels", "split")
def check(
    sequences: Annotated[Path, typer.Argument(metavar="SEQS", help="FASTA; or BED or narrowPeak with --genome.")],
    labels: Annotated[Path | None, typer.Argument(metavar="[LABELS]", help="TSV of labels.")] = None,
    genome: GenomeFile = None,
    conservation: Annotated[
        list[Path] | None, typer.Option(help="Track, alignment or PSSM for a further channel.")
    ] = None,
    *,
    settings: Settings,
) -> None:
    """Check the input as `train` would, and say what trivial models reach on held-out examples."""
    from motifcnn.devices import choose_device, use_threads
    from motifcnn.preparation import InputFiles, inspect_input

    choose_device(settings.device)  # one that `train` would refuse
    use_threads(settings.threads)
    for name, value in inspect_input(InputFiles(sequences, labels, genome, tuple(conservation or ())), settings):
        typer.echo(f"{name}\t{value}")
    speech.say("the input is sound; `motifcnn train` takes it as it is")
