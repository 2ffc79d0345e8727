"""Refinement recovers planted motifs, whole or from half, stays near its start and treats strands alike."""

from dataclasses import replace

import numpy as np
import pytest

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.discovery import refinement
from motifcnn.discovery.markov_background import Background
from motifcnn.discovery.refinement import NO_ANCHOR, refine
from motifcnn.discovery.similarity import motif_similarity
from motifcnn.motifs import Motif, uniform_background
from motifcnn.sequences import Sequences
from motifcnn.settings import MotifSettings

SETTINGS = MotifSettings()
EVEN = Background(np.full(4, 0.25))
WIDTH, LENGTH = 9, 200


def sharpened(bits, width, alphabet, generator):
    """Return a random motif of so much information, spread evenly over its positions."""
    rows = []
    for first in generator.permutation(np.arange(width) % alphabet.size):
        low, high = 1.0 / alphabet.size, 1.0
        for _ in range(50):
            middle = (low + high) / 2
            row = np.full(alphabet.size, (1 - middle) / (alphabet.size - 1))
            row[first] = middle
            information = np.log2(alphabet.size) + (row * np.log2(row)).sum()
            low, high = (middle, high) if information < bits / width else (low, middle)
        rows.append(row)
    return Motif("planted", np.array(rows), alphabet)


def planted(motif, generator, number=1000, length=LENGTH, share=0.8, both_strands=True):
    """Return random sequences, a share of which holds a site, and twice the centre of each site."""
    size = motif.alphabet.size
    codes = generator.integers(0, size, (number, length)).astype(np.uint8)
    centres = np.full(number, NO_ANCHOR)
    for row in range(int(share * number)):
        start = int(generator.integers(0, length - motif.width + 1))
        reverse = both_strands and generator.random() < 0.5
        columns = (motif.reverse_complement() if reverse else motif).probabilities
        codes[row, start : start + motif.width] = [generator.choice(size, p=column) for column in columns]
        centres[row] = 2 * start + motif.width - 1
    names = [f"s{row}" for row in range(number)]
    return Sequences.from_list(names, list(codes), motif.alphabet), centres


def nowhere(sequences):
    """Return centres that say nothing."""
    return np.full(len(sequences), NO_ANCHOR)


def divergence(truth, found):
    """Return the mean over the true positions of the bits by which the found motif is off, best alignment."""
    best = np.inf
    for oriented in (found, found.reverse_complement()) if truth.alphabet.double_stranded else (found,):
        for offset in range(oriented.width - truth.width + 1):
            q = oriented.probabilities[offset : offset + truth.width]
            best = min(best, float((truth.probabilities * np.log2(truth.probabilities / q)).sum(axis=1).mean()))
    return best


@pytest.fixture(scope="module")
def truth():
    return sharpened(10.8, WIDTH, DNA, np.random.default_rng(1))


@pytest.fixture(scope="module")
def planting(truth):
    return planted(truth, np.random.default_rng(2))


@pytest.mark.parametrize(("first", "last"), [(0, WIDTH), (0, 5), (4, WIDTH)], ids=["whole", "left half", "right half"])
def test_recovers_a_planted_motif(truth, planting, first, last):
    sequences, centres = planting
    start = replace(truth, probabilities=truth.probabilities[first:last])
    refined = refine(start, sequences, centres, EVEN, both_strands=True, settings=SETTINGS)[-1]
    assert divergence(truth, refined) < 0.1
    assert abs(refined.total_information() - truth.total_information()) < 0.5
    assert refined.sites == pytest.approx(800, rel=0.05)


def test_recovers_without_anchors(truth, planting):
    sequences, _ = planting
    refined = refine(truth, sequences, nowhere(sequences), EVEN, both_strands=True, settings=SETTINGS)[-1]
    assert divergence(truth, refined) < 0.1


def test_ends_where_the_start_is_lost(truth, planting, generator):
    sequences, _ = planting
    for _ in range(5):
        junk = Motif("junk", generator.dirichlet(np.full(4, 0.5), WIDTH), DNA)
        for motif in refine(junk, sequences, nowhere(sequences), EVEN, both_strands=True, settings=SETTINGS):
            assert motif_similarity(motif, junk, both_strands=True).correlation >= SETTINGS.refine_similarity
    unreachable = replace(SETTINGS, refine_similarity=1.1)
    assert refine(truth, sequences, nowhere(sequences), EVEN, both_strands=True, settings=unreachable) == []


