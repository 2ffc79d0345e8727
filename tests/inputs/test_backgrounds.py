"""Shuffles keep what they promise and are uniform; genomic windows match, and keep off what they must."""

import gzip
from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.errors import MotifcnnError
from motifcnn.formats.genome import Genome
from motifcnn.inputs import backgrounds
from motifcnn.inputs.backgrounds import MAXIMUM_UNKNOWN, gc_matched_windows, shuffle, shuffled_negatives
from motifcnn.intervals import Interval
from motifcnn.sequences import Sequences
from motifcnn.shipped import ECOLI_GENOME, shipped


def words(codes, k):
    return Counter(tuple(codes[i : i + k].tolist()) for i in range(len(codes) - k + 1))


# the first example compiles
@given(
    letters=st.lists(st.integers(0, 5), max_size=60),
    k=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
)
def test_shuffle_keeps_the_counts_of_all_words_and_the_ends(letters, k, seed):
    codes = np.array(letters, dtype=np.uint8)
    shuffled = shuffle(codes, k, np.random.default_rng(seed))
    assert shuffled.dtype == np.uint8
    for length in range(1, k + 1):
        assert words(shuffled, length) == words(codes, length)
    if len(codes) >= k > 1:
        assert shuffled[: k - 1].tolist() == codes[: k - 1].tolist()
        assert shuffled[-(k - 1) :].tolist() == codes[-(k - 1) :].tolist()


@pytest.mark.parametrize(("text", "k"), [("AACAGATACG", 2), ("ACGTACCAGT", 2), ("AACACAACCACAA", 3), ("ACGTA", 1)])
def test_every_sequence_with_the_same_words_is_equally_likely(text, k):
    codes = DNA.encode(text)
    possible = {order for order in permutations_of(codes.tolist()) if words(np.array(order), k) == words(codes, k)}
    if k > 1:
        possible = {order for order in possible if list(order[: k - 1]) == codes[: k - 1].tolist()}
    assert len(possible) > 3
    generator = np.random.default_rng(1)
    draws = Counter(tuple(shuffle(codes, k, generator).tolist()) for _ in range(200 * len(possible)))
    assert set(draws) == possible
    assert chisquare([draws[order] for order in possible]).pvalue > 1e-3


def permutations_of(letters):
    """All distinct orders of a few letters."""
    if len(letters) <= 5:
        return set(permutations(letters))
    return {
        (first, *rest)
        for first in set(letters)
        for rest in permutations_of(letters[: letters.index(first)] + letters[letters.index(first) + 1 :])
    }


