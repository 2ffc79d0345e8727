"""Which processor computes, and why that one."""

from dataclasses import dataclass

import torch

from motifcnn.errors import MotifcnnError
from motifcnn.processors import count_threads
from motifcnn.ranks import place


@dataclass(frozen=True)
class Device:
    """A processor.

    Args:
        torch_device: For torch.
        reason: Why this one, for the user.
    """

    torch_device: torch.device
    reason: str

    @property
    def is_gpu(self) -> bool:
        """Whether it is an accelerator."""
        return self.torch_device.type != "cpu"


def choose_device(wanted: str) -> Device:
    """Find the device asked for; never another one.

    Args:
        wanted: "auto", "cpu", "cuda", "cuda:N" or "mps".

    Raises:
        MotifcnnError: There is no such device.
    """
    kind, _, index = wanted.partition(":")
    if kind not in {"auto", "cpu", "cuda", "mps"} or (index and not index.isdigit()):
        raise MotifcnnError(f"--device {wanted}: use auto, cpu, cuda, cuda:N or mps")
    if kind == "cuda" and not torch.cuda.is_available():
        built = "this PyTorch is built without CUDA" if torch.version.cuda is None else "no CUDA device answers"
        raise MotifcnnError(f"--device {wanted}: {built}; use --device cpu, or see `motifcnn doctor`")
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise MotifcnnError(f"--device {wanted}: there are {torch.cuda.device_count()} CUDA devices, counted from 0")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise MotifcnnError("--device mps: there is no Apple GPU here; use --device cpu")
    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        reason = "the first GPU found" if kind != "cpu" else "no GPU was found"
    else:
        reason = "as asked"
    here = place()
    if kind == "cuda" and not index and here.size > 1:  # processes of one machine share its GPUs out
        index = str(here.local_rank % torch.cuda.device_count())
    device = torch.device(kind, int(index)) if index else torch.device(kind)
    name = torch.cuda.get_device_name(device) if kind == "cuda" else ""
    return Device(device, f"{name}: {reason}" if name else reason)


def use_threads(threads: int) -> int:
    """Make torch use this number of processor threads (0: all), and return it."""
    count = count_threads(threads)
    torch.set_num_threads(count)
    return count
