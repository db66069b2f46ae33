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
from validation.convergence.families import Solved
from validation.convergence.index import grid_convergence
from validation.convergence.series import Series


@dataclass(frozen=True, eq=False)
class Spectra:
    """Z of every grid of a family, (grids, frequencies) in ohm, and its limit."""

    solved: Solved
    frequency: NDArray[np.float64]
    impedance: NDArray[np.complex128]
    limit: Limit

    def as_dict(self) -> dict[str, Any]:
        """Return Z, limit, uncertainty and grid convergence index at every frequency, as JSON can hold it."""
        return {
            "backend": self.solved.family.backend.name,
            "grids": self.solved.grids,
            "frequency_Hz": self.frequency,
            "impedance_ohm": self.impedance,
            "limit_ohm": self.limit.value,
            "limit_uncertainty_ohm": self.limit.uncertainty,
            "expected_order": [self.solved.expected((float(f),)).order for f in self.frequency],
            **grid_convergence(self.impedance, self.solved.family.order).as_dict(),
        }


@dataclass(frozen=True, eq=False)
class Findings:
    """A cell, families of grids, and how they converge.

    families: as solved; reference: the family whose limit is the best known of Z; series: every quantity on every family;
    spectra: of every family; notes; apart: limits that are not the same, one sentence each.
    """

    cell: Cell
    families: tuple[Solved, ...]
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
