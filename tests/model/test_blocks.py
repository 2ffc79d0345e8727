from itertools import pairwise

import pytest
import torch

from motifcnn.model.blocks import (
    Convolution,
    DenseConvolution,
    DenseLayer,
    Dropout,
    Pooling,
    ResidualConvolution,
    SeparableConvolution,
    SqueezeExcitation,
    mean_over,
    pooled_maxima,
)
from motifcnn.model.pyramids import AtrousPyramid, UNet, floor_features

RESTARTS = 3
KINDS = {
    "plain": Convolution,
    "separable": SeparableConvolution,
    "residual": ResidualConvolution,
    "dense": DenseConvolution,
    "unet": UNet,
    "aspp": AtrousPyramid,
}


def unet_parameters(i, o, w):
    def twice(a, b):
        return b * (a * w + 2) + b * (b * w + 2)

    floors = floor_features(o)
    between = [twice(f, g) + twice(2 * f, f) + 2 * f * g for f, g in pairwise(floors)]
    return twice(i, o) + sum(between)


FORMULAS = {  # parameters of a restart, from i features to o, of width w
    "plain": lambda i, o, w: o * (i * w + 2),
    "separable": lambda i, o, w: i * w + o * i + 2 * o,
    "residual": lambda i, o, w: (o // 2) * (i * w + 2) + o * (o // 2 + 2) + (i * o if i != o else 0),
    "dense": lambda i, o, w: o * (i * w + 2),
    "unet": unet_parameters,
    "aspp": lambda i, o, w: 2 * o * (i + 2) + 3 * o * (i * w + 2) + o * (5 * o + 2),
}


def source():
    return torch.Generator().manual_seed(4)


def layer_of(kind, incoming=6, outgoing=8, width=3, dilation=1):
    return KINDS[kind](RESTARTS, incoming, outgoing, width, dilation, source())


def every_layer(features=6):
    layers = {kind: layer_of(kind, features) for kind in KINDS}
    layers["gates"] = SqueezeExcitation(RESTARTS, features, source())
    layers["pool"] = Pooling(features, 4, Dropout(0.0, source()))
    return layers


def inputs_of(lengths, features=6):
    """Rectified noise with nothing past each example's end."""
    longest = max(lengths)
    known = torch.arange(longest) < torch.tensor(lengths)[:, None, None]
    noise = torch.randn(len(lengths), RESTARTS * features, longest, generator=torch.Generator().manual_seed(1))
    return noise.relu() * known, known


@pytest.mark.parametrize("width", [1, 4, 5])
@pytest.mark.parametrize(("incoming", "outgoing"), [(6, 8), (6, 6), (2, 2)])
@pytest.mark.parametrize("kind", KINDS)
def test_shapes_and_parameters(kind, incoming, outgoing, width):
    layer = layer_of(kind, incoming, outgoing, width)
    found, known = layer(*inputs_of([30, 21], incoming))
    given = outgoing + (incoming if kind == "dense" else 0)
    assert layer.outgoing == given
    assert found.shape == (2, RESTARTS * given, 30)
    assert known.shape == (2, 1, 30)
    parameters = sum(parameter.numel() for parameter in layer.parameters())
    assert parameters == RESTARTS * FORMULAS[kind](incoming, outgoing, width)


@pytest.mark.parametrize("features", [6, 16, 50])
def test_parameters_of_gates(features):
    units = max(1, features // 16)
    layer = SqueezeExcitation(RESTARTS, features, source())
    expected = RESTARTS * (2 * features * units + units + features)
    assert sum(parameter.numel() for parameter in layer.parameters()) == expected


def test_parameters_of_dense_layers():
    layer = DenseLayer(RESTARTS, 7, 5, source())
    assert layer(torch.rand(4, RESTARTS, 7)).shape == (4, RESTARTS, 5)
    assert sum(parameter.numel() for parameter in layer.parameters()) == RESTARTS * 5 * (7 + 2)


@pytest.mark.parametrize("name", every_layer())
def test_gradients_reach_every_parameter_and_the_input(name):
    layer = every_layer()[name].train()
    features, known = inputs_of([30, 21])
    features.requires_grad_()
    layer(features, known)[0].square().sum().backward()
    for tensor in (features, *layer.parameters()):
        assert torch.isfinite(tensor.grad).all()
        assert tensor.grad.abs().sum() > 0


@pytest.mark.parametrize("name", every_layer())
def test_what_else_is_in_the_batch_changes_nothing(name):
    layer = every_layer()[name].eval()
    features, known = inputs_of([30, 21, 5])
    together, mask = layer(features, known)
    for row, length in enumerate([30, 21, 5]):
        alone, _ = layer(features[row : row + 1, :, :length], known[row : row + 1, :, :length])
        assert torch.allclose(together[row, :, : alone.shape[2]], alone[0], atol=1e-6)
        assert (together[row, :, alone.shape[2] :] == 0).all()
        assert int(mask[row].sum()) == alone.shape[2]


@pytest.mark.parametrize("name", every_layer())
def test_restarts_share_nothing(name):
    layer = every_layer()[name].eval()
    features, known = inputs_of([30])
    features.requires_grad_()
    found, _ = layer(features, known)
    found.unflatten(1, (RESTARTS, -1))[:, 1].square().sum().backward()
    for gradient in (features.grad, *(parameter.grad for parameter in layer.parameters())):
        shares = gradient.reshape(RESTARTS, -1).abs().sum(dim=1)
        assert shares[0] == shares[2] == 0
        assert shares[1] > 0


@pytest.mark.parametrize("trained", [False, True], ids=["before normalisation", "normalised"])
@pytest.mark.parametrize("gates", [False, True], ids=["", "gates"])
@pytest.mark.parametrize("kind", ["plain", "separable", "residual", "dense"])
def test_activations_keep_their_size_through_depth(kind, gates, trained):
    """Eight layers leave the mean square as it is, about; weights half as large would divide it by 4^8.

    Networks of some tens of features wander by chance, so that sixteen of them are looked at together.
    """
    generator, restarts, size = source(), 16, 64
    features = torch.randn(2, restarts * size, 100, generator=generator).relu()
    known = torch.ones(2, 1, 100, dtype=torch.bool)
    begin, now = features.square().mean(), size
    with torch.no_grad():
        for _ in range(8):
            layer = KINDS[kind](restarts, now, 16 if kind == "dense" else size, 5, 1, generator).train(trained)
            features, known = layer(features, known)
            now = layer.outgoing
            if gates:
                features, known = SqueezeExcitation(restarts, now, generator)(features, known)
            # a newcomer among densely connected features would hide in the mean of all
            newest = features.unflatten(1, (restarts, -1))[:, :, -16:]
            assert 0.45 < newest.square().mean() / begin < 2.1


@pytest.mark.parametrize("kind", ["plain", "separable", "residual"])
@pytest.mark.parametrize(("width", "dilation"), [(3, 1), (3, 4), (4, 2)])
def test_reach_is_what_one_output_sees(kind, width, dilation):
    layer = layer_of(kind, 6, 6, width, dilation).eval()
    features, known = inputs_of([60])
    features.requires_grad_()
    layer(features, known)[0][0, :, 30].square().sum().backward()
    seen = torch.nonzero(features.grad[0].abs().sum(dim=0))[:, 0]
    assert int(seen.max() - seen.min()) == layer.reach == dilation * (width - 1)


def test_a_separable_convolution_is_a_convolution_whose_weights_are_products():
    layer = layer_of("separable").eval()
    features, known = inputs_of([30])
    plain = layer_of("plain").eval()
    depthwise = layer.depthwise.detach().view(RESTARTS, 1, 6, 3)
    plain.weight.data = (layer.pointwise.detach().view(RESTARTS, 8, 6, 1) * depthwise).view(-1, 6, 3)
    assert torch.allclose(layer(features, known)[0], plain(features, known)[0], atol=1e-5)


def test_a_residual_layer_that_adds_nothing_passes_its_input_on():
    layer = layer_of("residual", 6, 6).eval()
    layer.widen.data.zero_()
    features, known = inputs_of([30, 9])
    assert torch.allclose(layer(features, known)[0] * 2**0.5, features, atol=1e-5)


def test_densely_connected_features_stand_beside_the_old_ones_of_their_restart():
    layer = layer_of("dense").eval()
    features, known = inputs_of([30])
    parts = layer(features, known)[0].unflatten(1, (RESTARTS, -1))
    assert torch.equal(parts[:, :, :6], features.unflatten(1, (RESTARTS, -1)))
    assert torch.equal(parts[:, :, 6:].flatten(1, 2), layer.new(features, known)[0])


def test_gates_follow_the_formula():
    layer = SqueezeExcitation(1, 6, source())
    features, known = inputs_of([30, 9], features=2)  # six features of one restart
    means = torch.stack([features[0].mean(dim=1), features[1, :, :9].mean(dim=1)])
    units = (means @ layer.squeeze[:, :, 0].T + layer.squeeze_bias).relu()
    gates = 2 * torch.sigmoid(units @ layer.excite[:, :, 0].T + layer.excite_bias)
    assert torch.allclose(layer(features, known)[0], features * gates[:, :, None], atol=1e-6)


def test_pooling_takes_maxima_of_real_positions_alone():
    layer = Pooling(6, 4, Dropout(0.0, source()))
    features, known = inputs_of([10, 5])
    features = torch.where(known, features - 3.0, 0.0)  # below 0 throughout: padding would win
    found, mask = layer(features, known)
    assert mask[:, 0].tolist() == [[True, True, True], [True, True, False]]
    assert torch.equal(found[0, :, 2], features[0, :, 8:10].amax(dim=1))
    assert torch.equal(found[1, :, 1], features[1, :, 4])
    assert (found[1, :, 2] == 0).all()


def test_pools_wider_than_the_sequence_leave_one_position():
    assert torch.equal(pooled_maxima(torch.tensor([[[1.0, 3.0, 2.0]]]), 50), torch.tensor([[[3.0]]]))


def test_means_are_of_real_positions():
    features, known = inputs_of([10, 5])
    assert torch.allclose(mean_over(features, known)[1], features[1, :, :5].mean(dim=1))


def test_dropout_after_pooling_is_of_training_alone():
    layer = Pooling(6, 1, Dropout(0.5, source()))
    features, known = inputs_of([40])
    assert torch.equal(layer.eval()(features, known)[0], features)
    kept = layer.train()(features, known)[0]
    assert 0.4 < float((kept[features > 0] > 0).float().mean()) < 0.6
    assert torch.allclose(kept[kept > 0], 2 * features[kept > 0])


def test_layers_are_named():
    titles = {name: layer.title(2) for name, layer in every_layer().items()}
    assert titles == {
        "plain": "convolution 2 of width 3, norm, relu",
        "separable": "separable convolution 2 of width 3, norm, relu",
        "residual": "residual convolution 2 of width 3, dilation 1",
        "dense": "densely connected convolution 2 of width 3, norm, relu",
        "unet": "u-net 2: 3 pools of 2, convolutions of width 3",
        "aspp": "atrous pyramid 2 of dilations 1, 2, 3",
        "gates": "squeeze and excitation",
        "pool": "maximum over 4 positions",
    }
    assert Pooling(6, 4, Dropout(0.2, source())).title(1) == "maximum over 4 positions, dropout of 0.2"
    assert Pooling(6, 1, Dropout(0.2, source())).title(1) == "dropout of 0.2"
