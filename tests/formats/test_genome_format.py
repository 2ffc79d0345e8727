import gzip

import numpy as np
import pyfaidx
import pytest

from motifcnn.alphabet import DNA
from motifcnn.errors import InputError
from motifcnn.formats.genome import Genome, suggest_chromosome
from motifcnn.intervals import Interval

CHROMOSOMES = {"chr1": "ACGTNacgtRGGCCTTAAGAC", "chr2": "TTTTTTTTTTccccc"}


@pytest.fixture(params=["indexed", "plain", "gzip"])
def path(request, tmp_path):
    text = "".join(f">{name} a chromosome\n{seq[:8]}\n{seq[8:16]}\n{seq[16:]}\n" for name, seq in CHROMOSOMES.items())
    plain = tmp_path / "genome.fa"
    plain.write_text(text.replace("\n\n", "\n"))
    if request.param == "indexed":
        pyfaidx.Faidx(str(plain)).close()
        assert (tmp_path / "genome.fa.fai").exists()
    if request.param == "gzip":
        plain = tmp_path / "genome.fa.gz"
        plain.write_bytes(gzip.compress(text.replace("\n\n", "\n").encode()))
    return plain


def masked(text):
    return "".join("N" if letter.islower() else letter for letter in text)


@pytest.mark.parametrize("softmask", ["keep", "mask"])
def test_every_interval_on_either_strand(path, softmask):
    genome = Genome(path, softmask)
    assert genome.names == ("chr1", "chr2")
    for name, text in CHROMOSOMES.items():
        shown = masked(text) if softmask == "mask" else text
        assert genome.lengths[name] == len(text)
        for start in range(len(text)):
            for end in range(start + 1, len(text) + 1):
                expected = DNA.encode(shown[start:end])
                assert np.array_equal(genome.fetch(Interval(name, start, end, "+")), expected)
                turned = genome.fetch(Interval(name, start, end, "-"))
                assert np.array_equal(turned, DNA.reverse_complement(expected))
    genome.close()


def test_what_is_not_on_the_genome_is_refused(path):
    genome = Genome(path)
    with pytest.raises(InputError) as caught:
        genome.fetch(Interval("1", 0, 3))
    assert str(caught.value) == (f"{path}: chromosome '1' is not in {path} (chr1, chr2, …); did you mean 'chr1'?")
    with pytest.raises(InputError) as caught:
        genome.check(Interval("chr2", 10, 16), "peaks.bed", 4)
    assert str(caught.value) == (
        "peaks.bed:4: chr2:10-16 reaches past the chromosome, which has 15 bases; "
        "remove it, or use the genome that it was made on"
    )
    genome.close()


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("chr7", ["7"], "; did you mean '7'?"),
        ("7", ["chr7"], "; did you mean 'chr7'?"),
        ("chrM", ["MT"], "; did you mean 'MT'?"),
        ("CHRX", ["chrX"], "; did you mean 'chrX'?"),
        ("scaffold_9", ["chr1"], ""),
    ],
)
def test_suggestions(name, known, hint):
    assert suggest_chromosome(name, known) == hint
