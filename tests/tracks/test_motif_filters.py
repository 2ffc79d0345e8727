import pytest

from motifcnn.alphabet import DNA
from motifcnn.errors import InputError
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel
from motifcnn.objectives import Objective
from motifcnn.runs import RunDirectory
from motifcnn.settings import ModelSettings
from motifcnn.tracks.motif_filters import MotifFilter, read_motif_filters

HEADER = "motif\tconsensus\tfilter\tfilter_threshold\n"


@pytest.fixture(scope="module")
def model():
    settings = ModelSettings(filters=5, filter_width=6, restarts=2, strands="both")
    return TrainedModel(MotifNetwork(settings, DNA, 0, 1, seed=0).eval(), Objective("binary", ("y",)), DNA)


def test_motifs_in_the_order_of_the_table(tmp_path, model):
    (tmp_path / "motifs.tsv").write_text(HEADER + 'b"\tAC\tfilter_10\t1.5\na\tGT\tfilter_01\t-2e-3\n')
    assert read_motif_filters(RunDirectory(tmp_path), model) == [MotifFilter('b"', 9, 1.5), MotifFilter("a", 0, -2e-3)]


def test_a_run_may_have_no_motif(tmp_path, model):
    (tmp_path / "motifs.tsv").write_text(HEADER)
    assert read_motif_filters(RunDirectory(tmp_path), model) == []


@pytest.mark.parametrize("threshold", [1234567.89, -1234567.89, 0.0])
def test_no_score_at_the_threshold_is_lost_in_writing(threshold):
    assert MotifFilter("m", 0, float(f"{threshold:.6g}")).least_score <= threshold


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "holds no motifs.tsv; give the directory"),
        (HEADER + "m\tAC\tfilter_x\t1\n", r"motifs\.tsv:2: gives no motif, filter and filter_threshold"),
        (HEADER + "m\tAC\tfilter_1\t1\nn\tAC\n", r"motifs\.tsv:3: gives no motif, filter and filter_threshold"),
        (HEADER + "m\tAC\tfilter_11\t1\n", r"motifs\.tsv:2: names a filter that the model has not \(m\); train again"),
    ],
)
def test_refusals(tmp_path, model, table, message):
    if table is not None:
        (tmp_path / "motifs.tsv").write_text(table)
    with pytest.raises(InputError, match=message):
        read_motif_filters(RunDirectory(tmp_path), model)
