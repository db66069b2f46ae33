"""log Z(i omega; u) = sum over nodes k of w_k(u_g) log b' (X_k' A(y(u)) X_k)^-1 b: a cell at any values of its unknowns.

Materials enter as admittances alone: at each node one reduced model serves all of them (`reduction.materials`), and derivatives
are exact, dZ = - sum over places p of (x' L_p x) dy_p. What changes the discretisation (a contact fraction, a thickness) is
solved at nodes, a fixed lattice along each of these unknowns, made when they are first needed; between four of them log Z is a
cubic. Of several such unknowns the changes along each are added up. All on a coarse grid of one backend: what grid and
interpolation leave is measured at the optimum, and taken away (`mapping`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fem_constriction.arrays import Array, Complex
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import ConstrictionError, InputError
from fem_constriction.inverse.unknowns import Unknown, changed
from fem_constriction.problem.problem import Band, Problem
from fem_constriction.processes.elements import Admittance, evaluate
from fem_constriction.reduction.materials import reduce_together
from fem_constriction.reduction.projection import reduce
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving.backends import Backend, backend_named, backends
from fem_constriction.solving.capabilities import require

#: Steps of u between nodes: a factor of 1.5 of a length, 0.5 of the logit of a fraction, a tenth of a linear range.
STEPS: Final = {"log": 0.4, "logit": 0.5, "linear": None}
LINEAR: Final = 10
#: Factor by which each material is varied to both sides, for the space its solutions span; unknowns that stay within it.
BOX: Final = 4.0
#: Unknown materials up to which all corners of the box are taken; of more, two for each.
CORNERS: Final = 2
#: Relative error that a reduced model is made for: a hundredth of what instruments resolve.
ACCURATE: Final = 1e-5
_STEP: Final = 1e-6  # of u, in differences of admittances, which are smooth: 1e-10 of the derivative
_NEAR: Final = 0.05  # of u: what tells a change of the discretisation from one of materials


#: {place: y} -> {operator of an assembly: y}.
Operators = Callable[[Mapping[str, Admittance]], Mapping[str, Admittance]]


@dataclass(eq=False)
class CellModel:
    """log Z and its derivatives for any values of the unknowns; models of nodes are made when they are needed, and kept.

    Parameters
    ----------
    cell
        Whose other values stay.
    unknowns
        What is varied.
    band
        Lowest and highest angular frequency, 1/s.
    backend
        Whose coarsest grids are taken; None: the one with the fewest unknowns that takes the cell.
    """

    cell: Cell
    unknowns: tuple[Unknown, ...]
    band: Band
    backend: Backend | None = None
    solved: int = 0
    evaluations: int = 0
    _models: dict[tuple[int, ...], tuple[ReducedModel, Operators]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        problem = Problem(self.cell, self.band)
        problem.check_solvable()
        self.backend = self.backend or _smallest(problem)
        self.geometric = tuple(n for n, each in enumerate(self.unknowns) if self._changes_grids(problem, each))
        self.centre = self.start
        self.lattice = [_lattice(self.unknowns[n]) for n in self.geometric]

    @property
    def start(self) -> Array:
        """U of the values that the unknowns start from, (n,)."""
        return np.array([each.inside(each.start) for each in self.unknowns])

    def values(self, u: Array) -> dict[str, float]:
        """Return the values in SI by key."""
        return {each.key: each.outside(x) for each, x in zip(self.unknowns, u, strict=True)}

    def at(self, u: Array) -> Cell:
        """Return the cell with the values at u."""
        return changed(self.cell, self.values(u))

    def recentred(self, u: Array) -> bool:
        """Make models around u from now on, where its materials have left the box, and say whether they have."""
        materials = [n for n in range(len(self.unknowns)) if n not in self.geometric]
        off = np.abs(u - self.centre)[materials]
        wide = len(self.geometric) > 1 and self._index(u) != self._index(self.centre)
        if not wide and (off > np.log(BOX)).sum() == 0:
            return False
        if (off > np.log(BOX)).any():
            self._models.clear()
        self.centre = np.array(u)
        return True

    def log_impedance(self, frequency: Array, u: Array) -> tuple[Complex, Complex]:
        """Return log Z, (f,), and its derivatives by u, (f, n), at frequencies in Hz."""
        self.evaluations += 1
        s = np.asarray(2j * np.pi * frequency, dtype=np.complex128)
        base = self._index(self.centre)
        y, dy = self._admittances(s, u, self._model(base)[1])
        if not self.geometric:
            return self._at_node(base, s, y, dy)
        centre = self._at_node(base, s, y, dy) if len(self.geometric) > 1 else None
        parts = []
        for axis, n in enumerate(self.geometric):
            nodes, weights, slopes = self._weights(axis, u[n])
            each = [self._at_node((*base[:axis], node, *base[axis + 1 :]), s, y, dy) for node in nodes]
            logs, steep = np.array([z for z, _ in each]), np.array([d for _, d in each])
            along = np.tensordot(weights, steep, 1)
            along[:, n] += slopes @ logs
            parts.append((weights @ logs, along))
        if centre is None:
            return parts[0]
        more = len(parts) - 1
        return sum(z for z, _ in parts) - more * centre[0], sum(d for _, d in parts) - more * centre[1]

    def _at_node(
        self, index: tuple[int, ...], s: Complex, y: dict[str, Any], dy: list[dict[str, Any]]
    ) -> tuple[Complex, Complex]:
        """Log Z and its derivatives by what admittances do alone."""
        model = self._model(index)[0]
        x, z = _solved(model, y)
        energy = {name: np.sum(x * (matrix @ x), 0) for name, matrix in model.matrices.items()}
        steep = np.stack([-sum(energy[name] * each[name] for name in energy) / z for each in dy], axis=1)
        return np.log(z), steep

    def _admittances(self, s: Complex, u: Array, operators: Operators) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """y of each operator at u, and dy/du of each unknown."""
        y = evaluate(operators(Problem(self.at(u)).places), s)
        steep = []
        for n in range(u.size):
            step = -_STEP if u[n] + _STEP > self.unknowns[n].ends[1] else _STEP
            moved = evaluate(operators(Problem(self.at(u + step * np.eye(u.size)[n])).places), s)
            steep.append({name: (moved[name] - y[name]) / step for name in y})
        return y, steep

    def _index(self, u: Array) -> tuple[int, ...]:
        """The node nearest to u along each geometric unknown."""
        places = zip(self.geometric, self.lattice, strict=True)
        return tuple(int(np.argmin(np.abs(lattice - u[n]))) for n, lattice in places)

    def _weights(self, axis: int, u: float) -> tuple[list[int], Array, Array]:
        """Four nodes around u, Lagrange's weights and their derivatives."""
        lattice = self.lattice[axis]
        first = int(np.clip(np.searchsorted(lattice, u) - 2, 0, lattice.size - 4))
        nodes = lattice[first : first + 4]
        weights, slopes = np.ones(4), np.zeros(4)
        for k in range(4):
            others = np.delete(nodes, k)
            scale = np.prod(nodes[k] - others)
            weights[k] = np.prod(u - others) / scale
            slopes[k] = sum(np.prod(np.delete(u - others, j)) for j in range(3)) / scale
        return list(range(first, first + 4)), weights, slopes

    def _model(self, index: tuple[int, ...]) -> tuple[ReducedModel, Operators]:
        if (known := self._models.get(index)) is not None:
            return known
        self._models[index] = made = self._solve(index)
        self.solved += 1
        return made

    def _solve(self, index: tuple[int, ...]) -> tuple[ReducedModel, Operators]:
        """The reduced model of a node, for materials around the centre, and what its operators conduct."""
        assert self.backend is not None
        place = np.array(self.centre)
        for axis, n in enumerate(self.geometric):
            place[n] = self.lattice[axis][index[axis]]
        problem = Problem(self.at(place), self.band)
        materials = [Problem(self.at(each)).places for each in self._box(place)]
        with threadpool_limits(limits=1, user_api="blas"):
            assembly = self.backend.assemble(problem, self.backend.grid(problem, 0))
            flows = problem.direct_current
            if assembly.precondition is None or len(materials) == 1:
                made = reduce(assembly, problem.places, self.band, direct_current=flows)
            else:
                made = reduce_together(assembly, materials, self.band, direct_current=flows, target=ACCURATE)
        series = assembly.series  # not the assembly itself, whose matrices need not be kept
        return made.light(), _places if series is None else series

    def _box(self, place: Array) -> list[Array]:
        """The place, and around it the corners of the box of materials, or the middles of its sides."""
        free = [n for n in range(place.size) if n not in self.geometric]
        size = np.zeros(place.size)
        size[free] = np.log(BOX)
        if len(free) <= CORNERS:
            ways = [np.array(signs) for signs in product(*([-1.0, 1.0] if n in free else [0.0] for n in range(place.size)))]
        else:
            ways = [sign * np.eye(place.size)[n] for n in free for sign in (-1.0, 1.0)]
        ends = np.array([each.ends for each in self.unknowns])
        return [place, *(np.clip(place + way * size, ends[:, 0], ends[:, 1]) for way in ways if way.any())]

    def _changes_grids(self, problem: Problem, unknown: Unknown) -> bool:
        """Whether another value of an unknown takes other grids."""
        u, (low, high) = unknown.inside(unknown.start), unknown.ends
        other = u + _NEAR * (high - low) if u + _NEAR * (high - low) < high else u - _NEAR * (high - low)
        return Problem(changed(self.cell, {unknown.key: unknown.outside(other)})).discretisation != problem.discretisation


