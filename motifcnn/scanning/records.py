"""Hits as bytes, for those that wait in a file or go to another process."""

from typing import Final

import numpy as np

from motifcnn.scanning.engine import Hits

RECORD: Final = np.dtype([("start", "<i8"), ("motif", "<i4"), ("score", "<i4"), ("reverse", "?")])
"""One hit."""


def packed(hits: Hits) -> bytes:
    """Return one record a hit; the name of the sequence is left out."""
    records = np.empty(len(hits.starts), dtype=RECORD)
    records["start"], records["motif"] = hits.starts, hits.motifs
    records["score"], records["reverse"] = hits.scores, hits.reverse
    return records.tobytes()


def unpacked(chrom: str, data: bytes) -> Hits:
    """Return the hits of one sequence from their records."""
    records = np.frombuffer(data, dtype=RECORD)
    columns = (np.ascontiguousarray(records[name]) for name in ("start", "motif", "reverse", "score"))
    return Hits(chrom, *columns)
