from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.encoding import Batch, EncodedSequences
from motifcnn.model import through_maximum
from motifcnn.model.filters import SharedFilters
from motifcnn.sequences import Sequences


def batch_of(codes, alphabet=DNA):
    sequences = Sequences.from_list([f"s{n}" for n in range(len(codes))], codes, alphabet)
    return EncodedSequences(sequences).batch(torch.arange(len(codes)))


def random_batch(generator, lengths, alphabet=DNA, symbols=4):
    return batch_of([generator.integers(0, symbols, length).astype(np.uint8) for length in lengths], alphabet)


def filters_for(width, both_strands, filters=6, alphabet=DNA):
    return SharedFilters(filters, alphabet.size, width, alphabet, both_strands, torch.Generator().manual_seed(1))


def results(filters, batch):
    """Scores, starts, strands and the gradient of a random weighing of the scores, ties left out."""
    filters.weight.grad = None
    found = filters.best_windows(batch)
    factors = torch.randn(found.scores.shape, generator=torch.Generator().manual_seed(2))
    (found.scores * factors * decided(filters, batch)).sum().backward()
    return found, filters.weight.grad


def decided(filters, batch):
    """Whether one window of one strand is clearly the best: equal ones differ by rounding alone."""
    scores = torch.nn.functional.conv1d(batch.inputs, filters.strand_weights().detach())
    fits = torch.arange(scores.shape[2]) + filters.width <= batch.lengths[:, None]
    scores = scores.masked_fill(~fits[:, None], -1e9).unflatten(1, (-1, filters.filters)).transpose(1, 2).flatten(2)
    if scores.shape[2] == 1:
        return torch.ones(scores.shape[:2], dtype=torch.bool)
    first, second = scores.topk(2, dim=2).values.unbind(dim=2)
    return first - second > 1e-5


def assert_same_as_dense(filters, batch):
    assert through_maximum.suits(batch.codes, filters.weight, filters.alphabet)
    found, gradient = results(filters, batch)
    dense, expected = results(filters, Batch(batch.inputs, batch.lengths))  # without codes: convolution
    clear = decided(filters, batch)
    assert filters.width < 6 or clear.float().mean() > 0.5
    assert torch.allclose(found.scores, dense.scores, atol=1e-5)
    assert (found.starts == dense.starts)[clear].all()
    assert (found.reverse == dense.reverse)[clear].all()
    assert torch.allclose(gradient, expected, atol=1e-5)


@pytest.mark.parametrize(("width", "both_strands"), list(product([1, 2, 3, 4, 6, 11, 12, 13, 19, 25], [True, False])))
def test_is_the_dense_maximum(generator, width, both_strands):
    filters = filters_for(width, both_strands)
    batch = random_batch(generator, [width, width + 1, 40, 31, width + 2])
    assert_same_as_dense(filters, batch)
    assert torch.allclose(filters.best_windows(batch).scores, filters(batch).amax(dim=2), atol=1e-5)


@pytest.mark.parametrize("both_strands", [True, False])
@pytest.mark.parametrize("filters", [1, 32, 33, 64, 65, 130])
def test_any_number_of_filters(generator, filters, both_strands):
    assert_same_as_dense(filters_for(7, both_strands, filters), random_batch(generator, [30, 22]))


@pytest.mark.parametrize("both_strands", [True, False])
@pytest.mark.parametrize("symbols", [5, len(DNA.symbols)])
def test_ambiguity_codes_are_fractions_in_both_directions(generator, symbols, both_strands):
    batch = random_batch(generator, [40, 19, 28, 60], symbols=symbols)
    assert_same_as_dense(filters_for(11, both_strands), batch)


def test_examples_with_and_without_rare_codes_in_one_batch(generator):
    codes = [generator.integers(0, symbols, 35).astype(np.uint8) for symbols in (4, 15, 5, 15, 4)]
    assert_same_as_dense(filters_for(9, True), batch_of(codes))


@pytest.mark.parametrize("symbols", [(4, 5), (4, 15), (5, 15), (4, 5, 15)])
def test_batches_of_any_kinds_of_examples(symbols, generator):
    codes = [np.append(generator.integers(0, few, 35), few - 1).astype(np.uint8) for few in symbols]
    assert_same_as_dense(filters_for(9, True), batch_of(codes))


