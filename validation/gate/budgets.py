"""Budgets of two backends, compared: which process makes how much of R_DC and of R_Cstr."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fem_constriction import budgets
from fem_constriction.budgets import Budget
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import ComputationError
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.names import in_order
from fem_constriction.solving.backends import Backend
from validation.gate.agreement import Verdict
from validation.gate.result import GEOMETRIC, VANISHED


@dataclass(frozen=True, eq=False, kw_only=True)
class Compared:
    """One cell's budgets, one per backend, and the verdict on each process (none with one backend alone)."""

    cell: Cell
    budgets: Mapping[str, Budget]

    @property
    def best(self) -> Budget:
        """The budget whose R_Cstr is known best."""
        return min(self.budgets.values(), key=lambda found: found.constriction[1] if found.stated else found.resistance[1])

    @property
    def stated(self) -> bool:
        """Whether there is an R_Cstr: the cell has a full contact that it is counted from."""
        return self.best.stated

    @property
    def vanished(self) -> bool:
        """Whether there is no constriction: less of R_DC than is solved for."""
        value, uncertainty = self.best.constriction
        return abs(value) + uncertainty <= VANISHED * self.best.resistance[0]

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """Agree if |P_1 - P_2| <= u_1 + u_2 <= 5 % of R_Cstr for every pair, disagree if one differs by more, or unresolved.

        Where no R_Cstr is stated the parts are those of R_DC.
        """
        found: dict[str, Verdict] = {}
        whole = self.best.constriction[0] if self.stated else self.best.resistance[0]
        widest = max(GEOMETRIC * abs(whole), VANISHED * self.best.resistance[0])
        for process in self.best.parts if len(self.budgets) > 1 else ():
            gap, width = self.difference(process)
            found[process] = "disagree" if gap > width else "agree" if width <= widest else "unresolved"
        return found

    def difference(self, process: str) -> tuple[float, float]:
        """Return (|P_1 - P_2|, u_1 + u_2) in ohm of the pair that differs most for its uncertainties."""
        parts = [found.parts[process] for found in self.budgets.values()]
        each = [(p.constriction, p.constriction_uncertainty) if self.stated else (p.direct, p.uncertainty) for p in parts]
        pairs = [(a, b) for i, a in enumerate(each) for b in each[i + 1 :]]
        gaps = [(abs(a[0] - b[0]), a[1] + b[1]) for a, b in pairs]
        return max(gaps, key=lambda pair: pair[0] / pair[1] if pair[1] else float("inf") if pair[0] else 0.0)

    def energy(self) -> tuple[float, float] | None:
        """Return the activation energy of R_Cstr in J, None without constriction or temperature."""
        if not self.best.problem.activation_energies or not self.stated or self.vanished:
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
    return in_order({name for each in found for name in each.best.parts})


def compare(cells: Sequence[Cell], chosen: Sequence[Backend], progress: Callable[[int], None] | None = None) -> list[Compared]:
    """Return the budgets of cells on every backend; progress(cells that are done) is called after each."""
    found = []
    for done, problem in enumerate(map(Problem.of, cells), start=1):
        made = {each.name: budgets.budget(problem, backend=each) for each in chosen}
        found.append(Compared(cell=problem.cell, budgets=made))
        if progress is not None:
            progress(done)
    return found
