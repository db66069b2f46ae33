"""The plane of one side of a disc: its nodes, its modes in ascending order, and the layers below it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.processes.course import Course
from fem_constriction.processes.elements import Admittance, evaluate
from fem_constriction.processes.names import CHARGE_TRANSFER, COUNTER_ELECTRODE, PORE
from fem_constriction.reduction.reduced import spanned
from fem_constriction.stack.layered import Layered
from fem_constriction.stack.modes import Lateral
from validation.discs.exact_layers import Column, Steps


@dataclass(frozen=True, eq=False)
class Plane:
    """Functions of a side's plane: nodes and modes, the modes in ascending order of their eigenvalue.

    Parameters
    ----------
    side
        The stack that they are of; its plane has modes.
    """

    side: Layered

    @property
    def lateral(self) -> Lateral:
        """The modes."""
        assert isinstance(self.side.lateral, Lateral)
        return self.side.lateral

    @property
    def order(self) -> NDArray[np.int64]:
        """Numbers of the modes."""
        return np.argsort(self.lateral.values.ravel(), kind="stable")

    def column(self) -> Column:
        """Return the layers below."""
        return column_of(self.side)

    def modes(self, values: Array) -> Array:
        """Return coefficients (r, n) of values at nodes (r, nx, ny)."""
        return np.asarray(self.lateral.analyse(values).reshape(len(values), self.order.size)[:, self.order])

    def square(self, coefficients: Array) -> Array:
        """Return coefficients of the first modes, (r, n), by their numbers along x and along y, (r, kx, ky)."""
        x, y = np.divmod(self.order[: coefficients.shape[1]], self.lateral.shape[1])
        found = np.zeros((len(coefficients), int(x.max(initial=0)) + 1, int(y.max(initial=0)) + 1))
        found[:, x, y] = coefficients
        return found

    def values(self, coefficients: Array) -> Array:
        """Return values at nodes, (r, nx, ny), of coefficients of all modes, (r, n)."""
        unsorted = np.empty_like(coefficients)
        unsorted[:, self.order] = coefficients
        return self.lateral.synthesise(unsorted.reshape(len(coefficients), *self.lateral.shape))


def orthonormal(side: Layered, values: Array) -> tuple[Array, Array]:
    """Return functions on a face, (m, nx, ny), orthonormal but for the masses off the diagonal, and values (r, nx, ny) in them.

    So the values are known by few numbers, (r, m), and whatever is made of these lies in what the values span, to rounding:
    nodal values themselves leave it where columns nearly depend on each other.
    """
    mass: Array = (side.face[CHARGE_TRANSFER] + side.face[PORE]).diagonal() / side.area
    root = np.sqrt(mass)
    columns = (values.reshape(len(values), -1) * root).T
    span = spanned(columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-300))
    functions = np.where(np.any(columns != 0, axis=1), span.T / root, 0.0)  # what all of them leave out stays out, exactly
    return functions.reshape(-1, *values.shape[1:]), np.asarray(columns.T @ span)


def column_of(side: Layered) -> Column:
    """Return the layers of a stack for the modes of its plane, or for the points of its functions, in ascending order."""
    k = np.sqrt(np.maximum(np.sort(side.lateral.values.ravel()), 0.0)) / side.unit
    k[0] = 0.0  # of the uniform mode it is rounding
    return Column(k, [float(heights.sum()) for heights in side.layers])


def course_of(side: Layered) -> Course:
    """Return what the layers of a stack and their boundaries are."""
    return Course.of(side.course, side.layers)


def below(side: Layered, places: Mapping[str, Admittance], shifts: Array) -> Steps:
    """Return what lies below each layer of a stack."""
    y, course = evaluate(places, shifts), course_of(side)
    none = np.zeros(shifts.size)
    kappa = [y[bulk] for bulk in course.bulks]
    boundaries = [
        above / y[name] if name is not None and name in y else none
        for above, name in zip(kappa, course.boundaries, strict=False)
    ]
    ratios = [above / under for above, under in pairwise(kappa)]
    return Steps(ratios, boundaries, kappa[-1] / y[COUNTER_ELECTRODE] if COUNTER_ELECTRODE in y else none)


def gathered(names: Sequence[str | None], parts: Iterable[Array], area: float) -> dict[str, Array]:
    """Return area times the sum of the parts that each name has; parts of None are left out."""
    found: dict[str, Array] = {}
    for name, part in zip(names, parts, strict=True):
        if name is not None:
            found[name] = found[name] + area * part if name in found else area * part
    return found
