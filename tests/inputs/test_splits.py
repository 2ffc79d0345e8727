import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.errors import MotifcnnError
from motifcnn.inputs.near_identical import Clusters
from motifcnn.inputs.splits import TEST, TRAIN, UNDIVIDED, VALIDATION, divide, parts_by_chromosome, strata

NAN = np.nan


def column(*values):
    return np.array(values, dtype=np.float32)[:, None]


def divided(groups, members=None, seed=0, validation=0.1, test=0.1, fixed=None):
    count = len(groups)
    members = np.arange(count) if members is None else np.asarray(members)
    hashes = np.random.default_rng(5).integers(0, 2**64, count, dtype=np.uint64)
    fixed = np.full(count, UNDIVIDED, dtype=np.int8) if fixed is None else fixed
    return divide(np.asarray(groups), Clusters(members, hashes), validation, test, seed, fixed)


# --- strata


def test_strata_of_labels_are_the_labels():
    assert strata("binary", column(0, 1, NAN, 1)).tolist() == [1, 2, 0, 2]
    assert strata("classes", column(2, 0, 1, 2)).tolist() == [2, 0, 1, 2]


def test_strata_of_several_labels_are_their_combinations():
    values = np.array([[0, 1], [1, 1], [0, 1], [0, NAN], [0, 0]], dtype=np.float32)
    assert strata("multi-label", values).tolist() == [2, 3, 2, 0, 1]


def test_strata_of_numbers_are_quantiles(generator):
    values = generator.lognormal(size=1000).astype(np.float32)
    groups = strata("regression", values[:, None])
    assert np.bincount(groups).tolist() == pytest.approx([100] * 10, abs=2)
    assert (np.diff(groups[np.argsort(values)]) >= 0).all()


def test_strata_of_numbers_do_not_split_ties_and_keep_missing_values_apart():
    groups = strata("regression", column(*[1.0] * 60, *[2.0] * 40, *[NAN] * 10))
    assert len(set(groups[:60])) == len(set(groups[60:100])) == len(set(groups[100:])) == 1
    assert len(set(groups)) == 3


def test_strata_of_few_or_several_numbers(generator):
    assert strata("regression", column(1, 2, 3)).tolist() == [0, 0, 0]
    first = generator.normal(size=200)
    values = np.stack([first, first * 3 + 1], axis=1).astype(np.float32)
    np.testing.assert_array_equal(strata("regression", values), strata("regression", values[:, :1]))
    values[0] = NAN
    values[1, 0] = NAN
    groups = strata("regression", values)
    assert (groups == groups[0]).sum() == 1
    assert groups[1] < 10


# --- divide


@settings(max_examples=100)
@given(
    st.lists(st.integers(0, 4), min_size=20, max_size=300),
    st.integers(0, 50),
    st.floats(0.05, 0.4),
    st.floats(0.05, 0.4),
)
def test_every_group_is_spread_by_the_fractions(groups, seed, validation, test):
    parts = divided(groups, seed=seed, validation=validation, test=test)
    groups = np.asarray(groups)
    assert set(parts.tolist()) <= {TRAIN, VALIDATION, TEST}
    totals = np.zeros(3)
    for group in np.unique(groups):
        mine = parts[groups == group]
        least = min(5, len(mine) // 5) if max(groups) <= 2 and len(mine) < 0.1 * len(groups) else 0
        for part, share in ((VALIDATION, validation), (TEST, test)):
            wanted = max(share * len(mine), least)
            totals[part] += wanted
            assert (mine == part).sum() == pytest.approx(wanted, abs=1.5)
        if len(mine) >= 5:
            assert {VALIDATION, TEST} <= set(mine.tolist())
    assert (parts == TEST).sum() == pytest.approx(totals[TEST], abs=5)
    assert (parts == VALIDATION).sum() == pytest.approx(totals[VALIDATION], abs=5)


def test_of_few_rare_positives_a_fifth_is_in_each_of_the_smaller_parts():
    for positives, expected in ((100, 10), (50, 5), (25, 5), (20, 4), (5, 1)):
        groups = np.repeat([0, 1], [100 * positives, positives])
        parts = divided(groups, seed=3, validation=0.1, test=0.1)
        counts = [(parts[groups == 1] == part).sum() for part in (VALIDATION, TEST)]
        assert counts == [expected, expected]
        assert [(parts[groups == 0] == part).sum() for part in (VALIDATION, TEST)] == [10 * positives] * 2


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 60)), min_size=40, max_size=300), st.integers(0, 9))
def test_clusters_go_as_a_whole_and_groups_are_still_spread(pairs, seed):
    groups, members = np.array(pairs).T
    _, members = np.unique(members, return_inverse=True)
    parts = divided(groups, members, seed, 0.15, 0.15)
    for cluster in np.unique(members):
        assert len(set(parts[members == cluster].tolist())) == 1
    largest = int(np.bincount(members).max())
    for part in (VALIDATION, TEST):
        assert (parts == part).sum() == pytest.approx(0.15 * len(groups), abs=largest + 2)


