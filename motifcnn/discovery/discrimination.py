"""From the motif of the sites to the motif that tells positives from others best: a one-filter logistic model.

A position weight matrix whose scores are log-odds is a linear filter, and a linear filter is such a
matrix: P(letter) ∝ exp(weight) in each column (Ding et al. 2018). So the matrix that expectation
maximisation found in the positives is taken for the start of a logistic model with one feature, the
log of a sequence's mean odds over all places and both strands, and its weights are fitted to the labels
with a Gaussian prior around the start. Flanks start from even letters and stay where they tell
something. Dimont (Grau et al. 2013, Nucleic Acids Research 41:e197), the best on held-out ChIP-seq in
the GRECO-BIT benchmark, learns its matrices by a likeness of this principle.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from motifcnn.compiling import compiled
from motifcnn.discovery.triplets import TripletSequences, triplet_scores
from motifcnn.motifs import Matrix, Motif, trim_bounds, uniform_background
from motifcnn.sequences import Sequences
from motifcnn.settings import MotifSettings

LEAST_PER_WEIGHT = 10.0
"""Examples of the rarer kind for each free number, below which nothing is fitted (Peduzzi et al. 1996). With fewer the
fit leans on other motifs' sites, too."""

_DEVIATION = 0.4
"""Standard deviation of the prior on the weights, in nats."""

_STEPS, _LAST_STEPS = 8, 2
"""Newton steps with the flanks and, once those that tell nothing are cut off, without."""

_HALVINGS = 4
_CONVERGED = 1e-4
"""Gain of a step, in nats a sequence, at which the fit has come to rest."""

_TELLING_BITS = 0.05
"""Information from which an outer position is kept: little, but the fit found use for it."""

_MOST_SCALED, _BISECTIONS = 3.0, 40
"""Largest factor on the weights that is looked for, and halvings of the range."""

_SCALE_STEPS = 15
_SCALE_PRIOR = 1e-3
"""Precision of the prior on the slope of the standardised feature, which keeps it finite."""

_FAR_BELOW = 15.0
"""Nats below the best window from which another adds next to nothing (3e-7) to the sum of all."""

_NEGLIGIBLE = 9.0
"""Nats below the best window from which another adds next to nothing (1e-4) to the mean letters."""

_MOST_SEQUENCES = 50_000
"""Sequences read, evenly spread over all: more tell no other matrix."""

_SMOOTHING = 1.0
"""Sites of even letters added to the start, whose logarithm is taken."""

Booleans = npt.NDArray[np.bool_]


