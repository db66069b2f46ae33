"""Z = R_1/(1 + s tau_1) + R_2/(1 + s tau_2) is exactly C_pore || (R_Cstr + R_CT || C_CT): the arcs of an interface as a ladder.

With a_0 = R_1 + R_2 and a_1 = R_1 tau_2 + R_2 tau_1: C_pore = tau_1 tau_2/a_1, R_Cstr = a_1^2/(a_1 (tau_1 + tau_2) - a_0 tau_1
tau_2), R_CT = a_0 - R_Cstr, and C_CT from R_1 tau_1 + R_2 tau_2 = C_pore a_0^2 + C_CT R_CT^2. It is the same fit, read
otherwise: current enters through the contact, and is squeezed on its way there; pores lie beside both. So R_Cstr of the ladder
compares with the geometric one, and no names change places where time constants cross.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.fitting.naming import Data
from fem_constriction.fitting.rc_fit import Fit, fit
from fem_constriction.fitting.values import Value
from fem_constriction.fitting.variations import Variation, deviation, variations

#: Contact fraction from which on neither reading is the constriction: pores are too few to be switched by it alone.
NEITHER: Final = 0.9
_STEP: Final = 1e-5  # of a logarithm, in central differences: 1e-10 of the derivative
_NAMES: Final = ("R_Cstr", "C_pore", "R_CT", "C_CT")
_UNITS: Final = ("ohm", "F", "ohm", "F")


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """The pores beside the constriction in series with charge transfer, for the whole cell, in ohm and F."""

    R_Cstr: Value
    C_pore: Value
    R_CT: Value
    C_CT: Value

    def text(self) -> str:
        """The ladder in a line, each value to the digits that are known."""
        values = ", ".join(f"{name} = {getattr(self, name).text()}" for name in _NAMES)
        return f"Ladder C_pore || (R_Cstr + R_CT || C_CT), the same fit: {values}"

    def unlike(self, reason: str) -> Ladder:
        """The same without a constriction, and why."""
        return replace(self, R_Cstr=Value(value=None, unit="ohm", reason=reason))


def ladder_of(resistance: Sequence[float], tau: Sequence[float]) -> tuple[float, float, float, float]:
    """Return R_Cstr, C_pore, R_CT, C_CT (ohm, F) of two arcs in series (ohm, s), in either order."""
    (r1, r2), (t1, t2) = resistance, tau
    total, crossed = r1 + r2, r1 * t2 + r2 * t1
    pore = t1 * t2 / crossed
    # a_1 (tau_1 + tau_2) - a_0 tau_1 tau_2 = R_1 tau_2^2 + R_2 tau_1^2: no difference of large numbers. R_CT alike.
    squeezed = crossed**2 / (r1 * t2**2 + r2 * t1**2)
    rest = r1 * r2 * (t1 - t2) ** 2 / (r1 * t2**2 + r2 * t1**2)
    slow = (r1 * t1 + r2 * t2 - pore * total**2) / rest**2
    return squeezed, pore, rest, slow


def of_fit(data: Data, found: Fit, places: tuple[int, int]) -> Ladder:
    """Return the ladder of two of the elements of a fit, its uncertainties those of the arcs carried through.

    Parameters
    ----------
    data
        What was fitted.
    found
        RC elements; the errors of log R and log tau of the two are correlated, and are taken with their correlations.
    places
        Which elements are the two arcs of the interface.
    """
    skip, count, both = int(found.series), found.resistance.size, list(places)

    def logarithms(log: Array) -> Array:
        return np.asarray(np.log(ladder_of(np.exp(log[:2]).tolist(), np.exp(log[2:]).tolist())))

    def of(other: Fit) -> Array:
        return np.asarray(np.log(np.concatenate([other.resistance[both], other.tau[both]])))

    main = of(found)
    steps = _STEP * np.eye(main.size)
    slope = np.array([(logarithms(main + step) - logarithms(main - step)) / (2 * _STEP) for step in steps]).T
    parts: list[Array | None] = [None, None, None]
    if data.uncertainty is not None:
        sensitivity = found.sensitivity()
        each = slope @ np.concatenate([sensitivity[0][both], sensitivity[2][both]])
        with np.errstate(invalid="ignore"):
            parts[0] = np.nan_to_num(np.abs(each) @ data.uncertainty, nan=np.inf, posinf=np.inf)
    arcs = found.tau[skip:]

    def again(tried: Variation) -> tuple[Array, Array]:
        inside = tried.inside
        other = fit(
            data.frequency[inside],
            data.impedance[inside],
            arcs,
            resistance=found.resistance,
            series=found.series,
            weighting=tried.weighting,
        )
        return logarithms(of(other)), other.tau[skip:]

    reference = logarithms(main)
    parts[1] = deviation(variations(data, arcs, 2 * found.tau.size, found.weighting), reference, again)[0]
    if found.covariance is not None:
        rows = [*both, *(count + place - skip for place in both)]
        parts[2] = np.sqrt(np.maximum(np.einsum("kp,pq,kq->k", slope, found.covariance[np.ix_(rows, rows)], slope), 0))
    values = np.exp(reference)
    made = {
        name: Value(
            value=float(values[n]),
            unit=_UNITS[n],
            discretisation=None if parts[0] is None else float(values[n] * parts[0][n]),
            model=None if parts[1] is None else float(values[n] * parts[1][n]),
            nominal=None if parts[2] is None else float(values[n] * parts[2][n]),
        )
        for n, name in enumerate(_NAMES)
    }
    return Ladder(**made)
