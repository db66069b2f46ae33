"""Side -> rows: what one backend says of the cells of a figure, as the claims read it.

A fitted number carries its discretisation uncertainty alone: claims are about what one and the same fit (the paper's circuit,
one weighting, one window) gives for a series of cells, and what another weighting would give moves the whole series.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.fitting.extraction import Extraction
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.processes.circuits import CONSTRICTION, INTERFACE, Arc, Circuit
from fem_constriction.reduction.reduced import Relaxation
from validation.paper.cells import value_of
from validation.paper.claims.measured import Measured, Undecided
from validation.paper.sample import BySide, Sample


class Model(Protocol):
    """A cell on one grid, as `ReducedModel` offers it."""

    def impedance(self, s: Any) -> NDArray[np.complex128]:
        """Return Z(s) in ohm."""
        ...

    def resistance(self) -> float:
        """R_DC in ohm."""
        ...

    def shares(self, s: Any) -> dict[str, NDArray[np.complex128]]:
        """Return the share of each process in Z(s)."""
        ...


class Grids(Protocol):
    """What the claims compute on single grids, beside the series."""

    def model(self, cell: Cell, backend: str, *, direct: bool = False) -> Model:
        """Return the cell on the backend's coarsest grid; `direct`: for direct current alone."""
        ...

    def sparse(self, cell: Cell, backend: str, frequency: Array) -> NDArray[np.complex128]:
        """Return Z in ohm at frequencies in Hz on a coarse uniform grid, one complex sparse solve each."""
        ...

    def spread(self, cell: Cell, backend: str, frequency: float, z: Array) -> Array:
        """Return max |phi| - min |phi| over the planes z (m) for 1 V at a frequency in Hz, in V."""
        ...

    def budget(self, cell: Cell, backend: str) -> Any:
        """Return the parts of R_DC and R_Cstr by process (`fem_constriction.budgets.Budget`)."""
        ...


@dataclass(frozen=True, eq=False)
class SeenCell:
    """One cell, seen by one backend."""

    sample: Sample
    side: BySide

    @property
    def cell(self) -> Cell:
        """The cell."""
        return self.sample.cell

    @property
    def x(self) -> float:
        """A_c/A."""
        return self.sample.fraction

    @cached_property
    def one_dimensional(self) -> Circuit:
        """The 1D-PM, modified where the cell has charge transfer at the counter electrode."""
        return physical(self.cell)

    @property
    def interface(self) -> Arc:
        """The interface of the 1D-PM."""
        return self.one_dimensional[INTERFACE]

    @property
    def fit(self) -> Extraction:
        """The paper's circuit, fitted; Undecided where nothing was extracted."""
        return self._known(self.side.fit)

    @property
    def extended(self) -> Extraction:
        """The circuit with WE and CE apart, fitted; Undecided where nothing was extracted."""
        return self._known(self.side.extended)

    def R(self, name: str = CONSTRICTION) -> Measured:  # noqa: N802 - the field's symbol
        """Resistance of an arc of the paper's circuit in ohm, 0 for one that the cell does not have."""
        return self.value(name, "R")

    def C(self, name: str = CONSTRICTION) -> Measured:  # noqa: N802
        """Capacitance of an arc of the paper's circuit in F."""
        return self.value(name, "C")

    def tau(self, name: str = CONSTRICTION) -> Measured:
        """Time constant of an arc of the paper's circuit in s."""
        return self.value(name, "tau")

    def value(self, name: str, letter: str, *, extended: bool = False) -> Measured:
        """Return R, C or tau of an arc, SI; Undecided for an arc that is not there and has no such value."""
        found = self.extended if extended else self.fit
        arc = found.arcs.get(name) or found.removed.get(name)
        if arc is None:
            raise Undecided(f"the fitted circuit at x = {self.x:g} has no {name.replace('_', ' ')}")
        value = getattr(arc, letter)
        if value.value is None or (not value.value and value.limit):
            raise Undecided(f"{letter} of {name.replace('_', ' ')} at x = {self.x:g} is not there to compare: {value.reason}")
        return Measured(float(value.value), float(value.discretisation or 0.0))

    def ladder(self, name: str = "R_Cstr") -> Measured | None:
        """R_Cstr, C_pore, R_CT or C_CT of the same fit read as a ladder, SI; None where it has none, or does not tell it."""
        found = self.fit.ladder
        value = None if found is None else getattr(found, name)
        return (
            None if value is None or value.value is None else Measured(float(value.value), float(value.discretisation or 0.0))
        )

    @property
    def geometric(self) -> Measured:
        """R_DC(3D) - R_DC(1D-PM) in ohm; Undecided without direct current."""
        direct, uncertainty = self.side.resistance
        if not np.isfinite(direct):
            raise Undecided(f"no direct current flows at x = {self.x:g}")
        return Measured(direct - self.one_dimensional.resistance, uncertainty)

    @property
    def relaxation(self) -> Relaxation:
        """The exact relaxations of the finest grid that are finite and carry resistance."""
        found = self.side.relaxation
        keep = np.isfinite(found.tau) & np.isfinite(found.resistance) & (found.resistance > 0) & (found.tau > 0)
        return Relaxation(found.tau[keep], found.resistance[keep], {name: share[keep] for name, share in found.stored.items()})

    def setting(self, key: str) -> float:
        """A value of the cell by its dotted key, SI."""
        return value_of(self.cell, key)

    def _known(self, found: Extraction | None) -> Extraction:
        if found is None:
            raise Undecided(f"nothing was extracted at x = {self.x:g}: {self.sample.refusal or self.sample.verdict}")
        return found


