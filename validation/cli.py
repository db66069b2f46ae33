"""fem-constriction: the command line. Exit status 0 done, 1 a check did not pass, 2 wrong input, 3 failed, 130 interrupted."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic_core import to_json
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from fem_constriction import distribution
from fem_constriction.api import provenance, solve, spectrum_of
from fem_constriction.backends import backend_named, check_solvable
from fem_constriction.cell import Cell
from fem_constriction.errors import ConstrictionError, InputError
from fem_constriction.extraction import fit_spectrum
from fem_constriction.files import read_text, write_text
from fem_constriction.refinement import FIRST_LEVELS, solve_to
from fem_constriction.spectrum import Spectrum, parse_frequencies
from validation import gate, report

NAME = "fem-constriction"
DEFAULT_CELL = "figure_2_25.toml"
#: Set to anything, it shows the traceback of a failure.
DEBUG = "FEM_CONSTRICTION_DEBUG"

T = TypeVar("T")
Step = Callable[[str, int], None]


class _Console(Console):
    """Nobody reading any more (`| head`) ends the output, not the command."""

    def on_broken_pipe(self) -> None:
        _silence(self.file)


def _console(stderr: bool = False) -> Console:
    """Standard output or error as it is now; as wide as the terminal, or 120 columns."""
    made = _Console(stderr=stderr, highlight=False, emoji=False, markup=False)
    if not made.is_terminal:
        made.width = 120
    return made


app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Impedance spectra of constricted battery contacts, from two discretisations that must agree.",
)

CellFile = Annotated[Path, typer.Argument(metavar="CELL.toml", help="Cell file.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout, and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress, no tables: files and exit status only.")]
Frequencies = Annotated[
    str, typer.Option(metavar="a:b:n", help="n logarithmically spaced values from a to b in Hz, or a list: 1,10,100.")
]


def _version(asked: bool) -> None:
    if asked:
        _console().print(f"{NAME} {version(NAME)}")
        raise typer.Exit


@app.callback()
def _start(
    show_version: Annotated[bool, typer.Option("--version", help="Show the version and leave.", callback=_version)] = False,
) -> None: ...


@app.command()
def crosscheck(
    cell_file: Annotated[
        Path | None, typer.Argument(metavar="[CELL.toml]", help="Cell file. [default: figure 2 of the paper, 25 % contact]")
    ] = None,
    backends: Annotated[str, typer.Option(help="Two or more backends, with commas between.")] = "network,fem",
    frequencies: Frequencies = "1e-3:1e9:61",
    tolerance: Annotated[float, typer.Option(help="What the uncertainties together may be, relative to |Z|.")] = 1e-3,
    out: Annotated[Path, typer.Option(help="Folder for results, spectra and plots.")] = Path("crosscheck"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Solve a cell with two backends, check that they agree, then extract R, C and tau of the constriction."""
    cell = (
        Cell.loads(files("validation").joinpath(DEFAULT_CELL).read_text("utf-8")) if cell_file is None else Cell.load(cell_file)
    )
    points = _named("--frequencies", lambda: parse_frequencies(frequencies))
    if not 0 < tolerance < 1:
        raise InputError(f"--tolerance = {tolerance!r} is not allowed: a number between 0 and 1, relative to |Z|")
    names = [name.strip() for name in backends.split(",") if name.strip()]
    chosen = _named("--backends", lambda: [backend_named(name) for name in names])
    if len(set(names)) < 2:
        raise InputError(f"--backends = {backends!r} is not allowed: name at least two different ones")
    check_solvable(cell)
    _check_folder(out, [*names, "agreed"])
    if not (quiet or as_json):
        _console().print(report.task(cell, names, points.tolist(), tolerance))
    with _progress(names, "agreement and extraction", quiet) as step:
        result = _aside(lambda: gate.crosscheck(cell, points, backends=chosen, tolerance=tolerance, progress=step))()
        written = _write(result, out)
    _show(result.as_dict(), lambda: report.crosscheck_report(result), as_json, quiet)
    if not (quiet or as_json):
        _console().print(f"Written to {out}: {', '.join(path.name for path in written)}")
    if result.refusal is not None:
        _say(result.refusal)
    return 0 if result.refusal is None else 1


