"""The state of a training run as one safetensors file, so that it can go on exactly; never a pickle."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from motifcnn.errors import InputError
from motifcnn.formats.files import atomic_write
from motifcnn.learning.adamw import AdamW
from motifcnn.ranks import Ranks

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything that the next epoch depends on.

    Args:
        weights: The network's tensors.
        best: Those of the best epoch so far.
        optimiser: What `AdamW.state` gives.
        epoch: Epochs done.
        best_epoch: The best of them; 0 before the first.
        best_cost: What it had of that by which epochs are compared, the less the better.
        history: One row an epoch, as in `EpochRecord`.
    """

    weights: Tensors
    best: Tensors
    optimiser: Tensors
    epoch: int = 0
    best_epoch: int = 0
    best_cost: float = float("inf")
    history: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def begin(cls, network: torch.nn.Module, optimiser: AdamW) -> Self:
        """Return the state before the first epoch."""
        state = cls.take(network, optimiser)
        return cls(state.weights, {n: t.clone() for n, t in state.weights.items()}, state.optimiser)

    @classmethod
    def take(cls, network: torch.nn.Module, optimiser: AdamW) -> Self:
        """Refer to the present tensors of a network and its optimiser."""
        weights = {name: tensor.detach() for name, tensor in network.state_dict().items()}
        return cls(weights, {}, optimiser.state())

    def kept(self) -> Self:
        """Return the state apart from the network and the optimiser that it refers to, which go on changing."""
        weights, optimiser = ({n: t.clone() for n, t in part.items()} for part in (self.weights, self.optimiser))
        return replace(self, weights=weights, optimiser=optimiser)

    def put_into(self, network: torch.nn.Module, optimiser: AdamW) -> None:
        """Restore a network and its optimiser to this state."""
        network.load_state_dict(self.weights)
        optimiser.restore(self.optimiser)


def save_checkpoint(path: Path, state: Checkpoint) -> None:
    """Write the state; the file is whole whenever it exists."""
    tensors = {
        f"{part}/{name}": tensor.contiguous().cpu().clone()
        for part in ("weights", "best", "optimiser")
        for name, tensor in getattr(state, part).items()
    }
    progress = {
        "epoch": state.epoch,
        "best_epoch": state.best_epoch,
        "best_cost": state.best_cost,
        "history": state.history,
    }
    with atomic_write(path) as file:
        file.write(save(tensors, {"progress": json.dumps(progress)}))


def shared_checkpoint(path: Path, ranks: Ranks) -> Checkpoint | None:
    """Read the first process's state back in every process; None where it has none.

    Raises:
        InputError: The file is no checkpoint.
    """
    if ranks.size == 1:
        return load_checkpoint(path) if path.exists() else None
    content = ranks.hand_out(path.read_bytes() if ranks.is_first and path.exists() else b"")
    if not content:
        return None
    with TemporaryDirectory() as folder:  # other machines may not see the first one's files
        copy = Path(folder) / path.name
        copy.write_bytes(content)
        return load_checkpoint(path if ranks.is_first else copy)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a state back.

    Raises:
        InputError: The file is no checkpoint.
    """
    parts: dict[str, Tensors] = {"weights": {}, "best": {}, "optimiser": {}}
    try:
        with safe_open(path, framework="pt") as file:
            progress = json.loads(file.metadata()["progress"])
            for key in file.keys():  # noqa: SIM118 - not a dict
                part, name = key.split("/", 1)
                parts[part][name] = file.get_tensor(key)
        return Checkpoint(
            **parts,
            epoch=progress["epoch"],
            best_epoch=progress["best_epoch"],
            best_cost=progress["best_cost"],
            history=tuple(tuple(row) for row in progress["history"]),
        )
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"is no checkpoint to resume from ({error}); start again with --force", path) from None
