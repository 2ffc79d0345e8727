import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.errors import MotifcnnError
from motifcnn.motifs import Motif, count_letters, trim_bounds


def motif_of(*sites, pseudocount=0.0):
    counts = count_letters([DNA.encode(site) for site in sites], DNA)
    return Motif.from_counts("m", counts, DNA, pseudocount=pseudocount)


matrices = npst.arrays(np.float64, st.tuples(st.integers(1, 12), st.just(4)), elements=st.floats(0.01, 1)).map(
    lambda m: m / m.sum(axis=1, keepdims=True)
)


def test_counting_spreads_ambiguity_codes():
    counts = count_letters([DNA.encode("AN"), DNA.encode("AR")], DNA)
    assert counts.tolist() == [[2, 0, 0, 0], [0.75, 0.25, 0.75, 0.25]]
    weighted = count_letters([DNA.encode("A"), DNA.encode("C")], DNA, np.array([2.0, 0.5]))
    assert weighted.tolist() == [[2, 0.5, 0, 0]]


def test_pseudocount_is_shared_by_the_background():
    counts = count_letters([DNA.encode("A")] * 3, DNA)
    motif = Motif.from_counts("m", counts, DNA, background=np.array([0.4, 0.1, 0.1, 0.4]), pseudocount=1.0)
    assert motif.probabilities[0].tolist() == pytest.approx([3.4 / 4, 0.1 / 4, 0.1 / 4, 0.4 / 4])
    assert motif.sites == 3


def test_information_of_textbook_columns():
    motif = motif_of("AAA", "AAC", "ACG", "ACT")
    assert motif.information().tolist() == pytest.approx([2, 1, 0])
    assert motif.total_information() == pytest.approx(3)


@given(matrices)
def test_reverse_complement_is_an_involution(matrix):
    motif = Motif("m", matrix, DNA)
    twice = motif.reverse_complement().reverse_complement()
    assert np.allclose(twice.probabilities, motif.probabilities)


@given(matrices, st.text("ACGT", min_size=12, max_size=12))
def test_reverse_complement_scores_the_other_strand_alike(matrix, letters):
    log_odds = Motif("m", matrix, DNA).log_odds()
    site = DNA.encode(letters[: log_odds.width])
    there = log_odds.reverse_complement().scores[np.arange(len(site)), DNA.reverse_complement(site)]
    assert log_odds.scores[np.arange(len(site)), site].sum() == pytest.approx(there.sum())


def test_log_odds_against_a_background():
    motif = motif_of("A", "A", "C", "C")
    background = np.array([0.25, 0.125, 0.3125, 0.3125])
    scores = motif.log_odds(background, pseudocount=0.0).scores[0]
    assert scores[:2].tolist() == pytest.approx([1, 2])
    assert np.isneginf(scores[2])
    assert np.isfinite(motif.log_odds(background, pseudocount=0.1).scores).all()
    with pytest.raises(MotifcnnError, match="background frequency must be above 0"):
        motif.log_odds(np.array([1.0, 0, 0, 0]))


def test_trimming_stops_at_the_first_informative_position():
    motif = motif_of(*[a + "CA" + b + "G" + c for a in "ACGT" for b in "ACGT" for c in "ACGT"])
    assert trim_bounds(motif.information(), 0.5, 1) == (1, 5)
    assert motif.consensus[1:5] == "CANG"


@pytest.mark.parametrize(
    ("information", "minimum", "expected"),
    [
        ([0, 1, 2, 0], 1, (1, 3)),
        ([0, 0, 0], 2, (0, 2)),
        ([0.1, 0.2, 0.3], 2, (1, 3)),
        ([0.2, 1, 0.1, 0.1], 3, (0, 3)),
        ([1, 0, 1], 5, (0, 3)),
    ],
)
def test_trim_bounds(information, minimum, expected):
    assert trim_bounds(np.array(information, dtype=float), 0.5, minimum) == expected


def test_consensus_letters():
    assert motif_of("ACA", "ACC", "GCG", "GCT").consensus == "RCN"
    peptides = count_letters([PROTEIN.encode(s) for s in ("ML", "MV", "MI")], PROTEIN)
    assert Motif.from_counts("p", peptides, PROTEIN, pseudocount=0).consensus in {"Mi", "Ml", "Mv"}


def test_what_is_no_probability_matrix_is_refused():
    with pytest.raises(MotifcnnError, match="rows must be probabilities"):
        Motif("m", np.array([[0.5, 0.5, 0.5, 0.5]]), DNA)
    with pytest.raises(MotifcnnError, match=r"shape \(1, 3\)"):
        Motif("m", np.array([[0.5, 0.5, 0.0]]), DNA)
    with pytest.raises(MotifcnnError, match="no reverse complement"):
        Motif("m", np.full((2, 20), 0.05), PROTEIN).reverse_complement()


def test_log_odds_without_one_take_the_site_itself_away():
    sites = np.array([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 1, 3]], dtype=np.uint8)
    motif = Motif.from_counts("m", count_letters(sites, DNA), DNA, pseudocount=0.0)
    others = Motif.from_counts("m", count_letters(sites[1:], DNA), DNA, pseudocount=0.1)
    without, expected = motif.log_odds_without_one().scores, others.log_odds(pseudocount=0.0).scores
    for position, letter in enumerate(sites[0]):
        assert without[position, letter] == pytest.approx(expected[position, letter])
    assert (without <= motif.log_odds().scores).all()
