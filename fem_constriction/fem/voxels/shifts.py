"""A(s) x = b on voxels at real shifts: which unknowns current reaches at one, what preconditions them, and the space they span.

Solved one after the other, each from the best guess that those before it give. Z is quadratic in the potentials' error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.fem.voxels.meanfield import Lattice, MeanField
from fem_constriction.fem.voxels.medium import Medium
from fem_constriction.fem.voxels.nodes import Nodes
from fem_constriction.fem.voxels.summed import Summands
from fem_constriction.processes.elements import Admittance, evaluate
from fem_constriction.reduction.assembly import Assembly, Operator
from fem_constriction.reduction.conjugate_gradients import conjugate_gradients, not_reached
from fem_constriction.reduction.factors import factorised
from fem_constriction.reduction.projection import Basis, ends_first, enough_shifts
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.reduction.solver import ShiftedSolutions

#: Relative error of Z that a reduced model of an image is made for, and shifts per decade to begin with (and three more).
TARGET, PER_DECADE = 1e-7, 0.5

#: Energy error of a solution, in roots of the target of Z, and what may be left of that of its guess: a good one is improved
#: all the same, since the estimate of what the span lacks leaves out one solution after the other.
ERROR, GAIN = 1 / 30, 0.03

#: Unknowns up to which A is factorised: 20 ms, about as long as conjugate gradients take there.
SMALL = 2000

#: Iterations that the mean-field stack may take before multigrid is tried, and those that multigrid may take.
PATIENCE, MOST = 60, 200

#: Contrast of phases at which multigrid is taken at once: up to it the stack takes as many iterations at a third of the time
#: (noise of 10 and 40 % in 16^3 voxels: 81 and 16 iterations at 1000, 169 and 17 at 10,000, multigrid 37, 13, 69 and 10).
CONTRAST = 1e3

#: Unknowns of the coarsest level of multigrid at most: it is factorised.
COARSEST = 500


class Inverse(Protocol):
    """About A^-1 on the unknowns without V; name: what it is called where a result says how it was made."""

    name: str

    def solve(self, residual: Array, /) -> Array:
        """Return it times a column, (free,)."""
        ...


@dataclass(frozen=True, eq=False)
class Live:
    """Unknowns that a path leads from to one of the electrodes, where some places conduct and others do not.

    The others' potential is arbitrary: what a dielectric shuts in, at direct current.
    """

    medium: Medium
    nodes: Nodes
    known: dict[tuple[bool, ...], NDArray[np.bool_]] = field(default_factory=dict, repr=False)

    def at(self, y: Mapping[str, Any]) -> NDArray[np.bool_]:
        """Return them, (free,), where places conduct y."""
        conducts = self._which(y)
        if conducts not in self.known:
            self.known[conducts] = self._reached(*self._split(conducts))
        return self.known[conducts]

    def flows(self, y: Mapping[str, Any]) -> bool:
        """Whether current finds a path from V to the counter electrode where places conduct y."""
        return bool(self.medium.grounded(*self._split(self._which(y)))[0].any())

    def _which(self, y: Mapping[str, Any]) -> tuple[bool, ...]:
        return tuple(bool(abs(y[name]) > 0) for name in (*self.medium.phases, *self.medium.places))

    def _split(self, conducts: tuple[bool, ...]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        number = len(self.medium.phases)
        return np.array(conducts[:number], dtype=bool), np.array(conducts[number:], dtype=bool)

    def _reached(self, phases: NDArray[np.bool_], places: NDArray[np.bool_]) -> NDArray[np.bool_]:
        if phases.all() and places.all():
            return np.ones(self.nodes.free, dtype=bool)
        found = np.zeros(self.nodes.free + 2, dtype=bool)  # the last two are V and 0 V
        found[self.nodes.of_voxels(self.medium.grounded(phases, places, tied=True)[1:-1])] = True
        return found[:-2]


class Exact:
    """A^-1 of the unknowns that are alive."""

    name = "factorised matrix"

    def __init__(self, matrix: sparse.csr_array, live: NDArray[np.bool_]) -> None:
        self.kept = np.flatnonzero(live)
        self.factors = factorised(matrix[self.kept][:, self.kept])

    def solve(self, residual: Array) -> Array:
        """Return A^-1 r, 0 where nothing is alive."""
        found = np.zeros_like(residual)
        found[self.kept] = self.factors.solve(residual[self.kept])
        return found


class Multigrid:
    """One symmetric V-cycle of classical (Ruge-Stuben) multigrid, which sees every phase and every boundary."""

    name = "classical multigrid"

    def __init__(self, matrix: sparse.csr_array, live: NDArray[np.bool_]) -> None:
        from pyamg import ruge_stuben_solver  # a quarter of a second that most cells never need

        self.kept = np.flatnonzero(live)
        inner = sparse.csr_array(matrix[self.kept][:, self.kept])
        # To a unit diagonal: phases differ by many decades. What is left of a phase that conducts next to nothing may be
        # singular on the coarsest level, to rounding.
        self.scale = 1 / np.sqrt(inner.diagonal())
        scaling = sparse.diags_array(self.scale)
        scaled = sparse.csr_matrix(scaling @ inner @ scaling)
        hierarchy = ruge_stuben_solver(scaled, max_coarse=COARSEST, coarse_solver="pinv")
        self.cycle = hierarchy.aspreconditioner(cycle="V")

    def solve(self, residual: Array) -> Array:
        """Return one cycle's result, 0 where nothing is alive."""
        found = np.zeros_like(residual)
        found[self.kept] = self.scale * self.cycle.matvec(self.scale * residual[self.kept])
        return found


