import io
import itertools
import logging
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.motifs import Motif, uniform_background
from motifcnn.scanning import conserved
from motifcnn.scanning.conserved import LEVELS_PER_BIT, TrackScorer
from motifcnn.scanning.distribution import UNITS_PER_BIT, IntegerMotif
from motifcnn.scanning.engine import Hits
from motifcnn.scanning.genome import scan_genome
from motifcnn.settings import ScanSettings

SETTINGS = ScanSettings(p_value=0.05, background="uniform")


def motif_of(width, generator, name="m", alphabet=DNA):
    matrix = generator.dirichlet(np.full(alphabet.size, 0.4), width) * 0.98 + 0.02 / alphabet.size
    return Motif(name, matrix, alphabet)


def write_table(path, tracks):
    path.write_text("".join(f"{name}\t{','.join(map(str, values))}\n" for name, values in tracks.items()))
    return path


def write_fasta(path, texts):
    path.write_text("".join(f">{name}\n{text}\n" for name, text in texts.items()))
    return path


def scanned(fasta, motifs, track, **changes):
    out = io.BytesIO()
    scan_genome(fasta, motifs, replace(SETTINGS, **changes), out, conservation=track)
    return out.getvalue().decode().splitlines()


def window_means(values, width):
    """Mean of the known values of each window; windows without any are left out."""
    windows = [np.array(values[i : i + width], dtype=float) for i in range(len(values) - width + 1)]
    return [float(np.nanmean(window)) for window in windows if not np.isnan(window).all()]


def test_p_values_are_those_of_all_words_and_all_shifts(tmp_path, generator):
    """Width 3: every word of 64 with every window of the track, counted one by one."""
    motif = motif_of(3, generator)
    values = np.round(generator.gamma(0.5, 1.0, 40), 2)
    values[5:8] = np.nan
    track = write_table(tmp_path / "t.tsv", {"c": values})
    text = DNA.decode(generator.integers(0, 4, 40).astype(np.uint8))
    lines = scanned(write_fasta(tmp_path / "s.fa", {"c": text}), [motif], track, strands="single")
    integer = IntegerMotif.from_log_odds(motif.log_odds(uniform_background(DNA)))
    means = window_means(values, 3)
    at_least = [sum(other >= mean - 1e-9 for other in means) / len(means) for mean in means]
    levels = np.floor(-np.log2(at_least) * LEVELS_PER_BIT + 1e-9) / LEVELS_PER_BIT
    words = [
        sum(integer.scores[i, letter] for i, letter in enumerate(w)) for w in itertools.product(range(4), repeat=3)
    ]
    totals = np.add.outer(np.array(words) / UNITS_PER_BIT, levels)
    assert len(lines) > 2
    for line in lines:
        _, start, end, *_, log_odds, _, mean, combined, p_value = line.split("\t")
        here = float(np.nanmean(values[int(start) : int(end)]))
        share = sum(other >= here - 1e-9 for other in means) / len(means)
        level = np.floor(-np.log2(share) * LEVELS_PER_BIT + 1e-9) / LEVELS_PER_BIT
        assert float(mean) == pytest.approx(here, rel=1e-3)
        assert float(combined) == pytest.approx(float(log_odds) + level, abs=2e-3)
        expected = (totals >= float(log_odds) + level - 1e-6).mean()
        assert float(p_value) == pytest.approx(expected, rel=6e-3)


def test_p_values_of_the_null_are_uniform(tmp_path, generator):
    """Sequence and track drawn apart from each other: a share p of all windows has a p-value up to p."""
    motif = motif_of(5, generator)
    text = DNA.decode(generator.integers(0, 4, 40_000).astype(np.uint8))
    values = np.round(np.convolve(generator.gamma(0.3, 1.0, 40_000), np.ones(6), "same"), 3)
    track = write_table(tmp_path / "t.tsv", {"c": values})
    fasta = write_fasta(tmp_path / "s.fa", {"c": text})
    lines = scanned(fasta, [motif], track, strands="single", p_value=1.0)
    p_values = np.array([float(line.split("\t")[-1]) for line in lines])
    assert len(p_values) == 40_000 - 4
    for p in (0.5, 0.1, 0.01):
        assert (p_values <= p).mean() == pytest.approx(p, rel=0.25)
        assert (p_values <= p).mean() <= p * 1.2


