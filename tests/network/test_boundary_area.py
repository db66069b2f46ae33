"""Boundaries of an image have the area of what they picture: planes, spheres, Voronoi grains; what their staircase leaves."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from images import BOUNDARY, image_cell

import fem_constriction as fc
from fem_constriction.errors import PicturedWarning
from fem_constriction.geometry.grains import seeds_of, voronoi
from fem_constriction.grids.boundary_area import STEPS, BoundaryArea, area_of, overcounted
from fem_constriction.grids.image_grid import image_grid
from fem_constriction.grids.image_labels import labels_of
from fem_constriction.problem.bodies import Image
from fem_constriction.problem.problem import Problem
from network.image.image_network import image_voxels

SMOOTH = {**BOUNDARY, "area": "smooth"}


def body_of(labels: np.ndarray, edges: tuple[float, float, float] = (1, 1, 1), **structure: object) -> Image:
    cell = image_cell(labels.shape, 1, {"image": labels, "boundary": SMOOTH, **structure}, edges=edges)
    return Image.of(Problem.of(cell).body)


def smooth_area(labels: np.ndarray, edges: tuple[float, float, float] = (1, 1, 1)) -> float:
    """The area of all boundaries, in um2."""
    found = area_of(body_of(labels, edges), labels)
    shares = np.array([0.0, *found.shares])
    return sum(shares[codes].sum() * np.prod(edges) / edge for codes, edge in zip(found.codes, edges, strict=True))


def halves(normal: np.ndarray, shape: tuple[int, int, int], edges: tuple[float, float, float], shift: float) -> np.ndarray:
    at = np.stack(np.meshgrid(*((np.arange(n) + 0.5 - n / 2) * h for n, h in zip(shape, edges, strict=True)), indexing="ij"))
    return (np.tensordot(normal, at, 1) > shift).astype(np.int32)


@pytest.mark.parametrize("edges", [(1, 1, 1), (2, 1, 0.5)])
def test_planes_of_any_direction_have_their_area(edges: tuple[float, float, float]) -> None:
    """Faces are what they are projected to, A (|n_x| + |n_y| + |n_z|), so that the area is theirs over that sum."""
    random, off = np.random.default_rng(0), []
    for _ in range(12):
        normal = random.standard_normal(3)
        normal /= np.linalg.norm(normal)
        labels = halves(normal, (16, 16, 16), edges, random.uniform(-1, 1))
        faces = sum(np.count_nonzero(np.diff(labels, axis=axis)) * np.prod(edges) / edge for axis, edge in enumerate(edges))
        off.append(smooth_area(labels, edges) * np.abs(normal).sum() / faces - 1)
    assert abs(np.mean(off)) < 0.015  # measured 0.3 % for cubes, 0.8 % for oblong voxels
    assert np.abs(off).max() < (0.01 if edges == (1, 1, 1) else 0.08)  # measured 0.5 and 6.0 %


def test_a_sphere_has_its_area() -> None:
    at = np.stack(np.meshgrid(*[np.arange(24) + 0.5 - 12] * 3, indexing="ij"))
    for radius in (6, 8, 10):
        labels = ((at**2).sum(0) < radius**2).astype(np.int32)
        # Measured -2.1, 2.6, 0.6 %: spheres of voxels that are that much larger or smaller themselves.
        assert smooth_area(labels) == pytest.approx(4 * np.pi * radius**2, rel=0.03)
        assert overcounted(body_of(labels), labels) == pytest.approx(1.5, rel=0.03)


def test_random_grains_are_overcounted_by_three_halves() -> None:
    """E(|n_x| + |n_y| + |n_z|) over all directions, weighted by area: 3/2."""
    factors = []
    for seed in range(3):
        cell = image_cell((24, 24, 24), 1, {"generator": "voronoi", "grains": 60, "seed": seed, "boundary": BOUNDARY})
        body, (labels, _) = Image.of(Problem.of(cell).body), labels_of(cell)
        factors.append(overcounted(body, labels))
        drawn = body_of(labels)  # the same as an image, whose seeds nobody knows
        assert overcounted(drawn, labels) == pytest.approx(factors[-1], rel=0.01)
    assert np.mean(factors) == pytest.approx(1.5, rel=0.01)


@pytest.mark.parametrize("labels", [np.repeat(np.arange(4), 2)[:, None, None] + np.zeros((8, 6, 6), int)])
def test_planes_along_the_faces_are_left_as_they_are(labels: np.ndarray) -> None:
    cell = image_cell(labels.shape, 1, {"image": labels, "boundary": BOUNDARY})
    smooth = cell.vary({"electrolyte.microstructure.boundary.area": "smooth"})
    body = Image.of(Problem.of(smooth).body)
    assert area_of(body, labels).shares == pytest.approx((1.0,), abs=1e-9)
    assert overcounted(body, labels) == pytest.approx(1, abs=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("error", PicturedWarning)
        plain = fc.resistance(cell)
    assert fc.resistance(smooth) == pytest.approx(plain, rel=1e-8)
    bricks = image_cell((8, 8, 8), 1, {"generator": "cubic", "grain_size": "2 um", "boundary": SMOOTH})
    assert area_of(Image.of(Problem.of(bricks).body), labels_of(bricks)[0]).shares == pytest.approx((1.0,), abs=1e-9)


def tilted(n: int, ratio: float, area: str) -> float:
    """R_GB of one plane of slope 1/2 across a box of one voxel's depth, over n_z/(y_gb A), with y_gb L/kappa = ratio."""
    labels = ((np.arange(n) + 0.5)[:, None] > n / 4 + (np.arange(n) + 0.5) / 2).astype(np.int32)[:, :, None]
    kappa, length = 0.046, n * 1e-6
    boundary = {"thickness": "1 nm", "conductivity": ratio * kappa / length * 1e-9, "area": area}
    cell = image_cell(labels.shape, 1, {"image": labels, "boundary": boundary}, electrode={})
    face = n * 1e-12
    exact = (4 / 5) ** 0.5 / (ratio * kappa / length * face)
    return float((fc.resistance(cell) - length / (kappa * face)) / exact)


