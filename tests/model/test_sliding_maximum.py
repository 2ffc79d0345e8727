"""Best scores in sliding windows: those of every window by itself, whatever widths, strides and letters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.model import sliding_maximum
from motifcnn.model.sliding_maximum import SlidingMaximum


def brute_force(weight, widths, fractions, window, stride, codes):
    rows = []
    for begin in range(0, len(codes) - window + 1, stride):
        inputs = fractions[codes[begin : begin + window]].astype(np.float64)
        row = []
        for number, width in enumerate(widths):
            filters = weight[:, number, :, :width].astype(np.float64)
            starts = range(window - width + 1)
            row.append(max(np.einsum("pc,scp->s", inputs[at : at + width], filters).max() for at in starts))
        rows.append(row)
    return np.array(rows)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32), widths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    window=st.integers(9, 40), share=st.floats(0, 1), extra=st.integers(0, 80),
    kind=st.sampled_from(["N", "IUPAC", "protein"]),
)  # fmt: skip
def test_each_window_has_the_score_that_it_has_by_itself(seed, widths, window, share, extra, kind):
    generator = np.random.default_rng(seed)
    alphabet = PROTEIN if kind == "protein" else DNA
    weight = generator.normal(0, 1, (2, len(widths), alphabet.size, max(widths))).astype(np.float32)
    for number, width in enumerate(widths):
        weight[:, number, :, width:] = 0
    codes = generator.integers(0, alphabet.size, window + extra).astype(np.uint8)
    codes[generator.random(len(codes)) < 0.1] = alphabet.unknown
    if kind != "N":
        codes[generator.random(len(codes)) < 0.1] = alphabet.size + 2
    stride = 1 + int(share * (window - 1))
    found = SlidingMaximum(weight, widths, alphabet.fractions, window, stride).of(codes)
    expected = brute_force(weight, widths, alphabet.fractions, window, stride, codes)
    assert found == pytest.approx(expected, abs=1e-5)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32), width=st.integers(1, 9), filters=st.integers(1, 70), window=st.integers(9, 40),
    share=st.floats(0, 1), extra=st.integers(0, 80), reach=st.integers(0, 50), strands=st.integers(1, 2),
    kind=st.sampled_from(["N", "IUPAC", "protein"]),
)  # fmt: skip
def test_place_in_the_window_counts(seed, width, filters, window, share, extra, reach, strands, kind):
    generator = np.random.default_rng(seed)
    alphabet = PROTEIN if kind == "protein" else DNA
    weight = generator.normal(0, 1, (strands, filters, alphabet.size, width)).astype(np.float32)
    place = generator.normal(0, 1, (2 * reach + 1, filters)).astype(np.float32)
    symbols = len(alphabet.symbols) if kind == "IUPAC" else alphabet.size + 1
    codes = generator.integers(0, symbols, window + extra).astype(np.uint8)
    stride = 1 + int(share * (window - 1))
    found = SlidingMaximum(weight, [width] * filters, alphabet.fractions, window, stride, place).of(codes)
    inputs = np.lib.stride_tricks.sliding_window_view(alphabet.fractions[codes], width, axis=0)
    scores = np.einsum("pcw,sfcw->pfs", inputs, weight.astype(np.float64)).max(axis=2)
    positions = window - width + 1
    away = np.clip(2 * np.arange(positions) + width - window, -reach, reach) + reach
    expected = [(scores[at : at + positions] + place[away]).max(axis=0) for at in range(0, extra + 1, stride)]
    assert found == pytest.approx(np.array(expected), abs=1e-5)


def test_more_filters_than_lanes():
    generator = np.random.default_rng(0)
    weight = generator.normal(0, 1, (2, 70, 4, 6)).astype(np.float32)
    codes = generator.integers(0, 5, 100).astype(np.uint8)
    found = SlidingMaximum(weight, [6] * 70, DNA.fractions, 30, 7).of(codes)
    assert found == pytest.approx(brute_force(weight, [6] * 70, DNA.fractions, 30, 7, codes), abs=1e-5)


def test_a_channel_of_minus_infinity_forbids_its_letter():
    weight = np.ones((1, 1, 5, 3), dtype=np.float32)
    weight[:, :, 4] = -np.inf
    sliding = SlidingMaximum(weight, [3], np.eye(5, dtype=np.float32), 4, 1)
    assert sliding.of(np.array([0, 1, 2, 3, 4, 0, 0, 4], dtype=np.uint8)).ravel().tolist() == [3, 3, *[-np.inf] * 3]


def test_windows_at_once_bound_the_memory(monkeypatch):
    weight = np.zeros((2, 10, 4, 6), dtype=np.float32)
    sliding = SlidingMaximum(weight, [6] * 10, DNA.fractions, 30, 7)
    monkeypatch.setattr(sliding_maximum, "_ROOM", 4000)
    assert sliding.windows_at_once == 4000 // (10 * 2) - 25 // 7
    monkeypatch.setattr(sliding_maximum, "_ROOM", 1)
    assert sliding.windows_at_once == 25 // 7
    assert SlidingMaximum(weight, [6] * 10, DNA.fractions, 30, 30).windows_at_once == 1


def test_windows_at_once_bound_the_memory_of_wide_windows_with_places():
    weight, place = np.zeros((2, 10, 4, 6), dtype=np.float32), np.zeros((3, 10), dtype=np.float32)
    for window, stride in ((30, 7), (200, 25), (10_000, 1250), (10_000, 10_000)):
        sliding = SlidingMaximum(weight, [6] * 10, DNA.fractions, window, stride, place)
        letters = sliding.windows_at_once * stride
        assert sliding.windows_at_once >= 1
        assert letters <= max(4 * window, sliding_maximum._ROOM // 64)
