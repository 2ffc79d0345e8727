"""Files, plain or compressed: opened with clear faults, written whole or not at all."""

import errno
import hashlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from Bio import bgzf

from motifcnn.errors import InputError, MotifcnnError

_GZIP_MAGIC = b"\x1f\x8b"
_BLOCK = 1 << 20


class _Checked(io.RawIOBase):
    """A stream whose faults name the file."""

    def __init__(self, stream: BinaryIO, beneath: BinaryIO, path: str):
        self._stream, self._beneath, self._path = stream, beneath, path

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._stream.read(len(buffer))
        except EOFError:
            raise InputError("ends in the middle of its gzip data; copy or download it again", self._path) from None
        except (OSError, ValueError) as error:
            raise InputError(f"cannot be read ({error}); copy or download it again", self._path) from None
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            self._beneath.close()  # a gzip stream leaves the file that it was given open
        super().close()


def open_bytes(path: str | Path) -> BinaryIO:
    """Open a file for reading: plain, gzip or bgzip, or "-" for standard input.

    Raises:
        InputError: It is missing, a directory or unreadable; while reading: its gzip data are damaged.
    """
    from isal import igzip

    name = "standard input" if str(path) == "-" else str(path)
    try:
        raw = cast(
            BinaryIO, cast(Any, sys.stdin.buffer).raw if str(path) == "-" else Path(path).open("rb", buffering=0)
        )  # noqa: SIM115 - closed with what is returned
    except FileNotFoundError:
        raise InputError("there is no such file; check the path", name) from None
    except IsADirectoryError:
        raise InputError("is a directory; give a file", name) from None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror}); check its permissions", name) from None
    buffered = cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, raw), _BLOCK))
    if cast(io.BufferedReader, buffered).peek(2)[:2] != _GZIP_MAGIC:
        return buffered
    stream = cast(BinaryIO, cast(Any, igzip.IGzipFile)(fileobj=buffered))
    return cast(BinaryIO, io.BufferedReader(_Checked(stream, buffered, name), _BLOCK))


@contextmanager
def atomic_write(path: str | Path) -> Iterator[BinaryIO]:
    """Write a file under a temporary name and rename it at the end: a file that exists is whole.

    A name ending in ".gz" is written as bgzip.

    Raises:
        MotifcnnError: The directory is missing or cannot be written, or no space is left.
    """
    path = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise MotifcnnError(f"{path}: cannot be written ({error.strerror}); choose another place") from None
    try:
        with os.fdopen(handle, "wb") as plain:
            if path.suffix == ".gz":
                with cast(Any, bgzf.BgzfWriter)(fileobj=plain) as packed:
                    yield cast(BinaryIO, packed)
            else:
                yield plain
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise MotifcnnError(f"{path}: no space left on the device; free some or choose another place") from None
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8, whole or not at all."""
    with atomic_write(path) as file:
        file.write(text.encode())


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes as they stand on the disk."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
