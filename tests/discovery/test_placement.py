import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.discovery.placement import central_enrichment, central_shares


def tail(successes, trials, chance):
    return sum(math.comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(successes, trials + 1))


@given(st.integers(0, 10_000), st.integers(8, 15))
@settings(max_examples=30)
def test_equal_lengths_give_the_binomial_of_every_central_window(seed, length):
    generator = np.random.default_rng(seed)
    width, number = 4, 12
    starts = generator.integers(0, length - width + 1, number)
    places = length - width + 1
    windows = [[(places - size) // 2 + i for i in range(size)] for size in range(places - 2, 0, -2)]
    tails = [tail(sum(int(s) in window for s in starts), number, len(window) / places) for window in windows]
    best = min(tails)
    found = central_enrichment(starts, np.full(number, length), width)
    assert found.p_value == pytest.approx(min(1.0, 1 - (1 - best) ** len(windows)), rel=1e-6)
    assert found.sites == number
    winners = [window for window, p in zip(windows, tails, strict=True) if p <= best * (1 + 1e-9)]
    assert round(found.window * places) in {len(window) for window in winners}
    chosen = next(window for window in windows if len(window) == round(found.window * places))
    assert found.found == sum(int(s) in chosen for s in starts)


@given(st.integers(1, 30), st.integers(0, 10_000))
@settings(max_examples=40)
def test_shares_count_the_places_at_least_as_central(places, seed):
    start = np.random.default_rng(seed).integers(0, places)
    middle = (places - 1) / 2
    expected = sum(abs(other - middle) <= abs(start - middle) for other in range(places)) / places
    assert central_shares(np.array([start]), np.array([places]))[0] == pytest.approx(expected)


def test_central_sites_are_found_and_even_ones_and_outer_ones_are_not(generator):
    lengths = np.full(60, 200)
    central = np.clip(generator.normal(95, 15, 60), 0, 190).astype(int)
    assert central_enrichment(central, lengths, 10).p_value < 1e-8
    outer = np.where(generator.random(60) < 0.5, 0, 190)
    assert central_enrichment(outer, lengths, 10).p_value > 0.5


@pytest.mark.parametrize("unequal", [False, True])
def test_without_preference_small_p_values_are_as_rare_as_they_should_be(generator, unequal):
    p_values = []
    for _ in range(400):
        lengths = generator.integers(40, 120, 30) if unequal else np.full(30, 80)
        starts = np.floor(generator.random(30) * (lengths - 9)).astype(int)
        p_values.append(central_enrichment(starts, lengths, 10).p_value)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.08
    assert min(p_values) > 1e-5


def test_unequal_lengths_still_show_a_preference(generator):
    lengths = generator.integers(60, 200, 80)
    starts = np.clip((lengths - 10) // 2 + generator.integers(-6, 7, 80), 0, lengths - 10)
    assert central_enrichment(starts, lengths, 10).p_value < 1e-6


@pytest.mark.parametrize(("number", "length"), [(4, 100), (20, 10), (0, 50)])
def test_few_sites_or_one_place_are_no_test(number, length):
    found = central_enrichment(np.zeros(number, dtype=int), np.full(number, length), 10)
    assert math.isnan(found.p_value)
    assert found.sites == number


@pytest.mark.parametrize("places", [1, 2])
def test_sites_with_two_places_have_no_central_one(places):
    """Peptides of 8 or 9 letters and a motif of 8: no window is more central than the rest."""
    found = central_enrichment(np.arange(8) % places, np.full(8, 7 + places), 8)
    assert math.isnan(found.p_value)
    assert (found.sites, found.found) == (8, 0)
