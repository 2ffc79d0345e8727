"""Exact statistics of integer motif scores: distribution, p-values, thresholds.

Scores are log-odds in bits, scaled and rounded to integers; the distribution of a window's score
under an order-0 background is then found exactly by dynamic programming over the columns (Staden 1989;
FIMO and MOODS do the same). It is exact for the integers that the engine adds up.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from motifcnn.motifs import LogOdds

UNITS_PER_BIT = 500
"""A column's rounding error is at most 1/1000 bit."""
_LOWEST = -100.0
"""Bits given to a letter that the motif excludes (probability 0 and no pseudocount)."""


@dataclass(frozen=True, eq=False)
class IntegerMotif:
    """A motif with integer scores and their exact distribution.

    Args:
        name: Name of the motif.
        scores: Scores in 1/500 bit, shape [position, letter].
        lowest: Least possible score of a window.
        survival: Chance that a window scores `lowest` + i or more, shape [score].
    """

    name: str
    scores: npt.NDArray[np.int32]
    lowest: int
    survival: npt.NDArray[np.float64]

    @classmethod
    def from_log_odds(cls, matrix: LogOdds) -> "IntegerMotif":
        """Scale, round, and compute the distribution under the matrix's own background."""
        bits = np.maximum(matrix.scores, _LOWEST)
        scores = np.rint(bits * UNITS_PER_BIT).astype(np.int32)
        lowest = int(scores.min(axis=1).sum())
        return cls(matrix.name, scores, lowest, _survival(scores, matrix.background))

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
        """Return the least score with this p-value or a smaller one; None where no word has one."""
        reaching = np.flatnonzero(self.survival <= p_value)
        return self.lowest + int(reaching[0]) if reaching.size else None

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
    # summed from the top, where the smallest terms are, so that small tails lose no digits
    return np.minimum(np.cumsum(chances[::-1])[::-1], 1.0)