@pytest.mark.parametrize("form", ["bed", "tsv", "gff3"])
def test_columns_follow_a_hits_own(tmp_path, generator, form):
    motifs = [motif_of(4, generator, "one"), motif_of(6, generator, "two")]
    values = {name: np.round(generator.random(300), 3) for name in ("a", "b")}
    texts = {name: DNA.decode(generator.integers(0, 4, 300).astype(np.uint8)) for name in values}
    fasta, track = write_fasta(tmp_path / "s.fa", texts), write_table(tmp_path / "t.tsv", values)
    out = io.BytesIO()
    scan_genome(fasta, motifs, replace(SETTINGS, format=form, q_values=True), out)
    plain = out.getvalue().decode().splitlines()
    with_track = scanned(fasta, motifs, track, format=form, q_values=True)
    assert len(plain) == len(with_track) > 10
    assert {"one", "two"} <= {part for line in plain for part in line.replace("=", "\t").replace(";", "\t").split("\t")}
    for before, after in zip(plain, with_track, strict=True):
        if before.startswith("#"):
            assert after == before
            continue
        assert after.startswith(before)
        added = after[len(before) :]
        if before.startswith("chrom"):
            assert added == "\ttrack_mean\tcombined_score\tpermutation_p_value"
        elif form == "gff3":
            name, start, end = before.split("\t")[0], *map(int, before.split("\t")[3:5])
            mean, combined, p_value = added[1:].split(";")
            found = float(mean.removeprefix("track_mean="))
            assert found == pytest.approx(values[name][start - 1 : end].mean(), rel=1e-3)
            assert combined.startswith("combined_score=")
            assert p_value.startswith("permutation_p_value=")
        else:
            name, start, end = before.split("\t")[0], *map(int, before.split("\t")[1:3])
            assert float(added.split("\t")[1]) == pytest.approx(values[name][start:end].mean(), rel=1e-3)


def test_hits_without_a_value_say_so(tmp_path, generator, caplog):
    motif = motif_of(4, generator)
    values = np.round(generator.random(200), 3)
    values[:100] = np.nan
    text = DNA.decode(generator.integers(0, 4, 200).astype(np.uint8))
    fasta = write_fasta(tmp_path / "s.fa", {"a": text, "other": text})
    lines = scanned(fasta, [motif], write_table(tmp_path / "t.tsv", {"a": values}))
    rows = [line.split("\t") for line in lines]
    without = [row for row in rows if row[-3:] == ["NA"] * 3]
    assert {row[0] for row in without} == {"a", "other"}
    assert all(int(row[2]) <= 100 for row in without if row[0] == "a")
    assert all(row[0] == "a" and int(row[2]) > 100 for row in rows if row not in without)
    assert f"has no value at {len(without)} of {len(rows)} hits (it does not know other)" in caplog.text


def test_whole_tracks_need_no_word(tmp_path, generator, caplog):
    text = DNA.decode(generator.integers(0, 4, 200).astype(np.uint8))
    track = write_table(tmp_path / "t.tsv", {"a": np.ones(200)})
    with caplog.at_level(logging.WARNING, "motifcnn"):
        lines = scanned(write_fasta(tmp_path / "s.fa", {"a": text}), [motif_of(4, generator)], track)
    assert not caplog.records
    for line in lines:  # a track that is the same everywhere adds nothing
        *_, log_odds, p_value, mean, combined, permutation = line.split("\t")
        assert (mean, combined) == ("1", log_odds)
        assert float(permutation) == pytest.approx(float(p_value), rel=1e-2)


def test_residues_of_a_proteome_have_a_track_too(tmp_path, generator):
    motif = motif_of(3, generator, alphabet=PROTEIN)
    codes = generator.integers(0, 20, 400).astype(np.uint8)
    values = np.round(generator.random(400), 3)
    fasta = write_fasta(tmp_path / "p.fa", {"sp|P1|X": PROTEIN.decode(codes)})
    lines = scanned(fasta, [motif], write_table(tmp_path / "t.tsv", {"sp|P1|X": values}))
    assert lines
    for line in lines:
        start, end, strand = int(line.split("\t")[1]), int(line.split("\t")[2]), line.split("\t")[5]
        assert strand == "."
        assert float(line.split("\t")[-3]) == pytest.approx(values[start:end].mean(), rel=1e-3)


def test_a_track_of_other_names_is_refused_before_the_first_hit(tmp_path, generator):
    text = DNA.decode(generator.integers(0, 4, 200).astype(np.uint8))
    fasta, track = write_fasta(tmp_path / "s.fa", {"chr1": text}), write_table(tmp_path / "t.tsv", {"1": np.ones(200)})
    out = io.BytesIO()
    with pytest.raises(InputError, match="has no value on chr1; its chromosomes are 1; drop 'chr' from the names"):
        scan_genome(fasta, [motif_of(4, generator)], replace(SETTINGS, format="tsv"), out, conservation=track)
    assert out.getvalue() == b""


