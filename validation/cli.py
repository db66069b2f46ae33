"""fem-constriction: the command line. Exit status 0 done, 1 a check did not pass, 2 wrong input, 3 failed, 130 interrupted."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group

from fem_constriction import distribution
from fem_constriction.api import solve, spectrum_of
from fem_constriction.backends import backend_named, check_solvable
from fem_constriction.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.extraction import fit_spectrum
from fem_constriction.files import json_text, write_text
from fem_constriction.refinement import FIRST_LEVELS, solve_to
from fem_constriction.spectrum import Spectrum, parse_frequencies
from validation import gate, report, terminal, writing
from validation.benchmark import benchmark, benchmark_report
from validation.effectivity import effectivity, effectivity_report
from validation.guaranteed import guarantee
from validation.study import command as study

DEFAULT_CELL = "figure_2_25.toml"

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Impedance spectra of constricted battery contacts, from two discretisations that must agree.",
)

CellFile = Annotated[Path, typer.Argument(metavar="CELL.toml", help="Cell file.", show_default=False)]
MaybeCellFile = Annotated[
    Path | None, typer.Argument(metavar="CELL.toml", help="Cell file.", show_default="figure 2 of the paper, 25 % contact")
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout, and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress, no tables: files and exit status only.")]
Frequencies = Annotated[
    str, typer.Option(metavar="a:b:n", help="n logarithmically spaced values from a to b in Hz, or a list: 1,10,100.")
]


def _cell(file: Path | None) -> Cell:
    return Cell.loads(files("validation").joinpath(DEFAULT_CELL).read_text("utf-8")) if file is None else Cell.load(file)


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
    out: Annotated[Path, typer.Option(help="Folder for results, spectra and plots.")] = Path("crosscheck"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Solve a cell with two backends, check that they agree, then extract R, C and tau of the constriction."""
    cell = _cell(cell_file)
    points = terminal.named("--frequencies", lambda: parse_frequencies(frequencies))
    if not 0 < tolerance < 1:
        raise InputError(f"--tolerance = {tolerance!r} is not allowed: a number between 0 and 1, relative to |Z|")
    if accuracy is not None and not 0 < accuracy < 1:
        raise InputError(f"--accuracy = {accuracy!r} is not allowed: a number between 0 and 1, relative to |Z|")
    names = [name.strip() for name in backends.split(",") if name.strip()]
    chosen = terminal.named("--backends", lambda: [backend_named(name) for name in names])
    if len(set(names)) < 2:
        raise InputError(f"--backends = {backends!r} is not allowed: name at least two different ones")
    check_solvable(cell)
    terminal.check_folder(out, [*names, "agreed"])
    if not (quiet or as_json):
        terminal.console().print(report.task(cell, names, points.tolist(), tolerance))
    with terminal.progress(names, "agreement and extraction", quiet) as step:
        judged = partial(gate.crosscheck, cell, points, backends=chosen, tolerance=tolerance, accuracy=accuracy, progress=step)
        result = terminal.named("--accuracy", terminal.aside(judged))
        written = writing.write_result(result, out)
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
    if out.suffix == ".json" or out.is_dir():
        raise InputError(f"--out = '{out}' is not allowed: the name of a CSV file")
    terminal.check_folder(out.parent, [out.stem])
    asked = 1e-3 if accuracy is None else accuracy
    with terminal.progress(names, "", quiet, grids=len(FIRST_LEVELS) if resolution is None else 1) as step:
        if guaranteed:
            discs = partial(guarantee, cell, points, asked, backends=chosen, progress=step)
            found = terminal.named("--accuracy", terminal.aside(discs)).spectrum()
        elif resolution is None:
            found = terminal.named(
                "--accuracy", terminal.aside(lambda: spectrum_of(solve_to(cell, chosen[0], points, asked, step), points))
            )
        else:
            found = terminal.named(
                "--resolution", terminal.aside(lambda: solve(cell, points, backend=chosen[0], resolution=resolution))
            )
    found.save(out, header=not no_header)
    terminal.show(writing.columns(found), lambda: report.spectrum_report(found), as_json, quiet)
    return 0


