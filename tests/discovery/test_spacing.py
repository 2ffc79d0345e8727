import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.discovery.spacing import (
    MOST_BETWEEN,
    Placed,
    _arrangements,
    _most_surprising,
    _shares,
    _unevenness,
    spacing_test,
)

LENGTH = 100


def placed(starts, reverse, width=8):
    return Placed(np.asarray(starts, dtype=np.int64), np.asarray(reverse, dtype=bool), width)


def scattered(generator, number, width=8, length=LENGTH):
    return placed(generator.integers(0, length - width + 1, number), generator.random(number) < 0.5, width)


def sites_of(first, second, lengths):
    room = (lengths - second.width).astype(float)
    shares = second.starts / room
    return (first.starts, first.reverse, np.int64(first.width), shares, second.reverse, room, np.int64(second.width))


def slow_arrangement(start, reverse, width, other, other_reverse, other_width):
    """(downstream, same strand, letters between), read off a string of the positions; None where they overlap."""
    letters = ["."] * LENGTH
    for position in range(start, start + width):
        letters[position] = "a"
    for position in range(other, other + other_width):
        if letters[position] == "a":
            return None
        letters[position] = "b"
    text = "".join(letters)
    if reverse:
        text = text[::-1]
    a, b = text.index("a"), text.index("b")
    between = b - (a + width) if b > a else a - (b + other_width)
    return b > a, reverse == other_reverse, between


@given(st.integers(0, 10_000))
@settings(max_examples=30)
def test_arrangements_are_those_read_off_the_sequences(seed):
    generator = np.random.default_rng(seed)
    first, second = scattered(generator, 6), scattered(generator, 6, 5)
    lengths = np.full(6, LENGTH)
    expected = np.zeros((4, MOST_BETWEEN + 2))
    for i in range(6):
        seen = slow_arrangement(first.starts[i], first.reverse[i], 8, second.starts[i], second.reverse[i], 5)
        if seen:
            expected[2 * seen[0] + seen[1], seen[2]] += 1
    assert np.array_equal(_arrangements(np.arange(6), *sites_of(first, second, lengths)), expected)


def test_the_expected_shares_are_those_of_all_permutations(generator):
    first, second = scattered(generator, 5), scattered(generator, 5, 5)
    sites = sites_of(first, second, np.full(5, LENGTH))
    total = np.sum([_arrangements(np.array(order), *sites) for order in permutations(range(5))], axis=0)
    assert np.allclose(_shares(*sites), total / total.sum())


def slow_most_surprising(counts, expected, tolerances):
    best = 0.0
    for kind in range(4):
        for tolerance in tolerances:
            for first in range(MOST_BETWEEN + 2 - tolerance):
                seen, awaited = (
                    part[kind, first : first + tolerance].sum() for part in (counts, expected * counts.sum())
                )
                if seen > 1 and seen > awaited:
                    best = max(best, seen * math.log(seen / awaited) - seen + awaited)
    return best


def test_the_most_surprising_spacing_is_that_of_loops(generator):
    tolerances = np.array([1, 3, 7])
    for _ in range(5):
        first, second = scattered(generator, 40), scattered(generator, 40)
        sites = sites_of(first, second, np.full(40, LENGTH))
        counts, expected = _arrangements(np.arange(40), *sites), _shares(*sites)
        counts[2, :2] += 8  # beside an edge: no wider range may be named than was counted
        best, cell, tolerance = _most_surprising(counts, expected, tolerances)
        assert best == pytest.approx(slow_most_surprising(counts, expected, tolerances))
        kind, start = divmod(cell, MOST_BETWEEN + 1)
        seen, awaited = (part[kind, start : start + tolerance].sum() for part in (counts, expected * counts.sum()))
        assert best == pytest.approx(seen * math.log(seen / awaited) - seen + awaited)


def pair(generator, number, spaced, between=12, jitter=0):
    """Sites of two motifs, the second of some at a distance downstream of the first, on its strand."""
    first, second = scattered(generator, number), scattered(generator, number, 6)
    starts, reverse = second.starts.copy(), second.reverse.copy()
    for i in range(spaced):
        gap = between + (generator.integers(0, jitter + 1) if jitter else 0)
        ahead = first.starts[i] - gap - 6 if first.reverse[i] else first.starts[i] + 8 + gap
        if 0 <= ahead <= LENGTH - 6:
            starts[i], reverse[i] = ahead, first.reverse[i]
    return first, placed(starts, reverse, 6)


def test_a_planted_spacing_is_found_and_named(generator):
    first, second = pair(generator, 120, 40)
    found = spacing_test(first, second, np.full(120, LENGTH), generator)
    assert found.p_value <= 1e-3
    assert found.order_p_value < 0.01
    assert (found.between, found.tolerance, found.downstream, found.same_strand) == (12, 1, True, True)
    assert found.found >= 25
    assert found.expected < 3


def test_the_other_motif_sees_the_same_spacing(generator):
    first, second = pair(generator, 120, 40)
    found = spacing_test(second, first, np.full(120, LENGTH), generator)
    assert (found.between, found.downstream, found.same_strand) == (12, False, True)


