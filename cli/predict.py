"""`motifcnn predict`: what a trained network says of sequences, and of variants of a genome."""

import csv
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from motifcnn.errors import MotifcnnError
from motifcnn.settings import InputSettings, ScanSettings, help_text

from . import speech
from .options import Conservation, Device, Force, GenomeFile, Threads
from .refusals import refuse_existing, refuse_given

if TYPE_CHECKING:
    from motifcnn.devices import Device as Processor
    from motifcnn.prediction.predicting import Predicted
    from motifcnn.prediction.variant_files import VariantRequest


def predict(
    sequences: Annotated[
        Path | None, typer.Argument(metavar="[SEQS]", help="FASTA, or BED with --genome; - reads stdin.")
    ] = None,
    model: Annotated[Path, typer.Option("--model", "-m", help="Run directory.")] = Path("motifcnn_out"),
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="File to write: TSV; values of bases: also .bedgraph or .bw. Left out: stdout."
        ),
    ] = None,
    genome: GenomeFile = None,
    conservation: Conservation = None,
    vcf: Annotated[
        Path | None,
        typer.Option(help="Variants, in place of SEQS and with --genome: each alternative against the reference."),
    ] = None,
    annotated: Annotated[
        Path | None, typer.Option(help="With --vcf: VCF to write with further INFO fields; bgzip if it ends in .gz.")
    ] = None,
    width: Annotated[
        int | None,
        typer.Option(min=0, help="With --vcf: width of the window around a variant; 0, the default: that of training."),
    ] = None,
    p_value: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="With --vcf: largest p-value of a motif hit that is gained or lost.",
            show_default=str(ScanSettings().p_value),
        ),
    ] = None,
    per_base: Annotated[
        list[Path] | None,
        typer.Option(help="Measured values of bases to score the predictions by, one file a target, as in training."),
    ] = None,
    base_gaps: Annotated[
        Literal["missing", "zero"] | None,
        typer.Option(help=help_text(InputSettings, "base_gaps"), show_default=InputSettings().base_gaps),
    ] = None,
    force: Force = False,
    device: Device = "auto",
    threads: Threads = 0,
) -> None:
    """Predict class probabilities or values, one row a sequence, or what variants change, one row an allele."""
    from motifcnn.devices import choose_device, use_threads
    from motifcnn.prediction.predicting import predict_file
    from motifcnn.ranks import joined, refuse_several

    if (sequences is None) == (vcf is None):
        raise typer.BadParameter("give sequences, or variants with --vcf", param_hint="[SEQS]")
    if vcf is not None and genome is None:
        raise typer.BadParameter("needs --genome FASTA, which the variants belong to", param_hint="--vcf")
    if vcf is None:
        refuse_given("needs variants; add --vcf", annotated=annotated, width=width, p_value=p_value)
    else:
        refuse_given("scores predictions of sequences; leave it out with --vcf", per_base=per_base or None)
        refuse_several("predict --vcf")
    if not per_base:
        refuse_given("is about measured values; add --per-base", base_gaps=base_gaps)
    with joined() as ranks:
        inputs = (sequences, genome, vcf, *(conservation or ()), *(per_base or ()))
        refuse_existing(out, force=force, inputs=inputs)
        refuse_existing(annotated, force=force, option="--annotated", inputs=inputs)
        chosen = choose_device(device)
        use_threads(threads)
        speech.say(f"computing on {chosen.torch_device} ({chosen.reason}){speech.crowd(ranks)}")
        tracks = tuple(conservation or ())
        if sequences is not None:
            predicted = predict_file(model, sequences, genome, tracks, chosen, ranks)
            if ranks.is_first:
                _write(predicted, out, genome, inputs, force=force)
                _score(predicted, model, tuple(per_base or ()), base_gaps or InputSettings().base_gaps)
        elif vcf is not None and genome is not None:
            from motifcnn.prediction.variant_files import VariantRequest

            largest = ScanSettings().p_value if p_value is None else p_value
            _compare(VariantRequest(model, vcf, genome, tracks, width or 0, largest, annotated), out, chosen)


def _write(
    predicted: "Predicted", out: Path | None, genome: Path | None, inputs: Iterable[Path | None], *, force: bool
) -> None:
    from motifcnn.formats.files import write_text
    from motifcnn.prediction.base_tracks import files_of, write_bases

    if predicted.per_base:
        for path in files_of(out, predicted.names) if out is not None else ():
            refuse_existing(path, force=force, inputs=inputs)
        for path in write_bases(predicted, out, sys.stdout.write, genome):
            speech.say(f"{len(predicted.values)} predictions of bases in {path}")
        return
    text = predicted.table().to_csv(
        sep="\t", index=False, float_format="%.6g", lineterminator="\n", quoting=csv.QUOTE_NONE
    )
    if out is None:
        sys.stdout.write(text)
    else:
        write_text(out, text)
        speech.say(f"{speech.counted(len(predicted.values), 'prediction')} in {out}")


def _score(predicted: "Predicted", model: Path, truth: tuple[Path, ...], gaps: Literal["missing", "zero"]) -> None:
    """Say how good predictions of bases are, where measured values were given."""
    from motifcnn.measures import MEASURE_NAMES
    from motifcnn.prediction.base_tracks import score_bases

    if not truth:
        return
    if not predicted.per_base:
        raise MotifcnnError(f"{model}: this network has a value for each sequence, which --per-base cannot score")
    scores = score_bases(predicted, truth, gaps)
    for name, own in scores.per_target.items():
        figures = ", ".join(f"{MEASURE_NAMES[measure]} {getattr(own, measure):.3f}" for measure in scores.measures)
        speech.say(f"{name}: {figures} on {own.n} bases")


def _compare(request: "VariantRequest", out: Path | None, chosen: "Processor") -> None:
    from motifcnn.formats.files import atomic_write
    from motifcnn.prediction.variant_files import compare_variants

    with nullcontext(sys.stdout.buffer) if out is None else atomic_write(out) as file:
        summary = compare_variants(request, file, chosen)
        file.flush()
    if summary.symbolic:
        speech.warn(f"left out: {speech.counted(summary.symbolic, 'symbolic alternative')}, such as <DEL> or *")
    if summary.short:
        speech.warn(
            f"left out: {speech.counted(summary.short, 'alternative')} on chromosomes too short for the filters"
        )
    speech.say(
        f"{speech.counted(summary.alleles, 'alternative')} of {speech.counted(summary.variants, 'variant')}; "
        f"with {summary.gained:,} some motif is gained, with {summary.lost:,} lost" + (f"; in {out}" if out else "")
    )
