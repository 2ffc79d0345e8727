"""Motifs and their algebra: counts → probabilities → log-odds, each a type of its own.

A matrix always has shape [position, letter]. Scores are in bits (log base 2).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Alphabet, Codes
from motifcnn.errors import MotifcnnError

Matrix = npt.NDArray[np.float64]

DEFAULT_PSEUDOCOUNT = 0.1
"""Sites' worth of background added to each column before scoring (FIMO's default)."""


def uniform_background(alphabet: Alphabet) -> Matrix:
    """Return equal letter frequencies, shape [letter]."""
    return np.full(alphabet.size, 1.0 / alphabet.size)


def count_letters(sequences: Sequence[Codes], alphabet: Alphabet, weights: Matrix | None = None) -> Matrix:
    """Count the letters at each position of aligned sequences of one width.

    Args:
        sequences: Codes, each of shape [position]; ambiguity codes count as fractions.
        alphabet: Their alphabet.
        weights: One weight a sequence; 1 each by default.

    Returns:
        Counts of shape [position, letter].
    """
    aligned = np.asarray(sequences)
    one_hot = alphabet.fractions.astype(np.float64)[aligned]
    if weights is None:
        return np.asarray(one_hot.sum(axis=0))
    return np.asarray(np.einsum("s,spl->pl", weights, one_hot))


@dataclass(frozen=True, eq=False)
class LogOdds:
    """A motif as scores: log2 of probability over background, shape [position, letter]."""

    name: str
    scores: Matrix
    alphabet: Alphabet
    background: Matrix

    @property
    def width(self) -> int:
        """Number of positions."""
        return len(self.scores)

    def reverse_complement(self) -> "LogOdds":
        """Return the scores that read the other strand."""
        return replace(self, scores=_reverse_complement(self.scores, self.alphabet))


@dataclass(frozen=True, eq=False)
class Motif:
    """A position weight matrix: letter probabilities at each position of a site.

    Args:
        name: Identifier, without white space.
        probabilities: Shape [position, letter]; every row sums to 1.
        alphabet: The alphabet of its letters.
        sites: How many sites it was made from (the `nsites` of MEME files).
        background: Letter frequencies that it is held against; uniform by default.
        alternate_name: A second name, such as that of the factor.
        e_value: Expected number of motifs as good by chance; NaN where not known.
        family: Family of its factor, such as "Ets-related", or empty.

    Raises:
        MotifcnnError: The rows are no probabilities.
    """

    name: str
    probabilities: Matrix
    alphabet: Alphabet
    sites: float = 20.0
    background: Matrix = field(default_factory=lambda: np.empty(0))
    alternate_name: str = ""
    e_value: float = float("nan")
    family: str = ""

    def __post_init__(self) -> None:
        matrix = np.ascontiguousarray(self.probabilities, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != self.alphabet.size or len(matrix) == 0:
            raise MotifcnnError(
                f"motif {self.name}: a matrix of shape {matrix.shape} where "
                f"[width, {self.alphabet.size}] is needed for {self.alphabet.name}"
            )
        totals = matrix.sum(axis=1, keepdims=True)
        if (matrix < 0).any() or not (np.abs(totals - 1.0) <= 1e-3).all():  # not a number is refused, too
            raise MotifcnnError(f"motif {self.name}: rows must be probabilities that sum to 1")
        object.__setattr__(self, "probabilities", matrix / totals)
        if self.background.size == 0:
            object.__setattr__(self, "background", uniform_background(self.alphabet))

    @classmethod
    def from_counts(
        cls,
        name: str,
        counts: Matrix,
        alphabet: Alphabet,
        *,
        background: Matrix | None = None,
        pseudocount: float = DEFAULT_PSEUDOCOUNT,
    ) -> "Motif":
        """Make a motif from letter counts.

        Args:
            name: Identifier of the motif.
            counts: Shape [position, letter].
            alphabet: The alphabet of its letters.
            background: Letter frequencies; uniform by default.
            pseudocount: Sites' worth of background added to each column.
        """
        prior = uniform_background(alphabet) if background is None else background
        smoothed = np.asarray(counts, dtype=np.float64) + pseudocount * prior
        totals = smoothed.sum(axis=1, keepdims=True)
        if (totals <= 0).any():
            raise MotifcnnError(f"motif {name}: no site was counted at some position")
        return cls(name, smoothed / totals, alphabet, sites=float(np.max(np.sum(counts, axis=1))), background=prior)

    @property
    def width(self) -> int:
        """Number of positions."""
        return len(self.probabilities)

    @property
    def consensus(self) -> str:
        """One letter a position: IUPAC for nucleotides, the commonest (lower case if rare) else."""
        return "".join(_consensus_letter(column, self.alphabet) for column in self.probabilities)

    def information(self) -> Matrix:
        """Return the information of each position in bits against uniform, shape [position]."""
        logs = np.log2(self.probabilities, out=np.zeros_like(self.probabilities), where=self.probabilities > 0)
        return np.asarray(np.log2(self.alphabet.size) + (self.probabilities * logs).sum(axis=1))

    def total_information(self) -> float:
        """Return the information of the whole motif in bits."""
        return float(self.information().sum())

    def reverse_complement(self) -> "Motif":
        """Return the motif as it reads on the other strand.

        Raises:
            MotifcnnError: The alphabet has no complement.
        """
        return replace(self, probabilities=_reverse_complement(self.probabilities, self.alphabet))

    def log_odds(self, background: Matrix | None = None, pseudocount: float = DEFAULT_PSEUDOCOUNT) -> LogOdds:
        """Return log2 odds against a background.

        Args:
            background: Letter frequencies, all above 0; the motif's own by default.
            pseudocount: Sites' worth of background mixed into each column, so that a letter never
                seen scores low but not minus infinity.
        """
        against = self.background if background is None else background
        if (against <= 0).any():
            raise MotifcnnError(f"motif {self.name}: every background frequency must be above 0")
        sites = max(self.sites, 1.0)
        smoothed = (self.probabilities * sites + pseudocount * against) / (sites + pseudocount)
        with np.errstate(divide="ignore"):  # without pseudocount a letter never seen scores minus infinity
            return LogOdds(self.name, np.log2(smoothed / against), self.alphabet, against)

    def log_odds_without_one(self, pseudocount: float = DEFAULT_PSEUDOCOUNT) -> LogOdds:
        """Return log2 odds against the motif's background as if the site at hand were not among its sites.

        Sequences that a motif was made from score too well with it, the more so the wider it is and
        the fewer they are. A letter loses the one count that the site itself brought.

        Args:
            pseudocount: Sites' worth of background mixed into each column.
        """
        others = max(self.sites - 1.0, 1.0)
        counts = np.maximum(self.probabilities * max(self.sites, 1.0) - 1.0, 0.0)
        smoothed = (counts + pseudocount * self.background) / (others + pseudocount)
        scores = np.log2(np.minimum(smoothed, 1.0) / self.background)
        return LogOdds(self.name, np.minimum(scores, self.log_odds().scores), self.alphabet, self.background)


def trim_bounds(information: Matrix, threshold: float, minimum_width: int = 1) -> tuple[int, int]:
    """Return start and end of the positions to keep: from the first to the last at the threshold.

    Args:
        information: Bits of each position, shape [position].
        threshold: Least information of an outer position, in bits.
        minimum_width: Least number of positions kept; the window of most information where the
            threshold leaves fewer.
    """
    keep = np.flatnonzero(information >= threshold)
    start, end = (int(keep[0]), int(keep[-1]) + 1) if keep.size else (0, 0)
    width = min(minimum_width, len(information))
    if end - start >= width:
        return start, end
    sums = np.convolve(information, np.ones(width), mode="valid")
    lowest, highest = (0, len(sums) - 1) if start == end else (max(0, end - width), min(start, len(sums) - 1))
    best = lowest + int(np.argmax(sums[lowest : highest + 1]))
    return best, best + width


def _reverse_complement(matrix: Matrix, alphabet: Alphabet) -> Matrix:
    if alphabet.complement_codes is None:
        raise MotifcnnError(f"{alphabet.name} has no reverse complement")
    return np.ascontiguousarray(matrix[::-1, alphabet.complement_codes[: alphabet.size]])


def _consensus_letter(column: Matrix, alphabet: Alphabet) -> str:
    """The fewest letters that hold a clear majority (Cavener 1987), as one IUPAC letter."""
    order = np.argsort(-column, kind="stable")
    best = alphabet.letters[order[0]]
    if alphabet.complement is None:
        return best if column[order[0]] >= 0.5 else best.lower() if column[order[0]] >= 0.2 else "x"
    if column[order[0]] >= 0.5 and column[order[0]] >= 2 * column[order[1]]:
        return best
    if column[order[0]] + column[order[1]] >= 0.75:
        pair = frozenset(alphabet.letters[i] for i in order[:2])
        return next(letter for letter, members in alphabet.ambiguity if frozenset(members) == pair)
    return alphabet.symbols[alphabet.unknown]
