"""A world in which all claims hold, made up from formulas, and hooks to make each of them false: nothing is solved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from fem_constriction import budgets
from fem_constriction.cell.cell import Cell
from fem_constriction.fitting.extraction import Extraction
from fem_constriction.fitting.ladder import Ladder, ladder_of
from fem_constriction.fitting.values import Element, Value, none
from fem_constriction.problem import one_dimensional
from fem_constriction.processes.circuits import CONSTRICTION, INTERFACE, Arc, Circuit
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.reduced import Relaxation
from fem_constriction.spectra.spectrum import Spectrum
from validation.gate.run import BACKENDS, FREQUENCIES
from validation.paper import cells
from validation.paper.claims import extra_series as extra
from validation.paper.claims.backend_view import Context
from validation.paper.claims.figure2_fields import along
from validation.paper.claims.figure5 import squeezing
from validation.paper.sample import BySide, Sample

FRACTIONS = (0.01, 0.04, 0.09, 0.25, 0.36, 0.49, 0.9, 1.0)
Arcs = dict[str, tuple[float, float]]

#: Every world is one of the same cells.
physical = cache(one_dimensional.physical)
one_dimensional_parts = cache(budgets.one_dimensional_parts)


def same(_what: Any, value: Any) -> Any:
    return value


@dataclass(frozen=True)
class What:
    """What a hook is asked about."""

    label: str
    cell: Cell
    backend: str
    name: str = ""
    letter: str = ""
    extended: bool = False
    frequency: float = 0.0

    @property
    def x(self) -> float:
        return self.cell.working_electrode.contact.fraction


Hook = Callable[[What, Any], Any]


@dataclass(frozen=True)
class World:
    """arc: R and C of an arc; residual: of a fit; share: of the pores, (f,); direct: R_DC; weights: shares of R_DC;
    z: a spectrum; relaxation: (tau, R); model, sparse: Z on a single grid; part: of a process in R_DC there; spread: of |phi|.
    Each takes what it is asked about and the value of the world where all claims hold."""

    arc: Hook = same
    residual: Hook = same
    share: Hook = same
    direct: Hook = same
    weights: Hook = same
    z: Hook = same
    relaxation: Hook = same
    model: Hook = same
    sparse: Hook = same
    part: Hook = same
    spread: Hook = same
    verdict: Callable[[What], str] = field(default=lambda _: "agree")
    uncertainty: float = 1e-6

    fractions: tuple[float, ...] = FRACTIONS

    def context(self) -> Context:
        return Context(samples=cache(self.samples), grids=FakeGrids(self))

    def samples(self, name: str) -> tuple[Sample, ...]:
        return tuple(self.sample(name, cell, varied) for cell, varied in cells_of(name, self.fractions))

    def sample(self, label: str, cell: Cell, varied: Mapping[str, Any]) -> Sample:
        sides = {name: self.side(What(label, cell, name)) for name in BACKENDS}
        verdict = self.verdict(What(label, cell, ""))
        return Sample(
            figure=label,
            cell=cell,
            fraction=cell.working_electrode.contact.fraction,
            varied={key: float(value) for key, value in varied.items()},
            verdict=verdict,
            refusal=None if verdict == "agree" else verdict,
            agreed=sides["fem"] if verdict == "agree" else None,
            backends=sides,
            geometric=None,
        )

    def side(self, what: What) -> BySide:
        fitted, apart = (self.hooked(replace(what, extended=extended)) for extended in (False, True))
        circuit = Circuit(arcs=tuple(Arc(name=name, resistance=r, capacitance=c) for name, (r, c) in apart.items()))
        z = self.z(what, circuit.impedance(FREQUENCIES))
        tau, size = self.relaxation(
            what, (np.array([r * c for r, c in apart.values()]), np.array([r for r, _ in apart.values()]))
        )
        order = np.argsort(tau)
        parts = {name: value * 1.0 for name, value in one_dimensional_parts(what.cell).items() if value and np.isfinite(value)}
        squeezed = apart.get(CONSTRICTION, (0.0, 0.0))[0]
        direct = self.direct(what, physical(what.cell).resistance + squeezed)
        shares = {name: value / sum(parts.values()) for name, value in parts.items()}
        if squeezed and direct:
            shares = {name: (value + squeezed * shares[name]) / direct for name, value in parts.items()}
        return BySide(
            spectrum=Spectrum(FREQUENCIES, z, self.uncertainty * np.abs(z)),
            fit=self.extraction(replace(what, extended=False), fitted, 5e-2 if what.label == "7" else 1e-5),
            extended=self.extraction(replace(what, extended=True), apart, 1e-5),
            relaxation=Relaxation(np.asarray(tau)[order], np.asarray(size)[order], {}),
            resistance=(direct, self.uncertainty * direct),
            weights=self.weights(what, shares),
            entry=self.share(what, switching(what, fitted)).astype(complex),
        )

    def hooked(self, what: What) -> Arcs:
        return {
            name: (
                self.arc(replace(what, name=name, letter="R"), r),
                self.arc(replace(what, name=name, letter="C"), c),
            )
            for name, (r, c) in arcs(what.label, what.cell, extended=what.extended).items()
        }

    def extraction(self, what: What, found: Arcs, residual: float) -> Extraction:
        def value(number: float, unit: str) -> Value:
            return Value(value=number, unit=unit, discretisation=self.uncertainty * abs(number), model=0.0, nominal=0.0)

        removed = {} if CONSTRICTION in found else {CONSTRICTION: none(0.0, "full contact")}
        elements = {name: Element(R=value(r, "ohm"), C=value(c, "F"), tau=value(r * c, "s")) for name, (r, c) in found.items()}
        return Extraction(arcs=elements, removed=removed, residual=self.residual(what, residual), ladder=ladder(found, value))


def ladder(found: Arcs, value: Callable[[float, str], Value]) -> Ladder | None:
    """The ladder that the arcs of constriction and charge transfer are."""
    if not {CONSTRICTION, CHARGE_TRANSFER} <= set(found):
        return None
    r, c = zip(*(found[name] for name in (CONSTRICTION, CHARGE_TRANSFER)), strict=True)
    squeezed, pore, under, store = ladder_of(r, np.multiply(r, c))
    return Ladder(
        R_Cstr=value(squeezed, "ohm"), C_pore=value(pore, "F"), R_CT=value(under[0], "ohm"), C_CT=value(store[0], "F")
    )


@cache
def cells_of(name: str, fractions: tuple[float, ...]) -> list[tuple[Cell, Mapping[str, Any]]]:
    """The cells of a series, and what is varied in each."""
    if name in extra.NAMES:
        return [(point.cell, point.values) for point in extra.study(name).points]
    fractions = (0.78,) if name == "7" else fractions
    return [(cells.cell(name, x, varied), varied) for varied in cells.VARIED[name] for x in fractions]


def switching(what: What, found: Arcs) -> np.ndarray:
    """(1 - x) (omega tau)^2/(1 + (omega tau)^2) in modulus."""
    r, c = found.get(CONSTRICTION, (1.0, 1e-9))
    u = (2 * np.pi * FREQUENCIES * r * c) ** 2
    return (1 - what.x) * u / (1 + u)


def arcs(label: str, cell: Cell, *, extended: bool) -> Arcs:
    """Arcs of a cell in this world."""
    x, area = cell.working_electrode.contact.fraction, cell.area
    plain = {arc.name: (arc.resistance, arc.capacitance) for arc in physical(cell).arcs}
    found: Arcs = {BULK: plain[BULK]}
    pore = 0.0 if cell.working_electrode.pore is None else cell.working_electrode.pore.areal_capacitance
    sigma = cell.electrolyte.conductivity
    squeezed = 0.5 / (sigma * cell.geometry.lengths[0]) * (1 - x) / np.sqrt(x)
    capacitance = pore * area * (1 - x)
    if GRAIN_BOUNDARY in plain:
        r, c = plain[GRAIN_BOUNDARY]
        boundary = cells.value_of(cell, cells.SIGMA_BOUNDARY)
        slower = label == "3b"
        found[GRAIN_BOUNDARY] = (r * (1 + 0.6 * (1 - x) ** 2), c / (1 + 0.59 * (1 - x) ** 2)) if slower else (r, c)
        squeezed *= 1 if slower else 1.2 * (sigma / cells.CONDUCTIVITY) ** 0.4 * (cells.BOUNDARY / boundary) ** 0.4
    if label == "2":
        found[CHARGE_TRANSFER] = (plain[INTERFACE][0] * (1 + 0.2 * (1 - x)), plain[INTERFACE][1])
        capacitance *= 1 + 5 * x**2
    elif CHARGE_TRANSFER in admittances(cell):
        squeezed = electrodes(label, cell, found, squeezed, extended)
        capacitance *= {0: 1 + 6 * x**2, 1: 1 + 0.5 * x**2, 2: 1 - 0.01 * x**2}[_step(cell)]
    if 0 < x < 1:
        found[CONSTRICTION] = (squeezed, capacitance)
    return found


def _step(cell: Cell) -> int:
    """Which R_pol of figure 6."""
    return int(np.argmin([abs(np.log(value / cells.value_of(cell, cells.R_POL))) for value in cells.RESISTANCES]))


def electrodes(label: str, cell: Cell, found: Arcs, squeezed: float, extended: bool) -> float:
    """Charge transfer at both electrodes; returns R_Cstr."""
    x, area = cell.working_electrode.contact.fraction, cell.area
    r_pol, c_dl = cells.value_of(cell, cells.R_POL) / area, cells.value_of(cell, extra.C_DL) * area
    if label == "5b":
        bent = 1 + 1 / x + (0.5 * squeezing(cell) / r_pol if 0.25 <= x < 1 else 0)
        found[CHARGE_TRANSFER] = (r_pol * bent, c_dl / bent)
        return squeezed
    if label == "7":
        if extended:
            found[CHARGE_TRANSFER], found[COUNTER_ELECTRODE] = (0.12 * r_pol, 2 * c_dl), (r_pol, c_dl)
        else:
            found[CHARGE_TRANSFER] = (1.12 * r_pol, 0.8 * c_dl)
        return 2 * r_pol
    if label == "double_layer":
        pore = cells.value_of(cell, extra.PORE)
        close = abs(pore / cells.value_of(cell, extra.C_DL) - 1) < 1e-9
        found[CHARGE_TRANSFER] = (r_pol, c_dl)
        return r_pol * 1.3 if close else 3 * r_pol
    if label == "5a":
        found[CHARGE_TRANSFER] = (r_pol * (1 + x - 0.3 * x * (1 - x)), c_dl * (1 - x / 2 - 0.05 * x * (1 - x)))
        return squeezed
    step = _step(cell) + 1
    found[CHARGE_TRANSFER] = (
        r_pol * (1 + x - 0.3 * step * x * (1 - x)),
        c_dl * (1 - x / 2 + 0.1 * step * x * (1 - x)),
    )
    return 0.1 * squeezed + 3 * r_pol * (1 - x) / x


@dataclass(frozen=True)
class FakeGrids:
    world: World

    def model(self, cell: Cell, backend: str, *, direct: bool = False) -> FakeModel:
        return FakeModel(self.world, What("", cell, backend))

    def sparse(self, cell: Cell, backend: str, frequency: np.ndarray) -> np.ndarray:
        return np.asarray(self.world.sparse(What("", cell, backend), physical(cell).impedance(frequency)))

    def spread(self, cell: Cell, backend: str, frequency: float, z: np.ndarray) -> np.ndarray:
        """0.5 exp(-2 pi z/L sqrt(sigma/sigma_z))/(1 + f/f_0)."""
        rate = 2 * np.pi / cell.geometry.thickness * np.sqrt(cell.electrolyte.conductivity / along(cell))
        found = 0.5 * np.exp(-rate * z) / (1 + frequency / 1e3)
        return np.asarray(self.world.spread(What("", cell, backend, frequency=frequency), found))


@dataclass(frozen=True)
class FakeModel:
    """R_Cstr = 0.3/(sigma L) + 0.02 sum over boundaries of exp(-4 pi z/L)/(y_gb A)."""

    world: World
    what: What

    @property
    def parts(self) -> dict[str, float]:
        cell, found = self.what.cell, {}
        plain = one_dimensional_parts(cell)
        length = cell.geometry.thickness
        for name, part in plain.items():
            if not part or not np.isfinite(part):
                continue
            if name == BULK:
                part += 0.3 / (cell.electrolyte.conductivity * length)
            elif name == GRAIN_BOUNDARY:
                layers = cell.electrolyte.grain_boundaries.layers
                depths = np.arange(1, layers) / layers
                part *= 1 + 2 * np.exp(-4 * np.pi * depths).mean()
            found[name] = self.world.part(replace(self.what, name=name), part)
        return found

    def impedance(self, s: Any) -> np.ndarray:
        frequency = np.asarray(s).imag / (2 * np.pi)
        return np.asarray(self.world.model(self.what, physical(self.what.cell).impedance(frequency)))

    def resistance(self) -> float:
        return float(self.world.direct(self.what, sum(self.parts.values())))

    def shares(self, s: Any) -> dict[str, np.ndarray]:
        total = sum(self.parts.values())
        return {name: np.array([part / total], dtype=complex) for name, part in self.parts.items()}
