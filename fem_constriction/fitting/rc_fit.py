"""Z_fit = R_elec + sum of R/(1 + i omega tau): circuits of RC elements, fitted as all circuits are (`circuit_fit`).

What is told of them besides: an R_elec that is free is an arc with tau = 0, elements ascend in tau, and what an error of the
spectrum does to R, C and tau is carried through with the curvature of the misfit. `best_fit` says how many arcs there are.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.fitting.circuit_fit import (
    WEIGHTINGS,
    CircuitFit,
    Misfit,
    Weighting,
    curvature,
    descend,
    fitted,
    misfit_of,
    weights,
)
from fem_constriction.fitting.coordinates import Coordinates
from fem_constriction.fitting.naming import Data
from fem_constriction.fitting.notation import parse
from fem_constriction.fitting.starts import Projected, Spectral, nonnegative, stacked, starts

#: Fits this close to the data, relative to |Z|, are exact: one arc fewer is then tried.
EXACT: Final = 1e-7
_LEAST = 1e-9, 1e-2  # of |Z|, and of the largest residual: what an element must contribute somewhere
FAST: Final = 1e-2  # of 1/omega at the upper end: an arc faster than that is a resistance to the data
_SAME = 1e-2  # difference of log tau below which two arcs are one
_GRADIENT = 1e-4  # cosine between residual and any column of the Jacobian, at most, where a fit has converged (a
# column shorter than the residual, of an element that is vanishing, counts as being as long)


@dataclass(frozen=True, eq=False)
class Fit:
    """A circuit of RC elements that is a local minimum, its elements ascending in tau, a free R_elec first with tau = 0.

    circuit: the fit; evaluate: its misfit; weight: ohm, (2 f,), what residuals are divided by. Parameters are (log R, log tau),
    (p,), in the order of the elements.
    """

    circuit: CircuitFit
    evaluate: Misfit
    weight: Array

    @property
    def series(self) -> bool:
        """Whether R_elec is among the elements."""
        return "R0" in self.circuit.coordinates.names

    @cached_property
    def _places(self) -> list[int]:
        """Where the parameters stand in the circuit's x."""
        names = self.circuit.coordinates.names
        x = dict(zip(names, self.circuit.x, strict=True))
        arcs = sorted((name.removesuffix("_tau") for name in names if name.endswith("_tau")), key=lambda arc: x[f"{arc}_tau"])
        ordered = ["R0"] * self.series + [f"{arc}_R" for arc in arcs] + [f"{arc}_tau" for arc in arcs]
        return [names.index(name) for name in ordered]

    @cached_property
    def resistance(self) -> Array:
        """Ohm, (n,)."""
        return np.asarray(np.exp(self.circuit.x[self._places[: self._count]]))

    @cached_property
    def tau(self) -> Array:
        """In s, (n,)."""
        return np.append(np.zeros(int(self.series)), np.exp(self.circuit.x[self._places[self._count :]]))

    @property
    def _count(self) -> int:
        return (len(self.circuit.x) + int(self.series)) // 2

    @property
    def residual(self) -> Spectral:
        """(Z_fit - Z)/|Z|, (f,)."""
        return self.circuit.residual

    @property
    def cost(self) -> float:
        """Half the weighted sum of squares."""
        return self.circuit.cost / 2

    @property
    def weighting(self) -> Weighting:
        """What residuals are divided by."""
        return self.circuit.weighting

    @property
    def jacobian(self) -> Array:
        """d(weighted residual)/d(log R, log tau), (2 f, p), real parts first."""
        return self.circuit.jacobian[:, self._places]

    @cached_property
    def hessian(self) -> Array:
        """Second derivatives of the cost by (log R, log tau), (p, p)."""
        return curvature(self.evaluate, self.circuit.x)[np.ix_(self._places, self._places)]

    @cached_property
    def covariance(self) -> Array:
        """Covariance of (log R, log tau), (p, p), residuals taken for noise."""
        return self.circuit.covariance[np.ix_(self._places, self._places)]

    @property
    def alpha(self) -> Array:
        """Exponents of the arcs, (n,): RC elements are not depressed."""
        return np.ones(self.tau.size)

    @property
    def largest(self) -> float:
        """The largest relative residual |Z_fit - Z|/|Z|."""
        return float(np.abs(self.residual).max())

    def sensitivity(self) -> Spectral:
        """Return d(log R, log C, log tau)/dZ, (3, n, f): dp = Re(conj(g) dZ) for an error dZ in ohm.

        The minimum stays one: dp = H^-1 J' dZ/w. With the residual's curvature in H: where the circuit hardly
        determines a parameter, J'J alone is three times off. That w = |Z| moves as well is left out (a part of the
        order of the residual).
        """
        rows = self._selection() @ np.linalg.pinv(self.hessian, hermitian=True) @ self.jacobian.T / self.weight
        count = self.residual.size
        return np.asarray(rows[..., :count] + 1j * rows[..., count:], dtype=np.complex128)

    def propagate(self, uncertainty: Array) -> Array:
        """Return sum over f of |d(log R, log C, log tau)/dZ| u, (3, n): the worst that |dZ| <= u (ohm) can do."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.nan_to_num(np.abs(self.sensitivity()) @ uncertainty, nan=np.inf, posinf=np.inf))

    def nominal(self) -> Array:
        """Return standard errors of (log R, log C, log tau), (3, n)."""
        rows = self._selection()
        return np.asarray(np.sqrt(np.maximum(np.einsum("knp,pq,knq->kn", rows, self.covariance, rows), 0)))

    def _selection(self) -> Array:
        """(log R, log C, log tau) of every element as combinations of the parameters, (3, n, p)."""
        count, skip = self.resistance.size, int(self.series)
        unit = np.eye(2 * count - skip)
        log_r = unit[:count]
        log_tau = np.concatenate([np.zeros((skip, unit.shape[1])), unit[count:]])
        log_c = log_tau - log_r
        log_c[:skip] = 0
        return np.stack([log_r, log_c, log_tau])


def fit(
    frequency: Array,
    impedance: Spectral,
    tau: Array,
    *,
    resistance: Array | None = None,
    series: bool = False,
    weighting: Weighting = "modulus",
) -> Fit:
    """Return the local minimum next to tau (s, without R_elec's) and resistance (ohm, R_elec's first; else by NNLS).

    weighting: see `circuit_fit.weights`. Raises InputError if there are more parameters than data or the weighting is unknown,
    ComputationError if the fit fails or stops where the gradient does not vanish.
    """
    if weighting not in WEIGHTINGS:
        raise InputError(key="weighting", value=weighting, allowed=", ".join(WEIGHTINGS))
    count, skip = tau.size + series, int(series)
    if 2 * frequency.size < 2 * count - skip:
        raise InputError(f"{frequency.size} frequencies do not determine the {2 * count - skip} parameters of the circuit")
    data, size = Data(frequency, impedance, None), float(np.abs(impedance).max())
    weight = size * weights(impedance / size, weighting)
    if resistance is None:
        each = 1 / (1 + 1j * data.omega[:, None] * np.append(np.zeros(skip), tau))
        guess = size * nonnegative(size * stacked(each) / weight[:, None], stacked(impedance) / weight)
        guess = np.maximum(guess, 1e-4 * max(float(guess.sum()), float(np.median(np.abs(impedance)))))
    else:
        guess = resistance
    coordinates = Coordinates(parse("-".join(["R0"] * series + [f"K{n}" for n in range(1, tau.size + 1)])))
    start = {f"K{n}_R": value for n, value in enumerate(guess[skip:], 1)} | dict(zip(["R0"] * series, guess, strict=False))
    start |= {f"K{n}_tau": value for n, value in enumerate(tau, 1)}
    evaluate = misfit_of(coordinates, data, weighting)
    x, _ = descend(evaluate, coordinates.of(start), coordinates.lower, coordinates.upper, coordinates.fixed)
    found = fitted(coordinates, data, x, weighting)
    length = float(np.linalg.norm(found.weighted))
    steep = np.abs(found.jacobian.T @ found.weighted) / np.maximum(np.linalg.norm(found.jacobian, axis=0), length)
    if not np.isfinite(length) or (length > 1e-9 and steep.max() > _GRADIENT * length):
        raise ComputationError("the fit of the circuit did not converge: it stops where its misfit still falls")
    return Fit(found, evaluate, weight)


def best_fit(
    frequency: Array,
    impedance: Spectral,
    arcs: int,
    *,
    spectrum: tuple[Array, Array],
    series: bool = False,
    tolerance: Array | None = None,
    free_series: bool = False,
) -> tuple[Fit, str]:
    """Return the best fit (modulus weighting) of up to so many arcs, and why it has fewer, or "".

    spectrum: relaxation times (s) and their resistances (ohm), from a model or from `relaxations`: where the fits
    start. tolerance: ohm, (f,), at least 1e-7 |Z|: an element without which the circuit still fits to it, at every
    frequency, is left out, R_elec first; so is one that contributes less than 1e-2 of the largest residual, one whose
    resistance does not exceed its standard error, and one whose tau is another's within 1 %. free_series: an arc faster
    than the data becomes R_elec where there is none. Raises ComputationError if no start leads to a fit.
    """
    allowed = EXACT * np.abs(impedance)
    if tolerance is not None:
        allowed = np.maximum(allowed, np.where(np.isfinite(tolerance), tolerance, 0.0))
    found, arcs, reason = _most(frequency, impedance, arcs, spectrum, series, allowed)
    while arcs:
        element, why = _degenerate(found, frequency, impedance)
        without_series, fewer_arcs = [(arcs, False)] * series, [(arcs - 1, series)] * (arcs > 1 or series)
        fast = element is not None and not series and found.tau[element] * 2 * np.pi * frequency.max() < FAST
        if why and fast and free_series:
            smaller = [(arcs - 1, True)]
        elif why:
            smaller = without_series if series and element == 0 else fewer_arcs
        else:
            smaller = without_series + fewer_arcs
            why = "the other elements fit the data to within their uncertainty"
            if np.any(np.abs(found.residual * impedance) > allowed):
                break
        for trial_arcs, trial_series in smaller:
            trial = _best(frequency, impedance, trial_arcs, spectrum, trial_series)
            if element is not None or np.all(np.abs(trial.residual * impedance) <= allowed):
                found, arcs, series, reason = trial, trial_arcs, trial_series, reason or why
                break
        else:
            break
    return found, reason


def _most(
    frequency: Array, impedance: Spectral, arcs: int, spectrum: tuple[Array, Array], series: bool, allowed: Array
) -> tuple[Fit, int, str]:
    """The best fit of so many arcs, or of fewer that fit to `allowed` where none of so many converges; their number, and why.

    Arcs whose time constants coincide leave the minimum undetermined, and the fit without an end.
    """
    try:
        return _best(frequency, impedance, arcs, spectrum, series), arcs, ""
    except ComputationError:
        for fewer in range(arcs - 1, 0, -1):
            with suppress(ComputationError):
                found = _best(frequency, impedance, fewer, spectrum, series)
                if np.all(np.abs(found.residual * impedance) <= allowed):
                    return found, fewer, "two time constants coincide: with one arc fewer the fit is as good"
        raise


def _best(frequency: Array, impedance: Spectral, arcs: int, spectrum: tuple[Array, Array], series: bool) -> Fit:
    """The best of the fits from all starts, each first improved with R projected out; R_elec alone without arcs."""
    if not arcs:
        return fit(frequency, impedance, np.empty(0), series=True)
    reduced = Projected(frequency, impedance, series)
    improved = [reduced.improve(tau) for tau in [*starts(*spectrum, arcs), reduced.forward(arcs)]]
    failure: ComputationError | None = None
    for tau in sorted(improved, key=reduced.cost):
        try:
            return fit(frequency, impedance, tau, series=series)
        except ComputationError as error:
            failure = failure or error
    raise failure or ComputationError("the fit of the circuit has nowhere to start")


def _degenerate(found: Fit, frequency: Array, impedance: Spectral) -> tuple[int | None, str]:
    """The first element of this fit that is none, and why, or (None, "")."""
    omega = 2 * np.pi * frequency
    part = np.abs(found.resistance / (1 + 1j * omega[:, None] * found.tau)) / np.abs(impedance)[:, None]
    skip, nominal = int(found.series), found.nominal()
    nothing = part.max(0) < max(_LEAST[0], _LEAST[1] * found.largest)
    nothing[skip:] |= (found.tau[skip:] * omega.max() < FAST) | (found.tau[skip:] * omega.min() > 1e2)
    unsure = nothing if found.largest < EXACT else nominal[0] > 1
    same = np.append(np.diff(np.log(np.maximum(found.tau[skip:], 1e-300))) < _SAME, False)
    for flags, first, reason in (
        (nothing, 0, "it contributes nothing to the fit"),
        (unsure, 0, "its resistance does not exceed its standard error"),
        (same, skip, "two time constants coincide"),
    ):
        if flags.any():
            return first + int(np.argmax(flags)), reason
    return None, ""
