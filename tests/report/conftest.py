"""Small run directories of every task, written as `motifcnn train` writes them, from a seed."""

import json

import numpy as np
import pytest

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.drawing.logos import logo_file_name, write_logo
from motifcnn.motifs import Motif
from motifcnn.settings import Settings, to_dict

EXAMPLES = 400


def write_rows(path, columns, rows):
    lines = ["\t".join(columns), *("\t".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def motif_of(consensus, name, alphabet=DNA):
    matrix = np.full((len(consensus), alphabet.size), 1.0 / alphabet.size)
    for position, letter in enumerate(consensus):
        if letter in alphabet.letters:
            matrix[position] = 0.15 / (alphabet.size - 1)
            matrix[position, alphabet.letters.index(letter)] = 0.85
    return Motif(name, matrix, alphabet, sites=120)


def write_meme_text(path, motifs):
    lines = ["MEME version 4", "", f"ALPHABET= {motifs[0].alphabet.letters}", ""]
    for motif in motifs:
        lines += [f"MOTIF {motif.name}", f"letter-probability matrix: alength= {motif.alphabet.size} w= {motif.width}"]
        lines += [" ".join(f"{value:.6f}" for value in row) for row in motif.probabilities] + [""]
    path.write_text("\n".join(lines))


def area(labels, scores):
    positives, negatives = scores[labels == 1], scores[labels == 0]
    wins = (positives[:, None] > negatives).mean() + 0.5 * (positives[:, None] == negatives).mean()
    return float(wins)


class RunMaker:
    """Writes one run directory; `task` is a task, "hopeless" (nothing significant) or "empty" (no motif at all)."""

    def __init__(self, folder, task, *, names=("motif_1", "motif_2", "motif_3"), ids="seq"):
        self.folder, self.task, self.names, self.ids = folder, task, names, ids
        self.generator = np.random.default_rng(7)
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def kind(self):
        return "binary" if self.task in {"hopeless", "empty"} else self.task

    def write(self):
        self.split = np.repeat(["train", "validation", "test"], [240, 40, 120])
        self.example_ids = [f"{self.ids}{number}" for number in range(EXAMPLES)]
        self.targets = ["bound", "open", "marked"] if self.kind == "multi-label" else ["bound"]
        self.classes = ["nucleus", "membrane", "cytosol"] if self.kind == "classes" else []
        self._predictions()
        self._baselines()
        self._history_and_layers()
        self._motifs()
        self._record()
        return self.folder

    def _predictions(self):
        draw = self.generator
        columns, rows = (
            ["id", "split", *self.targets],
            [[i, s] for i, s in zip(self.example_ids, self.split, strict=True)],
        )
        held_out = self.split == "test"
        per_target = {}
        if self.kind == "classes":
            truth = draw.integers(0, 3, EXAMPLES)
            scores = draw.normal(size=(EXAMPLES, 3)) + 1.6 * np.eye(3)[truth]
            scores = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
            columns += [f"predicted_{name}" for name in self.classes]
            for row, index, score in zip(rows, truth, scores, strict=True):
                row += [self.classes[index], *(f"{value:.6g}" for value in score)]
            for index, name in enumerate(self.classes):
                labels = (truth == index)[held_out].astype(float)
                per_target[name] = self._scores(labels, scores[held_out, index])
            self.labels = truth
        else:
            measured, predicted = [], []
            for number, _ in enumerate(self.targets):
                if self.kind == "regression":
                    values = np.round(draw.normal(2, 1.5, EXAMPLES), 3)
                    predicted.append(0.7 * values + draw.normal(0.6, 0.8, EXAMPLES))
                else:
                    values = (draw.random(EXAMPLES) < 0.5).astype(float)
                    strength = 0.0 if self.task in {"hopeless", "empty"} else 2.2 - 0.6 * number
                    predicted.append(1 / (1 + np.exp(-(values - 0.5) * strength - draw.normal(0, 1, EXAMPLES))))
                if self.kind == "multi-label":
                    values[draw.random(EXAMPLES) < 0.1] = np.nan
                measured.append(values)
            columns += [f"predicted_{name}" for name in self.targets]
            for index, row in enumerate(rows):
                row += ["NA" if np.isnan(values[index]) else f"{values[index]:g}" for values in measured]
                row += [f"{values[index]:.6g}" for values in predicted]
            for name, values, guesses in zip(self.targets, measured, predicted, strict=True):
                known = held_out & ~np.isnan(values)
                per_target[name] = self._scores(values[known], guesses[known])
            self.labels = measured[0]
        write_rows(self.folder / "predictions.tsv", columns, rows)
        measures = [key for key in next(iter(per_target.values())) if not key.startswith("n")]
        self.test = {key: float(np.mean([part[key] for part in per_target.values()])) for key in measures}
        self.test |= {"n": 120, "per_target": per_target}

    def _scores(self, labels, scores):
        if self.kind == "regression":
            r = float(np.corrcoef(labels, scores)[0, 1])
            return {"pearson": r, "spearman": r - 0.01, "r2": r * r, "n": len(labels)}
        auroc = area(labels, scores)
        return {"auroc": auroc, "average_precision": auroc - 0.02, "n": len(labels), "n_positive": int(labels.sum())}

    def _baselines(self):
        held_out = np.flatnonzero(self.split == "test")
        labels = self.labels[held_out]
        guesses = {
            name: strength * np.nan_to_num(labels) + self.generator.normal(size=len(held_out))
            for name, strength in (("gc", 0.4), ("dinucleotides", 0.7), ("length", 0.0))
        }
        columns = [[self.example_ids[i] for i in held_out], *([f"{v:.6g}" for v in g] for g in guesses.values())]
        rows = zip(*columns, strict=True)
        write_rows(self.folder / "baselines.tsv", ["id", *guesses], rows)
        measure = "pearson" if self.kind == "regression" else "auroc"
        known = ~np.isnan(labels)
        score = (lambda a, b: float(np.corrcoef(a, b)[0, 1])) if self.kind in {"regression", "classes"} else area
        self.baselines = {f"{name}_{measure}": score(labels[known], guess[known]) for name, guess in guesses.items()}

    def _history_and_layers(self):
        epochs = np.arange(1, 21)
        loss = 0.3 + 0.4 * np.exp(-epochs / 5)
        checks = loss + 0.04 + 0.002 * epochs
        score = 0.9 - 0.4 * np.exp(-epochs / 4) - 0.001 * epochs
        columns = ["epoch", "learning_rate", "train_loss", "validation_loss", "validation_score"]
        curves = zip(epochs, loss, checks, score, strict=True)
        rows = [(epoch, 0.001, *(f"{value:.6g}" for value in values)) for epoch, *values in curves]
        write_rows(self.folder / "history.tsv", columns, rows)
        columns = ["layer", "output", "receptive_field", "parameters", "locally_connected_parameters"]
        rows = [
            ("4 × 64 filters of width 19, both strands", "256 × 200", 19, 19456, 3891200),
            ("maximum over 200 positions, norm, exp", "256 × 1", 200, 512, 512),
            ("linear", "1", 200, 260, 260),
        ]
        write_rows(self.folder / "layers.tsv", columns, rows)

    def _motifs(self):
        protein = self.kind == "classes"
        consensus = ("LLFGYPVYV", "KRKR", "GAWG") if protein else ("TGTGANNNNNNTCACA", "CACGTG", "TTACCCN")
        self.alphabet = PROTEIN if protein else DNA
        columns = [
            "motif", "consensus", "width", "information_bits", "sites", "test_auroc", "p_value", "e_value",
            "importance", "best_match", "match_p_value", "match_e_value", "target", "filter", "recurrence",
            "train_auroc", "threshold", "filter_threshold", "found_positives", "positives", "found_negatives",
            "negatives", "occupancy_auroc", "shuffled_share", "shuffled_p_value", "gc_matched_share",
            "gc_matched_p_value", "composition_only", "central_p_value", "central_e_value", "central_window",
            "central_found", "central_sites", "match_id", "match_offset", "match_orientation",
            "match_family", "match_members", "refined", "filter_similarity",
        ]  # fmt: skip
        p_values = (0.06, 0.2, 0.7) if self.task == "hopeless" else (3.2e-17, 4e-4, 0.31)
        outputs = self.classes or self.targets
        motifs = [motif_of(text, name, self.alphabet) for text, name in zip(consensus, self.names, strict=True)]
        if self.task == "empty":
            motifs = []
        rows, sites = [], []
        (self.folder / "logos").mkdir(exist_ok=True)
        for number, motif in enumerate(motifs):
            match = ("CRP", "1e-12", "5e-10") if number == 0 else ("NA", "NA", "NA")
            rows.append(
                (motif.name, motif.consensus, motif.width, f"{motif.total_information():.6g}", 120 - 30 * number,
                 0.81 - 0.1 * number, p_values[number], 3 * p_values[number], f"{0.12 / (number + 1):.6g}", *match,
                 outputs[number % len(outputs)], f"filter_{number}", "3/4", 0.85, 6.5, 4.0, 51 - 12 * number, 60,
                 4 + 9 * number, 60, 0.83 - 0.1 * number, 0.07, 1e-9 if number != 1 else 0.4,
                 *(("NA", "NA") if protein else (0.09, 2e-8)), "yes" if number == 1 else "no",
                 *((1e-7, 3e-7, 0.2, 40, 51) if number == 0 else (0.4, 1.2, 0.5, 20, 39)),
                 *(("MA0001.1", -1, "-+"[protein], "CRP-like", "CRP, FNR, VFR") if number == 0 else ("NA",) * 5),
                 *(("yes", 0.93) if number == 0 else ("no", 1)))
            )  # fmt: skip
            write_logo(motif, self.folder / "logos" / f"{logo_file_name(motif.name)}.svg")
            for index in range(0, 120 - 30 * number):
                start = int(np.clip(self.generator.normal(95, 20), 0, 200 - motif.width))
                strand = "+" if protein else self.generator.choice(["+", "-"])
                sites.append(
                    (
                        motif.name,
                        self.example_ids[index],
                        "train",
                        start,
                        start + motif.width,
                        strand,
                        7.1,
                        200,
                        "ACGTA",
                        "".join(motif.alphabet.letters[k] for k in motif.probabilities.argmax(axis=1)),
                        "TTGCA",
                    )
                )
        write_rows(self.folder / "motifs.tsv", columns, rows)
        write_rows(
            self.folder / "sites.tsv",
            ["motif", "id", "split", "start", "end", "strand", "log_odds", "length", "upstream", "site", "downstream"],
            sites,
        )
        self._pairs(motifs)
        if motifs:
            write_meme_text(self.folder / "motifs.meme", motifs)
            write_meme_text(self.folder / "filters.meme", motifs)
            write_meme_text(self.folder / "filter_motifs.meme", [self._shifted(motif) for motif in motifs])
            known = motif_of("NTGTGAN", "MA0001.1", self.alphabet)
            write_meme_text(self.folder / "known_motifs.meme", [known])

    def _shifted(self, motif):
        """The motif without its first column."""
        return Motif(motif.name, motif.probabilities[1:], motif.alphabet)

    def _pairs(self, motifs):
        columns = ["motif_a", "motif_b", "loss_a", "loss_b", "loss_both", "interaction", "standard_error", "kind",
                   "sequences", "letters_between", "tolerance", "side", "strand", "found", "expected",
                   "spacing_p_value", "spacing_e_value", "order_p_value", "order_e_value"]  # fmt: skip
        rows = []
        if motifs and self.task != "hopeless":
            rows = [
                (*(motif.name for motif in motifs[:2]), 0.02, 0.01, 0.2, 0.17, 0.03, "redundant", 80, 12, 3,
                 "downstream", "same", 31, 2.25, 1e-4, 3e-4, 0.01, 0.03),
                (motifs[0].name, motifs[2].name, 0.02, "NA", 0.02, "NA", "NA", "NA", 7, "NA", "NA", "NA", "NA", "NA",
                 "NA", "NA", "NA", "NA", "NA"),
            ]  # fmt: skip
        write_rows(self.folder / "pairs.tsv", columns, rows)

    def _record(self):
        names = self.classes or self.targets
        positives = {name: {"train": 120, "validation": 20, "test": 60} for name in names}
        metrics = {
            "task": self.kind,
            "targets": self.targets,
            "classes": self.classes,
            "data": {
                "sequences": EXAMPLES, "shortest": 200, "longest": 200, "alphabet": self.alphabet.name,
                "splits": {"train": 240, "validation": 40, "test": 120}, "positives": positives, "tracks": [],
                "negatives_made": "shuffled positives, 2-letter counts kept" if self.task == "hopeless" else None,
            },
            "test": self.test,
            "validation": self.test,
            "baselines": self.baselines,
        }  # fmt: skip
        (self.folder / "metrics.json").write_text(json.dumps(metrics))
        settings = to_dict(Settings())
        settings["training"]["epochs"] = 20
        record = {
            "schema_version": 1,
            "software": {"name": "motifcnn", "version": "0.1.0"},
            "command": ["/opt/bin/motifcnn", "train", "peaks.fa", "labels of mine.tsv", "--epochs", "20",
                        "-o", str(self.folder), "--force"],
            "settings": settings,
            "seed": 0,
            "inputs": [
                {"role": "sequences", "path": "peaks.fa", "bytes": 81234, "sha256": "9f" * 32},
                {"role": "labels", "path": "labels of mine.tsv", "bytes": 5120, "sha256": "3a" * 32},
            ],
            "environment": {"python": "3.11.9", "torch": "2.13.0", "numpy": "2.1.0", "platform": "Linux"},
            "device": "cpu",
            "notes": ["Twelve sequences had no label and were left out."],
            "status": "complete",
            "resources": {"started": "2001-02-03T04:05:06+00:00", "seconds": 12.34, "peak_memory_bytes": 987654321},
        }  # fmt: skip
        (self.folder / "run.json").write_text(json.dumps(record))


@pytest.fixture
def make_run(tmp_path):
    """Write a run directory: make_run(task, folder_name, **options) returns its path."""

    def make(task="binary", folder="run", **options):
        return RunMaker(tmp_path / folder, task, **options).write()

    return make
