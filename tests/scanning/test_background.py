"""Which frequencies each choice of background gives, on one strand and on both."""

import os
from dataclasses import replace

import numpy as np
import pytest

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.motifs import Motif
from motifcnn.scanning.background import background_of
from motifcnn.settings import ScanSettings

GENOME = ">a\nACGGTNACA\nTT\n>b\nC\n>c\n\n"
LETTERS = np.array([3, 3, 2, 3]) + 1.0  # what GENOME holds, and one each
PAIRS = np.ones((4, 4))
for pair in ("AC", "CG", "GG", "GT", "AC", "CA", "AT", "TT"):
    PAIRS["ACGT".index(pair[0]), "ACGT".index(pair[1])] += 1
FILE = "A 0.4\nC 0.3\nG 0.2\nT 0.1\n"
FILE_PAIRS = np.outer([0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4])


@pytest.fixture
def genome(tmp_path):
    (tmp_path / "genome.fa").write_text(GENOME)
    return tmp_path / "genome.fa"


@pytest.fixture
def file(tmp_path):
    pairs = "".join(f"{'ACGT'[i]}{'ACGT'[j]} {FILE_PAIRS[i, j]:.4f}\n" for i in range(4) for j in range(4))
    (tmp_path / "background.txt").write_text(FILE + pairs)
    return str(tmp_path / "background.txt")


def turned(pairs):
    """Pairs as the other strand reads them, by a loop."""
    return np.array([[pairs[3 - j, 3 - i] for j in range(4)] for i in range(4)])


def settings(background, order=0):
    return ScanSettings(background=background, background_order=order)


def test_of_the_sequences(genome):
    one = background_of(genome, DNA, settings("sequences"), False)
    np.testing.assert_allclose(one.letters, LETTERS / LETTERS.sum())
    both = background_of(genome, DNA, settings("sequences"), True)
    np.testing.assert_allclose(both.letters, (LETTERS + LETTERS[::-1]) / LETTERS.sum() / 2)
    assert one.chain is both.chain is None


def test_pairs_of_the_sequences(genome):
    one = background_of(genome, DNA, settings("sequences", 1), False).chain
    np.testing.assert_allclose(one.first, PAIRS.sum(axis=1) / PAIRS.sum())
    np.testing.assert_allclose(one.following, PAIRS / PAIRS.sum(axis=1, keepdims=True))
    both = background_of(genome, DNA, settings("sequences", 1), True).chain
    together = PAIRS + turned(PAIRS)
    np.testing.assert_allclose(both.following, together / together.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("both", [False, True])
def test_of_a_file(genome, file, both):
    found = background_of(genome, DNA, settings(file), both)
    np.testing.assert_allclose(found.letters, [0.25] * 4 if both else [0.4, 0.3, 0.2, 0.1])
    assert found.chain is None
    chain = background_of(genome, DNA, settings(file, 1), both).chain
    pairs = (FILE_PAIRS + turned(FILE_PAIRS)) if both else FILE_PAIRS
    np.testing.assert_allclose(chain.following, pairs / pairs.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(chain.first, pairs.sum(axis=1) / pairs.sum())


def test_a_file_serves_where_the_genome_is_a_stream(file):
    assert background_of("-", DNA, settings(file, 1), False).chain is not None


def test_a_pipe_is_not_read_twice(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is a pipe, and sequences are read more than once; pipe them to -, or give a"):
        background_of(tmp_path / "pipe", DNA, ScanSettings(), False)


def test_of_each_motif_and_uniform(genome):
    own = np.array([0.1, 0.2, 0.3, 0.4])
    motif = Motif("m", np.full((3, 4), 0.25), DNA, background=own)
    np.testing.assert_allclose(background_of(genome, DNA, settings("motif"), True).of(motif), own)
    np.testing.assert_allclose(background_of(genome, DNA, settings("uniform"), True).of(motif), [0.25] * 4)
    np.testing.assert_allclose(background_of(genome, PROTEIN, settings("uniform"), False).letters, [0.05] * 20)


def test_of_motifs_with_a_frequency_of_zero(genome):
    motif = Motif("m", np.full((3, 4), 0.25), DNA, background=np.array([0.5, 0.5, 0, 0]))
    with pytest.raises(MotifcnnError, match=r"^motif m: a background frequency is 0; use --background sequences or"):
        background_of(genome, DNA, settings("motif"), True).of(motif)


@pytest.mark.parametrize("background", ["motif", "uniform"])
def test_order_1_needs_pairs(genome, background):
    with pytest.raises(MotifcnnError, match=r"^--background-order 1 needs pairs of letters: give the genome as a file"):
        background_of(genome, DNA, settings(background, 1), True)
    with pytest.raises(MotifcnnError, match=r"^--background-order 1 needs pairs of letters: .* holds order 1$"):
        background_of("-", DNA, replace(settings(background, 1), background="sequences"), True)


def test_a_file_without_pairs_or_no_file_at_all(genome, tmp_path):
    (tmp_path / "background.txt").write_text(FILE)
    path = str(tmp_path / "background.txt")
    assert background_of(genome, DNA, settings(path), True).chain is None
    with pytest.raises(
        InputError, match=r"txt: holds no pairs of letters; add lines such as `AC 0.06` for all 16 pairs"
    ):
        background_of(genome, DNA, settings(path, 1), True)
    with pytest.raises(
        InputError, match=r"^unifrom: is no file, nor one of sequences, motif and uniform; check --back"
    ):
        background_of(genome, DNA, settings("unifrom"), True)
