"""Every mutant against the network's own reading of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.encoding import EncodedSequences, TrackScale
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings
from motifcnn.tracks import mutagenesis
from motifcnn.tracks.mutagenesis import MutationEffects, mutation_effects

WIDTH = 6
BOTH = ModelSettings(filters=20, filter_width=WIDTH, restarts=2, strands="both")
"""40 filters: more than one block of lanes, and the second one is not full."""
KINDS = {
    "both strands": (BOTH, DNA, 0),
    "both strands and sums": (BOTH, DNA, 0),
    "no places": (replace(BOTH, placement=False), DNA, 0),
    "one strand and sums": (replace(BOTH, strands="single", filters=33, activation="exp"), DNA, 0),
    "two tracks": (replace(BOTH, activation="exp"), DNA, 2),
    "protein": (replace(BOTH, strands="single", filters=3), PROTEIN, 0),
    "local pooling": (replace(BOTH, filters=3, pool=4), DNA, 1),
    "a dense layer": (replace(BOTH, architecture="deepbind"), DNA, 0),
    "average": (replace(BOTH, filters=3, summary="average"), DNA, 0),
    "two layers": (replace(BOTH, filters=3, conv_layers=1, conv_filters=4), DNA, 0),
}


def model_of(kind):
    settings, alphabet, tracks = KINDS[kind]
    network = MotifNetwork(settings, alphabet, tracks, 2, seed=3).eval()
    with torch.no_grad():
        network.head.mul_(10)
        network.norm.running_mean.uniform_(-1, 1, generator=torch.Generator().manual_seed(1))
        network.norm.shift.uniform_(-1, 1, generator=torch.Generator().manual_seed(2))
    if network.placement is not None:
        torch.nn.init.normal_(network.placement.values, 0, 1, generator=torch.Generator().manual_seed(5))
    scales = tuple(TrackScale(f"t{n}", 0.3, 1.7) for n in range(tracks))
    return TrainedModel(network, Objective("multi-label", ("a", "b")), alphabet, scales)


def drawn(generator, model, lengths):
    """Random sequences with a few ambiguity codes and, for the tracks, a few missing values."""
    codes = []
    for length in lengths:
        own = generator.integers(0, model.alphabet.size, length).astype(np.uint8)
        rare = generator.random(length) < 0.1
        own[rare] = generator.integers(0, len(model.alphabet.symbols), int(rare.sum()))
        codes.append(own)
    sequences = Sequences.from_list([f"s{n}" for n in range(len(lengths))], codes, model.alphabet)
    tracks = generator.normal(size=(len(model.scales), len(sequences.codes))).astype(np.float32)
    tracks[generator.random(tracks.shape) < 0.1] = np.nan
    return sequences, tracks


def logits_of(model, codes, tracks):
    """What the network says of one sequence by its dense first layer."""
    width = model.network.filters.width
    if len(codes) < width:  # no window fits: every filter's best score is masked
        pooled = torch.full((1, model.network.filters.filters, 1), float("-inf"))
    else:
        encoded = EncodedSequences(Sequences.from_list(["x"], [codes], model.alphabet), tracks, model.scales)
        batch = encoded.batch(torch.arange(1))
        if not model.network.whole_sequence:
            with torch.no_grad():
                return model.network.logits(batch)[0].numpy()
        scores, placement = model.network.filters(batch), model.network.placement
        if placement is not None:
            starts = torch.arange(len(codes)) - (width - 1) // 2
            scores = scores + placement.rows()[placement.row_of(starts, batch.lengths[:, None], width)].mT
        pooled = scores.amax(dim=2, keepdim=True)
    with torch.no_grad():
        logits = model.network.head_logits(model.network.activate(pooled), pooled)[0].numpy()
    return logits + sum(branch.total(codes) for branch in model.network.sums)


def expected(model, codes, tracks):
    """Every mutant, written out and read."""
    reference = logits_of(model, codes, tracks)
    length, size = len(codes), model.alphabet.size
    substitutions, insertions = np.zeros((2, length, size)), np.zeros((2, length + 1, size))
    deletions = np.zeros((2, length))
    for position in range(length + 1):
        for letter in range(size):
            longer = np.insert(codes, position, letter), np.insert(tracks, position, np.nan, axis=1)
            insertions[:, position, letter] = logits_of(model, *longer) - reference
            if position < length:
                other = codes.copy()
                other[position] = letter
                substitutions[:, position, letter] = logits_of(model, other, tracks) - reference
        if position < length:
            shorter = np.delete(codes, position), np.delete(tracks, position, axis=1)
            deletions[:, position] = logits_of(model, *shorter) - reference
    return reference, substitutions, deletions, insertions


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("piece", [1024, 5])
def test_effects_are_those_of_reading_every_mutant(monkeypatch, generator, add_sums, kind, piece):
    monkeypatch.setattr(mutagenesis, "_PIECE", piece)
    monkeypatch.setattr(mutagenesis, "_BATCH_LETTERS", 100)
    model = model_of(kind)
    if kind.endswith("sums"):
        add_sums(model.network)
    whole = model.network.whole_sequence
    sequences, tracks = drawn(generator, model, (27, WIDTH, 11) if whole else (27, WIDTH + 1))
    found = list(mutation_effects(model, sequences, tracks, with_indels=True))
    assert len(found) == len(sequences)
    for number, effects in enumerate(found):
        cut = slice(sequences.offsets[number], sequences.offsets[number + 1])
        truth = expected(model, sequences.codes[cut], tracks[:, cut])
        given = effects.logits, effects.substitutions, effects.deletions, effects.insertions
        for wanted, values in zip(truth, given, strict=True):
            assert values.shape == wanted.shape
            np.testing.assert_allclose(values, wanted, atol=2e-5)


@pytest.mark.parametrize("kind", ["both strands", "local pooling"])
def test_without_indels_substitutions_are_the_same(generator, kind):
    model = model_of(kind)
    sequences, tracks = drawn(generator, model, (30, 12))
    for some, every in zip(
        mutation_effects(model, sequences, tracks),
        mutation_effects(model, sequences, tracks, with_indels=True),
        strict=True,
    ):
        assert some.deletions is None
        assert some.insertions is None
        assert some.substitutions == pytest.approx(every.substitutions, abs=1e-5)
        assert some.logits == pytest.approx(every.logits, abs=1e-5)


def test_the_windows_are_searched_where_they_can_be(monkeypatch, generator):
    def refuse(*_):
        raise AssertionError("mutants were read one by one")

    monkeypatch.setattr(mutagenesis._Reader, "effects", refuse)
    model = model_of("both strands")
    sequences, _ = drawn(generator, model, (30,))
    assert len(list(mutation_effects(model, sequences))) == 1


def test_letters_that_are_there_change_nothing(generator):
    model = model_of("both strands")
    sequences, _ = drawn(generator, model, (40,))
    (effects,) = mutation_effects(model, sequences)
    proper = np.flatnonzero(sequences.codes < 4)
    assert (effects.substitutions[:, proper, sequences.codes[proper]] == 0).all()
    assert np.abs(effects.substitutions).max() > 0.1


def test_a_letters_worth_is_the_logit_less_the_mean_of_the_others():
    substitutions = np.array([[[0.0, -3.0, -6.0, 0.0], [1.0, 2.0, 3.0, 6.0]]], dtype=np.float32)
    effects = MutationEffects(np.zeros(1, dtype=np.float32), substitutions)
    assert effects.letter_effects(np.array([0, 4], dtype=np.uint8)).tolist() == [[3.0, -3.0]]


def test_the_other_strand_has_the_same_effects(generator):
    model = model_of("both strands")
    sequences, _ = drawn(generator, model, (35,))
    turned = Sequences.from_list(["r"], [DNA.reverse_complement(sequences[0])], DNA)
    (one,), (other,) = (list(mutation_effects(model, each, with_indels=True)) for each in (sequences, turned))
    np.testing.assert_allclose(one.substitutions, other.substitutions[:, ::-1, ::-1], atol=2e-5)
    np.testing.assert_allclose(one.deletions, other.deletions[:, ::-1], atol=2e-5)
    np.testing.assert_allclose(one.insertions, other.insertions[:, ::-1, ::-1], atol=2e-5)
