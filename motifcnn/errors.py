"""Faults that a user can mend, each one line long: where, what was found, what to do."""

from pathlib import Path


class MotifcnnError(Exception):
    """Any fault that a user can mend; the command line shows it as one line and exits with 1."""


class InputError(MotifcnnError):
    """A fault in an input file.

    Args:
        message: What was found, what was expected and what to do about it.
        path: The file at fault, if it is one.
        line: 1-based line number in that file, if there is one.
    """

    def __init__(self, message: str, path: str | Path | None = None, line: int | None = None):
        self.message = message
        self.path = None if path is None else str(path)
        self.line = line
        place = "" if path is None else f"{path}:" if line is None else f"{path}:{line}:"
        super().__init__(f"{place} {message}" if place else message)

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, str | None, int | None]]:
        """Pickle by the constructor's arguments, so that worker processes can raise it."""
        return type(self), (self.message, self.path, self.line)


class InterruptedRun(MotifcnnError):
    """The user pressed Ctrl-C; the message says what was kept and how to go on."""


class AlreadyTold(MotifcnnError):
    """The work failed, and another process of those that share it tells the user why."""
