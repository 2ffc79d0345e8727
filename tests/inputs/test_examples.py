import logging
import time

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.fasta import read_fasta
from motifcnn.formats.labels import Labels, read_labels
from motifcnn.inputs.examples import assign_splits, join
from motifcnn.sequences import Sequences
from motifcnn.settings import SplitSettings

NAN = np.nan


def random_sequences(generator, names, length=60):
    codes = [generator.integers(0, 4, length, dtype=np.uint8) for _ in names]
    return Sequences.from_list(list(names), codes, DNA)


def labels_of(names, *columns, task="binary", classes=()):
    values = np.array(columns, dtype=np.float32).T
    targets = tuple(f"target{i}" for i in range(len(columns)))
    return Labels(tuple(names), task, targets, tuple(classes), values, np.arange(len(names), dtype=np.int64) + 2)


def joined(sequences, labels, *, allow_missing=False):
    return join(sequences, labels, allow_missing=allow_missing, sequences_path="seqs.fa", labels_path="labels.tsv")


def refusal(sequences, labels, *, allow_missing=False):
    with pytest.raises(InputError) as caught:
        joined(sequences, labels, allow_missing=allow_missing)
    assert "\n" not in str(caught.value)
    return caught.value


def names_of(count):
    return [f"s{i}" for i in range(count)]


@pytest.fixture
def binary(generator):
    """Examples with two targets' worth of labels: 300 sequences, one third positives."""
    names = names_of(300)
    return joined(random_sequences(generator, names), labels_of(names, np.arange(300) % 3 == 0))[0]


# --- join


def test_labels_are_joined_by_name_in_the_order_of_the_sequences(generator):
    names = names_of(40)
    sequences = random_sequences(generator, names)
    turned = names[::-1]
    examples, report = joined(sequences, labels_of(turned, [i % 2 for i in range(40)], [i < 10 for i in range(40)]))
    assert report == []
    assert examples.sequences.names == tuple(names)
    np.testing.assert_array_equal(examples.values[:, 0], [(39 - i) % 2 for i in range(40)])
    np.testing.assert_array_equal(examples.values[:, 1], [39 - i < 10 for i in range(40)])
    assert (examples.targets, examples.task, examples.classes) == (("target0", "target1"), "binary", ())
    assert len(examples) == 40
    assert examples.tracks.shape == (0, 40 * 60)
    assert examples.part("train").tolist() == list(range(40))


def test_names_that_do_not_match_are_refused_with_counts_and_names(generator):
    names = names_of(40)
    sequences = random_sequences(generator, names)
    error = refusal(sequences, labels_of([*names[:35], "x"], np.arange(36) % 2))
    assert error.message == (
        "1 label without a sequence (x) and 5 sequences without a label (s35, s36, s37, …); "
        "mend the names, or go on with the 35 that have both: --allow-missing"
    )
    assert (error.path, error.line) == ("labels.tsv", 37)
    error = refusal(sequences, labels_of(names[:39], np.arange(39) % 2))
    assert error.message.startswith("1 sequence without a label (s39); mend")
    assert error.line is None
    error = refusal(sequences, labels_of([*names, "x", "y"], np.arange(42) % 2))
    assert error.message.startswith("2 labels without a sequence (x, y); mend")


def test_missing_ones_are_left_out_when_allowed(generator):
    names = names_of(40)
    sequences = random_sequences(generator, names)
    examples, report = joined(sequences, labels_of([*names[2:], "x"], np.arange(39) % 2), allow_missing=True)
    assert report == [
        "1 label without a sequence (x) and 2 sequences without a label (s0, s1); "
        "these are left out, 38 examples have both"
    ]
    assert examples.sequences.names == tuple(names[2:])
    np.testing.assert_array_equal(examples.sequences[0], sequences[2])
    np.testing.assert_array_equal(examples.values[:, 0], np.arange(38) % 2)


