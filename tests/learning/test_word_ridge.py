import numpy as np
import pytest

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.learning.gapped_words import GappedWords
from motifcnn.learning.word_ridge import WordKernel, fit_words
from motifcnn.sequences import Sequences


def sequences_of(generator, count=12, letters=5, alphabet=DNA):
    codes = [
        generator.integers(0, letters, length).astype(np.uint8) for length in generator.integers(3, 25, count).tolist()
    ]
    return Sequences.from_list([f"s{n}" for n in range(count)], codes, alphabet)


def kernel_matrix(kernel, count):
    columns = []
    for number in range(count):
        alone = np.zeros(count)
        alone[number] = 1.0
        columns.append(kernel.sums(kernel.table(alone)))
    return np.array(columns)


def explicit_features(sequences, length, informative, both_strands):
    """Each window's gapped words one by one, of both strands, shape [sequence, feature]."""
    from itertools import combinations, product

    size = sequences.alphabet.size
    masks = list(combinations(range(length), informative))
    words = {word: n for n, word in enumerate(product(range(size), repeat=informative))}
    features = np.zeros((len(sequences), len(masks) * len(words)))
    for row in range(len(sequences)):
        codes = sequences[row]
        readings = [codes] + ([sequences.alphabet.reverse_complement(codes)] if both_strands else [])
        for reading in readings:
            for start in range(len(codes) - length + 1):
                window = reading[start : start + length]
                if (window < size).all():
                    for column, mask in enumerate(masks):
                        features[row, column * len(words) + words[tuple(window[list(mask)].tolist())]] += 1
        features[row] /= np.sqrt(max(len(codes) - length + 1, 1)) * np.sqrt(len(masks))
    return features / np.sqrt(2) if both_strands else features


@pytest.mark.parametrize("both_strands", [False, True])
@pytest.mark.parametrize(("length", "informative"), [(3, 2), (4, 2), (3, 3)])
def test_the_kernel_is_the_product_of_gapped_word_counts(generator, length, informative, both_strands):
    sequences = sequences_of(generator)
    features = explicit_features(sequences, length, informative, both_strands)
    matrix = kernel_matrix(WordKernel(sequences, length, informative, both_strands), 12)
    assert matrix == pytest.approx(features @ features.T, abs=1e-5)
    assert np.linalg.eigvalsh((matrix + matrix.T) / 2).min() > -1e-5


def test_the_kernel_is_that_of_the_baseline_but_for_scale(generator):
    codes = [generator.integers(0, 4, 30).astype(np.uint8) for _ in range(6)]
    sequences = Sequences.from_list(list("abcdef"), codes, DNA)
    counts = GappedWords(DNA, 6, 4, both_strands=True).counts(sequences).toarray()
    matrix = kernel_matrix(WordKernel(sequences, 6, 4, both_strands=True), 6)
    # the baseline counts a word that differs by a shift once where it fits, at the sequence's ends too
    assert np.corrcoef(matrix.ravel(), (counts @ counts.T).ravel())[0, 1] > 0.99


def solved(sequences, targets, length, informative, both_strands, penalty):
    """Ridge regression with the explicit features, on sequences with a target."""
    features = explicit_features(sequences, length, informative, both_strands)
    known = ~np.isnan(targets)
    matrix = features @ features.T
    kernel = WordKernel(sequences, length, informative, both_strands)
    ridge = penalty * kernel.self_similarity()
    centred = targets[known] - targets[known].mean()
    values = np.linalg.solve(matrix[np.ix_(known, known)] + ridge * np.eye(known.sum()), centred)
    return matrix[:, known] @ values


@pytest.mark.parametrize("alphabet", [DNA, PROTEIN])
def test_fitted_words_are_the_solution_of_the_ridge_regression(generator, alphabet, monkeypatch):
    monkeypatch.setattr("motifcnn.learning.word_ridge._TOLERANCE", 1e-6)
    sequences = sequences_of(generator, count=20, letters=alphabet.size, alphabet=alphabet)
    targets = generator.normal(size=(20, 2))
    targets[3, 1] = targets[7, 1] = np.nan
    both_strands = alphabet is DNA
    weights, _ = fit_words(sequences, targets, 2, 1, both_strands, penalty=0.5)
    assert weights.shape == (2, alphabet.size**2)
    kernel = WordKernel(sequences, 2, 1, both_strands)
    for column in range(2):
        expected = solved(sequences, targets[:, column], 2, 1, both_strands, 0.5)
        assert kernel.sums(weights[column]) == pytest.approx(expected, abs=1e-4)


def test_a_word_and_its_reverse_complement_weigh_the_same(generator):
    sequences = sequences_of(generator, count=20, letters=4)
    (weights,), _ = fit_words(sequences, generator.normal(size=(20, 1)), 3, 2, both_strands=True, penalty=1.0)
    cube = weights.reshape(4, 4, 4)
    assert cube == pytest.approx(cube[::-1, ::-1, ::-1].transpose(), abs=1e-6)


@pytest.mark.parametrize("targets", [np.full((12, 1), np.nan), np.ones((12, 1))])
def test_targets_that_tell_nothing_give_no_weights(generator, targets):
    weights, _ = fit_words(sequences_of(generator), targets, 3, 2, both_strands=True, penalty=1.0)
    assert not weights.any()


def test_a_sequence_that_counts_twice_is_as_good_as_two(generator, monkeypatch):
    monkeypatch.setattr("motifcnn.learning.word_ridge._TOLERANCE", 1e-6)
    sequences, targets = sequences_of(generator, count=20, letters=4), generator.normal(size=(20, 1))
    monkeypatch.setattr(WordKernel, "self_similarity", lambda self: 3.0)
    targets[4] = np.nan
    twice = np.array([3, 4, 9])
    counts = np.where(np.isin(np.arange(20), twice), 2.0, 1.0)
    words, _ = fit_words(sequences, targets, 3, 2, True, 0.5, counts=counts)
    rows = np.concatenate([np.arange(20), twice])
    expected, _ = fit_words(sequences.subset(rows), targets[rows], 3, 2, True, 0.5)
    assert words == pytest.approx(expected, abs=1e-4)
    assert words != pytest.approx(fit_words(sequences, targets, 3, 2, True, 0.5)[0], abs=1e-2)


def test_further_numbers_are_weighed_with_the_words(generator, monkeypatch):
    """As ridge regression on the words' explicit features with the numbers beside them says."""
    monkeypatch.setattr("motifcnn.learning.word_ridge._TOLERANCE", 1e-6)
    sequences, targets = sequences_of(generator, count=20, letters=4), generator.normal(size=(20, 1))
    further = generator.normal(size=(20, 3)) * (np.arange(20) % 2)[:, None]  # every other sequence has none
    words, weights = fit_words(sequences, targets, 3, 2, True, 0.5, further)
    assert weights.shape == (1, 3)
    kernel = WordKernel(sequences, 3, 2, both_strands=True)
    own = np.square(further).sum(axis=1)
    scaled = further * np.sqrt(5.0 * kernel.self_similarity() / (np.square(own).sum() / own.sum()))
    features = np.concatenate([explicit_features(sequences, 3, 2, True), scaled], axis=1)
    matrix, centred = features @ features.T, targets[:, 0] - targets.mean()
    expected = matrix @ np.linalg.solve(matrix + 0.5 * kernel.self_similarity() * np.eye(20), centred)
    assert kernel.sums(words[0]) + further @ weights[0] == pytest.approx(expected, abs=1e-4)
