import re
import time
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.drawing.logos import (
    LEAST_BITS,
    LOGO_FORMATS,
    inline_svg,
    logo_document,
    logo_file_name,
    logo_heights,
    write_logo,
)
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.motifs import Motif


@pytest.fixture
def motif(generator):
    return Motif("m1", generator.dirichlet([0.3] * 4, 20), DNA)


def one_letter(alphabet, letter, width=4, name="m"):
    matrix = np.zeros((width, alphabet.size))
    matrix[:, alphabet.letters.index(letter)] = 1.0
    return Motif(name, matrix, alphabet)


@pytest.mark.parametrize("alphabet", [DNA, RNA, PROTEIN], ids=lambda alphabet: alphabet.name)
def test_a_stack_is_as_high_as_its_information(alphabet, generator):
    motif = Motif("m", generator.dirichlet([0.2] * alphabet.size, 12), alphabet)
    heights = logo_heights(motif)
    assert np.all(np.abs(heights.sum(axis=1) - motif.information()) <= LEAST_BITS * alphabet.size)
    assert logo_heights(one_letter(alphabet, alphabet.letters[0]))[0, 0] == pytest.approx(np.log2(alphabet.size))


def test_letters_too_thin_to_see_are_dropped():
    motif = Motif("m", np.array([[0.997, 0.001, 0.001, 0.001]]), DNA)
    assert np.count_nonzero(logo_heights(motif)) == 1


@pytest.mark.parametrize("kind", LOGO_FORMATS)
@pytest.mark.parametrize("alphabet", [DNA, RNA, PROTEIN], ids=lambda alphabet: alphabet.name)
def test_the_same_motif_gives_the_same_bytes(tmp_path, kind, alphabet, generator):
    motif = Motif("m", generator.dirichlet([0.3] * alphabet.size, 8), alphabet)
    first, second = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
    write_logo(motif, first)
    write_logo(motif, second)
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith({"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[kind])


@pytest.mark.parametrize("kind", LOGO_FORMATS)
def test_no_time_of_day_is_written(tmp_path, motif, kind):
    write_logo(motif, tmp_path / f"a.{kind}")
    assert b"Date" not in (tmp_path / f"a.{kind}").read_bytes()


def test_the_users_matplotlib_settings_do_not_show_and_are_left_alone(tmp_path, motif):
    import matplotlib as mpl

    write_logo(motif, tmp_path / "a.svg")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "none"}):
        write_logo(motif, tmp_path / "b.svg")
        assert mpl.rcParams["axes.facecolor"] == "red"
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_no_figure_stays_open(tmp_path, motif):
    import matplotlib.pyplot as plt

    write_logo(motif, tmp_path / "a.png")
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("alphabet", "letter", "colour"),
    [
        (DNA, "A", "#008000"),
        (DNA, "G", "#ffa600"),
        (DNA, "T", "#ff0000"),
        (RNA, "U", "#ff0000"),
        (PROTEIN, "K", "#0000ff"),
        (PROTEIN, "D", "#ff0000"),
        (PROTEIN, "Q", "#800080"),
    ],
)
def test_letters_have_the_colours_of_the_field(alphabet, letter, colour):
    assert f"fill: {colour}" in logo_document(one_letter(alphabet, letter))


def letter_boxes(document):
    """(id, colour, left, right, floor, ceiling) of each letter of an SVG logo, in points from below."""
    root = ET.fromstring(document)
    height = float(root.get("viewBox").split()[3])
    colours = {path.get("id"): path.get("style") for path in root.iter("{http://www.w3.org/2000/svg}path")}
    boxes = []
    for use in root.iter("{http://www.w3.org/2000/svg}use"):
        x, y, wide, high = map(float, re.findall(r"-?[\d.]+", use.get("transform")))
        name = use.get("{http://www.w3.org/1999/xlink}href")
        boxes.append((name[-1], colours[name[1:]][6:], x, x + wide, height - y, height - y - high))
    return boxes


@pytest.mark.parametrize("alphabet", [DNA, RNA, PROTEIN], ids=lambda alphabet: alphabet.name)
def test_svg_has_logomakers_letters_in_logomakers_places(alphabet, generator):
    """Left, right, floor and ceiling of each letter, and its colour, to a fiftieth of a point."""
    import logomaker
    import pandas as pd
    from matplotlib.colors import to_hex

    from motifcnn.drawing.logos import _figure, draw_logo

    motif = Motif("m", generator.dirichlet([0.2] * alphabet.size, 9), alphabet)
    figure = _figure(motif.width)
    axes = figure.axes[0]
    draw_logo(motif, axes)
    table = pd.DataFrame(logo_heights(motif), columns=list(alphabet.letters), index=range(1, 10))
    scheme = "chemistry" if alphabet is PROTEIN else "classic"
    kept = table.loc[:, (table > 0).any()]
    logo = logomaker.Logo(kept, ax=axes, color_scheme=scheme, font_name="DejaVu Sans", font_weight="bold")
    axes.set_xlim(0.5, 9.5)
    axes.set_ylim(0, np.log2(alphabet.size))
    expected = []
    for glyph in logo.glyph_list:
        if glyph.patch is not None:
            corners = axes.transData.transform(glyph.patch.get_path().get_extents().get_points()) * 72 / figure.dpi
            expected.append((glyph.c, to_hex(glyph.color), *corners[:, 0], *corners[:, 1]))
    found = letter_boxes(logo_document(motif))
    assert len(found) == len(expected) > 9

    def key(box):
        return round(box[2]), box[4], box[0]

    for ours, theirs in zip(sorted(found, key=key), sorted(expected, key=key), strict=True):
        assert ours[:2] == theirs[:2]
        assert ours[2:] == pytest.approx(theirs[2:], abs=0.02)


