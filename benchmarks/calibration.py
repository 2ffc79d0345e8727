"""Count hits in random sequence against what the p-values promise: observed over expected, motif by motif.

Sequence is drawn from the very background that the p-values are computed under: independent letters (order 0) or a
chain of letters with a genome's dinucleotides (order 1). Expected is the number of windows on both strands times
the p-value really applied, the largest that a word of the motif has at or below the threshold. Motifs are
vertebrate matrices of JASPAR 2024 (width 7 and more). Needs the `bench` dependency group.
"""

import argparse
import os
import platform
import time
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import DNA
from motifcnn.formats.fasta import FastaChunk
from motifcnn.motifs import Motif
from motifcnn.scanning.distribution import Chain, IntegerMotif
from motifcnn.scanning.engine import Scanner

P_VALUES = (1e-3, 1e-4)
SEED = 0
RECORDS, RECORD = 1000, 10_000
"""Sequences drawn side by side, and letters of each."""
PAIRS = np.array([
    [0.0980, 0.0505, 0.0700, 0.0770],
    [0.0720, 0.0525, 0.0100, 0.0700],
    [0.0595, 0.0420, 0.0525, 0.0505],
    [0.0660, 0.0595, 0.0720, 0.0980],
])  # fmt: skip
"""Dinucleotides of the human genome, rounded so that both strands agree and every letter begins as many as it ends."""

Floats = npt.NDArray[np.float64]


def drawn(chain: Chain, positions: int, generator: np.random.Generator) -> Iterator[npt.NDArray[np.uint8]]:
    """Draw sequences from a chain, in blocks of shape [sequence, position + 1]; each ends in one N."""
    steps = np.cumsum(chain.following, axis=1)[:, :-1]
    for _ in range(round(positions / (RECORDS * RECORD))):
        codes = np.empty((RECORD + 1, RECORDS), dtype=np.uint8)
        codes[0] = np.searchsorted(np.cumsum(chain.first)[:-1], generator.random(RECORDS), side="right")
        for position in range(1, RECORD):
            codes[position] = (generator.random(RECORDS)[:, None] >= steps[codes[position - 1]]).sum(axis=1)
        codes[RECORD] = DNA.unknown
        yield np.ascontiguousarray(codes.T)


def observed(
    scanner: Scanner, motifs: list[IntegerMotif], chain: Chain, positions: int, seed: int
) -> npt.NDArray[np.int64]:
    """Count hits of each motif at each of `P_VALUES`, shape [threshold, motif]."""
    thresholds = np.array([[motif.threshold(p) or motif.highest + 1 for motif in motifs] for p in P_VALUES])
    counts = np.zeros((len(P_VALUES), len(motifs)), dtype=np.int64)
    for block in drawn(chain, positions, np.random.default_rng(seed)):
        for hits in scanner.scan([FastaChunk("random", 0, block.ravel(), last=True)]):
            for number, least in enumerate(thresholds):
                enough = hits.scores >= least[hits.motifs]
                counts[number] += np.bincount(hits.motifs[enough], minlength=len(motifs))
    return counts


def measure(source: list[Motif], sequence: Chain, tested: Chain | None, positions: int, seed: int) -> list[list[str]]:
    """Scan sequence of one chain with p-values under the same or another background; return rows of the table."""
    letters = sequence.first if tested is None else tested.first
    motifs = [IntegerMotif.from_log_odds(motif.log_odds(letters), tested) for motif in source]
    scanner = Scanner(motifs, [motif.threshold(max(P_VALUES)) for motif in motifs], DNA, both_strands=True)
    counts = observed(scanner, motifs, sequence, positions, seed)
    records = positions // RECORD
    rows = []
    for p_value, found in zip(P_VALUES, counts, strict=True):
        reached = [n for n, motif in enumerate(motifs) if motif.threshold(p_value) is not None]
        applied = np.array([motifs[n].p_values(np.int32(motifs[n].threshold(p_value))) for n in reached])
        windows = 2 * records * np.array([RECORD - motifs[n].width + 1 for n in reached])
        ratios = found[reached] / (applied * windows)
        rows.append([
            f"{p_value:g}", f"{len(reached)}", f"{applied.min() / p_value:.2f}–{applied.max() / p_value:.2f}",
            f"{(applied * windows).sum():,.0f}", f"{found[reached].sum():,}",
            f"{found[reached].sum() / (applied * windows).sum():.4f}", f"{ratios.min():.3f}–{ratios.max():.3f}",
            f"{((ratios >= 0.95) & (ratios <= 1.05)).sum()}",
        ])  # fmt: skip
    return rows


def jaspar(count: int) -> list[Motif]:
    """Return the first matrices of JASPAR's vertebrates."""
    from pyjaspar import jaspardb

    matrices = jaspardb(release="JASPAR2024").fetch_motifs(collection="CORE", tax_group=["vertebrates"])
    chosen = sorted((m for m in matrices if len(m) >= 7), key=lambda m: m.matrix_id)[:count]
    counts = [np.array([matrix.counts[letter] for letter in "ACGT"]).T for matrix in chosen]
    return [Motif.from_counts(m.matrix_id, table, DNA) for m, table in zip(chosen, counts, strict=True)]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--positions", type=float, default=1e8, help="letters of each random sequence")
    parser.add_argument("--motifs", type=int, default=128)
    asked = parser.parse_args()
    positions, source = round(asked.positions), jaspar(asked.motifs)
    chain = Chain.from_pairs(PAIRS)
    memoryless = Chain(chain.first, np.tile(chain.first, (4, 1)))
    began = time.process_time()
    print(
        f"{date.today()}, {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, "
        f"motifcnn {version('motifcnn')}, numpy {version('numpy')}, JASPAR 2024; {len(source)} motifs, both strands, "
        f"{positions:g} positions of each sequence, seed {SEED}\n"
    )
    print("| sequence | p-values | p ≤ | motifs | applied/nominal | expected | observed | obs/exp | "
          "by motif | in .95–1.05 |")  # fmt: skip
    print("|" + "---|" * 10)
    jobs = {
        ("order 0", "order 0"): (memoryless, None),
        ("order 1", "order 1"): (chain, chain),
        ("order 1", "order 0"): (chain, None),
    }
    for names, (sequence, tested) in jobs.items():
        for row in measure(source, sequence, tested, positions, SEED):
            print("| " + " | ".join([*names, *row]) + " |", flush=True)
    print(f"\n{time.process_time() - began:.0f} CPU seconds")


if __name__ == "__main__":
    main()
