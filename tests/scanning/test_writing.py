import io

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.motifs import Motif
from motifcnn.scanning.distribution import IntegerMotif
from motifcnn.scanning.engine import Hits
from motifcnn.scanning.hits import HitFormatter
from motifcnn.scanning.writing import hit_writer

MOTIF = IntegerMotif.from_log_odds(Motif("m", np.eye(4), DNA).log_odds(np.full(4, 0.25)))
HITS = [
    Hits(chrom, np.array([3, 8]), np.zeros(2, np.int32), np.array([False, True]), np.full(2, MOTIF.highest, np.int32))
    for chrom in ("a", "b")
]


@pytest.mark.parametrize("format", ["bed", "gff3", "tsv"])
def test_text_is_header_and_lines(format):
    out = io.BytesIO()
    writer = hit_writer(out, [MOTIF], format, double_stranded=True, with_q=False)
    for hits in HITS:
        writer.write(hits)
    writer.close()
    formatter = HitFormatter([MOTIF], format, True)
    assert (
        out.getvalue().decode()
        == formatter.header() + b"".join(block for hits in HITS for block in formatter.lines(hits)).decode()
    )


def test_parquet_is_whole_once_closed():
    out = io.BytesIO()
    writer = hit_writer(out, [MOTIF], "parquet", double_stranded=True, with_q=True)
    for hits in HITS:
        writer.write(hits, np.ones(2))
    assert not out.getvalue().endswith(b"PAR1") or len(out.getvalue()) == 4
    writer.close()
    assert out.getvalue().startswith(b"PAR1")
    assert len(out.getvalue()) > 500
    assert out.getvalue().endswith(b"PAR1")
    assert not out.closed
