"""Options that nothing would read are refused, each by its name, before anything is done."""

import re

import pytest

from motifcnn.settings import ScanSettings

VARIANTS = "needs variants; add --vcf"
MEASURED = "is about measured values; add --per-base"
HITS = "is about hits, and --model-track writes none; leave one of them out"
WINDOWS = "is about windows that the network reads; add --model-track"
RANDOM = "is for random motifs, and --meme gives others; leave one of them out"


def said(result):
    """What stands in the frame that is drawn around faults of usage, as one line."""
    return re.sub(r"[\s│]+", " ", result.stderr)


@pytest.mark.parametrize(
    ("command", "option", "why"),
    [
        (("predict", "FASTA"), ("--annotated", "out"), VARIANTS),
        (("predict", "FASTA"), ("--width", 100), VARIANTS),
        (("predict", "FASTA"), ("--p-value", ScanSettings().p_value), VARIANTS),  # even where it is the default
        (("predict", "FASTA"), ("--base-gaps", "zero"), MEASURED),
        (("scan", "FASTA", "--model-track", "out.bw"), ("--out", "out"), HITS),
        (("scan", "FASTA", "--model-track", "out.bw"), ("--conservation", "FASTA"), HITS),
        (("scan", "FASTA", "--model-track", "out.bw"), ("--format", "tsv"), HITS),
        (("scan", "FASTA", "--model-track", "out.bw"), ("--q-values",), HITS),
        (("scan", "FASTA", "--model-track", "out.bw"), ("--p-value", 0.001), HITS),
        (("scan", "FASTA"), ("--track-width", 100), WINDOWS),
        (("scan", "FASTA"), ("--track-stride", 10), WINDOWS),
        (("simulate", "-o", "out", "--meme", "MEME"), ("--motifs", 3), RANDOM),
        (("simulate", "-o", "out", "--meme", "MEME"), ("--motif-width", 8), RANDOM),
        (("simulate", "-o", "out", "--meme", "MEME"), ("--motif-bits", 9), RANDOM),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_options_that_nothing_would_read(run_cli, tiny_run, tmp_path, monkeypatch, command, option, why):
    monkeypatch.chdir(tmp_path)
    files = {"FASTA": tiny_run.sequences, "MEME": tiny_run.truth}
    arguments = [files.get(word, word) for word in (*command, *option)]
    if command[0] != "simulate":
        arguments += ["-m", tiny_run.path]
    result = run_cli(*arguments)
    assert result.exit_code == 2
    assert f"Invalid value for {option[0]}: {why}" in said(result)
    assert list(tmp_path.iterdir()) == []


def test_a_scan_compares_with_no_trivial_models(run_cli, tiny_run):
    result = run_cli("scan", tiny_run.sequences, "-m", tiny_run.path, "--baseline", "gkm")
    assert result.exit_code == 2
    assert "No such option: --baseline" in said(result)


@pytest.mark.parametrize("command", ["scan", "predict", "explain", "compare"])
def test_what_is_read_is_not_written_over_even_by_force(run_cli, tiny_run, tmp_path, command):
    own, link = tmp_path / "own", tmp_path / "link"
    source = tiny_run.path / "motifs.meme" if command == "compare" else tiny_run.sequences
    own.write_bytes(source.read_bytes())
    link.symlink_to(own)
    options = ("--database", own) if command == "compare" else ("-m", tiny_run.path)
    result = run_cli(command, own, *options, "-o", link, "--force")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{link}: is a file that is read; give another name with --out" in result.stderr
    assert own.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["asked", "forced"])
def test_windows_are_not_written_over_the_genome_even_by_force(run_cli, tiny_run, tmp_path, force):
    genome = tmp_path / "genome.bw"
    genome.write_bytes(tiny_run.sequences.read_bytes())
    result = run_cli("scan", genome, "-m", tiny_run.path, "--model-track", genome, *force)
    assert result.exit_code == 1
    assert f"{genome}: is a file that is read; give another name with --model-track" in result.stderr
    assert genome.read_bytes() == tiny_run.sequences.read_bytes()


def test_a_seed_of_a_scan_says_that_it_decides_nothing(run_cli, tiny_run):
    scan = ("scan", tiny_run.sequences, "-m", tiny_run.path)
    assert run_cli(*scan, "--seed", 5).stdout == run_cli(*scan).stdout
    said = {command: " ".join(run_cli(command, "--help").stdout.split()) for command in ("scan", "train")}
    assert [("Seed of every random" in text, "draws nothing" in text) for text in said.values()] == [
        (False, True),
        (True, False),
    ]


@pytest.mark.parametrize("command", ["scan", "predict", "explain", "compare"])
def test_a_directory_is_no_file_to_write(run_cli, tiny_run, tmp_path, command):
    read = [tiny_run.path] if command == "compare" else [tiny_run.sequences, "-m", tiny_run.path]
    result = run_cli(command, *read, "-o", tmp_path, "--force")
    assert result.exit_code == 1
    assert f"{tmp_path}: is a directory; give the name of a file with --out" in result.stderr


def test_a_device_that_training_would_refuse_is_refused_by_check(run_cli, tiny_run):
    result = run_cli("check", tiny_run.sequences, tiny_run.labels, "--device", "tpu")
    assert result.exit_code == 1
    assert "--device tpu: use auto, cpu, cuda, cuda:N or mps" in result.stderr
