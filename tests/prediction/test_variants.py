"""Variants against both alleles written out in full."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.devices import choose_device
from motifcnn.encoding import EncodedSequences, TrackScale
from motifcnn.errors import InputError
from motifcnn.formats.genome import Genome
from motifcnn.formats.vcf import VcfReader
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel
from motifcnn.motifs import Motif
from motifcnn.objectives import Objective
from motifcnn.prediction import variants
from motifcnn.prediction.variants import MotifChange, VariantInput, variant_effects
from motifcnn.scanning.distribution import IntegerMotif
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings

SPAN, LENGTH, WIDTH = 6, 120, 40
SETTINGS = ModelSettings(filters=5, filter_width=SPAN, restarts=2, strands="both")
HEADER = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
CPU = choose_device("cpu")


def make_model(settings=SETTINGS, scales=(), alphabet=DNA, softmask="keep"):
    network = MotifNetwork(settings, alphabet, len(scales), 2, seed=3).eval()
    return TrainedModel(network, Objective("multi-label", ("a", "b")), alphabet, scales, softmask)


def make_motifs(generator, widths=(5, 9)):
    return [Motif(f"m{width}", generator.dirichlet([0.3] * 4, width), DNA) for width in widths]


@pytest.fixture
def letters(generator):
    return "".join(generator.choice(list("ACGT"), LENGTH))


def effects(tmp_path, letters, rows, model, motifs=(), conservation=(), chrom="chr1"):
    (tmp_path / "g.fa").write_text(f">{chrom}\n{letters}\n")
    body = "".join(f"chr1\t{position + 1}\t.\t{ref}\t{alt}\t.\t.\t.\n" for position, ref, alt in rows)
    (tmp_path / "v.vcf").write_text(HEADER + body)
    genome = Genome(tmp_path / "g.fa", model.softmask)
    given = VariantInput(model, genome, conservation, motifs, WIDTH)
    return list(variant_effects(VcfReader(tmp_path / "v.vcf"), given, CPU))


def logits_of(model, text, tracks=None):
    sequences = Sequences.from_list(["x"], [DNA.encode(text)], DNA)
    with torch.no_grad():
        return model.network.logits(EncodedSequences(sequences, tracks, model.scales).batch(torch.arange(1)))[0].numpy()


def kinds(letters):
    """Variants of every kind, in the middle and at both ends of the chromosome."""
    other = {"A": "C", "C": "G", "G": "T", "T": "A"}
    rows = []
    for position in (0, 3, 57, LENGTH - 1):
        here = letters[position]
        rows.append((position, here, f"{other[here]},{here}GATTA"))
        rows.append((position, letters[position : position + 7], here))
    rows.append((45, letters[45:80], letters[45] + other[letters[46]] + letters[48:80]))  # ends alike
    rows += [(60, letters[60:63], f"TTTT,<DEL>,{letters[60]}"), (30, letters[30:90], "A")]
    return rows


def window(letters, position, reference):
    before = max((WIDTH - len(reference)) // 2, SPAN - 1)
    after = max(WIDTH - len(reference) - before, SPAN - 1)
    return letters[max(0, position - before) : position], letters[position + len(reference) :][:after]


@pytest.mark.parametrize("batch", [4096, 2])
@pytest.mark.parametrize("pool", [0, 4])
def test_logits_are_those_of_both_alleles_written_out(tmp_path, letters, monkeypatch, batch, pool):
    monkeypatch.setattr(variants, "_BATCH", batch)
    model = make_model(replace(SETTINGS, pool=pool))
    rows = kinds(letters)
    found = effects(tmp_path, letters, rows, model)
    assert len(found) == len(rows)
    for (position, reference, alternatives), effect in zip(rows, found, strict=True):
        left, right = window(letters, position, reference)
        assert effect.record.position == position
        for text, allele in zip(alternatives.split(","), effect.alleles, strict=True):
            if text == "<DEL>":
                assert allele is None
                continue
            assert allele.allele == text
            written = [logits_of(model, left + middle + right) for middle in (reference, text)]
            np.testing.assert_allclose(allele.logits, written, atol=1e-5)
            np.testing.assert_allclose(allele.predictions, 1 / (1 + np.exp(-allele.logits)), atol=1e-5)


def best_p(motif, text, touched):
    """The p-value of the best window that overlaps `touched` (a junction if empty), by trying all."""
    ready = IntegerMotif.from_log_odds(motif.log_odds())
    scores = []
    for start in range(len(text) - motif.width + 1):
        end = start + motif.width
        inside = start < touched[1] and end > touched[0]
        if inside or (touched[0] == touched[1] and start < touched[0] < end):
            codes = DNA.encode(text[start:end])
            both = codes, DNA.reverse_complement(codes)
            scores += [int(ready.scores[np.arange(motif.width), each].sum()) for each in both]
    return float(ready.p_values(np.array([max(scores)]))[0]) if scores else 1.0


def test_motifs_are_those_of_the_windows_touched(tmp_path, letters, generator):
    motifs = make_motifs(generator)
    found = effects(tmp_path, letters, kinds(letters), make_model(), motifs)
    checked = 0
    for effect in found:
        position, reference = effect.record.position, effect.record.reference
        for allele in filter(None, effect.alleles):
            texts = (reference, allele.allele)
            first = next((n for n in range(min(map(len, texts))) if texts[0][n] != texts[1][n]), min(map(len, texts)))
            rest = [text[first:] for text in texts]
            last = next(
                (n for n in range(min(map(len, rest))) if rest[0][-1 - n] != rest[1][-1 - n]), min(map(len, rest))
            )
            for motif, change in zip(motifs, allele.changes, strict=True):
                assert change.motif == motif.name
                for text, given in zip(texts, (change.p_reference, change.p_alternative), strict=True):
                    whole = letters[:position] + text + letters[position + len(reference) :]
                    touched = position + first, position + len(text) - last
                    assert given == pytest.approx(best_p(motif, whole, touched), rel=1e-9), (position, texts)
                    checked += 1
    assert checked > 50


def test_an_ambiguous_base_hides_the_hits_over_it(tmp_path, letters, generator):
    letters = letters[:50] + "N" + letters[51:]
    motifs = make_motifs(generator, (5,))
    ((effect,),) = [effects(tmp_path, letters, [(50, "C", "A")], make_model(), motifs)]
    assert effect.alleles[0].changes[0].p_reference < 1  # the VCF says what the base is


def test_further_channels_go_with_their_letters(tmp_path, letters, generator):
    model = make_model(scales=(TrackScale("c.bedgraph", 0.2, 1.5),))
    values = generator.normal(size=LENGTH).round(3).astype(np.float32)
    (tmp_path / "c.bedgraph").write_text("".join(f"chr1\t{n}\t{n + 1}\t{value}\n" for n, value in enumerate(values)))
    rows = [(57, letters[57], "ACG"), (57, letters[57:61], "A"), (57, letters[57], "A"), (0, letters[0], "ACG")]
    found = effects(tmp_path, letters, rows, model, conservation=(tmp_path / "c.bedgraph",))
    for (position, reference, text), effect in zip(rows, found, strict=True):
        left, right = window(letters, position, reference)
        own = values[position - len(left) : position + len(reference) + len(right)]
        middle = own[len(left) : len(left) + len(reference)]
        middle = np.concatenate([middle, np.full(9, np.nan, np.float32)])[: len(text)]
        changed = np.concatenate([own[: len(left)], middle, own[len(left) + len(reference) :]])
        written = (
            logits_of(model, left + reference + right, own[None]),
            logits_of(model, left + text + right, changed[None]),
        )
        np.testing.assert_allclose(effect.alleles[0].logits, written, atol=1e-5)


def test_a_track_may_know_nothing_of_a_chromosome(tmp_path, letters, monkeypatch):
    monkeypatch.setattr(variants, "_BATCH", 1)
    model = make_model(scales=(TrackScale("c.bedgraph", 0.2, 1.5),))
    (tmp_path / "c.bedgraph").write_text(f"chr1\t0\t{LENGTH}\t0.5\n")
    (tmp_path / "g.fa").write_text(f">chr1\n{letters}\n>chr2\n{letters}\n")
    rows = "".join(f"{chrom}\t61\t.\t{letters[60]}\tN\t.\t.\t.\n" for chrom in ("chr1", "chr2"))
    (tmp_path / "v.vcf").write_text(HEADER + rows)
    given = VariantInput(model, Genome(tmp_path / "g.fa"), (tmp_path / "c.bedgraph",), (), WIDTH)
    left, right = window(letters, 60, letters[60])
    for effect, value in zip(variant_effects(VcfReader(tmp_path / "v.vcf"), given, CPU), (0.5, np.nan), strict=True):
        tracks = np.full((1, WIDTH), value, dtype=np.float32)
        written = [logits_of(model, left + text + right, tracks) for text in (letters[60], "N")]
        np.testing.assert_allclose(effect.alleles[0].logits, written, atol=1e-5)


def test_masked_letters_hide_the_surroundings_not_the_alleles(tmp_path, letters):
    model = make_model(softmask="mask")
    lower = letters[:50] + letters[50:70].lower() + letters[70:]
    (effect,) = effects(tmp_path, lower, [(60, letters[60], "A" if letters[60] != "A" else "C")], model)
    masked = letters[:50] + "N" * 20 + letters[70:]
    left, right = window(masked, 60, letters[60])
    written = [logits_of(model, left + text + right) for text in (letters[60], effect.alleles[0].allele)]
    np.testing.assert_allclose(effect.alleles[0].logits, written, atol=1e-5)


def test_a_chromosome_too_short_for_the_filters_is_left_out(tmp_path):
    (effect,) = effects(tmp_path, "ACGTA", [(2, "G", "T,GAAAAAAAA")], make_model())
    assert effect.alleles == (None, None)


@pytest.mark.parametrize(
    ("rows", "chrom", "message"),
    [
        ([(0, "A", "C"), (3, "T", "A")], "chr1", r"v\.vcf:4: REF T at chr1:4 is G in .*g\.fa; give the genome that"),
        ([(0, "A" * 30, "C")], "chr1", r"REF AAAAAAAAAAAAAAAAAAA… at chr1:1 is"),
        ([(0, "A", "C")], "1", r"v\.vcf:3: chromosome 'chr1' is not in .*g\.fa \(1, …\); did you mean '1'\?"),
        ([(LENGTH, "A", "C")], "chr1", r"v\.vcf:3: chr1:120-121 reaches past the chromosome, which has 120 bases"),
    ],
)
def test_variants_of_another_genome_are_refused(tmp_path, letters, rows, chrom, message):
    with pytest.raises(InputError, match=message):
        effects(tmp_path, "ACGG" + letters[4:], rows, make_model(), chrom=chrom)


def test_a_model_of_proteins_is_refused(tmp_path, letters):
    model = make_model(replace(SETTINGS, strands="single"), alphabet=PROTEIN)
    with pytest.raises(InputError, match=r"v\.vcf: variants are DNA, and the model was trained on protein"):
        effects(tmp_path, letters, [(0, letters[0], "A")], model)


def test_gained_and_lost():
    gained, lost, neither = MotifChange("m", 1e-2, 1e-5), MotifChange("m", 1e-4, 1e-3), MotifChange("m", 1e-6, 1e-5)
    assert [each.is_gained(1e-4) for each in (gained, lost, neither)] == [True, False, False]
    assert [each.is_lost(1e-4) for each in (gained, lost, neither)] == [False, True, False]
    assert gained.fold > lost.fold
