from motifcnn.report.wording import cross_validation_sentence


def test_folds_that_all_reach_the_same_have_no_deviation_not_an_unknown_one():
    found = {"folds": 3, "auroc": {"mean": 1.0, "standard_deviation": 0.0}, "average_precision": {"mean": 0.5}}
    assert cross_validation_sentence(found) == (
        "Cross-validation in 3 folds: held-out AUROC 1.000 ± 0.000, average precision 0.500 ± – "
        "(mean and standard deviation over folds)."
    )
    assert cross_validation_sentence({}) == ""
