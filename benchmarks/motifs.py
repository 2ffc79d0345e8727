"""Motifs as position weight matrices, against those that STREME and HOMER found on the same training files.

python benchmarks/motifs.py [DATA] [--peers FOLDER] [--only NAME,NAME]: DATA is a folder of the sets named in
main_job.SETS (default ../shared/data, or $MOTIFCNN_REAL_DATA), FOLDER holds NAME/streme.meme and NAME/homer.meme
(default ../shared/peers). All matrices are scored alike on the test files, which played no part: AUROC of the best hit
and of the sum of all sites' odds over both strands, log2 odds against uniform letters, pseudocount .001; and of
logistic models of the first five motifs, fitted on the training file: of their best hits, and of their sums of odds and
how far from the middle of the sequence the best hit lies. Known motifs: what the run says of its
own, by what stands beside their sites, too; the peers' matrices as they are. Prints a Markdown table.
"""

import argparse
import os
import platform
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from main_job import FUNGI, PEPTIDES, SETS, VERTEBRATES, Set, run_command
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from motifcnn import __version__
from motifcnn.discovery.comparison import compare
from motifcnn.formats.fasta import read_fasta
from motifcnn.formats.motif_files import read_motifs
from motifcnn.motifs import Motif
from motifcnn.sequences import Sequences
from motifcnn.significance import rank_auroc

PSEUDOCOUNT = 0.001
"""Added to each probability of every matrix, ours and the peers' alike."""

MOST_E_VALUE = 1e-3
"""Of a likeness to a known motif that counts."""

FIVE = "first five, sums and places"


@dataclass(frozen=True, eq=False)
class Scores:
    """What a motif says of each sequence, both strands; all of shape [sequence].

    Args:
        best: Log2 odds of the best site.
        total: log2 of the sum of all sites' odds.
        away: Distance of the best site from the middle, from 0 to 1 at an end; 1 where there is none.
    """

    best: np.ndarray
    total: np.ndarray
    away: np.ndarray

    @classmethod
    def of(cls, motif: Motif, sequences: Sequences) -> "Scores":
        """Score sequences; minus infinity where none of the windows is free of ambiguity codes."""
        smoothed = motif.probabilities + PSEUDOCOUNT
        scores = np.log2(smoothed / smoothed.sum(axis=1, keepdims=True) * 4)
        scores = np.column_stack([scores, np.full(len(scores), -np.inf)])  # no site over an ambiguity code
        codes = np.minimum(sequences.codes, 4)
        windows = len(codes) - len(scores) + 1
        turned = scores[::-1, [3, 2, 1, 0, 4]]
        strands = [sum(matrix[i, codes[i : i + windows]] for i in range(len(matrix))) for matrix in (scores, turned)]
        best, total = np.full(len(sequences), -np.inf), np.full(len(sequences), -np.inf)
        away = np.ones(len(sequences))
        for number, (start, end) in enumerate(zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True)):
            own = np.stack([strand[start : end - len(scores) + 1] for strand in strands])
            if np.isfinite(own).any():
                best[number], total[number] = own.max(), np.logaddexp2.reduce(own, axis=None)
                place = int(own.max(axis=0).argmax())
                away[number] = abs(2 * place + len(scores) - (end - start)) / (end - start)
        return cls(best, total, away)


def first_five(
    file: Path, fitted_on: tuple[Sequences, np.ndarray], tested_on: tuple[Sequences, np.ndarray]
) -> tuple[float, float]:
    """Return the AUROC of logistic models of the first five motifs: of best hits; of sums of odds and places."""
    motifs = read_motifs(file)[:5]
    train, test = ([Scores.of(motif, part) for motif in motifs] for part, _ in (fitted_on, tested_on))
    aurocs = []
    for kinds in (["best"], ["total", "away"]):
        features = [
            np.stack([finite(getattr(scores, kind)) for scores in part for kind in kinds], axis=1)
            for part in (train, test)
        ]
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        model.fit(features[0], fitted_on[1])
        aurocs.append(rank_auroc(model.decision_function(features[1]), tested_on[1]))
    return aurocs[0], aurocs[1]


def finite(scores: np.ndarray) -> np.ndarray:
    """Give sequences without a site the lowest score of the others."""
    known = np.isfinite(scores)
    return np.where(known, scores, scores[known].min() if known.any() else 0.0)


def labelled(folder: Path, files: tuple[str, str]) -> tuple[Sequences, np.ndarray]:
    """Read sequences and which are positives."""
    sequences = read_fasta(folder / files[0], "dna")
    truth = pd.read_csv(folder / files[1], sep="\t", index_col=0).iloc[:, 0]
    return sequences, truth.loc[list(sequences.names)].to_numpy() == 1


