import tempfile

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.errors import MotifcnnError
from motifcnn.motifs import Motif
from motifcnn.scanning import q_values
from motifcnn.scanning.distribution import IntegerMotif
from motifcnn.scanning.engine import Hits
from motifcnn.scanning.q_values import ScoreHistogram, counted

MOTIFS = [
    IntegerMotif.from_log_odds(
        Motif(f"m{width}", np.random.default_rng(width).dirichlet(np.ones(4), width), DNA, sites=40).log_odds(
            np.full(4, 0.25)
        )
    )
    for width in (3, 5, 6)
]
THRESHOLDS = [MOTIFS[0].lowest, MOTIFS[1].threshold(0.3), None]


def random_hits(generator, chrom, count):
    motifs = generator.integers(0, 2, count).astype(np.int32)
    scores = [generator.integers(THRESHOLDS[m], MOTIFS[m].highest + 1) for m in motifs]
    starts = np.sort(generator.integers(0, 1000, count))
    return Hits(chrom, starts, motifs, generator.random(count) < 0.5, np.array(scores, dtype=np.int32))


def test_hits_come_back_as_they_were_with_the_q_values_of_the_definition():
    generator = np.random.default_rng(0)
    found = [random_hits(generator, "a", 40), random_hits(generator, "a", 0), random_hits(generator, "b", 70)]
    windows = np.array([300, 200, 100])
    histogram = ScoreHistogram(MOTIFS, THRESHOLDS)
    with counted(iter(found), histogram) as waiting:
        given = list(histogram.q_values(waiting, windows))
    kept = [hits for hits in found if len(hits.starts)]
    assert [hits.chrom for hits, _ in given] == ["a", "b"]
    for (hits, _), before in zip(given, kept, strict=True):
        for column in ("starts", "motifs", "reverse", "scores"):
            np.testing.assert_array_equal(getattr(hits, column), getattr(before, column))
    motifs = np.concatenate([hits.motifs for hits in kept])
    scores = np.concatenate([hits.scores for hits in kept])
    p = np.array([MOTIFS[m].p_values(s) for m, s in zip(motifs, scores, strict=True)])
    for number in (0, 1):
        mine = p[motifs == number]
        expected = [min([1.0, *(o * windows[number] / (mine <= o).sum() for o in mine[mine >= one])]) for one in mine]
        got = np.concatenate([q for _, q in given])[motifs == number]
        np.testing.assert_allclose(got, expected)
    assert histogram.of_motifs().tolist() == [(motifs == 0).sum(), (motifs == 1).sum(), 0]


def test_no_room_for_waiting_hits_is_said(monkeypatch):
    class Full:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def write(self, _):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(q_values.tempfile, "TemporaryFile", Full)
    hits = random_hits(np.random.default_rng(1), "a", 3)
    message = f"^{tempfile.gettempdir()}: hits waiting .* \\(No space left on device\\); set TMPDIR to a folder"
    with (
        pytest.raises(MotifcnnError, match=message),
        counted([hits], ScoreHistogram(MOTIFS, THRESHOLDS)),
    ):
        pass
