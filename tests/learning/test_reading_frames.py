import numpy as np
import pytest

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.learning.reading_frames import find_reading_frames
from motifcnn.sequences import Sequences

STOPS = [0b110000, 0b110010, 0b111000]  # TAA, TAG, TGA


@pytest.fixture
def usage(generator):
    """Weights of codons, uneven."""
    return generator.dirichlet(np.full(64, 2.0))


@pytest.fixture
def examples(generator, stretch, usage):
    """Draw sequences of which every third is coding, on either strand of DNA; the others are their letters shuffled."""

    def draw(alphabet=DNA, count=300):
        reverse = generator.random(count) < (0.5 if alphabet is DNA else 0)
        codes = [stretch(usage, reverse=reverse[number]) for number in range(count)]
        for number in range(count):
            if number % 3:
                generator.shuffle(codes[number])
        return Sequences.from_list([f"s{n}" for n in range(count)], codes, alphabet)

    return draw


@pytest.mark.parametrize("alphabet", [DNA, RNA], ids=lambda alphabet: alphabet.name)
def test_coding_sequences_and_their_codons_are_found(examples, usage, alphabet):
    sequences = examples(alphabet)
    frames = find_reading_frames(sequences, both_strands=alphabet is DNA)
    assert frames.share == pytest.approx(1 / 3, abs=0.05)
    assert frames.frames == (6 if alphabet is DNA else 3)
    read = frames.read_codons(sequences).sum(axis=1)
    assert np.quantile(read[::3], 0.2) > 2
    assert np.median(np.delete(read, np.s_[::3])) < 0.3
    found = frames.read_codons(sequences).sum(axis=0)
    assert np.corrcoef(np.delete(found, STOPS), np.delete(usage, STOPS))[0, 1] > 0.95
    assert (frames.ratios[STOPS] < -2).all()


def test_labels_cannot_play_a_part_and_the_order_neither(examples):
    sequences = examples()
    turned = sequences.subset(np.arange(len(sequences))[::-1])
    one, other = (find_reading_frames(each, both_strands=True).ratios for each in (sequences, turned))
    assert one.numpy() == pytest.approx(other.numpy(), abs=1e-3)


def test_random_letters_have_none(generator):
    codes = [generator.integers(0, 4, 100).astype(np.uint8) for _ in range(400)]
    sequences = Sequences.from_list([f"s{n}" for n in range(400)], codes, DNA)
    assert find_reading_frames(sequences, both_strands=True) is None


def test_short_sequences_and_proteins_have_none(examples):
    sequences = examples()
    short = Sequences.from_list(sequences.names, [sequences[n][:59] for n in range(len(sequences))], DNA)
    assert find_reading_frames(short, both_strands=True) is None
    protein = Sequences.from_list(sequences.names, [sequences[n] for n in range(len(sequences))], PROTEIN)
    assert find_reading_frames(protein, both_strands=False) is None
    assert find_reading_frames(sequences.subset(np.arange(0)), both_strands=True) is None


def test_of_many_sequences_some_are_read(examples, monkeypatch):
    sequences = examples()
    monkeypatch.setattr("motifcnn.learning.reading_frames._LETTERS", 10_000)
    some = find_reading_frames(sequences, both_strands=True)
    alone = find_reading_frames(sequences.subset(np.arange(0, 300, 3)), both_strands=True)
    assert (some.ratios == alone.ratios).all()
