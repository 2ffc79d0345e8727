import io
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.errors import MotifcnnError
from motifcnn.motifs import Motif
from motifcnn.scanning import parquet
from motifcnn.scanning.distribution import IntegerMotif
from motifcnn.scanning.engine import Hits
from motifcnn.scanning.hits import HitFormatter
from motifcnn.scanning.parquet import ParquetHits, require_pyarrow

MOTIFS = [
    IntegerMotif.from_log_odds(
        Motif(f"motif_{width}", np.random.default_rng(width).dirichlet(np.ones(4), width), DNA, sites=40).log_odds(
            np.full(4, 0.25)
        )
    )
    for width in (5, 9, 120)
]
LEAST, GREATEST = (np.array([getattr(motif, end) for motif in MOTIFS]) for end in ("lowest", "highest"))


def some_hits(seed, chrom, count):
    generator = np.random.default_rng(seed)
    motifs = generator.integers(0, len(MOTIFS), count).astype(np.int32)
    scores = generator.integers(LEAST[motifs], GREATEST[motifs] + 1).astype(np.int32)
    starts = np.sort(generator.integers(0, 10**10, count))
    return Hits(chrom, starts, motifs, generator.random(count) < 0.5, scores)


def written(found, double_stranded=True, q_values=None):
    out = io.BytesIO()
    writer = ParquetHits(out, MOTIFS, double_stranded, q_values is not None)
    for number, hits in enumerate(found):
        writer.write(hits, None if q_values is None else q_values[number])
    writer.close()
    out.seek(0)
    return out


def as_tsv(found, double_stranded=True, q_values=None):
    formatter = HitFormatter(MOTIFS, "tsv", double_stranded, q_values is not None)
    lines = [
        b"".join(formatter.lines(hits, None if q_values is None else q_values[n])).decode()
        for n, hits in enumerate(found)
    ]
    return formatter.header() + "".join(lines)


def rounded(table):
    """The table as TSV, with the TSV's digits."""
    table["log_odds"] = table["log_odds"].map("{:.3f}".format)
    for column in ("p_value", "q_value"):
        if column in table:
            table[column] = table[column].map("{:.3g}".format)
    return table.to_csv(sep="\t", index=False, lineterminator="\n")


@pytest.mark.parametrize("double_stranded", [True, False])
@pytest.mark.parametrize("row_group", [64, 1000, 1 << 18])
def test_pandas_reads_what_the_tsv_holds(monkeypatch, double_stranded, row_group):
    monkeypatch.setattr(parquet, "ROW_GROUP", row_group)
    found = [some_hits(0, "chr2", 700), some_hits(1, "chr2", 0), some_hits(2, "chr10", 5), some_hits(3, "chrÖ", 300)]
    table = pd.read_parquet(written(found, double_stranded))
    assert rounded(table) == as_tsv(found, double_stranded)


def test_residues_of_proteins_are_numbered_as_in_the_tsv(monkeypatch, generator):
    motif = Motif("m", generator.dirichlet(np.ones(20), 6), PROTEIN, sites=40).log_odds(np.full(20, 0.05))
    monkeypatch.setattr(sys.modules[__name__], "MOTIFS", [IntegerMotif.from_log_odds(motif)])
    scores = np.full(3, MOTIFS[0].highest, dtype=np.int32)
    zeros = np.zeros(3, dtype=np.int32)
    found = [Hits("titin", np.array([0, 7, 34_000]), zeros, zeros.astype(bool), scores)]
    table = pd.read_parquet(written(found, double_stranded=False))
    assert table["first_residue"].tolist() == [1, 8, 34_001]
    assert rounded(table) == as_tsv(found, double_stranded=False)


def test_q_values_follow():
    found = [some_hits(0, "a", 50), some_hits(1, "b", 60)]
    q_values = [np.linspace(0, 1, len(LEAST))[hits.motifs] for hits in found]  # the same for like hits
    assert rounded(pd.read_parquet(written(found, True, q_values))) == as_tsv(found, True, q_values)


def test_columns_and_their_types():
    table = pd.read_parquet(written([some_hits(0, "a", 50)]))
    kinds = {name: str(kind) for name, kind in table.dtypes.items()}
    names = dict.fromkeys(("chrom", "motif", "strand"), "category")
    assert kinds == names | {
        "start": "int64", "end": "int64", "score": "int32", "log_odds": "float64", "p_value": "float64"
    }  # fmt: skip
    assert list(table) == as_tsv([]).split()


def test_p_values_are_not_rounded():
    hits = some_hits(0, "a", 50)
    table = pd.read_parquet(written([hits]))
    exact = [MOTIFS[m].p_values(score) for m, score in zip(hits.motifs, hits.scores, strict=True)]
    assert table["p_value"].tolist() == exact


def test_hits_leave_memory_by_row_groups(monkeypatch):
    monkeypatch.setattr(parquet, "ROW_GROUP", 100)
    out = io.BytesIO()
    writer = ParquetHits(out, MOTIFS, True, False)
    sizes = [out.tell()]
    for number in range(10):
        writer.write(some_hits(number, f"chr{number}", 60))
        sizes.append(out.tell())
    assert [after > before for before, after in pairwise(sizes)] == [False, True] * 5
    writer.close()
    metadata = pyarrow.parquet.ParquetFile(out).metadata
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [100, 20] * 5


def test_no_hits_are_a_table_without_rows():
    table = pd.read_parquet(written([]))
    assert (len(table), list(table)) == (0, as_tsv([]).split())


def test_without_pyarrow_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    message = r'^--format parquet needs pyarrow, which is not installed: pip install "motifcnn\[parquet\]"$'
    with pytest.raises(MotifcnnError, match=message):
        require_pyarrow()
