"""Scanning a stream of chunks: borders, strands, threads, and the choice of engine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.formats.fasta import FastaChunk
from motifcnn.motifs import LogOdds
from motifcnn.scanning import engine
from motifcnn.scanning.distribution import IntegerMotif
from motifcnn.scanning.engine import Scanner
from motifcnn.scanning.plain import PlainEngine
from motifcnn.scanning.vector import VectorEngine


def motif(generator, width, alphabet=DNA):
    p = generator.dirichlet(np.full(alphabet.size, 0.3), width) + 0.01
    p /= p.sum(axis=1, keepdims=True)
    background = np.full(alphabet.size, 1 / alphabet.size)
    return IntegerMotif.from_log_odds(LogOdds(f"m{width}", np.log2(p / background), alphabet, background))


def chunks(codes, size, overlap, name="chr"):
    at = 0
    while len(codes) - at > size:
        yield FastaChunk(name, at, codes[at : at + size], last=False)
        at += size - overlap
    yield FastaChunk(name, at, codes[at:], last=True)


def flat(found):
    return [
        row
        for hits in found
        for row in zip(
            [hits.chrom] * len(hits.starts),
            hits.starts.tolist(), hits.motifs.tolist(), hits.reverse.tolist(), hits.scores.tolist(), strict=True,
        )
    ]  # fmt: skip


def brute_force(motifs, thresholds, codes, alphabet, both, name="chr"):
    found = []
    for start in range(len(codes)):
        for number, (each, threshold) in enumerate(zip(motifs, thresholds, strict=True)):
            window = codes[start : start + each.width]
            if threshold is None or len(window) < each.width or (window >= alphabet.size).any():
                continue
            for reverse in (False, True)[: 1 + both]:
                read = alphabet.reverse_complement(window) if reverse else window
                total = int(each.scores[np.arange(each.width), read].sum())
                if total >= threshold:
                    found.append((name, start, number, reverse, total))
    return found


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32), count=st.integers(1, 40), length=st.integers(0, 300),
    p_value=st.sampled_from([1e-2, 0.3, 1]), protein=st.booleans(), threads=st.sampled_from([1, 2]),
)  # fmt: skip
def test_scan_equals_brute_force_across_chunk_borders(seed, count, length, p_value, protein, threads):
    generator = np.random.default_rng(seed)
    alphabet = PROTEIN if protein else DNA
    motifs = [motif(generator, int(width), alphabet) for width in generator.integers(1, 12, count)]
    thresholds = [each.threshold(p_value) for each in motifs]
    codes = generator.integers(0, alphabet.size, length).astype(np.uint8)
    codes[generator.random(length) < 0.03] = alphabet.unknown
    scanner = Scanner(motifs, thresholds, alphabet, both_strands=not protein, threads=threads)
    size = scanner.overlap + int(generator.integers(1, 100))
    found = flat(scanner.scan(chunks(codes, size, scanner.overlap)))
    assert found == brute_force(motifs, thresholds, codes, alphabet, not protein)


def test_several_sequences_come_in_their_order_and_empty_ones_give_nothing():
    generator = np.random.default_rng(1)
    motifs = [motif(generator, 6), motif(generator, 9)]
    thresholds = [each.threshold(1e-2) for each in motifs]
    sequences = {name: generator.integers(0, 4, n).astype(np.uint8) for name, n in (("b", 500), ("none", 0), ("a", 9))}
    scanner = Scanner(motifs, thresholds, DNA, both_strands=True, threads=2)
    stream = (chunk for name, codes in sequences.items() for chunk in chunks(codes, 90, scanner.overlap, name))
    expected = [row for n, codes in sequences.items() for row in brute_force(motifs, thresholds, codes, DNA, True, n)]
    assert flat(scanner.scan(stream)) == expected


def test_threads_share_one_sequence(monkeypatch):
    monkeypatch.setattr(engine, "_SHARE", 64)
    generator = np.random.default_rng(2)
    motifs = [motif(generator, width) for width in (5, 20)]
    thresholds = [each.threshold(0.02) for each in motifs]
    codes = generator.integers(0, 4, 1000).astype(np.uint8)
    scanner = Scanner(motifs, thresholds, DNA, both_strands=True, threads=3)
    assert flat(scanner.scan(chunks(codes, 10_000, scanner.overlap))) == brute_force(
        motifs, thresholds, codes, DNA, True
    )


def test_a_motif_without_threshold_is_left_out():
    generator = np.random.default_rng(4)
    motifs = [motif(generator, 4), motif(generator, 5)]
    codes = generator.integers(0, 4, 400).astype(np.uint8)
    for thresholds in ([None, 0], [None, None]):
        scanner = Scanner(motifs, thresholds, DNA, both_strands=True)
        assert flat(scanner.scan(chunks(codes, 100, 4))) == brute_force(motifs, thresholds, codes, DNA, True)


def test_without_compiled_code_numpy_gives_the_same_hits(monkeypatch):
    generator = np.random.default_rng(6)
    motifs = [motif(generator, width) for width in (4, 8, 15)]
    thresholds = [each.threshold(1e-2) for each in motifs]
    codes = generator.integers(0, 6, 2000).astype(np.uint8)
    usual = Scanner(motifs, thresholds, DNA, both_strands=True)
    assert isinstance(usual._engine, VectorEngine)
    monkeypatch.setenv("MOTIFCNN_SCANNER", "numpy")
    plain = Scanner(motifs, thresholds, DNA, both_strands=True)
    assert isinstance(plain._engine, PlainEngine)
    found = flat(plain.scan(chunks(codes, 500, plain.overlap)))
    assert found
    assert found == flat(usual.scan(chunks(codes, 500, usual.overlap)))


def test_many_hits_mean_short_chunks(monkeypatch):
    """Memory grows neither with the motifs nor with the p-value."""
    motifs = [motif(np.random.default_rng(seed), 8) for seed in range(50)]

    def scanner(count, p_value, threads=1):
        thresholds = [each.threshold(p_value) for each in motifs[:count]]
        return Scanner(motifs[:count], thresholds, DNA, both_strands=True, threads=threads)

    assert scanner(1, 1e-4).chunk == engine._CHUNK
    assert scanner(50, 1e-2).chunk == pytest.approx(engine._HITS, rel=0.2)
    assert scanner(50, 1.0).chunk == engine._HITS // 100
    monkeypatch.setattr(engine, "_HITS", 10)
    assert scanner(50, 1.0).chunk == 16
    codes = np.random.default_rng(0).integers(0, 4, 100).astype(np.uint8)
    (found,) = scanner(3, 1.0, threads=2).scan(chunks(codes, 100, 7))
    assert len(found.starts) == 93 * 2 * 3


@pytest.mark.parametrize("threads", [1, 3])
def test_short_proteins_are_scanned_as_by_brute_force(threads):
    """Proteins of random lengths, some shorter than the motifs, with sites at both ends of some."""
    generator = np.random.default_rng(8)
    motifs = [motif(generator, width, PROTEIN) for width in (6, 20)]
    thresholds = [each.threshold(1e-3) for each in motifs]
    best = motifs[1].scores.argmax(axis=1).astype(np.uint8)
    proteins = [generator.integers(0, 20, length).astype(np.uint8) for length in generator.integers(0, 600, 2000)]
    for protein in proteins[::20]:
        if len(protein) >= 40:
            protein[:20] = protein[-20:] = best
    expected = []
    for number, protein in enumerate(proteins):
        for which, each in enumerate(motifs):
            windows = np.lib.stride_tricks.sliding_window_view(np.append(protein, [99] * 20), each.width)
            scores = each.scores[np.arange(each.width), windows[: max(len(protein) - each.width + 1, 0)]].sum(axis=1)
            starts = np.flatnonzero(scores >= thresholds[which])
            expected += [(number, start, which, scores[start]) for start in starts.tolist()]
    stream = [FastaChunk(str(number), 0, protein, last=True) for number, protein in enumerate(proteins)]
    scanner = Scanner(motifs, thresholds, PROTEIN, both_strands=False, threads=threads)
    found = [
        (int(hits.chrom), *hit)
        for hits in scanner.scan(stream)
        for hit in zip(hits.starts.tolist(), hits.motifs.tolist(), hits.scores.tolist(), strict=True)
    ]
    assert len(expected) > 1000
    assert sum(which == 1 and score == motifs[1].highest for _, _, which, score in expected) > 150
    assert found == sorted(expected)


def test_hits_are_those_of_lightmotif():
    """The fastest of the others, at equal thresholds; scores are whole, so half a unit below lets nothing more in."""
    lightmotif = pytest.importorskip("lightmotif")
    generator = np.random.default_rng(8)
    motifs = [motif(generator, width) for width in (6, 9, 15, 31)]
    thresholds = [each.threshold(1e-3) for each in motifs]
    codes = generator.integers(0, 4, 100_000).astype(np.uint8)
    codes[generator.integers(0, len(codes), 300)] = DNA.unknown
    striped = lightmotif.stripe(DNA.decode(codes))
    expected = []
    for number, (each, threshold) in enumerate(zip(motifs, thresholds, strict=True)):
        for reverse in (False, True):
            scores = each.reverse_complement(DNA.complement_codes) if reverse else each.scores
            columns = {letter: scores[:, code].tolist() for code, letter in enumerate("ACGT")} | {
                "N": [-1e6] * each.width
            }
            hits = lightmotif.scan(lightmotif.ScoringMatrix(columns), striped, threshold=threshold - 0.5)
            expected += [(hit.position, number, reverse) for hit in hits]
    scanner = Scanner(motifs, thresholds, DNA, both_strands=True)
    found = [row[1:4] for row in flat(scanner.scan(chunks(codes, 30_000, scanner.overlap)))]
    assert len(found) > 500
    assert found == sorted(expected)
