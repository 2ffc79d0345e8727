"""The network: shared filters → pooling → optional convolutions → global maximum → linear head.

Several restarts live side by side in one tensor: restart r owns a block of the filters and its own
row of the head, and nothing is shared between them but the batch. The prediction is the mean of
their logits, so a trained set of restarts is still one network with one linear head, and the
contributions of single positions add up to its logits exactly.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from motifcnn.alphabet import Alphabet
from motifcnn.encoding import Batch
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.model.batch_share import BatchLayer
from motifcnn.model.filters import MASKED, BestWindows, ScoreNorm, SharedFilters, same_padding
from motifcnn.model.word_branch import WordBranch
from motifcnn.settings import AUTO, ModelSettings

DEFAULT_WIDTH = {"dna": 19, "rna": 12, "protein": 9}
"""Filter width where none is asked for: CTCF's core spans 19 bases; RNA sites are shorter."""

_EXPONENT_LIMIT = 10.0
"""A normalised score this high is out of any batch's range; beyond it exp would overflow bf16 sums."""


@dataclass(frozen=True)
class Pooled:
    """First-layer features of a batch after pooling, shape [example, filter, position]."""

    scores: torch.Tensor
    windows: BestWindows | None


def resolve(settings: ModelSettings, alphabet: Alphabet, lengths: torch.Tensor) -> ModelSettings:
    """Fill in what the settings leave to the data: the filter width and the strands.

    Args:
        settings: Settings, perhaps with AUTO in them.
        alphabet: Alphabet of the sequences.
        lengths: Length of each sequence.

    Raises:
        InputError: Some sequence is shorter than a filter.
        MotifcnnError: Both strands are wanted of letters without complement.
    """
    strands = settings.strands
    if strands == "auto":
        strands = "both" if alphabet.double_stranded else "single"
    if strands == "both" and alphabet.complement is None:
        raise MotifcnnError(f"{alphabet.name} has one strand only; use --strands single")
    width = settings.filter_width
    shortest, median = int(lengths.min()), float(lengths.double().median())
    if width == AUTO:
        width = DEFAULT_WIDTH[alphabet.name]
        if median < width:  # peptides and other short sequences: a filter sees all of each
            width = shortest
    if shortest < width:
        short = int((lengths < width).sum())
        raise InputError(
            f"{short} {'sequence is' if short == 1 else 'sequences are'} shorter than the filters of width {width} "
            f"(shortest: {shortest}); remove {'it' if short == 1 else 'them'} or give --filter-width {shortest}"
        )
    return replace(settings, filter_width=width, strands=strands)


