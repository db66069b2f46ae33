"""error = C (h/h_1)^p + e_0: a power law with a floor, fitted to logarithms by least squares.

h_1 is the coarsest step, so C is the error there. At least four grids: three parameters, and one datum that may contradict
them. The floor is given only where the data determine it; otherwise C and p are those of the law without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import lmfit
import numpy as np
from numpy.typing import ArrayLike

from fem_constriction.arrays import Array
from fem_constriction.errors import InputError

#: Grids needed for three parameters and one datum more.
FEWEST: Final = 4

#: Part of the smallest error below which a floor has left no trace in it.
TRACE: Final = 1e-2


@dataclass(frozen=True)
class PowerLaw:
    """C and p with lmfit's standard errors, the floor with its own or None where it is not determined, and why."""

    constant: float
    constant_error: float
    order: float
    order_error: float
    floor: float | None
    floor_error: float | None
    note: str = ""

    def __call__(self, ratio: ArrayLike) -> Array:
        """Return the error at h/h_1."""
        return np.asarray(self.constant * np.asarray(ratio, dtype=float) ** self.order + (self.floor or 0.0))

    def text(self) -> str:
        """Return the law in one line."""
        floor = "floor not determined" if self.floor is None else f"floor {self.floor:.1e} ± {self.floor_error:.0e}"
        return f"{self.constant:.1e} (h/h1)^({self.order:.2f} ± {self.order_error:.2f}), {floor}"


def fit_power(step: ArrayLike, error: ArrayLike) -> PowerLaw:
    """Return the law that fits errors (relative, positive) at steps (any unit, (n,), n >= 4) best.

    Raises InputError for fewer than four grids or values that are not positive.
    """
    h, e = np.asarray(step, dtype=float), np.asarray(error, dtype=float)
    if h.size < FEWEST or h.shape != e.shape:
        raise InputError(f"{h.size} steps and {e.size} errors are not allowed: as many of each, at least {FEWEST}")
    if not (np.all(h > 0) and np.all(e > 0) and np.all(np.isfinite(e))):
        raise InputError("errors and steps are not allowed to be zero, negative or infinite in a power law")
    x, y = np.log(h / h.max()), np.log(e)
    slope, intercept = np.polyfit(x, y, 1)
    plain = _minimise(x, y, {"constant": intercept, "order": slope})
    floored = _minimise(x, y, {"constant": intercept, "order": max(slope, 0.5), "floor": y.min() - np.log(2)})
    floor, deviation = (float(each) for each in _of(floored, "floor"))
    # Determined: more than twice its standard error, of a size that the smallest error shows.
    if np.isfinite(deviation) and deviation < 0.5 and np.exp(floor) > TRACE * e.min():
        return PowerLaw(*_pair(floored), float(np.exp(floor)), float(np.exp(floor) * deviation))
    if not np.isfinite(deviation) or np.exp(floor) <= TRACE * e.min():
        why = f"the errors show no floor; one above {e.min():.1e}, the smallest of them, is excluded"
    else:
        why = f"a floor of {np.exp(floor):.1e} would have a standard error of {100 * deviation:.0f} %"
    return PowerLaw(*_pair(plain), None, None, why)


def _minimise(x: Array, y: Array, start: dict[str, float]) -> Any:
    parameters = lmfit.Parameters()
    for name, value in start.items():
        parameters.add(name, value=float(value), max=float(y.min()) if name == "floor" else np.inf)

    def residual(current: lmfit.Parameters) -> Array:
        log = current["constant"].value + current["order"].value * x
        return np.asarray((np.logaddexp(log, current["floor"].value) if "floor" in current else log) - y)

    return lmfit.Minimizer(residual, parameters).leastsq(ftol=1e-12, xtol=1e-12)


def _of(result: Any, name: str) -> tuple[float, float]:
    found = result.params[name]
    return float(found.value), float("nan") if found.stderr is None else float(found.stderr)


def _pair(result: Any) -> tuple[float, float, float, float]:
    (constant, deviation), (order, spread) = _of(result, "constant"), _of(result, "order")
    return float(np.exp(constant)), float(np.exp(constant) * deviation), order, spread
