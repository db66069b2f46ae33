"""Circuits as lmfit models: "R0-p(R1,CPE1)-Wo2" is a plain `lmfit.Model` of stacked real and imaginary parts.

lmfit's own weights are wrong for complex residuals, so both parts are stacked here. Parameters are the labels of the string, in
SI units (`elements`: CPE1, y = Q (i omega)^alpha, has CPE1_Q and CPE1_alpha), and tau1 of an arc p(R1, C1). `guess` varies the
logarithms of what is positive, of an arc those of R and tau, which keeps them positive and the fit well conditioned; R1, C1,
tau1 and their standard errors follow from these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from typing import Any

import lmfit
import numpy as np
from numpy.typing import ArrayLike

from fem_constriction.arrays import Array
from fem_constriction.cell.units import array_in
from fem_constriction.errors import ComputationError, InputError, Written
from fem_constriction.fitting.circuit_fit import WEIGHTINGS, CircuitFit, Weighting, best, weights
from fem_constriction.fitting.coordinates import Coordinates
from fem_constriction.fitting.elements import KINDS
from fem_constriction.fitting.naming import Data
from fem_constriction.fitting.notation import Series, Topology, elements, parse
from fem_constriction.fitting.starts import Spectral, stacked
from fem_constriction.fitting.tree import impedance
from fem_constriction.processes.circuits import Circuit

_STOP = {"ftol": 1e-12, "xtol": 1e-10}
_AT_ROUNDING = 6, 7, 8  # where MINPACK says that the tolerances are too small: nothing improves any more
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
            for element in elements(part.node):
                kind = KINDS[element.kind]
                self.units |= dict(zip(kind.names(element.label), kind.units, strict=True))
        self._tree = Series(tuple(part.node for part in self.topology.parts))

        def circuit(frequency: ArrayLike, **values: float) -> Array:
            return stacked(self._impedance(values, np.asarray(frequency, dtype=float)))

        names = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in ("frequency", *self.units)]
        circuit.__signature__ = Signature(names)  # type: ignore[attr-defined]  # where lmfit looks for parameters
        super().__init__(circuit, independent_vars=["frequency"], name=text)

    def _impedance(self, values: Mapping[str, float], frequency: Array) -> Spectral:
        with np.errstate(all="ignore"):  # lmfit names what is not finite
            return impedance(self._tree, np.asarray(2j * np.pi * frequency, dtype=np.complex128), values)

    def impedance(self, params: lmfit.Parameters | Mapping[str, float], frequency: ArrayLike) -> Spectral:
        """Return Z in ohm, complex, at frequencies in Hz, (f,); params: lmfit's, or numbers by name."""
        values = params.valuesdict() if isinstance(params, lmfit.Parameters) else params
        return self._impedance(values, array_in("Hz", frequency, "frequency").astype(float))

    def start(self, circuit: Circuit) -> lmfit.Parameters:
        """Return the parameters of a circuit with the same arcs, in their order, such as a cell's `circuits.physical`.

        Raises InputError if it has other arcs, or one that blocks direct current.
        """
        arcs = [part for part in self.topology.parts if part.kind.startswith("p(")]
        if len(arcs) != len(circuit.arcs) or not all(np.isfinite(arc.tau) and arc.tau > 0 for arc in circuit.arcs):
            allowed = f"as a start of {self.name}: allowed are {len(arcs)} arcs with a resistance and a capacitance"
            raise InputError(key="circuit", value=circuit.text(), when=allowed)
        total = sum(arc.resistance for arc in circuit.arcs)
        slow = max(arc.tau for arc in circuit.arcs)
        fast = min(arc.tau for arc in circuit.arcs)
        least = 1e-3 * total
        values: dict[str, float] = {}
        of_arc = iter(circuit.arcs)
        for part in self.topology.parts:
            label = part.labels[0]
            if part.kind.startswith("p("):
                arc = next(of_arc)
                values |= {label: arc.resistance, f"tau{label[1:]}": arc.tau}
                if part.kind == "p(R,CPE)":
                    values[f"{part.labels[1]}_alpha"] = arc.alpha if arc.alpha != 1 else _START
            elif part.kind == "CPE":
                q, alpha = circuit.cpe or (slow / least, _START)
                values |= {f"{label}_Q": q, f"{label}_alpha": alpha}
            else:
                given = {"R": circuit.r_elec, "L": circuit.inductance, "C": circuit.capacitance}.get(part.kind, 0.0)
                smallest = {"R": least, "L": least * fast, "C": slow / least}.get(part.kind, least)
                values[label] = given if 0 < given < np.inf else smallest
        return self._parameters(values)

    def guess(self, data: ArrayLike, frequency: ArrayLike, **values: float) -> lmfit.Parameters:
        """Return starting values for impedances (ohm, complex, (f,)) at frequencies (Hz, (f,)): the best fit of several starts.

        values: what to set instead.
        """
        params = self.parameters(best(Data.of(frequency, data, None), self.topology))
        for name, value in values.items():
            params[name].set(value=value)
        return params

    def parameters(self, found: CircuitFit) -> lmfit.Parameters:
        """Return lmfit's parameters of a fit of this circuit: what was varied varies, the rest follows from it."""
        return self._parameters(found.values(), found.coordinates)

    def _parameters(self, values: Mapping[str, float], coordinates: Coordinates | None = None) -> lmfit.Parameters:
        coordinates = coordinates or Coordinates(self.topology)
        params = lmfit.Parameters()
        for place, name in enumerate(coordinates.names):
            low, high = float(coordinates.lower[place]), float(coordinates.upper[place])
            if name.endswith("_alpha"):
                params.add(name, value=values[name], min=low, max=high, vary=not coordinates.fixed[place])
            elif coordinates.fixed[place]:
                params.add(name, value=values[name], vary=False)
                params.add(f"log_{name}", expr=f"log({name})")
            else:
                wide = low < -100 and high > 100
                bounds = {} if wide else {"min": low, "max": high}
                params.add(f"log_{name}", value=float(np.log(values[name])), **bounds)
                params.add(name, expr=f"exp(log_{name})")
        for name, (resistance, time, capacity) in coordinates.derived.items():
            exponent = f"{capacity[:-2]}_alpha*" if capacity.endswith("_Q") else ""
            if name == capacity:
                params.add(name, expr=f"exp({exponent}log_{time} - log_{resistance})")
            elif name == time:
                params.add(f"log_{name}", expr=f"(log_{resistance} + log_{capacity})" + f"/{exponent[:-1]}" * bool(exponent))
                params.add(name, expr=f"exp(log_{name})")
            else:
                params.add(f"log_{name}", expr=f"{exponent}log_{time} - log_{capacity}")
                params.add(name, expr=f"exp(log_{name})")
        return params

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

        weighting: "modulus", "proportional" or "unit", see `circuit_fit.weights`. params: left out, those of `guess`. options:
        of lmfit.Model.fit. What params fix of R, C, Q and tau, or tie to others, holds for what follows from them. Raises
        InputError for too few frequencies, ComputationError if lmfit fails.
        """
        measured = Data.of(frequency, data, None)
        if params is None:
            _weight(measured, self.make_params(), weighting)
            params = self.guess(data, frequency)
        else:
            params = self.consistent(params)
        weight = _weight(measured, params, weighting)
        more = {"fit_kws": _STOP, "max_nfev": _MOST, **options}
        stack = stacked(measured.impedance)
        return _converged(lambda: super(CircuitModel, self).fit(stack, params, weights=weight, frequency=frequency, **more))

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

        for name in Coordinates(self.topology).names:
            arc = next((p for p in self.topology.parts if p.kind.startswith("p(") and name in (p.labels[0], _time(p))), None)
            if name.endswith("_alpha") or arc is not None:
                continue
            if own(name, f"exp(log_{name})") and f"log_{name}" in made:
                made[f"log_{name}"].set(expr=f"log({name})")
        for part in self.topology.parts:
            if not part.kind.startswith("p("):
                continue
            first, other = part.labels
            given = own(first, f"exp(log_{first})")
            if given and f"log_{first}" in made:
                made[f"log_{first}"].set(expr=f"log({first})")
            time = _time(part)
            timed = own(time, f"exp(log_{time})")
            if timed and f"log_{time}" in made:
                made[f"log_{time}"].set(expr=f"log({time})")
            plain = part.kind == "p(R,C)"
            key = other if plain else f"{other}_Q"
            exponent = "" if plain else f"{other}_alpha*"
            if not own(key, f"exp({exponent}log_{time} - log_{first})") or f"log_{first}" not in made:
                continue
            if f"log_{key}" in made:
                continue  # this arc varies its capacity, and R or tau follows
            if given and timed:
                raise InputError(f"{first}, {key} and {time} are all given: two of them determine the third")
            if timed:
                made[f"log_{first}"].set(expr=f"{exponent}log_{time} - log({key})")
            else:
                made[f"log_{time}"].set(expr=f"(log({key}) + log_{first})" + ("" if plain else f"/{other}_alpha"))
        return made


def _time(part: Any) -> str:
    """The name of the time constant of an arc."""
    return f"tau{part.labels[0][1:]}"


def model(text: str) -> CircuitModel:
    """Return a circuit as an lmfit model.

    model(text).fit(impedance, frequency=frequency) fits it to any spectrum, with starting values of its own.

    Parameters
    ----------
    text
        "R0-p(R1,C1)-p(R2-Wo2,CPE2)", "R(RC)(RQ)", "1D-PM", "1D-FM-extended"; see `notation.parse`.

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
