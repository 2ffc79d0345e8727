import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.motifs import LogOdds, Motif
from motifcnn.scanning.best import best_sites, occupancies
from motifcnn.sequences import Sequences


def log_odds(generator, width, alphabet=DNA):
    return Motif("m", generator.dirichlet(np.ones(alphabet.size), width), alphabet).log_odds()


def slow_best(matrix, codes, both):
    """Score, start and strand of the best window by loops."""
    best = (-np.inf, 0, False)
    for start in range(len(codes) - matrix.width + 1):
        window = codes[start : start + matrix.width]
        if (window >= matrix.alphabet.size).any():
            continue
        readings = [window, matrix.alphabet.reverse_complement(window)] if both else [window]
        for strand, reading in enumerate(readings):
            score = sum(matrix.scores[position, code] for position, code in enumerate(reading))
            if score > best[0]:
                best = (score, start, bool(strand))
    return best


@given(st.integers(0, 10_000), st.booleans(), st.sampled_from([DNA, PROTEIN]))
@settings(max_examples=40)
def test_best_sites_are_those_of_loops(seed, both, alphabet):
    generator = np.random.default_rng(seed)
    both = both and alphabet is DNA
    codes = [
        generator.integers(0, alphabet.size + (generator.random() < 0.5), length).astype(np.uint8)
        for length in generator.integers(0, 25, 6)
    ]
    sequences = Sequences.from_list([f"s{n}" for n in range(6)], codes, alphabet)
    matrices = [log_odds(generator, width, alphabet) for width in (1, 4, 7)]
    found = best_sites(matrices, sequences, both)
    for row, sequence in enumerate(codes):
        for column, matrix in enumerate(matrices):
            score, start, reverse = slow_best(matrix, sequence, both)
            assert found.scores[row, column] == score
            assert (found.starts[row, column], found.reverse[row, column]) == (start, reverse)


def test_windows_do_not_run_from_one_sequence_into_the_next():
    matrix = Motif("m", np.eye(4)[[0, 1, 2, 3]], DNA).log_odds()
    sequences = Sequences.from_list(["a", "b"], [DNA.encode("TTTAC"), DNA.encode("GTTTT")], DNA)
    assert (best_sites([matrix], sequences, False).scores < 0).all()


def test_ties_go_to_the_first_and_to_the_forward_strand():
    matrix = LogOdds("m", np.log2(np.array([[0.97, 0.01, 0.01, 0.01], [0.01, 0.01, 0.01, 0.97]]) * 4), DNA, np.ones(4))
    sequences = Sequences.from_list(["a"], [DNA.encode("CCATCCAT")], DNA)  # AT is its own reverse complement
    found = best_sites([matrix], sequences, True)
    assert (found.starts[0, 0], found.reverse[0, 0]) == (2, False)


@given(st.integers(0, 10_000))
@settings(max_examples=30)
def test_a_palindrome_is_read_forward(seed):
    generator = np.random.default_rng(seed)
    half = generator.integers(0, 4, 4).astype(np.uint8)
    word = np.concatenate([half, DNA.reverse_complement(half)])
    found = best_sites([log_odds(generator, 8)], Sequences.from_list(["a"], [word], DNA), True)
    assert not found.reverse[0, 0]


def test_a_sequence_without_any_site():
    matrix = Motif("m", np.full((3, 4), 0.25), DNA).log_odds()
    sequences = Sequences.from_list(["short", "masked"], [DNA.encode("AC"), DNA.encode("ACNACNAC")], DNA)
    found = best_sites([matrix], sequences, True)
    assert np.isneginf(found.scores).all()
    assert not found.starts.any()
    assert not found.reverse.any()


def test_no_motifs():
    sequences = Sequences.from_list(["a"], [DNA.encode("ACGT")], DNA)
    assert best_sites([], sequences, True).scores.shape == (1, 0)


@given(st.integers(0, 10_000), st.booleans(), st.sampled_from([DNA, PROTEIN]))
@settings(max_examples=30)
def test_occupancies_are_sums_of_odds_by_loops(seed, both, alphabet):
    generator = np.random.default_rng(seed)
    both = both and alphabet is DNA
    codes = [
        generator.integers(0, alphabet.size + 1, length).astype(np.uint8) for length in generator.integers(0, 15, 4)
    ]
    matrices = [log_odds(generator, width, alphabet) for width in (1, 4)]
    found = occupancies(matrices, Sequences.from_list(["a", "b", "c", "d"], codes, alphabet), both)
    for row, sequence in enumerate(codes):
        for column, matrix in enumerate(matrices):
            windows = [sequence[start : start + matrix.width] for start in range(len(sequence) - matrix.width + 1)]
            windows = [window for window in windows if (window < alphabet.size).all()]
            readings = windows + [alphabet.reverse_complement(window) for window in windows if both]
            total = sum(2.0 ** matrix.scores[np.arange(matrix.width), reading].sum() for reading in readings)
            assert 2.0 ** found[row, column] == (pytest.approx(total) if total else 0.0)
