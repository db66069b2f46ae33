"""Triangulations that follow the contact's outline exactly, and prisms over them: elements, currents, and what they enclose."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import shapely
from outline_cells import DISC, MANY, cell, regions, star
from typer.testing import CliRunner

import fem_constriction as fc
from fem_constriction.errors import ComputationError
from fem_constriction.fem import FiniteElements, enclose
from fem_constriction.fem.prisms.bounds import bounds_on
from fem_constriction.fem.prisms.equilibrated import MixedElements
from fem_constriction.fem.prisms.outline_mesh import PlanarMesh, planar_mesh
from fem_constriction.fem.prisms.prism_fields import locate
from fem_constriction.fem.prisms.prisms import Prisms, TriangleSpace, triangle_basis
from fem_constriction.fem.prisms.triangulation import triangulate
from fem_constriction.grids.grid import Grading
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.projection import reduce
from fem_constriction.solving.refinement import solve_family
from fem_constriction.stack.face_model import reduce_layered
from network import Network
from validation import crosscheck
from validation.cli.app import app

GRADING = Grading(exponent=4.0, steps=2)
DIAMOND = regions({"shape": "rectangle", "centre": ["25 um", "25 um"], "size": ["20 um", "20 um"], "angle": "45 deg"})
ROUNDED = regions({"shape": "rectangle", "centre": ["25 um", "25 um"], "size": ["22 um", "22 um"], "angle": "45 deg"})
ELLIPSE = regions({"shape": "ellipse", "centre": ["25 um", "25 um"], "semi_axes": ["15 um", "6 um"]})
AT_WALL = regions(
    {"shape": "polygon", "vertices": [["0 um", "10 um"], ["20 um", "18 um"], ["12 um", "30 um"], ["0 um", "26 um"]]}
)
CONTACTS = {
    "disc": DISC,
    "diamond": DIAMOND,
    "with a corner off by rounding": ROUNDED,
    "ellipse": ELLIPSE,
    "at the wall": AT_WALL,
    "many": regions(*MANY),
}


@pytest.mark.parametrize("contact", CONTACTS.values(), ids=CONTACTS)
@pytest.mark.parametrize("level", [0, 1])
def test_areas_are_those_of_the_outline_and_triangles_meet_edge_to_edge(contact: dict[str, object], level: int) -> None:
    made = cell(contact)
    mesh = planar_mesh(made, GRADING, level)
    for which, area in ((np.ones_like(mesh.contact), made.area), (mesh.contact, made.contact_area)):
        basis = triangle_basis(mesh, 50e-6, 2, np.flatnonzero(which))
        # Quadrature on bent triangles is exact to 1e-12 (`prisms.quadrature`).
        assert basis.dx.sum() * 2500e-12 * mesh.copies == pytest.approx(area, rel=1e-11)
    edges = np.sort(mesh.t[[[0, 1], [1, 2], [2, 0]]].transpose(0, 2, 1).reshape(-1, 2), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    ends = mesh.p[:, np.unique(edges, axis=0)[count == 1]]
    walls = [np.all(np.abs(ends[i] - at) < 1e-15, axis=1) for i in range(2) for at in (0.0, mesh.face.width[i])]
    assert count.max() == 2
    assert np.all(np.any(walls, axis=0))  # edges of one triangle lie on the walls: no cracks
    assert np.unique(mesh.t).size == mesh.p.shape[1]


def test_gmsh_gives_the_same_areas_and_other_triangles_the_same_bounds() -> None:
    try:
        import gmsh  # noqa: F401
    except (ImportError, OSError) as error:
        pytest.skip(f"Gmsh cannot be loaded: {error}")
    made = cell(DISC)
    grid = FiniteElements().grid(cell({**DISC, "mesher": "gmsh"}), 0)
    assert np.array_equal(grid.plane.p, FiniteElements(mesher="gmsh").grid(made, 0).plane.p)
    assert grid.contact_area == pytest.approx(made.contact_area, rel=1e-10)
    own = bounds_on(made, FiniteElements().grid(made, 0), np.zeros(1))
    lower, upper = bounds_on(made, grid, np.zeros(1))
    assert max(lower[0], own[0][0]) <= min(upper[0], own[1][0])  # both hold R_DC
    assert not np.array_equal(grid.plane.p, FiniteElements().grid(made, 0).plane.p)


@pytest.mark.parametrize("seed", range(12))
def test_any_polygon_is_triangulated_with_its_area(seed: int) -> None:
    """Three to twelve corners, convex or not: every edge of the outline is one of the triangulation's."""
    random = np.random.default_rng(seed)
    made = cell(regions({"shape": "polygon", "vertices": star(random, int(random.integers(3, 13))).tolist()}))
    grid = FiniteElements().grid(made, 0)  # made at all: the triangulation is sound
    assert grid.contact_area == pytest.approx(made.contact_area, rel=1e-12)
    assert grid.area == pytest.approx(made.area, rel=1e-12)


