"""Time `motifcnn scan` as work grows: with genome length, number of motifs and their width; and on a human-size genome.

Whole programs, FASTA to BED, uniform background, both strands, p ≤ 1e-4, motifs of JASPAR 2024; widths by the scan
alone. Needs the `bench` dependency group, and with --human 10 GB in the temporary folder.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scan import measured, table, write_motifs, write_simulated

from motifcnn.alphabet import DNA, PROTEIN, Alphabet
from motifcnn.formats.fasta import FastaChunk
from motifcnn.motifs import Motif
from motifcnn.scanning.distribution import IntegerMotif
from motifcnn.scanning.engine import Scanner

P_VALUE = 1e-4
HUMAN = {
    "chr1": 248956422, "chr2": 242193529, "chr3": 198295559, "chr4": 190214555, "chr5": 181538259, "chr6": 170805979,
    "chr7": 159345973, "chr8": 145138636, "chr9": 138394717, "chr10": 133797422, "chr11": 135086622,
    "chr12": 133275309, "chr13": 114364328, "chr14": 107043718, "chr15": 101991189, "chr16": 90338345,
    "chr17": 83257441, "chr18": 80373285, "chr19": 58617616, "chr20": 64444167, "chr21": 46709983, "chr22": 50818468,
    "chrX": 156040895, "chrY": 57227415,
}  # fmt: skip
"""Lengths of GRCh38."""
_TELOMERE, _CENTROMERE, _REPEAT = 10_000, 3_000_000, 1_000
_BY_BYTE = np.frombuffer(b"A" * 75 + b"C" * 53 + b"G" * 53 + b"T" * 75, dtype=np.uint8)
"""One letter for each byte: GC content 41%."""
_LINE, _LINES = 60, 1 << 16
_MACHINE_HEAD = "| CPU s | wall s | peak MiB | hits |"


def write_human(path: Path) -> None:
    """Write random chromosomes with N at their ends and in the middle, and half of the letters in lower case."""
    generator = np.random.default_rng(0)
    with path.open("wb") as file:
        for name, length in HUMAN.items():
            file.write(f">{name} simulated\n".encode())
            for begin in range(0, length, _LINE * _LINES):
                file.write(_lines(_chromosome(begin, min(begin + _LINE * _LINES, length), length, generator)))


def _chromosome(begin: int, end: int, length: int, generator: np.random.Generator) -> npt.NDArray[np.uint8]:
    letters = _BY_BYTE[np.frombuffer(generator.bytes(end - begin), dtype=np.uint8)]
    runs = generator.geometric(1 / _REPEAT, 4 * (end - begin) // _REPEAT + 64)
    letters |= np.repeat((np.arange(len(runs)) % 2).astype(np.uint8) * 32, runs)[: end - begin]  # lower case
    places = np.arange(begin, end)
    gap = (places < _TELOMERE) | (places >= length - _TELOMERE) | (np.abs(places - length // 2) < _CENTROMERE // 2)
    letters[gap] = ord("N")
    return letters


def _lines(letters: npt.NDArray[np.uint8]) -> bytes:
    whole = len(letters) - len(letters) % _LINE
    lines = np.full((whole // _LINE, _LINE + 1), ord("\n"), dtype=np.uint8)
    lines[:, :_LINE] = letters[:whole].reshape(-1, _LINE)
    rest = letters[whole:].tobytes()
    return lines.tobytes() + (rest + b"\n" if rest else b"")


def row(name: str, figures: tuple[float, ...]) -> list[str]:
    """Return one row of a table."""
    cpu, wall, peak, lines = figures
    return [name, f"{cpu:.2f}", f"{wall:.2f}", f"{peak:.0f}", f"{lines:,.0f}"]


def by_length(lengths: list[float], work: Path) -> list[list[str]]:
    """Time genomes of several lengths, in Mb, with 128 motifs."""
    write_motifs(work / "motifs.jaspar", 128)
    rows = []
    for length in lengths:
        write_simulated(work / "genome.fa", round(length * 1e6))
        rows.append(row(f"{length:g}", measured("motifcnn 1", work / "genome.fa", work / "motifs.jaspar", work)))
    return rows


def by_motifs(counts: list[int], length: float, work: Path) -> list[list[str]]:
    """Time several numbers of motifs on one genome."""
    write_simulated(work / "genome.fa", round(length * 1e6))
    rows = []
    for count in counts:
        write_motifs(work / "motifs.jaspar", count)
        rows.append(row(f"{count}", measured("motifcnn 1", work / "genome.fa", work / "motifs.jaspar", work)))
    return rows


def by_width(widths: list[int], length: float) -> Iterator[list[str]]:
    """Time the scan alone for motifs of one width, drawn at random, of DNA on both strands and of protein."""
    for width in widths:
        cells = [str(width)]
        for alphabet in (DNA, PROTEIN):
            cells += _one_width(width, alphabet, round(length * 1e6))
        yield cells


def _one_width(width: int, alphabet: Alphabet, length: int) -> list[str]:
    generator = np.random.default_rng(width)
    even = np.full(alphabet.size, 1 / alphabet.size)
    p_value = max(P_VALUE, 4 * alphabet.size**-width)
    motifs = [
        IntegerMotif.from_log_odds(
            Motif(f"{n}", generator.dirichlet(np.full(alphabet.size, 0.3), width), alphabet, sites=100).log_odds(even)
        )
        for n in range(128)
    ]
    thresholds = [motif.threshold(p_value) for motif in motifs]
    both = alphabet is DNA
    scanner = Scanner(motifs, thresholds, alphabet, both_strands=both)
    codes = generator.integers(0, alphabet.size, length).astype(np.uint8)
    chunks = [FastaChunk("c", 0, codes, last=True)]
    best = min(_timed(scanner, chunks) for _ in range(3))
    return [f"{p_value:.2g}", f"{best:.3f}", f"{length * 128 * (1 + both) / best / 1e9:.1f}"]


def _timed(scanner: Scanner, chunks: list[FastaChunk]) -> float:
    began = time.process_time()
    list(scanner.scan(chunks))
    return time.process_time() - began


def human(work: Path) -> list[list[str]]:
    """Time a human-size genome with 128 motifs on two threads."""
    write_motifs(work / "motifs.jaspar", 128)
    write_human(work / "genome.fa")
    size = (work / "genome.fa").stat().st_size / 1e9
    name = f"{sum(HUMAN.values()) / 1e9:.2f} Gb in {size:.2f} GB, 2 threads"
    return [row(name, measured("motifcnn 2", work / "genome.fa", work / "motifs.jaspar", work))]


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lengths", default="1,10,100", help="Mb, separated by commas; nothing: leave out")
    parser.add_argument("--motifs", default="1,4,16,64,256,1000,2000", help="as --lengths")
    parser.add_argument("--widths", default="4,5,6,8,10,12,15,20,25,30,35,40", help="as --lengths")
    parser.add_argument("--length", type=float, default=10, help="Mb for --motifs and --widths")
    parser.add_argument("--human", action="store_true", help="only a human-size genome")
    asked = parser.parse_args()
    print(f"{date.today()}, {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, "
          f"motifcnn {version('motifcnn')}\n")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if asked.human:
            print(table(f"| genome {_MACHINE_HEAD}", human(work)))
            return
        if asked.lengths:
            lengths = [float(length) for length in asked.lengths.split(",")]
            print(table(f"| Mb, 128 motifs, 1 thread {_MACHINE_HEAD}", by_length(lengths, work)))
        if asked.motifs:
            counts = [int(count) for count in asked.motifs.split(",")]
            head = f"| motifs, {asked.length:g} Mb, 1 thread {_MACHINE_HEAD}"
            print(table(head, by_motifs(counts, asked.length, work)))
    if asked.widths:
        widths = [int(width) for width in asked.widths.split(",")]
        print(
            f"128 random motifs of one width, {asked.length:g} M letters, scan alone; G is 1e9 letters·motif·strand\n"
        )
        head = "| width | DNA: p ≤ | CPU s | G/CPU-s | protein: p ≤ | CPU s | G/CPU-s |"
        print(table(head, list(by_width(widths, asked.length))))


if __name__ == "__main__":
    main()
