"""The vector engine's two searches, its choice between them, and the plain engine, against brute force."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vector_inputs import as_list, brute_force, by_windows, random_strands

from motifcnn.scanning.layout import PIECE, TESTED, TOGETHER
from motifcnn.scanning.machine_code import machine_code
from motifcnn.scanning.plain import PlainEngine
from motifcnn.scanning.shortfalls import shortfalls, to_shuffle
from motifcnn.scanning.vector import VectorEngine, strands_by_windows


def by_strands(scores, thresholds):
    """Make an engine for a processor without a shuffle of bytes."""
    return VectorEngine(scores, thresholds, replace(machine_code(), table_entries=lambda: 0))


def vector_engine(scores, thresholds):
    return VectorEngine(scores, thresholds, machine_code())


ENGINES = [pytest.param(make, id=make.__name__) for make in (vector_engine, by_windows, by_strands, PlainEngine)]


@pytest.mark.parametrize("make", ENGINES)
@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32), count=st.integers(1, 200), letters=st.sampled_from([4, 20]), length=st.integers(0, 130),
    ambiguous=st.sampled_from([0.0, 0.02, 0.5]),
)  # fmt: skip
def test_hits_are_those_of_brute_force(make, seed, count, letters, length, ambiguous):
    generator = np.random.default_rng(seed)
    scores, thresholds = random_strands(generator, count, letters)
    codes = generator.integers(0, letters, length).astype(np.uint8)
    codes[generator.random(length) < ambiguous] = letters + generator.integers(0, 3)
    begin = int(generator.integers(0, length + 1))
    end = int(generator.integers(begin, length + 1))
    expected = brute_force(scores, thresholds, codes, begin, end)
    assert as_list(make(scores, thresholds).find(codes, begin, end)) == expected


@pytest.mark.parametrize("make", ENGINES)
@pytest.mark.parametrize("width", [*range(1, 41), 61])
def test_every_width_finds_its_best_word_at_both_ends_and_beside_ambiguity(make, width):
    generator = np.random.default_rng(width)
    table = np.full((width, 4), -700, dtype=np.int32)
    word = generator.integers(0, 4, width)
    table[np.arange(width), word] = 900
    codes = np.concatenate([word, [4], word, [7], generator.integers(0, 4, 50), word]).astype(np.uint8)
    found = make([table], [900 * width]).find(codes, 0, len(codes))
    starts = [start for start, _, _ in brute_force([table], [900 * width], codes, 0, len(codes))]
    assert found[0].tolist() == starts
    assert {0, width + 1, len(codes) - width} <= set(starts)


@pytest.mark.parametrize("make", ENGINES)
def test_hits_beyond_the_first_room_are_kept(make):
    table = np.zeros((2, 4), dtype=np.int32)
    codes = np.zeros(30_000, dtype=np.uint8)
    starts, strands, _ = make([table, table], [0, 0]).find(codes, 0, len(codes))
    assert len(starts) == 2 * 29_999
    assert (np.diff(2 * starts + strands) == 1).all()


@pytest.mark.parametrize("make", ENGINES[:-1])
@pytest.mark.parametrize("letters", [4, 20])
def test_pieces_of_a_long_sequence_join_without_loss(make, letters):
    generator = np.random.default_rng(3)
    scores, _ = random_strands(generator, 40, letters, widths=(4, 30))
    codes = generator.integers(0, letters, 3 * PIECE + 11).astype(np.uint8)
    codes[100 : 100 + PIECE * 2] = letters  # a whole piece is skipped
    best = [int(table.max(axis=1).sum()) for table in scores]
    best = [round(0.4 * score) if score > 0 else score for score in best]
    for table, border in zip(scores, (100 + 2 * PIECE, 3 * PIECE - 3), strict=False):  # past the gap, across pieces
        codes[border : border + len(table)] = table.argmax(axis=1)[: len(codes) - border]
    vectors, plain = make(scores, best), PlainEngine(scores, best)
    found = vectors.find(codes, 0, len(codes))
    assert {100 + 2 * PIECE, 3 * PIECE - 3} <= set(found[0].tolist())
    assert as_list(found) == as_list(plain.find(codes, 0, len(codes)))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 33, 66])
@pytest.mark.parametrize("letters", [4, 20])
@pytest.mark.parametrize("both", [False, True])
def test_few_motifs_and_those_left_over_are_found_as_by_brute_force(count, letters, both):
    generator = np.random.default_rng(count)
    scores, thresholds = random_strands(generator, count, letters, widths=(4, 41))
    thresholds[0] = int(scores[0].mean(axis=1).sum())
    if both:
        scores = [strand for table in scores for strand in (table, table[::-1, ::-1])]
        thresholds = [threshold for threshold in thresholds for _ in range(2)]
    codes = generator.integers(0, letters, 300).astype(np.uint8)
    codes[[17, *range(120, 160), 299]] = letters
    found = vector_engine(scores, thresholds).find(codes, 3, 290)
    assert as_list(found) == brute_force(scores, thresholds, codes, 3, 290)
    assert len(found[0])


@pytest.mark.parametrize("entries", [16, 64])
def test_what_is_left_over_from_full_blocks_is_searched_by_windows_where_it_is_little(entries):
    assert strands_by_windows(1, 4, entries) == strands_by_windows(65, 4, entries) == 1
    assert strands_by_windows(2, 20, entries) == strands_by_windows(1282, 20, entries) == 2
    assert strands_by_windows(16, 4, entries) == 16
    assert strands_by_windows(128, 4, entries) == 0
    assert strands_by_windows(63, 4, entries) == strands_by_windows(127, 4, entries) == 0
    assert strands_by_windows(2, 33, entries) == 0  # more letters than tables have room for


def test_without_a_shuffle_of_bytes_all_strands_are_in_the_lanes():
    assert strands_by_windows(2, 4, 0) == 0
    (search,) = by_strands([np.zeros((5, 4), dtype=np.int32)], [1])._searches
    assert search._function is machine_code().search_by_strands


def test_the_widest_strands_are_left_over():
    """They would make a whole block as slow as themselves."""
    code = replace(machine_code(), table_entries=lambda: 64)
    scores = [np.zeros((width, 4), dtype=np.int32) for width in [30, *64 * [9], 20]]
    many, few = VectorEngine(scores, [0] * 66, code)._searches
    assert (many._function, many._most_slots) == (code.search_by_strands, 3)
    assert (few._function, few._most_slots) == (code.search_by_windows, 10)


def test_windows_that_begin_with_an_ambiguity_code_are_no_candidates():
    """They would be scored one by one: right, but slow."""
    codes = np.full(2000, 3, dtype=np.uint8)
    codes[700:1900] = 4
    for letter in range(4):
        best_of_letter = np.where(np.arange(4) == letter, 100, -100) * np.ones((9, 1), dtype=np.int32)
        (search,) = by_windows([best_of_letter.astype(np.int32)], [900])._searches
        words, candidates = np.empty(20_000, dtype=np.uint8), np.zeros((2, PIECE + TESTED), dtype=np.int64)
        hits, after = np.empty((3, 5000), dtype=np.int64), np.empty(1, dtype=np.int64)
        search._function(codes, 1800, 600, 1800, *search._arguments, words, candidates, hits, 5000, after)
        windows = [
            place // TOGETHER + bit for place, bits in candidates.T.tolist() for bit in range(64) if bits >> bit & 1
        ]
        assert windows[:92] == ([*range(92)] if letter == 3 else [])
        assert max(windows, default=0) < 100


def test_the_prefilter_lets_little_more_than_the_hits_pass():
    """Otherwise everything would be scored exactly: right, but slow."""
    generator = np.random.default_rng(5)
    scores = generator.integers(-2000, 1000, (12, 4)).astype(np.int32)
    codes = generator.integers(0, 4, 200_000).astype(np.uint8)
    totals = sum(scores[step, codes[step : len(codes) - 11 + step]].astype(np.int64) for step in range(12))
    threshold = int(np.quantile(totals, 0.9999))
    passing = [
        sum(_sums_by_strands(scores, threshold, codes) >= 0), sum(_sums_by_windows(scores, threshold, codes, 16) >= 0),
        sum(_sums_by_windows(scores, threshold, codes, 64) >= 0),
    ]  # fmt: skip
    hits = (totals >= threshold).sum()
    assert all(hits <= count <= 2 * hits for count in passing)


def _sums_by_strands(scores, threshold, codes):
    table = shortfalls([scores], [threshold], 3, 64)[:, :, 0].astype(np.int64)
    return _sums(table, codes, 3)


def _sums_by_windows(scores, threshold, codes, entries):
    word = {16: 2, 64: 3}[entries]
    table = to_shuffle(shortfalls([scores], [threshold], word, 1), entries)
    assert (table == np.tile(table[..., :entries], 64 // entries)).all()
    return _sums(table[:, 0, 0, :entries].astype(np.int64), codes, word)


def _sums(table, codes, word):
    words = sum(
        codes[step : len(codes) - word + 1 + step].astype(np.int64) * 4 ** (word - 1 - step) for step in range(word)
    )
    return sum(table[slot, words[word * slot : len(words) - 12 + word * (slot + 1)]] for slot in range(12 // word))
