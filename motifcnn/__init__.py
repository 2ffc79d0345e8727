"""motifcnn: labelled sequences in, tested motifs and genome tracks out."""

__version__: str


def __getattr__(name: str) -> str:
    """Look the version up when it is asked for: that takes as long as a small scan."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("motifcnn")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"
