"""The networks in which Koo and Eddy, and Koo and Ploenzke, asked when filters become motifs.

Convolutions without bias, each with batch normalisation, activation, max-pooling and dropout; then a dense
layer of 512 and an output a label. CNN-2 and CNN-50 differ in where they pool widely: pools of 2 and 50, or of
50 and 2; the deep one pools by 4 after its second and third layer and by 3 after the fourth. Only the first
activation varies, rectified or exponential; the others are rectified.

Sources: Koo and Eddy 2019, PLoS Computational Biology 15:e1007560; Koo and Ploenzke 2021, Nature Machine
Intelligence 3:258 (exponential activations).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

FirstActivation = Literal["relu", "exp"]

DENSE = 512
_DENSE_DROPOUT = 0.5


@dataclass(frozen=True)
class Convolution:
    """One layer: how many filters of which width, how wide the pooling after it, which share is dropped."""

    filters: int
    width: int
    pool: int
    dropout: float


ARCHITECTURES: dict[str, tuple[Convolution, ...]] = {
    "koo-2": (Convolution(32, 19, 2, 0.1), Convolution(124, 5, 50, 0.1)),
    "koo-50": (Convolution(32, 19, 50, 0.1), Convolution(124, 5, 2, 0.1)),
    "koo-deep": (
        Convolution(32, 19, 1, 0.1),
        Convolution(48, 7, 4, 0.2),
        Convolution(96, 7, 4, 0.3),
        Convolution(128, 3, 3, 0.4),
    ),
}
"""The three of the papers, by the names that they have here."""


class KooNetwork(nn.Module):
    """One of the three networks.

    Args:
        architecture: A name in `ARCHITECTURES`.
        activation: The first one.
        channels: Letters of the alphabet.
        length: Letters of a sequence; all have the same.
        outputs: Labels.

    Raises:
        KeyError: There is no such architecture.
    """

    def __init__(self, architecture: str, activation: FirstActivation, channels: int, length: int, outputs: int):
        super().__init__()
        self.activation = activation
        layers, before = [], channels
        for layer in ARCHITECTURES[architecture]:
            convolution = nn.Conv1d(before, layer.filters, layer.width, padding="same", bias=False)
            # a network that raises to the power of e starts from small sums, as in the second paper
            nn.init.xavier_normal_(convolution.weight)
            layers.append(
                nn.ModuleDict({"convolution": convolution, "norm": nn.BatchNorm1d(layer.filters, momentum=0.01)})
            )
            before, length = layer.filters, length // layer.pool
        self.pools = [layer.pool for layer in ARCHITECTURES[architecture]]
        self.dropouts = nn.ModuleList(nn.Dropout(layer.dropout) for layer in ARCHITECTURES[architecture])
        self.layers = nn.ModuleList(layers)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(before * length, DENSE, bias=False),
            nn.BatchNorm1d(DENSE),
            nn.ReLU(),
            nn.Dropout(_DENSE_DROPOUT),
            nn.Linear(DENSE, outputs),
        )

    def first_activations(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return what the filters of the first layer give, shape [example, filter, position].

        Args:
            inputs: Letters, shape [example, channel, position].
        """
        layer = self.layers[0]
        assert isinstance(layer, nn.ModuleDict)
        normalised: torch.Tensor = layer["norm"](layer["convolution"](inputs))
        return normalised.exp() if self.activation == "exp" else normalised.relu()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits, shape [example, output]."""
        features = self.first_activations(inputs)
        for number, (layer, pool, dropout) in enumerate(zip(self.layers, self.pools, self.dropouts, strict=True)):
            if number:
                assert isinstance(layer, nn.ModuleDict)
                features = layer["norm"](layer["convolution"](features)).relu()
            features = dropout(nn.functional.max_pool1d(features, pool) if pool > 1 else features)
        logits: torch.Tensor = self.head(features)
        return logits
