"""What is said to a person: always on stderr, never mixed with results."""

import logging
import sys

from rich.console import Console
from rich.logging import RichHandler

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
