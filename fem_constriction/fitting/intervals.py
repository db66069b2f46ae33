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

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.fitting.circuit_fit import CircuitFit, descend, misfit_of
from fem_constriction.fitting.naming import Data

#: Two-sided probabilities of one and two standard deviations.
LEVELS: Final = (0.6827, 0.9545)
_MOST: Final = 100_000  # of the bootstrap
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
        name = label.removeprefix("log_")
        try:
            with np.errstate(all="ignore"):
                ends = lmfit.conf_interval(made, result, p_names=[label], sigmas=list(LEVELS), maxiter=100)[label]
        except (ValueError, ArithmeticError, lmfit.MinimizerException, TypeError):
            intervals[name] = dict.fromkeys(LEVELS, (0.0, np.inf))
            continue
        middle = len(ends) // 2
        intervals[name] = {
            level: (_natural(label, ends[middle - n][1]), _natural(label, ends[middle + n][1]))
            for n, level in enumerate(LEVELS, 1)
        }
    return intervals


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
