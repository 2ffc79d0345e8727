import numpy as np

from motifcnn.alphabet import DNA
from motifcnn.inputs.base_targets import BaseTargets
from motifcnn.inputs.examples import Examples
from motifcnn.learning.base_baselines import fit_base_baselines, gc_around, mean_profile
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences


def drawn(generator, lengths):
    codes = [generator.integers(0, 4, length).astype(np.uint8) for length in lengths]
    return Sequences.from_list([f"s{n}" for n in range(len(codes))], codes, DNA)


def test_the_profile_is_the_mean_as_far_from_the_middle(generator):
    sequences = drawn(generator, [5, 3, 5])
    values = np.array([[0], [1], [2], [3], [4], [6], [np.nan], [8], [9], [9], [9], [9], [9]], dtype=np.float32)
    profile = mean_profile(sequences, values, np.arange(8))[:, 0]
    expected = [0, (1 + 6) / 2, 2, (3 + 8) / 2, 4]
    assert np.allclose(profile[:5], expected)
    assert np.allclose(profile[5:8], expected[1:4])
    elsewhere = mean_profile(sequences, values, np.arange(5, 8))[0]
    assert np.allclose(elsewhere, 7)  # of no base so far from the middle; the mean of 6 and 8


def test_gc_is_that_of_letters_around(generator):
    sequences = drawn(generator, [30, 4])
    found = gc_around(sequences, width=7)
    for owner in range(2):
        own = np.isin(sequences[owner], [DNA.letters.index("C"), DNA.letters.index("G")])
        for place in range(len(own)):
            expected = own[max(0, place - 3) : place + 4].mean()
            assert np.isclose(found[sequences.offsets[owner] + place], expected)


def test_each_trivial_model_finds_what_it_can_see(generator):
    """Labels by position, by GC and by a channel: the model that sees it is best."""
    sequences = drawn(generator, [60] * 40)
    place = np.tile(np.arange(60), 40)
    gc, channel = gc_around(sequences), generator.standard_normal(2400)
    truths = {"profile": place > 40, "gc": gc > 0.5, "tracks": channel > 0.3}
    for best, truth in truths.items():
        bases = BaseTargets(("x",), truth[:, None].astype(np.float32), "0/1")
        split = np.repeat([0, 1, 2], [25, 5, 10]).astype(np.int8)
        tracks = channel[None].astype(np.float32)
        tracks[0, ::7] = np.nan
        examples = Examples(
            sequences, "regression", ("x",), (), bases.means(sequences), tracks, ("t",), split, bases
        )  # fmt: skip
        objective = Objective("binary", ("x",), weights=(1.0,))
        found = {item.name: item for item in fit_base_baselines(objective, examples)}
        assert set(found) == {"profile", "gc", "tracks"}
        assert all(item.predictions.shape == (600, 1) for item in found.values())
        scores = {name: item.scores.per_target["x"].auroc for name, item in found.items()}
        assert max(scores, key=scores.get) == best
        assert scores[best] > 0.9
