"""R_arc A = R_pol: the usual reading of the slowest arc, all of it charge transfer over the whole face, and how far off it is.

Without a model of the contact the arc of the interface is read as charge transfer. Against the cell that was fitted: of an
electrode that touches on the fraction x only, R_arc is about R_pol/(x A) and more, so that the area-specific resistance comes
out 1/x too large; and where it is known, the contact fraction that follows, R_pol/(R_arc A), lacks the constriction.
"""

from __future__ import annotations

from dataclasses import dataclass

from fem_constriction.cell.cell import Cell
from fem_constriction.errors import ConstrictionError
from fem_constriction.fitting.measured_fit import fit_spectrum
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.names import CHARGE_TRANSFER
from fem_constriction.spectra.spectrum import Spectrum


@dataclass(frozen=True, kw_only=True)
class SingleArc:
    """The slowest arc of a circuit, read as charge transfer.

    Parameters
    ----------
    circuit
        That was fitted.
    resistance
        Of the slowest arc, ohm of the cell.
    per_area
        R_arc A, what it would be as a charge-transfer resistance of the whole face, ohm m2.
    charge_transfer
        R_pol of the fitted cell, ohm m2; None for an ideal contact.
    fraction
        R_pol/(R_arc A), the contact fraction that follows; None for an ideal contact.
    true_fraction
        Of the fitted cell.
    """

    circuit: str
    resistance: float
    per_area: float
    charge_transfer: float | None
    fraction: float | None
    true_fraction: float

    def text(self) -> str:
        """The reading in a sentence."""
        arc = f"the usual reading: the slowest arc of {self.circuit}, {self.resistance:.3g} ohm, is charge transfer, "
        arc += f"{self.per_area * 1e4:.3g} ohm cm2 of the whole face"
        if self.charge_transfer is None or self.fraction is None:
            return (
                f"{arc}; the fitted cell has an ideal contact on {self.true_fraction:.1%} of it: all of the arc is constriction"
            )
        times, known = self.per_area / self.charge_transfer, self.charge_transfer * 1e4
        return (
            f"{arc}, {times:.2g} times that of the fitted cell ({known:.3g} ohm cm2); with the latter it says "
            f"{self.fraction:.2%} contact instead of {self.true_fraction:.2%} ({self.fraction / self.true_fraction - 1:+.0%})"
        )


def single_arc(spectrum: Spectrum, cell: Cell) -> SingleArc | None:
    """Return the usual reading of a spectrum beside the cell that was fitted to it; None where no circuit of arcs is found.

    Parameters
    ----------
    spectrum
        Of the cell, ohm.
    cell
        That was fitted.

    Returns
    -------
    SingleArc or None
        Of the circuit that is chosen by itself.
    """
    try:
        found = fit_spectrum(spectrum)
    except ConstrictionError:
        return None
    arcs = [arc for arc in found.circuit().arcs if arc.resistance > 0]
    if not arcs:
        return None
    slowest = max(arcs, key=lambda arc: arc.tau)
    problem = Problem.of(cell)
    passes = problem.processes.get(CHARGE_TRANSFER)
    conductance = 0.0 if passes is None else float(passes(0.0))
    per_area = slowest.resistance * problem.area
    known = 1 / conductance if conductance > 0 else None
    return SingleArc(
        circuit=str(found.statistics.get("circuit", found.circuit().text())),
        resistance=slowest.resistance,
        per_area=per_area,
        charge_transfer=known,
        fraction=None if known is None else known / per_area,
        true_fraction=problem.contact_fraction,
    )
