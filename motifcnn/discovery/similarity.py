"""How alike two motifs are, whichever way they lie: the correlation of their columns."""

from dataclasses import dataclass

import numpy as np

from motifcnn.errors import MotifcnnError
from motifcnn.motifs import Matrix, Motif

LEAST_OVERLAP = 6
"""Columns that two motifs must share to be alike, or the narrower one's width if it is less."""

LEAST_COVERAGE = 2 / 3
"""Share of the weaker motif's information that must lie in the overlap."""


@dataclass(frozen=True)
class Similarity:
    """How two motifs agree at their best.

    Args:
        correlation: Pearson correlation of the aligned probabilities, from -1 to 1.
        offset: Position in the (oriented) second motif of the first one's first column.
        reverse: Whether the second motif was taken as its reverse complement.
    """

    correlation: float
    offset: int
    reverse: bool


def motif_similarity(first: Motif, second: Motif, both_strands: bool) -> Similarity:
    """Return the best correlation of two motifs over all ungapped alignments.

    All aligned columns are correlated as one vector, so that a column weighs by how far it is from
    uniform. The overlap must have at least `LEAST_OVERLAP` columns (or the narrower width) and
    `LEAST_COVERAGE` of the squared deviations of the motif that has less of them; where no
    alignment does, the correlation is 0.

    Args:
        first: A motif.
        second: Another of the same alphabet.
        both_strands: Whether to try the reverse complement of the second, too.

    Raises:
        MotifcnnError: The alphabets differ, or there is no other strand.
    """
    if first.alphabet.size != second.alphabet.size:
        raise MotifcnnError(f"motifs {first.name} and {second.name} are of different alphabets")
    best = Similarity(*_best_correlation(first.probabilities, second.probabilities), reverse=False)
    if both_strands:
        flipped = second.reverse_complement().probabilities
        reverse = Similarity(*_best_correlation(first.probabilities, flipped), reverse=True)
        best = max(best, reverse, key=lambda similarity: similarity.correlation)
    return best


def _best_correlation(first: Matrix, second: Matrix) -> tuple[float, int]:
    a, b = first - first.mean(axis=1, keepdims=True), second - second.mean(axis=1, keepdims=True)
    offsets = np.arange(1 - len(a), len(b))
    start, end = np.maximum(0, -offsets), np.minimum(len(a), len(b) - offsets)
    # Sums over the diagonals: rows, last first, each one place further right in the sheared matrix.
    sheared = np.zeros((len(a), len(a) + len(b)))
    sheared[:, : len(b)] = a[::-1] @ b.T
    products = sheared.ravel()[: len(a) * len(offsets)].reshape(len(a), len(offsets)).sum(axis=0)
    squares = [np.concatenate([[0.0], np.cumsum((matrix**2).sum(axis=1))]) for matrix in (a, b)]
    overlap_squares = [squares[0][end] - squares[0][start], squares[1][end + offsets] - squares[1][start + offsets]]
    totals = [square[-1] for square in squares]
    weaker = int(np.argmin(totals))
    enough = (end - start >= min(LEAST_OVERLAP, len(a), len(b))) & (
        overlap_squares[weaker] >= LEAST_COVERAGE * totals[weaker]
    )
    if not enough.any():
        return 0.0, 0
    norms = np.sqrt(overlap_squares[0] * overlap_squares[1])
    correlations = np.divide(products, norms, out=np.zeros(len(offsets)), where=norms > 1e-12)
    best = int(np.argmax(np.where(enough, correlations, -np.inf)))
    return float(np.clip(correlations[best], -1.0, 1.0)), int(offsets[best])
