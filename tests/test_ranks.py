import os
import signal
import socket
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import Queue

import pytest
import torch

from motifcnn import ranks as ranks_module
from motifcnn.errors import AlreadyTold, MotifcnnError
from motifcnn.processors import count_threads
from motifcnn.ranks import ALONE, Place, Ranks, joined, place

VARIABLES = {
    "RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "localhost",
    "MASTER_PORT": "29500",
}  # fmt: skip


@pytest.fixture
def torchrun(monkeypatch):
    """The environment of one of eight processes."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_place_is_what_torchrun_says(torchrun):
    assert place() == Place(rank=3, size=8, local_rank=1, local_size=2)


@pytest.mark.parametrize("missing", VARIABLES)
def test_a_process_is_alone_without_torchrun(torchrun, missing):
    """Some other launchers set a part of the same variables."""
    torchrun.delenv(missing)
    assert place() == Place(0, 1, 0, 1)


def test_alone_nothing_is_joined():
    before = signal.getsignal(signal.SIGTERM)
    with joined() as ranks:
        assert ranks is ALONE
        assert ranks.is_first
        values = torch.ones(2)
        ranks.add_up(values)
        ranks.copy_first(values)
        assert values.tolist() == [1.0, 1.0]
        assert ranks.hand_out(b"mine") == b"mine"
        assert signal.getsignal(signal.SIGTERM) == before
    with pytest.raises(MotifcnnError, match=r"^mine$"), joined():
        raise MotifcnnError("mine")


def test_processes_of_a_machine_share_its_processors(monkeypatch):
    everything = count_threads(0)
    for name, value in (VARIABLES | {"LOCAL_WORLD_SIZE": str(everything)}).items():
        monkeypatch.setenv(name, value)
    assert count_threads(0) == 1
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(10 * everything))
    assert count_threads(0) == 1
    assert count_threads(5) == 5


def test_standard_input_is_for_one_process():
    ALONE.check_readable("-")
    Ranks(Place(1, 2, 1, 2)).check_readable("genome.fa")
    with pytest.raises(MotifcnnError, match=r"^standard input cannot be read by several processes; give a file$"):
        Ranks(Place(1, 2, 1, 2)).check_readable("-")


TALK = """
import os, signal, sys, tempfile
import torch
from motifcnn.errors import AlreadyTold, MotifcnnError
from motifcnn.ranks import joined

def talk(ranks):
    if ranks.is_first:
        got = []
        while (data := ranks.receive(1)) is not None:
            got.append(data)
        print([len(data) for data in got], got[0], flush=True)
        return
    for data in (b"abc", b"", bytes(3_000_000), None):
        ranks.send(data)

with joined() as ranks:
    talk(ranks)
with joined() as ranks:  # once more
    talk(ranks)
    sums, first = torch.tensor([ranks.rank + 1.0, 5.0]), torch.tensor([ranks.rank])
    ranks.add_up(sums)
    ranks.copy_first(first)
    print(sums.tolist(), first.tolist(), ranks.hand_out(b"%d" % ranks.rank), ranks.hand_out(b""), flush=True)
    own = tempfile.TemporaryFile()
    own.write(b"one for all")
    own.flush()
    shared = ranks.share_file(own if ranks.is_first_here else None)
    own.close()
    print(shared is own or os.pread(shared.fileno(), 20, 0), flush=True)
try:
    with joined() as ranks:
        if not ranks.is_first:
            raise MotifcnnError("a fault of the second")
        ranks.receive(1)
except AlreadyTold as error:
    print("silent", ranks.rank, type(error.__context__).__name__, flush=True)
except MotifcnnError as error:
    print("tells", ranks.rank, error, flush=True)
"""


def pair(code):
    """Run code in two processes as torchrun would start them; return what each wrote."""
    import subprocess

    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    common = {**os.environ, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": port}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], env={**common, "RANK": rank, "LOCAL_RANK": rank, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE, text=True,
        )
        for rank in "01"
    ]  # fmt: skip
    return [process.communicate(timeout=120)[0].splitlines() for process in processes]


def test_bytes_arrive_and_a_fault_is_told_once():
    first, second = pair(TALK)
    shared = "[3.0, 10.0] [0] b'0' b''"
    assert first == ["[3, 0, 3000000] b'abc'"] * 2 + [shared, "True", "silent 0 MotifcnnError"]
    assert second == [shared, "b'one for all'", "tells 1 a fault of the second"]


def test_what_is_already_told_is_a_fault_like_others():
    assert issubclass(AlreadyTold, MotifcnnError)


class Queued(Ranks):
    """Ranks that talk through queues, for threads of this process; a machine's first process may be any."""

    def __init__(self, place, queues):
        super().__init__(place)
        self._queues = queues

    def _talk(self, operation, data, *other):
        if operation == "send":
            self._queues[self.rank, other[0]].put(data.clone())
        else:
            data.copy_(self._queues[other[0], self.rank].get(timeout=60))


def on_machines(sizes, function):
    """Call a function for each process of machines with so many processes each; return what each gives."""
    places = [Place(0, sum(sizes), local, size) for size in sizes for local in range(size)]
    places = [replace(place, rank=rank) for rank, place in enumerate(places)]
    queues = defaultdict(Queue)
    with ThreadPoolExecutor(len(places)) as pool:
        return list(pool.map(lambda place: function(Queued(place, queues)), places))


def test_files_are_shared_by_the_processes_of_each_machine():
    def share(ranks):
        with tempfile.TemporaryFile() as own:
            own.write(b"of %d" % ranks.rank)
            own.flush()
            with ranks.share_file(own if ranks.is_first_here else None) as found:
                return os.pread(found.fileno(), 10, 0)

    assert on_machines((3, 1, 2), share) == [b"of 0", b"of 0", b"of 0", b"of 3", b"of 4", b"of 4"]


@pytest.mark.parametrize("hidden", ["gone", "another"])
def test_a_file_that_others_do_not_see_is_not_shared(monkeypatch, tmp_path, hidden):
    """In another container the same number of a process may be anything's."""
    (tmp_path / "another").write_bytes(b"not this")
    monkeypatch.setattr(ranks_module, "_path_of", lambda process, descriptor: tmp_path / hidden)

    def share(ranks):
        with tempfile.TemporaryFile() as own:
            found = ranks.share_file(own if ranks.is_first_here else None)
            return found is own if ranks.is_first_here else found

    assert on_machines((2,), share) == [True, None]
