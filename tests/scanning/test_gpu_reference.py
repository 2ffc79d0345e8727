"""The torch reference of the GPU's arithmetic: the hits of the plain engine, one by one."""

import numpy as np
import torch
from gpu_inputs import motif_strands, sequence
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.alphabet import DNA
from motifcnn.scanning.gpu_reference import search
from motifcnn.scanning.gpu_tables import Packed, strand_tables
from motifcnn.scanning.gpu_work import DeviceTables, Found, Stretch
from motifcnn.scanning.plain import PlainEngine

CPU = torch.device("cpu")


def stretch_of(codes, windows):
    packed = Packed(*(np.empty(size, dtype=np.uint8) for size in Packed.sizes(len(codes))))
    packed.fill(codes)
    return Stretch(torch.from_numpy(packed.letters), torch.from_numpy(packed.unknown), len(codes), windows)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32), widths=st.lists(st.integers(4, 40), min_size=1, max_size=40),
    length=st.integers(1, 300), p_value=st.sampled_from([1e-3, 1e-2, 0.3, 1]),
)  # fmt: skip
def test_hits_are_those_of_the_plain_engine(seed, widths, length, p_value):
    generator = np.random.default_rng(seed)
    scores, thresholds = motif_strands(generator, widths, p_value)
    codes = sequence(generator, length)
    windows = int(generator.integers(1, length + 1))
    found = Found.with_room(windows * len(scores) + 1, CPU)
    search(stretch_of(codes, windows), DeviceTables.of(strand_tables(scores, thresholds), CPU), found)
    hits = int(found.counters[1])
    keys, order = torch.sort(found.keys[:hits])
    starts, strands = np.divmod(keys.numpy(), len(scores))
    expected = PlainEngine(scores, thresholds).find(codes, 0, windows)
    assert starts.tolist() == expected[0].tolist()
    assert strands.tolist() == expected[1].tolist()
    assert found.scores[:hits][order].tolist() == expected[2].tolist()


def test_what_has_no_room_is_counted():
    generator = np.random.default_rng(0)
    scores, thresholds = motif_strands(generator, [5] * 20, 0.05)
    codes = generator.integers(0, DNA.size, 500).astype(np.uint8)
    tables = DeviceTables.of(strand_tables(scores, thresholds), CPU)
    counts = []
    for room in (1 << 14, 10):
        found = Found.with_room(room, CPU)
        search(stretch_of(codes, 490), tables, found)
        counts.append(found.counters.tolist())
    assert counts[1][0] == counts[0][0] > 10
    assert counts[1][1] >= 10