@app.command()
def fit(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Spectrum, a measured one too.", show_default=False)],
    circuit: Annotated[
        str | None, typer.Option(help="R0-p(R1,C1)-p(R2,C2), 1D-FM or 1D-FM-extended.", show_default="as many arcs as are seen")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR or FILE.json", help="Folder for fit.json and a plot, or a JSON file.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Fit a circuit of numbered arcs to any spectrum with lmfit."""
    data = Spectrum.load(file)
    folder = None if out is None or out.suffix == ".json" else out
    if out is not None:
        terminal.check_folder(out.parent if folder is None else folder, [])
    with terminal.progress([], f"fit of {file.name}", quiet):
        found = terminal.named("--circuit", terminal.aside(lambda: fit_spectrum(data, circuit)))
    agreement = data.provenance.get("agreement") if isinstance(data.provenance, dict) else None
    checked = isinstance(agreement, dict) and agreement.get("verdict") == "agree"
    remark = f"cross-checked: {agreement['summary']}" if checked and agreement else "not cross-checked"
    record = {"file": file.name, "cross_checked": checked, "remark": remark, **found.as_dict()}
    if out is not None:
        write_text(out if folder is None else folder / "fit.json", json_text(record) + "\n")
    if folder is not None:
        from validation import plots

        plots.save(
            lambda: plots.impedance_plane({file.stem: data}, found, title=f"{file.name}, {remark.partition(':')[0]}"),
            folder,
            "nyquist",
        )
    if not (quiet or as_json):
        terminal.console().print(f"{file.name}: {remark}")
    terminal.show(record, lambda: Group(*report.arcs(found)), as_json, quiet)
    return 0


@app.command("benchmark")
def _benchmark(
    backend: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="network, fem or another backend; discs: guaranteed radii beside true errors.",
            show_default=False,
        ),
    ],
    cell_file: MaybeCellFile = None,
    cells: Annotated[int, typer.Option(help="For discs: how many random cells.")] = 20,
    level: Annotated[int, typer.Option(help="Grid of the backend's family, 0 the coarsest.")] = 0,
    frequencies: Frequencies = "1e-3:1e9:61",
    out: Annotated[Path | None, typer.Option(metavar="FILE.json", help="Where the result is written.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Time one grid's spectrum beside one complex sparse solve per frequency; or compare discs with true errors."""
    cell = _cell(cell_file)
    points = terminal.named("--frequencies", lambda: parse_frequencies(frequencies))
    if out is not None:
        if out.is_dir():
            raise InputError(f"--out = '{out}' is not allowed: the name of a JSON file")
        terminal.check_folder(out.parent, [])
    if backend == "discs":
        with terminal.counted("random cells", cells, quiet) as step:
            record = terminal.named("--cells", terminal.aside(lambda: effectivity(cells, level, step)))
    else:
        chosen = backend_named(backend)
        with terminal.progress([], f"benchmark of {backend}", quiet):
            record = terminal.named("--level", terminal.aside(lambda: benchmark(cell, chosen, points, level)))
    if out is not None:
        write_text(out, json_text(record) + "\n")
    shown = effectivity_report if backend == "discs" else benchmark_report
    terminal.show(record, lambda: shown(record), as_json, quiet)
    return 1 if record.get("outside") else 0


app.command()(study.sweep)


@app.command()
def backends(as_json: Json = False, quiet: Quiet = False) -> int:
    """List the installed backends: module, bound and order of convergence."""
    rows = report.backend_rows()
    terminal.show(rows, lambda: report.backend_report(rows), as_json, quiet)
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
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = lambda message, *_: terminal.say(f"warning: {message}")
        status = _run(arguments)
    if argv is None:
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
