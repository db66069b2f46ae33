"""fem-constriction: the command line. Exit status 0 done, 1 a check did not pass, 2 wrong input, 3 failed, 130 interrupted."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from fem_constriction import chatter, distribution
from validation.cli.options import grouped
from validation.show import streams, terminal


@dataclass(frozen=True)
class Entry:
    """A command as the list of commands shows it: where its function is, its line of help, and the group it stands in."""

    module: str
    line: str
    group: str

    def load(self, name: str) -> Any:
        """Import the command and return it; a module may have an app of its own, of several commands."""
        found = getattr(import_module(f"validation.cli.{self.module}"), name)
        if isinstance(found, typer.Typer):
            return grouped(typer.main.get_command(found))
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(found)
        return grouped(typer.main.get_command(alone))


_ONE, _MANY, _TRUST, _TOLD = "One cell", "Studies", "How far it can be trusted", "What there is"

#: Every command by name, in the order in which they are listed. A command's line is the first of its function's docstring.
COMMANDS: Final[Mapping[str, Entry]] = {
    "crosscheck": Entry(
        "crosscheck",
        "Solve a cell with two backends, check that they agree, then extract R, C and tau of the constriction.",
        _ONE,
    ),
    "spectrum": Entry(
        "spectrum",
        "Compute the spectrum of one backend, to an accuracy or on one grid; or of two, with guaranteed error discs.",
        _ONE,
    ),
    "fit": Entry(
        "fit",
        "Fit a circuit of numbered arcs, or a cell (--cell), to any spectrum; exit status 1 if it does not describe it.",
        _ONE,
    ),
    "fields": Entry(
        "fields",
        "Compute potential and current density of a cell, write them for ParaView and draw the section through the middle.",
        _ONE,
    ),
    "budget": Entry(
        "budget",
        "Say how much of R_DC and of the constriction resistance each process makes, from two backends side by side.",
        _ONE,
    ),
    "bounds": Entry(
        "bounds", "Enclose R_DC, R_Cstr and Z at real s between potentials and currents on the same triangles, or voxels.", _ONE
    ),
    "show": Entry("cells", "Show a cell in SI units, and what follows from it; with --quiet only check the file.", _ONE),
    "sweep": Entry(
        "sweep", "Compute a parameter study, point by point; the same command goes on where it was interrupted.", _MANY
    ),
    "figures": Entry(
        "figures", "Recompute the figures of Eckhardt et al. 2022; the same command goes on where it was interrupted.", _MANY
    ),
    "claims": Entry(
        "claims",
        "Check the claims of Eckhardt et al. 2022 on both backends; what they need is computed, unless `figures` has.",
        _MANY,
    ),
    "converge": Entry(
        "converge", "Solve families of grids, and compare the orders at which they converge with those of theory.", _TRUST
    ),
    "errors": Entry(
        "errors",
        "Tell apart what a voxelised contact outline costs, or a label image: grid, interface or area, and staircase.",
        _TRUST,
    ),
    "conformance": Entry(
        "conformance", "Put a backend through the suite of checks that every backend must pass; see docs/backends.md.", _TRUST
    ),
    "benchmark": Entry(
        "benchmark",
        "Time spectra against voxels, errors or on one grid, beside their peers; or compare discs with true errors.",
        _TRUST,
    ),
    "references": Entry(
        "references",
        "List the published reference spectra, copy them to a folder, compute them anew, or check that they are reproduced.",
        _TRUST,
    ),
    "backends": Entry(
        "cells",
        "List the installed backends, and which command takes which kind of cell on which of them; or this cell.",
        _TOLD,
    ),
    "schema": Entry("cells", "Print the JSON schema of the cell file, for editors to complete it.", _TOLD),
}


class Commands(TyperGroup):
    """The commands, of which only the one that runs is imported: the list of them takes a tenth of a second."""

    def __init__(self, *, commands: Any = None, **others: Any) -> None:
        listed = {name: TyperCommand(name, help=entry.line, rich_help_panel=entry.group) for name, entry in COMMANDS.items()}
        super().__init__(commands={**listed, **dict(commands or {})}, **others)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # click's types: typer has changed where it keeps them
        """Return the name of the command that is to run, the command, and its options and arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, COMMANDS[name].load(name) if name is not None and name in COMMANDS else command, rest


app = typer.Typer(
    cls=Commands,
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
