"""`fem-constriction benchmark WHAT`: spectra beside peers and limits; work and precision; guarantees beside true errors.

Six commands, and one for every other backend by its name. What they have in common is `_carry_out`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from fem_constriction.errors import InputError
from fem_constriction.files import json_text, write_text
from fem_constriction.pictures import printed
from fem_constriction.solving.backends import backend_named
from fem_constriction.spectra.frequencies import parse_frequencies
from validation.benchmarks.cell_fits import cell_fits, cell_fits_table, holds, keys_named
from validation.benchmarks.effectivity import effectivity, effectivity_report
from validation.benchmarks.harness import LIMIT, Benchmark
from validation.benchmarks.honesty.picture import honesty_picture
from validation.benchmarks.honesty.populations import KINDS
from validation.benchmarks.honesty.report import honesty_report
from validation.benchmarks.honesty.run import ALL, SEED, USUAL, honesty, kinds_named
from validation.benchmarks.one_grid import benchmark as measure_one_grid
from validation.benchmarks.one_grid import benchmark_report
from validation.benchmarks.planes import TRIANGULATIONS, planes, planes_table
from validation.benchmarks.precision import LEVELS, precision
from validation.benchmarks.precision_picture import precision_picture
from validation.benchmarks.precision_report import precision_tables
from validation.benchmarks.scaling import SIZES, scaling
from validation.benchmarks.scaling_picture import scaling_picture
from validation.benchmarks.scaling_report import scaling_tables
from validation.cli.options import Frequencies, Json, MaybeCellFile, Quiet
from validation.gate.default_cell import cell_of
from validation.show import terminal

Level = Annotated[int | None, typer.Option(help="One grid of the backend's family, 0 the coarsest.", show_default="none")]
Limit = Annotated[float, typer.Option(help="Seconds that a method may take on the next grid.")]
Cells = Annotated[int, typer.Option(help="How many random cells (of each kind).")]
Out = Annotated[Path | None, typer.Option(metavar="FILE.json", help="Where the result is written, beside it a plot.")]

#: The frequencies that are meant where none are given.
BAND: Final = "1e-3:1e9:61"


class Benchmarks(TyperGroup):
    """The six benchmarks by name; any other name is that of a backend, timed on one grid. Options may stand before it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the benchmark first."""
        taking = {option for command in self.commands.values() for each in command.params for option in _taking(each)}
        before = None
        for place, word in enumerate(args):
            if not word.startswith("-") and before not in taking:
                return super().parse_args(ctx, [word, *args[:place], *args[place + 1 :]])
            before = word
        return super().parse_args(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of this name, or that of a backend."""
        return super().get_command(ctx, cmd_name) or _of_backend(cmd_name)


def _taking(parameter: Any) -> list[str]:
    """The names of an option that takes a value."""
    return [] if getattr(parameter, "is_flag", True) else list(parameter.opts)


benchmark = typer.Typer(
    name="benchmark",
    cls=Benchmarks,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Time spectra against voxels, errors or on one grid, beside their peers; or compare discs with true errors.",
)


