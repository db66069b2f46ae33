"""sum over processes p of y_p(s) L_p x = b: what a backend hands over, and all that the shared mechanism knows of it.

Each L_p is real, symmetric and positive semidefinite, knows geometry alone, and is scaled so that y_p in SI units gives
siemens for the whole cell. The last unknown is the electrode potential V, into which unit current is fed: b is its unit
vector, and Z(s) = b' A(s)^-1 b.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.space.interpolation import Inside
from fem_constriction.space.protocols import Field, Fluxes, Traces
from fem_constriction.space.reconstruction import Reconstruction
from fem_constriction.space.voxels import Currents, FaceMeans

if TYPE_CHECKING:
    from fem_constriction.processes.elements import Admittance, Series
    from fem_constriction.reduction.reduced import ReducedModel

Bound = Literal["lower", "upper"] | None


class Operator(Protocol):
    """A real symmetric positive semidefinite matrix, applied to a block of columns at once."""

    @property
    def shape(self) -> Any:
        """Number of rows and columns."""
        ...

    def __matmul__(self, columns: Array, /) -> Array:
        """Return L @ columns, columns of shape (unknowns, k)."""
        ...

    def tocsr(self) -> sparse.csr_array:
        """Return the matrix itself, for direct solvers and for looking at it."""
        ...


class Potentials(Protocol):
    """Potentials on all unknowns, in pieces: values(slice or mask of unknowns) -> (unknowns there, r)."""

    def values(self, unknowns: slice | NDArray[np.bool_], /) -> Array:
        """Return the potentials of some unknowns, one column each."""
        ...


class Preconditioner(Protocol):
    """An approximate inverse of A(s_k) without the row and column of V, for several real shifts at once."""

    def solve(self, columns: Array) -> Array:
        """Return approximately A(s_k)^-1 r_k for each column k, columns of shape (unknowns - 1, shifts)."""
        ...


class Reduction(Protocol):
    """A way of its own to solve and project, see `projection.reduce`; tolerance None: what it is made for."""

    def __call__(
        self,
        processes: Mapping[str, Admittance],
        band: tuple[float, float] | None,
        *,
        direct_current: bool,
        tolerance: float | None,
        keep: bool,
    ) -> ReducedModel:
        """Return the reduced model."""
        ...


@dataclass(frozen=True, eq=False)
class Assembly:
    """One real, symmetric, positive semidefinite matrix per process, and the port.

    Parameters
    ----------
    operators
        Process -> L_p, each of shape (unknowns, unknowns), the electrode potential last.
    precondition
        {process: y_p at each of k real shifts} -> Preconditioner; None: solved directly.
    fluxes
        (potentials, y_bulk of each) -> their currents as admissible ones, if the backend bounds from above.
    traces
        (potentials, densities along x and y) -> their jumps against those, if it bounds from below with conforming potentials.
        With neither fluxes nor traces there are no guaranteed bounds beyond those at real s.
    currents
        As fluxes, with weights (r, k) -> combinations of them in space.
    gradients
        Potentials -> theirs: where the two sides of a bound differ, grids are refined.
    inside
        (one potential with V = 1, what every place and operator conducts, its current in A) -> itself and J at points.
    reduction
        The assembly's own way to its reduced model, where it has a better one than blocks of columns.
    series
        {place: y} -> {operator: y}, where operators are not places themselves but what several in series conduct.
    means
        Of a label image: potentials -> their means over the faces of voxels, if the backend bounds Z from below.
    through
        Of a label image: (potentials, y of every operator at each) -> currents through the faces of voxels, conserved, and how
        far they are from those of the potentials, if it bounds from above.
    bound
        Whether Z of this discretisation at real s > 0 is a lower or an upper bound of the continuum's, if either.
    description
        What was built (backend, grid, cells, unknowns), carried into the provenance of a result.
    """

    operators: Mapping[str, Operator]
    precondition: Callable[[Mapping[str, Array]], Preconditioner] | None = None
    fluxes: Callable[[Potentials, Array], Fluxes] | None = None
    traces: Callable[[Potentials, Reconstruction, Reconstruction], Traces] | None = None
    currents: Callable[[Potentials, Array, NDArray[Any]], Field] | None = None
    gradients: Callable[[Potentials], Field] | None = None
    inside: Callable[[Potentials, Mapping[str, complex], complex], Inside] | None = None
    reduction: Reduction | None = None
    series: Series | None = None
    means: Callable[[Potentials], FaceMeans] | None = None
    through: Callable[[Potentials, Mapping[str, Array]], tuple[Currents, float]] | None = None
    bound: Bound = None
    description: Mapping[str, Any] = field(default_factory=dict)

    @property
    def unknowns(self) -> int:
        """Number of unknowns, the electrode potential included."""
        return int(next(iter(self.operators.values())).shape[0])

    def admittances(self, places: Mapping[str, Admittance]) -> Mapping[str, Admittance]:
        """Return what each operator is to be multiplied by, {operator: y(s)}.

        Parameters
        ----------
        places
            Place -> y(s), of a `Problem`.

        Returns
        -------
        dict
            The same where operators are places.
        """
        return places if self.series is None else self.series(places)

    def apply(self, y: Mapping[str, Array], columns: Array) -> Array:
        """Return A(s_k) x_k = sum of y_p(s_k) L_p x_k for each column k.

        Parameters
        ----------
        y
            Process -> its admittance at each s_k, shape (k,).
        columns
            x_k, shape (unknowns, k).

        Returns
        -------
        numpy.ndarray
            Shape (unknowns, k).
        """
        total = np.zeros_like(columns)
        for process, operator in self.operators.items():
            if np.any(y[process]):
                total += (operator @ columns) * y[process]
        return total

    def matrix(self, y: Mapping[str, complex]) -> sparse.csc_array:
        """Return A(s) itself: the plain way, for oracles and small cells.

        Parameters
        ----------
        y
            Process -> its admittance at one s.

        Returns
        -------
        scipy.sparse.csc_array
            Shape (unknowns, unknowns).
        """
        total = sum(y[process] * operator.tocsr() for process, operator in self.operators.items())
        return sparse.csc_array(total)
