"""Processes that share one job, as torchrun starts them: which one this is, and how they talk.

The first one (rank 0) writes and speaks. Torch is imported only where there are several.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NoReturn

import numpy as np

from motifcnn.errors import AlreadyTold, InterruptedRun, MotifcnnError

if TYPE_CHECKING:
    import torch

_VARIABLES: Final = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_JOINED: Final = count()
_TOLD: Final = "told"
_NOTHING_FOLLOWS: Final = -1
_PATIENCE: Final = timedelta(days=1)
"""How long one process waits for another that lives: for a network of its own to be trained. Dead ones are noticed."""


@dataclass(frozen=True)
class Place:
    """Where this process stands among those that share the job.

    Args:
        rank: Its number, from 0.
        size: How many there are.
        local_rank: Its number among those of its machine.
        local_size: How many of them are on its machine.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1


def place() -> Place:
    """Return this process's place, from the environment that torchrun sets; alone without it."""
    if any(name not in os.environ for name in _VARIABLES):
        return Place()
    return Place(*(int(os.environ[name]) for name in _VARIABLES[:4]))


def refuse_several(what: str) -> None:
    """Refuse to run as one of several processes.

    Args:
        what: Command or option that does not share its work.

    Raises:
        MotifcnnError: There are several processes; it is an `AlreadyTold` in all but the first.
    """
    here = place()
    if here.size > 1:
        fault = f"{what} runs in one process; start it without torchrun"
        raise AlreadyTold(fault) if here.rank else MotifcnnError(fault)


class Ranks:
    """The processes that share the job; without a group, this one alone.

    Args:
        place: Where this one stands.
    """

    def __init__(self, place: Place):
        self.rank, self.size = place.rank, place.size
        self._local_rank, self._local_size = place.local_rank, place.local_size

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    @property
    def is_first_here(self) -> bool:
        """Whether this is the first process of its machine."""
        return self._local_rank == 0

    def check_readable(self, path: str | Path) -> None:
        """Refuse standard input where several processes would read it.

        Raises:
            MotifcnnError: The path is "-", and this process is not alone.
        """
        if self.size > 1 and str(path) == "-":
            raise MotifcnnError("standard input cannot be read by several processes; give a file")

    def send(self, data: bytes | None) -> None:
        """Send bytes to the first process; None says that no more will come."""
        import torch

        length = _NOTHING_FOLLOWS if data is None else len(data)
        self._talk("send", torch.tensor([length]), 0)
        if data:
            self._talk("send", _tensor_of(data), 0)

    def receive(self, rank: int) -> bytes | None:
        """Return what another process sends next; None where no more will come."""
        import torch

        header = torch.empty(1, dtype=torch.int64)
        self._talk("recv", header, rank)
        length = int(header)
        if length == _NOTHING_FOLLOWS:
            return None
        data = torch.empty(length, dtype=torch.uint8)
        if length:
            self._talk("recv", data, rank)
        return data.numpy().tobytes()

    def add_up(self, values: "torch.Tensor") -> None:
        """Replace values by their sums over all processes, in place."""
        if self.size > 1:
            self._talk("all_reduce", values)

    def copy_first(self, values: "torch.Tensor") -> None:
        """Replace values by those of the first process, in place."""
        if self.size > 1:
            self._talk("broadcast", values, 0)

    def hand_out(self, data: bytes) -> bytes:
        """Return what the first process gives; what the others give counts for nothing."""
        if self.size == 1:
            return data
        import torch

        length = torch.tensor([len(data)])
        self.copy_first(length)
        content = _tensor_of(data) if self.is_first else torch.empty(int(length), dtype=torch.uint8)
        if int(length):
            self.copy_first(content)
        return content.numpy().tobytes()

    def share_file(self, file: BinaryIO | None) -> BinaryIO | None:
        """Give a file that the first process of this machine has open, whether it has a name or none, to the others.

        Args:
            file: The file, whole and open for reading and writing; None in all processes but the first.

        Returns:
            The file, in the others opened once more; None where they do not see what the first has open: without
            Linux's /proc, or in a container of their own.
        """
        import torch

        leader = self.rank - self._local_rank
        others = range(leader + 1, leader + self._local_size)
        received = torch.zeros(1)
        if file is not None:
            address = torch.tensor([os.getpid(), file.fileno(), *_identity(os.fstat(file.fileno()))])
            for other in others:
                self._talk("send", address, other)
            for other in others:  # until they have it, it must stay open here
                self._talk("recv", received, other)
            return file
        address = torch.empty(4, dtype=torch.int64)
        self._talk("recv", address, leader)
        process, descriptor, *identity = address.tolist()
        found = _opened(_path_of(process, descriptor), identity)
        self._talk("send", received, leader)
        return found

    def _talk(self, operation: str, data: "torch.Tensor", *other: int) -> None:
        import torch.distributed

        try:
            getattr(torch.distributed, operation)(data, *other)
        except RuntimeError:  # the only one that gloo has, for every kind of broken connection
            who = f"process {other[0]}" if other and other[0] != self.rank else "another"
            raise MotifcnnError(
                f"{who} of the {self.size} that share the work ended, or cannot be reached, before it was "
                "done; no file was left half-written: start again, with more memory or fewer processes if it was killed"
            ) from None


