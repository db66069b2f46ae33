"""|Z - Z_r| <= 2 sqrt 2 r^H A(|omega|)^-1 r / |Z|: one basis for many materials, made where this says that it lacks something.

Materials enter as admittances alone, so cells that differ in nothing else share grids, matrices and, for the most part, the
space their potentials span. On the coarsest grid of a family each material's residuals r = b - A(i omega) X x are looked at
over the band; where the estimate is too large, solutions of that material are added at the nearest shifts. Finer grids take the
same materials at the same shifts, and look again where the coarsest one was worst. A^-1 is the preconditioner's.

Where admittances of a material span so many decades that rounding of the shared matrices would count, it gets a model of its
own on the same space: its relaxations, projected anew, whose energies do not cancel (`Basis.turned`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError
from fem_constriction.processes.elements import Admittance, evaluate
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.reduction.projection import ACCEPTED, PATIENCE, TARGET, Basis, blocks, ends_first, first_shifts
from fem_constriction.reduction.reduced import ReducedModel, spanned
from fem_constriction.reduction.solver import solve_shifts

Material = Mapping[str, Admittance]

#: Frequencies per decade at which a material's residuals are looked at.
PER_DECADE = 1.5

#: Pairs of material and frequency that finer grids look at again.
LOOKED_AT_AGAIN = 4

#: How well the solutions at direct current have to do for R_DC by themselves: bounds are made of them alone.
DIRECT = 1e-6

#: Shifts of one material that are added at a time.
ADDED = 4


def reduce_together(
    assembly: Assembly,
    materials: Sequence[Material],
    band: tuple[float, float],
    *,
    direct_current: bool = True,
    like: ReducedModel | None = None,
    keep: bool = False,
    target: float = TARGET,
) -> ReducedModel:
    """Return one reduced model for several materials with the same processes; `ReducedModel.of` gives that of each.

    band, direct_current, keep: as for `projection.reduce`; like: the model of a coarser grid, whose materials and shifts are
    taken; target: the relative error that is asked for. Raises ComputationError where the estimate stays above 1e-4, and for
    assemblies without a preconditioner.
    """
    if assembly.precondition is None:
        raise ComputationError("one basis for several materials takes an assembly with a preconditioner")
    materials = [assembly.admittances(each) for each in materials]
    basis = _Shared(assembly, materials, 1j * np.geomspace(*band, max(9, round(PER_DECADE * np.log10(band[1] / band[0])) + 1)))
    if like is not None and like.sampled is not None:
        basis.add(like.sampled, like.shifts)
        error = like.basis_error
        worst = [(int(m), float(w)) for m, w in like.statistics["looked_at_again"]]
        for m, w in worst:
            error = max(error, float(basis.estimate(m, np.array([1j * w]))[0]))
        looked_at_again = worst
    else:
        # Finer grids, which take the choice, have more to resolve: up to 21 times as much was seen.
        error, looked_at_again = _choose(basis, band, direct_current, target / 2)
    if error > ACCEPTED:
        raise ComputationError(
            f"one basis for {len(materials)} materials: the estimated relative error is {error:.1e}, allowed is "
            f"{ACCEPTED:.0e}; fewer or closer materials need less"
        )
    own = {m: each for m in range(len(materials)) if (each := basis.alone(m)) is not None}
    return replace(
        basis.model(),
        alone={m: replace(each, basis=(), basis_error=error, series=assembly.series) for m, each in own.items()},
        statistics={**basis.basis.statistics(error), "materials": len(materials), "looked_at_again": looked_at_again},
        basis=tuple(basis.basis.blocks) if keep else (),
        basis_error=error,
        series=assembly.series,
    )


def _choose(
    basis: _Shared, band: tuple[float, float], direct_current: bool, target: float
) -> tuple[float, list[tuple[int, float]]]:
    """Add solutions until every material's estimate is small; return the largest one and where the largest ones are."""
    ladder, _ = first_shifts(band, direct_current)
    check = basis.check.imag
    if direct_current:
        check = np.insert(check, 0, 0.0)
    positive = ladder[ladder > 0]
    between = np.sqrt(positive[1:] * positive[:-1])
    basis.add(np.zeros(ladder.size, dtype=np.int64), ladder)
    found: list[tuple[float, int, float]] = []
    for m in ends_first(len(basis.materials)):
        left = np.concatenate([ladder, between]) if m else between
        history: list[float] = []
        while True:
            error = basis.estimate(m, 1j * check)
            history.append(float(error.max()))
            still = len(history) > PATIENCE and history[-1] > history[-1 - PATIENCE] / 2  # rounding
            if history[-1] <= target or not left.size or (still and history[-1] <= ACCEPTED):
                break
            wanted = []
            for k in np.argsort(error)[::-1][:ADDED]:
                if error[k] > target and left.size:
                    nearest = int(np.argmin(np.abs(_log(left) - _log(check[k]))))
                    wanted.append(left[nearest])
                    left = np.delete(left, nearest)
            basis.add(np.full(len(wanted), m), np.array(wanted))
        if direct_current and basis.direct_current_lacks(m) > max(DIRECT, target):
            basis.add(np.array([m]), np.zeros(1))
        worst = int(np.argmax(error))
        found.append((float(error[worst]), m, float(check[worst])))
    found.sort(reverse=True)
    return found[0][0], [(m, w) for _, m, w in found[:LOOKED_AT_AGAIN]]