@pytest.mark.parametrize(
    ("labelled", "remedy"),
    [
        ("chr{}:1-5", "drop 'chr' from the names here"),
        ("{}:1-5 peak", "keep the first word of each name here"),
        (">{}:1-5", "take the '>' off"),
        ("peak{}", "the first column must hold the names of the sequences"),
    ],
)
def test_no_common_name_is_refused_whatever_is_allowed(generator, labelled, remedy):
    sequences = random_sequences(generator, [f"{i}:1-5" for i in range(30)])
    labels = labels_of([labelled.format(i) for i in range(30)], np.arange(30) % 2)
    error = refusal(sequences, labels, allow_missing=True)
    assert error.message.startswith("no label has a sequence in seqs.fa: names here are ")
    assert "names there are 0:1-5, 1:1-5, 2:1-5, …" in error.message
    assert remedy in error.message


def test_chr_is_missed_in_labels(generator):
    sequences = random_sequences(generator, [f"chr{i}:1-5" for i in range(30)])
    error = refusal(sequences, labels_of([f"{i}:1-5" for i in range(30)], np.arange(30) % 2))
    assert "put 'chr' before the names here" in error.message


@pytest.mark.parametrize(
    ("columns", "task", "classes", "message"),
    [
        ([[1] * 30], "binary", (), "only one class: target 'target0' is 1 in 30 of 30 labels"),
        ([[1] * 26 + [0] * 4], "binary", (), "4 examples of class 0 of 'target0'; at least 5 are needed: add some"),
        ([[NAN] * 11 + [0] * 9 + [1] * 10], "binary", (), "19 examples with a value of 'target0'; at least 20"),
        ([[0, 1] * 15, [1] * 3 + [0] * 27], "multi-label", (), "3 examples of class 1 of 'target1'"),
        ([[0, 1, 2] * 9 + [3] * 3], "classes", "abcd", "at least 5 are needed: add some, or join"),
        ([[0.5] * 30], "regression", (), "target 'target0' is always 0.5"),
        ([[NAN] * 12 + list(range(18))], "regression", (), "18 examples with a value of 'target0'"),
    ],
)  # fmt: skip
def test_too_little_to_learn_from_is_refused(generator, columns, task, classes, message):
    names = names_of(30)
    error = refusal(random_sequences(generator, names), labels_of(names, *columns, task=task, classes=classes))
    assert message in error.message
    assert error.path == "labels.tsv"


def test_one_class_left_after_the_join_is_refused(generator):
    names = names_of(60)
    labels = labels_of(names, np.arange(60) < 30)
    error = refusal(random_sequences(generator, names[:30]), labels, allow_missing=True)
    assert "only one class: target 'target0' is 1 in 30 of 30 labels; add sequences with label 0" in error.message


# --- examples


def test_subsets_keep_everything_aligned(generator):
    lengths = generator.integers(5, 20, 30)
    codes = [generator.integers(0, 4, length, dtype=np.uint8) for length in lengths]
    sequences = Sequences.from_list(names_of(30), codes, DNA)
    examples, _ = joined(sequences, labels_of(names_of(30), np.arange(30) % 2))
    tracks = np.arange(2 * len(sequences.codes), dtype=np.float32).reshape(2, -1)
    examples = examples.with_tracks(tracks, ("first", "second"))
    chosen = np.array([7, 3, 29])
    subset = examples.subset(chosen)
    assert subset.track_names == ("first", "second")
    assert subset.sequences.names == ("s7", "s3", "s29")
    np.testing.assert_array_equal(subset.values, examples.values[chosen])
    for place, index in enumerate(chosen):
        np.testing.assert_array_equal(subset.sequences[place], codes[index])
        start, end = sequences.offsets[index], sequences.offsets[index + 1]
        mine = slice(*subset.sequences.offsets[place : place + 2])
        np.testing.assert_array_equal(subset.tracks[:, mine], tracks[:, start:end])


# --- splits


def test_parts_are_disjoint_complete_and_stratified(binary):
    examples = assign_splits(binary, SplitSettings(), 0)
    parts = [examples.part(part) for part in ("train", "validation", "test")]
    assert sorted(np.concatenate(parts).tolist()) == list(range(300))
    assert [len(part) for part in parts] == [240, 30, 30]
    assert [int(examples.values[part].sum()) for part in parts] == [80, 10, 10]
    assert (binary.split == 0).all()


@pytest.mark.parametrize("seed", [0, 1, 17])
def test_the_split_does_not_depend_on_the_order_or_the_names(binary, generator, seed):
    examples = assign_splits(binary, SplitSettings(), seed)
    order = generator.permutation(300)
    again = assign_splits(binary.subset(order), SplitSettings(), seed)
    np.testing.assert_array_equal(again.split, examples.split[order])


