"""The script that makes the shipped data: its steps, without the sources, which need a network."""

import importlib.util
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.intervals import Interval

SCRIPT = Path(__file__).resolve().parent.parent / "data" / "make_data.py"


@pytest.fixture(scope="module")
def make_data():
    spec = importlib.util.spec_from_file_location("make_data", SCRIPT)
    module = sys.modules["make_data"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["make_data"]


def test_sites_are_found_once_on_either_strand_and_merged(make_data):
    genome = make_data.Chromosome(DNA.encode("TTTTACGGATTTTCCCTAGTTTTGGGGG"))
    listed = {
        "ACGGA": ("first",),
        "TCCGT": ("second", "first"),  # the same place, read on the other strand
        "CTAGGG": ("third",),  # on the other strand only
        "GGG": ("repeated",),
        "ACACAC": ("absent",),
    }
    assert make_data.locate(listed, genome) == [
        make_data.Site(Interval("NC_000913.2", 4, 9, "+"), ("first", "second")),
        make_data.Site(Interval("NC_000913.2", 13, 19, "-"), ("third",)),
    ]


def test_a_palindrome_is_found(make_data):
    genome = make_data.Chromosome(DNA.encode("TTTTACGTCC"))
    (site,) = make_data.locate({"ACGT": ("only",)}, genome)
    assert site.interval == Interval("NC_000913.2", 4, 8, "+")


def test_windows_hold_their_site_and_do_not_overlap(make_data):
    sites = [make_data.Site(Interval("NC_000913.2", start, start + 26, "+"), ("p",)) for start in range(5, 5000, 61)]
    windows = make_data.site_windows(sites, 5000, np.random.default_rng(0))
    assert len(windows) > 20
    assert all(window.width == 101 and window.fits(5000) for window in windows)
    assert all(before.end <= after.start for before, after in pairwise(windows))
    for window in windows:
        assert any(window.start <= site.interval.start and site.interval.end <= window.end for site in sites)


def test_another_source_is_refused(make_data):
    with pytest.raises(SystemExit, match=r"crp_sites\.fa is not the one that the data sets were made from: SHA-256 "):
        make_data.compare("crp_sites.fa", b"something else")
