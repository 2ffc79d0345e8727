"""One scan divided among processes: shares of the sequence dealt out in turn, hits brought together in order."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final, Protocol

from motifcnn.formats.fasta import FastaChunk
from motifcnn.ranks import Ranks
from motifcnn.scanning.engine import Hits
from motifcnn.scanning.records import packed, unpacked

SHARE: Final = 1 << 22
"""Letters of a share, at least: one chunk of a long sequence, or as many short sequences as it takes."""


class Scans(Protocol):
    """What finds hits in a stream of sequence, in its order."""

    def scan(self, chunks: Iterable[FastaChunk]) -> Iterator[Hits]:
        """Find them."""


def scan_divided(scanner: Scans, chunks: Iterable[FastaChunk], ranks: Ranks) -> Iterator[Hits]:
    """Scan together with other processes, which all read the same sequence.

    Args:
        scanner: Finds the hits of a share.
        chunks: All of the sequence.
        ranks: The processes.

    Returns:
        In the first process all hits, as if it had found them alone; in the others none: theirs are sent to it.
    """
    if ranks.size == 1:
        yield from scanner.scan(chunks)
    elif ranks.is_first:
        yield from _brought_together(scanner, _own_shares(chunks, ranks), ranks)
    else:
        for share in _own_shares(chunks, ranks):
            for hits in scanner.scan(share):
                if len(hits.starts):
                    ranks.send(hits.chrom.encode())
                    ranks.send(packed(hits))
            ranks.send(b"")
        ranks.send(None)


def _own_shares(chunks: Iterable[FastaChunk], ranks: Ranks) -> Iterator[Iterator[FastaChunk]]:
    """Every process's shares by turns, those of this one."""
    for number, share in groupby(_numbered(chunks), key=lambda pair: pair[0]):
        if number % ranks.size == ranks.rank:
            yield (chunk for _, chunk in share)


def _numbered(chunks: Iterable[FastaChunk]) -> Iterator[tuple[int, FastaChunk]]:
    """Give each chunk the number of its share."""
    number = letters = 0
    for chunk in chunks:
        yield number, chunk
        letters += len(chunk.codes)
        if letters >= SHARE:
            number, letters = number + 1, 0


def _brought_together(scanner: Scans, own: Iterator[Iterator[FastaChunk]], ranks: Ranks) -> Iterator[Hits]:
    at_work = list(range(ranks.size))
    while at_work:
        for rank in tuple(at_work):
            if rank == ranks.rank:
                share = next(own, None)
                if share is not None:
                    yield from scanner.scan(share)
                    continue
            else:
                name = ranks.receive(rank)
                while name:
                    yield unpacked(name.decode(), ranks.receive(rank) or b"")
                    name = ranks.receive(rank)
                if name is not None:
                    continue
            at_work.remove(rank)  # no share was left for it
