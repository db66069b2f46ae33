"""Z_fit = R_elec + i omega L + 1/(i omega C) + sum of R/(1 + (i omega tau)^alpha): circuits with more than RC elements, fitted.

Through their lmfit models (`circuit_models`); circuits of RC elements alone have exact derivatives in `fitting`. Where some of
the arcs have constant-phase elements, every order of them in tau is tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from fem_constriction.assembly import Array
from fem_constriction.circuit_models import CircuitModel
from fem_constriction.circuits import SERIES
from fem_constriction.errors import ComputationError
from fem_constriction.naming import Data
from fem_constriction.notation import Topology
from fem_constriction.starts import stacked
from fem_constriction.values import Element, Value
from fem_constriction.variations import Variation, deviation, variations

INDUCTANCE = "inductance"
CAPACITANCE = "capacitance"
_UNITS = {"R": "ohm", "C": "F", "L": "H", "tau": "s", "alpha": ""}
_STEP = 1e-5  # of a logarithm or an exponent, in central differences: 1e-10 of the derivative, and 1e-11 of rounding


@dataclass(frozen=True, kw_only=True)
class ModelFit:
    """Elements by name, arcs ascending in tau as arc_1, arc_2; largest |Z_fit - Z|/|Z|; see `extraction.Extraction`."""

    elements: dict[str, Element]
    residual: float
    variations: int
    left_out: int


def fit_model(data: Data, topology: Topology) -> ModelFit:
    """Fit a circuit to a spectrum, and say what is uncertain about each value.

    discretisation: sum over frequencies of |dp/dZ| u by the Jacobian, where the uncertainty is known; model: other weightings
    and windows; nominal: from lmfit's covariance. Raises InputError for too few frequencies, ComputationError if no fit
    converges.
    """
    best: Any = None
    chosen: CircuitModel | None = None
    failure: ComputationError | None = None
    for model in _orders(topology):
        for start in model.guesses(data):
            try:
                found = model.minimise(data, start)
            except ComputationError as error:
                failure = failure or error
                continue
            if best is None or found.chisqr < best.chisqr:
                best, chosen = found, model
    if chosen is None:
        raise failure or ComputationError("the fit of the circuit has nowhere to start")
    return _report(data, chosen, best)


def _orders(topology: Topology) -> list[CircuitModel]:
    """The circuit with its arcs in every order that differs, as models."""
    given = {part.kind for part in topology.parts}
    series = [f"{kind}0" for kind in ("R", "L", "C") if kind in given]
    kinds = ["CPE" if part.kind == "p(R,CPE)" else "C" for part in topology.parts if len(part.labels) == 2]
    return [
        CircuitModel("-".join([*series, *(f"p(R{n},{kind}{n})" for n, kind in enumerate(order, 1))]))
        for order in sorted(set(permutations(kinds)))
    ]


def _report(data: Data, model: CircuitModel, best: Any) -> ModelFit:
    quantities = _quantities(model, best.var_names)
    rows = np.array(list(quantities.values()))
    exponent = np.array([key == "alpha" for _, key in quantities])
    times = np.array([key == "tau" for _, key in quantities])

    def logarithms(result: Any) -> Array:
        values = rows @ [result.params[name].value for name in result.var_names]
        return np.where(exponent, np.log(np.where(exponent, values, 1.0)), values)

    def again(each: Variation) -> tuple[Array, Array]:
        part = Data(data.frequency[each.inside], data.impedance[each.inside], None)
        found = logarithms(model.minimise(part, best.params, each.weighting))
        return found, np.exp(found[times])

    found = logarithms(best)
    tried = variations(data, np.exp(found[times]), len(best.var_names), "modulus")
    spread, count, lost = deviation(tried, found, again)
    gradient = rows / np.where(exponent, np.exp(found), 1.0)[:, None]
    nominal = None
    if best.covar is not None:
        nominal = np.sqrt(np.maximum(np.einsum("kp,pq,kq->k", gradient, best.covar, gradient), 0))
    relative = (_propagated(data, model, best, gradient), spread, nominal)
    values: dict[str, dict[str, Value]] = {}
    for place, (name, key) in enumerate(quantities):
        value = float(np.exp(found[place]))
        parts = [None if each is None else float(value * each[place]) for each in relative]
        made = Value(value=value, unit=_UNITS[key], discretisation=parts[0], model=parts[1], nominal=parts[2])
        values.setdefault(name, {})[key] = made
    order = sorted(values, key=lambda name: values[name]["tau"].value or 0.0 if "tau" in values[name] else -1.0)
    elements: dict[str, Element] = {}
    for name in order:
        arc = "tau" in values[name]
        number = 1 + sum(each.startswith("arc_") for each in elements)
        elements[f"arc_{number}" if arc else name] = _element(values[name])
    fitted = model.impedance(model.natural(best.params.valuesdict()), data.frequency)
    residual = (fitted - data.impedance) / np.abs(data.impedance)
    return ModelFit(elements=elements, residual=float(np.abs(residual).max()), variations=count, left_out=lost)


def _quantities(model: CircuitModel, varied: list[str]) -> dict[tuple[str, str], Array]:
    """(element, quantity) -> its logarithm (alpha: itself) as a combination of the parameters that vary."""
    unit = dict(zip(varied, np.eye(len(varied)), strict=True))
    found: dict[tuple[str, str], Array] = {}
    names = {"R": SERIES, "L": INDUCTANCE, "C": CAPACITANCE}
    for part in model.topology.parts:
        if len(part.labels) == 1:
            found[names[part.kind], part.kind] = unit[f"log_{part.labels[0]}"]
            continue
        label, other = part.labels
        resistance, time = unit[f"log_{label}"], unit[f"log_tau{label[1:]}"]
        found |= {(label, "R"): resistance, (label, "C"): time - resistance, (label, "tau"): time}
        if part.kind == "p(R,CPE)":
            found[label, "alpha"] = unit[f"{other}_alpha"]
    return found


def _propagated(data: Data, model: CircuitModel, best: Any, gradient: Array) -> Array | None:
    """Sum over f of |d log p/dZ| u, (k,): the worst that |dZ| <= u can do, the residual's curvature left out."""
    if data.uncertainty is None:
        return None
    columns = []
    for name in best.var_names:
        sides = []
        for sign in (1, -1):
            values = best.params.valuesdict()
            values[name] += sign * _STEP
            sides.append(model.impedance(model.natural(values), data.frequency) / np.abs(data.impedance))
        columns.append(stacked((sides[0] - sides[1]) / (2 * _STEP)))
    parts = gradient @ np.linalg.pinv(np.array(columns).T) / np.tile(np.abs(data.impedance), 2)
    count = data.frequency.size
    with np.errstate(invalid="ignore"):
        worst = np.hypot(parts[:, :count], parts[:, count:]) @ data.uncertainty
    return np.asarray(np.nan_to_num(worst, nan=np.inf, posinf=np.inf))


def _element(values: dict[str, Value]) -> Element:
    """The element of these quantities; those it does not have say what it is."""
    kind = "a resistor" if "R" in values else "an inductance" if "L" in values else "a capacitor"
    absent = {key: Value(value=0.0, unit=_UNITS[key], reason=kind) for key in ("R", "C", "tau")}
    return Element(**(absent | values))