def test_a_tilted_plane_converges_at_first_order_and_without_its_area_to_something_else() -> None:
    """Mirror images at the walls are zigzags; uniform current passes n_z/(y_gb A) more at every y_gb."""
    off = np.array([tilted(n, 1.0, "smooth") - 1 for n in (16, 32, 64)])
    assert off[0] == pytest.approx(0.029, abs=0.01)  # what the first measurement of it gave, with exact normals
    assert np.all(np.abs(off[:-1] / off[1:] - 2) < 0.5)  # first order
    assert abs(tilted(16, 0.1, "smooth") - 1) < 0.01  # h y_gb/kappa = 0.006
    assert tilted(64, 1.0, "voxels") < 0.78  # on its way down to n_z (n_z + n_x)^-1 / n_z = 0.745


def test_shares_are_those_of_the_seeds_and_rounding_them_costs_little() -> None:
    structure = {"generator": "voronoi", "grains": 12, "seed": 3, "boundary": SMOOTH}
    cell = image_cell((8, 8, 8), 1, structure)
    problem = Problem.of(cell)
    labels = labels_of(cell)[0]
    area = area_of(Image.of(problem.body), labels)
    assert len(area.shares) <= STEPS
    seeds = seeds_of((8, 8, 8), 12, 3, (1.0, 1.0, 1.0))
    for axis, codes in enumerate(area.codes):
        for place in zip(*np.nonzero(codes), strict=True):
            after = tuple(at + (number == axis) for number, at in enumerate(place))
            apart = seeds[labels[after]] - seeds[labels[place]]
            exact = np.linalg.norm(apart) / np.abs(apart).sum()
            assert area.shares[codes[place] - 1] == pytest.approx(exact, abs=(1 - 3**-0.5) / (STEPS - 1))
    # As fine as there are faces of different grains: what rounding changes.
    finer = image_cell((8, 8, 8), 1, structure)
    z = fc.resistance(cell)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fem_constriction.grids.boundary_area.STEPS", 200)
        exact = fc.resistance(finer)
    assert z == pytest.approx(exact, rel=1e-3)  # measured 7e-5 of Z for 200 grains in 48^3 voxels
    assert z != exact


def test_the_parts_of_a_voxel_have_its_shares() -> None:
    labels = voronoi((4, 5, 6), 7, 1)
    area = area_of(body_of(labels), labels)
    cut, fine = area.cut(3), labels.repeat(3, 0).repeat(3, 1).repeat(3, 2)
    for axis, codes in enumerate(cut.codes):
        assert np.array_equal(codes > 0, np.diff(fine, axis=axis) != 0)
        assert np.array_equal(np.bincount(codes.ravel())[1:], 9 * np.bincount(area.codes[axis].ravel())[1:])
    assert BoundaryArea().cut(2).codes is None


def test_the_factor_and_what_is_left_are_said() -> None:
    structure = {"generator": "voronoi", "grains": 40, "seed": 1, "boundary": BOUNDARY}
    cell = image_cell((12, 12, 12), 1, structure)
    said = r"area = 'voxels': faces of voxels have 1\.[45]\d? times the area .* R_GB is about 3\d% too low"
    with pytest.warns(PicturedWarning, match=said):
        fc.resistance(cell)
    smooth = cell.vary({"electrolyte.microstructure.boundary.area": "smooth"})
    with pytest.warns(PicturedWarning, match=r"area = 'smooth': h y_gb/kappa = 1.3 .* smaller voxels"):
        fc.resistance(smooth)
    fine = smooth.vary({"electrolyte.microstructure.boundary.conductivity": 1e-6})
    with warnings.catch_warnings():
        warnings.simplefilter("error", PicturedWarning)
        fc.resistance(fine)
    assert fc.Cell.loads(smooth.dumps()) == smooth


def test_links_have_the_weights_of_their_faces() -> None:
    """Every link across a boundary: half a voxel, 1/(w y_gb), half a voxel, w by its face; sums of conductances by hand."""
    labels = voronoi((6, 6, 6), 9, 4)
    cell = image_cell(labels.shape, 1, {"image": labels, "boundary": SMOOTH})
    problem = Problem.of(cell)
    voxels = image_voxels(problem, labels, image_grid(cell))
    area = area_of(Image.of(problem.body), labels)
    y = {kind: float(value(7.0)) for kind, value in voxels.series(problem.places).items()}
    weights = voxels.weights(y)
    bulk, boundary = (float(problem.places[name](7.0)) for name in ("bulk", "grain_boundary"))
    for axis, found in enumerate((weights.z, weights.x, weights.y[:, :, :-1])):
        share = np.array([np.inf, *area.shares])[area.codes[axis]]
        expected = 1e-12 / (1e-6 / bulk + np.where(np.isinf(share), 0, 1 / (share * boundary)))
        assert found == pytest.approx(expected, rel=1e-12)
