"""Lines along x, y and z over what mirror symmetry leaves of a cell, and where the metal touches: a rectilinear grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fem_constriction.errors import ComputationError

Lines = NDArray[np.float64]

#: Smallest allowed ratio of a cell's width to the thickness of the electrolyte: below it rounding in the lateral
#: eigenvectors (numerics: h_min/L >= 1e-5) and coincident lines become a danger.
SMALLEST_RATIO = 1e-9


@dataclass(frozen=True, eq=False)
class Grid:
    """Lines of a rectilinear grid over the part of the cell that mirror symmetry leaves, WE face at z = 0.

    Parameters
    ----------
    x, y
        Lines, m, from one symmetry plane (or wall) to the wall.
    layers
        For each electrolyte layer, from the WE to the CE, its own z lines, m: consecutive layers share their end, which is a
        grain boundary.
    contact
        Whether the metal touches each cell of the face, shape (len(x) - 1, len(y) - 1).
    copies
        How many such parts make the cell (4 for a quarter).
    name
        What the grid is called.
    share
        The part of each cell of the face that the metal touches, where an outline cuts cells; left out: 1 where `contact`,
        else 0.
    order
        Of convergence of its family, where that is not the backend's.
    counter, counter_share
        The same as contact and share at the counter electrode; left out: its metal touches all of its face.
    pores, counter_pores
        Mean of d_0/d over each cell of both faces, 0 where metal touches, of pores that are not equally deep; left out: 1 where
        none touches.
    following
        Order of the next term of its family's error, where theory knows it.

    Raises
    ------
    ComputationError
        If lines coincide.
    """

    x: Lines
    y: Lines
    layers: tuple[Lines, ...]
    contact: NDArray[np.bool_]
    copies: int
    name: str = ""
    share: NDArray[np.float64] | None = None
    order: float | None = None
    counter: NDArray[np.bool_] | None = None
    counter_share: NDArray[np.float64] | None = None
    pores: NDArray[np.float64] | None = None
    counter_pores: NDArray[np.float64] | None = None
    following: float | None = None

    def __post_init__(self) -> None:
        depth = self.depth
        for axis, lines in (("x", self.x), ("y", self.y), *(("z", z) for z in self.layers)):
            smallest = float(np.diff(lines).min())
            if not smallest > SMALLEST_RATIO * depth:
                raise ComputationError(
                    f"grid {self.name}: lines along {axis} are {smallest:.3g} m apart, allowed is more than "
                    f"{SMALLEST_RATIO:g} of the thickness ({SMALLEST_RATIO * depth:.3g} m)"
                )

    @property
    def depth(self) -> float:
        """L_z in m."""
        return float(self.layers[-1][-1])

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of cells along x, y and z."""
        return len(self.x) - 1, len(self.y) - 1, sum(len(z) - 1 for z in self.layers)

    @property
    def axes(self) -> tuple[Lines, Lines, Lines]:
        """All lines along x, y and z (m), from the WE down."""
        return self.x, self.y, np.concatenate([self.layers[0][:1], *(z[1:] for z in self.layers)])

    @property
    def touched(self) -> NDArray[np.float64]:
        """The part of each cell of the face that the metal touches, 0 to 1."""
        return self.contact.astype(float) if self.share is None else self.share

    @property
    def counter_touched(self) -> NDArray[np.float64]:
        """The part of each cell of the counter electrode's face that its metal touches, 0 to 1."""
        if self.counter is None:
            return np.ones(self.contact.shape)
        return self.counter.astype(float) if self.counter_share is None else self.counter_share

    def contact_lines(self, axis: int) -> tuple[int, ...]:
        """Return the numbers of the lines where the contact ends somewhere.

        Parameters
        ----------
        axis
            0 for lines along x, 1 for y.

        Returns
        -------
        tuple of int
            Ascending.
        """
        return tuple(int(i) + 1 for i in np.flatnonzero(np.any(np.diff(self.contact, axis=axis), axis=1 - axis)))

    def quadrature(self) -> tuple[Lines, Lines]:
        """Return points (2, n) of the face (m) and their weights (m2): a plane's integral, exact for cubics in each cell."""
        at, weights = np.polynomial.legendre.leggauss(2)
        points, sizes = [], []
        for lines in (self.x, self.y):
            half = np.diff(lines)[:, None] / 2
            points.append((midpoints(lines)[:, None] + half * at).ravel())
            sizes.append((half * weights).ravel())
        return np.stack([each.ravel() for each in np.meshgrid(*points, indexing="ij")]), np.outer(*sizes).ravel()

    @property
    def doubles(self) -> int | None:
        """Doubles per unknown that are alive at once while it is solved; None for as many as the body says."""
        return None

    @property
    def fits(self) -> bool:
        """Whether the contact's outline lies on faces of the grid, so that its Z may bound the continuum's."""
        return self.share is None and self.counter_share is None

    @cached_property
    def contact_area(self) -> float:
        """A_c of the whole electrode in m2, as the grid has it."""
        return self._covered(self.touched)

    @cached_property
    def counter_area(self) -> float:
        """What the metal of the counter electrode touches in m2, as the grid has it."""
        return self._covered(self.counter_touched)

    def _covered(self, touched: Lines) -> float:
        return float(self.copies * np.einsum("i,j,ij->", np.diff(self.x), np.diff(self.y), touched))

    @cached_property
    def area(self) -> float:
        """A of the whole electrode in m2, as the grid has it."""
        return float(self.copies * (self.x[-1] - self.x[0]) * (self.y[-1] - self.y[0]))


def midpoints(lines: Lines) -> Lines:
    """Return the middles between neighbouring lines."""
    return np.asarray((lines[1:] + lines[:-1]) / 2)
