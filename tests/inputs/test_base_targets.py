import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.inputs.base_targets import BaseTargets, read_base_targets, with_a_value
from motifcnn.sequences import Sequences

NAN = np.nan
SEQUENCES = Sequences.from_list(["a", "b", "c"], [DNA.encode("ACGT"), DNA.encode("AC"), DNA.encode("GGG")], DNA)


def write(path, *rows):
    path.write_text("".join(f"{name}\t{values}\n" for name, values in zip("abc", rows, strict=False)))
    return path


def targets(values, kind="numbers"):
    return BaseTargets(("x",), np.array(values, dtype=np.float32)[:, None], kind)


@pytest.mark.parametrize(
    ("rows", "kind", "said"),
    [
        (("0,1,1,0", "0,NaN", "1,1,1"), "0/1", "x: 0/1 at 8 of 9 bases, 62.5% of them 1; learned by cross-entropy"),
        (("0,1,4,0", "0,0", "1,1,1"), "counts", "x: counts at 9 of 9 bases, mean 0.8889; learned by Poisson"),
        (("0,1,4,0.5", "0,0", "1,1,1"), "numbers", "learned by squared error"),
        (("0,1,-4,0", "0,0", "1,1,1"), "numbers", "learned by squared error"),
    ],
)
def test_values_tell_what_they_are(tmp_path, rows, kind, said):
    found = read_base_targets([write(tmp_path / "x.tsv", *rows)], SEQUENCES, "missing")
    assert (found.names, found.kind) == (("x",), kind)
    assert said in found.lines()[0]
    expected = [np.nan if field == "NaN" else float(field) for row in rows for field in row.split(",")]
    assert np.array_equal(found.values[:, 0], np.array(expected, dtype=np.float32), equal_nan=True)


def test_several_files_are_several_targets(tmp_path):
    (tmp_path / "other").mkdir()
    one = write(tmp_path / "x.counts.tsv", "0,1,4,0", "0,0", "1,1,1")
    other = write(tmp_path / "other" / "x.tsv", "0,1,2,0.5", "0,0", "1,1,1")
    found = read_base_targets([one, other], SEQUENCES, "missing")
    assert found.names == ("x#1", "x#2")
    assert found.kind == "numbers"
    assert found.values.shape == (9, 2)
    assert read_base_targets([one, one], SEQUENCES, "missing").kind == "counts"


def test_gaps_may_stand_for_zero(tmp_path):
    path = write(tmp_path / "x.tsv", "NaN,1,1,NaN")
    with pytest.raises(
        InputError, match=r"x.tsv: every value along the sequences is 1, .*; if .* say --base-gaps zero$"
    ):
        read_base_targets([path], SEQUENCES, "missing")
    found = read_base_targets([path], SEQUENCES, "zero")
    assert found.values[:, 0].tolist() == [0, 1, 1, 0, 0, 0, 0, 0, 0]


def test_labels_and_numbers_are_not_learned_together(tmp_path):
    labels, numbers = write(tmp_path / "x.tsv", "0,1,1,0"), write(tmp_path / "y.tsv", "0,1,1,5")
    for paths in ([labels, numbers], [numbers, labels]):
        with pytest.raises(
            InputError, match=r"x.tsv: holds 0 and 1 alone, and y.tsv other numbers; give targets of one"
        ):
            read_base_targets(paths, SEQUENCES, "missing")


def test_means_are_of_known_bases():
    means = targets([0, 1, 1, NAN, NAN, NAN, 2, 2, 5]).means(SEQUENCES)
    assert np.allclose(means[:, 0], [2 / 3, NAN, 3], equal_nan=True)


def test_sequences_without_a_value_are_refused_or_left_out(tmp_path):
    found = targets([0, 1, 1, NAN, NAN, NAN, 2, 2, 5])
    with pytest.raises(
        InputError, match=r"1 of 3 sequences have no value at any base \(b\); mend .*: --allow-missing$"
    ):
        with_a_value(found, SEQUENCES, tmp_path, allow_missing=False)
    kept, said = with_a_value(found, SEQUENCES, tmp_path, allow_missing=True)
    assert kept.tolist() == [0, 2]
    assert said == ["1 of 3 sequences have no value at any base (b); these are left out"]


@pytest.mark.parametrize(("values", "held"), [([0, 0, NAN], "only 0"), ([NAN, NAN], "no value")])
def test_a_part_needs_both_labels(values, held):
    with pytest.raises(MotifcnnError, match=f"^the bases of the test set have {held} for 'x'; choose others$"):
        targets(values, "0/1").check_variety("test", "choose others")
    targets([0, 1], "0/1").check_variety("test", "choose others")
