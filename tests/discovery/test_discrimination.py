"""Fitting to labels: gradients' end point, exact reading, what it gains, and where it stays away."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.discovery import discrimination
from motifcnn.discovery.discrimination import discriminate
from motifcnn.motifs import Motif
from motifcnn.scanning.best import best_sites
from motifcnn.sequences import Sequences
from motifcnn.settings import MotifSettings
from motifcnn.significance import rank_auroc

SETTINGS = MotifSettings()


def matrix_of(word, sharpness=0.8):
    return DNA.fractions[DNA.encode(word)] * sharpness + (1 - sharpness) / 4


def planted(motif, generator, number=1200, length=60, share=0.9):
    """Every other sequence is a positive, most of which hold a site on either strand: (sequences, positive)."""
    codes = generator.integers(0, 4, (number, length)).astype(np.uint8)
    positive = np.arange(number) % 2 == 0
    for row in np.flatnonzero(positive & (generator.random(number) < share)):
        start = int(generator.integers(0, length - motif.width + 1))
        columns = (motif.reverse_complement() if generator.random() < 0.5 else motif).probabilities
        codes[row, start : start + motif.width] = [generator.choice(4, p=column) for column in columns]
    return Sequences.from_list([f"s{n}" for n in range(number)], list(codes), DNA), positive


def auroc(motif, sequences, positive):
    return rank_auroc(best_sites([motif.log_odds()], sequences, True).scores[:, 0], positive)


@pytest.fixture
def truth():
    return Motif("m", np.concatenate([matrix_of("TGACG"), matrix_of("NNN", 0.5), matrix_of("CCATA")]), DNA, sites=500)


def test_mends_a_blurred_start_and_finds_what_its_flanks_say(truth, generator):
    sequences, positive = planted(truth, generator)
    fresh, fresh_positive = planted(truth, generator)
    blurred = replace(truth, probabilities=0.6 * truth.probabilities[2:] + 0.1, sites=50)
    fitted = discriminate(blurred, sequences, positive, both_strands=True, settings=SETTINGS)
    assert auroc(fitted, fresh, fresh_positive) > auroc(blurred, fresh, fresh_positive) + 0.02
    assert auroc(fitted, fresh, fresh_positive) > auroc(truth, fresh, fresh_positive) - 0.02
    assert fitted.width > blurred.width
    alone = discriminate(blurred, sequences, positive, both_strands=True, settings=replace(SETTINGS, motif_flank=0))
    assert alone.width == blurred.width
    assert auroc(fitted, fresh, fresh_positive) > auroc(alone, fresh, fresh_positive)


def test_too_few_examples_for_so_many_numbers_are_left_alone(truth, generator):
    needed = int(discrimination.LEAST_PER_WEIGHT * 3 * truth.width)
    sequences, positive = planted(truth, generator, number=2 * needed)
    assert discriminate(truth, sequences, positive, both_strands=True, settings=SETTINGS) is not None
    fewer = np.arange(2 * needed - 2)
    options = {"both_strands": True, "settings": SETTINGS}
    assert discriminate(truth, sequences.subset(fewer), positive[fewer], **options) is None


def test_strands_and_repeats_change_nothing(truth, generator):
    sequences, positive = planted(truth, generator)
    fitted = discriminate(truth, sequences, positive, both_strands=True, settings=SETTINGS)
    again = discriminate(truth, sequences, positive, both_strands=True, settings=SETTINGS)
    turned = discriminate(truth.reverse_complement(), sequences, positive, both_strands=True, settings=SETTINGS)
    assert fitted.probabilities.tobytes() == again.probabilities.tobytes()
    np.testing.assert_allclose(turned.reverse_complement().probabilities, fitted.probabilities, atol=1e-6)


def test_the_steps_reach_what_a_plain_optimiser_reaches(generator, monkeypatch):
    """The fit against L-BFGS on the penalised likelihood written out in loops."""
    monkeypatch.setattr(discrimination, "_CONVERGED", 0.0)
    start = Motif("m", matrix_of("TGAC", 0.6), DNA, sites=100)
    sequences, positive = planted(Motif("t", matrix_of("TGAT"), DNA), generator, number=60, length=9)
    model = discrimination._Logistic(sequences, positive, both_strands=True)
    weights = discrimination._log_odds(start)
    fitted = model.fit(weights, 40)
    slope, _ = model._scale(model.read(weights).scores)

    def score(matrix, codes):
        odds = []
        for first in range(len(codes) - 3):
            window = codes[first : first + 4]
            odds += [matrix[range(4), window].sum(), matrix[range(4), DNA.complement_codes[window][::-1]].sum()]
        return np.log(np.mean(np.exp(odds)))

    def loss(values):
        matrix = values[:-1].reshape(4, 4)
        logits = np.array([slope * score(matrix, sequences[row]) + values[-1] for row in range(60)])
        own = np.logaddexp(0, logits) - positive * logits
        return own.sum() + 0.5 * ((matrix - weights) ** 2).sum() / discrimination._DEVIATION**2

    plain = minimize(loss, np.append(weights.ravel(), 0.0), method="L-BFGS-B")
    shifts = minimize(lambda shift: loss(np.append(fitted.ravel(), shift)), [0.0], method="L-BFGS-B")
    assert shifts.fun == pytest.approx(plain.fun, abs=1e-3)


def test_the_matrix_is_the_weights(truth, generator):
    """Log-odds against even letters differ from the weights by a constant a column, so ranks are the model's."""
    sequences, positive = planted(truth, generator)
    fitted = discriminate(truth, sequences, positive, both_strands=True, settings=SETTINGS)
    assert fitted.background == pytest.approx([0.25] * 4)
    weights = np.log(fitted.probabilities)
    again = discrimination._softmax(weights + generator.normal(size=(fitted.width, 1)))
    np.testing.assert_allclose(again, fitted.probabilities)