def discriminate(
    start: Motif, sequences: Sequences, positive: Booleans, *, both_strands: bool, settings: MotifSettings
) -> Motif | None:
    """Fit a motif's matrix to what tells positives from others.

    Args:
        start: The motif of the sites, held against even letters.
        sequences: Training examples with a label, in the motif's alphabet.
        positive: Which of them are positives, shape [sequence].
        both_strands: Whether sites may lie on the reverse strand.
        settings: Tunables.

    Returns:
        A motif whose log-odds against even letters are the fitted weights; None where there are too few
        examples to fit as many numbers.
    """
    weights = _log_odds(start)
    numbers = start.width * (start.alphabet.size - 1)
    if min(int(positive.sum()), int((~positive).sum())) < LEAST_PER_WEIGHT * numbers:
        return None
    shown = np.arange(0, len(sequences), -(-len(sequences) // _MOST_SEQUENCES))
    model = _Logistic(sequences.subset(shown), positive[shown], both_strands)
    flank = np.zeros((settings.motif_flank, start.alphabet.size))
    widened = model.fit(np.concatenate([flank, weights, flank]), _STEPS)
    information = replace(start, probabilities=_softmax(widened)).information()
    first, end = trim_bounds(information, _TELLING_BITS, settings.min_motif_width)
    fitted = model.fit(widened[first:end], _LAST_STEPS)
    own = slice(max(settings.motif_flank - first, 0), settings.motif_flank - first + start.width)
    known = slice(max(first - settings.motif_flank, 0), end - settings.motif_flank)
    fitted *= _scale_for(fitted[own], float(start.information()[known].sum()))
    return replace(start, probabilities=_softmax(fitted), background=uniform_background(start.alphabet))


def rescaled(motif: Motif, bits: float) -> Motif:
    """Sharpen or blur a motif to so much information; its log-odds against even letters change by a factor."""
    weights = _log_odds(motif)
    return replace(motif, probabilities=_softmax(_scale_for(weights, bits) * weights))


def _log_odds(motif: Motif) -> Matrix:
    """Natural log-odds against even letters, shape [position, letter]; each position adds up to 0."""
    letters = motif.alphabet.size
    smoothed = motif.probabilities * max(motif.sites, 1.0) + _SMOOTHING / letters
    logs = np.log(smoothed)
    return np.asarray(logs - logs.mean(axis=1, keepdims=True))


def _scale_for(weights: Matrix, bits: float) -> float:
    """Find the factor that gives weights so much information.

    No best hit changes its rank by a factor, so labels say next to nothing of it; the sites do.
    """
    low, high = np.log(_MOST_SCALED) * np.array([-1.0, 1.0])
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        chances = _softmax(np.exp(middle) * weights)
        found = np.log2(weights.shape[1]) * len(weights) + float((chances * np.log2(chances)).sum())
        low, high = (middle, high) if found < bits else (low, middle)
    return float(np.exp((low + high) / 2))


def _softmax(weights: Matrix) -> Matrix:
    odds = np.exp(weights - weights.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class _Reading:
    """What a matrix says of the sequences.

    Args:
        scores: Log of the mean odds over all windows, shape [sequence].
        letters: Mean letters of the site, each window weighted by its odds; shape [sequence, position × letter].
    """

    scores: Matrix
    letters: Matrix


class _Logistic:
    """The logistic model: probability of a positive from the scores of one matrix.

    Args:
        sequences: With a label each.
        positive: The labels; both kinds weigh alike in all.
        both_strands: Whether the reverse strand is read, too.
    """

    def __init__(self, sequences: Sequences, positive: Booleans, both_strands: bool):
        self.sequences = TripletSequences.of(sequences)
        self.truth = positive.astype(np.float64)
        shares = np.where(positive, positive.mean(), 1.0 - positive.mean())
        self.weights = 0.5 / shares
        letters = sequences.alphabet.size
        self.complement = np.arange(letters, dtype=np.int64)
        if both_strands:
            assert sequences.alphabet.complement_codes is not None
            self.complement = sequences.alphabet.complement_codes[:letters].astype(np.int64)
        self.both_strands = both_strands

    def read(self, matrix: Matrix) -> _Reading:
        """Score the sequences; one without a window scores as the lowest of the others."""
        strands = [matrix, matrix[::-1, self.complement]] if self.both_strands else [matrix]
        scores = np.full(len(self.truth), -np.inf)
        letters = np.zeros((len(self.truth), *matrix.shape))
        _read(
            self.sequences.letters,
            self.sequences.triplets,
            self.sequences.offsets,
            triplet_scores(np.stack(strands)),
            self.complement,
            scores,
            letters,
        )
        known = np.isfinite(scores)
        scores[~known] = scores[known].min() if known.any() else 0.0
        return _Reading(scores, letters.reshape(len(scores), -1))

    def fit(self, start: Matrix, steps: int) -> Matrix:
        """Take damped Gauss-Newton steps from a matrix, with the prior around it; the slope stays as it is there."""
        matrix, reading = start, self.read(start)
        slope, shift = self._scale(reading.scores)
        precision = np.append(np.full(start.size, _DEVIATION**-2), 0.0)
        loss = self._loss(slope * reading.scores + shift)
        for _ in range(steps):
            features = np.column_stack([slope * reading.letters, np.ones(len(self.truth))])
            move = np.append((start - matrix).ravel(), 0.0)
            step = self._step(features, slope * reading.scores + shift, precision, move)
            for halving in range(_HALVINGS):
                tried = matrix + step[:-1].reshape(matrix.shape) / 3.0**halving
                shifted = shift + step[-1] / 3.0**halving
                found = self.read(tried)
                prior = 0.5 * _DEVIATION**-2 * float(((tried - start) ** 2).sum())
                reached = self._loss(slope * found.scores + shifted) + prior
                if reached < loss:
                    break
            else:
                break
            gain, loss = loss - reached, reached
            matrix, shift, reading = tried, shifted, found
            if gain < _CONVERGED * len(self.truth):
                break
        return matrix

    def _scale(self, scores: Matrix) -> tuple[float, float]:
        """Fit slope and shift of the scores alone."""
        mean, deviation = scores.mean(), scores.std() + 1e-9
        features = np.column_stack([(scores - mean) / deviation, np.ones(len(scores))])
        values = np.zeros(2)
        for _ in range(_SCALE_STEPS):
            step = self._step(features, features @ values, np.full(2, _SCALE_PRIOR), -values)
            values = values + np.clip(step, -1.0, 1.0)
            if np.abs(step).max() < 1e-6:
                break
        slope = float(values[0] / deviation)
        return slope, float(values[1] - slope * mean)

    def _step(self, features: Matrix, logits: Matrix, precision: Matrix, move: Matrix) -> Matrix:
        """Solve one Newton step; the prior pulls by `move`, the way back to its centre."""
        chances = 1.0 / (1.0 + np.exp(-np.clip(logits, -500, 500)))
        curvature = self.weights * chances * (1.0 - chances)
        gradient = features.T @ (self.weights * (self.truth - chances)) + precision * move
        hessian = (features * curvature[:, None]).T @ features + np.diag(precision + 1e-6)
        return np.asarray(np.linalg.solve(hessian, gradient))

    def _loss(self, logits: Matrix) -> float:
        return float((self.weights * (np.logaddexp(0.0, logits) - self.truth * logits)).sum())


@compiled
def _read(  # type: ignore[no-untyped-def] # pragma: no cover
    codes, triplets, offsets, strands, complement, scores, letters
):
    longest = 0
    for sequence in range(len(offsets) - 1):
        longest = max(longest, offsets[sequence + 1] - offsets[sequence])
    window_scores = np.empty((strands.shape[0], longest))
    width = letters.shape[1]
    for sequence in range(len(offsets) - 1):
        start = offsets[sequence]
        windows = offsets[sequence + 1] - start - width + 1
        best, number = -np.inf, 0
        for window in range(windows):
            for strand in range(strands.shape[0]):
                score = 0.0
                for triplet in range(strands.shape[1]):
                    score += strands[strand, triplet, triplets[start + window + 3 * triplet]]
                window_scores[strand, window] = score
                number += score > -np.inf
                best = max(best, score)
        if number == 0:
            continue
        total = 0.0
        for strand in range(strands.shape[0]):
            for window in range(windows):
                if window_scores[strand, window] > best - _FAR_BELOW:
                    total += np.exp(window_scores[strand, window] - best)
        scores[sequence] = best + np.log(total / number)
        _mean_letters(codes, start, complement, window_scores[:, :windows], best, total, letters[sequence])


@compiled
def _mean_letters(  # type: ignore[no-untyped-def] # pragma: no cover
    codes, start, complement, scores, best, total, letters
):
    """Add the letters of a sequence's windows, each by its share of the odds."""
    width = len(letters)
    for strand in range(scores.shape[0]):
        for window in range(scores.shape[1]):
            if scores[strand, window] < best - _NEGLIGIBLE:
                continue
            chance = np.exp(scores[strand, window] - best) / total
            for column in range(width):
                place = start + window + (column if strand == 0 else width - 1 - column)
                code = codes[place] if strand == 0 else complement[codes[place]]
                letters[column, code] += chance
