import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.intervals import Interval, parse_interval

intervals = st.builds(
    lambda chrom, start, width, strand: Interval(chrom, start, start + width, strand),
    st.sampled_from(["chr1", "1", "NC_000913.3"]),
    st.integers(0, 10**9),
    st.integers(1, 10**6),
    st.sampled_from("+-."),
)


@given(intervals)
def test_names_are_read_back(interval):
    assert parse_interval(str(interval)) == interval


@given(intervals, st.integers(1, 1000))
def test_resizing_keeps_the_middle(interval, width):
    resized = interval.resized(width)
    assert resized.width == width
    assert abs((resized.start + resized.end) - (interval.start + interval.end)) <= 2
    assert resized.strand == interval.strand


def test_resizing_around_a_summit():
    assert Interval("chr1", 100, 200).resized(10, centre=120) == Interval("chr1", 115, 125)


@pytest.mark.parametrize("name", ["peak_7", "chr1:10", "chr1:20-10", "chr1:5-5", "chr1:a-b", "chr1:1-2(x)", ""])
def test_other_names_hold_no_coordinates(name):
    assert parse_interval(name) is None


def test_fits_to_the_last_position_of_a_chromosome():
    assert Interval("c", 0, 10).fits(10)
    assert not Interval("c", 0, 11).fits(10)
    assert not Interval("c", -1, 5).fits(10)
    assert not Interval("c", 5, 5).fits(10)
