"""Z = sum of R_k/(1 + s tau_k), n arcs, is exactly C_pore || (R_Cstr + R_CT || C_CT + ...), a ladder with n - 1 arcs inside.

With 1/C_pore = sum R_k/tau_k, w_k^2 = C_pore R_k/tau_k, Q an orthonormal basis beside w: R_Cstr = 1/(C_pore alpha), alpha = w'
diag(1/tau) w; the arcs inside have the eigenvalues of Q' diag(tau) Q for time constants, and C_pore alpha^2/b^2, b = v' Q'
diag(1/tau) w, v the eigenvector, for capacitances. (The Schur complement of alpha in a matrix has that block of the inverse for
an inverse.) It is the same fit, read otherwise: current enters through the contact, and is squeezed on its way there; what lies
under the contact stands in series with that, pores beside all of it. So R_Cstr of the ladder compares with the geometric one,
and no names change places where time constants cross. Two arcs hold charge transfer, three an interphase as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.fitting.naming import Data
from fem_constriction.fitting.rc_fit import Fit, fit
from fem_constriction.fitting.values import Element, Value
from fem_constriction.fitting.variations import Variation, deviation, variations
from fem_constriction.processes.names import CHARGE_TRANSFER

#: Contact fraction from which on neither reading is the constriction: pores are too few to be switched by it alone.
NEITHER: Final = 0.9
_STEP: Final = 1e-5  # of a logarithm, in central differences: 1e-10 of the derivative
_NAMES: Final = ("R_Cstr", "C_pore", "R_CT", "C_CT")
_FORMS: Final = {0: "C_pore || (R_Cstr + R_CT || C_CT)", 1: "C_pore || (R_Cstr + R || C of each film + R_CT || C_CT)"}
SAME_FIT: Final = "the same fit"


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """The pores beside the constriction in series with what lies under the contact, for the whole cell, in ohm and F.

    films: interphase -> its R, C and tau. Q_pore, alpha_pore: of a constant-phase element in place of C_pore, in
    F s^(alpha - 1); alpha_CT: the exponent of a charge transfer with one, whose C_CT is tau/R. source: "the same fit" as the
    arcs, or what else was fitted.
    """

    R_Cstr: Value
    C_pore: Value
    R_CT: Value
    C_CT: Value
    films: Mapping[str, Element] = field(default_factory=dict)
    Q_pore: Value | None = None
    alpha_pore: Value | None = None
    alpha_CT: Value | None = None  # noqa: N815  # beside R_CT and C_CT
    source: str = SAME_FIT

    def text(self) -> str:
        """The ladder in a line, each value to the digits that are known."""
        values = [(name, getattr(self, name)) for name in (*_NAMES, "Q_pore", "alpha_pore", "alpha_CT")]
        values += [(f"{letter} of {name}", getattr(film, letter)) for name, film in self.films.items() for letter in "RC"]
        known = ", ".join(f"{name} = {value.text()}" for name, value in values if value is not None)
        return f"Ladder {_FORMS[bool(self.films)]}, {self.source}: {known}"

    def unlike(self, reason: str) -> Ladder:
        """The same without a constriction, and why."""
        return replace(self, R_Cstr=Value(value=None, unit="ohm", reason=reason))


def ladder_of(resistance: Sequence[float] | Array, tau: Sequence[float] | Array) -> tuple[float, float, Array, Array]:
    """Return R_Cstr, C_pore, and R and C of the arcs inside, ascending in tau, of arcs in series, in any order (ohm, F, s)."""
    r, t = np.asarray(resistance, dtype=float), np.asarray(tau, dtype=float)
    pore = float(1 / np.sum(r / t))
    w = np.sqrt(pore * r / t)
    largest = int(np.argmax(w))  # its own unit vector is left out, so that w and the others are a basis
    beside = np.linalg.qr(np.column_stack([w, np.delete(np.eye(w.size), largest, axis=1)]))[0][:, 1:]
    alpha = float(np.sum(w**2 / t))
    inner, turn = np.linalg.eigh((beside.T * t) @ beside)
    capacitance = pore * alpha**2 / (turn.T @ (beside.T @ (w / t))) ** 2
    return 1 / (pore * alpha), pore, inner / capacitance, capacitance


def of_fit(data: Data, found: Fit, places: Sequence[int], inside: Mapping[str, float]) -> Ladder:
    """Return the ladder of some of the elements of a fit, its uncertainties those of the arcs carried through.

    Parameters
    ----------
    data
        What was fitted.
    found
        RC elements; the errors of log R and log tau of those are correlated, and are taken with their correlations.
    places
        Which elements are the arcs of the interface, one more than lie under the contact.
    inside
        What lies under the contact, charge transfer among it: name -> the time constant (s) that tells it from the others.
    """
    skip, count, own = int(found.series), found.resistance.size, list(places)
    size = len(own)
    order = list(inside)

    def logarithms(log: Array) -> Array:
        squeezed, pore, r, c = ladder_of(np.exp(log[:size]), np.exp(log[size:]))
        return np.asarray(np.log(np.concatenate([[squeezed, pore], np.ravel(np.column_stack([r, c, r * c]))])))

    def of(other: Fit) -> Array:
        return np.asarray(np.log(np.concatenate([other.resistance[own], other.tau[own]])))

    main = of(found)
    steps = _STEP * np.eye(main.size)
    slope = np.array([(logarithms(main + step) - logarithms(main - step)) / (2 * _STEP) for step in steps]).T
    parts: list[Array | None] = [None, None, None]
    if data.uncertainty is not None:
        sensitivity = found.sensitivity()
        each = slope @ np.concatenate([sensitivity[0][own], sensitivity[2][own]])
        with np.errstate(invalid="ignore"):
            parts[0] = np.nan_to_num(np.abs(each) @ data.uncertainty, nan=np.inf, posinf=np.inf)
    arcs = found.tau[skip:]

    def again(tried: Variation) -> tuple[Array, Array]:
        part = tried.inside
        other = fit(
            data.frequency[part],
            data.impedance[part],
            arcs,
            resistance=found.resistance,
            series=found.series,
            weighting=tried.weighting,
        )
        return logarithms(of(other)), other.tau[skip:]

    reference = logarithms(main)
    parts[1] = deviation(variations(data, arcs, 2 * found.tau.size, found.weighting), reference, again)[0]
    rows = [*own, *(count + place - skip for place in own)]
    parts[2] = np.sqrt(np.maximum(np.einsum("kp,pq,kq->k", slope, found.covariance[np.ix_(rows, rows)], slope), 0))
    values = np.exp(reference)

    def value(n: int, unit: str) -> Value:
        of_part = [None if part is None else float(values[n] * part[n]) for part in parts]
        return Value(value=float(values[n]), unit=unit, discretisation=of_part[0], model=of_part[1], nominal=of_part[2])

    names = named(np.exp(reference[4::3]), inside)
    under = {
        name: Element(R=value(2 + 3 * n, "ohm"), C=value(3 + 3 * n, "F"), tau=value(4 + 3 * n, "s"))
        for n, name in enumerate(names)
    }
    transfer = under.pop(CHARGE_TRANSFER)
    films = {name: under[name] for name in order if name in under}
    return Ladder(R_Cstr=value(0, "ohm"), C_pore=value(1, "F"), R_CT=transfer.R, C_CT=transfer.C, films=films)


def named(tau: Array, inside: Mapping[str, float]) -> tuple[str, ...]:
    """Return which arc under the contact is which: the names in the order in which their own time constants are nearest."""
    away = {
        names: sum(abs(float(np.log(t / inside[name]))) for t, name in zip(tau, names, strict=True))
        for names in permutations(inside)
    }
    return min(away, key=lambda names: away[names])
