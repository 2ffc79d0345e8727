from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.errors import MotifcnnError
from motifcnn.learning import gapped_words
from motifcnn.learning.gapped_words import GappedWords, unit_rows
from motifcnn.sequences import Sequences


def sequences_of(texts, alphabet=DNA):
    return Sequences.from_list([f"s{n}" for n in range(len(texts))], [alphabet.encode(t) for t in texts], alphabet)


def similarity(first, second, words):
    """The gapped-k-mer kernel of two strands without coordinates: matches of all pairs of places."""
    size, total = words.alphabet.size, 0
    for i in range(len(first)):
        for j in range(len(second)):
            reach = 0
            while (
                reach < words.length
                and i + reach < len(first)
                and j + reach < len(second)
                and first[i + reach] < size
                and second[j + reach] < size
            ):
                reach += 1
            same = first[i : i + reach] == second[j : j + reach]
            for span in range(words.informative, reach + 1):
                if same[0] and same[span - 1]:
                    inner = int(same[1 : span - 1].sum())
                    total += (words.length - span + 1) * comb(inner, words.informative - 2)
    return total


def kernel(sequences, words):
    """Kernel matrix computed directly, sequence by sequence and strand by strand."""
    strands = [[codes] for codes in (sequences[i] for i in range(len(sequences)))]
    if words.both_strands:
        strands = [[codes, words.alphabet.reverse_complement(codes)] for [codes] in strands]
    return np.array(
        [[sum(similarity(a, b, words) for a in x for b in y) for y in strands] for x in strands],
        dtype=float,
    )


@settings(max_examples=25)
@given(
    texts=st.lists(st.text("ACGTN", min_size=0, max_size=14), min_size=1, max_size=3),
    size=st.sampled_from([(2, 2), (4, 2), (4, 3), (5, 3), (5, 5)]),
    both=st.booleans(),
)
def test_dot_products_of_counts_are_the_kernel_computed_directly(texts, size, both):
    words, sequences = GappedWords(DNA, *size, both), sequences_of(texts)
    counts = words.counts(sequences)
    assert (counts @ counts.T).toarray() == pytest.approx(kernel(sequences, words), rel=1e-5, abs=1e-4)


def test_proteins_and_rna_have_one_strand(generator):
    for alphabet, letters in ((PROTEIN, "ACDEFGHIKLMNPQRSTVWYXB"), (RNA, "ACGU")):
        texts = ["".join(generator.choice(list(letters), 12)) for _ in range(3)]
        texts.append(texts[0])
        words, sequences = GappedWords.for_alphabet(alphabet, both_strands=False), sequences_of(texts, alphabet)
        counts = words.counts(sequences)
        assert counts.shape == (4, len(words.masks) * words.words)
        assert (counts @ counts.T).toarray() == pytest.approx(kernel(sequences, words), rel=1e-5)


def test_the_other_strand_counts_the_same(generator):
    codes = generator.integers(0, 5, 60).astype(np.uint8)
    pair = Sequences.from_list(["a", "b"], [codes, DNA.reverse_complement(codes)], DNA)
    counts = GappedWords(DNA, 8, 6, True).counts(pair)
    assert abs(counts[0] - counts[1]).max() < 1e-5
    assert counts[0].nnz > 100


def test_all_masks_are_there_once():
    plain = GappedWords(DNA, 6, 4, False).masks
    assert set(plain) == {(0, *rest) for rest in combinations(range(1, 6), 3)}
    folded = GappedWords(DNA, 6, 4, True).masks
    mirrored = {tuple(mask[-1] - p for p in reversed(mask)) for mask in folded}
    assert set(folded) | mirrored == set(plain)
    assert len(folded) == len({frozenset([m, tuple(m[-1] - p for p in reversed(m))]) for m in plain})


def test_the_kernel_is_positive_semi_definite(generator):
    sequences = sequences_of(["".join(generator.choice(list("ACGT"), 9)) for _ in range(14)])
    assert np.linalg.eigvalsh(kernel(sequences, GappedWords(DNA, 7, 3, True)))[0] > -1e-6


def test_a_truncated_kernel_need_not_be_and_the_smallest_shift_mends_it():
    """gkm-SVM leaves out pairs of windows with many mismatches; our counts leave nothing out."""
    chain = ["ACGTACGTAC", "CCGTACGTAC", "CCGTACGTAG"]
    matches = np.array([[sum(a == b for a, b in zip(x, y, strict=True)) for y in chain] for x in chain])
    whole = np.vectorize(comb)(matches, 2).astype(float)
    truncated = np.where(matches >= 9, whole, 0)
    assert np.linalg.eigvalsh(whole)[0] > 0
    least = np.linalg.eigvalsh(truncated)[0]
    assert least < -1
    assert np.linalg.eigvalsh(truncated - least * np.eye(3))[0] == pytest.approx(0, abs=1e-9)
    counts = GappedWords(DNA, 10, 2, False).counts(sequences_of(chain))
    assert np.linalg.eigvalsh((counts @ counts.T).toarray())[0] > 0


def test_unit_rows_are_of_length_one_and_an_empty_one_stays():
    scaled = unit_rows(GappedWords(DNA, 4, 2, True).counts(sequences_of(["ACGTAC", "NNNNN", "GGGTTTACCA"])))
    assert np.sqrt(np.asarray(scaled.multiply(scaled).sum(axis=1))).ravel() == pytest.approx([1, 0, 1])


def test_more_than_fits_is_refused(monkeypatch):
    monkeypatch.setattr(gapped_words, "_MOST_BYTES", 100)
    with pytest.raises(MotifcnnError, match=r"gapped words of 12 letters would take .* fewer or shorter sequences"):
        GappedWords(DNA, 4, 2, True).counts(sequences_of(["ACGTACGTACGT"]))