def named(motif: Motif, database: list[Motif], factor: str) -> tuple[str, float]:
    """Return the nearest known motif, or none, and the E-value of the factor's best one."""
    matches = compare([motif], database, e_threshold=MOST_E_VALUE)[0]
    same = [match.e_value for match in matches if factor.lower() in match.target_alternate_name.lower()]
    return matches[0].target_alternate_name if matches else "none", min(same, default=np.inf)


def named_by_run(out: Path, factor: str) -> tuple[str, float]:
    """Return what the run itself says of its first motif, compared with what stands beside its sites."""
    first = pd.read_csv(out / "motifs.tsv", sep="\t", keep_default_na=False).iloc[0]
    e_value = float(first["match_e_value"] or np.inf)
    if e_value > MOST_E_VALUE:
        return "none", np.inf
    near = f"{first['best_match']}, {first['match_members']}".lower()
    return str(first["best_match"]), e_value if factor.lower() in near else np.inf


def measure(name: str, item: Set, data: Path, peers: Path, work: Path) -> list[dict[str, object]]:
    """Train on the training files; score our first motif and the peers' on the test file."""
    folder, out = data / item.folder, work / name
    files = [str(folder / file) for file in item.train]
    known = data / (item.database or (FUNGI if "yeast" in item.folder else VERTEBRATES))
    _, cpu, _ = run_command(["-q", "train", *files, "-o", str(out), *item.options, "--database", str(known)])
    database = read_motifs(known)
    train, test = labelled(folder, item.train), labelled(folder, item.test)
    sequences, positive = test
    sources = {
        "motifcnn": out / "motifs.meme",
        "motifcnn, before refinement": out / "filter_motifs.meme",
        "STREME": peers / name / "streme.meme",
        "HOMER": peers / name / "homer.meme",
    }
    rows = []
    for tool, file in sources.items():
        first = read_motifs(file)[0]
        scores = Scores.of(first, sequences)
        best, total = (rank_auroc(values, positive) for values in (scores.best, scores.total))
        five, five_with_places = first_five(file, train, test)
        if tool == "motifcnn":
            nearest, e_value = named_by_run(out, item.factor)
        else:
            nearest, e_value = named(first, database, item.factor)
        rows.append(
            {
                "set": name,
                "tool": tool,
                "first motif": first.consensus,
                "best hit": round(best, 4),
                "sum of odds": round(total, 4),
                "first five": round(five, 4),
                FIVE: round(five_with_places, 4),
                "nearest known": nearest,
                "E of the factor": f"{e_value:.0e}" if e_value <= MOST_E_VALUE else "none",
                "CPU s": round(cpu, 1) if tool == "motifcnn" else "",
            }
        )
    return rows


def main() -> None:
    """Measure the sets; print the table and the means."""
    shared = Path(__file__).resolve().parents[2] / "shared"
    names = [name for name in SETS if name not in PEPTIDES]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("MOTIFCNN_REAL_DATA", shared / "data"))
    parser.add_argument("--peers", type=Path, default=shared / "peers")
    parser.add_argument("--only", default=",".join(names))
    asked = parser.parse_args()
    if not Path(asked.data).is_dir() or not asked.peers.is_dir():
        raise SystemExit(
            f"{asked.data} or {asked.peers}: no such folder; give those of the sets and of the peers' motifs"
        )
    with tempfile.TemporaryDirectory() as work:
        rows = [
            row
            for name in asked.only.split(",")
            for row in measure(name, SETS[name], Path(asked.data), asked.peers, Path(work))
        ]
    table = pd.DataFrame(rows)
    print(f"motifcnn {__version__}, Python {platform.python_version()}, {os.cpu_count()} processors, {date.today()}\n")
    print("| " + " | ".join(table.columns) + " |\n|" + "---|" * len(table.columns))
    for row in rows:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")
    print("\nMeans: " + "; ".join(means(table)))


def means(table: pd.DataFrame) -> list[str]:
    """Return each tool's mean AUROCs in words, and that of the better peer on each set."""
    spoken = [
        f"{tool} {own['best hit'].mean():.4f} (best hit), {own['sum of odds'].mean():.4f} (sum of odds), "
        f"{own['first five'].mean():.4f} (first five), {own[FIVE].mean():.4f} ({FIVE})"
        for tool, own in table.groupby("tool", sort=False)
    ]
    hits = table.pivot_table(index="set", columns="tool", values="best hit")
    better = hits[["STREME", "HOMER"]].max(axis=1)
    won = int((hits["motifcnn"] > better).sum())
    five = table[table["tool"] == "motifcnn"].set_index("set")[FIVE] - better
    return [
        *spoken,
        f"better peer of each set {better.mean():.4f} (best hit); motifcnn above it on {won} of {len(hits)}, "
        f"its {FIVE} by {five.mean():+.4f} (by .02 or more on {int((five >= 0.02).sum())})",
    ]


if __name__ == "__main__":
    main()
