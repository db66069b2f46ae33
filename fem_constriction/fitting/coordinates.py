"""The numbers x that a fit varies, and the parameters of a circuit as functions of them: log R, log tau, alpha, ...

Of an arc log R + log Q = alpha log tau, so that two of R, Q (or C) and tau are varied and the third follows: R and tau as a
rule, which a spectrum determines best, others where one of them is fixed, bounded or shared. Of any other element logarithms of
what is positive are varied, and exponents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.cell.conversion import number
from fem_constriction.errors import InputError, Written, show
from fem_constriction.fitting.elements import EXPONENTS, KINDS
from fem_constriction.fitting.notation import Topology, elements

_WIDE: Final = 200.0  # logarithms of parameters are varied within it


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a user knows: parameters that are fixed, and bounds of others, by name and in SI units."""

    fixed: Mapping[str, float] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """The parameters that are named."""
        return set(self.fixed) | set(self.bounds)

    def of(self, topology: Topology) -> Limits:
        """Those of a smaller circuit, from which elements are gone. Names are as `canonical` writes them."""
        known = set(parameters(topology))
        return Limits(
            fixed={name: value for name, value in self.fixed.items() if name in known},
            bounds={name: value for name, value in self.bounds.items() if name in known},
        )


def limits_of(fix: Sequence[str], bound: Sequence[str], topology: Topology) -> Limits:
    """What "R1=90", "C1 = 2 uF" fix, and "CPE1_n=0.7:1", "R1=10 ohm:1 kohm" bound; an end left out is open.

    Raises InputError.
    """
    units = parameters(topology)
    fixed: dict[str, float] = {}
    bounds: dict[str, tuple[float, float]] = {}
    for text in fix:
        name, given = _assigned(text, topology, "R1=90")
        fixed[name] = _quantity(given, name, units[name])
    for text in bound:
        name, ends = _assigned(text, topology, "CPE1_n=0.7:1")
        low, colon, high = ends.partition(":")
        if not colon:
            raise InputError(f"{show(text)} is not allowed: a lower and an upper bound, such as CPE1_n=0.7:1 or R1=10:")
        first = _quantity(low, name, units[name]) if low.strip() else 0.0
        bounds[name] = first, _quantity(high, name, units[name]) if high.strip() else float("inf")
    both = set(fixed) & set(bounds)
    if both:
        raise InputError(f"{', '.join(sorted(both))}: fixed and bounded at once, one of the two is allowed")
    return Limits(fixed=fixed, bounds=bounds)


def _assigned(text: str, topology: Topology, example: str) -> tuple[str, str]:
    name, sign, given = text.partition("=")
    if not sign:
        raise InputError(f"{show(text)} is not allowed: a parameter and its value are, such as {example}")
    return canonical(name, topology), given


