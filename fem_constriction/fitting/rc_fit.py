"""min over log R, log tau of sum |(Z_fit - Z)/w|^2, Z_fit = R_elec + sum of R/(1 + i omega tau), by lmfit.

Real and imaginary parts are stacked here (lmfit's own weights are wrong for complex residuals), parameters are
logarithms, lengths of scale are taken out, derivatives are exact. An R_elec that is free is an arc with tau = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal, get_args

import lmfit
import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.fitting.starts import Projected, Spectral, nonnegative, stacked, starts

Weighting = Literal["modulus", "proportional", "unit"]

WEIGHTINGS: Final[tuple[Weighting, ...]] = get_args(Weighting)
#: Fits this close to the data, relative to |Z|, are exact: one arc fewer is then tried.
EXACT: Final = 1e-7
_FLOOR = 1e-3  # of |Z|: what "proportional" divides a vanishing real or imaginary part by
_LEAST = 1e-9, 1e-2  # of |Z|, and of the largest residual: what an element must contribute somewhere
FAST: Final = 1e-2  # of 1/omega at the upper end: an arc faster than that is a resistance to the data
_SAME = 1e-2  # difference of log tau below which two arcs are one
_GRADIENT = 1e-4  # cosine between residual and any column of the Jacobian, at most, where a fit has converged (a
# column shorter than the residual, of an element that is vanishing, counts as being as long)


@dataclass(frozen=True, eq=False, kw_only=True)
class Fit:
    """A circuit that is a local minimum, its elements ascending in tau, a free R_elec first with tau = 0.

    resistance: ohm, tau: s, (n,); residual: (Z_fit - Z)/|Z| complex, (f,); cost: half the weighted sum of squares;
    jacobian: d(weighted residual)/d(log R, log tau), (2 f, p), real parts first; hessian: of the cost, (p, p); weight:
    ohm, (2 f,); covariance: lmfit's, of (log R, log tau), (p, p), or None where it could not be computed.
    """

    resistance: Array
    tau: Array
    residual: Spectral
    cost: float
    weighting: Weighting
    jacobian: Array
    hessian: Array
    weight: Array
    covariance: Array | None

    @property
    def series(self) -> bool:
        """Whether R_elec is among the elements."""
        return bool(self.tau[0] == 0)

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

    def nominal(self) -> Array | None:
        """Return lmfit's standard errors of (log R, log C, log tau), (3, n), or None."""
        if self.covariance is None:
            return None
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