def test_segments_are_edges_though_delaunay_alone_would_cross_them() -> None:
    """A notch between points that are nearer to each other across it than along it."""
    points = np.array([[0, 0], [10, 0], [10, 5], [5.1, 5], [5, 0.2], [4.9, 5], [0, 5]], dtype=float)
    segments = np.stack([np.arange(7), np.roll(np.arange(7), -1)], 1)
    polygon = shapely.Polygon(points)
    found, triangles = triangulate(points, segments, polygon, lambda p: np.full(len(p), 1.5), "delaunay")
    edges = {frozenset(pair) for t in triangles.tolist() for pair in ((t[0], t[1]), (t[1], t[2]), (t[2], t[0]))}
    assert all(frozenset(pair) in edges for pair in segments.tolist())
    a, b, c = (found[triangles[:, k]] for k in range(3))
    areas = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    assert areas.min() > 0
    assert areas.sum() == pytest.approx(polygon.area, rel=1e-12)


@pytest.mark.parametrize(
    "pairs", [[(0, 2), (2, 1), (1, 3), (3, 0)], [(0, 1), (1, 2), (2, 3), (3, 4)]], ids=["crossing", "twice"]
)
def test_segments_that_bound_no_polygon_are_refused(pairs: list[tuple[int, int]]) -> None:
    points = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], dtype=float)[: 1 + max(map(max, pairs))]
    with pytest.raises(ComputationError, match="could not be triangulated"):
        triangulate(points, np.array(pairs), shapely.box(0, 0, 1, 1), lambda p: np.full(len(p), 0.5), "delaunay")


def test_the_cell_says_what_triangulates_its_face(monkeypatch: pytest.MonkeyPatch) -> None:
    made = cell({"shape": "disc", "fraction": 0.21, "mesher": "gmsh"})
    assert fc.Cell.loads(made.dumps()) == made
    monkeypatch.setitem(sys.modules, "gmsh", None)
    with pytest.raises(fc.InputError, match=r'working_electrode\.contact\.mesher = "gmsh" is not allowed here: .* pip install'):
        enclose(made, 0.1)
    with pytest.raises(fc.InputError, match=r"working_electrode\.contact\.mesher = 'triangle' is not allowed"):
        cell({**DISC, "mesher": "triangle"})


def test_every_point_of_the_face_lies_in_the_triangle_it_is_said_to_lie_in() -> None:
    mesh = planar_mesh(cell(regions(*MANY)), GRADING, 0)
    plane = TriangleSpace.build(mesh, 50e-6, 2)
    points = np.random.default_rng(1).random((2, 300))
    points[:, :4] = [[0, 1, 0, 1], [0, 0, 1, 1]]
    triangle, local = locate(plane, points)
    assert np.abs(plane.basis.mapping.each(local, triangle)[0] - points).max() < 1e-9
    touching = np.zeros(points.shape[1], dtype=bool)
    for outline in cell(regions(*MANY)).outlines:
        touching |= shapely.contains_xy(outline.shape, *(points * 50e-6))
    assert np.array_equal(touching, mesh.contact[triangle])


