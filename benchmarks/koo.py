"""Do filters become motifs? The task of Koo and Eddy (2019) and Koo and Ploenzke (2021), its networks and our default.

python benchmarks/koo.py [--networks default,koo-50:exp,...] [--seeds 0] [--sequences 30000] [--epochs 100]
12 JASPAR-2016 matrices and their reverse complements are planted in 30,000 sequences of 200 letters, 1 to 5 in each; 12
labels tell which factors are in it; 70/10/20 split. A filter's PWM is the mean of the windows around the test positions
above half of its maximum. Match fraction: share of the filters (of the motifs called significant, for our default)
that resemble a planted factor at Tomtom E <= .1 against JASPAR 2016 vertebrates; coverage: factors so found.
Needs pyjaspar (pip install 'motifcnn[databases]'). Prints a line a network as it is done.
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
import torch
from main_job import run_command
from sklearn.metrics import roc_auc_score

from motifcnn import __version__
from motifcnn.alphabet import DNA
from motifcnn.discovery.comparison import compare
from motifcnn.formats.motif_files import read_motifs
from motifcnn.model.koo import KooNetwork
from motifcnn.motifs import Motif

FACTORS = {
    "Arid3a": "MA0151.1", "CEBPB": "MA0466.2", "FOSL1": "MA0477.1", "Gabpa": "MA0062.2", "MAFK": "MA0496.1",
    "MAX": "MA0058.3", "MEF2A": "MA0052.3", "NFYB": "MA0502.1", "SP1": "MA0079.3", "SRF": "MA0083.3",
    "STAT1": "MA0137.3", "YY1": "MA0095.2",
}  # fmt: skip
LENGTH, MOST_SITES = 200, 5
SITE_COUNTS = (0.50, 0.25, 0.17, 0.05, 0.03)
WINDOW = 20


def jaspar_2016() -> dict[str, Motif]:
    """Return the vertebrate CORE matrices of JASPAR 2016, by their identifiers."""
    from pyjaspar import jaspardb

    database = jaspardb(release="JASPAR2016")
    motifs = {}
    for entry in database.fetch_motifs(collection=["CORE"], tax_group=["vertebrates"]):
        counts = np.array([entry.counts[letter] for letter in DNA.letters]).T
        motifs[entry.matrix_id] = Motif.from_counts(entry.matrix_id, counts, DNA)
    return motifs


def simulate(planted: list[Motif], number: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return codes, shape [sequence, position], and labels, shape [sequence, factor]."""
    codes = generator.integers(0, 4, (number, LENGTH)).astype(np.uint8)
    labels = np.zeros((number, len(planted)), dtype=np.int64)
    both = [motif.probabilities for motif in planted] + [motif.reverse_complement().probabilities for motif in planted]
    for row in range(number):
        count = 1 + generator.choice(MOST_SITES, p=SITE_COUNTS)
        chosen = generator.integers(0, len(both), count)
        room = LENGTH - sum(len(both[motif]) for motif in chosen)
        gaps = np.diff(np.sort(generator.integers(0, room + 1, count)), prepend=0)
        at = 0
        for motif, gap in zip(chosen, gaps, strict=True):
            at += gap
            ends = both[motif].cumsum(axis=1)
            draws = generator.random((len(ends), 1))
            codes[row, at : at + len(ends)] = np.minimum((draws > ends).sum(axis=1), 3)
            at += len(ends)
            labels[row, motif % len(planted)] = 1
    return codes, labels


def matches(motifs: list[Motif], database: dict[str, Motif]) -> tuple[float, int]:
    """Return match fraction and coverage."""
    own = {identifier.split(".")[0] for identifier in FACTORS.values()}
    found = [
        {match.target_name.split(".")[0] for match in hits} & own
        for hits in compare(motifs, list(database.values()), e_threshold=0.1)
    ]
    return sum(map(bool, found)) / max(len(found), 1), len(set().union(*found))


def filter_motifs(network: KooNetwork, codes: np.ndarray) -> list[Motif]:
    """The recipe of the papers: mean letters around the positions above half of the filter's maximum."""
    inputs = one_hot(codes)
    with torch.no_grad():
        activations = torch.cat([network.first_activations(part) for part in inputs.split(500)]).numpy()
    motifs, left = [], WINDOW // 2
    for number in range(activations.shape[1]):
        own = activations[:, number]
        rows, places = np.nonzero(own > 0.5 * own.max())
        inside = (places >= left) & (places < LENGTH - (WINDOW - left))
        rows, places = rows[inside], places[inside]
        if not len(rows) or own.max() <= 0:
            continue
        letters = codes[rows[:, None], places[:, None] - left + np.arange(WINDOW)]
        means = np.stack([(letters == letter).mean(axis=0) for letter in range(4)], axis=1)
        motif = Motif(f"filter_{number}", means, DNA)
        informative = np.flatnonzero(motif.information() > 0.5)
        if len(informative):
            first, last = max(informative[0] - 3, 0), min(informative[-1] + 4, WINDOW)
            motifs.append(Motif(motif.name, means[first:last], DNA))
    return motifs


def one_hot(codes: np.ndarray) -> torch.Tensor:
    """Letters as the networks read them, shape [example, channel, position]."""
    return torch.from_numpy(np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1).copy())


