"""Time scanning against lightmotif, MOODS and memelite: same motifs, sequence and thresholds, taken in turns.

Motifs are vertebrate matrices of JASPAR 2024 (width 7 and more), both strands, p ≤ 1e-4 over a uniform background.
Ours, lightmotif and MOODS get the same integer scores and thresholds, and their hits are compared; memelite
computes its own from the same probabilities. Needs the `bench` dependency group.
"""

import argparse
import gzip
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt

P_VALUE = 1e-4
SEED = 0
_CHROMOSOME = "simulated"
_LINE = 60
_COMPOSITION = (0.295, 0.205, 0.205, 0.295)
"""A, C, G, T of the human genome."""

_MEASURE = """
import os, sys, time
began = time.perf_counter()
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
_, status, usage = os.wait4(process, 0)
print(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss / 1024)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""

Keys = npt.NDArray[np.int64]


class Job:
    """Motif strands with integer scores and thresholds, and a sequence.

    Args:
        genome: FASTA with one record of interest, the first.
        motif_file: JASPAR file.
    """

    def __init__(self, genome: Path, motif_file: Path):
        from motifcnn.alphabet import DNA
        from motifcnn.formats.motif_files import read_motifs
        from motifcnn.scanning.distribution import IntegerMotif

        self.genome = genome
        self.source = read_motifs(motif_file)
        self.motifs = [IntegerMotif.from_log_odds(motif.log_odds(np.full(4, 0.25))) for motif in self.source]
        thresholds = [motif.threshold(P_VALUE) for motif in self.motifs]
        chosen = [n for n, threshold in enumerate(thresholds) if threshold is not None]
        self.motifs = [self.motifs[n] for n in chosen]
        self.source = [self.source[n] for n in chosen]
        self.thresholds = [thresholds[n] for n in chosen]
        self.strands = [
            scores for motif in self.motifs for scores in (motif.scores, motif.reverse_complement(DNA.complement_codes))
        ]
        self.strand_thresholds = [threshold for threshold in self.thresholds for _ in range(2)]

    def letters(self) -> tuple[str, str]:
        """Return name and letters of the first record."""
        opened = gzip.open if self.genome.suffix == ".gz" else open
        with opened(self.genome, "rt") as file:
            text = file.read()
        header, _, body = text.split("\n>", 1)[0].partition("\n")
        return header[1:].split()[0], body.replace("\n", "").upper()

    def key(self, starts: Keys, strand: int | Keys) -> Keys:
        """Return one number a hit."""
        return np.asarray(starts * len(self.strands) + strand, dtype=np.int64)


def ours(job: Job, letters: str, threads: int) -> Callable[[], Keys]:
    """Return what scans with motifcnn."""
    from motifcnn.alphabet import DNA
    from motifcnn.formats.fasta import FastaChunk
    from motifcnn.scanning.engine import Scanner

    codes = DNA.encode(letters)
    scanner = Scanner(job.motifs, job.thresholds, DNA, both_strands=True, threads=threads)

    def scan() -> Keys:
        (hits,) = scanner.scan([FastaChunk(_CHROMOSOME, 0, codes, last=True)])
        return job.key(hits.starts, 2 * hits.motifs.astype(np.int64) + hits.reverse)

    return scan


def lightmotif(job: Job, letters: str) -> Callable[[], Keys]:
    """Return what scans with lightmotif."""
    import lightmotif

    striped = lightmotif.stripe(letters)
    matrices = [
        lightmotif.ScoringMatrix({letter: scores[:, n].tolist() for n, letter in enumerate("ACGT")})
        for scores in job.strands
    ]

    def scan() -> Keys:
        found = []
        for strand, (matrix, threshold) in enumerate(zip(matrices, job.strand_thresholds, strict=True)):
            hits = lightmotif.scan(matrix, striped, threshold=threshold - 0.5)
            found.append(job.key(np.fromiter((hit.position for hit in hits), dtype=np.int64), strand))
        return np.sort(np.concatenate(found))

    return scan


def moods(job: Job, letters: str) -> Callable[[], Keys]:
    """Return what scans with MOODS."""
    import MOODS.scan
    import MOODS.tools

    scanner = MOODS.scan.Scanner(7)
    thresholds = [threshold - 0.5 for threshold in job.strand_thresholds]
    scanner.set_motifs([s.T.astype(float).tolist() for s in job.strands], MOODS.tools.flat_bg(4), thresholds)

    def scan() -> Keys:
        results = scanner.scan(letters)
        found = [
            job.key(np.fromiter((hit.pos for hit in hits), dtype=np.int64), strand)
            for strand, hits in enumerate(results)
        ]
        return np.sort(np.concatenate(found))

    return scan


def memelite(job: Job, letters: str) -> Callable[[], Keys]:
    """Return what scans with memelite, on one thread."""
    import numba
    from memelite import fimo

    numba.set_num_threads(1)
    codes = np.frombuffer(letters.encode(), dtype=np.uint8)
    one_hot = np.stack([codes == ord(letter) for letter in "ACGT"]).astype(np.int8)[None]
    matrices = {str(n): np.asarray(motif.probabilities).T for n, motif in enumerate(job.source)}

    def scan() -> Keys:
        found = [np.empty(0, dtype=np.int64)]
        for table in fimo(matrices, one_hot, threshold=P_VALUE):
            strands = 2 * table["motif_name"].astype(int).to_numpy() + (table["strand"] == "-").to_numpy()
            found.append(job.key(table["start"].to_numpy().astype(np.int64), strands))
        return np.sort(np.concatenate(found))

    return scan


TOOLS = {
    "motifcnn, 1 thread": lambda job, letters: ours(job, letters, 1),
    "motifcnn, 2 threads": lambda job, letters: ours(job, letters, 2),
    "lightmotif": lightmotif,
    "MOODS": moods,
    "memelite": memelite,
}


def write_bed(tool: str, genome: Path, motif_file: Path, out: Path) -> None:
    """Do with another tool what `motifcnn scan` does: FASTA in, sorted BED out."""
    job = Job(genome, motif_file)
    name, letters = job.letters()
    keys = TOOLS[tool](job, letters)()
    starts, strands = np.divmod(keys, len(job.strands))
    names, widths = [motif.name for motif in job.motifs], [motif.width for motif in job.motifs]
    with out.open("w") as file:
        file.writelines(
            f"{name}\t{start}\t{start + widths[strand // 2]}\t{names[strand // 2]}\t0\t{'+-'[strand % 2]}\n"
            for start, strand in zip(starts.tolist(), strands.tolist(), strict=True)
        )


def kernels(job: Job, tools: list[str], rounds: int) -> list[list[str]]:
    """Time the scans alone, in turns; return rows of a table."""
    _, letters = job.letters()
    scans = {tool: TOOLS[tool](job, letters) for tool in tools}
    found = {tool: scan() for tool, scan in scans.items()}  # compiles what is to be compiled
    cpu: dict[str, list[float]] = {tool: [] for tool in tools}
    wall: dict[str, list[float]] = {tool: [] for tool in tools}
    for _ in range(rounds):
        for tool, scan in scans.items():
            began, began_wall = time.process_time(), time.perf_counter()
            scan()
            cpu[tool].append(time.process_time() - began)
            wall[tool].append(time.perf_counter() - began_wall)
    work = len(letters) * len(job.strands) / 1e9
    rows = []
    for tool in tools:
        seconds = statistics.median(cpu[tool])
        ratio = seconds / statistics.median(cpu[tools[0]])
        only_here, only_ours = (len(np.setdiff1d(found[a], found[b])) for a, b in ((tool, tools[0]), (tools[0], tool)))
        rows.append([
            tool, f"{seconds:.3f}", f"{statistics.median(wall[tool]):.3f}", f"{work / seconds:.2f}", f"{ratio:.1f}",
            f"{len(found[tool]):,}", f"{only_here:,}", f"{only_ours:,}",
        ])  # fmt: skip
    return rows


def whole_programs(genome: Path, motif_file: Path, tools: list[str], rounds: int, work: Path) -> list[list[str]]:
    """Time whole commands, in turns; return rows of a table."""
    small = work / "small.fa"
    write_simulated(small, 20_000)
    results: dict[str, list[tuple[float, ...]]] = {tool: [] for tool in tools}
    for tool in tools:
        measured(tool, small, motif_file, work)  # compiles what is to be compiled
    for _ in range(rounds):
        for tool in tools:
            results[tool].append(measured(tool, genome, motif_file, work))
    medians = {tool: [statistics.median(column) for column in zip(*results[tool], strict=True)] for tool in tools}
    return [
        [tool, f"{cpu:.2f}", f"{wall:.2f}", f"{cpu / medians[tools[0]][0]:.1f}", f"{peak:.0f}", f"{lines:,.0f}"]
        for tool, (cpu, wall, peak, lines) in medians.items()
    ]


def measured(tool: str, genome: Path, motif_file: Path, work: Path, *options: str) -> tuple[float, ...]:
    """Run one command; return its CPU seconds, wall seconds, peak memory in MiB and lines of output."""
    out = work / "hits.bed"
    if tool.startswith("motifcnn"):
        command = [
            str(Path(sys.executable).with_name("motifcnn")), "scan", str(genome), "-m", str(motif_file), "--force",
            "--background", "uniform", "--p-value", str(P_VALUE), "-o", str(out), "--threads", tool.split()[1],
            *options,
        ]  # fmt: skip
    else:
        command = [sys.executable, __file__, "--write-bed", tool, str(genome), str(motif_file), str(out)]
    environment = os.environ | {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    # a process starts with the peak memory of the one that started it, so a small one stands between
    done = subprocess.run(
        [sys.executable, "-SIc", _MEASURE, *command], env=environment, stdout=subprocess.PIPE, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: failed")
    with out.open("rb") as file:
        lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    return (*map(float, done.stdout.split()), lines)


def write_simulated(path: Path, length: int) -> None:
    """Write one record of random letters."""
    generator = np.random.default_rng(SEED)
    with path.open("wb") as file:
        file.write(f">{_CHROMOSOME}\n".encode())
        for begin in range(0, length, _LINE << 16):
            count = min(_LINE << 16, length - begin)
            letters = np.frombuffer(b"ACGT", dtype=np.uint8)[
                np.searchsorted(np.cumsum(_COMPOSITION)[:3], generator.random(count), side="right")
            ].tobytes()
            file.writelines(letters[at : at + _LINE] + b"\n" for at in range(0, count, _LINE))


def write_motifs(path: Path, count: int) -> None:
    """Write the first matrices of JASPAR's vertebrates, and of its other species where those do not suffice."""
    from pyjaspar import jaspardb

    matrices = jaspardb(release="JASPAR2024").fetch_motifs(collection="CORE")
    wide = sorted((m for m in matrices if len(m) >= 7), key=lambda m: (m.tax_group != "vertebrates", m.matrix_id))
    chosen = wide[:count]
    with path.open("w") as file:
        for matrix in chosen:
            rows = [f"{letter} [ {' '.join(f'{c:g}' for c in matrix.counts[letter])} ]\n" for letter in "ACGT"]
            file.writelines([f">{matrix.matrix_id} {matrix.name}\n", *rows])


