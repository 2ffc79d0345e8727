import json
import re
from html.parser import HTMLParser

import pytest

from motifcnn.errors import InputError
from motifcnn.report import write_report

BLOCKS = {"td", "th", "tr", "br", "p", "li", "dt", "dd"}
VOID = {"meta", "link", "br", "hr", "img", "input"}
TASKS = ("binary", "multi-label", "classes", "regression", "hopeless", "empty")


class Page(HTMLParser):
    """Reads a page; collects its tags, references, ids and text, and refuses tags that are not closed in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.references, self.ids, self.text = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag in BLOCKS:
            self.text.append(" ")
        for name, value in attributes:
            assert not name.startswith("on"), f"an event handler: {name}"
            if name in {"src", "href", "xlink:href", "action", "srcset", "data", "poster"}:
                self.references.append(value)
            if name == "id":
                self.ids.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in {"style", "script"}:
            self.text.append(data)

    @property
    def words(self):
        return " ".join("".join(self.text).replace("\u00a0", " ").replace("\u202f", " ").split())


def page_of(run):
    write_report(run)
    return Page((run / "report.html").read_text(encoding="utf-8"))


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("task", TASKS)
def test_the_page_is_well_formed_and_needs_no_network(make_run, task):
    run = make_run(task)
    page = page_of(run)
    text = (run / "report.html").read_text()
    assert all(reference.startswith(("#", "data:")) for reference in page.references)
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", text)
    assert len(page.ids) == len(set(page.ids))
    assert {reference[1:] for reference in page.references if reference.startswith("#")} <= set(page.ids)
    assert page.tags.count("h1") == page.tags.count("main") == 1
    assert "nan" not in page.words.lower().split()
    assert "None" not in page.words.split()


@pytest.mark.parametrize("task", TASKS)
def test_every_section_says_something(make_run, task):
    words = page_of(make_run(task)).words
    for heading in (
        "Motifs",
        "Motif by motif",
        "How well it predicts",
        "How it learned",
        "The data",
        "The network",
        "What this run cannot say",
        "What was asked, and how to repeat it",
        "Glossary",
    ):
        assert heading in words
    for term in ("E-value", "AUROC", "Held out", "p-value"):
        assert term in words


@pytest.mark.parametrize("task", TASKS)
def test_two_identical_runs_give_the_same_bytes(make_run, task):
    first, second = make_run(task, "first"), make_run(task, "second")

    def later(record):
        record["resources"] = {"started": "2031-01-01T00:00:00+00:00", "seconds": 99.9, "peak_memory_bytes": 1}

    edit(second / "run.json", later)
    write_report(first)
    write_report(second)
    assert (first / "report.html").read_bytes() == (second / "report.html").read_bytes()
    text = (first / "report.html").read_text()
    assert str(first.parent) not in text
    assert "2001-02-03" not in text
    assert "12.34" not in text


def test_writing_the_report_again_changes_nothing(make_run):
    run = make_run()
    write_report(run)
    before = (run / "report.html").read_bytes()
    write_report(run)
    assert (run / "report.html").read_bytes() == before


@pytest.mark.parametrize("task", ["binary", "multi-label", "classes", "regression"])
def test_each_motif_is_there_with_its_logo_and_numbers(make_run, task):
    run = make_run(task)
    page = page_of(run)
    rows = [line.split("\t") for line in (run / "motifs.tsv").read_text().splitlines()[1:]]
    assert len(rows) == 3
    for name, consensus, *_ in rows:
        assert name in page.words
        assert consensus in page.words
    text = (run / "report.html").read_text()
    assert [f'href="#m{index}-letter-' in text for index in range(4)] == [True, True, True, False]
    assert "3.2 × 10⁻¹⁷" in page.words
    assert "family CRP-like: CRP, FNR, VFR" in page.words
    assert "CRP E = 5.0 × 10⁻¹⁰" in page.words
    assert "2 motifs are significant on held-out sequences (E ≤ 0.05); the first is motif_1" in page.words
    assert page.tags.count("table") > 3


def test_one_significant_motif_is_spoken_of_as_one(make_run):
    run = make_run()
    table = run / "motifs.tsv"
    table.write_text(re.sub(r"\t0\.00120*1?\t", "\t0.7\t", table.read_text()))
    assert "One motif is significant on held-out sequences (E ≤ 0.05); it is motif_1" in page_of(run).words


def test_no_significant_motif_is_said_with_the_best_one(make_run):
    words = page_of(make_run("hopeless")).words
    assert "No motif was significant (E ≤ 0.05): the best was motif_1 (TGTGANNNNNNTCACA) with p = 0.06" in words
    assert "No motif in the table is significant" in words
    assert "does not tell positives from negatives better than guessing" in words
    assert "A trivial model does as well as the network, or nearly so (dinucleotides only" in words
    assert "No negatives were given; they were made (shuffled positives, 2-letter counts kept)." in words
    assert "Nothing significant was found. Why:" in words
    assert "3 motifs were tested on 60 positives and 60 others held out, so that p ≤ 0.017 was needed." in words
    assert "A motif that no other sequence holds reaches that if 6 of the positives hold it." in words


def test_motifs_that_are_not_significant_are_folded_away_unless_there_are_no_others(make_run):
    assert page_of(make_run("binary", "one")).words.count("The motif not significant") == 1
    assert "motifs not significant" not in page_of(make_run("hopeless", "other")).words


def test_no_motif_at_all_is_said_too(make_run):
    words = page_of(make_run("empty")).words
    assert "No motif was significant (E ≤ 0.05): no filter of the network fired at enough sites" in words
    assert "There is no motif to be shown; why, is said above." in words
    assert "The network has 256 filters; none fired more often in training positives than in the others" in words
    assert "The network itself reaches AUROC 0." in words
    assert "120 positives of bound among 240 training sequences, and 60 among 120 held out, were there" in words


def test_motifs_that_could_not_be_tested_are_not_called_insignificant_findings(make_run):
    run = make_run("hopeless")
    lines = [line.split("\t") for line in (run / "motifs.tsv").read_text().splitlines()]
    for row in lines[1:]:
        row[lines[0].index("p_value")] = row[lines[0].index("e_value")] = "NA"
    (run / "motifs.tsv").write_text("\n".join("\t".join(row) for row in lines) + "\n")
    words = page_of(run).words
    assert "No motif could be tested on held-out sequences; the one found first is motif_1" in words


def test_the_trivial_models_stand_beside_the_network(make_run):
    run = make_run()
    page = page_of(run)
    for name in ("GC content only", "dinucleotides only", "length only"):
        assert page.words.count(name) >= 3  # both curves and the table
    metrics = json.loads((run / "metrics.json").read_text())
    assert f"{metrics['test']['auroc']:.3f}" in page.words
    assert f"AUROC {metrics['baselines']['gc_auroc']:.3f}" in page.words


def test_a_gapped_kmer_model_is_shown_but_is_no_trivial_model(make_run):
    run = make_run("hopeless")
    edit(run / "metrics.json", lambda metrics: metrics["baselines"].update(gkm_auroc=0.987))
    words = page_of(run).words
    assert "gapped k-mers (SVM)" in words
    assert "0.987" in words
    assert "nearly so (dinucleotides only" in words


def test_without_trivial_models_the_page_says_so(make_run):
    run = make_run()
    (run / "baselines.tsv").unlink()
    edit(run / "metrics.json", lambda metrics: metrics.update(baselines={}))
    words = page_of(run).words
    assert "What composition or length alone would reach was not measured" in words
    assert "GC content only" not in words


def test_targets_and_classes_have_a_row_each(make_run):
    words = page_of(make_run("multi-label", "one")).words
    for target in ("bound", "open", "marked", "mean of all"):
        assert target in words
    words = page_of(make_run("classes", "other")).words
    for name in ("nucleus", "membrane", "cytosol", "called nucleus", "Which class was taken for which"):
        assert name in words


def test_regression_shows_predicted_against_measured(make_run):
    run = make_run("regression")
    page = page_of(run)
    assert "measured bound" in page.words
    assert "predicted bound" in page.words
    assert "Spearman’s ρ" in page.words
    assert page.tags.count("circle") == 120
    assert "AUROC on validation" not in page.words


def test_one_strand_needs_no_legend_of_strands(make_run):
    assert "on the other strand" in page_of(make_run("binary", "dna")).words
    assert "on the other strand" not in page_of(make_run("classes", "protein")).words


def test_the_command_to_repeat_the_run_leaves_its_place_out(make_run):
    words = page_of(make_run()).words
    assert "motifcnn train peaks.fa 'labels of mine.tsv' --epochs 20 The same command" in words


def test_what_differs_from_the_defaults_is_named(make_run):
    words = page_of(make_run()).words
    assert "training.epochs 20 Most passes over the training set;" in words


def test_inputs_are_named_with_the_start_of_their_hash(make_run):
    words = page_of(make_run()).words
    assert "sequences peaks.fa 81 234 bytes 9f9f9f9f9f9f " in words
    assert "9f" * 7 not in words


HOSTILE = ("<script>alert(1)</script>", '"><img/src=x>', "a&b'{{7*7}}")


@pytest.mark.parametrize("task", ["binary", "multi-label"])
def test_hostile_names_are_text(make_run, task):
    run = make_run(task, names=HOSTILE, ids="<script>alert(2)</script>")

    def poison(record):
        record["notes"] = ["<script>alert(3)</script>"]
        record["inputs"][0]["path"] = "<b>.fa"
        record["command"] += ["<script>alert(4)</script>", "; rm -rf ~"]
        record["device"] = "<script>alert(5)</script>"

    edit(run / "run.json", poison)
    page = page_of(run)
    assert page.tags.count("script") == 1  # our own
    assert "img" not in page.tags
    assert "b" in page.tags
    for name in HOSTILE:
        assert name in page.words
    assert "<script>alert(3)</script>" in page.words
    assert "'; rm -rf ~'" in page.words
    assert "<script>alert" not in (run / "report.html").read_text()


def test_hostile_targets_are_text(make_run):
    run = make_run("multi-label")
    name = "<script>alert(1)</script>"
    for path in run.iterdir():
        if path.suffix in {".tsv", ".json"}:
            path.write_text(path.read_text().replace("marked", name))
    page = page_of(run)
    assert name in page.words
    assert page.tags.count("script") == 1


def test_a_logo_that_could_do_more_than_be_seen_is_left_out(make_run):
    run = make_run()
    for number, inside in enumerate(("<script>1</script>", '<g onload="x()"/>', '<use href="http://a/b"/>'), start=1):
        (run / "logos" / f"motif_{number}.svg").write_text(f"<svg>{inside}</svg>")
    page = page_of(run)
    assert page.tags.count("script") == 1
    assert "motif_3" in page.words


def without_matches(run):
    table = run / "motifs.tsv"
    table.write_text(table.read_text().replace("\tCRP\t", "\tNA\t"))
    return run


def test_motifs_that_were_not_compared_are_said_to_be_so(make_run):
    run = without_matches(make_run())
    page = page_of(run)
    assert "The motifs were not compared with known ones" in page.words
    assert "Most like" not in page.words
    edit(run / "run.json", lambda record: record.update(database="JASPAR2026 CORE"))
    assert "No known motif of JASPAR2026 CORE is like any of these." in page_of(run).words


def test_a_perfect_score_claims_no_interval(make_run):
    run = make_run()
    lines = [line.split("\t") for line in (run / "predictions.tsv").read_text().splitlines()]
    (run / "predictions.tsv").write_text("".join("\t".join([*row[:3], row[2]]) + "\n" for row in lines[1:]))
    text = (run / "predictions.tsv").read_text()
    (run / "predictions.tsv").write_text("\t".join(lines[0]) + "\n" + text)

    def perfect(metrics):
        metrics["test"]["per_target"]["bound"]["auroc"] = 1.0

    edit(run / "metrics.json", perfect)
    words = page_of(run).words
    assert "this network 1.000 –" in words
    assert "1.000 to 1.000" not in words


def test_an_interrupted_run_is_called_one(make_run):
    run = make_run()
    edit(run / "run.json", lambda record: record.update(status="interrupted"))
    assert "Training was interrupted" in page_of(run).words


def test_few_held_out_positives_are_pointed_out(make_run):
    run = make_run()

    def fewer(metrics):
        metrics["data"]["positives"]["bound"]["test"] = 4

    edit(run / "metrics.json", fewer)
    assert "Only 4 positives were held out: AUROC and E-values are coarse" in page_of(run).words


def test_a_bare_run_still_has_a_report(make_run):
    run = make_run()
    for path in run.iterdir():
        if path.suffix == ".tsv":
            path.unlink()
    empty = {"auroc": None, "average_precision": None, "n": None}
    edit(run / "metrics.json", lambda metrics: metrics.update(test=empty, validation=empty, baselines={}))
    words = page_of(run).words
    assert "could not be measured on held-out sequences" in words
    assert "The run kept no history of its training." in words


@pytest.mark.parametrize("name", ["run.json", "metrics.json"])
def test_a_folder_that_is_no_run_is_refused(make_run, name):
    run = make_run()
    (run / name).unlink()
    with pytest.raises(InputError, match=f"holds no {name}, so it is no finished run; give the directory"):
        write_report(run)
    assert not (run / "report.html").exists()


def test_damaged_files_are_refused(make_run):
    run = make_run()
    table = run / "history.tsv"
    table.write_text(table.read_text() + "21\t0.1\n")
    with pytest.raises(InputError, match=r"history.tsv:22: 2 columns where 5 are named; train again"):
        write_report(run)
    table.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"history.tsv: cannot be read .*; train again"):
        write_report(run)
    (run / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"run.json: cannot be read as JSON"):
        write_report(run)
    (run / "run.json").write_text("[]")
    with pytest.raises(InputError, match=r"run.json: holds no JSON object"):
        write_report(run)


def test_pairs_and_central_sites_are_told(make_run):
    words = page_of(make_run()).words
    assert "12 to 14 letters between, motif_2 downstream of motif_1, same strand: in 31 of 80, 2.2 expected" in words
    assert "redundant: either makes up for the other" in words
    assert "central: 40 of 51 held-out sites in the middle 20 % (E = 3.0 × 10⁻⁷)" in words
    assert "held-out sites not central (E = 1.2)" in words
    assert "Pairs are looked at where motifs are significant." in page_of(make_run("empty", "other")).words


def test_a_motif_alone_has_no_table_of_dashes(make_run):
    run = make_run()
    header = (run / "pairs.tsv").read_text().splitlines()[0]
    (run / "pairs.tsv").write_text("\n".join([header, "\t".join(["motif_1"] * 2 + ["NA"] * 17), ""]))
    page = page_of(run)
    assert "motif_1 has no partner: it is the only significant motif" in page.words
    assert "motif_1 twice" not in page.words


def test_a_motif_of_composition_is_named_so(make_run):
    words = page_of(make_run()).words
    assert words.count("composition only") == 2 + 2  # its two badges, and the glossary's entry and text
    assert "Composition alone explains motif_2" in words
    assert "By composition in 7 % of shuffled positives (p = 1.0 × 10⁻⁹) and 9 % of others of the same GC" in words
    protein = page_of(make_run("classes", "protein")).words
    assert "others of the same GC content (p" not in protein
