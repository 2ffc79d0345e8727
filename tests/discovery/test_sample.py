from dataclasses import replace

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.discovery import sample
from motifcnn.discovery.sample import sample_for_motifs
from motifcnn.inputs.examples import Examples
from motifcnn.inputs.splits import TEST
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences

LABELS = Objective("multi-label", ("common", "rare"), weights=(1.0, 1.0))


@pytest.fixture
def examples(generator):
    """1,000 examples in three parts; half and a hundredth of them are positives of the two targets."""
    sequences = Sequences.from_list([f"s{n}" for n in range(1000)], [np.zeros(4, np.uint8)] * 1000, DNA)
    values = np.stack([np.arange(1000) % 2, np.arange(1000) % 100 == 3], axis=1).astype(np.float32)
    values[5, 0] = np.nan
    split = generator.permutation(np.repeat([0, 1, 2], [600, 100, 300])).astype(np.int8)
    none = np.empty((0, 4000), dtype=np.float32)
    return Examples(sequences, "multi-label", LABELS.targets, (), values, none, (), split)


def test_few_examples_are_all_looked_at_and_nothing_is_drawn(examples):
    generator = np.random.default_rng(1)
    assert sample_for_motifs(examples, LABELS, generator).tolist() == list(range(1000))
    assert generator.random() == np.random.default_rng(1).random()


def test_of_many_a_sample_holds_rare_positives_and_both_sides_of_the_split(examples, monkeypatch):
    monkeypatch.setattr(sample, "MOST_SHOWN", 100)
    monkeypatch.setattr(sample, "MOST_TESTED", 40)
    chosen = sample_for_motifs(examples, LABELS, np.random.default_rng(0))
    assert (np.diff(chosen) > 0).all()
    parts, values = examples.split[chosen], examples.values[chosen]
    assert ((parts != TEST).sum(), (parts == TEST).sum()) == (100, 40)
    rare = examples.values[:, 1] == 1
    for held_out in (False, True):
        of_part = (examples.split == TEST) == held_out
        assert values[(parts == TEST) == held_out, 1].sum() == (rare & of_part).sum()  # all ten of them
    assert 0.3 < np.nanmean(values[:, 0]) < 0.8
    again = sample_for_motifs(examples, LABELS, np.random.default_rng(0))
    assert np.array_equal(chosen, again)
    assert not np.array_equal(chosen, sample_for_motifs(examples, LABELS, np.random.default_rng(1)))


def test_one_part_alone_may_be_too_large(examples, monkeypatch):
    monkeypatch.setattr(sample, "MOST_TESTED", 300)
    monkeypatch.setattr(sample, "MOST_SHOWN", 200)
    chosen = sample_for_motifs(replace(examples, split=examples.split), LABELS, np.random.default_rng(0))
    assert set(examples.part("test")) <= set(chosen.tolist())
    assert len(chosen) == 500
