"""Options that several commands share, each declared once."""

from pathlib import Path
from typing import Annotated

import typer

from motifcnn.settings import InputSettings, Settings, help_text

Out = Annotated[Path, typer.Option("--out", "-o", help="Where to write the result.")]
Force = Annotated[bool, typer.Option("--force", help="Write over an earlier result.")]
Config = Annotated[Path | None, typer.Option("--config", help="TOML file of settings, such as a run's settings.toml.")]
Seed = Annotated[int, typer.Option("--seed", help=help_text(Settings, "seed"))]
Device = Annotated[str, typer.Option("--device", help=help_text(Settings, "device"))]
Threads = Annotated[int, typer.Option("--threads", min=0, help=help_text(Settings, "threads"))]
AlphabetName = Annotated[str, typer.Option("--alphabet", help=help_text(InputSettings, "alphabet"))]
GenomeFile = Annotated[Path | None, typer.Option("--genome", help="FASTA of the genome that intervals are cut from.")]
Conservation = Annotated[
    list[Path] | None,
    typer.Option(
        "--conservation", help="Tracks as in training, matched by file name, else in its order; may be repeated."
    ),
]
