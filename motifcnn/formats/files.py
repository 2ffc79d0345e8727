"""Files, plain or compressed: opened with clear faults, written whole or not at all."""

import errno
import fcntl
import hashlib
import io
import os
import secrets
import struct
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, cast

from isal import igzip, isal_zlib
from isal.igzip_lib import IsalError

from motifcnn.errors import InputError, MotifcnnError

_GZIP_MAGIC: Final = b"\x1f\x8b"
_READ_FAULTS: Final[tuple[type[Exception], ...]] = (EOFError, OSError, ValueError, cast(type[Exception], IsalError))
_BUFFER: Final = 1 << 20
_BGZIP_BLOCK: Final = 0xFF00
"""Letters in a block of bgzip (htslib's BGZF_BLOCK_SIZE): even stored they leave room for header and footer."""
_BGZIP_HEADER: Final = bytes.fromhex("1f8b08040000000000ff060042430200")
_BGZIP_END: Final = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_BGZIP_LARGEST: Final = 1 << 16
_SURELY_LOCKED: Final = 60.0
"""Seconds since the last write after which a file without a lock has no writer about to lock or rename it."""


def shown(path: str | Path) -> str:
    """Return what messages call a file: its path, or "standard input" for "-"."""
    return "standard input" if str(path) == "-" else str(path)


def is_there(path: str | Path) -> bool:
    """Whether there is such a file or directory; letters in the place of a path may be too many for a name."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def refuse_read(path: Path, inputs: Iterable[Path | None], remedy: str) -> None:
    """Refuse to write over a file that is read, by whatever name.

    Args:
        path: File to be written.
        inputs: What is read; None where there is none.
        remedy: What to do, for the message.

    Raises:
        MotifcnnError: It is one of the inputs.
    """
    if path.exists() and any(is_there(item) and path.samefile(item) for item in inputs if item is not None):
        raise MotifcnnError(f"{path}: is a file that is read; {remedy}")


class _Checked(io.RawIOBase):
    """A stream whose faults name the file."""

    def __init__(self, stream: BinaryIO, name: str, beneath: BinaryIO | None = None, *, keep_open: bool = False):
        self._stream, self._name, self._beneath, self._keep_open = stream, name, beneath, keep_open

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            return cast(io.RawIOBase, self._stream).readinto(buffer) or 0
        except _READ_FAULTS as error:
            raise self._fault(error) from None

    def readall(self) -> bytes:
        try:
            return self._stream.read()
        except _READ_FAULTS as error:
            raise self._fault(error) from None

    def _fault(self, error: Exception) -> InputError:
        if isinstance(error, EOFError):
            return InputError("ends in the middle of its gzip data; copy or download it again", self._name)
        return InputError(f"cannot be read ({error}); copy or download it again", self._name)

    def close(self) -> None:
        if not self.closed and not self._keep_open:
            self._stream.close()
            if self._beneath is not None:  # a gzip stream leaves the file that it was given open
                self._beneath.close()
        super().close()


def open_bytes(path: str | Path) -> BinaryIO:
    """Open a file for reading: plain, gzip or bgzip (told by content), or "-" for standard input.

    Args:
        path: The file. Standard input is left open when the stream is closed.

    Raises:
        InputError: It is missing, a directory or unreadable; while reading: its gzip data are damaged.
    """
    name = shown(path)
    raw = _Checked(_opened(path), name, keep_open=str(path) == "-")
    plain = io.BufferedReader(raw, _BUFFER)
    if plain.peek(2)[:2] != _GZIP_MAGIC:
        return cast(BinaryIO, plain)
    unpacked = igzip.IGzipFile(fileobj=plain)  # type: ignore[no-untyped-call, unused-ignore]
    checked = _Checked(cast(BinaryIO, unpacked), name, cast(BinaryIO, plain))
    return cast(BinaryIO, io.BufferedReader(checked, _BUFFER))


def refuse_pipe(path: str | Path) -> None:
    """Refuse a pipe in the place of a file that is read more than once; "-" is not one.

    Raises:
        InputError: It is a pipe.
    """
    if Path(path).is_fifo():
        raise InputError("is a pipe, and sequences are read more than once; pipe them to -, or give a file", path)


def _opened(path: str | Path) -> BinaryIO:
    if str(path) == "-":
        return cast(BinaryIO, sys.stdin.buffer)
    try:
        return Path(path).open("rb", buffering=0)
    except FileNotFoundError:
        raise InputError("there is no such file; check the path", path) from None
    except IsADirectoryError:
        raise InputError("is a directory; give a file", path) from None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror}); check the path and its permissions", path) from None


class _Bgzip(io.RawIOBase):
    """Compresses to bgzip: gzip in blocks, which tabix and samtools can seek in (SAM specification, 4.1)."""

    def __init__(self, file: BinaryIO):
        self._file, self._waiting = file, bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: memoryview) -> int:  # type: ignore[override]
        self._waiting += data
        whole = len(self._waiting) - len(self._waiting) % _BGZIP_BLOCK
        for start in range(0, whole, _BGZIP_BLOCK):
            self._write_block(bytes(self._waiting[start : start + _BGZIP_BLOCK]))
        del self._waiting[:whole]
        return len(data)

    def _write_block(self, block: bytes) -> None:
        packer = isal_zlib.compressobj(3, isal_zlib.DEFLATED, -15)
        packed = packer.compress(block) + packer.flush()
        if len(packed) + len(_BGZIP_HEADER) + 10 > _BGZIP_LARGEST:  # no better than stored
            store = zlib.compressobj(0, zlib.DEFLATED, -15)
            packed = store.compress(block) + store.flush()
        size = struct.pack("<H", len(packed) + len(_BGZIP_HEADER) + 10 - 1)
        self._file.write(b"".join([_BGZIP_HEADER, size, packed, struct.pack("<II", zlib.crc32(block), len(block))]))

    def finish(self) -> None:
        """Write what waits and the mark of the end."""
        if self._waiting:
            self._write_block(bytes(self._waiting))
            self._waiting.clear()
        self._file.write(_BGZIP_END)


@contextmanager
def atomic_write(path: str | Path) -> Iterator[BinaryIO]:
    """Write a file under a temporary name and rename it at the end: a file that exists is whole.

    A name ending in ".gz" is written as bgzip. A link is followed; what is no file (a pipe,
    /dev/stdout) is written directly.

    Raises:
        MotifcnnError: The directory is missing or cannot be written, or no space is left.
    """
    target = Path(path)
    final = Path(os.path.realpath(target))  # a link stays, the file that it stands for is replaced
    temporary = final.with_name(f"{_beginning(final)}{secrets.token_hex(6)}.part")
    try:
        if target.is_dir():
            raise MotifcnnError(f"{path}: is a directory; give the name of a file")
        direct = target.exists() and not target.is_file()
        plain: BinaryIO = target.open("wb") if direct else _locked(temporary)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with plain, _packed(plain) if target.suffix == ".gz" else _as_is(plain) as file:
            yield file
        if not direct:
            _rename(temporary, final, path)
    except BaseException as error:
        if not direct:
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and (reason := no_room(error)) is not None:
            raise MotifcnnError(f"{path}: {reason}") from None
        raise


def _beginning(final: Path) -> str:
    """Return what the names of a file's half-written versions begin with."""
    return f".motifcnn-{hashlib.sha256(os.fsencode(final.name)).hexdigest()[:12]}-"


