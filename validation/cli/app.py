"""fem-constriction: the command line. Exit status 0 done, 1 a check did not pass, 2 wrong input, 3 failed, 130 interrupted."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from fem_constriction import chatter, distribution
from validation.cli import benchmark as benchmark_command
from validation.cli import sweep as study
from validation.cli.bounds import bounds
from validation.cli.budget import budget
from validation.cli.cells import backends, schema, show
from validation.cli.claims import claims
from validation.cli.conformance import conformance
from validation.cli.converge import converge
from validation.cli.crosscheck import crosscheck
from validation.cli.errors import errors
from validation.cli.fields import fields
from validation.cli.figures import figures
from validation.cli.fit import fit
from validation.cli.references import references
from validation.cli.spectrum import spectrum
from validation.show import streams, terminal

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Impedance spectra of constricted battery contacts, from two discretisations that must agree.",
)


def _version(asked: bool) -> None:
    if asked:
        terminal.console().print(f"{terminal.NAME} {version(terminal.NAME)}")
        raise typer.Exit


@app.callback()
def _start(
    show_version: Annotated[bool, typer.Option("--version", help="Show the version and leave.", callback=_version)] = False,
) -> None: ...


app.command()(crosscheck)
app.command()(spectrum)
app.command()(fit)


app.command()(converge)
app.command()(benchmark_command.benchmark)
app.command()(study.sweep)


app.command()(fields)
app.command()(figures)
app.command()(claims)
app.command()(budget)
app.command()(bounds)
app.command()(errors)
app.command()(conformance)
app.command()(references)
app.command()(backends)
app.command()(schema)
app.command()(show)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; failures are one sentence on stderr."""
    with chatter.ours_alone(lambda message: terminal.say(f"warning: {message}")):
        if argv is not None:
            return _run(list(argv))
        with streams.held() as output:
            status = _run(sys.argv[1:])
            output.flush()
            if output.lost:
                terminal.say(f"standard output cannot be written ({output.lost}): what was to be shown there is lost")
                status = status or 3
    terminal.leave(status)
    return status


def _run(arguments: list[str]) -> int:
    try:
        distribution.check()
        status = typer.main.get_command(app).main(arguments, prog_name=terminal.NAME, standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        status = 130
    except SystemExit as error:
        return int(error.code or 0)
    except Exception as error:
        return terminal.failed(error)
    if status == 130:
        terminal.say("interrupted")
    return int(status or 0)
