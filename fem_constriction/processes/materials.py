"""y(s) = g + s c + Q s^n of one material, boundary or film, from what its section of the cell file says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scipy.constants import epsilon_0

from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.names import GRAIN_BOUNDARY

if TYPE_CHECKING:
    from fem_constriction.cell.constant_phase import BulkConstantPhase, ConstantPhase
    from fem_constriction.cell.layers import GrainBoundaries, Layer
    from fem_constriction.cell.microstructure import Boundary, Phase
    from fem_constriction.cell.sections import Electrolyte


def film(conductance: float, capacitance: float, cpe: ConstantPhase | BulkConstantPhase | None, process: str) -> Admittance:
    """Return g + s c + Q s^n; a constant-phase element of exponent 1 is a capacitor like any other."""
    if cpe is None:
        return Admittance.of(conductance, capacitance, process=process)
    if cpe.exponent == 1:
        return Admittance.of(conductance, capacitance + cpe.Q, process=process)
    return Admittance.of(conductance, capacitance, cpe=cpe.Q, exponent=cpe.exponent, process=process)


def material(section: Electrolyte | Phase | Layer, process: str) -> Admittance:
    """Return sigma + s eps + Q s^n in S/m."""
    return film(section.conductivity or 0.0, (section.relative_permittivity or 0.0) * epsilon_0, section.cpe, process)


def boundary(section: Boundary | GrainBoundaries) -> Admittance:
    """Return (sigma + s eps)/delta + Q s^n in S/m2."""
    conductance, eps = section.conductivity / section.thickness, section.relative_permittivity * epsilon_0
    return film(conductance, eps / section.thickness, section.cpe, GRAIN_BOUNDARY)