def test_clusters_of_two_leave_the_groups_balanced(generator):
    groups = generator.integers(0, 2, 2000)
    parts = divided(groups, np.arange(2000) // 2)
    for group in (0, 1):
        mine = parts[groups == group]
        assert (mine == TEST).mean() == pytest.approx(0.1, abs=0.01)
        assert (mine == VALIDATION).mean() == pytest.approx(0.1, abs=0.01)


def test_a_giant_cluster_is_trained_on():
    members = np.concatenate([np.zeros(70, dtype=np.int64), np.arange(1, 31)])
    parts = divided(np.zeros(100, dtype=np.int64), members)
    assert (parts[:70] == TRAIN).all()
    assert (parts == VALIDATION).sum() == (parts == TEST).sum() == 10


def test_many_rare_groups_fill_the_parts_in_sum():
    parts = divided(np.arange(1000))
    assert (parts == TEST).sum() == pytest.approx(100, abs=1)
    assert (parts == VALIDATION).sum() == pytest.approx(100, abs=1)


def test_a_seed_decides():
    groups = np.zeros(200, dtype=np.int64)
    np.testing.assert_array_equal(divided(groups, seed=3), divided(groups, seed=3))
    assert (divided(groups, seed=3) != divided(groups, seed=4)).any()


def test_given_parts_stay():
    fixed = np.full(100, UNDIVIDED, dtype=np.int8)
    fixed[:30] = TEST
    parts = divided(np.zeros(100, dtype=np.int64), fixed=fixed, test=0.0)
    assert (parts[:30] == TEST).all()
    assert (parts[30:] == VALIDATION).sum() == 7
    assert (parts[30:] == TRAIN).sum() == 63


# --- chromosomes

NAMES = ["chr1:1-5", "chr2:1-5(-)", "chr10:7-9", "chr2:1-5_shuffled", "chr1:5-9(+)_shuffled_2"]


def test_chromosomes_make_the_parts():
    assert parts_by_chromosome(NAMES, ["chr2"], ["chr10"]).tolist() == [TRAIN, VALIDATION, TEST, VALIDATION, TRAIN]
    only_test = parts_by_chromosome(NAMES, [], ["chr1", "chr10"])
    assert only_test.tolist() == [TEST, UNDIVIDED, TEST, UNDIVIDED, TEST]
    only_validation = parts_by_chromosome(NAMES, ["chr2"], [])
    assert only_validation.tolist() == [UNDIVIDED, VALIDATION, UNDIVIDED, VALIDATION, UNDIVIDED]


@pytest.mark.parametrize(
    ("names", "validation", "test", "message"),
    [
        (NAMES, [], ["chr3"], "--test-chroms: no sequence lies on chr3; did you mean chr"),
        (NAMES, [], ["chr3"], "the chromosomes are chr1, chr2, chr10"),
        (NAMES, ["2"], ["chr1"], "--validation-chroms: no sequence lies on 2; did you mean chr2?"),
        (["1:1-5", "X:1-5"], [], ["chrX"], "did you mean X? the chromosomes are 1, X"),
        (NAMES, ["chr1", "chr2"], ["chr2"], "chr2 in --validation-chroms and in --test-chroms"),
        (
            [*NAMES, "peak_1"],
            [],
            ["chr2"],
            "1 of 6 have none (peak_1); leave --validation-chroms and --test-chroms out",
        ),
        ([f"scaffold{i}:1-2" for i in range(40)], [], ["q"], "scaffold29 and 10 more"),
    ],
)
def test_refuses_chromosomes(names, validation, test, message):
    with pytest.raises(MotifcnnError) as caught:
        parts_by_chromosome(names, validation, test)
    assert message in str(caught.value)
