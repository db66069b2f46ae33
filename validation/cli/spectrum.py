"""`fem-constriction spectrum`: one backend, or guaranteed discs of two."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from fem_constriction.api import spectrum_on
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import Absent, InputError
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import BUILT_IN, backend_named
from fem_constriction.solving.capabilities import require
from fem_constriction.solving.choice import DEFAULT, Accuracy, one_of, settled
from fem_constriction.solving.reference import apart
from fem_constriction.solving.refinement import FIRST_LEVELS
from fem_constriction.spectra.frequencies import parse_frequencies
from validation.cli.options import CellFile, Frequencies, Json, Quiet
from validation.show import tables, terminal


def spectrum(
    cell_file: CellFile,
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Where the spectrum is written.", show_default=False)],
    backend: Annotated[
        str | None, typer.Option(help="Backend, see `backends`; needed unless --guaranteed.", show_default=False)
    ] = None,
    frequencies: Frequencies = "1e-3:1e9:61",
    accuracy: Annotated[float | None, typer.Option(help="Uncertainty asked for, relative to |Z|.", show_default="1e-3")] = None,
    resolution: Annotated[int | None, typer.Option(help="One grid of so many cells per edge instead.")] = None,
    guaranteed: Annotated[
        bool, typer.Option("--guaranteed", help="Both backends together: discs of that radius hold the true Z.")
    ] = False,
    no_header: Annotated[bool, typer.Option("--no-header", help="Numbers only, as impedance.py reads them.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Compute the spectrum of one backend, to an accuracy or on one grid; or of two, with guaranteed error discs."""
    cell = Cell.load(cell_file)
    points = terminal.named("--frequencies", lambda: parse_frequencies(frequencies))
    asked = terminal.named("--accuracy", lambda: one_of(accuracy=accuracy, resolution=resolution, prefix="--"))
    if guaranteed and (backend is not None or resolution is not None):
        raise InputError(
            key="--guaranteed", when="with --backend or --resolution", why="it takes two backends and makes its grids"
        )
    if backend is None and not guaranteed:
        raise InputError(
            key="--backend",
            value=Absent.MISSING,
            allowed="allowed is the name of a backend (see `backends`), or --guaranteed instead",
        )
    names = [backend] if backend is not None else list(BUILT_IN)
    chosen = terminal.named("--backend", lambda: [backend_named(name) for name in names])
    problem, choice = Problem.of(cell).over(points), asked or DEFAULT
    if guaranteed:
        require("spectrum --guaranteed", problem, chosen)
    else:
        choice = terminal.named("--resolution", lambda: settled("spectrum", problem, chosen[0], asked))
    if out.suffix == ".json":
        raise InputError(key="--out", value=out, allowed="the name of a CSV file")
    terminal.check_file(out, "a CSV file", cell_file)
    terminal.check_folder(out.parent, [out.stem])
    with terminal.progress(names, "", quiet, grids=len(FIRST_LEVELS) if isinstance(choice, Accuracy) else 1) as step:
        if guaranteed and isinstance(choice, Accuracy):
            from validation.discs.guaranteed import guarantee

            discs = partial(guarantee, cell, points, choice.relative, backends=chosen, progress=step)
            found = terminal.named("--accuracy", terminal.aside(discs)).spectrum()
            found = replace(found, electrodes=apart(problem, points, found.impedance, found.uncertainty, None))
        else:
            alone = partial(spectrum_on, problem, points, chosen[0], choice, step)
            found = terminal.named("--resolution", terminal.aside(alone))
    found.save(out, header=not no_header)
    terminal.show(tables.columns(found), lambda: tables.spectrum_report(found), as_json, quiet)
    return 0