@pytest.mark.parametrize("contact", [DISC, DIAMOND], ids=["disc", "diamond"])
@pytest.mark.parametrize("robin", [True, False])
def test_mode_by_mode_is_the_same_as_with_all_unknowns(contact: dict[str, object], robin: bool) -> None:
    made, backend, band = cell(contact, robin, layers=3), FiniteElements(), (1e-2, 1e8)
    grid = backend.grid(made, 0)
    stack = backend.layered(made, grid)
    assert stack is not None
    s = 1j * np.geomspace(*band, 7)
    on_face = reduce_layered(stack, admittances(made), band).impedance(s)
    whole = reduce(backend.assemble(made, grid), admittances(made), band).impedance(s)
    assert np.abs(on_face / whole - 1).max() < 1e-8  # what both reductions are asked for


def test_a_disc_without_constriction_is_the_circuit() -> None:
    """Pores that conduct as the contact does: nothing squeezes, and prisms give the one-dimensional circuit exactly."""
    made = cell(DISC).vary(
        {"working_electrode.charge_transfer": {"resistance": 1e-4},
         "working_electrode.pore": {"depth": 1e-9, "conductivity": 1e-5}}
    )  # fmt: skip
    z = fc.solve(made, [1.0, 1e6], backend="fem", accuracy=1e-6)
    assert np.abs(z.impedance / physical(made).impedance([1.0, 1e6]) - 1).max() < 1e-7


@pytest.mark.parametrize(("robin", "order"), [(True, 4.0), (False, 3.5)], ids=["charge transfer", "ideal contact"])
def test_a_disc_converges_with_the_order_that_the_grading_gives(robin: bool, order: float) -> None:
    """Degree 2, mu = 4: order 4 with a contact resistance; 3.5 at an ideal contact, for which mu should exceed 4 (numerics)."""
    r = [solution.model.resistance() for solution in solve_family(cell(DISC, robin), FiniteElements(), None).solutions]
    assert r[0] < r[1] < r[2]  # from below
    assert np.log2((r[1] - r[0]) / (r[2] - r[1])) == pytest.approx(order, abs=0.6)


def test_potentials_and_currents_enclose_z_and_close_in_on_it() -> None:
    made, s = cell(DISC), np.array([0.0, 1e2, 1e5, 1e8])
    elements = FiniteElements()
    gaps = []
    for level in (0, 1):
        grid = elements.grid(made, level)
        assert isinstance(grid, Prisms)
        lower, upper = bounds_on(made, grid, s)
        assert np.all(lower <= upper)
        gaps.append(upper - lower)
    # Both sides are of order 4, a factor of 16, where the contact's edge decides; at 0.1 MHz the smooth rest, half of that.
    assert gaps[1][0] <= gaps[0][0] / 8
    assert np.all(gaps[1] <= gaps[0] / 6)
    limit = solve_family(made, elements, None).resistance()[0]
    assert lower[0] < limit < upper[0]


def test_a_disc_in_a_square_tube_goes_from_equipotential_to_uniform_flux() -> None:
    """R sigma of a disc of radius 1 in a square tube of half width 2: 0.1208213588 at uniform flux (references).

    A large R_pol makes the flux uniform: K = R_DC - R_1D - R_pol/A_c goes there from below. An ideal contact stays below it,
    and above the ratio of the two on a half space, (1/4)/(8/(3 pi^2)) = 0.925, times what the walls take from both.
    """
    radius, sigma, uniform = 12.5e-6, 0.046, 0.1208213588
    deep = cell(regions({"shape": "disc", "centre": ["25 um", "25 um"], "radius": radius}), robin=False).vary(
        {"geometry.thickness": "100 um"}  # tanh(4 pi) is 1 to 1e-11
    )
    found = {}
    for zeta in (0.0, 1e2, 1e3):
        resistance = zeta * radius / sigma
        made = deep.vary({"working_electrode.charge_transfer": {"resistance": resistance}}) if zeta else deep
        lower, upper = bounds_on(made, FiniteElements().grid(made, 1), np.zeros(1))
        bare = made.geometry.thickness / sigma / made.area + resistance / made.contact_area
        found[zeta] = tuple(float((side[0] - bare) * sigma * radius / uniform) for side in (lower, upper))
    assert found[0.0][1] < found[1e2][0] < found[1e3][0] < 1
    # The lower bound alone is 1e-4 off on this mesh (1e-3 on the one before, 4th order); 1/zeta is 1e-3 times less than that.
    assert found[1e3][0] == pytest.approx(1, abs=2e-4)
    assert found[1e3][1] > 1


