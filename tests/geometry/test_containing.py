"""Every point of a box lies in one simplex that fills it, and outside it in none."""

from __future__ import annotations

import numpy as np
import pytest
from skfem import MeshHex, MeshTet, MeshTri
from skfem.io.meshio import HEX_MAPPING

from fem_constriction.geometry.containing import TETRAHEDRA, TRIANGLES, containing, split

LINES = [np.linspace(-0.13, 1.08, n) for n in (13, 17, 19)]


def moved(points: np.ndarray) -> np.ndarray:
    """The same box with its inside pushed about."""
    x, y, z = points.T
    bump = x * (1 - x) * y * (1 - y) * z * (1 - z)
    return points + 2.0 * bump[:, None] * np.array([1.0, -0.7, 0.4])


@pytest.mark.parametrize("kind", ["tetra", "hexahedron"])
def test_points_of_a_box_lie_in_its_cells_and_no_others_do(kind: str) -> None:
    ticks = np.linspace(0, 1, 5)
    mesh = (MeshTet if kind == "tetra" else MeshHex).init_tensor(ticks, ticks, ticks)
    cells = mesh.t.T if kind == "tetra" else mesh.t.T[:, HEX_MAPPING[:8]]
    points = moved(mesh.p.T) if kind == "tetra" else mesh.p.T  # cells of plane faces
    simplices, cell = split(cells, TETRAHEDRA)
    found = containing(points, simplices, LINES)
    inside = np.all([(at >= 0) & (at <= 1) for at in np.meshgrid(*LINES, indexing="ij")], axis=0)
    assert np.array_equal(found >= 0, inside)
    if kind == "hexahedron":  # which brick a point is in is known
        at = np.stack(np.meshgrid(*LINES, indexing="ij"), -1)[inside]
        low, high = points[cells].min(1)[cell[found[inside]]], points[cells].max(1)[cell[found[inside]]]
        assert np.all((at >= low - 1e-9) & (at <= high + 1e-9))


def test_which_triangle_a_point_is_in() -> None:
    mesh = MeshTri.init_tensor(np.linspace(0, 1, 4), np.linspace(0, 1, 3))
    triangles, _ = split(mesh.t.T, TRIANGLES)
    lines = [np.linspace(0.0137, 0.981, n) for n in (11, 7)]
    found = containing(mesh.p.T, triangles, lines)
    at = np.stack(np.meshgrid(*lines, indexing="ij"))
    assert np.array_equal(found.ravel(), mesh.element_finder()(*at.reshape(2, -1)))
