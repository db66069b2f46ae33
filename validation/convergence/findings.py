"""What a convergence study finds: errors and orders of every quantity on every family, and what falls short of theory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_constriction.api import provenance
from fem_constriction.cell.cell import Cell
from fem_constriction.files import jsonable
from fem_constriction.solving.refinement import Limit
from validation.convergence.families import Costs, Solved
from validation.convergence.index import grid_convergence
from validation.convergence.series import Series


@dataclass(frozen=True, eq=False)
class Spectra:
    """Z of every grid of a family, (grids, frequencies) in ohm, and its limit.

    order: of the scheme, by which indices are taken; expected: what theory gives at every frequency (None: exact).
    """

    solved: Solved | Costs
    frequency: NDArray[np.float64]
    impedance: NDArray[np.complex128]
    limit: Limit
    order: float
    expected: tuple[float | None, ...]

    @classmethod
    def of(cls, solved: Solved, frequency: NDArray[np.float64], impedance: NDArray[np.complex128], limit: Limit) -> Spectra:
        """Return the spectra of a family that was solved, with the orders that theory gives them."""
        expected = tuple(solved.expected((float(f),)).order for f in frequency)
        return cls(solved, frequency, impedance, limit, solved.family.order, expected)

    def as_dict(self) -> dict[str, Any]:
        """Return Z, limit, uncertainty and grid convergence index at every frequency, as JSON can hold it."""
        return {
            "backend": self.solved.backend,
            "grids": self.solved.grids,
            "frequency_Hz": self.frequency,
            "impedance_ohm": self.impedance,
            "limit_ohm": self.limit.value,
            "limit_uncertainty_ohm": self.limit.uncertainty,
            "expected_order": list(self.expected),
            **grid_convergence(self.impedance, self.order).as_dict(),
        }


@dataclass(frozen=True, eq=False)
class Findings:
    """A cell, families of grids, and how they converge.

    families: as solved; reference: the family whose limit is the best known of Z; series: every quantity on every family;
    spectra: of every family; notes; apart: limits that are not the same, one sentence each.
    """

    cell: Cell
    families: tuple[Solved | Costs, ...]
    reference: str
    series: tuple[Series, ...]
    spectra: tuple[Spectra, ...]
    notes: tuple[str, ...]
    apart: tuple[str, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """What is wrong, one sentence each: orders that fall short of theory's, limits that are not the same."""
        return (*(each.failure for each in self.series if each.failure is not None), *self.apart)

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.failures

    @property
    def quantities(self) -> tuple[str, ...]:
        """The quantities that were looked at."""
        return tuple(dict.fromkeys(each.quantity for each in self.series))

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it: versions, cell, families, values, errors, orders, limits, verdicts."""
        return dict(
            jsonable(
                {
                    **provenance(self.cell),
                    "reference": self.reference,
                    "memory": "largest increase of resident memory while the grid was solved, seen every 5 ms",
                    "error": "relative to the best limit known",
                    "passed": self.passed,
                    "failures": self.failures,
                    "notes": self.notes,
                    "families": [each.as_dict() for each in self.series],
                    "spectra": [each.as_dict() for each in self.spectra],
                }
            )
        )
