"""Time the making of negatives: shuffles, and GC-matched windows of the shipped genome."""

import time

import numpy as np

from motifcnn.alphabet import DNA
from motifcnn.formats.genome import Genome
from motifcnn.inputs.backgrounds import gc_matched_windows, shuffled_negatives
from motifcnn.intervals import Interval
from motifcnn.sequences import Sequences
from motifcnn.shipped import ECOLI_GENOME, shipped

SEQUENCES = 10_000
LENGTH = 200


def main() -> None:
    """Print one line a measurement: what, seconds."""
    generator = np.random.default_rng(0)
    codes = generator.integers(0, DNA.size, (SEQUENCES, LENGTH)).astype(np.uint8)
    positives = Sequences.from_list([f"s{i}" for i in range(SEQUENCES)], list(codes), DNA)
    shuffled_negatives(positives.subset(np.arange(1)), 2, generator)  # compiles
    for k in (1, 2, 3, 6):
        begin = time.perf_counter()
        shuffled_negatives(positives, k, generator)
        print(f"shuffle {SEQUENCES} x {LENGTH}, k = {k}\t{time.perf_counter() - begin:.2f} s")
    genome = Genome(shipped(ECOLI_GENOME))
    (chrom,) = genome.lengths
    windows = [Interval(chrom, 400 * i, 400 * i + 100) for i in range(1000)]
    gc = np.array([np.isin(genome.fetch(window), (1, 2)).mean() for window in windows])
    begin = time.perf_counter()
    gc_matched_windows(windows, gc, genome, [], generator)
    print(f"match {len(windows)} windows of 100 in 4.6 Mb\t{time.perf_counter() - begin:.2f} s")
    genome.close()


if __name__ == "__main__":
    main()
