"""Z_potentials(s) <= Z(s) <= Z_currents(s) at direct current and real s > 0, for any outline, as narrow as asked.

Lagrange elements of degree 2 and divergence-free currents of the same order on the same triangles of the face, neither
discretised along z (`equilibrated`): both errors are of order h^4, and the triangles are refined until they enclose Z in the
interval that is asked for. No order, no limit and no second grid is assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from fem_constriction.arrays import Array
from fem_constriction.cell.units import array_in, relative_to_z
from fem_constriction.errors import ComputationError, InputError, MemoryShort
from fem_constriction.fem.backend import FiniteElements
from fem_constriction.fem.prisms.equilibrated import MixedElements, equilibrated, semi_discrete
from fem_constriction.fem.prisms.plane_memory import check_plane
from fem_constriction.fem.prisms.prisms import Prisms
from fem_constriction.problem.faces import Mesher
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.solving.capabilities import require
from fem_constriction.solving.one_grid import check_areas
from fem_constriction.stack.face_model import LateralModel, reduce_layered

#: The finest triangulation that is tried.
FINEST = 4


@dataclass(frozen=True, eq=False)
class Enclosed:
    """lower <= Z(s) <= upper, ohm, at each s (1/s, 0 is direct current), (n,); table: a row per triangulation tried."""

    s: Array
    lower: Array
    upper: Array
    table: tuple[dict[str, float], ...]

    @property
    def middle(self) -> Array:
        """(lower + upper)/2: within half the gap of Z, ohm."""
        return (self.lower + self.upper) / 2

    @property
    def radius(self) -> Array:
        """(upper - lower)/2, ohm."""
        return (self.upper - self.lower) / 2


def enclose(
    described: Described,
    accuracy: float = 1e-4,
    s: ArrayLike = 0.0,
    *,
    mesher: Mesher | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> Enclosed:
    """Return bounds of Z(s) at real s >= 0 with a radius of at most accuracy times Z.

    What rounding and the projection leave, 1e-8 at most, is added to both.

    Parameters
    ----------
    described
        A Cell, the path of a cell file, a dictionary with its keys, or a Problem.
    accuracy
        Relative to Z.
    s
        1/s, of any shape; 0 is direct current.
    mesher
        What triangulates the face beside the contact's outline; left out: as the cell says.
    progress
        Called with a name and the level after each mesh.

    Returns
    -------
    Enclosed
        Lower and upper bounds in ohm.

    Raises
    ------
    InputError
        For s < 0, for direct current where none flows, and for a contact without an edge.
    ComputationError
        With what was reached, where memory or the finest level ends it.
    """
    points = np.atleast_1d(array_in("1/s", s, "s").astype(float))
    problem = Problem.of(described)
    problem.check_solvable()
    accuracy = relative_to_z("accuracy", accuracy)
    require("bounds", problem, [FiniteElements(mesher=mesher)])
    if points.ndim != 1 or not np.all(np.isfinite(points)) or np.any(points < 0):
        raise InputError(key="s", allowed="real numbers of at least 0, in 1/s", remedy="bounds hold there alone")
    if np.any(points == 0) and not problem.direct_current:
        raise InputError(key="s", value=0, why="no direct current can flow at contact fraction 0")
    if problem.contact_fraction in (0, 1):
        raise InputError(
            f"the contact fraction {problem.contact_fraction:g} has no edge to squeeze past: Z is that of the 1D circuit"
        )
    rows: list[dict[str, float]] = []
    elements = MixedElements(mesher=mesher)
    for level in range(FINEST + 1):
        grid = elements.grid(problem, level)
        try:
            check_plane(elements.unknowns(problem, grid), f"bounds on {grid.name}")
        except MemoryShort as error:
            raise ComputationError(f"{_reached(rows, accuracy)}; {error}") from None
        try:
            lower, upper = bounds_on(problem, grid, points)
        except MemoryError:
            raise ComputationError(f"{_reached(rows, accuracy)}; memory ran out on {grid.name}") from None
        found = Enclosed(points, lower, upper, ())
        widest = float(np.max(found.radius / found.middle))
        rows.append({"level": level, "triangles": grid.shape[0], "radius": widest})
        if progress is not None:
            progress("bounds", level)
        if widest <= accuracy:
            return Enclosed(points, lower, upper, tuple(rows))
    raise ComputationError(f"{_reached(rows, accuracy)}; that is the finest triangulation that is tried")


def bounds_on(described: Described, grid: Prisms, s: Array) -> tuple[Array, Array]:
    """Return the lower and the upper bound of Z(s) in ohm that one triangulation gives. Raises ComputationError for one that
    is not of this cell.
    """
    problem = Problem.of(described)
    check_areas(problem, grid)
    positive = s[s > 0]
    band = (float(positive.min()), float(positive.max())) if positive.size else None
    found = []
    with threadpool_limits(limits=1, user_api="blas"):
        for side, sign in ((semi_discrete, -1.0), (equilibrated, 1.0)):  # one after the other: each has its factorisations
            try:
                model = reduce_layered(side(problem, grid), problem.places, band, direct_current=bool(np.any(s == 0)))
            except np.linalg.LinAlgError:
                raise InputError(
                    f"s from {s.min():g} to {s.max():g} 1/s is not allowed: the admittances there are farther apart than "
                    "double precision holds; allowed are rates nearer to those of the cell"
                ) from None
            found.append(_values(model, s) * (1 + sign * _rounding(model, s)))
    return found[0], found[1]


def _values(model: LateralModel, s: Array) -> Array:
    z = np.empty(s.size)
    z[s == 0] = model.resistance() if np.any(s == 0) else 0.0
    z[s > 0] = model.impedance(s[s > 0]).real
    return z


def _rounding(model: LateralModel, s: Array) -> Array:
    return np.where(s > 0, model.error(np.maximum(s, 1e-300)), model.basis_error)


def _reached(rows: list[dict[str, float]], accuracy: float) -> str:
    if not rows:
        return f"bounds: nothing was reached, asked {accuracy:.0e}"
    return f"bounds: the radius is {rows[-1]['radius']:.1e} of Z with {rows[-1]['triangles']} triangles, asked {accuracy:.0e}"
