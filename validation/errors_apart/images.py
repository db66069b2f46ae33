"""Z_h - Z = (Z_h - Z_i) + (Z_i - Z_s) + (Z_s - Z): grid, area and outline of a label image on its own voxels.

Z_i: the continuum that the image's voxels are, the limit of cutting them; Z_s: the same with boundaries whose faces have the
area of what they picture (`boundary.area = "smooth"`); Z: the body that is pictured. The staircase that is left then is an
error of first order in the image's voxel h, so that two images tell it: a generated one is drawn again with voxels of h/2,
and twice the difference is the error; of one from a file every 2 x 2 x 2 voxels become one, and the difference is the error
itself. Both of the two are solved on voxels of one size, so that little of the difference is the grid's. A body has details at
random, and the difference is its own uncertainty. What is left of the grid's is of opposite signs where one backend bounds
from above and one from below: the outline's part is the mean of theirs.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from fem_constriction.api import provenance
from fem_constriction.arrays import Array, Complex
from fem_constriction.cell.cell import Cell, CellLike
from fem_constriction.errors import Absent, InputError, PicturedWarning, ResolutionWarning
from fem_constriction.problem.bodies import Image
from fem_constriction.problem.problem import Problem, check_solvable
from fem_constriction.processes.of_cell import direct_current
from fem_constriction.solving.backends import Backend, backend_named
from fem_constriction.solving.capabilities import require
from fem_constriction.solving.refinement import solve_family
from fem_constriction.spectra.frequencies import frequencies_taken
from validation.errors_apart.limits import Value, band_of, on_grid

#: The parts, in the order in which they are added, and what lowers each.
PARTS: Final[Mapping[str, str]] = {
    "grid": "voxels that are cut finer (spectrum --accuracy)",
    "area": 'electrolyte.microstructure.boundary.area = "smooth"',
    "outline": "an image with smaller voxels",
}

#: Relative error of the areas of smooth boundaries (docs/microstructures.md), as a part of what the area costs.
AREAS: Final = 0.02


@dataclass(frozen=True, eq=False)
class Part:
    """One part of Z_h - Z, and how far it may be off, ohm, (points,) each."""

    value: Complex
    uncertainty: Array


@dataclass(frozen=True, eq=False)
class ImageErrors:
    """Errors of a label image on its own voxels, told apart.

    Parameters
    ----------
    cell
        What was solved.
    frequency
        Hz of each point, 0 at direct current, shape (points,).
    impedance
        Backend -> Z_h, ohm, shape (points,).
    limits
        Backend -> Z_i with its uncertainty.
    parts
        Backend -> name -> part; an outline that is not known is left out.
    outline
        How the outline's part was found, or why it is not known.
    """

    cell: Cell
    frequency: Array
    impedance: Mapping[str, Complex]
    limits: Mapping[str, Value]
    parts: Mapping[str, Mapping[str, Part]]
    outline: str

    @property
    def points(self) -> list[str]:
        """What each point is, in words."""
        return ["direct current" if f == 0 else f"{f:.4g} Hz" for f in self.frequency]

    def relative(self, backend: str, name: str) -> tuple[Complex, Array]:
        """Return a part and its uncertainty over |Z_i|.

        Parameters
        ----------
        backend
            Its name.
        name
            Of a part.

        Returns
        -------
        value, uncertainty
            Shape (points,) each.
        """
        part, size = self.parts[backend][name], np.abs(self.limits[backend].z)
        return part.value / size, part.uncertainty / size

    @property
    def disagreements(self) -> list[str]:
        """One line where the backends' own limits differ by more than their uncertainties."""
        (one, first), (other, second) = self.limits.items()
        gap, allowed = np.abs(first.z - second.z), first.u + second.u
        return [
            f"{self.points[k]}: the limits of {one} and {other} differ by {gap[k]:.3g} ohm, their uncertainties allow "
            f"{allowed[k]:.2g} ohm"
            for k in np.flatnonzero(gap > allowed)
        ]

    def verdict(self) -> list[str]:
        """Return a sentence per backend: its largest part, and what lowers it."""
        lines = []
        for backend, parts in self.parts.items():
            size = {name: float(np.abs(self.relative(backend, name)[0]).max()) for name in parts}
            worst = max(size, key=lambda name: size[name])
            lines.append(
                f"{backend}: the largest part is the {worst}, {size[worst]:.1e} of |Z|; what lowers it: {PARTS[worst]}."
            )
        return lines

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            **provenance(self.cell),
            "points": self.points,
            "frequency_Hz": self.frequency.tolist(),
            "outline": self.outline,
            "backends": {
                backend: {
                    "impedance_ohm": _pairs(self.impedance[backend]),
                    "limit_ohm": _pairs(self.limits[backend].z),
                    "limit_uncertainty_ohm": self.limits[backend].u.tolist(),
                    **{f"{name}_ohm": _pairs(part.value) for name, part in parts.items()},
                    **{f"{name}_uncertainty_ohm": part.uncertainty.tolist() for name, part in parts.items()},
                }
                for backend, parts in self.parts.items()
            },
            "verdict": self.verdict(),
            "disagreements": self.disagreements,
        }


