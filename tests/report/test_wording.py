from dataclasses import replace

import pytest

from motifcnn.report.performance import Performance
from motifcnn.report.tables import motif_rows
from motifcnn.report.wording import cross_validation_sentence, headline, motif_sentence


def test_folds_that_all_reach_the_same_have_no_deviation_not_an_unknown_one():
    found = {"folds": 3, "auroc": {"mean": 1.0, "standard_deviation": 0.0}, "average_precision": {"mean": 0.5}}
    assert cross_validation_sentence(found) == (
        "Cross-validation in 3 folds: held-out AUROC 1.000 ± 0.000, average precision 0.500 ± – "
        "(mean and standard deviation over folds)."
    )
    assert cross_validation_sentence({}) == ""


def test_cross_validation_says_the_headline_s_measure_first():
    found = {"folds": 3, "measure": "average_precision", "auroc": {"mean": 0.9}, "average_precision": {"mean": 0.5}}
    assert "held-out average precision 0.500 ± –, AUROC 0.900 ± –" in cross_validation_sentence(found)


def test_average_precision_is_held_against_the_share_of_positives():
    part = {"auroc": 0.9, "average_precision": 0.41, "n": 1000, "share_of_positives": 0.0098}
    measured = Performance((), (), (), "average_precision", 0.41, ("GC content only", 0.02), guessing=0.0098)
    metrics = {"task": "binary", "test": part | {"per_target": {"label": part | {"n_positive": 10}}}}
    assert headline(metrics, measured) == (
        "The network tells positives from negatives with an average precision of 0.41 on 1\u202f000 held-out "
        "sequences, where guessing has 0.0098, the share of positives; the best trivial model "
        "(GC content only) reaches 0.02."
    )
    metrics["test"]["auroc"] = 0.5
    assert "better than guessing: average precision 0.41" in headline(metrics, measured)


@pytest.mark.parametrize(
    ("composition_only", "which", "end"),
    [
        (
            "",
            "2 motifs are significant on held-out sequences (E ≤ 0.05); the first is motif_1 (",
            "E\u00a0=\u00a00.01.",
        ),
        ("1", "); the one that is more than composition is motif_2 (", "E\u00a0=\u00a00.01."),
        ("12", "); the first is motif_1 (", "E\u00a0=\u00a00.01. Composition alone explains each of them."),
    ],
)
def test_motifs_of_composition_are_not_spoken_of_as_the_finding(composition_only, which, end):
    rows = motif_rows([{"motif": f"motif_{n}", "consensus": "TGACGT", "e_value": "0.01"} for n in (1, 2)], 0.05)
    rows = [replace(row, composition_only=row.name[-1] in composition_only) for row in rows]
    sentence = motif_sentence(rows, 0.05, 1)
    assert which in sentence.replace("\u00a0", " ")
    assert sentence.endswith(end)
    alone = motif_sentence(rows[:1], 0.05, 1).replace("\u00a0", " ")
    assert "; it is motif_1 (" in alone
    assert alone.endswith(". Composition alone explains it.") == ("1" in composition_only)
