from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.inputs import shuffles
from motifcnn.inputs.backgrounds import shuffle
from motifcnn.inputs.examples import Examples
from motifcnn.inputs.near_identical import Clusters
from motifcnn.inputs.shuffles import find_shuffles, with_shuffles
from motifcnn.inputs.splits import TEST, TRAIN, VALIDATION
from motifcnn.sequences import Sequences


def examples(generator, k, count=20, alphabet=DNA, letters=5, **fields):
    """Positives, and a shuffle of each in another order; of six, four are for training."""
    positives = [
        generator.integers(0, letters, length).astype(np.uint8) for length in generator.integers(60, 90, count).tolist()
    ]
    negatives = [shuffle(positives[n], k, generator) for n in generator.permutation(count)]
    sequences = Sequences.from_list([f"s{n}" for n in range(2 * count)], positives + negatives, alphabet)
    split = np.resize(np.array([TRAIN, TRAIN, VALIDATION, TRAIN, TEST, TRAIN], dtype=np.int8), 2 * count)
    values = (np.arange(2 * count) < count).astype(np.float32)[:, None]
    none = np.empty((0, len(sequences.codes)), dtype=np.float32)
    return replace(Examples(sequences, "binary", ("bound",), (), values, none, (), split), **fields)


def words(codes, k):
    return Counter(tuple(codes[start : start + k].tolist()) for start in range(len(codes) - k + 1))


@pytest.mark.parametrize("block", [7, 1 << 13])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_shuffles_are_found_and_drawn_with_the_words_they_kept(generator, monkeypatch, k, block):
    monkeypatch.setattr("motifcnn.sequences._BLOCK", block)
    given = examples(generator, k)
    found = find_shuffles(given, seed=1)
    assert found is not None
    assert found.k == k
    assert found.examples.tolist() == [n for n in range(20, 40) if given.split[n] == TRAIN]
    for draw in (found.drawn(0), found.drawn(1)):
        for row, example in enumerate(found.examples.tolist()):
            assert draw[row].tolist() != given.sequences[example].tolist()
            assert words(draw[row], k) == words(given.sequences[example], k)


def test_a_draw_hangs_on_the_seed_and_its_number_alone(generator):
    given = examples(generator, 2)
    codes = [find_shuffles(given, seed).drawn(number).codes.tolist() for seed in (1, 2) for number in (0, 1)]
    assert len({tuple(one) for one in codes}) == 4
    assert find_shuffles(given, 1).drawn(1).codes.tolist() == codes[1]


def test_one_negative_that_is_no_shuffle_is_enough_for_none(generator):
    given = examples(generator, 2)
    last = given.sequences.offsets[-2]
    changed = given.sequences.codes.copy()
    changed[last + 30] = (changed[last + 30] + 1) % 4
    assert find_shuffles(replace(given, sequences=replace(given.sequences, codes=changed)), 0) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"task": "multi-label"},
        {"task": "regression"},
        {"track_names": ("phastCons",)},
        {"values": np.ones((40, 1), dtype=np.float32)},
        {"values": np.full((40, 1), np.nan, dtype=np.float32)},
    ],
)
def test_there_are_none_where_nothing_says_what_a_shuffle_would_be(generator, fields):
    assert find_shuffles(replace(examples(generator, 2), **fields), 0) is None


def test_there_are_none_of_many_letters(generator, monkeypatch):
    given = examples(generator, 2)
    monkeypatch.setattr(shuffles, "_LETTERS", len(given.sequences.codes) - 1)
    assert find_shuffles(given, 0) is None


