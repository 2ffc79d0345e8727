"""`motifcnn check`: what is in the input, and what trivial models reach."""

import numpy as np

from motifcnn.formats.fasta import read_fasta, write_fasta
from motifcnn.inputs.backgrounds import shuffled_negatives
from motifcnn.sequences import Sequences


def test_it_says_what_is_there(run_cli, tiny_run):
    result = run_cli("check", tiny_run.sequences, tiny_run.labels)
    assert result.exit_code == 0, result.stderr
    found = dict(line.split("\t") for line in result.stdout.splitlines())
    assert found["sequences"] == "300"
    assert found["alphabet"] == "dna"
    assert found["length"] == "40 to 40, median 40"
    assert found["task"] == "binary"
    assert found["negatives"] == "as given"
    assert [found[f"{part} examples"] for part in ("train", "validation", "test")] == ["240", "30", "30"]
    assert found["positive positives"] == "150 of 300"
    assert any("dinucleotides" in name for name in found)
    assert "the input is sound" in result.stderr


def test_it_writes_nothing(run_cli, tiny_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_cli("check", tiny_run.sequences, tiny_run.labels)
    assert list(tmp_path.iterdir()) == []


def test_quiet_leaves_the_table(run_cli, tiny_run):
    loud, quiet = (run_cli(*more, "check", tiny_run.sequences, tiny_run.labels) for more in ([], ["-q"]))
    assert (quiet.stdout, quiet.stderr) == (loud.stdout, "")


def test_made_negatives_are_named(run_cli, tiny_run):
    found = dict(line.split("\t") for line in run_cli("check", tiny_run.sequences).stdout.splitlines())
    assert found["sequences"] == "600"
    assert "2-letter words kept" in found["negatives"]


def test_labels_the_wrong_way_round_are_told(run_cli, tiny_run, tmp_path):
    rows = [line.split("\t") for line in tiny_run.labels.read_text().splitlines()[1:]]
    sequences = read_fasta(tiny_run.sequences, "dna")
    real = sequences.subset(np.array([number for number, name in enumerate(sequences.names) if [name, "1"] in rows]))
    shuffled = shuffled_negatives(real, 2, np.random.default_rng(0))
    both, labels = tmp_path / "both.fa", tmp_path / "labels.tsv"
    write_fasta(both, Sequences.joined([real, shuffled]))
    for of_real, said in (1, "negatives are shuffles of positives"), (0, "sequences labelled 1 look like shuffles"):
        lines = [f"{name}\t{of_real}\n" for name in real.names] + [
            f"{name}\t{1 - of_real}\n" for name in shuffled.names
        ]
        labels.write_text("id\tlabel\n" + "".join(lines))
        result = run_cli("check", both, labels)
        assert result.exit_code == 0, result.stderr
        assert said in result.stderr


def test_a_gapped_kmer_model_is_added_on_request(run_cli, tiny_run):
    result = run_cli("check", tiny_run.sequences, tiny_run.labels, "--baseline", "gkm")
    assert result.exit_code == 0, result.stderr
    found = dict(line.split("\t") for line in result.stdout.splitlines())
    assert float(found["gkm alone, held-out AUROC"]) > 0.7


def test_tracks_are_shown_and_tried_alone(run_cli, tiny_run, tmp_path):
    records = tiny_run.sequences.read_text().split(">")[1:]
    names = [record.split()[0] for record in records]
    labels = dict(line.split("\t") for line in tiny_run.labels.read_text().splitlines())
    rows = [f"{name}\t{','.join([labels[name], '.'] * 20)}\n" for name in names[1:]]
    (tmp_path / "t.tsv").write_text("".join(rows))
    result = run_cli("check", tiny_run.sequences, tiny_run.labels, "--conservation", tmp_path / "t.tsv")
    assert result.exit_code == 0, result.stderr
    found = dict(line.split("\t") for line in result.stdout.splitlines())
    assert found["track t.tsv"].startswith("0 to 1, mean 0.5")
    assert found["track t.tsv"].endswith("; 50.17% missing, 1 sequences without")
    assert float(found["tracks alone, held-out AUROC"]) > 0.95
