"""How many processor threads there are; apart from `devices`, because scanning does without torch."""

import os


def count_threads(threads: int) -> int:
    """Return the number of processor threads to use; 0 stands for all that this process may."""
    return threads or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1))
