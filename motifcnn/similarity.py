"""Which sequences are near-identical, by the words that they share; in linear time."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from motifcnn.sequences import Sequences

_WORD = {"dna": 12, "rna": 12, "protein": 5}
_WORDS_KEPT = 64
"""About as many words of each sequence are compared, chosen by hash, the same in all sequences."""
_COMMON = 40
"""A word in more sequences than this is a repeat or of low complexity, and says little."""

Indices = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]


def near_identical_clusters(sequences: Sequences, similarity: float) -> Indices:
    """Number the clusters of sequences that share words, reverse complements included for DNA.

    Two sequences are linked when they share at least this share of the words of the one with fewer.
    Sequences shorter than three words (such as peptides of an MHC assay) are linked only when they are
    the same: one exchanged residue makes another peptide.

    Args:
        sequences: The sequences.
        similarity: Least share of common words.

    Returns:
        Cluster number of each sequence, shape [sequence].
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    owners, words = _sketches(sequences)
    sizes = np.bincount(owners, minlength=len(sequences))
    first, second = _shared_pairs(owners, words)
    pairs, counts = np.unique(first * len(sequences) + second, return_counts=True)
    first, second = pairs // len(sequences), pairs % len(sequences)
    linked = counts >= similarity * np.minimum(sizes[first], sizes[second])
    graph = coo_array((np.ones(linked.sum()), (first[linked], second[linked])), shape=(len(sequences),) * 2)
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _sketches(sequences: Sequences) -> tuple[Indices, Hashes]:
    """Return (sequence, hash) of the words to compare, each once a sequence, sorted by hash."""
    width = _WORD[sequences.alphabet.name]
    lengths = sequences.lengths
    owners = np.repeat(np.arange(len(sequences)), lengths)
    short = lengths < 3 * width
    long_owners, hashes = _word_hashes(sequences, width, owners)
    keep = ~short[long_owners]
    median = float(np.median(lengths[~short])) if (~short).any() else 0.0
    share = min(1.0, _WORDS_KEPT / max(median - width + 1, 1.0))
    keep &= hashes <= np.uint64(share * (2**64 - 1025))
    whole = np.flatnonzero(short)
    whole_hashes = np.array(
        [int.from_bytes(hashlib.blake2b(sequences[int(i)].tobytes(), digest_size=8).digest()) for i in whole],
        dtype=np.uint64,
    )
    table = np.stack([np.append(hashes[keep], whole_hashes), np.append(long_owners[keep], whole).astype(np.uint64)])
    unique = np.unique(table, axis=1)
    return unique[1].astype(np.int64), unique[0]


def _word_hashes(sequences: Sequences, width: int, owners: Indices) -> tuple[Indices, Hashes]:
    """Hash every word; on DNA a word and its reverse complement hash alike."""
    codes = sequences.codes
    count = max(0, len(codes) - width + 1)
    if not count:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.uint64)
    alphabet = sequences.alphabet
    base = np.uint64(len(alphabet.symbols))
    forward = np.zeros(count, dtype=np.uint64)
    for position in range(width):
        forward = forward * base + codes[position : position + count]
    if alphabet.double_stranded and alphabet.complement_codes is not None:
        complement = alphabet.complement_codes[codes]
        backward = np.zeros(count, dtype=np.uint64)
        for position in reversed(range(width)):
            backward = backward * base + complement[position : position + count]
        forward = np.minimum(forward, backward)
    inside = owners[:count] == owners[width - 1 :]
    return owners[:count][inside], _mix(forward[inside])


def _mix(values: Hashes) -> Hashes:
    """Spread values evenly over 64 bits (the finaliser of splitmix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _shared_pairs(owners: Indices, words: Hashes) -> tuple[Indices, Indices]:
    """Return every pair of sequences once for each word that both hold, common words left out."""
    starts = np.flatnonzero(np.append(True, words[1:] != words[:-1])) if len(words) else np.empty(0, dtype=np.int64)
    sizes = np.diff(np.append(starts, len(words)))
    firsts, seconds = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for step in range(1, _COMMON):
        groups = (sizes > step) & (sizes <= _COMMON)
        if not groups.any():
            break
        spans = sizes[groups] - step
        within = np.arange(spans.sum()) - np.repeat(np.cumsum(spans) - spans, spans)
        where = np.repeat(starts[groups], spans) + within
        firsts.append(owners[where])
        seconds.append(owners[where + step])
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    return np.minimum(first, second), np.maximum(first, second)


def seeded_draws(names: Sequence[str], seed: int) -> Hashes:
    """Return a random number for each name that depends on nothing but the name and the seed."""
    key = seed.to_bytes(8, "little", signed=False)
    return np.array(
        [int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8, key=key).digest()) for name in names],
        dtype=np.uint64,
    )
