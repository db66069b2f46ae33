"""`fem-constriction benchmark`: spectra beside peers and limits; work and precision; guaranteed discs beside errors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from fem_constriction.errors import InputError
from fem_constriction.files import json_text, write_text
from fem_constriction.solving.backends import backend_named
from fem_constriction.spectra.frequencies import parse_frequencies
from validation.benchmarks.effectivity import effectivity, effectivity_report
from validation.benchmarks.honesty import SEED, honesty, honesty_report
from validation.benchmarks.one_grid import benchmark as one_grid
from validation.benchmarks.one_grid import benchmark_report
from validation.benchmarks.planes import TRIANGULATIONS, planes, planes_table
from validation.benchmarks.precision import LEVELS, precision
from validation.benchmarks.precision_report import precision_tables
from validation.benchmarks.scaling import LIMIT, SIZES, scaling
from validation.benchmarks.scaling_report import scaling_tables
from validation.cli.options import Frequencies, Json, MaybeCellFile, Quiet
from validation.gate.default_cell import cell_of
from validation.show import terminal


def benchmark(
    backend: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="network, fem or another backend; planes: triangulated faces; discs, honesty: guaranteed radii, uncertainties "
            "beside true errors.",
            show_default=False,
        ),
    ],
    cell_file: MaybeCellFile = None,
    cells: Annotated[int, typer.Option(help="For discs and honesty: how many random cells.")] = 20,
    level: Annotated[
        int | None,
        typer.Option(
            help="Grid of the backend's family, 0 the coarsest.", show_default="network: --sizes; fem: --levels; else 0"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="For honesty: which random cells.")] = SEED,
    workers: Annotated[int, typer.Option(min=1, max=1024, help="For honesty: processes side by side.")] = 1,
    sizes: Annotated[
        str | None, typer.Option(help="For network: voxels per edge, with commas between.", show_default="16,32,64,100")
    ] = None,
    levels: Annotated[
        int | None, typer.Option(help="For fem and planes: grids of each family.", show_default=f"fem: {LEVELS}; planes: 3")
    ] = None,
    peers: Annotated[bool, typer.Option("--peers/--no-peers", help="For fem: with NGSolve, where it is installed.")] = True,
    limit: Annotated[float, typer.Option(help="For sizes and levels: seconds that a method may take on the next one.")] = LIMIT,
    frequencies: Frequencies = "1e-3:1e9:61",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Where the result is written; sizes and levels with a plot.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Time spectra against voxels, errors or on one grid, beside their peers; or compare discs with true errors."""
    if cell_file is not None and backend in ("discs", "honesty"):
        raise InputError(key="CELL.toml", value=str(cell_file), when=f"with {backend}", why="its cells are random")
    cell = cell_of(cell_file)
    if sizes is not None and (backend != "network" or level is not None):
        raise InputError(
            key="--sizes", value=sizes, when=f"with {('--level' if level is not None else backend)}", allowed="network alone"
        )
    if levels is not None and (backend not in ("fem", "planes") or level is not None):
        other = "--level" if level is not None else backend
        raise InputError(key="--levels", value=levels, when=f"with {other}", allowed="fem and planes alone")
    if backend == "planes" and level is not None:
        raise InputError(key="--level", value=level, when="with planes", allowed="--levels")
    points = terminal.named("--frequencies", lambda: parse_frequencies(frequencies))
    if out is not None:
        terminal.check_file(out, "a JSON file", cell_file)
        terminal.check_folder(out.parent, [])
    shown: Callable[[dict[str, Any]], Any]
    if backend == "discs":
        with terminal.counted("random cells", cells, quiet) as step:
            record = terminal.named("--cells", terminal.aside(lambda: effectivity(cells, level or 0, step)))
        shown = effectivity_report
    elif backend == "honesty":
        with terminal.counted("random cells", cells, quiet) as step:
            study = partial(honesty, cells, seed, workers=workers, progress=step)
            record = terminal.named("--cells", terminal.aside(study))
        shown = honesty_report
        if out is not None:
            from validation.benchmarks import honesty_plots
            from validation.show import plots

            plots.save(lambda: honesty_plots.honesty_plot(record), out.parent, out.stem)
    elif backend == "planes":
        with terminal.progress([], "triangulated faces", quiet):
            compared = partial(planes, cell, points, TRIANGULATIONS if levels is None else levels, limit=limit)
            record = terminal.named("--levels", terminal.aside(compared))
        shown = planes_table
    elif backend == "network" and level is None:
        asked = SIZES if sizes is None else terminal.named("--sizes", lambda: _sizes(sizes))
        with terminal.progress([], f"benchmark of {backend}, N = {', '.join(map(str, asked))}", quiet):
            record = terminal.named("--sizes", terminal.aside(lambda: scaling(cell, points, asked, limit=limit)))
        shown = scaling_tables
        if out is not None:
            from validation.benchmarks import scaling_plots
            from validation.show import plots

            plots.save(lambda: scaling_plots.scaling_plot(record), out.parent, out.stem)
    elif backend == "fem" and level is None:
        with terminal.progress([], "work and precision of all methods", quiet):
            study = partial(precision, cell, points, LEVELS if levels is None else levels, peers=peers, limit=limit)
            record = terminal.named("--levels", terminal.aside(study))
        shown = precision_tables
        if out is not None:
            from validation.benchmarks import precision_plots
            from validation.show import plots

            plots.save(lambda: precision_plots.precision_plot(record), out.parent, out.stem)
    else:
        chosen = backend_named(backend)
        with terminal.progress([], f"benchmark of {backend}", quiet):
            record = terminal.named("--level", terminal.aside(lambda: one_grid(cell, chosen, points, level or 0)))
        shown = benchmark_report
    if out is not None:
        write_text(out, json_text(record) + "\n")
    terminal.show(record, lambda: shown(record), as_json, quiet)
    return 1 if record.get("outside") or not record.get("honest", True) else 0


def _sizes(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(key="sizes", value=text, allowed="whole numbers with commas between, such as 32,64,100") from None
