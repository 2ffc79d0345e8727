"""Where sequences lie on tracks, against a plain map of positions; and values that come in any order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats import track_spool
from motifcnn.formats.track_spool import Layout, TrackSpool

INTERVALS = st.lists(st.tuples(st.sampled_from(["b1", "a2"]), st.integers(0, 30), st.integers(1, 9)), max_size=8)


def named(intervals):
    """Names that hold coordinates, and lengths; the last sequence has a chromosome of its own."""
    names = [f"{chrom}:{start}-{start + length}" for chrom, start, length in intervals]
    return [*names, "own"], [*(length for _, _, length in intervals), 5]


def covered(intervals):
    """Every position of the tracks, in their order: chromosomes by name, each position once."""
    positions = {(chrom, start + n) for chrom, start, length in intervals for n in range(length)}
    return sorted(positions | {("own", n) for n in range(5)})


@given(INTERVALS)
def test_each_position_has_one_place_in_the_order_of_a_track(intervals):
    layout = Layout.of(*named(intervals))
    expected = covered(intervals)
    assert layout.positions == len(expected)
    assert list(layout.positions_of(np.arange(layout.positions))) == expected
    for place, (chrom, start, _) in zip(layout.places, [*intervals, ("own", 0, 5)], strict=True):
        assert expected[place.offset] == (chrom, start)
        assert place.located == (chrom != "own")
    assert layout.sizes() == {chrom: position + 1 for chrom, position in expected}


@given(INTERVALS)
def test_blocks_are_apart_and_sequences_that_lie_on_others_are_counted(intervals):
    layout = Layout.of(*named(intervals))
    pairs = zip(layout.blocks, layout.blocks[1:], strict=False)
    assert all(one.chrom != other.chrom or one.end <= other.start for one, other in pairs)
    seen, overlapping = set(), 0
    for chrom, start, length in sorted(intervals, key=lambda item: item[:2]):
        own = {(chrom, start + n) for n in range(length)}
        overlapping += bool(own & seen)
        seen |= own
    assert layout.overlapping == overlapping


@pytest.mark.parametrize("name", ["chr1:5-9", "two words"])
def test_a_name_that_does_not_suit_is_refused_with_its_file(name):
    with pytest.raises(InputError, match=r"^s\.fa: "):
        Layout.of([name], [3], "s.fa")


@given(INTERVALS, st.integers(1, 4), st.randoms())
def test_what_was_put_is_read_back_in_the_order_of_the_track(tmp_path_factory, intervals, stretch, random):
    """Of overlapping sequences the greater value stays, whichever comes first."""
    folder = tmp_path_factory.mktemp("spool")
    layout = Layout.of(*named(intervals))
    sequences = [*intervals, ("own", 0, 5)]
    expected = [{}, {}]
    with pytest.MonkeyPatch.context() as patch, TrackSpool(layout, 2, folder) as spool:
        patch.setattr(track_spool, "_STRETCH", stretch)
        assert list(folder.iterdir()) == []  # under no name
        for track, number in random.sample(
            [(t, n) for t in range(2) for n in range(len(sequences))], 2 * len(sequences)
        ):
            chrom, start, length = sequences[number]
            values = np.arange(length, dtype=np.float32) + 10 * number + 1 + 0.5 * track
            spool.put(track, layout.places[number].offset, values, np.maximum)
            for n, value in enumerate(values.tolist()):
                expected[track][chrom, start + n] = max(value, expected[track].get((chrom, start + n), 0.0))
        for track in range(2):
            found = list(spool.stretches(track))
            assert all(len(part.values) <= stretch for part in found)
            read = [((p.chrom, p.start + n), v) for p in found for n, v in enumerate(p.values.tolist())]
            assert read == sorted(expected[track].items())


def test_positions_that_nothing_was_put_at_are_0(tmp_path):
    with TrackSpool(Layout.of(["a"], [4]), 1, tmp_path) as spool:
        spool.put(0, 1, np.array([-2.0], dtype=np.float32), lambda there, new: there + new)
        (part,) = spool.stretches(0)
    assert part.values.tolist() == [0, -2, 0, 0]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(MotifcnnError, match=r"none: tracks cannot be put there \(.*\); choose another place"):
        TrackSpool(Layout.of(["a"], [4]), 1, tmp_path / "none")
