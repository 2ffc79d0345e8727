"""Words beside filters, and the fit to labels: who may take part, and what is recorded."""

from dataclasses import replace

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.discovery import refined_motifs, word_motifs
from motifcnn.discovery.candidates import ExtractedMotif, TrainingSet
from motifcnn.discovery.refined_motifs import fitted_to_labels
from motifcnn.discovery.word_motifs import FilterSites
from motifcnn.motifs import Motif
from motifcnn.scanning.best import best_sites
from motifcnn.sequences import Sequences
from motifcnn.settings import MotifSettings

SITE = "TGACGTCA"
SETTINGS = MotifSettings()


def motif_of(word, sites=60.0):
    return Motif("m", DNA.fractions[DNA.encode(word)] * 0.8 + 0.05, DNA, sites=sites)


def training_set(generator, examples=160, length=50, word=SITE):
    codes = generator.integers(0, 4, (examples, length)).astype(np.uint8)
    positive = np.arange(examples) % 2 == 0
    for row in np.flatnonzero(positive):
        start = int(generator.integers(5, length - 15))
        codes[row, start : start + len(word)] = DNA.encode(word)
    sequences = Sequences.from_list([f"s{n}" for n in range(examples)], list(codes), DNA)
    return TrainingSet(sequences, [(np.ones(examples, dtype=bool), positive)], True, SETTINGS)


def filters_of(shown, *words):
    """Filters that read these words, and the candidates that their motifs are."""
    motifs = [motif_of(word) for word in words]
    sites = best_sites([motif.log_odds() for motif in motifs], shown.sequences, True)
    candidates = [ExtractedMotif(motif, (number,), 0, 0.0, 2.0, 1.0) for number, motif in enumerate(motifs)]
    return candidates, FilterSites(sites, len(words[0]))


def refined(shown, *words):
    candidates, filters = filters_of(shown, *words)
    return refined_motifs.refined_motifs(candidates, shown.score(candidates), filters, shown)


def test_a_word_mends_a_filter_with_the_flanks_of_a_single_site(generator):
    shown = training_set(generator)
    stiff = replace(shown, settings=replace(SETTINGS, refine_similarity=1.1))  # filters' own motifs cannot be refined
    best = refined(stiff, "GATTGACGNNCCTAGC")[0].extracted
    assert best.origin == "word"
    assert best.filters == (0,)
    assert SITE in {best.motif.consensus, best.motif.reverse_complement().consensus}
    assert best.faithful.width == 16
    assert best.filter_threshold == 2.0
    assert best.refined


def test_a_word_that_no_filter_holds_is_no_motif(generator):
    shown = training_set(generator)
    assert all(item.extracted.origin == "filter" for item in refined(shown, "GGGGGGGGAAAAAAAA"))


def test_where_the_filter_is_right_it_stays_its_motif(generator):
    shown = training_set(generator, examples=400)
    best = shown.merge(refined(shown, SITE), 5)[0].extracted
    assert best.motif.consensus in {SITE, motif_of(SITE).reverse_complement().consensus}
    assert best.filters == (0,)


def test_the_first_motif_of_each_target_is_fitted_where_examples_suffice(generator):
    shown = training_set(generator, examples=1200)
    both = replace(shown, groups=shown.groups * 2)
    candidates, _ = filters_of(both, "TGACGACC", "TGACGTTT")  # the fit mends the last letters
    scored = both.score([*candidates, replace(candidates[0], target=1)])
    ordered = both.in_order(scored)
    fitted = fitted_to_labels(ordered, both)
    assert [item.extracted.fitted for item in fitted] == [True, True, False]
    first = fitted[0].extracted
    assert first.faithful.probabilities == pytest.approx(ordered[0].extracted.motif.probabilities)
    assert 0.6 < first.filter_similarity < 1.0
    assert first.statistic == ordered[0].extracted.statistic
    exact, _ = filters_of(shown, SITE)
    (as_good,) = fitted_to_labels(shown.score(exact), shown)
    assert not as_good.extracted.fitted  # nothing that a fit could tell better
    few = training_set(generator, examples=200)
    candidates, _ = filters_of(few, SITE)
    (same,) = fitted_to_labels(few.score(candidates), few)
    assert not same.extracted.fitted


