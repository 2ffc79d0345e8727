"""Evidence, duplicates and order of candidate motifs."""

from dataclasses import replace

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.discovery.candidates import ExtractedMotif, TrainingSet, in_turns, overlap
from motifcnn.motifs import Motif
from motifcnn.sequences import Sequences
from motifcnn.settings import MotifSettings
from motifcnn.significance import best_thresholds, rank_auroc

SETTINGS = MotifSettings()


def motif_of(word):
    return Motif("m", np.eye(4)[DNA.encode(word)] * 0.88 + 0.03, DNA, sites=100)


def candidate(word, *filters, target=0):
    return ExtractedMotif(motif_of(word), filters, target, 0.0, 1.0, 0.0)


def training_set(generator, planting, examples=400, length=40):
    """Every other sequence is a positive; `planting` says which share of the positives holds each word, in order."""
    codes = generator.integers(0, 4, (examples, length)).astype(np.uint8)
    positive = np.arange(examples) % 2 == 0
    for word, (first, last), start in planting:
        rows = np.flatnonzero(positive)[int(first * examples / 2) : int(last * examples / 2)]
        codes[rows, start : start + len(word)] = DNA.encode(word)
    sequences = Sequences.from_list([f"s{n}" for n in range(examples)], list(codes), DNA)
    return TrainingSet(sequences, [(np.ones(examples, dtype=bool), positive)], True, SETTINGS)


def test_evidence_is_of_threshold_and_ranks_less_the_width(generator):
    shown = training_set(generator, [("TGACGTAC", (0, 0.5), 3)])
    (scored,) = shown.score([candidate("TGACGTAC", 0)])
    known, positive = shown.groups[0]
    ratio = best_thresholds(scored.fair[:, None], positive, SETTINGS.min_sites).statistic[0]
    deviation = np.sqrt((400 + 1) / (12 * 200 * 200))  # of the AUROC under the null hypothesis
    ranks = ((rank_auroc(scored.fair, positive) - 0.5) / deviation) ** 2 / 2
    assert scored.extracted.statistic == pytest.approx((ratio + ranks) / 2 - 1.5 * 8)
    assert known.all()


def test_most_evidence_first_and_nothing_that_is_not_enriched(generator):
    shown = training_set(generator, [("TGACGTAC", (0, 0.4), 3), ("GGATTTCC", (0.4, 0.9), 20)])
    scored = shown.score([candidate("TGACGTAC", 0), candidate("GGATTTCC", 1)])
    assert [item.extracted.filters for item in scored] == [(1,), (0,)]
    none = replace(shown, groups=[(shown.groups[0][0], ~shown.groups[0][1])])
    assert none.score([candidate("TGACGTAC", 0)]) == []
    assert shown.score([]) == []


def test_duplicates_hand_over_their_filters_once(generator):
    shown = training_set(generator, [("TGACGTAC", (0, 1), 3)])
    scored = shown.score([candidate("TGACGTAC", 4, 2), candidate("GTACGTCA", 2, 7), candidate("GACGTAC", 7, 9)])
    (merged,) = shown.merge(scored, 5)
    assert sorted(merged.extracted.filters) == [2, 4, 7, 9]
    assert merged.extracted.filters[: len(scored[0].extracted.filters)] == scored[0].extracted.filters
    assert shown.merge(scored, 0) == []


def two_targets(generator, words, starts=(3, 20), examples=600):
    """A third of the sequences is marked by either target and holds its word."""
    codes = generator.integers(0, 4, (examples, 40)).astype(np.uint8)
    kind = np.arange(examples) % 3
    for target, (word, start) in enumerate(zip(words, starts, strict=True)):
        codes[kind == target, start : start + len(word)] = DNA.encode(word)
    sequences = Sequences.from_list([f"s{n}" for n in range(examples)], list(codes), DNA)
    known = np.ones(examples, dtype=bool)
    return TrainingSet(sequences, [(known, kind == 0), (known, kind == 1)], True, SETTINGS)


@pytest.mark.parametrize("words", [("TGACGTAC", "TGACTTAC"), ("TGACGTACCA", "GACGTA")], ids=["alike", "the core"])
def test_motifs_that_are_alike_stay_two_where_they_mark_different_targets(generator, words):
    shown = two_targets(generator, words)
    scored = shown.score([candidate(words[0], 0), candidate(words[1], 1, target=1)])
    assert {item.extracted.filters for item in shown.merge(scored, 5)} == {(0,), (1,)}
    of_one_target = two_targets(generator, words, starts=(3, 3))
    (known, first), (_, second) = of_one_target.groups
    of_one_target = replace(of_one_target, groups=[(known, first | second)])
    (merged,) = of_one_target.merge(of_one_target.score([candidate(words[0], 0), candidate(words[1], 1)]), 5)
    assert sorted(merged.extracted.filters) == [0, 1]


def test_a_motif_may_take_in_another_targets_and_yet_be_another(generator):
    shown = two_targets(generator, ("TGACGTACCA", "GACGTA"))
    by_target = {item.extracted.target: item for item in shown.score([candidate("TGACGTACCA", 0)])}
    by_target |= {item.extracted.target: item for item in shown.score([candidate("GACGTA", 1, target=1)])}
    assert shown.takes_in(by_target[1], by_target[0])
    assert not shown.same(by_target[0], by_target[1])


