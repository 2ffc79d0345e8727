from motifcnn.alphabet import DNA
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel
from motifcnn.objectives import Objective
from motifcnn.settings import ModelSettings
from motifcnn.tracks.motif_filters import MotifFilter
from motifcnn.tracks.track_values import TrackPlan, index_of

MOTIFS = (MotifFilter("one", 3, 0.25), MotifFilter("two", 0, -1.5))
PLAN = TrackPlan(MOTIFS, ("a", "b/c"), ("a", "b/c"), ("a",))


def test_tracks_stand_in_the_order_of_the_plan():
    rows = list(PLAN.rows())
    assert [row[:2] for row in rows] == [
        ("motif", "one"), ("motif", "two"), ("target", "a"), ("target", "b/c"), ("mutagenesis", "a"),
        ("mutagenesis", "b/c"), ("deletion", "a"),
    ]  # fmt: skip
    files = [row[2] for row in rows]
    assert files[2:3] + files[4:5] + files[6:] == ["contribution_a", "mutagenesis_a", "deletion_a"]
    assert len(set(files)) == len(files)
    assert not any("/" in file for file in files)


def test_the_index_says_what_each_track_holds():
    settings = ModelSettings(filters=4, filter_width=6, restarts=1, strands="both")
    network = MotifNetwork(settings, DNA, 0, 2, seed=0).eval()
    network.bias.data[:] = network.bias.new_tensor([[0.5, -2.0]])
    model = TrainedModel(network, Objective("multi-label", ("a", "b/c")), DNA)
    lines = [line.split("\t") for line in index_of(PLAN, model, (7, 0)).splitlines()]
    assert lines[0] == ["track", "kind", "name", "filter", "filter_threshold", "sites", "logit_offset"]
    assert lines[1] == ["one", "motif", "one", "4", "0.25", "7", "NA"]
    assert lines[2] == ["two", "motif", "two", "1", "-1.5", "0", "NA"]
    assert [line[1:] for line in lines[3:5]] == [
        ["target", "a", *["NA"] * 3, "0.5"],
        ["target", "b/c", *["NA"] * 3, "-2"],
    ]
    assert lines[7] == ["deletion_a", "deletion", "a", *["NA"] * 4]
    assert {len(line) for line in lines} == {7}
