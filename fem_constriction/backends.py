"""Cell -> Assembly: what a backend is, how backends are found, and how one grid is solved.

Backends are found through the entry-point group `fem_constriction.backends`, so that a third one, anyone's, can be put to the
same test: `name = "module:Class"` in that group of an installed package, Class() giving an object with the members below.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fem_constriction import distribution, memory
from fem_constriction.admittance import admittances
from fem_constriction.assembly import Assembly, Bound
from fem_constriction.cell import Cell
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.faults import show
from fem_constriction.grid import DOUBLES_PER_NODE, Grid
from fem_constriction.lateral import reduce_layered
from fem_constriction.layered import Layered
from fem_constriction.materials import reduce_together
from fem_constriction.microstructure import DOUBLES_PER_VOXEL
from fem_constriction.projection import reduce
from fem_constriction.reduced import ReducedModel
from fem_constriction.spectrum import Spectrum

GROUP = "fem_constriction.backends"

#: Vectors of doubles alive at once per unknown: the basis (up to 40 solutions), blocks of 8 columns in the solver and the
#: factorised stack. Measured peaks were 110 to 180 doubles per unknown (network and finite elements, 0.1 to 1.6 million).
DOUBLES_PER_UNKNOWN = 200

#: The same per unknown of a mesh from a file, whose matrices are assembled and factorised as they are: measured 900 at 7e4.
DOUBLES_PER_MESH_NODE = 1200


@runtime_checkable
class Backend(Protocol):
    """A discretisation of cells.

    name; bound: whether its Z at real s > 0 is a "lower" or "upper" bound of the continuum's, None if neither;
    order: the order of convergence that theory gives its family of grids.
    """

    name: str
    bound: Bound
    order: float

    def grid(self, cell: Cell, level: int) -> Grid:
        """Return member `level` (0, 1, …) of the cell's family of systematically refined grids, step halved each time."""
        ...

    def uniform(self, cell: Cell, resolution: int) -> Grid:
        """Return the grid of `resolution` voxels or elements per edge of the cell."""
        ...

    def unknowns(self, cell: Cell, grid: Grid) -> int:
        """Return how many unknowns a grid has at most, without building anything."""
        ...

    def assemble(self, cell: Cell, grid: Grid) -> Assembly:
        """Return one real symmetric positive semidefinite matrix per process of the cell, and the port."""
        ...


@runtime_checkable
class LayeredBackend(Backend, Protocol):
    """A backend that knows its laterally uniform stacks as such: spectra then need the unknowns of the WE face alone."""

    def layered(self, cell: Cell, grid: Grid) -> Layered | None:
        """Return the same discretisation as `assemble` gives, as a stack; None for a cell that is none."""
        ...


@runtime_checkable
class SpectrumBackend(Protocol):
    """Z(f) +- u(f) of cells, by whatever means: another code, an exported table. It hands over no grids and no matrices.

    name; bound: whether its resistance at direct current is a "lower" or "upper" bound of the continuum's, None if neither.
    It may have attributes `offers`, see `capabilities`, and `unable`, and raises `NoData` for a cell that it has no result of.
    """

    name: str
    bound: Bound

    def impedance(self, cell: Cell, frequencies: NDArray[np.float64], /) -> Spectrum:
        """Return Z of the whole cell in ohm at these frequencies in Hz, with its uncertainty."""
        ...

    def resistance(self, cell: Cell, /) -> tuple[float, float]:
        """Return (R_DC, its uncertainty) of the whole cell in ohm; (inf, 0) where no direct current can flow."""
        ...


class NoData(InputError):
    """A backend has no result of this cell, and cannot make one: a gap, not a fault."""


def unable(backend: Backend | SpectrumBackend) -> dict[str, str]:
    """Return what a backend declares that it cannot do: {what, in the words of `validation.conformance`: reason}."""
    return dict(getattr(backend, "unable", {}))


