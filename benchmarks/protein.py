"""Scan a proteome with protein motifs: whole program against lightmotif, and every hit against brute force.

Proteins are drawn from Swiss-Prot's composition, 400 residues long on average; motifs are random, 20 positions wide,
six of them conserved. Both get the same integer scores and thresholds; lightmotif computes all scores of a
protein, since its scanner knows DNA only. Needs the `bench` dependency group.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import PROTEIN
from motifcnn.formats.fasta import FastaChunk, read_fasta, write_fasta
from motifcnn.formats.motif_files import read_motifs, write_meme
from motifcnn.motifs import Motif
from motifcnn.scanning.distribution import IntegerMotif
from motifcnn.scanning.engine import Scanner
from motifcnn.sequences import Sequences

P_VALUE = 1e-4
SEED = 0
WIDTH, CONSERVED = 20, 6
SHORTEST = 30
SHAPE, SCALE = 2.0, 185.0
"""Of the gamma distribution of lengths above `SHORTEST`."""
COMPOSITION = {
    "A": 8.25, "R": 5.53, "N": 4.06, "D": 5.46, "C": 1.38, "Q": 3.93, "E": 6.71, "G": 7.07, "H": 2.27, "I": 5.91,
    "L": 9.64, "K": 5.79, "M": 2.41, "F": 3.86, "P": 4.74, "S": 6.65, "T": 5.36, "W": 1.10, "Y": 2.92, "V": 6.85,
}  # fmt: skip
"""Percent of residues in Swiss-Prot."""
_MEASURE = """
import os, sys, time
began = time.perf_counter()
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
_, status, usage = os.wait4(process, 0)
print(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss / 1024)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""
"""A small process between, because one starts with the peak memory of whoever started it."""

Keys = set[tuple[str, int, str]]
Frequencies = npt.NDArray[np.float64]


def composition() -> Frequencies:
    """Return the frequencies in the order of the alphabet."""
    frequencies = np.array([COMPOSITION[letter] for letter in PROTEIN.letters])
    return frequencies / frequencies.sum()


def write_proteome(path: Path, proteins: int) -> None:
    """Write random proteins."""
    generator = np.random.default_rng(SEED)
    lengths = SHORTEST + generator.gamma(SHAPE, SCALE, proteins).astype(np.int64)
    codes = generator.choice(PROTEIN.size, int(lengths.sum()), p=composition()).astype(np.uint8)
    names = tuple(f"protein_{number}" for number in range(proteins))
    write_fasta(path, Sequences(names, codes, np.append(0, np.cumsum(lengths)), PROTEIN))


def write_motifs(path: Path, count: int) -> None:
    """Write random motifs, held against the proteome's composition."""
    generator = np.random.default_rng(SEED)
    background = composition()
    motifs = []
    for number in range(count):
        conserved = generator.choice(WIDTH, CONSERVED, replace=False)
        columns = np.tile(background, (WIDTH, 1))
        columns[conserved] = 0.1 * background
        columns[conserved, generator.choice(PROTEIN.size, CONSERVED)] += 0.9
        motifs.append(Motif(f"motif_{number}", columns, PROTEIN, sites=100, background=background))
    write_meme(path, motifs, PROTEIN)


def ready(path: Path) -> list[IntegerMotif]:
    """Return the motifs of a file with integer scores against their own background."""
    return [IntegerMotif.from_log_odds(motif.log_odds(motif.background)) for motif in read_motifs(path)]


def brute_force(genome: Path, motif_file: Path) -> Keys:
    """Score every window of every protein, one position after another."""
    sequences = read_fasta(genome, PROTEIN)
    owner = np.repeat(np.arange(len(sequences)), sequences.lengths)
    keys: Keys = set()
    for motif in ready(motif_file):
        count = len(sequences.codes) - motif.width + 1
        total = np.zeros(count, dtype=np.int64)
        for position, scores in enumerate(motif.scores):
            total += scores[sequences.codes[position : position + count]]
        inside = owner[:count] == owner[motif.width - 1 :]
        for start in np.flatnonzero(inside & (total >= motif.threshold(P_VALUE))).tolist():
            number = int(owner[start])
            keys.add((sequences.names[number], start - int(sequences.offsets[number]), motif.name))
    return keys


def write_with_lightmotif(genome: Path, motif_file: Path, out: Path) -> None:
    """Write the hits of lightmotif at the same integer thresholds."""
    import lightmotif

    matrices = [
        (motif, lightmotif.ScoringMatrix({a: motif.scores[:, n].tolist() for n, a in enumerate(PROTEIN.letters)},
                                         protein=True))
        for motif in ready(motif_file)
    ]  # fmt: skip
    with out.open("w") as file:
        for record in genome.read_text().split(">")[1:]:
            name, _, body = record.partition("\n")
            letters = body.replace("\n", "")
            striped = lightmotif.stripe(letters, protein=True)
            for motif, matrix in matrices:
                for start in sorted(matrix.calculate(striped).threshold(motif.threshold(P_VALUE) - 0.5)):
                    if start > len(letters) - motif.width:  # it scores windows that run past the end, too
                        break
                    file.write(f"{name}\t{start}\t{start + motif.width}\t{motif.name}\t0\t.\n")


