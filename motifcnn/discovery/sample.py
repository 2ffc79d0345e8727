"""Which examples motifs are looked for in: all, or a sample of very many.

A motif that matters is plain in tens of thousands of sequences, and every step from filters to pairs of motifs takes
time and memory by the sequence. What is found more often in positives is so in any share of positives, so each output
may have more of its own in the sample than in the whole.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from motifcnn.discovery.extraction import positive_groups
from motifcnn.inputs.examples import Examples
from motifcnn.inputs.splits import PARTS
from motifcnn.objectives import Objective

MOST_SHOWN: Final = 40_000
"""Training and validation examples that motifs are made from, at most."""
MOST_TESTED: Final = 20_000
"""Held-out examples that they are tested on, at most."""

Integers = npt.NDArray[np.int64]


def sample_for_motifs(examples: Examples, objective: Objective, generator: np.random.Generator) -> Integers:
    """Choose examples for motifs at random, with up to half of the places shared out to the outputs' positives.

    Args:
        examples: Divided.
        objective: Their task.
        generator: Source of the choice; drawn from only where there are too many.

    Returns:
        Their indices, sorted; all of them where they are few enough.
    """
    held_out = examples.split == PARTS.index("test")
    chosen = []
    for part, most in ((~held_out, MOST_SHOWN), (held_out, MOST_TESTED)):
        indices = np.flatnonzero(part)
        if len(indices) > most:
            indices = generator.permutation(indices)
            preferred = np.zeros(len(indices), dtype=bool)
            for _, positive in positive_groups(objective, examples.values[indices]):
                preferred[np.flatnonzero(positive)[: most // (2 * objective.outputs)]] = True
            indices = indices[np.argsort(~preferred, kind="stable")[:most]]
        chosen.append(indices)
    return np.sort(np.concatenate(chosen))