def _places(places: Mapping[str, Admittance]) -> Mapping[str, Admittance]:
    """Operators that are places themselves."""
    return places


def _lattice(unknown: Unknown) -> Array:
    low, high = unknown.ends
    step = STEPS[unknown.scale] or (high - low) / LINEAR
    return np.linspace(low, high, max(3, int(np.ceil((high - low) / step))) + 1)


def _solved(model: ReducedModel, y: dict[str, Any]) -> tuple[NDArray[Any], Complex]:
    """x (r, f) and Z = 2 b'x - x'A x (f,), quadratic in what is left in x, of admittances at each frequency."""
    system: NDArray[Any] = sum(y[name][:, None, None] * matrix for name, matrix in model.matrices.items())
    scale = 1 / np.sqrt(np.abs(np.diagonal(system, axis1=1, axis2=2)))
    right = model.port * scale
    scaled = system * scale[:, :, None] * scale[:, None, :]
    x = np.linalg.solve(scaled, right[:, :, None])[:, :, 0]
    z = 2 * np.sum(x * right, 1) - np.einsum("ki,kij,kj->k", x, scaled, x, optimize=True)
    return (x * scale).T, z


def _smallest(problem: Problem) -> Backend:
    """The installed backend with the fewest unknowns on its coarsest grid of this cell."""
    found: list[tuple[int, str]] = []
    faults: list[ConstrictionError] = []
    for name in backends():
        try:
            backend = backend_named(name)
            require("spectrum", problem, [backend])
            found.append((backend.unknowns(problem, backend.grid(problem, 0)), name))
        except ConstrictionError as error:
            faults.append(error)
    if not found:
        raise faults[0] if faults else InputError(key="backend", why="none is installed that takes this cell")
    return backend_named(min(found)[1])


def models_of(cells: Sequence[Cell], unknowns: Sequence[tuple[Unknown, ...]], band: Band) -> list[CellModel]:
    """Return a model for each cell; equal cells share theirs."""
    made: dict[Any, CellModel] = {}
    found = []
    for cell, each in zip(cells, unknowns, strict=True):
        key = (cell, tuple((one.key, one.low, one.high) for one in each))
        if key not in made:
            made[key] = CellModel(cell, tuple(each), band)
        found.append(made[key])
    return found
