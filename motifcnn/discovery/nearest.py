"""Nearest known motifs of what was found, with what stands beside its sites.

A motif is trimmed to what tells positives from others; the weak preferences on either side of that core still tell
which factor it is of. So the columns beside its sites in the training set are compared with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from motifcnn.discovery.comparison import FAR_E_VALUE, Match, Relatives, compare, relatives
from motifcnn.discovery.extraction import site_windows
from motifcnn.motifs import Motif, count_letters
from motifcnn.sequences import Sequences
from motifcnn.settings import ComparisonSettings

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FlankedMotif:
    """A motif between the columns beside its sites.

    Args:
        motif: The motif itself.
        whole: With the columns on either side.
        flank: Columns on each side.
    """

    motif: Motif
    whole: Motif
    flank: int

    @classmethod
    def of(
        cls,
        motif: Motif,
        sequences: Sequences,
        members: Indices,
        starts: Indices,
        reverse: npt.NDArray[np.bool_],
        flank: int,
    ) -> "FlankedMotif":
        """Count the letters beside a motif's sites.

        Args:
            motif: The motif.
            sequences: Where its sites are.
            members: Which sequences hold one, shape [site].
            starts: First position of each.
            reverse: Whether it is on the reverse strand.
            flank: Positions to take on each side; those past an end count as any letter.
        """
        if not len(members):
            return cls(motif, motif, 0)
        windows = site_windows(sequences, members, starts, reverse, motif.width, flank)
        counted = Motif.from_counts(
            motif.name,
            count_letters(list(windows), motif.alphabet),
            motif.alphabet,
            background=sequences.letter_frequencies(),
        ).probabilities
        matrix = np.concatenate([counted[:flank], motif.probabilities, counted[flank + motif.width :]])
        return cls(motif, replace(motif, probabilities=matrix), flank)


def nearest_known(found: Sequence[FlankedMotif], database: Sequence[Motif]) -> list[Relatives | None]:
    """Return the nearest known motifs of each, those too far to be called alike included where none is nearer.

    Args:
        found: Motifs of one alphabet.
        database: Known motifs of the same; where it is empty there are none.
    """
    if not database:
        return [None] * len(found)
    queries, trim_bits = [item.whole for item in found], ComparisonSettings().trim_bits
    found_for_each = compare(queries, database, e_threshold=FAR_E_VALUE, least=1, trim_bits=trim_bits)
    return [
        relatives([_of_the_motif(match, item.flank) for match in matches])
        for item, matches in zip(found, found_for_each, strict=True)
    ]


def _of_the_motif(match: Match, flank: int) -> Match:
    """Tell the place of the motif's own first column, not the flank's."""
    return replace(match, offset=match.offset + flank)
