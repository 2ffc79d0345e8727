import os
from dataclasses import replace

import numpy as np
import pytest

from motifcnn.alphabet import DNA
from motifcnn.errors import InputError
from motifcnn.formats.genome import Genome
from motifcnn.preparation import InputFiles, prepare, read_sequences
from motifcnn.settings import InputSettings, Settings


@pytest.fixture
def files(tmp_path, generator):
    """A genome whose every other 100 bases are lower case, and peaks all over it."""
    text = DNA.decode(generator.integers(0, 4, 60_000).astype(np.uint8))
    blocks = [text[start : start + 100] for start in range(0, len(text), 100)]
    text = "".join(block.lower() if number % 2 else block for number, block in enumerate(blocks))
    (tmp_path / "genome.fa").write_text(f">chr1\n{text}\n")
    starts = range(130, 59_000, 900)
    (tmp_path / "peaks.bed").write_text("".join(f"chr1\t{start}\t{start + 50}\n" for start in starts))
    return InputFiles(tmp_path / "peaks.bed", genome=tmp_path / "genome.fa")


@pytest.mark.parametrize("softmask", ["keep", "mask"])
def test_made_negatives_are_masked_as_the_positives_are(files, softmask):
    settings = replace(Settings(), input=InputSettings(width=50, softmask=softmask))
    examples = prepare(files, settings).examples
    masked = np.array([(examples.sequences[n] == DNA.unknown).mean() for n in range(len(examples))])
    positive = examples.values[:, 0] == 1
    assert positive.sum() == (~positive).sum() == 66
    for share in (masked[positive].mean(), masked[~positive].mean()):
        assert (share == 0) if softmask == "keep" else (0.35 < share < 0.65)


def test_windows_that_stand_twice_are_kept_once_and_said(files, caplog):
    caplog.set_level("INFO", "motifcnn")
    text = files.sequences.read_text()
    files.sequences.write_text(text + "".join(text.splitlines(keepends=True)[:3]))
    assert len(read_sequences(files.sequences, Genome(files.genome), InputSettings())) == 66
    assert "3 of 69 intervals have the window of an earlier one, which is kept once" in caplog.messages


def test_an_empty_file_is_what_the_genome_makes_one_expect(files):
    files.sequences.write_text("")
    with pytest.raises(InputError, match="holds no interval; give BED"):
        read_sequences(files.sequences, Genome(files.genome), InputSettings())
    with pytest.raises(InputError, match="is empty; give FASTA"):
        read_sequences(files.sequences, None, InputSettings())


def test_too_few_positives_are_counted_before_negatives_are_made(files, caplog):
    caplog.set_level("INFO", "motifcnn")
    files.sequences.write_text("".join(files.sequences.read_text().splitlines(keepends=True)[:9]))
    with pytest.raises(InputError, match=r"9 sequences without labels; at least 10 are needed to train and to test"):
        prepare(files, Settings())
    assert not [message for message in caplog.messages if "negatives" in message]


def test_a_pipe_is_refused_before_it_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is a pipe, and sequences are read more than once; pipe them to -, or give a"):
        read_sequences(tmp_path / "pipe", None, InputSettings())


@pytest.mark.parametrize("before", ["", "# a comment\n"])
def test_what_may_stand_before_fasta_is_passed_over(tmp_path, before):
    (tmp_path / "a.fa").write_text(f"{before}>a\nACGT\n", encoding="utf-8-sig")
    assert read_sequences(tmp_path / "a.fa", None, InputSettings()).names == ("a",)


@pytest.mark.parametrize("start", ["# STOCKHOLM 1.0\na AC-GT\n//\n", "##maf version=1\na\ns c 0 2 + 9 AC\n"])
def test_an_alignment_in_the_place_of_sequences_is_explained(tmp_path, start):
    (tmp_path / "family").write_text(start)
    with pytest.raises(InputError, match="is an alignment; give its sequences as FASTA without gaps here, and the al"):
        prepare(InputFiles(tmp_path / "family"), Settings())


@pytest.mark.parametrize("uneven", [False, True])
def test_gaps_that_tell_the_classes_apart_are_said(tmp_path, generator, caplog, uneven):
    texts = [DNA.decode(generator.integers(0, 4, 40).astype(np.uint8)) for _ in range(60)]
    (tmp_path / "s.fa").write_text("".join(f">s{n}\n{text}\n" for n, text in enumerate(texts)))
    (tmp_path / "s.tsv").write_text("id\tbound\n" + "".join(f"s{n}\t{n % 2}\n" for n in range(60)))
    rows = []
    for n in range(60):
        values = np.where(generator.random(40) < 0.2, ".", "1")
        if uneven and n % 2 == 0:
            values[:20] = "."
        rows.append(f"s{n}\t{','.join(values)}\n")
    (tmp_path / "t.tsv").write_text("".join(rows))
    caplog.set_level("WARNING", "motifcnn")  # another test may have run a command quietly
    prepare(InputFiles(tmp_path / "s.fa", tmp_path / "s.tsv", conservation=(tmp_path / "t.tsv",)), Settings())
    found = [record.message for record in caplog.records if "where the track has gaps" in record.message]
    assert len(found) == uneven
    if uneven:
        assert found[0].startswith("t.tsv has no value at 2")
        assert "of the positions of 'bound' and 6" in found[0] or "of the positions of 'bound' and 5" in found[0]
