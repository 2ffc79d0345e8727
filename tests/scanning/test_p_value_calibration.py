"""Whole scans of random sequence: as many hits as the p-values promise.

Expected is what the p-value really applied promises: the largest at or below the threshold that a word has.
"""

from io import BytesIO

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.motifs import Motif
from motifcnn.scanning.distribution import Chain, IntegerMotif
from motifcnn.scanning.genome import scan_genome
from motifcnn.settings import ScanSettings

RECORDS, RECORD = 500, 4000
PAIRS = np.array([
    [0.0980, 0.0505, 0.0700, 0.0770],
    [0.0720, 0.0525, 0.0100, 0.0700],
    [0.0595, 0.0420, 0.0525, 0.0505],
    [0.0660, 0.0595, 0.0720, 0.0980],
])  # fmt: skip
"""About those of the human genome: CG is rare."""
GENOME = Chain.from_pairs(PAIRS)
MEMORYLESS = Chain(GENOME.first, np.tile(GENOME.first, (4, 1)))
WORDS = ("CACGTGACCA", "GGGCGGGGC", "TATAAAAGGC", "CCAATCAGC", "TGACTCATTT", "GCGCATGCGC", "TTTCCTGTAA", "ATTTGCATAAT")
MOTIFS = [
    Motif(word, 0.85 * np.eye(4)[DNA.encode(word)] + 0.0375, DNA, sites=50, background=GENOME.first) for word in WORDS
]


@pytest.fixture(scope="module", params=[0, 1])
def sequence(request, tmp_path_factory):
    """Order of the sequence, its FASTA of two million letters, and a background file of what it was drawn from."""
    chain = GENOME if request.param else MEMORYLESS
    generator = np.random.default_rng(request.param)
    codes = np.empty((RECORD, RECORDS), dtype=np.uint8)
    codes[0] = generator.choice(4, RECORDS, p=chain.first)
    steps = np.cumsum(chain.following, axis=1)[:, :-1]
    for position in range(1, RECORD):
        codes[position] = (generator.random(RECORDS)[:, None] >= steps[codes[position - 1]]).sum(axis=1)
    folder = tmp_path_factory.mktemp("calibration")
    (folder / "genome.fa").write_text("".join(f">{n}\n{DNA.decode(record)}\n" for n, record in enumerate(codes.T)))
    words = [f"{a} {f:.6f}\n" for a, f in zip("ACGT", chain.first, strict=True)]
    pairs = chain.first[:, None] * chain.following
    words += [f"{'ACGT'[i]}{'ACGT'[j]} {pairs[i, j]:.9f}\n" for i in range(4) for j in range(4)]
    (folder / "background.txt").write_text("".join(words))
    return request.param, folder / "genome.fa", folder / "background.txt"


def ratios(sequence, order, p_value, strands="both"):
    """Hits over windows times the p-value really applied: of all motifs together, and of each."""
    _, genome, background = sequence
    options = ScanSettings(p_value=p_value, background=str(background), background_order=order, strands=strands)
    summary = scan_genome(genome, MOTIFS, options, BytesIO())
    ready = [IntegerMotif.from_log_odds(m.log_odds(GENOME.first), GENOME if order else None) for m in MOTIFS]
    applied = np.array([float(m.p_values(np.array([m.threshold(p_value)]))[0]) for m in ready])
    expected = applied * [RECORDS * (RECORD - m.width + 1) * (1 + (strands == "both")) for m in ready]
    assert summary.letters == RECORDS * RECORD
    return sum(summary.hits) / expected.sum(), np.array(summary.hits) / expected


@pytest.mark.parametrize(("p_value", "each"), [(1e-3, 0.12), (1e-4, 0.3)])
def test_hits_in_random_sequence_are_as_many_as_expected(sequence, p_value, each):
    """All eight motifs together expect 32,000 hits at 1e-3 and 3,000 at 1e-4: 5% are 9 and 2.7 standard deviations."""
    together, by_motif = ratios(sequence, sequence[0], p_value)
    assert 0.95 <= together <= 1.05
    assert np.abs(by_motif - 1).max() <= each


def test_one_strand_alone(sequence):
    together, _ = ratios(sequence, sequence[0], 1e-3, "single")
    assert 0.95 <= together <= 1.05


def test_order_0_misjudges_sequence_in_which_cg_is_rare(sequence):
    _, by_motif = ratios(sequence, 0, 1e-3)
    assert (np.abs(by_motif - 1).max() > 0.3) == (sequence[0] == 1)
