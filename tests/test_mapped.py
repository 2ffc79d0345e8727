import numpy as np
import pytest

from motifcnn import mapped
from motifcnn.errors import MotifcnnError
from motifcnn.mapped import mapped_bytes


def test_bytes_are_a_plain_array_of_zeros_to_be_written():
    room = mapped_bytes(1000)
    assert type(room) is np.ndarray
    assert room.dtype == np.uint8
    assert not room.any()
    room[:] = 7
    assert room.sum() == 7000
    assert len(mapped_bytes(0)) == 0


def test_a_full_folder_is_a_fault_with_its_remedy(monkeypatch):
    def full(descriptor, size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mapped, "_reserve", full)
    with pytest.raises(MotifcnnError, match=r"1,000 bytes do not fit into .*No space left.*set TMPDIR"):
        mapped_bytes(1000)
