import numpy as np
import pyBigWig
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.tracks import (
    Peak,
    Stretch,
    chromosome_sizes,
    in_order,
    placed,
    write_bed,
    write_bedgraph,
    write_bigwig,
)
from motifcnn.intervals import Interval


def values(*numbers):
    return np.array(numbers, dtype=np.float32)


@st.composite
def tracks(draw):
    """Sorted stretches of several chromosomes that do not overlap, with gaps and missing values."""
    number = st.one_of(st.just(float("nan")), st.integers(-40, 40).map(lambda n: n / 8))
    stretches = []
    for chrom in draw(
        st.lists(st.sampled_from(["chr1", "chr10", "chr2", "P53|x", "a;b", "ü"]), unique=True, min_size=1)
    ):
        position = 0
        for _ in range(draw(st.integers(1, 3))):
            position += draw(st.integers(0, 5))
            content = draw(st.lists(number, min_size=1, max_size=12))
            stretches.append(Stretch(chrom, position, values(*content)))
            position += len(content)
    return in_order(stretches)


def dense(stretches, sizes):
    """The obvious form: one array a chromosome."""
    arrays = {chrom: np.full(size, np.nan, dtype=np.float32) for chrom, size in sizes.items()}
    for stretch in stretches:
        arrays[stretch.chrom][stretch.start : stretch.end] = stretch.values
    return arrays


@given(tracks())
def test_bedgraph_read_back_is_the_track(tmp_path_factory, stretches):
    path = tmp_path_factory.mktemp("tracks") / "a.bedgraph"
    write_bedgraph(path, stretches)
    sizes = chromosome_sizes(stretches)
    found = {chrom: np.full(size, np.nan, dtype=np.float32) for chrom, size in sizes.items()}
    for line in path.read_text(encoding="utf-8").splitlines():
        chrom, start, end, value = line.split("\t")
        assert np.isnan(found[chrom][int(start) : int(end)]).all()
        found[chrom][int(start) : int(end)] = float(value)
    for chrom, expected in dense(stretches, sizes).items():
        np.testing.assert_array_equal(found[chrom], expected)


@given(tracks())
def test_bigwig_read_back_is_the_track(tmp_path_factory, stretches):
    path = tmp_path_factory.mktemp("tracks") / "a.bw"
    sizes = {chrom: size + 3 for chrom, size in chromosome_sizes(stretches).items()}
    expected = dense(stretches, sizes)
    if all(np.isnan(array).all() for array in expected.values()):
        with pytest.raises(MotifcnnError, match="a bigWig without any value cannot be written"):
            write_bigwig(path, stretches, sizes)
        return
    write_bigwig(path, stretches, sizes)
    track = pyBigWig.open(str(path))
    assert track.chroms() == sizes
    assert list(track.chroms()) == sorted(sizes, key=str.encode)
    for chrom, array in expected.items():
        np.testing.assert_array_equal(track.values(chrom, 0, sizes[chrom], numpy=True), array)
    track.close()


def test_many_sequences_each_its_own_chromosome(tmp_path, generator):
    stretches = in_order(placed(f"peak{n}", generator.random(30).astype(np.float32)) for n in range(1500))
    sizes = chromosome_sizes(stretches)
    write_bigwig(tmp_path / "a.bw", iter(stretches), sizes)
    track = pyBigWig.open(str(tmp_path / "a.bw"))
    assert track.chroms() == sizes
    for stretch in stretches[::173]:
        np.testing.assert_array_equal(track.values(stretch.chrom, 0, 30, numpy=True), stretch.values)
    track.close()


def test_bedgraph_joins_equal_neighbours_and_leaves_gaps(tmp_path):
    path = tmp_path / "a.bedgraph"
    write_bedgraph(path, [Stretch("chr1", 5, values(1, 1, np.nan, 0.33333, -0.00001))])
    assert path.read_text() == "chr1\t5\t7\t1\nchr1\t8\t9\t0.3333\nchr1\t9\t10\t0\n"


def test_a_sequence_without_values_is_an_empty_track(tmp_path):
    write_bedgraph(tmp_path / "a.bedgraph", [Stretch("chr1", 0, values())])
    assert (tmp_path / "a.bedgraph").read_bytes() == b""


