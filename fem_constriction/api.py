"""z = solve(cell, frequencies): what most users import."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fem_constriction.backends import Backend, backend_named, direct_current, solve_grid
from fem_constriction.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.meshes import refuse_resolution
from fem_constriction.microstructure import one_resolution
from fem_constriction.refinement import Family, angular_band, solve_family, solve_to
from fem_constriction.spectrum import Spectrum


def solve(
    cell: Cell,
    frequencies: ArrayLike,
    *,
    backend: str | Backend = "network",
    accuracy: float | None = None,
    resolution: int | None = None,
) -> Spectrum:
    """Return Z(f) of the whole cell in ohm, at frequencies in Hz, shape (n,).

    accuracy (default 1e-3): a family of grids, refined until the uncertainty is at most accuracy |Z| everywhere; the
    value is its limit, .uncertainty its uncertainty. resolution: one grid of that many voxels or elements per edge of
    the cell instead; its uncertainty is not known (None). A label image is such a grid, the only one its cell has; a mesh
    from a file is one as well, unless an accuracy is asked, which refines it uniformly. Raises InputError, ComputationError.
    """
    if accuracy is not None and resolution is not None:
        raise InputError("accuracy and resolution are not allowed together: one asks for a limit, the other for a grid")
    resolution = one_resolution(cell, resolution, accuracy)
    refuse_resolution(cell, resolution)
    points = np.asarray(frequencies, dtype=float)
    band = angular_band(points)
    chosen = backend_named(backend)
    as_it_is = cell.mesh is not None and accuracy is None
    if resolution is None and not as_it_is:
        return spectrum_of(solve_to(cell, chosen, points, 1e-3 if accuracy is None else accuracy), points)
    grid = chosen.grid(cell, 0) if resolution is None else chosen.uniform(cell, resolution)
    solution = solve_grid(cell, chosen, grid, band)
    z = solution.model.impedance(2j * np.pi * points)
    return Spectrum(points, z, None, {**provenance(cell), "grids": [dict(solution.description)]})


def spectrum_of(family: Family, frequencies: ArrayLike) -> Spectrum:
    """Return the limit of a family as a spectrum, with what it was made from."""
    points = np.asarray(frequencies, dtype=float)
    limit = family.limit(points)
    made = {**provenance(family.cell), "backend": family.backend.name, "grids": family.table(points)}
    return Spectrum(points, limit.value, limit.uncertainty, made)


def resistance(cell: Cell, *, backend: str | Backend = "network", uncertainty: bool = False) -> Any:
    """Return R_DC = Z(0) of the whole cell in ohm: the limit of a family of grids; infinite at contact fraction 0.

    uncertainty: return (R_DC, its uncertainty) instead; of one grid, a label image or a mesh from a file, it is not known:
    infinite.
    """
    if not direct_current(cell):
        return (float("inf"), 0.0) if uncertainty else float("inf")
    chosen, image = backend_named(backend), one_resolution(cell, None, None)
    if cell.mesh is not None:
        found = solve_grid(cell, chosen, chosen.grid(cell, 0), None).model.resistance(), float("inf")
    elif image is None:
        found = solve_family(cell, chosen, None).resistance()
    else:
        found = solve_grid(cell, chosen, chosen.uniform(cell, image), None).model.resistance(), float("inf")
    return found if uncertainty else found[0]


def provenance(cell: Cell) -> dict[str, Any]:
    """Return the cell and the versions of what computed it."""
    names = ("fem-constriction", "numpy", "scipy", "scikit-fem", "lmfit")
    return {
        "cell": cell.model_dump(mode="json", exclude_none=True),
        "versions": {name: version(name) for name in names},
    }
