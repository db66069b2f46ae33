"""10^k of the units that cell files are written in: known without pint, whose import takes longer than a spectrum.

Every other unit, and every refusal, is pint's (`conversion`); a test holds each entry against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import product
from typing import Final

_PREFIXES: Final = {"G": 9, "M": 6, "k": 3, "": 0, "m": -3, "u": -6, "μ": -6, "n": -9}
_LENGTHS: Final = {"m": 0, "cm": -2, "mm": -3, "um": -6, "μm": -6, "nm": -9}
_AREAS: Final = {f"{length}^2": 2 * power for length, power in _LENGTHS.items()}


def _scaled(*units: str) -> dict[str, int]:
    return {prefix + unit: power for unit in units for prefix, power in _PREFIXES.items()}


def _per(units: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    return {f"{a}/{b}": units[a] - others[b] for a, b in product(units, others)}


def _times(units: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    return {f"{a}{sign}{b}": units[a] + others[b] for a, b, sign in product(units, others, (" ", "*"))}


#: SI unit -> {as it is written, in the spelling of `conversion.spell`: power of ten}.
POWERS: Final[Mapping[str, Mapping[str, int]]] = {
    "m": _LENGTHS,
    "S/m": _per(_scaled("S"), _LENGTHS),
    "ohm m^2": _times(_scaled("ohm", "Ohm", "Ω"), _AREAS),
    "F/m^2": _per(_scaled("F"), _AREAS),
    "Hz": _scaled("Hz"),
}


def factor(spelt: str, unit: str) -> Decimal | None:
    """Return a of x = a y for y in a usual unit and x in `unit`; None of all others."""
    power = POWERS.get(unit, {}).get(spelt)
    return None if power is None else Decimal(1).scaleb(power)
