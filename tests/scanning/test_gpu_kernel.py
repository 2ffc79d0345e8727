"""The Triton kernels: interpreted, the hits of the plain engine; compiled for GPUs, 8-bit matrix products."""

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

pytest.importorskip("triton", reason="Triton comes with PyTorch for CUDA; pip install triton")

INTERPRETED = """
import numpy as np
from gpu_inputs import motif_strands, sequence
from motifcnn.scanning.gpu import GpuEngine
from motifcnn.scanning.gpu_kernel import Kernel
from motifcnn.scanning.plain import PlainEngine

generator = np.random.default_rng(0)
hits = 0
kernel = Kernel(positions=128, programs=2, marks=64)
for widths, p_value, length in ((range(4, 41), 1e-2, 200), ([5], 1, 40)):
    scores, thresholds = motif_strands(generator, widths, p_value)
    codes = sequence(generator, length)
    codes[length // 2 : length // 2 + 9] = 4
    found = GpuEngine(scores, thresholds, "cpu", kernel, rooms=(50, 1 << 13)).find(codes, 1, length)
    expected = PlainEngine(scores, thresholds).find(codes, 1, length)
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True)), widths
    hits += len(found[0])
assert hits > 100, hits
"""


def test_interpreted_the_hits_are_those_of_the_plain_engine():
    environment = {"TRITON_INTERPRET": "1", "PYTHONPATH": str(Path(__file__).parent), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETED], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]


POINTERS = {
    "letters": "*u8", "unknown": "*u8", "left": "*i8", "marks": "*i32", "counters": "*i64", "keys": "*i64",
    "needed": "*i32", "scores": "*i32", "firsts": "*i32", "widths": "*i32", "thresholds": "*i32", "ranks": "*i32",
    "found": "*i32",
}  # fmt: skip


@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize(("name", "constants"), [("mark", {"SPAN": 16, "POSITIONS": 128}), ("rescore", {"MARKS": 16})])
def test_it_compiles_for_gpus_that_are_not_here(capability, name, constants, monkeypatch, tmp_path):
    from triton import compile as compiled
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from motifcnn.scanning import gpu_kernel

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    kernel = getattr(gpu_kernel, name)
    kinds = {each: POINTERS.get(each, "constexpr" if each in constants else "i32") for each in kernel.arg_names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Triton announces changes of its defaults
        made = compiled(ASTSource(kernel, kinds, constants), target=GPUTarget("cuda", capability, 32))
    product = "mma" if name == "mark" else ""
    assert (".s32.s8.s8" in made.asm["ptx"]) == bool(product)
