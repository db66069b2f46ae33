"""phi and J on a vertical plane through the cell, every boundary with two rows of points, one for either side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array, Complex
from fem_constriction.cell.conversion import number
from fem_constriction.errors import InputError
from fem_constriction.fields.sampled import Sampled

Plane = Literal["x", "y"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Section:
    """phi and J for 1 V on a vertical section of the whole cell, a grid of points. Each boundary has two rows, one a side.

    Parameters
    ----------
    plane
        "x" or "y", the coordinate that is constant.
    at
        Its value, m.
    x
        The other lateral coordinate, m, shape (nx,).
    z
        m, shape (nz,), layer by layer from its upper to its lower face, so that a boundary's z comes twice.
    layer
        Of each row, shape (nz,).
    potential
        V, complex, shape (nz, nx).
    current_density
        A/m2, complex, components x, y, z, shape (nz, nx, 3).
    current
        The cell's, A.
    frequency
        Hz.
    contact
        Intervals of x where the metal touches the upper edge, m.
    """

    plane: Plane
    at: float
    x: Array
    z: Array
    layer: NDArray[np.int64]
    potential: Complex
    current_density: Complex
    current: complex
    frequency: float
    contact: tuple[tuple[float, float], ...]

    @property
    def within(self) -> Complex:
        """The two components of J in the section, along x (the other lateral coordinate) and z, (nz, nx, 2), A/m2."""
        return self.current_density[..., [1 if self.plane == "x" else 0, 2]]


def _position(at: Any) -> float:
    try:
        return number(at, "m")
    except ValueError as error:
        raise InputError(key="at", value=at, allowed="a number in m or a string with a unit", why=str(error)) from None


def section_of(fields: Sampled, plane: Plane, at: Any, nx: int, nz: int) -> Section:
    """Return the section of fields where x or y is `at`, the middle if left out: see `Fields.section`."""
    if plane not in ("x", "y"):
        raise InputError(key="plane", value=plane, allowed="'x' or 'y', the coordinate that is constant on the section")
    for name, count in (("nx", nx), ("nz", nz)):
        if isinstance(count, bool) or not isinstance(count, int) or count < 2:
            raise InputError(key=name, value=count, allowed="a whole number of points from 2")
    own, other = (0, 1) if plane == "x" else (1, 0)
    widths, grid = fields.whole.lengths, fields.grid
    position = widths[own] / 2 if at is None else _position(at)
    across = np.linspace(0.0, widths[other], nx)
    counts = [max(2, round(nz * float(np.ptp(lines)) / grid.depth)) for lines in grid.layers]
    rows = [np.linspace(lines[0], lines[-1], count) for lines, count in zip(grid.layers, counts, strict=True)]
    phi, j = [], []
    for layer, z in enumerate(rows):
        x, y = (position, across) if plane == "x" else (across, position)
        phi.append(fields.potential(x, y, z[:, None], layer=layer))
        j.append(fields.current_density(x, y, z[:, None], layer=layer))
    return Section(
        plane=plane,
        at=position,
        x=across,
        z=np.concatenate(rows),
        layer=np.repeat(np.arange(len(counts)), counts),
        potential=np.concatenate(phi),
        current_density=np.concatenate(j),
        current=fields.current,
        frequency=fields.frequency,
        contact=fields.whole.contact(own, position),
    )
