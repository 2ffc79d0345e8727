"""Exact statistics of integer motif scores: distribution, p-values, thresholds.

Scores are log-odds in bits, scaled and rounded to integers; the distribution of a window's score
under an order-0 background is then found exactly by dynamic programming over the columns (Staden 1989;
FIMO and MOODS do the same), and under a first-order one by the same for each last letter. It is exact for
the integers that the engine adds up.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from motifcnn.motifs import LogOdds

UNITS_PER_BIT = 500
"""A column's rounding error is at most 1/1000 bit."""
_LOWEST = -100.0
"""Bits given to a letter that the motif excludes (probability 0 and no pseudocount)."""


_ROUNDING = 1e-12
"""Relative error that adding up chances may leave, so that a word with just the p-value asked for counts."""


@dataclass(frozen=True, eq=False)
class Chain:
    """A first-order background: how often each letter begins a window, and follows each other letter.

    Args:
        first: Shape [letter]; sums to 1.
        following: Shape [letter, next letter]; rows sum to 1.
    """

    first: npt.NDArray[np.float64]
    following: npt.NDArray[np.float64]

    @classmethod
    def from_pairs(cls, counts: npt.NDArray[np.float64]) -> "Chain":
        """Estimate from counts of neighbouring letters, shape [letter, next letter], all above 0."""
        return cls(counts.sum(axis=1) / counts.sum(), counts / counts.sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class IntegerMotif:
    """A motif with integer scores and their exact distribution.

    Args:
        name: Name of the motif.
        scores: Scores in 1/500 bit, shape [position, letter].
        lowest: Least possible score of a window, or the least that matters.
        survival: Chance that a window scores `lowest` + i or more, shape [score].
    """

    name: str
    scores: npt.NDArray[np.int32]
    lowest: int
    survival: npt.NDArray[np.float64]

    @classmethod
    def from_log_odds(cls, matrix: LogOdds, chain: Chain | None = None) -> "IntegerMotif":
        """Scale, round, and compute the distribution under a chain, or under the matrix's own background."""
        bits = np.maximum(matrix.scores, _LOWEST)
        scores = np.rint(bits * UNITS_PER_BIT).astype(np.int32)
        lowest = int(scores.min(axis=1).sum())
        if chain is None:
            return cls(matrix.name, scores, lowest, _survival(scores, matrix.background))
        return cls(matrix.name, scores, lowest, _chain_survival(scores, chain))

    @property
    def width(self) -> int:
        """Number of positions."""
        return len(self.scores)

    @property
    def highest(self) -> int:
        """Greatest possible score of a window."""
        return self.lowest + len(self.survival) - 1

    def p_values(self, scores: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """Return the chance of each score or a greater one at one window."""
        return np.asarray(self.survival[np.clip(scores - self.lowest, 0, len(self.survival) - 1)])

    def threshold(self, p_value: float) -> int | None:
        """Return the least score with this p-value or a smaller one, up to rounding; None where no word has one."""
        reaching = np.flatnonzero(self.survival <= p_value * (1 + _ROUNDING))
        return self.lowest + int(reaching[0]) if reaching.size else None

    def tail(self, threshold: int) -> "IntegerMotif":
        """Return the motif without the chances of scores below a threshold, most of what it holds."""
        lowest = max(threshold, self.lowest)
        return replace(self, lowest=lowest, survival=self.survival[lowest - self.lowest :].copy())

    def reverse_complement(self, complement: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
        """Return the scores that read the other strand."""
        return np.ascontiguousarray(self.scores[::-1, complement[: self.scores.shape[1]]])


def _survival(scores: npt.NDArray[np.int32], background: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    steps = scores - scores.min(axis=1, keepdims=True)
    chances = np.ones(1)
    for column in steps:
        wider = np.zeros(len(chances) + int(column.max()))
        for step, frequency in zip(column.tolist(), background.tolist(), strict=True):
            wider[step : step + len(chances)] += frequency * chances
        chances = wider
    return _summed_from_the_top(chances)


def _chain_survival(scores: npt.NDArray[np.int32], chain: Chain) -> npt.NDArray[np.float64]:
    """As `_survival`, with a distribution for each last letter of the word so far."""
    steps = scores - scores.min(axis=1, keepdims=True)
    chances = np.zeros((len(chain.first), 1 + int(steps[0].max())))
    chances[np.arange(len(chain.first)), steps[0]] = chain.first
    for column in steps[1:]:
        wider = np.zeros((len(column), chances.shape[1] + int(column.max())))
        arriving = chain.following.T @ chances
        for letter, step in enumerate(column.tolist()):
            wider[letter, step : step + chances.shape[1]] = arriving[letter]
        chances = wider
    return _summed_from_the_top(chances.sum(axis=0))


def _summed_from_the_top(chances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # where the smallest terms are, so that small tails lose no digits
    return np.minimum(np.cumsum(chances[::-1])[::-1], 1.0)