def tell_image_apart(
    cell: CellLike,
    frequencies: Any = (),
    *,
    backends: Sequence[str | Backend] = ("network", "fem"),
    progress: Callable[[int], None] | None = None,
) -> ImageErrors:
    """Return the errors of a label image, told apart, at direct current (where it flows) and at frequencies.

    Parameters
    ----------
    cell
        A Cell, the path of a cell file, or a dictionary with its keys.
    frequencies
        Hz.
    backends
        Names of installed ones, or backends themselves.
    progress
        Called with how many of them are done.

    Returns
    -------
    ImageErrors
        Parts by backend.

    Raises
    ------
    InputError
        Where there is no point to look at, or a backend does not take the cell.
    ComputationError
        Where a solver fails.
    """
    cell = Cell.of(cell)
    Image.of(Problem.of(cell).body)
    check_solvable(cell)
    none = isinstance(frequencies, (tuple, list)) and not frequencies
    asked = np.zeros(0) if none else frequencies_taken(frequencies)
    points = np.append(0.0, asked) if direct_current(cell) else asked
    if not points.size:
        raise InputError(key="frequencies", value=Absent.MISSING, why="no direct current flows in this cell")
    chosen = [backend_named(name) for name in backends]
    require("errors", cell, chosen)
    impedance, limits, parts = {}, {}, {}
    with warnings.catch_warnings():
        # What these say of an image is what is measured here.
        warnings.simplefilter("ignore", PicturedWarning)
        warnings.simplefilter("ignore", ResolutionWarning)
        coarse, fine, times, how = _two_images(cell)
        apart = []
        for number, backend in enumerate(chosen):
            z, limit = _limit(cell, backend, points)
            impedance[backend.name], limits[backend.name] = z, limit
            parts[backend.name] = {"grid": Part(z - limit.z, limit.u), "area": _area(cell, backend, points)}
            if fine is not None and coarse is not None:
                apart.append(times * (_at_level(coarse, backend, points, 1) - _at_level(fine, backend, points, 0)))
            if progress is not None:
                progress(number + 1)
    if apart:
        mean = np.mean(apart, axis=0)
        outline = Part(mean, np.abs(mean) + np.max(np.abs(np.array(apart) - mean), axis=0))
        parts = {name: {**own, "outline": outline} for name, own in parts.items()}
    return ImageErrors(cell, points, impedance, limits, parts, how)


def _limit(cell: Cell, backend: Backend, points: Array) -> tuple[Complex, Value]:
    """Z on the image's own voxels, and the limit of cutting them."""
    family = solve_family(cell, backend, band_of(points))
    z, u, own = (np.zeros(points.size, dtype=complex) for _ in range(3))
    moving = points > 0
    if moving.any():
        limit = family.limit(points[moving])
        z[moving], u[moving] = limit.value, limit.uncertainty
        own[moving] = family.solutions[0].model.impedance(2j * np.pi * points[moving])
    if not moving.all():
        z[~moving], u[~moving] = family.resistance()
        own[~moving] = family.solutions[0].model.resistance()
    return own, Value(z, u.real)


def _area(cell: Cell, backend: Backend, points: Array) -> Part:
    """Z with the boundaries' faces as they are less Z with their areas right, on voxels cut in two: levels tell how well."""
    structure = cell.electrolyte.microstructure
    assert structure is not None, "the cell has an image"
    if structure.boundary is None or structure.boundary.area == "smooth":
        return Part(np.zeros(points.size, dtype=complex), np.zeros(points.size))
    right = _smooth(cell)
    coarse, fine = (_at_level(cell, backend, points, level) - _at_level(right, backend, points, level) for level in (0, 1))
    return Part(fine, np.abs(fine - coarse) + AREAS * np.abs(fine))


def _smooth(cell: Cell) -> Cell:
    """The cell with boundaries that have the area of what they picture."""
    structure = cell.electrolyte.microstructure
    return cell if structure is None or structure.boundary is None else cell.vary({_BOUNDARY_AREA: "smooth"})


_BOUNDARY_AREA: Final = "electrolyte.microstructure.boundary.area"


def _two_images(cell: Cell) -> tuple[Cell | None, Cell | None, float, str]:
    """Two images of one body, the second with half the edge, and the error of the cell's own over their difference."""
    right = _smooth(cell)
    structure = right.electrolyte.microstructure
    assert structure is not None, "the cell has an image"
    if structure.generator is not None:
        finer = right.vary({"electrolyte.microstructure.voxel": [edge / 2 for edge in structure.edges]})
        return right, finer, 2.0, "drawn again with voxels of half the edge"
    try:
        coarser = right.vary({"electrolyte.microstructure.coarsen": [2 * each for each in structure.coarsening]})
        Problem.of(coarser).check_solvable()
        for name in ("network", "fem"):  # that labels are left, and the contact's edges lie between voxels
            backend_named(name).grid(Problem.of(coarser), 0)
    except InputError as error:
        return None, None, 0.0, f"not known, since voxels cannot be taken together in pairs: {error}"
    return coarser, right, 1.0, "voxels taken together in pairs along every axis"


def _at_level(cell: Cell, backend: Backend, points: Array, level: int) -> Complex:
    return on_grid(cell, backend, backend.grid(Problem.of(cell), level), points)


def _pairs(values: Complex) -> list[list[float]]:
    return [[float(z.real), float(z.imag)] for z in values]
