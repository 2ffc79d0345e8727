"""Scans divided among processes, for which threads stand here, find what one finds, in its order."""

from queue import Queue
from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.formats.fasta import FastaChunk
from motifcnn.ranks import ALONE
from motifcnn.scanning import division
from motifcnn.scanning.division import scan_divided
from motifcnn.scanning.engine import Hits


class Scan:
    """Finds every third letter, in pieces, and remembers what it was given."""

    def __init__(self):
        self.seen = []

    def scan(self, chunks):
        for chunk in chunks:
            self.seen.append((chunk.name, chunk.start))
            starts = np.arange(0, len(chunk.codes), 3)
            for part in np.array_split(starts, 2):
                zeros = np.zeros(len(part), dtype=np.int32)
                yield Hits(chunk.name, part + chunk.start, zeros + len(chunk.name), part % 2 == 0, zeros - 7)


class Threads:
    """Stands for ranks: what is sent waits in a queue."""

    def __init__(self, rank, size, queues):
        self.rank, self.size, self.is_first, self._queues = rank, size, rank == 0, queues

    def send(self, data):
        self._queues[self.rank].put(data)

    def receive(self, rank):
        return self._queues[rank].get(timeout=20)


def divided(chunks, size):
    """All hits as the first of several gives them, what each scanned, and what the others gave."""
    queues = [Queue(maxsize=1) for _ in range(size)]  # who sends waits until it is received
    scans, others = [Scan() for _ in range(size)], []
    work = [
        Thread(target=lambda n=n: others.extend(scan_divided(scans[n], iter(chunks), Threads(n, size, queues))))
        for n in range(1, size)
    ]
    for thread in work:
        thread.start()
    found = list(scan_divided(scans[0], iter(chunks), Threads(0, size, queues)))
    for thread in work:
        thread.join()
    return found, [scan.seen for scan in scans], others


def rows(found):
    return [
        (hits.chrom, *row)
        for hits in found
        for row in zip(*(getattr(hits, c).tolist() for c in ("starts", "motifs", "reverse", "scores")), strict=True)
    ]


def sequence(lengths):
    chunks = []
    for number, length in enumerate(lengths):
        for start in range(0, max(length, 1), 50):
            size = min(50, length - start)
            chunks.append(FastaChunk(f"chrö{number}", start, np.zeros(size, np.uint8), last=start + 50 >= length))
    return chunks


@given(lengths=st.lists(st.integers(0, 200), max_size=12), size=st.integers(1, 4), share=st.sampled_from([1, 60, 1000]))
@settings(max_examples=60)
def test_all_hits_come_in_order_and_every_chunk_is_scanned_once(lengths, size, share):
    chunks = sequence(lengths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(division, "SHARE", share)
        found, seen, others = divided(chunks, size)
    assert rows(found) == rows(scan_divided(Scan(), chunks, ALONE))
    assert sorted(place for places in seen for place in places) == sorted((chunk.name, chunk.start) for chunk in chunks)
    assert others == []


def test_work_is_dealt_evenly(monkeypatch):
    monkeypatch.setattr(division, "SHARE", 50)
    _, seen, _ = divided(sequence([500, 500]), 3)
    assert sorted(map(len, seen)) == [6, 7, 7]


def test_short_sequences_make_up_a_share_together(monkeypatch):
    monkeypatch.setattr(division, "SHARE", 30)
    _, seen, _ = divided(sequence([10] * 12), 2)
    assert seen[0] == [(f"chrö{n}", 0) for n in (0, 1, 2, 6, 7, 8)]
