"""Random motif strands and sequences for the tests of the GPU engine."""

import numpy as np

from motifcnn.alphabet import DNA
from motifcnn.motifs import LogOdds
from motifcnn.scanning.distribution import IntegerMotif

BACKGROUND = np.full(4, 0.25)


def motif_strands(generator, widths, p_value):
    """Scores and thresholds of both strands of random motifs; where none is rare enough, of the best word alone."""
    scores, thresholds = [], []
    for width in widths:
        p = generator.dirichlet(np.full(4, 0.3), width) + 0.01
        log_odds = LogOdds("motif", np.log2(p / p.sum(axis=1, keepdims=True) / BACKGROUND), DNA, BACKGROUND)
        motif = IntegerMotif.from_log_odds(log_odds)
        threshold = motif.threshold(p_value)
        scores += [motif.scores, motif.reverse_complement(DNA.complement_codes)]
        thresholds += [motif.highest if threshold is None else threshold] * 2
    return scores, thresholds


def sequence(generator, length):
    """Random letters with single ambiguity codes and runs of N."""
    codes = generator.integers(0, 4, length).astype(np.uint8)
    codes[generator.random(length) < 0.01] = 7
    for start in generator.integers(0, length, length // 150):
        codes[start : start + int(generator.integers(1, 40))] = DNA.unknown
    return codes
