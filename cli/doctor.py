"""`motifcnn doctor`: versions, devices, what is missing and how to get it."""

import platform

import typer

import motifcnn

_NEEDED = (
    "torch", "biopython", "typer", "pandas", "pyfaidx", "logomaker", "numpy", "numba", "llvmlite", "scipy",
    "scikit-learn", "matplotlib", "pyBigWig", "isal", "safetensors", "jinja2", "markupsafe", "rich",
    "tomli-w",
)  # fmt: skip
_OPTIONAL = {
    "pyjaspar": 'known motifs of JASPAR; pip install "motifcnn[databases]"',
    "pyarrow": 'hits as Parquet; pip install "motifcnn[parquet]"',
}


def doctor() -> None:
    """Show versions and devices, and what is missing and how to get it."""
    typer.echo(f"motifcnn\t{motifcnn.__version__}")
    typer.echo(f"python\t{platform.python_version()} on {platform.platform()}")
    missing = False
    for name in _NEEDED:
        found = _version(name)
        missing |= found is None
        typer.echo(f"{name}\t{found or 'MISSING: pip install ' + name}")
    for name, use in _OPTIONAL.items():
        typer.echo(f"{name}\t{_version(name) or 'not installed (optional): ' + use}")
    typer.echo(f"scanner\t{_scanner()}")
    if _version("torch"):
        _devices()
    if missing:
        raise typer.Exit(1)


def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _scanner() -> str:
    """Say which engine scans, and how to choose another one."""
    from motifcnn.scanning.machine_code import VARIABLE, compiled_code, is_kept, wanted_engine

    choose = f"set {VARIABLE}=numpy to do without a compiler"
    if wanted_engine() == "numpy":
        return f"NumPy, many times slower than compiled code: {VARIABLE}=numpy asks for it"
    try:
        if is_kept():
            return f"compiled for this processor and kept; {choose}"
    except ImportError:
        pass
    if compiled_code() is None:
        return "NumPy, many times slower than compiled code, which cannot be made here"
    return f"compiled for this processor{' and kept' if is_kept() else ', each time anew'}; {choose}"


def _devices() -> None:
    import torch

    from motifcnn.devices import choose_device

    typer.echo(f"processor threads\t{torch.get_num_threads()}")
    for number in range(torch.cuda.device_count()):
        memory = torch.cuda.get_device_properties(number).total_memory / 2**30
        typer.echo(f"cuda:{number}\t{torch.cuda.get_device_name(number)}, {memory:.0f} GiB")
    if not torch.cuda.is_available():
        built = "this PyTorch is built without CUDA" if torch.version.cuda is None else "no CUDA device answers"
        typer.echo(f"cuda\tnone: {built}; training runs on the processor")
    chosen = choose_device("auto")
    typer.echo(f"--device auto\t{chosen.torch_device} ({chosen.reason})")
