"""Z(f) = R0 + i omega L0 + 1/(i omega C0) + 1/(Q0 (i omega)^alpha0) + sum of p(R,C) and p(R,CPE): circuits as lmfit models.

Made from their strings, a model is a plain `lmfit.Model` of stacked real and imaginary parts (lmfit's own weights are wrong for
complex residuals), with starting values of its own. Its parameters are the labels of the string, in SI units; a constant-phase
element CPE1, y = Q (i omega)^alpha, has CPE1_Q and CPE1_alpha. `guess` varies the logarithms of resistances and time constants,
which keeps them positive and the fit well conditioned; R1, C1, tau1 and their standard errors follow from these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from itertools import product
from typing import Any

import lmfit
import numpy as np
from numpy.typing import ArrayLike

from fem_constriction.arrays import Array
from fem_constriction.cell.units import array_in
from fem_constriction.errors import ComputationError, InputError, Written
from fem_constriction.fitting.naming import Data
from fem_constriction.fitting.notation import Topology, parse
from fem_constriction.fitting.rc_fit import WEIGHTINGS, Weighting, weights
from fem_constriction.fitting.starts import Spectral, nonnegative, stacked, starts
from fem_constriction.processes.circuits import Circuit

_UNIT = {"R": "ohm", "C": "F", "L": "H"}
_ALPHA = 0.1, 1.1  # a fit may pass 1: that says that the element is a capacitance, within its standard error
_STOP = {"ftol": 1e-12, "xtol": 1e-10}
_AT_ROUNDING = 6, 7, 8  # where MINPACK says that the tolerances are too small: nothing improves any more
_MOST = 5000  # evaluations
_SOON = 400  # evaluations of a fit that only tells good starts from bad ones
_START = 0.85  # exponent from which a constant-phase element starts
_STARTS = 0.95, _START, 0.6  # exponents tried together with each set of time constants
_STEEPS = 1.0, 0.85  # exponents of an element in series tried beside that of the slope at the lowest frequencies
_BEYOND = 1.0  # decades on either side of the band in which time constants start


class CircuitModel(lmfit.Model):  # type: ignore[misc]
    """Stacked real and imaginary parts of Z (ohm, (2 f,)) of a circuit at frequencies in Hz, (f,): an lmfit.Model.

    text: see `notation.parse`. topology: its parts; units: parameter -> unit. Raises InputError.
    """

    def __init__(self, text: str) -> None:
        self.topology: Topology = parse(text)
        self.units: dict[str, str] = {}
        for part in self.topology.parts:
            for label in part.labels:
                if label.startswith("CPE"):
                    self.units |= {f"{label}_Q": "F s^(alpha - 1)", f"{label}_alpha": ""}
                else:
                    self.units[label] = _UNIT[label[0]]

        def circuit(frequency: ArrayLike, **values: float) -> Array:
            return stacked(self._impedance(values, np.asarray(frequency, dtype=float)))

        names = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in ("frequency", *self.units)]
        circuit.__signature__ = Signature(names)  # type: ignore[attr-defined]  # where lmfit looks for parameters
        super().__init__(circuit, independent_vars=["frequency"], name=text)

    def _impedance(self, values: Mapping[str, float], frequency: Array) -> Spectral:
        s, z = 2j * np.pi * frequency, np.zeros(frequency.shape, dtype=np.complex128)
        for part in self.topology.parts:
            first = part.labels[0]
            if part.kind == "p(R,CPE)":
                cpe = part.labels[1]
                z += values[first] / (1 + values[first] * values[f"{cpe}_Q"] * s ** values[f"{cpe}_alpha"])
            elif part.kind == "p(R,C)":
                z += values[first] / (1 + values[first] * values[part.labels[1]] * s)
            elif part.kind == "CPE":
                z += 1 / (values[f"{first}_Q"] * s ** values[f"{first}_alpha"])
            else:
                value = values[first]
                z += 1 / (s * value) if part.kind == "C" else value * (s if part.kind == "L" else 1)
        return z

    def impedance(self, params: lmfit.Parameters | Mapping[str, float], frequency: ArrayLike) -> Spectral:
        """Return Z in ohm, complex, at frequencies in Hz, (f,); params: lmfit's, or numbers by name."""
        values = params.valuesdict() if isinstance(params, lmfit.Parameters) else params
        return self._impedance(values, array_in("Hz", frequency, "frequency").astype(float))

    def start(self, circuit: Circuit) -> lmfit.Parameters:
        """Return the parameters of a circuit with the same arcs, in their order, such as a cell's `circuits.physical`.

        Raises InputError if it has other arcs, or one that blocks direct current.
        """
        arcs = [part for part in self.topology.parts if len(part.labels) == 2]
        if len(arcs) != len(circuit.arcs) or not all(np.isfinite(arc.tau) and arc.tau > 0 for arc in circuit.arcs):
            allowed = f"as a start of {self.name}: allowed are {len(arcs)} arcs with a resistance and a capacitance"
            raise InputError(key="circuit", value=circuit.text(), when=allowed)
        values = {"R": circuit.r_elec, "L": circuit.inductance, "C": circuit.capacitance}
        values["CPE"], values["alpha"] = circuit.cpe or (float("inf"), _START)
        tau, resistance, alpha = (np.array([getattr(a, key) for a in circuit.arcs]) for key in ("tau", "resistance", "alpha"))
        return self._parameters(tau, resistance, alpha, values)

    def guess(self, data: ArrayLike, frequency: ArrayLike, **values: float) -> lmfit.Parameters:
        """Return starting values for impedances (ohm, complex, (f,)) at frequencies (Hz, (f,)), arcs ascending in tau.

        The arcs are the clusters of a relaxation spectrum with as many lines as ten per decade. values: what to set instead.
        """
        measured = Data.of(frequency, data, None)
        params = min(self.guesses(measured), key=lambda each: self._cost(each, measured))
        for name, value in values.items():
            params[name].set(value=value)
        return params

    def guesses(self, data: Data) -> list[lmfit.Parameters]:
        """Return several sets of starting values, arcs ascending in tau."""
        arcs = [part for part in self.topology.parts if len(part.labels) == 2]
        depressed = np.array([part.kind == "p(R,CPE)" for part in arcs])
        low, high = -np.log10(data.omega.max()) - _BEYOND, -np.log10(data.omega.min()) + _BEYOND
        comb = np.logspace(low, high, round(10 * float(high - low)) + 1)
        found = []
        steeps = (_steepness(data), *_STEEPS) if any(part.kind == "CPE" for part in self.topology.parts) else (1.0,)
        tried: list[tuple[float, Array]] = []
        for steep in steeps:
            lines = self._resistances(data, comb, np.ones(comb.size), steep)[0]
            if len(steeps) > 1:  # beside what blocks an arc is as large as its part of |Z| at its own frequency
                order = np.argsort(data.omega)
                lines = lines / np.interp(-np.log(comb), np.log(data.omega[order]), np.abs(data.impedance[order]))
            tried += [(steep, tau) for tau in starts(comb, lines, len(arcs))]
            if len(arcs) > 1:  # an arc of which the data hold one end only
                fewer = starts(comb, lines, len(arcs) - 1)[0]
                ends = 10 ** (low + _BEYOND / 2), 10 ** (high - _BEYOND / 2)
                tried += [(steep, np.sort(np.append(fewer, end))) for end in ends]
        mixed = depressed.any() and not depressed.all()  # such circuits have several orders, each with starts of its own
        exponents = _STARTS[1:2] if mixed else _STARTS if depressed.any() else (1.0,)
        for (steep, tau), exponent in product(tried, exponents):
            alpha = np.where(depressed, exponent, 1.0)
            resistance, rest = self._resistances(data, tau, alpha, steep)
            least = 1e-4 * max(float(resistance.sum()), float(np.median(np.abs(data.impedance))))
            found.append(self._parameters(tau, np.maximum(resistance, least), alpha, rest))
        return found

    def fit(  # type: ignore[override,unused-ignore]
        self,
        data: ArrayLike,
        params: lmfit.Parameters | None = None,
        *,
        frequency: ArrayLike,
        weighting: Weighting = "modulus",
        **options: Any,
    ) -> Any:
        """Return lmfit's ModelResult for impedances (ohm, complex, (f,)) at frequencies (Hz, (f,)), both parts stacked.

        weighting: "modulus", "proportional" or "unit", see `rc_fit.fit`. params: left out, those of `guess`. options: of
        lmfit.Model.fit. What params fix of R, C, Q and tau, or tie to others, holds for what follows from them. Raises
        InputError for too few frequencies, ComputationError if lmfit fails.
        """
        measured = Data.of(frequency, data, None)
        params = self.guess(data, frequency) if params is None else self.consistent(params)
        weight = _weight(measured, params, weighting)
        more = {"fit_kws": _STOP, "max_nfev": _MOST, **options}
        stack = stacked(measured.impedance)
        return _converged(lambda: super(CircuitModel, self).fit(stack, params, weights=weight, frequency=frequency, **more))

    def screen(self, data: Data, start: lmfit.Parameters) -> tuple[float, lmfit.Parameters]:
        """Return the sum of squares after a fit that is soon ended, and where it ended. Raises as `fit` does."""
        free, difference = self._difference(data, start, "modulus")
        try:
            result = lmfit.Minimizer(difference, free, max_nfev=_SOON, calc_covar=False).leastsq(ftol=1e-4, xtol=1e-4)
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            raise ComputationError(f"the fit of the circuit failed: {error}") from None
        cost = float(np.sum(difference(result.params) ** 2))
        if not np.isfinite(cost):
            raise ComputationError("the fit of the circuit failed: its misfit is not finite")
        return cost, result.params

    def minimise(self, data: Data, start: lmfit.Parameters, weighting: Weighting = "modulus") -> Any:
        """Return lmfit's MinimizerResult of the same fit over what varies alone, ten times faster: params, covar, chisqr.

        start: of `guesses` or `start`, or the params of another result. Raises as `fit` does.
        """
        free, difference = self._difference(data, start, weighting)
        return _converged(lambda: lmfit.Minimizer(difference, free, max_nfev=_MOST).leastsq(**_STOP))

    def _difference(
        self, data: Data, start: lmfit.Parameters, weighting: Weighting
    ) -> tuple[lmfit.Parameters, Callable[[lmfit.Parameters], Array]]:
        """What varies, and the weighted residual as a function of it."""
        free = lmfit.Parameters()
        for each in start.values():
            if each.vary:
                free.add(each.name, value=each.value, min=each.min, max=each.max)
        weight = _weight(data, free, weighting)

        def difference(params: lmfit.Parameters) -> Array:
            values = self.natural({name: each.value for name, each in params.items()})
            with np.errstate(all="ignore"):  # lmfit names what is not finite
                return np.asarray(stacked(self._impedance(values, data.frequency) - data.impedance) * weight)

        return free, difference

    def natural(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the parameters of the circuit that follow from those that vary: log_R1, log_tau1, CPE1_alpha, log_L0."""
        found: dict[str, float] = {}
        for part in self.topology.parts:
            first = part.labels[0]
            if part.kind == "CPE":
                found |= {f"{first}_Q": _exp(values[f"log_{first}_Q"]), f"{first}_alpha": values[f"{first}_alpha"]}
                continue
            found[first] = _exp(values[f"log_{first}"])
            if len(part.labels) == 2:
                other, time = part.labels[1], values[f"log_tau{first[1:]}"]
                alpha = values[f"{other}_alpha"] if part.kind == "p(R,CPE)" else 1.0
                found |= {f"{other}_alpha": alpha} if part.kind == "p(R,CPE)" else {}
                key = f"{other}_Q" if part.kind == "p(R,CPE)" else other
                found[key] = _exp(alpha * time - values[f"log_{first}"])
        return found

    def consistent(self, params: lmfit.Parameters) -> lmfit.Parameters:
        """Return a copy in which R, C or Q, and tau of an arc follow from each other, whichever two were fixed, freed or tied.

        What varies by itself are the logarithms; R1 = 90 fixed makes log_R1 follow from it. Raises InputError where R, C and
        tau are all given, or one that is not above 0.
        """
        made = params.copy()

        def own(name: str, expression: str) -> bool:
            if name not in made or made[name].expr == expression:
                return False
            if made[name].expr is None and not made[name].value > 0:
                raise InputError(key=name, value=Written(f"{made[name].value:g}"), allowed="a number above 0")
            return True

        for part in self.topology.parts:
            first = f"{part.labels[0]}_Q" if part.kind == "CPE" else part.labels[0]
            given = own(first, f"exp(log_{first})")
            if given and f"log_{first}" in made:
                made[f"log_{first}"].set(expr=f"log({first})")
            if len(part.labels) == 1:
                continue
            time, other = f"tau{first[1:]}", part.labels[1]
            timed = own(time, f"exp(log_{time})")
            if timed and f"log_{time}" in made:
                made[f"log_{time}"].set(expr=f"log({time})")
            plain = part.kind == "p(R,C)"
            key = other if plain else f"{other}_Q"
            exponent = "" if plain else f"{other}_alpha*"
            if not own(key, f"exp({exponent}log_{time} - log_{first})") or f"log_{first}" not in made:
                continue
            if given and timed:
                raise InputError(f"{first}, {key} and {time} are all given: two of them determine the third")
            if timed:
                made[f"log_{first}"].set(expr=f"{exponent}log_{time} - log({key})")
            else:
                made[f"log_{time}"].set(expr=f"(log({key}) + log_{first})" + ("" if plain else f"/{other}_alpha"))
        return made

    def _cost(self, params: lmfit.Parameters, data: Data) -> float:
        difference = self.impedance(params, data.frequency) - data.impedance
        return float(np.sum(np.abs(difference / data.impedance) ** 2))

    def _resistances(self, data: Data, tau: Array, alpha: Array, steep: float) -> tuple[Array, dict[str, float]]:
        """Non-negative R of arcs of known tau and alpha, and R, L and C in series, by least squares; C is infinite if 0."""
        s, modulus = 1j * data.omega[:, None], np.abs(data.impedance)[:, None]
        shapes = {"R": np.ones_like(s), "L": s, "C": 1 / s, "CPE": s**-steep}
        kinds = [kind for kind in shapes if any(part.kind == kind for part in self.topology.parts)]
        columns = stacked(np.hstack([1 / (1 + (s * tau) ** alpha), *(shapes[kind] for kind in kinds)]) / modulus)
        size = np.linalg.norm(columns, axis=0)
        found = nonnegative(columns / size, stacked(data.impedance / modulus[:, 0])) / size
        rest = dict(zip(kinds, found[tau.size :].tolist(), strict=True))
        rest |= {kind: 1 / rest[kind] if rest[kind] else float("inf") for kind in ("C", "CPE") if kind in rest}
        return found[: tau.size], rest | {"alpha": steep}

    def _parameters(self, tau: Array, resistance: Array, alpha: Array, rest: Mapping[str, float]) -> lmfit.Parameters:
        """The logarithms that vary, and what follows from them. What is 0 in `rest` starts at 1e-3 of the arcs' part."""
        params = lmfit.Parameters()
        least = 1e-3 * float(resistance.sum())
        smallest = {"R": least, "L": least * float(tau.min()), "C": float(tau.max()) / least, "CPE": float(tau.max()) / least}
        arc = 0
        for part in self.topology.parts:
            if len(part.labels) == 1:
                value = rest.get(part.kind, 0.0)
                usable, label = 0 < value < np.inf, part.labels[0]
                if part.kind == "CPE":
                    params.add(f"{label}_alpha", value=rest.get("alpha", _START), min=_ALPHA[0], max=_ALPHA[1])
                    label = f"{label}_Q"
                _logarithm(params, label, value if usable else smallest[part.kind])
                continue
            label, other = part.labels
            time = f"tau{label[1:]}"
            _logarithm(params, label, resistance[arc])
            _logarithm(params, time, tau[arc])
            if part.kind == "p(R,C)":
                params.add(other, expr=f"exp(log_{time} - log_{label})")
            else:
                exponent = f"{other}_alpha"
                params.add(exponent, value=alpha[arc] if alpha[arc] != 1 else _START, min=_ALPHA[0], max=_ALPHA[1])
                params.add(f"{other}_Q", expr=f"exp({exponent}*log_{time} - log_{label})")
            arc += 1
        return params


def model(text: str) -> CircuitModel:
    """Return a circuit as an lmfit model.

    model(text).fit(impedance, frequency=frequency) fits it to any spectrum, with starting values of its own.

    Parameters
    ----------
    text
        "R0-p(R1,C1)-p(R2,CPE2)", "1D-PM", "1D-FM-extended"; see `notation.parse`.

    Returns
    -------
    CircuitModel
        An lmfit.Model.

    Raises
    ------
    InputError
        For a text that is no circuit.
    """
    return CircuitModel(text)


def _weight(data: Data, params: lmfit.Parameters, weighting: Weighting) -> Array:
    """1/ohm, (2 f,): what residuals are multiplied by. Raises InputError."""
    free = sum(each.vary for each in params.values())
    if 2 * data.frequency.size < free:
        raise InputError(f"{data.frequency.size} frequencies do not determine the {free} parameters of the circuit")
    if weighting not in WEIGHTINGS:
        raise InputError(key="weighting", value=weighting, allowed=", ".join(WEIGHTINGS))
    size = np.abs(data.impedance).max()
    return np.asarray(1 / (size * weights(data.impedance / size, weighting)))


def _converged(call: Callable[[], Any]) -> Any:
    """The result of a fit. Raises ComputationError if there is none."""
    try:
        result = call()
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        raise ComputationError(f"the fit of the circuit failed: {error}") from None
    if not result.success and getattr(result, "ier", 0) not in _AT_ROUNDING:
        raise ComputationError(f"the fit of the circuit did not converge: {result.message}")
    return result


def _steepness(data: Data) -> float:
    """The alpha of -Im Z ~ omega^-alpha at the five lowest frequencies, within 0.3 and 1."""
    slowest = np.argsort(data.omega)[:5]
    blocking, log = -data.impedance.imag[slowest], np.log(data.omega[slowest])
    if np.any(blocking <= 0) or np.ptp(log) == 0:
        return 1.0
    return float(np.clip(-np.polyfit(log, np.log(blocking), 1)[0], 0.3, 1.0))


def _exp(logarithm: float) -> float:
    """E to that power, within what numbers can hold: a part that vanishes does so by a power of ten."""
    return float(np.exp(min(max(logarithm, -300.0), 300.0)))


def _logarithm(params: lmfit.Parameters, name: str, value: float) -> None:
    params.add(f"log_{name}", value=float(np.log(value)))
    params.add(name, expr=f"exp(log_{name})")
