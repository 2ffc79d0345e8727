import re
from xml.etree import ElementTree

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.encoding import TrackScale
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.intervals import parse_interval
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel
from motifcnn.objectives import Objective
from motifcnn.report.card import card_svg, make_card, write_card
from motifcnn.settings import ModelSettings
from motifcnn.tracks.explanation import Explanation, MotifHit

ONE_HIT = (MotifHit(0, 5, False, 1.5),)
SVG = "{http://www.w3.org/2000/svg}"


def explanation(length=60, name="chr2:100-160", hits=ONE_HIT, mapped=True):
    settings = ModelSettings(filters=2, filter_width=8, restarts=1, strands="both")
    network = MotifNetwork(settings, DNA, 1, 2, seed=0).eval()
    model = TrainedModel(network, Objective("multi-label", ("a<b", "c")), DNA, (TrackScale("phyloP.bw", 0.0, 1.0),))
    generator = np.random.default_rng(0)

    def drawn(*shape):
        return generator.normal(size=(*shape, length)).astype(np.float32)

    return Explanation(
        name, parse_interval(name), model, generator.integers(0, 5, length).astype(np.uint8),
        np.array([0.5, 2.0], dtype=np.float32), np.array([0.6, 0.9], dtype=np.float32), ("m&1", "m2"),
        np.abs(drawn(2)), hits, drawn(2) if mapped else None, drawn(2), drawn(1),
    )  # fmt: skip


def texts(svg):
    return ["".join(element.itertext()) for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_all_rows_stand_under_one_another():
    card = make_card(explanation(), None, None)
    assert card.target == "c"
    shown = texts(card_svg(card))
    rows = ["worth of letters", "sequence", "motifs", "activation", "contribution", "phyloP.bw"]
    assert [text for text in shown if text in rows] == rows
    assert "m&1" in shown
    assert "contribution" not in texts(card_svg(make_card(explanation(mapped=False), "a<b", None)))


def test_the_letters_drawn_are_worth_what_they_are_as_high_as():
    found = explanation(hits=())
    drawn = card_svg(make_card(found, "a<b", (10, 20)))
    uses = re.findall(r'href="#letter-(\w)" transform="translate\((\S+) \S+\) scale\(\S+ (\S+)\)', drawn)
    worth = found.worth[0, 10:20]
    places = [round((float(x) - 0.4) / 10) for _, x, _ in uses]
    assert "".join(letter for letter, *_ in uses) == DNA.decode(found.codes[10:20][places])
    heights = np.abs([float(height) for *_, height in uses])
    np.testing.assert_allclose(heights / heights.max(), np.abs(worth[places]) / np.abs(worth).max(), atol=1e-3)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("chr2:100-160", ["120", "140", "160"]), ("chr2:100-160(-)", ["160", "140", "120"]), ("s", ["20", "40", "60"])],
)
def test_the_ruler_counts_on_the_chromosome_or_in_the_sequence(name, expected):
    ticks = re.findall(r'class="place"[^>]*>([^<]+)<', card_svg(make_card(explanation(name=name), None, None)))
    assert ticks == expected


def test_long_sequences_go_in_lines_of_about_one_length():
    svg = card_svg(make_card(explanation(250, "s"), None, (0, 230)))
    assert texts(svg).count("worth of letters") == 3
    assert texts(card_svg(make_card(explanation(110, "s"), None, None))).count("worth of letters") == 1


def test_the_window_worth_most_is_shown_of_long_sequences():
    found = explanation(700, "s")
    found.worth[1, 350:360] = 50.0
    card = make_card(found, None, None)
    assert card.end - card.begin == 300
    assert card.begin <= 350 < 360 <= card.end


@pytest.mark.parametrize("window", [(0, 61), (5, 5), (9, 3)])
def test_windows_outside_are_refused(window):
    with pytest.raises(InputError, match="is not in the sequence, which has 60 positions, counted from 0"):
        make_card(explanation(), None, window)
    with pytest.raises(MotifcnnError, match="its targets are a<b, c"):
        make_card(explanation(), "b", None)


def test_without_hits_the_nearest_motifs_are_drawn():
    assert re.findall(r"<title>(m[^<]+)</title>", card_svg(make_card(explanation(hits=()), None, None))) == [
        "m&amp;1",
        "m2",
    ]


@pytest.mark.parametrize("kind", ["svg", "html"])
def test_files_need_nothing_from_elsewhere_and_do_not_vary(tmp_path, kind):
    for name in ("a", "b"):
        write_card(make_card(explanation(), "a<b", None), tmp_path / f"{name}.{kind}")
    text = (tmp_path / f"a.{kind}").read_text()
    assert text == (tmp_path / f"b.{kind}").read_text()
    assert set(re.findall(r'(?:href|src)="([^#])', text)) == set()
    assert set(re.findall(r"https?://[^\"' ]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "a<b" not in text
    if kind == "svg":
        ElementTree.fromstring(text)
    else:
        assert "positions 1 to 60 of 60; explained is <b>a&lt;b</b>" in text
        assert '<tr class="chosen"><td>a&lt;b</td><td class="n">0.6</td><td class="n">0.500</td></tr>' in text


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"card\.png: a card is SVG or HTML; let its name end in \.svg or \.html"):
        write_card(make_card(explanation(), None, None), tmp_path / "card.png")