def test_short_proteins_are_found_and_of_single_letters_none(generator):
    given = examples(generator, 1, alphabet=PROTEIN, letters=20)
    assert find_shuffles(given, 0).k == 1
    pairs = [np.array([n % 20, n // 20], dtype=np.uint8) for n in range(20)]
    short = Sequences.from_list(given.sequences.names, pairs + [pair[::-1] for pair in pairs], PROTEIN)
    assert find_shuffles(replace(given, sequences=short), 0).k == 1
    single = Sequences.from_list(given.sequences.names, [np.zeros(1, dtype=np.uint8)] * 40, PROTEIN)
    assert find_shuffles(replace(given, sequences=single), 0) is None


def relabelled(given, codes):
    return replace(given, sequences=Sequences.from_list(given.sequences.names, codes, DNA))


def test_mutants_of_a_site_are_no_shuffles_though_they_keep_its_letters(generator):
    given = examples(generator, 1)
    mutants = [given.sequences[n].copy() for n in range(20)]
    for codes in mutants:
        codes[10:20] = generator.permutation(codes[10:20])
    assert find_shuffles(relabelled(given, [given.sequences[n] for n in range(20)] + mutants), 0) is None


def test_short_sequences_that_are_alike_by_chance_are_no_shuffles(generator):
    given = examples(generator, 1)
    codes = [generator.permutation(np.resize(np.arange(4), 8)).astype(np.uint8) for _ in range(40)]
    assert find_shuffles(relabelled(given, codes), 0) is None


def with_site(given, first, site):
    """The examples, every one of the first or of the last half with a site, and the others shuffled from them."""
    generator, half = np.random.default_rng(5), len(given) // 2
    real = [given.sequences[n].copy() for n in range(half)]
    for codes in real:
        start = generator.integers(2, len(codes) - len(site) - 2)
        codes[start : start + len(site)] = site
    shuffled = [shuffle(codes, 2, generator) for codes in real]
    return relabelled(given, real + shuffled if first else shuffled + real)


SITE = np.array([0, 2, 1, 3, 3, 0, 1, 2], dtype=np.uint8)


@pytest.mark.parametrize("letters", [4, 5])
def test_labels_the_wrong_way_round_are_told_and_real_sequences_left_as_they_are(generator, caplog, letters):
    caplog.set_level("WARNING", "motifcnn")  # another test may have run a command quietly
    given = examples(generator, 2, count=60, letters=letters)
    assert find_shuffles(with_site(given, True, SITE), 0).k == 2
    assert caplog.text == ""
    assert find_shuffles(with_site(given, False, SITE), 0) is None
    assert "sequences labelled 1 look like shuffles, and those labelled 0 like what was shuffled" in caplog.text


def test_reversed_sequences_are_no_shuffles_and_no_labels_the_wrong_way_round(generator, caplog):
    real = with_site(examples(generator, 1, count=60), True, SITE)
    both = [real.sequences[n] for n in range(60)]
    assert find_shuffles(relabelled(real, both + [codes[::-1] for codes in both]), 0) is None
    assert caplog.text == ""


def test_words_that_recur_are_counted_within_sequences_and_of_known_letters(generator):
    codes = [generator.integers(0, 5, length).astype(np.uint8) for length in (30, 3, 1, 40)]
    sequences = Sequences.from_list(list("abcd"), codes, DNA)
    for length in (1, 2, 3):
        seen = sum((Counter({w: n for w, n in words(each, length).items() if 4 not in w}) for each in codes), Counter())
        expected = sum(n * (n - 1) // 2 for n in seen.values())
        assert shuffles._recurrences(sequences, length, 5) == expected


def shuffled_from(given, k):
    """Return the number of the positive of each negative."""
    return [
        next(p for p in range(20) if words(given.sequences[p], k) == words(given.sequences[n], k))
        for n in range(20, 40)
    ]


def apart(members=None):
    return Clusters(np.arange(40) if members is None else members, np.arange(40, dtype=np.uint64))


@pytest.mark.parametrize("k", [1, 2])
def test_clusters_are_joined_with_those_of_their_shuffles(generator, k):
    given = examples(generator, k)
    partners = shuffled_from(given, k)
    found = with_shuffles(apart(), given).members
    assert found[20:].tolist() == found[partners].tolist()
    assert len(set(found.tolist())) == 20
    members = np.arange(40)
    members[0] = 1  # of two like positives there are two shuffles
    joined = with_shuffles(apart(members), given).members
    assert joined[20:].tolist() == joined[partners].tolist()
    assert joined[0] == joined[1]
    assert len(set(joined.tolist())) == 19


@pytest.mark.parametrize("fields", [{"task": "regression"}, {"values": np.ones((40, 1), dtype=np.float32)}])
def test_clusters_stay_as_they_are_where_there_are_no_shuffles(generator, fields):
    clusters = apart()
    assert with_shuffles(clusters, replace(examples(generator, 2), **fields)) is clusters


def test_sequences_without_a_label_are_joined_with_none(generator):
    given = examples(generator, 2)
    given.values[[0, 20 + shuffled_from(given, 2).index(0)]] = np.nan
    assert sorted(np.bincount(with_shuffles(apart(), given).members).tolist()) == [1] * 2 + [2] * 19
