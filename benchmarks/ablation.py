"""What conservation adds: `train --conservation … --ablation` on three sets of human chromosome 22.

python benchmarks/ablation.py [DATA] [--seeds N] [--only NAME,NAME]: DATA is the folder that holds
human_chr22_conservation (default ../shared/data, or $MOTIFCNN_REAL_DATA). Prints a Markdown table: seed 0 with its
paired test on held-out sequences, and the mean over seeds, each with a division into parts of its own.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from motifcnn import __version__

SETS = ("CTCF", "REST", "YY1")


def run_once(folder: Path, name: str, seed: int, out: Path) -> tuple[dict[str, float], pd.DataFrame]:
    """Train with ablation; return metrics.json's entry and the motifs joined with their tests on the track."""
    command = Path(sys.executable).with_name("motifcnn")
    track = folder / "chr22.phastConsElements.bw"
    inputs = [str(folder / f"{name}.fa"), str(folder / f"{name}.labels.tsv")]
    options = ["--conservation", str(track), "--ablation", "--seed", str(seed), "--threads", "1", "--device", "cpu"]
    subprocess.run([command, "train", *inputs, "-o", str(out), *options], check=True, capture_output=True)
    motifs = pd.read_csv(out / "motifs.tsv", sep="\t")
    tests = pd.read_csv(out / "motif_tracks.tsv", sep="\t")
    return json.loads((out / "metrics.json").read_text())["ablation"], motifs.merge(
        tests, on="motif", suffixes=("", "_track")
    )


def main() -> None:
    """Train each set with each seed and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = os.environ.get("MOTIFCNN_REAL_DATA", Path(__file__).parents[1].parent / "shared" / "data")
    parser.add_argument("data", nargs="?", type=Path, default=Path(default))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    names = [name for name in SETS if not chosen.only or name in chosen.only.split(",")]
    print(f"{date.today()}, {platform.machine()}, Python {platform.python_version()}, motifcnn {__version__}\n")
    print("| set | with | without | difference | p (DeLong) | mean difference, seeds | first motif |")
    print("|---|---|---|---|---|---|---|")
    for name in names:
        found, first = [], ""
        for seed in range(chosen.seeds):
            with tempfile.TemporaryDirectory() as folder:
                metrics, motifs = run_once(chosen.data / "human_chr22_conservation", name, seed, Path(folder) / "run")
            found.append(metrics)
            if seed == 0 and len(motifs):
                best = motifs.iloc[0]
                first = (
                    f"{best['consensus']}, E {best['e_value']:.1g}; track {best['site_mean']:.3f} at "
                    f"{best['held_out_sites']} sites, {best['shifted_mean']:.3f} shifted, p {best['p_value_track']:.2g}"
                )
        differences = np.array([metrics["difference"] for metrics in found])
        error = differences.std(ddof=1) / np.sqrt(len(differences)) if len(differences) > 1 else np.nan
        mean = f"{differences.mean():+.4f} ± {error:.4f}, {len(differences)}"
        zero = found[0]
        print(
            f"| {name} | {zero['with']:.4f} | {zero['without']:.4f} | {zero['difference']:+.4f} | "
            f"{zero['p_value']:.2g} | {mean} | {first} |",
            flush=True,
        )
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"\n{usage.ru_utime + usage.ru_stime:.0f} CPU seconds in all")


if __name__ == "__main__":
    main()
