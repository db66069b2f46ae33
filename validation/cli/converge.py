"""`fem-constriction converge`: exit status 1 if an order falls short of theory's, or limits of families differ."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from fem_constriction.errors import InputError
from fem_constriction.problem.problem import check_solvable
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.capabilities import require
from fem_constriction.solving.choice import FINEST
from fem_constriction.spectra.frequencies import parse_frequencies
from validation.cli.options import Frequencies, Json, MaybeCellFile, Quiet
from validation.convergence import tables
from validation.convergence.families import check_levels, redrawn
from validation.convergence.run import QUANTITIES, families_of, task_of
from validation.convergence.run import converge as study
from validation.convergence.theory import GRIDS, OWN, REDRAWN
from validation.gate.default_cell import cell_of
from validation.gate.run import BACKENDS
from validation.show import terminal

BOTH = "both"


def converge(
    cell_file: MaybeCellFile = None,
    backend: Annotated[
        list[str] | None, typer.Option(help="Backend, may be given several times.", show_default="network and fem")
    ] = None,
    levels: Annotated[int, typer.Option(help=f"Grids per family, 3 to {FINEST + 1}, step halved from one to the next.")] = 4,
    grids: Annotated[
        str | None, typer.Option(metavar="graded|uniform|both", help="Families of grids of a stack.", show_default=BOTH)
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="subdivision|image",
            help="Families of a label image: its voxels cut finer, or a generated one drawn again.",
            show_default="subdivision",
        ),
    ] = None,
    quantity: Annotated[
        list[str] | None,
        typer.Option(metavar="|".join(QUANTITIES), help="Quantity, may be given several times.", show_default="all"),
    ] = None,
    frequencies: Frequencies = "1e-3:1e9:61",
    out: Annotated[Path, typer.Option(help="Folder for results, tables and plots.")] = Path("converge"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Solve families of grids, and compare the orders at which they converge with those of theory."""
    cell = cell_of(cell_file)
    points = terminal.named("--frequencies", lambda: parse_frequencies(frequencies))
    names = list(BACKENDS) if backend is None else backend
    chosen = terminal.named("--backend", lambda: [backend_named(name) for name in names])
    if grids not in (*GRIDS, BOTH, None):
        raise InputError(key="--grids", value=grids, allowed=", ".join((*GRIDS, BOTH)))
    if by not in (*OWN, None):
        raise InputError(key="--by", value=by, allowed=", ".join(OWN))
    if grids is not None and by is not None:
        raise InputError(key="--by", value=by, why="--grids names families of a stack, --by those of a label image")
    asked_for = [each for each in OWN if each == by] if by else [each for each in GRIDS if grids in (each, BOTH)]
    kinds, there = families_of(cell, chosen, asked_for or None)
    if by is not None and by not in there:
        raise InputError(key="--by", value=by, why="a stack has no voxels of its own", remedy="allowed is --grids")
    if by == REDRAWN:
        redrawn(cell, 1)
    asked = list(QUANTITIES) if quantity is None else quantity
    wrong = [name for name in asked if name not in QUANTITIES]
    if wrong:
        raise InputError(key="--quantity", value=wrong[0], allowed=", ".join(QUANTITIES))
    terminal.named("--levels", lambda: check_levels(levels, FINEST + 1))
    check_solvable(cell)
    for task in [task_of(kinds)] if grids is None else [task_of([each]) for each in kinds]:
        require(task, cell, chosen)
    terminal.check_folder(out, [])
    families = [f"{each.name}, {kind}" for each in chosen for kind in kinds]
    with terminal.progress(families, "fits, tables and plots", quiet, grids=levels) as step:
        run = partial(study, cell, backends=chosen, grids=kinds, levels=levels, quantities=asked, frequencies=points)
        result = terminal.named("--backend", terminal.aside(partial(run, progress=step)))
        written = result.save(out)
    terminal.show(result.as_dict(), lambda: tables.render(result), as_json, quiet)
    if not (quiet or as_json):
        terminal.console().print(f"Written to {out}: {', '.join(path.name for path in written)}")
    if not result.passed:
        terminal.say(f"{len(result.failures)} checks did not pass, the first: {result.failures[0]}")
    return 0 if result.passed else 1
