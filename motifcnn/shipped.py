"""Where the data sets that ship with the package lie; their README.md says what they are."""

from importlib.resources import as_file, files
from pathlib import Path

from motifcnn.errors import MotifcnnError

CRP_SEQUENCES = "crp.fa"
CRP_LABELS = "crp.labels.tsv"
CRP_SITES = "crp.sites.bed"
ECOLI_GENOME = "ecoli_k12.fa.gz"
WW_SEQUENCES = "ww.fa"
WW_LABELS = "ww.labels.tsv"


def shipped(name: str) -> Path:
    """Return the path of a shipped file, in a checkout as in an installed wheel.

    Args:
        name: One of this module's constants, such as `CRP_SEQUENCES`.

    Raises:
        MotifcnnError: There is no such file.
    """
    with as_file(files("motifcnn.data") / name) as path:  # packages are installed unzipped: the path stays valid
        if not path.is_file():
            raise MotifcnnError(f"no file {name!r} among the shipped data in {path.parent}; install motifcnn again")
        return path
