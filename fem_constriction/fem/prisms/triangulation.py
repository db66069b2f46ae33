"""Delaunay's triangulation of a polygon with holes, constrained to its segments, refined at circumcentres until triangles fit.

A triangle fits if its smallest angle is above `ANGLE` and its circumradius below the size wanted there. Segments are given and
never split: they are edges of the triangulation by construction (CDT, exact predicates), and a circumcentre that would encroach
on one (lie in the circle on it as diameter) is left out. So triangles between two long segments stay stretched along them.
Sources: Chew 1989, doi 10.1007/BF01553881; Ruppert 1995, doi 10.1006/jagm.1995.1021. Gmsh instead where asked for (an extra).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pythoncdt as cdt
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, InputError, Written
from fem_constriction.problem.faces import Mesher

Integers = NDArray[np.int64]
Size = Callable[[Array], Array]

#: Smallest angle aimed at, degrees (Ruppert's algorithm ends for 20), and how often points are inserted at most.
ANGLE, ROUNDS = 20.0, 60

#: Points nearer to one another than this part of the size wanted there are not both inserted in one round.
APART = 0.6


def triangulate(
    points: Array, segments: Integers, polygon: shapely.Polygon, size: Size, mesher: Mesher
) -> tuple[Array, Integers]:
    """Return points (n, 2), the given ones first, and triangles (m, 3) of a polygon.

    points, segments: of its boundary, (k, 2) and (l, 2); size: points -> the edge length wanted. Raises ComputationError where
    segments cross or points coincide: they bound no polygon.
    """
    if mesher == "gmsh":
        return _gmsh(points, segments, size)
    fixed, count = points, len(points)
    triangles = _constrained(points, segments)
    shapely.prepare(polygon)
    for _ in range(ROUNDS):
        new = _circumcentres(points, triangles, fixed[segments], size, polygon)
        if not len(new):
            break
        points = np.vstack([points, new])
        triangles = _constrained(points, segments)
    for _ in range(3):
        points = _smoothed(points, triangles, count, fixed[segments], polygon)
        triangles = _constrained(points, segments)
    return points, triangles


def _constrained(points: Array, segments: Integers) -> Integers:
    """The constrained Delaunay triangles of what the segments enclose, holes left out, counter-clockwise."""
    found = cdt.Triangulation(cdt.VertexInsertionOrder.AUTO, cdt.IntersectingConstraintEdges.NOT_ALLOWED, 0.0)
    vertices: Any = np.ascontiguousarray(points)
    edges: Any = np.ascontiguousarray(segments, dtype=np.uintc)
    try:
        found.insert_vertices(vertices)
        found.insert_edges(edges)
    except RuntimeError as error:
        raise ComputationError(
            f"the face beside the contact could not be triangulated, strips along its edges meet: {str(error).splitlines()[0]}"
        ) from None
    found.erase_outer_triangles_and_holes()
    return np.asarray(found.triangles_array()["vertices"], dtype=np.int64)


def _cross(points: Array, triangles: Integers) -> Array:
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return np.asarray((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])


def _circumcentres(points: Array, triangles: Integers, segments: Array, size: Size, polygon: shapely.Polygon) -> Array:
    """Circumcentres of triangles that do not fit, worst first, apart from one another and from the segments."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    sides = np.stack([np.linalg.norm(b - c, axis=1), np.linalg.norm(c - a, axis=1), np.linalg.norm(a - b, axis=1)], 1)
    doubled = _cross(points, triangles)
    radius = sides.prod(1) / (2 * np.abs(doubled))
    u, v = b - a, c - a
    weight = np.stack(
        [(v[:, 1] * (u**2).sum(1) - u[:, 1] * (v**2).sum(1)), (u[:, 0] * (v**2).sum(1) - v[:, 0] * (u**2).sum(1))], 1
    )
    centre = a + weight / (2 * doubled[:, None])
    shortest = sides.min(1)
    ratio = radius / (shortest / (2 * np.sin(np.radians(ANGLE))))
    large = radius / (size(centre) / np.sqrt(3))
    worst = np.maximum(ratio, large)
    order = np.argsort(-worst)
    order = order[(worst[order] > 1) & shapely.contains_xy(polygon, *centre[order].T)]
    order = order[~_encroaching(centre[order], segments)]
    # What a segment hides from the triangle is no place for its new corner.
    sight = shapely.linestrings(np.stack([points[triangles[order]].mean(1), centre[order]], 1))
    order = order[shapely.covers(polygon, sight)]
    if not order.size:
        return np.zeros((0, 2))
    wanted = centre[order]
    near = cKDTree(wanted).query_ball_point(wanted, radius[order] * APART)
    chosen = np.zeros(len(wanted), dtype=bool)
    for k, around in enumerate(near):
        chosen[k] = not chosen[around].any()
    return np.asarray(wanted[chosen])


