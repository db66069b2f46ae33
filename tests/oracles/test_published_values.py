"""Effective conductivities of the literature, out of both backends: a simple cubic array of spheres, and brick layers.

Sangani and Acrivos, Proc. R. Soc. Lond. A 386 (1983) 263: the series of a simple cubic array in the volume fraction of its
spheres, for any ratio of conductivities, complex ones as well; it gives the values of McPhedran and McKenzie (1978).
"""

from __future__ import annotations

import numpy as np
import pytest
from images import BOUNDARY, image_cell
from scipy.constants import epsilon_0

from fem_constriction.fem import FiniteElements
from fem_constriction.geometry.grains import bricks
from fem_constriction.problem.problem import Problem
from network import Network
from validation.benchmarks.random_images import plain

BACKENDS = [FiniteElements(), Network()]
SIGMA, EPS = 0.046, 150 * epsilon_0

#: What the steps of a voxel sphere add to its effect, over h/R: measured 0.18 to 0.33 at ratios of 10 and 0.1 with radii of 3.5
#: to 11.6 voxels, 0.41 at 20.
STAIRCASE = 0.5

pytestmark = pytest.mark.filterwarnings("ignore::fem_constriction.errors.ResolutionWarning")


def spheres(fraction: float, ratio: complex) -> complex:
    """Return the conductivity of a simple cubic array over that of its matrix; ratio: of a sphere to the matrix."""
    b1, b2, b3, b4, b5 = ((ratio - 1) / (ratio + (i + 1) / i) for i in (1, 3, 5, 7, 9))
    f = fraction
    d = -1 / b1 + f + 1.305 * b2 * f ** (10 / 3) * (1 + 0.231 * b3 * f ** (11 / 3)) / (1 - 0.405 * b2 * f ** (7 / 3))
    d += 0.0723 * b3 * f ** (14 / 3) + 0.153 * b4 * f**6 + 0.0105 * b5 * f ** (22 / 3)
    return 1 - 3 * f / d


def octant(n: int, fraction: float) -> tuple[np.ndarray, float, float]:
    """An eighth of a cell of the array, the sphere in a corner: labels, the volume fraction of its voxels, radius in voxels."""
    middle = np.stack(np.meshgrid(*[np.arange(n) + 0.5] * 3, indexing="ij"))
    distance = np.sqrt((middle**2).sum(0))
    radius = 2 * n * (3 * fraction / (4 * np.pi)) ** (1 / 3)
    labels = np.where(distance < radius, 7, 1)
    return labels, float(np.mean(labels == 7)), radius


def conductivities(labels: np.ndarray, inclusion: dict[str, object], s: np.ndarray) -> np.ndarray:
    """Conductivity of the array over its matrix's, of both backends, (2, n): ideal electrodes on planes of symmetry."""
    inclusions = [{"label": 7, **inclusion}]
    cell = image_cell(labels.shape, 1.0, {"image": labels, "inclusions": inclusions}, electrode={})
    problem, length = Problem.of(cell), len(labels) * 1e-6
    z = [plain(problem, each, s.imag / (2 * np.pi)) for each in BACKENDS]
    return np.array([length / (each * cell.area * (SIGMA + s * EPS)) for each in z])


def test_the_series_has_the_published_values() -> None:
    """Perfectly conducting spheres: 1.334, 1.756, 2.333, 3.25 at 0.1 to 0.4."""
    found = [spheres(f, 1e9) for f in (0.1, 0.2, 0.3, 0.4)]
    assert found == pytest.approx([1.334, 1.756, 2.333, 3.25], abs=1e-3)


@pytest.mark.parametrize("n", [6, 12])
@pytest.mark.parametrize("fraction", [0.1, 0.3])
@pytest.mark.parametrize(
    ("inclusion", "ratio"),
    [({"conductivity": "4.6 mS/cm"}, 10.0), ({"conductivity": "0.046 mS/cm"}, 0.1), ({"conductivity": 0}, 0.0)],
    ids=["10", "0.1", "holes"],
)
def test_spheres_conduct_as_in_the_literature(n: int, fraction: float, inclusion: dict[str, object], ratio: float) -> None:
    """Both backends enclose what their voxels are; what is left is the staircase, of first order in h over the radius."""
    labels, real, radius = octant(n, fraction)
    low, high = conductivities(labels, inclusion, np.zeros(1, dtype=complex))[::-1, 0].real
    assert low < high
    exact = spheres(real, ratio).real
    assert abs((low + high) / 2 - exact) < STAIRCASE / radius * abs(exact - 1)


def test_the_series_holds_at_complex_ratios() -> None:
    """Spheres of another permittivity: their ratio turns in the complex plane with the frequency."""
    labels, real, radius = octant(10, 0.3)
    s = 2j * np.pi * np.array([1e5, 1e7, 1e9])
    found = conductivities(labels, {"conductivity": "0.046 mS/cm", "relative_permittivity": 3000}, s).mean(0)
    exact = np.array([spheres(real, (0.0046 + each * 3000 * epsilon_0) / (SIGMA + each * EPS)) for each in s])
    assert np.all(np.abs(found - exact) < STAIRCASE / radius * np.abs(exact - 1))


@pytest.mark.parametrize("backend", BACKENDS, ids=["fem", "network"])
def test_brick_layers_are_grains_and_boundaries_in_series(backend: object) -> None:
    """Fleig and Maier, J. Am. Ceram. Soc. 82 (1999) 3485: cubes in rows, whose boundaries along the current carry none."""
    labels = bricks((6, 4, 4), (2, 2, 2))
    cell = image_cell(labels.shape, 1.0, {"image": labels, "boundary": BOUNDARY}, electrode={})
    frequency = np.array([1e-3, 1e3, 1e5, 1e7])
    z, s = plain(Problem.of(cell), backend, frequency) * cell.area, 2j * np.pi * frequency
    y = (5.97e-4 + s * EPS) / 10e-9
    assert z == pytest.approx(6e-6 / (SIGMA + s * EPS) + 2 / y, rel=1e-9)
