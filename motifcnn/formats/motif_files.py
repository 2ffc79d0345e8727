"""Read motifs from a file of any known format, told by its content."""

from collections.abc import Sequence
from pathlib import Path

from motifcnn.alphabet import ALPHABETS, Alphabet
from motifcnn.errors import InputError
from motifcnn.formats.files import open_bytes
from motifcnn.formats.jaspar import format_jaspar, looks_like_jaspar, parse_jaspar, write_jaspar
from motifcnn.formats.meme import format_meme, looks_like_meme, parse_meme, write_meme
from motifcnn.formats.motif_text import MotifRecord
from motifcnn.formats.transfac import format_transfac, looks_like_transfac, parse_transfac, write_transfac
from motifcnn.motifs import Motif

__all__ = [
    "format_jaspar",
    "format_meme",
    "format_transfac",
    "read_motifs",
    "write_jaspar",
    "write_meme",
    "write_transfac",
]


def read_motifs(path: str | Path, alphabet: Alphabet | str | None = None) -> list[Motif]:
    """Read the motifs of a file: MEME text of any dialect, JASPAR, TRANSFAC, HOCOMOCO or HOMER.

    Names are unique in the result: a file in which two motifs share one is refused, because hits
    and tables could not tell them apart.

    Args:
        path: Plain or compressed file, or "-".
        alphabet: The alphabet needed, or its name; None or "auto" takes what the file holds. DNA and
            RNA stand for one another.

    Returns:
        At least one motif, in the order of the file, all of one alphabet.

    Raises:
        InputError: The file holds no motif, is broken, or holds motifs of another alphabet.
    """
    wanted = ALPHABETS.get(alphabet) if isinstance(alphabet, str) else alphabet
    lines = _text_lines(path)
    records = _parse(lines, path, wanted)
    _refuse_duplicates(records, path)
    _refuse_mixture(records, path)
    return [record.motif for record in records]


def _text_lines(path: str | Path) -> list[str]:
    with open_bytes(path) as stream:
        data = stream.read()
    if b"\0" in data:
        raise InputError("is binary, no motif file; give MEME, JASPAR or TRANSFAC text", path)
    # Names may be in any encoding; everything that is parsed is ASCII.
    return data.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()


def _parse(lines: Sequence[str], path: str | Path, wanted: Alphabet | None) -> list[MotifRecord]:
    first = next((line.strip() for line in lines if line.strip()), None)
    if first is None:
        raise InputError("is empty; give a file of motifs in MEME, JASPAR or TRANSFAC text", path)
    if first.lower().startswith(("<!doctype", "<html", "<?xml")):
        raise InputError("is HTML or XML; give the text form of these motifs, such as meme.txt or streme.txt", path)
    if looks_like_meme(lines):
        records = parse_meme(lines, path, wanted)
    elif looks_like_jaspar(lines):
        records = parse_jaspar(lines, path, wanted)
    elif looks_like_transfac(lines):
        records = parse_transfac(lines, path, wanted)
    else:
        raise InputError("holds no motifs in MEME, JASPAR or TRANSFAC text; give a file that does", path)
    if not records:
        raise InputError("holds no motif; give a file with at least one", path)
    return records


def _refuse_duplicates(records: Sequence[MotifRecord], path: str | Path) -> None:
    lines: dict[str, int] = {}
    for record in records:
        name = record.motif.name
        if name in lines:
            raise InputError(f"motif {name} was already on line {lines[name]}; rename one of them", path, record.line)
        lines[name] = record.line


def _refuse_mixture(records: Sequence[MotifRecord], path: str | Path) -> None:
    first = records[0]
    for record in records:
        if record.motif.alphabet is not first.motif.alphabet:
            raise InputError(
                f"{record.motif.alphabet.name} motifs after {first.motif.alphabet.name} ones (line {first.line}); "
                "put each alphabet in a file of its own",
                path,
                record.line,
            )
