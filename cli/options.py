"""Options that several commands share, each declared once."""

from pathlib import Path
from typing import Annotated

import typer

from motifcnn.settings import Settings, help_text

Force = Annotated[bool, typer.Option("--force", help="Write over an earlier result.")]
Seed = Annotated[int, typer.Option("--seed", help=help_text(Settings, "seed"))]
Device = Annotated[str, typer.Option("--device", help=help_text(Settings, "device"))]
Threads = Annotated[int, typer.Option("--threads", min=0, help=help_text(Settings, "threads"))]
GenomeFile = Annotated[Path | None, typer.Option("--genome", help="FASTA of the genome that intervals are cut from.")]
Conservation = Annotated[
    list[Path] | None,
    typer.Option(
        "--conservation", help="Tracks as in training, matched by file name, else in its order; may be repeated."
    ),
]
