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


def physical_memory() -> int:
    """Return the bytes of memory that this process may use: the machine's, or its control group's limit."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else "max"
    return min(there, int(text)) if text.isdigit() else there
