"""The truth is true: sites are where they are said to be, drawn from their motifs; the rest is background."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.errors import MotifcnnError
from motifcnn.motifs import Motif
from motifcnn.settings import SimulationSettings
from motifcnn.simulation import simulate

SMALL = SimulationSettings(sequences=40, length=60)


def exact(name, consensus, alphabet=DNA):
    return Motif(name, alphabet.fractions[alphabet.encode(consensus)].astype(float), alphabet)


def site_letters(simulation, site):
    codes = simulation.sequences[simulation.sequences.names.index(site.sequence)][site.start : site.end]
    alphabet = simulation.sequences.alphabet
    return alphabet.decode(alphabet.reverse_complement(codes) if site.strand == "-" else codes)


@settings(max_examples=50)
@given(
    length=st.integers(24, 80),
    extra=st.integers(0, 30),
    sites=st.integers(1, 3),
    positives=st.floats(0, 1),
    task=st.sampled_from(["binary", "multi-label"]),
    seed=st.integers(0, 1000),
)
def test_sites_hold_their_motif_and_never_overlap(length, extra, sites, positives, task, seed):
    motifs = [exact("one", "ACGTTT"), exact("two", "GG")]
    wanted = SimulationSettings(
        sequences=17, length=length, longest=length + extra, sites=sites, positives=positives, task=task
    )
    made = simulate(wanted, np.random.default_rng(seed), motifs)
    consensus = {"one": "ACGTTT", "two": "GG"}
    assert all(site_letters(made, site) == consensus[site.motif] for site in made.sites)
    assert all(length <= n <= length + extra for n in made.sequences.lengths)
    for i, name in enumerate(made.sequences.names):
        here = [site for site in made.sites if site.sequence == name]
        assert all(before.end <= after.start for before, after in pairwise(here))
        assert all(site.start >= 0 and site.end <= made.sequences.lengths[i] for site in here)
        planted = Counter(site.motif for site in here)
        if task == "binary":
            assert len(here) == (sites if made.values[i, 0] else 0)
        else:
            assert [planted["one"], planted["two"]] == [sites * int(value) for value in made.values[i]]
    assert made.values.sum(axis=0).tolist() == [round(positives * 17)] * made.values.shape[1]
    assert made.targets == (("positive",) if task == "binary" else ("one", "two"))


def test_sites_follow_the_motif_on_both_strands_alike():
    made = simulate(SimulationSettings(sequences=4000, length=30, motifs=1, positives=1.0), np.random.default_rng(0))
    (motif,) = made.motifs
    for strand in "+-":
        texts = [site_letters(made, site) for site in made.sites if site.strand == strand]
        assert 1800 < len(texts) < 2200
        found = np.stack([DNA.encode(text) for text in texts])
        frequencies = (found[:, :, None] == np.arange(4)).mean(axis=0)
        assert np.abs(frequencies - motif.probabilities).max() < 0.05
    starts = Counter(site.start for site in made.sites)
    assert sorted(starts) == list(range(21))
    assert max(starts.values()) < 1.5 * 4000 / 21


@pytest.mark.parametrize(("alphabet", "gc"), [("dna", 0.3), ("rna", 0.7), ("protein", 0.5)])
def test_the_background_has_the_composition_asked_for(alphabet, gc):
    wanted = SimulationSettings(sequences=500, alphabet=alphabet, gc=gc, positives=0.0, motif_bits=12)
    made = simulate(wanted, np.random.default_rng(0))
    assert made.sites == ()
    assert made.sequences.alphabet is {"dna": DNA, "rna": RNA, "protein": PROTEIN}[alphabet]
    frequencies = np.bincount(made.sequences.codes) / made.sequences.codes.size
    if alphabet == "protein":
        assert np.abs(frequencies - 0.05).max() < 0.005
    else:
        assert frequencies[1] + frequencies[2] == pytest.approx(gc, abs=0.01)
        assert frequencies[0] == pytest.approx((1 - gc) / 2, abs=0.01)


@pytest.mark.parametrize("alphabet", ["rna", "protein"])
def test_one_strand_where_there_is_but_one(alphabet):
    made = simulate(replace(SMALL, alphabet=alphabet), np.random.default_rng(0))
    assert {site.strand for site in made.sites} == {"+"}


@pytest.mark.parametrize(("alphabet", "width", "bits"), [("dna", 10, 14.0), ("dna", 6, 0.5), ("protein", 9, 25.0)])
def test_random_motifs_hold_the_information_asked_for(alphabet, width, bits):
    wanted = replace(SMALL, alphabet=alphabet, motif_width=width, motif_bits=bits, motifs=3)
    motifs = simulate(wanted, np.random.default_rng(0)).motifs
    assert [motif.name for motif in motifs] == ["planted_1", "planted_2", "planted_3"]
    for motif in motifs:
        assert motif.width == width
        assert motif.total_information() == pytest.approx(bits, abs=1e-6)
    assert not np.allclose(motifs[0].probabilities, motifs[1].probabilities)


def test_the_seed_decides_everything():
    first, again, other = (simulate(SMALL, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.sequences.codes.tolist() == again.sequences.codes.tolist() != other.sequences.codes.tolist()
    assert first.sites == again.sites != other.sites
    assert first.values.tolist() == again.values.tolist() != other.values.tolist()


def test_motifs_of_one_name_are_told_apart():
    made = simulate(
        replace(SMALL, task="multi-label"), np.random.default_rng(0), [exact("one", "ACG"), exact("one", "TTT")]
    )
    assert made.targets == ("one", "one_2")
    assert {site.motif for site in made.sites} == {"one", "one_2"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sequences": 0}, "sequences must be 1 or more"),
        ({"length": 0}, "length must be 1 or more"),
        ({"longest": 59}, "longest must be 0 or at least the length"),
        ({"motifs": 0}, "motifs and motif-width must be 1 or more"),
        ({"sites": 0}, "sites must be 1 or more"),
        ({"motif_bits": 20.0}, "motif-bits must lie above 0 and below 20.0 at this width"),
        ({"gc": 1.0}, "gc must lie between 0 and 1"),
        ({"positives": 1.1}, "positives must lie from 0 to 1"),
        (
            {"sites": 7},
            "a sequence of 60 letters cannot hold sites of 70; make the sequences longer, "
            "or plant fewer or narrower motifs",
        ),
    ],
)
def test_settings_that_cannot_be_met_are_refused(changes, message):
    with pytest.raises(MotifcnnError) as refusal:
        simulate(replace(SMALL, **changes), np.random.default_rng(0))
    assert str(refusal.value) == message


def test_motifs_of_two_alphabets_are_refused():
    with pytest.raises(MotifcnnError, match="the motifs are of different alphabets; give motifs of one"):
        simulate(SMALL, np.random.default_rng(0), [exact("one", "ACG"), exact("two", "MKV", PROTEIN)])
