from types import SimpleNamespace

from motifcnn.report.positions import position_views
from motifcnn.report.run_files import Table

COLUMNS = ("target", "position", "letters", "information_bits", "test_auroc", "p_value", "e_value")


def files(*rows, logos=()):
    table = Table(COLUMNS, tuple(dict(zip(COLUMNS, map(str, row), strict=True)) for row in rows))
    return SimpleNamespace(positions=table, position_logos=logos)


def test_significant_positions_are_listed_and_the_first_named():
    (view,) = position_views(
        files(
            ("binds", 2, "L,M", 1.5, 0.9, 1e-9, 1e-8),
            ("binds", 3, "G", 0.1, 0.5, 0.4, 1.0),
            ("binds", 9, "V", 2.5, 0.95, 1e-12, 1e-11),
        ),
        0.05,
    )
    assert [row[:2] for row in view.rows] == [("2", "LM"), ("9", "V")]
    assert view.sentence == "Positions that tell most: 9 (V), 2 (L, M)."
    assert view.logo == ""


def test_asparagine_and_alanine_are_not_a_missing_value():
    (view,) = position_views(files(("t", 1, "N,A", 1, 0.9, 1e-9, 1e-8), ("t", 2, "NA", 1, 0.9, 1e-8, 1e-7)), 0.05)
    assert [row[1] for row in view.rows] == ["NA", "–"]
    assert view.sentence == "Positions that tell most: 1 (N, A)."


def test_each_target_has_its_own_view_and_nothing_is_nothing():
    rows = [(target, 1, "K", 1, 0.9, 1e-9, 1e-8) for target in ("a", "b")]
    assert [view.target for view in position_views(files(*rows, logos=("<svg></svg>",) * 2), 0.05)] == ["a", "b"]
    assert position_views(files(), 0.05) == []
