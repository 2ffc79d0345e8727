"""What is said to a person: always on stderr, never mixed with results."""

import logging
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console

if TYPE_CHECKING:
    from rich.progress import Progress

    from motifcnn.ranks import Ranks

_LOGGER = logging.getLogger("motifcnn")


class _ToStderr(logging.Handler):
    """Write each message as one line, whatever its length, to the stderr of the moment.

    A progress bar puts its own stream there while it stands, so that messages appear above it.
    """

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{record.getMessage()}\n")


def set_level(*, verbose: bool, quiet: bool) -> None:
    """Send the library's log to stderr: progress by default, everything or only faults on request."""
    _LOGGER.handlers = [_ToStderr()]
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


def crowd(ranks: "Ranks") -> str:
    """Say how many processes share the work, where there are several."""
    return f" in each of {ranks.size} processes" if ranks.size > 1 else ""


def counted(number: int, noun: str) -> str:
    """Return a number and a noun that agrees with it, such as "1 motif" and "2,000 motifs"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


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
