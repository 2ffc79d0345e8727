import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.errors import InputError
from motifcnn.formats import wiggle
from motifcnn.formats.wiggle import wiggle_stretches


def laid_out(path, length=60):
    """Read a file into one array a chromosome, position by position."""
    chromosomes = {}
    for piece in wiggle_stretches(path):
        values = chromosomes.setdefault(piece.chrom, np.full(length, np.nan, dtype=np.float32))
        for start, end, value in zip(piece.starts, piece.ends, piece.values, strict=True):
            values[start:end] = value
    return chromosomes


@pytest.fixture
def wig(tmp_path):
    def write(text):
        path = tmp_path / "track.wig"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


BOTH = """track type=wiggle_0 name="made by hand"
# fixed: positions 3, 4 and 8, 9 of chr1 counted from 1
fixedStep chrom=chr1 start=3 step=5 span=2
1
2.5

variableStep chrom=chr2 span=3
2 -1
10 4
fixedStep chrom=chr1 start=20
7
nan
8
"""


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("block", [12, 40, 1 << 20])
def test_fixed_and_variable_steps_with_spans(wig, monkeypatch, pack, block):
    monkeypatch.setattr(wiggle, "_BLOCK", block)
    found = laid_out(wig(pack(BOTH.encode())))
    first, second = np.full(60, np.nan), np.full(60, np.nan)
    first[[2, 3]], first[[7, 8]], first[19], first[21] = 1, 2.5, 7, 8
    second[1:4], second[9:12] = -1, 4
    assert set(found) == {"chr1", "chr2"}
    np.testing.assert_array_equal(found["chr1"], first)
    np.testing.assert_array_equal(found["chr2"], second)


@given(
    st.integers(1, 9), st.integers(1, 4), st.integers(0, 3), st.lists(st.integers(-9, 9), min_size=1, max_size=9),
    st.integers(5, 60),
)  # fmt: skip
def test_fixed_and_variable_steps_say_the_same(tmp_path_factory, start, span, gap, values, block):
    folder = tmp_path_factory.mktemp("wig")
    step = span + gap
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiggle, "_BLOCK", block)
        fixed, variable = folder / "fixed.wig", folder / "variable.wig"
        fixed.write_text(f"fixedStep chrom=c start={start} step={step} span={span}\n" + "\n".join(map(str, values)))
        lines = [f"{start + step * i}\t{value}\n" for i, value in enumerate(values)]
        variable.write_text(f"variableStep chrom=c span={span}\n" + "".join(lines))
        expected = np.full(90, np.nan)
        for i, value in enumerate(values):
            expected[start - 1 + step * i : start - 1 + step * i + span] = value
        np.testing.assert_array_equal(laid_out(fixed, 90)["c"], expected)
        np.testing.assert_array_equal(laid_out(variable, 90)["c"], expected)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("track x\n3\nfixedStep chrom=c start=1 step=1\n1\n", 2, "a value before any fixedStep"),
        ("fixedStep start=1 step=1\n1\n", 1, "lacks chrom"),
        ("fixedStep chrom=c step=1\n1\n", 1, "lacks start"),
        ("fixedStep chrom=c start=0 step=1\n1\n", 1, "has start=0"),
        ("fixedStep chrom=c start=1 step=x\n1\n", 1, "has step=x"),
        ("fixedStep chrom=c start=1 step=2 span=3\n1\n", 1, "span=3 is more than step=2"),
        ("fixedStep chrom=c start=1 step=1\n1\n\n2 3\n", 4, "2 fields in this line; one value is needed"),
        ("fixedStep chrom=c start=1 step=1\n1\nhigh\n", 3, "'high' is not a value"),
        ("fixedStep chrom=c start=1 step=1\n1\n1e300\n", 3, "'1e300' is not a value"),
        ("variableStep chrom=c\n1 2\n3\n4 5\n6\n", 3, "1 fields in this line; a position from 1 and a value"),
        ("variableStep chrom=c\n0 2\n", 2, "'0' is no position"),
        ("variableStep chrom=c span=3\n1 2\n3 4\n", None, "c:0-3 and c:2-5 overlap"),
    ],
)
def test_refuses_damaged_files(wig, text, line, message):
    path = wig(text)
    with pytest.raises(InputError) as caught:
        list(wiggle_stretches(path))
    assert message in caught.value.message
    assert (caught.value.path, caught.value.line) == (str(path), line)
