"""Samples of the paper's figures that nothing was solved for: circuits with the arcs of the 1D-PM and a constriction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fem_constriction import Cell, Spectrum
from fem_constriction.errors import ComputationError
from fem_constriction.fitting.extraction import Extraction
from fem_constriction.fitting.ladder import Ladder, ladder_of
from fem_constriction.fitting.values import Element, Value
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.processes.circuits import CONSTRICTION, INTERFACE, Arc
from fem_constriction.processes.names import CHARGE_TRANSFER, COUNTER_ELECTRODE, PORE
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.reduced import Relaxation
from validation.paper import cells
from validation.paper.sample import BySide, Sample
from validation.study.work import Record, Spectra

LADDER = ("R_Cstr", "C_pore", "R_CT", "C_CT")
FREQUENCY = np.geomspace(1e-3, 1e9, 61)


def value(number: float, unit: str) -> Value:
    return Value(value=number, unit=unit, discretisation=1e-4 * number, model=0.02 * number, nominal=1e-3 * number)


def extraction(arcs: Mapping[str, Arc]) -> Extraction:
    found = {
        name: Element(R=value(arc.resistance, "ohm"), C=value(arc.capacitance, "F"), tau=value(arc.tau, "s"))
        for name, arc in arcs.items()
    }
    ladder = None
    if CONSTRICTION in arcs and CHARGE_TRANSFER in arcs:
        both = (arcs[CONSTRICTION], arcs[CHARGE_TRANSFER])
        squeezed, pore, under, store = ladder_of([each.resistance for each in both], [each.tau for each in both])
        numbers = squeezed, pore, float(under[0]), float(store[0])
        ladder = Ladder(**{n: value(x, u) for n, x, u in zip(LADDER, numbers, ("ohm", "F", "ohm", "F"), strict=True)})
    return Extraction(arcs=found, removed={}, residual=1e-3, ladder=ladder)


def fake_side(cell: Cell, size: float = 1.0) -> BySide:
    """size: factor on the constriction's resistance."""
    fraction = cell.working_electrode.contact.fraction
    arcs = {arc.name: arc for arc in physical(cell).arcs if np.isfinite(arc.resistance)}
    if INTERFACE in arcs:
        found = arcs.pop(INTERFACE)
        arcs[CHARGE_TRANSFER] = replace(found, name=CHARGE_TRANSFER)
    extended = dict(arcs)
    both = CHARGE_TRANSFER in arcs and COUNTER_ELECTRODE in arcs
    if both:
        arcs[CHARGE_TRANSFER] = replace(
            arcs[CHARGE_TRANSFER], resistance=arcs[CHARGE_TRANSFER].resistance + arcs.pop(COUNTER_ELECTRODE).resistance
        )
    if 0 < fraction < 1:
        boundary = Arc(name=CONSTRICTION, resistance=size * 2e5 * (1 - fraction), capacitance=1e-8 * (1 + fraction))
        arcs[CONSTRICTION] = extended[CONSTRICTION] = boundary
    z = sum((arc.impedance(FREQUENCY) for arc in extended.values()), np.zeros(FREQUENCY.size, dtype=complex))
    y = admittances(cell)
    tau = np.array([arc.tau for arc in extended.values()])
    order = np.argsort(tau)
    stored = {name: np.zeros(tau.size) for name in y}
    for place, arc in enumerate(extended):
        stored[PORE if arc == CONSTRICTION and PORE in y else arc if arc in y else "bulk"][place] = 1.0
    entry = (1 - fraction) * 1j * FREQUENCY / (1e3 + 1j * FREQUENCY) if PORE in y else np.zeros(FREQUENCY.size, dtype=complex)
    plain = extraction(arcs) if fraction else None
    return BySide(
        spectrum=Spectrum(FREQUENCY, z, 1e-5 * np.abs(z)),
        fit=plain,
        extended=extraction(extended) if both and fraction else plain,
        relaxation=Relaxation(
            tau[order],
            np.array([arc.resistance for arc in extended.values()])[order],
            {name: share[order] for name, share in stored.items()},
        ),
        resistance=(sum(arc.resistance for arc in extended.values()), 1.0) if fraction else (np.inf, 0.0),
        weights={name: 1 / len(y) for name in y} if fraction else {},
        entry=entry,
    )


def fake_sample(label: str, fraction: float, varied: Mapping[str, float] | None = None, refused: bool = False) -> Sample:
    chosen = dict(cells.VARIED[label][0]) if varied is None else dict(varied)
    cell = cells.cell(label, fraction, chosen)
    backends = {"network": fake_side(cell, 1.00001), "fem": fake_side(cell)}
    if refused:
        backends = {name: replace(side, fit=None, extended=None) for name, side in backends.items()}
    return Sample(
        figure=label,
        cell=cell,
        fraction=fraction,
        varied=chosen,
        verdict="unresolved" if refused else "agree",
        refusal="nothing is extracted: network and fem are unresolved" if refused else None,
        agreed=None if refused else fake_side(cell),
        backends=backends,
        geometric=(2e5 * (1 - fraction), 1.0) if fraction else None,
    )


def fake_series(*labels: str, fractions: tuple[float, ...] = cells.QUICK) -> dict[str, tuple[Sample, ...]]:
    found = {}
    for label in labels:
        chosen = (0.78,) if label == "7" else fractions
        found[label] = tuple(fake_sample(label, x, varied) for varied in cells.VARIED[label] for x in chosen)
    return found


@dataclass(frozen=True)
class FakeWork(Spectra):
    """Samples from formulas; `fails` and `refuses`: contact fractions that do; `never`: nothing may be computed."""

    figure: str
    fails: tuple[float, ...] = ()
    refuses: tuple[float, ...] = ()
    never: bool = False

    def group(self, cell: Cell, settings: Any) -> None:
        return None

    def memory(self, cell: Cell, settings: Any) -> float:
        return 0.0

    def evaluate(self, cell: Cell, settings: Any, prepared: Any) -> Record:
        fraction = cell.working_electrode.contact.fraction
        if self.never or fraction in self.fails:
            raise ComputationError(f"the solver failed at {fraction}")
        label, varied = cells.identify(self.figure, cell)
        return fake_sample(label, fraction, varied, refused=fraction in self.refuses).as_record()
