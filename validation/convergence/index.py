"""GCI = F |Z_1 - Z_2|/(2^p - 1)/|Z_1|: the grid convergence index of complex values, point by point.

Z_1 is the finest of grids whose step halves each time, p the order observed from the moduli of the complex differences,
F = 1.25 for three or more grids and 3 for two (Roache, J. Fluids Eng. 116 (1994) 405). The index belongs to the *fine-grid*
value; the uncertainty of `refinement.extrapolate` belongs to the extrapolated one, and is 20 to 120 times narrower.

GCI_2/(2^p GCI_1) should be 1. With the p that the same three grids show it is |Z_1|/|Z_2| by construction, which says nothing
of an asymptotic range; with the order that theory gives it does, so both are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.arrays import Array
from fem_constriction.errors import InputError
from fem_constriction.solving.refinement import SLOWEST, extrapolate

#: Safety factors for two grids, and for three or more.
TWO_GRIDS: Final = 3.0
MORE_GRIDS: Final = 1.25

#: How far the observed order may be from theory's, as a part of it, for an index to be one of an asymptotic range: farther off,
#: up to 7 % too small ones were seen (elements of equal size, order 1.27 of 2).
NEAR: Final = 0.25


@dataclass(frozen=True, eq=False)
class GridConvergence:
    """Observed order, GCI of the two finest grids (relative), their ratios, and whether it is asymptotic, each (n,).

    order: theory's for two grids; ratio: GCI_2/(2^p GCI_1) with the observed order, ratio_of_theory with theory's; coarse and
    the ratios are nan for two grids, and nothing is asymptotic there.
    """

    order: Array
    fine: Array
    coarse: Array
    ratio: Array
    ratio_of_theory: Array
    asymptotic: NDArray[np.bool_]
    factor: float

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "observed_order": self.order,
            "gci_fine": self.fine,
            "gci_coarse": self.coarse,
            "ratio": self.ratio,
            "ratio_with_theory_s_order": self.ratio_of_theory,
            "asymptotic": self.asymptotic,
            "safety_factor": self.factor,
        }


def grid_convergence(grids: ArrayLike, order: float) -> GridConvergence:
    """Return the grid convergence index of values on grids, coarse to fine, shape (at least 2, points), step halved each time.

    order: theory's. The index is made with the observed order, as published, from `SLOWEST` to twice theory's, beyond
    that with these bounds. Where it is off theory's by more than `NEAR` of it, or the family is not asymptotic
    (`refinement.extrapolate`), the point is not: nothing published says that the index holds there. Raises InputError.
    """
    values = np.asarray(grids, dtype=np.complex128)
    if values.ndim != 2 or len(values) < 2:
        raise InputError(
            key="grids", value=values.shape, unit="values", allowed="at least two rows, coarse to fine, a column per point"
        )
    last = np.abs(values[-1] - values[-2])
    if len(values) == 2:
        nothing = np.full(last.shape, np.nan)
        fine = TWO_GRIDS * last / (2.0**order - 1) / np.abs(values[-1])
        no = np.zeros(last.shape, dtype=bool)
        return GridConvergence(np.full(last.shape, order), fine, nothing, nothing, nothing, no, TWO_GRIDS)
    limit = extrapolate(values, order)
    p = np.clip(limit.order, min(SLOWEST, order / 2), 2 * order)
    first = np.abs(values[-2] - values[-3])
    fine = MORE_GRIDS * last / (2**p - 1) / np.abs(values[-1])
    coarse = MORE_GRIDS * first / (2**p - 1) / np.abs(values[-2])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = [coarse / (2**q * fine) for q in (p, np.full(p.shape, order))]
    near = limit.asymptotic & (np.abs(limit.order - order) <= NEAR * order)
    return GridConvergence(limit.order, fine, coarse, ratios[0], ratios[1], near, MORE_GRIDS)
