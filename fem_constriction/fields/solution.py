"""phi(x, y, z) and J = -y_bulk grad phi for 1 V at the working electrode: the fields of a cell at one frequency.

One interface, two backends. The potential is solved at i omega itself (`harmonic`), on one grid. Coordinates are those of the
whole cell, in metres: x and y from 0 to the widths, z from the WE face (0) down to the CE face; what mirror symmetry left out
of a quarter grid is unfolded. Everything is linear in the voltage and given for 1 V: potentials in V, currents in A, current
densities in A/m2, as complex amplitudes. Finite elements: phi is the finite-element function and J comes from its gradient; the
current through every horizontal plane is the same by Galerkin orthogonality. Network: phi is straight between nodes, J spreads
the currents of the links and is conserved voxel by voxel. See `fem.potentials` and `network.potentials`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from fem_constriction.arrays import Array, Complex
from fem_constriction.cell.cell import Cell
from fem_constriction.cell.units import array_in
from fem_constriction.errors import InputError
from fem_constriction.fields.harmonic import Harmonic, solve_harmonic
from fem_constriction.fields.labelled import labelled
from fem_constriction.fields.mesh import write
from fem_constriction.fields.section import Plane, Section, section_of
from fem_constriction.fields.stored import Stored
from fem_constriction.fields.symmetry import EDGE_TOLERANCE, Unfolding
from fem_constriction.grids.grid import Grid
from fem_constriction.held import Held
from fem_constriction.pictures.words import amount
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.processes.elements import evaluate
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.solving.backends import Backend, backend_named
from fem_constriction.solving.capabilities import GRID, offers, require
from fem_constriction.solving.choice import Accuracy, Level, PerEdge, one_of
from fem_constriction.solving.one_grid import check_memory
from fem_constriction.space.interpolation import Inside
from fem_constriction.spectra.frequencies import frequencies_taken

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Fields(Held):
    """phi and J of a cell for 1 V at one frequency.

    Parameters
    ----------
    problem
        What was solved.
    frequency
        Hz, 0 for direct current.
    backend
        Its name.
    grid
        The grid that the backend was solved on.
    current
        I = 1/Z in A.
    error
        What the solver left of the potential, relative, in the energy norm (an estimate).
    inside
        The backend's potential and current density at points.
    description
        Grid, unknowns, iterations.
    choice
        By which number the grid was chosen.
    solved
        The potential of every unknown.
    """

    problem: Problem
    frequency: float
    backend: str
    grid: Grid
    current: complex
    error: float
    inside: Inside
    description: Mapping[str, Any]
    choice: Level | PerEdge
    solved: Harmonic

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fields):
            return NotImplemented
        same = (self.cell, self.frequency, self.backend, self.choice) == (
            other.cell, other.frequency, other.backend, other.choice,
        )  # fmt: skip
        return same and np.array_equal(self.solved.potential, other.solved.potential)

    def __hash__(self) -> int:
        return hash((self.cell, self.frequency, self.backend, self.choice))

    def facts(self) -> tuple[str, list[tuple[str, str]]]:
        """Return what was solved, Z of its grid, and the grid."""
        where = amount(self.frequency, "Hz") if self.frequency else "direct current"
        z = self.impedance
        impedance = f"{amount(z.real, 'ohm')} {'-' if z.imag < 0 else '+'} {amount(abs(z.imag), 'ohm')} i"
        rows = [("Z of this grid", impedance)]
        rows.append(("grid", f"{self.grid.name}, {' x '.join(map(str, self.grid.shape))} cells"))
        return f"Fields of {self.cell.title or 'a cell'} at {where}, {self.backend}, for 1 V", rows

    def words(self) -> str:
        """Return what the picture shows, for who cannot see it."""
        return f"{self.facts()[0]}: equipotential lines and lines of the current on the section through the middle"

    def figure(self) -> Figure:
        """Return the section through the middle as a figure of matplotlib: what a notebook shows."""
        from fem_constriction.fields import drawn

        return drawn.sections([self.section("y")])

    def to_pandas(self) -> Any:
        """Return a table with a row for each point of the section through the middle.

        Returns
        -------
        pandas.DataFrame
            phi/V and J_x, J_z/(A/m2), complex, over (z/m, x/m, layer).
        """
        import pandas as pd

        found = self.section("y")
        z, x = np.meshgrid(found.z, found.x, indexing="ij")
        layer = np.broadcast_to(found.layer[:, None], z.shape)
        index = pd.MultiIndex.from_arrays([z.ravel(), x.ravel(), layer.ravel()], names=["z/m", "x/m", "layer"])
        columns = {"phi/V": found.potential.ravel()}
        columns |= {f"J_{name}/(A/m2)": found.within[..., n].ravel() for n, name in enumerate("xz")}
        return pd.DataFrame(columns, index=index)

    def to_xarray(self) -> Any:
        """Return a labelled data set over the whole cell, on the lines of the grid.

        Returns
        -------
        xarray.Dataset
            potential (V) over z, x, y and current_density (A/m2) over z, x, y, component, complex, for 1 V; z in m from the
            working electrode down. A boundary has two rows of points, one a side, told apart by `layer`. Of a label image the
            points are the middles of its cells.
        """
        return labelled(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the cell, which grid it is, and the potential of every unknown.

        Parameters
        ----------
        path
            Of a file .npz.

        Raises
        ------
        InputError
            For another ending, and where it cannot be written.
        """
        self._stored().save(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Fields:
        """Return the fields in a file that `save` wrote: the grid is assembled again, and nothing is solved.

        Parameters
        ----------
        path
            Of the file.

        Raises
        ------
        InputError
            Where it holds none, or its backend is not installed.
        """
        stored = Stored.load(path)
        try:
            return cls._of(stored)
        except InputError as error:
            raise error.at(path) from None

    def _stored(self) -> Stored:
        number = self.choice.number if isinstance(self.choice, Level) else self.choice.cells
        return Stored(
            cell=self.cell.dumps(),
            frequency=self.frequency,
            backend=self.backend,
            grid={"level" if isinstance(self.choice, Level) else "cells": number},
            potential=self.solved.potential,
            current=self.current,
            error=self.error,
            iterations=self.solved.iterations,
            labels=next(iter(self.cell.arrays()), None),
        )

    @staticmethod
    def _of(stored: Stored) -> Fields:
        cell = Cell.loads_with(stored.cell, [] if stored.labels is None else [stored.labels])
        problem, chosen = Problem.of(cell), backend_named(stored.backend)
        choice = PerEdge(stored.grid["cells"]) if "cells" in stored.grid else Level(stored.grid["level"])
        assembled = _Assembled.of(problem, chosen, choice)
        if assembled.assembly.unknowns != stored.potential.size:
            why = f"it has {stored.potential.size} unknowns, and the grid has {assembled.assembly.unknowns} by now"
            raise InputError("holds no Fields", why=why)
        return assembled.fields(stored.frequency, Harmonic(stored.potential, stored.current, stored.error, stored.iterations))

    def __reduce__(self) -> tuple[Any, ...]:
        return Fields._of, (self._stored(),)  # what a grid is made of has no pickle, and is made again

    def plot(self, ax: Any = None, part: str = "modulus") -> Any:
        """Draw potential and current on the section through the middle, and return the axes.

        Parameters
        ----------
        ax
            Axes of matplotlib; left out: those of a new figure of `pyplot`.
        part
            Of the potential: modulus, real, imaginary or phase.

        Returns
        -------
        matplotlib.axes.Axes
            Those that it was drawn on.
        """
        from matplotlib import pyplot

        from fem_constriction.fields import drawn

        axes = pyplot.subplots(layout="constrained")[1] if ax is None else ax
        drawn.section(axes, self.section("y"), part)  # type: ignore[arg-type]
        return axes

    @property
    def cell(self) -> Cell:
        """The description that was solved."""
        return self.problem.cell

    @property
    def impedance(self) -> complex:
        """Z = V/I of this grid in ohm."""
        return 1 / self.current

    @property
    def ends(self) -> Array:
        """z of the WE face, of every boundary and of the CE face, (layers + 1,), m."""
        return np.array([*(lines[0] for lines in self.grid.layers), self.grid.depth])

    @property
    def torn(self) -> bool:
        """Whether the potential may jump between any two cells of the grid, as it does between the grains of an image."""
        return self.problem.body.torn

    @property
    def whole(self) -> Unfolding:
        """The whole cell, of which the grid may cover a quarter."""
        return Unfolding(self.grid, self.problem.body.lengths)

    def potential(self, x: ArrayLike, y: ArrayLike, z: ArrayLike, *, layer: int | None = None) -> Complex:
        """Return phi in V at points of the whole cell.

        Parameters
        ----------
        x, y, z
            m, shapes that broadcast.
        layer
            Take all points to be in this one, its faces included (0 is at the working electrode); left out: points on a
            boundary belong to the layer below it.

        Returns
        -------
        numpy.ndarray
            Complex, V, of the points' shape.

        Raises
        ------
        InputError
            For points outside.
        """
        points, _, shape = self.whole.points(x, y, z)
        return np.asarray(self._layered(self.inside.potential, points, layer)[0].reshape(shape))

    def current_density(self, x: ArrayLike, y: ArrayLike, z: ArrayLike, *, layer: int | None = None) -> Complex:
        """Return J in A/m2 at points of the whole cell.

        Parameters
        ----------
        x, y, z
            m, shapes that broadcast.
        layer
            Take all points to be in this one, its faces included (0 is at the working electrode); left out: points on a
            boundary belong to the layer below it.

        Returns
        -------
        numpy.ndarray
            Complex, A/m2, the points' shape and 3 components (x, y, z).

        Raises
        ------
        InputError
            For points outside.
        """
        points, signs, shape = self.whole.points(x, y, z)
        found = self._layered(self.inside.current_density, points, layer) * signs
        return np.asarray(np.moveaxis(found, 0, -1).reshape(*shape, 3))

    def through(self, z: ArrayLike, *, layer: int | None = None) -> Complex:
        """Return the current through the planes z, int J_z dx dy, integrated exactly.

        The same at every z, within the solver's error: see the head of the module. nan for planes through metal, in which no
        current is given.

        Parameters
        ----------
        z
            m, of any shape.
        layer
            As of `potential`.

        Returns
        -------
        numpy.ndarray
            Complex, A, of the shape of z.
        """
        (x, y), weights = self.grid.quadrature()
        planes = array_in("m", z, "z").astype(float)
        found = [
            self.grid.copies * weights @ self._layered(self.inside.current_density, self._points(x, y, each), layer)[2]
            for each in planes.ravel()
        ]
        return np.asarray(np.reshape(found, planes.shape), dtype=np.complex128)

    def lateral_spread(self, z: ArrayLike, *, layer: int | None = None) -> Array:
        """Return max |phi| - min |phi| over the planes z: how far equipotentials are from flat.

        Over the grid's lines and the middles between them, which nodes of either backend are among.

        Parameters
        ----------
        z
            m, of any shape.
        layer
            As of `potential`.

        Returns
        -------
        numpy.ndarray
            V, of the shape of z.
        """
        x, y = (np.union1d(lines, (lines[1:] + lines[:-1]) / 2) for lines in (self.grid.x, self.grid.y))
        planes = array_in("m", z, "z").astype(float)
        spread = [
            _spread(np.abs(self._layered(self.inside.potential, self._plane(x, y, each), layer))) for each in planes.ravel()
        ]
        return np.asarray(np.reshape(spread, planes.shape), dtype=float)

    def section(self, plane: Plane = "y", at: Any = None, *, nx: int = 201, nz: int = 200) -> Section:
        """Return the fields on a vertical section.

        Parameters
        ----------
        plane
            "x" or "y", the coordinate that is constant on it.
        at
            Its value in m, or with a unit; left out: the middle.
        nx
            Points across.
        nz
            Rows in all, shared out over the layers by thickness, at least two each.

        Returns
        -------
        Section
            Potential and current density on a grid of points.

        Raises
        ------
        InputError
            For another plane or number, and for a section outside.
        """
        return section_of(self, plane, at, nx, nz)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the whole cell as hexahedra: see `fields.mesh.mesh_of`.

        Parameters
        ----------
        path
            Of a file .vtu, or .xdmf (with an .h5 beside it).

        Raises
        ------
        InputError
            For another ending, and where the file cannot be written.
        """
        write(self, path)

    def _plane(self, x: Array, y: Array, z: float) -> list[Array]:
        """Points of a tensor grid in a plane, in coordinates of the grid."""
        over_x, over_y = np.meshgrid(x, y, indexing="ij")
        return self._points(over_x.ravel(), over_y.ravel(), z)

    def _points(self, x: Array, y: Array, z: float) -> list[Array]:
        """Points (n,) of a plane, in coordinates of the grid."""
        if not -EDGE_TOLERANCE <= z / self.grid.depth <= 1 + EDGE_TOLERANCE:
            raise InputError(key="z", value=float(z), unit="m", allowed=f"from 0 to {self.grid.depth!r} m")
        return [x, y, np.full(x.size, min(max(z, 0.0), self.grid.depth))]

    def _layered(self, what: Any, points: list[Array], layer: int | None) -> Any:
        """Evaluate `what` at points (n,) in the layers they belong to, (components, n)."""
        z, ends, slack = points[2], self.ends, EDGE_TOLERANCE * self.grid.depth
        if layer is None:
            number = np.searchsorted(ends[1:-1] - slack, z, side="right")
        elif not 0 <= layer < len(self.grid.layers):
            raise InputError(key="layer", value=layer, allowed=f"from 0 (at the WE) to {len(self.grid.layers) - 1}")
        else:
            number = np.full(z.size, layer)
            wrong = (z < ends[layer] - slack) | (z > ends[layer + 1] + slack)
            if np.any(wrong):
                allowed = f"from {float(ends[layer])!r} to {float(ends[layer + 1])!r} m in layer {layer}"
                raise InputError(key="z", value=float(z[wrong][0]), unit="m", allowed=allowed)
        found: Any = None
        for each in np.unique(number):
            at = number == each
            lines = self.grid.layers[int(each)]
            values = np.atleast_2d(what(int(each), points[0][at], points[1][at], np.clip(z[at], lines[0], lines[-1])))
            if found is None:
                found = np.zeros((len(values), z.size), dtype=np.complex128)
            found[:, at] = values
        return np.zeros((3, 0)) if found is None else found


def _spread(values: Array) -> float:
    """Largest less smallest value; nan for a plane of nothing."""
    known = values[np.isfinite(values)]
    return float(np.ptp(known)) if known.size else float("nan")


def solve_fields(
    cell: Described,
    frequency: Any,
    *,
    backend: str | Backend = "fem",
    level: int | None = None,
    resolution: int | None = None,
) -> Fields:
    """Return phi and J of a cell for 1 V at one frequency, from one backend on one grid.

    Parameters
    ----------
    cell
        A Cell, the path of a cell file, or a dictionary with its keys.
    frequency
        Hz; 0 is direct current.
    backend
        The name of an installed one, or the backend itself.
    level
        Member of its family of grids, 0 the coarsest; left out: 1, of a label image its own voxels.
    resolution
        A uniform grid of that many voxels or elements per edge instead.

    Returns
    -------
    Fields
        Potential, current density, sections and files of them.

    Raises
    ------
    InputError
        For what is wrong in the cell or the arguments, and where no current can flow.
    ComputationError
        Where the solver fails.
    """
    points = frequencies_taken(frequency, name="frequency", zero=True)
    if len(points) != 1:
        raise InputError(key="frequency", value=frequency, allowed="one number in Hz", remedy="`fields_at` takes several")
    return next(iter(fields_at(cell, points, backend=backend, level=level, resolution=resolution)))


def fields_at(
    cell: Described,
    frequencies: Any,
    *,
    backend: str | Backend = "fem",
    level: int | None = None,
    resolution: int | None = None,
) -> tuple[Fields, ...]:
    """Return the fields at several frequencies, on one grid that is assembled once.

    Parameters
    ----------
    cell
        A Cell, the path of a cell file, or a dictionary with its keys.
    frequencies
        Hz; 0 is direct current.
    backend
        The name of an installed one, or the backend itself.
    level
        Member of its family of grids, 0 the coarsest; left out: 1, of a label image its own voxels.
    resolution
        A uniform grid of that many voxels or elements per edge instead.

    Returns
    -------
    tuple of Fields
        One per frequency, in their order.

    Raises
    ------
    InputError
        For what is wrong in the cell or the arguments, and where no current can flow.
    ComputationError
        Where the solver fails.
    """
    problem = Problem.of(cell)
    points = frequencies_taken(frequencies, name="frequency", zero=True).tolist()
    problem.check_solvable()
    if 0.0 in points and not problem.direct_current:
        raise InputError(key="frequency", value=0.0, unit="Hz", why="no direct current can flow at contact fraction 0")
    chosen = backend_named(backend)
    own = GRID in offers(chosen, problem.kind)  # what brings its grid with it is solved on that one
    choice = one_of(level=level, resolution=resolution) or Level(0 if own else 1)
    assert not isinstance(choice, Accuracy), "no accuracy is asked for"
    require(f"fields{choice.option}", problem, [chosen])
    assembled = _Assembled.of(problem, chosen, choice)
    return tuple(assembled.solve(f) for f in points)


@dataclass(frozen=True, eq=False)
class _Assembled:
    """A problem on one grid of one backend: what fields at any frequency are made of."""

    problem: Problem
    backend: Backend
    choice: Level | PerEdge
    grid: Grid
    assembly: Assembly

    @classmethod
    def of(cls, problem: Problem, backend: Backend, choice: Level | PerEdge) -> _Assembled:
        """Assemble it. Raises InputError where there is not enough memory, and for a backend without fields."""
        grid = choice.grid(problem, backend)
        what = f"{backend.name} on {grid.name} ({' x '.join(map(str, grid.shape))} cells)"
        check_memory(backend.unknowns(problem, grid), what)
        assembly = backend.assemble(problem, grid)
        if assembly.inside is None:
            raise InputError(key="backend", value=backend.name, why="it offers no fields of this cell")
        return cls(problem, backend, choice, grid, assembly)

    def solve(self, frequency: float) -> Fields:
        """Return the fields at a frequency in Hz."""
        places = self.assembly.admittances(self.problem.places)
        y = {name: complex(value) for name, value in evaluate(places, 2j * np.pi * frequency).items()}
        with threadpool_limits(limits=1, user_api="blas"):  # as elsewhere: products are small
            return self.fields(frequency, solve_harmonic(self.assembly, y))

    def fields(self, frequency: float, solved: Harmonic) -> Fields:
        """Return the fields that a solution is."""
        s = 2j * np.pi * frequency
        y = {name: complex(each(s)) for name, each in self.problem.places.items()}
        y |= {name: complex(value) for name, value in evaluate(self.assembly.admittances(self.problem.places), s).items()}
        assert self.assembly.inside is not None, "checked when it was assembled"
        return Fields(
            problem=self.problem,
            frequency=frequency,
            backend=self.backend.name,
            grid=self.grid,
            current=solved.current,
            error=solved.error,
            inside=self.assembly.inside(solved, y, solved.current),
            description={**self.assembly.description, "iterations": solved.iterations, "solver_error": solved.error},
            choice=self.choice,
            solved=solved,
        )
