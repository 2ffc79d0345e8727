from dataclasses import replace

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.learning.enriched_words import WordIndex, enriched_words
from motifcnn.learning.seeding import seed_filters
from motifcnn.model.network import MotifNetwork
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings, TrainingSettings

MODEL = ModelSettings(filters=6, filter_width=11, restarts=2, strands="both")
SITES = ("TGACGTAA", "CCGGATTC")


def examples(generator, classes=2, count=120):
    """Sequences of as many classes as there are; those of class n > 0 hold the word n - 1."""
    codes = [generator.integers(0, 4, 50).astype(np.uint8) for _ in range(count)]
    numbers = np.arange(count) % classes
    for sequence, number in zip(codes, numbers, strict=True):
        if number:
            sequence[20:28] = DNA.encode(SITES[number - 1])
    return Sequences.from_list([f"s{n}" for n in range(count)], codes, DNA), numbers.astype(np.float32)[:, None]


def seeded(sequences, values, objective, model=MODEL, **settings):
    network = MotifNetwork(model, sequences.alphabet, 0, objective.outputs, seed=1)
    before = network.filters.weight.detach().clone()
    seed_filters(network, objective, sequences, values, np.arange(len(sequences)), TrainingSettings(**settings))
    return network.filters.weight.detach(), (network.filters.weight.detach() != before).any(dim=(1, 2))


def word_of(weight, length=8):
    """The word that a filter was started from."""
    first = (weight.shape[1] - length) // 2
    return "".join(DNA.letters[int(code)] for code in weight[:4, first : first + length].argmax(dim=0))


def test_half_of_each_restart_starts_from_words_and_the_rest_stays(generator):
    sequences, values = examples(generator)
    weight, changed = seeded(sequences, values, Objective("binary", ("label",), weights=(1.0,)))
    assert changed.tolist() == [True] * 3 + [False] * 3 + [True] * 3 + [False] * 3
    index = WordIndex.of(sequences, 8, both_strands=True)
    words = ["".join(DNA.letters[code] for code in word) for word in enriched_words(index, values[:, 0], 3)]
    assert words[0] in (SITES[0], "TTACGTCA")
    assert [word_of(filter_weight) for filter_weight in weight[:3]] == words
    assert [word_of(filter_weight) for filter_weight in weight[6:9]] == words
    assert not torch.equal(weight[:3], weight[6:9])


@pytest.mark.parametrize(
    ("settings", "model"),
    [({"seeded_filters": 0.0}, MODEL), ({}, replace(MODEL, filter_width=7)), ({"word_length": 12}, MODEL)],
)
def test_nothing_is_seeded_where_not_asked_for_or_where_words_do_not_fit(generator, settings, model):
    sequences, values = examples(generator)
    _, changed = seeded(sequences, values, Objective("binary", ("label",), weights=(1.0,)), model, **settings)
    assert not changed.any()


def test_classes_take_turns(generator):
    sequences, values = examples(generator, classes=3)
    objective = Objective("classes", ("kind",), ("none", "one", "two"), weights=(1.0, 1.0, 1.0))
    weight, _ = seeded(sequences, values, objective, seeded_filters=0.5)
    assert word_of(weight[1]) in (SITES[0], "TTACGTCA")
    assert word_of(weight[2]) in (SITES[1], "GAATCCGG")


def test_several_labels_take_turns_and_missing_ones_say_nothing(generator):
    sequences, numbers = examples(generator, classes=3)
    values = np.column_stack([numbers == 1, numbers == 2]).astype(np.float32)
    values[::4] = np.nan
    weight, _ = seeded(sequences, values, Objective("multi-label", ("a", "b"), weights=(1.0, 1.0)))
    assert word_of(weight[0]) in (SITES[0], "TTACGTCA")
    assert word_of(weight[1]) in (SITES[1], "GAATCCGG")


def test_measurements_serve_as_they_are(generator):
    sequences, values = examples(generator)
    values = 3.0 + 0.5 * values + generator.normal(size=values.shape).astype(np.float32) * 0.1
    weight, _ = seeded(sequences, values, Objective("regression", ("level",), means=(3.0,), deviations=(1.0,)))
    assert word_of(weight[0]) in (SITES[0], "TTACGTCA")


def test_other_letters_and_lengths(generator):
    codes = [generator.integers(0, 20, 30).astype(np.uint8) for _ in range(80)]
    for sequence in codes[::2]:
        sequence[10:13] = PROTEIN.encode("WHC")
    sequences = Sequences.from_list([f"s{n}" for n in range(80)], codes, PROTEIN)
    values = (np.arange(80) % 2 == 0).astype(np.float32)[:, None]
    model = replace(MODEL, strands="single", filter_width=9)
    weight, _ = seeded(sequences, values, Objective("binary", ("label",), weights=(1.0,)), model)
    assert weight[0, :20, 3:6].argmax(dim=0).tolist() == PROTEIN.encode("WHC").tolist()


def test_of_many_sequences_some_are_counted(generator, monkeypatch):
    sequences, values = examples(generator, count=240)
    monkeypatch.setattr("motifcnn.learning.seeding.COUNTED_LETTERS", 4000)  # every third one
    weight, _ = seeded(sequences, values, Objective("binary", ("label",), weights=(1.0,)))
    some = np.arange(0, 240, 3)
    alone, _ = seeded(sequences.subset(some), values[some], Objective("binary", ("label",), weights=(1.0,)))
    assert torch.equal(weight, alone)
