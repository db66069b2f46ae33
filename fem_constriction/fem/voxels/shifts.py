"""A(s) x = b on voxels at real shifts: which unknowns current reaches at one, and what preconditions them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.fem.voxels.medium import Medium
from fem_constriction.fem.voxels.nodes import Nodes
from fem_constriction.processes.elements import Admittance
from fem_constriction.reduction.assembly import Assembly, Operator
from fem_constriction.reduction.factors import factorised
from fem_constriction.reduction.projection import TARGET, Basis, enough_shifts
from fem_constriction.reduction.reduced import ReducedModel


@dataclass(frozen=True, eq=False)
class Live:
    """Unknowns that a path leads from to one of the electrodes, where some places conduct and others do not.

    The others' potential is arbitrary: what a dielectric shuts in, at direct current.
    """

    medium: Medium
    nodes: Nodes
    known: dict[tuple[bool, ...], NDArray[np.bool_]] = field(default_factory=dict, repr=False)

    def at(self, y: Mapping[str, Any]) -> NDArray[np.bool_]:
        """Return them, (unknowns - 1,), where places conduct y."""
        conducts = tuple(bool(abs(y[name]) > 0) for name in (*self.medium.phases, *self.medium.places))
        if conducts not in self.known:
            self.known[conducts] = self._reached(*self._split(conducts))
        return self.known[conducts]

    def flows(self, y: Mapping[str, Any]) -> bool:
        """Whether current finds a path from V to the counter electrode where places conduct y."""
        conducts = tuple(bool(abs(y[name]) > 0) for name in (*self.medium.phases, *self.medium.places))
        return bool(self.medium.grounded(*self._split(conducts))[0].any())

    def _split(self, conducts: tuple[bool, ...]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        number = len(self.medium.phases)
        return np.array(conducts[:number], dtype=bool), np.array(conducts[number:], dtype=bool)

    def _reached(self, phases: NDArray[np.bool_], places: NDArray[np.bool_]) -> NDArray[np.bool_]:
        if phases.all() and places.all():
            return np.ones(self.nodes.free, dtype=bool)
        found = np.zeros(self.nodes.free + 2, dtype=bool)  # the last two are V and 0 V
        found[self.nodes.of_voxels(self.medium.grounded(phases, places, tied=True)[1:-1])] = True
        return found[:-2]


class Prepared:
    """A(s_k) itself, factorised, at several real shifts (`assembly.Preconditioner`)."""

    def __init__(self, matrices: Mapping[str, Operator], live: Live, y: Mapping[str, Array]) -> None:
        written = {name: matrix.tocsr() for name, matrix in matrices.items()}
        self.systems = []
        for k in range(len(next(iter(y.values())))):
            at = {name: float(values[k]) for name, values in y.items()}
            kept = np.flatnonzero(live.at(at))
            matrix: Any = sum(at[name] * each for name, each in written.items())
            self.systems.append((kept, factorised(matrix[kept][:, kept])))

    def solve(self, columns: Array) -> Array:
        """Return A(s_k)^-1 r_k for each column k."""
        found = np.zeros_like(columns)
        for k, (kept, factors) in enumerate(self.systems):
            found[kept, k] = factors.solve(np.ascontiguousarray(columns[kept, k]))
        return found


def reduced(assembly: Assembly, live: Live) -> Assembly:
    """Return the assembly with its way to a reduced model: direct current is solved where the image lets it through."""

    def reduction(
        processes: Mapping[str, Admittance],
        band: tuple[float, float] | None,
        *,
        direct_current: bool,
        tolerance: float | None,
        keep: bool,
    ) -> ReducedModel:
        flows = direct_current and live.flows({name: y(0.0) for name, y in processes.items()})
        basis = Basis(assembly, processes)
        if band is None and not flows:
            return basis.model(np.empty(0))
        model, estimate = enough_shifts(basis, band, direct_current=flows, tolerance=tolerance or TARGET)
        kept = (model.basis or tuple(basis.blocks)) if keep else ()
        return replace(model, statistics=basis.statistics(estimate), basis=kept)

    return replace(assembly, reduction=reduction)
