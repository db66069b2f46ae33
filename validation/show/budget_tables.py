"""Budgets as tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text
from scipy.constants import elementary_charge

from fem_constriction.budgets import Part
from fem_constriction.pictures.words import amount
from validation.gate.budgets import Compared, processes_of
from validation.show import report

#: Said instead of R_Cstr where there is nothing that it could be counted from.
NOT_STATED = (
    "R_Cstr is not stated: electrodes in an image are compared with the body whose voids are metal, and no voids beside metal "
    "of the working electrode are named (microstructure.voids), or pores of the collector conduct."
)


def budget_report(found: Sequence[Compared]) -> RenderableType:
    """A table of processes for one cell, one of contact fractions for several."""
    return _processes(found[0]) if len(found) == 1 else _fractions(found)


def _processes(found: Compared) -> Group:
    best, title = found.best, found.cell.title or "Cell"
    total, whole = best.constriction[0], best.resistance[0]
    reference = "1D-PM" if best.problem.body.uniform else "same body under full contact"
    direct, squeezed = [], []
    for name, part in best.parts.items():
        words = name.replace("_", " ")
        unit = "S/m" if part.unit == "1/m" else "S/m^2"
        share = f"{part.direct / whole:.2%}"
        direct.append(
            (words, f"{part.conductance:.4g} {unit}", f"{part.alpha_direct:.5g} {part.unit}", _ohm(part.direct), share,
             _ohm(part.full_contact) if found.stated else "")
        )  # fmt: skip
        each = [column for b in found.budgets.values() for column in _known(b.parts[name], found.stated)]
        share = "" if found.vanished else f"{part.constriction / total:.2%}"
        stated = (f"{part.alpha:.5g} {part.unit}", share) if found.stated else ()
        squeezed.append((words, *stated, *each, *_verdict(found, name)))
    direct.append(("sum", "", "", _ohm(whole), "", _ohm(best.full_contact) if found.stated else ""))
    known = [b.constriction if found.stated else b.resistance for b in found.budgets.values()]
    sums = [column for value, u in known for column in (_ohm(value), _ohm(u, 1))]
    empty = [""] * (2 * (len(found.budgets) > 1))
    squeezed.append(("R_Cstr", "", "", *sums, *empty) if found.stated else ("R_DC", *sums, *empty))
    backends = [column for name in found.budgets for column in (name, "u")]
    judged = ("differ by", "verdict") if len(found.budgets) > 1 else ()
    made: list[RenderableType] = [
        report.table(
            f"{title}: R_DC by process (of {best.backend})",
            ("process", "conductance", "alpha", "part of R_DC", "share", f"of the {reference}" if found.stated else ""),
            direct,
        ),
        report.table(
            f"Geometric constriction resistance R_DC(3D) - R_DC({reference}) by process"
            if found.stated
            else "R_DC by process of each backend",
            ("process", *(("alpha", "share") if found.stated else ()), *backends, *judged),
            squeezed,
        ),
    ]
    if not found.stated:
        made.append(Text(NOT_STATED))
    elif found.vanished:
        made.append(Text("There is no constriction."))
    if (energy := found.energy()) is not None and found.cell.temperature is not None:
        made.append(
            Text(f"Activation energy of R_Cstr at {found.cell.temperature.value:g} K: {energy[0] / elementary_charge:.5g} eV")
        )
    return Group(*made)


def _fractions(found: Sequence[Compared]) -> RenderableType:
    processes = processes_of(found)
    energies = [each.energy() for each in found]
    rows = []
    for each, energy in zip(found, energies, strict=True):
        value, uncertainty = each.best.constriction
        shares = [
            ""
            if each.vanished or not each.stated or name not in each.best.parts
            else f"{each.best.parts[name].constriction / value:.2%}"
            for name in processes
        ]
        verdict = next((v for v in ("disagree", "unresolved", "agree") if v in each.verdicts.values()), "")
        rows.append(
            (
                f"{each.cell.contact_fraction:g}",
                "not stated" if not each.stated else "none" if each.vanished else _ohm(value),
                "" if each.vanished or not each.stated else _ohm(uncertainty, 1),
                *shares,
                *([f"{energy[0] / elementary_charge:.5g} eV" if energy else ""] if any(energies) else []),
                verdict,
            )
        )
    heads = ("A_c/A", "R_Cstr", "u", *(name.replace("_", " ") for name in processes))
    title = "Geometric constriction resistance by process, over contact fraction"
    return report.table(title, (*heads, *(["E_a"] if any(energies) else []), "verdict"), rows)


def _verdict(found: Compared, process: str) -> tuple[str, ...]:
    return (_ohm(found.difference(process)[0], 1), found.verdicts[process]) if len(found.budgets) > 1 else ()


def _known(part: Part, stated: bool) -> tuple[str, str]:
    value, uncertainty = (part.constriction, part.constriction_uncertainty) if stated else (part.direct, part.uncertainty)
    return _ohm(value), _ohm(uncertainty, 1)


def _ohm(value: float, places: int = 3) -> str:
    return amount(value, "ohm", places)
