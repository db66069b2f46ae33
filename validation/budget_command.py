"""`fem-constriction budget`: the parts of R_DC and R_Cstr by process, backends side by side; exit status 1 if they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text
from scipy.constants import elementary_charge

from fem_constriction import budgets
from fem_constriction.admittance import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from fem_constriction.api import provenance
from fem_constriction.backends import Backend, backend_named
from fem_constriction.budgets import Budget, Part
from fem_constriction.capabilities import require
from fem_constriction.cell import Cell
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.files import json_text, write_text
from validation import report, terminal
from validation.agreement import Verdict
from validation.options import CellFile, Json, Quiet
from validation.result import GEOMETRIC, VANISHED

FRACTION = "working_electrode.contact.fraction"
ORDER = (BULK, GRAIN_BOUNDARY, CHARGE_TRANSFER, PORE, COUNTER_ELECTRODE)


@dataclass(frozen=True, eq=False, kw_only=True)
class Compared:
    """One cell's budgets, one per backend, and the verdict on each process (none with one backend alone)."""

    cell: Cell
    budgets: Mapping[str, Budget]

    @property
    def best(self) -> Budget:
        """The budget whose R_Cstr is known best."""
        return min(self.budgets.values(), key=lambda found: found.constriction[1])

    @property
    def vanished(self) -> bool:
        """Whether there is no constriction: less of R_DC than is solved for."""
        value, uncertainty = self.best.constriction
        return abs(value) + uncertainty <= VANISHED * self.best.resistance[0]

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """Agree if |P_1 - P_2| <= u_1 + u_2 <= 5 % of R_Cstr for every pair, disagree if one differs by more, or unresolved."""
        found: dict[str, Verdict] = {}
        widest = max(GEOMETRIC * abs(self.best.constriction[0]), VANISHED * self.best.resistance[0])
        for process in self.best.parts if len(self.budgets) > 1 else ():
            gap, width = self.difference(process)
            found[process] = "disagree" if gap > width else "agree" if width <= widest else "unresolved"
        return found

    def difference(self, process: str) -> tuple[float, float]:
        """Return (|P_1 - P_2|, u_1 + u_2) in ohm of the pair that differs most for its uncertainties."""
        each = [found.parts[process] for found in self.budgets.values()]
        pairs = [(a, b) for i, a in enumerate(each) for b in each[i + 1 :]]
        gaps = [(abs(a.direct - b.direct), a.uncertainty + b.uncertainty) for a, b in pairs]
        return max(gaps, key=lambda pair: pair[0] / pair[1])

    def energy(self) -> tuple[float, float] | None:
        """Return the activation energy of R_Cstr in J, None without constriction or temperature."""
        if self.cell.temperature is None or self.vanished:
            return None
        try:
            return budgets.activation_energy(self.best)
        except ComputationError:
            return None

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        energy = self.energy()
        return {
            "fraction": self.cell.contact_fraction,
            "verdicts": self.verdicts,
            "activation_energy_J": None if energy is None else {"value": energy[0], "uncertainty": energy[1]},
            "backends": {name: found.as_dict() for name, found in self.budgets.items()},
        }


def processes_of(found: Sequence[Compared]) -> list[str]:
    """Return the processes that any of the cells has, in the order of current flow."""
    return [name for name in ORDER if any(name in each.best.parts for each in found)]


def compare(cells: Sequence[Cell], chosen: Sequence[Backend], progress: Callable[[int], None] | None = None) -> list[Compared]:
    """Return the budgets of cells on every backend; progress(cells that are done) is called after each."""
    found = []
    for done, cell in enumerate(cells, start=1):
        found.append(Compared(cell=cell, budgets={each.name: budgets.budget(cell, backend=each) for each in chosen}))
        if progress is not None:
            progress(done)
    return found


def budget(
    cell_file: CellFile,
    backends: Annotated[str, typer.Option(help="One backend or more, with commas between.")] = "network,fem",
    fractions: Annotated[
        str | None, typer.Option(metavar="0.04,0.25,...", help="Contact fractions.", show_default="that of the cell")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for budget.json and, over fractions, a picture.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Say how much of R_DC and of the constriction resistance each process makes, from two backends side by side."""
    cell = Cell.load(cell_file)
    names = list(dict.fromkeys(name.strip() for name in backends.split(",") if name.strip()))
    if not names:
        raise InputError(f"--backends = {backends!r} is not allowed: name at least one backend")
    chosen = terminal.named("--backends", lambda: [backend_named(name) for name in names])
    cells = [cell] if fractions is None else _over(cell, fractions)
    require("budget", cell, chosen)
    for each in cells:
        budgets.check_flows(each)
    if out is not None:
        terminal.check_folder(out, [])
    with terminal.counted("budgets", len(cells), quiet) as step:
        found = terminal.aside(partial(compare, cells, chosen, step))()
    record = {**provenance(cell), "budgets": [each.as_dict() for each in found]}
    written = [] if out is None else _write(record, found, out)
    terminal.show(record, lambda: budget_report(found), as_json, quiet)
    if written and not (quiet or as_json):
        terminal.console().print(f"Written to {out}: {', '.join(path.name for path in written)}")
    wrong = [(one, name, verdict) for one in found for name, verdict in one.verdicts.items() if verdict != "agree"]
    for one, name, verdict in wrong[:1]:
        gap, width = one.difference(name)
        terminal.say(
            f"{' and '.join(one.budgets)} {'are ' * (verdict == 'unresolved')}{verdict} on {name} at contact fraction "
            f"{one.cell.contact_fraction:g}: they differ by {gap:.2g} ohm, uncertainties {width:.2g} ohm"
        )
    return 1 if wrong else 0


def _over(cell: Cell, fractions: str) -> list[Cell]:
    """The cell at other contact fractions, ascending."""
    values = set()
    for part in filter(None, map(str.strip, fractions.split(","))):
        try:
            values.add(float(part))
        except ValueError:
            raise InputError(f"--fractions = {part!r} is not allowed: numbers from 0 to 1, with commas between") from None
    if not values:
        raise InputError(f"--fractions = {fractions!r} is not allowed: numbers from 0 to 1, with commas between")
    return [cell.vary({FRACTION: value}) for value in sorted(values)]


def _write(record: Mapping[str, Any], found: Sequence[Compared], folder: Path) -> list[Path]:
    path = folder / "budget.json"
    write_text(path, json_text(record) + "\n")
    if sum(not each.vanished for each in found) < 2:
        return [path]
    from validation import budget_plots, plots

    title = "Geometric constriction resistance by process, over contact fraction"
    return [path, *plots.save(lambda: budget_plots.over_fraction(found, title), folder, "budget")]


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
    return report.amount(value, "ohm", places)