def backends() -> dict[str, type[Backend]]:
    """Return every installed backend by name, the built-in "network" and "fem" among them."""
    return {point.name: distribution.load(point) for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def installed() -> list[Backend | SpectrumBackend]:
    """Return every installed backend that can be loaded."""
    found: list[Backend | SpectrumBackend] = []
    for name in sorted({point.name for point in entry_points(group=GROUP)}):
        with suppress(Exception):  # anyone's plug-in; whoever asks for it by name is told
            found.append(any_backend(name))
    return found


def backend_named(name: str | Backend | SpectrumBackend) -> Backend:
    """Return the backend of a name; one that is a backend already is returned as it is. Raises InputError."""
    made = any_backend(name)
    if isinstance(made, SpectrumBackend) and not isinstance(made, Backend):
        raise InputError(f"backend = '{made.name}' is not allowed here: it gives spectra, and neither grids nor matrices")
    return made


def any_backend(name: str | Backend | SpectrumBackend) -> Backend | SpectrumBackend:
    """Return the backend of a name, of either kind; one that is a backend already as it is. Raises InputError."""
    if not isinstance(name, str):
        if isinstance(name, type) or not isinstance(getattr(name, "name", None), str):
            raise InputError(f"backend = {show(name)} is not allowed: the name of an installed one, or a backend itself")
        return name
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        raise InputError(f"backend = '{name}' is not allowed: installed are {', '.join(sorted(points)) or 'none'}")
    made: Backend | SpectrumBackend = distribution.load(points[name])()
    return made


@dataclass(frozen=True, eq=False)
class Solution:
    """One grid, solved: its reduced model, which knows Z at any frequency of the band, and what it cost.

    assembly: kept, with the model's basis, where guaranteed bounds are to be made.
    """

    model: ReducedModel
    grid: Grid
    seconds: float
    description: Mapping[str, Any] = field(default_factory=dict)
    assembly: Assembly | None = None

    def of(self, cell: Cell) -> Solution:
        """Return the solution of one of the cells that the model serves."""
        return replace(self, model=self.model.of(admittances(cell)), assembly=None)

    def without_potentials(self) -> Solution:
        """Return the solution without what takes memory: Z at any frequency stays."""
        return replace(self, model=self.model.light(), assembly=None)


def direct_current(cell: Cell) -> bool:
    """Whether direct current can flow: through a contact, or through pores that conduct."""
    electrode = cell.working_electrode
    leaky = electrode.pore is not None and electrode.pore.areal_conductance > 0
    return cell.contact_fraction > 0 or leaky


def check_solvable(cell: Cell) -> None:
    """Raise InputError for a cell that carries no current at any frequency."""
    if not direct_current(cell) and cell.working_electrode.pore is None:
        raise InputError(
            "working_electrode.contact.fraction = 0.0 is not allowed without working_electrode.pore: "
            "no current can enter the cell at any frequency; give the pores a capacitance, or a fraction above 0"
        )
    pore = cell.working_electrode.pore
    if not direct_current(cell) and pore is not None and pore.areal_capacitance == 0:
        raise InputError(
            "working_electrode.pore.capacitance = 0.0 F/m^2 is not allowed at contact fraction 0: no current can enter "
            "the cell at any frequency"
        )


def discretisation(cell: Cell) -> str:
    """Return what a cell's grids and matrices depend on, as text: cells of equal text differ in materials alone."""
    boundaries, structure = cell.electrolyte.grain_boundaries, cell.electrolyte.microstructure
    described = {
        "geometry": cell.geometry.model_dump(mode="json"),
        "contact": cell.working_electrode.contact.model_dump(mode="json"),
        "layers": 1 if boundaries is None else boundaries.layers,
        "microstructure": structure and structure.model_dump(mode="json"),
        "mesh": cell.mesh and cell.mesh.model_dump(mode="json", exclude={"boundary"}),
        "processes": list(admittances(cell)),
        "direct_current": direct_current(cell),
    }
    return json.dumps(described, sort_keys=True)


def solve_grid(
    cell: Cell,
    backend: Backend,
    grid: Grid,
    band: tuple[float, float] | None,
    *,
    keep: bool = False,
    others: Sequence[Cell] = (),
    coarser: Solution | None = None,
) -> Solution:
    """Solve one grid for angular frequencies band[0] to band[1] (1/s; None: none), and direct current where it can flow.

    keep: the potentials and the assembly as well, for guaranteed bounds and fields. others: further cells, of the same
    discretisation, that the model is to serve as well (`ReducedModel.of`); coarser: the solution of the family's grid before.

    Raises InputError if no current can flow at all or if the grid would not fit in memory (before anything is
    allocated), ComputationError if the grid is not that of the cell or if a solver fails.
    """
    for each in (cell, *others):
        check_solvable(each)
        if discretisation(each) != discretisation(cell):
            raise InputError("cells are not allowed to share grids unless they differ in materials alone")
    check_areas(cell, grid)
    # One thread for dense algebra: its products are small here, and backends run side by side.
    with threadpool_limits(limits=1, user_api="blas"):
        if isinstance(backend, LayeredBackend) and _of_one_mind(backend) and not keep and not (others and band is not None):
            start = time.perf_counter()
            if (stack := _layered(cell, backend, grid)) is not None:
                whole = partial(_whole, cell, backend, grid, band)
                model: ReducedModel = reduce_layered(
                    stack, admittances(cell), band, direct_current=direct_current(cell), whole=whole
                )
                return Solution(model, grid, time.perf_counter() - start, model.statistics)
        # A basis for many materials has more columns, known from the coarser grid; its currents take three times as much.
        columns = 0 if coarser is None or not others else len(coarser.model.shifts)
        what = f"{backend.name} on {_cells(grid)}"
        check_memory(backend.unknowns(cell, grid), what, max(_doubles_per_unknown(cell), 60 * bool(others) + 4 * columns))
        start = time.perf_counter()
        assembly = backend.assemble(cell, grid)
        if others and band is not None:
            materials = [admittances(cell), *(admittances(other) for other in others)]
            like = None if coarser is None else coarser.model
            flows = direct_current(cell)
            model = reduce_together(assembly, materials, band, direct_current=flows, like=like, keep=keep)
        else:
            model = reduce(assembly, admittances(cell), band, direct_current=direct_current(cell), keep=keep)
    return Solution(model, grid, time.perf_counter() - start, model.statistics, assembly if keep else None)


def _of_one_mind(backend: LayeredBackend) -> bool:
    """Whether stacks are described by the class that assembles, or by one derived from it: not inherited past another way."""
    stacks, matrices = (next(kind for kind in type(backend).__mro__ if name in vars(kind)) for name in ("layered", "assemble"))
    return issubclass(stacks, matrices)


def _layered(cell: Cell, backend: LayeredBackend, grid: Grid) -> Layered | None:
    """The grid as a stack to be solved on its face, if it fits in memory."""
    plane = backend.unknowns(cell, grid) // grid.shape[-1]
    check_memory(plane, f"{backend.name} on {_cells(grid)}, mode by mode", DOUBLES_PER_NODE)
    return backend.layered(cell, grid)


def _whole(cell: Cell, backend: Backend, grid: Grid, band: tuple[float, float] | None) -> ReducedModel:
    """The model of all unknowns of a grid, for what its face does not tell."""
    check_memory(backend.unknowns(cell, grid), f"{backend.name} on {_cells(grid)}, for its relaxation times")
    with threadpool_limits(limits=1, user_api="blas"):
        return reduce(backend.assemble(cell, grid), admittances(cell), band, direct_current=direct_current(cell))


def _cells(grid: Grid) -> str:
    return f"{grid.name} ({' x '.join(map(str, grid.shape))} cells)"


def check_memory(unknowns: int, what: str, doubles: int = DOUBLES_PER_UNKNOWN) -> None:
    """Raise MemoryShort, an InputError, with the estimate if `unknowns` would take more memory than is free."""
    memory.require(unknowns * doubles * 8, f"{what}: {min(unknowns, 1e300):.3g} unknowns")


def _doubles_per_unknown(cell: Cell) -> int:
    if cell.mesh is not None:
        return DOUBLES_PER_MESH_NODE
    return DOUBLES_PER_UNKNOWN if cell.electrolyte.microstructure is None else DOUBLES_PER_VOXEL


def check_areas(cell: Cell, grid: Grid) -> None:
    """A grid that has another contact or another face solves another cell."""
    for what, has, should in (
        ("contact area", grid.contact_area, cell.contact_area),
        ("area", grid.area, cell.area),
        ("thickness", grid.depth, cell.geometry.lengths[2]),
    ):
        if not np.isclose(has, should, rtol=1e-9, atol=0):
            raise ComputationError(f"grid {grid.name}: its {what} is {has:.9g}, the cell's {should:.9g} (SI)")
