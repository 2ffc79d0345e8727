"""Every fault that a user can mend: one line with file, line and remedy, and nothing left half-written."""

import errno
import gzip
import io
import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import save_file

from motifcnn.formats import files

VCF = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
TRAIN = ("-o", "out", "--filters", 4, "--filter-width", 9, "--restarts", 1, "--epochs", 2, "--threads", 1)


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


@pytest.fixture(scope="module")
def inputs(tiny_run, tmp_path_factory):
    """A folder of sound input, `s.fa` and `s.tsv`, and its damaged variants."""
    folder = tmp_path_factory.mktemp("bad")
    fasta, labels = tiny_run.sequences.read_text(), tiny_run.labels.read_text()
    rows, lines = labels.splitlines(), fasta.splitlines()
    names = [row.split("\t")[0] for row in rows[1:]]
    third = next(i for i, line in enumerate(lines) if line == f">{names[2]}") + 1
    packed = gzip.compress(fasta.encode())
    texts = {
        "s.fa": fasta,
        "s.tsv": labels,
        "empty.fa": "",
        "twice.fa": f"{fasta}>{names[0]}\nACGTACGTACGT\n",
        "letters.fa": "\n".join([*lines[:third], "MKLV" + lines[third], *lines[third + 1 :]]) + "\n",
        "short.fa": "\n".join([*lines[:third], "ACGTA", *lines[third + 1 :]]) + "\n",
        "unknown.tsv": labels + "".join(f"x{i}\t1\n" for i in range(1, 5)),
        "fewer.tsv": "\n".join(rows[:-5]) + "\n",
        "one.tsv": "\n".join([rows[0], *(f"{name}\t1" for name in names)]) + "\n",
        "headless.tsv": "\n".join(rows[1:]) + "\n",
        "words.tsv": "id\tvalue\n" + "".join(f"{n}\t{'high' if i == 5 else i / 7}\n" for i, n in enumerate(names)),
        "commas.tsv": "id\tvalue\n" + "".join(f"{n}\t{i % 7},5\n" for i, n in enumerate(names)),
        "track.tsv": "".join(f"{n}\t{','.join(['0.5'] * (39 if i == 3 else 40))}\n" for i, n in enumerate(names)),
        "family.sto": f"# STOCKHOLM 1.0\n{names[0]} AC-GT\n//\n",
        "t.wig": "fixedStep chrom=chr1 start=1 step=1\n0.5\n",
        "genome.fa": ">chr1\n" + "ACGGTCATTA" * 100 + "\n",
        "past.bed": "chr1\t100\t200\nchr1\t1100\t1300\n",
        "named.bed": "1\t100\t200\n1\t300\t400\n",
        "reference.vcf": f"{VCF}chr1\t3\t.\tG\tA\t.\t.\t.\nchr1\t4\trs1\tA\tT\t.\t.\t.\n",
        "named.vcf": f"{VCF}1\t3\t.\tG\tA\t.\t.\t.\n",
        "past.vcf": f"{VCF}chr1\t2000\t.\tG\tA\t.\t.\t.\n",
        "cut.vcf": f"{VCF}chr1\t3\t.\n",
        "none.meme": "MEME version 4\n\nALPHABET= ACGT\n",
        "sums.meme": "MEME version 4\n\nMOTIF m\nletter-probability matrix: alength= 4 w= 2\n1 0 0 0\n.5 .2 0 0\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "binary.fa").write_bytes(bytes(range(256)) * 9)
    (folder / "cut.fa.gz").write_bytes(packed[: len(packed) // 2])
    (folder / "occupied").mkdir()
    (folder / "occupied" / "mine.txt").write_text("keep")
    for name in ("damaged", "newer", "hollow"):
        (folder / name).mkdir()
    (folder / "damaged" / "model.safetensors").write_bytes(b"\xff" * 400)
    with safe_open(tiny_run.path / "model.safetensors", "pt") as model:
        description = json.loads(model.metadata()["motifcnn"]) | {"schema_version": 99}
        tensors = {name: model.get_tensor(name) for name in model.keys()}  # noqa: SIM118 - not a dict
    save_file(tensors, folder / "newer" / "model.safetensors", {"motifcnn": json.dumps(description)})
    return folder, names, third + 1


def train(*arguments):
    return ["train", *arguments, *TRAIN]


def variants(path):
    return ["predict", "--vcf", path, "--genome", "genome.fa", "-m", "{run}", "-o", "out", "--annotated", "out.vcf"]


CASES = {
    "missing FASTA": (train("no.fa", "s.tsv"), r"no\.fa: .*No such file.*; give the path of the sequences"),
    "missing labels": (train("s.fa", "no.tsv"), r"no\.tsv: .*No such file.*; give the path of the labels"),
    "empty FASTA": (train("empty.fa", "s.tsv"), r"empty\.fa: is empty; give FASTA with at least one sequence"),
    "binary FASTA": (train("binary.fa", "s.tsv"), r"binary\.fa: is a binary file; give FASTA"),
    "not FASTA": (train("s.tsv", "s.tsv"), r"s\.tsv: is not FASTA .*; if it is BED, add --genome FASTA"),
    "truncated gzip": (
        train("cut.fa.gz", "s.tsv"),
        r"cut\.fa\.gz: ends in the middle of its gzip data; copy or download it again",
    ),
    "duplicate names": (
        train("twice.fa", "s.tsv"),
        r"twice\.fa:{end}: the name '{first}' stands twice \(first in line 1\); give every sequence its own",
    ),
    "unknown label": (
        train("s.fa", "unknown.tsv"),
        r"unknown\.tsv:302: 4 labels without a sequence \(x1, x2, x3, …\); .* the 300 that have both: --allow-missing",
    ),
    "no label": (
        train("s.fa", "fewer.tsv"),
        r"fewer\.tsv: 5 sequences without a label \({last}, …\); .* the 295 that have both: --allow-missing",
    ),
    "one class": (
        train("s.fa", "one.tsv"),
        r"one\.tsv: only one class: target 'positive' is 1 in 300 of 300 labels; add sequences with label 0.*",
    ),
    "no header": (
        train("s.fa", "headless.tsv"),
        r"headless\.tsv:1: line 1 looks like data .*; add a header line such as id<TAB>label",
    ),
    "word among numbers": (
        train("s.fa", "words.tsv"),
        r"words\.tsv:7: 'high' in column 'value' is not a number, .*; mend it, or write '\.' if it is missing",
    ),
    "decimal commas": (
        train("s.fa", "commas.tsv"),
        r"commas\.tsv:2: '0,5' in column 'value' has a decimal comma; write numbers with a point",
    ),
    "one stream for two files": (train("-", "-"), r"SEQS and LABELS cannot both be standard input; give one .* file"),
    "protein letters": (
        train("letters.fa", "s.tsv"),
        r"letters\.fa:{line}: 'L' is no letter of dna, for which the file was taken; .*, or give --alphabet protein",
    ),
    "short sequence": (
        train("short.fa", "s.tsv"),
        r"short\.fa: '{third}' is too short: 1 sequence is shorter than the filters of width 9 \(shortest: 5\); "
        r"remove it or give --filter-width 5",
    ),
    "conservation of another length": (
        train("s.fa", "s.tsv", "--conservation", "track.tsv"),
        r"track\.tsv:4: 39 values for '{fourth}', which has 40 letters; one value a letter is needed",
    ),
    "an alignment of another sequence": (
        train("s.fa", "s.tsv", "--conservation", "family.sto"),
        r"family\.sto:2: row '{first}' has 4 letters without its gaps, and '{first}' has 40; align the .*",
    ),
    "a track by coordinates for names without": (
        train("s.fa", "s.tsv", "--conservation", "t.wig"),
        r"t\.wig: holds values by genome coordinates, and 300 of 300 sequences have none .*, or values as TSV",
    ),
    "BED past the end": (
        train("past.bed", "--genome", "genome.fa"),
        r"past\.bed:2: chr1:\S+ reaches past the chromosome, which has 1000 bases; remove it, or use .*",
    ),
    "chromosome names": (
        train("named.bed", "--genome", "genome.fa"),
        r"named\.bed:1: chromosome '1' is not in genome\.fa \(chr1, …\); did you mean 'chr1'\?",
    ),
    "occupied directory": (
        ["train", "s.fa", "s.tsv", *TRAIN[2:], "-o", "occupied"],
        r"occupied: is not empty; give another directory with --out, .* write over it with --force",
    ),
    "file for a directory": (["train", "s.fa", "s.tsv", "-o", "s.fa"], r"s\.fa: is a file; give another .*--out"),
    "nothing to resume": (train("s.fa", "s.tsv", "--resume"), r"out: holds no run to resume; leave --resume out.*"),
    "no CUDA": (train("s.fa", "s.tsv", "--device", "cuda"), r"--device cuda: .*; use --device cpu, or see .*doctor`"),
    "unknown device": (train("s.fa", "s.tsv", "--device", "tpu"), r"--device tpu: use auto, cpu, cuda, cuda:N or mps"),
    "absurd setting": (
        ["train", "s.fa", "s.tsv", "-o", "out", "--conv-filters", "0"],
        r"--conv-filters 0: it must be at least 1",
    ),
    "no motif known": (
        train("s.fa", "s.tsv", "--database", "none.meme"),
        r"none\.meme: holds no motif; give a file with at least one",
    ),
    "no motif": (["scan", "s.fa", "-m", "none.meme", "-o", "out"], r"none\.meme: holds no motif; give a file .*"),
    "rows not of sum 1": (
        ["scan", "s.fa", "-m", "sums.meme", "-o", "out"],
        r"sums\.meme:6: a row of the letter-probability matrix sums to 0\.7; it must sum to 1: divide .*",
    ),
    "no motifs in a run": (
        ["scan", "s.fa", "-m", "hollow"],
        r"hollow: holds no motifs\.meme; give the directory .* or a MEME file",
    ),
    "damaged model": (
        ["predict", "s.fa", "-m", "damaged", "-o", "out"],
        r"damaged/model\.safetensors: is not a motifcnn model \(.*\); give a run directory .*, or train it again",
    ),
    "letters of another alphabet to explain": (
        ["explain", "ACGU" * 9, "-m", "{run}"],
        r"ACGUACGUACGUACGUACGU…: there is no such file, and as a sequence: letter 'U' at position 4 is not dna; "
        "correct the path, or give letters of dna",
    ),
    "newer model": (
        ["predict", "s.fa", "-m", "newer", "-o", "out"],
        r"newer/model\.safetensors: was written by a newer motifcnn \(model schema 99, .*up to 3\); upgrade motifcnn",
    ),
    "no model": (
        ["predict", "s.fa", "-m", "hollow"],
        r"hollow/model\.safetensors: there is no model here; give a run directory of `motifcnn train`",
    ),
    "nothing to explain": (
        ["explain", "no.fa", "-m", "{run}"],
        r"no\.fa: is neither a file, coordinates such as chr22:100-301, nor the letters of a .*; give one of them",
    ),
    "no such name to explain": (
        ["explain", "s.fa", "--name", "none", "-m", "{run}"],
        r"s\.fa: holds no sequence 'none' \(its first is '{first}'\); give a name that is in it",
    ),
    "protein to explain": (
        ["explain", "letters.fa", "-m", "{run}"],
        r"letters\.fa:{line}: 'L' is no letter of dna, and dna is what is read here; .*, or give sequences of dna",
    ),
    "region past the end": (
        ["explain", "chr1:900-1100", "--genome", "genome.fa", "-m", "{run}"],
        r"genome\.fa: chr1:900-1100 reaches past the chromosome, which has 1000 bases; .*",
    ),
    "region of another genome": (
        ["explain", "1:90-150", "--genome", "genome.fa", "-m", "{run}"],
        r"genome\.fa: chromosome '1' is not in genome\.fa \(chr1, …\); did you mean 'chr1'\?",
    ),
    "no run to explain with": (["explain", "s.fa", "-m", "hollow"], r"hollow: is no complete run; give .*with -m"),
    "regions of another genome": (
        ["export", "tracks", "{run}", "--regions", "named.bed", "--genome", "genome.fa"],
        r"named\.bed:1: chromosome '1' is not in genome\.fa \(chr1, …\); did you mean 'chr1'\?",
    ),
    "regions past the end": (
        ["export", "tracks", "{run}", "--regions", "past.bed", "--genome", "genome.fa"],
        r"past\.bed:2: chr1:\S+ reaches past the chromosome, which has 1000 bases; remove it, or use .*",
    ),
    "no hits to open": (
        ["export", "tracks", "{run}", "s.fa", "--hits", "no.bed"],
        r"no\.bed: there is no such file of hits; check the path, or write it with `motifcnn scan`",
    ),
    "a reference base of another genome": (
        variants("reference.vcf"),
        r"reference\.vcf:4: REF A at chr1:4 is G in genome\.fa; give the genome that the variants were called on",
    ),
    "variants of other chromosomes": (
        variants("named.vcf"),
        r"named\.vcf:3: chromosome '1' is not in genome\.fa \(chr1, …\); did you mean 'chr1'\?",
    ),
    "a variant past the end": (
        variants("past.vcf"),
        r"past\.vcf:3: chr1:1999-2000 reaches past the chromosome, which has 1000 bases; remove it, or use .*",
    ),
    "a line of variants cut short": (
        variants("cut.vcf"),
        r"cut\.vcf:3: 3 columns, where VCF has 8 or more, separated by tabs; mend the line",
    ),
    "no variants": (
        variants("genome.fa"),
        r"genome\.fa:1: a variant before the line of columns that begins with #CHROM; give VCF",
    ),
    "a seed of more than 63 bits": (
        ["train", "s.fa", "s.tsv", "--seed", 2**63],
        r"--seed 9223372036854775808: it must be at least 0 and at most 9\.22337e\+18",
    ),
    "check refuses as train does": (["check", "s.fa", "one.tsv"], r"one\.tsv: only one class: .*"),
    "check knows the default filters": (["check", "short.fa", "s.tsv"], r"short\.fa: '{third}' is too short: .*"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_and_nothing_written(run_cli, inputs, tiny_run, monkeypatch, case):
    folder, names, line = inputs
    monkeypatch.chdir(folder)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    before = contents(folder)
    arguments, expected = CASES[case]
    words = {"first": names[0], "third": names[2], "fourth": names[3], "last": ", ".join(names[-5:-2])}
    for word, value in (words | {"line": str(line), "end": "601"}).items():
        expected = expected.replace(f"{{{word}}}", value)
    result = run_cli("-q", *(tiny_run.path if word == "{run}" else word for word in arguments))
    assert result.exit_code == 1
    assert result.stdout == ""
    (said,) = result.stderr.splitlines()
    assert re.fullmatch(f"motifcnn: error: {expected}", said), said
    assert contents(folder) == before


@pytest.mark.parametrize("genome", ["none.fa", "empty.fa", "binary.fa", "cut.fa.gz", "twice.fa"])
def test_scan_names_the_genome(run_cli, inputs, tiny_run, monkeypatch, genome):
    monkeypatch.chdir(inputs[0])
    before = contents(inputs[0])
    result = run_cli("-q", "scan", genome, "-m", tiny_run.path, "-o", "hits.bed")
    assert result.exit_code == 1
    assert re.fullmatch(rf"motifcnn: error: {re.escape(genome)}:(\d+:)? .*; .*\n", result.stderr), result.stderr
    assert contents(inputs[0]) == before


@pytest.mark.parametrize(("labels", "left"), [("unknown.tsv", "4 labels"), ("fewer.tsv", "5 sequences")])
def test_allow_missing_goes_on(run_cli, inputs, monkeypatch, labels, left):
    monkeypatch.chdir(inputs[0])
    result = run_cli("check", "s.fa", labels, "--allow-missing")
    assert result.exit_code == 0, result.stderr
    assert left in result.stderr
    assert "these are left out" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["train", "s.fa", "--nonsense"], ["train"], ["nonsense"], ["scan", "--first", "x"]]
)
def test_usage_faults_exit_with_2(run_cli, arguments):
    result = run_cli(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


@pytest.fixture
def full_disk(monkeypatch):
    """Let the disk be full from a given write on."""

    def after(writes):
        done = 0

        class Full:
            def __init__(self, file):
                self.file = file

            def write(self, data):
                nonlocal done
                done += 1
                if done > writes:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return self.file.write(data)

            def writelines(self, parts):
                for part in parts:
                    self.write(part)

            def __getattr__(self, name):
                return getattr(self.file, name)

        @contextmanager
        def plain(file):
            yield Full(file)

        packed = files._packed
        monkeypatch.setattr(files, "_as_is", plain)
        monkeypatch.setattr(files, "_packed", lambda file: packed(Full(file)))

    return after


FULL = "no space left on the device; free some or choose another place"


@pytest.mark.parametrize(
    ("writes", "command"),
    [
        (0, ["scan", "{s}", "-m", "{run}", "-o", "out"]),
        (1, ["scan", "{s}", "-m", "{run}", "-o", "out"]),
        (0, ["scan", "{s}", "-m", "{run}", "-o", "out.gz"]),
        (1, ["scan", "{s}", "-m", "{run}", "-o", "out.gz"]),
        (1, ["scan", "{s}", "-m", "{run}", "-o", "out", "--format", "tsv", "--q-values"]),
        (0, ["predict", "{s}", "-m", "{run}", "-o", "out"]),
    ],
)
def test_a_full_disk_leaves_no_partial_file(run_cli, tiny_run, tmp_path, monkeypatch, full_disk, writes, command):
    monkeypatch.chdir(tmp_path)
    full_disk(writes)
    arguments = [word.format(s=tiny_run.sequences, run=tiny_run.path) for word in command]
    result = run_cli("-q", *arguments)
    out = arguments[arguments.index("-o") + 1]
    assert (result.exit_code, result.stderr) == (1, f"motifcnn: error: {out}: {FULL}\n")
    assert contents(tmp_path) == {}


def test_a_full_temporary_folder_is_named(run_cli, tiny_run, tmp_path, monkeypatch):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.TemporaryFile", Full)
    result = run_cli("-q", "scan", tiny_run.sequences, "-m", tiny_run.path, "-o", "out", "--q-values")
    assert result.exit_code == 1
    assert re.fullmatch(
        r"motifcnn: error: \S+: hits waiting for their q-values cannot be written \(No space left on device\); set "
        r"TMPDIR to a folder with more room\n",
        result.stderr,
    ), result.stderr
    assert contents(tmp_path) == {}


def test_a_disk_that_fills_up_in_training_leaves_whole_files(run_cli, tiny_run, tmp_path, monkeypatch, full_disk):
    full_disk(9)
    run = tmp_path / "run"
    result = run_cli("-q", "train", tiny_run.sequences, tiny_run.labels, "-o", run, *TRAIN[2:], "--device", "cpu")
    assert result.exit_code == 1
    assert re.fullmatch(rf"motifcnn: error: {run}/\S+: {FULL}\n", result.stderr)
    assert not [path for path in run.rglob("*") if path.suffix == ".part"]
    assert json.loads((run / "run.json").read_text())["status"] == "running"
    assert (run / "checkpoint.safetensors").exists()
    assert not (run / "report.html").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_standard_output_that_is_full(inputs, tiny_run):
    entry = "from importlib.metadata import entry_points as e; e(group='console_scripts')['motifcnn'].load()()"
    command = [sys.executable, "-c", entry, "-q", "scan", inputs[0] / "s.fa", "-m", tiny_run.path]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"motifcnn: error: {FULL}\n")
