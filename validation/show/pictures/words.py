"""What pictures say in the same words: the verdict of a cross-check, and what a point of a spectrum tells."""

from __future__ import annotations

from fem_constriction.pictures.picture import prefix
from fem_constriction.processes.circuits import SERIES
from fem_constriction.spectra.spectrum import Spectrum
from validation.gate.result import Result
from validation.show.report import amount


def heading(result: Result) -> str:
    """Return the cell, the backends and their verdict."""
    return f"{result.cell.title or 'Cell'}: {' and '.join(result.agreement.limits)} {_verb(result)}"


def _verb(result: Result) -> str:
    if result.extraction is not None and not result.extraction.arcs:
        return "agree; nothing to extract, as no direct current flows"
    if any(enclosure.violations for enclosure in result.agreement.enclosures):
        return "disagree: the enclosure is violated"
    if result.refusal is not None:
        return {"disagree": "disagree", "unresolved": "are unresolved"}.get(result.agreement.verdict, "agree, not extracted")
    return "agree"


def told(name: str, spectrum: Spectrum, k: int, verdict: str = "") -> str:
    """Return what point k of a spectrum tells: frequency, impedance, uncertainty, verdict."""
    z = spectrum.impedance[k]
    unit, letter = prefix(float(abs(z)))
    lines = [
        name,
        f"f = {amount(float(spectrum.frequency[k]), 'Hz')}",
        f"Z = {z.real / unit:.6g} \N{MINUS SIGN} {-z.imag / unit:.6g} i {letter}ohm",
    ]
    if spectrum.uncertainty is not None:
        lines.append(f"u = {amount(float(spectrum.uncertainty[k]), 'ohm', 2)}")
    return "\n".join([*lines, verdict] if verdict else lines)


def arc_words(name: str) -> str:
    """Return what an arc is called."""
    return "R_elec" if name == SERIES else name.replace("_", " ")
