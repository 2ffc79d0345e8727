"""`motifcnn explain` as a user meets it."""

import re


def first_sequence(tiny_run):
    return tiny_run.sequences.read_text().splitlines()[1]


def test_a_card_of_a_fasta_and_of_its_letters(run_cli, tiny_run, tmp_path):
    out = tmp_path / "card.html"
    result = run_cli("explain", tiny_run.sequences, "-m", tiny_run.path, "-o", out, "--device", "cpu")
    assert result.exit_code == 0, result.stderr
    assert re.search(r"positive 0\.\d+ \(logit \S+\), \d+ motif hits?; card: ", result.stderr)
    literal = run_cli("explain", first_sequence(tiny_run), "-m", tiny_run.path, "-o", tmp_path / "literal.svg")
    assert literal.exit_code == 0, literal.stderr
    drawing = re.search(r"<defs>.*</svg>", out.read_text())[0]
    assert drawing in (tmp_path / "literal.svg").read_text()


def test_letters_may_be_too_many_for_a_name(run_cli, tiny_run, tmp_path):
    letters = first_sequence(tiny_run) * 50
    explain = ("explain", letters, "-m", tiny_run.path, "-o", tmp_path / "card.svg")
    for command in (explain, (*explain, "--force")):
        result = run_cli(*command)
        assert result.exit_code == 0, result.stderr
        assert f"of {len(letters)}, which are worth most" in result.stderr


def test_it_agrees_with_predict(run_cli, tiny_run, tmp_path):
    name, value = run_cli("predict", tiny_run.sequences, "-m", tiny_run.path).stdout.splitlines()[7].split("\t")
    result = run_cli("explain", tiny_run.sequences, "--name", name, "-m", tiny_run.path, "-o", tmp_path / "c.svg")
    said = float(re.search(rf"{name}: positive (\S+)", result.stderr)[1])
    assert abs(said - float(value)) < 1e-3


def test_a_window_and_a_region(run_cli, tiny_run, tmp_path):
    (tmp_path / "g.fa").write_text(">chr1\n" + first_sequence(tiny_run) * 20 + "\n")
    region = ("explain", "chr1:100-500", "--genome", tmp_path / "g.fa", "-m", tiny_run.path, "-o", tmp_path / "c.svg")
    result = run_cli(*region)
    assert "of 400, which are worth most; --window shows others" in result.stderr
    assert run_cli(*region, "--window", "0-50", "--force").exit_code == 0
    assert len(re.findall(r'class="place"', (tmp_path / "c.svg").read_text())) == 2
    assert run_cli(*region, "--window", "x", "--force").exit_code == 2


def test_a_card_that_is_there_is_kept(run_cli, tiny_run, tmp_path):
    (tmp_path / "c.svg").write_text("mine")
    refused = run_cli("explain", tiny_run.sequences, "-m", tiny_run.path, "-o", tmp_path / "c.svg")
    assert refused.exit_code == 1
    assert "c.svg: exists; give another name with --out, or write over it with --force" in refused.stderr
    assert (tmp_path / "c.svg").read_text() == "mine"
