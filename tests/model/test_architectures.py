from dataclasses import replace
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.encoding import Batch, EncodedSequences
from motifcnn.errors import MotifcnnError
from motifcnn.model.architectures import ARCHITECTURES, architecture_of, positions_after
from motifcnn.model.batch_share import UNDIVIDED, BatchShare, share_batches
from motifcnn.model.network import MotifNetwork, resolve
from motifcnn.model.pyramids import UNet
from motifcnn.model.table import layer_table
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings

LENGTH, OUTPUTS = 200, 2


def convolution(incoming, outgoing, width):
    return outgoing * (incoming * width + 2)


def residual(features, width):
    return features // 2 * (features * width + 2) + features * (features // 2 + 2)


def unet_floor(upper, lower):
    """Two convolutions below, the way up, and two convolutions above."""
    below = convolution(upper, lower, 3) + convolution(lower, lower, 3)
    return below + 2 * lower * upper + convolution(2 * upper, upper, 3) + convolution(upper, upper, 3)


PARAMETERS = {  # weights, and a gain and a shift of each unit; at last the head's weights and biases
    "motif": 4 * (convolution(4, 64, 19) + 7 + 65 * OUTPUTS),  # and a curve of seven knots
    "deepbind": convolution(4, 16, 24) + 32 * (16 + 2) + 33 * OUTPUTS,
    # 200 letters: 67, 17, 5 positions
    "basset": convolution(4, 300, 19) + convolution(300, 200, 11) + convolution(200, 200, 7)
    + 1000 * (200 * 5 + 2) + 1000 * (1000 + 2) + 1001 * OUTPUTS,
    "koo-2": convolution(4, 32, 19) + convolution(32, 124, 5) + 512 * (124 * 2 + 2) + 513 * OUTPUTS,
    "koo-50": convolution(4, 32, 19) + convolution(32, 124, 5) + 512 * (124 * 2 + 2) + 513 * OUTPUTS,
    # 50, 13, 5 positions
    "koo-deep": convolution(4, 32, 19) + convolution(32, 48, 7) + convolution(48, 96, 7) + convolution(96, 128, 3)
    + 512 * (128 * 5 + 2) + 513 * OUTPUTS,
    "pyramid": convolution(4, 64, 19) + convolution(64, 80, 5) + convolution(80, 100, 5) + convolution(100, 125, 5)
    + 126 * OUTPUTS,
    "dilated": convolution(4, 64, 19) + 5 * residual(64, 3) + convolution(64, 64, 1) + 65 * OUTPUTS,
    "unet": convolution(4, 32, 19) + 2 * convolution(32, 32, 3) + unet_floor(32, 48) + unet_floor(48, 72)
    + unet_floor(72, 108) + 33 * OUTPUTS,
    "aspp": convolution(4, 32, 19) + 4 * residual(32, 3) + 2 * convolution(32, 32, 1) + 3 * convolution(32, 32, 3)
    + convolution(5 * 32, 32, 1) + 33 * OUTPUTS,
}  # fmt: skip
INVARIANT = {"motif", "deepbind"}
PER_BASE = {"unet", "aspp"}
CHANGES = {
    "gates": {"squeeze": True},
    "separable": {"conv_layers": 2, "conv_block": "separable"},
    "residual": {"conv_layers": 2, "conv_block": "residual", "conv_dilation": 2},
    "densely connected": {"conv_layers": 3, "conv_block": "dense"},
    "u-net": {"conv_layers": 1, "conv_block": "unet"},
    "atrous pyramid": {"conv_layers": 1, "conv_block": "aspp", "conv_dilation": 6},
    "average": {"summary": "average"},
    "all positions": {"summary": "dense", "pool": 8},
}


def network_of(name, seed=3, lengths=(LENGTH,), **changes):
    settings = replace(ModelSettings(), architecture=name, **changes)
    return MotifNetwork(resolve(settings, DNA, torch.tensor(lengths)), DNA, 0, OUTPUTS, seed)


