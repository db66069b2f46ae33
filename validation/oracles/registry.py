"""Every oracle with its source, its validity and its stated uncertainty: what docs/oracles.md lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from validation.oracles import cell, circuit, discs, limits, manufactured, spots, spreading, stack


@dataclass(frozen=True)
class Oracle:
    """A function, the equation it stands for, where it holds, and how far off it may be: `uncertainty`, relative.

    None where each call states its own; the manufactured solution and the circuits are exact to rounding.
    """

    name: str
    function: Callable[..., Any]
    states: str
    validity: str
    source: str
    uncertainty: float | None

    @property
    def row(self) -> tuple[str, ...]:
        """The oracle as a row of a table."""
        stated = "stated with each value" if self.uncertainty is None else f"{self.uncertainty:.0e}"
        return f"`{self.name}`", self.states, self.validity, stated, self.source


_REFERENCES = "references.md, verified there"
_YOVANOVICH = "Mikic and Rohsenow 1966; Yovanovich 2005"

ORACLES: tuple[Oracle, ...] = tuple(
    Oracle(function.__name__, function, states, validity, source, uncertainty)
    for function, states, validity, source, uncertainty in (
        (cell.impedance, "Z(s) of layers with boundaries under rectangles, by mode expansion",
         "any rectangles along the axes; Re s >= 0, Im s >= 0", "Galerkin method, this project", None),
        (limits.high_frequency_limit, "lim s Z(s) = 1/C, constriction included",
         "every part in series has a capacitance or is perfect", "capacitances in series and parallel; mode expansion", None),
        (limits.series_capacitance, "1/C_1D: capacitances in series and parallel",
         "as above; exact at full contact, else a lower bound", "series and parallel connection", 1e-12),
        (circuit.one_dimensional, "the 1D-PM, with a counter electrode the modified one",
         "uniform current; a lower bound of Z at real s > 0", "Eckhardt et al. 2022, eq. (1)", 1e-12),
        (circuit.series_stack, "Z A of the stack below the face", "uniform current", "series connection", 1e-12),
        (stack.mode_impedance, "Z of the stack in one lateral mode, closed form of the recursion",
         "passive admittances, any lateral wave number", "transmission-line theory; references.md", 1e-11),
        (manufactured.Manufactured, "complex potential with jumps, Robin data and source",
         "boxes of two or more layers, one rectangle", "method of manufactured solutions, Roache 2002", 1e-12),
        (spreading.square_tube_isoflux, "uniform flux on a square in a square tube",
         "contact/tube 1e-4 to 1, depth/tube >= 0.01", _YOVANOVICH, 1e-11),
        (spreading.square_tube_isoflux_fit, "fit to the same, deep tube",
         "contact/tube <= 0.5", "Negus and Yovanovich 1984", 3e-3),
        (spreading.square_tube_equipotential, "equipotential square, tube as deep as wide",
         "contact/tube 0.1, 0.2, 0.4, 0.5, 0.8", _REFERENCES, 1e-8),
        (spreading.square_tube_finite_contact, "the same with sigma R_pol/L = 0.092",
         "contact/tube 0.2, 0.5, 0.8", _REFERENCES, 3e-6),
        (spreading.square_half_space_equipotential, "equipotential square, half space", "positive numbers", _REFERENCES, 2e-8),
        (spreading.square_half_space_isoflux, "uniform flux on a square, half space, mean potential",
         "positive numbers", "mean of 1/(2 pi sigma r)", 1e-12),
        (spreading.strip_equipotential, "strip across the width, bulk included",
         "contact/width 1e-6 to 1, depth/width 0.05 to 50", "conformal map; references.md", 1e-12),
        (spreading.strip_constriction_half_infinite, "strip, constriction alone, deep cell",
         "contact/width 1e-6 to 1, exp(-4 pi depth/width) << 1", "conformal map; Smythe", 1e-12),
        (discs.disc_half_space_equipotential, "equipotential disc, half space",
         "positive numbers", "Holm 1967; Maxwell", 1e-12),
        (discs.disc_half_space_isoflux, "uniform flux on a disc, half space, mean potential",
         "positive numbers", "Carslaw and Jaeger, 8.2", 1e-12),
        (discs.disc_tube_equipotential, "equipotential disc in a round tube", "radius ratio 0.01 to 0.9",
         "dual integral equations, Sneddon 1966", 1e-9),
        (discs.disc_tube_isoflux, "uniform flux on a disc in a round tube", "radius ratio 0.01 to 0.9", _YOVANOVICH, 1e-9),
        (discs.disc_tube_series, "series for the equipotential disc",
         "radius ratio <= 0.8", "references.md", 9e-2),
        (discs.disc_tube_correlation, "correlation for the same", "radius ratio <= 0.8", "Negus and Yovanovich 1984", 4e-3),
        (discs.disc_square_tube_isoflux, "uniform flux on a disc in a square tube",
         "diameter/tube 0.01 to 0.9", _YOVANOVICH, 1e-9),
        (spots.many_discs, "many equipotential discs on a square face with walls",
         "radius/distance <= 0.25, depth/width >= 0.3", "Holm 1967; Greenwood 1966; Ewald", None),
    )
)  # fmt: skip
