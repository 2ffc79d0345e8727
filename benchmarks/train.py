"""Training of the default network: through the maximum, dense, and the usual DataLoader loop.

python benchmarks/train.py [--sequences 2000,8000] [--length 200] [--filters 64] [--epochs 4] [--repeats 3]
    [--threads 1] [--device cpu|cuda] [--workers 2]

Three ways to train the same network from the same weights on the same simulated sequences:

* through the maximum: `motifcnn.learning.training.train`, best windows by table look-ups;
* dense: the same loop, best windows by convolution;
* DataLoader: a plain PyTorch loop, one-hot rows made in worker processes, convolution of both
  strands and its maximum left to autograd.

On a GPU the first way has no tables and is left out: the bytes of all sequences live there, and batches are gathered
and one-hotted there (dense), or come from the workers through pinned memory (DataLoader); both in bf16. This has never
been run on a GPU.

The ways take turns within each repeat; medians are printed. Processor seconds include the workers'.
AUROC is that of a tenth of the sequences, held out, after the last epoch.
"""

import argparse
import itertools
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from motifcnn import __version__
from motifcnn.alphabet import DNA
from motifcnn.encoding import Batch, EncodedSequences
from motifcnn.learning.training import TrainingData, predict_logits, train
from motifcnn.model import through_maximum
from motifcnn.model.network import MotifNetwork, resolve
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings, SimulationSettings, TrainingSettings
from motifcnn.simulation import simulate


@dataclass(frozen=True, eq=False)
class Task:
    """Sequences, their division, the network's settings and the loop's."""

    sequences: Sequences
    data: TrainingData
    objective: Objective
    model: ModelSettings
    training: TrainingSettings
    device: torch.device
    workers: int

    def network(self) -> MotifNetwork:
        """Return the network with its first weights, always the same."""
        return MotifNetwork(self.model, DNA, 0, 1, seed=0).to(self.device)


