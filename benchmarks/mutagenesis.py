"""In-silico mutagenesis with the default network: touched windows alone against reading every mutant.

python benchmarks/mutagenesis.py [--sequences 1000] [--length 200] [--read 5] [--repeats 3] [--threads 2] [--indels]

All single substitutions (with --indels, also all single deletions and insertions) of random sequences, by the default
network with random weights: the work does not depend on what was learnt. Reading every mutant, as the other tools do,
is measured on a few sequences (--read) and given for all of them in proportion. The two take
turns; medians are printed.
"""

import argparse
import platform
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import torch

from motifcnn import __version__
from motifcnn.alphabet import DNA
from motifcnn.model.network import MotifNetwork, resolve
from motifcnn.model.store import TrainedModel
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings
from motifcnn.tracks.mutagenesis import mutation_effects, read_every_mutant


def make_model(length: int) -> TrainedModel:
    """Return the default network for DNA, two-class."""
    settings = resolve(replace(ModelSettings()), DNA, torch.full((1,), length))
    return TrainedModel(MotifNetwork(settings, DNA, 0, 1, seed=0).eval(), Objective("binary", ("bound",)), DNA)


def random_sequences(number: int, length: int) -> Sequences:
    """Return uniform random DNA."""
    codes = np.random.default_rng(0).integers(0, 4, (number, length)).astype(np.uint8)
    return Sequences.from_list([f"s{n}" for n in range(number)], list(codes), DNA)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall and processor seconds."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, used


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=int, default=1000)
    parser.add_argument("--length", type=int, default=200)
    parser.add_argument("--read", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--indels", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = make_model(options.length)
    every, few = (random_sequences(number, options.length) for number in (options.sequences, options.read))
    indels = options.indels
    ways: dict[str, tuple[Callable[[], object], float]] = {
        "touched windows": (lambda: list(mutation_effects(model, every, with_indels=indels)), 1.0),
        "every mutant read": (lambda: list(read_every_mutant(model, few, with_indels=indels)), len(every) / len(few)),
    }
    for one, other in zip(
        mutation_effects(model, few, with_indels=indels), read_every_mutant(model, few, with_indels=indels), strict=True
    ):  # also compiles
        np.testing.assert_allclose(one.substitutions, other.substitutions, atol=1e-5)
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(options.repeats):
        for name, (work, share) in ways.items():
            wall, used = timed(work)
            figures[name].append((wall * share, used * share))
    print(f"motifcnn {__version__}, torch {torch.__version__}, {platform.processor()}, {date.today()}")
    print(f"{options.sequences} × {options.length} bp, indels: {indels}, {options.threads} threads\n")
    print("| way | wall s | CPU s |\n|---|---|---|")
    for name, pairs in figures.items():
        wall, used = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"| {name} | {wall:.1f} | {used:.1f} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\npeak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