def test_few_letters_of_budget_leave_no_words(generator, monkeypatch):
    shown = training_set(generator)
    monkeypatch.setattr(word_motifs, "_WORDS", 2)  # fewer than one of each length
    assert all(item.extracted.origin == "filter" for item in refined(shown, "GATTGACGNNCCTAGC"))


def two_words(generator, other="GGATTTCC", examples=400):
    """Each half of the positives holds a word; a filter reads each, the second one with flanks of chance."""
    shown = training_set(generator, examples)
    for number in range(0, examples, 4):
        start = shown.sequences.offsets[number]
        shown.sequences.codes[start : start + 50] = generator.integers(0, 4, 50)
        place = int(generator.integers(5, 35))
        shown.sequences.codes[start + place : start + place + len(other)] = DNA.encode(other)
    return shown, *filters_of(shown, "NNNNTGACGTCANNNN", "ACTGGATTTNNCTAGC")


def test_words_tell_what_the_first_motif_leaves(generator):
    shown, candidates, filters = two_words(generator)
    distinct = shown.merge(shown.score(candidates), 20)
    found = refined_motifs.with_words_for_the_rest(distinct, candidates, filters, shown)
    first, second = (item.extracted for item in found[:2])
    assert first is distinct[0].extracted
    assert second.origin == "rest"
    assert "GGATTTCC" in {second.motif.consensus, second.motif.reverse_complement().consensus}
    assert second.filters[0] == 1
    for item in found[2:]:  # a filter's motif of the same word is left out
        assert not shown.takes_in(found[1], item)
    assert len(refined_motifs.with_words_for_the_rest(distinct, candidates, filters, limited(shown, 1))) == 1
    assert refined_motifs.with_words_for_the_rest([], candidates, filters, shown) == []


def test_words_of_the_rest_are_enriched_in_what_the_motifs_before_leave(generator, monkeypatch):
    shown, candidates, filters = two_words(generator)
    words = word_motifs.WordMotifs.of(candidates, filters, shown, 9)
    chosen = [item for item in shown.score(candidates) if item.extracted.filters == (0,)]
    sought, enriched_words = [], word_motifs.enriched_words
    monkeypatch.setattr(word_motifs, "enriched_words", lambda *given: sought.append(given) or enriched_words(*given))
    found = words.for_the_rest(chosen)
    assert [index.length for index, _, _ in sought] == [6, 7, 8]
    for _, values, each in sought:
        assert np.array_equal(values, shown.unexplained(chosen))
        assert each == 3
    assert {item.extracted.origin for item in found} == {"rest"}


def test_large_sets_get_no_words_for_the_rest(generator, monkeypatch):
    shown, candidates, filters = two_words(generator)
    distinct = shown.merge(shown.score(candidates), 20)
    monkeypatch.setattr(refined_motifs, "_REFINED_LETTERS", 31 * 200 * 50)  # one motif less than the most
    assert refined_motifs.with_words_for_the_rest(distinct, candidates, filters, shown) == distinct


def limited(shown, motifs):
    return replace(shown, settings=replace(SETTINGS, max_motifs=motifs))


def test_a_fit_that_takes_in_the_sites_of_another_motif_is_not_kept(generator):
    """Half of the positives hold one word, half another: a matrix of both tells all."""
    other = "GGATTTCC"
    codes = [generator.integers(0, 4, 40).astype(np.uint8) for _ in range(800)]
    for number in range(1, 800, 2):
        start = int(generator.integers(0, 32))
        codes[number][start : start + 8] = DNA.encode((SITE, other)[number // 2 % 2])
    sequences = Sequences.from_list([f"s{n}" for n in range(800)], codes, DNA)
    shown = TrainingSet(sequences, [(np.ones(800, bool), np.arange(800) % 2 == 1)], True, SETTINGS)
    candidates, _ = filters_of(shown, SITE, other)
    ordered = shown.in_order(shown.score(candidates))
    found = fitted_to_labels(ordered, shown)
    for before, after in zip(ordered, found, strict=True):
        assert after.extracted.motif.consensus == before.extracted.motif.consensus
