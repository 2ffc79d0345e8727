"""The shared first layer: filters that slide over both strands, and their pooling.

A filter's score at a window is the sum of weight × input over the window; on double-stranded
sequences it is the larger of the window's score and that of its reverse complement, with one set
of weights (tied; Shrikumar et al. 2017). Windows that reach past a sequence's end score minus
infinity, so padding can never win a maximum.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from motifcnn.alphabet import Alphabet
from motifcnn.encoding import Batch
from motifcnn.model import through_maximum
from motifcnn.model.batch_share import BatchLayer
from motifcnn.model.place_curves import PlaceCurves

MASKED = float("-inf")
_LEAST_VARIANCE = 1e-5
"""Added to a variance, so that it may be divided by."""


def same_padding(width: int, dilation: int = 1) -> tuple[int, int]:
    """Return the padding left and right that keeps a layer's length: dilation × (width − 1) in all."""
    total = dilation * (width - 1)
    return total // 2, total - total // 2


@dataclass(frozen=True, eq=False)
class BestWindows:
    """Each filter's best window in each example; all of shape [example, filter].

    Args:
        scores: Score of the window, with what its place adds.
        starts: Its first position in the example.
        reverse: Whether it was read on the reverse strand.
    """

    scores: torch.Tensor
    starts: torch.Tensor
    reverse: torch.Tensor


