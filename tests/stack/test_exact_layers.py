"""Between two planes everything is known in closed form: against quadrature, and against a chain of thin slices."""

from __future__ import annotations

import numpy as np
import pytest

from validation.discs.exact_layers import Column, Layer, Steps

#: From modes that are all but uniform within the layer to such that die out in a hundredth of it.
K = np.array([0.0, 1e-3, 0.3, 2.0, 30.0, 400.0])
HEIGHT = 0.7
RANDOM = np.random.default_rng(3)


def quadrature() -> tuple[np.ndarray, np.ndarray]:
    """Gauss points of a hundred pieces, graded towards both ends."""
    lines = HEIGHT * (1 - np.cos(np.linspace(0, np.pi, 401))) / 2
    at, weight = np.polynomial.legendre.leggauss(10)
    half = np.diff(lines)[:, None] / 2
    return ((lines[1:] + lines[:-1])[:, None] / 2 + half * at).ravel(), (half * weight).ravel()


def rising(k: float, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The solution of phi'' = k^2 phi that is 0 at z = 0 and 1 at the other end, and its slope."""
    if k == 0:
        return z / HEIGHT, np.full_like(z, 1 / HEIGHT)
    away = np.exp(-k * (HEIGHT - z)) / -np.expm1(-2 * k * HEIGHT)
    return away * -np.expm1(-2 * k * z), k * away * (1 + np.exp(-2 * k * z))


@pytest.mark.parametrize("number", range(K.size))
def test_energies_are_those_of_the_fields_between_the_planes(number: int) -> None:
    layer, k = Layer(K, HEIGHT), K[number]
    z, weight = quadrature()
    (up, up_slope), (down, down_slope) = rising(k, z), rising(k, HEIGHT - z)
    ends = np.zeros((2, 2, K.size))
    ends[:, :, number] = RANDOM.standard_normal((2, 2))
    if k == 0:
        ends[1] = ends[0]  # the uniform current is conserved
    a, b = (each[:, number, None] for each in ends)
    value, slope = a * down + b * up, b * up_slope - a * down_slope
    gradients = (slope * weight) @ slope.T + k**2 * (value * weight) @ value.T
    assert layer.potentials(*ends) == pytest.approx(gradients, rel=1e-9)
    # A current whose density is `value` loses `slope` sideways, through the mode's own lateral current.
    currents = (value * weight) @ value.T + ((slope * weight) @ slope.T / k**2 if k else 0.0)
    assert layer.currents(*ends) == pytest.approx(currents, rel=1e-9)


def test_modes_that_are_left_out_at_the_bottom_are_nought_there() -> None:
    layer, top = Layer(K, HEIGHT), RANDOM.standard_normal((3, K.size))
    bottom = np.zeros_like(top)
    bottom[:, :2] = top[:, :2]
    for energy in (layer.potentials, layer.currents):
        assert energy(top, bottom) == pytest.approx(energy(top, bottom[:, :2]))


def test_a_layer_is_the_chain_of_its_slices() -> None:
    """Impedances seen, potentials and currents passed: in one step or in ten."""
    under = np.array([[0.2], [3.0]]) * np.ones((2, K.size))
    whole, slice_ = Layer(K, HEIGHT), Layer(K, HEIGHT / 10)
    seen, passed, current = under, np.ones_like(under), np.ones_like(under)
    for _ in range(10):
        passed = passed * seen * slice_.passed(seen)
        seen, before = slice_.seen(seen), seen
        current = current * seen * slice_.passed(before)
    assert whole.seen(under) == pytest.approx(seen, rel=1e-12)
    assert under * whole.passed(under) == pytest.approx(passed, rel=1e-10)
    assert whole.seen(under) * whole.passed(under) == pytest.approx(current, rel=1e-10)
    assert current[:, 0] == pytest.approx([1.0, 1.0])  # the uniform current is conserved


def test_least_energy_is_the_impedance_seen() -> None:
    """What continues best: (energies of layers, boundary and counter electrode) = the impedance from above, both ways round."""
    column = Column(K, (0.7, 0.4))
    boundary, counter = np.array([0.3]), np.array([0.05])
    tops, bottoms = column.impedances(Steps(ratios=[np.ones(1)], boundaries=[boundary], counter=counter))
    counts = column.alive
    a = np.ones((1, counts[0]))
    b = (a * bottoms[0] * column.layers[0].passed(bottoms[0]))[:, : counts[1]]
    under = b * tops[1] / bottoms[0][:, : counts[1]]
    last = (under * bottoms[1] * column.layers[1].passed(bottoms[1]))[:, : counts[2]]
    jump = b - under
    energy = column.layers[0].potentials(a, b) + column.layers[1].potentials(under, last)
    energy = energy + jump @ jump.T / boundary + last @ last.T / counter
    assert energy[0, 0] == pytest.approx(float(np.sum(1 / tops[0])), rel=1e-12)
    assert column.alive == (6, 4, 4)  # exp(-21) is dead
