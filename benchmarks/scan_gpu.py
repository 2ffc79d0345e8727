"""Time the GPU engine: 1,404 JASPAR matrices, both strands, 3.1 Gbp, p ≤ 1e-4; hits compared with the CPU engine's.

The matrices are the first of JASPAR 2024's core collection by identifier that can reach p; the letters are random with
the human genome's composition and runs of N: chunks at random places of 256 Mb, so that making them takes no time.
"kernels" is what CUDA's own clock says of the two kernels, one stretch after another; "whole" is the wall time of all
that the engine does (packing, upload, kernels, sorting, download), its lanes side by side. Without a GPU the torch
reference of the kernels is compared with the CPU engine on a small part, and nothing is timed; where Triton is
installed, the size of the compiled inner loop is told. Needs the `bench` group.
"""

import argparse
import platform
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.alphabet import DNA, Codes
from motifcnn.motifs import Motif
from motifcnn.scanning.distribution import IntegerMotif
from motifcnn.scanning.gpu import GpuEngine
from motifcnn.scanning.gpu_reference import search as reference
from motifcnn.scanning.gpu_work import DeviceTables, Found, Search, Stretch
from motifcnn.scanning.machine_code import machine_code
from motifcnn.scanning.vector import VectorEngine

P_VALUE = 1e-4
SEED = 0
COMPOSITION = (0.295, 0.205, 0.205, 0.295)
"""A, C, G, T of the human genome."""
CHUNK = 1 << 22


def strands(count: int) -> tuple[list[npt.NDArray[np.int32]], list[int]]:
    """Return scores and thresholds of both strands of the first JASPAR matrices that can reach p."""
    from pyjaspar import jaspardb

    matrices = jaspardb(release="JASPAR2024").fetch_motifs(collection="CORE")
    scores, thresholds = [], []
    for matrix in sorted(matrices, key=lambda each: each.matrix_id):
        counts = np.array([matrix.counts[letter] for letter in DNA.letters], dtype=float).T
        motif = IntegerMotif.from_log_odds(Motif.from_counts(matrix.matrix_id, counts, DNA).log_odds())
        threshold = motif.threshold(P_VALUE)
        if threshold is not None and len(scores) < 2 * count:
            assert DNA.complement_codes is not None
            scores += [motif.scores, motif.reverse_complement(DNA.complement_codes)]
            thresholds += [threshold, threshold]
    return scores, thresholds


def random_letters(length: int) -> Codes:
    """Return letters with a run of N in each megabase."""
    generator = np.random.default_rng(SEED)
    codes = np.empty(length, dtype=np.uint8)
    for begin in range(0, length, CHUNK):
        draws = generator.random(min(CHUNK, length - begin), dtype=np.float32)
        codes[begin : begin + CHUNK] = np.searchsorted(np.cumsum(COMPOSITION)[:3], draws, side="right")
    for start in range(0, length, 1 << 20):
        codes[start + 7_000 : start + 7_000 + int(generator.integers(1, 20_000))] = DNA.unknown
    return codes


def chunks(block: Codes, letters: int) -> Iterator[Codes]:
    """Give chunks at random places of a block, as many as make up the letters."""
    generator = np.random.default_rng(SEED)
    for begin in range(0, letters, CHUNK):
        at = int(generator.integers(0, max(len(block) - CHUNK, 1)))
        yield block[at : at + min(CHUNK, letters - begin)]


class Timed:
    """A search that CUDA's clock is held beside."""

    def __init__(self, search: Search):
        self._search = search
        self._events: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    def __call__(self, stretch: Stretch, tables: DeviceTables, found: Found) -> None:
        """Search between two events."""
        before, after = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        before.record()
        self._search(stretch, tables, found)
        after.record()
        self._events.append((before, after))

    def seconds(self) -> float:
        """Return the device's time so far, and forget it."""
        torch.cuda.synchronize()
        total = sum(before.elapsed_time(after) for before, after in self._events) / 1000
        self._events.clear()
        return total


def compare(engine: GpuEngine, scores: list[npt.NDArray[np.int32]], thresholds: list[int], codes: Codes) -> int:
    """Hold hits against the CPU engine's; return their number.

    Raises:
        SystemExit: They differ.
    """
    found = engine.find(codes, 0, len(codes))
    expected = VectorEngine(scores, thresholds, machine_code()).find(codes, 0, len(codes))
    if not all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True)):
        raise SystemExit(f"hits differ: {len(found[0])} here, {len(expected[0])} on the CPU")
    return len(found[0])


