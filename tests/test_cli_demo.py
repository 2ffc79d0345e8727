"""`motifcnn demo`: CRP's motif found and its known sites found again."""

from dataclasses import replace

import pytest

from motifcnn.demonstration import request


def rows(text):
    return {line.split("\t")[0]: line.split("\t")[1:] for line in text.splitlines()}


def check_demo(result, out, least):
    assert result.exit_code == 0, result.stderr
    said = rows(result.stdout)
    assert said["motif"][1] == "(known: TGTGA-N6-TCACA)"
    assert int(said["genome hits"][0]) == len((out / "genome_hits.bed").read_text().splitlines())
    recovered, known = map(int, said["known sites found again"][0].split(" (")[0].split(" of "))
    assert known > 200
    assert recovered >= least * known
    assert said["report"] == [str(out / "report.html")]
    return said


def test_a_smaller_network_finds_the_motif_too(run_cli, tmp_path, monkeypatch):
    def small(*arguments, **options):
        asked = request(*arguments, **options)
        model = replace(asked.settings.model, filters=16, restarts=1)
        return replace(asked, settings=replace(asked.settings, model=model))

    monkeypatch.setattr("motifcnn.demonstration.request", small)
    check_demo(run_cli("demo", "-o", tmp_path / "demo", "--threads", 1, "--device", "cpu"), tmp_path / "demo", 0.2)


@pytest.mark.slow
def test_the_demo_as_it_stands(run_cli, tmp_path):
    said = check_demo(run_cli("demo", "-o", tmp_path / "demo"), tmp_path / "demo", 0.4)
    assert "TGTGA" in said["motif"][0]
    assert "TCACA" in said["motif"][0]


def test_an_occupied_directory_is_refused(run_cli, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    result = run_cli("demo", "-o", tmp_path)
    assert result.exit_code == 1
    assert "is not empty" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
