"""A set of references in a folder: cells, spectra, index.json with checksums and formulas, README; and is it reproduced?"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np

from fem_constriction.api import provenance
from fem_constriction.cell.cell import Cell
from fem_constriction.files import json_text, read_text, write_text
from validation.references.computed import ACCURACY, Recomputed
from validation.references.published import INDEX, Reference, checked, data, index, names, sha256

#: Of the set that this code publishes. Numbers never change within a version: other numbers, or other cells, are another one.
VERSION: Final = "1.0.0"
LICENCE: Final = "BSD-3-Clause"
README: Final = "README.md"


def publish(found: Sequence[tuple[str, Recomputed]], folder: Path) -> dict[str, Any]:
    """Write cells (as they are published), spectra, README and index of recomputed references; return the index."""
    records = []
    for name, each in found:
        cell, spectrum = folder / f"{name}.toml", folder / f"{name}.csv"
        write_text(cell, read_text(data() / cell.name))
        each.spectrum.save(spectrum)
        records.append(_record(name, each, cell, spectrum))
    made = {
        "title": "fem-constriction reference spectra",
        "version": VERSION,
        "date": date.today().isoformat(),
        "licence": LICENCE,
        "units": {"frequency": "Hz", "impedance": "ohm (whole cell)", "uncertainty": "ohm"},
        "statement": "|Z - Z_ref| <= u with at least 95 % confidence, Z the impedance of the continuum cell",
        "impedance": "Z_ref = sum_k w_k Z_k / sum_k w_k, w_k = u_k^-2, Z_k and u_k limit and uncertainty of backend k",
        "uncertainty": "u = max_k (|Z_ref - Z_k| + u_k): the disc around Z_ref that contains the discs of both backends",
        "agreement": f"|Z_1 - Z_2| <= u_1 + u_2 <= {2 * ACCURACY:g} |Z| at every frequency, Z_fem <= Z_network at real s",
        "tolerance": 2 * ACCURACY,
        "software": {"python": platform.python_version(), **provenance(found[0][1].cell)["versions"]},
        "references": records,
    }
    write_text(folder / README, read_text(data() / README))
    write_text(folder / INDEX, json_text(made) + "\n")
    return made


def copy_published(folder: Path, only: Sequence[str] = ()) -> list[str]:
    """Copy the published set, or some of it, its checksums verified, and return the names of the files."""
    source = index()
    chosen = [record for record in source["references"] if not only or record["name"] in only]
    written = []
    for record in chosen:
        for what in ("cell", "spectrum"):
            path = checked(data() / record[what], record[f"{what}_sha256"])
            write_text(folder / path.name, read_text(path))
            written.append(path.name)
    write_text(folder / README, read_text(data() / README))
    write_text(folder / INDEX, json_text(source | {"references": chosen}) + "\n")
    return [INDEX, README, *written]


def reproduced(reference: Reference, again: Recomputed, own: bool = False) -> dict[str, Any]:
    """Return whether |Z - Z_ref| <= u_ref at every frequency and direct current, and the largest part of it that was used.

    own: <= u_ref + u instead, for grids coarser than those of the set.
    """
    assert reference.spectrum.uncertainty is not None
    assert again.spectrum.uncertainty is not None
    allowed = reference.spectrum.uncertainty + own * again.spectrum.uncertainty
    part = np.abs(again.spectrum.impedance - reference.spectrum.impedance) / allowed
    worst = int(np.argmax(part))
    direct: float | None = None
    if reference.direct is not None and again.direct is not None:
        direct = abs(again.direct[0] - reference.direct[0]) / (reference.direct[1] + own * again.direct[1])
    same = (reference.direct is None) == (again.direct is None)
    return {
        "name": reference.name,
        "reproduced": bool(same and part[worst] <= 1 and (direct is None or direct <= 1)),
        "largest_part_of_u": float(part[worst]),
        "at_Hz": float(reference.spectrum.frequency[worst]),
        "part_of_u_at_direct_current": direct,
    }


def names_of_set() -> list[str]:
    """Return the names of the published references, then those of cells in the folder that have no spectrum yet."""
    known = names()
    return [*known, *sorted(path.stem for path in data().glob("*.toml") if path.stem not in known)]


def cell_of_set(name: str) -> Cell:
    """Return the cell of a name, before there is a spectrum for it."""
    return Cell.load(data() / f"{name}.toml")


def _record(name: str, each: Recomputed, cell: Path, spectrum: Path) -> dict[str, Any]:
    size = np.abs(each.spectrum.impedance)
    assert each.spectrum.uncertainty is not None
    return {
        "name": name,
        "title": each.cell.title,
        "cell": cell.name,
        "cell_sha256": sha256(cell),
        "spectrum": spectrum.name,
        "spectrum_sha256": sha256(spectrum),
        "frequencies": len(each.spectrum),
        "direct_current": None if each.direct is None else {"R_ohm": each.direct[0], "u_ohm": each.direct[1]},
        "verdict": each.agreement.verdict,
        "largest_difference_of_backends": float(np.max(each.agreement.difference / size)),
        "largest_relative_uncertainty": float(np.max(each.spectrum.uncertainty / size)),
        "grids": dict(each.grids),
    }