def test_rna_has_one_strand(generator):
    assert_same_as_dense(filters_for(8, False, alphabet=RNA), random_batch(generator, [20, 33], RNA, symbols=15))


@given(
    seed=st.integers(0, 2**32 - 1),
    width=st.integers(3, 24),
    both_strands=st.booleans(),
    extra=st.lists(st.integers(0, 40), min_size=1, max_size=6),
    symbols=st.sampled_from([4, 5, 15]),
)
@settings(max_examples=30)
def test_scores_and_gradients_of_any_batch(seed, width, both_strands, extra, symbols):
    generator = np.random.default_rng(seed)
    batch = random_batch(generator, [width + more for more in extra], symbols=symbols)
    filters = filters_for(width, both_strands)
    found, gradient = results(filters, batch)
    assert torch.allclose(found.scores, filters(batch).amax(dim=2), atol=1e-5)
    factors = torch.randn(found.scores.shape, generator=torch.Generator().manual_seed(2)) * decided(filters, batch)
    windows = filters._oriented_windows(batch.inputs, found.starts, found.reverse)
    assert torch.allclose(gradient, torch.einsum("nf,nfcw->fcw", factors, windows), atol=1e-5)
    assert torch.allclose(torch.einsum("nfcw,fcw->nf", windows, filters.weight), found.scores, atol=1e-5)


@pytest.mark.parametrize("both_strands", [True, False])
def test_among_equal_windows_the_first_wins_and_forward_before_reverse(both_strands):
    site = DNA.encode("ACGTT")
    codes = np.concatenate([DNA.encode("CC"), site, site, DNA.reverse_complement(site)])
    filters = filters_for(5, both_strands, filters=1)
    with torch.no_grad():
        filters.weight.copy_(torch.from_numpy(DNA.fractions[site].T.copy())[None])
        found = filters.best_windows(batch_of([codes]))
    assert float(found.scores) == 5
    assert int(found.starts) == 2
    assert not bool(found.reverse)


def test_palindromes_count_as_forward():
    filters = filters_for(4, True, filters=1)
    with torch.no_grad():
        filters.weight.copy_(torch.from_numpy(DNA.fractions[DNA.encode("ACGT")].T.copy())[None])
        found = filters.best_windows(batch_of([DNA.encode("TTTACGTTT")]))
    assert int(found.starts) == 3
    assert not bool(found.reverse)


def test_examples_shorter_than_the_filter_score_minus_infinity_and_have_no_gradient(generator):
    filters = filters_for(9, True)
    found = filters.best_windows(random_batch(generator, [20, 8]))
    assert torch.isneginf(found.scores[1]).all()
    found.scores[1].sum().backward()
    assert not filters.weight.grad.any()


def test_bytes_are_the_same_on_any_number_of_threads(generator):
    filters = filters_for(19, True, filters=70)
    batch = random_batch(generator, [60] * 30, symbols=15)
    before = torch.get_num_threads()
    outcomes = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            found, gradient = results(filters, batch)
            outcomes.append((found.scores, found.starts, found.reverse, gradient))
    finally:
        torch.set_num_threads(before)
    for other in outcomes[1:]:
        assert all(torch.equal(one, two) for one, two in zip(outcomes[0], other, strict=True))


def test_one_hot_rows_are_not_made(generator, monkeypatch):
    batch = random_batch(generator, [20])
    monkeypatch.setattr(Batch, "inputs", property(lambda self: pytest.fail("one-hot rows were made")))
    filters_for(5, True).best_windows(batch)


def test_protein_tracks_and_double_precision_go_by_convolution(generator):
    codes = torch.zeros(1, 9, dtype=torch.uint8)
    dna, protein = filters_for(3, True), filters_for(3, False, alphabet=PROTEIN)
    assert through_maximum.suits(codes, dna.weight, DNA)
    assert not through_maximum.suits(codes, protein.weight, PROTEIN)
    assert not through_maximum.suits(codes, dna.weight.double(), DNA)
    assert not through_maximum.suits(codes, torch.zeros(6, 5, 3), DNA)
    assert not through_maximum.suits(codes.to("meta"), dna.weight, DNA)
    batch = random_batch(generator, [12, 9], PROTEIN, symbols=len(PROTEIN.symbols))
    found = protein.best_windows(batch)
    assert torch.allclose(found.scores, protein(batch).amax(dim=2), atol=1e-5)
