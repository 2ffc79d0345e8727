from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.discovery.extraction import (
    best_filter_sites,
    extract_motifs,
    filter_motifs,
    positive_groups,
    site_windows,
)
from motifcnn.encoding import EncodedSequences
from motifcnn.model.network import MotifNetwork
from motifcnn.motifs import Motif
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings, MotifSettings

SITE = "TGACGTAC"
OTHER = "GGATTTCC"
SETTINGS = MotifSettings()
BINARY = Objective("binary", ("label",), weights=(1.0,))


def filter_for(word):
    """Weights that score a word above all others, shape [channel, position]."""
    return torch.from_numpy((np.eye(4)[DNA.encode(word)] * 2 - 0.5).T.astype(np.float32))


def network_for(words, alphabet=DNA, strands="both", tracks=0):
    settings = ModelSettings(filters=len(words), filter_width=len(words[0]), restarts=1, strands=strands)
    network = MotifNetwork(settings, alphabet, tracks, 1, seed=0)
    with torch.no_grad():
        for number, word in enumerate(words):
            network.filters.weight[number] = filter_for(word)
    return network.eval()


def planted(generator, sites, examples=400, length=40, turn=True):
    """Sequences of which every other holds one of the sites, on either strand: (sequences, values, starts)."""
    codes, starts = [], []
    for number in range(examples):
        sequence = generator.integers(0, 4, length).astype(np.uint8)
        start = int(generator.integers(0, length - 8))
        if number % 2:
            site = DNA.encode(sites[number // 2 % len(sites)])
            reverse = turn and generator.random() < 0.5
            sequence[start : start + 8] = DNA.reverse_complement(site) if reverse else site
        codes.append(sequence)
        starts.append(start)
    sequences = Sequences.from_list([f"s{n}" for n in range(examples)], codes, DNA)
    return sequences, (np.arange(examples) % 2).astype(np.float32)[:, None], np.array(starts)


def extracted(network, sequences, values, options=SETTINGS, objective=BINARY, training=None):
    training = np.arange(len(sequences)) if training is None else training
    return extract_motifs(network, objective, EncodedSequences(sequences), sequences, values, training, options)


def reads(motif):
    """The consensus on either strand."""
    return {motif.consensus, motif.reverse_complement().consensus}


def test_a_planted_motif_is_recovered(generator):
    sequences, values, _ = planted(generator, [SITE])
    found = extracted(network_for(["AAAAAAAA", SITE]), sequences, values)[0]
    assert SITE in reads(found.motif)
    assert found.motif.width == 8
    assert found.filters == (1,)
    assert found.motif.name == "motif_1"
    assert found.motif.sites == pytest.approx(200, abs=10)
    assert found.motif.probabilities.max(axis=1).min() > 0.9


def test_flanks_widen_a_motif_beyond_its_filter(generator):
    sequences, values, _ = planted(generator, [SITE])
    network = network_for([SITE[1:6]])
    (found,) = extracted(network, sequences, values, replace(SETTINGS, motif_flank=3, refine=False))
    assert SITE in reads(found.motif)
    (narrow,) = extracted(network, sequences, values, replace(SETTINGS, motif_flank=0, refine=False))
    assert SITE[1:6] in reads(narrow.motif)


def test_one_motif_found_twice_is_one_whatever_the_strand(generator):
    sequences, values, _ = planted(generator, [SITE, OTHER])
    turned = DNA.decode(DNA.reverse_complement(DNA.encode(SITE)))
    found = extracted(network_for([SITE, OTHER, turned, SITE]), sequences, values)
    assert [motif.motif.name for motif in found] == ["motif_1", "motif_2"]
    by_filters = {tuple(sorted(motif.filters)): motif.motif for motif in found}
    assert by_filters.keys() == {(0, 2, 3), (1,)}
    assert SITE in reads(by_filters[0, 2, 3])
    assert OTHER in reads(by_filters[1,])


def test_on_one_strand_the_reverse_complement_is_another_motif(generator):
    sequences, values, _ = planted(generator, [SITE, "GTACGTCA"], turn=False)
    found = extracted(network_for([SITE, "GTACGTCA"], strands="single"), sequences, values)
    assert sorted(motif.motif.consensus for motif in found) == ["GTACGTCA", SITE]


def test_best_first_and_no_more_than_asked_for(generator):
    sequences, values, _ = planted(generator, [SITE, SITE, SITE, OTHER])
    found = extracted(network_for([OTHER, SITE]), sequences, values)
    assert [motif.filters for motif in found] == [(1,), (0,)]
    assert found[0].statistic > found[1].statistic > 0
    (best,) = extracted(network_for([OTHER, SITE]), sequences, values, replace(SETTINGS, max_motifs=1))
    assert best.filters == (1,)


def test_motifs_of_negatives_and_rare_motifs_are_none(generator):
    sequences, values, _ = planted(generator, [SITE])
    assert extracted(network_for([SITE]), sequences, 1 - values) == []
    assert len(extracted(network_for([SITE]), sequences, values, replace(SETTINGS, min_sites=150))) == 1
    assert extracted(network_for([SITE]), sequences, values, replace(SETTINGS, min_sites=201)) == []


def test_only_training_examples_are_seen(generator):
    sequences, values, _ = planted(generator, [SITE])
    changed = values.copy()
    changed[300:] = 1 - changed[300:]
    changed[250:270] = np.nan
    training = np.arange(250)
    before = extracted(network_for([SITE]), sequences.subset(training), values[training])
    after = extracted(network_for([SITE]), sequences, changed, training=training)
    assert np.array_equal(before[0].motif.probabilities, after[0].motif.probabilities)
    assert before[0].threshold == after[0].threshold


def test_each_motif_goes_with_the_target_that_it_marks(generator):
    sequences, values, _ = planted(generator, [SITE, OTHER])
    kind = np.arange(400) // 2 % 2
    targets = np.concatenate([values * (kind == 0)[:, None], values * (kind == 1)[:, None]], axis=1)
    targets[:20, 0] = np.nan
    objective = Objective("multi-label", ("site", "other"), weights=(1.0, 1.0))
    found = extracted(network_for([SITE, OTHER]), sequences, targets, objective=objective)
    assert {motif.filters: motif.target for motif in found} == {(0,): 0, (1,): 1}


def several_targets(generator, words, each=60, length=40):
    """Each word marks a target of its own: (sequences, values, objective)."""
    kinds = np.repeat(np.arange(len(words) + 1), each)
    codes = generator.integers(0, 4, (len(kinds), length)).astype(np.uint8)
    for row, kind in enumerate(kinds):
        if kind < len(words):
            start = int(generator.integers(0, length - len(words[kind])))
            codes[row, start : start + len(words[kind])] = DNA.encode(words[kind])
    sequences = Sequences.from_list([f"s{n}" for n in range(len(kinds))], list(codes), DNA)
    values = (kinds[:, None] == np.arange(len(words))).astype(np.float32)
    names = tuple(f"target_{n}" for n in range(len(words)))
    return sequences, values, Objective("multi-label", names, weights=(1.0,) * len(words))


def test_motifs_that_are_alike_are_found_for_each_target(generator):
    words = ["TGACGTAC", "TGACTTAC", "TGAGGTAC"]
    sequences, values, objective = several_targets(generator, words, each=150)
    found = extracted(network_for(words), sequences, values, objective=objective)
    firsts = {motif.target: motif for motif in found[::-1]}
    for target, word in enumerate(words):
        assert word in reads(firsts[target].motif)
        assert firsts[target].filters[0] == target


def test_targets_that_share_motifs_have_each_of_them_once(generator):
    """Two targets have the same positives, and a third half of them; labels err."""
    sequences, values, _ = planted(generator, [SITE, OTHER], examples=1200, length=80)
    targets = np.repeat(values, 3, axis=1)
    targets[:, 2] *= np.arange(1200) // 2 % 2 == 0
    targets = np.where(generator.random(targets.shape) < 0.1, 1 - targets, targets)
    objective = Objective("multi-label", ("a", "b", "c"), weights=(1.0,) * 3)
    network = network_for([SITE, OTHER, "GTACGTCA", "TGACGTAA", "GGATTTCA"])
    first, second = extracted(network, sequences, targets, objective=objective)
    assert SITE in reads(first.motif)
    assert first.target == 2
    assert second.motif.consensus[:3] in {"GGA", "TCC"}
    assert second.target < 2


def test_every_target_has_its_motif_however_little_may_be_refined(generator, monkeypatch):
    monkeypatch.setattr("motifcnn.discovery.refined_motifs._REFINED_LETTERS", 1)
    words = ["".join(generator.permutation(list("AACCGGTT"))) for _ in range(10)]
    sequences, values, objective = several_targets(generator, words)
    strong = [word for word in words[:2] for _ in range(40)]  # two targets could fill all places
    found = extracted(network_for([*strong, *words]), sequences, values, objective=objective)
    assert {motif.target for motif in found} == set(range(10))
    assert all(word in {read for motif in found for read in reads(motif.motif)} for word in words)
    few = extracted(network_for(words), sequences, values, replace(SETTINGS, max_motifs=10), objective=objective)
    assert sorted(motif.target for motif in few) == list(range(10))


@pytest.mark.parametrize("refine", [True, False])
def test_targets_that_have_no_motif_for_want_of_room_are_counted(generator, caplog, refine):
    words = ["".join(generator.permutation(list("AACCGGTT"))) for _ in range(4)]
    sequences, values, objective = several_targets(generator, words)
    options = replace(SETTINGS, refine=refine, max_motifs=4)
    assert len(extracted(network_for(words), sequences, values, options, objective=objective)) == 4
    assert not caplog.records
    extracted(network_for(words), sequences, values, replace(options, max_motifs=3), objective=objective)
    (said,) = caplog.messages
    assert said == (
        "--max-motifs 3 leaves 1 of the 4 targets that filters tell without a motif; raise it for one of each"
    )


def test_groups_of_each_task():
    nan = np.nan
    two = np.array([[1, nan], [0, 1], [nan, 0]], dtype=np.float32)
    groups = positive_groups(Objective("multi-label", ("a", "b"), weights=(1.0, 1.0)), two)
    assert [(known.tolist(), positive.tolist()) for known, positive in groups] == [
        ([True, True, False], [True, False, False]),
        ([False, True, True], [False, True, False]),
    ]
    classes = np.array([[2], [0], [nan]], dtype=np.float32)
    groups = positive_groups(Objective("classes", ("kind",), ("x", "y", "z"), weights=(1.0,) * 3), classes)
    assert [known.tolist() for known, _ in groups] == [[True, True, False]] * 3
    assert [positive.tolist() for _, positive in groups] == [
        [False, True, False], [False, False, False], [True, False, False],
    ]  # fmt: skip
    numbers = np.array([[1.5], [0.5], [nan]], dtype=np.float32)
    ((known, positive),) = positive_groups(Objective("regression", ("y",), means=(1.0,), deviations=(1.0,)), numbers)
    assert (known.tolist(), positive.tolist()) == ([True, True, False], [True, False, False])


@given(st.integers(0, 10_000), st.integers(0, 5), st.booleans())
@settings(max_examples=40)
def test_site_windows_are_those_of_loops(seed, flank, nucleotides):
    generator = np.random.default_rng(seed)
    alphabet = DNA if nucleotides else PROTEIN
    codes = [generator.integers(0, alphabet.size + 1, n).astype(np.uint8) for n in generator.integers(4, 12, 5)]
    sequences = Sequences.from_list(list("abcde"), codes, alphabet)
    members = generator.integers(0, 5, 8)
    starts = np.array([generator.integers(0, len(codes[member]) - 3) for member in members])
    reverse = generator.random(8) < (0.5 if nucleotides else 0)
    windows = site_windows(sequences, members, starts, reverse, 4, flank)
    for window, member, start, turned in zip(windows, members, starts, reverse, strict=True):
        padded = "N" * flank + DNA.decode(codes[member]) + "N" * flank if nucleotides else None
        if padded is None:
            padded = "X" * flank + PROTEIN.decode(codes[member]) + "X" * flank
        shown = alphabet.encode(padded[start : start + 4 + 2 * flank])
        assert window.tolist() == (DNA.reverse_complement(shown) if turned else shown).tolist()


@pytest.mark.parametrize("tracks", [0, 1])
def test_filter_motifs_are_the_softmax_of_the_weights(generator, tracks):
    sequences, _, _ = planted(generator, [SITE], examples=30)
    network = MotifNetwork(ModelSettings(filters=3, filter_width=5, restarts=4, strands="both"), DNA, tracks, 1, seed=2)
    with torch.no_grad():
        network.norm.log_gain.copy_(torch.linspace(-1, 1, 12))
        network.norm.running_variance.copy_(torch.linspace(0.5, 4, 12))
    motifs = filter_motifs(network, sequences)
    assert [motif.name for motif in motifs] == [f"filter_{n:02d}" for n in range(1, 13)]
    counts = np.array([(sequences.codes == code).sum() for code in range(4)]) + 1
    background = counts / counts.sum()
    for number, motif in enumerate(motifs):
        slope = np.exp(np.linspace(-1, 1, 12)[number]) / np.sqrt(np.linspace(0.5, 4, 12)[number] + 1e-5)
        weights = network.filters.weight[number, :4].detach().numpy().T * slope
        assert motif.probabilities == pytest.approx(softmax(weights + np.log(background), axis=1), abs=1e-6)
        assert motif.background == pytest.approx(background)


def test_log_odds_of_a_filter_motif_rank_windows_as_the_filter_does(generator):
    sequences, _, _ = planted(generator, [SITE], examples=60)
    network = network_for([SITE], strands="single")
    motif = filter_motifs(network, sequences)[0]
    scores = best_filter_sites(network, EncodedSequences(sequences), np.arange(60)).scores[:, 0]
    matrix = motif.log_odds(pseudocount=0.0)
    slow = [
        max(matrix.scores[np.arange(8), c[s : s + 8]].sum() for s in range(33))
        for c in map(sequences.__getitem__, range(60))
    ]
    assert np.corrcoef(scores, slow)[0, 1] == pytest.approx(1.0, abs=1e-6)


def test_best_filter_sites_find_the_planted_sites_whatever_the_batch(generator, monkeypatch):
    sequences, values, starts = planted(generator, [SITE])
    network = network_for([SITE, OTHER])
    indices = np.flatnonzero(values[:, 0])
    sites = best_filter_sites(network, EncodedSequences(sequences), indices)
    assert (sites.starts[:, 0] == starts[indices]).mean() > 0.98
    windows = site_windows(sequences, indices, sites.starts[:, 0], sites.reverse[:, 0], 8, 0)
    assert np.mean([DNA.decode(window) == SITE for window in windows]) > 0.98
    assert 0.3 < sites.reverse[:, 0].mean() < 0.7
    monkeypatch.setattr("motifcnn.discovery.extraction._BATCH", 7)
    again = best_filter_sites(network, EncodedSequences(sequences), indices)
    assert (again.starts == sites.starts).all()
    assert again.scores == pytest.approx(sites.scores, abs=1e-5)


def noisy(generator, site, examples=600, length=100, miss=0.15):
    """Sequences of which every other holds the site with some letters changed: (sequences, values)."""
    codes = generator.integers(0, 4, (examples, length)).astype(np.uint8)
    for number in range(1, examples, 2):
        start = int(generator.integers(0, length - len(site)))
        kept = generator.random(len(site)) >= miss
        codes[number, start : start + len(site)][kept] = DNA.encode(site)[kept]
    sequences = Sequences.from_list([f"s{n}" for n in range(examples)], list(codes), DNA)
    return sequences, (np.arange(examples) % 2).astype(np.float32)[:, None]


def test_refinement_mends_a_filter_that_is_a_letter_off(generator):
    site = "TGACGTACGG"
    sequences, values = noisy(generator, site)
    network = network_for(["TGAGGTACAA"])
    (refined,) = extracted(network, sequences, values)
    (faithful,) = extracted(network, sequences, values, replace(SETTINGS, refine=False))
    assert not faithful.refined
    assert faithful.filter_motif is None
    assert faithful.filter_similarity == 1.0
    assert refined.refined
    assert refined.statistic > faithful.statistic
    assert SETTINGS.refine_similarity <= refined.filter_similarity < 1.0
    assert refined.faithful.name == refined.motif.name == "motif_1"
    assert refined.faithful.probabilities == pytest.approx(faithful.motif.probabilities)
    assert any(site in consensus for consensus in reads(refined.motif))


def test_a_filter_of_another_word_is_not_credited_with_the_motif_that_refining_ran_into(generator):
    sequences, values, _ = planted(generator, [SITE])
    found = extracted(network_for(["GGGTACGG", SITE, "AAAAAAAA"]), sequences, values)
    assert SITE in reads(found[0].motif)
    assert found[0].filters[0] == 1
    assert all(2 not in motif.filters for motif in found if SITE in reads(motif.motif))


def sharp_motif(bits, width, generator):
    """A random motif of so many bits, alike at each position."""
    low, high = 0.25, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        column = np.array([middle] + [(1 - middle) / 3] * 3)
        low, high = (middle, high) if 2 + (column * np.log2(column)).sum() < bits / width else (low, middle)
    rows = [np.roll(column, int(first)) for first in generator.permutation(np.arange(width) % 4)]
    return Motif("planted", np.array(rows), DNA)


@pytest.mark.slow
@pytest.mark.parametrize("length", [200, 2000])
@pytest.mark.parametrize(("first", "last"), [(0, 9), (0, 5), (4, 9)], ids=["whole", "left half", "right half"])
def test_a_motif_of_10_8_bits_is_given_back_as_it_is(length, first, last):
    """Also where the filter holds half of it: within .1 bit a position, and .5 bit in all."""
    generator = np.random.default_rng(5)
    truth = sharp_motif(10.8, 9, generator)
    codes = generator.integers(0, 4, (2000, length)).astype(np.uint8)
    for row in range(0, 2000, 2):
        start = int(generator.integers(0, length - 9))
        columns = (truth.reverse_complement() if generator.random() < 0.5 else truth).probabilities
        codes[row, start : start + 9] = [generator.choice(4, p=column) for column in columns]
    sequences = Sequences.from_list([f"s{row}" for row in range(2000)], list(codes), DNA)
    values = (np.arange(2000) % 2 == 0).astype(np.float32)[:, None]
    word = "".join(DNA.letters[code] for code in truth.probabilities[first:last].argmax(axis=1))
    found = extracted(network_for([word]), sequences, values)[0].motif
    oriented = [found, found.reverse_complement()]
    apart = [
        (truth.probabilities * np.log2(truth.probabilities / motif.probabilities[at : at + 9])).sum(axis=1).mean()
        for motif in oriented
        for at in range(motif.width - 8)
    ]
    assert min(apart) < 0.1
    assert found.total_information() == pytest.approx(10.8, abs=0.5)
