"""`fem-constriction crosscheck`: the main job."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from fem_constriction.errors import InputError
from fem_constriction.problem.problem import check_solvable
from fem_constriction.solving.backends import any_backend
from fem_constriction.solving.capabilities import require
from fem_constriction.solving.refinement import FIRST_LEVELS
from fem_constriction.spectra.frequencies import parse_frequencies
from validation.cli.options import Frequencies, Json, MaybeCellFile, Quiet
from validation.gate import run as gate
from validation.gate.default_cell import cell_of
from validation.show import crosscheck_files as writing
from validation.show import report, terminal


def crosscheck(
    cell_file: MaybeCellFile = None,
    backends: Annotated[str, typer.Option(help="Two or more backends, with commas between.")] = "network,fem",
    frequencies: Frequencies = "1e-3:1e9:61",
    tolerance: Annotated[float, typer.Option(help="What the uncertainties together may be, relative to |Z|.")] = 1e-3,
    accuracy: Annotated[
        float | None,
        typer.Option(help="Radius of the guaranteed discs, relative to |Z|.", show_default="as the finest grids give"),
    ] = None,
    discs: Annotated[bool, typer.Option(help="Guaranteed discs as well.")] = True,
    out: Annotated[Path, typer.Option(help="Folder for results, spectra and plots.")] = Path("crosscheck"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Solve a cell with two backends, check that they agree, then extract R, C and tau of the constriction."""
    cell = cell_of(cell_file)
    points = terminal.named("--frequencies", lambda: parse_frequencies(frequencies))
    if not 0 < tolerance < 1:
        raise InputError(key="--tolerance", value=tolerance, allowed="a number between 0 and 1, relative to |Z|")
    if accuracy is not None and not 0 < accuracy < 1:
        raise InputError(key="--accuracy", value=accuracy, allowed="a number between 0 and 1, relative to |Z|")
    names = [name.strip() for name in backends.split(",") if name.strip()]
    chosen = terminal.named("--backends", lambda: [any_backend(name) for name in names])
    if len(set(names)) < 2:
        raise InputError(key="--backends", value=backends, allowed="name at least two different ones")
    check_solvable(cell)
    require("crosscheck" if accuracy is None else "crosscheck --accuracy", cell, chosen)
    terminal.check_folder(out, [*names, "agreed"])
    if not (quiet or as_json):
        terminal.console().print(report.task(cell, names, points.tolist(), tolerance))
    with terminal.progress(names, "agreement and extraction", quiet, grids=len(FIRST_LEVELS)) as step:
        judged = partial(gate.crosscheck, cell, points, backends=chosen, tolerance=tolerance, accuracy=accuracy, discs=discs)
        result = terminal.named("--accuracy", terminal.aside(partial(judged, progress=step)))
        written = writing.write_result(result, out, () if accuracy is None else (f"--accuracy {accuracy!r}",))
    terminal.show(result.as_dict(), lambda: report.crosscheck_report(result), as_json, quiet)
    if not (quiet or as_json):
        terminal.console().print(f"Written to {out}: {', '.join(path.name for path in written)}")
    if result.refusal is not None:
        terminal.say(result.refusal)
    apart = result.agreement.electrodes.items()
    for said in (f"{name} electrode: {each.summary()}" for name, each in apart if each.verdict != "agree"):
        terminal.say(said)
    return 0 if result.refusal is None and all(each.verdict == "agree" for _, each in apart) else 1
