import logging
import subprocess
import sys

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.encoding import EncodedSequences
from motifcnn.learning.calibration import calibrate, weigh
from motifcnn.learning.training import TrainingData, predict_logits
from motifcnn.model.network import MotifNetwork
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings, TrainingSettings
from motifcnn.tracks.activations import logit_offsets

BINARY = Objective("binary", ("bound",), weights=(1.0,))
MODEL = ModelSettings(filters=3, filter_width=8, restarts=2, strands="both")
SETTINGS = TrainingSettings()


def random_examples(generator, count=600, alphabet=DNA, length=40):
    codes = [generator.integers(0, alphabet.size, length).astype(np.uint8) for _ in range(count)]
    return Sequences.from_list([f"s{n}" for n in range(count)], codes, alphabet)


def data_of(sequences, values, **more):
    third = len(sequences) // 3
    order = np.arange(len(sequences))
    return TrainingData(EncodedSequences(sequences), values, order[:third], order[third : 2 * third], **more)


@pytest.mark.parametrize("sureness", [0.2, 1.0, 5.0])
def test_a_network_without_words_is_made_as_sure_as_the_validation_set_says(generator, sureness):
    """Labels are drawn from the logits; a network that is five times as sure comes back to them."""
    sequences = random_examples(generator, 6000, PROTEIN)
    network = MotifNetwork(ModelSettings(filters=3, filter_width=8, strands="single"), PROTEIN, 0, 1, seed=2).eval()
    encoded, everything = EncodedSequences(sequences), np.arange(len(sequences))
    spread = predict_logits(network, encoded, everything).std().item()
    with torch.no_grad():
        network.head.mul_(2.0 / spread)
        network.bias.sub_(predict_logits(network, encoded, everything).mean())
    true = predict_logits(network, encoded, everything)
    values = (generator.random((len(sequences), 1)) < true.sigmoid().numpy()).astype(np.float32)
    with torch.no_grad():
        network.head.mul_(sureness)
        network.bias.mul_(sureness).add_(3.0)
    calibrate(network, BINARY, data_of(sequences, values), sequences, SETTINGS)
    found = predict_logits(network, encoded, everything)
    assert network.words is None
    slope, offset = np.polyfit(true[:, 0].numpy(), found[:, 0].numpy(), 1)
    assert slope == pytest.approx(1.0, abs=0.3)
    assert offset == pytest.approx(0.0, abs=0.5)


def test_the_sum_is_the_shares_of_both(generator, caplog):
    sequences = random_examples(generator)
    values = (np.arange(len(sequences)) % 2).astype(np.float32)[:, None]
    encoded, everything = EncodedSequences(sequences), np.arange(len(sequences))
    network, before = (MotifNetwork(MODEL, DNA, 0, 1, seed=2).eval() for _ in range(2))
    with caplog.at_level(logging.INFO, "motifcnn.learning.calibration"):
        calibrate(network, BINARY, data_of(sequences, values), sequences, SETTINGS)
    assert "logits of the filters are multiplied by" in caplog.text
    assert "sums of words are multiplied by" in caplog.text
    share = (network.head.sum() / before.head.sum()).item()
    alone = predict_logits(before, encoded, everything)
    words = network.words(encoded.batch(torch.from_numpy(everything)))
    found = predict_logits(network, encoded, everything)
    assert torch.allclose(alone * share + words + logit_offsets(network).item(), found, atol=1e-4)


def test_values_of_bases_are_weighed_too(generator):
    sequences = random_examples(generator, 60)
    model = ModelSettings(architecture="unet", filters=4, filter_width=7, restarts=1, pool=1, strands="both")
    network = MotifNetwork(model, DNA, 0, 1, seed=2).eval()
    encoded, everything = EncodedSequences(sequences), np.arange(len(sequences))
    before = predict_logits(network, encoded, everything)
    values = (
        (5.0 * before + 0.5 + torch.from_numpy(generator.normal(size=before.shape)) / 10).numpy().astype(np.float32)
    )
    objective = Objective("regression", ("level",), means=(0.0,), deviations=(1.0,))
    calibrate(network, objective, data_of(sequences, values, per_base=True), sequences, SETTINGS)
    found = predict_logits(network, encoded, everything)
    assert network.words is None
    assert np.square(found.numpy() - values).mean() < 0.2 * np.square(before.numpy() - values).mean()


def truth_and_noise(generator, count):
    values = (np.arange(count) % 2).astype(np.float32)[:, None]
    good = torch.from_numpy(3 * (values - 0.5) + generator.normal(size=(count, 1)).astype(np.float32))
    noise = torch.from_numpy(generator.normal(size=(count, 1)).astype(np.float32))
    return torch.from_numpy(values), good, noise


def test_shares_follow_the_validation_set_where_it_is_large(generator):
    values, good, noise = truth_and_noise(generator, 2000)
    (filters, words), _ = weigh(BINARY, torch.stack([good, noise]), values)
    assert filters > 1.5
    assert 0 <= words < 0.25
    (filters, words), _ = weigh(BINARY, torch.stack([noise, good]), values)
    assert words > 1.5
    assert 0 <= filters < 0.25


def test_shares_stay_near_the_likely_ones_where_it_is_small_or_empty(generator):
    values, good, noise = truth_and_noise(generator, 4)
    (filters, words), _ = weigh(BINARY, torch.stack([good, noise]), values)
    assert filters == pytest.approx(0.6, abs=0.25)
    assert words == pytest.approx(0.4, abs=0.25)
    shares, offset = weigh(BINARY, torch.empty(2, 0, 1), torch.empty(0, 1))
    assert shares == pytest.approx((0.6, 0.4))
    assert offset.tolist() == [0.0]


def test_no_share_is_negative(generator):
    values, good, noise = truth_and_noise(generator, 2000)
    (filters, words), _ = weigh(BINARY, torch.stack([good, -good + noise]), values)
    assert filters > 0
    assert words == 0


def test_offsets_follow_each_output(generator):
    values, good, noise = truth_and_noise(generator, 2000)
    logits = torch.stack([good.repeat(1, 2) + torch.tensor([0.0, 2.0]), noise.repeat(1, 2)])
    objective = Objective("multi-label", ("a", "b"), weights=(1.0, 1.0))
    _, offset = weigh(objective, logits, values.repeat(1, 2))
    assert offset[0] == pytest.approx(0.0, abs=0.3)
    assert offset[1] < -1.5


def test_one_alone_keeps_the_order_whatever_the_validation_set_says(generator):
    values, good, _ = truth_and_noise(generator, 2000)
    (share,), _ = weigh(BINARY, -good[None], values)
    assert 0 < share < 0.1
    (share,), offset = weigh(BINARY, torch.empty(1, 0, 1), torch.empty(0, 1))
    assert share == pytest.approx(1.0)
    assert offset.tolist() == [0.0]


def test_pytorchs_compiler_is_not_imported():
    code = (
        "import sys, torch\nfrom motifcnn.learning.calibration import weigh\n"
        "from motifcnn.objectives import Objective\n"
        "weigh(Objective('binary', ('bound',), weights=(1.0,)), torch.randn(1, 9, 1), torch.ones(9, 1))\n"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
