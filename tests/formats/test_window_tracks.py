"""Window tracks: what is written is read back, whatever the order of chromosomes; all files or none."""

import logging

import numpy as np
import pyBigWig
import pytest

from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats import window_tracks
from motifcnn.formats.window_tracks import WindowValues, write_window_tracks

NAN = float("nan")
SIZES = {"chr2": 100, "chr10": 60, "short": 5, "chr1": 40}


def stretches():
    yield WindowValues("chr2", 3, np.array([[1, 2, NAN, 4], [NAN, NAN, NAN, 0.5]], dtype=np.float32))
    yield WindowValues("chr2", 43, np.array([[5, 6], [NAN, 7]], dtype=np.float32))
    yield WindowValues("chr10", 0, np.array([[NAN], [-1]], dtype=np.float32))
    yield WindowValues("chr1", 10, np.array([[8, 9, 10], [11, NAN, 12]], dtype=np.float32))


def read(path):
    track = pyBigWig.open(str(path))
    found = {chrom: list(track.intervals(chrom) or ()) for chrom in track.chroms()}
    levels = track.header()["nLevels"]
    track.close()
    return found, levels


EXPECTED = [
    {
        "chr1": [(10, 20, 8), (20, 30, 9), (30, 40, 10)], "chr10": [],
        "chr2": [(3, 13, 1), (13, 23, 2), (33, 43, 4), (43, 53, 5), (53, 63, 6)], "short": [],
    },
    {
        "chr1": [(10, 20, 11), (30, 40, 12)], "chr10": [(0, 10, -1)],
        "chr2": [(33, 43, 0.5), (53, 63, 7)], "short": [],
    },
]  # fmt: skip


@pytest.mark.parametrize("ordered", [True, False])
def test_values_are_read_back_from_each_file(tmp_path, ordered):
    paths = [tmp_path / "a.bw", tmp_path / "b.bw"]
    sizes = dict(sorted(SIZES.items())) if ordered else SIZES
    given = sorted(stretches(), key=lambda each: each.chrom) if ordered else stretches()
    assert write_window_tracks(paths, given, sizes, 10) == [8, 5]
    assert [read(path)[0] for path in paths] == EXPECTED
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bw", "b.bw"]


@pytest.mark.parametrize(("most", "summarised"), [(1000, True), (3, False)])
def test_very_many_values_go_without_summaries(tmp_path, monkeypatch, caplog, most, summarised):
    monkeypatch.setattr(window_tracks, "_MOST_SUMMARISED", most)
    with caplog.at_level(logging.INFO, "motifcnn"):
        write_window_tracks([tmp_path / "a.bw", tmp_path / "b.bw"], stretches(), SIZES, 10)
    found, levels = read(tmp_path / "a.bw")
    assert (found == EXPECTED[0], levels > 0) == (True, summarised)
    assert (caplog.text == "") == summarised


def test_no_file_appears_where_something_fails(tmp_path):
    (tmp_path / "a.bw").write_text("earlier")

    def failing():
        yield next(stretches())
        raise MotifcnnError("genome ends")

    with pytest.raises(MotifcnnError, match="genome ends"):
        write_window_tracks([tmp_path / "a.bw", tmp_path / "b.bw"], failing(), SIZES, 10)
    nothing = [WindowValues("chr2", 0, np.full((1, 3), NAN, dtype=np.float32))]
    with pytest.raises(MotifcnnError, match=r"a\.bw: no window has a value, so there is nothing to write"):
        write_window_tracks([tmp_path / "a.bw"], nothing, SIZES, 10)
    disordered = [WindowValues("chr2", at, np.ones((1, 3), dtype=np.float32)) for at in (50, 0)]
    with pytest.raises(MotifcnnError, match=r"a\.bw: a bigWig could not be written \(.*\); is there space left\?"):
        write_window_tracks([tmp_path / "a.bw"], disordered, {"chr2": 100}, 10)
    with pytest.raises(InputError, match=r"none/a\.bw: cannot be written \(No such file or directory\)"):
        write_window_tracks([tmp_path / "none" / "a.bw"], stretches(), SIZES, 10)
    assert [path.name for path in tmp_path.iterdir()] == ["a.bw"]
    assert (tmp_path / "a.bw").read_text() == "earlier"
