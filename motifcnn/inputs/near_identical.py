"""Find near-identical sequences: copies, overlapping windows, either strand.

The similarity of two sequences is the share of the smaller one's letters that lie in stretches common
to both: (w + k - 1) / (m + k - 1) with w the number of common words of k letters (each word as often as
both hold it), m the number of words of the smaller sequence. A window shifted by half its length has
0.5; a sequence in which 5% of the letters were changed at random has about 0.55 (k = 12).

Sequences shorter than three words (36 nucleotides, 15 residues) are near-identical only if they are
identical: peptides of 8 to 11 residues that differ in one place are different ligands, and a word test
would throw them together.

Homologous proteins keep few words: of two with identity i over their length, about i⁵ of the words of five. So
proteins of 80 residues or more are also alike when they share at least eight words and the share similarity³·⁵ of the
smaller one's: with the default of 0.5 that is an identity of about 0.6. Shorter proteins, domains and windows among
them, are not judged so: two that hold the same motif would be thrown together.

All sequences are listed under their (longer) words, which are sampled by hash value so that the list stays
within a fixed size; sequences under the same word are compared exactly, and those alike are joined
(single linkage, union-find). Time and memory grow linearly with the sequences.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Alphabet, Codes
from motifcnn.compiling import compiled
from motifcnn.sequences import Sequences

Integers = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

WORD: Final = {"dna": 12, "rna": 12, "protein": 5}
"""Letters of the words that similarity is measured with."""
_INDEX_WORD: Final = {"dna": 16, "rna": 16, "protein": 6}
"""Letters of the words that lead to sequences: as long as fit 32 bits, so that few are shared by chance."""
HOMOLOGOUS_LENGTH: Final = 80
"""Residues from which proteins that share fewer words count as homologous …"""
LEAST_COMMON: Final = 8
"""… this many at least, which unrelated proteins of 1,000 residues do not have by chance …"""
HOMOLOGOUS_POWER: Final = 3.5
"""… and this power of the similarity asked for, as a share of the smaller one's."""
SHORTEST_WORDS: Final = 3
"""Sequences of fewer letters than this many words are near-identical only if identical."""
_INDEX_SIZE: Final = 24_000_000
"""Words in the list at a time (8 bytes each, sorted in place)."""
_LEAST_WORDS: Final = 48
"""Words a sequence that are listed on average, at least; where they are too many for one list, in parts."""
_SMALL_RUN: Final = 16
"""Up to this many sequences under one word are all compared with one another …"""
_REPRESENTATIVES: Final = 4
"""… where there are more, each is compared with this many that are not alike: words of repeats."""
_MEMORY_BITS: Final = 22
"""Pairs found unlike are remembered in a table of this many bits (direct-mapped)."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """Which sequences are near-identical.

    Args:
        members: Number of the cluster of each sequence, from 0, shape [sequence].
        hashes: Hash of each sequence's content, the same for both strands of DNA, shape [sequence].
    """

    members: Integers
    hashes: Hashes


def find_clusters(sequences: Sequences, similarity: float) -> Clusters:
    """Group near-identical sequences; the grouping does not depend on the order of the sequences.

    Args:
        sequences: The sequences.
        similarity: Similarity from which two sequences are in one cluster, above 0 and up to 1.
    """
    alphabet = sequences.alphabet
    complement = _complement(alphabet)
    hashes = _content_hashes(sequences.codes, sequences.offsets, complement)
    # from here on each content goes by its rank in the order of hashes, which has nothing to do with the file's
    _, first, content = np.unique(hashes, return_index=True, return_inverse=True)
    first = first.astype(np.int64)
    parents = np.arange(len(first), dtype=np.int64)
    for index in _indices(sequences, first, complement):
        _join_alike(
            index,
            sequences.codes,
            sequences.offsets,
            first,
            parents,
            complement,
            alphabet.size,
            _bits(alphabet),
            WORD[alphabet.name],
            float(similarity),
            HOMOLOGOUS_LENGTH - WORD["protein"] + 1 if alphabet.name == "protein" else np.iinfo(np.int64).max,
            np.zeros(1 << _MEMORY_BITS, dtype=np.uint64),
        )
    _, members = np.unique(parents[content], return_inverse=True)
    return Clusters(members.astype(np.int64), hashes)


def seeded(hashes: Hashes, seed: int) -> Hashes:
    """Mix a seed into hashes: a random order that depends on the content and the seed alone."""
    with np.errstate(over="ignore"):
        mixed = hashes ^ (np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0xD1B54A32D192ED03))
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def _complement(alphabet: Alphabet) -> Codes:
    """Return the complement's codes where there is a second strand, else an empty array."""
    if alphabet.double_stranded and alphabet.complement_codes is not None:
        return alphabet.complement_codes
    return np.empty(0, dtype=np.uint8)