def test_both_backends_agree_on_a_disc() -> None:
    """The staircase of shares and the body-fitted mesh, by themselves: limits within their uncertainties together."""
    made = cell(DISC)
    (a, u), (b, v) = (solve_family(made, backend, None).resistance() for backend in (Network(), FiniteElements()))
    assert abs(a - b) <= u + v
    assert u + v < 1e-3 * b


def test_another_disc_lies_outside_the_bounds() -> None:
    """A radius 1 % too large is seen."""
    found = enclose(cell(DISC), 1e-3)
    wrong = enclose(cell({"shape": "disc", "fraction": 0.2 * 1.01**2}), 1e-3)
    assert wrong.upper[0] < found.lower[0]


def test_bounds_are_as_narrow_as_asked() -> None:
    found = enclose(cell(ELLIPSE), 2e-4, [0.0, 1e4])
    assert np.all(found.radius <= 2e-4 * found.middle)
    radii = [row["radius"] for row in found.table]
    assert all(b < a for a, b in pairwise(radii))


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({}, {"accuracy": 2.0}, "accuracy = 2.0 is not allowed"),
        ({}, {"s": [-1.0]}, "real numbers of at least 0"),
        ({"working_electrode.contact": {"shape": "square", "fraction": 1}}, {}, "has no edge to squeeze past"),
        ({"working_electrode.contact": {"shape": "square", "fraction": 0}}, {}, "no direct current can flow"),
    ],
)
def test_what_cannot_be_enclosed_is_said(change: dict[str, object], arguments: dict[str, object], message: str) -> None:
    with pytest.raises(fc.InputError, match=message):
        enclose(cell(DISC).vary(change), **arguments)


def test_regions_that_touch_and_corners_that_are_too_sharp_are_refused() -> None:
    touching = regions(*({"shape": "disc", "centre": [x, "20 um"], "radius": "5 um"} for x in ("11 um", "21 um")))
    with pytest.raises(
        fc.InputError,
        match=r"region 1 and region 2 touch \(a gap of 0 m\); allowed is a gap of more than 5e-10 m, or one polygon",
    ):
        planar_mesh(cell(touching), GRADING, 0)
    needle = regions({"shape": "polygon", "vertices": [["5 um", "5 um"], ["45 um", "6 um"], ["45 um", "9 um"]]})
    with pytest.raises(fc.InputError, match="sharper than 15 degrees"):
        planar_mesh(cell(needle), GRADING, 0)


def overlapping(mesh: PlanarMesh) -> PlanarMesh:
    return replace(
        mesh, t=np.hstack([mesh.t, mesh.t[:, :1]]), touched=(np.append(mesh.contact, False),), patch=np.append(mesh.patch, -1)
    )


def folded(mesh: PlanarMesh) -> PlanarMesh:
    """A corner inside the face, drawn over the triangles beside it."""
    p = mesh.p.copy()
    inner = np.flatnonzero(np.all((p > 1e-9) & (p < np.reshape(mesh.face.width, (2, 1)) - 1e-9), axis=0))
    p[:, inner[-1]] += 0.4 * max(mesh.face.width)
    return replace(mesh, p=p)


def torn(mesh: PlanarMesh) -> PlanarMesh:
    """One triangle is missing."""
    keep = np.arange(mesh.t.shape[1]) < mesh.t.shape[1] - 1
    return replace(mesh, t=mesh.t[:, keep], touched=(mesh.contact[keep],), patch=mesh.patch[keep], local=mesh.local[:, :, keep])


