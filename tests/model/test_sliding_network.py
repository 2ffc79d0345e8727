"""A network in sliding windows: what it says of each by itself, whatever follows the first layer."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.encoding import EncodedSequences
from motifcnn.model import sliding_network
from motifcnn.model.architectures import ARCHITECTURES
from motifcnn.model.filters import ScoreNorm
from motifcnn.model.network import MotifNetwork, resolve
from motifcnn.model.sliding_network import SlidingNetwork
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings

SMALL = ModelSettings(filters=5, filter_width=7, restarts=2)
FURTHER = replace(SMALL, pool=3, conv_layers=2, conv_filters=4, conv_width=3)
NETWORKS = {
    "average": replace(SMALL, summary="average"),
    "one strand, even width": replace(SMALL, summary="average", strands="single", filter_width=8, pool=4),
    "exponential": replace(FURTHER, activation="exp"),
    "no pool": replace(FURTHER, pool=1),
    "the whole window pooled": replace(FURTHER, pool=0),
    "a pool wider than windows": replace(FURTHER, pool=90),
    "a pool of most of a window": replace(FURTHER, pool=29),
    "two cells, both cut short": replace(FURTHER, pool=20, filter_width=19, summary="dense"),
    "gates": replace(FURTHER, squeeze=True),
    "u-net": replace(FURTHER, conv_layers=1, conv_block="unet"),
    "atrous pyramid": replace(FURTHER, conv_layers=1, conv_block="aspp", summary="average"),
    "all positions": replace(FURTHER, summary="dense"),
    **{
        name: replace(SMALL, architecture=name)
        for name, architecture in ARCHITECTURES.items()
        if architecture.summary != "bases" and (architecture.stages or architecture.summary != "maximum")
    },
}


def network_of(settings, alphabet=DNA):
    network = MotifNetwork(resolve(settings, alphabet, torch.tensor([41])), alphabet, 0, 2, 3).eval()
    generator = torch.Generator().manual_seed(1)
    network.head.data.mul_(5)
    for module in network.modules():
        if isinstance(module, ScoreNorm):  # as after training: a masked place does not look like a score of 0
            module.running_mean.normal_(0, 0.3, generator=generator)
            module.running_variance.uniform_(0.5, 1.5, generator=generator)
            torch.nn.init.normal_(module.shift, 0.3, 0.3, generator=generator)
    return network


def letters(length, seed=0, alphabet=DNA):
    generator = np.random.default_rng(seed)
    codes = generator.integers(0, alphabet.size, length).astype(np.uint8)
    codes[generator.random(length) < 0.05] = alphabet.unknown
    codes[generator.random(length) < 0.05] = alphabet.size + 2
    return codes


def each_by_itself(network, codes, width, stride):
    windows = [codes[at : at + width] for at in range(0, len(codes) - width + 1, stride)]
    sequences = Sequences.from_list(list(map(str, range(len(windows)))), windows, network.filters.alphabet)
    return network.logits(EncodedSequences(sequences).batch(torch.arange(len(windows))))


@pytest.mark.parametrize("name", NETWORKS)
def test_each_window_has_the_logits_that_it_has_by_itself(monkeypatch, name):
    monkeypatch.setattr(sliding_network, "_BATCH_ROOM", 3000)
    network = network_of(NETWORKS[name])
    for width, stride, extra in ((41, 6, 32), (40, 7, 35), (30, 1, 9), (31, 31, 31)):
        codes = letters(width + extra)
        with torch.inference_mode():
            found = SlidingNetwork(network, width, stride).of(codes)
            expected = each_by_itself(network, codes, width, stride)
        assert len(found) == extra // stride + 1
        assert expected.std(dim=0).min() > 1e-3
        assert found.numpy() == pytest.approx(expected.numpy(), abs=1e-5), (width, stride)


def test_a_single_window_and_proteins():
    network = network_of(NETWORKS["one strand, even width"], PROTEIN)
    for length in (20, 45):
        codes = letters(length, alphabet=PROTEIN)
        with torch.inference_mode():
            found = SlidingNetwork(network, 20, 4).of(codes)
            assert found.numpy() == pytest.approx(each_by_itself(network, codes, 20, 4).numpy(), abs=1e-5)


@pytest.mark.parametrize(("room", "windows"), [(1, (8 * 40 - 40) // 7 + 1), (1 << 16, ((1 << 16) // 20 - 40) // 7 + 1)])
def test_pieces_are_as_long_as_scores_have_room_but_share_few_bases(monkeypatch, room, windows):
    monkeypatch.setattr(sliding_network, "_ROOM", room)
    assert SlidingNetwork(network_of(FURTHER), 40, 7).windows_at_once == windows
