import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from motifcnn.alphabet import DNA
from motifcnn.discovery.knockout import Interaction, knock_out
from motifcnn.encoding import EncodedSequences
from motifcnn.inputs.examples import Examples
from motifcnn.model.network import MotifNetwork
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings

WORDS = ("TGACGTAC", "GGATTTCC", "CCCATAAG")
MODEL = ModelSettings(filters=3, filter_width=8, restarts=1, strands="both", dropout=0.0)
BINARY = Objective("binary", ("label",), weights=(1.0,))


def examples_with(generator, words_of, number=300):
    """Odd examples are positives and hold the words that `words_of(number)` names; a third is held out."""
    codes = []
    for index in range(number):
        sequence = generator.integers(0, 4, 60).astype(np.uint8)
        for place, word in enumerate(words_of(index)):
            sequence[5 + 18 * place : 13 + 18 * place] = DNA.encode(word)
        codes.append(sequence)
    sequences = Sequences.from_list([f"s{n}" for n in range(number)], codes, DNA)
    values = (np.arange(number) % 2).astype(np.float32)[:, None]
    split = (np.arange(number) // 2 % 3 % 2 * 2).astype(np.int8)
    none = np.empty((0, len(sequences.codes)), dtype=np.float32)
    return Examples(sequences, "binary", ("label",), (), values, none, (), split)


def network_of(weights=(1.0, 1.0, 0.0), settings=MODEL):
    network = MotifNetwork(settings, DNA, 0, 1, seed=1).eval()
    with torch.no_grad():
        for number, word in enumerate(WORDS):
            network.filters.weight[number] = torch.from_numpy((np.eye(4)[DNA.encode(word)] - 0.5).T.astype(np.float32))
        network.head[:] = torch.tensor(weights)[None, :, None]
    return network


def losses_of(network, examples, pairs=((0, 1),)):
    motifs = [(0,), (1,), (2,)]
    return knock_out(network, BINARY, EncodedSequences(examples.sequences), examples, motifs, pairs)


def slow_loss(network, examples, silenced):
    encoded = EncodedSequences(examples.sequences)
    with torch.no_grad():
        pooled = network.pooled(encoded.batch(torch.arange(len(examples.sequences)))).scores
        activations = network.activate(pooled)
        means = activations[examples.part("train")].mean(dim=(0, 2))
        changed = activations.clone()
        for number in silenced:
            changed[:, number] = means[number]
        logits = [network.head_logits(part, pooled).double().numpy()[:, 0] for part in (activations, changed)]
    test = examples.part("test")
    whole, without = (roc_auc_score(examples.values[test, 0], part[test]) for part in logits)
    return whole - without


def test_pairs_lose_what_silencing_both_costs_by_hand(generator):
    examples = examples_with(generator, lambda n: WORDS[: 1 + n % 3] if n % 2 else (WORDS[n % 3],) * (n % 4 == 0))
    network = network_of((1.0, 0.6, 0.3))
    pairs = tuple(combinations(range(3), 2))
    found = losses_of(network, examples, pairs)
    singles = [slow_loss(network, examples, (number,)) for number in range(3)]
    assert found.losses == pytest.approx(singles, abs=1e-9)
    for (a, b), interaction in zip(pairs, found.interactions, strict=True):
        both = slow_loss(network, examples, (a, b))
        assert interaction.loss == pytest.approx(both, abs=1e-9)
        assert interaction.excess == pytest.approx(both - singles[a] - singles[b], abs=1e-9)


def test_the_error_is_that_of_leaving_tenths_out(generator):
    examples = examples_with(generator, lambda n: WORDS[:2] if n % 2 and n % 3 else (WORDS[0],) * (n % 5 == 0))
    network = network_of()
    found = losses_of(network, examples).interactions[0]
    test = examples.part("test")
    order = test[np.argsort(examples.values[test, 0], kind="stable")]
    left_out = []
    for group in range(10):
        split = examples.split.copy()
        split[order[group::10]] = 1
        part = replace(examples, split=split)
        left_out.append(
            slow_loss(network, part, (0, 1)) - slow_loss(network, part, (0,)) - slow_loss(network, part, (1,))
        )
    expected = math.sqrt(0.9 * sum((value - np.mean(left_out)) ** 2 for value in left_out))
    assert found.standard_error == pytest.approx(expected, abs=1e-9)


def test_motifs_that_stand_in_for_one_another_are_redundant(generator):
    """Every positive holds both words: losing one costs nothing, losing both costs all."""
    examples = examples_with(generator, lambda n: WORDS[:2] if n % 2 else ())
    found = losses_of(network_of(), examples)
    assert found.losses[0] < 0.05
    assert found.losses[1] < 0.05
    assert found.interactions[0].loss > 0.3
    assert found.interactions[0].kind == "redundant"


def test_motifs_that_need_one_another_are_synergistic(generator):
    """Both words together outweigh what the others hold, neither does alone."""
    examples = examples_with(generator, lambda n: WORDS[:2] if n % 2 else (WORDS[2],))
    found = losses_of(network_of((1.0, 1.0, 1.5)), examples)
    assert found.losses[0] > 0.5
    assert found.losses[1] > 0.5
    assert found.interactions[0].kind == "synergistic"


def test_motifs_of_different_examples_are_independent_enough(generator):
    examples = examples_with(generator, lambda n: (WORDS[n // 2 % 2],) if n % 2 else ())
    found = losses_of(network_of((1.0, 1.0, 0.0)), examples, ((0, 2),))
    assert found.losses[2] == 0.0
    assert found.interactions[0].excess == pytest.approx(0.0)
    assert found.interactions[0].kind == "independent"


def test_without_held_out_examples_nothing_is_said(generator):
    examples = examples_with(generator, lambda n: WORDS[: n % 2])
    found = losses_of(network_of(), replace(examples, split=np.zeros(300, dtype=np.int8)))
    assert all(math.isnan(loss) for loss in found.losses)
    assert found.interactions[0].kind == ""


@pytest.mark.parametrize(
    ("excess", "error", "kind"),
    [(0.1, 0.04, "redundant"), (-0.1, 0.04, "synergistic"), (0.1, 0.06, "independent"), (0.0, 0.0, "independent"),
     (math.nan, 0.1, ""), (0.1, math.nan, "")],
)  # fmt: skip
def test_the_kind_of_an_interaction(excess, error, kind):
    assert Interaction(0.2, excess, error).kind == kind
