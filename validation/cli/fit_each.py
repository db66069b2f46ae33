"""`fem-constriction fit FILE FILE ...` without --circuit: a table of what each file holds, and which circuit describes it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from fem_constriction.errors import ComputationError, InputError
from fem_constriction.files import json_text, write_text
from fem_constriction.fitting.extraction import fit_spectrum
from fem_constriction.fitting.kramers_kronig import densest
from fem_constriction.spectra import sweeps
from fem_constriction.spectra.spectrum import Spectrum
from validation.show import report, terminal

#: Keys of a row, in the order of the columns; what a user reads above them.
COLUMNS: Final = {
    "file": "file",
    "format": "format",
    "points": "points",
    "circuit": "circuit",
    "rms": "misfit",
    "largest": "largest",
    "kramers_kronig": "Kramers-Kronig",
    "noise": "noise",
    "fits": "described",
}


def fit_of_each(
    files: Sequence[Path], sweep: str | None, noise: float | None, out: Path | None, as_json: bool, quiet: bool
) -> int:
    """Fit every file by itself; exit status 1 if a circuit does not describe its data, 2 if a file is none."""
    if out is not None:
        terminal.check_folder(out.parent if out.suffix == ".json" else out, [])
    rows = []
    with terminal.counted("fits", len(files), quiet) as count:
        for number, file in enumerate(files, 1):
            rows.append(terminal.aside(partial(_row, file, sweep, noise))())
            count(number)
    if out is not None:
        write_text(out if out.suffix == ".json" else out / "fit.json", json_text({"files": rows}) + "\n")
    if out is not None and out.suffix != ".json":
        write_text(out / "fits.csv", _csv(rows))
    terminal.show({"files": rows}, lambda: _table(rows), as_json, quiet)
    for row in rows:
        if "refused" in row:
            terminal.say(row["refused"])
    return 2 if any("refused" in row for row in rows) else 0 if all(row["fits"] for row in rows) else 1


def _row(file: Path, sweep: str | None, noise: float | None) -> dict[str, Any]:
    """What one file holds and says; why not, where it does not."""
    try:
        whole = sweeps.sweep(Spectrum.load(file), sweep)
        data, _ = sweeps.prepared(whole)
        found = fit_spectrum(data, None, noise=noise)
        tested = densest(data)
    except InputError as error:
        return {"file": file.name, "refused": str(error if error.file else error.at(file))}
    except ComputationError as error:
        return {"file": file.name, "refused": f"{file}: {error}"}
    known, measured = found.statistics, data.provenance.get("measured") or {}
    return {
        "file": file.name,
        "format": measured.get("format", "text"),
        "points": len(whole),
        "circuit": known.get("circuit", ""),
        "rms": known.get("rms"),
        "largest": found.residual,
        "kramers_kronig": {"largest": tested.largest, "per_decade": tested.per_decade} if tested.enough else None,
        "noise": known.get("noise"),
        "fits": found.fits,
    }


def _table(rows: Sequence[dict[str, Any]]) -> RenderableType:
    told = [[_cell(key, row.get(key)) for key in COLUMNS] for row in rows if "refused" not in row]
    remark = (
        "Misfit: root of the mean square, and the largest, of |Z|. Kramers-Kronig, KK: largest residual (elements per decade). "
        "Noise: as given, from repeats, or from what KK does not allow. Described: whether the misfit is within the noise."
    )
    return Group(report.table("Each file by itself; not cross-checked", tuple(COLUMNS.values()), told, left=4), Text(remark))


def _cell(key: str, value: Any) -> str:
    if value is None:
        return "not known" if key == "noise" else "not tested"
    if key == "kramers_kronig":
        return f"{value['largest']:.2g} ({value['per_decade']})"
    if key == "noise":
        return f"{value['size']:.2g} ({value['source'].removesuffix(' residuals')})".replace("Kramers-Kronig", "KK")
    if key == "fits":
        return "yes" if value else "no"
    return f"{value:.2g}" if isinstance(value, float) else str(value)


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, "refused"])
    for row in rows:
        known = row.get("kramers_kronig") or {}
        values = row | {"kramers_kronig": known.get("largest"), "noise": (row.get("noise") or {}).get("size")}
        writer.writerow([values.get(key, "") for key in COLUMNS] + [row.get("refused", "")])
    return text.getvalue()
