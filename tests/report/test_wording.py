from motifcnn.report.performance import Performance
from motifcnn.report.wording import cross_validation_sentence, headline


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
