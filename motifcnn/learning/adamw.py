"""AdamW (Loshchilov and Hutter 2019) with a bound on the norm of gradients, by PyTorch's fused kernel.

`torch.optim` imports PyTorch's compiler at its first use, a second or so for nothing that is needed here, and takes
longer to prepare a step of a small network than the kernel to take it.
"""

from collections.abc import Iterable

import torch

_OF_MEAN, _OF_SQUARE = 0.9, 0.999
"""What is left of the moments in a step."""
_LEAST_ROOT = 1e-8
"""Added to the root of the second moment, so that it may be divided by."""
_LEAST_NORM = 1e-6


class AdamW:
    """The optimiser of some parameters on one device; those of more than one axis decay.

    Args:
        parameters: What is to be learned.
        weight_decay: How fast weights decay, against the learning rate.
    """

    def __init__(self, parameters: Iterable[torch.nn.Parameter], weight_decay: float):
        self.parameters = list(parameters)
        self.means = [torch.zeros_like(parameter.detach()) for parameter in self.parameters]
        self.squares = [torch.zeros_like(parameter.detach()) for parameter in self.parameters]
        self.steps = torch.zeros((), device=self.parameters[0].device)
        self._decays = [weight_decay if parameter.dim() > 1 else 0.0 for parameter in self.parameters]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, learning_rate: float, largest_norm: float) -> None:
        """Take a step against the gradients, scaled down where their norm is above `largest_norm`."""
        parts = zip(self.parameters, self.means, self.squares, self._decays, strict=True)
        moved = [(*part, part[0].grad) for part in parts if part[0].grad is not None]
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm([own[4] for own in moved])))
        above = ((norm + _LEAST_NORM) / largest_norm).clamp(min=1.0)
        self.steps += 1
        for decay in {own[3] for own in moved}:
            alike = [own for own in moved if own[3] == decay]
            torch._fused_adamw_(
                [own[0] for own in alike],
                [own[4] for own in alike],
                [own[1] for own in alike],
                [own[2] for own in alike],
                [],
                [self.steps] * len(alike),
                lr=learning_rate,
                beta1=_OF_MEAN,
                beta2=_OF_SQUARE,
                weight_decay=decay,
                eps=_LEAST_ROOT,
                amsgrad=False,
                maximize=False,
                grad_scale=above,
            )

    def state(self) -> dict[str, torch.Tensor]:
        """Refer to what the next step depends on beside parameters and gradients."""
        moments = {"mean": self.means, "square": self.squares}
        named = {f"{number}.{name}": own for name, part in moments.items() for number, own in enumerate(part)}
        return {"steps": self.steps, **named}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Go back to a state."""
        for name, own in self.state().items():
            own.copy_(state[name])
