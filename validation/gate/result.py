"""What a cross-check ends with: the agreement, both constriction resistances, and what was extracted, or why nothing was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fem_constriction.api import provenance
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import NotAgreed
from fem_constriction.files import json_text
from fem_constriction.fitting.extraction import Extraction
from fem_constriction.fitting.ladder import Ladder
from fem_constriction.fitting.values import Constriction, Value
from fem_constriction.held import Recorded
from fem_constriction.pictures.picture import Picture
from fem_constriction.pictures.plane import impedance_plane
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.solving.refinement import Family
from fem_constriction.spectra.spectrum import Spectrum
from validation.gate.agreement import Agreement

#: The geometric R_Cstr must be known this well before anything is extracted (it may be a small part of |Z|).
GEOMETRIC = 0.05

#: Part of R_DC below which a geometric R_Cstr is none: what the projection is made for.
VANISHED = 1e-8


def together(by_backend: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    """Return (value, uncertainty) of backends that know something, weighted by 1/u^2."""
    loose = np.maximum([uncertainty for _, uncertainty in by_backend.values()], 1e-300)
    weights = (loose.min() / loose) ** 2  # relative to the best one, which may be exact
    weights /= weights.sum()
    value, uncertainty = (float(weights @ np.array(list(by_backend.values()))[:, i]) for i in (0, 1))
    return value, uncertainty


@dataclass(frozen=True, eq=False)
class Geometric:
    """R_Cstr = R_DC(3D) - R_DC at full contact, ohm: per backend (value, uncertainty), together, and its guaranteed enclosure.

    direct: R_DC itself, ohm; enclosure: (lower, upper) from the finest grids, by conforming potentials and admissible
    currents where backends offer them, else of a lower- and an upper-bound backend; None if there is no such pair.
    electrodes: of two patterned ones that of each by itself, the other one's direct-current conductance spread evenly over its
    face; reference: what full contact is, the 1D-PM or the same body; direct_uncertainty: of `direct`, ohm, None where it is
    that of the value (the reference is exact).
    """

    by_backend: Mapping[str, tuple[float, float]]
    value: float
    uncertainty: float
    direct: float
    enclosure: tuple[float, float] | None
    electrodes: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    reference: str = "1D-PM"
    direct_uncertainty: float | None = None

    @property
    def interaction(self) -> tuple[float, float] | None:
        """What the whole is more than the sum of its electrodes, and its uncertainty, ohm; None of one electrode."""
        if not self.electrodes:
            return None
        values, uncertainties = zip(*self.electrodes.values(), strict=True)
        return self.value - sum(values), self.uncertainty + sum(uncertainties)

    @property
    def resolved(self) -> bool:
        """Known to 5 %, or too small against R_DC to be any (full contact; pores that conduct as the contact does)."""
        vanished = abs(self.value) + self.uncertainty <= VANISHED * self.direct
        return self.uncertainty <= GEOMETRIC * abs(self.value) or vanished


@dataclass(frozen=True, eq=False, repr=False)
class Result(Recorded):
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
    tables
        Of a result from a file, whose grids are not solved any more: `grids`.
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
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    @property
    def grids(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Backend -> a row for each grid: cells, unknowns, seconds, distance to the limit."""
        solved = {name: family.table(self.agreement.frequency) for name, family in self.families.items()}
        return solved or self.tables

    @property
    def constriction(self) -> Constriction:
        """The fitted constriction, .R, .C, .tau, with .R_geometric beside. Raises NotAgreed if nothing was extracted."""
        found = None if self.extraction is None or self.refusal is not None else self.extraction.constriction
        if found is None:
            raise NotAgreed(self.refusal or "nothing was extracted")
        return found

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

    @property
    def heading(self) -> str:
        """The cell, the backends and their verdict."""
        return f"{self.cell.title or 'Cell'}: {' and '.join(self.agreement.limits)} {self._verb()}"

    def _verb(self) -> str:
        if self.extraction is not None and not self.extraction.arcs:
            return "agree; nothing to extract, as no direct current flows"
        if any(enclosure.violations for enclosure in self.agreement.enclosures):
            return "disagree: the enclosure is violated"
        if self.refusal is not None:
            return {"disagree": "disagree", "unresolved": "are unresolved"}.get(self.agreement.verdict, "agree, not extracted")
        return "agree"

    def facts(self) -> tuple[str, list[tuple[str, str]]]:
        """Return the verdict, the constriction as fitted, as the ladder and as geometry has it, or why there is none."""
        rows = [("verdict", self.agreement.summary())]
        if self.geometric is not None:
            value = Value(value=self.geometric.value, unit="ohm", discretisation=self.geometric.uncertainty)
            rows.append(("R_Cstr, geometric", value.text()))
            apart = dict(self.geometric.electrodes)
            if self.geometric.interaction is not None:
                apart["interaction"] = self.geometric.interaction
            for name, (part, doubt) in apart.items():
                words = name.replace("_", " ") + (" alone" if name in self.geometric.electrodes else "")
                rows.append((f"  {words}", Value(value=part, unit="ohm", discretisation=doubt).text()))
        if self.refusal is not None:
            rows.append(("refused", self.refusal))
        elif self.extraction is not None and (found := self.extraction.constriction) is not None:
            rows += [(f"{key}_Cstr, fitted arc", getattr(found, key).text()) for key in ("R", "C", "tau")]
            if self.extraction.ladder is not None:
                rows.append(("R_Cstr, ladder", self.extraction.ladder.R_Cstr.text()))
        return f"Cross-check of {self.cell.title or 'a cell'}", rows

    def picture(self) -> Picture:
        """Return what every backend says, the fitted circuit and its arcs, and the 1D-PM for comparison."""
        found = self.agreement
        return impedance_plane(
            found.limits,
            self.extraction,
            reference=physical(self.cell),
            title=self.heading,
            verdicts=[str(each) for each in found.verdicts],
        )

    def kept(self) -> Result:
        """Return the same without the solved grids, of which the table is kept."""
        return replace(self, families={}, tables=self.grids)

    def to_pandas(self) -> Any:
        """Return a table of all frequencies: each backend, its uncertainty, the verdict.

        Returns
        -------
        pandas.DataFrame
            "NAME: Re(Z)/Ohm", "NAME: Im(Z)/Ohm", "NAME: u(Z)/Ohm" and "verdict" over freq/Hz.
        """
        import pandas as pd

        parts = [limit.to_pandas().add_prefix(f"{name}: ") for name, limit in self.agreement.limits.items()]
        return pd.concat(parts, axis=1).assign(verdict=self.agreement.verdicts)

    def to_xarray(self) -> Any:
        """Return a labelled data set over backend and frequency, with the record of the result.

        Returns
        -------
        xarray.Dataset
            impedance (complex) and uncertainty in ohm over backend and frequency (Hz), verdict over frequency; the record as
            JSON in the attribute `result`.
        """
        import xarray as xr

        names = list(self.agreement.limits)
        parts = [limit.to_xarray().drop_attrs(deep=False) for limit in self.agreement.limits.values()]
        whole = xr.concat(parts, xr.Variable("backend", names), combine_attrs="override")
        verdicts = xr.Variable("frequency", self.agreement.verdicts.astype(str))
        return whole.assign(verdict=verdicts).assign_attrs(result=json_text(self.as_dict()))

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it: versions, cell, grids, values, uncertainties, verdicts, extraction."""
        geometric = self.geometric
        touches = {"working_electrode": self.cell.working_touch, "counter_electrode": self.cell.counter_touch}
        realised = {name: made for name, touch in touches.items() if (made := touch.realised) is not None}
        return {
            **provenance(self.cell),
            **({"realised_contacts": realised} if realised else {}),
            "agreement": self.agreement.as_dict(),
            "grids": {name: list(rows) for name, rows in self.grids.items()},
            "geometric_constriction_resistance": None
            if geometric is None
            else {
                "value_ohm": geometric.value,
                "uncertainty_ohm": geometric.uncertainty,
                "enclosure_ohm": geometric.enclosure,
                "by_backend_ohm": {name: list(pair) for name, pair in geometric.by_backend.items()},
                **({"electrodes_ohm": {k: list(v) for k, v in geometric.electrodes.items()}} if geometric.electrodes else {}),
                **({"interaction_ohm": list(geometric.interaction)} if geometric.interaction else {}),
            },
            "extraction": None if self.extraction is None else self.extraction.as_dict(),
            "extraction_with_discs": None if self.guaranteed is None else self.guaranteed.as_dict(),
            "extraction_by_backend": {name: found.as_dict() for name, found in self.by_backend.items()},
            "fits_that_failed": dict(self.unfitted),
            "refusal": self.refusal,
        }