def misread(mesh: PlanarMesh) -> PlanarMesh:
    """A triangle beside the contact is taken for contact."""
    contact = mesh.contact.copy()
    contact[np.flatnonzero(~contact)[0]] = True
    return replace(mesh, touched=(contact,))


ROUTES = {
    "bounds": lambda made: enclose(made, 0.1),
    "spectrum": lambda made: fc.solve(made, [1.0], backend="fem", accuracy=0.1),
    "resistance": lambda made: fc.resistance(made, backend="fem"),
    "fields": lambda made: fc.fields.solve_fields(made, 1e3, backend="fem"),
    "upper bound": lambda made: MixedElements().layered(made, MixedElements().grid(made, 0)),
}


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
@pytest.mark.parametrize("bad", [overlapping, folded, torn, misread])
def test_no_route_computes_on_a_triangulation_that_is_not_sound(
    bad: Callable[[PlanarMesh], PlanarMesh], route: Callable[[fc.Cell], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fem_constriction.fem.prisms.prisms.planar_mesh", lambda *given: bad(planar_mesh(*given)))
    with pytest.raises(ComputationError, match="is not sound"):
        route(cell(DISC))


def test_rates_that_leave_no_digits_are_wrong_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def singular(*_: object, **__: object) -> None:
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr("fem_constriction.fem.prisms.bounds.reduce_layered", singular)
    with pytest.raises(fc.InputError, match=r"s from 0 to 1e\+30 1/s is not allowed"):
        enclose(cell(DISC), 0.1, [0.0, 1e30])


def test_bounds_are_refused_on_prisms_of_another_cell() -> None:
    grid = FiniteElements().grid(cell(DISC), 0)
    for other in ({"geometry.thickness": "40 um"}, {"working_electrode.contact.fraction": 0.21}):
        with pytest.raises(ComputationError, match="the cell's"):
            bounds_on(cell(DISC).vary(other), grid, np.zeros(1))


def test_fields_of_both_backends_agree_on_a_disc_and_current_is_conserved() -> None:
    made = cell(DISC, layers=2)
    elements = fc.fields.solve_fields(made, 1e3, backend="fem")
    voxels = fc.fields.solve_fields(made, 1e3, backend="network", resolution=64)
    points = np.random.default_rng(2).random((3, 60)) * 48e-6 + 1e-6
    a, b = elements.potential(*points), voxels.potential(*points)
    # Voxels of 0.8 um with a staircase outline: 1e-3 of V in Z, some of it at the edge.
    assert np.abs(a - b).max() < 5e-3 * np.abs(a).max()
    # Through every plane the same current, integrated on every triangle: functions of z alone are among the test functions.
    through = elements.through([5e-6, 20e-6, 30e-6, 45e-6])
    assert np.abs(through / elements.current - 1).max() < 1e-8


def test_bounds_from_the_command_line(tmp_path: object) -> None:
    file = f"{tmp_path}/disc.toml"
    cell(DISC).save(file)
    done = CliRunner().invoke(app, ["bounds", file, "--accuracy", "1e-3", "--rates", "1e3,1e6", "--json"])
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert record["s_per_second"] == [0.0, 1e3, 1e6]
    assert all(low < high for low, high in zip(record["lower_ohm"], record["upper_ohm"], strict=True))
    assert record["constriction_ohm"][0] < record["constriction_ohm"][1]


def test_a_face_that_does_not_fit_in_memory_is_refused_before_anything_is_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    def solved(*_: object, **__: object) -> None:
        raise AssertionError("a grid was solved")

    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=1 << 20))
    monkeypatch.setattr("fem_constriction.solving.refinement.solve_grid", solved)
    with pytest.raises(
        fc.InputError, match=r"finite elements on level 2 \(at least \d+ triangles.*, functions of its plane: .* would need"
    ):
        crosscheck(cell(DISC), [1.0], backends=["fem", "network"])
