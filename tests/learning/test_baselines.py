import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.learning.baselines import baseline_features, fit_baselines
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences

CLASSES = Objective("classes", ("kind",), ("x", "y", "z"), weights=(1.0,) * 3)
NUMBERS = Objective("regression", ("a", "b"), means=(0.0, 0.0), deviations=(1.0, 1.0))
BINARY = Objective("binary", ("label",), weights=(1.0,))


def random_sequences(generator, alphabet, lengths, frequencies=None):
    codes = [generator.choice(alphabet.size, length, p=frequencies).astype(np.uint8) for length in lengths]
    return Sequences.from_list([f"s{n}" for n in range(len(codes))], codes, alphabet)


def slow_frequencies(text, letters, width):
    words = ["".join(word) for word in product(letters, repeat=width)]
    counts = [sum(text[i : i + width] == word for i in range(len(text) - width + 1)) for word in words]
    return [count / max(1, sum(counts)) for count in counts]


@given(
    st.lists(st.text("ACGTN", min_size=1, max_size=15), min_size=2, max_size=6).filter(lambda t: len("".join(t)) > 1)
)
@settings(max_examples=60)
def test_word_frequencies_are_those_of_loops(texts):
    sequences = Sequences.from_list([f"s{n}" for n in range(len(texts))], [DNA.encode(t) for t in texts], DNA)
    features = baseline_features(sequences)
    assert list(features) == ["gc", "dinucleotides", "length"]
    for row, text in enumerate(texts):
        assert features["dinucleotides"][row] == pytest.approx(slow_frequencies(text, "ACGT", 2))
        single = slow_frequencies(text, "ACGT", 1)
        assert features["gc"][row] == pytest.approx([single[1] + single[2]])
        assert features["length"][row] == pytest.approx([math.log(len(text))])


def test_protein_has_composition_and_length(generator):
    sequences = random_sequences(generator, PROTEIN, [9, 30])
    features = baseline_features(sequences)
    assert list(features) == ["composition", "length"]
    text = PROTEIN.decode(sequences[1])
    assert features["composition"][1] == pytest.approx(slow_frequencies(text, PROTEIN.letters, 1))


def baselines(objective, sequences, values, **options):
    fitted, scored = np.arange(0, 80), np.arange(80, 120)
    found = fit_baselines(objective, sequences, values, fitted, scored, **options)
    return {baseline.name: baseline for baseline in found}