def _identity(status: os.stat_result) -> list[int]:
    """Tell one file from all others of a machine, by numbers that fit into 64 bits with their sign."""
    return [number & (2**63 - 1) for number in (status.st_dev, status.st_ino)]


def _path_of(process: int, descriptor: int) -> Path:
    """Return where Linux shows what a process has open."""
    return Path(f"/proc/{process}/fd/{descriptor}")


def _opened(path: Path, identity: list[int]) -> BinaryIO | None:
    try:
        return path.open("r+b") if _identity(path.stat()) == identity else None
    except OSError:
        return None


def _tensor_of(data: bytes) -> "torch.Tensor":
    import torch

    return torch.from_numpy(np.frombuffer(data, dtype=np.uint8).copy())


ALONE: Final = Ranks(Place())


@contextmanager
def joined() -> Iterator[Ranks]:
    """Join the processes of this job for as long as the block lasts; alone where there is one only.

    A fault is told by the process that meets it first. When the launcher ends the others (SIGTERM), they clean up
    as after any fault.

    Raises:
        AlreadyTold: The work failed, and another process says why.
    """
    here = place()
    if here.size == 1:
        yield ALONE
        return
    import torch.distributed

    store = _begun(here)
    afterwards = signal.signal(signal.SIGTERM, _stop)
    try:
        yield Ranks(here)
    except InterruptedRun:
        raise
    except Exception as error:  # Ctrl-C reaches them all at once
        afterwards = signal.SIG_IGN  # it is ending, and has still to say why
        if not _is_first_to_fail(store):
            raise AlreadyTold(str(error)) from None
        raise
    finally:
        signal.signal(signal.SIGTERM, afterwards)
        torch.distributed.destroy_process_group()


def _begun(here: Place) -> Any:
    """Make torch's group of all processes; return the store that they share."""
    import torch.distributed
    from torch.distributed.distributed_c10d import PrefixStore

    try:
        # a name of its own each time, or the addresses of the last time would be found there
        store = PrefixStore(f"motifcnn/{next(_JOINED)}", _whole_store())
        torch.distributed.init_process_group(
            _backend(here), store=store, rank=here.rank, world_size=here.size, timeout=_PATIENCE
        )
    except (RuntimeError, ValueError) as error:
        raise MotifcnnError(
            f"process {here.rank} of {here.size} cannot reach the others "
            f"({str(error).splitlines()[0]}); start all of them with torchrun"
        ) from None
    return store


def _backend(here: Place) -> str:
    """Choose NCCL for tensors on GPUs, where each process of this machine has one of its own; else gloo for all."""
    import torch.distributed

    own = torch.cuda.is_available() and torch.cuda.device_count() >= here.local_size
    return "cpu:gloo,cuda:nccl" if own and torch.distributed.is_nccl_available() else "gloo"


@cache
def _whole_store() -> Any:
    """Connect to what all processes read and write; once, because the first process may be the one that keeps it."""
    from torch.distributed.rendezvous import rendezvous

    return next(rendezvous("env://"))[0]


def _stop(*_: Any) -> NoReturn:
    raise MotifcnnError("stopped from outside (SIGTERM), or because another process was; no file was left half-written")


def _is_first_to_fail(store: Any) -> bool:
    try:
        return bool(store.add(_TOLD, 1) == 1)
    except RuntimeError:  # whoever kept the store is gone
        return True
