"""low <= value <= high, or ValueError: every oracle states where it holds, and checks it."""

from __future__ import annotations

from math import isfinite


def within(name: str, value: float, low: float, high: float) -> float:
    """Return the value. Raises ValueError, naming what is allowed, outside of [low, high]; infinite only if `high` is."""
    if not low <= value <= high or (not isfinite(value) and isfinite(high)):
        raise ValueError(f"{name} = {value!r} is not allowed: from {low:g} to {high:g}")
    return value


def positive(**values: float) -> None:
    """Raise ValueError for the first value that is not a positive, finite number."""
    for name, value in values.items():
        if not (isfinite(value) and value > 0):
            raise ValueError(f"{name} = {value!r} is not allowed: a positive number")


def listed(name: str, value: float, table: dict[float, float]) -> float:
    """Return the entry of a table of published values. Raises ValueError for arguments that it does not have."""
    for known, result in table.items():
        if abs(value - known) <= 1e-12 * abs(known):
            return result
    raise ValueError(f"{name} = {value!r} is not allowed: published are {', '.join(f'{known:g}' for known in table)}")
