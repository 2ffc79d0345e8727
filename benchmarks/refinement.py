"""Refinement by cross-validation on training files: sites a sequence may hold, and order of the background.

python benchmarks/refinement.py [DATA] [--only NAME,NAME]: DATA is a folder of the sets named in main_job.SETS (default
../shared/data, or $MOTIFCNN_REAL_DATA). On two thirds of a training file the most enriched word of eight letters is
refined on the positives, without a network or a filter's anchors; the last third tells by its AUROC (best hit) how
good the matrix is. Test files play no part. Prints a Markdown table of means over the thirds.
"""

import argparse
import os
import platform
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from main_job import PEPTIDES, SETS
from motifs import labelled

from motifcnn import __version__
from motifcnn.discovery.markov_background import Background
from motifcnn.discovery.refinement import NO_ANCHOR, refine
from motifcnn.learning.enriched_words import WordIndex, enriched_words
from motifcnn.motifs import Motif, uniform_background
from motifcnn.scanning.best import best_sites
from motifcnn.sequences import Sequences
from motifcnn.settings import MotifSettings
from motifcnn.significance import rank_auroc

FOLDS, LETTERS, MATCH = 3, 8, 0.7
MODES = [(sites, order) for sites in ("zoops", "anr") for order in (0, 1, 2)]


def start_of(sequences: Sequences, positive: np.ndarray) -> Motif:
    """Return a motif of the most enriched word."""
    index = WordIndex.of(sequences, LETTERS, both_strands=True)
    (word,) = enriched_words(index, np.where(positive, 1.0, 0.0), 1)
    matrix = np.full((LETTERS, 4), (1.0 - MATCH) / 3.0)
    matrix[np.arange(LETTERS), word] = MATCH
    return Motif("word", matrix, sequences.alphabet)


def auroc(motif: Motif, sequences: Sequences, positive: np.ndarray) -> float:
    """Return the AUROC of the motif's best hit, held against even letters as reported motifs are."""
    even = replace(motif, background=uniform_background(motif.alphabet))
    return rank_auroc(best_sites([even.log_odds()], sequences, True).scores[:, 0], positive)


def measure(sequences: Sequences, positive: np.ndarray) -> list[float]:
    """Return the mean AUROC of each mode."""
    fold = np.zeros(len(positive), dtype=int)
    for kind in (False, True):
        own = np.flatnonzero(positive == kind)
        fold[own] = np.arange(len(own)) % FOLDS
    found = np.zeros((FOLDS, len(MODES)))
    for number in range(FOLDS):
        seen, held_out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        shown = sequences.subset(seen)
        start, positives = start_of(shown, positive[seen]), shown.subset(np.flatnonzero(positive[seen]))
        for mode, (sites, order) in enumerate(MODES):
            settings = replace(MotifSettings(), sites=sites, refine_similarity=0.4)
            background = Background.of(shown, order, both_strands=True)
            nowhere = np.full(len(positives), NO_ANCHOR)
            motifs = refine(start, positives, nowhere, background, both_strands=True, settings=settings)
            last = motifs[-1] if motifs else start
            found[number, mode] = auroc(last, sequences.subset(held_out), positive[held_out])
    return found.mean(axis=0).tolist()


def main() -> None:
    """Measure the sets; print the table and its means."""
    names = [name for name in SETS if name not in PEPTIDES]
    shared = Path(__file__).resolve().parents[2] / "shared"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("MOTIFCNN_REAL_DATA", shared / "data"))
    parser.add_argument("--only", default=",".join(names))
    asked = parser.parse_args()
    if not Path(asked.data).is_dir():
        raise SystemExit(f"{asked.data}: no such folder; give that of the sets")
    print(f"motifcnn {__version__}, Python {platform.python_version()}, {os.cpu_count()} processors, {date.today()}\n")
    print("| set | " + " | ".join(f"{sites} {order}" for sites, order in MODES) + " |\n|" + "---|" * (len(MODES) + 1))
    rows = []
    for name in asked.only.split(","):
        rows.append(measure(*labelled(Path(asked.data) / SETS[name].folder, SETS[name].train)))
        print(f"| {name} | " + " | ".join(f"{value:.4f}" for value in rows[-1]) + " |", flush=True)
    print("| mean | " + " | ".join(f"{value:.4f}" for value in np.mean(rows, axis=0)) + " |")


if __name__ == "__main__":
    main()
