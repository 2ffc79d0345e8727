"""One batch divided among several processes, so that each step is the step of one process.

What examples of a batch share is the moments of its scores, the number of its known values, and the draws of dropout.
Moments and counts are added up over the processes, forward and backward; draws are made for the whole batch by each
process, which takes its own rows of them. Networks that average and draw in a `BatchLayer` alone therefore
get the gradients of the whole batch, but for rounding (synchronised batch normalisation; Zhang et al. 2018).
"""

from typing import Any, Final

import torch
from torch import nn

from motifcnn.ranks import ALONE, Ranks


class BatchShare:
    """The rows of a batch that are this process's; all of them until `begin` says otherwise.

    Args:
        ranks: Processes that share each batch.
    """

    def __init__(self, ranks: Ranks):
        self.ranks = ranks
        self.count, self.rows = 0, slice(None)

    @property
    def divided(self) -> bool:
        """Whether other processes have a part of the present batch."""
        return self.rows != slice(None)

    def begin(self, count: int) -> slice:
        """Begin a batch and return the rows of it that are this process's.

        Args:
            count: Examples of the batch; where there are fewer than processes, each of these takes all of them.
        """
        self.count, size, rank = count, self.ranks.size, self.ranks.rank
        alone = size == 1 or count < size
        self.rows = slice(None) if alone else slice(rank * count // size, (rank + 1) * count // size)
        return self.rows

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """Add values up over the processes that share the batch; gradients are added up likewise."""
        if not self.divided:
            return values
        total: torch.Tensor = _Total.apply(values, self.ranks)  # type: ignore[no-untyped-call]
        return total

    def weigh(self, loss: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Turn the mean loss of the own rows into their part of the whole batch's mean.

        Args:
            loss: Mean over the known values of the own rows.
            known: Number of these.
        """
        return loss * (known / self.total(known).clamp(min=1)) if self.divided else loss

    def draw(self, shape: torch.Size, generator: torch.Generator) -> torch.Tensor:
        """Draw even numbers from 0 to 1 for the own rows, as if for the whole batch.

        Args:
            shape: Of the own rows, [example, …].
            generator: In the same state in every process.
        """
        if not self.divided:
            return torch.rand(shape, generator=generator)
        return torch.rand((self.count, *shape[1:]), generator=generator)[self.rows]

    def add_gradients(self, module: nn.Module) -> None:
        """Replace the gradients of a module's parameters by their sums over the processes, in one message."""
        if not self.divided:
            return
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        self.ranks.add_up(flat)
        for gradient, part in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))


UNDIVIDED: Final = BatchShare(ALONE)
"""Every batch is this process's own."""


class BatchLayer(nn.Module):
    """A layer that averages or draws over the examples of a batch, and does so by its `batch_share`."""

    batch_share = UNDIVIDED


def share_batches(network: nn.Module, share: BatchShare) -> None:
    """Let each layer of a network that averages or draws over examples do so over the shared batch."""
    for module in network.modules():
        if isinstance(module, BatchLayer):
            module.batch_share = share


class _Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, ranks: Ranks) -> torch.Tensor:
        ctx.ranks = ranks
        return _added_up(values, ranks)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[torch.Tensor, None]:
        return _added_up(gradients[0], ctx.ranks), None


def _added_up(values: torch.Tensor, ranks: Ranks) -> torch.Tensor:
    total = values.detach().clone(memory_format=torch.contiguous_format)
    ranks.add_up(total)
    return total
