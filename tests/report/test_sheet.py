from motifcnn.report.sheet import sheet_rows


def test_a_run_gives_each_motif_with_its_filter_and_the_known_one(make_run):
    first, second, third = sheet_rows(make_run())
    assert first.title == "motif_1  E = 9.6\u202f×\u202f10⁻¹⁷,  AUROC 0.810"
    assert [logo.column for logo in first.logos] == [0, 1, 2]
    assert [logo.caption for logo in first.logos][1:] == [
        "as the filter’s own sites give it",
        "nearest known: CRP (MA0001.1), reverse complement",
    ]
    assert [logo.column for logo in second.logos] == [logo.column for logo in third.logos] == [0]


def test_a_known_motif_that_is_not_alike_is_left_out(make_run):
    run = make_run()
    table = run / "motifs.tsv"
    table.write_text(table.read_text().replace("5e-10", "0.3"))
    assert [logo.column for logo in sheet_rows(run)[0].logos] == [0, 1]


def test_a_file_of_motifs_will_do(make_run):
    rows = sheet_rows(make_run() / "motifs.meme")
    assert [row.title for row in rows] == ["motif_1", "motif_2", "motif_3"]
