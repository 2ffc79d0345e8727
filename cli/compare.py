"""`motifcnn compare`: the nearest known motifs of a run or of any file of motifs."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from motifcnn.alphabet import DNA
from motifcnn.errors import MotifcnnError
from motifcnn.settings import ComparisonSettings, help_text

from . import speech
from .options import Force
from .refusals import refuse_existing

if TYPE_CHECKING:
    from motifcnn.discovery.comparison import Match

_DEFAULT = ComparisonSettings()
COLUMNS = ("query", "target", "target_name", "p_value", "e_value", "offset", "overlap", "orientation", "family")


def compare(
    motifs: Annotated[
        Path, typer.Argument(metavar="MOTIFS", help="Run directory, or a file of motifs; - reads stdin.")
    ],
    database: Annotated[
        str | None,
        typer.Option(
            help="Known motifs: a file (MEME, JASPAR or TRANSFAC), jaspar, or one of its groups, such as jaspar:fungi. "
            "Left out: jaspar for DNA."
        ),
    ] = None,
    e_threshold: Annotated[float, typer.Option(help=help_text(ComparisonSettings, "e_threshold"))] = (
        _DEFAULT.e_threshold
    ),
    trim_bits: Annotated[float, typer.Option(help=help_text(ComparisonSettings, "trim_bits"))] = _DEFAULT.trim_bits,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="TSV to write; left out: stdout.")] = None,
    force: Force = False,
) -> None:
    """Find the known motifs that resemble each motif, with exact p-values (Tomtom's statistic)."""
    from motifcnn.discovery.comparison import compare as compare_motifs
    from motifcnn.discovery.known_motifs import JASPAR, NO_DATABASE, database_file, known_motifs
    from motifcnn.formats.files import write_text
    from motifcnn.formats.motif_files import read_motifs
    from motifcnn.runs import motif_file

    if not e_threshold >= 0:
        raise typer.BadParameter("--e-threshold must be 0 or more")
    if database == NO_DATABASE:
        raise typer.BadParameter(
            "leaves nothing to compare with; leave it out, or give a file", param_hint="--database"
        )
    if not trim_bits >= 0:
        raise typer.BadParameter("--trim-bits must be 0 or more")
    path = motif_file(motifs)
    refuse_existing(out, force=force, inputs=(path, database_file(database or JASPAR)))
    queries = read_motifs(path)
    alphabet = queries[0].alphabet
    if database is None and alphabet is not DNA:
        raise MotifcnnError(
            f"no known motifs of {alphabet.name} are to be had by default; give --database a file of them"
        )
    known = known_motifs(database or JASPAR, alphabet).motifs
    results = compare_motifs(queries, known, e_threshold=e_threshold, trim_bits=trim_bits)
    rows = [COLUMNS, *(_row(match) for matches in results for match in matches)]
    text = "".join("\t".join(row) + "\n" for row in rows)
    if out is None:
        sys.stdout.write(text)
    else:
        write_text(out, text)
        speech.say(f"{len(rows) - 1} matches in {out}")
    without = [query.name for query, matches in zip(queries, results, strict=True) if not matches]
    if without:
        names = ", ".join(without[:3]) + (f" and {len(without) - 3} more" if len(without) > 3 else "")
        speech.say(f"no match with E up to {e_threshold:g} for {len(without)} of {len(queries)} motifs: {names}")


def _row(match: "Match") -> tuple[str, ...]:
    return (
        match.query,
        match.target_name,
        match.target_alternate_name,
        f"{match.p_value:.3g}",
        f"{match.e_value:.3g}",
        str(match.offset),
        str(match.overlap),
        match.orientation,
        match.target_family or ".",
    )