def _locked(temporary: Path) -> BinaryIO:
    """Open a new file that is locked for as long as its writer lives, where the file system knows locks."""
    file = temporary.open("xb")
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file


def remove_stale(path: str | Path) -> None:
    """Remove what earlier writers of this file left half-written when they were killed, and not what others write."""
    final = Path(os.path.realpath(path))
    for leftover in final.parent.glob(f"{_beginning(final)}*.part"):
        with suppress(OSError), leftover.open("rb") as file:
            if time.time() - os.fstat(file.fileno()).st_mtime > _SURELY_LOCKED:
                fcntl.flock(
                    file, fcntl.LOCK_EX | fcntl.LOCK_NB
                )  # fails where its writer lives, or nothing can be locked
                leftover.unlink()


def remove_partial(folder: Path) -> None:
    """Remove what writers that were killed, or lost their power, left half-written in a folder."""
    for leftover in folder.glob(".motifcnn-*.part"):
        leftover.unlink(missing_ok=True)


def no_room(error: OSError) -> str | None:
    """Say that there was no room for what was written, and what to do; None where that was not the fault."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "no space left on the device; free some or choose another place"
    if error.errno == errno.EFBIG:
        return "files may not grow that large here; choose another place, or see `ulimit -f`"
    return None


def _unwritable(path: str | Path, error: OSError) -> MotifcnnError:
    if isinstance(error, FileNotFoundError):
        return MotifcnnError(f"{path}: there is no directory {Path(path).parent}; make it or choose another place")
    if (reason := no_room(error)) is not None:
        return MotifcnnError(f"{path}: {reason}")
    return MotifcnnError(f"{path}: cannot be written ({error.strerror}); choose another place")


def _rename(temporary: Path, final: Path, path: str | Path) -> None:
    try:
        temporary.replace(final)
    except OSError as error:
        raise _unwritable(path, error) from None


@contextmanager
def _as_is(file: BinaryIO) -> Iterator[BinaryIO]:
    yield file


@contextmanager
def _packed(file: BinaryIO) -> Iterator[BinaryIO]:
    packer = _Bgzip(file)
    buffered = io.BufferedWriter(cast(io.RawIOBase, packer), _BUFFER)
    try:
        yield cast(BinaryIO, buffered)
        buffered.flush()
        packer.finish()
    finally:
        buffered.close()


def write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8, whole or not at all.

    Raises:
        MotifcnnError: As for `atomic_write`.
    """
    with atomic_write(path) as file:
        file.write(text.encode())


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes as they stand on the disk."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
