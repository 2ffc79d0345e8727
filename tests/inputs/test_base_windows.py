import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.alphabet import DNA
from motifcnn.inputs.base_targets import BaseTargets
from motifcnn.inputs.base_windows import base_windows, sited_examples
from motifcnn.inputs.examples import Examples
from motifcnn.sequences import Sequences

NAN = np.nan


def examples_of(values, kind="0/1", names=None, split=None):
    """Examples from each sequence's values, shape [position] or [position, target]; letters are drawn."""
    generator = np.random.default_rng(0)
    columns = [np.array(own, dtype=np.float32).reshape(len(own), -1) for own in values]
    codes = [generator.integers(0, 4, len(own)).astype(np.uint8) for own in columns]
    sequences = Sequences.from_list(names or [f"s{n}" for n in range(len(columns))], codes, DNA)
    count = columns[0].shape[1]
    bases = BaseTargets(tuple(f"t{n}" for n in range(count)), np.concatenate(columns), kind)
    tracks = np.arange(len(sequences.codes), dtype=np.float32)[None]
    split = np.array(split or [0] * len(columns), dtype=np.int8)
    return Examples(sequences, "regression", bases.names, (), bases.means(sequences), tracks, ("t",), split, bases)


def test_windows_lie_around_labels_and_in_the_gaps_between():
    values = np.zeros(100)
    values[40:46] = 1  # middle 43: window 33 to 53
    windows = base_windows(examples_of([values]), 20)
    assert windows.sequences.names == ("s0:0-20", "s0:33-53", "s0:53-73", "s0:73-93")
    assert windows.values[:, 0].tolist() == [0, 1, 0, 0]
    assert windows.task == "binary"
    assert windows.bases is None


def test_letters_tracks_and_parts_are_those_of_the_sequence():
    examples = examples_of([np.zeros(50), np.r_[np.zeros(20), np.ones(4), np.zeros(20)]], split=[2, 0])
    windows = base_windows(examples, 20)
    assert windows.sequences.names == ("s0:0-20", "s0:20-40", "s1:12-32")
    assert windows.split.tolist() == [2, 2, 0]
    assert windows.sequences[2].tolist() == examples.sequences[1][12:32].tolist()
    assert windows.tracks[0, 40:].tolist() == list(range(62, 82))


def test_places_are_those_of_the_chromosome():
    values = np.zeros(50)
    values[5:9] = 1
    names = ["chr1:100-150", "chr2:100-150(-)"]
    windows = base_windows(examples_of([values, values], names=names), 20)
    assert windows.sequences.names[0] == "chr1:100-120"
    assert windows.sequences.names[2] == "chr2:130-150(-)"


def test_long_stretches_make_several_windows_and_near_ones_share_one():
    long = np.r_[np.zeros(30), np.ones(50), np.zeros(30)]
    windows = base_windows(examples_of([long]), 20)
    assert windows.values[:, 0].tolist() == [0, 1, 1, 1, 0]
    near = np.zeros(60)
    near[[20, 25, 35]] = 1
    windows = base_windows(examples_of([near]), 20)
    assert windows.sequences.names == ("s0:10-30", "s0:30-50")
    assert windows.values[:, 0].tolist() == [1, 1]


def test_several_targets_have_labels_of_their_own():
    values = np.zeros((60, 2))
    values[10:14, 0], values[40:44, 1] = 1, NAN
    values[50:54, 1] = 1
    windows = base_windows(examples_of([values]), 20)
    assert windows.task == "multi-label"
    assert windows.sequences.names == ("s0:2-22", "s0:40-60")
    assert windows.values.tolist() == [[1, 0], [0, 1]]


def test_numbers_have_means_and_windows_without_any_are_left_out():
    values = np.r_[np.full(20, 2.0), np.full(20, NAN), np.arange(20.0)]
    windows = base_windows(examples_of([values], "counts"), 20)
    assert windows.task == "regression"
    assert windows.sequences.names == ("s0:0-20", "s0:40-60")
    assert windows.values[:, 0].tolist() == [2.0, 9.5]


def test_a_sequence_shorter_than_a_window_is_one():
    windows = base_windows(examples_of([np.r_[0, 1, np.zeros(8)], np.zeros(5)]), 20)
    assert windows.sequences.names == ("s0:0-10", "s1:0-5")
    assert windows.values[:, 0].tolist() == [1, 0]


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=70), min_size=1, max_size=3), st.integers(1, 30))
def test_windows_are_apart_in_place_and_labelled_by_their_bases(values, width):
    examples = examples_of(values)
    windows = base_windows(examples, width)
    last = {}
    for name, label, codes in zip(
        windows.sequences.names,
        windows.values[:, 0],
        map(windows.sequences.__getitem__, range(len(windows))),
        strict=True,
    ):
        owner, place = name.split(":")
        start, end = map(int, place.split("-"))
        number = int(owner[1:])
        assert start >= last.get(owner, 0)
        last[owner] = end
        assert end - start == min(width, len(values[number]))
        assert codes.tolist() == examples.sequences[number][start:end].tolist()
        assert label == any(values[number][start:end])


@pytest.mark.parametrize("per_base", [True, False])
def test_only_values_of_bases_need_windows(per_base):
    examples = examples_of([np.r_[np.zeros(60), 1, np.zeros(60)]])
    if not per_base:
        examples = Examples(**{**vars(examples), "bases": None})
    sited = sited_examples(examples, 10)
    assert (sited is examples) == (not per_base)
    if per_base:
        assert set(sited.sequences.lengths.tolist()) == {30}
