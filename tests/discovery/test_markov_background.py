"""Backgrounds: words counted as by hand, the same on both strands, and a chain's chance of every window."""

from itertools import product

import numpy as np
import pytest

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.discovery.markov_background import Background
from motifcnn.discovery.triplets import TripletSequences
from motifcnn.sequences import Sequences


@pytest.fixture
def sequences(generator):
    rows = [generator.integers(0, 5, length).astype(np.uint8) for length in (30, 0, 1, 2, 3, 50)]
    rows = [np.where(row == 4, DNA.unknown, row).astype(np.uint8) for row in rows]
    return Sequences.from_list("abcdef", rows, DNA)


def counted(sequences, size, both_strands):
    """Words of clean letters, one more of each."""
    counts = dict.fromkeys(product(range(4), repeat=size), 1.0 + both_strands)
    for number in range(len(sequences)):
        row = sequences[number]
        for strand in (row, DNA.complement_codes[row][::-1])[: 1 + both_strands]:
            for start in range(len(strand) - size + 1):
                word = tuple(int(code) for code in strand[start : start + size])
                if max(word) < 4:
                    counts[word] += 1.0
    return counts


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("both_strands", [False, True])
def test_words_are_counted_within_sequences(sequences, order, both_strands):
    counts = counted(sequences, order + 1, both_strands)
    found = Background.of(sequences, order, both_strands)
    total = sum(counts.values())
    np.testing.assert_allclose(np.exp(found.long_words), [counts[word] / total for word in counts])
    assert np.exp(found.short_words).sum() == pytest.approx(1.0)
    np.testing.assert_array_equal(found.letters, sequences.letter_frequencies())


@pytest.mark.parametrize("order", [1, 2])
def test_the_chance_of_a_window_is_that_of_its_words(sequences, order):
    background, letters, width = Background.of(sequences, order, True), TripletSequences.of(sequences).letters, 7
    long, short = (np.exp(table) for table in (background.long_words, background.short_words))
    found = background.surprisal(letters, width)
    clean = 0
    for start in range(len(letters) - width + 1):
        window = letters[start : start + width]
        if (window == 4).any():
            continue
        clean += 1
        chance = 1.0
        for place in range(width - order):
            chance *= long[int("".join(map(str, window[place : place + order + 1])), 4)]
            if place:
                chance /= short[int("".join(map(str, window[place : place + order])), 4)]
        assert found[start] == pytest.approx(-np.log(chance))
    assert clean > 5


@pytest.mark.parametrize("order", [1, 2])
def test_a_window_has_the_same_chance_on_either_strand(sequences, order):
    background, letters = Background.of(sequences, order, True), TripletSequences.of(sequences).letters
    turned = np.append(DNA.complement_codes[:4], 4)[letters[::-1]]
    clean = np.convolve(letters == 4, np.ones(5), "valid") == 0
    ours, theirs = (background.surprisal(codes, 5)[: len(clean)] for codes in (letters, turned))
    np.testing.assert_allclose(ours[clean], theirs[::-1][clean])


def test_order_0_adds_nothing_to_scores_against_the_letters(sequences):
    background = Background.of(sequences, 0, True)
    assert not background.surprisal(TripletSequences.of(sequences).letters, 5).any()
    np.testing.assert_array_equal(background.letters, sequences.letter_frequencies())


def test_protein_is_counted_on_one_strand(generator):
    sequences = Sequences.from_list(["a"], [generator.integers(0, 20, 90).astype(np.uint8)], PROTEIN)
    assert len(Background.of(sequences, 2, False).long_words) == 8000
