"""Where the processor seconds of the default training go, stage by stage, on the training files of the real sets.

python benchmarks/stages.py [DATA] [--only NAME,NAME] [--repeats 3]: seeding, training, sums of words and calibration on
80% of the training file, a ninth of them for validation, one thread; test files are never read. Stages are timed around
the functions named in STAGES; "other" is what is left. Prints a Markdown table of medians, whole runs without the
timing in the last row, and the last epoch's validation loss and score.
"""

import argparse
import os
import platform
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import torch
from main_job import SETS, Set

from motifcnn import __version__
from motifcnn.devices import use_threads
from motifcnn.encoding import EncodedSequences
from motifcnn.inputs.examples import Examples
from motifcnn.inputs.shuffles import Shuffles, find_shuffles
from motifcnn.inputs.splits import TEST, TRAIN
from motifcnn.learning import calibration, seeding, training, word_sums
from motifcnn.model import through_maximum
from motifcnn.model.network import MotifNetwork
from motifcnn.objectives import Objective
from motifcnn.preparation import InputFiles, fit_model, prepare
from motifcnn.settings import ModelSettings, Settings

STAGES: dict[str, tuple[Any, str]] = {
    "words for seeds": (seeding.WordIndex, "of"),
    "seeding": (seeding, "enriched_words"),
    "shuffles": (Shuffles, "drawn"),
    "letters of an epoch": (EncodedSequences, "with_letters"),
    "batches": (EncodedSequences, "batch"),
    "search": (through_maximum, "_search"),
    "head": (MotifNetwork, "restart_logits"),
    "norm": (MotifNetwork, "activate"),
    "loss": (Objective, "loss"),
    "gradients of windows": (through_maximum, "_scatter"),
    "backward": (torch.Tensor, "backward"),
    "optimiser": (training.AdamW, "step"),
    "validation": (training._Loop, "_validate"),
    "state": (training.Checkpoint, "take"),
    "words": (word_sums, "fit_words"),
    "frames": (word_sums, "find_reading_frames"),
    "weighing": (calibration, "weigh"),
}
"""Functions by stage; time within a stage that another stage encloses counts for the inner one alone."""


class Clock:
    """Processor seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._now = ["other"]
        self._since = time.process_time()

    def _turn(self) -> None:
        now = time.process_time()
        self.seconds[self._now[-1]] += now - self._since
        self._since = now

    def around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is timed as a stage."""

        def timed(*arguments: Any, **named: Any) -> Any:
            self._turn()
            self._now.append(stage)
            try:
                return function(*arguments, **named)
            finally:
                self._turn()
                self._now.pop()

        return timed


@contextmanager
def measured() -> Iterator[Clock]:
    """Time the stages."""
    clock = Clock()
    with ExitStack() as stack:
        for stage, (owner, name) in STAGES.items():
            stack.enter_context(patch.object(owner, name, clock.around(stage, getattr(owner, name))))
        yield clock
        clock._turn()


@dataclass(frozen=True, eq=False)
class Task:
    """What is trained, and how."""

    examples: Examples
    validation: npt.NDArray[np.int64]
    model: ModelSettings
    settings: Settings

    @classmethod
    def of(cls, item: Set, data: Path) -> Self:
        """Read a set's training file and set a fifth of it aside, and a ninth of the rest for validation."""
        files = InputFiles(*(data / item.folder / file for file in item.train))
        settings = Settings()
        if item.options:
            settings = replace(settings, input=replace(settings.input, targets=item.options[1:]))
        examples = prepare(files, settings).examples
        order = np.random.default_rng(1).permutation(len(examples))
        aside = len(order) // 5
        others = aside + (len(order) - aside) // 9
        split = np.full(len(examples), TRAIN, dtype=np.int8)
        split[order[:others]] = TEST
        model = fit_model(settings.model, examples, files.sequences)
        return cls(replace(examples, split=split), np.sort(order[aside:others]), model, settings)

    def run(self) -> training.EpochRecord:
        """Seed, train, fit sums and calibrate; return the last epoch."""
        examples, settings = self.examples, self.settings
        sequences, values, train = examples.sequences, examples.values, np.flatnonzero(examples.split == TRAIN)
        objective = Objective.from_training_set("binary", examples.targets, (), values[train], weigh_classes=True)
        network = MotifNetwork(self.model, sequences.alphabet, 0, 1, settings.seed)
        seeding.seed_filters(network, objective, sequences, values, train, settings.training)
        shuffles = find_shuffles(examples, settings.seed)
        encoded = EncodedSequences(sequences)
        data = training.TrainingData(encoded, values, train, self.validation, shuffles=shuffles)
        history = training.train(network, objective, data, settings.training, seed=settings.seed)
        calibration.calibrate(network, objective, data, sequences, settings.training)
        return history[-1]


def measure(task: Task, repeats: int) -> tuple[dict[str, float], training.EpochRecord]:
    """Return median seconds by stage and of all, and the last epoch; the stages are timed in runs of their own."""
    parts: dict[str, list[float]] = defaultdict(list)
    for _ in range(repeats):
        started = time.process_time()
        last = task.run()
        parts["all"].append(time.process_time() - started)
        with measured() as clock:
            task.run()
        for stage in ("other", *STAGES):
            parts[stage].append(clock.seconds[stage])
    return {stage: statistics.median(seconds) for stage, seconds in parts.items()}, last


def main() -> None:
    """Measure the sets and print the table."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("MOTIFCNN_REAL_DATA", default))
    parser.add_argument("--only", default="Reb1,Abf1,CTCF_HepG2,MYC,GABPA")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    if not Path(asked.data).is_dir():
        raise SystemExit(f"{asked.data}: no such folder; give the folder of the real sets")
    use_threads(1)
    names = asked.only.split(",")
    found = [measure(Task.of(SETS[name], Path(asked.data)), asked.repeats) for name in names]
    print(f"motifcnn {__version__}, torch {torch.__version__}, Python {platform.python_version()}, {date.today()}\n")
    print("| CPU s | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1))
    for stage in (*STAGES, "other", "all"):
        print(f"| {stage} | " + " | ".join(f"{seconds[stage]:.2f}" for seconds, _ in found) + " |")
    ends = (f"{last.validation_loss:.4f}, {last.validation_score:.4f}" for _, last in found)
    print("| validation loss, score | " + " | ".join(ends) + " |")


if __name__ == "__main__":
    main()