def _log(s: Array) -> Array:
    return np.asarray(np.log(np.maximum(s, 1e-100)))


class _Shared:
    """A basis whose columns belong to several materials."""

    def __init__(self, assembly: Assembly, materials: Sequence[Material], check: NDArray[Any]) -> None:
        self.assembly, self.materials, self.check = assembly, tuple(materials), check
        self.basis = Basis(assembly, self.materials[0])
        self.sampled: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.shifts: Array = np.zeros(0)

    def add(self, sampled: NDArray[np.int64], shifts: Array) -> None:
        """Add the solutions of these materials at these shifts."""
        for piece in blocks(np.arange(float(shifts.size)), self.assembly.unknowns):
            each = [evaluate(self.materials[sampled[int(k)]], shifts[int(k)]) for k in piece]
            y = {name: np.array([float(one[name]) for one in each]) for name in self.materials[0]}
            self.basis.add(solve_shifts(self.assembly, y))
        self.sampled, self.shifts = np.append(self.sampled, sampled), np.append(self.shifts, shifts)

    def model(self) -> ReducedModel:
        b = self.basis
        return ReducedModel(
            b.matrices,
            b.port,
            b.entries,
            b.coordinates,
            self.materials[0],
            self.shifts,
            materials=self.materials,
            sampled=self.sampled,
            unseen=self.basis.unseen,
        )

    def alone(self, m: int) -> ReducedModel | None:
        """Return the model of a material on its relaxations, projected anew; None where rounding does not count without."""
        model, material = self.model(), self.materials[m]
        span = spanned(model.columns_of(material)[1])
        one = model.of(material)
        if np.max(one.rounding(self.check)) <= TARGET / 2 or (directions := one.apart()) is None:
            return None
        return self.basis.projected_anew(one, directions, span @ directions)

    def direct_current_lacks(self, m: int) -> float:
        """Return by how much Z(0) of a material changes, relative, on the solutions at direct current alone."""
        model = self.model()
        still = model.within(model.coordinates[:, self.shifts == 0])
        z, alone = (float(each.solved(np.zeros(1), self.materials[m])[1][0]) for each in (model, still))
        return abs(z - alone) / abs(z)

    def estimate(self, m: int, s: NDArray[Any]) -> Array:
        """Return 2 sqrt 2 r^H P^-1 r/|Z| of one material at i omega, relative, (n,): P^-1 is the preconditioner at |omega|."""
        material, own = self.materials[m], self.alone(m)
        x, z = (own or self.model()).solved(s, material)
        columns = self.basis.blocks if own is None else list(own.basis)
        residual = np.zeros((self.assembly.unknowns, s.size), dtype=np.complex128)
        residual[-1] = 1.0
        y = evaluate(material, s)
        for part, unit in ((x.real, 1.0), (x.imag, 1j)):
            full = sum((block @ rows for block, rows in _rows(columns, part)), np.zeros((self.assembly.unknowns, s.size)))
            for name, operator in self.assembly.operators.items():
                residual -= unit * y[name] * (operator @ full)
        assert self.assembly.precondition is not None
        inverse = self.assembly.precondition(evaluate(material, np.abs(s)))
        pieces = [np.ascontiguousarray(part) for part in (residual[:-1].real, residual[:-1].imag)]
        energy = sum(np.sum(piece * inverse.solve(piece), 0) for piece in pieces)
        return np.asarray(2 * np.sqrt(2) * energy / np.abs(z))


def _rows(blocks: Sequence[Array], coefficients: Array) -> list[tuple[Array, Array]]:
    """Blocks of columns, and the coefficients of each."""
    ends = np.cumsum([block.shape[1] for block in blocks])[:-1]
    return list(zip(blocks, np.split(coefficients, ends), strict=True))
