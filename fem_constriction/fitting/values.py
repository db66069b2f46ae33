"""R, C and tau of an element, each a number with its unit and what is uncertain about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fem_constriction.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Value:
    """A number with its unit and what is uncertain about it, apart and in the same unit.

    discretisation: the worst that the spectrum's uncertainty can do (None: not known); model: the largest deviation
    over other weightings and windows; nominal: lmfit's standard error; reason: why the value is None or 0; limit: the
    largest it could be where it is 0.
    """

    value: float | None
    unit: str
    discretisation: float | None = None
    model: float | None = None
    nominal: float | None = None
    reason: str | None = None
    limit: float | None = None

    @property
    def uncertainty(self) -> float | None:
        """What |value - true value| stays below with 95 %: discretisation + model + 2 nominal; None where there is no value.

        The contributions are added, not squared: they need not be independent. Those that are not known count nothing.
        """
        if self.value is None:
            return None
        return (self.discretisation or 0.0) + (self.model or 0.0) + 2 * (self.nominal or 0.0)

    @property
    def ufloat(self) -> Any:
        """The value as a number of the package `uncertainties`, its standard deviation half of `uncertainty`.

        Raises InputError where there is no value, or `uncertainties` is not installed.
        """
        if self.value is None or self.uncertainty is None:
            raise InputError(f"there is no value: {self.reason}")
        try:
            from uncertainties import ufloat
        except ImportError:
            raise InputError(
                "numbers with uncertainties need the package uncertainties", remedy="pip install uncertainties"
            ) from None
        return ufloat(self.value, self.uncertainty / 2)

    def __float__(self) -> float:
        if self.value is None:
            raise InputError(f"there is no value: {self.reason}")
        return self.value

    def __str__(self) -> str:
        return self.text()

    @property
    def known(self) -> bool:
        """Whether there is a value that none of the contributions to its uncertainty reaches; 0 is known by its limit."""
        parts = [part for part in (self.discretisation, self.model, self.nominal) if part is not None]
        return self.value is not None and (self.value == 0 or max(parts, default=0.0) < abs(self.value))

    def headline(self) -> Value:
        """The value itself if it is known, else none, with the reason."""
        if self.known or self.value is None:
            return self
        largest = max(part for part in (self.discretisation, self.model, self.nominal) if part is not None)
        reason = f"not determined: {_short(self.value, 3)} {self.unit} with an uncertainty of {_short(largest, 2)} {self.unit}"
        return Value(value=None, unit=self.unit, reason=reason)

    def text(self) -> str:
        """The value to the digits that are known: "1.472e5 ohm (discretisation 3e1, model 2e3, nominal 4e2)"."""
        if self.value is None:
            return f"none ({self.reason})"
        parts = {
            "discretisation": self.discretisation,
            "model": self.model,
            "nominal": self.nominal,
            "at most": self.limit,
        }
        known = {name: part for name, part in parts.items() if part is not None}
        largest = max((part for part in known.values() if np.isfinite(part)), default=0.0)
        digits = 4
        if largest and self.value:
            digits = int(np.clip(np.floor(np.log10(abs(self.value))) - np.floor(np.log10(largest)) + 2, 3, 8))
        rest = [f"{name} {_short(part, 1)}" for name, part in known.items()] + [self.reason] * bool(self.reason)
        return f"{_short(self.value, digits)} {self.unit}" + (f" ({', '.join(map(str, rest))})" if rest else "")


def _short(number: float, digits: int) -> str:
    if not number or not np.isfinite(number):
        return "0" if not number else "unbounded"
    mantissa, exponent = f"{number:.{digits - 1}e}".split("e")
    return mantissa + (f"e{int(exponent)}" if int(exponent) else "")


@dataclass(frozen=True, kw_only=True)
class Element:
    """R in ohm, C = tau/R in F, tau in s of one element of the circuit, for the whole cell.

    alpha: exponent where a constant-phase element stands for the capacitance; L: H, of an inductance in series; Q: in
    F s^(alpha - 1), of a constant-phase element in series; sigma: in ohm s^(-1/2), of a Warburg element.
    """

    R: Value
    C: Value
    tau: Value
    alpha: Value | None = None
    L: Value | None = None
    Q: Value | None = None
    sigma: Value | None = None

    @property
    def known(self) -> bool:
        """Whether its resistance, if it has one, is larger than what is uncertain about it."""
        return self.R.value is None or self.R.known


@dataclass(frozen=True, kw_only=True)
class Constriction(Element):
    """The fitted constriction, and beside it R_geometric = R_DC(3D) - R_DC(1D-PM) where it was handed in."""

    R_geometric: Value | None = None


def none(resistance: float | None, reason: str, limit: float | None = None) -> Element:
    """An element that is not there: R is 0 or not known, C and tau are not defined, and why."""
    c, tau = (Value(value=None, unit=unit, reason=reason) for unit in ("F", "s"))
    return Element(R=Value(value=resistance, unit="ohm", reason=reason, limit=limit), C=c, tau=tau)