@np.errstate(all="ignore")  # a step may leave what numbers can hold: whether the fit converged is judged at its end
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

    weighting: what a residual is divided by: "modulus" |Z|; "proportional" real and imaginary part each by its own
    modulus, at least 1e-3 |Z|; "unit" the same for all. Raises InputError if there are more parameters than data or the
    weighting is unknown, ComputationError if lmfit fails or stops where the gradient does not vanish.
    """
    if weighting not in WEIGHTINGS:
        raise InputError(key="weighting", value=weighting, allowed=", ".join(WEIGHTINGS))
    count, skip = tau.size + series, int(series)
    if 2 * frequency.size < 2 * count - skip:
        raise InputError(f"{frequency.size} frequencies do not determine the {2 * count - skip} parameters of the circuit")
    size, omega = float(np.abs(impedance).max()), 2 * np.pi * frequency
    time = float(np.exp(-np.log(omega).mean()))
    s, z = 1j * omega * time, impedance / size
    weight = weights(z, weighting)

    def arcs(log: Array) -> tuple[Spectral, Spectral]:
        """Each element's impedance (f, n) and 1/(1 + s tau)."""
        each = 1 / (1 + s[:, None] * np.append(np.zeros(skip), np.exp(np.clip(log[count:], -99, 99))))
        return np.exp(np.clip(log[:count], -99, 99)) * each, each

    def difference(log: Array) -> Array:
        return np.asarray(stacked(arcs(log)[0].sum(1) - z) / weight)

    def slope(log: Array) -> Array:
        impedances, each = arcs(log)
        return np.asarray(stacked(np.hstack([impedances, -(impedances * (1 - each))[:, skip:]])) / weight[:, None])

    def hessian(log: Array) -> Array:
        impedances, each = arcs(log)
        mixed = -impedances * (1 - each)
        weighted = difference(log) / weight
        second = [weighted @ stacked(part) for part in (impedances, mixed, mixed * (2 * each - 1))]
        columns = slope(log)
        total = columns.T @ columns
        for element in range(count):
            total[element, element] += second[0][element]
            if element >= skip:
                place = count + element - skip
                total[element, place] += second[1][element]
                total[place, element] += second[1][element]
                total[place, place] += second[2][element]
        return np.asarray(total)

    start = np.log(tau / time)
    if resistance is None:
        each = 1 / (1 + s[:, None] * np.append(np.zeros(skip), np.exp(start)))
        guess = nonnegative(stacked(each) / weight[:, None], stacked(z) / weight)
        guess = np.maximum(guess, 1e-4 * max(float(guess.sum()), float(np.median(np.abs(z)))))
    else:
        guess = resistance / size
    log, covariance = _minimise(difference, slope, np.append(np.log(guess), start))
    found = np.append(np.zeros(skip), np.exp(np.clip(log[count:], -99, 99)))  # as in `arcs`; no arc has tau = 0
    order = np.argsort(found, kind="stable")
    both = np.append(order, count + order[skip:] - skip)
    last = difference(log)
    return Fit(
        resistance=size * np.exp(np.clip(log[:count], -99, 99))[order],
        tau=time * found[order],
        residual=np.asarray((arcs(log)[0].sum(1) - z) / np.abs(z)),
        cost=float(last @ last) / 2,
        weighting=weighting,
        jacobian=slope(log)[:, both],
        hessian=hessian(log)[np.ix_(both, both)],
        weight=size * weight,
        covariance=None if covariance is None else covariance[np.ix_(both, both)],
    )


def weights(z: Spectral, weighting: Weighting) -> Array:
    """Return what real parts, then imaginary parts of residuals are divided by, (2 f,): see `fit`."""
    modulus = np.abs(z)
    if weighting == "proportional":
        return np.maximum(np.abs(stacked(z)), _FLOOR * np.tile(modulus, 2))
    return np.tile(modulus, 2) if weighting == "modulus" else np.full(2 * z.size, 1.0)


def _minimise(
    difference: Callable[[Array], Array], slope: Callable[[Array], Array], start: Array
) -> tuple[Array, Array | None]:
    parameters = lmfit.Parameters()
    for number, value in enumerate(start):
        parameters.add(f"log_{number}", value=value)

    def values(current: lmfit.Parameters) -> Array:
        return np.array([each.value for each in current.values()])

    result = lmfit.Minimizer(lambda current: difference(values(current)), parameters).leastsq(
        Dfun=lambda current: np.ascontiguousarray(slope(values(current)).T),
        col_deriv=1,
        ftol=1e-12,
        xtol=1e-10,
        gtol=0.0,
        max_nfev=2000,
    )
    log = values(result.params)
    residual, columns = difference(log), slope(log)
    length = float(np.linalg.norm(residual))
    steep = np.abs(columns.T @ residual) / np.maximum(np.linalg.norm(columns, axis=0), length)
    if not np.isfinite(length) or (length > 1e-9 and steep.max() > _GRADIENT * length):
        raise ComputationError(f"the fit of the circuit did not converge: {result.message}")
    covariance = getattr(result, "covar", None)
    return log, None if covariance is None else np.asarray(covariance)


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
    unsure = nothing if nominal is None or found.largest < EXACT else nominal[0] > 1
    same = np.append(np.diff(np.log(np.maximum(found.tau[skip:], 1e-300))) < _SAME, False)
    for flags, first, reason in (
        (nothing, 0, "it contributes nothing to the fit"),
        (unsure, 0, "its resistance does not exceed its standard error"),
        (same, skip, "two time constants coincide"),
    ):
        if flags.any():
            return first + int(np.argmax(flags)), reason
    return None, ""