def test_the_seed_decides_the_split(binary):
    assert (assign_splits(binary, SplitSettings(), 0).split != assign_splits(binary, SplitSettings(), 1).split).any()


def test_near_identical_sequences_never_straddle(generator):
    """Copies, windows shifted by half, and both on the other strand."""
    base = [generator.integers(0, 4, 200, dtype=np.uint8) for _ in range(300)]
    sequences, family = [], []
    for number, codes in enumerate(base):
        half = np.concatenate([codes[100:], generator.integers(0, 4, 100, dtype=np.uint8)])
        for relative in [codes, codes, half, DNA.reverse_complement(codes), DNA.reverse_complement(half)][: number % 6]:
            sequences.append(relative)
            family.append(number)
    names = names_of(len(sequences))
    labels = labels_of(names, generator.integers(0, 2, len(names)))
    examples, _ = joined(Sequences.from_list(names, sequences, DNA), labels)
    examples = assign_splits(examples, SplitSettings(), 0)
    family = np.array(family)
    for number in np.unique(family):
        assert len(set(examples.split[family == number].tolist())) == 1
    for part in ("validation", "test"):
        indices = examples.part(part)
        assert len(indices) == pytest.approx(0.1 * len(names), abs=3)
        assert examples.values[indices].sum() == pytest.approx(0.1 * examples.values.sum(), abs=4)


def test_numbers_are_stratified(generator):
    names = names_of(1000)
    values = generator.lognormal(size=1000)
    examples, _ = joined(random_sequences(generator, names), labels_of(names, values, task="regression"))
    examples = assign_splits(examples, SplitSettings(), 0)
    median = np.median(values)
    for part in ("validation", "test"):
        assert len(examples.part(part)) == 100
        assert (examples.values[examples.part(part)] > median).sum() == pytest.approx(50, abs=1)


def test_combinations_of_labels_are_stratified(generator):
    names = names_of(2000)
    columns = generator.random((3, 2000)) < np.array([[0.5], [0.2], [0.05]])
    examples, _ = joined(random_sequences(generator, names), labels_of(names, *columns, task="multi-label"))
    examples = assign_splits(examples, SplitSettings(), 0)
    held_out = examples.values[examples.part("test")]
    np.testing.assert_allclose(held_out.sum(axis=0), 0.1 * examples.values.sum(axis=0), atol=4)


def test_few_examples_of_a_class_reach_every_part(generator):
    names = names_of(20)
    examples, _ = joined(random_sequences(generator, names), labels_of(names, [1] * 5 + [0] * 15))
    examples = assign_splits(examples, SplitSettings(), 0)
    for part in ("train", "validation", "test"):
        assert set(examples.values[examples.part(part), 0].tolist()) == {0, 1}


@pytest.fixture
def located(generator):
    names = [f"chr{1 + i % 5}:{i * 1000}-{i * 1000 + 60}" for i in range(300)]
    return joined(random_sequences(generator, names), labels_of(names, generator.integers(0, 2, 300)))[0]


def test_split_by_chromosome(located):
    chroms = np.arange(300) % 5 + 1
    examples = assign_splits(located, SplitSettings(validation_chroms=("chr2",), test_chroms=("chr3", "chr5")), 0)
    np.testing.assert_array_equal(examples.split, np.select([chroms == 2, (chroms == 3) | (chroms == 5)], [1, 2], 0))
    examples = assign_splits(located, SplitSettings(test_chroms=("chr3",)), 0)
    assert set(chroms[examples.part("test")]) == {3}
    assert len(examples.part("test")) == 60
    assert len(examples.part("validation")) == 24
    examples = assign_splits(located, SplitSettings(validation_chroms=("chr3",)), 0)
    assert set(chroms[examples.part("validation")]) == {3}
    assert len(examples.part("test")) == 24


