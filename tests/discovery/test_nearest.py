import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.discovery.comparison import compare
from motifcnn.discovery.nearest import FlankedMotif, nearest_known
from motifcnn.motifs import Motif
from motifcnn.sequences import Sequences

PLACE, CORE = 12, slice(3, 7)


@pytest.fixture
def generator():
    return np.random.default_rng(8)


@pytest.fixture
def known(generator):
    """A motif of ten positions; of its four in the middle a query is made."""
    matrix = np.full((10, 4), 0.1)
    matrix[np.arange(10), generator.integers(0, 4, 10)] = 0.7
    return Motif("known", matrix, DNA)


@pytest.fixture
def sited(known, generator):
    """Sequences with a site of the known motif, every second one reversed; and where its core stands."""
    reverse = np.arange(60) % 2 == 1
    codes = []
    for turned in reverse:
        sequence = generator.integers(0, 4, 30).astype(np.uint8)
        site = [generator.choice(4, p=column) for column in known.probabilities]
        sequence[PLACE : PLACE + 10] = DNA.reverse_complement(np.array(site, dtype=np.uint8)) if turned else site
        codes.append(sequence)
    starts = np.where(reverse, PLACE + 10 - CORE.stop, PLACE + CORE.start)
    return Sequences.from_list([f"s{n}" for n in range(60)], codes, DNA), np.arange(60), starts, reverse


def core_of(known):
    return Motif("core", known.probabilities[CORE], DNA)


def others(generator, count=60):
    return [Motif(f"other{n}", generator.dirichlet(np.ones(4) / 2, 9), DNA) for n in range(count)]


def test_flanks_are_the_letters_beside_the_sites(known, sited):
    sequences, members, starts, reverse = sited
    core = core_of(known)
    found = FlankedMotif.of(core, sequences, members, starts, reverse, 2)
    counts = np.zeros((2, 4))
    for number, start, turned in zip(members, starts, reverse, strict=True):
        text = DNA.reverse_complement(sequences[number]) if turned else sequences[number]
        first = len(text) - start - core.width if turned else start
        for column in (0, 1):
            counts[column, text[first - 2 + column]] += 1
    assert np.allclose(found.whole.probabilities[:2], counts / len(members), atol=0.02)
    assert np.allclose(found.whole.probabilities[2:6], core.probabilities)
    assert found.whole.width == 8


def test_flanks_tell_the_factor_and_places_are_of_the_motif_itself(known, sited, generator):
    database = [*others(generator), known]
    core = core_of(known)
    (near,) = nearest_known([FlankedMotif.of(core, *sited, 4)], database)
    alone = next(match for match in compare([core], database)[0] if match.target_name == "known")
    assert near.best.target_name == "known"
    assert near.best.e_value < alone.e_value / 10
    assert (near.best.orientation, near.best.offset) == ("+", CORE.start)


def test_a_motif_without_sites_is_compared_alone(known, sited, generator):
    core, nothing = core_of(known), np.empty(0, dtype=np.int64)
    found = FlankedMotif.of(core, sited[0], nothing, nothing, nothing.astype(bool), 4)
    assert found.whole is core
    (near,) = nearest_known([found], [*others(generator), core])
    assert (near.best.target_name, near.best.offset) == ("core", 0)


def test_without_known_motifs_there_is_no_nearest(known, sited):
    assert nearest_known([FlankedMotif.of(core_of(known), *sited, 4)] * 2, []) == [None, None]
