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


def budget_report(found: Sequence[Compared]) -> RenderableType:
    """A table of processes for one cell, one of contact fractions for several."""
    return _processes(found[0]) if len(found) == 1 else _fractions(found)


def _processes(found: Compared) -> Group:
    best, title = found.best, found.cell.title or "Cell"
    total, whole = best.constriction[0], best.resistance[0]
    direct, squeezed = [], []
    for name, part in best.parts.items():
        words = name.replace("_", " ")
        unit = "S/m" if part.unit == "1/m" else "S/m^2"
        share = f"{part.direct / whole:.2%}"
        direct.append(
            (words, f"{part.conductance:.4g} {unit}", f"{part.alpha_direct:.5g} {part.unit}", _ohm(part.direct), share,
             _ohm(part.one_dimensional))
        )  # fmt: skip
        each = [column for b in found.budgets.values() for column in _known(b.parts[name])]
        share = "" if found.vanished else f"{part.constriction / total:.2%}"
        squeezed.append((words, f"{part.alpha:.5g} {part.unit}", share, *each, *_verdict(found, name)))
    direct.append(("sum", "", "", _ohm(whole), "", _ohm(best.one_dimensional)))
    sums = [column for b in found.budgets.values() for column in (_ohm(b.constriction[0]), _ohm(b.constriction[1], 1))]
    squeezed.append(("R_Cstr", "", "", *sums, *[""] * (2 * (len(found.budgets) > 1))))
    backends = [column for name in found.budgets for column in (name, "u")]
    judged = ("differ by", "verdict") if len(found.budgets) > 1 else ()
    made: list[RenderableType] = [
        report.table(
            f"{title}: R_DC by process (of {best.backend})",
            ("process", "conductance", "alpha", "part of R_DC", "share", "of the 1D-PM"),
            direct,
        ),
        report.table(
            "Geometric constriction resistance R_DC(3D) - R_DC(1D-PM) by process",
            ("process", "alpha", "share", *backends, *judged),
            squeezed,
        ),
    ]
    if found.vanished:
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
            "" if each.vanished or name not in each.best.parts else f"{each.best.parts[name].constriction / value:.2%}"
            for name in processes
        ]
        verdict = next((v for v in ("disagree", "unresolved", "agree") if v in each.verdicts.values()), "")
        rows.append(
            (
                f"{each.cell.contact_fraction:g}",
                "none" if each.vanished else _ohm(value),
                "" if each.vanished else _ohm(uncertainty, 1),
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


def _known(part: Part) -> tuple[str, str]:
    return _ohm(part.constriction), _ohm(part.uncertainty, 1)


def _ohm(value: float, places: int = 3) -> str:
    return amount(value, "ohm", places)
