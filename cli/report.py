"""`motifcnn report`: write a run's report.html anew."""

from pathlib import Path
from typing import Annotated

import typer

from . import speech


def report(
    run: Annotated[Path, typer.Argument(metavar="[RUN]", help="Run directory.")] = Path("motifcnn_out"),
) -> None:
    """Write a run's report.html anew from its other files."""
    from motifcnn.report import write_report

    write_report(run)
    speech.say(f"report: {run / 'report.html'}")
