"""What several commands refuse before they begin."""

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


def refuse_existing(path: Path | None, *, force: bool, option: str = "--out") -> None:
    """Refuse to write over a file without `--force`.

    Args:
        path: File to be written; None for stdout.
        force: Whether it may be written over.
        option: Option that names it.

    Raises:
        MotifcnnError: It is there, or is a directory.
    """
    if path is not None and path.is_dir():
        raise MotifcnnError(f"{path}: is a directory; give the name of a file with {option}")
    if path is not None and path.is_file() and not force:
        raise MotifcnnError(f"{path}: exists; give another name with {option}, or write over it with --force")
