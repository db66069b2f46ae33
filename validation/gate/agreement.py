"""|Z_1 - Z_2| <= u_1 + u_2 <= tol |Z|: do two backends agree, frequency by frequency, and could they have disagreed?

Several kinds of evidence. Limits: each backend's family of grids extrapolated, with an uncertainty each; agree where they
differ by no more than the two uncertainties together and these are small, disagree where they differ by more, unresolved
where the uncertainties are too wide to tell. Enclosure: at direct current and every real s > 0 a lower-bound backend must
not exceed an upper-bound one, on any pair of grids whatever their resolution; one violation proves a fault in one of them.
Discs: potentials of one backend and currents of the other enclose Z(i omega) itself at every frequency
(`validation.discs.certificate`); a limit outside proves a fault as well, as it does of R_DC (`direct_current`). And what both
are solved with is looked at by itself, since a fault of it moves both alike (`shared_route`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.cell.units import relative_to_z
from fem_constriction.errors import InputError, Written
from fem_constriction.reduction.projection import TARGET
from fem_constriction.solving.one_grid import Solution
from fem_constriction.solving.reference import COUNTER, WORKING
from fem_constriction.solving.refinement import Family
from fem_constriction.spectra.spectrum import Spectrum
from validation.discs.certificate import Discs
from validation.gate.direct_current import DirectCurrent
from validation.gate.shared_route import RouteCheck

Verdict = Literal["agree", "disagree", "unresolved"]

#: Rounding allowed in Z_lower <= Z_upper, relative: at full contact both are the same number, computed twice. It is what the
#: reduced models are asked for (1e-8); where admittances span ten decades up to 2e-9 of it was seen. Gaps of real grids
#: are 1e-3 to 1e-6.
ROUNDING = TARGET


@dataclass(frozen=True, eq=False)
class Enclosure:
    """Z_lower(s) <= Z_upper(s) at real s, on every pair of grids of two backends.

    Parameters
    ----------
    names
        Of the backend that bounds from below, and of the one that bounds from above.
    s
        1/s, 0 for direct current, shape (m,).
    lower, upper
        Z of the finest grids in ohm, shape (m,): Z of the continuum lies between.
    pairs
        How many pairs of grids were compared.
    violations
        One line for each that failed.
    """

    names: tuple[str, str]
    s: Array
    lower: Array
    upper: Array
    pairs: int
    violations: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Agreement:
    """What two or more backends say of one cell: a verdict per frequency, and the whole.

    Parameters
    ----------
    frequency
        Hz, shape (n,).
    limits
        Backend -> spectrum with uncertainty.
    verdicts
        "agree", "disagree" or "unresolved" at each frequency, shape (n,).
    tolerance
        Relative to |Z|.
    enclosures
        One per pair of a lower- and an upper-bound backend.
    discs
        Guaranteed ones, if two backends offer them.
    notes
        What else to know.
    routes
        One per backend: how it was solved beside its own matrices.
    direct
        What is known of R_DC; None where no direct current flows.
    electrodes
        "working" and "counter" -> what is said of their spectra, where a reference electrode tells them apart.
    """

    frequency: Array
    limits: Mapping[str, Spectrum]
    verdicts: NDArray[np.str_]
    tolerance: float
    enclosures: tuple[Enclosure, ...] = ()
    discs: Discs | None = None
    notes: tuple[str, ...] = field(default=())
    routes: tuple[RouteCheck, ...] = ()
    direct: DirectCurrent | None = None
    electrodes: Mapping[str, Agreement] = field(default_factory=dict)

    @property
    def faults(self) -> tuple[str, ...]:
        """What proves that something is wrong: the shared route off a backend's own matrices, violated enclosures, and limits
        that lie outside the guaranteed discs, or outside the guaranteed interval of R_DC.
        """
        found = [fault for route in self.routes for fault in route.faults]
        found += [violation for enclosure in self.enclosures for violation in enclosure.violations]
        found += dict.fromkeys(fault for each in self.electrodes.values() for fault in each.faults)
        if self.direct is not None:
            found += self.direct.faults
        if self.discs is not None:
            for name, limit in self.limits.items():
                outside = ~self.discs.holds(limit.impedance, _known(limit))
                if outside.any():
                    gap = np.abs(limit.impedance - self.discs.centre) / (self.discs.radius + _known(limit))
                    worst = int(np.argmax(np.where(outside, gap, 0.0)))
                    found.append(
                        f"the limit of {name} lies outside the guaranteed disc at {int(outside.sum())} of "
                        f"{self.frequency.size} frequencies, worst at {self.frequency[worst]:.3g} Hz: {gap[worst]:.2g} times "
                        "its radius and the limit's uncertainty together"
                    )
        return tuple(found)

    @property
    def certified(self) -> bool:
        """Whether every guaranteed disc is at most tolerance |Z| in radius, with nothing assumed about limits or orders."""
        return self.discs is not None and bool(np.all(self.discs.radius <= self.tolerance * np.abs(self.discs.centre)))

    @property
    def verdict(self) -> Verdict:
        """Disagree if any frequency does or a bound is violated; agree if all do; unresolved otherwise."""
        if self.faults or np.any(self.verdicts == "disagree"):
            return "disagree"
        return "agree" if np.all(self.verdicts == "agree") else "unresolved"

    @property
    def difference(self) -> Array:
        """Largest |Z_1 - Z_2| over pairs of backends, in ohm, (n,)."""
        pairs = combinations(self.limits.values(), 2)
        return np.asarray(np.max([np.abs(a.impedance - b.impedance) for a, b in pairs], axis=0))

    @property
    def allowance(self) -> Array:
        """Largest u_1 + u_2 over pairs of backends, in ohm, (n,)."""
        pairs = combinations(self.limits.values(), 2)
        return np.asarray(np.max([_known(a) + _known(b) for a, b in pairs], axis=0))

    def combined(self) -> Spectrum:
        """Return the mean of the limits, weighted by 1/u^2, its uncertainty the weighted mean of theirs.

        A limit has one weight for the whole band, by the median of its u/|Z|: what is fitted to the mean then lies between what
        is fitted to each. Weights of each frequency's own would add their jumps to Z, which overlapping arcs blow up.
        """
        values = np.stack([limit.impedance for limit in self.limits.values()])
        widths = np.stack([np.maximum(_known(limit), 1e-300) for limit in self.limits.values()])
        typical = np.median(widths / np.maximum(np.abs(values), 1e-300), axis=1)
        weights = (typical.min() / typical)[:, None] ** 2
        weights = weights / weights.sum()
        found = Spectrum(self.frequency, np.sum(weights * values, 0), np.sum(weights * widths, 0))
        if not self.electrodes:
            return found
        counter = self.electrodes[COUNTER].combined()  # what is left of Z is the other one, so that they sum to it
        working = Spectrum(self.frequency, found.impedance - counter.impedance, _known(found) + _known(counter))
        return replace(found, electrodes={WORKING: working, COUNTER: counter})

    def summary(self) -> str:
        """Return the verdict in one sentence, with where and by how much if it is not 'agree'."""
        size = np.abs(next(iter(self.limits.values())).impedance)
        gap, width = self.difference / size, self.allowance / size
        names = " and ".join(self.limits)
        if self.faults:
            return f"{names} disagree: {self.faults[0]}"
        if self.verdict == "agree":
            return (
                f"{names} agree at all {self.frequency.size} frequencies: they differ by at most {gap.max():.1e} |Z|, "
                f"their uncertainties together are at most {width.max():.1e} |Z|, allowed {self.tolerance:.0e}"
            )
        wrong = self.verdicts == self.verdict
        ratio = np.where(wrong, gap / np.maximum(width, 1e-300) if self.verdict == "disagree" else width, 0.0)
        worst = int(np.argmax(ratio))
        where = f"at {int(wrong.sum())} of {self.frequency.size} frequencies, worst at {self.frequency[worst]:.3g} Hz"
        if self.verdict == "disagree":
            return f"{names} disagree {where}: they differ by {gap[worst]:.1e} |Z|, uncertainties allow {width[worst]:.1e}"
        return (
            f"{names} are unresolved {where}: their uncertainties together are {width[worst]:.1e} |Z|, allowed "
            f"{self.tolerance:.0e}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "verdict": self.verdict,
            "summary": self.summary(),
            "tolerance": self.tolerance,
            "frequency_Hz": self.frequency.tolist(),
            "verdicts": self.verdicts.tolist(),
            "limits": {
                name: {
                    "real_ohm": limit.impedance.real.tolist(),
                    "imag_ohm": limit.impedance.imag.tolist(),
                    "uncertainty_ohm": _known(limit).tolist(),
                }
                for name, limit in self.limits.items()
            },
            "difference_ohm": self.difference.tolist(),
            "allowance_ohm": self.allowance.tolist(),
            "enclosures": [
                {
                    "lower": enclosure.names[0],
                    "upper": enclosure.names[1],
                    "pairs_of_grids": enclosure.pairs,
                    "s_per_second": enclosure.s.tolist(),
                    "lower_ohm": enclosure.lower.tolist(),
                    "upper_ohm": enclosure.upper.tolist(),
                    "violations": list(enclosure.violations),
                }
                for enclosure in self.enclosures
            ],
            "shared_route": [route.as_dict() for route in self.routes],
            "direct_current": None if self.direct is None else self.direct.as_dict(),
            "discs": None if self.discs is None else self.discs.as_dict(),
            "certified": self.certified,
            "faults": list(self.faults),
            "notes": list(self.notes),
            **({"electrodes": {name: each.as_dict() for name, each in self.electrodes.items()}} if self.electrodes else {}),
        }


def compare(
    limits: Mapping[str, Spectrum],
    tolerance: float,
    *,
    enclosures: Sequence[Enclosure] = (),
    discs: Discs | None = None,
    notes: Sequence[str] = (),
    routes: Sequence[RouteCheck] = (),
    direct: DirectCurrent | None = None,
) -> Agreement:
    """Return the agreement of two or more spectra with uncertainties, at the same frequencies.

    At each frequency two spectra agree if |Z_1 - Z_2| <= u_1 + u_2 <= tolerance |Z|, disagree if |Z_1 - Z_2| > u_1 + u_2,
    and are unresolved otherwise. A frequency's verdict is the worst of its pairs'.

    Parameters
    ----------
    limits
        Backend -> spectrum with uncertainty.
    tolerance
        Relative to |Z|, between 0 and 1.
    enclosures
        One per pair of a lower- and an upper-bound backend.
    discs
        Guaranteed ones, where two backends offer them.
    notes
        What else to know.
    routes
        One per backend: how it was solved beside its own matrices.
    direct
        What is known of R_DC, where direct current flows.

    Returns
    -------
    Agreement
        Verdict by frequency, and the whole.

    Raises
    ------
    InputError
        For fewer than two spectra, for different frequencies, for a spectrum without uncertainty, and for another tolerance.
    """
    check_tolerance(tolerance)
    if len(limits) < 2:
        raise InputError(key="backends", value=Written(",".join(limits)), allowed="an agreement takes at least two")
    first = next(iter(limits.values()))
    for name, limit in limits.items():
        if limit.uncertainty is None:
            raise InputError(f"the spectrum of {name} has no uncertainty: an agreement needs one from each")
        if not np.array_equal(limit.frequency, first.frequency):
            raise InputError(f"the spectrum of {name} has other frequencies than that of {next(iter(limits))}")
    verdicts = np.full(first.frequency.size, "agree", dtype="<U10")
    for a, b in combinations(limits.values(), 2):
        allowance = _known(a) + _known(b)
        size = np.minimum(np.abs(a.impedance), np.abs(b.impedance))
        wide, apart = allowance > tolerance * size, np.abs(a.impedance - b.impedance) > allowance
        verdicts = np.where(wide & (verdicts == "agree"), "unresolved", verdicts)
        verdicts = np.where(apart, "disagree", verdicts)
    return Agreement(
        first.frequency, dict(limits), verdicts, tolerance, tuple(enclosures), discs, tuple(notes), tuple(routes), direct
    )


def check_tolerance(tolerance: float) -> None:
    """Raise InputError unless 0 < tolerance < 1."""
    relative_to_z("tolerance", tolerance)


def enclose(lower: Family, upper: Family) -> Enclosure:
    """Return the check Z_lower(s) <= Z_upper(s) at direct current and every shift in the band that the upper one was solved at.

    At those its reduced model is exact; the lower one's may be smaller than its own Z between its shifts, never larger.
    Allowed for is rounding, and what the models say of their own error there.

    Parameters
    ----------
    lower, upper
        Families of the backend that bounds Z from below and of the one that bounds it from above.

    Returns
    -------
    Enclosure
        Both bounds of the finest grids, and a line for every pair of grids that violates the inequality.
    """
    names = (lower.backend.name, upper.backend.name)
    violations, pairs = [], 0
    for under, over in product(lower.solutions, upper.solutions):
        shifts = in_band(over)
        z_below, z_above = under.model.impedance(shifts).real, over.model.impedance(shifts).real
        rounding = ROUNDING + under.model.error(shifts) + over.model.error(shifts)
        wrong = np.flatnonzero(z_below > z_above * (1 + rounding))
        pairs += 1
        if wrong.size:
            worst = wrong[int(np.argmax(z_below[wrong] / z_above[wrong]))]
            violations.append(
                f"the lower bound of {names[0]} ({under.grid.name}), {z_below[worst]:.9g} ohm, exceeds the upper bound of "
                f"{names[1]} ({over.grid.name}), {z_above[worst]:.9g} ohm, at s = {shifts[worst]:.3g} 1/s: one is at fault"
            )
    shifts = np.sort(in_band(upper.finest))
    below, above = (np.asarray(family.finest.model.impedance(shifts).real) for family in (lower, upper))
    return Enclosure(names, shifts, below, above, pairs, tuple(violations))


def in_band(solution: Solution) -> Array:
    """Return the shifts of a model within the band it was made for, which is a decade narrower on both sides, and 0."""
    shifts = solution.model.shifts
    positive = shifts[shifts > 0]
    if not positive.size:
        return shifts
    inside = (shifts >= positive.min() * 9.99) & (shifts <= positive.max() / 9.99)
    return np.asarray(shifts[inside | (shifts == 0)])


def _known(spectrum: Spectrum) -> Array:
    assert spectrum.uncertainty is not None
    return spectrum.uncertainty
