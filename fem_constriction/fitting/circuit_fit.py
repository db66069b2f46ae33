"""min over x of sum |(Z_fit(x) - Z)/w|^2 of any circuit: bounded, scaled, with exact derivatives, from several starts.

Real and imaginary parts are stacked; x are logarithms and exponents (`coordinates`), so that what is positive stays so and no
parameter needs a scale of its own. Starts come from `guesses`; all are screened with few steps, the best are fitted to the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

import lmfit
import numpy as np
from scipy.optimize import least_squares

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.fitting.coordinates import Coordinates, Limits
from fem_constriction.fitting.guesses import guesses
from fem_constriction.fitting.naming import Data
from fem_constriction.fitting.notation import Series, Topology
from fem_constriction.fitting.starts import Spectral, stacked
from fem_constriction.fitting.tree import derivatives

Weighting = Literal["modulus", "proportional", "unit"]
WEIGHTINGS: Final[tuple[Weighting, ...]] = get_args(Weighting)
_FLOOR: Final = 1e-3  # of |Z|: what "proportional" divides a vanishing real or imaginary part by
_STEP: Final = 1e-5  # of x, in central differences: 1e-10 of the derivative
_SCREENED: Final = 12  # starts that are improved, those of the least misfit
_SOON: Final = 15  # evaluations of a fit that only tells good starts from bad ones
_POLISHED: Final = 3  # fits to the end
_MOST: Final = 250  # evaluations of a fit to the end
_STOP: Final = 1e-12
_RANK: Final = 1e-10  # of the largest singular value of the Jacobian: directions below it the data do not determine

#: x -> residual (m,) and Jacobian (m, n).
Misfit = Callable[[Array], tuple[Array, Array]]


@dataclass(frozen=True, eq=False, kw_only=True)
class CircuitFit:
    """A circuit that is a local minimum: x, (n,), its weighted residual (2 f,) and Jacobian (2 f, n), real parts first.

    residual: (Z_fit - Z)/|Z| complex, (f,); covariance: of x, (n, n), residuals taken for noise, 0 where x is fixed.
    """

    coordinates: Coordinates
    x: Array
    weighted: Array
    jacobian: Array
    residual: Spectral
    weighting: Weighting

    @property
    def topology(self) -> Topology:
        """The circuit."""
        return self.coordinates.topology

    @property
    def cost(self) -> float:
        """The weighted sum of squares."""
        return float(self.weighted @ self.weighted)

    @property
    def varied(self) -> int:
        """How many numbers were varied."""
        return int(np.sum(~self.coordinates.fixed))

    @property
    def largest(self) -> float:
        """The largest relative residual |Z_fit - Z|/|Z|."""
        return float(np.abs(self.residual).max())

    def values(self) -> dict[str, float]:
        """Every parameter in SI units, tau of arcs included."""
        return self.coordinates.values(self.x)

    @property
    def covariance(self) -> Array:
        """Covariance of x, (n, n): s^2 (J'J)^-1, s^2 the sum of squares over the degrees of freedom."""
        return covariance(self.jacobian, self.coordinates.fixed) * self.cost / max(self.weighted.size - self.varied, 1)

    def errors(self) -> dict[str, float]:
        """Standard errors of log p, of an exponent itself, by parameter; infinite where the data do not determine it."""
        spread = self.covariance
        return {
            name: float(np.sqrt(max(float(gradient @ spread @ gradient), 0.0))) if np.all(np.isfinite(spread)) else np.inf
            for name, (_, gradient) in self.coordinates.internal(self.x).items()
        }


def covariance(jacobian: Array, fixed: Array) -> Array:
    """Return (J'J)^-1 over what is varied, (n, n), 0 for what is fixed; infinite where a direction is not determined."""
    free = ~fixed.astype(bool)
    found = np.zeros((fixed.size, fixed.size))
    if not free.any():
        return found
    length = np.linalg.norm(jacobian[:, free], axis=0)
    length = np.where(length > 0, length, 1.0)
    _, size, right = np.linalg.svd(jacobian[:, free] / length, full_matrices=False)
    with np.errstate(divide="ignore"):
        inverse = (right.T * np.where(size > _RANK * size[0], size**-2.0, 1 / _RANK**2)) @ right
    found[np.ix_(free, free)] = inverse / np.outer(length, length)
    return found


def weights(z: Spectral, weighting: Weighting) -> Array:
    """Return what real parts, then imaginary parts of residuals are divided by, (2 f,).

    "modulus": |Z|; "proportional": real and imaginary part each by its own modulus, at least 1e-3 |Z|; "unit": 1.
    """
    modulus = np.abs(z)
    if weighting == "proportional":
        return np.maximum(np.abs(stacked(z)), _FLOOR * np.tile(modulus, 2))
    return np.tile(modulus, 2) if weighting == "modulus" else np.full(2 * z.size, 1.0)


def curvature(evaluate: Misfit, x: Array) -> Array:
    """Return the second derivatives of half the sum of squares, (n, n): differences of its exact gradient."""
    slopes = []
    for step in _STEP * np.eye(x.size):
        (ahead, rows), (behind, others) = evaluate(x + step), evaluate(x - step)
        slopes.append((rows.T @ ahead - others.T @ behind) / (2 * _STEP))
    found = np.array(slopes).reshape(x.size, x.size)
    return np.asarray((found + found.T) / 2)


def misfit_of(coordinates: Coordinates, data: Data, weighting: Weighting = "modulus") -> Misfit:
    """Return the weighted residual of a circuit and its Jacobian as a function of x."""
    size = float(np.abs(data.impedance).max())
    weight = size * weights(data.impedance / size, weighting)
    s, count = np.asarray(1j * data.omega, dtype=np.complex128), len(coordinates.names)
    tree = Series(tuple(part.node for part in coordinates.topology.parts))

    def evaluate(x: Array) -> tuple[Array, Array]:
        with np.errstate(all="ignore"):  # a step may leave what numbers can hold; such a step is not taken
            z, steep = derivatives(tree, s, coordinates.internal(x), count)
            return stacked(z - data.impedance) / weight, stacked(steep) / weight[:, None]

    return evaluate


def descend(evaluate: Misfit, start: Array, lower: Array, upper: Array, fixed: Array, most: int = _MOST) -> tuple[Array, float]:
    """Return the minimum next to start within bounds, and its sum of squares. Raises ComputationError where it is no number."""
    free = ~fixed.astype(bool)
    last: dict[str, tuple[Array, tuple[Array, Array]]] = {}

    def at(part: Array) -> tuple[Array, Array]:
        if "x" not in last or not np.array_equal(last["x"][0], part):
            x = start.copy()
            x[free] = part
            residual, jacobian = evaluate(x)
            fine = np.all(np.isfinite(residual)) and np.all(np.isfinite(jacobian))
            if not fine:
                residual, jacobian = np.full(residual.shape, 1e150), np.zeros(jacobian.shape)
            last["x"] = part.copy(), (residual, jacobian[:, free])
        return last["x"][1]

    if not free.any():
        residual = evaluate(start)[0]
        return start, float(residual @ residual)
    options = {"x_scale": "jac", "ftol": _STOP, "xtol": _STOP, "gtol": None, "max_nfev": most}
    if most <= _SOON:  # which start is good is told without lmfit's parameters, by what its own search is made of
        quick = least_squares(
            lambda part: at(part)[0], start[free], jac=lambda part: at(part)[1], bounds=(lower[free], upper[free]), **options
        )
        end, cost = quick.x, 2 * float(quick.cost)
    else:
        parameters = lmfit.Parameters()
        for number, value in enumerate(start[free]):
            parameters.add(f"x{number}", value=value, min=lower[free][number], max=upper[free][number])

        def values(current: lmfit.Parameters) -> Array:
            return np.array([each.value for each in current.values()])

        search = lmfit.Minimizer(lambda current: at(values(current))[0], parameters)
        with np.errstate(invalid="ignore"):  # lmfit's covariance of what the data do not determine; it is not used
            result = search.least_squares(jac=lambda current: at(values(current))[1], **options)
        end, cost = values(result.params), float(result.chisqr)
    if not cost < 1e200:
        raise ComputationError("the fit of the circuit failed: its misfit is not finite")
    x = start.copy()
    x[free] = end
    return x, cost


def fitted(coordinates: Coordinates, data: Data, x: Array, weighting: Weighting = "modulus") -> CircuitFit:
    """Return the circuit at x as a fit."""
    weighted, jacobian = misfit_of(coordinates, data, weighting)(x)
    plain = misfit_of(coordinates, data, "modulus")(x)[0] if weighting != "modulus" else weighted
    count = data.frequency.size
    return CircuitFit(
        coordinates=coordinates,
        x=x,
        weighted=weighted,
        jacobian=jacobian,
        residual=np.asarray(plain[:count] + 1j * plain[count:]),
        weighting=weighting,
    )


def again(found: CircuitFit, data: Data, weighting: Weighting = "modulus") -> CircuitFit:
    """Return the minimum next to a fit for other data or another weighting. Raises ComputationError."""
    coordinates = found.coordinates
    evaluate = misfit_of(coordinates, data, weighting)
    x, _ = descend(evaluate, found.x, coordinates.lower, coordinates.upper, coordinates.fixed)
    return fitted(coordinates, data, x, weighting)


def nearest(data: Data, topology: Topology, start: Mapping[str, float], limits: Limits | None = None) -> CircuitFit:
    """Return the minimum next to given parameters, in SI units by name. Raises ComputationError where there is none."""
    coordinates = Coordinates(topology, limits)
    x, _ = descend(misfit_of(coordinates, data), coordinates.of(start), coordinates.lower, coordinates.upper, coordinates.fixed)
    return fitted(coordinates, data, x)


def best(data: Data, topology: Topology, limits: Limits | None = None, also: tuple[Array, ...] = ()) -> CircuitFit:
    """Return the best fit of a circuit from several starts; also: further starts.

    Raises InputError for more parameters than data, ComputationError if no start leads to a fit.
    """
    coordinates = Coordinates(topology, limits)
    count = int(np.sum(~coordinates.fixed))
    if 2 * data.frequency.size < count:
        raise InputError(f"{data.frequency.size} frequencies do not determine the {count} parameters of the circuit")
    evaluate = misfit_of(coordinates, data)
    bounds = coordinates.lower, coordinates.upper, coordinates.fixed
    tried: list[tuple[float, int, Array]] = []
    for number, start in enumerate([*also, *(coordinates.of(each) for each in guesses(data, topology))]):
        residual = evaluate(start)[0]
        cost = float(residual @ residual)
        if np.isfinite(cost):
            tried.append((cost, number, start))
    screened: list[tuple[float, int, Array]] = []
    for _, number, start in sorted(tried, key=lambda each: each[:2])[:_SCREENED]:
        x, cost = descend(evaluate, start, *bounds, most=_SOON)
        screened.append((cost, number, x))
    if not screened:
        raise ComputationError("the fit of the circuit does not converge from any start")
    ends = [(*descend(evaluate, x, *bounds), number) for _, number, x in sorted(screened, key=lambda e: e[:2])[:_POLISHED]]
    x, _, _ = min(ends, key=lambda each: each[1:])
    return fitted(coordinates, data, x)
