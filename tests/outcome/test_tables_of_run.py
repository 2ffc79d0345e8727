"""Tables of a run against what they are about: its sequences and one another."""

import json

import pandas as pd
import pytest

from motifcnn.alphabet import DNA
from motifcnn.formats.fasta import read_fasta
from motifcnn.significance import rank_auroc


@pytest.fixture
def tables(tiny_run):
    return {path.stem: pd.read_csv(path, sep="\t", keep_default_na=False) for path in tiny_run.path.glob("*.tsv")}


def test_sites_hold_the_letters_at_their_places_as_the_motif_reads_them(tiny_run, tables):
    sequences = read_fasta(tiny_run.sequences)
    texts = {name: DNA.decode(sequences[n]) for n, name in enumerate(sequences.names)}
    sites = tables["sites"]
    assert set(sites["strand"]) == {"+", "-"}
    flanks = "N" * 5  # past an end
    for row in sites.itertuples():
        window = (flanks + texts[row.id] + flanks)[row.start : row.end + 2 * len(flanks)]
        if row.strand == "-":
            window = DNA.decode(DNA.reverse_complement(DNA.encode(window)))
        assert (row.upstream, row.site, row.downstream) == (window[:5], window[5:-5], window[-5:])
        assert row.length == len(texts[row.id])
    assert (sites["start"] < 5).any()


def test_sites_are_the_best_ones_at_the_threshold_in_positives(tables):
    sites, predictions = tables["sites"], tables["predictions"].set_index("id")
    assert not sites.duplicated(["motif", "id"]).any()
    assert (predictions.loc[sites["id"], "positive"].astype(float) == 1).all()
    assert (predictions.loc[sites["id"], "split"].to_numpy() == sites["split"].to_numpy()).all()
    for number, motif in enumerate(tables["motifs"].itertuples()):
        own = sites[sites["motif"] == motif.motif]
        assert (own["log_odds"] >= motif.threshold - 1e-4).all()
        assert (own["end"] - own["start"] == motif.width).all()
        held_out = (own["split"] == "test").sum()  # later motifs are tested on what the first ones leave
        assert held_out == motif.found_positives if number == 0 else held_out >= motif.found_positives


def test_baselines_are_predictions_of_the_held_out_examples(tiny_run, tables):
    metrics = json.loads((tiny_run.path / "metrics.json").read_text())
    predictions, baselines = tables["predictions"], tables["baselines"]
    held_out = predictions[predictions["split"] == "test"]
    assert list(baselines["id"]) == list(held_out["id"])
    truth = held_out["positive"].to_numpy(dtype=float) == 1
    scores = {name: rank_auroc(baselines[name].to_numpy(dtype=float), truth) for name in baselines.columns[1:]}
    scores = {f"{name}_auroc": score for name, score in scores.items()}
    assert scores == pytest.approx(metrics["baselines"], abs=1e-6)
    assert len(scores) >= 2
    assert metrics["data"]["splits"] == predictions["split"].value_counts().to_dict()
    assert metrics["data"]["positives"]["positive"] == (
        predictions[predictions["positive"].astype(float) == 1]["split"].value_counts().to_dict()
    )
