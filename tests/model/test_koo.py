import pytest
import torch

from motifcnn.model.koo import ARCHITECTURES, KooNetwork


@pytest.mark.parametrize("activation", ["relu", "exp"])
@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_shapes_and_gradients(name, activation):
    torch.manual_seed(0)
    network = KooNetwork(name, activation, channels=4, length=200, outputs=12)
    inputs = torch.eye(4)[torch.randint(0, 4, (6, 200))].permute(0, 2, 1)
    activations = network.first_activations(inputs)
    assert activations.shape == (6, 32, 200)
    assert (activations >= 0).all()
    logits = network(inputs)
    assert logits.shape == (6, 12)
    logits.square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


@pytest.mark.parametrize(
    ("name", "dense"), [("koo-2", 124 * 2), ("koo-50", 124 * 2), ("koo-deep", 128 * 4)], ids=["2", "50", "deep"]
)
def test_the_dense_layer_reads_what_the_pools_leave(name, dense):
    """200 letters: pools of 2 and 50, 50 and 2, or 4, 4 and 3."""
    network = KooNetwork(name, "exp", channels=4, length=200, outputs=12)
    assert network.head[1].in_features == dense
    assert all(layer["convolution"].bias is None for layer in network.layers)


def test_only_the_first_activation_varies():
    networks = [KooNetwork("koo-2", activation, 4, 200, 1) for activation in ("relu", "exp")]
    networks[1].load_state_dict(networks[0].state_dict())
    inputs = torch.zeros(2, 4, 200)
    first = [network.eval().first_activations(inputs) for network in networks]
    assert (first[0] == 0).all()
    assert (first[1] == 1).all()


def test_an_unknown_name_is_refused():
    with pytest.raises(KeyError):
        KooNetwork("koo-3", "exp", 4, 200, 1)
