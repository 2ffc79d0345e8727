"""The demo: CRP in E. coli, from windows around known sites to the sites found again in the genome."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from motifcnn.discovery.known_motifs import NO_DATABASE
from motifcnn.formats.bed import read_bed
from motifcnn.formats.files import atomic_write
from motifcnn.outcome import Outcome
from motifcnn.pipeline import TrainingRequest
from motifcnn.preparation import InputFiles
from motifcnn.processors import count_threads
from motifcnn.scanning.genome import scan_genome
from motifcnn.settings import MotifSettings, ScanSettings, Settings
from motifcnn.shipped import CRP_LABELS, CRP_SEQUENCES, CRP_SITES, ECOLI_GENOME, shipped

KNOWN_CONSENSUS = "TGTGA-N6-TCACA"


@dataclass(frozen=True)
class KnownSites:
    """How the genome scan compares with the known sites.

    Args:
        consensus: Consensus of the motif found.
        hits: Hits of the motif in the genome.
        hits_path: Where they are.
        known: Known sites.
        recovered: Known sites that some hit overlaps.
    """

    consensus: str
    hits: int
    hits_path: Path
    known: int
    recovered: int


def request(out: Path, *, force: bool, device: str, threads: int) -> TrainingRequest:
    """Return what the demo asks of `motifcnn train`; of bacteria JASPAR knows no motifs."""
    files = InputFiles(shipped(CRP_SEQUENCES), shipped(CRP_LABELS))
    settings = Settings(device=device, threads=threads, motifs=MotifSettings(database=NO_DATABASE))
    command = ["train", str(files.sequences), str(files.labels), "-o", str(out), "--database", NO_DATABASE]
    return TrainingRequest(files, out, settings, command, force)


def find_known_sites(outcome: Outcome, out: Path, threads: int) -> KnownSites | None:
    """Scan the genome with the best motif and count the known sites found again.

    Returns:
        The comparison, or None where the run found no motif.
    """
    if not outcome.assessment.motifs:
        return None
    motif = outcome.assessment.motifs[0].motif
    path = out / "genome_hits.bed"
    with atomic_write(path) as file:
        summary = scan_genome(shipped(ECOLI_GENOME), [motif], ScanSettings(), file, count_threads(threads))
    table = pd.read_csv(path, sep="\t", header=None, usecols=[0, 1, 2], names=["chrom", "start", "end"])
    known = [record.interval for record in read_bed(shipped(CRP_SITES))]
    recovered = sum(
        bool(((table["chrom"] == site.chrom) & (table["start"] < site.end) & (table["end"] > site.start)).any())
        for site in known
    )
    return KnownSites(motif.consensus, summary.hits[0], path, len(known), recovered)
