"""Compiled once, said so beforehand, kept, and loaded without numba; and what happens where any of that fails."""

import logging
import subprocess
import sys

import pytest

from motifcnn.errors import MotifcnnError
from motifcnn.scanning import machine_code as module
from motifcnn.scanning.machine_code import NoMachineCodeError, compiled_code, is_kept, machine_code

COMPILING = "compiling the scanner once; it takes some seconds"


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """A cache folder of its own, and a process that has loaded nothing yet; the folder is returned."""
    machine_code()  # by the time that tests need it, it is kept in the usual folder
    real = module._kept()
    monkeypatch.setattr(module, "_compiled", lambda: real)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    machine_code.cache_clear()
    yield tmp_path / "cache"
    machine_code.cache_clear()


def fail(*_):
    raise RuntimeError("no such instruction")


def test_the_first_use_compiles_and_the_next_process_loads_without_numba(tmp_path):
    program = (
        "import logging, sys; logging.basicConfig(level=logging.INFO, format='%(message)s');"
        "from motifcnn.scanning import genome; from motifcnn.scanning.machine_code import machine_code;"
        "machine_code(); print([name for name in ('numba', 'torch', 'scipy', 'pandas') if name in sys.modules])"
    )
    environment = {"NUMBA_CACHE_DIR": str(tmp_path), "PATH": ""}
    first, second = (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
        for _ in range(2)
    )
    assert first.stderr.splitlines() == [COMPILING]
    assert "numba" in first.stdout
    assert (second.stderr, second.stdout) == ("", "[]\n")


def test_the_name_of_what_is_kept_depends_on_every_file_that_is_compiled():
    program = (
        "import sys; import motifcnn.scanning.compilation; "
        "print(*(name.rpartition('.')[2] for name in sys.modules if name.startswith('motifcnn.scanning.')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {f"{name}.py" for name in done.stdout.split()} == set(module._SOURCES)


def test_it_is_said_before_it_is_done(fresh, monkeypatch, caplog):
    def compiled(make=module._compiled):
        assert caplog.messages == [COMPILING]
        return make()

    monkeypatch.setattr(module, "_compiled", compiled)
    with caplog.at_level(logging.INFO, "motifcnn"):
        assert not is_kept()
        machine_code()
        assert is_kept()
        machine_code.cache_clear()
        machine_code()
    assert caplog.messages == [COMPILING]


def test_a_damaged_file_is_made_again(fresh):
    machine_code()
    (file,) = fresh.iterdir()
    whole = file.read_bytes()
    for damaged in (b"", whole[:-1], whole[:100] + b"?" + whole[101:]):
        file.write_bytes(damaged)
        machine_code.cache_clear()
        machine_code()
        assert file.read_bytes() == whole


def test_what_cannot_be_loaded_is_not_kept(fresh, monkeypatch):
    monkeypatch.setattr(module, "_compiled", lambda: b"no machine code")
    monkeypatch.setattr(module, "_functions", fail)
    with pytest.raises(NoMachineCodeError):
        machine_code()
    assert not fresh.exists()


def test_where_nothing_can_be_kept_it_is_said_and_the_work_goes_on(fresh, caplog):
    fresh.write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING, "motifcnn"):
        assert compiled_code() is not None
    (said,) = caplog.messages
    assert said.startswith(f"the compiled scanner cannot be kept and will be compiled again next time ({fresh}: ")
    assert said.endswith("; set NUMBA_CACHE_DIR to a folder that can be written")


def test_the_users_cache_follows_where_the_package_cannot_be_written(fresh, monkeypatch, tmp_path):
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    package = tmp_path / "package"
    package.write_text("a file where the folder should be")
    monkeypatch.setattr(module, "__file__", str(package / "machine_code.py"))
    monkeypatch.setattr(module, "_file_name", lambda: "scanner-x.o")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    machine_code()
    assert (tmp_path / "home" / "motifcnn" / "scanner-x.o").exists()


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_folders_of_each_system(monkeypatch, platform):
    for variable in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    inside, own = module._folders()
    assert inside.name == "__pycache__"
    assert own.name == "motifcnn"
    assert own.is_absolute()


def test_without_a_compiler_numpy_is_used_and_that_is_said(fresh, monkeypatch, caplog):
    monkeypatch.setattr(module, "_compiled", fail)
    with caplog.at_level(logging.WARNING, "motifcnn"):
        assert compiled_code() is None
    assert caplog.messages == [
        "the scanner cannot be compiled here (RuntimeError: no such instruction); "
        "scanning with NumPy, many times slower"
    ]
    with pytest.raises(NoMachineCodeError, match=r"^RuntimeError: no such instruction$"):
        machine_code()


def test_without_llvmlite_numpy_is_used(fresh, monkeypatch):
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    assert compiled_code() is None


def test_choices_of_the_environment(fresh, monkeypatch):
    monkeypatch.setenv("MOTIFCNN_SCANNER", "compiled")
    assert compiled_code() is machine_code()
    monkeypatch.setenv("MOTIFCNN_SCANNER", "numpy")
    assert compiled_code() is None
    monkeypatch.setenv("MOTIFCNN_SCANNER", "fast")
    with pytest.raises(MotifcnnError, match=r"^MOTIFCNN_SCANNER=fast: must be one of auto, compiled, numpy; set one"):
        compiled_code()


def test_what_was_asked_for_is_not_replaced_in_silence(fresh, monkeypatch):
    monkeypatch.setattr(module, "_compiled", fail)
    monkeypatch.setenv("MOTIFCNN_SCANNER", "compiled")
    with pytest.raises(MotifcnnError, match=r"^MOTIFCNN_SCANNER=compiled: the scanner cannot be compiled here \(Runt"):
        compiled_code()
