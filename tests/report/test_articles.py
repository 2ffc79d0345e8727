import re
import xml.etree.ElementTree as ET

import pytest

from motifcnn.alphabet import DNA
from motifcnn.drawing.letter_shapes import letter_colours
from motifcnn.report.articles import MOST_SITES, article, coloured, site_colours
from motifcnn.report.run_files import read_run
from motifcnn.report.tables import motif_rows


@pytest.fixture
def articles(make_run):
    files = read_run(make_run())
    rows = motif_rows(files.motifs.rows, 0.05)
    return [
        article(files, row, raw, files.sites.where("motif", row.name), f"a{n}-")
        for n, (row, raw) in enumerate(zip(rows, files.motifs.rows, strict=True))
    ]


def columns_of(drawing):
    """Left edges of the columns that hold letters, in columns from the first."""
    places = [float(use.get("transform")[10:].split()[0]) for use in ET.fromstring(drawing).iter("use")]
    return sorted({int((place - 72 * 0.45) // (72 * 0.24)) for place in places})


def test_logos_below_one_another_are_aligned(articles):
    """The filter's motif lacks the first letter; the known one begins one letter further right, on the other strand."""
    own, source, known = articles[0].logos
    assert [logo.caption for logo in articles[0].logos] == [
        "motif_1, refined",
        "as the filter’s own sites give it",
        "nearest known: CRP (MA0001.1), reverse complement",
    ]
    assert columns_of(own.drawing) == [0, 1, 2, 3, 4, 11, 12, 13, 14, 15]
    assert columns_of(source.drawing) == [1, 2, 3, 4, 11, 12, 13, 14, 15]
    assert columns_of(known.drawing) == [2, 3, 4, 5, 6]  # NTGTGAN turned round, from column 1 on
    boxes = {ET.fromstring(logo.drawing).get("viewBox") for logo in articles[0].logos}
    assert len(boxes) == 1


def test_a_motif_that_was_not_refined_or_matched_has_one_logo(articles):
    assert [logo.caption for logo in articles[1].logos] == ["motif_2"]


def test_the_best_sites_come_first_with_their_letters_and_flanks(make_run):
    run = make_run()
    lines = (run / "sites.tsv").read_text().splitlines()
    cells = lines[50].split("\t")
    assert cells[0] == "motif_1"
    cells[6] = "12.5"
    lines[50] = "\t".join(cells)
    (run / "sites.tsv").write_text("\n".join(lines) + "\n")
    files = read_run(run)
    row = motif_rows(files.motifs.rows, 0.05)[0]
    found = article(files, row, files.motifs.rows[0], files.sites.where("motif", "motif_1"), "a-")
    assert len(found.sites) == MOST_SITES
    assert found.sites_in_all == "120"
    best = found.sites[0]
    assert (best.sequence, best.score) == (cells[1], "12.5")
    assert best.place == f"{int(cells[3]) + 1}–{cells[4]} {cells[5].replace('-', '−')}"
    assert (best.upstream, best.downstream) == ("acgta", "ttgca")
    assert re.sub("<[^>]+>", "", best.letters) == cells[9]
    assert [site.score for site in found.sites[1:]] == ["7.1"] * (MOST_SITES - 1)


def test_facts_are_in_words(articles):
    facts = dict(articles[0].facts)
    assert facts["Recurrence"] == "found in 3 of 4 networks trained side by side"
    assert facts["Refined"] == "correlation 0.93 with the motif of its filter’s own sites (filter_0)"
    assert facts["Nearest known"].startswith("CRP (E")
    assert facts["AUROC of the motif alone"] == "0.810 by its best site, 0.830 by all sites"
    assert dict(articles[1].facts)["Filter"] == "filter_1"


def test_letters_are_coloured_and_all_else_is_text():
    assert coloured("AAC") == '<i class="lA">AA</i><i class="lC">C</i>'
    assert "<script" not in coloured("<script>")
    style = site_colours(letter_colours(DNA), "AC")
    assert style == ".sites .lA{color:#008000}.sites .lC{color:#0000ff}"
