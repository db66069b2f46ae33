"""What both backends leave out of thin layers: conduction along the pores, and the thickness of boundaries.

Along the pores. A pore of depth d and admittance y conducts y d per square along the face. With it the term of the pores
    y int (V - phi)(V_psi - psi)   becomes   y [int (V - phi)(V_psi - psi) + d^2 int grad_t phi . grad_t psi],
the same y at every frequency, so the effect is solved for, not estimated. It is the field of the electrolyte's face all through
the pore, which at the metal has none: more than there is. At real s it lowers Z, and by no more than y d^2 int |grad_t phi|^2
per unit current squared, since Z is convex in every admittance.

Boundaries. b of them, of thickness d_gb, would take b d_gb from the bulk: R_DC is too large by b d_gb/(sigma_b A).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from fem_constriction.cell.cell import Cell
from fem_constriction.fem import FiniteElements, MixedElements
from fem_constriction.fem.forms import bulk
from fem_constriction.fem.prisms.prisms import triangle_basis
from fem_constriction.processes.names import PORE
from fem_constriction.processes.of_cell import admittances, direct_current
from fem_constriction.stack.face_model import LateralModel, reduce_layered

#: Depth of pores where the cell gives their capacitance alone: that of the paper's table 1 (L_z over depth 50 k), m.
DEPTH = 1e-9

#: Where the largest effect is looked for, Hz.
FREQUENCIES = np.geomspace(1e-3, 1e9, 49)

#: Triangulation of the face: level, whose effect is given; the one before says how well it is known.
LEVEL = 1


@dataclass(frozen=True)
class Neglected:
    """What both backends leave out of a cell, and how much it is.

    Parameters
    ----------
    lateral
        Largest |Z with - Z without|/|Z| of conduction along the pores.
    lateral_uncertainty
        Of it.
    frequency
        Hz, where it is largest.
    depth
        Of the pores, m.
    assumed
        Whether the cell does not say the depth.
    boundaries
        Thickness of all grain boundaries together over L_z.
    resistance
        What that is of R_DC; None where no direct current flows.
    """

    lateral: float
    lateral_uncertainty: float
    frequency: float
    depth: float
    assumed: bool
    boundaries: float
    resistance: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return dict(vars(self))


def neglected(cell: Cell, resistance: float | None = None) -> Neglected:
    """Return what is left out of a cell. Contact fractions 0 and 1 have no edge.

    Parameters
    ----------
    cell
        What was solved.
    resistance
        Its R_DC in ohm, where known.

    Returns
    -------
    Neglected
        Conduction along the pores, and the thickness of the boundaries.
    """
    pore = cell.working_electrode.pore
    given = cell.working_pores.mean
    depth = DEPTH if given is None else given
    effect = np.zeros((2, FREQUENCIES.size))
    if pore is not None and 0 < cell.contact_fraction < 1:
        effect = np.stack([along_pores(cell, depth, level) for level in (LEVEL - 1, LEVEL)])
    worst = int(effect[1].argmax())
    layers = cell.electrolyte.grain_boundaries
    taken = 0.0 if layers is None else (layers.layers - 1) * layers.thickness
    part = None
    if direct_current(cell) and resistance is not None and cell.electrolyte.conductivity:
        part = taken / (cell.electrolyte.conductivity * cell.area) / resistance
    return Neglected(
        lateral=float(effect[1, worst]),
        lateral_uncertainty=float(abs(effect[1, worst] - effect[0, worst])),
        frequency=float(FREQUENCIES[worst]),
        depth=depth,
        assumed=pore is not None and given is None,
        boundaries=taken / cell.geometry.lengths[2],
        resistance=part,
    )


def along_pores(cell: Cell, depth: float, level: int) -> Any:
    """Return |Z with conduction along pores of a depth (m) - Z without|/|Z| at `FREQUENCIES`."""
    without, along = (_model(cell, each, level).impedance(2j * np.pi * FREQUENCIES) for each in (0.0, depth))
    return np.abs(along - without) / np.abs(without)


def _model(cell: Cell, depth: float, level: int) -> LateralModel:
    elements, grid = FiniteElements(), MixedElements().grid(cell, level)
    stack = elements.layered(cell, grid)
    assert stack is not None
    pores = np.flatnonzero(~grid.plane.contact)
    sheet = sparse.csr_array(bulk.assemble(triangle_basis(grid.plane, grid.depth, elements.degree, pores)))
    face = {**stack.face, PORE: sparse.csr_array(stack.face[PORE] + grid.copies * depth**2 * sheet)}
    band = (2 * np.pi * FREQUENCIES[0], 2 * np.pi * FREQUENCIES[-1])
    return reduce_layered(replace(stack, face=face), admittances(cell), band, direct_current=direct_current(cell))
