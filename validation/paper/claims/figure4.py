"""R_Cstr = sum alpha_i/sigma_i, C_Cstr = that of the pores: claims 29 to 34, on figure 4's series and at direct current."""

from __future__ import annotations

import numpy as np

from fem_constriction.cell.cell import Cell
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.processes.names import BULK, GRAIN_BOUNDARY
from fem_constriction.processes.of_cell import admittances
from validation.paper import cells
from validation.paper.claims.backend_view import SeenCell, Side, grouped
from validation.paper.claims.base import Finding, above, at_least, at_most, claim, every, worst
from validation.paper.claims.extra_series import DEPTH, EPS_BOUNDARY, EPS_BULK, PORE
from validation.paper.claims.figure2_interface import pores
from validation.paper.claims.measured import Measured, Undecided
from validation.paper.claims.shapes import off, percent, smallest_fall, spread

HOMOGENEOUS = 0.5
WEAK = 0.1
BUDGET = 1e-4
PERMITTIVITY = 1.0
#: tau_GB over tau_Cstr up to which figure 4's series are compared.
ORDER = 0.1
KEYS = {BULK: cells.SIGMA_BULK, GRAIN_BOUNDARY: cells.SIGMA_BOUNDARY}
#: Relative step of a central difference: its own error is about STEP^2/6.
STEP = 0.005
#: eV: activation energies of the processes, as an example; their weighted mean lies between.
ENERGIES = {BULK: 0.30, GRAIN_BOUNDARY: 0.45}
_BOLTZMANN = 8.617333262e-5  # eV/K
_ROOM = 298.15  # K


@claim(
    29,
    "4",
    "C_Cstr does not depend on conductivities",
    statement="C_Cstr does not depend on sigma_bulk in a homogeneous electrolyte, and only weakly on either conductivity with "
    "boundaries.",
    tolerance=f"spread {HOMOGENEOUS:g} % homogeneous; |d ln C/d ln sigma| at most {WEAK:g} with boundaries",
    reason="Homogeneous it is exact but for the bulk's permittivity, tau_bulk/tau_Cstr; with boundaries the ratio of the "
    "conductivities shapes the potential. R_Cstr changes by five times as much and more. As long as "
    "tau_GB < tau_Cstr/10 (I13).",
    needs=("4",),
)
def capacitance(side: Side) -> Finding:
    """Spread of C_Cstr over sigma_bulk without boundaries, in %; |d ln C_Cstr/d ln sigma| with them."""
    plain = [row for row in side.rows("homogeneous") if abs(row.setting(PORE) / cells.TABLE["4"].pore - 1) < 1e-9]
    exact = [
        at_most(percent(spread([row.C() for row in rows])), HOMOGENEOUS, "%", f"homogeneous, spread of C_Cstr at x = {x:g}")
        for x, rows in grouped(plain, lambda row: row.x).items()
        if len(rows) > 1
    ]
    weak = []
    for name, key in KEYS.items():
        for x, rows in ordered(side, key).items():
            slope = sensitivity(rows, key, "C")
            text = f"|d ln C_Cstr/d ln sigma| of {name.replace('_', ' ')} at x = {x:g}"
            weak.append(at_most(Measured(abs(slope.value), slope.uncertainty), WEAK, "", f"{text}: {abs(slope.value):.3f}"))
    return every(worst(weak), worst(exact))


def ordered(side: Side, key: str) -> dict[float, list[SeenCell]]:
    """Return, for each fraction, the rows by rising conductivity that keep tau_GB < tau_Cstr/10 (I13), two at least.

    tau_Cstr as the geometric R_Cstr times C_pore (1 - x) A, which does not need a fit.
    """
    found = {}
    for x, rows in side.series("4", key).items():
        kept = [row for row in rows if boundary_time(row) < ORDER * row.geometric.value * pores(row)]
        if len(kept) > 1:
            found[x] = kept
    if not found:
        raise Undecided("no fraction of figure 4 keeps the order of the time constants at two conductivities")
    return found


def boundary_time(row: SeenCell) -> float:
    """Return eps_GB/sigma_GB in s."""
    return admittances(row.cell)[GRAIN_BOUNDARY].relaxation_time


def sensitivity(rows: list[SeenCell], key: str, letter: str) -> Measured:
    """Return the change of ln R, ln C or ln tau of the constriction over that of ln of a key, between the ends of a series."""
    first, last = rows[0], rows[-1]
    low, high = (getattr(row, letter)() for row in (first, last))
    span = np.log(last.setting(key) / first.setting(key))
    doubt = low.uncertainty / low.value + high.uncertainty / high.value
    return Measured(float(np.log(high.value / low.value) / span), float(doubt / abs(span)))


