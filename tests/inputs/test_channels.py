import logging
from pathlib import Path

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.encoding import TrackScale
from motifcnn.errors import InputError
from motifcnn.inputs.channels import Channels, matched, missing, read_channels
from motifcnn.sequences import Sequences
from motifcnn.settings import ChannelSettings

SETTINGS = ChannelSettings()
SEQUENCES = Sequences.from_list(["a", "b", "c"], [np.zeros(n, dtype=np.uint8) for n in (2, 3, 1)], DNA)
FASTA = Path("s.fa")


@pytest.fixture
def two_tracks(tmp_path):
    for folder, text in (("one", "a\t1,2\nb\t3,.,5\nc\t6\n"), ("two", "a\t7,8\nb\t9,1,2\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "track.tsv").write_text(text)
    return tmp_path / "one" / "track.tsv", tmp_path / "two" / "track.tsv"


def test_every_file_is_a_channel_with_a_name_of_its_own(two_tracks):
    channels = read_channels(two_tracks, SEQUENCES, SETTINGS)
    assert channels.names == ("track.tsv#1", "track.tsv#2")
    np.testing.assert_array_equal(channels.values, [[1, 2, 3, np.nan, 5, 6], [7, 8, 9, 1, 2, np.nan]])
    assert read_channels(two_tracks[:1], SEQUENCES, SETTINGS).names == ("track.tsv",)


def test_no_file_gives_no_channel():
    channels = read_channels((), SEQUENCES, SETTINGS)
    assert channels.names == ()
    assert channels.values.shape == (0, 6)


def test_missing_values_are_counted_and_said(two_tracks, caplog):
    with caplog.at_level(logging.INFO):
        channels = read_channels(two_tracks, SEQUENCES, SETTINGS)
    first, second = missing(channels.values, SEQUENCES)
    assert (first.positions, first.sequences) == (pytest.approx(1 / 6), 0)
    assert (second.positions, second.sequences) == (pytest.approx(1 / 6), 1)
    assert "track.tsv#2 has no value for 1 of 3 sequences" in caplog.text
    assert "track.tsv#1 has no value at 17% of the positions, which get its mean" in caplog.text


def test_whole_tracks_need_no_word(tmp_path, caplog):
    (tmp_path / "t.tsv").write_text("a\t1,2\nb\t3,4,5\nc\t6\n")
    with caplog.at_level(logging.INFO):
        read_channels([tmp_path / "t.tsv"], SEQUENCES, SETTINGS)
    assert not caplog.records


def test_a_sequence_without_letters_lacks_nothing():
    sequences = Sequences.from_list(["a", "empty"], [np.zeros(2, dtype=np.uint8), np.zeros(0, dtype=np.uint8)], DNA)
    assert missing(np.array([[1, 2]], dtype=np.float32), sequences)[0].sequences == 0


def channels_of(*names):
    return Channels(names, np.arange(len(names) * 2, dtype=np.float32).reshape(len(names), 2))


def scales_of(*names):
    return [TrackScale(name, 0.0, 1.0) for name in names]


def test_channels_are_matched_by_name(caplog):
    found = matched(channels_of("x.bw", "y.bw"), scales_of("y.bw", "x.bw"), FASTA)
    np.testing.assert_array_equal(found.values, [[2, 3], [0, 1]])
    assert found.names == ("y.bw", "x.bw")
    assert not caplog.records


def test_channels_of_other_names_are_taken_in_order(caplog):
    found = matched(channels_of("x.bw", "z.bw"), scales_of("x.bw", "y.bw"), FASTA)
    np.testing.assert_array_equal(found.values, [[0, 1], [2, 3]])
    assert "z.bw is read in the place of y.bw" in caplog.text
    assert "x.bw is read" not in caplog.text


def test_refuses_another_number_of_channels():
    with pytest.raises(InputError, match=r"trained with 1 tracks \(y.bw\) and 2 were given; repeat --conservation"):
        matched(channels_of("x.bw", "y.bw"), scales_of("y.bw"), FASTA)
