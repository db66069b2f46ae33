"""u = log p, logit p or p: the keys of a cell that a fit varies, with their bounds, and what is known of them beforehand."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from scipy.special import expit

from fem_constriction.cell.cell import Cell
from fem_constriction.cell.faults import keys, rule_of
from fem_constriction.cell.units import parse
from fem_constriction.errors import ImplausibleWarning, InputError, Written

#: Factors of the start within which a value is looked for where nobody bounds it.
REACH: Final = 1e4
#: Ends of a key between 0 and 1, such as a fraction, where nobody bounds it.
ENDS: Final = (1e-4, 0.99)
#: What is no key of a cell, but lies between it and the instrument -> its unit.
LEADS: Final = {"leads.resistance": "ohm", "leads.inductance": "H"}
_HALVINGS: Final = 30  # of the interval in which the end of what a cell allows is looked for: 1e-9 of it
_SIGMA: Final = re.compile(r"\s*(?:\N{PLUS-MINUS SIGN}|\+/?-)\s*")


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """A key whose value is fitted.

    Parameters
    ----------
    key
        Dotted, as `Cell.vary` takes it.
    start, low, high
        In SI; low < start < high.
    unit
        SI, "" for a plain number.
    scale
        What is varied: "log" of a positive value, "logit" of one between 0 and 1, "linear" of any other.
    prior
        Value and standard deviation that are known beforehand, in SI; None: nothing.
    """

    key: str
    start: float
    low: float
    high: float
    unit: str = ""
    scale: Literal["log", "logit", "linear"] = "log"
    prior: tuple[float, float] | None = None

    def inside(self, value: float) -> float:
        """Return u of a value in SI."""
        if self.scale == "log":
            return float(np.log(value))
        return float(np.log(value / (1 - value))) if self.scale == "logit" else float(value)

    def outside(self, u: float) -> float:
        """Return the value in SI, within the bounds."""
        value = float({"log": np.exp, "logit": expit, "linear": float}[self.scale](u))
        return min(max(value, self.low), self.high)

    def slope(self, u: float) -> float:
        """Return dp/du in SI."""
        value = self.outside(u)
        if self.scale == "log":
            return value
        return value * (1 - value) if self.scale == "logit" else 1.0

    @property
    def ends(self) -> tuple[float, float]:
        """The bounds of u."""
        return self.inside(self.low), self.inside(self.high)


def unknowns(
    cell: Cell,
    free: Sequence[str],
    bounds: Mapping[str, Any] | None = None,
    priors: Mapping[str, Any] | None = None,
    leads: Mapping[str, float] | None = None,
) -> tuple[Unknown, ...]:
    """Return what is fitted of a cell.

    Parameters
    ----------
    cell
        Whose values they start from.
    free
        Dotted keys.
    bounds
        Key -> (lower, upper), each a number in SI or a text with a unit, or a text "lower:upper"; an end left out is open.
    priors
        Key -> (value, standard deviation), or a text "value +- sigma".
    leads
        Key of `LEADS` -> where it starts, in SI.

    Returns
    -------
    tuple of Unknown
        Those of the cell in the order of free, then the leads.

    Raises
    ------
    InputError
        For keys that hold no number, and for bounds or priors that are none.
    """
    fields, bounds, priors = dict(keys(Cell)), dict(bounds or {}), dict(priors or {})
    leads = {key: start for key, start in (leads or {}).items() if key in free}
    if not free:
        raise InputError(key="free", value=list(free), allowed="at least one key of the cell, such as " + _EXAMPLE)
    for name, given in (("bound", bounds), ("prior", priors)):
        if stray := [key for key in given if key not in free]:
            raise InputError(key=name, value=stray[0], allowed=f"a key that is fitted: {', '.join(free)}")
    if len(set(free)) < len(free):
        raise InputError(key="free", value=", ".join(free), why="a key stands twice")
    if set(free) <= set(leads):
        raise InputError(key="free", value=", ".join(free), allowed="a key of the cell beside its leads, such as " + _EXAMPLE)
    found = []
    for key in (each for each in free if each not in leads):
        cell.vary({key: None} if key not in fields else {})  # says which key is meant instead
        start, rule = _value(cell, key), rule_of(fields[key])
        if isinstance(start, bool) or not isinstance(start, float):
            why = "the cell has no such value to start from" if start is None else "it is no real number"
            raise InputError(key=f"free {key}", value=start if start is not None else Written("none"), why=why)
        unit = getattr(rule, "unit", "")
        greatest = getattr(rule, "greatest", np.inf)
        scale: Literal["log", "logit", "linear"] = "log" if unit and start > 0 else "linear"
        if not unit and getattr(rule, "least", None) == 0 and greatest == 1:
            scale = "logit"
        low, high = {
            "log": (start / REACH, start * REACH),
            "logit": (min(ENDS[0], start / 2), max(ENDS[1], (1 + start) / 2)),
            "linear": (start - abs(start or 1.0), start + abs(start or 1.0)),
        }[scale]
        low, high = _bounds(key, unit, bounds[key], low, high) if key in bounds else (low, high)
        if scale != "linear" and not low > 0:
            raise InputError(key=f"bound {key}", value=low, unit=unit, allowed="above 0")
        low, high = _allowed(cell, key, min(max(start, low), high), low, high)
        start = min(max(start, low), high)
        prior = _prior(key, unit, priors[key]) if key in priors else None
        found.append(Unknown(key=key, start=start, low=low, high=high, unit=unit, scale=scale, prior=prior))
    for key, start in leads.items():
        unit, low, high = LEADS[key], start / REACH, start * REACH
        low, high = _bounds(key, unit, bounds[key], low, high) if key in bounds else (low, high)
        if not low > 0:
            raise InputError(key=f"bound {key}", value=low, unit=unit, allowed="above 0")
        prior = _prior(key, unit, priors[key]) if key in priors else None
        found.append(Unknown(key=key, start=min(max(start, low), high), low=low, high=high, unit=unit, prior=prior))
    return tuple(found)


_EXAMPLE: Final = "working_electrode.contact.fraction"


def changed(cell: Cell, values: Mapping[str, float]) -> Cell:
    """Return the cell with other values, without a word on what is unusual in them: a fit tries many."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImplausibleWarning)
        return cell.vary(values)