def test_the_frame_is_that_of_the_other_formats(motif):
    from motifcnn.drawing.logos import _figure

    figure = _figure(motif.width)
    root = ET.fromstring(logo_document(motif))
    width, height = map(float, root.get("viewBox").split()[2:])
    assert (width, height) == pytest.approx(tuple(72 * figure.get_size_inches()), abs=0.01)
    assert root.get("width") == f"{width:.2f}pt"


def test_an_aligned_logo_keeps_its_columns_free(motif):
    plain, moved = letter_boxes(logo_document(motif)), letter_boxes(logo_document(motif, before=3, columns=30))
    column = 72 * 0.24
    assert len(plain) == len(moved)
    for one, other in zip(plain, moved, strict=True):
        assert other[2] - one[2] == pytest.approx(3 * column, abs=0.02)
        assert other[4:] == one[4:]
    width = float(ET.fromstring(logo_document(motif, before=3, columns=30)).get("viewBox").split()[2])
    assert width == pytest.approx(72 * (0.45 + 0.05 + 0.24 * 30), abs=0.01)


def test_rna_shows_u_where_dna_shows_t():
    u, t = (letter_boxes(logo_document(one_letter(a, c))) for a, c in ((RNA, "U"), (DNA, "T")))
    assert [box[0] for box in u] == ["U"] * 4
    assert [box[0] for box in t] == ["T"] * 4


@pytest.mark.parametrize(("alphabet", "most"), [(DNA, 2.0), (RNA, 2.0), (PROTEIN, 4.32)])
def test_the_y_axis_is_that_of_the_alphabet(alphabet, most):
    from matplotlib.figure import Figure

    from motifcnn.drawing.logos import draw_logo

    axes = Figure().add_subplot()
    matrix = np.full((6, alphabet.size), 1.0 / alphabet.size)
    draw_logo(Motif("flat", matrix, alphabet), axes)
    assert axes.get_ylim() == (0.0, pytest.approx(most, abs=0.005))
    assert axes.get_ylabel() == "bits"
    assert [round(tick) for tick in axes.get_xticks()] == [1, 2, 3, 4, 5, 6]


def test_inline_logos_do_not_clash(motif):
    elements = [inline_svg(logo_document(motif), prefix, motif.name) for prefix in ("a-", "b-")]
    ids = [re.findall(r'\bid="([^"]+)"', element) for element in elements]
    assert ids[0]
    assert not set(ids[0]) & set(ids[1])
    for element, known in zip(elements, ids, strict=True):
        assert not element.startswith("<?xml")
        assert "http" not in element
        assert "<style" not in element
        references = re.findall(r'(?:url\(|href=")#([^)"]+)', element)
        assert references
        assert set(references) <= set(known)
        ET.fromstring(element)  # well-formed


def test_shortening_changes_no_scale():
    """Positions may lose digits that nobody sees; a scale of 0.015625 may not become 0.01."""
    svg = '<svg><path d="M 1.23456 -0.98765"/><g transform="scale(0.015625)"/></svg>'
    element = inline_svg(svg, "a-", "label")
    assert 'd="M 1.23 -0.98"' in element
    assert "scale(0.015625)" in element


def test_the_label_is_escaped():
    element = inline_svg("<svg><g/></svg>", "a-", '"><script>')
    assert "<script>" not in element
    assert ET.fromstring(element).get("aria-label") == '"><script>'


def test_a_damaged_logo_is_refused():
    with pytest.raises(MotifcnnError, match="holds no <svg> element; write the logos again"):
        inline_svg("nothing", "a-", "label")


@pytest.mark.parametrize("name", ["logo.gif", "logo", "logo.svg.gz"])
def test_other_endings_are_refused(tmp_path, motif, name):
    with pytest.raises(InputError, match=r"cannot be written as .*; let the name end in .svg, .png or .pdf"):
        write_logo(motif, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_endings_may_be_upper_case(tmp_path, motif):
    write_logo(motif, tmp_path / "LOGO.SVG")
    assert (tmp_path / "LOGO.SVG").read_bytes().startswith(b"<?xml")


@given(st.text(max_size=120), st.text(max_size=120))
def test_file_names_are_safe_and_unlike_names_differ(one, other):
    names = [logo_file_name(one), logo_file_name(other)]
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,99}", name)
    assert (names[0] == names[1]) == (one == other)


@pytest.mark.parametrize("name", ["motif_1", "MA0139.1", "CTCF-a+b"])
def test_plain_names_stay(name):
    assert logo_file_name(name) == name


@pytest.mark.slow
def test_a_wide_logo_is_quick(tmp_path, motif):
    write_logo(motif, tmp_path / "a.svg")  # imports are not counted
    times = []
    for _ in range(5):
        start = time.perf_counter()
        write_logo(motif, tmp_path / "a.svg")
        times.append(time.perf_counter() - start)
    assert min(times) <= 0.5  # 0.11 s on an idle core