class TestRefusals:
    @pytest.fixture(params=["bedgraph", "bigwig"])
    def write(self, request, tmp_path):
        path = tmp_path / f"track.{request.param}"

        def write(stretches):
            try:
                if request.param == "bedgraph":
                    write_bedgraph(path, stretches)
                else:
                    write_bigwig(path, stretches, {"a": 100, "b": 100})
            finally:
                assert not list(tmp_path.iterdir())  # nothing half-written, nothing left over

        return write

    def test_overlap(self, write):
        with pytest.raises(InputError, match=r"a:0-3 and a:2-5 overlap, and a track holds one value a position; leave"):
            write([Stretch("a", 0, values(1, 2, 3)), Stretch("a", 2, values(1, 2, 3))])

    def test_starts_out_of_order(self, write):
        with pytest.raises(InputError, match=r"a:0-1 comes after a:9-10: tracks must be sorted by chromosome"):
            write([Stretch("a", 9, values(1)), Stretch("a", 0, values(1))])

    def test_a_chromosome_in_two_pieces(self, write):
        with pytest.raises(InputError, match=r"a:9-10 comes too late: tracks must be sorted"):
            write([Stretch("a", 0, values(1)), Stretch("b", 0, values(1)), Stretch("a", 9, values(1))])


def test_bigwig_chromosomes_out_of_order(tmp_path):
    with pytest.raises(InputError, match=r"a:0-1 comes too late"):
        write_bigwig(tmp_path / "x.bw", [Stretch("b", 0, values(1)), Stretch("a", 0, values(1))], {"b": 5, "a": 5})


def test_bigwig_past_the_end(tmp_path):
    with pytest.raises(InputError, match=r"chr1:8-12 reaches past the end of chr1 \(10 positions\); give the genome"):
        write_bigwig(tmp_path / "x.bw", [Stretch("chr1", 8, values(1, 2, 3, 4))], {"chr1": 10})


def test_bigwig_of_an_unknown_chromosome(tmp_path):
    with pytest.raises(InputError, match="sequence chr2 is not among the chromosomes of the header"):
        write_bigwig(tmp_path / "x.bw", [Stretch("chr2", 8, values(1))], {"chr1": 10})


def test_bigwig_without_chromosomes(tmp_path):
    with pytest.raises(MotifcnnError, match="a bigWig without chromosomes cannot be written; give at least one"):
        write_bigwig(tmp_path / "x.bw", [], {})


def test_bigwig_where_there_is_no_folder(tmp_path):
    with pytest.raises(InputError, match=r"cannot be written .*; choose another place"):
        write_bigwig(tmp_path / "none" / "x.bw", [Stretch("a", 0, values(1))], {"a": 1})


def test_bigwig_that_was_cut_short_is_refused(tmp_path, monkeypatch):
    from motifcnn.formats import tracks as module

    monkeypatch.setattr(module, "_write_entries", lambda path, stretches, sizes: path.write_bytes(b"cut") or 3)
    with pytest.raises(MotifcnnError, match="was not written whole; see whether there is space left"):
        write_bigwig(tmp_path / "x.bw", [Stretch("a", 0, values(1))], {"a": 1})
    assert not list(tmp_path.iterdir())


def test_coordinates_in_a_name_place_its_values():
    plus, minus = placed("chr22:100-103", values(1, 2, 3)), placed("chr1:5-8(-)", values(1, 2, 3))
    assert (plus.chrom, plus.start, plus.end, plus.values.tolist()) == ("chr22", 100, 103, [1, 2, 3])
    assert (minus.chrom, minus.start, minus.values.tolist()) == ("chr1", 5, [3, 2, 1])


def test_any_other_name_is_a_chromosome_of_its_own():
    stretch = placed("sp|P04637|P53", values(1, 2))
    assert stretch.interval == Interval("sp|P04637|P53", 0, 2)


def test_a_name_of_another_length_is_refused():
    with pytest.raises(InputError, match="spans 3 positions by its name but holds 2; mend the name"):
        placed("chr22:100-103", values(1, 2))


@pytest.mark.parametrize("name", ["", "two words", "tab\there"])
def test_names_with_white_space_are_refused(name):
    with pytest.raises(InputError, match="cannot stand in a track; give it a name without white space"):
        placed(name, values(1))


def test_bed_scores_are_shares_of_the_full_score(tmp_path):
    peaks = [Peak(Interval("a", 1, 4, "-"), "motif_1", height) for height in (0.25, 4.0, 8.0, -1.0)]
    write_bed(tmp_path / "a.bed", peaks, full_score=4.0)
    rows = [line.split("\t") for line in (tmp_path / "a.bed").read_text().splitlines()]
    assert rows[0] == ["a", "1", "4", "motif_1", "62", "-", "0.25"]
    assert [row[4] for row in rows] == ["62", "1000", "1000", "0"]


@pytest.mark.parametrize("full_score", [0.0, -1.0, float("nan")])
def test_bed_without_a_scale_is_refused(tmp_path, full_score):
    with pytest.raises(MotifcnnError, match="leaves no scale for BED scores; it must be above 0"):
        write_bed(tmp_path / "a.bed", [], full_score)