def _write(result: gate.Result, out: Path) -> list[Path]:
    """Write the result, the spectra and the plots; a combined spectrum only if the backends agree."""
    from validation import plots

    limits = result.agreement.limits
    written = [out / "crosscheck.json", *(out / f"{name}.csv" for name in limits)]
    write_text(written[0], _json(result.as_dict()) + "\n")
    for path, spectrum in zip(written[1:], limits.values(), strict=True):
        spectrum.save(path)
    agreed = out / "agreed.csv"
    if result.agreement.verdict == "agree":
        verdict = {
            "verdict": result.agreement.verdict,
            "summary": result.agreement.summary(),
            "tolerance": result.agreement.tolerance,
            "backends": list(limits),
        }
        replace(result.spectrum, provenance={**provenance(result.cell), "agreement": verdict}).save(agreed)
        written.append(agreed)
    else:  # one of an earlier run would be taken for this one's
        agreed.unlink(missing_ok=True)
        agreed.with_suffix(".json").unlink(missing_ok=True)
    for draw in (plots.nyquist, plots.agreement, plots.convergence):
        written += plots.save(partial(draw, result), out, draw.__name__)
    return written


@app.command()
def spectrum(
    cell_file: CellFile,
    backend: Annotated[str, typer.Option(help="Backend, see `backends`.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Where the spectrum is written.", show_default=False)],
    frequencies: Frequencies = "1e-3:1e9:61",
    accuracy: Annotated[float | None, typer.Option(help="Uncertainty asked for, relative to |Z|. [default: 1e-3]")] = None,
    resolution: Annotated[int | None, typer.Option(help="One grid of so many cells per edge instead.")] = None,
    no_header: Annotated[bool, typer.Option("--no-header", help="Numbers only, as impedance.py reads them.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Compute the spectrum of one backend: to an accuracy, or on one grid."""
    cell = Cell.load(cell_file)
    points = _named("--frequencies", lambda: parse_frequencies(frequencies))
    if accuracy is not None and resolution is not None:
        raise InputError("--accuracy and --resolution are not allowed together: one asks for a limit, the other for a grid")
    chosen = _named("--backend", lambda: backend_named(backend))
    if out.suffix == ".json" or out.is_dir():
        raise InputError(f"--out = '{out}' is not allowed: the name of a CSV file")
    _check_folder(out.parent, [out.stem])
    with _progress([backend], "", quiet, grids=len(FIRST_LEVELS) if resolution is None else 1) as step:
        if resolution is None:
            asked = 1e-3 if accuracy is None else accuracy
            found = _named("--accuracy", _aside(lambda: spectrum_of(solve_to(cell, chosen, points, asked, step), points)))
        else:
            found = _named("--resolution", _aside(lambda: solve(cell, points, backend=chosen, resolution=resolution)))
    found.save(out, header=not no_header)
    _show(_columns(found), lambda: report.spectrum_report(found), as_json, quiet)
    return 0


def _columns(found: Spectrum) -> dict[str, Any]:
    return {
        **found.provenance,
        "frequency_Hz": found.frequency.tolist(),
        "real_ohm": found.impedance.real.tolist(),
        "imag_ohm": found.impedance.imag.tolist(),
        "uncertainty_ohm": None if found.uncertainty is None else found.uncertainty.tolist(),
    }


@app.command()
def fit(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Spectrum, a measured one too.", show_default=False)],
    circuit: Annotated[
        str | None, typer.Option(help="R0-p(R1,C1)-p(R2,C2), 1D-FM or 1D-FM-extended. [default: as many arcs as are seen]")
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
        _check_folder(out.parent if folder is None else folder, [])
    with _progress([], f"fit of {file.name}", quiet):
        found = _named("--circuit", _aside(lambda: fit_spectrum(data, circuit)))
    agreement = data.provenance.get("agreement") if isinstance(data.provenance, dict) else None
    checked = isinstance(agreement, dict) and agreement.get("verdict") == "agree"
    remark = f"cross-checked: {agreement['summary']}" if checked and agreement else "not cross-checked"
    record = {"file": file.name, "cross_checked": checked, "remark": remark, **found.as_dict()}
    if out is not None:
        write_text(out if folder is None else folder / "fit.json", _json(record) + "\n")
    if folder is not None:
        from validation import plots

        plots.save(
            lambda: plots.impedance_plane({file.stem: data}, found, title=f"{file.name}, {remark.partition(':')[0]}"),
            folder,
            "nyquist",
        )
    if not (quiet or as_json):
        _console().print(f"{file.name}: {remark}")
    _show(record, lambda: Group(*report.arcs(found)), as_json, quiet)
    return 0


@app.command()
def backends(as_json: Json = False, quiet: Quiet = False) -> int:
    """List the installed backends: module, bound and order of convergence."""
    rows = report.backend_rows()
    _show(rows, lambda: report.backend_report(rows), as_json, quiet)
    return 0


@app.command()
def schema(as_json: Json = False, quiet: Quiet = False) -> int:
    """Print the JSON schema of the cell file, for editors to complete it."""
    _show(Cell.json_schema(), lambda: "", not quiet, quiet)
    return 0


@app.command()
def show(cell_file: CellFile, as_json: Json = False, quiet: Quiet = False) -> int:
    """Show a cell in SI units, and what follows from it; with --quiet only check the file."""
    cell = Cell.load(cell_file)
    record = {"cell": cell.model_dump(mode="json", exclude_none=True), "derived": report.derived(cell)}
    _show(record, lambda: report.cell_report(cell), as_json, quiet)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; failures are one sentence on stderr."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = lambda message, *_: _say(f"warning: {message}")
        status = _run(arguments)
    if argv is None:
        _leave(status)
    return status


def _run(arguments: list[str]) -> int:
    try:
        distribution.check()
        status = typer.main.get_command(app).main(arguments, prog_name=NAME, standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        status = 130
    except SystemExit as error:
        return int(error.code or 0)
    except Exception as error:
        return _failed(error)
    if status == 130:
        _say("interrupted")
    return int(status or 0)


def _failed(error: Exception) -> int:
    """Say in one sentence what went wrong, and return the exit status."""
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    if isinstance(error, ConstrictionError):
        _say(str(error))
        return error.exit_status
    if hasattr(error, "format_message"):  # of click: the command line itself is wrong
        _say(f"{error.format_message().rstrip('.')}; see {NAME} --help")
        return 2
    _say(f"failed with {type(error).__name__}: {error} ({DEBUG}=1 shows the traceback)")
    return 3


def _leave(status: int) -> None:
    """Flush; after an interrupt do not wait for threads that still compute."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout)
    if status == 130:
        sys.stderr.flush()
        os._exit(status)


def _silence(stream: Any) -> None:
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
    except (OSError, ValueError):
        pass


def _say(text: str) -> None:
    _console(stderr=True).print(f"{NAME}: {' '.join(text.split())}", soft_wrap=True)


def _named(option: str, call: Callable[[], T]) -> T:
    """What `call` gives; a value that it refuses is called by the option it came from."""
    try:
        return call()
    except InputError as error:
        name = option.strip("-").rstrip("s")
        raise InputError(re.sub(rf"^{name}s? = ", f"{option} = ", str(error))) from None


def _check_folder(folder: Path, stems: Sequence[str]) -> None:
    """Make the folder and try to write in it, before anything is computed: InputError if that fails."""
    refused = f"--out = '{folder}' is not allowed"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = "it is not a folder" if isinstance(error, (FileExistsError, NotADirectoryError)) else error.strerror
        raise InputError(f"{refused}: results cannot be written there ({reason}), a folder that can be written is") from None
    for stem in stems:
        sidecar = folder / f"{stem}.json"
        if sidecar.exists() and '"sha256"' not in read_text(sidecar):
            raise InputError(f"{refused}: {sidecar.name} in it would be overwritten by the provenance of {stem}.csv")


@contextmanager
def _progress(names: Sequence[str], last: str, quiet: bool, grids: int = len(FIRST_LEVELS)) -> Iterator[Step]:
    """Show a bar per backend on stderr, a step per grid, then what comes last; yield what is to be called after each grid."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
    )
    console = _console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bars:
        tasks = {name: bars.add_task(name, total=grids, state=f"grid 1 of {grids}") for name in names}
        if last and not names:
            bars.add_task(last, total=None, state="")

        def step(name: str, level: int) -> None:
            total = max(grids, level + 1)
            state = "done" if level + 1 == total else f"grid {level + 2} of {total}"
            bars.update(tasks[name], completed=level + 1, total=total, state=state)
            if last and all(task.finished for task in bars.tasks) and len(bars.tasks) == len(tasks):
                bars.add_task(last, total=None, state="")

        yield step


def _aside(call: Callable[[], T]) -> Callable[[], T]:
    """The same call, computed in a thread, so that an interrupt ends the wait at once."""

    def waited() -> T:
        pool = ThreadPoolExecutor(1)
        try:
            return pool.submit(call).result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    return waited


def _show(record: Any, draw: Callable[[], RenderableType], as_json: bool, quiet: bool) -> None:
    """Print the record as JSON if asked for, a table otherwise, nothing if quiet."""
    if as_json:
        _console().out(_json(record))
    elif not quiet:
        _console().print(draw())


def _json(record: Any) -> str:
    return to_json(record, indent=1, inf_nan_mode="null", fallback=lambda value: value.tolist()).decode()
