"""How sound the tests of motifs are, and what they and the logos cost.

    python benchmarks/motif_tests.py

Null p-values of placement, spacing, order and composition on random sequence: the share at or below 0.05 and 0.01.
Power of the spacing test by the share of sequences that keep the spacing. CPU seconds of 20 logos, written directly and
by logomaker.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from motifcnn.alphabet import DNA
from motifcnn.discovery.composition import HeldOut, composition_test
from motifcnn.discovery.placement import central_enrichment
from motifcnn.discovery.spacing import Placed, spacing_test
from motifcnn.drawing.logos import draw_logo, write_logo
from motifcnn.motifs import Motif
from motifcnn.scanning.best import best_sites
from motifcnn.sequences import Sequences

LENGTH, WIDTH = 200, 10


def shares(draw: Callable[[np.random.Generator], list[float]], draws: int) -> np.ndarray:
    """Share of p-values up to 0.05 and up to 0.01, one column a test."""
    generator = np.random.default_rng(0)
    p_values = np.array([draw(generator) for _ in range(draws)])
    return np.stack([(p_values <= limit).mean(axis=0) for limit in (0.05, 0.01)])


def placement(generator: np.random.Generator) -> list[float]:
    """Even places, equal and unequal lengths."""
    results = []
    for lengths in (np.full(60, LENGTH), generator.integers(80, 300, 60)):
        starts = np.floor(generator.random(60) * (lengths - WIDTH + 1)).astype(np.int64)
        results.append(central_enrichment(starts, lengths, WIDTH).p_value)
    return results


def crowded(generator: np.random.Generator, number: int) -> Placed:
    """Sites around the middle, as in the peaks of an experiment."""
    starts = np.clip(generator.normal((LENGTH - WIDTH) / 2, 30, number), 0, LENGTH - WIDTH).astype(np.int64)
    return Placed(starts, generator.random(number) < 0.5, WIDTH)


def spacing(generator: np.random.Generator) -> list[float]:
    """Two motifs that have nothing to do with each other but crowd around the middle."""
    found = spacing_test(crowded(generator, 80), crowded(generator, 80), np.full(80, LENGTH), generator)
    return [found.p_value, found.order_p_value]


def two_sites(generator: np.random.Generator) -> list[float]:
    """Two sites of one motif, which have nothing to do with each other but never overlap."""
    first, second = crowded(generator, 160), crowded(generator, 160)
    apart = np.flatnonzero(np.abs(first.starts - second.starts) >= WIDTH)[:80]
    found = spacing_test(first.some(apart), second.some(apart), np.full(len(apart), LENGTH), generator)
    return [found.p_value, found.order_p_value]


def composition(generator: np.random.Generator) -> list[float]:
    """A random motif on sequences of one composition."""
    codes = [generator.choice(4, LENGTH, p=[0.3, 0.2, 0.2, 0.3]).astype(np.uint8) for _ in range(120)]
    sequences = Sequences.from_list([str(number) for number in range(120)], codes, DNA)
    held_out = HeldOut.of(sequences, np.arange(120) < 60, generator)
    motif = Motif("m", generator.dirichlet([0.3] * 4, 7), DNA)
    scores = best_sites([motif.log_odds()], sequences, True).scores[:, 0]
    test = composition_test(motif, float(np.median(scores)), scores, held_out, True)
    return [test.shuffled_p_value, test.matched_p_value]


def spaced(share: float, generator: np.random.Generator) -> bool:
    """Whether the spacing of this share of 80 sequences is found at p <= 0.001."""
    first, second = crowded(generator, 80), crowded(generator, 80)
    starts, reverse = second.starts.copy(), second.reverse.copy()
    for index in range(round(80 * share)):
        ahead = first.starts[index] + (-WIDTH - 12 if first.reverse[index] else WIDTH + 12)
        if 0 <= ahead <= LENGTH - WIDTH:
            starts[index], reverse[index] = ahead, first.reverse[index]
    return spacing_test(first, Placed(starts, reverse, WIDTH), np.full(80, LENGTH), generator).p_value <= 1e-3


def logo_seconds() -> tuple[float, float]:
    """CPU seconds of 20 SVG logos of width 15, directly and by logomaker."""
    from matplotlib.figure import Figure

    generator = np.random.default_rng(0)
    motifs = [Motif(f"m{number}", generator.dirichlet([0.3] * 4, 15), DNA) for number in range(20)]
    with tempfile.TemporaryDirectory() as folder:
        write_logo(motifs[0], Path(folder) / "warm.svg")
        write_logo(motifs[0], Path(folder) / "warm.png")
        started = time.process_time()
        for motif in motifs:
            write_logo(motif, Path(folder) / f"{motif.name}.svg")
        middle = time.process_time()
        for motif in motifs:
            figure = Figure(figsize=(4.1, 1.2))
            draw_logo(motif, figure.add_subplot())
            figure.savefig(Path(folder) / f"{motif.name}.svg")
        return middle - started, time.process_time() - middle


def main() -> None:
    """Print the tables."""
    print("null p-values: share up to 0.05, up to 0.01")
    for name, draw, draws, tests in (
        ("place", placement, 2000, ("equal lengths", "unequal lengths")),
        ("pairs", spacing, 1000, ("spacing", "order and orientation")),
        ("two sites", two_sites, 1000, ("spacing", "order and orientation")),
        ("composition", composition, 500, ("shuffles", "GC ranges")),
    ):
        for test, column in zip(tests, shares(draw, draws).T, strict=True):
            print(f"  {name}: {test}: {column[0]:.3f} {column[1]:.3f}  ({draws} draws)")
    print("spacing of 80 pairs found at p <= 0.001, by the share that keeps it")
    for share in (0.05, 0.1, 0.15, 0.2):
        generator = np.random.default_rng(1)
        print(f"  {share:.2f}: {np.mean([spaced(share, generator) for _ in range(50)]):.2f}")
    print("CPU seconds of 20 SVG logos, directly and by logomaker: {:.3f} {:.3f}".format(*logo_seconds()))


if __name__ == "__main__":
    main()
