"""What is true of the U-Net and of the atrous pyramid alone; `test_blocks` holds what is true of every layer."""

import pytest
import torch

from motifcnn.model.pyramids import FLOORS, AtrousPyramid, UNet, floor_features


def source():
    return torch.Generator().manual_seed(4)


def inputs_of(lengths, features=6):
    known = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None, None]
    return torch.randn(len(lengths), features, max(lengths), generator=source()).relu() * known, known


@pytest.mark.parametrize("length", [1, 2, 7, 8, 9, 31])
def test_a_unet_gives_every_position_whatever_the_length(length):
    """Pools of 2 need no multiple of 8: the last window is cut short, and what comes back is cut to the length."""
    found, known = UNet(1, 6, 8, 3, 1, source())(*inputs_of([length, 40]))
    assert found.shape == (2, 8, 40)
    assert known.sum(dim=(1, 2)).tolist() == [length, 40]
    assert (found[0, :, length:] == 0).all()


def test_each_floor_of_a_unet_has_half_the_positions_and_more_features():
    seen = []
    layer = UNet(1, 6, 8, 3, 1, source())
    for floor in layer.down:
        floor.register_forward_hook(lambda module, inputs, output: seen.append(tuple(output.shape[1:])))
    layer(*inputs_of([30]))
    assert floor_features(8) == [8, 12, 18, 27]
    assert seen == [(8, 30), (12, 15), (18, 8), (27, 4)]


def test_skip_connections_carry_what_the_floors_below_do_not():
    """With nothing coming up, the uppermost floor's own features still reach the output, position by position."""
    layer = UNet(1, 6, 8, 1, 1, source()).eval()
    for up in layer.up:
        up.weight.data.zero_()
    features, known = inputs_of([20])
    features.requires_grad_()
    layer(features, known)[0][0, :, 11].sum().backward()
    assert torch.nonzero(features.grad[0].abs().sum(dim=0))[:, 0].tolist() == [11]


def test_a_unet_sees_no_further_than_its_reach_says():
    layer = UNet(1, 6, 8, 3, 1, source()).eval()
    furthest = 0
    for place in range(96, 96 + 2**FLOORS):
        features, known = inputs_of([200])
        features.requires_grad_()
        layer(features, known)[0][0, :, place].square().sum().backward()
        seen = torch.nonzero(features.grad[0].abs().sum(dim=0))[:, 0]
        furthest = max(furthest, int(seen.max() - seen.min()))
    assert furthest == layer.reach


@pytest.mark.parametrize("branch", range(5))
def test_branches_of_the_pyramid_see_their_dilations_and_the_whole_sequence(branch):
    layer = AtrousPyramid(1, 6, 8, 3, 6, source()).eval()
    for parameter in layer.parameters():
        parameter.data.abs_()  # so that no rectifier shuts
    layer.mixture.weight.data.unflatten(1, (5, 8))[:, [n for n in range(5) if n != branch]] = 0
    features, known = inputs_of([60, 44])
    features.requires_grad_()
    layer(features, known)[0][1, :, 30].sum().backward()
    seen = torch.nonzero(features.grad[1, :, :44].abs().sum(dim=0))[:, 0].tolist()
    assert seen == [[30], [24, 30, 36], [18, 30, 42], [12, 30], list(range(44))][branch]


@pytest.mark.parametrize("trained", [False, True], ids=["before normalisation", "normalised"])
@pytest.mark.parametrize("kind", [UNet, AtrousPyramid])
def test_activations_keep_their_size(kind, trained):
    """The output's mean square is about the input's, and so is that of every convolution on the way.

    Pools raise it, by two thirds each, and the mean over a sequence lowers it.
    """
    restarts, size = 16, 32
    layer = kind(restarts, size, size, 3, 1, source()).train(trained)
    features, known = inputs_of([100, 100], restarts * size)
    ratios = []

    def compare(module, inputs, output):
        after = output[0] if isinstance(output, tuple) else output
        ratios.append(float(after.square().mean() / inputs[0].square().mean()))

    if not trained:
        for name, module in layer.named_modules():
            if type(module).__name__ in {"Convolution", "_Up"} and name != "whole":
                module.register_forward_hook(compare)
    with torch.no_grad():
        compare(layer, (features,), layer(features, known))
    assert len(ratios) == (1 if trained else {UNet: 2 * 4 + 2 * 3 + 3, AtrousPyramid: 5}[kind] + 1)
    assert all(0.5 < ratio < 2 for ratio in ratios)
