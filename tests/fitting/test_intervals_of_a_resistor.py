"""Covariances, profiles and bootstraps beside closed forms: of one resistor, and of a matrix."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fem_constriction.errors import InputError
from fem_constriction.fitting.circuit_fit import CircuitFit, best, covariance, descend
from fem_constriction.fitting.coordinates import Limits
from fem_constriction.fitting.intervals import LEVELS, _natural, bootstrap, profile
from fem_constriction.fitting.naming import Data
from fem_constriction.fitting.notation import parse


def measured(count: int, *, size: float = 1.0, noise: float = 0.02) -> Data:
    """A resistor of `size` ohm with noise in both parts."""
    random = np.random.default_rng(count)
    z = size * (1 + noise * (random.normal(size=count) + 1j * random.normal(size=count)))
    return Data.of(np.geomspace(1.0, 1e4, count), z, None)


def of_resistor(data: Data) -> tuple[CircuitFit, float, float, float]:
    """The fit of R0 alone, and by the normal equation its value, the sum of squares there, and sum 1/|Z|^2."""
    z, weight = data.impedance, 1 / np.abs(data.impedance) ** 2
    value = float(np.sum(z.real * weight) / weight.sum())
    return best(data, parse("R0")), value, float(np.sum(np.abs(value - z) ** 2 * weight)), float(weight.sum())


@pytest.mark.parametrize("count", [3, 30])
def test_of_a_resistor_value_and_standard_error_are_those_of_linear_regression(count: int) -> None:
    """s^2 is the sum of squares over 2 f - 1 degrees of freedom; the standard error of log R is that of R over R."""
    found, value, cost, weight = of_resistor(measured(count))
    assert found.values()["R0"] == pytest.approx(value) and found.cost == pytest.approx(cost) and found.varied == 1
    assert found.errors()["R0"] == pytest.approx(np.sqrt(cost / (2 * count - 1) / weight) / value, rel=1e-6)
    z = measured(count).impedance
    assert found.largest == pytest.approx(np.max(np.abs(value - z) / np.abs(z)))


@pytest.mark.parametrize("count", [3, 30])
def test_profiles_of_a_resistor_and_an_inductance_end_where_the_sum_of_squares_has_risen_as_f_allows(count: int) -> None:
    """R + i omega L is linear, R in real parts and L in imaginary ones: (R - R_best)^2 sum 1/|Z|^2 = cost F/(2 f - 2)."""
    random = np.random.default_rng(count)
    omega = 2 * np.pi * np.geomspace(1.0, 1e3, count)
    z = (1 + 1e-3j * omega) * (1 + 0.02 * (random.normal(size=count) + 1j * random.normal(size=count)))
    data = Data.of(omega / (2 * np.pi), z, None)
    weight = 1 / np.abs(z) ** 2
    value = {"R0": np.sum(z.real * weight) / weight.sum(), "L0": np.sum(omega * z.imag * weight) / np.sum(omega**2 * weight)}
    steep = {"R0": weight.sum(), "L0": np.sum(omega**2 * weight)}
    cost = np.sum(np.abs(value["R0"] + 1j * omega * value["L0"] - z) ** 2 * weight)
    found = best(data, parse("R0-L0"))
    assert found.cost == pytest.approx(cost)
    for name, ends in profile(found, data).items():
        assert found.errors()[name] == pytest.approx(np.sqrt(cost / (2 * count - 2) / steep[name]) / value[name], rel=1e-6)
        assert list(ends) == list(LEVELS) == [0.6827, 0.9545]
        for level in LEVELS:
            reach = np.sqrt(cost * stats.f.ppf(level, 1, 2 * count - 2) / (2 * count - 2) / steep[name])
            assert ends[level] == pytest.approx((value[name] - reach, value[name] + reach), rel=2e-4)


def test_a_bootstrap_has_the_spread_of_the_noise_around_what_was_fitted() -> None:
    """Of 300 fits the outer quantiles are known to 0.16 standard errors: twice that is allowed. Of 4 numbers 3 are free."""
    data = measured(2)
    found, value, cost, weight = of_resistor(data)
    error = np.sqrt(cost / 3 / weight)
    ends = bootstrap(found, data, 300)["R0"]
    for level, times in zip(LEVELS, (1.0, 2.0), strict=True):
        assert ends[level] == pytest.approx((value - times * error, value + times * error), abs=0.33 * error)


def test_a_bootstrap_does_not_depend_on_the_unit() -> None:
    """A milliohm has the intervals of a kiloohm, 1e-6 times: noise and fitted spectrum both scale with |Z|."""
    small, large = measured(12, size=1e-3), measured(12, size=1e3)
    one, other = (bootstrap(best(data, parse("R0")), data, 40)["R0"] for data in (small, large))
    for level in LEVELS:
        assert np.array(one[level]) * 1e6 == pytest.approx(other[level], rel=1e-6)


@pytest.mark.parametrize("count", [0, 19, 100_001])
def test_too_few_or_far_too_many_fits_are_refused(count: int) -> None:
    found, _, _, _ = of_resistor(measured(12))
    with pytest.raises(InputError, match="20 to 100000"):
        bootstrap(found, measured(12), count)
    assert "R0" in bootstrap(found, measured(12), 20)


def test_a_covariance_is_the_inverse_of_the_normal_matrix_over_what_is_varied() -> None:
    """Columns ten decades apart, one of them fixed: it has no variance, the others that of their inverse."""
    random = np.random.default_rng(1)
    scales = np.array([1.0, 1e-6, 1e4, 1e2])
    plain = random.normal(size=(9, 4))
    fixed = np.array([False, False, False, True])
    found = covariance(plain * scales, fixed)
    inverse = np.linalg.inv(plain[:, :3].T @ plain[:, :3]) / np.outer(scales[:3], scales[:3])
    assert found[:3, :3] == pytest.approx(inverse, rel=1e-9)
    assert not found[3].any() and not found[:, 3].any()
    assert not covariance(plain, np.ones(4, dtype=bool)).any()


def test_directions_that_data_do_not_determine_have_no_bound() -> None:
    """Two columns alike: each by itself is known as good as not at all."""
    column = np.arange(1.0, 6.0)
    found = covariance(np.column_stack([column, column]), np.zeros(2, dtype=bool))
    assert np.sqrt(np.diag(found)).min() > 1e8


@pytest.mark.parametrize(
    ("label", "value", "end"),
    [("log_R0", np.log(5.0), 5.0), ("log_R0", np.inf, np.inf), ("log_R0", -np.inf, 0.0), ("CPE1_alpha", 0.9, 0.9)],
)
def test_ends_that_data_do_not_give_are_infinite_or_nothing(label: str, value: float, end: float) -> None:
    assert _natural(label, value) == pytest.approx(end)


def test_a_descent_ends_at_the_least_sum_of_squares_of_what_is_varied() -> None:
    """Of a linear misfit A x - b: the last number stays where it is, the others are those of linear regression."""
    random = np.random.default_rng(2)
    matrix, right, start = random.normal(size=(9, 3)), random.normal(size=9), np.array([0.1, 0.2, 0.7])
    wide, fixed = np.full(3, 50.0), np.array([False, False, True])
    x, cost = descend(lambda at: (matrix @ at - right, matrix), start, -wide, wide, fixed)
    expected = np.linalg.lstsq(matrix[:, :2], right - 0.7 * matrix[:, 2], rcond=None)[0]
    assert x == pytest.approx([*expected, 0.7], rel=1e-6)
    assert cost == pytest.approx(np.sum((matrix @ x - right) ** 2))
    still, there = descend(lambda at: (matrix @ at - right, matrix), start, -wide, wide, np.ones(3, dtype=bool))
    assert still.tolist() == start.tolist() and there == pytest.approx(np.sum((matrix @ start - right) ** 2))


@pytest.mark.parametrize("count", [2, 12, 40])
def test_the_profile_of_a_parameter_alone_ends_where_that_of_a_linear_one_does(count: int) -> None:
    """R is linear: (R - R_best)^2 sum 1/|Z|^2 = cost F(1, 2 f - 1)/(2 f - 1), with nothing else to be fitted again."""
    data = measured(count)
    found, value, cost, weight = of_resistor(data)
    ends = profile(found, data)["R0"]
    for level in LEVELS:
        reach = np.sqrt(cost * stats.f.ppf(level, 1, 2 * count - 1) / (2 * count - 1) / weight)
        assert ends[level] == pytest.approx((value - reach, value + reach), rel=1e-6)


def test_a_profile_ends_at_the_bound_where_the_data_give_no_end_before_it() -> None:
    """Noise of 2 % of 30 points knows R to 0.3 %: a bound 1e-4 beside the best value is nearer than the profile's end."""
    data = measured(30)
    _, value, _, _ = of_resistor(data)
    low, high = value * (1 - 1e-4), value * (1 + 1e-4)
    found = best(data, parse("R0"), Limits(bounds={"R0": (low, high)}))
    assert profile(found, data)["R0"][LEVELS[0]] == pytest.approx((low, high), rel=1e-9)
