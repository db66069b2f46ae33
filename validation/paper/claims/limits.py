"""Z(x = 1) = 1D-PM, Z(x = 0) = 1D-PM, Kramers-Kronig, Z(k) = Z/k: claims 1 to 4, on single grids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fem_constriction.cell.cell import Cell
from fem_constriction.fitting.kramers_kronig import kramers_kronig
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.spectra.spectrum import Spectrum
from validation.paper import cells
from validation.paper.claims.backend_view import Side
from validation.paper.claims.base import Finding, above, at_most, claim, every, worst
from validation.paper.claims.measured import Measured

EXACT = 1e-9
KRAMERS_KRONIG = 1e-8
VIOLATION = 1e-4
SCALING = 1e-12
#: A power of two, so that rounding is the same in both cells: 50 um become 1.6 mm.
LARGER = 32

#: 1 mHz to 1 GHz, 20 points per decade, as a linear Kramers-Kronig test with ten elements per decade needs them.
DENSE = np.geomspace(1e-3, 1e9, 241)


def distance(found: NDArray[np.complex128], wanted: NDArray[np.complex128]) -> Measured:
    """Return max |Z - Z_0|/|Z_0| over frequencies."""
    return Measured(float(np.max(np.abs(found - wanted) / np.abs(wanted))))


def _from_circuit(side: Side, labels: tuple[str, ...], fraction: float) -> Finding:
    findings = []
    for label in labels:
        cell = cells.cell(label, fraction)
        z = side.context.grids.model(cell, side.name).impedance(2j * np.pi * DENSE)
        text = f"max |Z - Z_1D|/|Z_1D| of figure {label}'s cell at x = {fraction:g}, {DENSE.size} frequencies"
        findings.append(at_most(distance(z, physical(cell).impedance(DENSE)), EXACT, "", text))
    return worst(findings)


@claim(
    1,
    "2",
    "Full contact is the 1D-PM",
    statement="At x = 1 the three-dimensional spectrum equals the 1D-PM at all frequencies.",
    tolerance=f"{EXACT:g} of |Z|",
    reason="Both discretisations are exact for a laterally uniform current: only rounding and the projection's error are left.",
)
def full_contact(side: Side) -> Finding:
    """Max |Z - Z_1D|/|Z_1D| at x = 1 over the cells of all figures."""
    return _from_circuit(side, ("2", "3a", "3b", "5a", "5b", "6"), 1.0)


@claim(
    2,
    "2",
    "No contact blocks",
    statement="At x = 0 the cell blocks: Z = bulk + grain boundaries + counter electrode + 1/(s C_pore A).",
    tolerance=f"{EXACT:g} of |Z|",
    reason="Laterally uniform again. Cells: figure 2, the one the paper shows without contact, and 5 (a) and 6 with a CE.",
)
def no_contact(side: Side) -> Finding:
    """Max |Z - Z_1D|/|Z_1D| at x = 0, and -Im Z/Re Z at the lowest frequency."""
    phases = []
    for label in ("2", "6"):
        z = side.context.grids.model(cells.cell(label, 0.0), side.name).impedance(2j * np.pi * DENSE[:1])[0]
        phases.append(Measured(float(-z.imag / z.real)))
    blocks = above(min(phases), 10.0, "", f"-Im Z/Re Z at {DENSE[0]:g} Hz is {min(phases).value:.3g}")
    return every(_from_circuit(side, ("2", "5a", "6"), 0.0), blocks)


@claim(
    3,
    "2",
    "Kramers-Kronig",
    statement="Computed spectra obey Kramers and Kronig; a planted violation of 1e-4 at one frequency is seen.",
    tolerance="1e-6 % of |Z|",
    reason="The paper's number. 20 points and 10 RC elements per decade: with 61 points over 12 decades there are as many "
    "unknowns as data, and the test shows nothing. One complex sparse solve per frequency, since a projected model is a sum "
    "of RC elements and passes by construction.",
)
def relations(side: Side) -> Finding:
    """Largest residual of the linear test on sparse solves and on the projected model; the planted violation's residual."""
    sparse = side.context.grids.sparse(cells.cell("6", 0.25), side.name, DENSE)
    model = side.context.grids.model(cells.cell("2", 0.25), side.name).impedance(2j * np.pi * DENSE)
    found = []
    for z, what in ((sparse, "sparse solves of figure 6's cell"), (model, "projected model of figure 2's cell")):
        test = kramers_kronig(Spectrum(DENSE, z))
        residual = Measured(100 * test.largest, 0.0 if test.enough else np.inf)
        found.append(at_most(residual, 100 * KRAMERS_KRONIG, "%", f"{what} at x = 0.25: {100 * test.largest:.2g} % residual"))
    planted = sparse.copy()
    planted[DENSE.size // 2] *= 1 + VIOLATION
    seen = 100 * kramers_kronig(Spectrum(DENSE, planted)).largest
    flagged = above(Measured(seen), 100 * KRAMERS_KRONIG, "%", f"a violation of {VIOLATION:g} leaves {seen:.2g} %")
    return every(*found, flagged)


@claim(
    4,
    "text",
    "Results scale to millimetres",
    statement="Lengths times k, areal resistances times k, areal capacitances divided by k give Z/k.",
    tolerance=f"{SCALING:g} of |Z|",
    reason=f"The equations scale exactly; k = {LARGER} (1.6 mm), a power of two, so that rounding is the same in both cells.",
)
def scaling(side: Side) -> Finding:
    """Max |k Z_k - Z|/|Z|, by complex sparse solves on the same uniform grid."""
    few = DENSE[::20]
    findings = []
    for label in ("2", "6"):
        cell = cells.cell(label, 0.25)
        if label == "2":
            cell = cell.vary({"electrolyte.grain_boundaries.layers": 4})
        before, after = (side.context.grids.sparse(each, side.name, few) for each in (cell, larger(cell, LARGER)))
        text = f"max |k Z_k - Z|/|Z|, figure {label}'s cell at x = 0.25, k = {LARGER}"
        findings.append(at_most(distance(LARGER * after, before), SCALING, "", text))
    return worst(findings)


def larger(cell: Cell, k: float) -> Cell:
    """Return the cell with lengths times k, areal resistances times k and areal capacitances divided by k."""
    x, y, z = cell.geometry.lengths
    changes: dict[str, object] = {"geometry.width": [x * k, y * k], "geometry.thickness": z * k}
    if cell.electrolyte.grain_boundaries is not None:
        changes["electrolyte.grain_boundaries.thickness"] = cell.electrolyte.grain_boundaries.thickness * k
    if cell.working_electrode.pore is not None:
        changes["working_electrode.pore.capacitance"] = cell.working_electrode.pore.areal_capacitance / k
    electrodes = {
        "working_electrode.charge_transfer": cell.working_electrode.charge_transfer,
        "counter_electrode.charge_transfer": None if cell.counter_electrode is None else cell.counter_electrode.charge_transfer,
    }
    for name, transfer in electrodes.items():
        if transfer is not None:
            changes |= {f"{name}.resistance": transfer.resistance * k, f"{name}.capacitance": transfer.capacitance / k}
    return cell.vary(changes)