def small(name, **changes):
    return network_of(name, **{"filters": 6, "filter_width": 7, "restarts": 2, "conv_filters": 8, **changes})


def batch_of(*lengths):
    generator = np.random.default_rng(0)
    codes = [generator.integers(0, 4, length).astype(np.uint8) for length in lengths]
    return EncodedSequences(Sequences.from_list([""] * len(codes), codes, DNA)).batch(torch.arange(len(codes)))


def variants():
    """Each architecture, and each change of one with and one without further layers."""
    for name in ARCHITECTURES:
        yield pytest.param(name, {}, id=name)
    for change, settings in CHANGES.items():
        for name in ("motif", "dilated"):
            yield pytest.param(name, settings, id=f"{name}, {change}")


def test_every_architecture_is_documented():
    page = (Path(__file__).resolve().parents[2] / "docs" / "architectures.md").read_text()
    assert [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")] == list(ARCHITECTURES)


def test_settings_name_the_architectures():
    assert set(get_args(get_type_hints(ModelSettings)["architecture"])) == set(ARCHITECTURES)
    assert ModelSettings().architecture == "motif"


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_parameters_follow_the_formula(name):
    network = network_of(name)
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[name]
    assert sum(row.parameters for row in layer_table(network, LENGTH)) == PARAMETERS[name]


@pytest.mark.parametrize(("name", "changes"), list(variants()))
def test_shapes_and_gradients(name, changes):
    network = small(name, **changes).train()
    logits = network(batch_of(200, 121, 160, 7))
    assert logits.shape == (200 + 121 + 160 + 7 if network.per_base else 4, 2, OUTPUTS)
    logits.square().sum().backward()
    for parameter_name, parameter in network.named_parameters():
        assert torch.isfinite(parameter.grad).all(), parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize(("name", "changes"), list(variants()))
def test_predictions_do_not_depend_on_the_batch(name, changes):
    network, batch = small(name, **changes).eval(), batch_of(200, 121, 7)
    with torch.no_grad():
        together = network.logits(batch)
        rows = together.split(batch.lengths.tolist() if network.per_base else 1)
        for row, length in enumerate(batch.lengths.tolist()):
            alone = network.logits(Batch(batch.inputs[row : row + 1, :, :length], batch.lengths[row : row + 1]))
            assert torch.allclose(rows[row], alone, atol=1e-5)


@pytest.mark.parametrize(("name", "changes"), list(variants()))
def test_a_sequence_shorter_than_a_filter_has_a_prediction_too(name, changes):
    """Mutagenesis deletes letters: then nothing is known, and every first-layer feature is 0."""
    network = small(name, **changes).eval()
    with torch.no_grad():
        assert torch.isfinite(network.logits(batch_of(6, 30))).all()


@pytest.mark.parametrize(("name", "changes"), list(variants()))
def test_restarts_share_nothing(name, changes):
    network = small(name, **changes).eval()
    network(batch_of(200, 150))[:, 1].sum().backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad.reshape(2, -1)[0].abs().sum() == 0, parameter_name


@pytest.mark.parametrize("trained", [False, True], ids=["before normalisation", "normalised"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_no_layer_shrinks_or_swells_activations(name, trained):
    """Pools raise the mean square, and nothing else may change it much before training."""
    network = network_of(name).train(trained)
    features = torch.randn(8, network.filters.filters, LENGTH, generator=torch.Generator().manual_seed(2)).relu()
    known = torch.ones(8, 1, LENGTH, dtype=torch.bool)
    with torch.no_grad():
        for layer in network.blocks:
            before = features.square().mean()
            features, known = layer(features, known)
            ratio = float(features.square().mean() / before)
            if layer.pool > 1:
                assert ratio >= 1
            elif trained:
                assert 0.2 < float(features.square().mean()) < 1.2
            else:  # a U-Net pools inside, three times; `test_pyramids` looks at each of its layers
                assert 0.5 < ratio < (4.0 if isinstance(layer, UNet) else 2.0)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_reverse_complement(name):
    """The shared filters see both strands alike; only a global maximum right after them keeps that exactly."""
    network, row = small(name).eval(), batch_of(200)
    flipped = Batch(row.inputs[:, [3, 2, 1, 0]].flip(2), row.lengths)
    with torch.no_grad():
        scores = network.filters(row)
        assert torch.allclose(network.filters(flipped), scores.flip(2), atol=1e-5)
        there, back = network.logits(row), network.logits(flipped)
        back = back.flip(0) if network.per_base else back
        same = torch.allclose(there, back, atol=1e-5)
    assert same == (name in INVARIANT | PER_BASE)


@pytest.mark.parametrize(("name", "exact"), [("motif", True), ("deepbind", False), ("basset", False)])
def test_only_a_linear_head_on_best_windows_has_an_exact_map(name, exact):
    network = small(name)
    assert network.has_exact_map == exact
    assert network.whole_sequence == (name in INVARIANT)


@pytest.mark.parametrize("name", sorted(PER_BASE))
def test_each_base_has_the_same_value_on_both_strands(name):
    """Exactly so for filters of even width too, whose middles differ by a base, and for each sequence of a batch."""
    network, batch = small(name, filter_width=8).eval(), batch_of(50, 31, 7)
    with torch.no_grad():
        there, back = network.logits(batch), network.logits(batch.reverse_complement(network.filters.complement))
        one_sided = network(batch).mean(dim=1)
    for own, other in zip(there.split([50, 31, 7]), back.split([50, 31, 7]), strict=True):
        assert torch.allclose(own, other.flip(0), atol=1e-6)
    assert not torch.allclose(there, one_sided, atol=1e-3)
    single = network_of(name, filters=6, filter_width=8, strands="single").eval()
    assert torch.equal(single.logits(batch), single(batch).mean(dim=1))


def test_a_sequences_own_logit_is_the_mean_of_its_bases():
    network, batch = small("unet").eval(), batch_of(50, 31)
    with torch.no_grad():
        pooled = network.pooled(batch).scores
        whole, bases = network.head_logits(network.activate(pooled), pooled), network(batch).mean(dim=1)
    assert torch.allclose(whole, torch.stack([bases[:50].mean(dim=0), bases[50:].mean(dim=0)]), atol=1e-6)


def test_whole_features_are_dropped_for_all_bases_of_a_sequence():
    network = network_of("unet", filters=6, dropout=0.5).train()
    numbers, known = torch.ones(90, 1, 32), torch.arange(50)[None, None] < torch.tensor([50, 40])[:, None, None]
    dropped = network._dropped(numbers, known)
    for own in dropped.split([50, 40]):
        assert (own == own[0]).all()
        assert set(own[0].unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(dropped[0], dropped[-1])


@pytest.mark.parametrize(
    "changes", [{"architecture": "basset", "summary": "bases"}, {"architecture": "unet", "pool": 4}]
)
def test_a_network_that_pools_has_no_value_for_each_base(changes):
    with pytest.raises(MotifcnnError, match=r"pools, which leaves no value for each base; use --pool 1 with --summary"):
        resolve(replace(ModelSettings(), **changes), DNA, torch.tensor([LENGTH]))


def test_windows_past_the_ends_count_where_each_base_has_a_value():
    """A site at the very end is seen, so far as it lies in the sequence; elsewhere scores are as ever."""
    batch = batch_of(40, 25)
    whole, cut = small("basset"), small("unet")
    cut.filters.load_state_dict(whole.filters.state_dict())
    scores, with_ends = whole.filters(batch), cut.filters(batch)
    assert torch.isfinite(with_ends[1, 0]).sum() == 25
    assert torch.equal(with_ends[0, :, 3:37], scores[0, :, 3:37])


def test_settings_overlay_the_architecture():
    settings = replace(ModelSettings(), architecture="koo-deep", filters=5, pool=2, restarts=3, conv_layers=2)
    changed, named = architecture_of(replace(settings, summary="average")), ARCHITECTURES["koo-deep"]
    assert (changed.filters, changed.pool, changed.restarts, changed.summary) == (5, 2, 3, "average")
    assert changed.stages[:3] == named.stages
    assert [stage.filters for stage in changed.stages[3:]] == [64, 64]
    assert architecture_of(replace(ModelSettings(), architecture="koo-deep")) == named


@pytest.mark.parametrize(("alphabet", "width"), [(DNA, 24), (RNA, 12), (PROTEIN, 9)])
def test_the_published_width_is_for_dna(alphabet, width):
    settings = replace(ModelSettings(), architecture="deepbind")
    assert resolve(settings, alphabet, torch.tensor([LENGTH])).filter_width == width


def test_resolved_settings_resolve_to_themselves():
    for name in ARCHITECTURES:
        resolved = resolve(replace(ModelSettings(), architecture=name), DNA, torch.tensor([LENGTH]))
        assert resolve(resolved, DNA, torch.tensor([LENGTH])) == resolved


@pytest.mark.parametrize(
    ("name", "left"), [("basset", 5), ("koo-2", 2), ("koo-50", 2), ("koo-deep", 5), ("motif", 200)]
)
def test_positions_that_pools_leave(name, left):
    network = network_of(name)
    assert positions_after(ARCHITECTURES[name], LENGTH) == left
    if name != "motif":
        pooled = network.pooled(batch_of(LENGTH)).scores
        assert network.features(network.activate(pooled), pooled)[0].shape[2] == left


def test_a_head_of_all_positions_refuses_longer_sequences():
    network = network_of("koo-2", lengths=(150, 120), restarts=1)
    network.eval()
    assert network.logits(batch_of(150)).shape == (1, OUTPUTS)
    with pytest.raises(
        MotifcnnError, match=r"longer than the 150 letters .* --input-length or with --summary maximum$"
    ):
        network.logits(batch_of(400))
    wider = network_of("koo-2", lengths=(150, 120), input_length=400).eval()
    assert wider.logits(batch_of(400)).shape == (1, OUTPUTS)


def test_a_head_of_all_positions_must_know_how_many():
    with pytest.raises(ValueError, match="needs input_length"):
        MotifNetwork(replace(ModelSettings(), summary="dense", filter_width=5), DNA, 0, 1, seed=0)


def test_dropout_of_every_layer_is_drawn_from_one_generator():
    network, batch = network_of("koo-deep").train(), batch_of(200, 180)
    draws = []
    for _ in range(2):
        network.dropout.generator.manual_seed(5)
        draws.append(network(batch))
    assert torch.equal(*draws)


@pytest.mark.parametrize("name", ["deepbind", "koo-deep", "dilated", "unet", "aspp"])
def test_processes_that_share_a_batch_have_the_gradients_of_one(name, together):
    """Normalisation and dropout of all layers, and of dense ones, reckon with the whole batch."""
    batch = batch_of(200, 180, 150, 200, 170)

    def step(ranks=None):
        network = small(name, squeeze=True).train()
        share = BatchShare(ranks) if ranks else UNDIVIDED
        share_batches(network, share)
        rows = share.begin(5) if ranks else slice(None)
        network(Batch(batch.inputs[rows], batch.lengths[rows])).square().sum().backward()
        share.add_gradients(network)
        return [parameter.grad for parameter in network.parameters()]

    expected = step()
    for gradients in together(2, step):
        for one, other in zip(gradients, expected, strict=True):
            assert torch.allclose(one, other, atol=2e-4 * float(other.abs().max()) + 1e-5)
