import os
import re
import subprocess
import sys

import pytest

from motifcnn.processors import count_threads, physical_memory


def test_zero_stands_for_all():
    assert count_threads(0) >= 1
    assert count_threads(3) == 3


@pytest.mark.parametrize("chosen", [None, "ACTIVE"])
def test_idle_threads_sleep_unless_the_user_has_chosen(chosen):
    """How often they look for work before they sleep, as GNU's OpenMP says when torch loads it."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment |= {"OMP_DISPLAY_ENV": "VERBOSE"} | ({"OMP_WAIT_POLICY": chosen} if chosen else {})
    command = [sys.executable, "-m", "motifcnn", "doctor"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stderr
    looks = [int(number) for number in re.findall(r"GOMP_SPINCOUNT ?= ?'(\d+)'", said)]
    if not looks:
        pytest.skip("torch computes without GNU's OpenMP")
    assert all((number > 0) == (chosen == "ACTIVE") for number in looks)


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
