"""How far a parameter can go: profile likelihood (lmfit.conf_interval) and the bootstrap, beside the standard error.

The profile fixes a parameter, fits all others again, and finds where the sum of squares has risen by what its F statistic
allows; it is right where the standard error is not, for parameters that the data bound on one side only. The bootstrap adds
noise of the size of the residuals to the fitted spectrum, and fits again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import lmfit
import numpy as np
from scipy import optimize, stats

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.fitting.circuit_fit import CircuitFit, descend, misfit_of
from fem_constriction.fitting.naming import Data

#: Two-sided probabilities of one and two standard deviations.
LEVELS: Final = (0.6827, 0.9545)
_MOST: Final = 100_000  # of the bootstrap
_DOUBLINGS: Final = 60  # of a standard error: farther than any parameter goes
_QUANTILES: Final = tuple(sorted({(1 + sign * level) / 2 for level in LEVELS for sign in (-1, 1)}))

#: Parameter -> probability -> lower and upper end, infinite or 0 where the data do not bound it.
Intervals = Mapping[str, Mapping[float, tuple[float, float]]]


def minimizer(found: CircuitFit, data: Data) -> tuple[lmfit.Minimizer, Any]:
    """Return lmfit's Minimizer of a fit over what is varied (logarithms and exponents), and its MinimizerResult."""
    coordinates = found.coordinates
    evaluate = misfit_of(coordinates, data, found.weighting)
    free = [n for n, fixed in enumerate(coordinates.fixed) if not fixed]
    params = lmfit.Parameters()
    for place in free:
        name = coordinates.names[place]
        bounds = {"min": float(coordinates.lower[place]), "max": float(coordinates.upper[place])}
        label = name if name.endswith("_alpha") else f"log_{name}"
        params.add(label, value=float(found.x[place]), **(bounds if abs(bounds["min"]) < 100 else {}))

    def residual(current: lmfit.Parameters) -> Array:
        x = found.x.copy()
        x[free] = [each.value for each in current.values() if each.vary or each.name in params]
        return np.nan_to_num(evaluate(x)[0], nan=1e150, posinf=1e150, neginf=-1e150)

    made = lmfit.Minimizer(residual, params)
    return made, made.leastsq(ftol=1e-12, xtol=1e-10)


def profile(found: CircuitFit, data: Data) -> Intervals:
    """Return intervals of the parameters that are varied, by profile likelihood, at one and two standard deviations.

    An end that the data do not give is 0 or infinite. Raises ComputationError where lmfit has no standard errors to begin with.
    """
    made, result = minimizer(found, data)
    if result.covar is None:
        raise ComputationError("no intervals: the data do not determine every parameter of the circuit; fix or drop some")
    intervals: dict[str, dict[float, tuple[float, float]]] = {}
    for label in result.var_names:
        ends = profiled(made, result, label)
        if ends is None:
            intervals[label.removeprefix("log_")] = dict.fromkeys(LEVELS, (0.0, np.inf))
            continue
        limits = made.params[label].min, made.params[label].max
        intervals[label.removeprefix("log_")] = {
            level: (_natural(label, max(low, limits[0])), _natural(label, min(high, limits[1])))
            for level, (low, high) in ends.items()
        }
    return intervals


def profiled(made: lmfit.Minimizer, result: Any, name: str) -> dict[float, tuple[float, float]] | None:
    """Return the ends of a parameter's profile at `LEVELS`, in what lmfit varies, infinite where the data give none.

    None where lmfit finds no profile. lmfit profiles beside other variables only; of one alone the profile is the sum of
    squares itself, with the same F statistic.
    """
    if len(result.var_names) == 1:
        return {level: (_alone(made, result, level, -1), _alone(made, result, level, 1)) for level in LEVELS}
    try:
        with np.errstate(all="ignore"):
            ends = lmfit.conf_interval(made, result, p_names=[name], sigmas=list(LEVELS), maxiter=100)[name]
    except (ValueError, ArithmeticError, lmfit.MinimizerException, TypeError):
        return None
    middle = len(ends) // 2
    return {level: (float(ends[middle - n][1]), float(ends[middle + n][1])) for n, level in enumerate(LEVELS, 1)}


def _alone(made: lmfit.Minimizer, result: Any, level: float, side: int) -> float:
    """Where the sum of squares has risen as F(1, n - 1) allows, at one side of the only variable; else infinite."""
    (name,) = result.var_names
    params = result.params.copy()
    best, spread = float(params[name].value), params[name].stderr
    limit = result.chisqr * (1 + stats.f.ppf(level, 1, result.nfree) / result.nfree)
    bound = params[name].max if side > 0 else params[name].min

    def above(value: float) -> float:
        params[name].value = value
        return float(np.sum(np.asarray(made.userfcn(params)) ** 2) - limit)

    near, reach = best, float(spread) if spread else 1e-3 * max(abs(best), 1e-3)
    for _ in range(_DOUBLINGS):
        far = side * min(side * (best + side * reach), side * bound)
        if above(far) > 0:
            return float(optimize.brentq(above, *sorted((near, far)), xtol=1e-9 * reach))
        if far == bound:
            break
        near, reach = far, 2 * reach
    return side * np.inf


def _natural(label: str, value: float) -> float:
    """A parameter in SI units from what is varied; ends that were not found are infinite there."""
    if label.startswith("log_"):
        return float(np.exp(np.clip(value, -700, 700))) if np.isfinite(value) else (np.inf if value > 0 else 0.0)
    return float(value)


def bootstrap(found: CircuitFit, data: Data, count: int, seed: int = 0) -> Intervals:
    """Return intervals of all parameters from fits to so many spectra with noise of the size of the residuals.

    Raises InputError for fewer than 20, ComputationError where half of the fits fail.
    """
    if not 20 <= count <= _MOST:
        raise InputError(key="bootstrap", value=count, allowed=f"a number of fits, 20 to {_MOST}, such as 200")
    random = np.random.default_rng(seed)
    modulus = np.abs(data.impedance)
    size = np.sqrt(found.cost / max(found.weighted.size - found.varied, 1))
    fitted = data.impedance + found.residual * modulus
    coordinates = found.coordinates
    every: list[dict[str, float]] = []
    for _ in range(count):
        noise = size * modulus * (random.normal(size=modulus.size) + 1j * random.normal(size=modulus.size))
        evaluate = misfit_of(coordinates, Data(data.frequency, fitted + noise, None), found.weighting)
        try:
            x, _cost = descend(evaluate, found.x, coordinates.lower, coordinates.upper, coordinates.fixed, most=60)
        except ComputationError:
            continue
        every.append(coordinates.values(x))
    if 2 * len(every) < count:
        raise ComputationError(f"no intervals: {count - len(every)} of {count} fits to spectra with noise failed")
    intervals: dict[str, dict[float, tuple[float, float]]] = {}
    for name in found.values():
        ends = np.quantile([each[name] for each in every], _QUANTILES)
        intervals[name] = {
            level: (float(ends[len(LEVELS) - n]), float(ends[len(LEVELS) + n - 1])) for n, level in enumerate(LEVELS, 1)
        }
    return intervals
