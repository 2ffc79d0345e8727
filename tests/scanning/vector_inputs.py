"""Random motif strands, the search with windows in the lanes, and a window-by-window oracle."""

import numpy as np
import pytest

from motifcnn.scanning import vector
from motifcnn.scanning.machine_code import machine_code
from motifcnn.scanning.vector import VectorEngine


def by_windows(scores, thresholds, code=None):
    """Make an engine that has windows in the lanes, however many strands there are."""
    code = code or machine_code()
    if not code.table_entries():
        pytest.skip("this processor has no shuffle of bytes that we know")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector, "strands_by_windows", lambda count, letters, entries: count)
        return VectorEngine(scores, thresholds, code)


def brute_force(scores, thresholds, codes, begin, end):
    found = []
    for start in range(begin, end):
        for strand, (table, threshold) in enumerate(zip(scores, thresholds, strict=True)):
            window = codes[start : start + len(table)]
            if len(window) == len(table) and (window < table.shape[1]).all():
                total = int(table[np.arange(len(table)), window].sum())
                if total >= threshold:
                    found.append((start, strand, total))
    return found


def as_list(found):
    return list(zip(*(array.tolist() for array in found), strict=True))


def random_strands(generator, count, letters, widths=(1, 45)):
    scores = [
        generator.integers(-4000, 1000, (int(width), letters)).astype(np.int32)
        for width in generator.integers(*widths, count)
    ]
    kinds = generator.integers(0, 5, count)
    thresholds = []
    for table, kind in zip(scores, kinds, strict=True):
        lowest, best = int(table.min(axis=1).sum()), int(table.max(axis=1).sum())
        among = (lowest - 1, best + 1, best, int(generator.integers(lowest, best + 1)), (2 * best + lowest) // 3)
        thresholds.append(among[kind])
    return scores, thresholds
