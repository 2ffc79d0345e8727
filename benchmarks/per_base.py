"""Values of bases: are planted sites found base by base, and at what cost?

python benchmarks/per_base.py [--networks unet,aspp] [--seeds 0,1,2] [--sequences 1000] [--length 200] [--bits 12]
`motifcnn simulate` plants sites of two random motifs of ten positions in half of the sequences; the target is 1 at each
base of a site. `motifcnn train --per-base` learns it with default options. Beside it, on the same held-out bases: the
trivial models of the run, and the planted matrices themselves, a base scored by the best window over it on either
strand, which knows what the network has to find out. Prints a line a network and seed.
"""

import argparse
import json
import platform
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from main_job import run_command
from sklearn.metrics import average_precision_score, roc_auc_score

from motifcnn import __version__
from motifcnn.formats.conservation import read_tracks
from motifcnn.formats.fasta import read_fasta
from motifcnn.formats.motif_files import read_motifs


def best_over_bases(codes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return for each base the best log-odds of a window over it, on either strand, shape [position]."""
    width = len(matrix)
    windows = np.lib.stride_tricks.sliding_window_view(codes, width)
    strands = [score[np.arange(width), windows].sum(axis=1) for score in (matrix, matrix[::-1, ::-1])]
    scores = np.pad(np.maximum(*strands), width - 1, constant_values=-np.inf)
    return np.lib.stride_tricks.sliding_window_view(scores, width).max(axis=1)


def planted_matrices(folder: Path, held_out: set[str]) -> tuple[float, float]:
    """Return AUROC and average precision of the planted matrices on the bases of held-out sequences."""
    sequences = read_fasta(folder / "sequences.fa", "dna")
    chosen = np.flatnonzero([name in held_out for name in sequences.names])
    truth = read_tracks(folder / "positive.bases.tsv", sequences)[sequences.positions_of(chosen)]
    matrices = [motif.log_odds().scores for motif in read_motifs(folder / "motifs.meme")]
    scores = np.concatenate(
        [np.max([best_over_bases(sequences[n], matrix) for matrix in matrices], axis=0) for n in chosen]
    )
    return float(roc_auc_score(truth, scores)), float(average_precision_score(truth, scores))


def main() -> None:
    """Simulate, train, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", default="unet,aspp")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--sequences", type=int, default=1000)
    parser.add_argument("--length", type=int, default=200)
    parser.add_argument("--bits", type=float, default=12.0)
    chosen = parser.parse_args()
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, motifcnn {__version__}"
    data = f"{chosen.sequences:,} × {chosen.length}, {chosen.bits:g} bits"
    print(f"{date.today()}, {platform.machine()}, {versions}; {data}")
    print("\n| network | seed | AUROC | average precision | share of 1 | best trivial AP | planted matrices | CPU s |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for seed in chosen.seeds.split(","):
            folder = Path(name) / f"simulated_{seed}"
            shape = [
                "--sequences",
                str(chosen.sequences),
                "--length",
                str(chosen.length),
                "--motif-bits",
                str(chosen.bits),
            ]
            run_command(["simulate", "-o", str(folder), *shape, "--seed", seed])
            for network in chosen.networks.split(","):
                out = Path(name) / f"{network}_{seed}"
                command = ["-q", "train", str(folder / "sequences.fa"), "--architecture", network, "-o", str(out)]
                command += ["--per-base", str(folder / "positive.bases.tsv"), "--seed", seed, "--threads", "1"]
                _, cost, _ = run_command(command)
                metrics = json.loads((out / "metrics.json").read_text())
                table = pd.read_csv(out / "predictions.tsv", sep="\t")
                auroc, precision = planted_matrices(folder, set(table["id"][table["split"] == "test"]))
                test, trivial = metrics["test"], max(metrics["baselines"].values())
                figures = [test["auroc"], test["average_precision"], test["share_of_positives"], trivial]
                cells = [f"{value:.3f}" for value in figures]
                print(
                    f"| {network} | {seed} | {' | '.join(cells)} | {auroc:.3f}, {precision:.3f} | {cost:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
