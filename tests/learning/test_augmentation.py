from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.encoding import EncodedSequences, TrackScale
from motifcnn.learning.augmentation import Augmentation, augmented_epochs
from motifcnn.sequences import Sequences
from motifcnn.settings import TrainingSettings

OFF = TrainingSettings()
ALL = TrainingSettings(augment_shift=5, augment_substitutions=0.2, augment_indels=4)
WIDTH = 6
LENGTHS = (30, 5, 6, 17, 30, 1)
"""Of which two are shorter than a filter."""


def stream_of(seed, example):
    """SplitMix64 as published, after its state was drawn from that of the epoch."""

    def mixed(z):
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return z ^ (z >> 31)

    gamma = 0x9E3779B97F4A7C15
    state = mixed((seed + example * gamma) % 2**64)
    while True:
        state = (state + gamma) % 2**64
        yield mixed(state)


def changed_slowly(items, settings, seed, example, width=WIDTH):
    """Return (letter, channels) pairs after the changes of an epoch, made one after another on a list."""
    if len(items) < width:
        return [(item, item) for item in items]
    length, numbers = len(items), stream_of(seed, example)
    shift, size = (
        ((2 * most + 1) * (next(numbers) >> 33) >> 31) - most
        for most in (settings.augment_shift, settings.augment_indels)
    )
    place = (next(numbers) % 2**31) * length >> 31
    draws = [next(numbers) for _ in items]
    elsewhere = [items[(draw % 2**31) * length >> 31] for draw in draws]
    pairs = [(item, item) for item in items]
    for _ in range(abs(shift)):
        pairs = [pairs[-1], *pairs[:-1]] if shift > 0 else [*pairs[1:], pairs[0]]
    if size > 0:
        new = [(item, item) for item in elsewhere[place : place + size]]
        pairs = (pairs[:place] + new + pairs[place:])[:length]
    else:
        del pairs[place : place - size]
        pairs += [(item, item) for item in elsewhere[len(pairs) :]]
    share = settings.augment_substitutions
    return [
        (elsewhere[n] if (draws[n] >> 33) < int(share * 2**31) else letter, channels)
        for n, (letter, channels) in enumerate(pairs)
    ]


def places_of(settings, seed=7, examples=range(6), lengths=LENGTHS):
    lengths = torch.tensor(lengths)
    return Augmentation(settings, seed, WIDTH).places(torch.tensor(list(examples)), lengths, torch.arange(30))


PARTS = {
    "shift": replace(OFF, augment_shift=5),
    "far shift": replace(OFF, augment_shift=100),
    "substitutions": replace(OFF, augment_substitutions=0.3),
    "indels": replace(OFF, augment_indels=4),
    "long indels": replace(OFF, augment_indels=50),
    "all": ALL,
}


@pytest.mark.parametrize("settings", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("seed", [0, 7, 2**63 - 1])
def test_places_are_those_of_changes_made_one_after_another(settings, seed):
    for numbers in (range(6), range(10**9, 10**9 + 6)):
        letters, channels = places_of(settings, seed, numbers)
        for row, (number, length) in enumerate(zip(numbers, LENGTHS, strict=True)):
            pairs = changed_slowly(list(range(length)), settings, seed, number)
            assert letters[row, :length].tolist() == [letter for letter, _ in pairs]
            assert channels[row, :length].tolist() == [channel for _, channel in pairs]


def test_nothing_asked_for_changes_nothing():
    letters, channels = places_of(OFF)
    for row, length in enumerate(LENGTHS):
        assert letters[row, :length].tolist() == channels[row, :length].tolist() == list(range(length))


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**40))
@limits(max_examples=30)
def test_a_shift_moves_all_letters_alike(seed, example):
    letters, channels = places_of(PARTS["shift"], seed, [example], [30])
    steps = (letters[0] - torch.arange(30)) % 30
    assert len(set(steps.tolist())) == 1
    assert min(int(steps[0]), 30 - int(steps[0])) <= 5
    assert torch.equal(letters, channels)


