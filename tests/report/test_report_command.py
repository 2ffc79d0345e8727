def test_report_writes_the_page(run_cli, make_run):
    run = make_run()
    result = run_cli("report", run)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert (run / "report.html").is_file()


def test_report_looks_at_the_usual_place_by_default(run_cli, make_run, monkeypatch):
    run = make_run(folder="motifcnn_out")
    monkeypatch.chdir(run.parent)
    assert run_cli("report").exit_code == 0
    assert (run / "report.html").is_file()


def test_report_of_no_run_fails_in_one_line(run_cli, tmp_path):
    result = run_cli("report", tmp_path)
    assert result.exit_code == 1
    assert (
        "holds no run.json, so it is no finished run; give the directory that `motifcnn train` wrote" in result.stderr
    )
    assert result.stderr.count("\n") == 1
