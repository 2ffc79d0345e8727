import json
import re

import pytest

from motifcnn.report.articles import article
from motifcnn.report.channels import ablation_sentence, aligned_tracks, track_names, track_views
from motifcnn.report.page import render
from motifcnn.report.run_files import read_run
from motifcnn.report.tables import motif_rows

ABLATION = {
    "measure": "auroc",
    "with": 0.912,
    "without": 0.891,
    "difference": 0.021,
    "p_value": 0.003,
    "method": "DeLong",
}


def test_ablation_is_one_sentence():
    assert ablation_sentence({"ablation": ABLATION}, ["phyloP.bw"]) == (
        "phyloP.bw adds +0.021 AUROC on held-out sequences: 0.912 with, 0.891 without, p = 0.003 (DeLong)."
    )
    worse = ABLATION | {"difference": -0.021, "measure": "pearson", "method": "permutation"}
    assert ablation_sentence({"ablation": worse}, ["a", "b"]).startswith("a and b add −0.021 to the correlation")
    assert ablation_sentence({"ablation": worse}, ["a", "b", "c"]).startswith("The 3 channels add −0.021")


def test_what_was_not_measured_is_said_or_left_out():
    assert ablation_sentence({}, ["a"]) == ""
    unknown = ABLATION | {"difference": None}
    assert ablation_sentence({"ablation": unknown}, ["a"]) == (
        "What a adds could not be measured on held-out sequences."
    )
    few = ABLATION | {"p_value": None}
    assert ablation_sentence({"ablation": few}, ["a"]).endswith("0.891 without, too few sequences for a p-value.")


def test_names_of_tracks():
    assert track_names({"data": {"tracks": [{"name": "a.bw"}, {"name": "b.bw"}]}}) == ["a.bw", "b.bw"]
    assert track_names({}) == []


def write(path, columns, rows):
    path.write_text("\n".join("\t".join(map(str, row)) for row in [columns, *rows]) + "\n")


@pytest.fixture
def run(make_run):
    folder = make_run()
    tests = [
        ("motif_1", track, 4, 80, tested, 0.8, 0.2, p_value, 80, 0.7, 0.3, 0.02)
        for track, tested, p_value in (("a.bw", 40, 0.0001), ("b.bw", 3, "NA"), ("c.bw", 9, 0.5), ("d.bw", 9, 0.5))
    ]
    columns = ["motif", "track", "width", "sites", "held_out_sites", "site_mean", "shifted_mean", "p_value"]
    columns += ["all_sites", "all_site_mean", "all_shifted_mean", "all_p_value"]
    write(folder / "motif_tracks.tsv", columns, tests)
    profile = [("motif_1", track, i, 0.1 * i, 0.01, 80) for track in ("a.bw", "b.bw", "d.bw") for i in range(-5, 9)]
    write(folder / "track_profiles.tsv", ["motif", "track", "position", "mean", "standard_error", "sites"], profile)
    return folder


def test_the_table_draws_tracks_with_their_flanks(run):
    files = read_run(run)
    first, second = track_views(files, "motif_1")  # c.bw has no profile, d.bw is one too many
    assert "Mean of a.bw along the sites of motif_1" in first.drawing
    assert (first.remark, second.remark) == ("a.bw", "b.bw")
    assert track_views(files, "motif_2") == []


def test_a_motifs_own_page_draws_tracks_column_by_column_and_says_whether_sites_stand_out(run):
    files = read_run(run)
    first, second = aligned_tracks(files, "motif_1", -1, 6)
    assert "Mean of a.bw at each position of motif_1" in first.drawing
    assert len(re.findall("fill=", first.drawing)) == 6
    assert len(re.findall("opacity=", first.drawing)) == 2  # one column before the four of the motif, one after
    assert "0.800 at 40 sites, 0.200 when the track is shifted (grey line); p = 1.0" in first.remark
    assert "With training’s sites, which made the motif: 0.700, 0.300, p = 0.02." in first.remark
    assert "too few held-out sites with values to say whether they stand out" in second.remark
    assert "With training’s sites, which made the motif: 0.700, 0.300, p = 0.02." in second.remark
    assert aligned_tracks(files, "motif_2", 0, 6) == []


def test_tracks_stand_under_the_aligned_logos(run):
    files = read_run(run)
    row = motif_rows(files.motifs.rows, 0.05)[0]
    own = article(files, row, files.motifs.rows[0], files.sites.where("motif", "motif_1"), "a-")
    boxes = {re.search('viewBox="([^"]*)"', view.drawing)[1] for view in (*own.logos, *own.tracks)}
    assert len(own.tracks) == 2
    assert len(boxes) == 1
    page = render(files)
    assert page.count("Mean of a.bw at each position of motif_1") == 1
    assert page.count("0.800 at 40 sites, 0.200 when the track is shifted") == 1


def test_use_by_the_filter_is_said(run):
    text = (run / "motifs.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in text]
    if "filter" not in rows[0]:
        rows = [[*rows[0], "filter"], *([*row, "filter_1"] for row in rows[1:])]
    name = rows[1][rows[0].index("filter")]
    write(run / "motifs.tsv", rows[0], rows[1:])
    weights = [(name, "motif_1", "a.bw", 0, 0.1, 0.23), (name, "motif_1", "a.bw", 1, -0.4, 0.23)]
    write(run / "filter_tracks.tsv", ["filter", "motif", "track", "position", "weight", "share"], weights)
    first, second = aligned_tracks(read_run(run), "motif_1", 0, 4)
    assert (
        f"Of what {name} can say, 23 % is the track’s, most at its position 2, where low values count" in first.remark
    )
    assert "Of what" not in second.remark


def test_a_run_without_tracks_has_none(make_run):
    files = read_run(make_run())
    assert track_views(files, "motif_1") == []
    assert json.loads((make_run() / "metrics.json").read_text())["data"]["tracks"] == []
