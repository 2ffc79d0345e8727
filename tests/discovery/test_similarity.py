"""Likeness of motifs: copies, wherever they lie, and all alignments tried one by one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.discovery.similarity import motif_similarity
from motifcnn.errors import MotifcnnError
from motifcnn.formats.motif_files import read_motifs
from motifcnn.motifs import Motif


def random_motif(generator, width, alphabet=DNA, concentration=0.3):
    return Motif("m", generator.dirichlet([concentration] * alphabet.size, size=width), alphabet)


def random_motifs(seed, widths, alphabet=DNA):
    generator = np.random.default_rng(seed)
    return [random_motif(generator, width, alphabet) for width in widths]


def plant(core, generator, left, right):
    """The core between columns of little information."""
    flanks = [generator.dirichlet([20] * core.alphabet.size, size=size) for size in (left, right)]
    return replace(core, probabilities=np.vstack([flanks[0], core.probabilities, flanks[1]]))


@given(
    seed=st.integers(0, 10_000),
    width=st.integers(6, 20),
    flanks=st.tuples(*[st.integers(0, 8)] * 4),
    reverse=st.booleans(),
)
def test_copies_are_alike_wherever_they_lie(seed, width, flanks, reverse):
    generator = np.random.default_rng(seed)
    core = random_motif(generator, width, concentration=0.1)
    first, second = plant(core, generator, *flanks[:2]), plant(core, generator, *flanks[2:])
    offset = flanks[2] - flanks[0]
    if reverse:
        second = second.reverse_complement()
    similarity = motif_similarity(first, second, both_strands=True)
    assert similarity.correlation >= 0.9
    assert (similarity.offset, similarity.reverse) == (offset, reverse)


@given(seed=st.integers(0, 10_000), width=st.integers(9, 20), start=st.integers(0, 2), end=st.integers(0, 1))
def test_trimmed_copies_are_alike(seed, width, start, end):
    motif = random_motif(np.random.default_rng(seed), width)
    trimmed = replace(motif, probabilities=motif.probabilities[start : width - end])
    similarity = motif_similarity(motif, trimmed, both_strands=False)
    assert similarity.correlation == pytest.approx(1)
    assert similarity.offset == -start


@given(seed=st.integers(0, 10_000), widths=st.tuples(st.integers(1, 12), st.integers(1, 12)))
def test_similarity_is_the_best_correlation_of_all_alignments(seed, widths):
    first, second = random_motifs(seed, widths)
    similarity = motif_similarity(first, second, both_strands=True)
    candidates = []
    for reverse, target in enumerate([second.probabilities, second.reverse_complement().probabilities]):
        for offset in range(1 - widths[0], widths[1]):
            pairs = [(i, i + offset) for i in range(widths[0]) if 0 <= i + offset < widths[1]]
            if len(pairs) < min(6, *widths):
                continue
            weight = [np.var(first.probabilities, axis=1), np.var(target, axis=1)]
            weaker = int(np.argmin([w.sum() for w in weight]))
            if sum(weight[weaker][pair[weaker]] for pair in pairs) < 2 / 3 * weight[weaker].sum():
                continue
            a = np.concatenate([first.probabilities[i] for i, _ in pairs])
            b = np.concatenate([target[j] for _, j in pairs])
            candidates.append((np.corrcoef(a, b)[0, 1], offset, bool(reverse)))
    candidates = candidates or [(0.0, 0, False), (0.0, 0, True)]
    assert similarity.correlation == pytest.approx(max(candidates)[0])
    assert (similarity.offset, similarity.reverse) in [candidate[1:] for candidate in candidates]


def test_motifs_of_different_factors_are_not_alike(real_data):
    path = real_data / "motif_db" / "JASPAR2024_CORE_nonredundant.jaspar"
    if not path.exists():
        pytest.skip("JASPAR is not among the real data sets")
    database = read_motifs(path)
    generator = np.random.default_rng(0)
    pairs = generator.integers(len(database), size=(2000, 2))
    correlations = [
        motif_similarity(database[i], database[j], both_strands=True).correlation for i, j in pairs if i != j
    ]
    assert np.mean(np.array(correlations) < 0.8) > 0.95  # the rest are of one family


def test_both_motifs_give_the_same_similarity():
    first, second = random_motifs(8, [8, 11])
    one = motif_similarity(first, second, both_strands=False)
    other = motif_similarity(second, first, both_strands=False)
    assert one.correlation == pytest.approx(other.correlation)
    assert one.offset == -other.offset


def test_similarity_of_protein_and_of_nothing():
    first, second = random_motifs(9, [8, 8], PROTEIN)
    assert motif_similarity(first, first, both_strands=False).correlation == pytest.approx(1)
    assert motif_similarity(first, second, both_strands=False).correlation < 0.8
    uniform = Motif("u", np.full((7, 20), 0.05), PROTEIN)
    assert motif_similarity(first, uniform, both_strands=False).correlation == 0
    with pytest.raises(MotifcnnError, match="protein has no reverse complement"):
        motif_similarity(first, second, both_strands=True)
    with pytest.raises(MotifcnnError, match="motifs m and m are of different alphabets"):
        motif_similarity(first, random_motifs(9, [8])[0], both_strands=False)
