"""Seconds, memory and accuracy of the voxel network against N voxels per edge: every route, its peers, and a limit.

Uniform voxels, N per edge of the cell; spectra and single solves (direct current), all in one run. Routes: a stack solved mode
by mode on its WE face; the same network with all its unknowns on real shifts; a Voronoi polycrystal of N^3 voxels. Peers get
the very matrix of the second route (the quarter cell that symmetry leaves), TauFactor the whole image it takes. The limit is
one three-dimensional cosine transform of N^3 doubles, which is less than any method that looks at every voxel once can do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft
from threadpoolctl import threadpool_limits

from fem_constriction import memory
from fem_constriction.api import provenance
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import ComputationError, InputError, Written
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.elements import evaluate
from fem_constriction.processes.of_cell import admittances, direct_current
from fem_constriction.reduction.projection import reduce
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving.backends import Backend, backend_named
from fem_constriction.solving.capabilities import BUILT_IN, require
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.solving.refinement import angular_band, solve_family
from fem_constriction.spectra.frequencies import frequencies_taken
from validation.benchmarks.harness import LIMIT, CannotBeUsedError, Climber, Clock, Row, climb, cost, exponent, machine, sampled
from validation.benchmarks.one_grid import superlu

#: Sizes to begin with.
SIZES: Final = (16, 32, 64, 100)

#: Voxels per edge of the mean grain.
GRAIN: Final = 10

#: Exponent that the time of a next size is foreseen with, in voxels; direct solvers grow faster.
GROWTH: Final = 1.2
DIRECT: Final = 2.0

#: Bytes per voxel (n^(4/3) for the direct solver) a method is expected to need; what would not fit is left out.
BYTES: Final = {"whole": 1600.0, "polycrystal": 160.0, "multigrid": 3000.0, "dct": 20.0, "taufactor": 60.0}

Method = Callable[[Cell, int, NDArray[np.float64]], Row]


def scaling(
    cell: Cell,
    frequencies: ArrayLike,
    sizes: Sequence[int] = SIZES,
    *,
    limit: float = LIMIT,
    progress: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Return a row per method and size, growth exponents and ratios, as JSON can hold it.

    sizes: voxels per edge, ascending; limit: seconds that a method may be foreseen to take on the next size. `left_out` says
    what was not measured, and why. Raises InputError, ComputationError.
    """
    points = np.sort(frequencies_taken(frequencies))
    angular_band(points)
    chosen = sorted(set(sizes))
    if not chosen or any(size < 4 or size % 4 for size in chosen):
        raise InputError(
            key="sizes", value=Written(",".join(map(str, sizes)) or "none"), allowed="voxels per edge, multiples of 4"
        )
    require("benchmark network", cell, [backend_named(name) for name in BUILT_IN])
    if not direct_current(cell):
        raise InputError("the cell is not allowed here: a single solve is one at direct current, and none can flow")
    exact = _limit(cell, points)
    rows: list[Row] = []
    left_out: dict[str, str] = {}
    for name, method in METHODS.items():
        for row in climb(_climber(name, method, cell, points), chosen, limit):
            if isinstance(row, str):
                left_out[name] = row
                continue
            rows.append(_with_distance(row, exact))
            if progress is not None:
                progress()
    return {
        **provenance(cell),
        "machine": machine(),
        "frequencies": points.size,
        "rows": rows,
        "left_out": left_out,
        "growth": {name: _growth([row for row in rows if row["method"] == name]) for name in METHODS},
        "ratios": _ratios(rows),
    }