@dataclass(frozen=True, eq=False)
class Shifted:
    """A at one shift, as y_p and L_p of every place that conducts: to add the matrices up takes as long as 20 products."""

    summands: list[tuple[float, Operator]]

    def apply(self, x: Array) -> Array:
        """Return A x, x (free + 1,) with V last."""
        found = np.zeros_like(x)
        for y, operator in self.summands:
            found += y * (operator @ x)
        return found

    def inner(self, x: Array) -> Array:
        """Return A x of the unknowns without V."""
        return self.apply(np.append(x, 0.0))[:-1]


@dataclass(frozen=True, eq=False)
class Systems:
    """A(s) of an image at any real s, and what preconditions it.

    Parameters
    ----------
    operators
        L_p of every place.
    live, lattice
        Of the image.
    """

    operators: Mapping[str, Operator]
    live: Live
    lattice: Lattice

    @cached_property
    def summands(self) -> Summands:
        """Entries of all places in one pattern, for what takes A itself."""
        return Summands.of({name: each.tocsr() for name, each in self.operators.items()})

    @cached_property
    def diagonals(self) -> Mapping[str, Array]:
        """Of every L_p, V left out."""
        return {name: each.tocsr().diagonal()[:-1] for name, each in self.operators.items()}

    def at(self, y: Mapping[str, float]) -> Shifted:
        """Return A at one shift."""
        return Shifted([(y[name], each) for name, each in self.operators.items() if y[name]])

    def ways(self, y: Mapping[str, float]) -> list[tuple[Any, int]]:
        """Return what makes preconditioners, to be tried one after the other, and the iterations that each may take."""
        live, free = self.live.at(y), self.live.nodes.free

        def matrix() -> sparse.csr_array:
            return self.summands.summed(y).inner

        def stack() -> MeanField:
            diagonal = sum((y[name] * each for name, each in self.diagonals.items()), np.zeros(free))
            return MeanField(self.lattice, y, self.at(y).inner, diagonal, live)

        if free <= SMALL:
            return [(lambda: Exact(matrix(), live), MOST)]
        last = (lambda: Multigrid(matrix(), live), MOST)
        inside = [y[name] for name in self.live.medium.phases if y[name]]
        if max(inside) > CONTRAST * min(inside):
            return [last]
        return [(stack, PATIENCE), last]

    def prepare(self, y: Mapping[str, Array]) -> Prepared:
        """Return preconditioners of several shifts, {place: (k,)}."""
        made: dict[tuple[float, ...], Inverse] = {}  # real and imaginary parts of a solution at i omega share theirs
        each = []
        for k in range(len(next(iter(y.values())))):
            at = {name: float(values[k]) for name, values in y.items()}
            key = tuple(at.values())
            if key not in made:
                make, _ = self.ways(at)[-1]  # what sees every link: there is no second try
                made[key] = make()
            each.append(made[key])
        return Prepared(each)


@dataclass(frozen=True, eq=False)
class Prepared:
    """Preconditioners of several shifts (`assembly.Preconditioner`)."""

    each: list[Inverse]

    def solve(self, columns: Array) -> Array:
        """Return about A(s_k)^-1 r_k for each column k."""
        return np.column_stack([one.solve(np.ascontiguousarray(columns[:, k])) for k, one in enumerate(self.each)])


