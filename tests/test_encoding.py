from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.encoding import EncodedSequences, TrackScale, track_scales
from motifcnn.sequences import Sequences

SCALES = (TrackScale("a", 2.0, 4.0), TrackScale("b", -1.0, 0.5))


def random_sequences(seed, alphabet, lengths=(7, 3, 12, 1)):
    generator = np.random.default_rng(seed)
    codes = [generator.integers(0, len(alphabet.symbols), length).astype(np.uint8) for length in lengths]
    return Sequences.from_list([f"s{n}" for n in range(len(lengths))], codes, alphabet)


@pytest.mark.parametrize("alphabet", [DNA, RNA, PROTEIN], ids=lambda a: a.name)
def test_letters_become_shares_and_padding_nothing(alphabet):
    sequences = random_sequences(0, alphabet)
    batch = EncodedSequences(sequences).batch(torch.tensor([2, 0, 3]))
    assert batch.inputs.shape == (3, alphabet.size, 12)
    assert batch.lengths.tolist() == [12, 7, 1]
    members = {letter: letter for letter in alphabet.letters} | dict(alphabet.ambiguity)
    for row, index in enumerate([2, 0, 3]):
        text = alphabet.decode(sequences[index])
        for position in range(12):
            expected = np.zeros(alphabet.size)
            if position < len(text):
                for letter in members[text[position]]:
                    expected[alphabet.letters.index(letter)] = 1 / len(members[text[position]])
            assert batch.inputs[row, :, position].numpy() == pytest.approx(expected)


def test_reverse_complement_commutes_with_encoding():
    sequences = random_sequences(1, DNA, (30,))
    turned = Sequences.from_list(["s"], [DNA.reverse_complement(sequences[0])], DNA)
    there = EncodedSequences(sequences).batch(torch.tensor([0])).inputs
    back = EncodedSequences(turned).batch(torch.tensor([0])).inputs
    assert torch.equal(there.flip(2).flip(1), back)  # letters ACGT: the complement is the mirror image


@given(st.integers(0, 1000), st.lists(st.integers(0, 3), min_size=1, max_size=6))
@settings(max_examples=25)
def test_an_example_is_the_same_in_any_batch(seed, indices):
    sequences = random_sequences(seed, DNA)
    tracks = np.random.default_rng(seed).normal(size=(2, 23)).astype(np.float32)
    encoded = EncodedSequences(sequences, tracks, SCALES)
    batch = encoded.batch(torch.tensor(indices))
    for row, index in enumerate(indices):
        alone = encoded.batch(torch.tensor([index])).inputs
        length = alone.shape[2]
        assert torch.equal(batch.inputs[row, :, :length], alone[0])
        assert not batch.inputs[row, :, length:].any()


def test_tracks_are_scaled_and_missing_values_are_the_mean():
    sequences = random_sequences(0, DNA, (3, 2))
    tracks = np.array([[2, 6, np.nan, -2, 10], [-1, 0, 1, np.nan, np.nan]], dtype=np.float32)
    inputs = EncodedSequences(sequences, tracks, SCALES).batch(torch.tensor([1, 0])).inputs
    assert inputs.shape == (2, 6, 3)
    assert inputs[1, 4:].tolist() == [[0, 1, 0], [0, 2, 4]]
    assert inputs[0, 4:].tolist() == [[-1, 2, 0], [0, 0, 0]]


@pytest.mark.parametrize("tracks", [None, np.zeros((1, 4), dtype=np.float32)])
def test_scales_without_their_tracks_are_refused(tracks):
    with pytest.raises(ValueError, match=r"^2 scales need as many tracks$"):
        EncodedSequences(random_sequences(0, DNA, (4,)), tracks, SCALES)


def test_scales_are_moments_of_what_is_known():
    track = np.random.default_rng(0).normal(5, 3, 200).astype(np.float32)
    track[::7] = np.nan
    first, second = track_scales(("x", "y"), np.stack([track, -track]))
    known = [float(value) for value in track if value == value]
    mean = sum(known) / len(known)
    deviation = (sum((value - mean) ** 2 for value in known) / len(known)) ** 0.5
    assert (first.name, first.mean, first.deviation) == ("x", pytest.approx(mean), pytest.approx(deviation))
    assert (second.name, second.mean, second.deviation) == ("y", pytest.approx(-mean), pytest.approx(deviation))


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6 + 0.3, np.nan])
def test_a_track_without_variation_is_zero_everywhere(value):
    """Also where the mean of equal numbers is not quite that number."""
    sequences = random_sequences(0, DNA, (1001,))
    track = np.full((1, 1001), value, dtype=np.float32)
    scales = track_scales(("flat",), track)
    assert scales[0].deviation == 1.0
    inputs = EncodedSequences(sequences, track, scales).batch(torch.tensor([0])).inputs
    assert inputs[0, 4].abs().max() < 1e-6


@pytest.mark.parametrize("on_disk", [False, True])
def test_letters_on_disk_stay_there_and_batches_go_to_the_device(on_disk):
    sequences = replace(random_sequences(0, DNA, (6, 4, 5)), on_disk=on_disk)
    tracks = np.arange(30, dtype=np.float32).reshape(2, 15)
    encoded = EncodedSequences(sequences, tracks, SCALES)
    expected = EncodedSequences(random_sequences(0, DNA, (6, 4, 5)), tracks, SCALES)
    for chosen in (torch.tensor([2, 0]), torch.tensor([1])):
        assert torch.equal(encoded.batch(chosen).inputs, expected.batch(chosen).inputs)
    if on_disk:  # a device that computes nothing, but knows where everything lives
        batch = EncodedSequences(sequences, tracks, SCALES, "meta").batch(torch.tensor([2, 0]))
        assert batch.inputs.shape == (2, 6, 6)
        assert {part.device.type for part in (batch.inputs, batch.codes, batch.lengths)} == {"meta"}


def test_other_letters_stand_where_they_are_put_and_nowhere_else():
    sequences = random_sequences(0, DNA)
    encoded, true = EncodedSequences(sequences), [sequences[n].tolist() for n in range(len(sequences))]
    other = (sequences.subset(np.array([2, 0])).codes + 1) % 4
    changed = encoded.with_letters(np.array([2, 0]), other)
    for n in range(len(sequences)):
        one = torch.tensor([n])
        assert encoded.batch(one).codes[0].tolist() == true[n]
        expected = {2: other[:12].tolist(), 0: other[12:].tolist()}.get(n, true[n])
        assert changed.batch(one).codes[0].tolist() == expected


def test_sequences_of_one_length_are_gathered_as_others_are():
    same, mixed = random_sequences(0, DNA, (5, 5, 5)), random_sequences(0, DNA, (5, 5, 5, 9))
    chosen = torch.tensor([2, 1])
    assert torch.equal(EncodedSequences(same).batch(chosen).codes, EncodedSequences(mixed).batch(chosen).codes)


def test_positions_are_those_of_the_letters():
    sequences = random_sequences(0, DNA)
    chosen = np.array([2, 0, 0, 3])
    found = EncodedSequences(sequences).positions_of(torch.from_numpy(chosen))
    assert found.tolist() == sequences.positions_of(chosen).tolist()
