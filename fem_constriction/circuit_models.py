"""Z(f) = R0 + i omega L0 + 1/(i omega C0) + sum of p(R,C) and p(R,CPE): circuits as lmfit models, from their strings.

A model is a plain `lmfit.Model` of stacked real and imaginary parts (lmfit's own weights are wrong for complex residuals), with
starting values of its own. Its parameters are the labels of the string, in SI units; a constant-phase element CPE1,
y = Q (i omega)^alpha, has CPE1_Q and CPE1_alpha. `guess` varies the logarithms of resistances and time constants, which keeps
them positive and the fit well conditioned; R1, C1, tau1 and their standard errors follow from these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from typing import Any

import lmfit
import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import nnls

from fem_constriction.assembly import Array
from fem_constriction.circuits import Circuit
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.fitting import WEIGHTINGS, Weighting, weights
from fem_constriction.naming import Data
from fem_constriction.notation import Topology, parse
from fem_constriction.starts import Spectral, stacked, starts
from fem_constriction.units import array_in

_UNIT = {"R": "ohm", "C": "F", "L": "H"}
_ALPHA = 0.1, 1.1  # a fit may pass 1: that says that the element is a capacitance, within its standard error
_STOP = {"ftol": 1e-12, "xtol": 1e-10}
_MOST = 5000  # evaluations
_START = 0.85  # exponent from which a constant-phase element starts


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
                z += 1 / (1 / values[first] + values[f"{cpe}_Q"] * s ** values[f"{cpe}_alpha"])
            elif part.kind == "p(R,C)":
                z += 1 / (1 / values[first] + values[part.labels[1]] * s)
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
            raise InputError(f"circuit = {circuit.text()} is not allowed {allowed}")
        values = {"R": circuit.r_elec, "L": circuit.inductance, "C": circuit.capacitance}
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
        alpha = np.array([_START if part.kind == "p(R,CPE)" else 1.0 for part in arcs])
        band = -np.log10(data.omega[[np.argmax(data.omega), np.argmin(data.omega)]])
        comb = np.logspace(band[0], band[1], max(3, round(10 * float(np.ptp(band))) + 1))
        found = []
        for tau in starts(comb, self._resistances(data, comb, np.ones(comb.size))[0], len(arcs)):
            resistance, rest = self._resistances(data, tau, alpha)
            found.append(self._parameters(tau, np.maximum(resistance, 1e-4 * resistance.sum()), alpha, rest))
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

        weighting: "modulus", "proportional" or "unit", see `fitting.fit`. params: left out, those of `guess`. options: of
        lmfit.Model.fit. Raises InputError for too few frequencies, ComputationError if lmfit fails.
        """
        measured = Data.of(frequency, data, None)
        params = self.guess(data, frequency) if params is None else params
        weight = _weight(measured, params, weighting)
        more = {"fit_kws": _STOP, "max_nfev": _MOST, **options}
        stack = stacked(measured.impedance)
        return _converged(lambda: super(CircuitModel, self).fit(stack, params, weights=weight, frequency=frequency, **more))

    def minimise(self, data: Data, start: lmfit.Parameters, weighting: Weighting = "modulus") -> Any:
        """Return lmfit's MinimizerResult of the same fit over what varies alone, ten times faster: params, covar, chisqr.

        start: of `guesses` or `start`, or the params of another result. Raises as `fit` does.
        """
        free = lmfit.Parameters()
        for each in start.values():
            if each.vary:
                free.add(each.name, value=each.value, min=each.min, max=each.max)
        weight = _weight(data, free, weighting)

        def difference(params: lmfit.Parameters) -> Array:
            values = self.natural({name: each.value for name, each in params.items()})
            return np.asarray(stacked(self._impedance(values, data.frequency) - data.impedance) * weight)

        return _converged(lambda: lmfit.Minimizer(difference, free, max_nfev=_MOST).leastsq(**_STOP))

    def natural(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the parameters of the circuit that follow from those that vary: log_R1, log_tau1, CPE1_alpha, log_L0."""
        found: dict[str, float] = {}
        for part in self.topology.parts:
            first = part.labels[0]
            found[first] = float(np.exp(values[f"log_{first}"]))
            if len(part.labels) == 2:
                other, time = part.labels[1], values[f"log_tau{first[1:]}"]
                alpha = values[f"{other}_alpha"] if part.kind == "p(R,CPE)" else 1.0
                found |= {f"{other}_alpha": alpha} if part.kind == "p(R,CPE)" else {}
                key = f"{other}_Q" if part.kind == "p(R,CPE)" else other
                found[key] = float(np.exp(alpha * time - values[f"log_{first}"]))
        return found

    def _cost(self, params: lmfit.Parameters, data: Data) -> float:
        difference = self.impedance(params, data.frequency) - data.impedance
        return float(np.sum(np.abs(difference / data.impedance) ** 2))

    def _resistances(self, data: Data, tau: Array, alpha: Array) -> tuple[Array, dict[str, float]]:
        """Non-negative R of arcs of known tau and alpha, and R, L and C in series, by least squares; C is infinite if 0."""
        s, modulus = 1j * data.omega[:, None], np.abs(data.impedance)[:, None]
        shapes = {"R": np.ones_like(s), "L": s, "C": 1 / s}
        kinds = [kind for kind in shapes if any(part.kind == kind for part in self.topology.parts)]
        columns = stacked(np.hstack([1 / (1 + (s * tau) ** alpha), *(shapes[kind] for kind in kinds)]) / modulus)
        size = np.linalg.norm(columns, axis=0)
        found = nnls(columns / size, stacked(data.impedance / modulus[:, 0]), maxiter=30 * size.size)[0] / size
        rest = dict(zip(kinds, found[tau.size :], strict=True))
        if "C" in rest:
            rest["C"] = 1 / rest["C"] if rest["C"] else float("inf")
        return found[: tau.size], rest

    def _parameters(self, tau: Array, resistance: Array, alpha: Array, rest: Mapping[str, float]) -> lmfit.Parameters:
        """The logarithms that vary, and what follows from them. What is 0 in `rest` starts at 1e-3 of the arcs' part."""
        params = lmfit.Parameters()
        least = 1e-3 * float(resistance.sum())
        smallest = {"R": least, "L": least * float(tau.min()), "C": float(tau.max()) / least}
        arc = 0
        for part in self.topology.parts:
            if len(part.labels) == 1:
                value = rest.get(part.kind, 0.0)
                usable = 0 < value < np.inf
                _logarithm(params, part.labels[0], value if usable else smallest[part.kind])
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
    """Return a circuit as an lmfit model: "R0-p(R1,C1)-p(R2,CPE2)", "1D-PM", "1D-FM-extended"; see `notation.parse`.

    model(text).fit(impedance, frequency=frequency) fits it to any spectrum, with starting values of its own.
    """
    return CircuitModel(text)


def _weight(data: Data, params: lmfit.Parameters, weighting: Weighting) -> Array:
    """1/ohm, (2 f,): what residuals are multiplied by. Raises InputError."""
    free = sum(each.vary for each in params.values())
    if 2 * data.frequency.size < free:
        raise InputError(f"{data.frequency.size} frequencies do not determine the {free} parameters of the circuit")
    if weighting not in WEIGHTINGS:
        raise InputError(f"weighting = {weighting!r} is not allowed: {', '.join(WEIGHTINGS)}")
    size = np.abs(data.impedance).max()
    return np.asarray(1 / (size * weights(data.impedance / size, weighting)))


def _converged(call: Callable[[], Any]) -> Any:
    """The result of a fit. Raises ComputationError if there is none."""
    try:
        result = call()
    except (ValueError, FloatingPointError) as error:
        raise ComputationError(f"the fit of the circuit failed: {error}") from None
    if not result.success:
        raise ComputationError(f"the fit of the circuit did not converge: {result.message}")
    return result


def _logarithm(params: lmfit.Parameters, name: str, value: float) -> None:
    params.add(f"log_{name}", value=float(np.log(value)))
    params.add(name, expr=f"exp(log_{name})")
