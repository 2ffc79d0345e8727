import os
import subprocess
import sys

from motifcnn.processors import count_threads, physical_memory


def test_zero_stands_for_all():
    assert count_threads(0) >= 1
    assert count_threads(3) == 3


def test_scanning_starts_without_torch_and_numba():
    """Loading either takes longer than scanning a bacterium."""
    code = (
        "import sys, motifcnn.processors, motifcnn.scanning.genome, motifcnn.formats.motif_files; print(*sys.modules)"
    )
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "numpy" in modules
    assert not {"torch", "numba", "scipy", "pandas", "pyarrow"} & set(modules)


def test_memory_is_the_machine_s_or_less():
    assert 1 << 26 < physical_memory() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
