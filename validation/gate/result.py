"""What a cross-check ends with: the agreement, both constriction resistances, and what was extracted, or why nothing was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fem_constriction.api import provenance
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import NotAgreed
from fem_constriction.fitting.extraction import Extraction
from fem_constriction.fitting.ladder import Ladder
from fem_constriction.solving.refinement import Family
from fem_constriction.spectra.spectrum import Spectrum
from validation.gate.agreement import Agreement

#: The geometric R_Cstr must be known this well before anything is extracted (it may be a small part of |Z|).
GEOMETRIC = 0.05

#: Part of R_DC below which a geometric R_Cstr is none: what the projection is made for.
VANISHED = 1e-8


@dataclass(frozen=True, eq=False)
class Geometric:
    """R_Cstr = R_DC(3D) - R_DC(1D-PM), ohm: per backend (value, uncertainty), together, and its guaranteed enclosure.

    direct: R_DC itself, ohm; enclosure: (lower, upper) from the finest grids, by conforming potentials and admissible
    currents where backends offer them, else of a lower- and an upper-bound backend; None if there is no such pair.
    """

    by_backend: Mapping[str, tuple[float, float]]
    value: float
    uncertainty: float
    direct: float
    enclosure: tuple[float, float] | None

    @property
    def resolved(self) -> bool:
        """Known to 5 %, or too small against R_DC to be any (full contact; pores that conduct as the contact does)."""
        vanished = abs(self.value) + self.uncertainty <= VANISHED * self.direct
        return self.uncertainty <= GEOMETRIC * abs(self.value) or vanished


@dataclass(frozen=True, eq=False)
class Result:
    """A cell, two or more backends, their agreement, and what was extracted, or why nothing was.

    Parameters
    ----------
    cell
        What was solved.
    families
        Backend -> its grids, solved.
    agreement
        Verdicts, enclosures and discs.
    geometric
        R_DC less that of the one-dimensional circuit, in ohm; None where no direct current flows.
    extraction
        The fit to what the backends agree on; None unless they do.
    by_backend
        The same fit to each backend's own limit.
    guaranteed
        The same fit with the discs carried through it as its discretisation contributions (the discs are guaranteed, the first
        order of the fit is not); None without discs.
    refusal
        Why nothing was extracted; None where something was.
    unfitted
        Fits that failed, "agreed", by backend or "discs", and why.
    """

    cell: Cell
    families: Mapping[str, Family]
    agreement: Agreement
    geometric: Geometric | None
    extraction: Extraction | None
    by_backend: Mapping[str, Extraction]
    guaranteed: Extraction | None
    refusal: str | None
    unfitted: Mapping[str, str] = field(default_factory=dict)

    @property
    def constriction(self) -> Any:
        """The fitted constriction, .R, .C, .tau, with .R_geometric beside. Raises NotAgreed if nothing was extracted."""
        if self.extraction is None or self.refusal is not None:
            raise NotAgreed(self.refusal or "nothing was extracted")
        return self.extraction.constriction

    @property
    def ladder(self) -> Ladder | None:
        """The same fit read as C_pore || (R_Cstr + R_CT || C_CT), whose R_Cstr compares with the geometric one.

        .R_Cstr, .C_pore, .R_CT, .C_CT; None without two arcs of the interface. Raises NotAgreed if nothing was extracted.
        """
        if self.extraction is None or self.refusal is not None:
            raise NotAgreed(self.refusal or "nothing was extracted")
        return self.extraction.ladder

    @property
    def spectrum(self) -> Spectrum:
        """The limits of all backends together, in ohm."""
        return self.agreement.combined()

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it: versions, cell, grids, values, uncertainties, verdicts, extraction."""
        geometric = self.geometric
        return {
            **provenance(self.cell),
            "agreement": self.agreement.as_dict(),
            "grids": {name: family.table(self.agreement.frequency) for name, family in self.families.items()},
            "geometric_constriction_resistance": None
            if geometric is None
            else {
                "value_ohm": geometric.value,
                "uncertainty_ohm": geometric.uncertainty,
                "enclosure_ohm": geometric.enclosure,
                "by_backend_ohm": {name: list(pair) for name, pair in geometric.by_backend.items()},
            },
            "extraction": None if self.extraction is None else self.extraction.as_dict(),
            "extraction_with_discs": None if self.guaranteed is None else self.guaranteed.as_dict(),
            "extraction_by_backend": {name: found.as_dict() for name, found in self.by_backend.items()},
            "fits_that_failed": dict(self.unfitted),
            "refusal": self.refusal,
        }
