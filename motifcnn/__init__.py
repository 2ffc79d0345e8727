"""motifcnn: labelled sequences in, tested motifs and genome tracks out."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("motifcnn")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