def train_network(
    network: KooNetwork, codes: np.ndarray, labels: np.ndarray, parts: tuple[np.ndarray, ...], epochs: int, seed: int
) -> int:
    """Adam at 1e-3, batches of 100, a fifth of the rate after 5 stale epochs, the end after 20; return the epochs."""
    generator = torch.Generator().manual_seed(seed)
    inputs, truth = one_hot(codes), torch.from_numpy(labels.astype(np.float32))
    train, validation = (torch.from_numpy(part) for part in parts[:2])
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, "max", 0.2, patience=5)
    best, state, stale, ran = -1.0, network.state_dict(), 0, 0
    while ran < epochs and stale < 20:
        ran += 1
        network.train()
        for batch in train[torch.randperm(len(train), generator=generator)].split(100):
            optimiser.zero_grad()
            torch.nn.functional.binary_cross_entropy_with_logits(network(inputs[batch]), truth[batch]).backward()
            optimiser.step()
        score = float(roc_auc_score(labels[parts[1]], predict(network, inputs[validation])))
        schedule.step(score)
        stale += 1
        if score > best:
            best, stale = score, 0
            state = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(state)
    return ran


def predict(network: KooNetwork, inputs: torch.Tensor) -> np.ndarray:
    """Return logits."""
    network.eval()
    with torch.no_grad():
        return torch.cat([network(part) for part in inputs.split(500)]).numpy()


def measure_default(codes: np.ndarray, labels: np.ndarray, database: dict[str, Motif], seed: int, work: Path) -> str:
    """Our command with its defaults on the same sequences."""
    letters = np.array(list(DNA.letters))
    with (work / "train.fa").open("w") as file:
        file.writelines(f">s{row}\n{''.join(letters[line])}\n" for row, line in enumerate(codes))
    table = pd.DataFrame(labels, columns=list(FACTORS))
    table.insert(0, "id", [f"s{row}" for row in range(len(codes))])
    table.to_csv(work / "labels.tsv", sep="\t", index=False)
    out = work / "run"
    asked = ["-q", "train", str(work / "train.fa"), str(work / "labels.tsv"), "-o", str(out), "--seed", str(seed)]
    _, cpu, _ = run_command([*asked, "--test-fraction", "0.2"])
    found = pd.read_csv(out / "motifs.tsv", sep="\t")
    significant = found["e_value"] <= 0.05
    motifs = [motif for motif, good in zip(read_motifs(out / "motifs.meme"), significant, strict=True) if good]
    predictions = pd.read_csv(out / "predictions.tsv", sep="\t")
    test = predictions[predictions["split"] == "test"]
    auroc = np.mean([roc_auc_score(test[name], test[f"predicted_{name}"]) for name in FACTORS])
    fraction, coverage = matches(motifs, database)
    own_fraction, own_coverage = matches(read_motifs(out / "filters.meme"), database)
    return (
        f"| motifcnn default | {seed} | {fraction:.3f} ({len(motifs)} motifs; filters' weights {own_fraction:.3f}) | "
        f"{coverage}/12 (filters' weights {own_coverage}/12) | {auroc:.4f} | | {cpu:.0f} |"
    )


def measure_network(
    name: str, codes: np.ndarray, labels: np.ndarray, database: dict[str, Motif], seed: int, epochs: int
) -> str:
    """One of the six networks."""
    architecture, activation = name.split(":")
    torch.manual_seed(seed)
    network = KooNetwork(architecture, activation, 4, LENGTH, len(FACTORS))
    order = np.random.default_rng(seed).permutation(len(codes))
    parts = tuple(np.split(order, [int(0.7 * len(codes)), int(0.8 * len(codes))]))
    started = time.process_time()
    ran = train_network(network, codes, labels, parts, epochs, seed)
    network.eval()
    auroc = roc_auc_score(labels[parts[2]], predict(network, one_hot(codes[parts[2]])))
    motifs = filter_motifs(network, codes[parts[2]])
    fraction, coverage = matches(motifs, database)
    share = fraction * len(motifs) / network.layers[0]["convolution"].out_channels
    return (
        f"| {name} | {seed} | {share:.3f} | {coverage}/12 | {auroc:.4f} | {ran} | {time.process_time() - started:.0f} |"
    )


def main() -> None:
    """Measure the networks asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", default="default,koo-50:exp,koo-50:relu,koo-2:exp,koo-2:relu")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--sequences", type=int, default=30_000)
    parser.add_argument("--epochs", type=int, default=100, help="most epochs of the six networks")
    asked = parser.parse_args()
    database = jaspar_2016()
    planted = [database[identifier] for identifier in FACTORS.values()]
    codes, labels = simulate(planted, asked.sequences, np.random.default_rng(9))
    print(f"motifcnn {__version__}, Python {platform.python_version()}, {os.cpu_count()} processors, {date.today()}, ")
    print(f"{asked.sequences} sequences\n\n| network | seed | match fraction | coverage | AUROC | epochs | CPU s |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for seed in map(int, asked.seeds.split(",")):
        for name in asked.networks.split(","):
            if name == "default":
                with tempfile.TemporaryDirectory() as work:
                    print(measure_default(codes, labels, database, seed, Path(work)), flush=True)
            else:
                print(measure_network(name, codes, labels, database, seed, asked.epochs), flush=True)


if __name__ == "__main__":
    main()