class SharedFilters(nn.Module):
    """Filters slid along one or both strands with one set of weights.

    Args:
        filters: Number of filters.
        channels: Input channels: letters, then tracks.
        width: Positions that a filter spans.
        alphabet: Alphabet of the letter channels.
        both_strands: Whether the reverse complement is scanned too.
        generator: Source of the initial weights, normal with variance 2 / (width × channels)
            (He et al. 2015).
        past_ends: Whether windows that reach past an end have a score too, of the part that lies in the sequence.
    """

    complement: torch.Tensor

    def __init__(
        self,
        filters: int,
        channels: int,
        width: int,
        alphabet: Alphabet,
        both_strands: bool,
        generator: torch.Generator,
        *,
        past_ends: bool = False,
    ):
        super().__init__()
        deviation = math.sqrt(2.0 / (width * channels))
        self.weight = nn.Parameter(torch.randn(filters, channels, width, generator=generator) * deviation)
        self.alphabet = alphabet
        self.both_strands, self.past_ends = both_strands, past_ends
        order = list(range(channels))
        if both_strands:
            assert alphabet.complement_codes is not None
            order[: alphabet.size] = [int(code) for code in alphabet.complement_codes[: alphabet.size]]
        self.register_buffer("complement", torch.tensor(order), persistent=False)

    @property
    def filters(self) -> int:
        """Number of filters."""
        return self.weight.shape[0]

    @property
    def width(self) -> int:
        """Positions that a filter spans."""
        return self.weight.shape[2]

    def strand_weights(self) -> torch.Tensor:
        """Return the weights for the strands scanned, shape [strand × filter, channel, position]."""
        if not self.both_strands:
            return self.weight
        return torch.cat([self.weight, self.weight[:, self.complement].flip(2)])

    def forward(self, batch: Batch) -> torch.Tensor:
        """Return the score at every position, shape [example, filter, position].

        A window's score stands at its middle ("same" padding): the window that starts at s is
        found at s + (width − 1) // 2.
        """
        return self.oriented(batch)[0]

    def oriented(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores as `forward` does, and whether each is the reverse strand's; same shape."""
        padded = functional.pad(batch.inputs, same_padding(self.width))
        strands = functional.conv1d(padded, self.strand_weights())
        strands = strands.view(len(strands), -1, self.filters, strands.shape[2])
        scores = strands.amax(dim=1)
        positions = torch.arange(scores.shape[2], device=scores.device)
        starts = positions - same_padding(self.width)[0]
        fits = (starts >= 0) & (starts + self.width <= batch.lengths[:, None])
        if self.past_ends:
            fits = positions < batch.lengths[:, None]
        return scores.masked_fill(~fits[:, None, :], MASKED), strands[:, -1] > strands[:, 0]

    def best_windows(self, batch: Batch, placement: PlaceCurves | None = None) -> BestWindows:
        """Find each filter's best window in each example; only the scores carry gradients.

        The search runs without gradients; the score of the window found is then computed again
        with them. The gradient equals that of a maximum over the dense scores, since only the
        winning window has any, at a fraction of the cost. Plain nucleotides on the CPU are searched
        by looking up words, which is faster still.

        Args:
            batch: Examples.
            placement: What the place of a window adds to its score; nothing by default.
        """
        if batch.codes is not None and through_maximum.suits(batch.codes, self.weight, self.alphabet):
            found = through_maximum.best_windows(
                self.weight, batch.codes, batch.lengths, self.alphabet, self.both_strands, placement
            )
            return BestWindows(*found)
        return self._dense_best_windows(batch, placement)

    def _dense_best_windows(self, batch: Batch, placement: PlaceCurves | None) -> BestWindows:
        rows = None if placement is None else placement.rows()
        with torch.no_grad():
            scores = functional.conv1d(batch.inputs, self.strand_weights())
            first = torch.arange(scores.shape[2], device=scores.device)
            fits = first + self.width <= batch.lengths[:, None]
            if not bool(fits.all()):
                scores = scores.masked_fill(~fits[:, None, :], MASKED)
            strands = scores.view(len(scores), -1, self.filters, scores.shape[2])
            if placement is not None and rows is not None:
                strands = strands + rows[placement.row_of(first, batch.lengths[:, None], self.width)].mT[:, None]
            best, starts = strands.max(dim=3)
            reverse = best[:, -1] > best[:, 0]  # never where one strand is read
            starts = torch.where(reverse, starts[:, -1], starts[:, 0])
        if not torch.is_grad_enabled():
            return BestWindows(best.amax(dim=1), starts, reverse)
        windows = self._oriented_windows(batch.inputs, starts, reverse)
        own = torch.einsum("nfcw,fcw->nf", windows, self.weight)
        if placement is not None and rows is not None:
            own = own + rows.gather(0, placement.row_of(starts, batch.lengths[:, None], self.width))
        return BestWindows(own, starts, reverse)

    def _oriented_windows(self, inputs: torch.Tensor, starts: torch.Tensor, reverse: torch.Tensor) -> torch.Tensor:
        """Cut the windows out, reverse complemented where read so: [example, filter, channel, position]."""
        examples = torch.arange(len(inputs), device=inputs.device)[:, None, None]
        offsets = torch.arange(self.width, device=inputs.device)
        where = starts[:, :, None] + torch.where(reverse[:, :, None], self.width - 1 - offsets, offsets)
        windows = inputs.permute(0, 2, 1)[examples, where]
        if self.both_strands:
            windows = torch.where(reverse[:, :, None, None], windows[..., self.complement], windows)
        return windows.permute(0, 1, 3, 2)


class ScoreNorm(BatchLayer):
    """Batch normalisation of filter scores that keeps their order and leaves masked positions masked.

    The gain is positive, so a maximum may be taken before as well as after.

    Args:
        filters: Number of filters.
        momentum: Share of the newest batch in the running moments.
    """

    running_mean: torch.Tensor
    running_variance: torch.Tensor

    def __init__(self, filters: int, momentum: float = 0.1):
        super().__init__()
        self.log_gain = nn.Parameter(torch.zeros(filters))
        self.shift = nn.Parameter(torch.zeros(filters))
        self.momentum = momentum
        self.register_buffer("running_mean", torch.zeros(filters))
        self.register_buffer("running_variance", torch.ones(filters))

    def forward(self, scores: torch.Tensor) -> torch.Tensor:
        """Normalise scores of shape [example, filter] or [example, filter, position]."""
        scores = scores.to(self.running_mean.dtype)  # moments of bf16 scores would lose most of their digits
        shape = (1, -1) + (1,) * (scores.dim() - 2)
        if not self.training and not torch.is_grad_enabled():  # minus infinity stays what it is
            slope = self.slope()
            return scores * slope.view(shape) + (self.shift - self.running_mean * slope).view(shape)
        # PyTorch's kernel is faster, but rounds otherwise than moments of several processes, which training amplifies
        known = torch.isfinite(scores)
        # masked positions are set aside first: minus infinity would turn gradients into NaN
        values = torch.where(known, scores, torch.zeros_like(scores))
        if self.training:
            mean, variance = self._moments(values, known)
        else:
            mean, variance = self.running_mean, self.running_variance
        slope = self.log_gain.exp() * torch.rsqrt(variance + _LEAST_VARIANCE)
        normalised = values * slope.view(shape) + (self.shift - mean * slope).view(shape)
        return normalised.masked_fill(~known, MASKED)

    def of_known(self, scores: torch.Tensor) -> torch.Tensor:
        """Normalise scores none of which is masked: the same five times as fast, by PyTorch's own kernel."""
        if self.batch_share.divided:
            whole: torch.Tensor = self(scores)
            return whole
        scores = scores.to(self.running_mean.dtype)
        gain = self.log_gain.exp()
        if not self.training:
            mean, variance = self.running_mean, self.running_variance
            return functional.batch_norm(scores, mean, variance, gain, self.shift, eps=_LEAST_VARIANCE)
        normalised, mean, deviation = torch.native_batch_norm(
            scores, gain, self.shift, None, None, True, self.momentum, _LEAST_VARIANCE
        )
        self._keep(mean, deviation**-2 - _LEAST_VARIANCE)  # the kernel gives 1 / √(variance + least)
        return normalised

    def slope(self) -> torch.Tensor:
        """Return what a score is multiplied by at prediction, shape [filter]."""
        return self.log_gain.exp() * torch.rsqrt(self.running_variance + _LEAST_VARIANCE)

    def _moments(self, values: torch.Tensor, known: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        axes, total = [axis for axis in range(values.dim()) if axis != 1], self.batch_share.total
        count = total(known.sum(dim=axes)).clamp(min=1)
        mean = total(values.sum(dim=axes)) / count
        shape = (1, -1) + (1,) * (values.dim() - 2)
        squares = torch.where(known, (values - mean.view(shape)) ** 2, torch.zeros_like(values))
        variance = total(squares.sum(dim=axes)) / count
        self._keep(mean, variance)
        return mean, variance

    def _keep(self, mean: torch.Tensor, variance: torch.Tensor) -> None:
        """Let the running moments follow those of a batch."""
        with torch.no_grad():
            self.running_mean.lerp_(mean.detach(), self.momentum)
            self.running_variance.lerp_(variance.detach(), self.momentum)
