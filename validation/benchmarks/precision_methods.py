"""Cell -> Z(f) and R_DC on grid 0, 1, ...: the methods of a work-precision study, ours and NGSolve's, behind one interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.fem import FiniteElements, MixedElements
from fem_constriction.fem.prisms.equilibrated import semi_discrete
from fem_constriction.fem.prisms.plane_memory import check_plane
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.projection import reduce
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving.backends import Backend, backend_named
from fem_constriction.solving.one_grid import check_memory, solve_grid
from fem_constriction.solving.refinement import angular_band
from fem_constriction.stack.face_model import reduce_layered
from validation.benchmarks import precision_peers
from validation.benchmarks.harness import sampled

#: How much longer a next grid takes: with the modes of lines, with all unknowns (eight times as many), on triangles
#: (four times as many, by dense modes at first and by sparse functions of a plane then).
GROWTH, GROWTH_ALL, GROWTH_TRIANGLES = 4.0, 8.0, 10.0


@dataclass(frozen=True)
class Found:
    """Z at `places` of the frequencies (None: all), ohm, unknowns, and seconds foreseen for the frequencies left out."""

    impedance: NDArray[np.complex128]
    unknowns: int
    places: NDArray[np.int64] | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Method:
    """A way from a cell to its spectrum, and to R_DC alone, on grid 0, 1, … of so many.

    grid: its name; missing: why it cannot be used for a cell, "" if it can; growth: see GROWTH; same: a method with the same
    matrices, whose error over all frequencies is this one's, which was solved at a few.
    """

    spectrum: Callable[[Cell, int, Array], Found]
    once: Callable[[Cell, int], float]
    grid: Callable[[int], str] = lambda level: f"level {level}"
    count: Callable[[int], int] = lambda levels: levels
    missing: Callable[[Cell], str] = lambda cell: ""
    growth: float = GROWTH
    same: str = ""
    ours: bool = True


def _ours(model: Callable[[Cell, int, tuple[float, float] | None], ReducedModel], **more: Any) -> Method:
    """A method that makes a reduced model; of direct current alone where no band is given."""

    def spectrum(cell: Cell, level: int, points: Array) -> Found:
        made = model(cell, level, angular_band(points))
        z = made.impedance(2j * np.pi * points)
        return Found(z, int(made.statistics["unknowns"]), more={"shifts": len(made.shifts)})

    return Method(spectrum, lambda cell, level: model(cell, level, None).resistance(), **more)


def _family(backend: Backend) -> Method:
    return _ours(lambda cell, level, band: solve_grid(cell, backend, backend.grid(Problem.of(cell), level), band).model)


def _all_unknowns(backend: Backend) -> Method:
    def model(cell: Cell, level: int, band: tuple[float, float] | None) -> ReducedModel:
        grid = backend.grid(Problem.of(cell), level)
        check_memory(backend.unknowns(Problem.of(cell), grid), f"{backend.name}, all unknowns")
        return reduce(backend.assemble(Problem.of(cell), grid), admittances(cell), band)

    return _ours(model, growth=GROWTH_ALL)


def _uniform(cell: Cell, level: int, band: tuple[float, float] | None) -> ReducedModel:
    network = backend_named("network")
    return solve_grid(cell, network, network.uniform(Problem.of(cell), 16 << level), band).model


def _prisms(cell: Cell, level: int, band: tuple[float, float] | None) -> ReducedModel:
    elements = MixedElements()
    grid = elements.grid(cell, level)
    check_plane(2 * grid.shape[0] + 50, f"prisms, level {level}")  # of degree 2
    return reduce_layered(semi_discrete(cell, grid), admittances(cell), band)


def _hexahedra(cell: Cell, level: int) -> precision_peers.Hexahedra:
    return precision_peers.Hexahedra(cell, precision_peers.VARIANTS[level])


def _ngsolve(cell: Cell, level: int, points: Array) -> Found:
    """The matrices of all processes assembled once, then a complex factorisation per frequency."""
    made = _hexahedra(cell, level)
    made.process_matrices()
    places = sampled(points.size)
    s = np.asarray(2j * np.pi * points[places], dtype=np.complex128)
    z, seconds, cpu = made.spectrum(s)
    rest = (points.size - places.size) / places.size
    return Found(z, made.unknowns, places, rest * seconds, rest * cpu, {"cpu_seconds_per_frequency": cpu / places.size})


def _ngsolve_shifts(cell: Cell, level: int, points: Array) -> Found:
    made = _hexahedra(cell, level)
    made.process_matrices()
    model = made.reduced(angular_band(points))
    return Found(model.impedance(2j * np.pi * points), made.unknowns, more={"shifts": len(model.shifts)})


def _peer(spectrum: Callable[[Cell, int, Array], Found], same: str = "") -> Method:
    return Method(
        spectrum,
        lambda cell, level: _hexahedra(cell, level).resistance(),
        grid=lambda level: str(precision_peers.VARIANTS[level]),
        count=lambda levels: min(2 * levels, len(precision_peers.VARIANTS)),
        missing=precision_peers.missing,
        same=same,
        ours=False,
    )


NGSOLVE: Final = "NGSolve"
SHIFTED: Final = "NGSolve, our shifts"

METHODS: Final[Mapping[str, Method]] = {
    "network, uniform": _ours(_uniform, grid=lambda level: f"N = {16 << level}"),
    "network, graded": _family(backend_named("network")),
    "fem, degree 1": _family(FiniteElements(1)),
    "fem, degree 2": _family(FiniteElements(2)),
    "fem 1, all unknowns": _all_unknowns(FiniteElements(1)),
    "fem 2, all unknowns": _all_unknowns(FiniteElements(2)),
    "prisms, exact along z": _ours(_prisms, growth=GROWTH_TRIANGLES),
    SHIFTED: _peer(_ngsolve_shifts),
    NGSOLVE: _peer(_ngsolve, same=SHIFTED),
}
