"""Expected sites, against all readings of a sequence written out one by one."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.alphabet import DNA
from motifcnn.discovery.expectation import MOST_SHARE, NO_ANCHOR, Expectation
from motifcnn.discovery.markov_background import Background
from motifcnn.discovery.triplets import TripletSequences
from motifcnn.motifs import Motif
from motifcnn.sequences import Sequences

WIDTH, FLANK = 3, 1


def odds_of_windows(motif, row, background, centre):
    """(odds, weight) of each window and strand: probability under the motif over that of the background's chain."""
    letters = [int(code) for code in row]
    scores = motif.log_odds(background.letters).scores + np.log2(background.letters)
    found = {}
    for start in range(len(row) - WIDTH + 1):
        window = letters[start : start + WIDTH]
        if max(window) > 3:
            continue
        if background.order:
            chance = np.exp(-background.surprisal(np.array(window), WIDTH)[0])
        else:
            chance = np.prod([background.letters[code] for code in window])
        weight = 10.0 if centre >= 0 and abs(2 * start + WIDTH - 1 - centre) <= 2 * FLANK else 1.0
        turned = [3 - code for code in reversed(window)]
        for strand, read in enumerate((window, turned)):
            likelihood = np.prod([2.0 ** scores[place, code] for place, code in enumerate(read)])
            # letters of unlike frequencies on the two strands: as the matrix is held against them
            if not background.order:
                chance = np.prod([background.letters[code] for code in read])
            found[start, strand] = (likelihood / chance, weight)
    return found


def by_all_readings(windows, length, begins):
    """Chance of each window: sum over all sets of windows that do not overlap, each set weighed."""
    mean_weight = sum(weight for _, weight in windows.values()) / len({start for start, _ in windows})
    whole, chances = 0.0, dict.fromkeys(windows, 0.0)
    for number in range(length // WIDTH + 1):
        for chosen in combinations(sorted(windows), number):
            starts = [start for start, _ in chosen]
            if any(later - earlier < WIDTH for earlier, later in pairwise(starts)):
                continue
            odds = (1.0 - begins) ** (length - WIDTH * number)
            for site in chosen:
                odds *= begins * windows[site][0] * windows[site][1] / mean_weight
            whole += odds
            for site in chosen:
                chances[site] += odds
    return {site: chance / whole for site, chance in chances.items()}


def by_one_site(windows, share):
    prior = sum(weight for _, weight in windows.values())
    odds = {site: share * ratio * weight / prior for site, (ratio, weight) in windows.items()}
    return {site: chance / (sum(odds.values()) + 1.0 - share) for site, chance in odds.items()}


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("model", ["zoops", "anr"])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15)
def test_expected_counts_are_those_of_all_readings(model, order, seed):
    generator = np.random.default_rng(seed)
    rows = [generator.integers(0, 4, length).astype(np.uint8) for length in (9, 8, 3, 2, 7)]
    rows[1][4] = DNA.unknown
    sequences = Sequences.from_list("abcde", rows, DNA)
    centres = np.array([6, NO_ANCHOR, NO_ANCHOR, NO_ANCHOR, 8])
    motif = Motif("m", generator.dirichlet(np.full(4, 0.6), WIDTH), DNA)
    background = Background.of(sequences, order, True)
    complement = DNA.complement_codes[:4].astype(np.int64)
    expectation = Expectation(TripletSequences.of(sequences), centres, background, complement, FLANK, model)
    each = np.array([0.3, 0.9])
    found = expectation.of(motif, each)
    counts, sites = np.zeros((WIDTH + 2 * FLANK, 4)), np.zeros(2)
    for row, centre in zip(rows, centres, strict=True):
        group = int(centre >= 0)
        windows = odds_of_windows(motif, row, background, centre)
        if not windows:
            continue
        if model == "zoops":
            chances = by_one_site(windows, each[group])
        else:
            own = [len(other) for other, place in zip(rows, centres, strict=True) if (place >= 0) == group]
            begins = each[group] / (np.mean(own) - (WIDTH - 1) * each[group])
            chances = by_all_readings(windows, len(row), begins)
        for (start, strand), chance in chances.items():
            sites[group] += chance
            for column in range(-FLANK, WIDTH + FLANK):
                place = start + (column if strand == 0 else WIDTH - 1 - column)
                if 0 <= place < len(row) and row[place] < 4:
                    counts[column + FLANK, row[place] if strand == 0 else 3 - row[place]] += chance
    np.testing.assert_allclose(found.counts, counts, atol=2e-3)  # windows next to impossible are not counted
    np.testing.assert_allclose(found.each * [3, 2], sites, rtol=1e-5, atol=1e-8)
    assert found.sites == pytest.approx(sites.sum(), rel=1e-5)


def test_many_strong_sites_in_a_long_sequence_are_all_counted():
    """Sums over all readings grow beyond any number; their logs do not."""
    word = DNA.encode("ACGTTGCAAC")
    motif = Motif("m", np.eye(4)[word], DNA, sites=1e6)
    sequences = Sequences.from_list(["a"], [np.tile(word, 400)], DNA)
    background = Background.of(sequences, 0, True)
    expectation = Expectation(TripletSequences.of(sequences), np.array([NO_ANCHOR]), background, None, 0, "anr")
    assert expectation.of(motif, np.array([100.0, 0.8])).sites == pytest.approx(400, rel=1e-3)


def test_sites_a_sequence_stay_within_what_the_model_allows():
    sequences = Sequences.from_list("ab", [np.zeros(100, dtype=np.uint8)] * 2, DNA)
    background = Background.of(sequences, 0, True)
    for model, most in (("zoops", MOST_SHARE), ("anr", 5.0)):
        expectation = Expectation(TripletSequences.of(sequences), np.array([0, NO_ANCHOR]), background, None, 0, model)
        np.testing.assert_allclose(expectation.bounded(np.array([0.0, 99.0]), 10), [0.001, most])
