"""Session files of the genome browser IGV: one file that opens a genome with tracks and hits."""

import os
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from motifcnn.formats.files import write_text

_VERSION = "8"
"""Version of the session format, that of IGV 2.3 and later."""


def write_igv_session(path: Path, genome: Path, files: Sequence[tuple[str, Path]], locus: str = "") -> None:
    """Write a session.

    Paths in it are relative to the session, so that a folder can be moved with the genome beside it.

    Args:
        path: Where to write, such as `igv_session.xml`.
        genome: FASTA, plain or bgzip.
        files: Name and path of each track, from top to bottom.
        locus: What to show first, such as `chr22:101-301`, counted from 1; everything where empty.

    Raises:
        MotifcnnError: The file cannot be written.
    """
    session = ElementTree.Element("Session", genome=_relative(genome, path), version=_VERSION)
    if locus:
        session.set("locus", locus)
    resources = ElementTree.SubElement(session, "Resources")
    for name, file in files:
        ElementTree.SubElement(resources, "Resource", path=_relative(file, path), name=name)
    ElementTree.indent(session)
    text = ElementTree.tostring(session, encoding="unicode")
    write_text(path, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')


def _relative(file: Path, session: Path) -> str:
    return Path(os.path.relpath(file.resolve(), session.parent.resolve())).as_posix()
