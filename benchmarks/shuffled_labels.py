"""How often a set with nothing in it gives a significant motif: trainings on shuffled labels.

python benchmarks/shuffled_labels.py [DATA] [--runs 100] [--sets Cbf1,Mbp1,Abf1]: DATA is a folder of the sets named
in main_job.SETS (default ../shared/data, or $MOTIFCNN_REAL_DATA). The labels of the training files are shuffled,
another way for each run, the sets taken in turn; everything else is the main job with default options. In how many
runs is any E-value at most .05? By the meaning of an E-value, in about 5 of 100 at most.
"""

import argparse
import os
import platform
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from main_job import SETS

from motifcnn import __version__
from motifcnn.pipeline import TrainingRequest, run
from motifcnn.preparation import InputFiles
from motifcnn.settings import MotifSettings, Settings

E_THRESHOLD = 0.05


def shuffled_run(name: str, seed: int, data: Path, work: Path) -> pd.DataFrame:
    """Train on a set whose labels are shuffled; return the table of motifs."""
    sequences, labels = (data / SETS[name].folder / file for file in SETS[name].train)
    table = pd.read_csv(labels, sep="\t").iloc[:, :2]
    table.iloc[:, 1] = np.random.default_rng(seed).permutation(table.iloc[:, 1].to_numpy())
    shuffled, out = work / f"{seed}.tsv", work / f"run_{seed}"
    table.to_csv(shuffled, sep="\t", index=False)
    settings = Settings(seed=seed, threads=1, motifs=MotifSettings(database="none"))
    run(TrainingRequest(InputFiles(sequences, shuffled), out, settings))
    assert (out / "report.html").is_file()
    return pd.read_csv(out / "motifs.tsv", sep="\t")


def main() -> None:
    """Run, and print a line a run and the count."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("MOTIFCNN_REAL_DATA", default))
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--sets", default="Cbf1,Mbp1,Abf1")
    asked = parser.parse_args()
    names = asked.sets.split(",")
    if not Path(asked.data).is_dir():
        raise SystemExit(f"{asked.data}: no such folder; give that of the sets")
    print(f"motifcnn {__version__}, Python {platform.python_version()}, {os.cpu_count()} processors, {date.today()}")
    found = 0
    for seed in range(asked.runs):
        with tempfile.TemporaryDirectory() as work:
            started = time.process_time()
            motifs = shuffled_run(names[seed % len(names)], seed, Path(asked.data), Path(work))
        least = float(motifs["e_value"].min()) if len(motifs) else float("nan")
        found += least <= E_THRESHOLD
        print(
            f"run {seed} {names[seed % len(names)]}: {len(motifs)} motifs, least E {least:.3g}, "
            f"{time.process_time() - started:.1f} CPU-s; {found} of {seed + 1} runs with E <= {E_THRESHOLD}",
            flush=True,
        )


if __name__ == "__main__":
    main()
