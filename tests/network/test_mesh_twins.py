"""A mesh and its twin of voxels are one cell: areas are those of the mesh, and limits of both backends agree."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mesh_files import BOUNDARY, Named, box, mesh_cell, write_gmsh22

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.grids.image_grid import image_grid
from fem_constriction.grids.image_labels import labels_of
from fem_constriction.grids.mesh_twin import twin_grid, unseen
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.names import GRAIN_BOUNDARY
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.full_contact import spread
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.solving.refinement import solve_family
from network.image.image_network import image_assembly, image_voxels

SIDE, SLOPE = 50.0, 0.2
LINES = np.array([0, 12.5, 37.5, 50])
DEPTHS = np.array([0, 20.0, 50])


def tilted(points: np.ndarray, slope: float = SLOPE) -> np.ndarray:
    """The plane z = 20 becomes z = 20 + slope (x - 25), top and bottom stay."""
    x, y, z = points.T
    return np.stack([x, y, z + np.interp(z, DEPTHS, [0, 1, 0]) * slope * (x - SIDE / 2)], 1)


def mesh(slope: float = SLOPE, contact: Callable[[np.ndarray], np.ndarray] | None = None) -> Named:
    """A square of a quarter of the face as contact, and a plane boundary of this slope."""
    square = lambda p: np.all(np.abs(p[:2] - SIDE / 2) < 12.6, axis=0)  # noqa: E731
    return box(
        LINES, LINES, DEPTHS, "tetra", contact=contact or square,
        inside=lambda corners: np.all(np.abs(corners[2] - 20) < 1e-6, axis=0),
        tilt=lambda points: tilted(points, slope),
    )  # fmt: skip


def cell(folder: Path, found: Named, **sections: object) -> fc.Cell:
    folder = Path(tempfile.mkdtemp(dir=folder))
    return mesh_cell({**write_gmsh22(found, folder), "boundary": BOUNDARY}, (SIDE,) * 3, **sections)


def test_a_mesh_of_planes_has_the_links_of_the_image_that_it_is(tmp_path: Path) -> None:
    """A boundary half way down between voxels and a contact on their lines: two grains as an image has them."""
    depths = np.array([0, 25.0, 50])
    lines = LINES
    found = box(lines, lines, depths, "tetra", contact=lambda p: np.all(np.abs(p[:2] - 25) < 12.6, axis=0),
                inside=lambda corners: np.all(np.abs(corners[2] - 25) < 1e-6, axis=0))  # fmt: skip
    twin = twin_grid(cell(tmp_path, found), 0)
    assert twin.shape == (12, 12, 12)
    labels = np.zeros((12, 12, 12), dtype=int)
    labels[6:] = 1
    mine = labels_of(twin.twin)[0]
    assert np.array_equal(mine == mine[0, 0, 0], labels == 0)
    plain = fc.Cell.of(
        {
            "geometry": {"width": "50 um", "thickness": "50 um"},
            "electrolyte": {
                "conductivity": "0.46 mS/cm", "relative_permittivity": 150,
                "microstructure": {"image": labels, "voxel": "4.16666666666666667 um", "boundary": BOUNDARY},
            },
            "working_electrode": {
                "contact": {"shape": "square", "fraction": 0.25},
                "charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"},
                "pore": {"capacitance": "8.85 uF/cm^2"},
            },
            "counter_electrode": {"charge_transfer": {"resistance": "2 ohm cm^2", "capacitance": "8.85 uF/cm^2"}},
        }
    )  # fmt: skip
    problem = Problem.of(plain)
    voxels = image_voxels(problem, labels_of(problem)[0], image_grid(problem))
    network = backend_named("network")
    own = network.assemble(Problem.of(cell(tmp_path, found)), twin)
    assert own.bound is None, "voxels bound nothing of a mesh"
    theirs = image_assembly(voxels, {})
    for name, operator in theirs.operators.items():
        assert abs(own.operators[name].tocsr() - operator.tocsr()).max() <= 1e-12 * abs(operator.tocsr()).max()


def test_areas_are_those_of_the_mesh_at_every_size_of_voxels(tmp_path: Path) -> None:
    disc = lambda p: np.hypot(p[0] - 25, p[1] - 25) < 20  # noqa: E731
    found = box(np.linspace(0, 50, 8), np.linspace(0, 50, 8), DEPTHS, "tetra", contact=disc, tilt=tilted,
                inside=lambda corners: np.all(np.abs(corners[2] - 20) < 1e-6, axis=0))  # fmt: skip
    problem = Problem.of(cell(tmp_path, found))
    for level in range(3):
        grid = twin_grid(problem, level)
        h = 50e-6 / grid.shape[0]
        codes, shares = grid.boundaries.codes, np.array([0.0, *grid.boundaries.shares])
        assert codes is not None
        assert h**2 * sum(shares[each].sum() for each in codes) == pytest.approx(problem.body.measure.boundaries, rel=1e-9)
        pixels = {"charge_transfer": grid.contact.sum(), "pore": (~grid.contact).sum()}
        areas = {"charge_transfer": problem.contact_area, "pore": problem.area - problem.contact_area}
        for name, number in pixels.items():
            assert grid.stands_for[name] * number * h**2 == pytest.approx(areas[name], rel=1e-9)
    # A uniform current meets a plane of slope m n_z times, its steps |n_x| + n_z times, known to half a step of 9.6.
    assert grid.excess == pytest.approx(SLOPE / np.hypot(1, SLOPE), abs=0.5 / 9.6 * SLOPE * (1 + SLOPE))


@pytest.mark.long
def test_a_twin_has_the_limit_of_its_grids_and_no_order_of_an_images_edges(tmp_path: Path) -> None:
    """What voxels of a label image know of edges between phases is nothing that a mesh has: its limit is asked for without."""
    network, described = backend_named("network"), Problem.of(cell(tmp_path, mesh(0.0)))
    s = np.array([0.0, 1j])
    order, conducts = network.edges(described, network.grid(described, 0), s)  # type: ignore[attr-defined]
    assert np.all(np.isinf(order)) and np.all(np.isinf(conducts))


def test_limits_of_twins_and_of_elements_agree_within_what_each_states(tmp_path: Path) -> None:
    problem = Problem.of(cell(tmp_path, mesh())).within((6.0, 6e7))
    network, fem = (solve_family(problem, backend_named(name), problem.band) for name in ("network", "fem"))
    frequency = np.geomspace(1, 1e7, 8)
    one, other = network.limit(frequency), fem.limit(frequency)
    apart = np.abs(one.value - other.value)
    assert np.all(apart <= one.uncertainty + other.uncertainty)
    assert np.all(apart <= 0.01 * np.abs(other.value))
    shown = one.uncertainty - unseen(problem, network.finest.grid, 2j * np.pi * frequency)
    assert network.bound is None
    assert np.all(shown > 0)


def test_what_steps_add_at_high_frequencies_is_in_the_uncertainty(tmp_path: Path) -> None:
    """Where y_gb h >> kappa, current does not even out along steps: their part of Z is off by the same on every twin."""
    only = {"charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"}}
    problem = Problem.of(
        cell(tmp_path, mesh(slope=0.5, contact=lambda p: np.ones(p.shape[1], dtype=bool)), counter={}, electrode=only)
    )
    network = backend_named("network")
    s = 2j * np.pi * np.array([1e7])
    for grid in (twin_grid(problem, level) for level in range(2)):
        solved = solve_grid(problem, network, grid, (1e6, 1e8))
        conducts = problem.places[GRAIN_BOUNDARY](s) * problem.area
        plain = problem.places["bulk"](s) * problem.area / 50e-6
        face = 1 / (problem.places["charge_transfer"](s) * problem.area)
        exact = 1 / plain + problem.body.crossings / conducts + face  # the current is uniform but for the boundary
        off = abs(solved.model.impedance(s) - exact)[0]
        told = unseen(problem, grid, s)[0]
        assert 0.5 * told < off < 1.1 * told


def test_constriction_of_a_mesh_with_a_tilted_boundary_is_counted_from_the_same_body_under_full_contact(tmp_path: Path) -> None:
    tilt, flat = (Problem.of(cell(tmp_path, mesh(slope))) for slope in (SLOPE, 0.0))
    assert not tilt.body.uniform
    assert flat.body.uniform
    assert spread(flat) is None
    even = spread(tilt)
    assert even is not None
    assert even.contact_fraction == 1
    plain = solve_family(even, backend_named("fem"), None).resistance()
    whole = 1 / (even.places["charge_transfer"](0.0).real * even.area)
    own = 1 / (tilt.places["charge_transfer"](0.0).real * tilt.contact_area)
    assert whole == pytest.approx(own), "the interface conducts what it did"
    assert plain[0] > whole


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (mesh(contact=lambda p: p[0] < 10), ""),
        (box(LINES, LINES, DEPTHS, "tetra", contact=lambda p: p[0] < 20, tilt=lambda p: p + 0.01 * p[:, :1] * (p[:, 2:] == 0)
             * np.array([0, 0, 1]), inside=lambda c: np.all(np.abs(c[2] - 20) < 1e-6, axis=0)), "elsewhere than on the side"),
        (box(LINES, LINES, DEPTHS, "tetra", contact=lambda p: p[0] < 20,
             inside=lambda c: np.all(np.abs(c[2] - 20) < 1e-6, axis=0) & (c[0].mean(0) < 30)), "end inside a grain"),
    ],
)  # fmt: skip
def test_a_mesh_that_voxels_cannot_picture_is_refused_with_the_reason(found: Named, why: str, tmp_path: Path) -> None:
    described = cell(tmp_path, found)
    network = backend_named("network")
    if not why:
        assert network.refusal(described) is None
        return
    with pytest.raises(InputError, match=rf"mesh.file.*{why}"):
        fc.solve(described, [1.0], backend="network")
    assert fc.solve(described, [1.0], backend="fem").impedance.shape == (1,)
