"""The scanner's machine code: compiled by numba once for each machine, kept on the disk, loaded without numba.

numba takes longer to start than a yeast genome takes to scan, even where all it needs is in its own cache.
"""

import ctypes
import hashlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from motifcnn.errors import MotifcnnError
from motifcnn.formats.files import atomic_write
from motifcnn.scanning.layout import ARGUMENTS

_LOGGER = logging.getLogger(__name__)
_SOURCES: Final = (
    "layout.py", "code_parts.py", "search_code.py", "strand_code.py", "window_code.py", "line_code.py",
    "compilation.py",
)  # fmt: skip
VARIABLE: Final = "MOTIFCNN_SCANNER"
"""Environment variable that chooses among `_CHOICES`."""
_CHOICES: Final = ("auto", "compiled", "numpy")
_DIGEST: Final = hashlib.sha256().digest_size


class NoMachineCodeError(Exception):
    """Machine code can neither be loaded nor made here."""


@dataclass(frozen=True, eq=False)
class MachineCode:
    """Compiled functions, which run beside other threads.

    Args:
        search_by_strands: See `search_code.search_of` and `strand_code`.
        search_by_windows: See `search_code.search_of` and `window_code`.
        table_entries: See `window_code.table_entries`.
        write_lines: See `line_code.write_lines`.
    """

    search_by_strands: Callable[..., int]
    search_by_windows: Callable[..., int]
    table_entries: Callable[..., int]
    write_lines: Callable[..., int]


def wanted_engine() -> str:
    """Return what the environment asks for: "auto", "compiled" or "numpy".

    Raises:
        MotifcnnError: It is none of these.
    """
    wanted = os.environ.get(VARIABLE) or "auto"
    if wanted not in _CHOICES:
        raise MotifcnnError(f"{VARIABLE}={wanted}: must be one of {', '.join(_CHOICES)}; set one of them or none")
    return wanted


def compiled_code() -> MachineCode | None:
    """Return the compiled functions; None where there are none, or where they are not wanted.

    Raises:
        MotifcnnError: MOTIFCNN_SCANNER asks for what there is not.
    """
    wanted = wanted_engine()
    if wanted == "numpy":
        return None
    try:
        return machine_code()
    except NoMachineCodeError as error:
        if wanted == "compiled":
            raise MotifcnnError(f"{VARIABLE}=compiled: the scanner cannot be compiled here ({error})") from None
        _LOGGER.warning("the scanner cannot be compiled here (%s); scanning with NumPy, many times slower", error)
        return None


@cache
def machine_code() -> MachineCode:
    """Load the compiled functions, or compile and keep them.

    Raises:
        NoMachineCodeError: This machine cannot do it; the message says why.
    """
    try:
        kept = _kept()
        if kept is not None:
            return MachineCode(**_functions(kept))
        _LOGGER.info("compiling the scanner once; it takes some seconds")
        fresh = _compiled()
        loaded = MachineCode(**_functions(fresh))
        _keep(fresh)
        return loaded
    except Exception as error:  # whatever a foreign compiler, processor or installation comes up with
        raise NoMachineCodeError(f"{type(error).__name__}: {error}") from error


def is_kept() -> bool:
    """Say whether the machine code is on the disk already.

    Raises:
        ImportError: llvmlite is not installed.
    """
    return _kept() is not None


def _machine() -> Any:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten(),
        opt=3,
        codemodel="jitdefault",
        jit=True,
    )


def _compiled() -> bytes:
    """Compile; return an object file."""
    from llvmlite import binding

    from motifcnn.scanning.compilation import compiled

    whole = binding.parse_assembly("")
    for name, code, name_in_code in compiled():
        module = binding.parse_assembly(code)
        for function in module.functions:
            if not function.is_declaration:
                function.linkage = "external" if function.name == name_in_code else "internal"
        module.get_function(name_in_code).name = name
        whole.link_in(module)
    machine = _machine()
    passes = binding.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(whole, binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(3)))
    return bytes(machine.emit_object(whole))


def _functions(code: bytes) -> dict[str, Callable[..., int]]:
    from llvmlite import binding

    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _machine())
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return {name: _callable(engine, name, count) for name, count in ARGUMENTS.items()}


def _callable(engine: Any, name: str, count: int) -> Callable[..., int]:
    """Wrap a function as numba compiles it: result and exception through addresses, then the arguments."""
    address = engine.get_function_address(name)
    if not address:
        raise ValueError(f"the compiled code has no {name}")
    function = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * count)(address)

    def call(*arguments: Any) -> int:
        result, exception = ctypes.c_int64(), ctypes.c_void_p()
        plain = [each.ctypes.data if isinstance(each, np.ndarray) else each for each in arguments]
        status = function(ctypes.addressof(result), ctypes.addressof(exception), *plain)
        assert not status, f"{name}: status {status}"
        return result.value

    call.engine = engine  # type: ignore[attr-defined]  # which goes, and the code with it, when nobody holds it
    return call


def _folders() -> Iterator[Path]:
    """Where compiled code may be kept: as numba chooses."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen)
        return
    yield Path(__file__).parent / "__pycache__"
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "~/AppData/Local")
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    yield Path(base).expanduser() / "motifcnn"


def _file_name() -> str:
    """Name by all that the code depends on: its source, the compiler, the processor."""
    import llvmlite
    from llvmlite import binding

    key = hashlib.sha256()
    for source in _SOURCES:
        key.update(Path(__file__).with_name(source).read_bytes())
    machine = binding.get_default_triple(), binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
    key.update(repr((llvmlite.__version__, *machine)).encode())
    return f"scanner-{key.hexdigest()[:16]}.o"


def _kept() -> bytes | None:
    name = _file_name()
    for folder in _folders():
        try:
            data = (folder / name).read_bytes()
        except OSError:
            continue
        if hashlib.sha256(data[_DIGEST:]).digest() == data[:_DIGEST]:
            return data[_DIGEST:]
    return None


def _keep(code: bytes) -> None:
    name, faults = _file_name(), []
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with atomic_write(folder / name) as file:
                file.write(hashlib.sha256(code).digest() + code)
            return
        except (OSError, MotifcnnError) as error:
            faults.append(f"{folder}: {error.strerror if isinstance(error, OSError) else error}")
    _LOGGER.warning(
        "the compiled scanner cannot be kept and will be compiled again next time (%s); "
        "set NUMBA_CACHE_DIR to a folder that can be written", "; ".join(faults),
    )  # fmt: skip
