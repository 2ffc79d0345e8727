"""What each part of the default recipe adds, by cross-validation on training files alone; test files are never read.

python benchmarks/recipe.py [DATA] [--only NAME,NAME] [--variants NAME,NAME] [--seeds 0,1] [--folds 3]: DATA is a folder
of the sets named in main_job.SETS (default ../shared/data, or $MOTIFCNN_REAL_DATA). Near-identical sequences stay in
one fold, of which so many are tested at most; a ninth of the others is the validation set. Prints a Markdown table:
mean AUROC of the folds, processor seconds.
"""

import argparse
import os
import platform
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from main_job import SETS, Set

from motifcnn import __version__
from motifcnn.devices import use_threads
from motifcnn.encoding import EncodedSequences
from motifcnn.inputs.examples import Examples
from motifcnn.inputs.near_identical import find_clusters
from motifcnn.inputs.shuffles import find_shuffles
from motifcnn.inputs.splits import TEST, TRAIN
from motifcnn.learning.calibration import calibrate
from motifcnn.learning.seeding import seed_filters
from motifcnn.learning.training import TrainingData, predict_logits, train
from motifcnn.model.network import MotifNetwork
from motifcnn.objectives import Objective
from motifcnn.preparation import InputFiles, fit_model, prepare
from motifcnn.settings import ModelSettings, Settings, TrainingSettings
from motifcnn.significance import rank_auroc

VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "filters from noise": {"seeded_filters": 0.0},
    "no sums": {"word_sums": False},
    "no frames": {"reading_frames": False},
    "same shuffles": {"fresh_shuffles": False},
    "no places": {"placement": False},
    "neither": {"seeded_filters": 0.0, "word_sums": False},
    "before": {"seeded_filters": 0.0, "word_sums": False, "learning_rate": 8e-3, "epochs": 30, "patience": 8},
    "12 epochs": {"epochs": 12},
    "no smoothing": {"label_smoothing": 0.0},
    "shifts": {"augment_shift": 10, "clean_epochs": 0.0},
    "substitutions": {"augment_substitutions": 0.05, "clean_epochs": 0.0},
    "indels": {"augment_indels": 5, "clean_epochs": 0.0},
    "all": {"augment_shift": 10, "augment_substitutions": 0.05, "augment_indels": 5, "clean_epochs": 0.0},
    "all with a clean end": {"augment_shift": 10, "augment_substitutions": 0.05, "augment_indels": 5},
}
"""Changes of the network's and the training's settings; "before" is the recipe that this one replaced."""


def folds_of(examples: Examples, seed: int) -> np.ndarray:
    """Number the fold of each example: five of small sets, four of others, each class spread evenly."""
    clusters, generator = find_clusters(examples.sequences, 0.5).members, np.random.default_rng(seed)
    number, labels = np.zeros(len(examples), dtype=np.int64), examples.values[:, 0]
    for label in (0, 1):
        names = generator.permutation(np.unique(clusters[labels == label]))
        fold = dict(zip(names.tolist(), np.arange(len(names)) % (5 if len(examples) < 1000 else 4), strict=True))
        for example in np.flatnonzero(labels == label):
            number[example] = fold[int(clusters[example])]
    return number


def score(examples: Examples, fold: np.ndarray, tested: int, settings: Settings) -> tuple[float, float]:
    """Train on the other folds; return AUROC on the tested one and processor seconds."""
    labels, generator = examples.values[:, 0], np.random.default_rng(settings.seed)
    others = generator.permutation(np.flatnonzero(fold != tested))
    validation = np.concatenate([others[labels[others] == label][: _ninth(labels[others], label)] for label in (0, 1)])
    training = np.setdiff1d(others, validation)
    split = np.where(np.isin(np.arange(len(examples)), training), TRAIN, TEST).astype(np.int8)
    sequences, values = examples.sequences, examples.values
    objective = Objective.from_training_set("binary", examples.targets, (), values[training], weigh_classes=True)
    started = time.process_time()
    network = MotifNetwork(settings.model, sequences.alphabet, 0, 1, settings.seed)
    seed_filters(network, objective, sequences, values, training, settings.training)
    fresh = settings.training.fresh_shuffles
    shuffles = find_shuffles(replace(examples, split=split), settings.seed) if fresh else None
    data = TrainingData(EncodedSequences(sequences), values, training, np.sort(validation), shuffles=shuffles)
    train(network, objective, data, settings.training, seed=settings.seed)
    calibrate(network, objective, data, sequences, settings.training)
    spent = time.process_time() - started
    test = np.flatnonzero(fold == tested)
    return rank_auroc(predict_logits(network, data.encoded, test)[:, 0].double().numpy(), labels[test] == 1), spent


def _ninth(labels: np.ndarray, label: int) -> int:
    return max(2, int((labels == label).sum()) // 9)


def _changed(
    model: ModelSettings, training: TrainingSettings, changes: dict[str, Any]
) -> dict[str, ModelSettings | TrainingSettings]:
    """Return both sections with the changes that are theirs."""
    sections = {"model": model, "training": training}
    return {
        name: replace(section, **{key: value for key, value in changes.items() if hasattr(section, key)})
        for name, section in sections.items()
    }


def measure(item: Set, data: Path, variants: list[str], seeds: list[int], folds: int) -> list[str]:
    """Return one cell a variant."""
    files = InputFiles(*(data / item.folder / file for file in item.train))
    plain = Settings()
    if item.options:
        plain = replace(plain, input=replace(plain.input, targets=item.options[1:]))
    examples = prepare(files, plain).examples
    model = fit_model(plain.model, examples, files.sequences)
    cells = []
    for name in variants:
        found = []
        for seed in seeds:
            settings = replace(plain, seed=seed, **_changed(model, plain.training, VARIANTS[name]))
            fold = folds_of(examples, seed)
            found += [score(examples, fold, tested, settings) for tested in range(min(folds, int(fold.max()) + 1))]
        auroc, spent = np.mean(found, axis=0)
        cells.append(f"{auroc:.4f} ({spent:.1f})")
    return cells


def main() -> None:
    """Measure the sets and print the table."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("MOTIFCNN_REAL_DATA", default))
    parser.add_argument("--only", default=",".join(SETS))
    parser.add_argument("--variants", default=",".join(VARIANTS))
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--folds", type=int, default=5)
    asked = parser.parse_args()
    if not Path(asked.data).is_dir():
        raise SystemExit(f"{asked.data}: no such folder; give the folder of the real sets")
    use_threads(1)
    variants, seeds = asked.variants.split(","), [int(seed) for seed in asked.seeds.split(",")]
    print(f"motifcnn {__version__}, Python {platform.python_version()}, one thread, {date.today()}\n")
    print("| set | " + " | ".join(variants) + " |\n|" + "---|" * (len(variants) + 1))
    for name in asked.only.split(","):
        cells = measure(SETS[name], Path(asked.data), variants, seeds, asked.folds)
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
