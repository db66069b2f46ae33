"""Problem -> Assembly: what a backend is, how backends are found, and how one grid is solved.

Backends are found through the entry-point group `fem_constriction.backends`, so that a third one, anyone's, can be put to the
same test: `name = "module:Class"` in that group of an installed package, Class() giving an object with the members below.
"""

from __future__ import annotations

from contextlib import suppress
from importlib.metadata import entry_points
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fem_constriction import distribution
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.problem import Problem
from fem_constriction.reduction.assembly import Assembly, Bound
from fem_constriction.spectra.spectrum import Spectrum
from fem_constriction.stack.layered import Layered

GROUP = "fem_constriction.backends"

#: Backends that are built in, the one that bounds Z from above first.
BUILT_IN = ("network", "fem")


@runtime_checkable
class Backend(Protocol):
    """A discretisation of cells, which it is handed as `Problem`s.

    name; bound: whether its Z at real s > 0 is a "lower" or "upper" bound of the continuum's, None if neither;
    order: the order of convergence that theory gives its family of grids.
    """

    name: str
    bound: Bound
    order: float

    def grid(self, problem: Problem, level: int, /) -> Grid:
        """Return a member of the cell's family of systematically refined grids, step halved each time.

        Parameters
        ----------
        problem
            What is to be solved.
        level
            0, 1, ...: 0 is the coarsest.
        """
        ...

    def uniform(self, problem: Problem, resolution: int, /) -> Grid:
        """Return the grid of so many voxels or elements per edge of the cell.

        Parameters
        ----------
        problem
            What is to be solved.
        resolution
            Cells per edge.
        """
        ...

    def unknowns(self, problem: Problem, grid: Grid, /) -> int:
        """Return how many unknowns a grid has at most, without building anything.

        Parameters
        ----------
        problem
            What is to be solved.
        grid
            One that the backend made.
        """
        ...

    def assemble(self, problem: Problem, grid: Grid, /) -> Assembly:
        """Return one real symmetric positive semidefinite matrix per process of the cell, and the port.

        Parameters
        ----------
        problem
            What is to be solved.
        grid
            One that the backend made.
        """
        ...


@runtime_checkable
class LayeredBackend(Backend, Protocol):
    """A backend that knows its laterally uniform stacks as such: spectra then need the unknowns of the WE face alone."""

    def layered(self, problem: Problem, grid: Grid, /) -> Layered | None:
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
        """Return Z of the whole cell in ohm, with its uncertainty.

        Parameters
        ----------
        cell
            Whose Z it is.
        frequencies
            Hz, shape (n,).
        """
        ...

    def resistance(self, cell: Cell, /) -> tuple[float, float]:
        """Return (R_DC, its uncertainty) of the whole cell in ohm; (inf, 0) where no direct current can flow.

        Parameters
        ----------
        cell
            Whose resistance it is.
        """
        ...


class NoData(InputError):
    """A backend has no result of this cell, and cannot make one: a gap, not a fault."""


def unable(backend: Backend | SpectrumBackend) -> dict[str, str]:
    """Return what a backend declares that it cannot do: {what, in the words of `validation.conformance`: reason}."""
    return dict(getattr(backend, "unable", {}))


def backends() -> dict[str, type[Backend]]:
    """Return every installed backend by name, the built-in "network" and "fem" among them.

    Returns
    -------
    dict
        Name -> class.
    """
    return {point.name: distribution.load(point) for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def installed() -> list[Backend | SpectrumBackend]:
    """Return every installed backend that can be loaded."""
    found: list[Backend | SpectrumBackend] = []
    for name in sorted({point.name for point in entry_points(group=GROUP)}):
        with suppress(Exception):  # anyone's plug-in; whoever asks for it by name is told
            found.append(any_backend(name))
    return found


def backend_named(name: str | Backend | SpectrumBackend) -> Backend:
    """Return the backend of a name; one that is a backend already is returned as it is.

    Parameters
    ----------
    name
        Of an installed one, or the backend itself.

    Returns
    -------
    Backend
        With grids and matrices.

    Raises
    ------
    InputError
        For an unknown name, and for a backend that gives spectra alone.
    """
    made = any_backend(name)
    if isinstance(made, SpectrumBackend) and not isinstance(made, Backend):
        raise InputError(key="backend", value=made.name, when="here", why="it gives spectra, and neither grids nor matrices")
    return made


def any_backend(name: str | Backend | SpectrumBackend) -> Backend | SpectrumBackend:
    """Return the backend of a name, of either kind; one that is a backend already as it is. Raises InputError."""
    if not isinstance(name, str):
        if isinstance(name, type) or not isinstance(getattr(name, "name", None), str):
            raise InputError(key="backend", value=name, allowed="the name of an installed one, or a backend itself")
        return name
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        raise InputError(key="backend", value=name, allowed=f"installed are {', '.join(sorted(points)) or 'none'}")
    made: Backend | SpectrumBackend = distribution.load(points[name])()
    return made
