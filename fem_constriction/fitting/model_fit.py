"""A circuit of any elements for a spectrum, without the elements that are not there, and what is uncertain about each value.

An element without which the circuit fits as well is left out: two arcs in place of one have as many values as one likes. As
well: exactly or within the uncertainty; or, of those that the data do not determine to three standard errors, no worse than its
parameters are worth (N log(sum of squares) + p log N, Schwarz's criterion).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from math import comb
from typing import Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, InputError, Written
from fem_constriction.fitting.circuit_fit import CircuitFit, again, best, nearest
from fem_constriction.fitting.coordinates import Limits
from fem_constriction.fitting.elements import KINDS
from fem_constriction.fitting.guesses import ORDERS
from fem_constriction.fitting.naming import Data, hidden
from fem_constriction.fitting.notation import Element as Leaf
from fem_constriction.fitting.notation import Node, Part, Series, Topology, elements, part_of
from fem_constriction.fitting.rc_fit import EXACT, FAST
from fem_constriction.fitting.tree import Block
from fem_constriction.fitting.values import Element, Value, none
from fem_constriction.fitting.variations import Variation, deviation, variations
from fem_constriction.processes.circuits import SERIES

INDUCTANCE: Final = "inductance"
CAPACITANCE: Final = "capacitance"
CPE: Final = "cpe"
#: Elements in series that have a name; arcs are numbered, every other element is called by its label.
NAMES: Final = {"R": SERIES, "L": INDUCTANCE, "C": CAPACITANCE, "CPE": CPE}
_UNITS = {"R": "ohm", "C": "F", "L": "H", "tau": "s", "alpha": "", "Q": "F s^(alpha - 1)", "sigma": "ohm s^(-1/2)"}
_BY_TIME: Final = ("K", "Zarc")
_UNSURE = 1 / 3  # of a parameter: what is not three standard errors is doubtful, and the criterion decides
_NONE = Limits()


@dataclass(frozen=True, kw_only=True)
class ModelFit:
    """Elements by name, arcs ascending in tau as arc_1, arc_2, and those left out; see `extraction.Extraction`.

    residual: the largest |Z_fit - Z|/|Z|; blocks: what is no arc and none of the named elements, as a whole; found: the fit.
    """

    elements: dict[str, Element]
    removed: dict[str, Element]
    residual: float
    variations: int
    left_out: int
    found: CircuitFit
    blocks: tuple[Block, ...] = field(default=())


def fit_model(data: Data, topology: Topology, limits: Limits = _NONE, *, start: Mapping[str, float] | None = None) -> ModelFit:
    """Fit a circuit to a spectrum, and say what is uncertain about each value.

    discretisation: sum over frequencies of |dp/dZ| u by the Jacobian, where the uncertainty is known; model: other weightings
    and windows; nominal: from the covariance. limits: what is fixed or bounded, which is not left out. start: values of all
    parameters, in SI, next to which the fit is; left out: it is the best from wherever the spectrum suggests. Raises
    InputError for too few frequencies, ComputationError if no fit converges.
    """
    _check_orders(topology)
    found = best(data, topology, limits) if start is None else nearest(data, topology, start, limits)
    gone: list[str] = []
    while (smaller := _without_one(data, found, limits)) is not None:
        gone.append(smaller[0])
        found = smaller[1]
    return _report(data, found, gone)


def _check_orders(topology: Topology) -> None:
    """Raise InputError for more orders of arcs in tau than are tried."""
    kinds = [part.kind for part in topology.parts if part.kind.startswith("p(")]
    count = comb(len(kinds), kinds.count("p(R,CPE)"))
    if count > ORDERS:
        raise InputError(
            key="circuit",
            value=Written(f"{len(kinds)} arcs, {kinds.count('p(R,CPE)')} of them with constant-phase elements,"),
            allowed=f"there are {count} orders of them, and up to {ORDERS} are tried",
            remedy="all arcs of one kind are allowed",
        )


def misfit(data: Data, topology: Topology) -> float:
    """Return the largest |Z_fit - Z|/|Z| of a circuit, infinite where no fit converges."""
    try:
        return best(data, topology).largest
    except ComputationError:
        return float("inf")


def _without_one(data: Data, found: CircuitFit, limits: Limits) -> tuple[str, CircuitFit] | None:
    """The name of an element that the data do not determine, and the best fit without it, if that is as good."""
    exact = within(data, found)
    errors = found.errors()
    tried: list[tuple[float, int, str, CircuitFit]] = []
    removable = list(_removable(found.topology, limits))
    doubt = {name: max(errors[each] for each in amplitudes) for name, amplitudes, _ in removable}
    order = sorted(removable, key=lambda each: (exact and not each[0].startswith("arc"), -doubt[each[0]]))
    seen: set[tuple[str, ...]] = set()
    for number, (name, _, topology) in enumerate(order):
        kinds = tuple(sorted(part.kind if len(part.labels) < 3 else str(part.labels) for part in topology.parts))
        if not (exact or doubt[name] > _UNSURE) or kinds in seen:  # without one of two alike arcs the same is left
            continue
        seen.add(kinds)
        with suppress(ComputationError):
            smaller = best(data, topology, limits.of(topology))
            if within(data, smaller):
                return name, smaller
            tried.append((criterion(data, smaller), number, name, smaller))
    least = min(tried, key=lambda each: each[:2], default=None)
    return None if least is None or least[0] > criterion(data, found) else least[2:]


def _removable(topology: Topology, limits: Limits) -> list[tuple[str, tuple[str, ...], Topology]]:
    """Elements that may go: name, the parameters that say whether it is there, and the circuit without it."""
    found: list[tuple[str, tuple[str, ...], Topology]] = []
    for place, part in enumerate(topology.parts):
        rest = topology.parts[:place] + topology.parts[place + 1 :]
        leaves = list(elements(part.node))
        owned = {name for leaf in leaves for name in KINDS[leaf.kind].names(leaf.label)} | {f"tau{part.labels[0][1:]}"}
        if part.kind.startswith("p(") or len(leaves) == 1:
            name = f"arc {part.labels[0]}" if part.kind.startswith("p(") else part.labels[0]
            first = KINDS[leaves[0].kind].names(leaves[0].label)[0]
            if rest and not owned & limits.names:
                found.append((name, (first,), topology.of(rest)))
            continue
        for leaf in leaves:
            names = KINDS[leaf.kind].names(leaf.label)
            node = _without(part.node, leaf)
            if node is not None and not set(names) & limits.names:
                inner = _parts(node)
                parts = topology.parts[:place] + inner + topology.parts[place + 1 :]
                kinds = [each.kind for each in parts]
                if all(kinds.count(kind) < 2 for kind in ("R", "C", "L", "W", "CPE", "La")):
                    found.append((leaf.label, names[:1], topology.of(parts)))
    return found


def _without(node: Node, leaf: Leaf) -> Node | None:
    """The tree without an element; what is alone in a block stands for the block."""
    if isinstance(node, Leaf):
        return None if node == leaf else node
    parts = [part for each in node.parts if (part := _without(each, leaf)) is not None]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else type(node)(tuple(parts))


def _parts(node: Node) -> tuple[Part, ...]:
    return tuple(part_of(each) for each in (node.parts if isinstance(node, Series) else (node,)))


def criterion(data: Data, found: CircuitFit) -> float:
    """N log(sum of squares) + p log N, Schwarz's."""
    count = 2 * data.frequency.size
    return float(count * np.log(max(found.cost, 1e-300)) + found.varied * np.log(count))


