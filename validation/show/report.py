"""What the commands print: tables of a result, of a fit and of a cell, each also as what JSON can hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from fem_constriction.cell.cell import Cell
from fem_constriction.fitting.extraction import Element, Extraction, Value
from fem_constriction.pictures.words import amount
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.processes.circuits import CONSTRICTION, Arc
from fem_constriction.processes.temperature import materials
from fem_constriction.reduction.projection import TARGET
from fem_constriction.solving.backends import GROUP
from validation.gate.agreement import Agreement
from validation.gate.result import Geometric, Result
from validation.show.tables import table as table

#: Model contribution, as a part of the value, from which on an arc is said to be hardly determined.
VAGUE = 0.5
_CONTRIBUTIONS = ("discretisation", "model", "nominal")


def task(cell: Cell, backends: Sequence[str], frequency: Sequence[float], tolerance: float) -> Text:
    """What is about to be computed, in one line."""
    low, high = (amount(f, "Hz", 0) for f in (min(frequency), max(frequency)))
    return Text(
        f"{cell.title or 'Cell'}: {' and '.join(backends)}, {len(frequency)} frequencies from {low} to {high}, "
        f"tolerance {tolerance:g} |Z|"
    )


def crosscheck_report(result: Result) -> Group:
    """The verdict, the grids, and what was extracted or why nothing was."""
    parts: list[RenderableType] = [_verdict(result), *_grids(result.grids)]
    if result.geometric is not None:
        parts.append(_geometric(result.geometric, result.extraction))
    if result.extraction is not None:
        parts += arcs(result.extraction, result.by_backend)
    parts += [Text(f"The fit to {_whose(name)} failed: {reason}") for name, reason in result.unfitted.items()]
    return Group(*parts)


def _whose(name: str) -> str:
    return {"agreed": "what agrees", "discs": "it with the discs as its uncertainty"}.get(name, f"{name} alone")


def _verdict(result: Result) -> RenderableType:
    found = result.agreement
    size = np.min([np.abs(limit.impedance) for limit in found.limits.values()], axis=0)
    gap, width = found.difference / size, found.allowance / size
    counts = {verdict: int(np.sum(found.verdicts == verdict)) for verdict in ("agree", "unresolved", "disagree")}
    worst = int(np.argmax(gap))
    rows = [
        ("verdict", f"{found.verdict} ({', '.join(f'{n} {name}' for name, n in counts.items() if n)})"),
        ("largest difference", f"{gap[worst]:.1e} |Z| at {amount(found.frequency[worst], 'Hz', 1)}"),
        ("uncertainties together", f"at most {width.max():.1e} |Z|, allowed {found.tolerance:g} |Z|"),
    ]
    for each in found.enclosures:
        lower, upper = each.names
        width = float(np.max((each.upper - each.lower) / each.upper))
        width_of = f"{width:.1e} wide on the finest" if width > TARGET else "equal to rounding"
        state = f"violated {len(each.violations)} times" if each.violations else f"holds, {width_of}"
        rows.append(("enclosure", f"{lower} <= {upper} at real s, {each.pairs} pairs of grids: {state}"))
    if found.discs is not None:
        reach = float(np.max(found.discs.radius / np.abs(found.discs.centre)))
        state = "certified" if found.certified else "wider than the tolerance, so nothing is certified"
        rows.append(("guaranteed discs", f"radius at most {reach:.1e} |Z|, limits inside: {state}"))
    rows += [(f"{name} electrode", f"{part.verdict}: {_of_electrode(part)}") for name, part in found.electrodes.items()]
    rows += [("shared route", f"{each.backend}: {each.state}") for each in found.routes]
    rows += [("fault", fault) for fault in found.faults]
    rows += [("note", note) for note in found.notes]
    return table("Agreement", ("", ""), rows, left=2)


def _of_electrode(found: Agreement) -> str:
    """How well its spectrum is known, and what bounds it at real s, in words."""
    limits = list(found.limits.values())
    size = np.abs(limits[0].impedance)
    words = (
        f"differ by at most {np.max(found.difference / size):.1e} |Z|, uncertainties {np.max(found.allowance / size):.1e} |Z|"
    )
    for each in found.enclosures:
        low, high = (amount(float(end[0]), "ohm") for end in (each.lower, each.upper))
        words += f"; between {low} and {high} at s = {each.s[0]:.3g} 1/s"
    return words


def _grids(grids: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[RenderableType]:
    rows = [
        (
            name,
            str(row["level"]),
            " x ".join(map(str, row["cells"])),
            f"{row['unknowns']:,}",
            str(row.get("shifts", "")),
            f"{row['seconds']:.1f}",
            f"{row['distance']:.1e}",
        )
        for name, rows_of in grids.items()
        for row in rows_of
    ]
    return [
        table(
            "Grids, and their distance to the limit of their family",
            ("backend", "level", "cells", "unknowns", "shifts", "seconds", "distance / |Z|"),
            rows,
        )
    ]


def _geometric(found: Geometric, extraction: Extraction | None) -> RenderableType:
    fitted = extraction.constriction if extraction is not None else None
    rows = [
        (f"geometric, R_DC(3D) - R_DC({found.reference})", amount(found.value, "ohm"), amount(found.uncertainty, "ohm", 1)),
        *((f"  {name} alone", amount(r, "ohm"), amount(u, "ohm", 1)) for name, (r, u) in found.by_backend.items()),
    ]
    if found.enclosure is not None:
        low, high = (amount(value, "ohm") for value in found.enclosure)
        rows.append(("  enclosed between", f"{low} and {high}", "guaranteed"))
    for name, (value, uncertainty) in found.electrodes.items():
        words = f"{name.replace('_', ' ')} by itself, the other one even"
        rows.append((words, amount(value, "ohm"), amount(uncertainty, "ohm", 1)))
    if found.interaction is not None:
        rows.append(("  their interaction", amount(found.interaction[0], "ohm"), amount(found.interaction[1], "ohm", 1)))
    if fitted is not None:
        spread = [u for u in (fitted.R.discretisation, fitted.R.model, fitted.R.nominal) if u is not None]
        rows.append(
            (
                "fitted, R of the arc",
                amount(fitted.R.value, "ohm"),
                amount(max(spread), "ohm", 1) if spread else fitted.R.reason or "",
            )
        )
    return table("Constriction resistance R_Cstr", ("", "value", "uncertainty"), rows)


def arcs(extraction: Extraction, by_backend: Mapping[str, Extraction] | None = None) -> list[RenderableType]:
    """R, C and tau of every arc, with the three contributions apart, and beside them what each backend gives by itself."""
    others = dict(by_backend or {})
    rows = []
    for name, arc in extraction.arcs.items():
        for letter, value in _values(arc).items():
            parts = [_relative(value, getattr(value, part)) for part in _CONTRIBUTIONS]
            alone = [_alone(other, name, letter) for other in others.values()]
            label = name.replace("_", " ") if letter == next(iter(_values(arc))) else ""
            rows.append((label, letter, _plain(value), *parts, *alone))
    found: list[RenderableType] = []
    if rows:
        heads = ("arc", "", "value", "discr.", "model", "nominal", *others)
        title = f"Fitted circuit ({extraction.weighting} weighting; contributions to the uncertainty in %)"
        found.append(table(title, heads, rows, left=2))
    if not rows:
        found.append(Text("There is no constriction to extract.", style="bold"))
    for reason in dict.fromkeys(_missing(arc) for arc in extraction.removed.values()):
        names = [name.replace("_", " ") for name, arc in extraction.removed.items() if _missing(arc) == reason]
        found.append(Text(f"{', '.join(names)}: {reason}"))
    if extraction.residual is not None:
        found.append(
            Text(
                f"The fit differs from the data by at most {extraction.residual:.1e} |Z|; model: the largest change over "
                f"{extraction.variations - extraction.left_out} other weightings and windows."
            )
        )
    vague = [
        name.replace("_", " ")
        for name, arc in extraction.arcs.items()
        if any(value.known and value.value and _largest(value) > VAGUE * abs(value.value) for value in _values(arc).values())
    ]
    unknown = [
        f"{name.replace('_', ' ')} ({', '.join(letters)})"
        for name, arc in extraction.arcs.items()
        if (letters := [letter for letter, value in _values(arc).items() if value.value is not None and not value.known])
    ]
    if unknown:
        found.append(Text(f"Not determined by the spectrum, their uncertainty is larger than they are: {'; '.join(unknown)}."))
    if vague:
        found.append(Text(f"Hardly determined by the spectrum (uncertain to more than {VAGUE:.0%}): {', '.join(vague)}."))
    if extraction.margins:
        each = ", ".join(f"{name.replace('_', ' ')} {size:.2f}" for name, size in extraction.margins.items())
        found.append(Text(f"Arcs bear their names by margins of {each} (0: another name is as good, 1: no other)."))
    if extraction.ladder is not None:
        found.append(Text(f"{extraction.ladder.text()}."))
    if CONSTRICTION in extraction.arcs:
        found.append(
            Text(
                "The arc of the constriction is what the pores short-circuit when they switch, charge transfer at the contact "
                "included; the geometric resistance is what squeezing adds at direct current. They are two quantities."
            )
        )
    notes = (note if note.startswith(("arc_", "--")) else f"{note[0].upper()}{note[1:]}" for note in extraction.notes)
    return [*found, *(Text(f"{note}.") for note in notes)]


def _largest(value: Value) -> float:
    return max((part for part in (value.discretisation, value.model, value.nominal) if part is not None), default=0.0)


def _missing(arc: Element) -> str:
    limit = f", at most {amount(arc.R.limit, 'ohm')}" if arc.R.limit is not None else ""
    return f"{arc.R.reason}" if arc.R.value is None else f"R = {amount(arc.R.value, 'ohm', 0)}{limit} ({arc.R.reason})"


def _values(arc: Element) -> dict[str, Value]:
    """What an element has: R, C and tau, alpha if a constant-phase element stands for C; L or C alone of one in series."""
    every = {"R": arc.R, "C": arc.C, "tau": arc.tau, "Q": arc.Q, "alpha": arc.alpha, "L": arc.L}
    found = {letter: value for letter, value in every.items() if value is not None}
    return found if arc.tau.value else {letter: value for letter, value in found.items() if value.value}


def _alone(other: Extraction, name: str, letter: str) -> str:
    arc = other.arcs.get(name)
    return "none" if arc is None else _plain(_values(arc)[letter])


def _plain(value: Value) -> str:
    """A value with an SI prefix; a number without a unit as it is."""
    text = amount(value.value, value.unit) if value.unit or value.value is None else f"{value.value:.4f}"
    return text if value.known or value.value is None else f"({text})"


def _relative(value: Value, part: float | None) -> str:
    if part is None:
        return "unknown"
    if not value.value:
        return ""
    share = 100 * abs(part / value.value)
    if not share < 1000:
        return ">1000"
    return "<0.001" if share < 1e-3 else f"{share:.3f}" if share < 1 else f"{share:.1f}"


def derived(cell: Cell) -> dict[str, Any]:
    """What follows from the cell alone, in SI: areas, sides of the contact, materials at T, and the arcs of the 1D-PM."""
    x, y = cell.contact_sides
    return {
        "area_m2": cell.area,
        "contact_area_m2": cell.contact_area,
        "contact_sides_m": [x, y],
        "at_temperature": {} if cell.temperature is None else {key: value for key, (value, _) in materials(cell).items()},
        "1D-PM": {arc.name: {"R_ohm": arc.resistance, "C_F": arc.capacitance, "tau_s": arc.tau} for arc in _arcs(cell)},
    }


def _arcs(cell: Cell) -> Sequence[Arc]:
    """The arcs of the 1D-PM; a label image has none: its links are not in series with each other."""
    return () if cell.electrolyte.microstructure is not None else physical(cell).arcs


def cell_report(cell: Cell, more: Sequence[RenderableType] = ()) -> Group:
    """The cell in SI, and what follows from it; more: what stands below."""
    rows = list(_flat(cell.model_dump(mode="json", exclude_none=True)))
    facts = derived(cell)
    sides = " x ".join(amount(side, "m") for side in facts["contact_sides_m"])
    what = "sides of the contact" if cell.working_electrode.contact.shape == "square" else "extent of the contact"
    rows += [("A", f"{cell.area:g} m^2"), ("A_c", f"{cell.contact_area:g} m^2"), ("A_c/A", f"{cell.contact_fraction:.6g}")]
    rows += [(what, sides)]
    if cell.temperature is not None:
        at = f"at {cell.temperature.value:g} K"
        rows += [(f"{key} {at}", f"{value:.6g} {unit}") for key, (value, unit) in materials(cell).items()]
    circuit = [
        (name.replace("_", " "), amount(arc["R_ohm"], "ohm"), amount(arc["C_F"], "F"), amount(arc["tau_s"], "s"))
        for name, arc in facts["1D-PM"].items()
    ]
    one = "Physical circuit (1D-PM), which knows no constriction"
    circuits = [table(one, ("process", "R", "C", "tau"), circuit)] if circuit else []
    return Group(table("Cell", ("key", "value"), rows, left=2), *circuits, *more)


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
            for number, item in enumerate(value):
                yield from _flat(item, f"{prefix}{key}.{number}.")
        else:
            yield prefix + key, _listed(key, value) if isinstance(value, list) else str(value)


def _listed(key: str, values: list[Any]) -> str:
    """Lengths of edges as a x b, points and lists of them with commas."""
    if values and isinstance(values[0], list):
        return "; ".join(_listed("centre", value) for value in values)
    return (", " if key == "centre" else " x ").join(map(str, values))


def backend_rows() -> list[dict[str, Any]]:
    """Every installed backend: name, module, bound and order, or why it cannot be loaded."""
    rows = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        row: dict[str, Any] = {"name": point.name, "module": point.value, "bound": None, "order": None, "error": None}
        rows.append(row | _loaded(point))
    return rows


def _loaded(point: EntryPoint) -> dict[str, Any]:
    try:
        backend = point.load()()
        return {"bound": backend.bound, "order": getattr(backend, "order", None)}
    except Exception as error:  # anyone's plug-in
        return {"error": f"{type(error).__name__}: {error}"}


def backend_report(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Backends as a table."""
    lines = [
        (
            row["name"],
            row["module"],
            row["error"] or row["bound"] or "none",
            "" if row["order"] is None else f"{row['order']:g}",
        )
        for row in rows
    ]
    return table("Backends", ("name", "module", "bound", "order"), lines, left=3)