def _limit(cell: Cell, points: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Z of the continuum cell, from what has nothing in common with the network: finite elements on graded grids."""
    return solve_family(cell, backend_named("fem"), angular_band(points)).limit(points).value


def _with_distance(row: Row, exact: NDArray[np.complex128]) -> Row:
    """The row with the distance of its Z to the cell's limit, where it is that cell's."""
    z, places = row.pop("impedance", None), row.pop("places", slice(None))
    if z is not None:
        row["distance"] = float(np.max(np.abs(z - exact[places]) / np.abs(exact[places])))
    return row


def _climber(name: str, method: Method, cell: Cell, points: NDArray[np.float64]) -> Climber[int]:
    def measure(size: int) -> Row:
        return {"method": name, "size": size, "voxels": size**3, **method(cell, size, points)}

    growth = DIRECT if name == "SuperLU" else GROWTH
    return Climber(measure, lambda size: float(size) ** 3, growth, lambda size: f"N = {size}", partial(_room, name))


def _room(name: str, size: int) -> str:
    """Why a method would not fit, "" if it does."""
    voxels = float(size) ** 3
    key = {"mode by mode": "", "all unknowns": "whole", "3D DCT": "dct"}.get(name, name)
    needed = 500 * (voxels / 4) ** (4 / 3) if name == "SuperLU" else BYTES.get(key, 0.0) * voxels
    free = memory.free()
    return f"about {needed / 2**30:.3g} GiB of memory, {free / 2**30:.3g} GiB are free" if needed > free else ""


def _by_modes(cell: Cell, size: int, points: NDArray[np.float64]) -> Row:
    network = backend_named("network")
    grid = network.uniform(Problem.of(cell), size)
    return _twice(lambda band: solve_grid(cell, network, grid, band).model, points)


def _whole(cell: Cell, size: int, points: NDArray[np.float64]) -> Row:
    network = backend_named("network")
    grid = network.uniform(Problem.of(cell), size)
    with threadpool_limits(limits=1, user_api="blas"):
        return _twice(lambda band: reduce(network.assemble(Problem.of(cell), grid), admittances(cell), band), points)


def polycrystal(cell: Cell, size: int) -> Cell:
    """Return the cell with a Voronoi polycrystal of size^3 voxels in the place of its planar stack, grains of 10 voxels.

    Boundaries are those of the stack, or, without one, 10 nm of the bulk's permittivity and a hundredth of its conductivity.
    """
    boundaries = cell.electrolyte.grain_boundaries
    bulk = cell.electrolyte
    thin = {"thickness": 1e-8, "conductivity": bulk.conductivity / 100, "relative_permittivity": bulk.relative_permittivity}
    if boundaries is not None:
        thin = boundaries.model_dump(exclude={"layers"})
    width, _, _ = cell.geometry.lengths
    structure = {"generator": "voronoi", "grains": max(2, (size // GRAIN) ** 3), "seed": 0}
    return cell.vary(
        {
            "geometry.thickness": width,
            "electrolyte.grain_boundaries": None,
            "electrolyte.microstructure": {**structure, "voxel": width / size, "boundary": thin},
        }
    )


def _polycrystal(cell: Cell, size: int, points: NDArray[np.float64]) -> Row:
    network = backend_named("network")
    try:
        image = polycrystal(cell, size)
    except InputError as error:
        raise CannotBeUsedError(f"the contact is that of no label image: {error}") from None
    grid = network.uniform(Problem.of(image), size)
    row = _twice(lambda band: solve_grid(image, network, grid, band).model, points)
    del row["impedance"]  # of another cell
    return row


def _twice(solve: Callable[[tuple[float, float] | None], ReducedModel], points: NDArray[np.float64]) -> Row:
    """What direct current alone costs, then the whole spectrum."""
    with cost() as once:
        solve(None)
    with cost() as row:
        model = solve(angular_band(points))
        z = model.impedance(2j * np.pi * points)
    found = model.statistics
    kept = {"unknowns": "unknowns", "iterations": "iterations", "shifts": "shifts", "error": "projection_error"}
    return {**row, "seconds_once": once["seconds"], **{ours: found[theirs] for ours, theirs in kept.items()}, "impedance": z}


def _matrices(cell: Cell, size: int, points: NDArray[np.float64]) -> Iterator[tuple[Any, NDArray[np.complex128], int]]:
    """Complex matrices of the whole network at both ends and in the middle of the band, their port, and which frequency."""
    network: Backend = backend_named("network")
    problem = Problem.of(cell)
    assembly = network.assemble(problem, network.uniform(problem, size))
    port = np.zeros(assembly.unknowns, dtype=complex)
    port[-1] = 1
    for place in sampled(points.size):
        y = evaluate(assembly.admittances(problem.places), 2j * np.pi * points[place])
        yield assembly.matrix({name: complex(value) for name, value in y.items()}), port, int(place)


def _peer(solve: Callable[[Any, NDArray[np.complex128]], tuple[NDArray[Any], int]]) -> Method:
    def measured(cell: Cell, size: int, points: NDArray[np.float64]) -> Row:
        seconds, iterations, unknowns = [], 0, 0
        places, impedance = [], []  # what a peer found is looked at like our own
        with cost() as row:
            for matrix, port, place in _matrices(cell, size, points):
                clock = Clock()
                try:
                    x, steps = solve(matrix, port)
                except (MemoryError, RuntimeError) as error:
                    raise ComputationError(f"a peer failed on {port.size:,} unknowns: {error}") from None
                seconds.append(clock.seconds)
                iterations, unknowns = max(iterations, steps), port.size
                places.append(place)
                impedance.append(complex(x[-1]))
        once = float(np.mean(seconds))
        row["spent"] = row["seconds"]
        row |= {"seconds": once * points.size, "seconds_once": once, "iterations": iterations, "unknowns": unknowns}
        found = {"impedance": np.array(impedance), "places": places}
        return {**row, **found, "solves": len(seconds), "extrapolated": len(seconds) < points.size}

    return measured


def _direct(matrix: Any, port: NDArray[np.complex128]) -> tuple[NDArray[Any], int]:
    return superlu(matrix, port), 0


def _multigrid(matrix: Any, port: NDArray[np.complex128]) -> tuple[NDArray[Any], int]:
    """Smoothed aggregation on the complex symmetric matrix, preconditioning GMRES, to a relative residual of 1e-8."""
    pyamg = import_module("pyamg")
    residuals: list[float] = []
    inner = matrix.tocsr()
    scale = 1 / np.sqrt(np.abs(inner.diagonal()))
    scaled = inner.multiply(scale[:, None]).multiply(scale[None, :]).tocsr()
    hierarchy = pyamg.smoothed_aggregation_solver(scaled, symmetry="symmetric", B=(1 / scale)[:, None].astype(complex))
    x = hierarchy.solve(port * scale, tol=1e-8, accel="gmres", maxiter=200, residuals=residuals)
    return x * scale, len(residuals)


def _amg(cell: Cell, size: int, points: NDArray[np.float64]) -> Row:
    if find_spec("pyamg") is None:
        raise CannotBeUsedError("pyamg is not installed (extra peers)")
    return _peer(_multigrid)(cell, size, points)


def _taufactor(cell: Cell, size: int, points: NDArray[np.float64]) -> Row:
    """Direct current through as many voxels of one phase below a layer of contact and pores, to its own 1 % of the flux."""
    if find_spec("taufactor") is None:
        raise CannotBeUsedError("TauFactor is not installed (extra peers)")
    taufactor = import_module("taufactor")
    image = np.ones((size + 1, size, size), dtype=np.uint8)
    fraction = cell.contact_fraction
    inside = np.abs(np.arange(size) + 0.5 - size / 2) < np.sqrt(fraction) * size / 2
    image[0] = np.outer(inside, inside)
    with cost() as row:
        taufactor.Solver(image, device="cpu").solve(verbose=False)
    return {**row, "seconds_once": row["seconds"], "unknowns": int(image.sum()), "iterations": 0, "direct_current_only": True}


def _transform(cell: Cell, size: int, points: NDArray[np.float64]) -> Row:
    with cost() as row:
        values = np.ones((size, size, size))
        clock = Clock()
        fft.dctn(values, type=2, overwrite_x=True, workers=os.cpu_count())
        seconds = clock.seconds
    return {**row, "seconds": seconds, "seconds_once": seconds, "unknowns": size**3, "iterations": 0}


METHODS: Final[Mapping[str, Method]] = {
    "mode by mode": _by_modes,
    "all unknowns": _whole,
    "polycrystal": _polycrystal,
    "SuperLU": _peer(_direct),
    "multigrid": _amg,
    "taufactor": _taufactor,
    "3D DCT": _transform,
}


def _growth(rows: Sequence[Row]) -> float | None:
    return exponent([row["voxels"] for row in rows], [row["seconds"] for row in rows])


def _ratios(rows: Sequence[Row]) -> list[Row]:
    """Every method beside the two fast routes, at the sizes where both were measured: spectrum and one solve."""
    found = []
    for row in rows:
        ours = next((r for r in rows if r["method"] == "mode by mode" and r["size"] == row["size"]), None)
        if ours is None or row["method"] == "mode by mode":
            continue
        whole = None if row.get("direct_current_only") else row["seconds"] / ours["seconds"]
        once = row["seconds_once"] / ours["seconds_once"]
        found.append({"method": row["method"], "size": row["size"], "spectrum": whole, "once": once})
    return found