def within(data: Data, found: CircuitFit) -> bool:
    """Whether the fit is exact, or within the uncertainty of the spectrum at every frequency."""
    modulus = np.abs(data.impedance)
    allowed = EXACT * modulus
    if data.uncertainty is not None:
        allowed = np.maximum(allowed, np.where(np.isfinite(data.uncertainty), data.uncertainty, 0.0))
    return bool(np.all(np.abs(found.residual) * modulus <= allowed))


def _report(data: Data, found: CircuitFit, gone: list[str]) -> ModelFit:
    quantities = _quantities(found)
    keys = list(quantities)
    exponent = np.array([key == "alpha" for _, key in keys])
    times = np.array([key == "tau" for _, key in keys])

    def logarithms(fit: CircuitFit) -> Array:
        u = np.array([value for value, _ in _quantities(fit).values()])
        return np.where(exponent, np.log(np.where(exponent, np.maximum(u, 1e-3), 1.0)), u)

    def tried_again(each: Variation) -> tuple[Array, Array]:
        part = Data(data.frequency[each.inside], data.impedance[each.inside], None)
        moved = logarithms(again(found, part, each.weighting))
        return moved, _exp(moved[times])

    main = logarithms(found)
    spread, count, lost = deviation(
        variations(data, _exp(main[times]), found.varied, "modulus"), main, tried_again
    )  # relative, of an exponent too
    rows = np.array([row for _, row in quantities.values()]) / np.where(exponent, _exp(main), 1.0)[:, None]
    nominal = np.sqrt(np.maximum(np.einsum("kp,pq,kq->k", rows, found.covariance, rows), 0))
    relative = (_propagated(data, found, rows), spread, nominal)
    values: dict[str, dict[str, Value]] = {}
    for place, (name, key) in enumerate(keys):
        value = float(_exp(main[place]))
        parts = [None if each is None else float(value * each[place]) for each in relative]
        made = Value(value=value, unit=_UNITS[key], discretisation=parts[0], model=parts[1], nominal=parts[2])
        values.setdefault(name, {})[key] = made
    made_elements, arcs = _named(found.topology, values)
    names = [f"arc_{arcs + 1 + n}" for n in range(sum(name.startswith("arc ") for name in gone))]
    fast = made_elements.get("arc_1")
    if SERIES not in made_elements and fast is not None and (fast.tau.value or 1.0) * data.omega.max() < FAST:
        # Nothing of the arc but its resistance is in the data.
        made_elements = {SERIES: _element({"R": fast.R}), **_renumbered(made_elements)}
        gone = [name for name in gone if NAMES.get(name[:1], name) != SERIES]
        names = [f"arc_{arcs}", *names]
    residual, total = found.largest, sum(each.R.value or 0.0 for each in made_elements.values())
    slow, why = float(1 / data.omega.min()), "vanished: the other elements fit the data as well"
    removed = {name: none(0.0, why, hidden(data, residual, total, slow)) for name in names}
    for label in (name for name in gone if not name.startswith("arc ")):
        symbol = "CPE" if label.startswith("CPE") else label[:1]
        named = symbol in NAMES and NAMES[symbol] not in removed and not label.startswith("La")
        name = NAMES[symbol] if named else label
        removed[name] = none(0.0, why, hidden(data, residual, total, 0.0)) if name == SERIES else none(None, why)
    blocks = tuple(
        Block(part.node, found.values())
        for part in found.topology.parts
        if not part.kind.startswith("p(") and part.kind not in NAMES
    )
    return ModelFit(
        elements=made_elements, removed=removed, residual=residual, variations=count, left_out=lost, found=found, blocks=blocks
    )


