import numpy as np

from motifcnn.alphabet import DNA
from motifcnn.discovery.triplets import TripletSequences, triplet_scores
from motifcnn.sequences import Sequences


def test_sums_of_triplets_are_the_scores_of_windows(generator):
    rows = [generator.integers(0, 5, length).astype(np.uint8) for length in (9, 4, 30)]
    rows = [np.where(row == 4, DNA.unknown, row).astype(np.uint8) for row in rows]
    sequences = Sequences.from_list("abc", rows, DNA)
    read = TripletSequences.of(sequences)
    for width in (1, 3, 4, 5):
        strands = generator.normal(size=(2, width, 4))
        table = triplet_scores(strands)
        assert table.shape == (2, -(-width // 3), 125)
        for number, row in enumerate(rows):
            for start in range(len(row) - width + 1):
                window = row[start : start + width]
                at = sequences.offsets[number] + start + 3 * np.arange(table.shape[1])
                for strand in range(2):
                    found = table[strand, np.arange(len(at)), read.triplets[at]].sum()
                    plain = strands[strand, np.arange(width), window].sum() if (window < 4).all() else -np.inf
                    assert np.isclose(found, plain) or found == plain


def test_all_ambiguity_codes_are_one():
    sequences = Sequences.from_list(["a"], [DNA.encode("ACGTNRY")], DNA)
    assert TripletSequences.of(sequences).letters.tolist() == [0, 1, 2, 3, 4, 4, 4]
