"""The GPU engine: lanes, overflow and order, with the torch reference for the kernels; on a GPU where one is."""

import gzip
import io
import threading
from functools import partial

import numpy as np
import pytest
import torch
from gpu_inputs import motif_strands, sequence

from motifcnn.alphabet import DNA
from motifcnn.formats.fasta import FastaChunk
from motifcnn.motifs import Motif
from motifcnn.scanning import engine, gpu
from motifcnn.scanning.distribution import IntegerMotif
from motifcnn.scanning.engine import Scanner
from motifcnn.scanning.genome import scan_genome
from motifcnn.scanning.gpu import GpuEngine
from motifcnn.scanning.gpu_reference import search
from motifcnn.scanning.plain import PlainEngine
from motifcnn.settings import ScanSettings

ON_CUDA = pytest.param(
    "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
)


def same(found, expected):
    assert [array.dtype for array in found] == [np.int64, np.int64, np.int32]
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


def engine_on(device, scores, thresholds, **options):
    return GpuEngine(scores, thresholds, device, search if device == "cpu" else None, **options)


@pytest.mark.parametrize("device", ["cpu", ON_CUDA])
def test_hits_of_all_widths_are_those_of_the_plain_engine_in_their_order(device):
    generator = np.random.default_rng(0)
    scores, thresholds = motif_strands(generator, range(4, 41), 1e-3)
    codes = sequence(generator, 5000)
    plain = PlainEngine(scores, thresholds)
    gpu_engine = engine_on(device, scores, thresholds, share=700)
    for begin, end in ((0, 5000), (3, 4990), (4990, 5000), (17, 17)):
        same(gpu_engine.find(codes, begin, end), plain.find(codes, begin, end))
    assert len(plain.find(codes, 0, 5000)[0]) > 100
    assert not len(gpu_engine.find(codes[:0], 0, 0)[0])


@pytest.mark.parametrize("device", ["cpu", ON_CUDA])
@pytest.mark.parametrize("rooms", [(1, 1), (10, 10_000), (64, 200)])
def test_nothing_is_lost_where_there_is_no_room(device, rooms):
    generator = np.random.default_rng(1)
    scores, thresholds = motif_strands(generator, [4, 5, 20], 0.2)
    codes = sequence(generator, 600)
    calls = []

    def counted(*arguments):
        calls.append(arguments[0].windows)
        (search if device == "cpu" else gpu._kernel())(*arguments)

    small = GpuEngine(scores, thresholds, device, counted, rooms=rooms)
    same(small.find(codes, 0, 600), PlainEngine(scores, thresholds).find(codes, 0, 600))
    assert len(calls) > 1
    assert (min(calls) < 600) == (rooms[1] < 10_000)  # a stretch is divided only where no room would do
    for _ in range(gpu._LANES):
        before = len(calls)
        small.find(codes, 0, 600)
    assert len(calls) - before <= before  # room once made stays
    assert (len(calls) - before == 1) == (rooms[1] == 10_000)


def test_threads_take_lanes_of_their_own():
    generator = np.random.default_rng(2)
    scores, thresholds = motif_strands(generator, [8, 12], 1e-2)
    codes = sequence(generator, 2000)
    together = threading.Barrier(gpu._LANES, timeout=60)

    def waiting(*arguments):
        together.wait()  # passes only when as many searches as there are lanes run at once
        search(*arguments)

    shared = GpuEngine(scores, thresholds, "cpu", waiting)
    found = [None] * gpu._LANES

    def work(number):
        found[number] = shared.find(codes, 100 * number, 2000)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(gpu._LANES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    plain = PlainEngine(scores, thresholds)
    for number, each in enumerate(found):
        same(each, plain.find(codes, 100 * number, 2000))


def test_the_scanner_keeps_all_lanes_busy(monkeypatch):
    generator = np.random.default_rng(4)
    motif = IntegerMotif.from_log_odds(Motif("m", generator.dirichlet(np.full(4, 0.3), 8), DNA).log_odds())
    chunks = [FastaChunk(f"chr{number}", 0, sequence(generator, 290), last=True) for number in range(8)]
    together = threading.Barrier(gpu._LANES, timeout=60)
    calls = []

    def waiting(*arguments):
        calls.append(arguments)
        if len(calls) <= gpu._LANES:
            together.wait()  # passes only when as many searches as there are lanes run at once
        search(*arguments)

    monkeypatch.setattr(engine, "_CHUNK", 300)
    monkeypatch.setattr(engine, "_gpu_engine", lambda *given: GpuEngine(*given[:2], "cpu", waiting))
    scanners = [Scanner([motif], [0], DNA, both_strands=True, device=device) for device in ("cuda:0", "cpu")]
    found, expected = (
        [(hits.chrom, hits.starts.tolist(), hits.scores.tolist()) for hits in scanner.scan(chunks)]
        for scanner in scanners
    )
    assert len(calls) == len(chunks)
    assert found == expected


@pytest.mark.parametrize("device", ["cpu", ON_CUDA])
def test_the_file_is_the_same_byte_for_byte(device, monkeypatch, tmp_path):
    generator = np.random.default_rng(3)
    motifs = [
        Motif(f"m{width}", generator.dirichlet(np.full(4, 0.2), width), DNA, sites=50) for width in (6, 9, 15, 33)
    ]
    genome = tmp_path / "genome.fa.gz"
    with gzip.open(genome, "wt") as file:
        for name, length in (("b", 4000), ("empty", 0), ("a", 30), ("c", 1500)):
            file.write(f">{name}\n{DNA.decode(sequence(generator, length)) if length else ''}\n")
    if device == "cpu":
        monkeypatch.setattr(gpu, "_kernel", lambda: search)
        monkeypatch.setattr(engine, "_gpu_engine", lambda *given: GpuEngine(*given[:2], "cpu", share=500))
    for settings in (ScanSettings(p_value=1e-3), ScanSettings(p_value=1e-2, q_values=True, format="gff3")):
        usual, other = io.BytesIO(), io.BytesIO()
        summary = scan_genome(genome, motifs, settings, usual, 2)
        assert scan_genome(genome, motifs, settings, other, 2, "cuda:0") == summary
        assert sum(summary.hits) > 10
        assert other.getvalue() == usual.getvalue()


@pytest.mark.parametrize("wrong", [False, True])
def test_a_gpu_is_tried_before_it_is_trusted(monkeypatch, wrong):
    generator = np.random.default_rng(5)
    scores, thresholds = motif_strands(generator, [6, 20, 33] * 20, 1e-3)
    seen = []

    def tried(stretch, tables, found):
        search(stretch, tables, found)
        seen.append(int(found.counters[1]))
        if wrong:
            found.scores[0] += 1

    monkeypatch.setattr(gpu, "_kernel", lambda: tried)
    if wrong:
        with pytest.raises(
            engine.MotifcnnError, match=r"^scanning on cpu failed \(its hits are not the processor's\); use"
        ):
            engine._gpu_engine(scores, thresholds, "cpu")
    else:
        assert isinstance(engine._gpu_engine(scores, thresholds, "cpu"), GpuEngine)
    assert min(seen) >= 30


def test_a_device_that_fails_is_one_line(tmp_path):
    genome = tmp_path / "genome.fa"
    genome.write_text(">a\nACGTACGTAC\n")
    motif = Motif("m", np.full((4, 4), 0.25), DNA)
    scan = partial(scan_genome, genome, [motif], ScanSettings(p_value=1), io.BytesIO(), 1)
    with pytest.raises(engine.MotifcnnError, match=r"scanning on cuda:99 failed \(.+\); use --device cpu"):
        scan("cuda:99")
