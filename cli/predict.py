"""`motifcnn predict`: what a trained network says of sequences."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from motifcnn.errors import MotifcnnError

from . import speech
from .options import Conservation, Device, Force, GenomeFile, Threads


def predict(
    sequences: Annotated[Path, typer.Argument(metavar="SEQS", help="FASTA, or BED with --genome; - reads stdin.")],
    model: Annotated[Path, typer.Option("--model", "-m", help="Run directory.")] = Path("motifcnn_out"),
    out: Annotated[Path | None, typer.Option("--out", "-o", help="TSV to write; left out: stdout.")] = None,
    genome: GenomeFile = None,
    conservation: Conservation = None,
    force: Force = False,
    device: Device = "auto",
    threads: Threads = 0,
) -> None:
    """Predict class probabilities or values, one row a sequence."""
    from motifcnn.devices import choose_device, use_threads
    from motifcnn.formats.files import write_text
    from motifcnn.predicting import predict_file
    from motifcnn.ranks import joined

    with joined() as ranks:
        if out is not None and out.is_file() and not force:
            raise MotifcnnError(f"{out}: exists; give another name with --out, or write over it with --force")
        chosen = choose_device(device)
        use_threads(threads)
        speech.say(f"computing on {chosen.torch_device} ({chosen.reason}){speech.crowd(ranks)}")
        table = predict_file(model, sequences, genome, tuple(conservation or ()), chosen, ranks)
        if not ranks.is_first:
            return
        text = table.to_csv(sep="\t", index=False, float_format="%.6g", lineterminator="\n")
        if out is None:
            sys.stdout.write(text)
        else:
            write_text(out, text)
            speech.say(f"{len(table)} predictions in {out}")
