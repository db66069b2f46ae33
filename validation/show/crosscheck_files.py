"""What the commands write: the files of a cross-check, and a spectrum as JSON can hold it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from fem_constriction.api import provenance
from fem_constriction.errors import ConstrictionError, LeftOutWarning
from fem_constriction.solving.reference import COUNTER, WORKING
from validation.gate.result import Result


def write_result(result: Result, out: Path, options: Sequence[str] = ()) -> list[Path]:
    """Write the result, the spectra, the plots and the page; a combined spectrum only if the backends agree.

    options: of the command line, which the page repeats (`page.crosscheck_sections`).
    """
    from fem_constriction.pictures.printed import write
    from validation.show.pictures.agreement import agreement
    from validation.show.pictures.discs import discs
    from validation.show.pictures.grids import convergence
    from validation.show.pictures.plane import nyquist

    limits = result.agreement.limits
    written = [out / "crosscheck.json", *(out / f"{name}.csv" for name in limits)]
    result.save(written[0])
    for path, spectrum in zip(written[1:], limits.values(), strict=True):
        spectrum.save(path)
    written += agreed(result, out)
    # The numbers are safe from here on: a picture that fails is said, and leaves the others.
    for picture in (nyquist, agreement, convergence):
        written += drawn(picture.__name__, lambda picture=picture: write(picture(result), out))  # type: ignore[misc]
    if (guaranteed := result.agreement.discs) is not None:
        title = f"{result.cell.title or 'Cell'}: discs that are guaranteed to hold Z"
        written += drawn("discs", lambda: write(discs(guaranteed, title=title), out))
    written += drawn("crosscheck.html", partial(_page, result, out / "crosscheck.html", options))
    return written


def agreed(result: Result, out: Path) -> list[Path]:
    """Write the spectrum that backends agree on, and those of both electrodes where they agree on them; return the files."""
    path = out / "agreed.csv"
    for name in ("agreed", f"agreed_{WORKING}", f"agreed_{COUNTER}"):  # one of an earlier run would be taken for this one's
        for ending in (".csv", ".json"):
            (out / f"{name}{ending}").unlink(missing_ok=True)
    if result.agreement.verdict != "agree":
        return []
    verdict = {
        "verdict": result.agreement.verdict,
        "summary": result.agreement.summary(),
        "tolerance": result.agreement.tolerance,
        "backends": list(result.agreement.limits),
    }
    apart = result.spectrum.electrodes
    if any(each.verdict != "agree" for each in result.agreement.electrodes.values()):
        apart = {}
    made = {**provenance(result.cell), "agreement": verdict}
    replace(result.spectrum, provenance=made, electrodes=apart).save(path)
    return [path, *(out / f"agreed_{name}.csv" for name in apart)]


def drawn(name: str, write: Callable[[], list[Path]]) -> list[Path]:
    """Return the files of a picture or a page; none, with a warning, if it cannot be made. InputError: a full disk."""
    try:
        return write()
    except ConstrictionError:
        raise
    except Exception as error:  # of a library that draws
        warnings.warn(f"{name} is left out: {type(error).__name__}: {error}", LeftOutWarning, stacklevel=2)
        return []


def _page(result: Result, path: Path, options: Sequence[str]) -> list[Path]:
    from validation.show import page

    subtitle = f"Cross-check of {' and '.join(result.agreement.limits)}"
    page.write_page(path, result.cell.title or "Cell", page.crosscheck_sections(result, options), subtitle)
    return [path]
