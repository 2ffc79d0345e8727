"""The main job on real sets, default options: accuracy on test files that played no part, motif, time and memory.

python benchmarks/main_job.py [DATA] [--only NAME,NAME]: DATA is a folder of the sets named in SETS
(default ../shared/data, or $MOTIFCNN_REAL_DATA). Prints a Markdown table.
"""

import argparse
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
from sklearn.metrics import roc_auc_score

from motifcnn import __version__

FUNGI, VERTEBRATES = "motif_db/JASPAR2024_CORE_fungi.meme", "motif_db/JASPAR2024_CORE_vertebrates.meme"


@dataclass(frozen=True)
class Set:
    """A development set: files, known motifs and what the first motif should match."""

    folder: str
    train: tuple[str, str] = ("train.fa", "train.labels.tsv")
    test: tuple[str, str] = ("test.fa", "test.labels.tsv")
    database: str | None = None
    factor: str = ""
    options: tuple[str, ...] = ()


HUMAN = {"train": ("train.fa", "train_labels.tsv"), "test": ("test.fa", "test_labels.tsv"), "database": VERTEBRATES}
PEPTIDES = {
    name: Set(
        "protein",
        (f"{name}.train.fa", f"{name}.train.labels.tsv"),
        (f"{name}.test.fa", f"{name}.test.labels.tsv"),
    )
    for name in ("HLAA0201", "HLAB2705")
}
SETS = {
    **{name: Set(f"yeast/{name}", database=FUNGI, factor=name) for name in ("Reb1", "Abf1", "Cbf1", "Mbp1", "Rpn4")},
    "CTCF_HepG2": Set("human_encode/CTCF_HepG2", database=VERTEBRATES, factor="CTCF", options=("--targets", "label")),
    "GABPA": Set("human_encode/GABPA", factor="Gabpa", **HUMAN),
    "MYC": Set("human_encode/MYC", factor="MYC", **HUMAN),
    **PEPTIDES,
}


def run_command(arguments: list[str]) -> tuple[float, float, float]:
    """Run the installed command; return wall seconds, processor seconds and peak memory in MiB."""
    command = Path(sys.executable).with_name("motifcnn")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    timed = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(command), *arguments], capture_output=True, text=True, check=False
    )
    wall = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if timed.returncode:
        raise SystemExit(timed.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, float(re.findall(r"^peak (\d+)$", timed.stdout, re.MULTILINE)[-1]) / 1024


_MEASURE = (
    "import resource, subprocess, sys\n"
    "code = subprocess.call(sys.argv[1:])\n"
    "print('peak', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    "sys.exit(code)\n"
)


def measure(name: str, item: Set, data: Path, work: Path, seed: int) -> dict[str, object]:
    """Train on the training files and score the test file."""
    folder, out = data / item.folder, work / f"{name}_{seed}"
    files = [str(folder / file) for file in item.train]
    known = ["--database", str(data / item.database)] if item.database else []
    wall, cpu, peak = run_command(["-q", "train", *files, "-o", str(out), "--seed", str(seed), *known, *item.options])
    predictions = work / f"{name}.predictions.tsv"
    run_command(["-q", "predict", str(folder / item.test[0]), "-m", str(out), "-o", str(predictions), "--force"])
    truth = pd.read_csv(folder / item.test[1], sep="\t").iloc[:, :2]
    truth.columns = ["id", "truth"]
    joined = truth.merge(pd.read_csv(predictions, sep="\t"), on="id")
    motifs = pd.read_csv(out / "motifs.tsv", sep="\t")
    first = motifs.iloc[0]
    return {
        "set": name,
        "seed": seed,
        "AUROC test.fa": round(roc_auc_score(joined["truth"], joined.iloc[:, 2]), 4),
        "first motif": first["consensus"],
        "held-out E": f"{first['e_value']:.1e}",
        "nearest known": f"{first['best_match']}, E {first['match_e_value']:.1e}" if item.database else "-",
        "significant": f"{int((motifs['e_value'] <= 0.05).sum())} of {len(motifs)}",
        "train s": round(wall, 1),
        "CPU s": round(cpu, 1),
        "MiB": round(peak),
    }


def main() -> None:
    """Measure the sets and print the table."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("MOTIFCNN_REAL_DATA", default))
    parser.add_argument("--only", default=",".join(SETS))
    parser.add_argument("--seeds", default="0")
    asked = parser.parse_args()
    if not Path(asked.data).is_dir():
        raise SystemExit(f"{asked.data}: no such folder; give the folder of the real sets")
    with tempfile.TemporaryDirectory() as work:
        rows = [
            measure(name, SETS[name], Path(asked.data), Path(work), int(seed))
            for name in asked.only.split(",")
            for seed in asked.seeds.split(",")
        ]
    print(f"motifcnn {__version__}, Python {platform.python_version()}, {os.cpu_count()} processors, {date.today()}\n")
    columns = list(rows[0])
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(str(row[column]) for column in columns) + " |")


if __name__ == "__main__":
    main()
