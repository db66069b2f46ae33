"""error = C h^p: families of grids, observed orders beside theory's, and what falls short of it.

`converge(cell)` is the study; `expected_order`, `fit_power` and `grid_convergence` are its parts, for anybody's numbers.
"""

from validation.convergence.index import GridConvergence, grid_convergence
from validation.convergence.power import PowerLaw, fit_power
from validation.convergence.result import Convergence
from validation.convergence.run import converge
from validation.convergence.theory import Expected, expected_order

__all__ = [
    "Convergence",
    "Expected",
    "GridConvergence",
    "PowerLaw",
    "converge",
    "expected_order",
    "fit_power",
    "grid_convergence",
]