@benchmark.command()
def network(
    cell_file: MaybeCellFile = None,
    level: Level = None,
    sizes: Annotated[
        str | None, typer.Option(help="Voxels per edge, with commas between.", show_default=",".join(map(str, SIZES)))
    ] = None,
    limit: Limit = LIMIT,
    frequencies: Frequencies = BAND,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Seconds, memory and accuracy of the voxel network against N voxels per edge, beside its peers and a limit."""
    cell, points = cell_of(cell_file), _points(frequencies)
    if level is not None:
        _alone("--sizes", sizes)
        return _one_grid("network", cell_file, level, frequencies, out, as_json, quiet)
    asked = SIZES if sizes is None else terminal.named("--sizes", lambda: _sizes(sizes))
    study = Benchmark(run=lambda: scaling(cell, points, asked, limit=limit), tables=scaling_tables, picture=scaling_picture)
    return _carry_out(
        study, "--sizes", f"benchmark of network, N = {', '.join(map(str, asked))}", cell_file, out, as_json, quiet
    )


@benchmark.command()
def fem(
    cell_file: MaybeCellFile = None,
    level: Level = None,
    levels: Annotated[int | None, typer.Option(help="Grids of each family.", show_default=str(LEVELS))] = None,
    peers: Annotated[bool, typer.Option("--peers/--no-peers", help="With NGSolve, where it is installed.")] = True,
    limit: Limit = LIMIT,
    frequencies: Frequencies = BAND,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Error of Z against seconds, unknowns and memory of both backends, and of NGSolve, with ratios at equal error."""
    cell, points = cell_of(cell_file), _points(frequencies)
    if level is not None:
        _alone("--levels", levels)
        return _one_grid("fem", cell_file, level, frequencies, out, as_json, quiet)
    run = partial(precision, cell, points, LEVELS if levels is None else levels, peers=peers, limit=limit)
    study = Benchmark(run=run, tables=precision_tables, picture=precision_picture)
    return _carry_out(study, "--levels", "work and precision of all methods", cell_file, out, as_json, quiet)


@benchmark.command(name="planes")
def planes_command(
    cell_file: MaybeCellFile = None,
    levels: Annotated[int, typer.Option(help="Triangulations, each twice as fine.")] = TRIANGULATIONS,
    limit: Limit = LIMIT,
    frequencies: Frequencies = BAND,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Seconds and memory of triangulated faces, by their modes and by sparse functions, and whether both have one Z."""
    run = partial(planes, cell_of(cell_file), _points(frequencies), levels, limit=limit)
    study = Benchmark(run=run, tables=planes_table, passed=lambda record: bool(record["honest"]))
    return _carry_out(study, "--levels", "triangulated faces", cell_file, out, as_json, quiet)


@benchmark.command(name="fit")
def fit_command(
    cell_file: MaybeCellFile = None,
    free: Annotated[
        str | None, typer.Option(metavar="KEY,...", help="Keys that are fitted.", show_default="three of figure 2's")
    ] = None,
    check: Annotated[bool, typer.Option("--check/--no-check", help="With the cross-check at the optimum.")] = True,
    seeds: Annotated[
        int, typer.Option(min=0, max=100_000, metavar="N", help="N more fits: how often intervals hold the truth.")
    ] = 0,
    frequencies: Frequencies = "1e-1:1e7:41",
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Seconds of a cell fitted to its own spectrum with 0.5 % of noise, of the whole fit and of one evaluation.

    With --seeds, exit status 1 if the truth lies within one standard error less or more often than it should.
    """
    keys = terminal.named("--free", lambda: keys_named(free))
    run = partial(cell_fits, cell_of(cell_file), _points(frequencies), keys, check=check, seeds=seeds)
    study = Benchmark(run=run, tables=cell_fits_table, passed=holds)
    return _carry_out(study, "--free", "fit of a cell", cell_file, out, as_json, quiet)


@benchmark.command()
def discs(
    cells: Cells = 20,
    level: Annotated[int, typer.Option(help="Grid of both families, 0 the coarsest.")] = 0,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Guaranteed radii beside the true errors of random cells; exit status 1 if a truth lies outside its disc."""
    run = partial(effectivity, cells, level)
    study = Benchmark(run=run, pieces=cells, tables=effectivity_report, passed=lambda record: not record["outside"])
    return _carry_out(study, "--cells", "random cells", None, out, as_json, quiet)


@benchmark.command(name="honesty")
def honesty_command(
    cells: Cells = 20,
    seed: Annotated[int, typer.Option(help="Which random cells.")] = SEED,
    kinds: Annotated[
        str, typer.Option(help=f"Kinds of cells, with commas between: {', '.join(KINDS)}; all: {', '.join(ALL)}.")
    ] = ",".join(USUAL),
    keep: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help="A row per cell; those that are in it already are not computed again."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=1024, help="Processes side by side.")] = 1,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Stated uncertainties beside the true errors of random cells; exit status 1 if they are not as asked."""
    chosen = terminal.named("--kinds", lambda: kinds_named(kinds))
    study = Benchmark(
        run=partial(honesty, cells, seed, kinds=chosen, keep=keep, workers=workers),
        pieces=cells * len(chosen),
        tables=honesty_report,
        picture=honesty_picture,
        passed=lambda record: bool(record["honest"]),
    )
    return _carry_out(study, "--cells", "random cells", keep, out, as_json, quiet)


def _of_backend(name: str) -> Any:
    """The command that times one grid of a backend."""

    def other(
        cell_file: MaybeCellFile = None,
        level: Annotated[int, typer.Option(help="Grid of the backend's family, 0 the coarsest.")] = 0,
        frequencies: Frequencies = BAND,
        out: Out = None,
        as_json: Json = False,
        quiet: Quiet = False,
    ) -> int:
        return _one_grid(name, cell_file, level, frequencies, out, as_json, quiet)

    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(name, help=f"Time a spectrum on one grid of backend '{name}', beside sparse direct solvers.")(other)
    return typer.main.get_command(alone)


def _one_grid(
    name: str, cell_file: Path | None, level: int, frequencies: str, out: Path | None, as_json: bool, quiet: bool
) -> int:
    cell, points, backend = cell_of(cell_file), _points(frequencies), backend_named(name)
    study = Benchmark(run=lambda: measure_one_grid(cell, backend, points, level), tables=benchmark_report)
    return _carry_out(study, "--level", f"benchmark of {name}", cell_file, out, as_json, quiet)


def _carry_out(
    study: Benchmark, option: str, words: str, read: Path | None, out: Path | None, as_json: bool, quiet: bool
) -> int:
    """Run a benchmark, write and show what it found, and return the exit status.

    option: which a value that is refused came from; words: beside a spinner, or a bar where the number of pieces is known.
    """
    if out is not None:
        terminal.check_file(out, "a JSON file", read)
        terminal.check_folder(out.parent, [])
    with _bar(words, study.pieces, quiet) as step:
        run = study.run if study.pieces is None else partial(study.run, progress=step)
        record = terminal.named(option, terminal.aside(run))
    if out is not None:
        if study.picture is not None:
            printed.write(study.picture(record), out.parent, out.stem)
        write_text(out, json_text(record) + "\n")
    terminal.show(record, lambda: study.tables(record), as_json, quiet)
    return 0 if study.passed(record) else 1


def _bar(words: str, pieces: int | None, quiet: bool) -> AbstractContextManager[Any]:
    """What is shown while a benchmark runs: gone before its tables are printed."""
    return terminal.progress([], words, quiet) if pieces is None else terminal.counted(words, pieces, quiet)


def _points(frequencies: str) -> Any:
    return terminal.named("--frequencies", lambda: parse_frequencies(frequencies))


def _alone(option: str, given: Any) -> None:
    """Raise InputError for an option that --level leaves no room for."""
    if given is not None:
        raise InputError(key=option, value=given, when="with --level", why="that is one grid alone")


def _sizes(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(key="sizes", value=text, allowed="whole numbers with commas between, such as 32,64,100") from None
