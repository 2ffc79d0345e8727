import zipfile

import numpy as np
import pytest

from motifcnn.errors import InputError
from motifcnn.formats.npz import NpzFile


def write(path):
    with NpzFile(path) as file:
        file.add("names", np.array(["a", "longer"]))
        values = file.empty("values", (2, 3, 4))
        values[1, 2] = 7.0
        file.empty("nothing", (2, 0))


def test_arrays_come_back_without_pickle(tmp_path):
    write(tmp_path / "a.npz")
    arrays = np.load(tmp_path / "a.npz", allow_pickle=False)
    assert arrays.files == ["names", "values", "nothing"]
    assert arrays["names"].tolist() == ["a", "longer"]
    assert arrays["values"].dtype == np.float32
    assert (arrays["values"][1, 2] == 7.0).all()
    assert np.isnan(arrays["values"]).sum() == 20
    assert arrays["nothing"].shape == (2, 0)


def test_the_same_arrays_give_the_same_bytes(tmp_path):
    write(tmp_path / "a.npz")
    write(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert zipfile.ZipFile(tmp_path / "a.npz").testzip() is None


def test_a_fault_leaves_nothing_and_the_file_that_was_there(tmp_path):
    (tmp_path / "a.npz").write_text("mine")
    with pytest.raises(ZeroDivisionError), NpzFile(tmp_path / "a.npz") as file:
        file.empty("values", (3,))[0] = 1 / 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    assert (tmp_path / "a.npz").read_text() == "mine"


def test_objects_are_refused(tmp_path):
    with pytest.raises(ValueError, match="pickle"), NpzFile(tmp_path / "a.npz") as file:
        file.add("objects", np.array([None, {}], dtype=object))


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot be written \(No such file or directory\); choose another place"):
        NpzFile(tmp_path / "no" / "a.npz")
