"""Known motifs to compare with: JASPAR's, from the pyjaspar package, or those of any file."""

import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motifcnn.alphabet import DNA, Alphabet
from motifcnn.errors import MotifcnnError
from motifcnn.formats.motif_files import read_motifs
from motifcnn.motifs import Matrix, Motif

_LOGGER = logging.getLogger(__name__)

JASPAR = "jaspar"
"""Word that stands for JASPAR where a file of motifs could be given; "jaspar:fungi" for one of its groups."""

NO_DATABASE = "none"
"""Word for no comparison."""

WHERE_INSTALLED = "auto"
"""Word for the default: of DNA JASPAR, where it is installed; of RNA and protein none."""


@dataclass(frozen=True, eq=False)
class KnownMotifs:
    """Motifs to compare with.

    Args:
        source: Where they are from, such as "JASPAR2026 CORE, fungi" or the name of a file; empty where there are none.
        motifs: The motifs.
    """

    source: str = ""
    motifs: Sequence[Motif] = ()


def database_file(choice: str) -> Path | None:
    """Return the file that a choice of known motifs names; None where it is one of the words of `known_motifs`."""
    word = choice.partition(":")[0].lower()
    return None if word == JASPAR or choice.lower() in {NO_DATABASE, WHERE_INSTALLED} else Path(choice)


def known_motifs(choice: str, alphabet: Alphabet) -> KnownMotifs:
    """Return the motifs of a file, or JASPAR's.

    Args:
        choice: Path of a file of motifs; "jaspar", or "jaspar:GROUP"; "none"; or "auto" for the default: of DNA
            JASPAR, where it is installed, else a note says how to get it; of RNA and protein none.
        alphabet: Of the motifs that are to be compared.

    Raises:
        MotifcnnError: There is no such file or group, it is of another alphabet, or pyjaspar is not installed.
    """
    path = database_file(choice)
    if path is not None:
        return KnownMotifs(path.name, read_motifs(path, alphabet))
    if choice.lower() == WHERE_INSTALLED:
        return _where_installed() if alphabet is DNA else KnownMotifs()
    if choice.lower() == NO_DATABASE:
        return KnownMotifs()
    if alphabet.size != DNA.size:
        raise MotifcnnError(f"JASPAR holds no motifs of {alphabet.name}; give --database a file of them")
    return default_database(choice.partition(":")[2] or None)


def _where_installed() -> KnownMotifs:
    try:
        return default_database()
    except MotifcnnError as error:
        _LOGGER.info("motifs will not be compared with known ones: %s, or none", error)
        return KnownMotifs()


def default_database(group: str | None = None) -> KnownMotifs:
    """Return JASPAR's CORE collection, the latest version of each motif, from the pyjaspar package.

    Args:
        group: Taxonomic group, such as "vertebrates", "fungi" or "plants"; all by default.

    Raises:
        MotifcnnError: pyjaspar is not installed or broken, or there is no such group.
    """
    try:
        from pyjaspar import JASPAR_LATEST_RELEASE, jaspardb
    except ImportError:
        raise MotifcnnError(
            'pyjaspar is not installed; run pip install "motifcnn[databases]" for JASPAR, '
            "or give --database a MEME file"
        ) from None
    try:
        jaspar = jaspardb()
        motifs = _core_motifs(jaspar.conn, group)
        jaspar.conn.close()
    except (sqlite3.Error, OSError) as error:
        raise MotifcnnError(
            f"JASPAR of pyjaspar cannot be read ({error}); install pyjaspar anew, or give --database a MEME file"
        ) from None
    source = f"{JASPAR_LATEST_RELEASE} CORE{f', {group.lower()}' if group else ''}"
    _LOGGER.info("known motifs: %d of %s", len(motifs), source)
    return KnownMotifs(source, motifs)


def _core_motifs(connection: sqlite3.Connection, group: str | None) -> list[Motif]:
    """Read in three queries what pyjaspar's own `fetch_motifs` reads in five for each motif."""
    groups: dict[int, str] = dict(connection.execute("SELECT ID, VAL FROM MATRIX_ANNOTATION WHERE TAG = 'tax_group'"))
    families: dict[int, list[str]] = {}  # several for a dimer of different factors
    for identifier, family in connection.execute(
        "SELECT ID, VAL FROM MATRIX_ANNOTATION WHERE TAG = 'family' ORDER BY LOCAL_ID"
    ):
        families.setdefault(identifier, []).append(family)
    latest = {  # later versions overwrite earlier ones
        base: (identifier, f"{base}.{version}", name)
        for identifier, base, version, name in connection.execute(
            "SELECT ID, BASE_ID, VERSION, NAME FROM MATRIX WHERE COLLECTION = 'CORE' ORDER BY BASE_ID, VERSION"
        )
    }
    known = sorted({groups[identifier] for identifier, _, _ in latest.values() if identifier in groups})
    if group is not None and group.lower() not in known:
        raise MotifcnnError(f"JASPAR has no group {group!r}; its groups are {', '.join(known)}")
    matrices = _core_matrices(connection)
    return [
        _of_counts(matrix_id, name, matrices[identifier], next(iter(families.get(identifier, [])), ""))
        for identifier, matrix_id, name in latest.values()
        if group is None or groups.get(identifier) == group.lower()
    ]


def _core_matrices(connection: sqlite3.Connection) -> dict[int, Matrix]:
    """Return the counts of every matrix, shape [position, letter], by its number."""
    cells = connection.execute(
        "SELECT ID, val FROM MATRIX_DATA WHERE ID IN (SELECT ID FROM MATRIX WHERE COLLECTION = 'CORE') "
        "ORDER BY ID, row, col"
    )
    numbers, values = np.array(cells.fetchall(), dtype=np.float64).T
    starts = np.flatnonzero(np.diff(numbers, prepend=-1.0))
    return {
        int(numbers[start]): part.reshape(DNA.size, -1).T
        for start, part in zip(starts, np.split(values, starts[1:]), strict=True)
    }


def _of_counts(matrix_id: str, name: str, counts: Matrix, family: str) -> Motif:
    totals = counts.sum(axis=1, keepdims=True)
    return Motif(matrix_id, counts / totals, DNA, sites=float(totals.max()), alternate_name=name, family=family)
