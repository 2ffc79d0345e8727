"""The shipped data are whole, agree with one another, and are small."""

import gzip
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from motifcnn import shipped as names
from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.errors import MotifcnnError
from motifcnn.intervals import parse_interval
from motifcnn.shipped import shipped


def records(name):
    lines = shipped(name).read_text().splitlines()
    return {header[1:]: sequence for header, sequence in zip(lines[::2], lines[1::2], strict=True)}


def labels(name):
    header, *lines = shipped(name).read_text().splitlines()
    assert header.split("\t")[0] == "id"
    return dict(line.split("\t") for line in lines)


@pytest.fixture(scope="module")
def genome():
    with gzip.open(shipped(names.ECOLI_GENOME), "rt") as lines:
        header, *rest = lines.read().splitlines()
    assert header.startswith(">NC_000913.2 ")
    return "".join(rest)


def test_crp_windows_are_what_their_coordinates_say(genome):
    windows = records(names.CRP_SEQUENCES)
    assert len(genome) == 4_639_675
    for name, sequence in windows.items():
        where = parse_interval(name)
        assert genome[where.start : where.end] == sequence
        assert len(sequence) == 101
    places = sorted((parse_interval(name) for name in windows), key=lambda where: where.start)
    assert all(before.end <= after.start for before, after in pairwise(places))


def test_crp_positives_hold_a_known_site_and_negatives_none():
    sites = [line.split("\t") for line in shipped(names.CRP_SITES).read_text().splitlines()]
    bounds = [(int(start), int(end)) for _, start, end, *_ in sites]
    assert bounds == sorted(bounds)
    assert len(bounds) == 265
    assert all(end - start == 26 and len(site) == 6 for (start, end), site in zip(bounds, sites, strict=True))
    label_of = labels(names.CRP_LABELS)
    assert Counter(label_of.values()) == {"1": 209, "0": 2090}
    for name, label in label_of.items():
        where = parse_interval(name)
        assert any(where.start <= start and end <= where.end for start, end in bounds) == (label == "1")
        if label == "0":
            assert all(where.end <= start - 200 or end + 200 <= where.start for start, end in bounds)


def test_crp_positives_and_negatives_have_the_same_gc_content():
    windows, label_of = records(names.CRP_SEQUENCES), labels(names.CRP_LABELS)
    assert list(windows) == list(label_of)
    gc = {name: (sequence.count("G") + sequence.count("C")) / 101 for name, sequence in windows.items()}
    means = [np.mean([gc[name] for name in gc if label_of[name] == label]) for label in "01"]
    assert abs(means[0] - means[1]) < 0.005
    assert set("".join(windows.values())) <= set(DNA.letters)


def test_ww_negatives_have_the_residues_of_their_domain():
    domains, label_of = records(names.WW_SEQUENCES), labels(names.WW_LABELS)
    assert list(domains) == list(label_of)
    assert Counter(label_of.values()) == {"1": 3389, "0": 3389}
    for name, label in label_of.items():
        if label == "0":
            assert sorted(domains[name]) == sorted(domains[name.removesuffix("_shuffled")])
    assert set("".join(domains.values())) == set(PROTEIN.letters)


def test_the_shipped_data_stay_small():
    folder = shipped(names.CRP_SEQUENCES).parent
    assert sum(path.stat().st_size for path in folder.glob("*.*")) < 5_000_000


def test_every_constant_names_a_file():
    files = [value for name, value in vars(names).items() if name.isupper()]
    assert len(files) == 6
    assert all(shipped(name).is_file() for name in files)


def test_an_unknown_file_is_refused():
    with pytest.raises(
        MotifcnnError, match=r"no file 'other\.fa' among the shipped data in .*; install motifcnn again"
    ):
        shipped("other.fa")