def test_a_track_of_other_names_than_standard_input_is_refused_at_the_end(tmp_path, generator, monkeypatch, caplog):
    text = DNA.decode(generator.integers(0, 4, 200).astype(np.uint8))
    motif, out = motif_of(4, generator), io.BytesIO()
    for name, at_fault in (("1", True), ("chr1", False)):
        track = write_table(tmp_path / "t.tsv", {name: np.ones(200)})
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f">chr1\n{text}\n".encode())))
        message = "has a value at no hit: its sequences are 1, hits are on chr1; give the track"
        with (
            caplog.at_level(logging.INFO, "motifcnn"),
            pytest.raises(InputError, match=message) if at_fault else nullcontext(),
        ):
            scan_genome(Path("-"), [motif], SETTINGS, out, conservation=track)
        assert out.getvalue()
    assert "standard input cannot be read twice: a track of other sequences is refused at the end only" in caplog.text


def test_a_track_that_knows_one_of_many_names_is_looked_up(tmp_path, generator):
    texts = {name: DNA.decode(generator.integers(0, 4, 200).astype(np.uint8)) for name in ("a", "b", "c")}
    lines = scanned(
        write_fasta(tmp_path / "s.fa", texts),
        [motif_of(4, generator)],
        write_table(tmp_path / "t.tsv", {"c": np.ones(200), "d": np.ones(9)}),
    )
    assert {line.split("\t")[0] for line in lines if not line.endswith("NA")} == {"c"}


def test_an_empty_track_is_refused(tmp_path, generator):
    track = write_table(tmp_path / "t.tsv", {"a": [np.nan, 1.0]})
    track.write_text("a\t.,NA\nb\tnan\n")
    with pytest.raises(InputError, match="has no value anywhere"):
        scanned(write_fasta(tmp_path / "s.fa", {"a": "ACGTACGT"}), [motif_of(4, generator)], track)


def test_a_format_without_room_is_refused(tmp_path, generator):
    with pytest.raises(
        MotifcnnError, match="for which narrowpeak has no room; give --format bed or tsv or gff3 or parq"
    ):
        scanned(tmp_path / "s.fa", [motif_of(4, generator)], tmp_path / "t.tsv", format="narrowpeak")


def test_parquet_holds_the_columns_of_the_table(tmp_path, generator):
    parquet = pytest.importorskip("pyarrow.parquet")
    motifs = [motif_of(4, generator, "one"), motif_of(6, generator, "two")]
    texts = {name: DNA.decode(generator.integers(0, 4, 300).astype(np.uint8)) for name in ("a", "b")}
    values = {"a": np.round(generator.random(300), 3), "b": np.full(300, np.nan)}
    fasta, track = write_fasta(tmp_path / "s.fa", texts), write_table(tmp_path / "t.tsv", values)
    for with_q in (False, True):
        header, *rows = (line.split("\t") for line in scanned(fasta, motifs, track, format="tsv", q_values=with_q))
        out = io.BytesIO()
        settings = replace(SETTINGS, format="parquet", q_values=with_q)
        scan_genome(fasta, motifs, settings, out, conservation=track)
        table = parquet.read_table(io.BytesIO(out.getvalue()))
        assert table.column_names == header
        for name in header[-3:]:
            text = [float("nan") if row[header.index(name)] == "NA" else float(row[header.index(name)]) for row in rows]
            np.testing.assert_allclose(table[name].to_pylist(), text, rtol=6e-3, atol=1e-3)
        assert np.isnan(table["track_mean"].to_pylist()).any()


def test_no_hits_need_no_track_values(tmp_path, generator):
    integer = IntegerMotif.from_log_odds(motif_of(4, generator).log_odds(uniform_background(DNA)))
    scorer = TrackScorer(write_table(tmp_path / "t.tsv", {"a": np.ones(9)}), [integer])
    none = np.empty(0, dtype=np.int64)
    columns = scorer.columns(Hits("a", none, none.astype(np.int32), none.astype(bool), none.astype(np.int32)))
    assert not len(columns.means)
    scorer.finish()


@pytest.mark.parametrize("q_values", [False, True])
def test_hits_far_apart_are_looked_up_in_bounded_stretches(tmp_path, generator, monkeypatch, q_values):
    motif = motif_of(4, generator)
    texts = {"a": DNA.decode(generator.integers(0, 4, 3000).astype(np.uint8))}
    fasta = write_fasta(tmp_path / "s.fa", texts)
    track = write_table(tmp_path / "t.tsv", {"a": np.round(generator.random(3000), 3)})
    whole = scanned(fasta, [motif], track, q_values=q_values)
    monkeypatch.setattr(conserved, "_STRETCH", 50)
    asked = []
    values = TrackScorer._means_of_stretch

    def watched(self, hits):
        asked.append(int(hits.starts.max() - hits.starts.min()))
        return values(self, hits)

    monkeypatch.setattr(TrackScorer, "_means_of_stretch", watched)
    assert scanned(fasta, [motif], track, q_values=q_values) == whole
    assert len(asked) > 10
    assert max(asked) < 50
