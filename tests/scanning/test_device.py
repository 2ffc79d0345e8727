"""Where a scan runs and why: the rule, each obstacle, and torch left alone where the processor will do."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.errors import MotifcnnError
from motifcnn.motifs import Motif
from motifcnn.scanning import device
from motifcnn.scanning.device import ScanDevice, choose_scan_device

MOTIFS = [Motif("m", np.full((6, 4), 0.25), DNA)] * 3
NO_GPU = "no GPU: no NVIDIA driver was found"


@pytest.fixture
def genome(tmp_path):
    path = tmp_path / "genome.fa"
    path.write_text(">a\n" + "ACGT" * 100)
    return path


@pytest.fixture
def with_gpus(monkeypatch):
    """Pretend that there are two GPUs and Triton."""
    monkeypatch.setattr(device, "_driver", lambda: True)
    monkeypatch.setattr(device, "find_spec", lambda name: name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index: (9, 0))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda name: "Big GPU")


def test_auto_takes_a_gpu_from_a_stated_amount_of_work_on(with_gpus, monkeypatch, genome, tmp_path):
    size = genome.stat().st_size
    few = ScanDevice("cpu", "a GPU pays from 1e+11 letters × motifs on")
    assert choose_scan_device("auto", MOTIFS, genome) == few
    monkeypatch.setattr(device, "PAYS_FROM", 3 * size)
    assert choose_scan_device("auto", MOTIFS, genome) == ScanDevice(
        "cuda:0", f"Big GPU: {3 * size:.0g} letters × motifs or more"
    )
    assert choose_scan_device("auto", MOTIFS[:2], genome).name == "cpu"
    packed = tmp_path / "genome.fa.gz"
    packed.write_bytes(gzip.compress(genome.read_bytes()))
    assert packed.stat().st_size < size // 4
    assert choose_scan_device("auto", MOTIFS, packed).name == "cpu"
    monkeypatch.setattr(device, "PAYS_FROM", 3 * 4 * packed.stat().st_size)
    assert choose_scan_device("auto", MOTIFS, packed).is_gpu


def test_a_process_among_several_takes_a_gpu_of_its_own(with_gpus, monkeypatch, genome):
    assert choose_scan_device("cuda", MOTIFS, genome) == ScanDevice("cuda:0", "Big GPU: as asked")
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert choose_scan_device("cuda", MOTIFS, genome).name == "cuda:1"
    assert choose_scan_device("cuda:0", MOTIFS, genome).name == "cuda:0"


def test_what_speaks_against_a_gpu_is_said(with_gpus, monkeypatch, genome):
    protein = [Motif("p", np.full((5, 20), 0.05), PROTEIN)]
    wide = [Motif("w", np.full((65, 4), 0.25), DNA)]
    monkeypatch.setattr(device, "PAYS_FROM", 1)
    unknown = "how much comes from standard input is not known"
    assert choose_scan_device("auto", MOTIFS, Path("-")) == ScanDevice("cpu", unknown)
    assert choose_scan_device("auto", MOTIFS, Path("no.fa")) == ScanDevice("cpu", "the file cannot be read")
    for motifs, reason in (
        (protein, "the GPU scans nucleotides, and these motifs have 20 letters"),
        (wide, "the GPU scans motifs of up to 64 positions, and one has 65"),
    ):
        assert choose_scan_device("auto", motifs, genome) == ScanDevice("cpu", reason)
        with pytest.raises(MotifcnnError, match=f"^--device cuda:1: {reason}; use --device cpu$"):
            choose_scan_device("cuda:1", motifs, genome)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index: (7, 5))
    assert choose_scan_device("auto", MOTIFS, genome).reason == "the GPU is older than NVIDIA's Ampere"
    monkeypatch.setattr(device, "find_spec", lambda name: None)
    assert choose_scan_device("auto", MOTIFS, genome).reason == "Triton is not installed"
    with pytest.raises(MotifcnnError, match=r"^--device cuda: Triton is not installed; use --device cpu$"):
        choose_scan_device("cuda", MOTIFS, genome)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_scan_device("auto", MOTIFS, genome).reason == "this PyTorch finds no CUDA device"
    with pytest.raises(MotifcnnError, match=r"^--device cuda: .*; use --device cpu, or see `motifcnn doctor`$"):
        choose_scan_device("cuda", MOTIFS, genome)
    monkeypatch.setattr(device, "_driver", lambda: False)
    for pays_from in (1, 1e11):  # whatever else speaks against it
        monkeypatch.setattr(device, "PAYS_FROM", pays_from)
        for motifs in (MOTIFS, protein):
            assert choose_scan_device("auto", motifs, genome) == ScanDevice("cpu", NO_GPU)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("mps", "--device mps: scanning runs on cpu or cuda; use --device cpu"),
        ("tpu", "--device tpu: use auto, cpu, cuda, cuda:N or mps"),
    ],
)
def test_other_devices_are_refused(genome, wanted, said):
    with pytest.raises(MotifcnnError) as refused:
        choose_scan_device(wanted, MOTIFS, genome)
    assert str(refused.value) == said
    assert choose_scan_device("cpu", MOTIFS, genome) == ScanDevice("cpu", "as asked")


@pytest.mark.parametrize("wanted", ["auto", "cpu"])
def test_a_scan_on_the_processor_does_not_load_torch(tiny_run, tmp_path, wanted):
    code = (
        "import sys; from importlib.metadata import entry_points as e\n"
        "try: e(group='console_scripts')['motifcnn'].load()()\n"
        "finally: print('torch' in sys.modules)"
    )
    arguments = [tiny_run.sequences, "-m", tiny_run.path / "motifs.meme", "-o", tmp_path / "hits.bed"]
    done = subprocess.run(
        [sys.executable, "-c", code, "scan", *map(str, arguments), "--device", wanted],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "False\n"
    why = "a GPU pays from 1e+11 letters × motifs on" if device._driver() else NO_GPU
    why = "as asked" if wanted == "cpu" else why
    assert f", on cpu ({why})\n" in done.stderr.splitlines(keepends=True)[0]
