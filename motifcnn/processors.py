"""What the machine has: processor threads and memory; apart from `devices`, because scanning does without torch."""

import os
from pathlib import Path

from motifcnn.ranks import place


def count_threads(threads: int) -> int:
    """Return the number of processor threads to use; 0 stands for all that this process may.

    Where torchrun started several processes on the machine, each takes its part of all.
    """
    if threads:
        return threads
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, there // place().local_size)


def leave_processors_while_waiting() -> None:
    """Let idle threads of OpenMP, which torch computes with, sleep at once; to be called before torch is imported.

    By default they wait by spinning. Where others want the processors, too, that takes most of the time: 3 times as
    long on 2 busy processors, and no shorter on idle ones. What the user has chosen stands.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def physical_memory() -> int:
    """Return the bytes of memory that this process may use: the machine's, or its control group's limit."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else "max"
    return min(there, int(text)) if text.isdigit() else there