def test_a_loose_spacing_is_found_within_its_tolerance(generator):
    first, second = pair(generator, 200, 60, jitter=6)
    found = spacing_test(first, second, np.full(200, LENGTH), generator)
    assert found.p_value <= 1e-3
    assert found.tolerance > 1
    assert 12 <= found.between + found.tolerance - 1 <= 20


def test_pairs_without_a_spacing_have_even_p_values(generator):
    """Also where both crowd around the middle, so that near distances are common."""
    results = []
    for _ in range(150):
        starts = [np.clip(generator.normal(46, 12, 40), 0, 92).astype(int) for _ in range(2)]
        first, second = (placed(part, generator.random(40) < 0.5) for part in starts)
        results.append(spacing_test(first, second, np.full(40, LENGTH), generator))
    for p_values in ([r.p_value for r in results], [r.order_p_value for r in results]):
        assert 0.3 < np.mean(p_values) < 0.75
        assert np.mean(np.array(p_values) <= 0.05) <= 0.1
        assert min(p_values) > 1e-4


def test_two_sites_of_one_motif_without_a_spacing_have_even_p_values(generator):
    """They never overlap, which must not count as a spacing."""
    results = []
    for _ in range(60):
        first, second = (scattered(generator, 400, 10, 60) for _ in range(2))
        apart = np.flatnonzero(np.abs(first.starts - second.starts) >= 10)[:150]
        results.append(spacing_test(first.some(apart), second.some(apart), np.full(150, 60), generator))
    for p_values in ([r.p_value for r in results], [r.order_p_value for r in results]):
        assert 0.3 < np.mean(p_values) < 0.75
        assert np.mean(np.array(p_values) <= 0.05) <= 0.12


def test_order_alone_is_found(generator):
    """The second lies downstream at any distance."""
    reverse = generator.random(80) < 0.5
    first = placed(generator.integers(40, 50, 80), reverse)
    second = placed(
        np.where(reverse, generator.integers(0, 34, 80), generator.integers(58, 92, 80)), generator.random(80) < 0.5
    )
    found = spacing_test(first, second, np.full(80, LENGTH), generator)
    assert found.order_p_value <= 1e-3


def test_sites_that_often_overlap_are_not_in_an_order(generator):
    """Two readings of one motif: where they overlap says nothing of where they lie when they do not."""
    results = []
    for _ in range(60):
        first, second = scattered(generator, 60), scattered(generator, 60)
        same = generator.random(60) < 0.5
        second = placed(np.where(same, first.starts, second.starts), second.reverse)
        results.append(spacing_test(first, second, np.full(60, LENGTH), generator).order_p_value)
    assert np.mean(np.array(results) <= 0.05) <= 0.15


def test_the_unevenness_is_the_g_of_four_shares(generator):
    sites = sites_of(scattered(generator, 40), scattered(generator, 40), np.full(40, LENGTH))
    counts, expected = _arrangements(np.arange(40), *sites), _shares(*sites)
    kinds, awaited = counts.sum(axis=1), expected.sum(axis=1)
    shares = kinds / kinds.sum(), awaited / awaited.sum()
    assert _unevenness(counts, expected) == pytest.approx(
        sum(k * math.log(a / b) for k, a, b in zip(kinds, *shares, strict=True) if k)
    )


def test_unequal_lengths_keep_sites_inside(generator):
    lengths = generator.integers(60, 140, 80)
    first = placed(np.floor(generator.random(80) * (lengths - 8)).astype(int), generator.random(80) < 0.5)
    second = placed(np.floor(generator.random(80) * (lengths - 8)).astype(int), generator.random(80) < 0.5)
    sites = sites_of(first, second, lengths)
    moved = np.round(sites[3][:, None] * sites[5]).astype(int)
    assert (moved >= 0).all()
    assert (moved <= lengths - 8).all()
    assert np.array_equal(np.diagonal(moved), second.starts)
    assert spacing_test(first, second, lengths, generator).p_value > 0.001


def test_large_numbers_are_thinned_and_scaled_back(generator, monkeypatch):
    first, second = pair(generator, 400, 200)
    whole = spacing_test(first, second, np.full(400, LENGTH), generator)
    monkeypatch.setattr("motifcnn.discovery.spacing._MOST_SEQUENCES", 200)
    thinned = spacing_test(first, second, np.full(400, LENGTH), generator)
    assert thinned.sequences == whole.sequences == 400
    assert thinned.found == pytest.approx(whole.found, rel=0.2)


@pytest.mark.parametrize("number", [0, 9])
def test_few_sequences_are_no_test(generator, number):
    found = spacing_test(scattered(generator, number), scattered(generator, number), np.full(number, LENGTH), generator)
    assert math.isnan(found.p_value)
    assert found.between == -1


def test_sites_that_always_overlap_have_no_spacing(generator):
    first = scattered(generator, 30, 40, 60)
    found = spacing_test(first, scattered(generator, 30, 40, 60), np.full(30, 60), generator)
    assert (found.between, found.p_value) == (-1, 1.0)
