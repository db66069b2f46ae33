"""fem-constriction: the command line. Exit status 0 done, 1 a check did not pass, 2 wrong input, 3 failed, 130 interrupted."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from fem_constriction import chatter, distribution
from fem_constriction.api import brings_grid, solve, spectrum_of
from fem_constriction.backends import any_backend, backend_named, check_solvable
from fem_constriction.capabilities import require
from fem_constriction.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.frequencies import parse_frequencies
from fem_constriction.microstructure import own_resolution
from fem_constriction.refinement import FIRST_LEVELS, solve_to
from validation import benchmark_command, capability_report, gate, report, streams, terminal, writing
from validation.bounds_command import bounds
from validation.budget_command import budget
from validation.conformance.command import conformance
from validation.convergence.command import converge
from validation.errors_apart.command import errors
from validation.field_command import fields
from validation.fit_command import fit
from validation.guaranteed import guarantee
from validation.options import CellFile, Frequencies, Json, MaybeCellFile, Quiet, cell_of
from validation.paper.claims_command import claims
from validation.paper.command import figures
from validation.references.command import references
from validation.study import command as study

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


@app.command()
def crosscheck(
    cell_file: MaybeCellFile = None,
    backends: Annotated[str, typer.Option(help="Two or more backends, with commas between.")] = "network,fem",
    frequencies: Frequencies = "1e-3:1e9:61",
    tolerance: Annotated[float, typer.Option(help="What the uncertainties together may be, relative to |Z|.")] = 1e-3,
    accuracy: Annotated[
        float | None,
        typer.Option(help="Radius of the guaranteed discs, relative to |Z|.", show_default="as the finest grids give"),
    ] = None,
    discs: Annotated[bool, typer.Option(help="Guaranteed discs as well, which take most of the time.")] = True,
    out: Annotated[Path, typer.Option(help="Folder for results, spectra and plots.")] = Path("crosscheck"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Solve a cell with two backends, check that they agree, then extract R, C and tau of the constriction."""
    cell = cell_of(cell_file)
    points = terminal.named("--frequencies", lambda: parse_frequencies(frequencies))
    if not 0 < tolerance < 1:
        raise InputError(f"--tolerance = {tolerance!r} is not allowed: a number between 0 and 1, relative to |Z|")
    if accuracy is not None and not 0 < accuracy < 1:
        raise InputError(f"--accuracy = {accuracy!r} is not allowed: a number between 0 and 1, relative to |Z|")
    names = [name.strip() for name in backends.split(",") if name.strip()]
    chosen = terminal.named("--backends", lambda: [any_backend(name) for name in names])
    if len(set(names)) < 2:
        raise InputError(f"--backends = {backends!r} is not allowed: name at least two different ones")
    check_solvable(cell)
    require("crosscheck" if accuracy is None else "crosscheck --accuracy", cell, chosen)
    terminal.check_folder(out, [*names, "agreed"])
    if not (quiet or as_json):
        terminal.console().print(report.task(cell, names, points.tolist(), tolerance))
    with terminal.progress(names, "agreement and extraction", quiet) as step:
        judged = partial(gate.crosscheck, cell, points, backends=chosen, tolerance=tolerance, accuracy=accuracy, discs=discs)
        result = terminal.named("--accuracy", terminal.aside(partial(judged, progress=step)))
        written = writing.write_result(result, out, () if accuracy is None else (f"--accuracy {accuracy!r}",))
    terminal.show(result.as_dict(), lambda: report.crosscheck_report(result), as_json, quiet)
    if not (quiet or as_json):
        terminal.console().print(f"Written to {out}: {', '.join(path.name for path in written)}")
    if result.refusal is not None:
        terminal.say(result.refusal)
    return 0 if result.refusal is None else 1


@app.command()
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
            "--guaranteed is not allowed with --backend or --resolution: it takes two backends and makes its grids"
        )
    if backend is None and not guaranteed:
        raise InputError("--backend is missing: allowed is the name of a backend (see `backends`), or --guaranteed instead")
    names = [backend] if backend is not None else list(gate.BACKENDS)
    chosen = terminal.named("--backend", lambda: [backend_named(name) for name in names])
    resolution = terminal.named("--resolution", lambda: own_resolution(cell, resolution))
    option = " --accuracy" if accuracy is not None else " --resolution" if resolution is not None else ""
    require("spectrum --guaranteed" if guaranteed else f"spectrum{option}", cell, chosen)
    if out.suffix == ".json":
        raise InputError(f"--out = '{out}' is not allowed: the name of a CSV file")
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


@app.command()
def backends(
    cell_file: Annotated[
        Path | None, typer.Argument(metavar="CELL.toml", help="Cell file.", show_default="every kind of cell")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """List the installed backends, and which command takes which kind of cell on which of them; or this cell."""
    if cell_file is not None:
        found = capability_report.of_cell(Cell.load(cell_file))
        terminal.show(found, lambda: capability_report.cell_report(found), as_json, quiet)
        return 0
    rows = capability_report.general_rows()
    terminal.show(rows, lambda: capability_report.general_report(rows), as_json, quiet)
    return 0


@app.command()
def schema(as_json: Json = False, quiet: Quiet = False) -> int:
    """Print the JSON schema of the cell file, for editors to complete it."""
    terminal.show(Cell.json_schema(), lambda: "", not quiet, quiet)
    return 0


@app.command()
def show(cell_file: CellFile, as_json: Json = False, quiet: Quiet = False) -> int:
    """Show a cell in SI units, and what follows from it; with --quiet only check the file."""
    cell = Cell.load(cell_file)
    record = {"cell": cell.model_dump(mode="json", exclude_none=True), "derived": report.derived(cell)}
    terminal.show(record, lambda: report.cell_report(cell), as_json, quiet)
    return 0


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
