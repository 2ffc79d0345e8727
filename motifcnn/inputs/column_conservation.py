"""How conserved each column of a multiple alignment is.

Source: Capra and Singh 2007, Bioinformatics 23:1875; weights of Henikoff and Henikoff 1994, J Mol Biol 243:574;
profiles after Altschul et al. 1997, Nucleic Acids Res 25:3389. Unlike the first, no column is left out for its gaps:
the gap penalty lowers it.
"""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Alphabet, Codes

Score = Literal["jensen-shannon", "relative-entropy"]
Matrix = npt.NDArray[np.float64]

GAP: Final = 255
"""Code of a gap; the wholly unknown letter, which says as little, counts as one."""
_BLOSUM62: Final = dict(
    zip(
        "ARNDCQEGHILKMFPSTWYV",
        (.078, .051, .041, .052, .024, .034, .059, .083, .025, .062, .092, .056, .024, .044, .043, .059, .055, .014,
         .034, .072),
        strict=True,
    )
)  # fmt: skip
"""Amino acids' frequencies in the alignments behind BLOSUM62, as Capra and Singh use them."""
_NEIGHBOURS_WEIGHT: Final = 0.5
"""Share of the neighbours' mean in a smoothed score; Capra and Singh's λ."""
_BACKGROUND_COUNTS: Final = 10.0
"""Pseudocounts of a profile: Altschul's β."""


def background(alphabet: Alphabet) -> Matrix:
    """Return the letters' frequencies that conservation is measured against: BLOSUM62's, or all alike."""
    if alphabet.name != "protein":
        return np.full(alphabet.size, 1.0 / alphabet.size)
    frequencies = np.array([_BLOSUM62[letter] for letter in alphabet.letters])
    return np.asarray(frequencies / frequencies.sum())


def henikoff_weights(rows: Codes, alphabet: Alphabet) -> Matrix:
    """Weigh rows so that many copies of one sequence count little more than one.

    In each column a letter found n times among k kinds of letters gives each of its rows 1 / (k × n); gaps and
    ambiguous letters give nothing.

    Args:
        rows: Codes, gaps as `GAP`, shape [row, column].
        alphabet: Alphabet of the codes.

    Returns:
        Weights with sum 1, shape [row].
    """
    weights = np.zeros(len(rows))
    for letter in range(alphabet.size):
        here = rows == letter
        weights += here @ (1.0 / np.maximum(here.sum(axis=0), 1) / _kinds(rows, alphabet))
    total = weights.sum()
    return weights / total if total > 0 else np.full(len(rows), 1.0 / len(rows))


def _kinds(rows: Codes, alphabet: Alphabet) -> Matrix:
    """Number of kinds of letters in each column, at least 1."""
    found = np.stack([(rows == letter).any(axis=0) for letter in range(alphabet.size)])
    return np.asarray(np.maximum(found.sum(axis=0), 1.0))


def column_frequencies(rows: Codes, weights: Matrix, alphabet: Alphabet) -> tuple[Matrix, Matrix]:
    """Return the letters' weighted frequencies in each column, and the weight of its gaps.

    Args:
        rows: Codes, gaps as `GAP`, shape [row, column].
        weights: Weight of each row; their sum is 1.
        alphabet: Alphabet of the codes; its ambiguity letters count as fractions.

    Returns:
        Frequencies without gaps, sum 1 or, in a column of gaps, 0, shape [column, letter]; and shape [column].
    """
    table = np.zeros((GAP + 1, alphabet.size))
    table[: len(alphabet.symbols)] = alphabet.fractions
    table[alphabet.unknown] = 0.0
    counts = np.stack([weights @ table[rows, letter] for letter in range(alphabet.size)], axis=1)
    filled = counts.sum(axis=1)
    return counts / np.where(filled > 0, filled, 1.0)[:, None], 1.0 - filled


def conservation(
    rows: Codes, alphabet: Alphabet, score: Score = "jensen-shannon", *, window: int = 0, gap_penalty: bool = True
) -> Matrix:
    """Return each column's conservation, in bits.

    Args:
        rows: Codes, gaps as `GAP`, shape [row, column].
        alphabet: Alphabet of the codes.
        score: Jensen–Shannon divergence from the background (0 to 1), or relative entropy to it.
        window: Columns on each side whose mean makes half of a column's score; 0: none.
        gap_penalty: Whether a score is multiplied by the share of rows without a gap.

    Returns:
        Shape [column]; NaN in a column of gaps alone.
    """
    frequencies, gaps = column_frequencies(rows, henikoff_weights(rows, alphabet), alphabet)
    expected = background(alphabet)
    if score == "jensen-shannon":
        middle = (frequencies + expected) / 2
        scores = (relative_entropy(frequencies, middle) + relative_entropy(expected, middle)) / 2
    else:
        scores = relative_entropy(frequencies, expected)
    scores = scores * (1.0 - gaps) if gap_penalty else scores
    return smoothed(np.where(frequencies.any(axis=1), scores, np.nan), window)


def relative_entropy(frequencies: Matrix, expected: Matrix) -> Matrix:
    """Return Σ p log2(p / q) over the last axis, in bits; a letter with p = 0 adds nothing."""
    p, q = np.broadcast_arrays(frequencies, expected)
    ratio = np.divide(p, q, out=np.ones_like(p, dtype=np.float64), where=p > 0)
    return np.asarray((p * np.log2(ratio)).sum(axis=-1))


def smoothed(scores: Matrix, window: int) -> Matrix:
    """Mix each score with the mean of its neighbours, half and half; missing ones are passed over.

    Args:
        scores: Shape [column]; NaN where missing.
        window: Neighbours on each side, fewer at an end.
    """
    if not window:
        return scores
    known = ~np.isnan(scores)
    ones = np.ones(2 * window + 1)
    ones[window] = 0.0
    sums = np.convolve(np.where(known, scores, 0.0), ones)[window:-window]
    counts = np.convolve(known.astype(np.float64), ones)[window:-window]
    means = np.divide(sums, counts, out=scores.copy(), where=counts > 0)
    return np.asarray((1.0 - _NEIGHBOURS_WEIGHT) * scores + _NEIGHBOURS_WEIGHT * means)


def profile(rows: Codes, alphabet: Alphabet) -> Matrix:
    """Return the log-odds of each letter in each column, in bits.

    Frequencies are mixed with the background's as PSI-BLAST does, α = mean number of kinds of letters − 1 to β = 10.

    Args:
        rows: Codes, gaps as `GAP`, shape [row, column].
        alphabet: Alphabet of the codes.

    Returns:
        Shape [column, letter]; 0 throughout a column of gaps.
    """
    frequencies, _ = column_frequencies(rows, henikoff_weights(rows, alphabet), alphabet)
    expected = background(alphabet)
    frequencies = np.where(frequencies.any(axis=1, keepdims=True), frequencies, expected)
    alpha = float(_kinds(rows, alphabet).mean()) - 1.0
    mixed = (alpha * frequencies + _BACKGROUND_COUNTS * expected) / (alpha + _BACKGROUND_COUNTS)
    return np.asarray(np.log2(mixed / expected))
