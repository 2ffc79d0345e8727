import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import fisher_exact
from sklearn.metrics import roc_auc_score

from motifcnn.alphabet import DNA
from motifcnn.discovery import assessment
from motifcnn.discovery.assessment import assess
from motifcnn.discovery.extraction import ExtractedMotif
from motifcnn.discovery.placement import central_enrichment
from motifcnn.encoding import EncodedSequences
from motifcnn.inputs.examples import Examples
from motifcnn.model.network import MotifNetwork
from motifcnn.motifs import Motif
from motifcnn.objectives import Objective
from motifcnn.scanning.best import best_sites, occupancies
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings, MotifSettings

SITE, CHANCE = "TGACGTAC", "GGATTTCC"
SETTINGS = MotifSettings()
MODEL = ModelSettings(filters=3, filter_width=8, restarts=2, strands="both")
MODELS = {
    "whole": MODEL,
    "exp": replace(MODEL, activation="exp"),
    "layer": replace(MODEL, pool=5, conv_layers=1, conv_filters=4, conv_width=3),
}
BINARY = Objective("binary", ("label",), weights=(1.0,))


@pytest.fixture
def examples(generator):
    """Odd examples hold the site; lengths vary alike in both classes; the last 100 are held out."""
    codes = []
    for number in range(300):
        sequence = generator.integers(0, 4, 30 + number // 2 % 5).astype(np.uint8)
        if number % 2:
            start = generator.integers(0, 22)
            sequence[start : start + 8] = DNA.encode(SITE)
        codes.append(sequence)
    sequences = Sequences.from_list([f"s{n}" for n in range(300)], codes, DNA)
    values = (np.arange(300) % 2).astype(np.float32)[:, None]
    split = np.repeat([0, 1, 2], [180, 20, 100]).astype(np.int8)
    none = np.empty((0, len(sequences.codes)), dtype=np.float32)
    return Examples(sequences, "binary", ("label",), (), values, none, (), split)


def motif_of(word, name="motif"):
    return Motif(name, np.eye(4)[DNA.encode(word)] * 0.88 + 0.03, DNA, sites=100)


def extracted_motif(word, filters, statistic, threshold=8.0):
    return ExtractedMotif(motif_of(word), filters, 0, threshold, 1.0, statistic)


EXTRACTED = (extracted_motif(CHANCE, (1, 5, 2), 50.0, 4.0), extracted_motif(SITE, (0, 4), 20.0))


def network_of(settings=MODEL):
    """Filters 0 and 4 read the site; the head counts them for the label."""
    network = MotifNetwork(settings, DNA, 0, 1, seed=1).eval()
    with torch.no_grad():
        for number in (0, 4):
            network.filters.weight[number] = torch.from_numpy((np.eye(4)[DNA.encode(SITE)] - 0.5).T.astype(np.float32))
        if not settings.conv_layers:
            network.head[:] = torch.tensor([[[1.0], [0.1], [-0.1]], [[0.1], [1.0], [0.1]]])
    return network


def trial(examples, network=None, extracted=EXTRACTED, database=(), options=SETTINGS):
    network = network or network_of()
    encoded = EncodedSequences(examples.sequences)
    return assess(network, BINARY, encoded, examples, extracted, options, database, np.random.default_rng(0))


def test_held_out_enrichment_is_fishers_test_of_the_held_out_examples(examples):
    found = trial(examples)
    for tested, item in zip(found.motifs, (EXTRACTED[1], EXTRACTED[0]), strict=True):
        scores = best_sites([item.motif.log_odds()], examples.sequences, True).scores[:, 0]
        hit, positive = scores[200:] >= item.threshold, examples.values[200:, 0] == 1
        table = [[(hit & positive).sum(), (~hit & positive).sum()], [(hit & ~positive).sum(), (~hit & ~positive).sum()]]
        expected = fisher_exact(table, alternative="greater").pvalue
        assert tested.enrichment.p_value == pytest.approx(expected)
        assert tested.e_value == pytest.approx(2 * expected)
        assert tested.motif.e_value == tested.e_value
        assert tested.enrichment.auroc == pytest.approx(roc_auc_score(positive, scores[200:]))
        assert tested.train_auroc == pytest.approx(roc_auc_score(examples.values[:180, 0], scores[:180]))


def test_a_part_of_a_better_motif_is_no_motif_of_its_own(examples):
    whole, part = extracted_motif(SITE, (0, 4), 50.0), extracted_motif(SITE[:6], (1,), 20.0, 6.0)
    alone = trial(examples, extracted=(part,)).motifs[0]
    assert alone.e_value < 1e-6
    for strand in (part, replace(part, motif=part.motif.reverse_complement())):
        first, second = trial(examples, extracted=(whole, strand)).motifs
        assert first.e_value < 1e-6
        assert second.e_value > 0.05
        assert second.enrichment.auroc == pytest.approx(alone.enrichment.auroc)  # the motif's own: nothing is erased
    assert examples.sequences.codes.max() < 4  # the examples themselves stay as they are


def test_the_core_of_another_targets_motif_is_tested_with_nothing_erased(examples):
    """The motif of one target holds that of the other, whose sites stand in other sequences, too."""
    values = np.concatenate([examples.values, examples.values], axis=1)
    both = replace(examples, task="multi-label", targets=("a", "b"), values=values)
    objective = Objective("multi-label", ("a", "b"), weights=(1.0, 1.0))
    whole, core = extracted_motif(SITE, (0, 4), 50.0), extracted_motif(SITE[:6], (1,), 20.0, 6.0)
    network = MotifNetwork(MODEL, DNA, 0, 2, seed=1).eval()

    def e_values(motifs):
        generator = np.random.default_rng(0)
        encoded = EncodedSequences(both.sequences)
        found = assess(network, objective, encoded, both, motifs, SETTINGS, (), generator)
        return [tested.e_value for tested in found.motifs]

    (alone,) = e_values((replace(core, target=1),))
    assert e_values((whole, replace(core, target=1)))[1] == pytest.approx(2 * alone)
    assert e_values((whole, core))[1] > 0.05


def test_significant_motifs_come_first_and_names_and_sites_follow(examples):
    found = trial(examples)
    assert [tested.motif.consensus for tested in found.motifs] == [SITE, CHANCE]
    assert [tested.motif.name for tested in found.motifs] == ["motif_1", "motif_2"]
    assert found.motifs[0].e_value <= SETTINGS.e_threshold < found.motifs[1].e_value
    sites = best_sites([motif_of(SITE).log_odds(), motif_of(CHANCE).log_odds()], examples.sequences, True)
    for name in ("scores", "starts", "reverse"):
        assert np.array_equal(getattr(found.sites, name), getattr(sites, name))


def test_within_the_significant_the_training_set_gives_the_order(examples):
    found = trial(examples, options=replace(SETTINGS, e_threshold=1e9))
    assert [tested.extracted.statistic for tested in found.motifs] == [50.0, 20.0]


def test_a_motif_of_the_rest_stays_behind_the_first_of_its_target(examples):
    chance, rest = EXTRACTED[0], replace(EXTRACTED[1], origin="rest")
    found = trial(examples, extracted=(chance, rest)).motifs
    assert [tested.motif.consensus for tested in found] == [CHANCE, SITE]
    assert found[1].e_value <= SETTINGS.e_threshold < found[0].e_value
    elsewhere = replace(chance, target=1)
    for significant, order in (((True, False, False, True), [0, 3, 1, 2]), ((False, False, True, True), [2, 0, 1, 3])):
        assert assessment._order((chance, chance, elsewhere, rest), significant) == order


def test_recurrence_counts_restarts(examples):
    """Filters 0 to 2 are the first restart's, 3 to 5 the second's."""
    found = trial(examples, extracted=(*EXTRACTED, extracted_motif("CCCCCCCC", (1, 2), 1.0)))
    by_word = {tested.motif.consensus: tested.recurrence for tested in found.motifs}
    assert by_word == {SITE: 2, CHANCE: 2, "CCCCCCCC": 1}


def slow_score(network, examples, silenced):
    """Held-out AUROC, one example at a time, silenced filters at their mean training activation."""
    encoded = EncodedSequences(examples.sequences)
    everything = []
    with torch.no_grad():
        for index in range(180):
            scores = network.pooled(encoded.batch(torch.tensor([index]))).scores[0]
            everything.append(network.activate(scores[None])[0][:, torch.isfinite(scores[0])])
        means = torch.cat(everything, dim=1).mean(dim=1)
        logits = []
        for index in range(200, 300):
            pooled = network.pooled(encoded.batch(torch.tensor([index]))).scores
            activations = network.activate(pooled)
            for number in silenced:
                activations[0, number, torch.isfinite(pooled[0, number])] = means[number]
            logits.append(float(network.head_logits(activations, pooled)))
    return roc_auc_score(examples.values[200:, 0], logits)


def slow_loss(examples, silenced):
    return slow_score(network_of(), examples, ()) - slow_score(network_of(), examples, silenced)


@pytest.mark.parametrize("settings", MODELS.values(), ids=MODELS)
def test_importance_is_what_silencing_the_filters_costs(examples, settings, monkeypatch):
    monkeypatch.setattr("motifcnn.discovery.knockout._BATCH", 64)
    network = network_of(settings)
    whole = slow_score(network, examples, ())
    for tested in trial(examples, network).motifs:
        expected = whole - slow_score(network, examples, tested.extracted.filters)
        assert tested.importance == pytest.approx(expected, abs=1e-3)
    if settings == MODEL:
        assert trial(examples, network).motifs[0].importance > 0.3


def test_missing_values_are_left_out(examples):
    values = examples.values.copy()
    values[200:220] = np.nan
    found = trial(replace(examples, values=values)).motifs[0].enrichment
    assert (found.positives, found.negatives) == (40, 40)


def test_a_motif_of_sites_is_more_than_composition_and_its_occupancy_is_measured(examples):
    site, chance = trial(examples).motifs
    assert not site.composition.explained
    assert site.composition.shuffled_p_value < 1e-6
    assert site.composition.matched_p_value < 1e-6
    sums = occupancies([motif_of(SITE).log_odds()], examples.sequences, True)[200:, 0]
    assert site.occupancy_auroc == pytest.approx(roc_auc_score(examples.values[200:, 0], sums))
    assert site.occupancy_auroc > 0.9
    assert chance.composition.shuffled_p_value > 0.001


def test_central_sites_are_those_of_held_out_positives(examples):
    site = trial(examples).motifs[0]
    held_out = [n for n in range(200, 300) if n % 2]
    scores = best_sites([motif_of(SITE).log_odds()], examples.sequences, True)
    sited = [n for n in held_out if scores.scores[n, 0] >= 8.0]
    expected = central_enrichment(scores.starts[sited, 0], examples.sequences.lengths[sited], 8)
    assert site.centrality == expected
    assert site.central_e_value == pytest.approx(2 * expected.p_value)


def test_pairs_of_significant_motifs_are_looked_at(examples, generator):
    """The second motif lies two letters downstream of the first in every positive."""
    second = "CCAATCAG"
    codes = [examples.sequences[n].copy() for n in range(300)]
    for number in range(1, 300, 2):
        codes[number][:] = generator.integers(0, 4, len(codes[number]))
        start = generator.integers(0, len(codes[number]) - 18)
        codes[number][start : start + 18] = DNA.encode(SITE + "AC" + second)
    changed = replace(examples, sequences=Sequences.from_list(examples.sequences.names, codes, DNA))
    extracted = (extracted_motif(SITE, (0, 4), 50.0), extracted_motif(second, (1,), 40.0), EXTRACTED[0])
    found = trial(changed, extracted=extracted)
    pair, *alone = found.pairs
    assert [(twice.first.motif.name, twice.second.motif.name) for twice in alone] == [
        ("motif_1", "motif_1"),
        ("motif_2", "motif_2"),
    ]
    assert [pair.first.motif.name, pair.second.motif.name] == ["motif_1", "motif_2"]
    assert pair.interaction.loss == pytest.approx(slow_loss(changed, (0, 4, 1)), abs=1e-3)
    spacing = pair.spacing
    assert spacing.sequences > 140  # of all positives, training or not
    assert (spacing.between, spacing.downstream, spacing.same_strand) == (2, True, True)
    assert pair.spacing_e_value == pytest.approx(3 * spacing.p_value)
    assert pair.spacing_e_value <= 1e-3
    assert trial(examples, extracted=EXTRACTED[:1]).pairs == ()


def test_motifs_of_composition_are_not_paired(examples, monkeypatch):
    by_composition = replace(trial(examples).motifs[0].composition, explained=True)
    monkeypatch.setattr("motifcnn.discovery.assessment.composition_test", lambda *_: by_composition)
    found = trial(examples)
    assert found.motifs[0].e_value < 0.05
    assert found.motifs[0].importance > 0.3
    assert found.pairs == ()


def test_two_sites_of_a_motif_are_looked_at(examples, generator):
    """Every second positive holds the site twice, six letters apart, on opposite strands."""
    codes = [examples.sequences[n].copy() for n in range(300)]
    for number in range(3, 300, 4):
        codes[number][:] = generator.integers(0, 4, len(codes[number]))
        start = generator.integers(0, len(codes[number]) - 22)
        flipped = DNA.decode(DNA.reverse_complement(DNA.encode(SITE)))
        codes[number][start : start + 22] = DNA.encode(SITE + "ACACAC" + flipped)
    changed = replace(examples, sequences=Sequences.from_list(examples.sequences.names, codes, DNA))
    (pair,) = trial(changed, extracted=EXTRACTED[1:]).pairs
    assert pair.first is pair.second
    spacing = pair.spacing
    assert 70 <= spacing.sequences <= 85
    assert (spacing.between, spacing.tolerance, spacing.same_strand) == (6, 1, False)
    assert pair.spacing_e_value == spacing.p_value <= 1e-3
    assert math.isnan(pair.interaction.loss)


def test_without_held_out_examples_nothing_is_claimed(examples):
    found = trial(replace(examples, split=np.where(examples.split == 2, 0, examples.split).astype(np.int8)))
    for tested in found.motifs:
        assert math.isnan(tested.enrichment.p_value)
        assert math.isnan(tested.e_value)
        assert math.isnan(tested.importance)
        assert math.isnan(tested.occupancy_auroc)
        assert math.isnan(tested.composition.shuffled_p_value)
        assert not tested.composition.explained
    assert [tested.extracted.statistic for tested in found.motifs] == [50.0, 20.0]


def test_no_motifs(examples):
    found = trial(examples, extracted=())
    assert found.motifs == ()
    assert found.sites.scores.shape == (300, 0)


def test_nearest_known_motif(examples, generator):
    others = [Motif(f"other{n}", generator.dirichlet(np.ones(4), 8), DNA) for n in range(30)]
    turned = replace(motif_of(SITE, "CREB").reverse_complement())
    found = trial(examples, database=[*others, turned])
    assert found.motifs[0].relatives.best.target_name == "CREB"
    assert found.motifs[0].known is turned
    assert all(tested.relatives is tested.known is None for tested in trial(examples).motifs)


def test_the_held_out_set_has_no_part_in_what_stands_beside_the_sites(examples, generator):
    """A motif of which half is known: the rest is beside its sites, other letters there in the held-out set or not."""
    half, whole = SITE[:5], [motif_of(SITE, "whole")]
    others = [Motif(f"other{n}", generator.dirichlet(np.ones(4), 8), DNA) for n in range(60)]
    sequences = examples.sequences
    codes = [sequences[n].copy() for n in range(300)]
    for number in np.flatnonzero(examples.split == 2):
        codes[number] = generator.permutation(codes[number])
    changed = replace(examples, sequences=Sequences.from_list(sequences.names, codes, DNA))
    extracted = (extracted_motif(half, (0, 4), 20.0, 5.0),)
    found = [trial(each, extracted=extracted, database=others + whole).motifs[0] for each in (examples, changed)]
    assert found[0].enrichment.p_value != found[1].enrichment.p_value
    assert found[0].relatives == found[1].relatives
    assert found[0].relatives.best.target_name == "whole"
