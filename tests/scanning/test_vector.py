"""The vector and the plain engine against a window-by-window oracle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.scanning import vector
from motifcnn.scanning.layout import PIECE
from motifcnn.scanning.machine_code import machine_code
from motifcnn.scanning.plain import PlainEngine
from motifcnn.scanning.vector import VectorEngine


def vector_engine(scores, thresholds):
    return VectorEngine.of(scores, thresholds, machine_code())


ENGINES = [pytest.param(vector_engine, id="vector"), pytest.param(PlainEngine, id="plain")]


def brute_force(scores, thresholds, codes, begin, end):
    found = []
    for start in range(begin, end):
        for strand, (table, threshold) in enumerate(zip(scores, thresholds, strict=True)):
            window = codes[start : start + len(table)]
            if len(window) == len(table) and (window < table.shape[1]).all():
                total = int(table[np.arange(len(table)), window].sum())
                if total >= threshold:
                    found.append((start, strand, total))
    return found


def as_list(found):
    return list(zip(*(array.tolist() for array in found), strict=True))


def random_strands(generator, count, letters, widths=(1, 45)):
    scores = [
        generator.integers(-4000, 1000, (int(width), letters)).astype(np.int32)
        for width in generator.integers(*widths, count)
    ]
    kinds = generator.integers(0, 5, count)
    thresholds = []
    for table, kind in zip(scores, kinds, strict=True):
        lowest, best = int(table.min(axis=1).sum()), int(table.max(axis=1).sum())
        among = (lowest - 1, best + 1, best, int(generator.integers(lowest, best + 1)), (2 * best + lowest) // 3)
        thresholds.append(among[kind])
    return scores, thresholds


@pytest.mark.parametrize("make", ENGINES)
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32), count=st.integers(1, 200), letters=st.sampled_from([4, 20]), length=st.integers(0, 130),
    ambiguous=st.sampled_from([0.0, 0.02, 0.5]),
)  # fmt: skip
def test_hits_are_those_of_brute_force(make, seed, count, letters, length, ambiguous):
    generator = np.random.default_rng(seed)
    scores, thresholds = random_strands(generator, count, letters)
    codes = generator.integers(0, letters, length).astype(np.uint8)
    codes[generator.random(length) < ambiguous] = letters + generator.integers(0, 3)
    begin = int(generator.integers(0, length + 1))
    end = int(generator.integers(begin, length + 1))
    expected = brute_force(scores, thresholds, codes, begin, end)
    assert as_list(make(scores, thresholds).find(codes, begin, end)) == expected


@pytest.mark.parametrize("make", ENGINES)
@pytest.mark.parametrize("width", [*range(1, 41), 61])
def test_every_width_finds_its_best_word_at_both_ends_and_beside_ambiguity(make, width):
    generator = np.random.default_rng(width)
    table = np.full((width, 4), -700, dtype=np.int32)
    word = generator.integers(0, 4, width)
    table[np.arange(width), word] = 900
    codes = np.concatenate([word, [4], word, [7], generator.integers(0, 4, 50), word]).astype(np.uint8)
    found = make([table], [900 * width]).find(codes, 0, len(codes))
    starts = [start for start, _, _ in brute_force([table], [900 * width], codes, 0, len(codes))]
    assert found[0].tolist() == starts
    assert {0, width + 1, len(codes) - width} <= set(starts)


@pytest.mark.parametrize("make", ENGINES)
def test_hits_beyond_the_first_room_are_kept(make):
    table = np.zeros((2, 4), dtype=np.int32)
    codes = np.zeros(30_000, dtype=np.uint8)
    starts, strands, _ = make([table, table], [0, 0]).find(codes, 0, len(codes))
    assert len(starts) == 2 * 29_999
    assert (np.diff(2 * starts + strands) == 1).all()


def test_pieces_of_a_long_sequence_join_without_loss():
    generator = np.random.default_rng(3)
    scores, _ = random_strands(generator, 40, 4, widths=(4, 30))
    codes = generator.integers(0, 4, 3 * PIECE + 11).astype(np.uint8)
    codes[100 : 100 + PIECE * 2] = 4  # a whole piece is skipped
    best = [int(table.max(axis=1).sum()) for table in scores]
    best = [round(0.4 * score) if score > 0 else score for score in best]
    vectors, plain = vector_engine(scores, best), PlainEngine(scores, best)
    found = vectors.find(codes, 0, len(codes))
    assert len(found[0])
    assert as_list(found) == as_list(plain.find(codes, 0, len(codes)))


def test_the_prefilter_lets_little_more_than_the_hits_pass():
    """Otherwise everything would be scored exactly: right, but slow."""
    generator = np.random.default_rng(5)
    scores = generator.integers(-2000, 1000, (12, 4)).astype(np.int32)
    codes = generator.integers(0, 4, 200_000).astype(np.uint8)
    totals = sum(scores[step, codes[step : len(codes) - 11 + step]].astype(np.int64) for step in range(12))
    threshold = int(np.quantile(totals, 0.9999))
    table = vector._table([scores], [threshold], 3)[:, :, 0].astype(np.int64)
    words = codes[:-2].astype(np.int64) * 16 + codes[1:-1] * 4 + codes[2:]
    sums = sum(table[slot, words[3 * slot : len(words) - 9 + 3 * slot]] for slot in range(4))
    passing = (sums >= 0).sum()
    assert (totals >= threshold).sum() <= passing <= 2 * (totals >= threshold).sum()
