"""Z_fit = R_elec + i omega L + 1/(Q (i omega)^alpha) + sum of R/(1 + (i omega tau)^alpha): circuits with more than RC elements.

Through their lmfit models (`circuit_models`); circuits of RC elements alone have exact derivatives in `rc_fit`. Where some of
the arcs have constant-phase elements, every order of them in tau is tried. A part without which the circuit fits as well is
left out: two arcs in place of one have as many values as one likes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any, Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, InputError, Written
from fem_constriction.fitting.circuit_models import CircuitModel
from fem_constriction.fitting.naming import Data, hidden
from fem_constriction.fitting.notation import Kind, Topology, parse
from fem_constriction.fitting.rc_fit import EXACT, FAST
from fem_constriction.fitting.starts import Spectral, stacked
from fem_constriction.fitting.values import Element, Value, none
from fem_constriction.fitting.variations import Variation, deviation, variations
from fem_constriction.processes.circuits import SERIES

INDUCTANCE = "inductance"
CAPACITANCE = "capacitance"
CPE = "cpe"
_NAMES: Final = {"R": SERIES, "L": INDUCTANCE, "C": CAPACITANCE, "CPE": CPE}
_UNITS = {"R": "ohm", "C": "F", "L": "H", "tau": "s", "alpha": "", "Q": "F s^(alpha - 1)"}
_UNSURE = 1 / 3  # of a resistance: what is not three standard errors is doubtful, and the criterion decides
_POLISHED = 2  # of the starts, the best of the screening: what they lead to is fitted to the end
_ORDERS = 20  # of arcs with and without constant-phase elements: those of three and three
_STEP = 1e-5  # of a logarithm or an exponent, in central differences: 1e-10 of the derivative, and 1e-11 of rounding


@dataclass(frozen=True, kw_only=True)
class ModelFit:
    """Elements by name, arcs ascending in tau as arc_1, arc_2, and those left out; see `extraction.Extraction`.

    residual: the largest |Z_fit - Z|/|Z|.
    """

    elements: dict[str, Element]
    removed: dict[str, Element]
    residual: float
    variations: int
    left_out: int


def fit_model(data: Data, topology: Topology) -> ModelFit:
    """Fit a circuit to a spectrum, and say what is uncertain about each value.

    discretisation: sum over frequencies of |dp/dZ| u by the Jacobian, where the uncertainty is known; model: other weightings
    and windows; nominal: from lmfit's covariance. A part is left out where the circuit without it fits within the uncertainty,
    or no worse than its parameters are worth (Schwarz's criterion). Raises InputError for too few frequencies, ComputationError
    if no fit converges.
    """
    gone: list[str] = []
    while True:
        try:
            model, best = _best(data, topology)
            break
        except ComputationError:
            kinds = [part.kind for part in topology.parts]
            if topology.arcs == 1:
                raise
            # Of two arcs in place of one the split has no end, and no fit one either.
            kinds.remove(next(kind for kind in ("p(R,CPE)", "p(R,C)") if kind in kinds))
            gone.append(f"arc_{topology.arcs}")
            topology = parse("-".join(kinds))
    while (smaller := _without_one(data, model, best)) is not None:
        gone.append(_lost(model.topology, smaller[0].topology))
        model, best = smaller
    return _report(data, model, best, gone)


def _best(data: Data, topology: Topology) -> tuple[CircuitModel, Any]:
    """The order of the arcs, and lmfit's result, that fit best from all starts."""
    failure: ComputationError | None = None
    tried: list[tuple[float, int, CircuitModel, Any]] = []
    for model in _orders(topology):
        for start in model.guesses(data):
            try:
                cost, better = model.screen(data, start)
            except ComputationError as error:
                failure = failure or error
                continue
            tried.append((cost, len(tried), model, better))
    found: list[tuple[float, int, CircuitModel, Any]] = []
    for _, number, model, start in sorted(tried, key=lambda each: each[:2])[: 5 * _POLISHED]:
        with suppress(ComputationError):
            result = model.minimise(data, start)
            found.append((float(result.chisqr), number, model, result))
        if len(found) == _POLISHED:
            break
    if not found:
        raise failure or ComputationError("the fit of the circuit does not converge from any start")
    _, _, chosen, best = min(found, key=lambda each: each[:2])
    return chosen, best


def _doubtful(data: Data, model: CircuitModel, best: Any) -> list[Kind]:
    """The kinds of the parts that the data do not determine, the least determined first; all, arcs first, of an exact fit."""
    kinds = {part.kind for part in model.topology.parts}
    every = sorted(kinds, key=lambda each: (not each.startswith("p("), each))
    if best.covar is None or _within(data, model, best):
        return every
    names = {part: f"log_{part.labels[0]}" + "_Q" * (part.kind == "CPE") for part in model.topology.parts}
    error = {part: best.params[name].stderr or 0.0 for part, name in names.items()}
    found = [part for part in sorted(error, key=lambda each: -error[each]) if not error[part] <= _UNSURE]
    return list(dict.fromkeys(part.kind for part in found))


def _without_one(data: Data, model: CircuitModel, best: Any) -> tuple[CircuitModel, Any] | None:
    """The best fit of the circuit without a part that the data do not determine, if it is as good; one arc stays.

    As good: exact or within the uncertainty (an arc is left out first), or with the lesser N log(sum of squares) + p log N.
    """
    kinds = [part.kind for part in model.topology.parts]
    found: list[tuple[float, int, CircuitModel, Any]] = []
    for number, kind in enumerate(_doubtful(data, model, best)):
        if kind.startswith("p(") and model.topology.arcs == 1:
            continue
        rest = list(kinds)
        rest.remove(kind)
        with suppress(ComputationError):
            smaller = _best(data, parse("-".join(rest)))
            if _within(data, *smaller):
                return smaller
            found.append((_criterion(data, smaller[1]), number, *smaller))
    least = min(found, key=lambda each: each[:2], default=None)
    return None if least is None or least[0] > _criterion(data, best) else least[2:]


def _criterion(data: Data, found: Any) -> float:
    count = 2 * data.frequency.size
    return float(count * np.log(max(float(found.chisqr), 1e-300)) + len(found.var_names) * np.log(count))


def misfit(data: Data, topology: Topology) -> float:
    """Return the largest |Z_fit - Z|/|Z| of a circuit, infinite where no fit converges."""
    try:
        return float(np.abs(_residual(data, *_best(data, topology))).max())
    except ComputationError:
        return float("inf")


def _within(data: Data, model: CircuitModel, best: Any) -> bool:
    """Whether the fit is exact, or within the uncertainty of the spectrum at every frequency."""
    modulus = np.abs(data.impedance)
    allowed = EXACT * modulus
    if data.uncertainty is not None:
        allowed = np.maximum(allowed, np.where(np.isfinite(data.uncertainty), data.uncertainty, 0.0))
    return bool(np.all(np.abs(_residual(data, model, best)) * modulus <= allowed))


def _residual(data: Data, model: CircuitModel, best: Any) -> Spectral:
    """(Z_fit - Z)/|Z|, (f,)."""
    fitted = model.impedance(model.natural(best.params.valuesdict()), data.frequency)
    return np.asarray((fitted - data.impedance) / np.abs(data.impedance))


def _lost(larger: Topology, smaller: Topology) -> str:
    """The name of the element that the larger circuit has and the smaller one has not."""
    left = [part.kind for part in smaller.parts]
    for kind in dict.fromkeys(part.kind for part in larger.parts):
        if left.count(kind) < sum(part.kind == kind for part in larger.parts):
            return _NAMES.get(kind, f"arc_{larger.arcs}")
    raise AssertionError("both circuits have the same elements")


def _orders(topology: Topology) -> list[CircuitModel]:
    """The circuit with its arcs in every order that differs, as models. Raises InputError for too many."""
    given = {part.kind for part in topology.parts}
    series = [f"{kind}0" for kind in ("R", "L", "C", "CPE") if kind in given]
    kinds = ["CPE" if part.kind == "p(R,CPE)" else "C" for part in topology.parts if len(part.labels) == 2]
    depressed = kinds.count("CPE")
    if comb(len(kinds), depressed) > _ORDERS:
        raise InputError(
            key="circuit",
            value=Written(f"{len(kinds)} arcs, {depressed} of them with constant-phase elements,"),
            allowed=f"there are {comb(len(kinds), depressed)} orders of them, and up to {_ORDERS} are tried",
            remedy="all arcs of one kind are allowed",
        )
    orders = [
        ["CPE" if n in chosen else "C" for n in range(len(kinds))] for chosen in combinations(range(len(kinds)), depressed)
    ]
    return [
        CircuitModel("-".join([*series, *(f"p(R{n},{kind}{n})" for n, kind in enumerate(order, 1))]))
        for order in sorted(orders)
    ]


def _report(data: Data, model: CircuitModel, best: Any, gone: list[str]) -> ModelFit:
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
        return found, _exp(found[times])

    found = logarithms(best)
    tried = variations(data, _exp(found[times]), len(best.var_names), "modulus")
    spread, count, lost = deviation(tried, found, again)
    gradient = rows / np.where(exponent, _exp(found), 1.0)[:, None]
    nominal = None
    if best.covar is not None:
        nominal = np.sqrt(np.maximum(np.einsum("kp,pq,kq->k", gradient, best.covar, gradient), 0))
    relative = (_propagated(data, model, best, gradient), spread, nominal)
    values: dict[str, dict[str, Value]] = {}
    for place, (name, key) in enumerate(quantities):
        value = float(_exp(found[place]))
        parts = [None if each is None else float(value * each[place]) for each in relative]
        made = Value(value=value, unit=_UNITS[key], discretisation=parts[0], model=parts[1], nominal=parts[2])
        values.setdefault(name, {})[key] = made
    order = sorted(values, key=lambda name: values[name]["tau"].value or 0.0 if "tau" in values[name] else -1.0)
    elements: dict[str, Element] = {}
    for name in order:
        arc = "tau" in values[name]
        number = 1 + sum(each.startswith("arc_") for each in elements)
        elements[f"arc_{number}" if arc else name] = _element(values[name])
    if SERIES not in elements and (fast := elements.get("arc_1")) and (fast.tau.value or 1.0) * data.omega.max() < FAST:
        # Nothing of the arc but its resistance is in the data.
        elements = {SERIES: _element({"R": fast.R}), **_renumbered(elements)}
        gone = [*(name for name in gone if name != SERIES), f"arc_{model.topology.arcs}"]
    largest, total = float(np.abs(_residual(data, model, best)).max()), sum(each.R.value or 0.0 for each in elements.values())
    slow, why = float(1 / data.omega.min()), "vanished: the other elements fit the data as well"
    removed = {
        name: none(0.0, why, hidden(data, largest, total, slow if name.startswith("arc_") else 0.0)) for name in sorted(gone)
    }
    for name in set(gone) & {INDUCTANCE, CAPACITANCE, CPE}:
        removed[name] = none(None, why)
    return ModelFit(
        elements=elements,
        removed=removed,
        residual=largest,
        variations=count,
        left_out=lost,
    )


def _renumbered(elements: dict[str, Element]) -> dict[str, Element]:
    """The elements without the first arc."""
    arcs = [element for name, element in elements.items() if name.startswith("arc_")]
    rest = {name: element for name, element in elements.items() if not name.startswith("arc_")}
    return rest | {f"arc_{number}": element for number, element in enumerate(arcs[1:], 1)}


def _exp(logarithms: Any) -> Any:
    """E to these powers, within what numbers can hold."""
    return np.exp(np.clip(logarithms, -300.0, 300.0))


def _quantities(model: CircuitModel, varied: list[str]) -> dict[tuple[str, str], Array]:
    """(element, quantity) -> its logarithm (alpha: itself) as a combination of the parameters that vary."""
    unit = dict(zip(varied, np.eye(len(varied)), strict=True))
    found: dict[tuple[str, str], Array] = {}
    for part in model.topology.parts:
        if part.kind == "CPE":
            found[CPE, "Q"], found[CPE, "alpha"] = unit[f"log_{part.labels[0]}_Q"], unit[f"{part.labels[0]}_alpha"]
            continue
        if len(part.labels) == 1:
            found[_NAMES[part.kind], part.kind] = unit[f"log_{part.labels[0]}"]
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
    kind = "a constant-phase element" if "Q" in values else kind
    absent = {key: Value(value=0.0, unit=_UNITS[key], reason=kind) for key in ("R", "C", "tau")}
    return Element(**(absent | values))
