"""Models to compare a network with: linear ones of trivial features, and one of gapped words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from motifcnn.learning.evaluation import Scores, score_predictions
from motifcnn.learning.gapped_words import GappedWords, unit_rows
from motifcnn.learning.reading_frames import find_reading_frames
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Matrix = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

Features = TypeVar("Features", Matrix, "csr_matrix")

_MOST_FITTED = 100_000
"""Examples that the trivial models are fitted to; of more, every second one or fewer: they have few weights."""
_SVM_COST = 0.3
"""Cost of an error; best or nearly so of 0.1 to 10 in folds of the development sets' training files."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """A trivial model: its predictions on the held-out examples and their scores."""

    name: str
    predictions: Matrix
    scores: Scores


def fit_baselines(
    objective: Objective,
    sequences: Sequences,
    values: npt.NDArray[np.float32],
    fitted_on: Integers,
    scored_on: Integers,
    *,
    tracks: npt.NDArray[np.float32] | None = None,
    gapped_words: bool = False,
) -> list[Baseline]:
    """Fit linear models on simple features and score them on held-out examples.

    A feature that is the same for all sequences (such as the length of windows) predicts nothing
    and scores an AUROC of 0.5. Where nucleotide sequences have reading frames (see `reading_frames`), "codons", a model
    that sees how often each codon stands in these, is added.

    Args:
        objective: The task.
        sequences: All sequences.
        values: Targets, shape [example, target]; NaN where missing.
        fitted_on: Indices of the examples to fit on.
        scored_on: Indices of the examples to predict.
        tracks: Further channels, shape [channel, total positions], NaN where missing; where there are some, "tracks",
            a model that sees their means alone, is added.
        gapped_words: Add "gkm", a support vector machine on gapped words, to the trivial models.

    Raises:
        MotifcnnError: Gapped words would not fit in memory.
    """
    predictions = {}
    trivial = baseline_features(sequences)
    if tracks is not None and len(tracks):
        trivial["tracks"] = _track_means(sequences, tracks)
    some = fitted_on[:: max(1, -(-len(fitted_on) // _MOST_FITTED))]
    pairs = {name: (features[some], features[scored_on]) for name, features in trivial.items()}
    frames = find_reading_frames(sequences.subset(some), both_strands=sequences.alphabet.double_stranded)
    if frames is not None:
        pairs["codons"] = frames.read_codons(sequences.subset(some)), frames.read_codons(sequences.subset(scored_on))
    for name, (fitted, scored) in pairs.items():
        middle, spread = fitted.mean(axis=0), fitted.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        predictions[name] = fit_each(objective, (fitted - middle) / spread, values[some], (scored - middle) / spread)
    if gapped_words:
        words = GappedWords.for_alphabet(sequences.alphabet, both_strands=sequences.alphabet.double_stranded)
        counts = unit_rows(words.counts(sequences))
        predictions["gkm"] = _fit_each(objective, _svm, counts[fitted_on], values[fitted_on], counts[scored_on])
    return [
        Baseline(name, predicted, score_predictions(objective, predicted, values[scored_on]))
        for name, predicted in predictions.items()
    ]


def baseline_features(sequences: Sequences) -> dict[str, Matrix]:
    """Return what trivial models see, each of shape [example, feature].

    For nucleotides: GC content, dinucleotide frequencies and length; for protein: amino-acid
    frequencies and length.
    """
    size = sequences.alphabet.size
    lengths = sequences.lengths.astype(np.float64)
    features = {"length": np.log(lengths)[:, None]}
    singles = _word_frequencies(sequences, 1)
    if size > 4:
        return {"composition": singles, **features}
    gc = singles[:, [sequences.alphabet.letters.index("C"), sequences.alphabet.letters.index("G")]].sum(axis=1)
    gc = gc.round(12)  # equal contents are equal numbers, whichever way the two shares add up: ties are ties
    return {"gc": gc[:, None], "dinucleotides": _word_frequencies(sequences, 2), **features}


def fit_each(objective: Objective, fitted: Matrix, values: npt.NDArray[np.float32], scored: Matrix) -> Matrix:
    """Fit a linear model of an output each where its target is known.

    Args:
        objective: The task.
        fitted: Features to fit on, shape [row, feature], of like scale.
        values: Their targets, shape [row, target]; NaN where missing.
        scored: Features of what is to be predicted.

    Returns:
        Shape [row to be predicted, output].
    """
    return _fit_each(objective, _logistic, fitted, values, scored)


def _track_means(sequences: Sequences, tracks: npt.NDArray[np.float32]) -> Matrix:
    """Mean of the known values of each channel, shape [example, channel]; that of all where a sequence has none."""
    owner = np.repeat(np.arange(len(sequences)), sequences.lengths)
    columns = []
    for track in tracks:
        known = ~np.isnan(track)
        counts = np.bincount(owner[known], minlength=len(sequences))
        sums = np.bincount(owner[known], weights=track[known], minlength=len(sequences))
        overall = float(sums.sum() / max(counts.sum(), 1))
        columns.append(np.divide(sums, counts, out=np.full(len(sequences), overall), where=counts > 0))
    return np.stack(columns, axis=1)


def _word_frequencies(sequences: Sequences, width: int) -> Matrix:
    """Frequencies of the unambiguous words of one width, shape [example, word]."""
    return np.concatenate([_frequencies_of_block(block, width) for block in sequences.blocks()])


def _frequencies_of_block(sequences: Sequences, width: int) -> Matrix:
    size = sequences.alphabet.size
    windows = np.lib.stride_tricks.sliding_window_view(sequences.codes, width)
    owner = np.repeat(np.arange(len(sequences)), sequences.lengths)[: len(windows)]
    inside = owner == np.repeat(np.arange(len(sequences)), sequences.lengths)[width - 1 :]
    clean = inside & (windows < size).all(axis=1)
    words = windows[clean].astype(np.int64) @ (size ** np.arange(width - 1, -1, -1))
    counts = np.bincount(owner[clean] * size**width + words, minlength=len(sequences) * size**width)
    table = counts.reshape(len(sequences), size**width).astype(np.float64)
    return np.asarray(table / np.maximum(table.sum(axis=1, keepdims=True), 1.0))


def _fit_each(
    objective: Objective,
    fit_labels: Callable[[Features, npt.NDArray[np.bool_], Features], Matrix],
    fitted: Features,
    values: npt.NDArray[np.float32],
    scored: Features,
) -> Matrix:
    """Fit one model an output where its target is known; return predictions, shape [example, output]."""
    columns = []
    for truth in objective.columns(values, standardised=False).T:
        known = np.flatnonzero(~np.isnan(truth))
        if objective.task == "regression":
            columns.append(_ridge(fitted[known], truth[known], scored))
            continue
        labels = truth[known] == 1
        if labels.all() or not labels.any():
            columns.append(np.full(scored.shape[0], float(labels.mean()) if labels.size else 0.5))
        else:
            columns.append(fit_labels(fitted[known], labels, scored))
    return np.stack(columns, axis=1)


def _ridge(features: "Matrix | csr_matrix", values: Matrix, scored: "Matrix | csr_matrix") -> Matrix:
    from sklearn.linear_model import Ridge

    return np.asarray(Ridge().fit(features, values).predict(scored), dtype=np.float64)


def _logistic(features: Matrix, labels: npt.NDArray[np.bool_], scored: Matrix) -> Matrix:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=1000, class_weight="balanced").fit(features, labels)
    return np.asarray(model.predict_proba(scored)[:, 1], dtype=np.float64)


def _svm(features: "csr_matrix", labels: npt.NDArray[np.bool_], scored: "csr_matrix") -> Matrix:
    """Distances from the plane that divides the classes, squashed to 0 to 1: an order, not probabilities."""
    from scipy.special import expit
    from sklearn.svm import LinearSVC

    model = LinearSVC(C=_SVM_COST, class_weight="balanced", dual=True, tol=1e-3, random_state=0).fit(features, labels)
    return np.asarray(expit(model.decision_function(scored)), dtype=np.float64)
