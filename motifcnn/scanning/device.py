"""Where to scan: on the processor or on a GPU, and why; without loading torch where the processor will do."""

import ctypes
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from motifcnn.errors import MotifcnnError
from motifcnn.motifs import Motif
from motifcnn.scanning.gpu_tables import unfit

PAYS_FROM: Final = 1e11
"""Letters × motifs from which a GPU is chosen: some 10 s of one core, and more than it takes to load CUDA."""
_PACKED: Final = 4
"""Letters in a byte of a gzipped genome, about."""
_LEAST_CAPABILITY: Final = (8, 0)
"""NVIDIA's Ampere: the first whose 8-bit matrix products the compiler knows."""


@dataclass(frozen=True)
class ScanDevice:
    """A processor to scan on.

    Args:
        name: "cpu" or "cuda:N".
        reason: Why this one, for the user.
    """

    name: str
    reason: str

    @property
    def is_gpu(self) -> bool:
        """Whether it is a CUDA device."""
        return self.name != "cpu"


def choose_scan_device(wanted: str, motifs: Sequence[Motif], genome: Path) -> ScanDevice:
    """Find the device asked for; "auto" takes a GPU where letters × motifs make it pay.

    Args:
        wanted: "auto", "cpu", "cuda" or "cuda:N".
        motifs: What is scanned for.
        genome: FASTA, plain, gzip or bgzip, or "-".

    Raises:
        MotifcnnError: There is no such device, or it cannot scan for these motifs.
    """
    if wanted == "cpu":
        return ScanDevice("cpu", "as asked")
    if wanted == "mps":
        raise MotifcnnError("--device mps: scanning runs on cpu or cuda; use --device cpu")
    if wanted == "auto" and not _driver():
        return ScanDevice("cpu", "no GPU: no NVIDIA driver was found")
    against = list(unfit([motif.width for motif in motifs], motifs[0].alphabet.size))
    if wanted == "auto":
        against += _too_little(motifs, genome)
    if not against:
        against += _missing(wanted)
    if not against:
        name = f"cuda:{_number(wanted)}"
        why = "as asked" if wanted != "auto" else f"{PAYS_FROM:.0g} letters × motifs or more"
        return ScanDevice(name, f"{_name(name)}: {why}")
    if wanted == "auto":
        return ScanDevice("cpu", against[0])
    raise MotifcnnError(f"--device {wanted}: {against[0]}; use --device cpu")


def _too_little(motifs: Sequence[Motif], genome: Path) -> list[str]:
    if str(genome) == "-":
        return ["how much comes from standard input is not known"]
    try:
        with genome.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        letters = genome.stat().st_size * (_PACKED if packed else 1)
    except OSError:  # told by whoever reads the file
        return ["the file cannot be read"]
    work = letters * len(motifs)
    return [f"a GPU pays from {PAYS_FROM:.0g} letters × motifs on"] if work < PAYS_FROM else []


def _missing(wanted: str) -> list[str]:
    """Say what a scan on a GPU lacks here."""
    if wanted == "auto":
        import torch

        if not torch.cuda.is_available():
            return ["this PyTorch finds no CUDA device"]
    else:
        from motifcnn.devices import choose_device

        choose_device(wanted)
    import torch

    if find_spec("triton") is None:
        return ["Triton is not installed"]
    if torch.cuda.get_device_capability(_number(wanted)) < _LEAST_CAPABILITY:
        return ["the GPU is older than NVIDIA's Ampere"]
    return []


def _driver() -> bool:
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


def _number(wanted: str) -> int:
    """Number of the CUDA device; where several processes share a machine, each takes its own."""
    import torch

    index = wanted.partition(":")[2]
    return int(index) if index else int(os.environ.get("LOCAL_RANK", "0")) % max(torch.cuda.device_count(), 1)


def _name(device: str) -> str:
    import torch

    return str(torch.cuda.get_device_name(device))