def test_protein_of_one_strand_and_sequences_without_a_window(generator):
    codes = generator.integers(0, 20, (2000, 12)).astype(np.uint8)
    positive = np.arange(2000) % 2 == 0
    codes[positive, 4:6] = [3, 7]
    rows = [*codes, PROTEIN.encode("AC"), np.full(9, PROTEIN.unknown, dtype=np.uint8)]
    sequences = Sequences.from_list([f"s{n}" for n in range(2002)], rows, PROTEIN)
    labels = np.append(positive, [False, False])
    start = np.full((5, 20), 0.05)
    start[1] = np.where(np.arange(20) == 3, 0.81, 0.01)
    motif = Motif("m", start, PROTEIN, sites=100)
    fitted = discriminate(motif, sequences, labels, both_strands=False, settings=replace(SETTINGS, motif_flank=1))
    strongest = fitted.probabilities.max(axis=1).argsort()[-2:]
    assert sorted(fitted.probabilities[strongest].argmax(axis=1)) == [3, 7]


@pytest.mark.parametrize("length", [200, 2000])
@pytest.mark.slow
def test_a_sound_start_stays_sound(length, generator):
    """A motif of 10.8 bits that the sites gave is not bent by the fit: within .1 bit a position, .5 bit in all."""
    motif = Motif("m", matrix_of("TGACGTCAA", 0.82), DNA, sites=400)
    assert motif.total_information() == pytest.approx(10.8, abs=0.5)
    sequences, positive = planted(motif, generator, number=1000, length=length)
    fitted = discriminate(motif, sequences, positive, both_strands=True, settings=SETTINGS)
    windows = [fitted.probabilities[first : first + 9] for first in range(fitted.width - 8)]
    apart = [(motif.probabilities * np.log2(motif.probabilities / window)).sum(axis=1).mean() for window in windows]
    assert min(apart) < 0.1
    assert fitted.total_information() == pytest.approx(motif.total_information(), abs=0.5)
