"""Known motifs: what comparing with JASPAR costs, and how trimming the query changes E of the right factor.

python benchmarks/known_motifs.py [RUN:FACTOR[:GROUP] …]: RUN is a run directory, FACTOR its factor in JASPAR, GROUP
the taxonomic group compared with (all by default). Needs pyjaspar. Prints processor seconds and a Markdown table: the
factor's least E-value for the run's first motif, outer positions of less than so many bits left out.
"""

import argparse
import os
import platform
import time
from datetime import date
from pathlib import Path

from motifcnn import __version__
from motifcnn.discovery.comparison import FAR_E_VALUE, compare
from motifcnn.discovery.known_motifs import KnownMotifs, default_database
from motifcnn.formats.motif_files import read_motifs

BITS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)


def timed(group: str | None) -> tuple[KnownMotifs, float]:
    """Load JASPAR; return it and the processor seconds."""
    started = time.process_time()
    return default_database(group), time.process_time() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", metavar="RUN:FACTOR[:GROUP]")
    asked = [item.split(":") for item in parser.parse_args().runs]
    everything, loading = timed(None)
    queries = [motif for run, *_ in asked for motif in read_motifs(Path(run) / "motifs.meme")][:20]
    queries = queries or list(everything.motifs[::130])[:20]
    started = time.process_time()
    compare(queries, everything.motifs, e_threshold=FAR_E_VALUE, least=1)
    comparing = time.process_time() - started
    print(f"motifcnn {__version__}, Python {platform.python_version()}, {os.cpu_count()} processors, {date.today()}")
    print(f"{len(everything.motifs)} motifs of {everything.source}: {loading:.2f} CPU-s to load, pyjaspar's import")
    print(f"included; {comparing:.2f} to compare {len(queries)} motifs with\n")
    print(
        "| factor | first motif | "
        + " | ".join(f"{bits:g}" for bits in BITS)
        + " |\n|---|---"
        + "|---" * len(BITS)
        + "|"
    )
    for run, factor, *group in asked:
        first, known = read_motifs(Path(run) / "motifs.meme")[0], timed(group[0] if group else None)[0]
        cells = []
        for bits in BITS:
            matches = compare([first], known.motifs, trim_bits=bits)[0]
            cells.append(min(m.e_value for m in matches if factor.upper() in m.target_alternate_name.upper()))
        print(f"| {factor} | {first.consensus} | " + " | ".join(f"{value:.1e}" for value in cells) + " |")


if __name__ == "__main__":
    main()
