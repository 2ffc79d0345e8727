"""Proteins through the whole street: one strand, all letters, residues of long chains."""

import io

import numpy as np
import pandas as pd
import pytest

from motifcnn.alphabet import PROTEIN
from motifcnn.discovery.similarity import motif_similarity
from motifcnn.formats.motif_files import read_motifs
from motifcnn.inputs.examples import Examples, assign_splits
from motifcnn.sequences import Sequences
from motifcnn.settings import SplitSettings

QUICK = ("--filters", 16, "--restarts", 1, "--epochs", 12, "--threads", 1, "--device", "cpu")
WORD = "WCHPWC"


def random_protein(generator, length):
    return PROTEIN.decode(generator.integers(0, 20, length).astype(np.uint8))


@pytest.fixture(scope="module")
def protein_run(run_cli, tmp_path_factory):
    """A run on proteins of which every fifth has a letter of two meanings, and every second the word."""
    generator = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("proteins")
    records, labels = [], []
    for number in range(240):
        text = random_protein(generator, int(generator.integers(20, 60)))
        if number % 5 == 0:
            text = text[:3] + "BZJXUO"[number // 5 % 6] + text[4:]
        if number % 2:
            start = int(generator.integers(5, len(text) - len(WORD)))
            text = text[:start] + WORD + text[start + len(WORD) :]
        records.append(f">sp|P{number}|X protein\n{text}\n")
        labels.append(f"sp|P{number}|X\t{number % 2}\n")
    (folder / "p.fa").write_text("".join(records))
    (folder / "p.tsv").write_text("id\tlabel\n" + "".join(labels))
    result = run_cli("train", folder / "p.fa", folder / "p.tsv", "-o", folder / "run", *QUICK)
    assert result.exit_code == 0, result.stderr
    return folder, result


def test_the_word_is_found_on_one_strand(protein_run):
    folder, result = protein_run
    assert "one strand" in result.stderr
    assert "strands" not in result.stderr.replace("one strand", "")
    motif = read_motifs(folder / "run" / "motifs.meme")[0]
    assert motif.alphabet is PROTEIN
    assert WORD in motif.consensus.upper()
    sites = pd.read_csv(folder / "run" / "sites.tsv", sep="\t")
    assert set(sites["strand"]) == {"+"}
    meme = (folder / "run" / "motifs.meme").read_text()
    assert "strands:" not in meme
    assert "ALPHABET= ACDEFGHIKLMNPQRSTVWY" in meme


def test_a_proteome_is_scanned_by_residue(protein_run, run_cli, tmp_path):
    """A chain of 34,350 residues, as titin's, and a peptide of 8."""
    folder, _ = protein_run
    generator = np.random.default_rng(4)
    titin = random_protein(generator, 34_350)
    titin = titin[:30_000] + WORD + titin[30_000 + len(WORD) :]
    (tmp_path / "proteome.fa").write_text(f">titin\n{titin}\n>peptide\nA{WORD}U\n")
    result = run_cli(
        "scan", tmp_path / "proteome.fa", "-m", folder / "run", "--first", 1, "--format", "tsv", "--p-value", 1e-6
    )
    assert result.exit_code == 0, result.stderr
    hits = pd.read_csv(io.StringIO(result.stdout), sep="\t")
    motif = read_motifs(folder / "run" / "motifs.meme")[0]
    offset = motif.consensus.upper().index(WORD)
    assert set(hits["strand"]) == {"."}
    assert (hits["first_residue"] == hits["start"] + 1).all()
    assert (hits["last_residue"] == hits["end"]).all()
    assert 30_001 - offset in set(hits[hits["chrom"] == "titin"]["first_residue"])
    backwards = titin[::-1]
    (tmp_path / "backwards.fa").write_text(f">titin\n{backwards}\n")
    other = run_cli(
        "scan", tmp_path / "backwards.fa", "-m", folder / "run", "--first", 1, "--format", "tsv", "--p-value", 1e-6
    )
    assert len(other.stdout.splitlines()) < len(hits) + 1  # the word read from its end is no site


@pytest.mark.parametrize("command", [("train",), ("scan",)])
def test_both_strands_of_a_protein_are_refused(protein_run, run_cli, tmp_path, command):
    folder, _ = protein_run
    arguments = {
        "train": ("train", folder / "p.fa", folder / "p.tsv", "-o", tmp_path / "run", *QUICK),
        "scan": ("scan", folder / "p.fa", "-m", folder / "run"),
    }[command[0]]
    result = run_cli(*arguments, "--strands", "both")
    assert result.exit_code == 1
    assert "protein has one strand only; use --strands single" in result.stderr


def test_motifs_of_proteins_are_compared_in_one_direction(protein_run, run_cli):
    folder, _ = protein_run
    motifs = folder / "run" / "motifs.meme"
    result = run_cli("compare", motifs, "--database", motifs)
    assert result.exit_code == 0, result.stderr
    table = pd.read_csv(io.StringIO(result.stdout), sep="\t")
    assert set(table["orientation"]) == {"+"}
    motif = read_motifs(motifs)[0]
    assert motif_similarity(motif, motif, both_strands=False).correlation == pytest.approx(1)


def test_logos_have_the_colours_of_chemistry(protein_run):
    folder, _ = protein_run
    svg = (folder / "run" / "logos" / "motif_1.svg").read_text()
    colours = {part.split(";")[0].split('"')[0].strip() for part in svg.split("fill: ")[1:]}
    assert len(colours - {"none"}) >= 3  # W and P, C, H have other side chains


def test_homologues_never_straddle_the_split(generator):
    """Families of proteins with identities of about 0.7 between members, each of a single label, stay in one part."""
    texts, families = [], []
    for family in range(60):
        ancestor = generator.integers(0, 20, 120).astype(np.uint8)
        for _ in range(5):
            child = ancestor.copy()
            changed = generator.random(120) < 0.17
            child[changed] = generator.integers(0, 20, changed.sum())
            texts.append(child)
            families.append(family)
    sequences = Sequences.from_list([f"p{n}" for n in range(len(texts))], texts, PROTEIN)
    values = (np.array(families) % 2).astype(np.float32)[:, None]
    none = np.empty((0, len(sequences.codes)), dtype=np.float32)
    split = np.zeros(len(texts), dtype=np.int8)
    examples = Examples(sequences, "binary", ("label",), (), values, none, (), split)
    divided = assign_splits(examples, SplitSettings(), 0).split
    for family in range(60):
        assert len(set(divided[np.array(families) == family])) == 1
    assert len(set(divided)) == 3
