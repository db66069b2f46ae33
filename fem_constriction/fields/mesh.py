"""Hexahedra of the whole cell, layer by layer, with phi at their corners and J at their centres: fields as a file.

Neighbouring layers share no points: on a boundary each has its own, and the jump of phi stays a jump. What mirror symmetry left
out of the grid is unfolded. z counts from the WE face down, all lengths in m, all fields for 1 V. Where phi may jump between
any two cells (label images), both are given at centres.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fem_constriction.errors import InputError
from fem_constriction.fields.sampled import Sampled

if TYPE_CHECKING:
    import meshio

SUFFIXES = (".vtu", ".xdmf")

#: Corners of a hexahedron as offsets along x, y, z, in the order of VTK.
CORNERS = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1))


def mesh_of(fields: Sampled) -> meshio.Mesh:
    """Return the grid as linear hexahedra: points in m, the unit in the name of everything that is on them.

    At corners (of second-order elements too), of label images at centres: potential_real, _imaginary, _modulus / V and
    potential_phase / deg. At centres: current_density_real and _imaginary / (A/m2), three components each, and layer, 0 at the
    WE. In holes phi is nan, and J in metal.
    """
    import meshio  # half a second of formats, for whoever writes a file

    x, y = (fields.whole.lines(axis) for axis in (0, 1))
    points, cells, layers = [], [], []
    phi, j = [], []
    start = 0
    for layer, z in enumerate(fields.grid.layers):
        corners = np.meshgrid(z, x, y, indexing="ij")
        shape = corners[0].shape
        points.append(np.stack([corners[1].ravel(), corners[2].ravel(), corners[0].ravel()], 1))
        number = start + np.arange(corners[0].size).reshape(shape)
        ends = {0: slice(None, -1), 1: slice(1, None)}
        cells.append(np.stack([number[ends[c], ends[a], ends[b]].ravel() for a, b, c in CORNERS], 1))
        middles = [(lines[1:] + lines[:-1]) / 2 for lines in (x, y, z)]
        at = middles if fields.torn else [x, y, z]
        phi.append(fields.potential(at[0][:, None], at[1], at[2][:, None, None], layer=layer).ravel())
        density = fields.current_density(middles[0][:, None], middles[1], middles[2][:, None, None], layer=layer)
        j.append(density.reshape(-1, 3))
        layers.append(np.full(len(cells[-1]), layer))
        start += corners[0].size
    potential, density = np.concatenate(phi), np.concatenate(j)
    of_potential = {
        "potential_real / V": potential.real,
        "potential_imaginary / V": potential.imag,
        "potential_modulus / V": np.abs(potential),
        "potential_phase / deg": np.degrees(np.angle(potential)),
    }
    in_cells = {
        "current_density_real / (A/m2)": density.real,
        "current_density_imaginary / (A/m2)": density.imag,
        "layer": np.concatenate(layers),
    }
    on_points = {} if fields.torn else of_potential
    in_cells |= of_potential if fields.torn else {}
    return meshio.Mesh(
        np.concatenate(points),
        [("hexahedron", np.concatenate(cells))],
        point_data={name: np.ascontiguousarray(values) for name, values in on_points.items()},
        cell_data={name: [np.ascontiguousarray(values)] for name, values in in_cells.items()},
    )


def write(fields: Sampled, path: str | os.PathLike[str]) -> None:
    """Write the mesh as .vtu (compressed) or .xdmf. Raises InputError for another suffix or where it cannot be written."""
    target = Path(path)
    if target.suffix not in SUFFIXES:
        raise InputError(key="path", value=str(path), allowed=f"the name of a file that ends in {' or '.join(SUFFIXES)}")
    mesh = mesh_of(fields)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mesh.write(target)
    except OSError as error:
        raise InputError(f"cannot be written ({(error.strerror or str(error)).lower()})", file=path) from None
