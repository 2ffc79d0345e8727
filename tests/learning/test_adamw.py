import copy
import subprocess
import sys

import pytest
import torch

from motifcnn.learning.adamw import AdamW


def layers():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))


def gradients(layer, seed, size):
    generator = torch.Generator().manual_seed(seed)
    for parameter in layer.parameters():
        parameter.grad = size * torch.randn(parameter.shape, generator=generator)


@pytest.mark.parametrize("size", [0.01, 10.0])
def test_steps_are_those_of_pytorch(size):
    own, other = layers(), layers()
    optimiser = AdamW(own.parameters(), 0.1)
    decayed, plain = ([p for p in other.parameters() if (p.dim() > 1) == many] for many in (True, False))
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}]
    expected = torch.optim.AdamW(groups, lr=1.0, foreach=False)
    for step in range(20):
        rate = 0.1 / (step + 1)
        gradients(own, step, size)
        gradients(other, step, size)
        optimiser.step(rate, 2.0)
        torch.nn.utils.clip_grad_norm_(other.parameters(), 2.0)
        for group in expected.param_groups:
            group["lr"] = rate
        expected.step()
        for one, two in zip(own.parameters(), other.parameters(), strict=True):
            assert torch.allclose(one, two, rtol=1e-5, atol=1e-6)


def test_what_has_no_gradient_stays():
    layer = layers()
    before = copy.deepcopy(layer.state_dict())
    optimiser = AdamW(layer.parameters(), 0.1)
    gradients(layer, 0, 1.0)
    layer[0].weight.grad = None
    optimiser.step(0.1, 1.0)
    assert torch.equal(layer[0].weight, before["0.weight"])
    assert not torch.equal(layer[2].weight, before["2.weight"])
    optimiser.zero_grad()
    assert all(parameter.grad is None for parameter in layer.parameters())


def test_pytorchs_compiler_is_not_imported():
    code = (
        "import sys, torch; from motifcnn.learning.adamw import AdamW; p = torch.nn.Parameter(torch.ones(2, 2))\n"
        "p.grad = torch.ones(2, 2); AdamW([p], 0.1).step(0.1, 1.0); assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
