from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.alphabet import DNA
from motifcnn.errors import MotifcnnError
from motifcnn.inputs.backgrounds import shuffle
from motifcnn.inputs.examples import Examples
from motifcnn.inputs.near_identical import Clusters, find_clusters
from motifcnn.learning.folds import divide_into_folds, even_folds
from motifcnn.sequences import Sequences
from motifcnn.settings import FoldSettings, SplitSettings

SPLIT = SplitSettings()
PLACES = ["chr1"] * 40 + ["chr2"] * 30 + ["chr10"] * 20 + ["chr3"] * 10
NOT_HELD_OUT = {"chr1": 60, "chr2": 70, "chr10": 80, "chr3": 90}


def examples_of(generator, chroms=None, copies=0):
    """100 sequences, every second one positive; the first ones once more at the end."""
    codes = [generator.integers(0, 4, 60).astype(np.uint8) for _ in range(100 - copies)]
    codes += [codes[number].copy() for number in range(copies)]
    names = [f"s{n}" if chroms is None else f"{chroms[n]}:{100 * n}-{100 * n + 60}" for n in range(100)]
    sequences = Sequences.from_list(names, codes, DNA)
    values = (np.arange(100) % 2)[:, None].astype(np.float32)
    tracks, split = np.empty((0, 6000), dtype=np.float32), np.zeros(100, dtype=np.int8)
    return Examples(sequences, "binary", ("label",), (), values, tracks, (), split)


def folds_of(examples, folds=0, chroms=(), seed=0):
    return divide_into_folds(examples, FoldSettings(folds, chroms), SPLIT, seed)


def test_there_are_none_by_default(generator):
    assert folds_of(examples_of(generator)) == ()
    assert FoldSettings() == FoldSettings(0, ())


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), min_size=1, max_size=80),
    st.integers(2, 6),
    st.integers(0),
)
def test_even_folds_keep_clusters_whole_and_do_not_depend_on_the_order(rows, count, seed):
    groups, members = (np.array(column) for column in zip(*rows, strict=True))
    hashes = np.random.default_rng(5).integers(0, 2**64, len(rows), dtype=np.uint64)
    seed %= 2**32
    found = even_folds(groups, Clusters(members, hashes), count, seed)
    assert set(found.tolist()) <= set(range(count))
    assert all(len(set(found[members == member])) == 1 for member in members)
    again = even_folds(groups[::-1], Clusters(members[::-1], hashes[::-1]), count, seed)
    if len(set(members)) == len(rows):
        assert again[::-1].tolist() == found.tolist()


@pytest.mark.parametrize("count", [2, 3, 5, 10])
def test_each_example_is_held_out_once_and_targets_are_even(generator, count):
    examples = examples_of(generator)
    folds = folds_of(examples, count)
    assert [fold.name for fold in folds] == [str(n + 1) for n in range(count)]
    assert sorted(np.concatenate([fold.examples.part("test") for fold in folds])) == list(range(100))
    for fold in folds:
        parts = [len(fold.examples.part(part)) for part in ("train", "validation", "test")]
        assert sum(parts) == 100
        assert abs(parts[2] - 100 / count) <= 2
        assert parts[1] == pytest.approx(0.1 * (100 - parts[2]), abs=2)
        assert examples.values[fold.examples.part("test")].mean() == pytest.approx(0.5, abs=0.1)
    other = folds_of(examples, count, seed=1)
    assert not np.array_equal(folds[0].examples.split, other[0].examples.split)


def test_near_identical_sequences_never_straddle(generator):
    examples = examples_of(generator, copies=30)
    members = find_clusters(examples.sequences, SPLIT.similarity).members
    assert len(set(members)) == 70
    for fold in folds_of(examples, 5):
        parts = {member: {*fold.examples.split[members == member]} for member in members}
        assert all(len(found) == 1 for found in parts.values())


def test_a_sequence_and_its_shuffle_never_straddle(generator):
    examples = examples_of(generator)
    codes = [examples.sequences[number] for number in range(50)]
    order = generator.permutation(50)
    codes += [shuffle(codes[number], 2, generator) for number in order.tolist()]
    sequences = Sequences.from_list(examples.sequences.names, codes, DNA)
    paired = replace(examples, sequences=sequences, values=(np.arange(100) < 50).astype(np.float32)[:, None])
    for fold in folds_of(paired, 5):
        assert fold.examples.split[50:].tolist() == fold.examples.split[order].tolist()
        assert [len(fold.examples.part(part)) for part in ("train", "validation", "test")] == [72, 8, 20]


def test_each_named_chromosome_is_held_out(generator):
    examples = examples_of(generator, PLACES)
    folds = folds_of(examples, chroms=("chr3", "chr1"))
    assert [fold.name for fold in folds] == ["chr3", "chr1"]
    for fold in folds:
        held_out = {examples.sequences.names[i].split(":")[0] for i in fold.examples.part("test")}
        assert held_out == {fold.name}
        assert len(fold.examples.part("train")) + len(fold.examples.part("validation")) == NOT_HELD_OUT[fold.name]
    assert [fold.name for fold in folds_of(examples, chroms=("all",))] == ["chr1", "chr2", "chr3", "chr10"]


def test_chromosomes_in_as_many_groups_as_folds(generator):
    examples = examples_of(generator, PLACES)
    folds = folds_of(examples, 2, ("all",))
    assert [fold.name for fold in folds] == ["chr1,chr3", "chr2,chr10"]
    assert [len(fold.examples.part("test")) for fold in folds] == [50, 50]


def test_what_is_like_a_held_out_sequence_is_left_out_of_training(generator):
    places = ["chr1"] * 50 + ["chr2"] * 50
    examples = examples_of(generator, places, copies=20)  # the last 20 of chr2 are the first 20 of chr1
    one, two = folds_of(examples, chroms=("all",))
    assert (one.examples.split[80:] == -1).all()
    assert (two.examples.split[:20] == -1).all()
    assert len(one.examples.part("train")) + len(one.examples.part("validation")) == 30


@pytest.mark.parametrize(
    ("folds", "chroms", "message"),
    [
        (0, ("chr4",), r"^--holdout-chroms: no sequence lies on chr4; .*the chromosomes are chr1, chr2, chr3, chr10$"),
        (3, ("chr1", "chr2"), r"^--folds 3: --holdout-chroms names 2 chromosomes; each fold needs one$"),
        (300, (), r"^fold \d+ leaves no example for test; ask for fewer or other folds$"),
    ],
)
def test_what_cannot_be_divided_is_refused(generator, folds, chroms, message):
    with pytest.raises(MotifcnnError, match=message):
        folds_of(examples_of(generator, PLACES), folds, chroms)


def test_names_without_coordinates_are_refused(generator):
    with pytest.raises(MotifcnnError, match=r"100 of 100 have none \(s0, s1, s2\); leave --holdout-chroms out$"):
        folds_of(examples_of(generator), chroms=("all",))


def test_one_class_on_a_chromosome_is_refused(generator):
    examples = examples_of(generator, PLACES)
    values = examples.values.copy()
    values[90:] = 1
    with pytest.raises(MotifcnnError, match="fold chr3 has examples of only one class for test"):
        folds_of(replace(examples, values=values), chroms=("all",))