@dataclass(frozen=True, eq=False)
class Context:
    """Where claims take their data from: samples(series) and single grids."""

    samples: Callable[[str], Sequence[Sample]]
    grids: Grids
    kept: dict[Any, Any] = field(default_factory=dict, repr=False)

    def side(self, name: str) -> Side:
        """Return what one backend says."""
        return Side(self, name)


@dataclass(frozen=True, eq=False)
class Side:
    """One backend's view of all series."""

    context: Context
    name: str

    def rows(self, figure: str, *, empty: bool = False, full: bool = False, least: float = 0.0, few: int = 1) -> list[SeenCell]:
        """Return the cells of a series that the backends agree on, by rising fraction.

        empty, full: with fractions 0 and 1, which have no constriction; least: from this fraction on; few: how many are needed.
        Undecided if the backends do not agree on all of them.
        """
        wanted = [
            sample
            for sample in self.context.samples(figure)
            if least <= sample.fraction and (empty or sample.fraction > 0) and (full or sample.fraction < 1)
        ]
        open_ = sorted({f"{sample.fraction:g} ({sample.verdict})" for sample in wanted if sample.verdict != "agree"})
        if open_:
            raise Undecided(f"the backends do not agree on series {figure} at x = {', '.join(open_)}")
        if len(wanted) < few:
            raise Undecided(f"series {figure} has {len(wanted)} cells of the {few} that are needed")
        found = [SeenCell(sample, sample.backends[self.name]) for sample in wanted if self.name in sample.backends]
        if len(found) < len(wanted):
            raise Undecided(f"series {figure} was not computed by {self.name}")
        return sorted(found, key=lambda row: row.x)

    def groups(self, figure: str, key: str, **ends: Any) -> dict[float, list[SeenCell]]:
        """Return rows by the value of a cell key, both rising; of cells varied otherwise only those with the usual value."""
        rows = self.rows(figure, **ends)
        for other in sorted({name for row in rows for name in row.sample.varied} - {key}):
            pairs = {(row.setting(key), row.setting(other)) for row in rows}
            if len(pairs) == len({value for value, _ in pairs}):
                continue  # varied together with the key
            usual = _middle(row.setting(other) for row in rows)
            rows = [row for row in rows if row.setting(other) == usual]
        return grouped(rows, lambda row: row.setting(key))

    def series(self, figure: str, key: str, **ends: Any) -> dict[float, list[SeenCell]]:
        """Return, for each fraction, the rows by rising value of a cell key, where there are at least two."""
        by_value = self.groups(figure, key, **ends)
        found = grouped([row for rows in by_value.values() for row in rows], lambda row: row.x)
        whole = {x: rows for x, rows in found.items() if len(rows) > 1}
        if not whole:
            raise Undecided(f"series {figure} does not vary {key}")
        return whole

    def at(self, figure: str, fraction: float) -> list[SeenCell]:
        """Return the rows of a series at one fraction; Undecided if there are none."""
        found = [row for row in self.rows(figure, empty=True, full=True) if abs(row.x - fraction) < 1e-9]
        if not found:
            raise Undecided(f"series {figure} has no cell at x = {fraction:g}")
        return found


def grouped(rows: Iterable[SeenCell], by: Callable[[SeenCell], float]) -> dict[float, list[SeenCell]]:
    """Return the rows by a number, rising, each group in the order of the rows."""
    found: dict[float, list[SeenCell]] = {}
    for row in rows:
        found.setdefault(by(row), []).append(row)
    return dict(sorted(found.items()))


def _middle(values: Iterable[float]) -> float:
    """The usual value of a key that is varied around it: the one most cells have."""
    found = list(values)
    return max(sorted(set(found)), key=found.count)
