"""`motifcnn train`: a whole run directory for every kind of input, the same bytes for the same seed."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
import torch

from motifcnn import pipeline
from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.discovery.similarity import motif_similarity
from motifcnn.formats.fasta import read_fasta
from motifcnn.formats.motif_files import read_motifs
from motifcnn.model.store import load_model
from motifcnn.settings import from_toml
from motifcnn.significance import rank_auroc

FILES = [
    *(
        "baselines.tsv",
        "filter_motifs.meme",
        "filters.meme",
        "history.tsv",
        "layers.tsv",
        "log.jsonl",
        "logos",
        "metrics.json",
    ),
    *("model.safetensors", "motifs.meme", "motifs.tsv", "pairs.tsv", "predictions.tsv", "report.html", "run.json"),
    *("settings.toml", "sites.tsv"),
]
TRACK_FILES = ["filter_tracks.tsv", "motif_tracks.tsv", "track_profiles.tsv"]
COLUMNS = [
    *("motif", "consensus", "width", "information_bits", "sites", "test_auroc", "p_value", "e_value"),
    *("importance", "best_match", "match_p_value"),
]
QUICK = (
    *("--filters", 4, "--filter-width", 6, "--restarts", 1, "--epochs", 4, "--threads", 1, "--device", "cpu"),
    *("--database", "none"),
)  # fmt: skip


def contents(run):
    return {str(p.relative_to(run)): p.read_bytes() for p in sorted(run.rglob("*")) if p.is_file()}


def table(run, name):
    return pd.read_csv(run / name, sep="\t")


def check_run(run):
    """Assert that a run directory holds everything that it should and is consistent."""
    motifs = table(run, "motifs.tsv")
    tracks = json.loads((run / "metrics.json").read_text())["data"]["tracks"]
    expected = [n for n in FILES if n != "motifs.meme" or len(motifs)] + (TRACK_FILES if tracks else [])
    assert sorted(p.name for p in run.iterdir()) == sorted(expected)
    assert list(motifs.columns[: len(COLUMNS)]) == COLUMNS
    assert sorted(p.stem for p in (run / "logos").iterdir()) == sorted(motifs["motif"])
    if len(motifs):
        assert [motif.name for motif in read_motifs(run / "motifs.meme")] == list(motifs["motif"])
    record = json.loads((run / "run.json").read_text())
    assert record["status"] == "complete"
    assert record["resources"]["peak_memory_bytes"] > 0
    assert {"test", "validation", "baselines"} <= set(json.loads((run / "metrics.json").read_text()))
    messages = [json.loads(line)["message"] for line in (run / "log.jsonl").read_text().splitlines()]
    assert messages[0].startswith("computing on ")
    assert "<script src" not in (run / "report.html").read_text()
    return record


def test_a_run_is_complete_and_says_what_it_did(tiny_run):
    record = check_run(tiny_run.path)
    assert [item["role"] for item in record["inputs"]] == ["sequences", "labels"]
    assert record["settings"]["training"]["epochs"] == 12
    said = tiny_run.result.stderr.splitlines()
    assert tiny_run.result.stdout == ""
    assert said[0] == "computing on cpu (as asked), 1 thread"
    assert said[1].split()[:2] == ["layer", "output"]
    assert any(line.startswith("epoch 12/12: validation loss ") for line in said)
    assert any(line.startswith("held-out AUROC ") and "gc alone" in line for line in said)
    assert said[-1] == f"report: {tiny_run.path / 'report.html'}"


def test_the_planted_motif_comes_first(tiny_run):
    planted = read_motifs(tiny_run.truth)
    motifs = table(tiny_run.path, "motifs.tsv")
    assert motifs["e_value"][0] < 1e-3
    assert (motifs["e_value"][1:] > 1e-3).all()
    found = read_motifs(tiny_run.path / "motifs.meme")[0]
    assert motif_similarity(found, planted[0], both_strands=True).correlation > 0.9
    assert json.loads((tiny_run.path / "metrics.json").read_text())["test"]["auroc"] > 0.75


def test_every_sequence_is_predicted_and_in_one_part(tiny_run):
    predictions = table(tiny_run.path, "predictions.tsv")
    assert list(predictions["id"]) == list(read_fasta(tiny_run.sequences).names)
    assert predictions["split"].value_counts().to_dict() == {"train": 240, "validation": 30, "test": 30}
    assert predictions["predicted_positive"].between(0, 1).all()


def test_one_seed_one_result_and_the_settings_repeat_it(run_cli, tiny_run, tmp_path):
    options = ["--config", tiny_run.path / "settings.toml"]
    again = run_cli("train", tiny_run.sequences, tiny_run.labels, "-o", tmp_path / "run", *options)
    assert again.exit_code == 0, again.stderr
    first, second = contents(tiny_run.path), contents(tmp_path / "run")
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] in (["log.jsonl", "run.json"], ["run.json"])


def test_force_replaces_a_run_and_leaves_other_files(run_cli, tiny_run, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    (tmp_path / "logos").mkdir()
    (tmp_path / "logos" / "motif_99.svg").write_text("old")
    command = ["train", tiny_run.sequences, tiny_run.labels, "-o", tmp_path, *QUICK]
    assert run_cli(*command).exit_code == 1
    assert sorted(contents(tmp_path)) == ["logos/motif_99.svg", "mine.txt"]
    assert run_cli(*command, "--force", "--seed", 3).exit_code == 0
    (tmp_path / "mine.txt").unlink()
    check_run(tmp_path)


@pytest.mark.parametrize("role", ["labels", "known motifs", "conservation"])
def test_force_writes_over_no_input(run_cli, tiny_run, tmp_path, role):
    own = (
        tmp_path / {"labels": "predictions.tsv", "known motifs": "known_motifs.meme", "conservation": "sites.tsv"}[role]
    )
    source = {"labels": tiny_run.labels, "known motifs": tiny_run.truth}.get(role)
    names = [line.split("\t")[0] for line in tiny_run.labels.read_text().splitlines()[1:]]
    own.write_text(source.read_text() if source else "".join(f"{name}\t{','.join('1' * 40)}\n" for name in names))
    before = own.read_text()
    options = {"known motifs": ["--database", own], "conservation": ["--conservation", own]}.get(role, [])
    labels = own if role == "labels" else tiny_run.labels
    result = run_cli("train", tiny_run.sequences, labels, "-o", tmp_path, *QUICK, *options, "--force")
    assert result.exit_code == 1
    assert f"{own}: is a file that is read; give another directory with --out" in result.stderr
    assert list(contents(tmp_path).values()) == [before.encode()]


def test_known_motifs_are_named(run_cli, tiny_run, tmp_path):
    options = [*tiny_run.options, "--database", tiny_run.truth]
    result = run_cli("train", tiny_run.sequences, tiny_run.labels, "-o", tmp_path / "run", *options)
    assert result.exit_code == 0, result.stderr
    motifs = table(tmp_path / "run", "motifs.tsv")
    assert motifs["best_match"][0] == read_motifs(tiny_run.truth)[0].name
    assert motifs["match_p_value"][0] < 0.1  # a database of one gives coarse p-values
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["database"] == tiny_run.truth.name
    assert record["inputs"][-1]["role"] == "known motifs"
    assert from_toml(tmp_path / "run" / "settings.toml").motifs.database == str(tiny_run.truth)


def test_motifs_are_refined_with_any_number_of_sites_and_a_background_of_words(run_cli, tiny_run, tmp_path):
    options = [*tiny_run.options, "--sites", "anr", "--background-order", 2]
    result = run_cli("train", tiny_run.sequences, tiny_run.labels, "-o", tmp_path / "run", *options)
    assert result.exit_code == 0, result.stderr
    found, planted = read_motifs(tmp_path / "run" / "motifs.meme")[0], read_motifs(tiny_run.truth)[0]
    assert motif_similarity(found, planted, both_strands=True).correlation > 0.9
    assert (found.probabilities[0] != read_motifs(tiny_run.path / "motifs.meme")[0].probabilities[0]).any()


def test_held_out_examples_that_are_all_alike_are_said(run_cli, tiny_run, tmp_path):
    names = [row.split("\t")[0] for row in tiny_run.labels.read_text().splitlines()[1:]]
    labels = tmp_path / "one.tsv"
    labels.write_text("id\tvalue\n" + "".join(f"{name}\t{2.5 if name == names[0] else 1.5}\n" for name in names))
    options = [*tiny_run.options, "--e-threshold", 1000]
    result = run_cli("train", tiny_run.sequences, labels, "-o", tmp_path / "run", *options)
    assert result.exit_code == 0, result.stderr
    assert "held-out examples are all alike, so that nothing tells how good the network is" in result.stderr
    assert "motifs are significant (E ≤ 1000)" in result.stderr
    (first,) = re.findall(r"epoch 1/.*", result.stderr)
    assert "left" not in first


def test_known_motifs_are_jaspars_where_nothing_else_is_said(run_cli, tiny_run, tmp_path):
    pytest.importorskip("pyjaspar", reason="pyjaspar is not installed")
    options = [*tiny_run.options[: tiny_run.options.index("--database")], "--epochs", 2]
    result = run_cli("train", tiny_run.sequences, tiny_run.labels, "-o", tmp_path / "run", *options)
    assert result.exit_code == 0, result.stderr
    assert table(tmp_path / "run", "motifs.tsv")["match_id"].str.startswith("MA").all()
    assert "CORE" in json.loads((tmp_path / "run" / "run.json").read_text())["database"]
    assert "CORE by Tomtom’s statistic" in (tmp_path / "run" / "report.html").read_text()
    assert json.loads((tiny_run.path / "run.json").read_text())["database"] == ""


@pytest.fixture
def world(tmp_path):
    """A maker of inputs of all kinds: sequences of given letters, some of which hold a word."""

    class World:
        folder = tmp_path
        random = np.random.default_rng(1)

        def sequences(self, letters, word, count=160, lengths=(30, 30)):
            self.present = self.random.random(count) < 0.5
            texts = []
            for holds in self.present:
                text = "".join(self.random.choice(list(letters), self.random.integers(lengths[0], lengths[1] + 1)))
                start = self.random.integers(0, len(text) - len(word) + 1)
                texts.append(text[:start] + word + text[start + len(word) :] if holds else text)
            self.texts = texts
            path = self.folder / "in.fa"
            path.write_text("".join(f">s{i}\n{text}\n" for i, text in enumerate(texts)))
            return path

        def labels(self, header, rows):
            path = self.folder / "in.tsv"
            lines = ["\t".join(["id", *header])] + [f"s{i}\t" + "\t".join(map(str, r)) for i, r in enumerate(rows)]
            path.write_text("\n".join(lines) + "\n")
            return path

    return World()


def trained(run_cli, world, fasta, labels, *options):
    out = world.folder / "run"
    result = run_cli("train", fasta, *([labels] if labels else []), "-o", out, *QUICK, *options)
    assert result.exit_code == 0, result.stderr
    return out, check_run(out), result


def test_variable_lengths_and_missing_values(run_cli, world):
    fasta = world.sequences("ACGT", "TGACTCA", lengths=(25, 60))
    rows = [["NA" if i % 9 == 0 else int(p)] for i, p in enumerate(world.present)]
    run, _, _ = trained(run_cli, world, fasta, world.labels(["bound"], rows))
    predictions = table(run, "predictions.tsv")
    assert predictions["bound"].isna().sum() == sum(row == ["NA"] for row in rows)
    assert predictions["predicted_bound"].notna().all()


def test_several_labels(run_cli, world):
    fasta = world.sequences("ACGT", "TGACTCA")
    rows = [
        [int(p), "." if i % 7 == 0 else int("GC" in text)]
        for i, (p, text) in enumerate(zip(world.present, world.texts, strict=True))
    ]
    run, _, _ = trained(run_cli, world, fasta, world.labels(["bound", 'so-called "open"'], rows))
    metrics = json.loads((run / "metrics.json").read_text())
    assert set(metrics["test"]["per_target"]) == {"bound", 'so-called "open"'}
    header = (run / "predictions.tsv").read_text().split("\n")[0].split("\t")
    assert header[-2:] == ["predicted_bound", 'predicted_so-called "open"']
    drawn = re.findall(r"<span>(\S+ ?\S*) <b>AUROC", (run / "report.html").read_text())
    assert drawn == ["bound", "so-called &#34;open&#34;"]


def test_classes(run_cli, world):
    fasta = world.sequences("ACGT", "TGACTCA")
    words = ["held" if p else ("left", "right")[i % 2] for i, p in enumerate(world.present)]
    run, _, _ = trained(run_cli, world, fasta, world.labels(["kind"], [[word] for word in words]))
    predictions = table(run, "predictions.tsv")
    assert list(predictions["kind"]) == words
    assert np.allclose(predictions[[f"predicted_{c}" for c in ("held", "left", "right")]].sum(axis=1), 1, atol=1e-4)


def test_numbers(run_cli, world):
    fasta = world.sequences("ACGT", "TGACTCA")
    rows = [[f"{2.5 * p + world.random.normal():.3f}"] for p in world.present]
    run, _, result = trained(run_cli, world, fasta, world.labels(["affinity"], rows))
    assert "pearson" in json.dumps(json.loads((run / "metrics.json").read_text())["test"]).lower()
    assert "held-out Pearson r" in result.stderr


def test_rna_is_read_on_one_strand(run_cli, world):
    fasta = world.sequences("ACGU", "UGUAAAUA")
    run, _, result = trained(run_cli, world, fasta, world.labels(["bound"], [[int(p)] for p in world.present]))
    assert "both strands" not in result.stderr
    assert all(motif.alphabet.name == "rna" for motif in read_motifs(run / "filters.meme"))
    assert set(table(run, "sites.tsv")["strand"]) <= {"+"}


def test_protein(run_cli, world):
    fasta = world.sequences("ACDEFGHIKLMNPQRSTVWY", "WPLW", lengths=(12, 20))
    run, _, result = trained(run_cli, world, fasta, world.labels(["bound"], [[int(p)] for p in world.present]))
    assert "both strands" not in result.stderr
    assert all(motif.alphabet is PROTEIN for motif in read_motifs(run / "filters.meme"))


def test_conservation_is_a_further_channel(run_cli, world):
    fasta = world.sequences("ACGT", "TGACTCA", lengths=(25, 40))
    track = world.folder / "conserved.tsv"
    track.write_text(
        "".join(
            f"s{i}\t" + ",".join(f"{value:.2f}" for value in world.random.random(len(text))) + "\n"
            for i, text in enumerate(world.texts)
        )
    )
    labels = world.labels(["bound"], [[int(p)] for p in world.present])
    run, record, _ = trained(run_cli, world, fasta, labels, "--conservation", track)
    assert [item["role"] for item in record["inputs"]] == ["sequences", "labels", "conservation"]
    refused = run_cli("predict", fasta, "-m", run)
    assert refused.exit_code == 1
    assert "trained with 1 tracks (conserved.tsv) and 0 were given; repeat --conservation" in refused.stderr
    assert run_cli("predict", fasta, "-m", run, "--conservation", track).exit_code == 0
    values = dict(map(str.split, track.read_text().splitlines()))
    predicted = table(run, "predictions.tsv")
    seen = ",".join(values[name] for name in predicted["id"][predicted["split"] == "train"])
    (scale,) = load_model(run / "model.safetensors").scales
    assert scale.mean == pytest.approx(np.mean([float(value) for value in seen.split(",")]))  # of training alone


def test_several_tracks_are_several_channels(run_cli, world):
    fasta = world.sequences("ACGT", "TGACTCA", lengths=(25, 40))
    tracks = world.folder / "a.tsv", world.folder / "b.tsv"
    for number, track in enumerate(tracks):
        lines = []
        for i, text in enumerate(world.texts):
            values = np.where(world.random.random(len(text)) < 0.1 * number, np.nan, world.random.random(len(text)))
            lines.append(f"s{i}\t" + ",".join(f"{value:.2f}" for value in values) + "\n")
        track.write_text("".join(lines[number:]))
    labels = world.labels(["bound"], [[int(p)] for p in world.present])
    run, _, result = trained(run_cli, world, fasta, labels, "--conservation", tracks[0], "--conservation", tracks[1])
    assert f"b.tsv has no value for 1 of {len(world.texts)} sequences" in result.stderr
    whole, lacking = json.loads((run / "metrics.json").read_text())["data"]["tracks"]
    assert (whole["name"], whole["missing_positions"], whole["sequences_without"]) == ("a.tsv", 0, 0)
    assert (lacking["name"], lacking["sequences_without"]) == ("b.tsv", 1)
    assert 0.05 < lacking["missing_positions"] < 0.2
    scales = load_model(run / "model.safetensors").scales
    assert [(scale.mean, scale.deviation) for scale in scales] == [
        (track["mean"], track["deviation"]) for track in (whole, lacking)
    ]
    report = (run / "report.html").read_text()
    assert "<code>b.tsv</code>" in report
    assert "ablation" not in json.loads((run / "metrics.json").read_text())
    given = [
        run_cli("predict", fasta, "-m", run, "--conservation", first, "--conservation", second).stdout
        for first, second in (tracks, tracks[::-1])
    ]
    assert given[0] == given[1] != ""  # matched by name
    predicted = pd.read_csv(io.StringIO(given[0]), sep="\t").set_index("id")["bound"]
    kept = table(run, "predictions.tsv").set_index("id")["predicted_bound"]
    np.testing.assert_allclose(predicted[kept.index], kept, rtol=1e-4)


def test_negatives_are_made_where_no_labels_are_given(run_cli, world):
    fasta = world.sequences("ACGT", "TGACTCA")
    run, _, result = trained(run_cli, world, fasta, None)
    assert "no labels were given: all sequences are positives" in result.stderr
    assert table(run, "predictions.tsv")["label"].value_counts().to_dict() == {0: 160, 1: 160}


def test_windows_of_a_genome(run_cli, world):
    letters = world.random.choice(list("ACGT"), 20_000)
    starts = np.arange(100, 19_000, 200)
    for start in starts:
        letters[start : start + 7] = list("TGACTCA")
    genome = world.folder / "genome.fa"
    genome.write_text(">chr1\n" + "".join(letters) + "\n")
    bed = world.folder / "peaks.bed"
    bed.write_text("".join(f"chr1\t{start}\t{start + 7}\n" for start in starts))
    options = ["--genome", genome, "--width", 40, "--negatives", "genome"]
    run, _, _ = trained(run_cli, world, bed, None, *options)
    predictions = table(run, "predictions.tsv")
    assert predictions["id"][0] == "chr1:83-123"
    assert (predictions["label"] == 1).sum() == len(starts)


def test_dna_may_be_read_on_one_strand(run_cli, world):
    fasta = world.sequences("ACGT", "TGACTCA")
    labels = world.labels(["bound"], [[int(p)] for p in world.present])
    run, _, _ = trained(run_cli, world, fasta, labels, "--strands", "single")
    assert read_motifs(run / "filters.meme")[0].alphabet is DNA
    assert set(table(run, "sites.tsv")["strand"]) <= {"+"}


@pytest.mark.parametrize("targets", [["bound"], ["bound", "open"]])
def test_ablation_says_what_a_track_adds(run_cli, world, targets):
    """Labels follow bumps of the track alone, which stand on the motif where it is present."""
    fasta = world.sequences("ACGT", "TGACTCA", lengths=(40, 41))
    lines = []
    for i, (text, present) in enumerate(zip(world.texts, world.present, strict=True)):
        values = world.random.normal(size=len(text))
        if present:
            start = max(text.find("TGACTCA"), 0)
            values[start : start + 7] += 4
        lines.append(f"s{i}\t" + ",".join(f"{value:.3f}" for value in values) + "\n")
    track = world.folder / "bumps.tsv"
    track.write_text("".join(lines))
    labels = world.labels(targets, [[int(p)] * len(targets) for p in world.present])
    run, record, result = trained(run_cli, world, fasta, labels, "--conservation", track, "--ablation")
    found = json.loads((run / "metrics.json").read_text())["ablation"]
    assert found["measure"] == "auroc"
    assert list(found["per_target"]) == targets
    assert found["method"] == ("DeLong" if len(targets) == 1 else "permutation")
    assert found["difference"] == pytest.approx(found["with"] - found["without"])
    metrics = json.loads((run / "metrics.json").read_text())
    assert found["with"] == pytest.approx(metrics["test"]["auroc"], abs=0.01)
    sentence = f"on held-out sequences: {found['with']:.3f} with, {found['without']:.3f} without"
    assert sentence in result.stderr.replace("\n", " ")
    report = (run / "report.html").read_text()
    assert sentence in report
    assert record["settings"]["training"]["ablation"] is True
    tests, profiles = table(run, "motif_tracks.tsv"), table(run, "track_profiles.tsv")
    motifs = table(run, "motifs.tsv")
    assert list(tests["motif"]) == list(motifs["motif"])
    first = profiles[profiles["motif"] == "motif_1"]
    inside = first["position"].between(0, motifs["width"][0] - 1)
    assert first["mean"][inside].mean() > first["mean"][~inside].mean() + 0.5
    assert tests["site_mean"][0] > tests["shifted_mean"][0]
    assert tests["p_value"][0] < 0.05
    assert "bumps.tsv, mean of" in report
    assert "Of what filter_" in report
    use = table(run, "filter_tracks.tsv")
    assert len(use) == 4 * 6
    assert use["share"].between(0, 1).all()


def test_ablation_without_further_channels_is_refused(run_cli, world):
    fasta = world.sequences("ACGT", "TGACTCA", lengths=(25, 40))
    labels = world.labels(["bound"], [[int(p)] for p in world.present])
    refused = run_cli("train", fasta, labels, "-o", world.folder / "run", "--ablation")
    assert refused.exit_code == 1
    assert "--ablation tells what further channels add, and there are none; give --conservation" in refused.stderr
    assert not (world.folder / "run").exists()


def test_alignments_are_a_channel_scored_as_in_training(run_cli, world):
    fasta = world.sequences(PROTEIN.letters, "WCHWC", lengths=(25, 40))
    folder = world.folder / "msa"
    folder.mkdir()
    for number, text in enumerate(world.texts[1:], start=1):
        other = "".join(letter if world.random.random() < 0.7 else "-" for letter in text)
        (folder / f"s{number}.fa").write_text(f">s{number}\n{text}\n>other\n{other}\n")
    labels = world.labels(["bound"], [[int(p)] for p in world.present])
    options = ("--conservation", folder, "--column-score", "relative-entropy", "--column-window", 1)
    run, record, result = trained(run_cli, world, fasta, labels, *options)
    assert "msa has no value for 1 of" in result.stderr
    assert len(record["inputs"][2]["sha256"]) == 64
    channels = load_model(run / "model.safetensors").channels
    assert (channels.column_score, channels.column_window) == ("relative-entropy", 1)
    given = run_cli("predict", fasta, "-m", run, "--conservation", folder).stdout
    predicted = pd.read_csv(io.StringIO(given), sep="\t").set_index("id")["bound"]
    kept = table(run, "predictions.tsv").set_index("id")["predicted_bound"]
    np.testing.assert_allclose(predicted[kept.index], kept, rtol=1e-4)


def test_anchors_of_peptides_are_shown_position_by_position(run_cli, world):
    letters = np.array(list(PROTEIN.letters))
    peptides = letters[world.random.integers(0, 20, (300, 9))]
    labels = np.arange(300) % 2
    peptides[labels == 1, 1] = world.random.choice(["L", "M"], 150)
    peptides[labels == 1, 8] = "V"
    fasta, table_path = world.folder / "p.fa", world.folder / "p.tsv"
    fasta.write_text("".join(f">q{i}\n{''.join(row)}\n" for i, row in enumerate(peptides)))
    table_path.write_text("id\tbinds\n" + "".join(f"q{i}\t{label}\n" for i, label in enumerate(labels)))
    run = world.folder / "run"
    options = ("--alphabet", "protein", *QUICK)
    result = run_cli("train", fasta, table_path, "-o", run, *options)
    assert result.exit_code == 0, result.stderr
    found = table(run, "positions.tsv")
    assert list(found["position"]) == list(range(1, 10))
    assert set(found["letters"][1].split(",")) == {"L", "M"}
    assert found["letters"][8] == "V"
    assert set(found["position"][found["e_value"] <= 0.05]) == {2, 9}
    assert (run / "logos" / "positions_1.svg").is_file()
    report = (run / "report.html").read_text()
    assert "Letters at fixed positions" in report
    assert "Positions that tell most: 9 (V), 2 (" in report or "Positions that tell most: 2 (" in report
    assert run_cli("train", fasta, table_path, "-o", run, "--force", "--test-fraction", 0.01, *options).exit_code == 0
    assert not (run / "positions.tsv").exists()  # nothing of the older run is left
    assert not (run / "logos" / "positions_1.svg").exists()


def test_cross_validation_is_told_written_and_shown(run_cli, tiny_run, tmp_path):
    run = tmp_path / "run"
    command = ["train", tiny_run.sequences, tiny_run.labels, "-o", run, *tiny_run.options, "--epochs", 6, "--folds", 3]
    result = run_cli(*command)
    assert result.exit_code == 0, result.stderr
    folds = pd.read_csv(run / "folds.tsv", sep="\t")
    assert folds["fold"].tolist() == [1, 2, 3]
    assert folds["test"].sum() == 300
    found = json.loads((run / "metrics.json").read_text())["cross_validation"]
    assert found["auroc"]["each"] == pytest.approx(folds["auroc"].tolist(), abs=1e-5)
    assert found["auroc"]["mean"] == pytest.approx(folds["auroc"].mean(), abs=1e-5)
    assert found["auroc"]["standard_deviation"] == pytest.approx(folds["auroc"].std(), abs=1e-5)
    assert found["auroc"]["mean"] > 0.9
    predictions = pd.read_csv(run / "fold_predictions.tsv", sep="\t")
    assert predictions["id"].tolist() == pd.read_csv(run / "predictions.tsv", sep="\t")["id"].tolist()
    figures = f"{found['auroc']['mean']:.3f} ± {found['auroc']['standard_deviation']:.3f}"
    assert f"cross-validation in 3 folds: held-out AUROC {figures}, average precision " in result.stderr
    page = (run / "report.html").read_text()
    assert f"Cross-validation in 3 folds: held-out AUROC {figures}, average precision " in page
    refused = run_cli(*command, "--folds", 1, "--force")
    assert refused.stderr == "motifcnn: error: --folds 1: nothing would be left to train on; give 2 or more\n"


def test_the_main_network_is_the_same_with_and_without_folds(run_cli, tiny_run, tmp_path):
    run, options = tmp_path / "run", ["--folds", 2, "--force"]
    command = ["train", tiny_run.sequences, tiny_run.labels, "-o", run, *tiny_run.options]
    assert run_cli(*command, *options).exit_code == 0
    for name in ("model.safetensors", "motifs.tsv", "predictions.tsv"):
        assert (run / name).read_bytes() == (tiny_run.path / name).read_bytes(), name
    assert not (tiny_run.path / "folds.tsv").exists()
    assert "Cross-validation" not in (tiny_run.path / "report.html").read_text()
    assert run_cli(*command, "--force").exit_code == 0
    assert not (run / "folds.tsv").exists()


def test_large_logits_do_not_tie(run_cli, tiny_run, tmp_path, monkeypatch):
    """In single precision the sigmoid of all of these is 1."""

    def large(network, encoded, indices):
        return torch.from_numpy(20 + 0.01 * np.asarray(indices, dtype=np.float32))[:, None]

    monkeypatch.setattr(pipeline, "predict_logits", large)
    run = tmp_path / "run"
    result = run_cli("train", tiny_run.sequences, tiny_run.labels, "-o", run, *tiny_run.options)
    assert result.exit_code == 0, result.stderr
    predicted = table(run, "predictions.tsv")
    held_out = np.flatnonzero(predicted["split"] == "test")
    expected = rank_auroc(held_out.astype(float), predicted.iloc[held_out, 2].to_numpy() == 1)
    assert expected != 0.5
    assert json.loads((run / "metrics.json").read_text())["test"]["auroc"] == pytest.approx(expected)


def test_one_positive_in_a_hundred_puts_average_precision_in_front(run_cli, tmp_path):
    made = run_cli(
        *("simulate", "-o", tmp_path / "in", "--sequences", 2500, "--length", 40, "--motifs", 1),
        *("--motif-bits", 15, "--positives", 0.01),
    )
    assert made.exit_code == 0, made.stderr
    run = tmp_path / "run"
    inputs = tmp_path / "in" / "sequences.fa", tmp_path / "in" / "labels.tsv"
    result = run_cli("train", *inputs, "-o", run, *QUICK, "--filters", 8, "--filter-width", 12, "--epochs", 10)
    assert result.exit_code == 0, result.stderr
    check_run(run)
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["headline"] == "average_precision"
    assert list(metrics["test"])[:3] == ["average_precision", "auroc", "share_of_positives"]
    test = table(run, "predictions.tsv").query("split == 'test'")["positive"]
    assert (test.sum(), metrics["test"]["share_of_positives"]) == (5, pytest.approx(test.mean()))
    assert np.isfinite(table(run, "motifs.tsv")["p_value"]).all()
    assert metrics["test"]["average_precision"] > 0.3
    assert all(name.endswith("_average_precision") for name in metrics["baselines"])
    score = f"{metrics['test']['average_precision']:.3f}"
    said = rf"held-out average precision {score} on {len(test)} examples \(guessing {test.mean():.3f}, gc alone 0.\d+"
    assert re.search(said, result.stderr)
    assert re.search(r"epoch 10/10: validation loss \S+, average precision \S+ \(guessing 0.0\d+\)", result.stderr)
    page = (run / "report.html").read_text()
    assert f"where guessing has {test.mean():.2g}, the share of positives" in page
    assert '<th scope="col"></th><th scope="col">average precision</th><th scope="col">AUROC</th>' in page
    assert "average precision on validation</th>" in page


def test_letters_on_disk_give_the_same_bytes(run_cli, tiny_run, tmp_path):
    command = ["train", tiny_run.sequences, tiny_run.labels, "-o", tmp_path / "run", *tiny_run.options]
    result = run_cli(*command, "--on-disk", "yes")
    assert result.exit_code == 0, result.stderr
    assert "letters are kept in a temporary file in " in result.stderr
    assert "temporary file" not in tiny_run.result.stderr
    first, second = contents(tiny_run.path), contents(tmp_path / "run")
    assert sorted(first) == sorted(second)
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {"log.jsonl", "report.html", "run.json", "settings.toml"}  # what they say of the settings
