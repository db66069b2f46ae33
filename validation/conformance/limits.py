"""Z -> 1D circuit, f -> 0, f -> infinity: where the answer is known, and which way it moves in between.

At real admittances the potential minimises an energy, so Z lies between the 1D circuit (which conducts perfectly along the
interface) and the cell of uniform current density; R_DC falls with every conductance and is concave in every resistance.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fem_constriction.problem.one_dimensional import physical
from fem_constriction.processes.names import CHARGE_TRANSFER, PORE
from fem_constriction.processes.of_cell import admittances
from validation import oracles
from validation.conformance.cells import CELLS, FREQUENCIES
from validation.conformance.outcome import SAME, Check, Measurement, hertz, worst
from validation.conformance.subject import Subject, direct_current_cells

BASE = "every process"
ONE_DIMENSIONAL = ("full contact", "no contact", "pores like the contact")
#: K = (R_DC - R_1D) sigma L at zeta = sigma R_pol/L = 0.092, side/L = 1/2, to 1e-7; mode expansion, two of them independent.
RESISTIVE = 0.3367065
#: The same of an ideal contact, to 1e-12.
IDEAL = 0.289377985806


def one_dimensional(name: str) -> Check:
    """Return the check that a cell without constriction is the one-dimensional circuit."""

    def run(subject: Subject) -> Measurement:
        found, known = subject.coarse(name), _circuit(name)
        assert found.uncertainty is not None
        size = np.abs(known)
        return worst(np.abs(found.impedance - known), found.uncertainty + SAME * size, size, hertz(FREQUENCIES))

    return Check(
        f"one dimension: {name}",
        "Z = L_z/(kappa A) + (layers - 1)/(y_gb A) + 1/(y_ct A_c + y_pore (A - A_c)) + 1/(y_ce A)",
        "no constriction: exact; the stated uncertainty, and rounding (1e-8 |Z|)",
        run,
        (name,),
    )


def _circuit(name: str) -> np.ndarray:
    cell = oracles.from_description(CELLS[name].model_dump(mode="json", exclude_none=True))
    area, contact = cell.area, cell.contact[0] * cell.contact[1]
    return np.array(
        [
            oracles.one_dimensional(
                area,
                contact,
                cell.kappa(s),
                cell.thickness,
                layers=cell.layers,
                y_gb=None if cell.boundary is None else cell.boundary.at(s),
                y_contact=None if cell.charge_transfer is None else cell.charge_transfer.at(s),
                y_pore=cell.pore.at(s),
                y_ce=None if cell.counter is None else cell.counter.at(s),
            )
            for s in 2j * np.pi * FREQUENCIES
        ]
    )


def low_frequency(subject: Subject) -> Measurement:
    """R_DC - Re Z = sum R_k (omega tau_k)^2/(1 + (omega tau_k)^2) <= -Im Z while omega tau_k <= 1."""
    found, (r, width) = subject.coarse(BASE), subject.resistance(BASE)
    assert found.uncertainty is not None
    z = found.impedance[0]
    allowed = abs(z.imag) + found.uncertainty[0] + width + SAME * r
    return worst(abs(z.real - r), allowed, r, hertz(FREQUENCIES[:1]), "R_DC")


def high_frequency(subject: Subject) -> Measurement:
    """All capacitances in series and parallel: below, film beside film; above, current density uniform."""
    name, f = "almost dielectric", FREQUENCIES[-1]
    cell = CELLS[name]
    found = subject.coarse(name)
    assert found.uncertainty is not None
    c = {process: y.linear("capacitances in series").capacitance for process, y in admittances(cell).items()}
    inside, boundaries = cell.geometry.lengths[2] / c["bulk"], cell.electrolyte.grain_boundaries
    planes = 0 if boundaries is None else boundaries.layers - 1
    series = (inside + planes / c["grain_boundary"] + 1 / c["counter_electrode"]) / cell.area
    contact, pores = cell.contact_area, cell.area - cell.contact_area
    low = series + 1 / (c[CHARGE_TRANSFER] * contact + c[PORE] * pores)
    high = series + (contact / c[CHARGE_TRANSFER] + pores / c[PORE]) / cell.area**2
    elastance = 2 * np.pi * f * abs(found.impedance[-1])
    # Conduction beside the capacitances changes |Z| by (sigma/(omega eps))^2/2: 1e-11 at sigma/eps = 750 1/s and 1 GHz.
    gap = max(low - elastance, elastance - high, 0.0)
    allowed = 2 * np.pi * f * found.uncertainty[-1] + SAME * low
    told = worst(gap, allowed, low, hertz(FREQUENCIES[-1:]), "1/C")
    return Measurement(told.measured, told.allowed, told.passed, f"{told.detail}: bracket {(high - low) / low:.1e} of 1/C wide")


def less_with_contact(subject: Subject) -> Measurement:
    """More contact, less resistance."""
    names = ("small contact", BASE, "large contact")
    return _ordered([subject.resistance(name) for name in names], names)


def slope(subject: Subject) -> Measurement:
    """Resistance added to the contact's film adds at least itself over the contact's area."""
    values = [subject.resistance(name) for name in _POLARISATION]
    added = np.diff(_polarisation()) / CELLS[BASE].contact_area
    gap = added - np.diff([value for value, _ in values])
    width = np.array([a[1] + b[1] for a, b in pairwise(values)])
    r = np.array([value for value, _ in values[1:]])
    return worst(gap, width + SAME * r, r, [f"from {a} to {b}" for a, b in _STEPS], "R_DC")


def concave(subject: Subject) -> Measurement:
    """R_DC lies above its chord."""
    (first, u), (middle, v), (last, w) = (subject.resistance(name) for name in _POLARISATION)
    x = _polarisation()
    part = (x[1] - x[0]) / (x[2] - x[0])
    chord = first + part * (last - first)
    return worst(chord - middle, v + (1 - part) * u + part * w + SAME * middle, middle, ["at R_pol"], "R_DC")


def above_one_dimension(subject: Subject) -> Measurement:
    """Constriction adds resistance."""
    names = direct_current_cells(("small contact", BASE, "large contact", "wide in x"))
    gaps, widths, sizes = [], [], []
    for name in names:
        r, width = subject.resistance(name)
        gaps.append(physical(CELLS[name]).resistance - r)
        widths.append(width + SAME * r)
        sizes.append(r)
    return worst(gaps, widths, sizes, names, "R_DC")


def bracket(subject: Subject) -> Measurement:
    """Equipotential <= K <= uniform flux, K the constriction of a contact of any resistance."""
    r, width = subject.resistance("resistive contact, insulating pores")
    k, u = r / _UNIT - 1 - 0.092 / 0.25, width / _UNIT + SAME
    low, high = IDEAL, oracles.square_tube_isoflux(0.5, 1.0)
    told = worst(max(low - k, k - high, 0.0), u, k, ["direct current"], "K")
    return Measurement(told.measured, told.allowed, told.passed, f"{low:.5f} <= {k:.5f} <= {high:.5f}")


def known(name: str, statement: str, reason: str, value: float, error: float) -> Check:
    """Return the check that R_DC of a cell is `value` ohm, known to `error`."""

    def run(subject: Subject) -> Measurement:
        r, width = subject.resistance(name)
        return worst(abs(r - value), width + error + SAME * value, value, ["direct current"], "R_DC")

    return Check(f"resistance: {name}", statement, f"{reason}; the stated uncertainty", run, (name,))


def _ordered(values: list[tuple[float, float]], names: tuple[str, ...]) -> Measurement:
    """Values fall, to their uncertainties."""
    r, width = (np.array(each) for each in zip(*values, strict=True))
    where = [f"from {a} to {b}" for a, b in pairwise(names)]
    return worst(np.diff(r), width[1:] + width[:-1], r[1:], where, "R_DC")


def _polarisation() -> np.ndarray:
    films = [CELLS[name].working_electrode.charge_transfer for name in _POLARISATION]
    return np.array([film.resistance for film in films if film is not None])


_POLARISATION = ("R_pol / 10", BASE, "R_pol x 10")
_STEPS = tuple(pairwise(_POLARISATION))
_PLAIN = CELLS["ideal contact, insulating pores"]
_UNIT = 1 / (_PLAIN.electrolyte.conductivity * _PLAIN.geometry.lengths[2])  # 1/(sigma L), ohm
_STRIP = 1 / (_PLAIN.electrolyte.conductivity * CELLS["strip contact"].geometry.lengths[1])

CHECKS = (
    *map(one_dimensional, ONE_DIMENSIONAL),
    Check(
        "resistance falls with contact",
        "dR_DC/d(A_c/A) <= 0",
        "a minimum over more currents; both uncertainties",
        less_with_contact,
        ("small contact", BASE, "large contact"),
    ),
    Check(
        "resistance above one dimension",
        "R_DC >= R_1D",
        "the 1D circuit conducts perfectly along the interface; the stated uncertainty",
        above_one_dimension,
        ("small contact", BASE, "large contact", "wide in x"),
    ),
    Check(
        "slope in R_pol",
        "dR_DC/dR_pol >= 1/A_c",
        "mean of j^2 over the contact is at least (I/A_c)^2; both uncertainties",
        slope,
        _POLARISATION,
    ),
    Check(
        "concave in R_pol",
        "d2 R_DC/dR_pol2 <= 0",
        "a minimum of functions linear in R_pol; the three uncertainties, weighted as the chord is",
        concave,
        _POLARISATION,
    ),
    Check(
        "constriction bracket",
        "K(equipotential) <= (R_DC - R_1D - R_film) sigma L <= K(uniform flux)",
        "a film of any resistance lies between none and an infinite one; the stated uncertainty",
        bracket,
        ("resistive contact, insulating pores",),
    ),
    known(
        "ideal contact, insulating pores",
        "(R_DC - R_1D) sigma L = 0.289377985806",
        "equipotential square, half as wide as the cube",
        (1 + IDEAL) * _UNIT,
        1e-12 * _UNIT,
    ),
    known(
        "resistive contact, insulating pores",
        "(R_DC - R_1D) sigma L = 0.3367065",
        "square with sigma R_pol/L = 0.092, half as wide as the cube, known to 1e-7",
        (1 + RESISTIVE + 0.092 / 0.25) * _UNIT,
        1e-7 * _UNIT,
    ),
    known(
        "strip contact",
        "R_DC sigma t = K(1 - m1)/(2 K(m1))",
        "exact conformal map",
        oracles.strip_equipotential(0.5, 1.0) * _STRIP,
        1e-12 * _STRIP,
    ),
    Check(
        "low frequency",
        "|Re Z(1 mHz) - R_DC| <= |Im Z(1 mHz)|",
        "Z = sum R_k/(1 + i omega tau_k) with omega tau_k <= 1; both uncertainties",
        low_frequency,
        (BASE,),
    ),
    Check(
        "high frequency",
        "1/C_1D <= omega |Z| <= 1/C_uniform",
        "capacitances alone, films side by side, or under a uniform current: energy's two bounds; the stated uncertainty",
        high_frequency,
        ("almost dielectric",),
    ),
)
