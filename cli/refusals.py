"""What several commands refuse before they begin."""

from collections.abc import Iterable
from pathlib import Path

import typer

from motifcnn.errors import MotifcnnError


def refuse_given(why: str, **options: object) -> None:
    """Refuse options that nothing would read.

    Args:
        why: What is wrong, and what to do.
        **options: Parameters of the command; None where they were not given.

    Raises:
        typer.BadParameter: One was given; it is named.
    """
    for name, value in options.items():
        if value is not None:
            raise typer.BadParameter(why, param_hint=f"--{name.replace('_', '-')}")


def refuse_existing(
    path: Path | None, *, force: bool, option: str = "--out", inputs: Iterable[Path | None] = ()
) -> None:
    """Refuse to write over a file without `--force`, and over one that the command reads even with it.

    Args:
        path: File to be written; None for stdout.
        force: Whether it may be written over.
        option: Option that names it.
        inputs: What the command reads; None where there is none.

    Raises:
        MotifcnnError: It is there, is a directory, or is one of the inputs.
    """
    from motifcnn.formats.files import refuse_read

    if path is None:
        return
    if path.is_dir():
        raise MotifcnnError(f"{path}: is a directory; give the name of a file with {option}")
    refuse_read(path, inputs, f"give another name with {option}")
    if path.is_file() and not force:
        raise MotifcnnError(f"{path}: exists; give another name with {option}, or write over it with --force")
