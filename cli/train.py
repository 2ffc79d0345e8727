"""`motifcnn train`: labelled sequences in, tested motifs out."""

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from motifcnn.settings import Settings

from . import speech
from .options import Force, GenomeFile
from .tunables import with_tunables

if TYPE_CHECKING:
    from motifcnn.learning.training import EpochReport
    from motifcnn.model.table import LayerRow
    from motifcnn.outcome import Outcome


@with_tunables("", "input", "channels", "split", "cross_validation", "model", "training", "motifs")
def train(
    sequences: Annotated[Path, typer.Argument(metavar="SEQS", help="FASTA; or BED or narrowPeak with --genome.")],
    labels: Annotated[
        Path | None, typer.Argument(metavar="[LABELS]", help="TSV; left out: all are positives, negatives are made.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Run directory.")] = Path("motifcnn_out"),
    genome: GenomeFile = None,
    conservation: Annotated[
        list[Path] | None,
        typer.Option(
            help="Track for a further channel: TSV, bigWig, bedGraph, wiggle, alignment or PSSM; may be repeated."
        ),
    ] = None,
    per_base: Annotated[
        list[Path] | None,
        typer.Option(
            help="Target with a value for each base, for --architecture unet or aspp: TSV, bigWig, bedGraph or wiggle; "
            "may be repeated."
        ),
    ] = None,
    force: Force = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run, exactly.")] = False,
    *,
    settings: Settings,
) -> None:
    """Train a network, turn its filters into motifs, test them on held-out data, write a report."""
    from motifcnn.pipeline import TrainingRequest, run
    from motifcnn.preparation import InputFiles

    files = InputFiles(sequences, labels, genome, tuple(conservation or ()), tuple(per_base or ()))
    request = TrainingRequest(files, out, settings, sys.argv[1:], force, resume)
    with TrainingProgress() as progress:
        outcome = run(request, on_layers=say_layers, on_epoch=progress.update)
    if outcome is not None:
        say_outcome(outcome, out, settings.motifs.e_threshold)


def say_layers(rows: "list[LayerRow]") -> None:
    """Show the layer table."""
    from rich.table import Table

    table = Table("layer", "output", box=None, header_style="bold", pad_edge=False)
    for title in ("receptive field", "parameters", "if locally connected"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            row.layer,
            row.output,
            f"{row.receptive_field:,}",
            f"{row.parameters:,}",
            f"{row.locally_connected_parameters:,}",
        )
    speech.show(table)


class TrainingProgress:
    """A progress bar on a terminal; a line now and then elsewhere."""

    def __enter__(self) -> "TrainingProgress":
        self._bar: Any = None
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, report: "EpochReport") -> None:
        """Show an epoch's figures."""
        from motifcnn.measures import MEASURE_NAMES

        record = report.record
        text = f"loss {record.validation_loss:.4f}, {MEASURE_NAMES[report.measure]} {record.validation_score:.4f}"
        if report.measure == "average_precision":
            text += f" (guessing {report.guessing:.4f})"
        if not speech.on_terminal():
            if record.epoch == 1 or record.epoch % 10 == 0 or record.epoch == report.epochs:
                left = (
                    f", about {report.seconds_left:.0f} s left" if record.epoch > 1 else ""
                )  # the first compiles, too
                speech.say(f"epoch {record.epoch}/{report.epochs}: validation {text}{left}")
            return
        if self._bar is None:
            self._bar = speech.progress_bar("training", report.epochs)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=record.epoch, what=text)


def say_outcome(outcome: "Outcome", out: Path, e_threshold: float) -> None:
    """Sum a run up in a few lines.

    Args:
        outcome: What was found.
        out: Run directory.
        e_threshold: Largest held-out E-value of a motif called significant.
    """
    from motifcnn.discovery.channel_findings import ablation_metrics
    from motifcnn.learning.cross_validation import cross_validation_metrics
    from motifcnn.measures import MEASURE_NAMES
    from motifcnn.report.channels import ablation_sentence
    from motifcnn.report.wording import cross_validation_sentence

    scores = outcome.scores("test")
    baselines = ", ".join(f"{b.name} alone {b.scores.headline:.3f}" for b in outcome.baselines)
    guessing = f"guessing {scores.guessing:.3f}, " if scores.measures[0] == "average_precision" else ""
    measure = MEASURE_NAMES[scores.measures[0]]
    unit = "examples" if outcome.examples.bases is None else "bases"
    speech.say(f"held-out {measure} {scores.headline:.3f} on {scores.n} {unit} ({guessing}{baselines})")
    if math.isnan(scores.headline):
        speech.warn(f"held-out {unit} are all alike, so that nothing tells how good the network is; give more of them")
    if outcome.cross_validation is not None:
        sentence = cross_validation_sentence(cross_validation_metrics(outcome.cross_validation))
        speech.say(sentence[0].lower() + sentence[1:-1])
    if outcome.channels.ablation is not None:
        names = list(outcome.examples.track_names)
        speech.say(ablation_sentence({"ablation": ablation_metrics(outcome.channels.ablation)}, names))
    significant = [m for m in outcome.assessment.motifs if m.e_value <= e_threshold]
    are = "is" if len(significant) == 1 else "are"
    speech.say(f"{len(significant)} of {len(outcome.assessment.motifs)} motifs {are} significant (E ≤ {e_threshold:g})")
    for tested in outcome.assessment.motifs[:5]:
        composed = tested.composition.explained and tested in significant
        known = tested.relatives
        near = known.named if known else ""
        speech.say(
            f"  {tested.motif.name}  {tested.motif.consensus}  E = {tested.e_value:.2g}, "
            f"AUROC alone {tested.enrichment.auroc:.3f}"
            + (f", like {near}" if near else "")
            + (", explained by composition alone" if composed else "")
        )
    speech.say(f"report: {out / 'report.html'}")
