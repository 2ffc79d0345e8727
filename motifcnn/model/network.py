"""The network: shared filters → pooling → further layers → maximum, average, all positions or each base → head.

Several restarts live side by side in one tensor: restart r owns a block of the filters and its own
row of the head, and nothing is shared between them but the batch. The prediction is the mean of
their logits, so a trained set of restarts is still one network with one linear head; where that head
reads the filters' best windows, the contributions of single positions add up to its logits exactly.

A head that reads each base by itself gives logits for each: in the place of an example's row stand as many rows as
it has bases, example after example.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn import functional

from motifcnn.alphabet import Alphabet
from motifcnn.encoding import Batch
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.model.architectures import architecture_of, layers_of, positions_after
from motifcnn.model.blocks import DenseLayer, Dropout, Features, Layer, mean_over, pooled_maxima
from motifcnn.model.filters import MASKED, BestWindows, ScoreNorm, SharedFilters
from motifcnn.model.frame_branch import FrameBranch
from motifcnn.model.place_curves import PlaceCurves
from motifcnn.model.sum_branch import SumBranch
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
    """Fill in what the settings leave to the architecture and the data: the first layer's size and the strands.

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
    named = architecture_of(settings)
    if named.summary == "bases" and any(pool != 1 for pool in (named.pool, *(stage.pool for stage in named.stages))):
        raise MotifcnnError(
            f"--architecture {settings.architecture} pools, which leaves no value for each base; "
            "use --pool 1 with --summary bases, or --architecture unet or aspp"
        )
    width = settings.filter_width
    shortest, median = int(lengths.min()), float(lengths.double().median())
    if width == AUTO:
        width = DEFAULT_WIDTH[alphabet.name]
        if alphabet.name == "dna" and named.filter_width != AUTO:
            width = named.filter_width
        if median < width:  # peptides and other short sequences: a filter sees all of each
            width = shortest
    if shortest < width:
        short = int((lengths < width).sum())
        raise InputError(
            f"{short} {'sequence is' if short == 1 else 'sequences are'} shorter than the filters of width {width} "
            f"(shortest: {shortest}); remove {'it' if short == 1 else 'them'} or give --filter-width {shortest}"
        )
    longest = int(lengths.max()) if named.summary == "dense" else AUTO
    return replace(
        settings,
        filters=named.filters,
        filter_width=width,
        restarts=named.restarts,
        strands=strands,
        pool=named.pool,
        input_length=settings.input_length or longest,
    )


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
        generator, draws = (torch.Generator().manual_seed(seed) for _ in range(2))
        architecture = architecture_of(settings)
        self.settings = settings
        self.architecture = architecture
        self.outputs = outputs
        self.restarts = architecture.restarts
        self.filters = SharedFilters(
            architecture.restarts * architecture.filters,
            alphabet.size + tracks,
            settings.filter_width,
            alphabet,
            settings.strands == "both",
            generator,
            past_ends=architecture.summary == "bases",
        )
        self.norm = ScoreNorm(self.filters.filters)
        self.blocks = layers_of(architecture, settings.squeeze, generator, draws)
        self.positions = positions_after(architecture, settings.input_length)
        before = self._summary_size()
        self.hidden = nn.ModuleList()
        for units in architecture.hidden:
            self.hidden.append(DenseLayer(self.restarts, before, units, generator))
            before = units
        self.dropout = Dropout(settings.dropout, draws)
        head = torch.randn(self.restarts, before, outputs, generator=generator) * (0.1 * (1.0 / before) ** 0.5)
        self.head = nn.Parameter(head)
        self.bias = nn.Parameter(torch.zeros(self.restarts, outputs))
        self.placement: PlaceCurves | None = None
        if settings.placement and architecture.placement and self.whole_sequence:
            self.placement = PlaceCurves(architecture.restarts, architecture.filters, self.filters.both_strands)
        self.words: WordBranch | None = None
        self.reading_frames: FrameBranch | None = None

    def _summary_size(self) -> int:
        """Numbers that the head, or the first dense layer, reads of a restart."""
        features = self.architecture.filters
        if len(self.blocks):
            last = self.blocks[-1]
            assert isinstance(last, Layer)
            features = last.outgoing
        if self.architecture.summary != "dense":
            return features
        if not self.positions:
            raise ValueError("a head of all positions needs input_length; see resolve")
        return features * self.positions

    @property
    def per_base(self) -> bool:
        """Whether there are logits for each base, not for each example."""
        return self.architecture.summary == "bases"

    @property
    def best_windows_only(self) -> bool:
        """Whether the logits depend on nothing but each filter's best window, however pooled on the way."""
        return not self.blocks and self.architecture.summary == "maximum"

    @property
    def whole_sequence(self) -> bool:
        """Whether the first pooling spans the whole sequence, so that only best windows matter."""
        return self.architecture.pool == AUTO and self.best_windows_only

    @property
    def has_exact_map(self) -> bool:
        """Whether each logit is a sum over best windows, which falls on positions exactly."""
        return self.whole_sequence and not self.hidden

    def activate(self, scores: torch.Tensor) -> torch.Tensor:
        """Normalise first-layer scores and apply the first activation; masked positions give 0."""
        normalised: torch.Tensor = self.norm(scores)
        if self.settings.activation == "exp":
            return normalised.clamp(max=_EXPONENT_LIMIT).exp()
        return functional.relu(normalised)

    def pooled(self, batch: Batch) -> Pooled:
        """Scan, then take maxima over the pooling windows."""
        if self.whole_sequence:
            windows = self.filters.best_windows(batch, self.placement)
            return Pooled(windows.scores[:, :, None], windows)
        return Pooled(pooled_maxima(self.filters(batch), self.architecture.pool or 1), None)

    def features(self, activations: torch.Tensor, pooled: torch.Tensor) -> Features:
        """Return what the head summarises, [example, feature, position], and which positions are real.

        Args:
            activations: As `activate` gives them.
            pooled: The scores that they come from, to tell real positions from masked ones.
        """
        features, known = activations, torch.isfinite(pooled).any(dim=1, keepdim=True)
        for block in self.blocks:
            features, known = block(features, known)
        return features, known

    def summarise(self, features: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return each restart's numbers for the head, shape [example, restart, number]; or [base, restart, number].

        Raises:
            MotifcnnError: The head reads all positions, and there are more than it was made for.
        """
        if self.architecture.summary == "maximum":
            best = features.masked_fill(~known, MASKED).amax(dim=2)
            summary = best.masked_fill(~known.any(dim=2), 0.0)  # nothing is known of what is shorter than a filter
        elif self.architecture.summary == "average":
            summary = mean_over(features, known)
        elif self.per_base:
            summary = features.permute(0, 2, 1)[known[:, 0]]
        else:
            missing = self.positions - features.shape[2]
            if missing < 0:
                raise MotifcnnError(
                    f"a sequence is longer than the {self.settings.input_length} letters that the network's dense head "
                    "reads; cut it, or train with a greater --input-length or with --summary maximum"
                )
            summary = functional.pad(features, (0, missing))
        return summary.reshape(len(summary), self.restarts, -1)

    def restart_logits(self, activations: torch.Tensor, pooled: torch.Tensor) -> torch.Tensor:
        """Return each restart's logits from first-layer activations: [example or base, restart, output]."""
        if self.best_windows_only and activations.shape[2] == 1:  # masked ones are 0, and there is no more to summarise
            known = activations
            numbers = activations.reshape(len(activations), self.restarts, -1)
        else:
            features, known = self.features(activations, pooled)
            numbers = self.summarise(features, known)
        for layer in self.hidden:
            numbers = self._dropped(layer(numbers), known)
        if not self.hidden:
            numbers = self._dropped(numbers, known)
        return torch.einsum("nrf,rfo->nro", numbers, self.head) + self.bias

    def _dropped(self, numbers: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Drop numbers; where there are rows for each base, whole features of an example (Tompson et al. 2015)."""
        if not self.per_base:
            dropped: torch.Tensor = self.dropout(numbers)
            return dropped
        kept = self.dropout(numbers.new_ones(len(known), *numbers.shape[1:]))
        of_bases: torch.Tensor = kept.repeat_interleave(known.sum(dim=(1, 2)), dim=0)
        return numbers * of_bases

    def head_logits(self, activations: torch.Tensor, pooled: torch.Tensor) -> torch.Tensor:
        """Return the mean of the restarts' and bases' logits from first-layer activations: [example, output]."""
        logits = self.restart_logits(activations, pooled).mean(dim=1)
        if not self.per_base:
            return logits
        bases = torch.isfinite(pooled).any(dim=1).sum(dim=1)
        return torch.stack([own.mean(dim=0) for own in torch.split(logits, bases.tolist())])

    def forward(self, batch: Batch) -> torch.Tensor:
        """Return logits of shape [example or base, restart, output]."""
        pooled = self.pooled(batch).scores
        return self.restart_logits(self.activate(pooled), pooled)

    def logits(self, batch: Batch) -> torch.Tensor:
        """Return the mean of the restarts' logits and what words and codons add, shape [example or base, output].

        Those of bases are the mean of what is said of both strands, where the filters read both: exactly as much for
        the reverse complement, in the other order.
        """
        logits = self.forward(batch).mean(dim=1)
        if self.per_base and self.filters.both_strands:
            other = self.forward(batch.reverse_complement(self.filters.complement)).mean(dim=1)
            ends = batch.lengths.cumsum(0)
            turned = (2 * ends - batch.lengths - 1).repeat_interleave(batch.lengths)
            logits = (logits + other[turned - torch.arange(len(other), device=other.device)]) / 2
        for branch in self.sums:
            logits = logits + branch(batch)
        return logits

    @property
    def sums(self) -> list[SumBranch]:
        """The branches beside the filters that add sums over the whole sequence to the logits."""
        return [branch for branch in (self.words, self.reading_frames) if branch is not None]

    def reweigh(self, share: float, offset: torch.Tensor, sums: Sequence[SumBranch] = ()) -> None:
        """Multiply the restarts' logits by their share in the sum, and add an offset, and branches, to them.

        Args:
            share: Of the restarts.
            offset: Shape [output].
            sums: On the network's device, their weights multiplied by their own share; at most one of each kind.
        """
        with torch.no_grad():
            self.head.mul_(share)
            self.bias.mul_(share).add_(offset)
        self.words = next((branch for branch in sums if isinstance(branch, WordBranch)), None)
        self.reading_frames = next((branch for branch in sums if isinstance(branch, FrameBranch)), None)

    def feature_weights(self) -> torch.Tensor:
        """Return the weight of each number that the linear head reads in `logits`, shape [number, output]."""
        return self.head.reshape(-1, self.outputs) / self.restarts