class Block(nn.Module):
    """A further convolution of each restart's features: grouped, "same" padded, normalised, ReLU.

    Args:
        restarts: Groups.
        incoming: Features a restart has before.
        outgoing: Features a restart has after.
        width: Positions that a filter reads.
        dilation: Step between those positions.
        generator: Source of the initial weights (He et al. 2015).
    """

    def __init__(
        self, restarts: int, incoming: int, outgoing: int, width: int, dilation: int, generator: torch.Generator
    ):
        super().__init__()
        deviation = (2.0 / (incoming * width)) ** 0.5
        self.weight = nn.Parameter(torch.randn(restarts * outgoing, incoming, width, generator=generator) * deviation)
        self.norm = ScoreNorm(restarts * outgoing)
        self.restarts = restarts
        self.dilation = dilation

    def forward(self, features: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Map features [example, feature, position]; `known` [example, 1, position] marks real positions."""
        padded = functional.pad(features, same_padding(self.weight.shape[2], self.dilation))
        scores = functional.conv1d(padded, self.weight, dilation=self.dilation, groups=self.restarts)
        normalised = self.norm(scores.masked_fill(~known, MASKED))
        return functional.relu(normalised)


class Dropout(BatchLayer):
    """Dropout that draws from a generator of its own, so that a run can be repeated and resumed."""

    def __init__(self, share: float, generator: torch.Generator):
        super().__init__()
        self.share = share
        self.generator = generator

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Set a share of the features to 0 and scale up the others, in training only."""
        if not self.training or self.share == 0:
            return features
        draws = self.batch_share.draw(features.shape, self.generator).to(features.device)
        return features * (draws >= self.share) / (1.0 - self.share)


class MotifNetwork(nn.Module):
    """One or more restarts of the same convolutional network, trained and used as one.

    Args:
        settings: Resolved settings (see `resolve`).
        alphabet: Alphabet of the letter channels.
        tracks: Number of further channels.
        outputs: Logits a restart gives.
        seed: Seed of the initial weights and of dropout.
    """

    def __init__(self, settings: ModelSettings, alphabet: Alphabet, tracks: int, outputs: int, seed: int):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.settings = settings
        self.outputs = outputs
        self.restarts = settings.restarts
        self.filters = SharedFilters(
            settings.restarts * settings.filters,
            alphabet.size + tracks,
            settings.filter_width,
            alphabet,
            settings.strands == "both",
            generator,
        )
        self.norm = ScoreNorm(self.filters.filters)
        widths = [settings.filters] + [settings.conv_filters] * settings.conv_layers
        self.blocks = nn.ModuleList(
            Block(settings.restarts, before, after, settings.conv_width, settings.conv_dilation, generator)
            for before, after in pairwise(widths)
        )
        self.dropout = Dropout(settings.dropout, torch.Generator().manual_seed(seed))
        deviation = (1.0 / widths[-1]) ** 0.5
        head = torch.randn(settings.restarts, widths[-1], outputs, generator=generator) * (0.1 * deviation)
        self.head = nn.Parameter(head)
        self.bias = nn.Parameter(torch.zeros(settings.restarts, outputs))
        self.words: WordBranch | None = None

    @property
    def whole_sequence(self) -> bool:
        """Whether the first pooling spans the whole sequence, so that only best windows matter."""
        return self.settings.pool == AUTO and not self.blocks

    def activate(self, scores: torch.Tensor) -> torch.Tensor:
        """Normalise first-layer scores and apply the first activation; masked positions give 0."""
        normalised: torch.Tensor = self.norm(scores)
        if self.settings.activation == "exp":
            return normalised.clamp(max=_EXPONENT_LIMIT).exp()
        return functional.relu(normalised)

    def pooled(self, batch: Batch) -> Pooled:
        """Scan, then take maxima over the pooling windows."""
        if self.whole_sequence:
            windows = self.filters.best_windows(batch)
            return Pooled(windows.scores[:, :, None], windows)
        scores = self.filters(batch)
        pool = self.settings.pool or 1
        return Pooled(functional.max_pool1d(scores, min(pool, scores.shape[2]), pool, ceil_mode=True), None)

    def features(self, activations: torch.Tensor, pooled: torch.Tensor) -> torch.Tensor:
        """Return what the head sees, from first-layer activations: [example, feature, position].

        Args:
            activations: As `activate` gives them.
            pooled: The scores that they come from, to tell real positions from masked ones.
        """
        features = activations
        known = torch.isfinite(pooled).any(dim=1, keepdim=True)
        for block in self.blocks:
            features = block(features, known)
        return features

    def restart_logits(self, activations: torch.Tensor, pooled: torch.Tensor) -> torch.Tensor:
        """Return each restart's logits from first-layer activations: [example, restart, output]."""
        best = self.dropout(self.features(activations, pooled).amax(dim=2))
        split = best.view(len(best), self.restarts, -1)
        return torch.einsum("nrf,rfo->nro", split, self.head) + self.bias

    def head_logits(self, activations: torch.Tensor, pooled: torch.Tensor) -> torch.Tensor:
        """Return the mean of the restarts' logits from first-layer activations: [example, output]."""
        return self.restart_logits(activations, pooled).mean(dim=1)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Return logits of shape [example, restart, output]."""
        pooled = self.pooled(batch).scores
        return self.restart_logits(self.activate(pooled), pooled)

    def logits(self, batch: Batch) -> torch.Tensor:
        """Return the mean of the restarts' logits and what words add to it, shape [example, output]."""
        logits = self.forward(batch).mean(dim=1)
        return logits if self.words is None else logits + self.words(batch)

    def add_words(self, words: WordBranch, share: float, offset: torch.Tensor) -> None:
        """Multiply the restarts' logits by their share in the sum, and add words and an offset to them.

        Args:
            words: On the network's device, its weights multiplied by their own share.
            share: Of the restarts.
            offset: Shape [output].
        """
        with torch.no_grad():
            self.head.mul_(share)
            self.bias.mul_(share).add_(offset)
        self.words = words

    def feature_weights(self) -> torch.Tensor:
        """Return the weight of each feature of the restarts in `logits`, shape [feature, output]."""
        return self.head.reshape(-1, self.outputs) / self.restarts
