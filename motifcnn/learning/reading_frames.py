"""Reading frames: which sequences are coding, and how, by expectation maximisation; labels play no part.

A sequence has one reading frame of six (three where one strand is read) throughout, or none. In a frame codons have
frequencies of their own, elsewhere those of all frames of all sequences. The search starts from frames where stop
codons are ten times rarer, and has found coding sequence where they stay rare.
"""

import numpy as np
import torch

from motifcnn.alphabet import Alphabet
from motifcnn.model.frame_branch import CODON, LEAST_LENGTH, FrameBranch, codon_numbers
from motifcnn.sequences import Sequences

_STOPS = ("TAA", "TAG", "TGA")
_RARER = 0.1
"""Stop codons in a frame against elsewhere, to begin with."""
_RARE = 0.25
"""And at most, at the end: yeast has .01 to .1, mixtures of other things .3 to .8."""
_LETTERS = 1_000_000
"""Letters of the sequences that frames are learned from, at most."""
_ROUNDS = 30
_DOUBT = 64.0
"""Codons' worth of trust in the frequencies elsewhere."""


def find_reading_frames(sequences: Sequences, *, both_strands: bool) -> FrameBranch | None:
    """Learn how likely codons are in reading frames; None where sequences are short or have no such frames.

    Args:
        sequences: Of the training set.
        both_strands: Whether frames lie on both strands.

    Returns:
        A branch without weights: shape [0, codon].
    """
    alphabet = sequences.alphabet
    if alphabet.size != 4 or not len(sequences) or sequences.lengths.max() < LEAST_LENGTH:
        return None
    some = sequences.subset(sequences.thinned(np.arange(len(sequences)), _LETTERS))
    stops = _stop_codons(alphabet)
    codons = codon_numbers(alphabet, both_strands=both_strands).shape[1]
    branch = FrameBranch(alphabet, both_strands, torch.zeros(codons), torch.tensor(0.0), torch.zeros(0, codons))
    counts = torch.from_numpy(branch.counts(some))
    elsewhere = counts.sum(dim=(0, 1)).double() + 1.0
    elsewhere /= elsewhere.sum()
    reading, share = elsewhere.clone(), 0.5
    reading[stops] *= _RARER
    for _ in range(_ROUNDS):
        branch.ratios = torch.log(reading / reading.sum() / elsewhere).float()
        branch.odds = torch.tensor(np.log(share / (1.0 - share) / branch.frames), dtype=torch.float32)
        chances = branch.chances(counts @ branch.ratios)
        share = float(chances.sum(dim=1).mean().clamp(0.05, 0.95))
        reading = torch.einsum("nf,nfc->c", chances, counts).double() + _DOUBT * elsewhere
    ratio = float(reading[stops].sum() / reading.sum() / elsewhere[stops].sum())
    return branch if ratio <= _RARE else None


def _stop_codons(alphabet: Alphabet) -> list[int]:
    """Return the numbers of the stop codons of the standard genetic code."""
    letters = [alphabet.encode(stop.replace("T", alphabet.letters[-1])) for stop in _STOPS]
    return [int(np.ravel_multi_index(tuple(codes), (alphabet.size,) * CODON)) for codes in letters]