def make_task(sequences: int, length: int, filters: int, asked: argparse.Namespace) -> Task:
    """Simulate sequences and hold out a tenth of them."""
    device, epochs = torch.device(asked.device), asked.epochs
    settings = SimulationSettings(sequences=sequences, length=length)
    made = simulate(settings, np.random.default_rng(0))
    order = np.random.default_rng(1).permutation(sequences)
    held_out, training = np.sort(order[: sequences // 10]), np.sort(order[sequences // 10 :])
    values = made.values.astype(np.float32)
    data = TrainingData(EncodedSequences(made.sequences, device=device), values, training, held_out)
    objective = Objective.from_training_set("binary", made.targets, (), values[training], weigh_classes=True)
    model = resolve(replace(ModelSettings(), filters=filters), DNA, torch.full((1,), length))
    training = TrainingSettings(epochs=epochs, patience=epochs)
    return Task(made.sequences, data, objective, model, training, device, asked.workers)


def by_tables(task: Task) -> MotifNetwork:
    """Train as `motifcnn train` does."""
    network = task.network()
    train(network, task.objective, task.data, task.training, seed=0)
    return network


def by_convolution(task: Task) -> MotifNetwork:
    """Train as `motifcnn train` does where the tables do not serve."""
    with without_tables():
        return by_tables(task)


@contextmanager
def without_tables() -> Iterator[None]:
    """Switch the tables off."""
    suits = through_maximum.suits
    through_maximum.suits = lambda *_: False
    try:
        yield
    finally:
        through_maximum.suits = suits


class OneHot(torch.utils.data.Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Examples one-hotted one at a time, as is usual."""

    def __init__(self, task: Task):
        self.task = task
        self.rows = torch.from_numpy(DNA.fractions.copy())

    def __len__(self) -> int:
        return len(self.task.data.train)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        example = int(self.task.data.train[index])
        codes = torch.from_numpy(self.task.sequences[example].astype(np.int64))
        return self.rows[codes].T.contiguous(), torch.from_numpy(self.task.data.values[example])


def by_data_loader(task: Task) -> MotifNetwork:
    """Train with a plain loop; no validation, no checkpoints, no best epoch."""
    network, settings, on_gpu = task.network(), task.training, task.device.type == "cuda"
    loader = torch.utils.data.DataLoader(
        OneHot(task),
        settings.batch_size,
        shuffle=True,
        num_workers=task.workers,
        pin_memory=on_gpu,
        persistent_workers=task.workers > 0,
        generator=torch.Generator().manual_seed(0),
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=settings.epochs * len(loader), pct_start=settings.warmup
    )
    for _ in range(settings.epochs):
        network.train()
        for rows, truth in loader:
            inputs, values = (part.to(task.device, non_blocking=True) for part in (rows, truth))
            lengths = torch.full((len(inputs),), inputs.shape[2], device=task.device)
            with torch.autocast(task.device.type, dtype=torch.bfloat16, enabled=on_gpu):
                pooled = network.filters(Batch(inputs, lengths)).amax(dim=2, keepdim=True)
                logits = network.restart_logits(network.activate(pooled), pooled)
            loss = task.objective.loss(logits.float(), values, settings.label_smoothing)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), settings.gradient_clip * network.restarts**0.5)
            optimiser.step()
            schedule.step()
    return network


WAYS: dict[str, Callable[[Task], MotifNetwork]] = {
    "through the maximum": by_tables,
    "dense": by_convolution,
    "DataLoader": by_data_loader,
}


def processor_seconds() -> float:
    """Return the time of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(task: Task, repeats: int) -> list[dict[str, object]]:
    """Train in all ways in turn and return medians."""
    on_gpu = task.device.type == "cuda"
    ways = {name: way for name, way in WAYS.items() if way is not by_tables or not on_gpu}
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    scores = {}
    for _, (name, way) in itertools.product(range(repeats), ways.items()):
        wall, processor = time.monotonic(), processor_seconds()
        network = way(task)
        if on_gpu:
            torch.cuda.synchronize()
        seconds[name].append((processor_seconds() - processor, time.monotonic() - wall))
        logits = predict_logits(network, task.data.encoded, task.data.validation)
        scores[name] = roc_auc_score(task.data.values[task.data.validation, 0], logits[:, 0])
    rows = []
    for name, times in seconds.items():
        processor, wall = (statistics.median(column) for column in zip(*times, strict=True))
        seen = len(task.data.train) * task.training.epochs
        rows.append({
            "sequences": len(task.sequences),
            "length": int(task.sequences.lengths[0]),
            "filters": task.model.filters * task.model.restarts,
            "way": name,
            "CPU s": round(processor, 2),
            "wall s": round(wall, 2),
            "sequences / CPU s": round(seen / processor),
            "sequences / wall s": round(seen / wall),
            "AUROC": round(float(scores[name]), 3),
        })  # fmt: skip
    return rows


def main() -> None:
    """Measure every combination asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("sequences", "2000"), ("length", "200"), ("filters", "64")):
        parser.add_argument(f"--{name}", default=default, help="one or several, with commas between")
    for name, number in (("epochs", 4), ("repeats", 3), ("threads", 1), ("workers", 2)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--device", default="cpu")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    by_tables(make_task(200, 50, 16, asked))  # compiles, imports
    rows = []
    for sizes in itertools.product(
        *(map(int, text.split(",")) for text in (asked.sequences, asked.length, asked.filters))
    ):
        rows += measure(make_task(*sizes, asked), asked.repeats)
    card = f"{torch.cuda.get_device_name(asked.device)}, " if asked.device.startswith("cuda") else ""
    print(
        f"motifcnn {__version__}, torch {torch.__version__}, Python {platform.python_version()}, "
        f"{card}{os.cpu_count()} processors, {asked.threads} threads, {asked.workers} workers, {asked.epochs} epochs, "
        f"median of {asked.repeats}, {date.today()}\n"
    )
    print("| " + " | ".join(rows[0]) + " |\n|" + "---|" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")


if __name__ == "__main__":
    main()
