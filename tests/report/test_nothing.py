import pytest
from scipy.stats import fisher_exact

from motifcnn.report.nothing import held_out_numbers, least_found


@pytest.mark.parametrize(("positives", "others"), [(60, 60), (20, 200), (100, 9)])
@pytest.mark.parametrize("p_value", [0.05, 0.0025, 1e-6])
def test_the_least_number_is_that_of_fishers_test(positives, others, p_value):
    reached = [
        found
        for found in range(1, positives + 1)
        if fisher_exact([[found, positives - found], [0, others]], alternative="greater").pvalue <= p_value
    ]
    assert least_found(positives, others, p_value) == (reached[0] if reached else None)


def test_too_few_sequences_reach_nothing():
    assert least_found(5, 5, 1e-6) is None


def test_the_first_row_that_tells_is_taken():
    rows = [{"positives": "NA", "negatives": "NA"}, {"positives": "12", "negatives": "30"}]
    assert held_out_numbers(rows) == (12, 30)
    assert held_out_numbers(rows[:1]) == held_out_numbers([]) == (0, 0)
