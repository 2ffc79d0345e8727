"""One positive in a hundred: what class weights and the choice of the epoch by average precision are worth.

python benchmarks/imbalanced.py SEQS LABELS [--seeds 3] [--share 0.01] [--threads 1]

All negatives and so many positives, drawn at random, that they are the share asked for of all; three tenths are held
out, and the network of the default settings is trained on the rest: as it stands, with the epoch chosen by the weighted
loss, and without class weights. Average precision is that of the held-out part, of filters alone and with words.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from motifcnn.assembly import assemble
from motifcnn.devices import choose_device
from motifcnn.formats.fasta import read_fasta
from motifcnn.formats.labels import read_labels
from motifcnn.inputs.examples import Examples, assign_splits, join
from motifcnn.learning.calibration import calibrate
from motifcnn.learning.training import TrainingData, predict_logits, train
from motifcnn.preparation import fit_model
from motifcnn.settings import Settings, SplitSettings, TrainingSettings
from motifcnn.significance import average_precision

WAYS = {
    "as it stands": (True, TrainingSettings()),
    "epoch chosen by the loss": (False, TrainingSettings()),
    "no class weights": (True, TrainingSettings(class_weights=False)),
}


def make_rare(examples: Examples, share: float, seed: int) -> Examples:
    """Keep all negatives and so many positives, and divide them."""
    positive = examples.values[:, 0] == 1
    count = round((~positive).sum() * share / (1 - share))
    some = np.random.default_rng(seed).choice(np.flatnonzero(positive), count, replace=False)
    kept = examples.subset(np.sort(np.concatenate([np.flatnonzero(~positive), some])))
    return assign_splits(kept, SplitSettings(test_fraction=0.3), seed)


def measure(examples: Examples, rare: bool, training: TrainingSettings, seed: int) -> tuple[float, float]:
    """Return the held-out average precision of the filters alone, and with words."""
    settings = Settings(seed=seed, training=training)
    model_settings = fit_model(settings.model, examples, Path())
    model, encoded = assemble(examples, settings, model_settings, choose_device("cpu"))
    network, objective = model.network, replace(model.objective, rare=rare)
    data = TrainingData(encoded, examples.values, examples.part("train"), examples.part("validation"))
    train(network, objective, data, training, seed=seed)
    test = examples.part("test")
    truth = examples.values[test, 0] == 1
    alone = average_precision(predict_logits(network, encoded, test)[:, 0].double().numpy(), truth)
    calibrate(network, objective, data, examples.sequences, training)
    return alone, average_precision(predict_logits(network, encoded, test)[:, 0].double().numpy(), truth)


def main() -> None:
    """Print a row for each way: figures of each seed and their means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sequences", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    everything, _ = join(
        read_fasta(asked.sequences),
        read_labels(asked.labels, ()),
        allow_missing=True,
        sequences_path=asked.sequences,
        labels_path=asked.labels,
    )
    print("| way | filters alone | mean | with words | mean |\n|---|---|---|---|---|")
    for name, (rare, training) in WAYS.items():
        found = [measure(make_rare(everything, asked.share, n), rare, training, n) for n in range(asked.seeds)]
        cells = []
        for values in zip(*found, strict=True):
            cells += [" ".join(f"{value:.3f}" for value in values), f"{np.mean(values):.3f}"]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
