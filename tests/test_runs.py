import hashlib
import json
import logging
import math
from dataclasses import replace
from pathlib import Path

import pytest

from motifcnn.errors import InputError, MotifcnnError
from motifcnn.runs import FILES, JsonLinesHandler, RunDirectory, RunRecord, motif_file, read_json, write_json
from motifcnn.settings import Settings, from_toml


@pytest.fixture
def run(tmp_path):
    directory = RunDirectory(tmp_path / "run")
    directory.prepare(force=False, resume=False)
    return directory


@pytest.fixture
def record(tmp_path):
    (tmp_path / "s.fa").write_text(">a\nACGT\n")
    return RunRecord(["motifcnn", "train"], Settings(), [("sequences", tmp_path / "s.fa")], "cpu")


def fill(run):
    """Put every file of a run, and one of the user's, into the directory."""
    for name in FILES.values():
        if name != "logos":
            (run.path / name).write_text("old")
    (run.logos / "motif_1.svg").write_text("old")
    (run.path / "notes.txt").write_text("mine")


def names_in(run):
    return sorted(path.name for path in run.path.rglob("*") if path.is_file())


def test_every_file_has_its_name(tmp_path):
    run = RunDirectory(tmp_path)
    assert run.model == tmp_path / "model.safetensors"
    assert {getattr(run, key) for key in FILES} == {tmp_path / name for name in FILES.values()}
    with pytest.raises(AttributeError, match=r"^weights$"):
        _ = run.weights


def test_a_new_directory_is_made_with_its_parents(tmp_path):
    run = RunDirectory(tmp_path / "a" / "b")
    run.prepare(force=False, resume=False)
    assert run.logos.is_dir()


def test_an_empty_directory_is_used(tmp_path):
    RunDirectory(tmp_path).prepare(force=False, resume=False)
    assert (tmp_path / "logos").is_dir()


def test_another_run_is_not_written_over(run):
    fill(run)
    before = names_in(run)
    with pytest.raises(MotifcnnError) as caught:
        run.prepare(force=False, resume=False)
    assert str(caught.value) == (
        f"{run.path}: is not empty; give another directory with --out, go on with --resume, "
        "or write over it with --force"
    )
    assert names_in(run) == before


def test_force_removes_the_old_run_and_nothing_else(run):
    fill(run)
    run.prepare(force=True, resume=False)
    assert names_in(run) == ["notes.txt"]


@pytest.mark.parametrize("options", [{"force": True, "resume": False}, {"force": False, "resume": True}])
@pytest.mark.parametrize("inside", [True, False], ids=["in a folder that is read", "itself"])
@pytest.mark.parametrize("name", ["predictions.tsv", "motifs.meme"])
def test_what_is_read_is_not_written_over(run, options, inside, name):
    fill(run)
    before = names_in(run)
    with pytest.raises(MotifcnnError, match=r"is a file that is read; give another directory with --out$") as caught:
        run.prepare(**options, inputs=[run.path / "notes.txt", run.path if inside else run.path / name])
    assert inside or str(caught.value).startswith(f"{run.path / name}:")
    assert names_in(run) == before
    run.prepare(**options, inputs=[run.path / "notes.txt", Path("-"), run.path / "no_such"])


@pytest.mark.parametrize("force", [True, False])
def test_resume_keeps_everything(run, force):
    fill(run)
    before = names_in(run)
    run.prepare(force=force, resume=True)
    assert names_in(run) == before


@pytest.mark.parametrize("force", [True, False])
def test_nothing_to_resume(tmp_path, force):
    run = RunDirectory(tmp_path / "run")
    with pytest.raises(MotifcnnError, match=r"run: holds no run to resume; leave --resume out to start one$"):
        run.prepare(force=force, resume=True)
    assert not run.path.exists()


