"""`motifcnn simulate`: sequences with planted motifs, their labels and the truth."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from motifcnn.errors import MotifcnnError
from motifcnn.settings import SimulationSettings, help_text

from . import speech
from .options import Force, Seed
from .refusals import refuse_given

if TYPE_CHECKING:
    from motifcnn.simulation import Simulation

_DEFAULT = SimulationSettings()
_FILES = ("sequences.fa", "labels.tsv", "truth.bed", "motifs.meme")


def _help(name: str) -> str:
    return help_text(SimulationSettings, name)


def simulate(
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory to write to.")],
    meme: Annotated[
        Path | None, typer.Option("--meme", "-m", help="Motifs to plant (MEME, JASPAR or TRANSFAC); else random ones.")
    ] = None,
    sequences: Annotated[int, typer.Option(help=_help("sequences"))] = _DEFAULT.sequences,
    length: Annotated[int, typer.Option(help=_help("length"))] = _DEFAULT.length,
    longest: Annotated[int, typer.Option(help=_help("longest"))] = _DEFAULT.longest,
    alphabet: Annotated[
        Literal["dna", "rna", "protein"] | None,
        typer.Option(help=_help("alphabet"), show_default=_DEFAULT.alphabet),
    ] = None,
    motifs: Annotated[int | None, typer.Option(help=_help("motifs"), show_default=str(_DEFAULT.motifs))] = None,
    motif_width: Annotated[
        int | None, typer.Option(help=_help("motif_width"), show_default=str(_DEFAULT.motif_width))
    ] = None,
    motif_bits: Annotated[
        float | None, typer.Option(help=_help("motif_bits"), show_default=str(_DEFAULT.motif_bits))
    ] = None,
    sites: Annotated[int, typer.Option(help=_help("sites"))] = _DEFAULT.sites,
    gc: Annotated[float, typer.Option(help=_help("gc"))] = _DEFAULT.gc,
    positives: Annotated[float, typer.Option(help=_help("positives"))] = _DEFAULT.positives,
    task: Annotated[Literal["binary", "multi-label"], typer.Option(help=_help("task"))] = _DEFAULT.task,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Make sequences with planted motifs, with labels and the truth, to try things on."""
    import numpy as np

    from motifcnn.formats.motif_files import read_motifs
    from motifcnn.simulation import simulate as make

    if seed < 0:
        raise MotifcnnError("seed must be 0 or more")
    random_motifs: dict[str, Any] = {"motifs": motifs, "motif_width": motif_width, "motif_bits": motif_bits}
    if meme is not None:
        refuse_given("is for random motifs, and --meme gives others; leave one of them out", **random_motifs)
    _refuse_occupied(out, force=force)
    settings = SimulationSettings(
        sequences=sequences,
        length=length,
        longest=longest,
        alphabet=alphabet or _DEFAULT.alphabet,
        sites=sites,
        gc=gc,
        positives=positives,
        task=task,
        **{name: value for name, value in random_motifs.items() if value is not None},
    )
    simulation = make(settings, np.random.default_rng(seed), read_motifs(meme, alphabet) if meme else None)
    _write(out, simulation, meme)
    counts = ", ".join(
        f"{name} {int(count)}" for name, count in zip(simulation.targets, simulation.values.sum(axis=0), strict=True)
    )
    speech.say(f"{len(simulation.sequences)} sequences; with label 1: {counts}; {len(simulation.sites)} sites planted")
    speech.say(f"try: motifcnn train {out / _FILES[0]} {out / _FILES[1]}")


def _refuse_occupied(out: Path, *, force: bool) -> None:
    if out.exists() and not out.is_dir():
        raise MotifcnnError(f"{out}: is a file; give a directory with --out")
    if out.is_dir() and any(out.iterdir()) and not force:
        raise MotifcnnError(f"{out}: is not empty; give another directory with --out, or write over it with --force")


def _write(out: Path, simulation: "Simulation", meme: Path | None) -> None:
    from motifcnn.drawing.logos import logo_file_name
    from motifcnn.formats.conservation import write_table
    from motifcnn.formats.fasta import write_fasta
    from motifcnn.formats.files import refuse_read, write_text
    from motifcnn.formats.motif_files import write_meme

    bases = [out / f"{logo_file_name(name)}.bases.tsv" for name in simulation.targets]
    for path in (*(out / name for name in _FILES), *bases):
        refuse_read(path, [meme], "give another directory with --out")
    rows = ["\t".join(("id", *simulation.targets))]
    for name, values in zip(simulation.sequences.names, simulation.values.astype(int).tolist(), strict=True):
        rows.append("\t".join((name, *map(str, values))))
    truth = [f"{site.sequence}\t{site.start}\t{site.end}\t{site.motif}\t0\t{site.strand}" for site in simulation.sites]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MotifcnnError(f"{out}: cannot be made ({error.strerror}); give another with --out") from None
    write_fasta(out / "sequences.fa", simulation.sequences)
    write_text(out / "labels.tsv", "".join(f"{row}\n" for row in rows))
    write_text(out / "truth.bed", "".join(f"{row}\n" for row in truth))
    write_meme(out / "motifs.meme", simulation.motifs)
    for path, name, inside in zip(bases, simulation.targets, simulation.bases().T, strict=True):
        write_table(path, simulation.sequences, inside, name)
