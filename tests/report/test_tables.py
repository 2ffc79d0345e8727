import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.report.tables import (
    changed_settings,
    count,
    decimal,
    flat_settings,
    grouped,
    motif_rows,
    plural,
    probability,
    repeat_command,
)
from motifcnn.settings import Settings, to_dict


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.05, "0.05"),
        (0.0012, "0.0012"),
        (12.3, "12"),
        (230.0, "230"),
        (3.2e-17, "3.2\u202f×\u202f10⁻¹⁷"),
        (0.0, "< 10⁻³⁰⁰"),
        (4e5, "4.0\u202f×\u202f10⁵"),
        (1.0, "1"),
        (float("nan"), "–"),
        (None, "–"),
    ],
)
def test_probability(value, text):
    assert probability(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.8765, "0.876"), (-0.5, "−0.500"), (-0.0001, "0.000"), (None, "–"), (float("inf"), "–")]
)
def test_decimal(value, text):
    assert decimal(value) == text


def test_count_groups_thousands():
    assert (count(1234567), count(12), count(None)) == ("1\u202f234\u202f567", "12", "–")
    assert (grouped("19456"), grouped("256 × 1"), grouped("")) == ("19\u202f456", "256 × 1", "")


def test_plural():
    assert [plural(n, "motif") for n in (0, 1, 2)] == ["0 motifs", "1 motif", "2 motifs"]
    assert plural(1, "class", "classes") == "1 class"
    assert plural(2, "class", "classes") == "2 classes"


@pytest.mark.parametrize("program", [[], ["motifcnn"], ["/usr/bin/motifcnn"], ["/lib/motifcnn/__main__.py"]])
@pytest.mark.parametrize(
    "place", [["-o", "x y"], ["-o", "x", "-q", "--verbose"], ["--out", "x"], ["--out=x"], ["-ox"], []]
)
def test_the_command_leaves_place_and_force_out(program, place):
    arguments = [*program, "train", "a b.fa", *place, "--force", "--seed", "3"]
    assert repeat_command(arguments) == "motifcnn train 'a b.fa' --seed 3"


@given(st.lists(st.text(alphabet="abc $'\"\\;|&<>*", min_size=1), max_size=5))
def test_the_command_is_safe_to_paste(arguments):
    assert shlex.split(repeat_command(["train", *arguments])) == ["motifcnn", "train", *arguments]


def test_settings_that_differ_are_found():
    chosen = to_dict(Settings())
    assert changed_settings(chosen) == []
    chosen["model"]["filters"] = 32
    chosen["input"]["targets"] = ["a", "b"]
    found = {name: value for name, value, _ in changed_settings(chosen)}
    assert found == {"model.filters": "32", "input.targets": "a, b"}
    assert all(help_text for *_, help_text in changed_settings(chosen))


def test_settings_of_another_version_are_shown_but_not_compared():
    assert changed_settings({"model": {"gone": 3}}) == []
    assert flat_settings({"model": {"gone": True}, "x": [], "y": 0.5}) == [
        ("model.gone", "yes"),
        ("x", "none given"),
        ("y", "0.5"),
    ]


def test_motif_rows_without_optional_columns():
    (row,) = motif_rows([{"motif": "m", "e_value": "0.2", "best_match": "NA"}], 0.05)
    assert (row.significant, row.best_match, row.found, row.width.text) == (False, "", "", "–")
    assert (row.e_value.text, row.e_value.value) == ("0.2", "0.2")


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("binary", "in 5 of 9 positives, 1 of 8 negatives"),
        ("classes", "in 5 of 9 of the class, 1 of 8 of the others"),
        ("regression", "in 5 of 9 above the mean, 1 of 8 below"),
    ],
)
def test_held_out_counts_in_words(task, words):
    row = {"found_positives": "5", "positives": "9", "found_negatives": "1", "negatives": "8"}
    assert motif_rows([row], 0.05, task)[0].found == words


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"best_match": "NA"}, ""),
        ({"match_family": "Ets", "match_members": "ELK4, GABPA"}, "family Ets: ELK4, GABPA"),
        ({"match_family": "Ets", "match_members": "ELK4"}, ""),
        ({"match_family": "NA", "match_members": "ELK4, ETV1"}, "also like ETV1"),
        ({"match_family": "NA", "match_members": "ELK4"}, ""),
        ({"match_e_value": "0.3", "match_members": "NA"}, "not alike: as near by chance"),
        (
            {"match_family": "Ets", "match_members": ", ".join("abcdefgh")},
            "family Ets: a, b, c, d, e, f and 2 more",
        ),
    ],
)
def test_relatives_are_named(cells, words):
    row = {"best_match": "ELK4", "match_e_value": "1e-9"} | cells
    assert motif_rows([row], 0.05)[0].kin == words