def test_a_split_by_chromosome_counts_near_identical_sequences_across_the_border(generator, caplog):
    names = [f"chr{1 + i % 2}:{i}-{i + 60}" for i in range(100)]
    sequences = random_sequences(generator, names)
    for i in (1, 3, 5):
        sequences.codes[i * 60 : (i + 1) * 60] = sequences[i - 1]
    examples, _ = joined(sequences, labels_of(names, (np.arange(100) // 2) % 2))
    assign_splits(examples, SplitSettings(test_chroms=("chr2",)), 0)
    assert "3 sequences of the test set are near-identical to training sequences" in caplog.text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (SplitSettings(test_chroms=("chr9",)), "no sequence lies on chr9"),
        (
            SplitSettings(test_chroms=("chr1", "chr2", "chr3"), validation_chroms=("chr4", "chr5")),
            "no example for train",
        ),
    ],
)
def test_chromosomes_that_leave_nothing_are_refused(located, settings, message):
    with pytest.raises(MotifcnnError, match=message):
        assign_splits(located, settings, 0)


def test_chromosomes_with_one_class_only_are_refused(generator):
    names = [f"chr{1 + i // 50}:{i}-{i + 60}" for i in range(100)]
    examples, _ = joined(
        random_sequences(generator, names), labels_of(names, np.arange(100) % 2 * (np.arange(100) < 50))
    )
    with pytest.raises(
        MotifcnnError, match=r"the test set has examples of only one class of 'target0'; choose other chr"
    ):
        assign_splits(examples, SplitSettings(test_chroms=("chr2",)), 0)


def test_variants_of_one_sequence_are_refused_unless_asked_for(generator, caplog):
    names = names_of(200)
    ancestor = generator.integers(0, 4, 60, dtype=np.uint8)
    variants = [ancestor.copy() for _ in names]
    for variant in variants:
        places = generator.choice(60, 2, replace=False)
        variant[places] = (variant[places] + generator.integers(1, 4)) % 4
    examples, _ = joined(Sequences.from_list(names, variants, DNA), labels_of(names, np.arange(200) % 2))
    with pytest.raises(MotifcnnError, match=r"sequences are near-identical and stay together; raise --similarity"):
        assign_splits(examples, SplitSettings(), 0)
    assert "use --similarity 1" in caplog.text
    assert len(assign_splits(examples, SplitSettings(similarity=1.0), 0).part("test")) == pytest.approx(20, abs=3)


def test_contradictions_are_counted(generator, caplog):
    names = names_of(40)
    sequences = random_sequences(generator, names)
    sequences.codes[:60] = sequences[1]
    sequences.codes[120:180] = DNA.reverse_complement(sequences[3])
    sequences.codes[240:300] = sequences[6]
    examples, _ = joined(sequences, labels_of(names, np.arange(40) % 2))
    with caplog.at_level(logging.INFO):
        assign_splits(examples, SplitSettings(), 0)
    assert "2 sequences given more than once, with different labels" in caplog.text
    assert "6 of 40 sequences are near-identical to others; these 3 groups stay together" in caplog.text
    sequences.codes[120:300] = random_sequences(generator, names_of(3)).codes
    examples, _ = joined(sequences, labels_of(names, np.arange(40) % 2))
    with caplog.at_level(logging.INFO):
        assign_splits(examples, SplitSettings(), 0)
    assert "2 of 40 sequences are near-identical to others; this group stays together" in caplog.text


@pytest.mark.slow
def test_thirty_thousand_sequences_take_seconds(generator):
    names = names_of(30_000)
    examples, _ = joined(random_sequences(generator, names, 200), labels_of(names, np.arange(30_000) % 2))
    assign_splits(examples.subset(np.arange(100)), SplitSettings(), 0)  # compiles
    begin = time.perf_counter()
    assign_splits(examples, SplitSettings(), 0)
    assert time.perf_counter() - begin < 10


@pytest.mark.parametrize("factor", ["Reb1", "Rpn4"])
def test_real_examples(real_data, factor):
    folder = real_data / "yeast" / factor
    sequences, labels = read_fasta(folder / "train.fa"), read_labels(folder / "train.labels.tsv")
    examples, report = joined(sequences, labels)
    assert report == []
    examples = assign_splits(examples, SplitSettings(), 0)
    for part in ("validation", "test"):
        held_out = examples.values[examples.part(part)]
        assert len(held_out) == pytest.approx(len(examples) / 10, abs=2)
        assert held_out.mean() == pytest.approx(examples.values.mean(), abs=0.05)
