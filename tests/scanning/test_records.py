import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.scanning.engine import Hits
from motifcnn.scanning.records import RECORD, packed, unpacked


@given(
    st.lists(
        st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**31 - 1), st.booleans(), st.integers(-(2**31), 2**31 - 1))
    )
)
def test_hits_come_back_as_they_were(rows):
    columns = list(zip(*rows, strict=True)) or [[]] * 4
    kinds = (np.int64, np.int32, np.bool_, np.int32)
    hits = Hits("chr1", *(np.array(column, dtype=kind) for column, kind in zip(columns, kinds, strict=True)))
    data = packed(hits)
    assert len(data) == len(rows) * RECORD.itemsize
    again = unpacked("chr1", data)
    assert again.chrom == "chr1"
    for name in ("starts", "motifs", "reverse", "scores"):
        np.testing.assert_array_equal(getattr(again, name), getattr(hits, name))
        assert getattr(again, name).dtype == getattr(hits, name).dtype
