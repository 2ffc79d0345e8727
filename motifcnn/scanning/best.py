"""Each motif's best site, and its occupancy of all places, in each of many sequences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from motifcnn.compiling import compiled
from motifcnn.motifs import LogOdds
from motifcnn.sequences import Sequences


@dataclass(frozen=True, eq=False)
class BestSites:
    """Best sites; all of shape [sequence, motif].

    Args:
        scores: Log-odds in bits; minus infinity where no window fits or all hold ambiguity codes.
        starts: First position of the site; 0 where there is none.
        reverse: Whether it is on the reverse strand.
    """

    scores: npt.NDArray[np.float64]
    starts: npt.NDArray[np.int64]
    reverse: npt.NDArray[np.bool_]


def best_sites(matrices: Sequence[LogOdds], sequences: Sequences, both_strands: bool) -> BestSites:
    """Find each motif's best site in each sequence; ties go to the first, forward strand first.

    Windows with ambiguity codes are no sites.

    Args:
        matrices: The motifs, in the sequences' alphabet.
        sequences: Where to look.
        both_strands: Whether to read the reverse strand too.
    """
    shape = (len(sequences), len(matrices))
    scores = np.full(shape, -np.inf)
    starts = np.zeros(shape, dtype=np.int64)
    reverse = np.zeros(shape, dtype=np.bool_)
    for column, matrix in enumerate(matrices):
        strands = _strands(matrix, both_strands)
        _scan(sequences.codes, sequences.offsets, strands, scores[:, column], starts[:, column], reverse[:, column])
    return BestSites(scores, starts, reverse)


def occupancies(matrices: Sequence[LogOdds], sequences: Sequences, both_strands: bool) -> npt.NDArray[np.float64]:
    """Sum the odds of each motif over all windows of each sequence, on both strands where asked to.

    Unlike the best site, many weak sites count (Granek and Clarke 2005). Windows with ambiguity codes are left out.

    Args:
        matrices: The motifs, in the sequences' alphabet.
        sequences: Where to look.
        both_strands: Whether to read the reverse strand too.

    Returns:
        log2 of the sums, shape [sequence, motif]; minus infinity where there is no window.
    """
    sums = np.zeros((len(sequences), len(matrices)))
    for column, matrix in enumerate(matrices):
        _sum_odds(sequences.codes, sequences.offsets, _strands(matrix, both_strands), sums[:, column])
    with np.errstate(divide="ignore"):
        return np.asarray(np.log2(sums))


def _strands(matrix: LogOdds, both_strands: bool) -> npt.NDArray[np.float64]:
    other = matrix.reverse_complement() if both_strands else matrix
    return np.ascontiguousarray(np.stack([matrix.scores, other.scores])[: 1 + both_strands])


@compiled
def _scan(codes, offsets, strands, scores, starts, reverse):  # type: ignore[no-untyped-def] # pragma: no cover
    width, letters = strands.shape[1], strands.shape[2]
    for sequence in range(len(offsets) - 1):
        clean = 0  # letters proper since the last ambiguity code
        for end in range(offsets[sequence], offsets[sequence + 1]):
            clean = clean + 1 if codes[end] < letters else 0
            if clean < width:
                continue
            first = end - width + 1
            for strand in range(strands.shape[0]):
                total = 0.0
                for step in range(width):
                    # both strands add up in the motif's order, so that palindromes tie exactly
                    position = step if strand == 0 else width - 1 - step
                    total += strands[strand, position, codes[first + position]]
                if total > scores[sequence]:
                    scores[sequence] = total
                    starts[sequence] = first - offsets[sequence]
                    reverse[sequence] = strand == 1


@compiled
def _sum_odds(codes, offsets, strands, sums):  # type: ignore[no-untyped-def] # pragma: no cover
    width, letters = strands.shape[1], strands.shape[2]
    for sequence in range(len(offsets) - 1):
        clean = 0
        for end in range(offsets[sequence], offsets[sequence + 1]):
            clean = clean + 1 if codes[end] < letters else 0
            if clean < width:
                continue
            first = end - width + 1
            for strand in range(strands.shape[0]):
                total = 0.0
                for position in range(width):
                    total += strands[strand, position, codes[first + position]]
                sums[sequence] += 2.0**total
