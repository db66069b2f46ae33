"""1/y(s) = sum over elements of 1/(g + s c + Q s^n): what a place conducts, elements in series, as a function of s = i omega.

A place is where current crosses something: the bulk, a boundary, a contact, a pore, an electrode, a link between two voxels.
Every element is a resistor, a capacitor and a constant-phase element in parallel. All parts are non-negative and 0 < n <= 1, so
y(s) > 0 at real s > 0, and 0 <= arg y(i omega) <= pi/2, whatever stands in series.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from fem_constriction.errors import InputError


@dataclass(frozen=True)
class Element:
    """y(s) = g + s c + Q s^n: a resistor, a capacitor and a constant-phase element in parallel.

    Parameters
    ----------
    conductance, capacitance, cpe
        g, c and Q: in S/m, F/m and S s^n/m in the bulk, per m2 at an interface.
    exponent
        n, above 0 and at most 1. At n = 1 the constant-phase element is a capacitor.
    process
        What the element stands for in budgets and relaxation times; left out: the place that it is the only element of.
        Elements that conduct alike are equal, whatever they stand for.
    """

    conductance: float
    capacitance: float = 0.0
    cpe: float = 0.0
    exponent: float = 1.0
    process: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not 0 < self.exponent <= 1:
            raise InputError(key="exponent", value=self.exponent, allowed="above 0 and at most 1")
        parts = (self.conductance, self.capacitance, self.cpe)
        if not all(part >= 0 for part in parts):
            raise InputError(key="(g, c, Q)", value=parts, allowed="an element takes parts of at least 0")

    def __call__(self, s: ArrayLike) -> NDArray[Any]:
        """Return y at s (1/s, any shape, real or complex with Re s >= 0)."""
        points = np.asarray(s)
        linear = np.asarray(self.conductance + points * self.capacitance)
        return np.asarray(linear + self.cpe * points**self.exponent) if self.cpe else linear

    def times(self, size: float) -> Element:
        """Return size y(s), the element of so many metres or square metres."""
        parts = {name: size * getattr(self, name) for name in ("conductance", "capacitance", "cpe")}
        return replace(self, **parts)

    def linear(self, purpose: str) -> Element:
        """Return the element, y = g + s c; InputError says that `purpose` takes no constant-phase element."""
        if self.cpe:
            name = self.process or "an element"
            raise InputError(f"{name} with a constant-phase element is not allowed for {purpose}: it takes g + s c alone")
        return self

    @property
    def relaxation_time(self) -> float:
        """Tau of R/(1 + (s tau)^n): c/g, or (Q/g)^(1/n) with no capacitor beside it, in seconds; infinite where g is 0.

        Raises InputError where a capacitor and a constant-phase element stand side by side: no single tau is theirs.
        """
        if not self.conductance:
            return float("inf")
        if not self.cpe:
            return self.capacitance / self.conductance
        if self.capacitance:
            self.linear("one relaxation time")
        return float((self.cpe / self.conductance) ** (1 / self.exponent))

    @property
    def switching_time(self) -> float:
        """1/s at the real s where what stores conducts as well as what does not, g = s c + Q s^n: in seconds, `relaxation_time`
        where only one of the two stores; 0 where nothing stores, infinite where g is 0.
        """
        if not (self.cpe and self.capacitance and self.conductance):
            return self.relaxation_time
        # log s is between the two crossings of one of them alone: s c = g/2 and Q s^n = g/2 at least, the smaller of g at most.
        alone = [self.conductance / self.capacitance, (self.conductance / self.cpe) ** (1 / self.exponent)]
        high = np.log(min(alone))
        low = high - np.log(2) / self.exponent

        def lacking(log: float) -> float:
            return float(self.capacitance * np.exp(log) + self.cpe * np.exp(self.exponent * log) - self.conductance)

        return float(np.exp(-scipy.optimize.brentq(lacking, low, high)))


@dataclass(frozen=True)
class Admittance:
    """1/y(s) = sum over elements of 1/y_i(s): a place, its elements in series in the order of current flow."""

    elements: tuple[Element, ...]

    def __post_init__(self) -> None:
        if not self.elements:
            raise InputError("an admittance without elements is not allowed: what conducts without limit is left out")

    @classmethod
    def of(cls, conductance: float, capacitance: float = 0.0, *, process: str = "", **others: float) -> Admittance:
        """Return a place of one element, y = g + s c (+ Q s^n); see `Element`."""
        return cls((Element(conductance, capacitance, process=process, **others),))

    @classmethod
    def series(cls, *parts: Admittance) -> Admittance:
        """Return what conducts through several places one after the other."""
        return cls(tuple(element for part in parts for element in part.elements))

    def __call__(self, s: ArrayLike) -> NDArray[Any]:
        """Return y at s (1/s, any shape, real or complex); 0 where one of the elements conducts nothing."""
        if len(self.elements) == 1:
            return self.elements[0](s)
        points = np.asarray(s)
        each = [element(points) for element in self.elements]
        conducts = np.all([part != 0 for part in each], axis=0)
        total = sum(1 / np.where(conducts, part, 1) for part in each)
        return np.asarray(np.where(conducts, 1 / np.asarray(total), 0))

    def times(self, size: float) -> Admittance:
        """Return size y(s), the place of so many metres or square metres."""
        return Admittance(tuple(element.times(size) for element in self.elements))

    def heated(self, factors: Mapping[str, float]) -> Admittance:
        """Return the place at another temperature: the conductance of each element times the factor of its process, or 1."""
        changed = (replace(e, conductance=e.conductance * factors.get(e.process, 1.0)) for e in self.elements)
        return Admittance(tuple(changed))

    @property
    def conductance(self) -> float:
        """y(0): what passes at direct current, 0 where an element blocks it."""
        return float(self(0.0))

    @property
    def stores(self) -> bool:
        """Whether any of the elements stores energy."""
        return any(element.capacitance > 0 or element.cpe > 0 for element in self.elements)

    def linear(self, purpose: str) -> Element:
        """Return the place's one element, y = g + s c; InputError says by name what `purpose` does not take."""
        if len(self.elements) > 1:
            names = " and ".join(each.process or "an element" for each in self.elements)
            raise InputError(f"{names} in series are not allowed for {purpose}: it takes one element a place")
        return self.elements[0].linear(purpose)

    @property
    def relaxation_time(self) -> float:
        """Tau of the place's one element, see `Element.relaxation_time`. Raises InputError where there are several."""
        return (self.linear("one relaxation time") if len(self.elements) > 1 else self.elements[0]).relaxation_time

    def shares(self, s: ArrayLike, place: str = "") -> dict[str, NDArray[Any]]:
        """Return the part of each process in 1/y(s), {process: shape of s}; they sum to 1, of several elements that
        conduct nothing to 0.

        place: what an element without a process of its own is called.
        """
        points, whole = np.asarray(s), self(s)
        found: dict[str, NDArray[Any]] = {}
        if len(self.elements) == 1:
            return {self.elements[0].process or place: np.ones(points.shape)}
        for element in self.elements:
            name = element.process or place
            part = whole / np.where(whole != 0, element(points), 1)
            found[name] = found.get(name, np.zeros(points.shape)) + part
        return found


#: {place: y} -> {what a matrix is of: y}, where that is several places in series.
Series = Callable[[Mapping[str, Admittance]], Mapping[str, Admittance]]


def evaluate(places: Mapping[str, Admittance], s: ArrayLike) -> dict[str, NDArray[Any]]:
    """Return {place: y(s)}, each with the shape of s."""
    return {name: y(s) for name, y in places.items()}


def by_name(places: Mapping[str, Admittance]) -> dict[str, Element]:
    """Return every element by the process it stands for, or by its place where it is the only one there."""
    return {element.process or place: element for place, y in places.items() for element in y.elements}
