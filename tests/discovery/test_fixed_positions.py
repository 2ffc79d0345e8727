import numpy as np
import pytest

from motifcnn.alphabet import PROTEIN, RNA
from motifcnn.discovery.fixed_positions import LONGEST, fixed_positions
from motifcnn.inputs.examples import Examples
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.significance import rank_auroc

BINARY = Objective("binary", ("binds",), weights=(1.0,))


def examples_of(codes, values, alphabet=PROTEIN, targets=("binds",), task="binary", held_out=100):
    count = len(codes)
    sequences = Sequences.from_list([f"s{n}" for n in range(count)], list(codes), alphabet)
    split = np.zeros(count, dtype=np.int8)
    split[-held_out:] = 2
    none = np.empty((0, len(sequences.codes)), dtype=np.float32)
    return Examples(sequences, task, targets, (), values.astype(np.float32), none, (), split)


def peptides(generator, count=500, length=9, alphabet=PROTEIN):
    codes = generator.integers(0, alphabet.size, (count, length)).astype(np.uint8)
    return codes, np.arange(count) % 2 == 0


def put(codes, rows, position, letters, generator, alphabet=PROTEIN):
    chosen = [alphabet.letters.index(letter) for letter in letters]
    codes[rows, position] = generator.choice(chosen, rows.sum())


def test_anchors_are_recognised(generator):
    codes, positive = peptides(generator)
    put(codes, positive, 1, "LM", generator)
    put(codes, positive, 8, "V", generator)
    put(codes, np.ones(len(codes), dtype=bool), 4, "ST", generator)  # in all sequences: tells nothing
    examples = examples_of(codes, positive[:, None])
    (found,) = fixed_positions(BINARY, examples, 0.05)
    assert found.target == "binds"
    assert set(found.letters[1]) == {"L", "M"}
    assert found.letters[8] == "V"
    assert set(np.flatnonzero(found.e_values <= 0.05)) == {1, 8}
    information = found.motif.information()
    assert information[[1, 8]].min() > 1.5
    assert information[4] < 0.2
    assert (information >= 0).all()
    assert found.motif.sites == 200


def test_auroc_and_p_are_of_held_out_sequences(generator):
    codes, positive = peptides(generator)
    put(codes, positive, 1, "LM", generator)
    examples = examples_of(codes, positive[:, None])
    (found,) = fixed_positions(BINARY, examples, 0.05)
    odds = np.log2(found.motif.probabilities / found.motif.others)
    tested = examples.part("test")
    for position in range(9):
        scores = odds[position][codes[tested, position]]
        assert found.aurocs[position] == pytest.approx(rank_auroc(scores, positive[tested]))
    np.testing.assert_allclose(found.e_values, found.p_values * 9)
    other = codes.copy()
    other[tested] = generator.integers(0, 20, (100, 9))  # the held-out ones have no anchor
    assert fixed_positions(BINARY, examples_of(other, positive[:, None]), 0.05) == []


def test_positions_without_a_preference_are_not_recognised(generator):
    for _ in range(5):
        codes, positive = peptides(generator)
        assert fixed_positions(BINARY, examples_of(codes, positive[:, None]), 0.05 / 5) == []


def test_targets_are_tested_apart(generator):
    codes, positive = peptides(generator, alphabet=RNA)
    put(codes, positive, 3, "G", generator, RNA)
    values = np.stack([positive, generator.random(len(codes)) < 0.5], axis=1).astype(float)
    values[:50, 0] = np.nan
    objective = Objective("multi-label", ("first", "second"), weights=(1.0, 1.0))
    (found,) = fixed_positions(objective, examples_of(codes, values, RNA, ("first", "second"), "multi-label"), 0.05)
    assert (found.target, found.letters[3]) == ("first", "G")
    np.testing.assert_allclose(found.e_values, found.p_values * 18)
    assert found.motif.sites == 175


@pytest.mark.parametrize("length", [4, LONGEST + 1])
def test_only_short_sequences_are_aligned_as_they_stand(generator, length):
    codes, positive = peptides(generator, length=length)
    put(codes, positive, 1, "L", generator)
    assert fixed_positions(BINARY, examples_of(codes, positive[:, None]), 0.05) == []


def test_sequences_of_several_lengths_are_not_aligned(generator):
    codes, positive = peptides(generator)
    put(codes, positive, 1, "L", generator)
    examples = examples_of([*codes[:-1], codes[-1][:8]], positive[:, None])
    assert fixed_positions(BINARY, examples, 0.05) == []


def test_few_held_out_sequences_tell_nothing(generator):
    codes, positive = peptides(generator)
    put(codes, positive, 1, "L", generator)
    assert fixed_positions(BINARY, examples_of(codes, positive[:, None], held_out=8), 0.05) == []


def test_ambiguous_letters_count_as_fractions(generator):
    codes, positive = peptides(generator)
    codes[positive, 2] = PROTEIN.symbols.index("B")
    (found,) = fixed_positions(BINARY, examples_of(codes, positive[:, None]), 0.05)
    shares = dict(zip(PROTEIN.letters, found.motif.probabilities[2], strict=True))
    assert shares["D"] == pytest.approx(0.5, abs=0.02)
    assert shares["N"] == pytest.approx(0.5, abs=0.02)
