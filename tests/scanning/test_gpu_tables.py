"""Tables of the GPU engine: bounds that lose no hit, exact scores beside them, letters packed and unpacked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.scanning.gpu_tables import BLOCK, LETTERS, Packed, strand_tables, unfit


def random_strands(generator, widths):
    return [np.rint(generator.normal(0, 800, (width, 4))).astype(np.int32) for width in widths]


@given(seed=st.integers(0, 2**32), width=st.integers(1, 64), share=st.floats(-0.1, 1))
def test_no_word_at_the_threshold_is_ruled_out_and_every_ambiguity_code_is(seed, width, share):
    generator = np.random.default_rng(seed)
    (scores,) = random_strands(generator, [width])
    highest, lowest = int(scores.max(axis=1).sum()), int(scores.min(axis=1).sum())
    threshold = round(highest - share * (highest - lowest))
    table = strand_tables([scores], [threshold])
    (span,) = table.spans
    left = span.left[0].reshape(span.span, LETTERS).astype(np.int64)
    assert not left[width:].any()
    words = np.where(
        generator.random((200, width)) < generator.random((200, 1)),
        scores.argmax(axis=1), generator.integers(0, 4, (200, width)),
    )  # fmt: skip
    totals = scores[np.arange(width), words].sum(axis=1)
    bounds = left[np.arange(width), words].sum(axis=1)
    assert (bounds[totals >= threshold] >= span.needed[0]).all()
    position = int(generator.integers(width))
    best = left[np.arange(width), scores.argmax(axis=1)]
    assert best.sum() - best[position] < span.needed[0]


def test_bounds_leave_little_more_than_the_hits():
    generator = np.random.default_rng(0)
    (scores,) = random_strands(generator, [12])
    words = generator.integers(0, 4, (200_000, 12))
    totals = scores[np.arange(12), words].sum(axis=1)
    threshold = int(np.sort(totals)[-200])
    (span,) = strand_tables([scores], [threshold]).spans
    bounds = span.left[0].reshape(-1, LETTERS).astype(np.int64)[np.arange(12), words].sum(axis=1)
    assert 200 <= (bounds >= span.needed[0]).sum() < 320


def test_strands_of_like_width_share_a_table_and_keep_their_numbers():
    generator = np.random.default_rng(1)
    widths = [9, 4, 64, 8, 17, 16, 1] * 10
    strands = random_strands(generator, widths)
    thresholds = [-100_000 - number for number in range(len(widths))]
    table = strand_tables(strands, thresholds)
    assert [span.span for span in table.spans] == [8, 16, 32, 64]
    assert (table.longest, table.given) == (64, 70)
    first = 0
    seen = []
    for span in table.spans:
        assert span.first == first
        assert span.left.shape == (len(span.needed), span.span * LETTERS)
        assert len(span.needed) % BLOCK == 0
        for place in np.flatnonzero(span.needed < 2**30).tolist():
            number = first * BLOCK + place
            rank = int(table.ranks[number])
            seen.append(rank)
            assert table.widths[number] == widths[rank] <= span.span
            assert table.thresholds[number] == thresholds[rank]
            begin = int(table.firsts[number])
            assert (table.scores[begin : begin + strands[rank].size] == strands[rank].ravel()).all()
        first += len(span.needed) // BLOCK
    assert sorted(seen) == list(range(70))


@given(st.lists(st.integers(0, 14), max_size=70))
def test_packed_letters_can_be_read_back(codes):
    codes = np.array(codes, dtype=np.uint8)
    sizes = Packed.sizes(len(codes))
    packed = Packed(*(np.full(size + 1, 0xAA, dtype=np.uint8) for size in sizes))
    packed.fill(codes)
    assert (packed.letters[-1], packed.unknown[-1]) == (0xAA, 0xAA)
    at = np.arange(len(codes))
    letters = (packed.letters[at // 4] >> (2 * (at % 4))) & 3
    unknown = (packed.unknown[at // 8] >> (at % 8)) & 1
    assert (unknown == (codes >= 4)).all()
    assert (letters[codes < 4] == codes[codes < 4]).all()


@pytest.mark.parametrize(
    ("widths", "letters", "said"),
    [
        ([4, 64], 4, []),
        ([4, 65], 4, ["the GPU scans motifs of up to 64 positions, and one has 65"]),
        ([9], 20, ["the GPU scans nucleotides, and these motifs have 20 letters"]),
    ],
)
def test_what_does_not_fit_is_said(widths, letters, said):
    assert list(unfit(widths, letters)) == said