def _encroaching(points: Array, segments: Array) -> NDArray[np.bool_]:
    """Which points lie in the circle on a segment as diameter."""
    middle, half = segments.mean(1), np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1) / 2 * (1 - 1e-9)
    boxes = shapely.box(*(middle - half[:, None]).T, *(middle + half[:, None]).T)
    k, segment = shapely.STRtree(boxes).query(shapely.points(points), predicate="intersects")
    found = np.zeros(len(points), dtype=bool)
    found[k[np.linalg.norm(points[k] - middle[segment], axis=1) < half[segment]]] = True
    return found


def _smoothed(points: Array, triangles: Integers, fixed: int, segments: Array, polygon: shapely.Polygon) -> Array:
    """Inner points moved to the middle of their neighbours, unless that brings them upon a segment or out of the polygon."""
    pairs = triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    total, number = np.zeros_like(points), np.zeros(len(points))
    for one, other in ((0, 1), (1, 0)):
        np.add.at(total, pairs[:, one], points[pairs[:, other]])
        np.add.at(number, pairs[:, one], 1)
    moved = points.copy()
    inner = np.arange(fixed, len(points))
    target = total[inner] / np.maximum(number[inner], 1)[:, None]
    keep = _encroaching(target, segments) | (number[inner] == 0) | ~shapely.contains_xy(polygon, *target.T)
    moved[inner[~keep]] = target[~keep]
    return moved


def _gmsh(points: Array, segments: Integers, size: Size) -> tuple[Array, Integers]:
    """The same by Gmsh: the given points first, segments kept whole."""
    try:
        import gmsh
    except (ImportError, OSError):  # the package, or a library that it needs
        raise InputError(
            key="working_electrode.contact.mesher",
            value=Written('"gmsh"'),
            when="here",
            allowed="Gmsh is not installed",
            remedy='pip install "fem-constriction[gmsh]", or leave the key out',
        ) from None
    scale = float(np.ptp(points))
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.option.setNumber("Mesh.MeshSizeExtendFromBoundary", 0)
        model = gmsh.model
        tags = [model.geo.addPoint(*(point / scale), 0.0) for point in points]
        lines = [model.geo.addLine(tags[a], tags[b]) for a, b in segments]
        rings = sorted(
            _loops(segments), key=lambda loop: -shapely.Polygon(points[segments[loop, 0]]).area
        )  # the outer one first
        model.geo.addPlaneSurface([model.geo.addCurveLoop([lines[k] for k in ring]) for ring in rings])
        model.geo.synchronize()
        for line in lines:
            model.mesh.setTransfiniteCurve(line, 2)
        model.mesh.setSizeCallback(lambda dim, tag, x, y, z, lc: float(size(np.array([[x, y]]) * scale)[0]) / scale)
        model.mesh.generate(2)
        nodes, coordinates, _ = model.mesh.getNodes()
        found = coordinates.reshape(-1, 3)[:, :2] * scale
        place = {int(node): k for k, node in enumerate(nodes)}
        (corners,) = model.mesh.getElements(2)[2]
    finally:
        gmsh.finalize()
    triangles = np.array([place[int(node)] for node in corners], dtype=np.int64).reshape(-1, 3)
    first = cKDTree(found).query(points)[1]
    rest = np.setdiff1d(np.arange(len(found)), first)
    new = np.empty(len(found), dtype=np.int64)
    new[np.append(first, rest)] = np.arange(len(found))
    all_points = np.vstack([points, found[rest]])
    triangles = new[triangles]
    flipped = _cross(all_points, triangles) < 0
    triangles[flipped] = triangles[flipped][:, [0, 2, 1]]
    return all_points, triangles


def _loops(segments: Integers) -> list[list[int]]:
    """Numbers of the segments of each closed loop, in order; every segment begins where the one before ends."""
    after = {int(a): k for k, (a, _) in enumerate(segments)}
    left, found = set(range(len(segments))), []
    while left:
        loop = [min(left)]
        while (following := after[int(segments[loop[-1], 1])]) != loop[0]:
            loop.append(following)
        left -= set(loop)
        found.append(loop)
    return found