def _named(topology: Topology, values: dict[str, dict[str, Value]]) -> tuple[dict[str, Element], int]:
    """Elements by name, those in series first, then arcs ascending in tau, then those of blocks; the number of arcs."""
    arcs = [part.labels[0] for part in topology.parts if part.kind.startswith("p(")]
    arcs.sort(key=lambda label: values[label]["tau"].value or 0.0)
    named = [name for name in NAMES.values() if name in values]
    rest = [name for name in values if name not in named and name not in arcs]
    found = {name: _element(values[name]) for name in named}
    found |= {f"arc_{number}": _element(values[label]) for number, label in enumerate(arcs, 1)}
    return found | {name: _element(values[name]) for name in rest}, len(arcs)


def _renumbered(elements: dict[str, Element]) -> dict[str, Element]:
    """The elements without the first arc."""
    arcs = [element for name, element in elements.items() if name.startswith("arc_")]
    rest = {name: element for name, element in elements.items() if not name.startswith("arc_")}
    return rest | {f"arc_{number}": element for number, element in enumerate(arcs[1:], 1)}


def _exp(logarithms: Array) -> Array:
    """E to these powers, within what numbers can hold."""
    return np.asarray(np.exp(np.clip(logarithms, -300.0, 300.0)))


def _quantities(found: CircuitFit) -> dict[tuple[str, str], tuple[float, Array]]:
    """(element, quantity) -> its logarithm (alpha: itself), and the derivative by x, (n,)."""
    internal = found.coordinates.internal(found.x)
    made: dict[tuple[str, str], tuple[float, Array]] = {}
    for part in found.topology.parts:
        if part.kind.startswith("p("):
            label, other = part.labels
            (r, dr), (t, dt) = internal[label], internal[f"tau{label[1:]}"]
            made |= {(label, "R"): (r, dr), (label, "C"): (t - r, dt - dr), (label, "tau"): (t, dt)}
            if part.kind == "p(R,CPE)":
                made[label, "alpha"] = internal[f"{other}_alpha"]
            continue
        for leaf in elements(part.node):
            kind = KINDS[leaf.kind]
            name = NAMES.get(part.kind, leaf.label)
            for suffix, parameter in zip(kind.suffixes, kind.names(leaf.label), strict=True):
                made[name, suffix or {"W": "sigma"}.get(leaf.kind, leaf.kind)] = internal[parameter]
            if leaf.kind in _BY_TIME:  # C of an arc that is written by its time constant: tau/R
                (r, dr), (t, dt) = made[name, "R"], made[name, "tau"]
                made[name, "C"] = t - r, dt - dr
    return made


def _propagated(data: Data, found: CircuitFit, gradient: Array) -> Array | None:
    """Sum over f of |d log p/dZ| u, (k,): the worst that |dZ| <= u can do, the residual's curvature left out."""
    if data.uncertainty is None:
        return None
    free = ~found.coordinates.fixed
    parts = gradient[:, free] @ np.linalg.pinv(found.jacobian[:, free]) / np.tile(np.abs(data.impedance), 2)
    count = data.frequency.size
    with np.errstate(invalid="ignore"):
        worst = np.hypot(parts[:, :count], parts[:, count:]) @ data.uncertainty
    return np.asarray(np.nan_to_num(worst, nan=np.inf, posinf=np.inf))


def _element(values: dict[str, Value]) -> Element:
    """The element of these quantities; those it does not have say what it is."""
    kind = "a resistor" if "R" in values else "an inductance" if "L" in values else "a capacitor"
    kind = "a constant-phase element" if "Q" in values else "a Warburg element" if "sigma" in values else kind
    absent = {key: Value(value=0.0, unit=_UNITS[key], reason=kind) for key in ("R", "C", "tau")}
    return Element(**(absent | values))
