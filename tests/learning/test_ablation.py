from dataclasses import replace

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA
from motifcnn.encoding import EncodedSequences, track_scales
from motifcnn.inputs.examples import Examples
from motifcnn.learning.ablation import ablate, compare_models
from motifcnn.learning.training import TrainingData, predict_logits, train
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings, TrainingSettings
from motifcnn.significance import rank_auroc

BINARY = Objective("binary", ("bound",), weights=(1.0,))
CASES = {
    "binary": (BINARY, 1),
    "multi-label": (Objective("multi-label", ("a", "b"), weights=(1.0, 1.0)), 2),
    "classes": (Objective("classes", ("kind",), ("x", "y", "z"), weights=(1.0,) * 3), 3),
    "regression": (Objective("regression", ("level",), means=(0.0,), deviations=(1.0,)), 1),
}


@pytest.mark.parametrize("task", CASES)
def test_a_better_model_is_told_from_a_worse_one(task, generator):
    objective, outputs = CASES[task]
    if task == "classes":
        values = generator.integers(0, 3, (150, 1)).astype(np.float32)
        truth = (values == np.arange(3)).astype(float)
    elif task == "regression":
        values = generator.normal(size=(150, 1)).astype(np.float32)
        truth = values.copy()
    else:
        values = generator.integers(0, 2, (150, outputs)).astype(np.float32)
        truth = values.copy()
    if task == "multi-label":
        values[:20, 1] = np.nan
    noise = generator.normal(size=(2, 150, outputs))
    found = compare_models(objective, values, truth + 0.5 * noise[0], truth + 3 * noise[1], generator)
    assert list(found.per_target) == list(objective.output_names)
    assert found.measure == ("pearson" if task == "regression" else "auroc")
    for test in (found.overall, *found.per_target.values()):
        assert test.difference > 0.1
        assert test.p_value < 0.01
    if task in {"binary", "regression"}:
        assert found.overall is next(iter(found.per_target.values()))
        assert found.overall.method == ("DeLong" if task == "binary" else "permutation")
    else:
        assert found.overall.method == "permutation"
        means = [np.mean([getattr(t, side) for t in found.per_target.values()]) for side in ("first", "second")]
        assert [found.overall.first, found.overall.second] == pytest.approx(means)
    if task == "multi-label":
        known = ~np.isnan(values[:, 1])
        expected = rank_auroc((truth + 0.5 * noise[0])[known, 1], values[known, 1] == 1)
        assert found.per_target["b"].first == pytest.approx(expected)
    same = compare_models(objective, values, truth + noise[0], truth + noise[0], generator)
    assert same.overall.p_value == 1


def test_a_track_that_tells_the_labels_adds_what_letters_cannot(generator):
    """Random letters, and a track with a bump in the positives alone."""
    count, length = 400, 20
    sequences = Sequences.from_list(
        [f"s{n}" for n in range(count)], list(generator.integers(0, 4, (count, length)).astype(np.uint8)), DNA
    )
    values = (np.arange(count) % 2).astype(np.float32)[:, None]
    bumps = generator.normal(size=(count, length)).astype(np.float32)
    bumps[values[:, 0] == 1, 8:12] += 3
    split = np.repeat([0, 1, 2], [240, 60, 100]).astype(np.int8)
    examples = Examples(sequences, "binary", ("bound",), (), values, bumps.reshape(1, -1), ("bumps",), split)
    settings = ModelSettings(filters=4, filter_width=5, restarts=1, strands="both", dropout=0.0)
    training = replace(TrainingSettings(), epochs=8)
    network = MotifNetwork(settings, DNA, 1, 1, seed=0)
    scales = track_scales(("bumps",), examples.tracks)
    encoded = EncodedSequences(sequences, examples.tracks, scales)
    train(network, BINARY, TrainingData(encoded, values, np.arange(240), np.arange(240, 300)), training, seed=0)
    model = TrainedModel(network, BINARY, DNA, scales)
    everything = predict_logits(network, encoded, np.arange(count))
    predictions = BINARY.predictions(everything).numpy()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    found = ablate(model, predictions, examples, training, 0, generator)
    assert found.overall.first == pytest.approx(rank_auroc(predictions[300:, 0].astype(float), values[300:, 0] == 1))
    assert found.overall.first > 0.9
    assert found.overall.second < 0.7
    assert found.overall.p_value < 1e-6
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
