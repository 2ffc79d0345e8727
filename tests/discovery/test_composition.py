import math

import numpy as np
import pytest
from scipy.stats import fisher_exact

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.discovery.composition import UNTESTED, HeldOut, composition_test
from motifcnn.motifs import Motif
from motifcnn.scanning.best import best_sites
from motifcnn.sequences import Sequences

SITE = "TGACGTACTA"


def motif_of(word, alphabet=DNA):
    rest = 0.12 / (alphabet.size - 1)
    return Motif("m", np.eye(alphabet.size)[alphabet.encode(word)] * (0.88 - rest) + rest, alphabet, sites=100)


def drawn(generator, number, share_of_a, length=60, alphabet=DNA):
    """Random sequences in which A and T (or the first two amino acids) have this share together."""
    low = [alphabet.letters.index(letter) for letter in ("AT" if alphabet is DNA else "AC")]
    chances = np.full(alphabet.size, (1 - share_of_a) / (alphabet.size - 2))
    chances[low] = share_of_a / 2
    return [generator.choice(alphabet.size, length, p=chances).astype(np.uint8) for _ in range(number)]


def held_out_of(positives, others, generator, alphabet=DNA):
    codes = positives + others
    sequences = Sequences.from_list([f"s{n}" for n in range(len(codes))], codes, alphabet)
    return HeldOut.of(sequences, np.arange(len(codes)) < len(positives), generator)


def trial(motif, threshold, held_out, both_strands=True):
    scores = best_sites([motif.log_odds()], held_out.sequences, both_strands).scores[:, 0]
    return composition_test(motif, threshold, scores, held_out, both_strands), scores


def plant(codes, generator, site=SITE):
    for sequence in codes:
        start = generator.integers(0, len(sequence) - len(site))
        sequence[start : start + len(site)] = DNA.encode(site)
    return codes


def test_a_word_of_common_letters_is_composition_and_a_site_is_not(generator):
    positives = plant(drawn(generator, 200, 0.75), generator)
    others = drawn(generator, 200, 0.5) + drawn(generator, 100, 0.7)
    held_out = held_out_of(positives, others, generator)
    common, scores = trial(motif_of("AAATTA"), 8.0, held_out)
    positive = held_out.positive
    table = [[((scores >= 8) == hit)[positive == group].sum() for hit in (True, False)] for group in (True, False)]
    assert fisher_exact(table, alternative="greater").pvalue < 1e-4  # it looks like a motif
    assert common.explained
    assert common.shuffled_p_value > 0.05
    assert common.matched_p_value > 0.001
    site, _ = trial(motif_of(SITE), 12.0, held_out)
    assert not site.explained
    assert site.shuffled_p_value < 1e-20
    assert site.matched_p_value < 1e-10


def test_the_shuffles_keep_dinucleotides_and_are_held_against_the_positives(generator):
    held_out = held_out_of(drawn(generator, 30, 0.6), drawn(generator, 30, 0.5), generator)
    assert len(held_out.shuffles) == 300  # ten of each
    for number in range(300):
        pairs = [
            np.bincount(codes[:-1] * 4 + codes[1:], minlength=16)
            for codes in (held_out.shuffles[number], held_out.sequences[number // 10])
        ]
        assert np.array_equal(*pairs)
    motif = motif_of("ACGT")
    test, scores = trial(motif, 5.0, held_out)
    found = best_sites([motif.log_odds()], held_out.shuffles, True).scores[:, 0] >= 5.0
    hits = int((scores[:30] >= 5.0).sum())
    table = [[hits, 30 - hits], [found.sum(), (~found).sum()]]
    assert test.shuffled_p_value == pytest.approx(fisher_exact(table, alternative="greater").pvalue)
    assert test.shuffled_share == pytest.approx(found.mean())


def test_others_weigh_as_the_gc_content_of_the_positives(generator):
    """Half of the positives are rich in GC, few of the others: the share among those counts half."""
    positives = drawn(generator, 40, 0.3) + drawn(generator, 40, 0.7)
    others = drawn(generator, 20, 0.3) + drawn(generator, 180, 0.7)
    held_out = held_out_of(positives, others, generator)
    test, scores = trial(motif_of("GCGC"), 5.0, held_out)
    found, bins, positive = scores >= 5.0, held_out.gc_bins, held_out.positive
    total, weight = 0.0, 0
    for index in np.flatnonzero(positive):
        alike = ~positive & (bins == bins[index])
        if alike.any():
            total, weight = total + found[alike].mean(), weight + 1
    assert test.matched_share == pytest.approx(total / weight)
    assert abs(test.matched_share - found[~positive].mean()) > 0.05


def test_protein_keeps_its_letters_and_has_no_gc_content(generator):
    positives, others = drawn(generator, 60, 0.5, 40, PROTEIN), drawn(generator, 60, 0.1, 40, PROTEIN)
    held_out = held_out_of(positives, others, generator, PROTEIN)
    assert np.array_equal(np.sort(held_out.shuffles[0]), np.sort(held_out.sequences[0]))
    test, _ = trial(motif_of("ACCA", PROTEIN), 10.0, held_out, both_strands=False)
    assert test.explained
    assert math.isnan(test.matched_p_value)
    assert math.isnan(test.matched_share)


@pytest.mark.parametrize("counts", [(4, 50), (50, 4), (0, 9)])
def test_too_few_sequences_are_no_test(generator, counts):
    positives, others = (drawn(generator, number, 0.5) for number in counts)
    held_out = held_out_of(positives, others, generator)
    assert trial(motif_of("ACGT"), 5.0, held_out)[0] is UNTESTED


def test_without_others_of_like_composition_the_shuffles_decide(generator):
    held_out = held_out_of(plant(drawn(generator, 40, 0.95), generator), drawn(generator, 40, 0.05), generator)
    test, _ = trial(motif_of(SITE), 12.0, held_out)
    assert math.isnan(test.matched_p_value)
    assert not test.explained