def code_for(capability: int) -> str:
    """Compile the kernel that marks for a GPU that need not be here, and describe its inner loop."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from motifcnn.scanning.gpu_kernel import Kernel, mark

    kinds = {"letters": "*u8", "unknown": "*u8", "left": "*i8", "needed": "*i32", "marks": "*i32", "counters": "*i64"}
    constants = {"SPAN": 16, "POSITIONS": Kernel().positions}
    signature = {name: kinds.get(name, "constexpr" if name in constants else "i32") for name in mark.arg_names}
    aligned = {(n,): [["tt.divisibility", 16]] for n, name in enumerate(mark.arg_names) if name in {*kinds, "strands"}}
    options = {"num_warps": Kernel().warps, "num_stages": Kernel().stages}
    target = GPUTarget("cuda", capability, 32)
    made = triton.compile(ASTSource(mark, signature, constants, aligned), target=target, options=options)
    tools = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(made.asm["cubin"])
        file.flush()
        usage, code = (
            subprocess.run([tools / tool, option, file.name], capture_output=True, text=True, check=True).stdout
            for tool, option in (("cuobjdump", "-res-usage"), ("nvdisasm", "-c"))
        )
    registers, stack = (int(re.findall(rf"{name}:(\d+)", usage)[-1]) for name in ("REG", "STACK"))
    scores = Kernel().positions * 32
    return (
        f"compute capability {capability / 10}: {registers} registers, {stack} bytes spilled, "
        f"{_loop_with_products(code)} instructions a warp for {scores:,} scores of up to 16 positions"
    )


def _loop_with_products(code: str) -> int:
    """Count the instructions of the loop that holds the matrix products."""
    labels: dict[str, int] = {}
    products: list[int] = []
    count = 0
    for line in code.splitlines():
        if label := re.match(r"(\.L_x_\d+):", line):
            labels[label[1]] = count
        elif instruction := re.match(r"\s+/\*[0-9a-f]+\*/\s+(.*)", line):
            count += 1
            if "MMA" in instruction[1]:
                products.append(count)
            target = re.search(r"BRA `\((\.L_x_\d+)\)", instruction[1])
            begin = labels.get(target[1]) if target else None
            if begin is not None and any(begin < place <= count for place in products):
                return count - begin
    return 0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=float, default=3.1e9)
    parser.add_argument("--motifs", type=int, default=1404)
    parser.add_argument("--compared", type=float, default=4e6, help="letters compared with the CPU engine")
    parser.add_argument("--positions", type=int, help="windows of a program")
    parser.add_argument("--warps", type=int)
    parser.add_argument("--stages", type=int)
    asked = parser.parse_args()
    scores, thresholds = strands(asked.motifs)
    head = f"{date.today()}, motifcnn {version('motifcnn')}, torch {torch.__version__}, {len(scores)} motif strands"
    if not torch.cuda.is_available():
        part = random_letters(8_000 + min(int(asked.compared), 12_000))
        hits = compare(GpuEngine(scores, thresholds, "cpu", reference), scores, thresholds, part)
        print(f"{head}; there is no CUDA device on this {platform.machine()} machine and nothing is timed:\n"
              f"{hits:,} hits in {len(part):,} letters by the torch reference, as by the CPU engine")  # fmt: skip
        if find_spec("triton"):
            print("\n".join(code_for(capability) for capability in (80, 90)))
        return
    from motifcnn.scanning.gpu_kernel import Kernel

    chosen = {name: getattr(asked, name) for name in ("positions", "warps", "stages") if getattr(asked, name)}
    kernel = Timed(Kernel(**chosen))
    engine = GpuEngine(scores, thresholds, "cuda", kernel)
    block = random_letters(1 << 28)
    hits = compare(engine, scores, thresholds, block[: int(asked.compared)])
    print(f"{head}, {torch.cuda.get_device_name()}, triton {version('triton')}, {Kernel(**chosen)}")
    print(f"{hits:,} hits in {asked.compared:g} letters, the same as the CPU engine's\n")
    letters = int(asked.letters)
    kernel.seconds()
    found = sum(len(engine.find(codes, 0, len(codes))[0]) for codes in chunks(block, letters))
    device = kernel.seconds()
    began = time.perf_counter()
    with ThreadPoolExecutor(engine.workers) as pool:
        same = sum(pool.map(lambda codes: len(engine.find(codes, 0, len(codes))[0]), chunks(block, letters)))
    wall = time.perf_counter() - began
    assert same == found
    work = letters * len(scores) / 1e9
    print("| | seconds | Gbp·motif·strand/s |\n|---|---|---|")
    print(f"| kernels | {device:.2f} | {work / device:,.0f} |\n| whole | {wall:.2f} | {work / wall:,.0f} |\n")
    print(f"{letters:,} letters, {found:,} hits")


if __name__ == "__main__":
    main()
