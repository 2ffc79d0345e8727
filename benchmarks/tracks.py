"""Tracks of a whole genome: processor seconds and peak memory of `motifcnn export tracks` by the genome's length.

python benchmarks/tracks.py RUN [--megabases 1,4,12] [--motifs 32] [--formats bigwig,bed] [--threads 1]

Random DNA of each length, one chromosome; each in a process of its own, so that its peak memory is its own. The run's
network is taken, with its first --motifs filters as motifs; their thresholds lie one standard deviation above the mean
of a training sequence's best score, so that a window in some hundreds is a site.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np

from motifcnn import __version__
from motifcnn.alphabet import DNA
from motifcnn.formats.fasta import write_fasta
from motifcnn.model.store import load_model
from motifcnn.sequences import Sequences

COMMAND = "from importlib.metadata import entry_points as e; e(group='console_scripts')['motifcnn'].load()()"


def with_motifs(run: Path, motifs: int, folder: Path) -> Path:
    """Make a run directory of the same network with so many motifs."""
    model = load_model(run / "model.safetensors")
    norm = model.network.norm
    thresholds = norm.running_mean + norm.running_variance.sqrt()
    rows = [f"motif_{n + 1}\tfilter_{n + 1}\t{float(thresholds[n]):.6g}\n" for n in range(motifs)]
    folder.mkdir()
    (folder / "motifs.tsv").write_text("motif\tfilter\tfilter_threshold\n" + "".join(rows))
    shutil.copy(run / "model.safetensors", folder)
    return folder


def measure(run: Path, megabases: int, formats: list[str], threads: int) -> tuple[float, float, float, float]:
    """Return wall and processor seconds, peak memory in MB, and MB written."""
    with tempfile.TemporaryDirectory() as folder:
        codes = np.random.default_rng(0).integers(0, 4, megabases * 1_000_000).astype(np.uint8)
        write_fasta(Path(folder) / "genome.fa", Sequences.from_list(["chr1"], [codes], DNA))
        options = [word for name in formats for word in ("--format", name)]
        arguments = ["export", "tracks", run, f"{folder}/genome.fa", "-o", f"{folder}/out", *options]
        command = [sys.executable, "-c", COMMAND, "-q", *map(str, arguments), "--threads", str(threads)]
        start = time.perf_counter()
        process = subprocess.Popen(command)
        _, status, used = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"export failed on {megabases} Mb")
        written = sum(path.stat().st_size for path in (Path(folder) / "out").iterdir())
        return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, written / 1e6


def main() -> None:
    """Measure each length and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--megabases", default="1,4,12")
    parser.add_argument("--motifs", type=int, default=32)
    parser.add_argument("--formats", default="bigwig,bed")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    print(f"{date.today()}, {platform.machine()}, motifcnn {__version__}; {options.motifs} motifs; {options.formats}\n")
    print("| Mb | CPU s | wall s | peak memory MB | written MB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        run = with_motifs(options.run, options.motifs, Path(folder) / "run")
        for megabases in map(int, options.megabases.split(",")):
            wall, used, peak, written = measure(run, megabases, options.formats.split(","), options.threads)
            print(f"| {megabases} | {used:.1f} | {wall:.0f} | {peak:.0f} | {written:.0f} |", flush=True)


if __name__ == "__main__":
    main()