def test_a_file_is_no_directory(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(MotifcnnError, match=r"run: is a file; give another directory with --out$"):
        RunDirectory(tmp_path / "run").prepare(force=True, resume=False)
    with pytest.raises(MotifcnnError, match=r"below: cannot be made \(Not a directory\); give another with --out$"):
        RunDirectory(tmp_path / "run" / "below").prepare(force=False, resume=False)


def test_the_record_says_from_what_and_how(run, record, tmp_path):
    record.write(run)
    content = read_json(run.run_record)
    assert content["command"] == ["motifcnn", "train"]
    assert content["inputs"] == [
        {
            "role": "sequences",
            "path": str(tmp_path / "s.fa"),
            "bytes": 8,
            "sha256": hashlib.sha256(b">a\nACGT\n").hexdigest(),
        }
    ]
    assert content["status"] == "running"
    assert content["seed"] == 0
    assert content["resources"]["peak_memory_bytes"] > 1e6
    assert from_toml(run.settings) == record.settings


def test_standard_input_has_no_checksum():
    record = RunRecord([], Settings(), [("sequences", "-")], "cpu")
    assert record.to_dict()["inputs"] == [{"role": "sequences", "path": "-", "bytes": None, "sha256": None}]


def test_a_missing_input_is_named(tmp_path):
    with pytest.raises(InputError) as caught:
        RunRecord([], Settings(), [("labels", tmp_path / "missing.tsv")], "cpu")
    assert str(caught.value) == (
        f"{tmp_path / 'missing.tsv'}: cannot be read (No such file or directory); give the path of the labels"
    )


@pytest.mark.parametrize("status", ["running", "interrupted"])
def test_the_same_inputs_and_settings_may_resume(run, record, status):
    record.status = status
    record.write(run)
    record.check_resumable(run)


def test_what_may_not_resume(run, record, tmp_path):
    record.write(run)
    other = replace(record, settings=replace(Settings(), seed=1))
    with pytest.raises(MotifcnnError) as caught:
        other.check_resumable(run)
    assert str(caught.value) == (
        f"{run.path}: was begun with other settings; resume with --config {run.settings}, or use --force"
    )
    (tmp_path / "s.fa").write_text(">a\nACGA\n")
    with pytest.raises(MotifcnnError) as caught:
        replace(record).check_resumable(run)
    assert str(caught.value) == (f"{run.path}: was begun on other input files; resume with the same, or use --force")
    record.status = "complete"
    record.write(run)
    with pytest.raises(MotifcnnError) as caught:
        record.check_resumable(run)
    assert str(caught.value) == f"{run.path}: is complete, so there is nothing to resume; --force starts again"


def test_json_has_no_nan(tmp_path):
    write_json(tmp_path / "x.json", {"a": [math.nan, 1.5, {"b": (math.inf, -math.inf)}], "c": "é", "d": True})
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=pytest.fail) == {"a": [None, 1.5, {"b": [None, None]}], "c": "é", "d": True}
    assert "é" in text
    assert read_json(tmp_path / "x.json")["a"] == [None, 1.5, {"b": [None, None]}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read (No such file or directory); is this a run directory of motifcnn?"),
        (
            b"{",
            "is not JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1)); was it edited?",
        ),
        (b"[1]", "is not a JSON object; was it edited?"),
        (
            b"\xff",
            "is not JSON ('utf-8' codec can't decode byte 0xff in position 0: invalid start byte); was it edited?",
        ),
    ],
)
def test_what_is_no_json(tmp_path, content, message):
    path = tmp_path / "x.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_json(path)
    assert str(caught.value) == f"{path}: {message}"


def test_the_log_is_one_object_a_line_while_it_is_open(tmp_path):
    logger = logging.getLogger("motifcnn.somewhere")
    logger.setLevel(logging.DEBUG)
    path = tmp_path / "log.jsonl"
    with JsonLinesHandler() as log:
        logger.info("before")
        log.open(path, append=False)
        logger.warning("first %d é", 1)
        assert len(path.read_text().splitlines()) == 2  # seen at once
        logger.debug("second")
    logger.warning("not heard")
    with JsonLinesHandler() as log:
        log.open(path, append=True)
        logger.info("third\nline")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("info", "before"), ("warning", "first 1 é"), ("debug", "second"), ("info", "third\nline"),
    ]  # fmt: skip
    with JsonLinesHandler() as log:
        log.open(path, append=False)
    assert path.read_text() == ""


def test_the_motif_file_of_a_run_or_the_reason_why_there_is_none(run, tmp_path):
    def fault(path):
        with pytest.raises(InputError) as caught:
            motif_file(path)
        return str(caught.value)

    assert "there is no such run; give the directory that `motifcnn train` wrote" in fault(tmp_path / "nowhere")
    assert "holds no motifs.meme; give the directory" in fault(run.path)
    run.run_record.write_text("{}")
    assert "this run is not complete and holds no motifs.meme; go on with" in fault(run.path)
    run.motifs_table.write_text("motif\n")
    assert "this run found no motif; its report.html says more" in fault(run.path)
    run.motifs_meme.write_text("MEME version 4\n")
    assert motif_file(run.path) == run.motifs_meme
    assert motif_file(run.motifs_meme) == run.motifs_meme
    assert str(motif_file(Path("-"))) == "-"