def _bits(alphabet: Alphabet) -> int:
    return (alphabet.size - 1).bit_length()


def _indices(sequences: Sequences, first: Integers, complement: Codes) -> Iterator[Hashes]:
    """List (word, rank of a sequence that holds it), sorted and packed into 64 bits, in one or more parts."""
    alphabet = sequences.alphabet
    k = _INDEX_WORD[alphabet.name]
    lengths = sequences.lengths[first]
    ranks = np.flatnonzero(lengths >= SHORTEST_WORDS * WORD[alphabet.name]).astype(np.int64)
    words = int((lengths[ranks] - k + 1).sum())
    wanted = min(words, max(_INDEX_SIZE, _LEAST_WORDS * len(ranks)))
    parts = -(-wanted // _INDEX_SIZE)
    bounds = [int(2**64 * wanted / max(words, 1) * part / max(parts, 1)) for part in range(parts + 1)]
    for low, high in pairwise(bounds):
        room = np.empty(0, dtype=np.uint64)
        # the first round counts, the second writes
        for _ in range(2):
            filled = _fill_index(
                room,
                sequences.codes,
                sequences.offsets,
                first,
                ranks,
                complement,
                alphabet.size,
                _bits(alphabet),
                k,
                np.uint64(low),
                np.uint64(min(high, 2**64) - 1),
            )
            room = np.empty(filled, dtype=np.uint64) if not len(room) else room
        room.sort()
        yield room


@compiled
def _mix(value: Any) -> Any:
    """Finish a 64-bit hash (Steele et al. 2014, splitmix64)."""
    value = np.uint64(value)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@compiled
def _content_hashes(codes: Any, offsets: Any, complement: Any) -> Any:
    hashes = np.empty(len(offsets) - 1, dtype=np.uint64)
    for i in range(len(hashes)):
        start, end = offsets[i], offsets[i + 1]
        forward = np.uint64(end - start)
        backward = forward
        for j in range(start, end):
            forward = _mix(forward + np.uint64(0x9E3779B97F4A7C15) + np.uint64(codes[j]))
        if len(complement):
            for j in range(end - 1, start - 1, -1):
                backward = _mix(backward + np.uint64(0x9E3779B97F4A7C15) + np.uint64(complement[codes[j]]))
            forward = min(forward, backward)
        hashes[i] = forward
    return hashes


@compiled
def _words(codes: Any, start: Any, end: Any, complement: Any, size: Any, bits: Any, k: Any, words: Any) -> Any:
    """Write the words of k letters proper (the smaller of both strands') and return how many there are."""
    mask = (np.uint64(1) << np.uint64(bits * k)) - np.uint64(1)
    top = np.uint64(bits * (k - 1))
    forward = np.uint64(0)
    backward = np.uint64(0)
    run = 0
    count = 0
    for j in range(start, end):
        code = codes[j]
        if code >= size:
            run = 0
            continue
        run += 1
        forward = ((forward << np.uint64(bits)) | np.uint64(code)) & mask
        word = forward
        if len(complement):
            backward = (backward >> np.uint64(bits)) | (np.uint64(complement[code]) << top)
            word = min(forward, backward)
        if run >= k:
            words[count] = word
            count += 1
    return count


@compiled
def _fill_index(
    index: Any,
    codes: Any,
    offsets: Any,
    first: Any,
    ranks: Any,
    complement: Any,
    size: Any,
    bits: Any,
    k: Any,
    low: Any,
    high: Any,
) -> Any:
    """List the words whose hash lies from low to high, as far as there is room; return how many there are."""
    longest = 0
    for rank in ranks:
        longest = max(longest, offsets[first[rank] + 1] - offsets[first[rank]])
    words = np.empty(longest, dtype=np.uint64)
    filled = 0
    for rank in ranks:
        i = first[rank]
        count = _words(codes, offsets[i], offsets[i + 1], complement, size, bits, k, words)
        for j in range(count):
            if low <= _mix(words[j]) <= high:
                if filled < len(index):
                    index[filled] = (words[j] << np.uint64(32)) | np.uint64(rank)
                filled += 1
    return filled


@compiled
def _root(parents: Any, node: Any) -> Any:
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


@compiled
def _common(left: Any, right: Any) -> Any:
    """Sort two lists of words and count those that both hold, each as often as both hold it."""
    left.sort()
    right.sort()
    i = j = common = 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            common += 1
            i += 1
            j += 1
        elif left[i] < right[j]:
            i += 1
        else:
            j += 1
    return common


@compiled
def _alike(common: Any, smaller: Any, k: Any, similarity: Any, long_from: Any) -> Any:
    """Whether so many common words make two sequences alike, of which the smaller has so many."""
    if common > 0 and common + k - 1 >= similarity * (smaller + k - 1):
        return True
    return smaller >= long_from and common >= max(LEAST_COMMON, similarity**HOMOLOGOUS_POWER * smaller)


@compiled
def _join_alike(
    index: Any,
    codes: Any,
    offsets: Any,
    first: Any,
    parents: Any,
    complement: Any,
    size: Any,
    bits: Any,
    k: Any,
    similarity: Any,
    long_from: Any,
    unlike: Any,
) -> None:
    """Compare the sequences under each word, and join those alike in `parents`."""
    longest = 0
    for i in first:
        longest = max(longest, offsets[i + 1] - offsets[i])
    left = np.empty(longest, dtype=np.uint64)
    right = np.empty(longest, dtype=np.uint64)
    chosen = np.empty(_REPRESENTATIVES, dtype=np.int64)
    low = np.uint64(0xFFFFFFFF)
    slot_shift = np.uint64(64 - _MEMORY_BITS)
    begin = 0
    while begin < len(index):
        end = begin + 1
        while end < len(index) and index[end] >> np.uint64(32) == index[begin] >> np.uint64(32):
            end += 1
        small = end - begin <= _SMALL_RUN
        kept = 0
        for here in range(begin, end):
            if here > begin and index[here] == index[here - 1]:
                continue
            a = np.int64(index[here] & low)
            joined = False
            for other in range(begin, here) if small else range(kept):
                b = np.int64(index[other] & low) if small else chosen[other]
                root_a, root_b = _root(parents, a), _root(parents, b)
                if root_a == root_b:
                    joined = True
                    continue
                pair = (np.uint64(a) << np.uint64(32)) | np.uint64(b)
                slot = _mix(pair) >> slot_shift
                if unlike[slot] == pair:
                    continue
                i, j = first[a], first[b]
                n_left = _words(codes, offsets[i], offsets[i + 1], complement, size, bits, k, left)
                n_right = _words(codes, offsets[j], offsets[j + 1], complement, size, bits, k, right)
                common = _common(left[:n_left], right[:n_right])
                if _alike(common, min(n_left, n_right), k, similarity, long_from):
                    parents[max(root_a, root_b)] = min(root_a, root_b)
                    joined = True
                else:
                    unlike[slot] = pair
            if not small and not joined and kept < _REPRESENTATIVES:
                chosen[kept] = a
                kept += 1
        begin = end
    for node in range(len(parents)):
        parents[node] = _root(parents, node)