def test_draws_are_as_frequent_as_asked_for():
    examples, lengths = range(4000), [30] * 4000
    shifts = (places_of(PARTS["shift"], 1, examples, lengths)[0][:, 0] + 5) % 30
    assert ((torch.bincount(shifts) / 4000 - 1 / 11).abs() < 0.02).all()
    letters, channels = places_of(PARTS["substitutions"], 1, examples, lengths)
    assert torch.equal(channels, torch.arange(30).expand(4000, -1))
    changed = (letters != channels).double().mean()
    assert float(changed) == pytest.approx(0.3 * 29 / 30, abs=0.01)  # one in 30 redraws finds its own place
    new = letters[letters != channels]
    assert (torch.bincount(new, minlength=30) / len(new) * 30 - 1).abs().max() < 0.15
    letters, channels = places_of(PARTS["indels"], 1, examples, lengths)
    assert torch.equal(letters, channels)
    untouched = (letters == torch.arange(30)).all(dim=1).double().mean()
    assert float(untouched) == pytest.approx(1 / 9, abs=0.03)


def test_each_epoch_and_each_example_has_draws_of_its_own():
    one = places_of(ALL, 1, range(50), [30] * 50)[0]
    other = places_of(ALL, 2, range(50), [30] * 50)[0]
    assert len({tuple(row) for row in torch.cat([one, other]).tolist()}) == 100


ALPHABETS = pytest.mark.parametrize("alphabet", [DNA, RNA, PROTEIN], ids=lambda a: a.name)


def encoded_of(alphabet, generator, lengths=LENGTHS, tracks=True):
    codes = [generator.integers(0, len(alphabet.symbols), length).astype(np.uint8) for length in lengths]
    sequences = Sequences.from_list([f"s{n}" for n in range(len(lengths))], codes, alphabet)
    values = np.arange(2 * sum(lengths), dtype=np.float32).reshape(2, -1)
    scales = tuple(TrackScale(name, 0.0, 1.0) for name in "ab")
    return codes, EncodedSequences(sequences, values, scales) if tracks else EncodedSequences(sequences)


@ALPHABETS
def test_batches_hold_the_changed_letters_and_their_tracks(alphabet, generator):
    codes, encoded = encoded_of(alphabet, generator)
    chosen, starts = [3, 0, 1, 4], np.cumsum([0, *LENGTHS])
    batch = encoded.batch(torch.tensor(chosen), Augmentation(ALL, 7, WIDTH).places)
    assert batch.lengths.tolist() == [LENGTHS[example] for example in chosen]
    for row, example in enumerate(chosen):
        length = LENGTHS[example]
        pairs = changed_slowly(list(range(length)), ALL, 7, example)
        letters, channels = (np.array(part) for part in zip(*pairs, strict=True))
        found = batch.inputs[row].numpy()
        assert batch.codes[row, :length].tolist() == codes[example][letters].tolist()
        assert (found[: alphabet.size, :length] == alphabet.fractions[codes[example][letters]].T).all()
        assert found[-2, :length].tolist() == (starts[example] + channels).tolist()
        assert found[-1, :length].tolist() == (sum(LENGTHS) + starts[example] + channels).tolist()
        assert not found[:, length:].any()


@ALPHABETS
def test_a_shift_keeps_the_letters_and_all_draws_keep_their_shares(alphabet, generator):
    codes, encoded = encoded_of(alphabet, generator, [200] * 300, tracks=False)
    for example, row in zip(codes, encoded.batch(torch.arange(300), places(PARTS["shift"])).codes, strict=True):
        assert sorted(row.tolist()) == sorted(example.tolist())
    changed = encoded.batch(torch.arange(300), places(ALL)).codes.numpy()
    before, after = (np.bincount(np.ravel(part), minlength=len(alphabet.symbols)) for part in (codes, changed))
    assert np.abs(before - after).max() < 4 * np.sqrt(before.max())


def places(settings):
    return Augmentation(settings, 7, WIDTH).places


def test_an_example_is_changed_alike_in_any_batch_and_on_disk(generator):
    codes, encoded = encoded_of(DNA, generator)
    together = encoded.batch(torch.arange(6), places(ALL))
    on_disk = replace(Sequences.from_list(list("abcdef"), codes, DNA), on_disk=True)
    for row in range(6):
        for alone in (encoded, EncodedSequences(on_disk)):
            found = alone.batch(torch.tensor([row]), places(ALL)).codes[0]
            assert torch.equal(found, together.codes[row, : LENGTHS[row]])


@pytest.mark.parametrize(
    ("epochs", "clean", "expected"), [(25, 0.2, 20), (25, 0.0, 25), (25, 1.0, 0), (3, 0.2, 2), (1, 0.2, 0)]
)
def test_the_last_share_of_the_epochs_is_clean(epochs, clean, expected):
    assert augmented_epochs(replace(ALL, epochs=epochs, clean_epochs=clean)) == expected
    assert augmented_epochs(replace(OFF, epochs=epochs, clean_epochs=clean)) == 0
