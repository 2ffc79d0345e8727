"""What tells classes apart without any letter is found, and what chance or a letter more or less does is not."""

import logging
from pathlib import Path

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.inputs.examples import Examples
from motifcnn.inputs.uneven import lengths_tell, warn_of_uneven_lengths
from motifcnn.preparation import fit_model
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings


def examples_of(lengths, values, task="binary", classes=()):
    codes = [np.zeros(length, dtype=np.uint8) for length in lengths]
    values = np.array(values, dtype=np.float32).reshape(len(lengths), -1)
    return Examples(
        Sequences.from_list([f"s{n}" for n in range(len(lengths))], codes, DNA),
        task,
        tuple(f"t{n}" for n in range(values.shape[1])),
        classes,
        values,
        np.empty((0, sum(lengths)), dtype=np.float32),
        (),
        np.zeros(len(lengths), dtype=np.int8),
    )


def varied(generator, number=200, low=180, high=220):
    return generator.integers(low, high, number).tolist()


@pytest.mark.parametrize(
    ("of_positives", "of_others", "told"),
    [
        ([200] * 200, [240] * 200, True),
        ([200] * 200, "varied", True),  # the same in the middle
        ([200] * 200, [201] * 100 + [202] * 100, False),  # how an end is counted
        ("varied", "varied", False),
        ([200] * 5, [240] * 3, False),  # too few to say
    ],
)
def test_lengths_that_tell_classes_are_found(generator, caplog, of_positives, of_others, told):
    positives, others = (varied(generator) if part == "varied" else part for part in (of_positives, of_others))
    examples = examples_of(positives + others, [1] * len(positives) + [0] * len(others))
    assert lengths_tell(examples) == told
    with caplog.at_level(logging.WARNING, "motifcnn"):
        warn_of_uneven_lengths(examples)
    assert len(caplog.messages) == told
    if told:
        assert "sequences of 't0' have lengths of 200 letters, the others of" in caplog.text
    assert fit_model(ModelSettings(), examples, Path("s.fa")).placement == (not told)
    assert not fit_model(ModelSettings(placement=False), examples, Path("s.fa")).placement


def test_each_task_has_its_groups(generator):
    lengths = np.array(varied(generator, 300, 100, 300))
    noise = generator.normal(size=300)
    long = lengths > 200
    assert lengths_tell(examples_of(lengths.tolist(), lengths + noise, "regression"))
    assert not lengths_tell(examples_of(lengths.tolist(), noise, "regression"))
    several = np.column_stack([generator.integers(0, 2, 300), np.where(generator.random(300) < 0.3, np.nan, long)])
    assert lengths_tell(examples_of(lengths.tolist(), several, "multi-label"))
    assert not lengths_tell(examples_of(lengths.tolist(), several[:, :1], "multi-label"))
    classes = np.where(long, 2, generator.integers(0, 2, 300))
    assert lengths_tell(examples_of(lengths.tolist(), classes, "classes", ("a", "b", "c")))
    assert not lengths_tell(examples_of(lengths.tolist(), generator.permutation(classes), "classes", ("a", "b", "c")))


def test_one_class_alone_tells_nothing():
    assert not lengths_tell(examples_of([100, 200] * 50, [1] * 100))
