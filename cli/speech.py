"""What is said to a person: always on stderr, never mixed with results."""

import logging
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.logging import RichHandler

if TYPE_CHECKING:
    from rich.progress import Progress

_LOGGER = logging.getLogger("motifcnn")


def set_level(*, verbose: bool, quiet: bool) -> None:
    """Send the library's log to stderr: progress by default, everything or only faults on request."""
    handler = RichHandler(
        console=Console(stderr=True, soft_wrap=True), show_time=False, show_level=False, show_path=False, markup=False
    )
    handler.setFormatter(logging.Formatter("%(message)s"))
    _LOGGER.handlers = [handler]
    _LOGGER.setLevel(logging.DEBUG if verbose else logging.ERROR if quiet else logging.INFO)


def say(message: str) -> None:
    """Tell the user something, unless `--quiet` was given."""
    _LOGGER.info(message)


def warn(message: str) -> None:
    """Tell the user about something that deserves a look, unless `--quiet` was given."""
    _LOGGER.warning(message)


def fail(message: str) -> None:
    """Tell the user, whatever the level, what stopped the command."""
    sys.stderr.write(f"motifcnn: error: {message}\n")


def is_quiet() -> bool:
    """Whether only faults are wanted."""
    return _LOGGER.level >= logging.ERROR


def on_terminal() -> bool:
    """Whether a person watches stderr, so that progress bars make sense."""
    return sys.stderr.isatty() and not is_quiet()


def show(table: Any) -> None:
    """Show a table of rich's, unless `--quiet` was given."""
    if not is_quiet():
        Console(stderr=True, width=None if sys.stderr.isatty() else 120).print(table)


def progress_bar(what: str, total: float) -> "Progress":
    """Return a progress bar of one task with a `what` field for the latest figures."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[what]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    bar.add_task(what, total=total, what="")
    return bar