def test_one_motif_of_two_targets_is_one(generator):
    shown = training_set(generator, [("TGACGTAC", (0, 1), 3)])
    both = replace(shown, groups=shown.groups * 2)
    scored = both.score([candidate("TGACGTAC", 0), candidate("GTACGTCA", 1, target=1)])
    (merged,) = both.merge(scored, 5)
    assert merged.extracted.filters == (0, 1)


def test_each_target_keeps_its_first_before_any_keeps_a_second(generator):
    words = ("TGACGTACCT", "GGATTTCCGA", "CCAAGCGA")
    shown = training_set(generator, [(words[0], (0, 1), 3), (words[1], (0, 0.9), 20), (words[2], (0, 0.5), 31)])
    both = replace(shown, groups=shown.groups * 2)
    scored = both.score([candidate(words[0], 0), candidate(words[1], 1), candidate(words[2], 2, target=1)])
    assert [item.extracted.filters for item in scored] == [(0,), (1,), (2,)]
    assert [item.extracted.filters for item in both.merge(scored, 2)] == [(0,), (2,)]
    assert [item.extracted.filters for item in both.merge(scored, 3)] == [(0,), (1,), (2,)]


def test_turns():
    assert in_turns([0, 0, 0, 1, 0, 1, 2], 4) == [0, 1, 3, 6]
    assert in_turns([0, 0, 0], 2) == [0, 1]
    assert in_turns([3, 1, 2], 2) == [0, 1]
    assert in_turns([], 2) == in_turns([1], 0) == []


def test_order_is_of_what_each_adds(generator):
    """The first's neighbour is strong alone and adds nothing; a weaker motif of other positives adds something."""
    planting = [("TGACGTAC", (0, 0.7), 3), ("CCAAGCGA", (0, 0.6), 20), ("GGATTTCC", (0.7, 1), 20)]
    shown = training_set(generator, planting)
    scored = shown.score([candidate("TGACGTAC", 0), candidate("CCAAGCGA", 1), candidate("GGATTTCC", 2)])
    assert [item.extracted.filters for item in scored] == [(0,), (1,), (2,)]
    assert [item.extracted.filters for item in shown.in_order(scored)] == [(0,), (2,), (1,)]
    assert shown.in_order([]) == []


def test_targets_take_turns_by_their_gain(generator):
    shown = training_set(generator, [("TGACGTAC", (0, 0.7), 3), ("GGATTTCC", (0.7, 0.8), 20)])
    both = replace(shown, groups=shown.groups * 2)
    scored = both.score([candidate("TGACGTAC", 0), candidate("GGATTTCC", 1), candidate("TGACGTAC", 2, target=1)])
    ordered = [(item.extracted.target, item.extracted.filters) for item in both.in_order(scored)]
    assert sorted(ordered[:2]) == [(0, (0,)), (1, (2,))]
    assert ordered[2] == (0, (1,))


def test_overlap_needs_half_of_the_narrower():
    starts = np.array([0, 5, 8, 9, 20])
    assert overlap(starts, 4, np.array(6), 10).tolist() == [False, True, True, True, False]
    assert overlap(np.array([4, 3]), 4, np.array(6), 10).tolist() == [True, False]


def test_a_mixture_of_two_motifs_gives_way_to_both(generator):
    words = ("TGACTTAC", "GGATTTCG")
    shown = training_set(generator, [(words[0], (0, 0.5), 3), (words[1], (0.5, 1), 20)])
    mixture = candidate(words[0] + words[1], 2)
    scored = shown.score([candidate(words[0], 0), candidate(words[1], 1), mixture])
    assert {item.extracted.filters for item in scored} == {(0,), (1,), (2,)}
    assert {item.extracted.filters for item in shown.without_mixtures(scored)} == {(0,), (1,)}


def test_halves_of_a_motif_do_not_push_it_out(generator):
    word = "TGACTTACGGATTTCG"
    shown = training_set(generator, [(word, (0, 0.9), 12)])
    scored = shown.score([candidate(word, 0), candidate(word[:8], 1), candidate(word[8:], 2)])
    assert (0,) in {item.extracted.filters for item in shown.without_mixtures(scored)}


def test_what_motifs_leave_and_which_adds_most(generator):
    from sklearn.linear_model import LogisticRegression

    shown = training_set(generator, [("TGACGTAC", (0, 0.5), 3), ("GGATTTCC", (0.4, 0.9), 20), ("TGACGT", (0.9, 1), 3)])
    known = np.arange(400) < 390
    shown = replace(shown, groups=[(known, shown.groups[0][1] & known)])
    first, *others = sorted(
        shown.score([candidate("TGACGTAC", 0), candidate("GGATTTCC", 1), candidate("TGACGT", 2)]),
        key=lambda item: item.extracted.filters,
    )
    features = np.array([(first.fair[known] - first.fair[known].mean()) / first.fair[known].std()]).T
    truth = shown.groups[0][1][known]
    chances = LogisticRegression(C=1e3).fit(features, truth).predict_proba(features)[:, 1]
    left = shown.unexplained([first])
    assert left[known] == pytest.approx(truth - chances, abs=1e-3)
    assert np.isnan(left[~known]).all()
    assert shown.adds_most([first], others).extracted.filters == (1,)
    assert shown.adds_most([first, others[0]], others).extracted.filters == (2,)
