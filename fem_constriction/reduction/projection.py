"""X = span of solutions at a few real shifts: how the whole spectrum is had from real, symmetric, positive definite systems.

At real s >= 0 every y_p(s) >= 0 and A(s) is symmetric, positive definite. The solutions at r real shifts, spread
logarithmically over a little more than the band, span a space on which the process matrices are projected (`ReducedModel`).
How many shifts are enough is decided by comparing with the models that have one fewer: at each frequency the largest change
that leaving out any one of the solutions makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError
from fem_constriction.processes.elements import Admittance, evaluate
from fem_constriction.processes.names import CHARGE_TRANSFER, PORE
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.reduction.growing import Growing, Rows, Vectors, bordered
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.reduction.solver import ShiftedSolutions, solve_shifts

#: Relative error of Z that a reduced model is made for.
TARGET = 1e-8

#: Shifts per decade to begin with, and three more.
PER_DECADE = 1.5

#: Where the estimate stops falling (not halved by as many rounds of two more shifts), rounding is what is left: admittances
#: that span more than ten decades. It is accepted up to this size, reported, and part of every uncertainty.
PATIENCE, ACCEPTED = 2, 1e-4

#: Columns that matrices are applied to at once.
WIDTH = 8

#: Doubles a block of columns may hold at once while shifts are solved: 32 MB, larger ones spend their time in the page table.
BLOCK = 4_000_000


def reduce(
    assembly: Assembly,
    processes: Mapping[str, Admittance],
    band: tuple[float, float] | None,
    *,
    direct_current: bool = True,
    tolerance: float | None = None,
    solver_tolerance: float = 1e-9,
    most_shifts: int = 60,
    keep: bool = False,
) -> ReducedModel:
    """Return the reduced model of an assembly for angular frequencies band[0] to band[1] (1/s); None: direct current alone.

    processes: y of every place.
    direct_current: whether s = 0 is solved as well (there must be a path for direct current); keep: the basis as well.
    Shifts are added, at the widest logarithmic gap next to the worst frequency, until the estimate (`ReducedModel.error`)
    is below tolerance everywhere in the band (1e-8; of an assembly with its own reduction: what that is made for), or until
    rounding stops it below 1e-4. Raises ComputationError if most_shifts do not suffice.
    """
    processes = assembly.admittances(processes)
    if assembly.reduction is not None:
        found = assembly.reduction(processes, band, direct_current=direct_current, tolerance=tolerance, keep=keep)
        return replace(found, series=assembly.series)
    basis = Basis(assembly, processes, solver_tolerance)
    model, estimate = enough_shifts(
        basis, band, direct_current=direct_current, tolerance=tolerance or TARGET, most_shifts=most_shifts
    )
    kept = (model.basis or tuple(basis.blocks)) if keep else ()
    return replace(model, statistics=basis.statistics(estimate), basis=kept, series=assembly.series)


class Solutions(Protocol):
    """A growing space of solutions at real shifts, wherever it is held."""

    def extend(self, shifts: Array) -> None:
        """Solve at these shifts and take the solutions in."""
        ...

    def model(self, shifts: Array) -> ReducedModel:
        """Return the reduced model; shifts: all that were solved, in order."""
        ...

    def turned(self, model: ReducedModel) -> ReducedModel:
        """Return the model on columns whose energies do not cancel, or itself where there is no telling them."""
        ...


def enough_shifts(
    basis: Solutions,
    band: tuple[float, float] | None,
    *,
    direct_current: bool = True,
    tolerance: float = TARGET,
    most_shifts: int = 60,
    per_decade: float = PER_DECADE,
) -> tuple[ReducedModel, float]:
    """Extend a basis until its model is good enough in the band, see `reduce`; return the model and its estimated error."""
    queue, check = first_shifts(band, direct_current, per_decade)
    shifts = np.empty(0)
    history: list[float] = []
    while True:
        basis.extend(queue)
        shifts = np.append(shifts, queue)
        model = basis.model(shifts)
        if band is None:
            return model, 0.0
        if np.max(model.rounding(check)) > tolerance / 2:
            model = basis.turned(model)
        error = model.error(check)
        worst = int(np.argmax(error))
        history.append(float(error[worst]))
        rounding = len(history) > PATIENCE and history[-1] > history[-1 - PATIENCE] / 2 and history[-1] <= ACCEPTED
        if history[-1] <= tolerance or rounding:  # rounding is reported, and part of every uncertainty
            return model, history[-1]
        if shifts.size >= most_shifts:
            # An error that half of the shifts have left as it was is none of the projection.
            still = history[-1] > history[len(history) // 2] / 10
            why = "; more shifts do not lower it: the admittances differ by more than double precision tells apart"
            raise ComputationError(
                f"the projection on {shifts.size} real shifts has an estimated relative error of {history[-1]:.1e} at "
                f"{abs(check[worst]) / (2 * np.pi):.3g} Hz, asked {tolerance:.0e}{why if still else ''}"
            )
        queue = _bisect(shifts, np.abs(check), error)


def first_shifts(
    band: tuple[float, float] | None, direct_current: bool, per_decade: float = PER_DECADE
) -> tuple[Array, NDArray[np.complex128]]:
    """Return the shifts to begin with, and the values of i omega to check."""
    if band is None:
        return np.zeros(1), np.zeros(1, dtype=np.complex128)
    low, high = band[0] / 10, band[1] * 10
    shifts = np.geomspace(low, high, max(6, round(per_decade * np.log10(high / low)) + 3))
    points = max(9, round(4 * np.log10(band[1] / band[0])) + 1)
    check = (1j * np.geomspace(*band, points)).astype(np.complex128)
    return np.insert(shifts, 0, 0.0) if direct_current else shifts, check


class Basis:
    """Solutions at real shifts, and the process matrices projected on what they span.

    Parameters
    ----------
    assembly : Assembly
        The matrices L_p.
    processes : mapping of str to Admittance
        y_p(s).
    tolerance : float
        Relative energy error of a solution.
    vectors : Vectors
        Where columns are held: in memory, if left out.
    """

    #: How many times larger rounding may be than its estimate where it is not measured (seen: 19 times).
    unseen = 25.0

    def __init__(
        self,
        assembly: Assembly,
        processes: Mapping[str, Admittance],
        tolerance: float = 1e-9,
        vectors: Vectors[Array] | None = None,
    ) -> None:
        self.assembly, self.processes, self.tolerance = assembly, processes, tolerance
        self.growing = Growing(vectors or Rows())
        self.matrices: dict[str, Array] = {name: np.zeros((0, 0)) for name in processes}
        self.port: Array = np.zeros(0)
        self.unit = self.unit_of_port()
        # What pores do not take enters at the contact, also where that is several matrices.
        several = any(name.startswith(f"{CHARGE_TRANSFER} - ") for name in processes)
        at_metal = [p for p in processes if p.startswith(PORE) or (p == CHARGE_TRANSFER and not several)]
        self.metal = {p: assembly.operators[p] @ self.unit for p in at_metal}
        self.entries: dict[str, Array] = {name: np.zeros(0) for name in self.metal}
        self.iterations, self.solver_error = 0, 0.0

    def unit_of_port(self) -> Array:
        """Return b, the unit vector of V, as a column."""
        unit = np.zeros((self.assembly.unknowns, 1))
        unit[-1] = 1.0
        return unit

    @property
    def blocks(self) -> list[Array]:
        """Orthonormal columns, in blocks as they were solved."""
        return self.growing.blocks

    @property
    def coordinates(self) -> Array:
        """Of the normalised solutions, (r, shifts)."""
        return self.growing.coordinates

    def extend(self, shifts: Array) -> None:
        """Solve at these shifts and add the solutions."""
        for block in blocks(shifts, self.assembly.unknowns):
            self.add(solve_shifts(self.assembly, evaluate(self.processes, block), tolerance=self.tolerance))

    def model(self, shifts: Array) -> ReducedModel:
        """Return the reduced model; shifts: all that were solved, in order."""
        return ReducedModel(
            self.matrices, self.port, self.entries, self.coordinates, self.processes, shifts, unseen=self.unseen
        )

    def add(self, solved: ShiftedSolutions) -> None:
        """Add the solutions that one call of the solver gave."""
        self.iterations = max(self.iterations, solved.iterations)
        self.solver_error = max(self.solver_error, float(solved.error.max()))
        products = self.growing.vectors.products
        lengths = np.sqrt(np.diagonal(products(solved.potentials, solved.potentials)))
        new = self.growing.take(solved.potentials / lengths, lengths.size)
        if new is None:
            return
        for name, matrix in self.matrices.items():
            image = self.assembly.operators[name] @ new
            self.matrices[name] = bordered(matrix, np.concatenate([products(block, image) for block in self.blocks]))
        self.port = np.append(self.port, products(self.unit, new))
        for name, row in self.metal.items():
            self.entries[name] = np.append(self.entries[name], products(row, new))
        self.project(new)

    def turned(self, model: ReducedModel) -> ReducedModel:
        """Return the model on about its relaxations (`ReducedModel.apart`), projected on them anew.

        Solutions are mixtures: orthonormalised, each crosses a contact that a double layer short-circuits at high frequency.
        What is left of them together is then lost in the rounding of each: 2e-4 of Z where admittances span nine decades.
        A relaxation has its energy in few places, and energies of relaxations add up without cancelling: 1e-13.
        """
        directions = model.apart()
        return model if directions is None else self.projected_anew(model, directions, directions)

    def projected_anew(self, model: ReducedModel, directions: Array, weights: Array) -> ReducedModel:
        """Return a model on directions in it, (k, k), which are X weights, (r, k): matrices of these columns, with defects."""
        columns = self._combined(weights)
        products = self.growing.vectors.products
        lengths = np.sqrt(np.diagonal(products(columns, columns)))
        columns /= lengths
        directions = directions / lengths
        matrices, defects = {}, {}
        for name in self.matrices:
            pieces = [
                products(columns, self.assembly.operators[name] @ np.ascontiguousarray(columns[:, start : start + WIDTH]))
                for start in range(0, columns.shape[1], WIDTH)
            ]
            matrix = np.hstack(pieces)
            matrices[name], defects[name] = (matrix + matrix.T) / 2, np.abs(matrix - matrix.T)
        return replace(
            model,
            matrices=matrices,
            defects=defects,
            port=products(self.unit, columns)[0],
            entries={name: products(row, columns)[0] for name, row in self.metal.items()},
            coordinates=np.asarray(np.linalg.solve(directions, model.coordinates), dtype=np.float64),
            basis=(columns,),
        )

    def _combined(self, weights: Array) -> Array:
        """X times weights (r, k)."""
        ends = np.cumsum([block.shape[1] for block in self.blocks])
        columns = self.blocks[0] @ weights[: ends[0]]
        for block, rows in zip(self.blocks[1:], np.split(weights, ends[:-1])[1:], strict=True):
            columns += block @ rows
        return np.asarray(columns)

    def project(self, new: Array) -> None:
        """Do what else is to be done with new columns of the basis."""

    def statistics(self, projection_error: float) -> dict[str, Any]:
        """Return what it took, for the provenance of a result."""
        return {
            **self.assembly.description,
            "shifts": self.coordinates.shape[1],
            "iterations": self.iterations,
            "solver_error": self.solver_error,
            "projection_error": projection_error,
        }


def ends_first(count: int) -> list[int]:
    """Return 0 to count - 1 with the ends first, then middles of what is left between: neighbours are alike."""
    order = [0, count - 1][:count]
    gaps = [(0, count - 1)]
    while gaps:
        a, b = gaps.pop(0)
        if b - a > 1:
            middle = (a + b) // 2
            order.append(middle)
            gaps += [(a, middle), (middle, b)]
    return order


def blocks(shifts: Array, unknowns: int) -> list[Array]:
    """Return the shifts in pieces that are solved together."""
    width = int(np.clip(BLOCK // unknowns, 1, 8))
    return [shifts[start : start + width] for start in range(0, shifts.size, width)]


def _bisect(shifts: Array, check: Array, error: Array) -> Array:
    """Return two new shifts, in the widest logarithmic gaps next to the worst frequencies."""
    known = np.sort(np.log(shifts[shifts > 0]))
    position = np.log(check)
    chosen: list[float] = []
    for _ in range(2):
        gaps = np.diff(known)
        inside = np.clip(np.searchsorted(known, position) - 1, 0, gaps.size - 1)
        near = inside[int(np.argmax(error * gaps[inside]))]
        candidates = np.arange(max(near - 1, 0), min(near + 2, gaps.size))
        gap = candidates[int(np.argmax(gaps[candidates]))]
        chosen.append(float((known[gap] + known[gap + 1]) / 2))
        known = np.sort(np.append(known, chosen[-1]))
    return np.asarray(np.exp(chosen), dtype=np.float64)
