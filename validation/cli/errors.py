"""`fem-constriction errors`: exit status 1 if the backends' limits of one staircase differ by more than their uncertainties."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from fem_constriction.errors import InputError
from fem_constriction.files import json_text, write_text
from fem_constriction.pictures import printed
from fem_constriction.problem.kinds import IMAGE
from fem_constriction.problem.problem import Problem
from fem_constriction.spectra.frequencies import parse_frequencies
from validation.cli.options import CellFile, Json, Quiet
from validation.errors_apart import pictures, tables
from validation.errors_apart.images import tell_image_apart
from validation.errors_apart.run import RESOLUTIONS, tell_apart
from validation.gate.default_cell import cell_of as read
from validation.show import terminal


def errors(
    cell_file: CellFile,
    resolutions: Annotated[
        str, typer.Option(metavar="N,N,...", help="Voxels per edge of the cell, ascending; a label image has its own.")
    ] = ",".join(map(str, RESOLUTIONS)),
    frequencies: Annotated[
        str, typer.Option(metavar="a:b:n", help="Frequencies beside direct current, Hz; each costs as the first does.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for errors.json and pictures.", show_default="none")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Tell apart what a voxelised contact outline costs, or a label image: grid, interface or area, and staircase."""
    cell = read(cell_file)
    points = terminal.named("--frequencies", lambda: parse_frequencies(frequencies)) if frequencies else ()
    numbers = _numbers(resolutions)
    if out is not None:
        terminal.check_folder(out, [])
    of_image = Problem.of(cell).kind == IMAGE
    with terminal.counted("backends" if of_image else "resolutions", 2 if of_image else len(numbers), quiet or as_json) as step:
        study: Callable[[], Any] = partial(tell_apart, cell, numbers, points, progress=step)
        if of_image:
            study = partial(tell_image_apart, cell, points, progress=step)
        found = terminal.named("--resolutions", terminal.aside(study))
    if out is not None:
        write_text(out / "errors.json", json_text(found.as_dict()) + "\n")
        for draw in (pictures.image_errors,) if of_image else (pictures.errors, pictures.outlines):
            printed.save(partial(draw, found), out, "errors" if of_image else draw.__name__)
    terminal.show(found.as_dict(), lambda: (tables.of_image if of_image else tables.render)(found), as_json, quiet)
    if found.disagreements:
        terminal.say(f"the backends differ on {len(found.disagreements)} limits, the first: {found.disagreements[0]}")
    return 1 if found.disagreements else 0


def _numbers(text: str) -> list[int]:
    try:
        return [int(each) for each in text.split(",")]
    except ValueError:
        raise InputError(key="--resolutions", value=text, allowed="whole numbers with commas between, 20,40,80") from None
