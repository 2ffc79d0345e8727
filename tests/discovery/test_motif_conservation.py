import math

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA
from motifcnn.discovery.motif_conservation import FLANK, SHIFTS, MotifSites, filter_use, shift_test, site_profiles
from motifcnn.model.network import MotifNetwork
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings


def sequences_of(lengths):
    names = [f"s{n}" for n in range(len(lengths))]
    return Sequences.from_list(names, [np.zeros(length, dtype=np.uint8) for length in lengths], DNA)


def sites_at(places, width, reverse=None, held_out=None):
    examples, starts = (np.array(column, dtype=np.int64) for column in zip(*places, strict=True))
    number = len(examples)
    return MotifSites(
        "m",
        width,
        examples,
        starts,
        np.zeros(number, dtype=bool) if reverse is None else np.array(reverse),
        np.ones(number, dtype=bool) if held_out is None else np.array(held_out),
    )


def test_profiles_follow_the_motifs_direction_and_end_with_the_sequences(generator):
    sequences = sequences_of([8, 6])
    track = np.array([0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, np.nan, 14, 15], dtype=np.float32)
    motif = sites_at([(0, 2), (1, 2)], 3, reverse=[False, True])
    first, _ = site_profiles([motif], sequences, ("t", "u"), np.stack([track, track]), generator)
    expected = np.full((2, 3 + 2 * FLANK), np.nan)
    expected[0, FLANK - 2 : FLANK + 6] = np.arange(8)
    expected[1, FLANK - 1 : FLANK + 5] = [15, 14, np.nan, 12, 11, 10]  # read on the other strand, site 12 NaN 14
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(first.counts, known.sum(axis=0))
    for place in range(expected.shape[1]):
        column = expected[known[:, place], place]
        if not len(column):
            assert np.isnan(first.means[place])
            continue
        assert first.means[place] == pytest.approx(column.mean())
        if len(column) == 2:
            assert first.errors[place] == pytest.approx(column.std(ddof=1) / math.sqrt(2))
        else:
            assert np.isnan(first.errors[place])
    assert list(first.positions[[0, FLANK, -1]]) == [-FLANK, 0, 2 + FLANK]
    assert (first.motif, first.track, first.sites) == ("m", "t", 2)


def test_sites_on_peaks_of_the_track_stand_out(generator):
    lengths = [50] * 12
    track = generator.random(600).astype(np.float32)
    starts = generator.integers(0, 45, 12)
    for n, start in enumerate(starts):
        track[50 * n + start : 50 * n + start + 5] += 2
    motif = sites_at([(n, int(start)) for n, start in enumerate(starts)], 5)
    found = shift_test(motif, motif.held_out, sequences_of(lengths), track, generator)
    mean, shifted, p_value = found.site_mean, found.shifted_mean, found.p_value
    assert found.sites == 12
    expected = np.mean([track[50 * n + s : 50 * n + s + 5].mean() for n, s in enumerate(starts)])
    assert mean == pytest.approx(expected, rel=1e-5)
    assert shifted == pytest.approx(track.mean(), rel=1e-5)  # each sequence is as long as any other
    assert p_value == pytest.approx(1 / (1 + SHIFTS))


def test_sites_anywhere_stand_out_no_more_than_chance(generator):
    p_values = []
    sequences = sequences_of([30] * 8)
    for _ in range(150):
        track = generator.normal(size=240).astype(np.float32).cumsum()  # neighbours are alike, as in real tracks
        starts = generator.integers(0, 30 - 4, 8)
        motif = sites_at([(n, int(start)) for n, start in enumerate(starts)], 4)
        p_values.append(shift_test(motif, motif.held_out, sequences, track.astype(np.float32), generator).p_value)
    assert np.mean(np.array(p_values) < 0.1) < 0.2
    assert 0.4 < np.mean(p_values) < 0.6


def test_the_null_of_one_site_is_all_its_shifts(generator):
    """A window of 2 in 5 values: the site's mean is beaten or reached by 2 of the 5 shifts."""
    track = np.array([9, 5, 4, 0, 6] * 5, dtype=np.float32)
    motif = sites_at([(n, 0) for n in range(5)], 2)
    found = shift_test(motif, motif.held_out, sequences_of([5] * 5), track, generator)
    shifted, p_value = found.shifted_mean, found.p_value
    assert shifted == pytest.approx(np.mean([7, 4.5, 2, 3, 7.5]))
    # all five sites must reach a mean of 7 in a draw from 7, 4.5, 2, 3 and 7.5
    draws = np.array(np.meshgrid(*[[7, 4.5, 2, 3, 7.5]] * 5)).reshape(5, -1).mean(axis=0)
    assert p_value == pytest.approx((draws >= 7).mean(), abs=0.003)


def test_only_held_out_sites_with_values_are_tested(generator):
    track = np.concatenate([np.ones(60), np.full(10, np.nan)]).astype(np.float32)
    held_out = [False] + [True] * 6
    motif = sites_at([(n, 1) for n in range(7)], 3, held_out=held_out)
    sequences = sequences_of([10] * 7)
    assert shift_test(motif, motif.held_out, sequences, track, generator).sites == 5
    (profile,) = site_profiles([motif], sequences, ("t",), track[None], generator)
    assert (profile.held_out.sites, profile.all.sites) == (5, 6)
    motif = sites_at([(n, 1) for n in range(7)], 3, held_out=[False] * 2 + [True] * 5)
    found = shift_test(motif, motif.held_out, sequences, track, generator)
    assert (found.sites, found.site_mean) == (4, 1)
    assert math.isnan(found.shifted_mean)
    assert math.isnan(found.p_value)


def test_use_is_read_from_the_weights():
    network = MotifNetwork(ModelSettings(filters=2, filter_width=3, restarts=1, strands="single"), DNA, 1, 1, seed=0)
    with torch.no_grad():
        network.filters.weight.zero_()
        network.filters.weight[0, 0] = torch.tensor([1.0, 2.0, 0.0])  # letters range over 1, 2 and 0
        network.filters.weight[0, 4] = torch.tensor([0.5, 0.0, -0.25])
        network.norm.running_variance.fill_(4.0)
        network.norm.log_gain.fill_(math.log(3.0))
    first, second = filter_use(network, 4)
    assert (first.filter, first.track) == (0, 0)
    np.testing.assert_allclose(first.weights, np.array([0.5, 0, -0.25]) * 1.5, rtol=1e-4)
    assert first.share == pytest.approx(1.5 / (3 + 1.5))
    assert second.share == 0