@claim(
    30,
    "4",
    "R_Cstr rises as conductivities fall",
    statement="R_Cstr rises when sigma_bulk or sigma_GB falls.",
    tolerance="0",
    reason="Every step beyond the uncertainty of its ends, at every x, as long as tau_GB < tau_Cstr/10 (I13).",
    needs=("4",),
)
def resistance(side: Side) -> Finding:
    """Smallest relative step of R_Cstr between neighbouring conductivities over all x, in %."""
    findings = []
    for name, key in KEYS.items():
        for x, rows in ordered(side, key).items():
            step = percent(smallest_fall([row.R() for row in rows]))
            text = f"smallest step of R_Cstr over sigma of {name.replace('_', ' ')}, at x = {x:g}"
            findings.append(above(step, 0.0, "%", text))
    return worst(findings, lambda each: -(each.number or 0.0))


def stacked() -> Cell:
    """Figure 3's cell at 25 % contact with five layers, boundaries as resistive in all as the paper's 49."""
    return cells.cell("3a", 0.25).vary(
        {"electrolyte.grain_boundaries.layers": 5, cells.SIGMA_BOUNDARY: cells.BOUNDARY * 4 / 49}
    )


def squeezed(side: Side, cell: Cell) -> float:
    """Return R_DC(3D) - R_DC(1D-PM) in ohm on the coarsest grid."""
    return side.context.grids.model(cell, side.name, direct=True).resistance() - physical(cell).resistance


@claim(
    31,
    "4",
    "R_Cstr is a weighted sum",
    statement="The geometric R_Cstr = sum alpha_i/sigma_i, with alpha_i its derivatives, and no alpha_i negative.",
    tolerance=f"{BUDGET:g} of R_Cstr",
    reason="Exact; central differences with 0.5 % steps are good to 2e-5 of it, and the dissipation is that of the same grid.",
    needs=("3a",),
)
def weighted_sum(side: Side) -> Finding:
    """|sum of finite differences - R_Cstr|/R_Cstr, that of the dissipation of each process, and the smallest alpha_i."""
    cell = stacked()
    total = squeezed(side, cell)
    model = side.context.grids.model(cell, side.name, direct=True)
    direct = model.resistance()
    parts = {}
    for name, key in KEYS.items():
        sigma = cells.value_of(cell, key)
        up, down = (squeezed(side, cell.vary({key: sigma * factor})) for factor in (1 + STEP, 1 - STEP))
        # -dR/d ln sigma
        parts[name] = -(up - down) / (np.log(1 + STEP) - np.log(1 - STEP))
    dissipated = {name: float(share[0].real) * direct for name, share in model.shares(np.zeros(1)).items()}
    plain = {BULK: physical(cell)[BULK].resistance, GRAIN_BOUNDARY: physical(cell)[GRAIN_BOUNDARY].resistance}
    apart = max(abs(parts[name] - (dissipated[name] - plain[name])) for name in KEYS) / total
    shares = ", ".join(f"{name.replace('_', ' ')} {parts[name] / total:.4f}" for name in KEYS)
    least = min(_alphas(side), key=lambda each: each[0].value)
    return every(
        at_most(Measured(abs(sum(parts.values()) - total) / total), BUDGET, "", f"sum of finite differences; parts {shares}"),
        at_most(Measured(apart), BUDGET, "", f"dissipation against finite differences, {apart:.1e} of R_Cstr"),
        at_least(least[0], 0.0, "ohm", f"smallest alpha_i/sigma_i over figure 3 (a): {least[0].value:.4g} ohm, {least[1]}"),
    )


def _alphas(side: Side) -> list[tuple[Measured, str]]:
    """alpha_i/sigma_i of the geometric R_Cstr over figure 3 (a), from the dissipation, with where it is."""
    found = []
    for row in side.rows("3a"):
        value, uncertainty = row.side.resistance
        for name in KEYS:
            part = row.side.weights[name] * value - row.one_dimensional[name].resistance
            found.append((Measured(part, uncertainty), f"{name.replace('_', ' ')} at x = {row.x:g}"))
    return found


