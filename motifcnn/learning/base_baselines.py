"""Trivial models of values for each base: their mean profile, the letters around a base, the channels at it."""

import numpy as np
import numpy.typing as npt

from motifcnn.inputs.examples import Examples
from motifcnn.learning.baselines import Baseline, fit_each
from motifcnn.learning.evaluation import score_predictions
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences

Matrix = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_AROUND = 51
"""Letters whose share of G and C is looked at; about a site and its flanks."""
_MOST_FITTED = 200_000
"""Bases that a linear model is fitted to; more do not change one slope."""


def fit_base_baselines(objective: Objective, examples: Examples) -> list[Baseline]:
    """Fit trivial models on the training part's bases and score them on the held-out ones.

    "profile" is the mean of the training values as far from the middle of a sequence; "gc" a linear model of the share
    of G and C among the 51 letters around a base (nucleotides only); "tracks" one of the further channels at the base.

    Args:
        objective: The task.
        examples: With values for each base.
    """
    sequences, values = examples.sequences, examples.targeted
    train, test = (examples.rows(examples.part(part)) for part in ("train", "test"))
    predictions = {"profile": mean_profile(sequences, values, train)[test]}
    fitted = train[:: -(-len(train) // _MOST_FITTED)]
    for name, features in _features(examples).items():
        scaled = (features - features[fitted].mean(axis=0)) / np.maximum(features[fitted].std(axis=0), 1e-9)
        predictions[name] = fit_each(objective, scaled[fitted], values[fitted], scaled[test])
    return [
        Baseline(name, predicted, score_predictions(objective, predicted, values[test]))
        for name, predicted in predictions.items()
    ]


def mean_profile(sequences: Sequences, values: npt.NDArray[np.float32], fitted: Integers) -> Matrix:
    """Return, at each base, the mean of the values as far from the middle of their sequences.

    Args:
        sequences: All of them.
        values: Shape [total positions, target]; NaN where missing.
        fitted: Positions whose values count.

    Returns:
        Shape [total positions, target]; where a distance was never seen, the mean of all.
    """
    middles = sequences.offsets[:-1] + sequences.lengths // 2
    distance = np.arange(len(values)) - np.repeat(middles, sequences.lengths)
    distance -= distance.min()
    profiles = []
    for column in values.T:
        seen = fitted[~np.isnan(column[fitted])]
        count = np.bincount(distance[seen], minlength=int(distance.max()) + 1)
        total = np.bincount(distance[seen], weights=column[seen], minlength=len(count))
        overall = total.sum() / max(count.sum(), 1)
        profiles.append(np.divide(total, count, out=np.full(len(count), overall), where=count > 0)[distance])
    return np.stack(profiles, axis=1)


def gc_around(sequences: Sequences, width: int = _AROUND) -> Matrix:
    """Return the share of G and C among the letters around each base, those of its sequence only, shape [position].

    Args:
        sequences: Nucleotides.
        width: Letters, an odd number.
    """
    share = sequences.alphabet.fractions[:, [sequences.alphabet.letters.index(letter) for letter in "GC"]].sum(axis=1)
    sums = np.append(0.0, np.cumsum(share[sequences.codes], dtype=np.float64))
    first, last = (np.repeat(ends, sequences.lengths) for ends in (sequences.offsets[:-1], sequences.offsets[1:]))
    positions = np.arange(len(sequences.codes))
    low, high = np.maximum(positions - width // 2, first), np.minimum(positions + width // 2 + 1, last)
    return np.asarray((sums[high] - sums[low]) / (high - low))


def _features(examples: Examples) -> dict[str, Matrix]:
    """What linear models see at each base, each of shape [position, feature]."""
    features = {}
    if examples.sequences.alphabet.size == 4:
        features["gc"] = gc_around(examples.sequences)[:, None]
    if len(examples.tracks):
        means = np.nan_to_num(np.nanmean(examples.tracks, axis=1, keepdims=True), nan=0.0)
        features["tracks"] = np.where(np.isnan(examples.tracks), means, examples.tracks).T.astype(np.float64)
    return features
