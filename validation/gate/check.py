"""Backends and what they say of one problem: agreement, geometric resistance, refusal, result, and what is refined next.

A `Crosscheck` is frozen. What follows from it is worked out when it is asked for, and refining gives another one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product

import numpy as np

from fem_constriction.api import spectrum_of
from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.refinement import FIRST_LEVELS, Family, refine
from validation.discs.certificate import Discs
from validation.gate.agreement import Agreement, compare, enclose
from validation.gate.direct_current import DirectCurrent
from validation.gate.electrodes import electrodes_apart
from validation.gate.families import Progress
from validation.gate.fits import TOGETHER, Fits, noted, relative
from validation.gate.geometric import geometric_resistance
from validation.gate.result import GEOMETRIC, Geometric, Result
from validation.gate.shared_route import RouteCheck
from validation.gate.spectra_alone import Told
from validation.gate.spread import geometric_by_spreading

#: Why there is no geometric R_Cstr of electrodes in an image.
NO_REFERENCE = (
    "no geometric R_Cstr is stated: microstructure.voids names no voids beside metal of the working electrode, which a whole "
    "contact would fill, or pores of the collector conduct"
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Crosscheck:
    """What backends say of one problem, as far as their grids are refined.

    Parameters
    ----------
    problem, points, tolerance
        What is solved, at which frequencies in Hz, and what |Z_1 - Z_2| is compared with, relative to |Z|.
    families
        Backend -> its grids, solved.
    discs
        Guaranteed ones, which no refinement changes, or None; `lacking`: why not, where that is worth a note.
    told
        Backend that gives spectra alone -> what it says.
    bounding
        Families that bound Z from a side that none of the others does: for enclosures alone.
    routes
        Of each backend, how it is solved beside its own matrices.
    even
        Families of the same body under full contact, where no one-dimensional circuit describes it (`spread`).
    """

    problem: Problem
    points: Array
    tolerance: float
    families: Mapping[str, Family]
    told: Mapping[str, Told] = field(default_factory=dict)
    bounding: Sequence[Family] = ()
    routes: tuple[RouteCheck, ...] = ()
    even: Mapping[str, Family] = field(default_factory=dict)
    discs: Discs | None = None
    lacking: str = ""

    @cached_property
    def agreement(self) -> Agreement:
        """A verdict per frequency, from limits, enclosures and discs."""
        limits = {name: spectrum_of(family, self.points) for name, family in self.families.items()}
        limits |= {name: each.spectrum for name, each in self.told.items()}
        pairs = product([*self.families.values(), *self.bounding], repeat=2)
        enclosures = [enclose(one, other) for one, other in pairs if (one.bound, other.bound) == ("lower", "upper")]
        notes = []
        if not enclosures:
            notes.append("no pair of a lower-bound and an upper-bound backend: no enclosure was checked")
        if self.discs is None and self.lacking:
            notes.append(self.lacking)
        if not self.problem.body.uniform and self.direct is not None and not self.even:
            notes.append(NO_REFERENCE)
        notes += [note for name, family in self.families.items() if (note := self._loose(name, family))]
        found = compare(
            limits,
            self.tolerance,
            enclosures=enclosures,
            discs=self.discs,
            notes=notes,
            routes=self.routes,
            direct=self.direct,
        )
        if self.problem.reference is not None:
            apart = electrodes_apart(limits, self.families, self.tolerance)
            without = () if apart else ("fewer than two backends tell the electrodes' spectra apart: they are not compared",)
            found = replace(found, electrodes=apart, notes=(*found.notes, *without))
        if found.verdict == "unresolved" and not self.problem.body.uniform:
            found = replace(found, notes=(*found.notes, self._finer(found)))
        return found

    def _finer(self, found: Agreement) -> str:
        """Which grids resolve it: u falls with the observed order, and each backend has its part of the tolerance."""
        size = np.abs(np.mean([limit.impedance for limit in found.limits.values()], axis=0))
        worst = int(np.argmax(found.allowance / size))
        ways = []
        for name, family in self.families.items():
            limit = family.limit(self.points)
            known, order = limit.uncertainty[worst] / size[worst], limit.order[worst]
            falls = float(np.clip(order, family.order / 2, 2.0)) if np.isfinite(order) else family.order / 2
            levels = max(0, math.ceil(math.log2(len(self.families) * known / self.tolerance) / falls))
            finer = self.problem.body.finer(family.finest.grid.shape[2], 2**levels)
            ways.append(f"{name} with {finer} ({known:.1e} |Z| now, order {falls:.2g})")
        return (
            f"unresolved by {found.allowance[worst] / size[worst] / self.tolerance:.2g} times the tolerance at "
            f"{self.points[worst]:.3g} Hz; as observed orders go, what resolves it is {' and '.join(ways)}"
        )

    def _loose(self, name: str, family: Family) -> str:
        """Where a family is outside its asymptotic range and it matters, in words; "" where nowhere."""
        limit = family.limit(self.points)
        loose = ~limit.asymptotic & (limit.uncertainty > self.tolerance / 100 * np.abs(limit.value))
        if not loose.any():
            return ""
        return (
            f"{name}: outside the asymptotic range at {int(loose.sum())} of {self.points.size} frequencies, where the "
            f"uncertainty, at most {np.max((limit.uncertainty / np.abs(limit.value))[loose]):.1e} |Z|, allows for the slowest "
            "convergence that they admit"
        )

    @cached_property
    def geometric(self) -> Geometric | None:
        """R_DC(3D) - R_DC(1D-PM), or less that of the body under full contact; None where no direct current flows."""
        if not self.problem.body.uniform:
            return geometric_by_spreading(self.families, self.even) if self.even else None
        return geometric_resistance(self.problem, self.direct, self.families)

    @cached_property
    def direct(self) -> DirectCurrent | None:
        """What is known of R_DC; None where no direct current flows."""
        if not self.problem.direct_current:
            return None
        return DirectCurrent.of(self.families, self.told, self.bounding, self.discs)

    @property
    def settled(self) -> bool:
        """Whether finer grids would change nothing: a disagreement, or an agreement with all that extraction needs."""
        known = self.geometric is None or self.geometric.resolved
        return self.agreement.verdict == "disagree" or (self.agreement.verdict == "agree" and known)

    @property
    def widest(self) -> str:
        """The backend with the largest uncertainty of what is not resolved yet.

        The constriction resistance is the mean of theirs, weighted by 1/u^2: one that is known well is enough, and where half
        of its uncertainty would be, the cheapest of those that are not refined yet is taken.
        """
        if self.agreement.verdict == "agree" and self.geometric is not None:
            u = {name: each for name, (_, each) in self.geometric.by_backend.items()}
            within = 2 * GEOMETRIC * abs(self.geometric.value)
            fresh = [name for name in u if name in self.families and len(self.families[name].solutions) == len(FIRST_LEVELS)]
            cheap = [name for name in fresh if u[name] <= within]
            if cheap:
                return min(cheap, key=lambda name: self.families[name].finest.seconds)
            return max(u, key=lambda name: u[name])
        limits = self.agreement.limits
        return max(limits, key=lambda name: float(np.max(relative(limits[name]))))

    def refined(self, progress: Progress | None = None) -> Crosscheck | None:
        """Return it with the next finer grid of the widest backend; None where that has none, or memory ends it.

        Each backend is refined once: a level more rarely tells what this one did not.
        """
        name, band = self.widest, self.problem.band
        if band is None or name not in self.families or len(self.families[name].solutions) > len(FIRST_LEVELS):
            return None
        try:
            finer = refine(self.families[name], band)
        except (InputError, ComputationError):
            return None
        if progress is not None:
            progress(name, len(finer.solutions) - 1)
        even = dict(self.even)
        if name in even:
            even[name] = finer if even[name] is self.families[name] else refine(even[name], None)
        return replace(self, families={**self.families, name: finer}, even=even)

    @property
    def refusal(self) -> str | None:
        """Why nothing is extracted, with where and by how much; None where it may be."""
        return refusal_of(self.agreement, self.geometric)

    def result(self, *, every_fit: bool = True) -> Result:
        """Return what it ends with; every_fit: that of each backend and that with the discs as well."""
        result = Result(self.problem.cell, self.families, self.agreement, self.geometric, None, {}, None, self.refusal)
        if self.refusal is not None:
            return result
        fits = Fits(self.problem, self.agreement, self.families, self.geometric)
        extraction = fits.together()
        refusal = f"nothing is extracted: {fits.unfitted[TOGETHER]}" if extraction is None else extraction.refusal
        by_backend = fits.by_backend() if every_fit else {}
        guaranteed = fits.guaranteed() if every_fit else None
        return replace(
            result,
            extraction=noted(extraction, by_backend) if extraction is not None and every_fit else extraction,
            by_backend=by_backend,
            guaranteed=guaranteed,
            refusal=refusal,
            unfitted=fits.unfitted,
        )


def refusal_of(agreement: Agreement, geometric: Geometric | None) -> str | None:
    """Return why nothing is extracted from spectra that are compared like this; None where it may be."""
    if agreement.verdict != "agree":
        return f"nothing is extracted: {agreement.summary()}"
    if geometric is not None and not geometric.resolved:
        return (
            f"nothing is extracted: the geometric constriction resistance is {geometric.value:.4g} ohm, known to "
            f"{geometric.uncertainty:.2g} ohm only, and {GEOMETRIC:.0%} of it are needed"
        )
    return None
