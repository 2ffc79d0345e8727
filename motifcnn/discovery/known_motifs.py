"""Known motifs to compare with: JASPAR's, from the pyjaspar package, or those of any file."""

import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from motifcnn.alphabet import DNA
from motifcnn.errors import MotifcnnError
from motifcnn.formats.motif_files import read_motifs
from motifcnn.motifs import Motif

_LOGGER = logging.getLogger(__name__)

JASPAR = "jaspar"
"""Word that stands for JASPAR where a file of motifs could be given; "jaspar:fungi" for one of its groups."""


def known_motifs(choice: str) -> list[Motif]:
    """Return the motifs of a file, or JASPAR's.

    Args:
        choice: Path of a file of motifs; or "jaspar", or "jaspar:GROUP".

    Raises:
        MotifcnnError: There is no such file or group, or pyjaspar is not installed.
    """
    word, _, group = choice.partition(":")
    return default_database(group or None) if word.lower() == JASPAR else read_motifs(choice)


def default_database(group: str | None = None) -> list[Motif]:
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
            'no motif database is installed; run pip install "motifcnn[databases]" for JASPAR, '
            "or give --database a MEME file"
        ) from None
    jaspar = jaspardb()
    try:
        motifs = _core_motifs(jaspar.conn, group)
    except sqlite3.Error as error:
        raise MotifcnnError(f"JASPAR of pyjaspar cannot be read ({error}); install pyjaspar anew") from None
    finally:
        jaspar.conn.close()
    _LOGGER.info("known motifs: %d of %s CORE%s", len(motifs), JASPAR_LATEST_RELEASE, f", {group}" if group else "")
    return motifs


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
    counts: dict[int, list[tuple[int, int, float]]] = {identifier: [] for identifier, _, _ in latest.values()}
    for identifier, letter, position, value in connection.execute("SELECT ID, row, col, val FROM MATRIX_DATA"):
        if identifier in counts:
            counts[identifier].append((position - 1, DNA.letters.index(letter), value))
    known = sorted({groups[identifier] for identifier in counts if identifier in groups})
    if group is not None and group.lower() not in known:
        raise MotifcnnError(f"JASPAR has no group {group!r}; its groups are {', '.join(known)}")
    return [
        replace(_of_cells(matrix_id, name, counts[identifier]), family=next(iter(families.get(identifier, [])), ""))
        for identifier, matrix_id, name in latest.values()
        if group is None or groups.get(identifier) == group.lower()
    ]


def _of_cells(matrix_id: str, name: str, cells: Sequence[tuple[int, int, float]]) -> Motif:
    positions, letters, values = (np.array(part) for part in zip(*cells, strict=True))
    counts = np.zeros((int(positions.max()) + 1, DNA.size))
    counts[positions, letters] = values
    totals = counts.sum(axis=1, keepdims=True)
    return Motif(matrix_id, counts / totals, DNA, sites=float(totals.max()), alternate_name=name)
