"""Fits to what agrees: to all limits together, to each backend's own, and with the discs carried through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.errors import ConstrictionError, NotExtracted, cut
from fem_constriction.fitting.extraction import Extraction, extract
from fem_constriction.fitting.values import Value
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.refinement import Family
from fem_constriction.spectra.spectrum import Spectrum
from validation.gate.agreement import Agreement
from validation.gate.result import Geometric

#: What a fit may fail with; numerical libraries raise the others where an iteration leaves what is finite.
FAILED = (ConstrictionError, ArithmeticError, ValueError, np.linalg.LinAlgError)

#: Name of the fit to what all backends agree on, and how far two fits to one spectrum may differ, relative.
TOGETHER = "agreed"
SAME_FIT = 1e-6


@dataclass(frozen=True, eq=False)
class Fits:
    """What is fitted to an agreement; whatever becomes of a fit, the agreement stands.

    unfitted: fits that failed, by name, and why.
    """

    problem: Problem
    agreement: Agreement
    families: Mapping[str, Family]
    geometric: Geometric | None
    unfitted: dict[str, str] = field(default_factory=dict)

    @property
    def best_known(self) -> Family:
        """The family whose limit is known best: its relaxations name the arcs."""
        return self.families[min(self.families, key=lambda name: float(np.max(relative(self.agreement.limits[name]))))]

    def extracted(self, spectrum: Spectrum, family: Family) -> Extraction:
        """Return the fit to a spectrum, arcs named by the relaxations of a family."""
        value = None
        if self.geometric is not None:
            value = Value(
                value=self.geometric.value, unit="ohm", discretisation=self.geometric.uncertainty, model=0.0, nominal=0.0
            )
        return extract(
            spectrum.frequency,
            spectrum.impedance,
            uncertainty=spectrum.uncertainty,
            cell=self.problem,
            model=family.relaxing,
            geometric=value,
        )

    def tried(self, name: str, spectrum: Spectrum, family: Family) -> Extraction | None:
        """Return the same, or None with the reason in `unfitted`."""
        try:
            return self.extracted(spectrum, family)
        except FAILED as error:
            known = str(error) if isinstance(error, ConstrictionError) else f"{type(error).__name__}: {error}"
            reason = error.reason if isinstance(error, NotExtracted) else known
            self.unfitted[name] = cut(reason)
            return None

    def together(self) -> Extraction | None:
        """Return the fit to what all backends agree on."""
        return self.tried(TOGETHER, self.agreement.combined(), self.best_known)

    def by_backend(self) -> dict[str, Extraction]:
        """Return the fit to each limit that has one."""
        best = self.best_known
        found = {name: self.tried(name, limit, self.families.get(name, best)) for name, limit in self.agreement.limits.items()}
        return {name: each for name, each in found.items() if each is not None}

    def guaranteed(self) -> Extraction | None:
        """Return the fit with the discs carried through as its discretisation; None without discs."""
        if (discs := self.agreement.discs) is None:
            return None
        agreed = self.agreement.combined()
        reach = np.abs(agreed.impedance - discs.centre) + discs.radius
        return self.tried("discs", Spectrum(agreed.frequency, agreed.impedance, reach), self.best_known)


def relative(limit: Spectrum) -> Array:
    """Return u/|Z| of a limit, which has an uncertainty, (n,)."""
    assert limit.uncertainty is not None
    return limit.uncertainty / np.abs(limit.impedance)


def noted(found: Extraction, by_backend: Mapping[str, Extraction]) -> Extraction:
    """Return the fit with a note of every value that does not lie between those of the backends' own fits."""
    return replace(found, notes=(*found.notes, *beside(found, by_backend)))


def beside(found: Extraction, by_backend: Mapping[str, Extraction]) -> list[str]:
    """Say where a value of the fit to what agrees does not lie between those of the backends' own fits."""
    notes = []
    for letter in ("R", "C", "tau"):
        values = [getattr(each.constriction, letter, None) for each in (found, *by_backend.values())]
        own, *others = [None if value is None else value.value for value in values]
        known = [value for value in others if value is not None]
        if own is None or len(known) < 2:
            continue
        low, high = min(known), max(known)
        if not low * (1 - SAME_FIT) <= own <= high * (1 + SAME_FIT):
            notes.append(
                f"{letter}_Cstr = {own:.5g} lies outside the backends' own fits, {low:.5g} to {high:.5g}: a fit is not "
                "linear in the spectrum, and one to the mean of two spectra need not lie between those to each"
            )
    return notes
