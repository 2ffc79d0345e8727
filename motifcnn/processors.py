"""How many processor threads there are; apart from `devices`, because scanning does without torch."""

import os

from motifcnn.ranks import place


def count_threads(threads: int) -> int:
    """Return the number of processor threads to use; 0 stands for all that this process may.

    Where torchrun started several processes on the machine, each takes its part of all.
    """
    if threads:
        return threads
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, there // place().local_size)