def _value(cell: Cell, key: str) -> Any:
    value: Any = cell
    for name in key.split("."):
        value = getattr(value, name, None)
    return value


def _allowed(cell: Cell, key: str, start: float, low: float, high: float) -> tuple[float, float]:
    """The part of an interval around the start that the cell allows: a disc covers less than its face."""

    def allows(value: float) -> bool:
        try:
            changed(cell, {key: value})
        except InputError:
            return False
        return True

    ends = []
    for end in (low, high):
        good, bad = start, end
        if not allows(end):
            for _ in range(_HALVINGS):
                middle = (good + bad) / 2
                good, bad = (middle, bad) if allows(middle) else (good, middle)
            end = good
        ends.append(end)
    if not ends[0] < ends[1]:
        raise InputError(key=f"bound {key}", value=Written(f"{low:g}:{high:g}"), why="the cell allows nothing between them")
    return ends[0], ends[1]


def _number(key: str, unit: str, given: Any) -> float:
    try:
        return float(given)
    except (TypeError, ValueError):
        try:
            return parse(given, unit)
        except InputError as error:
            raise error.renamed(key) from None


def _bounds(key: str, unit: str, given: Any, low: float, high: float) -> tuple[float, float]:
    ends = given.split(":") if isinstance(given, str) else list(given)
    if len(ends) != 2:
        raise InputError(key=f"bound {key}", value=given, allowed='a lower and an upper end, such as "0.1 mS/cm:1 mS/cm"')
    low, high = (
        each if end is None or end == "" else _number(f"bound {key}", unit, end.strip() if isinstance(end, str) else end)
        for end, each in zip(ends, (low, high), strict=True)
    )
    if not low < high:
        raise InputError(
            key=f"bound {key}", value=Written(f"{low:g}:{high:g}"), unit=unit, allowed="a lower end, then a higher"
        )
    return low, high


def _prior(key: str, unit: str, given: Any) -> tuple[float, float]:
    parts = _SIGMA.split(given.strip()) if isinstance(given, str) else list(given)
    if len(parts) != 2:
        raise InputError(key=f"prior {key}", value=given, allowed='a value and its standard deviation, such as "0.25 +- 0.05"')
    value, sigma = (_number(f"prior {key}", unit, part) for part in parts)
    if not sigma > 0:
        raise InputError(key=f"prior {key}", value=sigma, unit=unit, allowed="a standard deviation above 0")
    return value, sigma


@dataclass(frozen=True)
class Layout:
    """Which numbers a joint fit of several spectra varies: those that all share, then those that each has for itself.

    Parameters
    ----------
    unknowns
        Of each spectrum's cell, in one order.
    own
        Keys whose value each spectrum has for itself.
    """

    unknowns: tuple[tuple[Unknown, ...], ...]
    own: tuple[str, ...] = ()

    @property
    def entries(self) -> tuple[tuple[Unknown, int | None], ...]:
        """What is varied: an unknown, and the spectrum that it belongs to, None for what all share."""
        first = self.unknowns[0]
        shared = [(each, None) for each in first if each.key not in self.own]
        return (*shared, *((each, n) for n, one in enumerate(self.unknowns) for each in one if each.key in self.own))

    @property
    def names(self) -> tuple[str, ...]:
        """One for each entry: the key, with the number of its spectrum where each has its own."""
        return tuple(each.key if n is None else f"{each.key} #{n + 1}" for each, n in self.entries)

    def places(self, spectrum: int) -> list[int]:
        """Return where the unknowns of a spectrum stand among the entries, in the order of its unknowns."""
        of = {(each.key, n): place for place, (each, n) in enumerate(self.entries)}
        return [of[each.key, spectrum if each.key in self.own else None] for each in self.unknowns[spectrum]]

    def starting(self, starts: Mapping[str, float]) -> Layout:
        """Return the layout with other starts, by key."""
        moved = tuple(
            tuple(replace(each, start=min(max(starts.get(each.key, each.start), each.low), each.high)) for each in one)
            for one in self.unknowns
        )
        return replace(self, unknowns=moved)
