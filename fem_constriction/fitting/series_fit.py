"""min over shared and own x of sum over spectra of sum |(Z_fit - Z)/w|^2: one circuit for a series, some parameters the same.

Each spectrum is fitted by itself first; what is shared starts at the geometric mean of what these say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.errors import InputError
from fem_constriction.fitting.circuit_fit import CircuitFit, best, covariance, descend, fitted, misfit_of
from fem_constriction.fitting.coordinates import Coordinates, Limits
from fem_constriction.fitting.naming import Data
from fem_constriction.fitting.notation import Topology


@dataclass(frozen=True, eq=False, kw_only=True)
class SeriesFit:
    """Fits of one circuit to several spectra, in which the parameters `shared` are the same.

    errors: standard errors of log p (of an exponent itself) of each parameter of each fit, from the joint covariance; alone:
    the sum of squares of each spectrum fitted by itself.
    """

    fits: tuple[CircuitFit, ...]
    shared: tuple[str, ...]
    errors: tuple[dict[str, float], ...]
    alone: tuple[float, ...]

    @property
    def cost(self) -> float:
        """The sum of squares of all."""
        return sum(each.cost for each in self.fits)


def fit_series(series: Sequence[Data], topology: Topology, shared: Sequence[str], limits: Limits | None = None) -> SeriesFit:
    """Fit one circuit to several spectra; shared: names of parameters that are the same in all (`coordinates.canonical`).

    Raises InputError for fewer than two spectra and for names that are not varied, ComputationError if no fit converges.
    """
    if len(series) < 2:
        raise InputError(f"shared parameters need several spectra, and there is {len(series)}")
    limits = limits or Limits()
    wide = {name: (0.0, np.inf) for name in shared if name not in limits.names}
    known = Limits(fixed=limits.fixed, bounds={**wide, **limits.bounds})
    coordinates = Coordinates(topology, known)
    missing = [name for name in shared if name not in coordinates.names]
    if missing:
        raise InputError(key="shared", value=", ".join(missing), allowed=", ".join(coordinates.names))
    singles = [best(data, topology, known) for data in series]
    count, same = len(coordinates.names), [coordinates.names.index(name) for name in shared]
    own = [place for place in range(count) if place not in same]
    # x of all: what is shared, then what each spectrum has of its own.
    places = [
        np.array([*range(len(same)), *(len(same) + len(own) * n + k for k in range(len(own)))]) for n in range(len(series))
    ]
    order = np.array([*same, *own], dtype=int)
    size = len(same) + len(own) * len(series)
    start, lower, upper, fixed = (np.zeros(size) for _ in range(4))
    for n, single in enumerate(singles):
        lower[places[n]], upper[places[n]] = coordinates.lower[order], coordinates.upper[order]
        fixed[places[n]] = coordinates.fixed[order]
        start[places[n]] = single.x[order]
    start[: len(same)] = np.mean([single.x[same] for single in singles], axis=0)
    evaluates = [misfit_of(coordinates, data) for data in series]
    margin = 1e-6 * (upper - lower)
    start = np.where(fixed > 0, start, np.clip(start, lower + margin, upper - margin))

    def inside(x: Array, n: int) -> Array:
        found = np.empty(count)
        found[order] = x[places[n]]
        return found

    def evaluate(x: Array) -> tuple[Array, Array]:
        residuals, jacobians = [], []
        for n, each in enumerate(evaluates):
            residual, jacobian = each(inside(x, n))
            wide_jacobian = np.zeros((residual.size, size))
            wide_jacobian[:, places[n]] = jacobian[:, order]
            residuals.append(residual)
            jacobians.append(wide_jacobian)
        return np.concatenate(residuals), np.vstack(jacobians)

    x, cost = descend(evaluate, start, lower, upper, fixed)
    residual, jacobian = evaluate(x)
    spread = covariance(jacobian, fixed) * cost / max(residual.size - int(np.sum(fixed == 0)), 1)
    fits = tuple(fitted(coordinates, data, inside(x, n)) for n, data in enumerate(series))
    errors = []
    for n, each in enumerate(fits):
        part = np.zeros((count, count))
        part[np.ix_(order, order)] = spread[np.ix_(places[n], places[n])]
        errors.append(
            {name: float(np.sqrt(max(float(g @ part @ g), 0.0))) for name, (_, g) in coordinates.internal(each.x).items()}
        )
    return SeriesFit(fits=fits, shared=tuple(shared), errors=tuple(errors), alone=tuple(single.cost for single in singles))
