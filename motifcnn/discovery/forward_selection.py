"""Features one after another, by what each adds to a logistic model of those before it."""

from collections.abc import Iterator

import numpy as np

from motifcnn.motifs import Matrix

RIDGE = 1e-3
"""Precision of the prior on the weights of standardised features, which keeps them finite."""

_REFITS = 6


def standardised(scores: Matrix) -> Matrix:
    """Scores of mean 0 and deviation 1; a sequence without a window scores as the lowest."""
    finite = np.isfinite(scores)
    filled = np.where(finite, scores, scores[finite].min() if finite.any() else 0.0)
    return np.asarray((filled - filled.mean()) / (filled.std() + 1e-9))


def forward_selection(features: Matrix, truth: Matrix, penalties: Matrix) -> Iterator[tuple[float, int]]:
    """Yield features by what each adds to a logistic model of the first one and those yielded before.

    Args:
        features: Shape [feature, example]; the first is in the model from the start.
        truth: 0 or 1 for each example.
        penalties: Nats that each feature must earn.

    Yields:
        Nats gained, less the penalty, and the number of the feature.
    """
    left = list(range(1, len(features)))
    model = [np.ones(len(truth)), features[0]]
    while left:
        gains = score_tests(np.stack(model, axis=1), features[left], truth) - penalties[left]
        best = left[int(gains.argmax())]
        yield float(gains.max()), best
        left.remove(best)
        model.append(features[best])


def score_tests(model: Matrix, features: Matrix, truth: Matrix) -> Matrix:
    """Nats that each feature adds to a logistic model, to second order (Rao 1948); 0 where it speaks against.

    Args:
        model: What the model has, shape [example, feature].
        features: What it may be given, shape [feature, example].
        truth: 0 or 1 for each example.
    """
    chances = fitted_chances(model, truth)
    curvature = chances * (1 - chances)
    slopes = features @ (truth - chances)
    shared = (features * curvature) @ model
    inverse = np.linalg.inv((model * curvature[:, None]).T @ model + RIDGE * np.eye(model.shape[1]))
    own = (features**2) @ curvature - np.einsum("fm,mk,fk->f", shared, inverse, shared)
    return np.where(slopes > 0, 0.5 * slopes**2 / np.maximum(own, 1e-9), 0.0)


def fitted_chances(model: Matrix, truth: Matrix) -> Matrix:
    """Return each example's chance of a 1 by a logistic model fitted to all.

    Args:
        model: Features, shape [example, feature].
        truth: 0 or 1 for each example.
    """
    values = np.zeros(model.shape[1])
    ridge = RIDGE * np.eye(len(values))
    for _ in range(_REFITS):
        chances = _chances(model @ values)
        curved = model * (chances * (1 - chances))[:, None]
        values = values + np.linalg.solve(curved.T @ model + ridge, model.T @ (truth - chances) - RIDGE * values)
    return _chances(model @ values)


def _chances(logits: Matrix) -> Matrix:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30))))
