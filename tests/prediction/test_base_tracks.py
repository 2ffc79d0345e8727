from pathlib import Path

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.errors import InputError
from motifcnn.formats.conservation import read_tracks
from motifcnn.objectives import Objective
from motifcnn.prediction.base_tracks import files_of, form_of, score_bases, write_bases
from motifcnn.prediction.predicting import Predicted
from motifcnn.sequences import Sequences

ONE = Objective("binary", ("bound",), weights=(1.0,))
TWO = Objective("multi-label", ("a", "b"), weights=(1.0, 1.0))
VALUES = np.array([0.1, 0.2, 0.2, 0.9, 0.5, 0.25])


def predicted(names=("chr2:10-14", "chr1:5-7(-)"), objective=ONE):
    sequences = Sequences.from_list(names, [DNA.encode("ACGT"), DNA.encode("GG")], DNA)
    values = np.stack([VALUES / (n + 1) for n in range(objective.outputs)], axis=1)
    return Predicted(sequences, objective, values, per_base=True)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("x.bw", "bigwig"), ("x.bigWig", "bigwig"), ("x.bedGraph", "bedgraph"), ("x.bg.gz", "bedgraph"),
        ("x.tsv", "tsv"), ("x.v2", "bedgraph"), ("x", "bedgraph"), (None, "bedgraph"),
    ],
)  # fmt: skip
def test_the_ending_says_the_format_and_else_the_names(path, form):
    path = path and Path(path)
    assert form_of(path, predicted()) == form
    by_name = form_of(path, predicted(names=("a", "chr1:5-7")))
    assert by_name == (form if path is not None and path.suffix not in {".v2", ""} else "tsv")


def test_several_targets_go_to_standard_output_as_one_table():
    assert form_of(None, predicted(objective=TWO)) == "tsv"
    text = []
    write_bases(predicted(objective=TWO), None, text.append)
    assert text == ["id\ta\tb\nchr2:10-14\t0.1,0.2,0.2,0.9\t0.05,0.1,0.1,0.45\nchr1:5-7(-)\t0.5,0.25\t0.25,0.125\n"]


def test_bedgraph_runs_along_the_plus_strand():
    text = []
    assert write_bases(predicted(), None, text.append) == []
    assert text == ["chr1\t5\t6\t0.25\nchr1\t6\t7\t0.5\nchr2\t10\t11\t0.1\nchr2\t11\t13\t0.2\nchr2\t13\t14\t0.9\n"]


@pytest.mark.parametrize("name", ["x.bw", "x.bedgraph", "x.bedgraph.gz"])
def test_each_target_has_a_file_that_reads_back(tmp_path, name):
    given = predicted(objective=TWO)
    written = write_bases(given, tmp_path / name, print)
    assert set(written) <= set(files_of(tmp_path / name, given.names))
    assert [path.name for path in written] == [name.replace(".", f".{target}.", 1) for target in "ab"]
    for path, column in zip(written, given.values.T, strict=True):
        assert np.allclose(read_tracks(path, given.sequences), column, atol=1e-4)


def test_chromosomes_are_as_long_as_the_genomes(tmp_path):
    import pyBigWig

    (tmp_path / "genome.fa").write_text(f">chr1\n{'A' * 50}\n>chr2\n{'C' * 40}\n")
    write_bases(predicted(), tmp_path / "x.bw", print, tmp_path / "genome.fa")
    with pyBigWig.open(str(tmp_path / "x.bw")) as track:
        assert track.chroms() == {"chr1": 50, "chr2": 40}


def test_overlapping_sequences_are_refused_in_a_track_and_written_in_a_table(tmp_path):
    given = predicted(names=("chr1:10-14", "chr1:12-14"))
    with pytest.raises(InputError, match="overlap, and a track holds one value a position"):
        write_bases(given, tmp_path / "x.bedgraph", print)
    assert not list(tmp_path.iterdir())
    assert write_bases(given, tmp_path / "x.tsv", print) == [tmp_path / "x.tsv"]


def test_scores_are_of_known_bases(tmp_path):
    (tmp_path / "t.tsv").write_text("chr2:10-14\t0,0,NaN,1\nchr1:5-7(-)\t0,1\n")
    scores = score_bases(predicted(), [tmp_path / "t.tsv"], "missing")
    assert scores.per_target["bound"].n == 5
    assert scores.per_target["bound"].auroc == pytest.approx(5 / 6)
    assert score_bases(predicted(), [tmp_path / "t.tsv"], "zero").per_target["bound"].n == 6


@pytest.mark.parametrize(
    ("text", "number", "message"),
    [
        ("0,0,0,1", 2, r"the model has 1 targets \(bound\) and 2 files were given; repeat --per-base for each"),
        ("0,0,3,1", 1, r"t.tsv: holds counts, and the model predicts 0 or 1"),
        ("0,0,3", 1, r"t.tsv:1: 3 values for 'chr2:10-14', which has 4 letters"),
    ],
)
def test_truth_that_does_not_suit_is_refused(tmp_path, text, number, message):
    (tmp_path / "t.tsv").write_text(f"chr2:10-14\t{text}\n")
    with pytest.raises(InputError, match=message):
        score_bases(predicted(), [tmp_path / "t.tsv"] * number, "missing")
