"""AdamW (Loshchilov and Hutter 2019) with a bound on the norm of gradients: PyTorch's own arithmetic, in its order.

`torch.optim` imports PyTorch's compiler at its first use, a second or so for nothing that is needed here, and calls
each operation for each parameter from Python. Here an operation is called once for all of them.
"""

from collections.abc import Iterable

import torch

_OF_MEAN, _OF_SQUARE = 0.9, 0.999
"""What is left of the moments in a step."""
_LEAST_ROOT = 1e-8
"""Added to the root of the second moment, so that it may be divided by."""
_LEAST_NORM = 1e-6


class AdamW:
    """The optimiser of some parameters; those of more than one axis decay.

    Args:
        parameters: What is to be learned.
        weight_decay: How fast weights decay, against the learning rate.
    """

    def __init__(self, parameters: Iterable[torch.nn.Parameter], weight_decay: float):
        self.parameters = list(parameters)
        self.weight_decay = weight_decay
        self.steps = 0
        self.means = [torch.zeros_like(parameter.detach()) for parameter in self.parameters]
        self.squares = [torch.zeros_like(parameter.detach()) for parameter in self.parameters]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, learning_rate: float, largest_norm: float) -> None:
        """Take a step against the gradients, scaled down where their norm is above `largest_norm`."""
        moved = [number for number, parameter in enumerate(self.parameters) if parameter.grad is not None]
        weights, means, squares = (
            [part[number] for number in moved] for part in (self.parameters, self.means, self.squares)
        )
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        torch._foreach_mul_(gradients, (largest_norm / (norm + _LEAST_NORM)).clamp(max=1.0))
        self.steps += 1
        torch._foreach_mul_([weight for weight in weights if weight.dim() > 1], 1 - learning_rate * self.weight_decay)
        torch._foreach_lerp_(means, gradients, 1 - _OF_MEAN)
        torch._foreach_mul_(squares, _OF_SQUARE)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - _OF_SQUARE)
        roots = torch._foreach_sqrt(squares)
        torch._foreach_div_(roots, (1 - _OF_SQUARE**self.steps) ** 0.5)
        torch._foreach_add_(roots, _LEAST_ROOT)
        torch._foreach_addcdiv_(weights, means, roots, -learning_rate / (1 - _OF_MEAN**self.steps))

    def state(self) -> dict[str, torch.Tensor]:
        """Refer to what the next step depends on beside parameters and gradients."""
        moments = {"mean": self.means, "square": self.squares}
        named = {f"{number}.{name}": own for name, part in moments.items() for number, own in enumerate(part)}
        return {"steps": torch.tensor(self.steps), **named}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Go back to a state."""
        self.steps = int(state["steps"])
        for name, part in (("mean", self.means), ("square", self.squares)):
            for number, own in enumerate(part):
                own.copy_(state[f"{number}.{name}"])
