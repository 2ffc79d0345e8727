from itertools import product

import numpy as np
import pytest

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.learning.enriched_words import MISMATCH, WordIndex, enriched_words
from motifcnn.sequences import Sequences


def sequences_of(*texts, alphabet=DNA):
    return Sequences.from_list([f"s{n}" for n in range(len(texts))], [alphabet.encode(t) for t in texts], alphabet)


def reverse_complement(word):
    return word[::-1].translate(str.maketrans("ACGT", "TGCA"))


def slow_sum(word, texts, weights, both_strands):
    """Weights of the texts that hold a word or, counting `MISMATCH`, each word one letter away."""
    near = [word[:i] + letter + word[i + 1 :] for i in range(len(word)) for letter in "ACGT" if letter != word[i]]
    pairs = both_strands and word == reverse_complement(word)
    total = 0.0
    for share, candidates in ((1.0, [word]), (MISMATCH / (1 + pairs), near)):
        for candidate in candidates:
            found = [candidate in text or (both_strands and reverse_complement(candidate) in text) for text in texts]
            total += share * np.dot(weights, found)
    return total


@pytest.mark.parametrize("length", [2, 3])
@pytest.mark.parametrize("both_strands", [False, True])
def test_sums_are_those_of_the_loops(generator, both_strands, length):
    texts = ["".join(generator.choice(list("ACGTN"), size, p=[0.24] * 4 + [0.04])) for size in (2, 9, 3, 30, 21, 0)]
    weights = generator.normal(size=len(texts))
    index = WordIndex.of(sequences_of(*texts), length, both_strands)
    sums = index.sums(weights)
    for number, letters in enumerate(product("ACGT", repeat=length)):
        assert sums[number] == pytest.approx(slow_sum("".join(letters), texts, weights, both_strands))
        assert (index.letters(number) == DNA.encode("".join(letters))).all()


def test_words_lie_within_one_sequence_and_over_known_letters():
    index = WordIndex.of(sequences_of("ACG", "TAC", "GNGT"), 3, both_strands=False)
    assert ["".join(DNA.letters[code] for code in index.letters(int(word))) for word in index.words] == ["ACG", "TAC"]
    assert index.examples.tolist() == [0, 1]


def test_a_word_counts_once_in_a_sequence_whatever_its_strand():
    index = WordIndex.of(sequences_of("AAAAGGGTTTT", "CCCC"), 4, both_strands=True)
    word = int(index.words[index.examples == 0].min())
    assert (index.letters(word) == DNA.encode("AAAA")).all()
    assert index.holders(word).tolist() == index.holders(255).tolist() == [0]


def planted(generator, words, shares, count=200, length=60, alphabet="ACGT"):
    """Random texts, of which the first half hold the words, each word in its share of them, on either strand."""
    texts, targets = [], np.arange(count) < count // 2
    for positive in targets:
        text = "".join(generator.choice(list(alphabet), length))
        for place, (word, share) in enumerate(zip(words, shares, strict=True)):
            if positive and generator.random() < share:
                shown = reverse_complement(word) if alphabet == "ACGT" and generator.random() < 0.5 else word
                start = 5 + 20 * place
                text = text[:start] + shown + text[start + len(word) :]
        texts.append(text)
    return texts, targets.astype(np.float64)


def test_planted_words_come_first_and_each_once(generator):
    texts, targets = planted(generator, ["TGACGTAA", "CCGGATTC"], [0.9, 0.5])
    index = WordIndex.of(sequences_of(*texts), 8, both_strands=True)
    found = ["".join(DNA.letters[code] for code in word) for word in enriched_words(index, targets, 10)]
    assert found[0] in ("TGACGTAA", "TTACGTCA")
    assert {"CCGGATTC", "GAATCCGG"} & set(found[:6])
    assert len({min(word, reverse_complement(word)) for word in found}) == len(found) == 10


def test_words_go_with_high_numbers_and_unknown_ones_say_nothing(generator):
    texts, targets = planted(generator, ["TGACGTAA"], [1.0])
    index = WordIndex.of(sequences_of(*texts), 8, both_strands=True)
    numbers = np.where(np.arange(len(targets)) % 3 == 0, np.nan, 7.0 + 2.5 * targets)
    assert (enriched_words(index, numbers, 1)[0] == enriched_words(index, targets, 1)[0]).all()
    assert not (enriched_words(index, -targets, 1)[0] == enriched_words(index, targets, 1)[0]).all()


@pytest.mark.parametrize("targets", [np.ones(4), np.full(4, np.nan)])
def test_targets_that_tell_nothing_give_no_words(targets):
    index = WordIndex.of(sequences_of("ACGTT", "GGGCC", "TTTTA", "ACCCC"), 3, both_strands=True)
    assert enriched_words(index, targets, 5) == []


def test_fewer_words_than_asked_for_where_no_more_are_enriched():
    index = WordIndex.of(sequences_of("AAA", "CCC"), 3, both_strands=False)
    assert len(enriched_words(index, np.array([1.0, 0.0]), 100)) < 64


def test_proteins_have_words_too(generator):
    letters = PROTEIN.letters[:20]
    texts, targets = planted(generator, ["WHC"], [0.8], alphabet=letters)
    index = WordIndex.of(sequences_of(*texts, alphabet=PROTEIN), 3, both_strands=False)
    assert (enriched_words(index, targets, 1)[0] == PROTEIN.encode("WHC")).all()