def table(head: str, rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, "|".join(["", *["---"] * (head.count("|") - 1), ""])]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("genome", nargs="?", type=Path, help="FASTA whose first record is scanned; default: simulated")
    parser.add_argument("--length", type=float, default=4, help="Mb to simulate")
    parser.add_argument("--motifs", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tools", default=",".join(TOOLS).replace(", ", " "), help="separated by commas")
    parser.add_argument("--only", choices=["kernel", "whole"], help="half of the work")
    parser.add_argument("--write-bed", nargs=4, metavar=("TOOL", "FASTA", "MOTIFS", "OUT"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write_bed:
        tool, genome, motif_file, out = asked.write_bed
        write_bed(tool, Path(genome), Path(motif_file), Path(out))
        return
    tools = [tool for tool in TOOLS if tool.replace(", ", " ") in asked.tools.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        motif_file, genome = work / "motifs.jaspar", asked.genome or work / "genome.fa"
        write_motifs(motif_file, asked.motifs)
        if asked.genome is None:
            write_simulated(genome, round(asked.length * 1e6))
        job = Job(genome, motif_file)
        packages = ", ".join(f"{name} {version(name)}" for name in ("motifcnn", "lightmotif", "mira-moods", "memelite"))
        machine = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
        print(f"{date.today()}, {machine}, {packages}; {len(job.motifs)} motifs, both strands, p ≤ {P_VALUE:g}; "
              f"{len(job.letters()[1]) / 1e6:g} Mb; medians of {asked.rounds} rounds in turns\n")  # fmt: skip
        if asked.only != "whole":
            head = "| scan alone | CPU s | wall s | Gbp·motif·strand/CPU-s | CPU ratio | hits | not ours | only ours |"
            print(table(head, kernels(job, tools, asked.rounds)))
        if asked.only != "kernel":
            head = "| FASTA to BED | CPU s | wall s | CPU ratio | peak MiB | lines |"
            print(table(head, whole_programs(genome, motif_file, tools, asked.rounds, work)))


if __name__ == "__main__":
    main()