def test_anchors_count_the_sites_where_the_filter_fires(truth, planting):
    """Without anchors chance likenesses among 384 windows pass for sites, and the count is too high."""
    sequences, centres = planting
    anchored, free = (
        refine(truth, sequences, where, EVEN, both_strands=True, settings=SETTINGS)[-1]
        for where in (centres, nowhere(sequences))
    )
    assert abs(anchored.sites - 800) < abs(free.sites - 800)


def test_reverse_complement_gives_the_reverse_complement(truth, planting):
    sequences, centres = planting
    forward = refine(truth, sequences, centres, EVEN, both_strands=True, settings=SETTINGS)[-1]
    turned = Sequences.from_list(
        sequences.names, [DNA.complement_codes[sequences[row]][::-1] for row in range(len(sequences))], DNA
    )
    mirrored = np.where(centres == NO_ANCHOR, NO_ANCHOR, 2 * (LENGTH - 1) - centres)
    for start in (truth, truth.reverse_complement()):
        other = refine(start, turned, mirrored, EVEN, both_strands=True, settings=SETTINGS)[-1]
        if start is not truth:
            other = other.reverse_complement()
        np.testing.assert_allclose(other.probabilities, forward.probabilities, atol=1e-9)


def test_is_deterministic(truth, planting):
    sequences, centres = planting
    runs = [refine(truth, sequences, centres, EVEN, both_strands=True, settings=SETTINGS)[-1] for _ in range(2)]
    assert runs[0].probabilities.tobytes() == runs[1].probabilities.tobytes()


def test_counts_are_the_posterior_sums_of_a_plain_implementation(generator, monkeypatch):
    """One round, against the ZOOPS formula written out."""
    monkeypatch.setattr(refinement, "_ROUNDS", 1)
    motif = Motif("m", generator.dirichlet(np.ones(4), 5), DNA, sites=1e9)
    rows = [generator.integers(0, 5, length).astype(np.uint8) for length in (4, 5, 6, 30, 17)]
    rows = [np.where(row == 4, DNA.unknown, row).astype(np.uint8) for row in rows]
    sequences = Sequences.from_list("abcde", rows, DNA)
    settings = replace(SETTINGS, min_sites=0, refine_similarity=-1.0, trim_bits=0.0, motif_flank=0)
    (found,) = refine(motif, sequences, nowhere(sequences), EVEN, both_strands=True, settings=settings)
    expected = np.zeros((5, 4))
    for row in rows:
        windows = []
        for start in range(len(row) - 4):
            window = row[start : start + 5]
            if (window < 4).all():
                windows += [window, DNA.complement_codes[window][::-1]]
        odds = [float(np.prod([motif.probabilities[i, w[i]] / 0.25 for i in range(5)])) for w in windows]
        for window, odd in zip(windows, odds, strict=True):
            expected[np.arange(5), window] += odd / (sum(odds) + len(odds))
    first_round = Motif.from_counts("m", expected, DNA, pseudocount=1.0)
    np.testing.assert_allclose(found.probabilities, first_round.probabilities, atol=1e-3)
    assert found.sites == pytest.approx(expected.sum(axis=1)[0], abs=1e-3)


def test_reads_one_strand_of_protein(generator):
    truth = sharpened(16.0, 5, PROTEIN, np.random.default_rng(3))
    sequences, centres = planted(truth, generator, number=200, length=60, both_strands=False)
    refined = refine(
        truth, sequences, centres, Background(uniform_background(PROTEIN)), both_strands=False, settings=SETTINGS
    )[-1]
    assert np.array_equal(refined.probabilities.argmax(axis=1), truth.probabilities.argmax(axis=1))
    assert abs(refined.total_information() - truth.total_information()) < 2.0


def test_too_few_sites_give_nothing(truth, generator):
    codes = generator.integers(0, 4, (12, 8)).astype(np.uint8)  # shorter than the motif: nowhere to look
    sequences = Sequences.from_list([f"s{row}" for row in range(12)], list(codes), DNA)
    assert refine(truth, sequences, nowhere(sequences), EVEN, both_strands=True, settings=SETTINGS) == []


