"""`fem-constriction spectrum`: one backend, or guaranteed discs of two."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from fem_constriction.api import brings_grid, solve, spectrum_of
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import Absent, InputError
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.capabilities import require
from fem_constriction.solving.refinement import FIRST_LEVELS, solve_to
from fem_constriction.spectra.frequencies import parse_frequencies
from validation.cli.options import CellFile, Frequencies, Json, Quiet
from validation.discs.guaranteed import guarantee
from validation.gate import run as gate
from validation.show import crosscheck_files as writing
from validation.show import report, terminal


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
    if accuracy is not None and resolution is not None:
        raise InputError("--accuracy and --resolution are not allowed together: one asks for a limit, the other for a grid")
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
    names = [backend] if backend is not None else list(gate.BACKENDS)
    chosen = terminal.named("--backend", lambda: [backend_named(name) for name in names])
    resolution = terminal.named("--resolution", lambda: Problem.of(cell).body.resolution(resolution))
    option = " --accuracy" if accuracy is not None else " --resolution" if resolution is not None else ""
    require("spectrum --guaranteed" if guaranteed else f"spectrum{option}", cell, chosen)
    if out.suffix == ".json":
        raise InputError(key="--out", value=out, allowed="the name of a CSV file")
    terminal.check_file(out, "a CSV file", cell_file)
    terminal.check_folder(out.parent, [out.stem])
    asked = 1e-3 if accuracy is None else accuracy
    with terminal.progress(names, "", quiet, grids=len(FIRST_LEVELS) if resolution is None else 1) as step:
        if guaranteed:
            discs = partial(guarantee, cell, points, asked, backends=chosen, progress=step)
            found = terminal.named("--accuracy", terminal.aside(discs)).spectrum()
        elif resolution is None and not (accuracy is None and brings_grid(cell, chosen[0])):
            found = terminal.named(
                "--accuracy", terminal.aside(lambda: spectrum_of(solve_to(cell, chosen[0], points, asked, step), points))
            )
        else:
            found = terminal.named(
                "--resolution",
                terminal.aside(lambda: solve(cell, points, backend=chosen[0], resolution=resolution, accuracy=accuracy)),
            )
    found.save(out, header=not no_header)
    terminal.show(writing.columns(found), lambda: report.spectrum_report(found), as_json, quiet)
    return 0