def _quantity(text: str, name: str, unit: str) -> float:
    """A number in SI, or one with its unit. Raises InputError."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        if unit in ("ohm", "F", "H", "s"):
            return number(text.strip(), unit)
    except ValueError as error:
        raise InputError(
            f"{name} = {show(text.strip())} is not allowed: a number in {unit}, or with its unit; {error}"
        ) from None
    raise InputError(f"{name} = {show(text.strip())} is not allowed: a number{f' in {unit}' * bool(unit)}")


def parameters(topology: Topology) -> dict[str, str]:
    """Return the parameters of a circuit and their units, tau1 of an arc p(R1,C1) among them."""
    found: dict[str, str] = {}
    for part in topology.parts:
        for element in elements(part.node):
            kind = KINDS[element.kind]
            found |= dict(zip(kind.names(element.label), kind.units, strict=True))
        if part.kind.startswith("p("):
            found[f"tau{part.labels[0][1:]}"] = "s"
    return found


def canonical(name: str, topology: Topology) -> str:
    """The name of a parameter as written here: CPE1_n and CPE1_1 are CPE1_alpha, CPE1_0 is CPE1_Q. Raises InputError."""
    known = parameters(topology)
    plain = name.strip()
    label, _, suffix = plain.rpartition("_")
    for element in (each for part in topology.parts for each in elements(part.node)):
        names = KINDS[element.kind].names(element.label)
        if label == element.label:
            plain = names[int(suffix)] if suffix.isdigit() and int(suffix) < len(names) else plain
            plain = names[-1] if suffix in ("n", "a") and names[-1].endswith("_alpha") else plain
            plain = names[0] if suffix == "Y" else plain
    if plain not in known:
        raise InputError(key="parameter", value=name, allowed=f"the circuit {topology.text} has {', '.join(known)}")
    return plain


class Coordinates:
    """What is varied of a circuit: names, and bounds, (n,); each parameter as a function of it."""

    def __init__(self, topology: Topology, limits: Limits | None = None) -> None:
        """Choose what is varied so that what `limits` names is; raises InputError where that is too much or no number."""
        limits = limits or Limits()
        self.topology = topology
        self.names: list[str] = []
        self.derived: dict[str, tuple[str, str, str]] = {}  # parameter that follows -> resistance, time, and Q or C of its arc
        for part in topology.parts:
            if part.kind.startswith("p("):
                resistance, other = part.labels
                capacity, time = (f"{other}_Q" if part.kind == "p(R,CPE)" else other), f"tau{resistance[1:]}"
                order = [capacity, time, resistance]
                free = [name for name in order if name not in limits.names]
                if not free:
                    raise InputError(f"{resistance}, {capacity} and {time} are all given: two of them determine the third")
                self.derived[free[0]] = (resistance, time, capacity)
                self.names += [name for name in (resistance, time, capacity) if name != free[0]]
                self.names += [f"{other}_alpha"] if part.kind == "p(R,CPE)" else []
                continue
            for element in elements(part.node):
                self.names += KINDS[element.kind].names(element.label)
        self.lower, self.upper = np.array([self._range(name) for name in self.names]).T.reshape(2, -1)
        self.fixed = np.zeros(len(self.names), dtype=bool)
        self.value = np.zeros(len(self.names))
        for name, value in limits.fixed.items():
            place = self.names.index(name)
            self.fixed[place], self.value[place] = True, self.inside(name, value)
        for name, (low, high) in limits.bounds.items():
            place = self.names.index(name)
            first = self.inside(name, low) if low > 0 else self.lower[place]
            last = self.inside(name, high) if np.isfinite(high) else self.upper[place]
            if not first < last:
                raise InputError(key=name, value=Written(f"{low:g}:{high:g}"), allowed="a lower bound, then a higher one")
            self.lower[place], self.upper[place] = first, last

    def _range(self, name: str) -> tuple[float, float]:
        return EXPONENTS if name.endswith("_alpha") else (-_WIDE, _WIDE)

    def inside(self, name: str, value: float) -> float:
        """What is varied for a value of a parameter. Raises InputError for one that is not above 0."""
        if not (value > 0 and np.isfinite(value)):
            raise InputError(key=name, value=Written(f"{value:g}"), allowed="a number above 0")
        return value if name.endswith("_alpha") else float(np.log(value))

    def internal(self, x: Array) -> dict[str, tuple[float, Array]]:
        """Return u of each parameter (a logarithm, or an exponent) and du/dx, (n,), tau of arcs included."""
        unit = np.eye(len(self.names))
        found = {name: (float(x[n]), unit[n]) for n, name in enumerate(self.names)}
        for name, (resistance, time, capacity) in self.derived.items():
            alpha, steep = found.get(f"{capacity[:-2]}_alpha", (1.0, np.zeros(len(self.names))))
            if name == capacity:
                (r, dr), (t, dt) = found[resistance], found[time]
                found[name] = alpha * t - r, alpha * dt + t * steep - dr
            elif name == time:
                (r, dr), (c, dc) = found[resistance], found[capacity]
                found[name] = (r + c) / alpha, (dr + dc) / alpha - (r + c) / alpha**2 * steep
            else:
                (t, dt), (c, dc) = found[time], found[capacity]
                found[name] = alpha * t - c, alpha * dt + t * steep - dc
        return found

    def values(self, x: Array) -> dict[str, float]:
        """Return every parameter in SI units, tau of arcs included."""
        return {
            name: u if name.endswith("_alpha") else float(np.exp(np.clip(u, -300.0, 300.0)))
            for name, (u, _) in self.internal(x).items()
        }

    def of(self, values: Mapping[str, float]) -> Array:
        """Return x of parameters, those of each arc consistent; within the bounds, what is fixed at its value."""
        x = np.array([self.inside(name, values[name]) for name in self.names])
        x = np.where(self.fixed, self.value, x)
        margin = 1e-6 * (self.upper - self.lower)
        return np.where(self.fixed, x, np.clip(x, self.lower + margin, self.upper - margin))