def kernels(genome: Path, motif_file: Path, rounds: int) -> list[tuple[str, float, int]]:
    """Time the scans alone, of all proteins put together, in turns; return tool, CPU seconds and hits of each."""
    import lightmotif

    codes = read_fasta(genome, PROTEIN).codes
    motifs = ready(motif_file)
    thresholds = [motif.threshold(P_VALUE) for motif in motifs]
    scanner = Scanner(motifs, thresholds, PROTEIN, both_strands=False)
    striped = lightmotif.stripe(PROTEIN.decode(codes), protein=True)
    matrices = [
        lightmotif.ScoringMatrix({a: motif.scores[:, n].tolist() for n, a in enumerate(PROTEIN.letters)}, protein=True)
        for motif in motifs
    ]

    def by_ours() -> int:
        return sum(len(hits.starts) for hits in scanner.scan([FastaChunk("all", 0, codes, last=True)]))

    def by_lightmotif() -> int:
        found = 0
        for motif, matrix, threshold in zip(motifs, matrices, thresholds, strict=True):
            starts = matrix.calculate(striped).threshold(threshold - 0.5)
            found += sum(start <= len(codes) - motif.width for start in starts)
        return found

    seconds: dict[str, list[float]] = {"motifcnn": [], "lightmotif": []}
    hits = {}
    for turn in range(rounds + 1):
        for tool, scan in (("motifcnn", by_ours), ("lightmotif", by_lightmotif)):
            began = time.process_time()
            hits[tool] = scan()
            if turn:
                seconds[tool].append(time.process_time() - began)
    return [(tool, statistics.median(taken), hits[tool]) for tool, taken in seconds.items()]


def run(tool: str, genome: Path, motif_file: Path, out: Path) -> tuple[float, float, float]:
    """Run a whole program; return CPU seconds, wall seconds and peak memory in MiB."""
    if tool == "motifcnn":
        command = [
            sys.executable, "-m", "motifcnn", "-q", "scan", str(genome), "-m", str(motif_file), "-o", str(out),
            "--force", "--background", "motif", "--p-value", str(P_VALUE), "--threads", "1", "--device", "cpu",
        ]  # fmt: skip
    else:
        command = [sys.executable, __file__, "--write", str(genome), str(motif_file), str(out)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-SIc", _MEASURE, *command], env=environment, stdout=subprocess.PIPE, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: failed")
    cpu, wall, peak = map(float, done.stdout.split())
    return cpu, wall, peak


def keys_of(path: Path) -> Keys:
    """Return the hits of a BED file."""
    rows = (line.split("\t") for line in path.read_text().splitlines())
    return {(row[0], int(row[1]), row[3]) for row in rows}


def whole_programs(counts: list[int], genome: Path, out: Path, rounds: int) -> None:
    """Time whole programs for several numbers of motifs, in turns, and print the table."""
    motif_file = out.with_name("motifs.meme")
    print("\n| motifs | tool | CPU s | wall s | peak MiB | hits | not by brute force | only by brute force |")
    print("|" + "---|" * 8)
    for count in counts:
        write_motifs(motif_file, count)
        expected = brute_force(genome, motif_file)
        tools = ("motifcnn", "lightmotif")
        results: dict[str, list[tuple[float, float, float]]] = {tool: [] for tool in tools}
        found: dict[str, Keys] = {}
        for turn in range(rounds + 1):
            for tool in tools:
                measured = run(tool, genome, motif_file, out)
                found[tool] = keys_of(out)
                if turn:  # the first one compiles what is to be compiled
                    results[tool].append(measured)
        for tool in tools:
            cpu, wall, peak = (statistics.median(column) for column in zip(*results[tool], strict=True))
            hits = found[tool]
            print(f"| {count} | {tool} | {cpu:.2f} | {wall:.2f} | {peak:.0f} | {len(hits):,} | "
                  f"{len(hits - expected):,} | {len(expected - hits):,} |", flush=True)  # fmt: skip


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--proteins", type=int, default=20_000)
    parser.add_argument("--motifs", default="1,20", help="numbers of motifs, separated by commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["kernel", "whole"], help="half of the work")
    parser.add_argument("--write", nargs=3, metavar=("FASTA", "MOTIFS", "OUT"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write:
        write_with_lightmotif(*map(Path, asked.write))
        return
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        genome, out = work / "proteome.fa", work / "hits.bed"
        write_proteome(genome, asked.proteins)
        letters = len(read_fasta(genome, PROTEIN).codes)
        print(
            f"{date.today()}, {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, "
            f"motifcnn {version('motifcnn')}, lightmotif {version('lightmotif')}; {asked.proteins:,} proteins, "
            f"{letters:,} residues, width {WIDTH}, p ≤ {P_VALUE:g}; medians of {asked.rounds} rounds in turns\n"
        )
        counts = [int(count) for count in asked.motifs.split(",")]
        if asked.only != "whole":
            print("| motifs, scan alone | tool | CPU s | CPU ratio | hits |\n|" + "---|" * 5)
            for count in counts:
                write_motifs(work / "motifs.meme", count)
                rows = kernels(genome, work / "motifs.meme", asked.rounds)
                for tool, seconds, hits in rows:
                    print(f"| {count} | {tool} | {seconds:.4f} | {seconds / rows[0][1]:.1f} | {hits:,} |", flush=True)
        if asked.only != "kernel":
            whole_programs(counts, genome, out, asked.rounds)


if __name__ == "__main__":
    main()
