"""What the commands write: the files of a cross-check, and a spectrum as JSON can hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from fem_constriction.api import provenance
from fem_constriction.files import json_text, write_text
from fem_constriction.spectrum import Spectrum
from validation.result import Result


def write_result(result: Result, out: Path, options: Sequence[str] = ()) -> list[Path]:
    """Write the result, the spectra, the plots and the page; a combined spectrum only if the backends agree.

    options: of the command line, which the page repeats (`page.crosscheck_sections`).
    """
    from validation import disc_plots, page, plots

    limits = result.agreement.limits
    written = [out / "crosscheck.json", *(out / f"{name}.csv" for name in limits)]
    write_text(written[0], json_text(result.as_dict()) + "\n")
    for path, spectrum in zip(written[1:], limits.values(), strict=True):
        spectrum.save(path)
    agreed = out / "agreed.csv"
    if result.agreement.verdict == "agree":
        verdict = {
            "verdict": result.agreement.verdict,
            "summary": result.agreement.summary(),
            "tolerance": result.agreement.tolerance,
            "backends": list(limits),
        }
        replace(result.spectrum, provenance={**provenance(result.cell), "agreement": verdict}).save(agreed)
        written.append(agreed)
    else:  # one of an earlier run would be taken for this one's
        agreed.unlink(missing_ok=True)
        agreed.with_suffix(".json").unlink(missing_ok=True)
    for draw in (plots.nyquist, plots.agreement, plots.convergence):
        written += plots.save(partial(draw, result), out, draw.__name__)
    if result.agreement.discs is not None:
        title = f"{result.cell.title or 'Cell'}: discs that are guaranteed to hold Z"
        written += plots.save(partial(disc_plots.discs, result.agreement.discs, title=title), out, "discs")
    written.append(out / "crosscheck.html")
    subtitle = f"Cross-check of {' and '.join(limits)}"
    page.write_page(written[-1], result.cell.title or "Cell", page.crosscheck_sections(result, options), subtitle)
    return written


def columns(found: Spectrum) -> dict[str, Any]:
    """Return provenance, frequencies (Hz), impedance and its uncertainty (ohm, None: not known)."""
    return {
        **found.provenance,
        "frequency_Hz": found.frequency.tolist(),
        "real_ohm": found.impedance.real.tolist(),
        "imag_ohm": found.impedance.imag.tolist(),
        "uncertainty_ohm": None if found.uncertainty is None else found.uncertainty.tolist(),
    }