def biased(generator, alphabet=DNA):
    """Every other sequence is rich in G and C; all are of one length."""
    rich = random_sequences(generator, alphabet, [60] * 60, [0.15, 0.35, 0.35, 0.15])
    poor = random_sequences(generator, alphabet, [60] * 60, [0.35, 0.15, 0.15, 0.35])
    codes = [(rich if n % 2 else poor)[n // 2] for n in range(120)]
    return Sequences.from_list([f"s{n}" for n in range(120)], codes, alphabet), (np.arange(120) % 2).astype(np.float32)


@pytest.mark.parametrize("alphabet", [DNA, RNA], ids=lambda a: a.name)
def test_baselines_find_what_is_trivial_and_nothing_else(generator, alphabet):
    sequences, rich = biased(generator, alphabet)
    found = baselines(BINARY, sequences, rich[:, None])
    assert found["gc"].scores.headline > 0.95
    assert found["dinucleotides"].scores.headline > 0.9
    assert found["length"].scores.headline == 0.5
    assert found["gc"].predictions.shape == (40, 1)
    assert found["gc"].scores.n == 40


def test_length_is_a_baseline_of_its_own(generator):
    long = np.arange(120) % 2
    sequences = random_sequences(generator, DNA, 50 + 30 * long)
    found = baselines(BINARY, sequences, long[:, None].astype(np.float32))
    assert found["length"].scores.headline == 1.0


def test_baselines_of_classes_and_numbers_with_missing_values(generator):
    sequences, rich = biased(generator)
    kinds = np.where(rich == 1, 2, 0)[:, None].astype(np.float32)
    kinds[::10] = np.nan
    found = baselines(CLASSES, sequences, kinds)["gc"]
    assert found.predictions.shape == (40, 3)
    assert found.scores.per_target["z"].auroc > 0.9
    assert (found.predictions[:, 1] == 0).all()  # a class without a training example
    numbers = np.stack([rich * 3 + 1, -rich], axis=1)
    numbers[::7, 1] = np.nan
    gc = baselines(NUMBERS, sequences, numbers)["gc"]
    assert gc.scores.headline > 0.7
    assert gc.predictions[:, 0].mean() == pytest.approx(2.5, abs=0.3)


def test_what_is_scored_takes_no_part_in_the_fit(generator):
    sequences, rich = biased(generator)
    changed = rich.copy()
    changed[80:] = 1 - changed[80:]
    before = baselines(BINARY, sequences, rich[:, None])["gc"].predictions
    assert np.array_equal(before, baselines(BINARY, sequences, changed[:, None])["gc"].predictions)


def with_gapped_word(generator, alphabet=DNA, word="GA.TC"):
    """Every other sequence holds a word with a free position, on either strand where there are two."""
    sequences = random_sequences(generator, alphabet, [60] * 120)
    for n in range(1, 120, 2):
        codes, start = sequences[n], int(generator.integers(5, 50))
        for position, letter in enumerate(word):
            if letter != ".":
                codes[start + position] = alphabet.letters.index(letter)
        if alphabet.double_stranded and n % 4 == 1:
            codes[:] = alphabet.reverse_complement(codes.copy())
    return sequences, (np.arange(120) % 2).astype(np.float32)[:, None]


@pytest.mark.parametrize(
    ("alphabet", "word"), [(DNA, "GAT.ACAC"), (RNA, "GAU.ACAC"), (PROTEIN, "W.YH")], ids=["dna", "rna", "protein"]
)
def test_gapped_words_find_what_trivial_models_do_not(generator, alphabet, word):
    sequences, values = with_gapped_word(generator, alphabet, word)
    found = baselines(BINARY, sequences, values, gapped_words=True)
    assert list(found)[-1] == "gkm"
    assert found["gkm"].scores.headline > 0.9
    assert ((found["gkm"].predictions > 0) & (found["gkm"].predictions < 1)).all()
    assert max(f.scores.headline for name, f in found.items() if name != "gkm") < 0.8
    assert "gkm" not in baselines(BINARY, sequences, values)


def test_gapped_words_predict_numbers_and_classes(generator):
    sequences, values = with_gapped_word(generator, word="GAT.ACAC")
    numbers = np.hstack([3 * values + 1, -values])
    numbers[::7, 1] = np.nan
    found = baselines(NUMBERS, sequences, numbers, gapped_words=True)["gkm"]
    assert found.predictions.shape == (40, 2)
    assert found.scores.headline > 0.6
    kinds = baselines(CLASSES, sequences, 2 * values, gapped_words=True)["gkm"]
    assert kinds.scores.per_target["z"].auroc > 0.9


def test_tracks_alone_are_a_baseline(generator):
    sequences = random_sequences(generator, DNA, [20, 30] * 60)
    labels = (np.arange(120) % 3 == 0).astype(np.float32)
    tracks = generator.normal(size=(2, len(sequences.codes))).astype(np.float32)
    for n in range(120):
        here = slice(int(sequences.offsets[n]), int(sequences.offsets[n + 1]))
        tracks[1, here] += 2 * labels[n]
        tracks[1, here][:5] = np.nan
    tracks[:, : sequences.offsets[1]] = np.nan  # the first sequence has no value at all
    found = baselines(BINARY, sequences, labels[:, None], tracks=tracks)
    assert list(found) == ["gc", "dinucleotides", "length", "tracks"]
    assert found["tracks"].scores.headline > 0.95
    assert found["gc"].scores.headline < 0.8
    assert "tracks" not in baselines(BINARY, sequences, labels[:, None])
    assert "tracks" not in baselines(BINARY, sequences, labels[:, None], tracks=tracks[:0])


def test_codons_alone_are_a_baseline_where_there_are_reading_frames(genes):
    sequences = Sequences.from_list([f"s{n}" for n in range(120)], genes(120), DNA)
    found = baselines(BINARY, sequences, (np.arange(120) % 2).astype(np.float32)[:, None])
    assert list(found) == ["gc", "dinucleotides", "length", "codons"]
    assert found["codons"].scores.headline > 0.8
    assert found["codons"].predictions.shape == (40, 1)


def test_of_many_examples_trivial_models_are_fitted_to_some(generator, monkeypatch):
    sequences, rich = biased(generator)
    values = rich[:, None].copy()
    monkeypatch.setattr("motifcnn.learning.baselines._MOST_FITTED", 27)
    before = baselines(BINARY, sequences, values)["gc"].predictions
    values[1:80:3], values[2:80:3] = 1 - values[1:80:3], 1 - values[2:80:3]  # which are not among every third one
    assert np.array_equal(baselines(BINARY, sequences, values)["gc"].predictions, before)
    values[0:80:3] = 1 - values[0:80:3]
    assert not np.array_equal(baselines(BINARY, sequences, values)["gc"].predictions, before)


def test_sequences_of_one_gc_content_are_tied(generator):
    """7 C and 9 G of 40 letters are as many as 8 of each, though their shares do not add up to the same number."""
    codes = [generator.integers(0, 4, 40).astype(np.uint8) for _ in range(300)]
    gc = baseline_features(Sequences.from_list([f"s{n}" for n in range(300)], codes, DNA))["gc"]
    assert len(np.unique(gc)) == len({int(np.isin(row, [1, 2]).sum()) for row in codes})
