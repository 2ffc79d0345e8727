"""What tests of learning share: stretches of genes."""

import numpy as np
import pytest

from motifcnn.alphabet import DNA

STOPS = (0b110000, 0b110010, 0b111000)  # TAA, TAG, TGA


@pytest.fixture
def stretch(generator):
    """Draw a stretch of a gene, cut at any place of a codon, from the weights of codons; stops are left out."""

    def draw(usage, length=100, *, reverse=False):
        usage = np.where(np.isin(np.arange(64), STOPS), 0.0, usage)
        codons = generator.choice(64, length // 3 + 2, p=usage / usage.sum())
        letters = np.stack([codons // 16, codons // 4 % 4, codons % 4], axis=1).astype(np.uint8).ravel()
        codes = letters[generator.integers(0, 3) :][:length]
        return DNA.reverse_complement(codes) if reverse else codes

    return draw


@pytest.fixture
def genes(generator, stretch):
    """Draw sequences that all have a frame, on either strand; odd ones use every other codon thrice as often."""
    often = np.where(np.arange(64) % 2 == 1, 3.0, 1.0)

    def draw(count):
        reverse = generator.random(count) < 0.5
        return [stretch(often if n % 2 else np.ones(64), reverse=reverse[n]) for n in range(count)]

    return draw
