import numpy as np
import pytest

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.motifs import Motif
from motifcnn.scanning.distribution import IntegerMotif
from motifcnn.scanning.engine import Hits
from motifcnn.scanning.hits import HitFormatter

MOTIFS = [
    IntegerMotif.from_log_odds(Motif(name, np.eye(4)[DNA.encode(word)], DNA, sites=1e9).log_odds(np.full(4, 0.25)))
    for name, word in (("first", "ACGT"), ("second", "GATTACAG"))
]
HITS = Hits(
    "chr1",
    np.array([4, 10], dtype=np.int64),
    np.array([1, 0], dtype=np.int32),
    np.array([True, False]),
    np.array([8000, 4000], dtype=np.int32),
)
Q_VALUES = np.array([0.0123456, 1.0])


def text(form, q_values=None, double_stranded=True):
    formatter = HitFormatter(MOTIFS, form, double_stranded, q_values is not None)
    return formatter.header() + b"".join(formatter.lines(HITS, q_values)).decode()


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (
            "bed",
            """chr1 4 12 second 48 - 16.000 1.53e-05
               chr1 10 14 first 24 + 8.000 0.00391""",
        ),
        (
            "tsv",
            """chrom start end motif score strand log_odds p_value
               chr1 4 12 second 48 - 16.000 1.53e-05
               chr1 10 14 first 24 + 8.000 0.00391""",
        ),
        (
            "narrowpeak",
            """chr1 4 12 second 48 - 16.000 4.816 -1 4
               chr1 10 14 first 24 + 8.000 2.408 -1 2""",
        ),
        (
            "gff3",
            """##gff-version_3
               chr1 motifcnn nucleotide_motif 5 12 48.165 - . Name=second;log_odds=16.000;p_value=1.53e-05
               chr1 motifcnn nucleotide_motif 11 14 24.082 + . Name=first;log_odds=8.000;p_value=0.00391""",
        ),
    ],
)
def test_formats(form, expected):
    lines = ["\t".join(line.split()).replace("_3", " 3") for line in expected.splitlines()]
    assert text(form) == "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("form", "ends"),
    [
        ("bed", ["1.53e-05\t0.0123", "0.00391\t1"]),
        ("tsv", ["p_value\tq_value", "1.53e-05\t0.0123", "0.00391\t1"]),
        ("narrowpeak", ["4.816\t1.908\t4", "2.408\t0.000\t2"]),
        ("gff3", ["##gff-version 3", "p_value=1.53e-05;q_value=0.0123", "p_value=0.00391;q_value=1"]),
    ],
)
def test_q_values_follow(form, ends):
    lines = text(form, Q_VALUES).splitlines()
    assert [line.endswith(end) for line, end in zip(lines, ends, strict=True)] == [True] * len(ends), lines


@pytest.mark.parametrize("form", ["bed", "tsv", "narrowpeak", "gff3"])
def test_no_hits_no_lines(form):
    none = Hits("chr1", *(column[:0] for column in (HITS.starts, HITS.motifs, HITS.reverse, HITS.scores)))
    assert list(HitFormatter(MOTIFS, form, True).lines(none)) == []


def test_sequences_of_one_strand_have_a_dot():
    assert [line.split("\t")[5] for line in text("bed", double_stranded=False).splitlines()] == [".", "."]
    assert "\tsequence_motif\t" in text("gff3", double_stranded=False)


def test_score_is_clamped_to_a_thousand():
    """BED allows 0 to 1000; p-values go lower than 1e-100."""
    word = np.zeros(180, dtype=np.uint8)
    wide = IntegerMotif.from_log_odds(Motif("wide", np.eye(4)[word], DNA).log_odds(np.full(4, 0.25)))
    hits = Hits(
        "chr1", np.array([0]), np.array([0], np.int32), np.array([False]), np.array([wide.highest], dtype=np.int32)
    )
    (line,) = HitFormatter([wide], "bed", True).lines(hits)
    assert line.split(b"\t")[4] == b"1000"


@pytest.mark.parametrize("scanner", ["auto", "numpy"])
def test_thousands_of_hits_in_several_goes(monkeypatch, scanner):
    monkeypatch.setenv("MOTIFCNN_SCANNER", scanner)
    monkeypatch.setattr("motifcnn.scanning.hits._TOGETHER", 700)
    generator = np.random.default_rng(0)
    matrices = [generator.dirichlet(np.ones(4), width) for width in (5, 9)]
    motifs = [
        IntegerMotif.from_log_odds(Motif(name, matrix, DNA, sites=50).log_odds(np.full(4, 0.25)))
        for name, matrix in zip(("a", "Ö"), matrices, strict=True)
    ]
    which = generator.integers(0, 2, 3000).astype(np.int32)
    lowest, highest = (np.array([getattr(motif, end) for motif in motifs])[which] for end in ("lowest", "highest"))
    scores = generator.integers(lowest, highest + 1).astype(np.int32)
    starts = np.sort(generator.integers(0, 10**10, 3000))
    reverse = generator.random(3000) < 0.5
    expected = "".join(
        f"c\t{start}\t{start + motifs[n].width}\t{motifs[n].name}\t"
        f"{round(-10 * np.log10(motifs[n].p_values(score)) + 0.0)}\t{'+-'[int(back)]}\t{score / 500:.3f}\t"
        f"{motifs[n].p_values(score):.3g}\n"
        for start, n, back, score in zip(starts.tolist(), which, reverse, scores, strict=True)
    )
    formatter = HitFormatter(motifs, "bed", True)
    halves = [Hits("c", starts[h], which[h], reverse[h], scores[h]) for h in (slice(2000), slice(2000, None))]
    assert b"".join(block for half in halves for block in formatter.lines(half)).decode() == expected


def test_tables_of_proteins_number_residues_from_1(generator):
    matrix = generator.dirichlet(np.ones(20), 5)
    motif = IntegerMotif.from_log_odds(Motif("p", matrix, PROTEIN).log_odds(np.full(20, 0.05)))
    hits = Hits(
        "sp|P1|X", np.array([6]), np.array([0], dtype=np.int32), np.array([False]), np.array([0], dtype=np.int32)
    )
    formatter = HitFormatter([motif], "tsv", double_stranded=False, with_q=True)
    header, line = formatter.header(), b"".join(formatter.lines(hits, np.array([0.5]))).decode()
    row = dict(zip(header.split(), line.split(), strict=True))
    assert (row["start"], row["end"], row["first_residue"], row["last_residue"]) == ("6", "11", "7", "11")
    assert (row["strand"], row["q_value"]) == (".", "0.5")
    assert "residue" not in HitFormatter([motif], "bed", double_stranded=False).header()
