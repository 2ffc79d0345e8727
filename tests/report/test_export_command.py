import pytest

from motifcnn.formats.motif_files import read_motifs


@pytest.mark.parametrize(("kind", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_logos_one_file_a_motif(run_cli, make_run, tmp_path, kind, start):
    out = tmp_path / "deep" / "pictures"
    result = run_cli("export", "logos", make_run(), "--format", kind, "-o", out)
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in out.iterdir()) == [f"motif_{number}.{kind}" for number in (1, 2, 3)]
    assert all(path.read_bytes().startswith(start) for path in out.iterdir())


def test_exported_logos_are_those_of_the_run_up_to_rounding(run_cli, make_run, tmp_path):
    run_cli("export", "logos", make_run(), "-o", tmp_path / "one")
    run_cli("export", "logos", make_run(folder="again"), "-o", tmp_path / "two")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_logos_are_not_written_over(run_cli, make_run, tmp_path):
    run = make_run()
    assert run_cli("export", "logos", run, "-o", tmp_path / "p").exit_code == 0
    again = run_cli("export", "logos", run, "-o", tmp_path / "p")
    assert again.exit_code == 1
    assert "motif_1.svg: is there already; give another folder with -o, or --force to write over it" in again.stderr
    assert run_cli("export", "logos", run, "-o", tmp_path / "p", "--force").exit_code == 0


def test_logos_where_a_file_stands(run_cli, make_run, tmp_path):
    (tmp_path / "p").write_text("")
    result = run_cli("export", "logos", make_run(), "-o", tmp_path / "p")
    assert result.exit_code == 1
    assert "no folder can be made there" in result.stderr


@pytest.mark.parametrize("kind", ["meme", "jaspar", "transfac"])
@pytest.mark.parametrize("task", ["binary", "classes"])
def test_motifs_read_back_are_the_runs(run_cli, make_run, tmp_path, kind, task):
    run = make_run(task)
    out = tmp_path / f"motifs.{kind}"
    result = run_cli("export", "motifs", run, "--format", kind, "-o", out)
    assert result.exit_code == 0, result.stderr
    for ours, theirs in zip(read_motifs(run / "motifs.meme"), read_motifs(out), strict=True):
        assert ours.consensus == theirs.consensus
        assert ours.name in (theirs.name, theirs.alternate_name)


def test_motifs_go_to_stdout_without_a_file(run_cli, make_run):
    result = run_cli("export", "motifs", make_run())
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("MEME version 4")
    assert result.stdout.count("MOTIF ") == 3


def test_a_motif_file_can_stand_for_a_run(run_cli, make_run, tmp_path):
    run = make_run()
    result = run_cli("export", "motifs", run / "filters.meme", "--format", "jaspar", "-o", tmp_path / "m.jaspar")
    assert result.exit_code == 0, result.stderr


def test_a_file_is_not_written_over(run_cli, make_run, tmp_path):
    run, out = make_run(), tmp_path / "m.meme"
    out.write_text("mine")
    result = run_cli("export", "motifs", run, "-o", out)
    assert result.exit_code == 1
    assert "is there already; give another file with -o, or --force to write over it" in result.stderr
    assert out.read_text() == "mine"
    assert run_cli("export", "motifs", run, "-o", out, "--force").exit_code == 0


def test_the_motifs_read_are_not_written_over_even_by_force(run_cli, make_run, tmp_path):
    run = make_run()
    meme = (run / "motifs.meme").read_bytes()
    result = run_cli("export", "motifs", run, "--format", "jaspar", "-o", run / "motifs.meme", "--force")
    assert result.exit_code == 1
    assert "motifs.meme: is a file that is read; give another file with -o" in result.stderr
    assert (run / "motifs.meme").read_bytes() == meme
    for name, options in (("motif_1.svg", ()), ("sheet.svg", ("--sheet",))):
        (tmp_path / name).write_bytes(meme)
        result = run_cli("export", "logos", tmp_path / name, *options, "-o", tmp_path, "--force")
        assert result.exit_code == 1
        assert f"{name}: is a file that is read; give another folder with -o" in result.stderr
        assert (tmp_path / name).read_bytes() == meme


@pytest.mark.parametrize("what", ["logos", "motifs"])
def test_export_says_what_is_missing(run_cli, make_run, tmp_path, what):
    (tmp_path / "bare").mkdir()
    cases = {
        tmp_path / "none": "there is no such run; give the directory that `motifcnn train` wrote, or a MEME file",
        tmp_path / "bare": "holds no motifs.meme; give the directory that `motifcnn train` wrote, or a MEME file",
        make_run("empty"): "this run found no motif; its report.html says more. Give another run, or a MEME file",
    }
    for run, message in cases.items():
        result = run_cli("export", what, run, "-o", tmp_path / "out")
        assert result.exit_code == 1
        assert message in result.stderr
        assert not (tmp_path / "out").exists()


def test_an_unknown_format_is_a_usage_fault(run_cli, make_run):
    assert run_cli("export", "logos", make_run(), "--format", "gif").exit_code == 2


def test_all_logos_on_one_sheet(run_cli, make_run, tmp_path):
    run = make_run()
    result = run_cli("export", "logos", run, "--sheet", "-o", tmp_path / "p")
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == ["sheet.pdf", "sheet.svg"]
    assert "3 motifs in" in result.stderr
    again = run_cli("export", "logos", run, "--sheet", "-o", tmp_path / "p")
    assert again.exit_code == 1
    assert "sheet.svg: is there already" in again.stderr
    picture = run_cli("export", "logos", run / "motifs.meme", "--sheet", "--format", "png", "-o", tmp_path / "q")
    assert picture.exit_code == 0, picture.stderr
    assert [path.name for path in (tmp_path / "q").iterdir()] == ["sheet.png"]


def test_a_sheet_of_no_run_is_refused(run_cli, make_run, tmp_path):
    refused = run_cli("export", "logos", make_run("empty"), "--sheet", "-o", tmp_path / "p")
    assert refused.exit_code == 1
    assert "this run found no motif" in refused.stderr
    assert not (tmp_path / "p").exists()