@dataclass(frozen=True, eq=False)
class _One:
    """A at one shift without V, for conjugate gradients: columns (1, free)."""

    matrix: Shifted
    inverse: Inverse

    def apply(self, direction: Array) -> Array:
        return self.matrix.inner(direction[0])[None]

    def precondition(self, residual: Array) -> Array:
        return self.inverse.solve(residual[0])[None]

    def only(self, columns: NDArray[np.bool_]) -> _One:
        return self


class VoxelBasis(Basis):
    """Solutions at real shifts, one after the other, ends and middle first."""

    def __init__(self, assembly: Assembly, systems: Systems, processes: Mapping[str, Admittance], target: float) -> None:
        super().__init__(assembly, processes)
        self.systems, self.error, self.order = systems, float(np.sqrt(target)) * ERROR, list[int]()
        self.ways, self.every = Counter[str](), list[int]()

    def extend(self, shifts: Array) -> None:
        """Solve at these shifts and take the solutions in."""
        order, before = ends_first(len(shifts)), len(self.order)
        for place in order:
            self.add(self._solve(float(shifts[place])))
        self.order += [before + order.index(place) for place in range(len(shifts))]

    def model(self, shifts: Array) -> ReducedModel:
        """Return the reduced model; shifts: all that were solved, in order."""
        found = super().model(shifts)
        return replace(found, coordinates=self.coordinates[:, self.order]) if self.order else found

    def statistics(self, projection_error: float) -> dict[str, Any]:
        """Return what it took, for the provenance of a result."""
        solver = ", ".join(f"{name} ({count})" for name, count in self.ways.items())
        return {**super().statistics(projection_error), "iterations_in_all": sum(self.every), "solver": solver}

    def _solve(self, s: float) -> ShiftedSolutions:
        y = {name: float(value) for name, value in evaluate(self.processes, s).items()}
        whole = self.systems.at(y)
        x = self._guess(s)
        spent = 0
        for make, most in self.systems.ways(y):
            inverse: Inverse = make()
            residual = -whole.apply(x)
            current = -float(x @ residual)
            asked = self.error**2

            def enough(begin: Array, gained: Array, current: float = current, asked: float = asked) -> Array:
                now = np.abs(current - gained)
                return np.minimum(asked * now, np.maximum(GAIN**2 * begin, 1e-28 * now))

            own = x[None, :-1]
            done = conjugate_gradients(_One(whole, inverse), own, residual[None, :-1].copy(), enough, most, flexible=True)
            spent += done.iterations
            error = float(np.sqrt(done.left[0] / max(abs(current - float(done.gained[0])), 1e-300)))
            if done.reached.all():
                break
        else:
            raise not_reached(spent, error, self.error, f"s = {s:.3g} 1/s, {inverse.name}", f" on {len(x):,} unknowns")
        self.ways[inverse.name] += 1
        self.every.append(spent)
        return ShiftedSolutions(x[:, None], np.array([error]), spent)

    def _guess(self, s: float) -> Array:
        """Return the Galerkin solution in the span so far, scaled to V = 1."""
        x = np.zeros(self.assembly.unknowns)
        if self.blocks:
            weights = super().model(np.zeros(0)).solved(np.array([s]), self.processes)[0]
            x = self._combined(np.asarray(weights, dtype=float))[:, 0]
            x /= x[-1]
        x[-1] = 1.0
        return x


def reduced(assembly: Assembly, systems: Systems) -> Assembly:
    """Return the assembly with its way to a reduced model: direct current is solved where the image lets it through."""

    def reduction(
        processes: Mapping[str, Admittance],
        band: tuple[float, float] | None,
        *,
        direct_current: bool,
        tolerance: float | None,
        keep: bool,
    ) -> ReducedModel:
        flows = direct_current and systems.live.flows({name: y(0.0) for name, y in processes.items()})
        target = tolerance or TARGET
        basis = VoxelBasis(assembly, systems, processes, target)
        if band is None and not flows:
            return basis.model(np.empty(0))
        model, estimate = enough_shifts(basis, band, direct_current=flows, tolerance=target, per_decade=PER_DECADE)
        kept = (model.basis or tuple(basis.blocks)) if keep else ()
        return replace(model, statistics=basis.statistics(estimate), basis=kept)

    return replace(assembly, reduction=reduction, precondition=systems.prepare)
