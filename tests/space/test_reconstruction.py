"""Reconstructing a density from its means and interpolating its integral are one and the same; parabolas are reproduced."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.polynomial.legendre import leggauss
from scipy import sparse

from fem_constriction.space.reconstruction import Reconstruction, along

LINES = np.array([0.0, 0.1, 0.15, 0.4, 0.5, 1.1])
BREAKS = [(), (2,), (1, 4), (1, 2, 3, 4)]


def sampled(line: Reconstruction, means: np.ndarray, integral: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, the density of means and the function through the integral's values, at Gauss points, straight from the head."""
    points, weights = leggauss(4)
    h, t = line.widths[:, None], (points + 1) / 2
    slope = (line.slopes @ means)[:, None]
    density = means[:, None] + slope * h * (t - 0.5)
    value = (1 - t) * integral[:-1, None] + t * integral[1:, None] - t * (1 - t) * h**2 * slope / 2
    return h * weights / 2, density, value


@pytest.mark.parametrize("breaks", BREAKS)
def test_gram_matrices_are_those_of_the_functions(breaks: tuple[int, ...]) -> None:
    line = Reconstruction(LINES, breaks)
    random = np.random.default_rng(1)
    values = random.normal(size=LINES.size)
    weights, density, value = sampled(line, np.diff(values) / line.widths, values)
    means = np.diff(values) / line.widths
    assert means @ line.mean_mass @ means == pytest.approx(np.sum(weights * density**2), rel=1e-13)
    assert values @ line.value_mass @ values == pytest.approx(np.sum(weights * value**2), rel=1e-13)


@pytest.mark.parametrize("breaks", BREAKS)
def test_the_derivative_of_the_function_is_the_density_of_its_differences(breaks: tuple[int, ...]) -> None:
    """It is what keeps a current free of divergence: d/dx P(F) = H(difference quotients of F)."""
    line = Reconstruction(LINES, breaks)
    values = np.random.default_rng(2).normal(size=LINES.size)
    means = np.diff(values) / line.widths
    h = line.widths[:, None]
    t = np.linspace(0, 1, 5)
    slope = (line.slopes @ means)[:, None]
    derivative = means[:, None] - (1 - 2 * t) * h * slope / 2
    density = means[:, None] + slope * h * (t - 0.5)
    assert derivative == pytest.approx(density, abs=1e-13)


def test_parabolas_are_reproduced_between_breaks_and_nothing_crosses_one() -> None:
    line = Reconstruction(LINES, (2,))
    beyond = np.maximum(LINES - LINES[2], 0)
    integral = np.where(beyond > 0, 3 * LINES[2] ** 2 - beyond + 5 * beyond**2, 3 * LINES**2)
    slopes = line.slopes @ (np.diff(integral) / line.widths)
    assert slopes == pytest.approx([6, 6, 10, 10, 10], rel=1e-12)


def test_a_single_interval_is_straight() -> None:
    line = Reconstruction(np.array([0.0, 2.0]))
    assert line.mean_mass.toarray() == pytest.approx(np.array([[2.0]]))
    assert line.value_mass.toarray() == pytest.approx(np.array([[2 / 3, 1 / 3], [1 / 3, 2 / 3]]))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_products_along_an_axis(axis: int) -> None:
    values = np.random.default_rng(3).normal(size=(3, 4, 5, 2))
    matrix = sparse.csr_array(np.random.default_rng(4).normal(size=(2, values.shape[axis])))
    expected = np.moveaxis(np.tensordot(matrix.toarray(), values, (1, axis)), 0, axis)
    assert along(axis, matrix, values) == pytest.approx(expected)
