import numpy as np
import pyBigWig
import pytest

from motifcnn.errors import InputError
from motifcnn.formats import track_reader
from motifcnn.formats.track_reader import open_track, pieces


@pytest.fixture(params=["bw", "bedgraph", "wig", "tsv"])
def track(request, tmp_path, generator):
    """The same values in each format: c1 of 50 positions with a gap, c2 of 20."""
    first = np.round(generator.normal(size=50), 3).astype(np.float32)
    first[10:17] = np.nan
    second = np.round(generator.normal(size=20), 3).astype(np.float32)
    path = tmp_path / f"t.{request.param}"
    rows = [(name, i, v) for name, values in (("c1", first), ("c2", second)) for i, v in enumerate(values.tolist())]
    if request.param == "bw":
        with pyBigWig.open(str(path), "w") as file:
            file.addHeader([("c1", 50), ("c2", 20)])
            for name, i, v in rows:
                if not np.isnan(v):
                    file.addEntries([name], [i], ends=[i + 1], values=[v])
    elif request.param == "bedgraph":
        path.write_text("".join(f"{name}\t{i}\t{i + 1}\t{v}\n" for name, i, v in rows[::-1] if not np.isnan(v)))
    elif request.param == "wig":
        lines = [f"variableStep chrom={name}\n{i + 1} {v}\n" for name, i, v in rows if not np.isnan(v)]
        path.write_text("".join(lines))
    else:
        joined = [
            f"{name}\t{','.join(map(str, values.tolist()))}\n" for name, values in (("c1", first), ("c2", second))
        ]
        path.write_text("".join(joined))
    return open_track(path), {"c1": first, "c2": second}


def test_values_anywhere(track):
    reader, truth = track
    assert dict(reader.lengths) == {"c1": 50, "c2": 20}
    for name, start, end in (("c1", 0, 50), ("c1", 5, 30), ("c1", 12, 15), ("c2", 15, 25), ("c2", 30, 33)):
        expected = np.full(end - start, np.nan)
        found = truth[name][start:end]
        expected[: len(found)] = found
        np.testing.assert_allclose(reader.values(name, start, end), expected, atol=1e-6)
    assert np.isnan(reader.values("none", 3, 6)).all()


@pytest.mark.parametrize("overlap", [0, 4])
def test_pieces_hold_each_window_once(track, monkeypatch, overlap):
    monkeypatch.setattr(track_reader, "_PIECE", 7)
    reader, truth = track
    windows = [values[start : start + overlap + 1] for values, own in pieces(reader, overlap) for start in range(own)]
    whole = [window for window in windows if len(window) == overlap + 1]
    expected = [
        values[start : start + overlap + 1] for values in truth.values() for start in range(len(values) - overlap)
    ]
    np.testing.assert_allclose(np.array(whole), np.array(expected), atol=1e-6)


def test_overlapping_stretches_are_refused(tmp_path):
    path = tmp_path / "t.bedgraph"
    path.write_text("c\t0\t5\t1\nd\t0\t3\t1\nc\t4\t9\t2\n")
    with pytest.raises(InputError, match="c:0-5 and c:4-9 overlap"):
        open_track(path)