def strewn(motif, generator, sites, number=300):
    """Return sequences with so many sites each, none over another, on either strand."""
    codes = generator.integers(0, 4, (number, LENGTH)).astype(np.uint8)
    for row in codes:
        for slot in generator.permutation(LENGTH // (2 * motif.width))[:sites]:
            start = 2 * motif.width * int(slot) + int(generator.integers(0, motif.width))
            columns = (motif.reverse_complement() if generator.random() < 0.5 else motif).probabilities
            row[start : start + motif.width] = [generator.choice(4, p=column) for column in columns]
    return Sequences.from_list([f"s{row}" for row in range(number)], list(codes), DNA)


def test_any_number_of_sites_are_used_where_there_are_several(truth):
    sequences = strewn(truth, np.random.default_rng(5), sites=4)
    found = {
        model: refine(
            replace(truth, probabilities=truth.probabilities[:6]),
            *(sequences, nowhere(sequences), EVEN),
            both_strands=True,
            settings=replace(SETTINGS, sites=model),
        )[-1]
        for model in ("zoops", "anr")
    }
    assert found["anr"].sites == pytest.approx(4 * 300, rel=0.15)
    assert found["zoops"].sites <= 300 + 1
    assert divergence(truth, found["anr"]) < 0.05
    assert abs(found["anr"].total_information() - truth.total_information()) < 0.5


def test_any_number_of_sites_may_be_one_or_none(truth, planting):
    sequences, centres = planting
    settings = replace(SETTINGS, sites="anr")
    refined = refine(truth, sequences, centres, EVEN, both_strands=True, settings=settings)[-1]
    assert divergence(truth, refined) < 0.1
    assert refined.sites == pytest.approx(800, rel=0.3)  # chance likenesses count, as nothing forbids a second site


RICH = {
    "poly-A": ("CGAAAAC", [[0.6, 0.1, 0.1, 0.2], [0.2, 0.3, 0.3, 0.2], [0.2, 0.3, 0.3, 0.2], [0.2, 0.2, 0.2, 0.4]]),
    "CpG": (
        "TCGCGTA",
        [[0.3, 0.2, 0.2, 0.3], [0.05, 0.05, 0.85, 0.05], [0.25, 0.2, 0.2, 0.35], [0.3, 0.25, 0.15, 0.3]],
    ),
}
"""A site like what its background is rich in; chances of the letter that follows each in the background."""


def bits_off(truth, found):
    """Bits by which the found motif is off, at the columns that it shares with the true one."""
    first = motif_similarity(truth, found, both_strands=False).offset
    columns = [place for place in range(truth.width) if 0 <= place + first < found.width]
    p, q = truth.probabilities[columns], found.probabilities[[place + first for place in columns]]
    return float((p * np.log2(p / q)).sum())


@pytest.mark.parametrize("kind", RICH)
def test_order_1_keeps_what_the_background_is_rich_in_out_of_the_matrix(kind):
    generator, (word, chances) = np.random.default_rng(6), RICH[kind]
    codes = np.zeros((600, 100), dtype=np.uint8)
    draws, sums = generator.random(codes.shape), np.cumsum(chances, axis=1)
    for place in range(1, codes.shape[1]):
        codes[:, place] = (draws[:, place, None] > sums[codes[:, place - 1]]).sum(axis=1)
    truth = Motif("planted", 0.1 + 0.6 * np.eye(4)[DNA.encode(word)], DNA, sites=100)
    positives = np.arange(300)
    for row in codes[positives]:
        start = int(generator.integers(0, len(row) - len(word)))
        row[start : start + len(word)] = [generator.choice(4, p=column) for column in truth.probabilities]
    sequences = Sequences.from_list([f"s{row}" for row in range(len(codes))], list(codes), DNA)
    off = []
    for order in (0, 1):
        background, shown = Background.of(sequences, order, both_strands=False), sequences.subset(positives)
        refined = refine(truth, shown, nowhere(shown), background, both_strands=False, settings=SETTINGS)[-1]
        off.append(bits_off(truth, refined))
    assert off[1] < 1.5
    assert off[1] < 0.3 * off[0]
