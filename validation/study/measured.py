"""What is kept of a point: numbers, texts and arrays, named as the variables of the data set are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from fem_constriction.fitting.values import Value
from fem_constriction.solving.refinement import Family
from fem_constriction.spectra.spectrum import Spectrum
from validation.gate.result import Result, together

Numbers = dict[str, float]
Arrays = dict[str, Any]

#: Verdicts of single frequencies as small integers; -1 stands for a point that was not computed.
FLAGS: Final = {"agree": 0, "unresolved": 1, "disagree": 2}
CONTRIBUTIONS: Final = ("discretisation", "model", "nominal")


def of_result(result: Result) -> tuple[Numbers, dict[str, str], Arrays]:
    """Return what a cross-check says: the agreed spectrum only where the backends agree, the constriction only if extracted."""
    found = result.agreement
    texts = {"verdict": found.verdict, "notes": "; ".join(found.notes), "constriction_note": ""}
    arrays: Arrays = {"verdict_by_frequency": np.array([FLAGS[str(each)] for each in found.verdicts], dtype=float)}
    limits = list(found.limits.values())
    arrays["backend_impedance_real"] = np.stack([limit.impedance.real for limit in limits])
    arrays["backend_impedance_imag"] = np.stack([limit.impedance.imag for limit in limits])
    arrays["backend_uncertainty"] = np.stack([np.asarray(limit.uncertainty, dtype=float) for limit in limits])
    arrays["unknowns"] = np.array([_unknowns(result.families.get(name)) for name in found.limits])
    if found.verdict == "agree":
        arrays |= _spectrum(found.combined())
    if found.discs is not None:
        arrays["disc_centre_real"], arrays["disc_centre_imag"] = found.discs.centre.real, found.discs.centre.imag
        arrays["disc_radius"] = found.discs.radius
    numbers: Numbers = {"resistance_dc": math.inf, "resistance_dc_uncertainty": 0.0}
    if result.geometric is not None:
        numbers["resistance_dc"], numbers["R_geometric"] = result.geometric.direct, result.geometric.value
        own = result.geometric.direct_uncertainty
        numbers["R_geometric_uncertainty"] = result.geometric.uncertainty
        numbers["resistance_dc_uncertainty"] = result.geometric.uncertainty if own is None else own
        if result.geometric.enclosure is not None:
            numbers["R_geometric_lower"], numbers["R_geometric_upper"] = result.geometric.enclosure
    elif flows := {name: known for name, family in result.families.items() if math.isfinite((known := family.resistance())[0])}:
        numbers["resistance_dc"], numbers["resistance_dc_uncertainty"] = together(flows)
    if result.extraction is not None:
        constriction = result.extraction.constriction
        if constriction is not None:
            for letter in ("R", "C", "tau"):
                numbers |= _value(f"{letter}_Cstr", getattr(constriction, letter))
            texts["constriction_note"] = constriction.R.reason or ""
        if result.extraction.residual is not None:
            numbers["fit_residual"] = result.extraction.residual
    return numbers, texts, arrays


def of_family(family: Family, spectrum: Spectrum) -> tuple[Numbers, Arrays]:
    """Return what one backend says of a cell."""
    direct, uncertainty = family.resistance()
    numbers = {"resistance_dc": direct, "resistance_dc_uncertainty": uncertainty, "unknowns": _unknowns(family)}
    return numbers, _spectrum(spectrum)


def _spectrum(spectrum: Spectrum) -> Arrays:
    z = spectrum.impedance
    return {"impedance_real": z.real, "impedance_imag": z.imag, "uncertainty": np.asarray(spectrum.uncertainty, dtype=float)}


def _value(name: str, value: Value) -> Numbers:
    parts: Mapping[str, float | None] = {
        name: value.value,
        **{f"{name}_{part}": getattr(value, part) for part in CONTRIBUTIONS},
    }
    return {key: float(part) for key, part in parts.items() if part is not None}


def _unknowns(family: Family | None) -> float:
    return math.nan if family is None else float(family.finest.description.get("unknowns", math.nan))
