import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.formats.fasta import FastaChunk
from motifcnn.scanning.bundles import bundled

UNKNOWN = 4


def chunks_of(lengths, size):
    """Chunks of at most `size` letters of records of these lengths; every letter is one of its own."""
    generator = np.random.default_rng(len(lengths))
    made = []
    for number, length in enumerate(lengths):
        codes = generator.integers(0, 4, length).astype(np.uint8)
        starts = range(0, max(length, 1), size)
        made += [FastaChunk(f"r{number}", at, codes[at : at + size], at == starts[-1]) for at in starts]
    return made


@given(lengths=st.lists(st.integers(0, 30), max_size=30), largest=st.integers(1, 60))
@settings(max_examples=80)
def test_every_chunk_is_in_one_bundle_in_order_and_hits_find_back_to_it(lengths, largest):
    chunks = chunks_of(lengths, 20)
    made = list(bundled(chunks, UNKNOWN, largest))
    assert [chunk for bundle in made for chunk in bundle.chunks] == chunks
    for bundle in made:
        assert len(bundle.chunks) == 1 or len(bundle.codes) <= largest
        assert len(bundle.chunks) == 1 or all(chunk.last and chunk.start == 0 for chunk in bundle.chunks)
        assert bundle.last == bundle.chunks[-1].last
        starts = np.flatnonzero(bundle.codes != UNKNOWN)  # a hit at every letter
        given_back = list(bundle.owners(starts))
        assert sum(own.stop - own.start for _, own, _ in given_back) == len(starts)
        for chunk, own, begin in given_back:
            places = starts[own] - begin
            assert (places == np.arange(len(chunk.codes))).all()
            assert (bundle.codes[starts[own]] == chunk.codes).all()
        with_letters = [chunk for chunk in bundle.chunks if len(chunk.codes)] or list(bundle.chunks)[:1]
        assert [chunk for chunk, _, _ in given_back] == with_letters or len(bundle.chunks) > 1


def test_short_sequences_go_together_and_the_rest_stays():
    made = list(bundled(chunks_of([5, 0, 7, 45, 3, 4], 20), UNKNOWN, 100))
    assert [[(chunk.name, chunk.start) for chunk in bundle.chunks] for bundle in made] == [
        [("r0", 0), ("r1", 0), ("r2", 0)], [("r3", 0)], [("r3", 20)], [("r3", 40)], [("r4", 0), ("r5", 0)]
    ]  # fmt: skip
    assert (made[0].codes == UNKNOWN).nonzero()[0].tolist() == [5, 6, 14]


def test_only_sequences_with_hits_come_back_and_one_alone_always():
    (bundle,) = bundled(chunks_of([5, 5, 5], 20), UNKNOWN, 100)
    assert [(chunk.name, own) for chunk, own, _ in bundle.owners(np.array([0, 1, 12]))] == [
        ("r0", slice(0, 2)), ("r2", slice(2, 3))
    ]  # fmt: skip
    assert list(bundle.owners(np.array([], dtype=np.int64))) == []
    (alone,) = bundled(chunks_of([5], 20), UNKNOWN, 100)
    assert [(chunk.name, own) for chunk, own, _ in alone.owners(np.array([], dtype=np.int64))] == [("r0", slice(0, 0))]