def test_the_same_seed_gives_the_same_shuffle_and_another_seed_another():
    codes = np.random.default_rng(0).integers(0, 4, 500).astype(np.uint8)
    first, again, other = (shuffle(codes, 2, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert first.tolist() == again.tolist() != other.tolist()


@pytest.mark.parametrize("kinds", [300, 5000])
def test_words_are_numbered_in_their_order_by_table_and_by_sorting(kinds, generator):
    keys = generator.integers(0, 300, 400)
    different, expected = np.unique(keys, return_inverse=True)
    number, count = backgrounds._numbered(keys, kinds)
    assert (number.tolist(), count) == (expected.tolist(), len(different))


@pytest.mark.parametrize("k", [1, 2, 9])
def test_a_shuffle_leaves_its_input_alone(k):
    codes = DNA.encode("ACGTTGCAAGCTTACG")
    before = codes.copy()
    shuffle(codes, k, np.random.default_rng(0))
    assert codes.tolist() == before.tolist()


def test_words_that_make_no_sense_are_refused():
    with pytest.raises(MotifcnnError, match=r"words of 0 letters cannot be kept; give a length of 1 or more"):
        shuffle(DNA.encode("ACGT"), 0, np.random.default_rng(0))
    with pytest.raises(MotifcnnError, match=r"words of 40 letters are too long to be counted; give a shorter length"):
        shuffle(DNA.encode("ACGT"), 40, np.random.default_rng(0))


def test_shuffled_negatives_get_names_that_are_not_taken(generator):
    names = ("a", "a_shuffled", "b", "b_shuffled_2", "c")
    given = Sequences.from_list(names, [np.array([0, 1, 2, 3], dtype=np.uint8)] * 5, DNA)
    made = shuffled_negatives(given, 2, generator).names
    assert made == tuple(f"{name}_shuffled_3" for name in names)


def test_shuffled_negatives_shuffle_each_sequence_by_itself(generator):
    texts = ["MKVLAAGIVGAC", "WWWWCCCCWW", "M", "ACDXX"]
    positives = Sequences.from_list([f"p{i}" for i in range(4)], [PROTEIN.encode(text) for text in texts], PROTEIN)
    negatives = shuffled_negatives(positives, 2, generator)
    assert negatives.names == ("p0_shuffled", "p1_shuffled", "p2_shuffled", "p3_shuffled")
    assert negatives.alphabet is PROTEIN
    assert negatives.offsets.tolist() == positives.offsets.tolist()
    for i in range(4):
        assert words(negatives[i], 2) == words(positives[i], 2)


class ToyGenome:
    """A genome in memory."""

    def __init__(self, chromosomes):
        self.chromosomes = chromosomes
        self.lengths = {chrom: len(codes) for chrom, codes in chromosomes.items()}

    def fetch(self, interval, alphabet=DNA):
        assert 0 <= interval.start < interval.end <= self.lengths[interval.chrom]
        return self.chromosomes[interval.chrom][interval.start : interval.end]


def gc(codes):
    return np.isin(codes, (1, 2)).sum() / (codes < 4).sum()


@pytest.fixture
def toy_genome():
    generator = np.random.default_rng(3)
    chromosomes = {}
    for chrom, length in (("one", 400_000), ("two", 150_000), ("tiny", 30)):
        rich = np.repeat(generator.uniform(0.25, 0.75, length // 1000 + 1), 1000)[:length]
        strong = generator.random(length) < rich
        chromosomes[chrom] = np.where(strong, generator.integers(1, 3, length), generator.integers(0, 2, length) * 3)
        chromosomes[chrom] = chromosomes[chrom].astype(np.uint8)
    chromosomes["one"][100_000:200_000] = DNA.unknown
    return ToyGenome(chromosomes)


def drawn(genome, seed=0):
    positives = [Interval("one", 1000 * i, 1000 * i + (101 if i % 2 else 60), "+-"[i % 2]) for i in range(60)]
    positives += [Interval("two", 1000 * i, 1000 * i + 101) for i in range(100)]
    avoid = [Interval("one", 0, 90_000), Interval("two", 50_000, 60_000), Interval("unheard of", 0, 5)]
    positive_gc = np.array([gc(genome.fetch(positive)) for positive in positives])
    windows = gc_matched_windows(positives, positive_gc, genome, avoid, np.random.default_rng(seed))
    return positives, positive_gc, avoid, windows


def test_windows_match_in_width_strand_and_gc_and_keep_off(toy_genome):
    positives, positive_gc, avoid, windows = drawn(toy_genome)
    assert [window.width for window in windows] == [positive.width for positive in positives]
    assert [window.strand for window in windows] == [positive.strand for positive in positives]
    found_gc = [gc(toy_genome.fetch(window)) for window in windows]
    assert np.abs(found_gc - positive_gc).max() <= 0.025 + 1e-9
    for i, window in enumerate(windows):
        assert (toy_genome.fetch(window) >= 4).sum() <= MAXIMUM_UNKNOWN * window.width
        for other in [*positives, *avoid, *windows[:i]]:
            assert window.chrom != other.chrom or window.end <= other.start or other.end <= window.start
    assert {window.chrom for window in windows} == {"one", "two"}
    assert np.ptp([window.start for window in windows if window.chrom == "one"]) > 200_000


def test_windows_depend_on_the_seed_alone(toy_genome):
    assert drawn(toy_genome, seed=4)[-1] == drawn(toy_genome, seed=4)[-1] != drawn(toy_genome, seed=5)[-1]


def test_the_last_free_windows_are_found():
    genome = ToyGenome({"one": np.zeros(1000, dtype=np.uint8)})
    avoid = [Interval("one", 100, 500), Interval("one", 520, 1000)]
    (window,) = gc_matched_windows(
        [Interval("one", 0, 20)], np.zeros(1), genome, [*avoid, Interval("one", 0, 99)], np.random.default_rng(0)
    )
    assert window == Interval("one", 500, 520)


def test_too_few_windows_is_an_error(toy_genome):
    positives = [Interval("one", 0, 50)] * 3
    with pytest.raises(
        MotifcnnError,
        match=r"only 0 of 3 windows of the genome match the positives in width and GC content \(to 0\.025\) outside "
        r"the 4 intervals to avoid; give a larger genome, or make negatives by shuffling",
    ):
        gc_matched_windows(positives, np.ones(3), toy_genome, [Interval("one", 0, 90)], np.random.default_rng(0))


def test_no_positives_need_no_windows(toy_genome):
    assert gc_matched_windows([], np.zeros(0), toy_genome, [], np.random.default_rng(0)) == []


def test_windows_of_a_real_genome_match(tmp_path):
    (tmp_path / "genome.fa").write_bytes(gzip.decompress(shipped(ECOLI_GENOME).read_bytes()))
    genome = Genome(tmp_path / "genome.fa")
    (chrom,) = genome.lengths
    positives = [Interval(chrom, 4000 * i, 4000 * i + 101) for i in range(300)]
    positive_gc = np.array([gc(genome.fetch(positive)) for positive in positives])
    windows = gc_matched_windows(positives, positive_gc, genome, [], np.random.default_rng(0))
    assert np.abs(np.array([gc(genome.fetch(window)) for window in windows]) - positive_gc).max() <= 0.025 + 1e-9
    assert np.median([window.start for window in windows]) == pytest.approx(genome.lengths[chrom] / 2, rel=0.2)
    genome.close()
