"""An axis of a study: a key of the cell file, or a setting, and the values it takes, in SI.

A list of values, or {start, stop, num, scale} with start and stop included. Which keys there are, their units and what they
allow is the cell's to say: a key that cells get later is an axis without a change here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
from pydantic import ValidationError

from fem_constriction.cell.cell import Cell
from fem_constriction.cell.conversion import apart
from fem_constriction.cell.faults import fault, keys
from fem_constriction.cell.sections import Section
from fem_constriction.cell.units import RELATIVE, Number
from fem_constriction.errors import InputError
from fem_constriction.files import jsonable
from fem_constriction.solving.backends import backend_named

_ENDS: Final = ("start", "stop", "num", "scale")
#: Points a study may have, and values an axis.
MOST: Final = 100_000
VALUES: Final = "a list of values, or start, stop, num and scale"


COUNT: Final = Number(allowed="a whole number from 1", least=1, whole=True)


class Range(Section):
    """start, stop, num and scale as they are written."""

    start: Any
    stop: Any
    num: int | None = None
    scale: Literal["linear", "log"] = "linear"

    @classmethod
    def of(cls, key: str, data: Mapping[str, Any]) -> Range:
        """Return the range; InputError names the key."""
        if "num" in data:
            try:
                COUNT.validate(data["num"])
            except InputError as error:
                raise error.renamed(f"{key}.num") from None
        try:
            return cls(**data)
        except ValidationError as error:
            raise fault(cls, error).inside(key) from None


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A key and the values it takes, in SI.

    values: in the order given, None where a Latin hypercube draws them from start to stop; unit: SI, "1" for plain numbers,
    "" for what is no number; meaning: what the key is; whole: whether its values are whole numbers.
    """

    key: str
    values: tuple[Any, ...] | None
    start: Any = None
    stop: Any = None
    scale: Literal["linear", "log"] = "linear"
    unit: str = ""
    meaning: str = ""
    whole: bool = False

    def draw(self, part: float) -> Any:
        """Return the value at `part` (0 to 1) of the way from start to stop, on the axis' scale."""
        low, high = sorted((self.start, self.stop))
        if self.scale == "log":
            value = low * (high / low) ** part
            return int(np.rint(value)) if self.whole else float(value)
        if self.whole:
            return min(int(low + math.floor(part * (high - low + 1))), int(high))
        return float(low + part * (high - low))

    def as_written(self) -> Any:
        """Return the axis as a study file holds it, in SI."""
        if self.values is None:
            return {"start": self.start, "stop": self.stop, "scale": self.scale}
        return jsonable(list(self.values))


def flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every axis with its dotted key; nested tables are dotted keys too, tables with start or stop are ranges."""
    for name, value in data.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and value and not set(value) & set(_ENDS):
            yield from flat(value, f"{key}.")
        else:
            yield key, value


def parse(key: str, given: Any) -> Axis:
    """Return the axis of a key; InputError says which value is not allowed, and what is."""
    if isinstance(given, Axis):
        return given
    rule, unit, meaning, whole = _key(key)
    if isinstance(given, Mapping):
        return _ranged(Range.of(key, given), key, rule, unit=unit, meaning=meaning, whole=whole)
    try:
        magnitude, written = apart(given)
    except ValueError as error:
        raise InputError(key=key, value=given, allowed=VALUES, why=str(error)) from None
    if written is not None and np.ndim(magnitude) == 1:  # type: ignore[arg-type]
        given = [f"{each!r} {written}" for each in np.asarray(magnitude).tolist()]
    elif isinstance(given, np.ndarray):
        given = given.tolist()
    if not isinstance(given, (list, tuple, range)) or not given:
        raise InputError(key=key, value=given, allowed=VALUES)
    values = tuple(_value(key, "", rule, value) for value in given)
    return Axis(key=key, values=values, unit=unit, meaning=meaning, whole=whole)


def label(value: Any) -> str:
    """Return a value that is no number as a coordinate of the data set."""
    return value if isinstance(value, str) else json.dumps(jsonable(value), sort_keys=True)


def is_number(value: Any) -> bool:
    """Whether a value is a plain number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _value(key: str, part: str, rule: Callable[[Any], Any] | None, value: Any) -> Any:
    if value is None:
        raise InputError(key=f"{key}{part}", value=None, allowed=VALUES)
    try:
        return value if rule is None else rule(value)
    except InputError as error:
        raise error.renamed(f"{key}{part}") from None


def backend_name(value: object) -> str:
    """Return the name of an installed backend; InputError begins with the value, as those of quantities do."""
    if not isinstance(value, str):
        raise InputError(value=value, allowed="the name of a backend")
    try:
        backend_named(value)
    except InputError as error:
        raise error.renamed("") from None
    return value


_SETTINGS: Final[Mapping[str, tuple[Callable[[Any], Any], str, str, bool]]] = {
    "backend": (backend_name, "", "Backend that computed the spectrum", False),
    "accuracy": (RELATIVE.validate, "1", "Uncertainty asked of a backend, relative to |Z|", False),
    "tolerance": (RELATIVE.validate, "1", "What the uncertainties together may be, relative to |Z|", False),
}
SETTINGS: Final = tuple(_SETTINGS)


def _key(key: str) -> tuple[Callable[[Any], Any] | None, str, str, bool]:
    """Return what a key allows, its unit, its meaning and whether it is whole; a key not of the cell is left to Cell.vary."""
    if key in _SETTINGS:
        return _SETTINGS[key]
    field = dict(keys(Cell)).get(key)
    if field is None:
        return None, "", "", False
    inner = [item for kind in get_args(field.annotation) for item in getattr(kind, "__metadata__", ())]
    for item in (*field.metadata, *inner):
        if hasattr(item, "validate"):
            whole = bool(getattr(item, "whole", False))
            return item.validate, str(getattr(item, "unit", "1")), field.description or key, whole
    return None, "", field.description or key, False


def _ranged(given: Range, key: str, rule: Callable[[Any], Any] | None, *, unit: str, meaning: str, whole: bool) -> Axis:
    start, stop = (_value(key, f".{end}", rule, getattr(given, end)) for end in ("start", "stop"))
    for end, value in (("start", start), ("stop", stop)):
        if not is_number(value):
            raise InputError(key=f"{key}.{end}", value=value, allowed="a range is of numbers", remedy="give a list of values")
        if given.scale == "log" and value <= 0:
            raise InputError(key=f"{key}.{end}", value=value, allowed="above 0 where scale = 'log'")
    values = None if given.num is None else _spaced(key, start, stop, given.num, given.scale, whole)
    return Axis(key=key, values=values, start=start, stop=stop, scale=given.scale, unit=unit, meaning=meaning, whole=whole)


def _spaced(key: str, start: Any, stop: Any, num: int, scale: str, whole: bool) -> tuple[Any, ...]:
    if num > MOST or (num == 1 and start != stop):
        allowed = f"a whole number from 2 to {MOST}, or 1 where start and stop are equal"
        raise InputError(key=f"{key}.num", value=num, allowed=allowed)
    spaced = np.geomspace(start, stop, num) if scale == "log" else np.linspace(start, stop, num)
    values = [start, *spaced[1:-1].tolist(), stop] if num > 1 else [start]
    return tuple(int(np.rint(value)) for value in values) if whole else tuple(values)
