"""The application: its commands, its global options and how faults reach the user."""

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from motifcnn.errors import AlreadyTold, InterruptedRun, MotifcnnError
from motifcnn.processors import leave_processors_while_waiting
from motifcnn.ranks import place, refuse_several

from . import check, compare, demo, doctor, explain, export, predict, report, scan, simulate, speech, train


class _OneLineFaults(TyperGroup):
    """Turn every fault that a user can mend into one line and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # here, where a full disk can still be told in one line
            return result
        except InterruptedRun as interruption:
            speech.say(str(interruption))
            raise typer.Exit(130) from None
        except KeyboardInterrupt:
            speech.say("interrupted; no file was left half-written")
            raise typer.Exit(130) from None
        except AlreadyTold:
            raise typer.Exit(1) from None
        except MotifcnnError as error:
            speech.fail(str(error))
            raise typer.Exit(1) from None
        except BrokenPipeError:  # the reader of our output went away, as `head` does
            sys.stderr.close()
            raise typer.Exit(1) from None
        except OSError as error:
            from motifcnn.formats.files import no_room

            reason = no_room(error)
            if reason is None:
                raise
            speech.fail(reason)
            _drop_unwritten_output()
            raise typer.Exit(1) from None


def _drop_unwritten_output() -> None:
    """Let what stdout could not take go, or Python fails once more when it ends."""
    stream = sys.__stdout__
    if stream is not None and sys.stdout is stream:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


app = typer.Typer(
    name="motifcnn",
    cls=_OneLineFaults,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


_DIVIDED = {"predict", "scan", "train"}
"""Commands that share their work where torchrun starts several processes."""


def _show_version(wanted: bool) -> None:
    if wanted:
        from motifcnn import __version__

        typer.echo(f"motifcnn {__version__}")
        raise typer.Exit


@app.callback()
def motifcnn(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but faults.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Find motifs in labelled DNA, RNA or protein sequences with a convolutional network."""
    leave_processors_while_waiting()
    speech.set_level(verbose=verbose, quiet=quiet or place().rank > 0)  # of several processes, the first speaks
    if context.invoked_subcommand not in _DIVIDED:
        refuse_several(str(context.invoked_subcommand))


app.command("train")(train.train)
app.command("scan")(scan.scan)
app.command("predict")(predict.predict)
app.command("explain")(explain.explain)
app.command("check")(check.check)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("simulate")(simulate.simulate)
app.command("report")(report.report)
app.add_typer(export.export)
app.command("compare")(compare.compare)
