"""Time and memory of `motifcnn train` as the sequences grow: where both go, and that memory stays bounded.

python benchmarks/large.py [--sequences 20000,50000] [--length 200] [--motifs 4] [--keep FOLDER] [OPTIONS OF train]

Each set is simulated: as many labels as motifs; the positives of a label, a quarter, hold a site of its motif. The run
is a process of its own; its CPU time and resident memory are read whenever it says something.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
MOTIFCNN = [sys.executable, "-m", "motifcnn"]


@dataclass(frozen=True)
class Said:
    """A line of the run, and what it had used by then: CPU seconds and MiB resident at most."""

    line: str
    cpu: float
    peak: float


def used(process: int) -> tuple[float, float]:
    """Return CPU seconds and the most MiB resident so far of a process (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), int(status["VmHWM"].split()[0]) / 1024


def follow(command: list[str]) -> tuple[list[Said], float, float, float]:
    """Run a command; return what it said, wall and CPU seconds, and its peak in MiB."""
    started = time.monotonic()
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    said: list[Said] = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(Said(line.rstrip(), *used(process.pid)))
            print(f"{said[-1].cpu:8.1f} s {said[-1].peak:7.0f} MiB  {said[-1].line}", file=sys.stderr, flush=True)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return said, time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def simulate(folder: Path, sequences: int, asked: argparse.Namespace) -> None:
    """Write a set where there is none yet."""
    if not (folder / "labels.tsv").exists():
        shape = ["--sequences", sequences, "--length", asked.length, "--motifs", asked.motifs, "--seed", asked.seed]
        options = ["--task", "multi-label", "--positives", 0.25]
        subprocess.run([*MOTIFCNN, "-q", "simulate", "-o", str(folder), *map(str, shape + options)], check=True)


def row(sequences: int, asked: argparse.Namespace, options: list[str], folder: Path) -> str:
    """Train on one set and return its row of the table."""
    simulate(folder / f"set_{sequences}", sequences, asked)
    files = [str(folder / f"set_{sequences}" / name) for name in ("sequences.fa", "labels.tsv")]
    run = folder / f"run_{sequences}"
    said, wall, cpu, peak = follow([*MOTIFCNN, "train", *files, "-o", str(run), "--force", "--threads", "1", *options])
    # the layer table is said when training begins, the shares of words when it ends
    begun = next(n for n, item in enumerate(said) if item.line.startswith("epoch 1/")) - 1
    last = max(n for n, item in enumerate(said) if item.line.startswith("epoch "))
    epochs = int(said[last].line.split()[1].split("/")[0])
    training = said[last].cpu - said[begun].cpu
    letters = sequences * asked.length / MIB
    cells = [
        f"{sequences:,}", f"{letters:.0f}", f"{epochs}", f"{said[begun].cpu:.0f}", f"{training:.0f}",
        f"{0.8 * sequences * epochs / training:,.0f}", f"{cpu - said[last].cpu:.0f}", f"{cpu:.0f}", f"{wall:.0f}",
        f"{peak:,.0f}", f"{peak - letters:,.0f}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", default="20000,50000,100000")
    parser.add_argument("--length", type=int, default=200)
    parser.add_argument("--motifs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for sets and runs; a temporary one by default")
    asked, options = parser.parse_known_args()
    columns = (
        "sequences", "MiB of letters", "epochs", "CPU s before training", "CPU s of training", "sequences/CPU-s",
        "CPU s after it", "CPU s in all", "wall s", "peak MiB", "peak less letters",
    )  # fmt: skip
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        for sequences in map(int, asked.sequences.split(",")):
            print(row(sequences, asked, options, folder), flush=True)


if __name__ == "__main__":
    main()
