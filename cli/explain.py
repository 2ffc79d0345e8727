"""`motifcnn explain`: a card that shows what the network sees in one sequence."""

import re
from pathlib import Path
from typing import Annotated

import typer

from . import speech
from .options import Conservation, Device, Force, GenomeFile, Threads
from .refusals import refuse_existing


def explain(
    sequence: Annotated[
        str,
        typer.Argument(metavar="SEQ", help="FASTA, coordinates such as chr22:100-301 with --genome, or the letters."),
    ],
    model: Annotated[Path, typer.Option("--model", "-m", help="Run directory.")] = Path("motifcnn_out"),
    out: Annotated[Path, typer.Option("--out", "-o", help="Card to write: .html or .svg.")] = Path("explanation.html"),
    name: Annotated[str | None, typer.Option(help="Which sequence of the FASTA; its first by default.")] = None,
    target: Annotated[
        str | None, typer.Option(help="What to explain; by default the target with the highest logit.")
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(
            metavar="START-END",
            help="Positions to show, counted from 0, END not included; by default all, or the 300 that are worth most.",
        ),
    ] = None,
    genome: GenomeFile = None,
    conservation: Conservation = None,
    force: Force = False,
    device: Device = "auto",
    threads: Threads = 0,
) -> None:
    """Draw a sequence: letters by what they are worth, motifs, activation, contribution, conservation."""
    from motifcnn.devices import choose_device, use_threads
    from motifcnn.report.card import make_card, write_card
    from motifcnn.tracks.explanation import explain as explained

    refuse_existing(out, force=force, inputs=(Path(sequence), genome, *(conservation or ())))
    shown = None if window is None else _positions(window)
    chosen = choose_device(device)
    use_threads(threads)
    speech.say(f"computing on {chosen.torch_device} ({chosen.reason})")
    card = make_card(explained(model, sequence, genome, name, tuple(conservation or ()), chosen), target, shown)
    write_card(card, out)
    explanation = card.explanation
    length = len(explanation.codes)
    if window is None and card.end - card.begin < length:
        speech.say(
            f"shown are positions {card.begin}-{card.end} of {length}, which are worth most; --window shows others"
        )
    hits = speech.counted(len(explanation.hits), "motif hit")
    speech.say(
        f"{explanation.name}: {card.target} {explanation.predictions[card.output]:.4g} "
        f"(logit {explanation.logits[card.output]:.3f}), {hits}; card: {out}"
    )


def _positions(window: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)-(\d+)", window)
    if match is None:
        raise typer.BadParameter(f"{window!r} is not START-END, such as 100-300", param_hint="--window")
    return int(match[1]), int(match[2])
