"""Targets with a value for each base through the whole street: train, report, motifs, predict, resume, refusals."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest

from motifcnn.discovery.similarity import motif_similarity
from motifcnn.formats.conservation import read_tracks
from motifcnn.formats.fasta import read_fasta
from motifcnn.formats.motif_files import read_motifs

QUICK = ("--filters", 12, "--filter-width", 11, "--epochs", 8, "--batch-size", 16, "--learning-rate", 0.01)
PLAIN = ("--threads", 1, "--device", "cpu")
QUICK = (*QUICK, *PLAIN)


@pytest.fixture(scope="module")
def simulated(run_cli, tmp_path_factory):
    """Sequences of several lengths at coordinates, one motif planted in most of them; targets as TSV and bedGraph."""
    folder = tmp_path_factory.mktemp("bases")
    options = ("--sequences", 160, "--length", 44, "--longest", 56, "--motifs", 1, "--motif-width", 8)
    made = run_cli("simulate", "-o", folder / "input", *options, "--positives", 0.6)
    assert made.exit_code == 0, made.stderr
    sequences = read_fasta(folder / "input" / "sequences.fa", "dna")
    values = read_tracks(folder / "input" / "positive.bases.tsv", sequences)
    fasta, track = [], []
    for number in range(len(sequences)):
        own, start = values[sequences.offsets[number] : sequences.offsets[number + 1]], 1000 * (number // 2)
        strand = "+-"[number % 2]
        chrom = f"chr{1 + number % 3}"
        fasta.append(f">{chrom}:{start}-{start + len(own)}({strand})\n{sequences.alphabet.decode(sequences[number])}\n")
        for place, value in enumerate(own[::-1] if strand == "-" else own, start=start):
            track.append(f"{chrom}\t{place}\t{place + 1}\t{value:g}\n")
    (folder / "located.fa").write_text("".join(fasta))
    (folder / "sites.bedgraph").write_text("".join(track))
    return folder


@pytest.fixture(scope="module")
def run(simulated, run_cli):
    out = simulated / "unet"
    options = (simulated / "located.fa", "--per-base", simulated / "sites.bedgraph", "--architecture", "unet")
    result = run_cli("train", *options, "-o", out, *QUICK)
    assert result.exit_code == 0, result.stderr
    return out, options, result


def held_out_auroc(table, target):
    from sklearn.metrics import roc_auc_score

    test = table[table["split"] == "test"]
    truth, predicted = (
        np.array(",".join(test[column].astype(str)).split(","), dtype=float)
        for column in (target, f"predicted_{target}")
    )
    return roc_auc_score(truth, predicted), len(truth)


def test_sites_are_found_base_by_base(run):
    out, _, result = run
    assert "sites: 0/1 at " in result.stderr
    assert "learned by cross-entropy; AUROC and average precision" in result.stderr
    metrics = json.loads((out / "metrics.json").read_text())
    table = pd.read_csv(out / "predictions.tsv", sep="\t")
    auroc, bases = held_out_auroc(table, "sites")
    assert metrics["unit"] == "bases"
    assert metrics["test"]["n"] == bases > 700
    assert metrics["test"]["auroc"] == pytest.approx(auroc, abs=1e-3)
    assert auroc > 0.97
    assert max(value for name, value in metrics["baselines"].items()) < metrics["test"][metrics["headline"]] - 0.3


def test_the_atrous_pyramid_finds_them_too(simulated, run_cli, tmp_path):
    targets = ("--per-base", simulated / "input" / "positive.bases.tsv", "--architecture", "aspp")
    result = run_cli("train", simulated / "input" / "sequences.fa", *targets, "-o", tmp_path / "run", *QUICK)
    assert result.exit_code == 0, result.stderr
    assert held_out_auroc(pd.read_csv(tmp_path / "run" / "predictions.tsv", sep="\t"), "positive")[0] > 0.97


def test_filters_become_motifs(run, simulated):
    motif, truth = read_motifs(run[0] / "motifs.meme")[0], read_motifs(simulated / "input" / "motifs.meme")[0]
    assert motif_similarity(motif, truth, both_strands=True).correlation > 0.9
    row = pd.read_csv(run[0] / "motifs.tsv", sep="\t").iloc[0]
    assert row["e_value"] < 1e-3
    sites = pd.read_csv(run[0] / "sites.tsv", sep="\t")
    assert sites["id"].str.fullmatch(r"chr[123]:\d+-\d+\([+-]\)").all()


def test_the_report_speaks_of_bases(run):
    page = (run[0] / "report.html").read_text()
    assert "held-out bases" in page
    assert "mean profile by position only" in page
    assert "held-out sequences, where" not in page


def test_predicting_again(run, run_cli, simulated, tmp_path):
    """What the run predicted, `predict` predicts again, strand for strand, in any format."""
    out = run[0]
    predicted = run_cli(
        "predict", simulated / "located.fa", "-m", out, *PLAIN, "--per-base", simulated / "sites.bedgraph"
    )
    assert predicted.exit_code == 0, predicted.stderr
    assert "bases" in predicted.stderr.splitlines()[-1]
    assert re.search(r"sites: .*AUROC (1\.000|0\.9\d\d).* on 8,?\d{3} bases", predicted.stderr)
    sequences = read_fasta(simulated / "located.fa", "dna")
    table = pd.read_csv(out / "predictions.tsv", sep="\t")
    before = np.array(",".join(table["predicted_sites"]).split(","), dtype=float)
    (tmp_path / "stdout.bedgraph").write_text(predicted.stdout)
    own, measured = tmp_path / "o.sites.bedgraph", (simulated / "sites.bedgraph").read_bytes()
    own.write_bytes(measured)
    over = ("--per-base", own, "-o", tmp_path / "o.bedgraph", "--force")
    refused = run_cli("predict", simulated / "located.fa", "-m", out, *PLAIN, *over)
    assert f"{own}: is a file that is read; give another name with --out" in refused.stderr
    assert own.read_bytes() == measured
    again = [read_tracks(tmp_path / "stdout.bedgraph", sequences)]
    for name in ("p.bw", "p.bedgraph.gz", "p.tsv"):
        written = run_cli("predict", simulated / "located.fa", "-m", out, *PLAIN, "-o", tmp_path / name)
        assert written.exit_code == 0, written.stderr
        assert f"{len(before)} predictions of bases in {tmp_path / name}" in written.stderr
        again.append(read_tracks(tmp_path / name, sequences))
    for values in again:
        assert np.allclose(values, before, atol=1e-3)


def test_the_other_strand_has_the_same_values(run, run_cli, simulated, tmp_path):
    sequences = read_fasta(simulated / "located.fa", "dna").subset(np.arange(20))
    alphabet = sequences.alphabet
    tables = []
    for turned in (False, True):
        codes = [alphabet.reverse_complement(sequences[n]) if turned else sequences[n] for n in range(20)]
        (tmp_path / "s.fa").write_text("".join(f">s{n}\n{alphabet.decode(own)}\n" for n, own in enumerate(codes)))
        result = run_cli("predict", tmp_path / "s.fa", "-m", run[0], *PLAIN)
        assert result.exit_code == 0, result.stderr
        tables.append(pd.read_csv(io.StringIO(result.stdout), sep="\t")["sites"])
    for own, other in zip(*tables, strict=True):
        values, back = (np.array(text.split(","), dtype=float) for text in (own, other))
        assert np.allclose(values, back[::-1], atol=1e-4)


def test_an_interrupted_run_goes_on(run, interrupt_and_resume, tmp_path):
    out, options, _ = run
    interrupt_and_resume("train", *options, "-o", tmp_path / "run", *QUICK)
    for name in ("model.safetensors", "history.tsv", "predictions.tsv", "report.html"):
        one, other = ((folder / name).read_bytes() for folder in (tmp_path / "run", out))
        assert one == other or name == "report.html"


def counted(simulated, tmp_path):
    """Counts that sites raise, as TSV by name, and as a second target their halves."""
    sequences = read_fasta(simulated / "input" / "sequences.fa", "dna")
    sites = read_tracks(simulated / "input" / "positive.bases.tsv", sequences)
    counts = np.random.default_rng(0).poisson(0.5 + 6 * sites)
    for name, values in {"reads": counts, "level": counts / 2}.items():
        rows = zip(sequences.names, sequences.cells(values, "%g"), strict=True)
        (tmp_path / f"{name}.tsv").write_text("".join(f"{own}\t{row}\n" for own, row in rows))
    return sequences, counts


def test_counts_and_several_targets(run_cli, simulated, tmp_path):
    sequences, counts = counted(simulated, tmp_path)
    targets = ("--per-base", tmp_path / "reads.tsv", "--per-base", tmp_path / "level.tsv")
    command = ("train", simulated / "input" / "sequences.fa", "--architecture", "unet", *QUICK)
    alone = run_cli(*command, *targets[:2], "-o", tmp_path / "alone", "--folds", 2)
    assert alone.exit_code == 0, alone.stderr
    assert "reads: counts at" in alone.stderr
    assert "learned by Poisson; Pearson and Spearman correlation" in alone.stderr
    metrics = json.loads((tmp_path / "alone" / "metrics.json").read_text())
    assert metrics["test"]["pearson"] > 0.7  # the best there is has 0.84
    assert metrics["cross_validation"]["pearson"]["mean"] > 0.5
    assert len(pd.read_csv(tmp_path / "alone" / "fold_predictions.tsv", sep="\t")) == len(sequences)
    predicted = run_cli("predict", simulated / "input" / "sequences.fa", "-m", tmp_path / "alone", *PLAIN)
    table = pd.read_csv(io.StringIO(predicted.stdout), sep="\t")
    values = np.array(",".join(table["reads"]).split(","), dtype=float)
    assert (values >= 0).all()
    assert np.corrcoef(values, counts)[0, 1] > 0.7
    both = run_cli(*command, *targets, "-o", tmp_path / "both", "--epochs", 2)
    assert both.exit_code == 0, both.stderr
    assert "learned by squared error" in both.stderr
    written = run_cli(
        "predict", simulated / "input" / "sequences.fa", "-m", tmp_path / "both", *PLAIN, "-o", tmp_path / "p.bw"
    )
    assert written.exit_code == 0, written.stderr
    assert {path.name for path in tmp_path.glob("*.bw")} == {"p.reads.bw", "p.level.bw"}


def test_what_needs_one_value_of_a_sequence_refuses(run, run_cli, simulated):
    out, fasta = run[0], simulated / "located.fa"
    for command in (
        ("explain", fasta, "-m", out),
        ("export", "tracks", out, fasta, "-o", simulated / "tracks", "--mutagenesis"),
        ("scan", fasta, "-m", out, "--model-track", simulated / "t.bw"),
    ):
        result = run_cli(*command)
        assert result.exit_code == 1
        assert "needs one value of a sequence, and this network has one for each base" in result.stderr
        assert len(result.stderr.strip().splitlines()[-1]) < 300


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("LABELS", "--architecture", "unet"), "has a value for each base, and nothing gives these; add --per-base"),
        (("--per-base", "TSV"), "--architecture motif has one value for each sequence, and --per-base gives one for"),
        (("LABELS", "--per-base", "TSV", "--architecture", "unet"), "cannot be learned together; leave one"),
        (("--per-base", "TSV", "--architecture", "unet", "--pool", 4), "pools, which leaves no value for each base"),
        (("--per-base", "TSV", "--architecture", "unet", "--baseline", "gkm"), "leave it out with --per-base"),
        (
            ("--per-base", "TSV", "--architecture", "unet", "--augment-indels", 3),
            "--augment-indels is for values of whole sequences; leave it out with --per-base",
        ),
        (("--per-base", "SHORT", "--architecture", "unet"), "short.tsv:2: 3 values for 'simulated_001', which has"),
        (("--per-base", "OTHER", "--architecture", "unet"), "has values for none of the 160 sequences"),
        (("--per-base", "GRAPH", "--architecture", "unet"), "have none in their names"),
        (("--per-base", "ONES", "--architecture", "unet"), "every value along the sequences is 1, so that there is"),
        (("--per-base", "FEW", "--architecture", "unet"), "159 of 160 sequences have no value at any base"),
        (("--per-base", "TSV", "--per-base", "REALS", "--architecture", "unet"), "give targets of one kind together"),
    ],
)
def test_refusals_before_anything_is_written(options, message, run_cli, simulated, tmp_path):
    sequences = read_fasta(simulated / "input" / "sequences.fa", "dna")
    files = {"LABELS": simulated / "input" / "labels.tsv", "TSV": simulated / "input" / "positive.bases.tsv"}
    files["GRAPH"] = simulated / "sites.bedgraph"
    texts = {
        "SHORT": "id\tx\nsimulated_001\t1,0,1\n",
        "OTHER": "id\tx\nnobody\t1,0,1\n",
        "ONES": "".join(f"{name}\t{','.join('1' * length)}\n" for name, length in lengths(sequences)),
        "FEW": f"simulated_001\t{','.join('01' + '1' * (int(sequences.lengths[0]) - 2))}\n",
        "REALS": "".join(f"{name}\t{','.join(['0.5', '2'] + ['1'] * (n - 2))}\n" for name, n in lengths(sequences)),
    }
    for name, text in texts.items():
        files[name] = tmp_path / f"{name.lower()}.tsv"
        files[name].write_text(text)
    given = [files.get(option, option) for option in options]
    result = run_cli("train", simulated / "input" / "sequences.fa", *given, "-o", tmp_path / "run", "--device", "cpu")
    assert result.exit_code == 1
    assert message in " ".join(result.stderr.split())
    assert not (tmp_path / "run").exists()


def lengths(sequences):
    return zip(sequences.names, sequences.lengths.tolist(), strict=True)