@claim(
    32,
    "4",
    "Boundaries near the interface weigh more",
    statement="The weights depend on structure: a boundary near the interface weighs more than one far from it.",
    tolerance="at least ten times",
    reason="The squeezed current's excess dissipation decays with twice 2 pi/L: exp(-pi) = 1/23 from L/4 to L/2. Boundaries of "
    "negligible resistance, one at L/2 against those of four layers at L/4, L/2 and 3 L/4 less that one.",
)
def near(side: Side) -> Finding:
    """Weight in R_Cstr of the boundaries at L/4 and 3 L/4 over that at L/2."""
    found = {}
    for layers in (2, 4):
        # A thousandth of the bulk's resistance each: they do not change the current they weigh.
        cell = cells.cell("3a", 0.25).vary(
            {"electrolyte.grain_boundaries.layers": layers, cells.SIGMA_BOUNDARY: 1e3 * cells.CONDUCTIVITY * 10e-9 / 50e-6}
        )
        model = side.context.grids.model(cell, side.name, direct=True)
        part = float(model.shares(np.zeros(1))[GRAIN_BOUNDARY][0].real) * model.resistance()
        found[layers] = part - physical(cell)[GRAIN_BOUNDARY].resistance
    ratio = (found[4] - found[2]) / found[2]
    text = f"excess of R_GB by squeezing: {found[4] - found[2]:.4g} ohm at L/4 and 3 L/4, {found[2]:.4g} ohm at L/2"
    return at_least(Measured(ratio), 10.0, "", text)


@claim(
    33,
    "4",
    "Activation energy of R_Cstr",
    statement="The activation energy of R_Cstr is the mean of those of its processes, with the weights of claim 31.",
    tolerance=f"{BUDGET:g}",
    reason="Exact (claim 31 and the chain rule); for R_Cstr at 1 K more and 1 K less, on one grid.",
)
def activation(side: Side) -> Finding:
    """|E_Cstr - weighted mean|/E, with 0.30 eV in the bulk and 0.45 eV across boundaries."""
    cell = stacked()
    model, total = side.context.grids.model(cell, side.name, direct=True), squeezed(side, cell)
    shares = model.shares(np.zeros(1))
    parts = {name: float(shares[name][0].real) * model.resistance() - physical(cell)[name].resistance for name in KEYS}
    mean = sum(parts[name] * ENERGIES[name] for name in KEYS) / total
    logs, inverse = [], []
    for temperature in (_ROOM - 1, _ROOM + 1):
        beta = 1 / temperature - 1 / _ROOM
        warm = {
            key: cells.value_of(cell, key) * float(np.exp(-ENERGIES[name] / _BOLTZMANN * beta)) for name, key in KEYS.items()
        }
        logs.append(np.log(squeezed(side, cell.vary(warm))))
        inverse.append(1 / temperature)
    energy = float((logs[1] - logs[0]) / (inverse[1] - inverse[0])) * _BOLTZMANN
    text = f"E of R_Cstr {energy:.5f} eV, weighted mean {mean:.5f} eV"
    return every(
        at_most(off(Measured(energy), mean), BUDGET, "", text),
        at_least(Measured(min(energy - ENERGIES[BULK], ENERGIES[GRAIN_BOUNDARY] - energy)), 0.0, "eV", "it lies between them"),
    )


@claim(
    34,
    "4",
    "Permittivities do not matter",
    statement="Permittivities of bulk and boundaries change neither R_Cstr nor C_Cstr, as long as the order of the tau stays.",
    tolerance=f"{PERMITTIVITY:g} %",
    reason="'Independent of the order' (the paper) cannot hold: figures 3 (a) and (b) differ in it (I9).",
)
def permittivities(side: Side) -> Finding:
    """Largest change of R_Cstr and C_Cstr over eps_bulk and eps_GB at 25 % contact, in %."""
    rows = [row for row in side.rows("depth", few=2) if abs(row.setting(DEPTH) / 1e-9 - 1) < 1e-9]
    findings = []
    for key, name in ((EPS_BULK, "eps_bulk"), (EPS_BOUNDARY, "eps_GB")):
        other = EPS_BOUNDARY if key == EPS_BULK else EPS_BULK
        chosen = [row for row in rows if row.setting(other) == 150]
        for letter in "RC":
            values = [getattr(row, letter)() for row in chosen]
            text = f"spread of {letter}_Cstr over {name} from {_span(chosen, key)} at x = 0.25"
            findings.append(at_most(percent(spread(values)), PERMITTIVITY, "%", text))
    return worst(findings)


def _span(rows: list[SeenCell], key: str) -> str:
    values = sorted(row.setting(key) for row in rows)
    return f"{values[0]:g} to {values[-1]:g}"
