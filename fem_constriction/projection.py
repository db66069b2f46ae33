"""Z_r(s) = b_r' (sum_p y_p(s) X' L_p X)^-1 b_r: the whole spectrum from a few real solves.

At real s >= 0 every y_p(s) >= 0 and A(s) is symmetric, positive definite. The solutions at r real shifts, spread
logarithmically over a little more than the band, span a space on which the process matrices are projected (Galerkin); the
projected matrices are small, real, symmetric, positive semidefinite, so the reduced model is passive and its error is
quadratic in that of the potentials. How many shifts are enough is decided by comparing with the models that have one fewer:
at each frequency the largest change that leaving out any one of the solutions makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from fem_constriction.admittance import CHARGE_TRANSFER, PORE, Admittance, evaluate
from fem_constriction.assembly import Array, Assembly
from fem_constriction.errors import ComputationError
from fem_constriction.solver import ShiftedSolutions, solve_shifts

#: Relative error of Z that a reduced model is made for.
TARGET = 1e-8

#: Size below which a direction of the (normalised) solutions is rounding: at full contact they span a few dimensions only.
RANK = 1e-14

#: Where the estimate stops falling (not halved by as many rounds of two more shifts), rounding is what is left: admittances
#: that span more than ten decades. It is accepted up to this size, reported, and part of every uncertainty.
PATIENCE, ACCEPTED = 2, 1e-4

#: Doubles a block of columns may hold at once while shifts are solved: 32 MB, larger ones spend their time in the page table.
BLOCK = 4_000_000


@dataclass(frozen=True, eq=False)
class Relaxation:
    """Z(s) = sum over k of R_k/(1 + s tau_k): the relaxation spectrum of a cell, ascending in tau.

    tau: s, (r,); resistance: ohm, (r,); stored: process -> share of the energy of relaxation k that is stored in the
    capacitance of that process, (r,), summing to 1 over processes: what an arc is named by. A blocking cell has a term
    with infinite tau and R, a cell with a purely resistive part one with tau = 0.
    """

    tau: Array
    resistance: Array
    stored: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class ReducedModel:
    """A discretised cell seen from its electrodes: small process matrices and what they were made from.

    matrices: process -> X' L_p X (r, r); port: X' b; entries: process at the metal -> X' L_p b; coordinates: of the
    normalised solutions in the basis, one column per shift; shifts: 1/s; statistics: shifts, iterations, solver and
    projection errors, unknowns and grid; basis: X itself in blocks of columns, where it was kept.
    """

    matrices: Mapping[str, Array]
    port: Array
    entries: Mapping[str, Array]
    coordinates: Array
    processes: Mapping[str, Admittance]
    shifts: Array
    statistics: Mapping[str, Any] = field(default_factory=dict)
    basis: tuple[Array, ...] = field(default=(), repr=False)

    def impedance(self, s: ArrayLike, processes: Mapping[str, Admittance] | None = None) -> NDArray[np.complex128]:
        """Return Z(s) in ohm at s = i omega (or any s with Re s >= 0), shape of s.

        processes: other materials on the same discretisation (same names); accuracy is then that of the basis.
        """
        points = np.asarray(s)
        _, z = self._solve(points.ravel(), processes or self.processes)
        return np.asarray(z.reshape(points.shape), dtype=np.complex128)

    def resistance(self) -> float:
        """Z(0) in ohm; infinite where no direct current can flow (s = 0 was not solved)."""
        return float(self.impedance(np.zeros(1))[0].real) if 0.0 in self.shifts else float("inf")

    def error(self, s: ArrayLike) -> Array:
        """Return max over j of |Z - Z_without_j|/|Z|: what leaving out the solution at any one shift would change.

        An estimate of the projection's relative error, shape of s, rounding included. Shifts lie so close that one more or
        less near a frequency changes Z by far more than the error that is left (tests: on every frequency and cell tried).
        """
        z = self.impedance(s)
        points = np.asarray(s).ravel()
        plain = [model._solve(points, self.processes, refinements=0)[1].reshape(z.shape) for model in self._smaller]
        change = [np.abs(other - z) for other in plain]
        return self.rounding(s) + (np.max(change, axis=0) / np.abs(z) if change else 0.0)

    def rounding(self, s: ArrayLike) -> Array:
        """Return eps sum_p |y_p| |x|' |L_p| |x| / |Z| for unit current: what rounding of the projected matrices may do to Z.

        Relative, shape of s: 1e-13 where all processes conduct alike, 1e-7 where a double layer short-circuits (1e11 S/m2)
        what a purely resistive bulk leaves in series.
        """
        points = np.asarray(s)
        x, z = self._solve(points.ravel(), self.processes)
        size, total = np.abs(x), np.zeros(points.size)
        for name, y in evaluate(self.processes, points.ravel()).items():
            total += np.abs(y) * np.sum(size * (np.abs(self.matrices[name]) @ size), 0)
        return np.asarray((np.finfo(float).eps * total / np.abs(z)).reshape(points.shape))

    def potentials(self, coefficients: Array) -> Combination:
        """Return the potentials X c of the whole cell, one for each column of coefficients (r, k)."""
        return Combination(self.basis, coefficients)

    @cached_property
    def _smaller(self) -> list[ReducedModel]:
        """The models without each of the solutions at positive shifts; direct current stays (exact, and needed there)."""
        models = []
        for j in np.flatnonzero(self.shifts > 0):
            left, size, _ = np.linalg.svd(np.delete(self.coordinates, j, axis=1), full_matrices=False)
            span = left[:, size > RANK]
            matrices = {name: span.T @ matrix @ span for name, matrix in self.matrices.items()}
            models.append(replace(self, matrices=matrices, port=span.T @ self.port))
        return models

    def solution(self, s: ArrayLike) -> NDArray[Any]:
        """Return the coefficients x(s) of the potential in the basis for unit current, shape (r, number of s)."""
        return self._solve(np.atleast_1d(np.asarray(s)), self.processes)[0]

    def shares(self, s: ArrayLike) -> dict[str, NDArray[np.complex128]]:
        """Return y_p x' L_p x / x' A x, the share of each process in Z(s); they sum to 1."""
        x = self.solution(s)
        z = self.port @ x
        y = evaluate(self.processes, np.atleast_1d(np.asarray(s)))
        return {p: np.asarray(y[p] * np.sum(x * (matrix @ x), 0) / z) for p, matrix in self.matrices.items()}

    def entry(self, s: ArrayLike) -> dict[str, NDArray[np.complex128]]:
        """Return the share of the current that enters through each process at the metal: y_p b' L_p x(s), b' A x = 1.

        "charge_transfer" is the contact's share, an ideal contact's included; the shares sum to 1.
        """
        points = np.atleast_1d(np.asarray(s))
        x, y = self.solution(points), evaluate(self.processes, points)
        shares = {name: np.asarray(y[name] * (row @ x), dtype=complex) for name, row in self.entries.items()}
        if CHARGE_TRANSFER not in shares:
            shares[CHARGE_TRANSFER] = 1 - sum(shares.values(), np.zeros(points.shape, dtype=complex))
        return shares

    def relaxation(self) -> Relaxation:
        """Return the relaxation times of the discrete cell with their resistances and where their energy is stored.

        From C v = mu A(s_0) v at s_0 in the middle of the band: tau = mu/(1 - s_0 mu), R = (b'v)^2/(1 - s_0 mu). Exact
        for RC elements.
        """
        size = len(self.port)
        conductance, capacitance = np.zeros((size, size)), np.zeros((size, size))
        for name, p in self.processes.items():
            conductance += p.conductance * self.matrices[name]
            capacitance += p.capacitance * self.matrices[name]
        positive = self.shifts[self.shifts > 0]
        middle = float(np.sqrt(positive.min() * positive.max()))
        mu, vectors = linalg.eigh(capacitance, conductance + middle * capacitance)
        mu = np.clip(mu, 0.0, 1 / middle)
        rest = 1 - middle * mu
        with np.errstate(divide="ignore", invalid="ignore"):
            tau, resistance = mu / rest, (self.port @ vectors) ** 2 / rest
            stored = {
                name: np.nan_to_num(p.capacitance * np.sum(vectors * (self.matrices[name] @ vectors), 0) / mu)
                for name, p in self.processes.items()
            }
        order = np.argsort(tau)
        return Relaxation(tau[order], resistance[order], {name: share[order] for name, share in stored.items()})

    def _solve(
        self, s: NDArray[Any], processes: Mapping[str, Admittance], refinements: int = 2
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return x(s), (r, n), and Z(s) = 2 b'x - x'A x, (n,), which is quadratic in whatever error is left in x.

        Scaled to a unit diagonal, since entries span the decades of the admittances, and refined with residuals in extended
        precision where the machine has it: the condition reaches 1e12 and more.
        """
        size = len(self.port)
        stack = np.zeros((s.size, size, size), dtype=np.result_type(s.dtype, np.float64))
        for name, y in evaluate(processes, s.ravel()).items():
            stack += y[:, None, None] * self.matrices[name]
        scale = 1 / np.sqrt(np.maximum(np.abs(np.diagonal(stack, axis1=1, axis2=2)), 1e-300))
        scaled = stack * scale[:, :, None] * scale[:, None, :]
        right = self.port * scale
        extended = scaled
        if refinements:
            extended = scaled.astype(np.clongdouble if np.iscomplexobj(scaled) else np.longdouble)
        x = np.zeros_like(right, dtype=extended.dtype)
        residual = right.astype(extended.dtype)
        for _ in range(1 + refinements):
            x += np.linalg.solve(scaled, residual.astype(scaled.dtype)[:, :, None])[:, :, 0]
            residual = right - np.einsum("kij,kj->ki", extended, x)
        z = np.sum(x * (right + residual), 1)
        return np.asarray((x * scale).T.astype(scaled.dtype)), np.asarray(z.astype(scaled.dtype))


@dataclass(frozen=True, eq=False)
class Combination:
    """X c, a piece at a time: the columns of a basis in blocks, combined only where they are looked at."""

    blocks: tuple[Array, ...]
    coefficients: Array

    def values(self, unknowns: slice | NDArray[np.bool_]) -> Array:
        """Return the potentials of some unknowns, (unknowns there, k)."""
        return np.asarray(np.hstack([block[unknowns] for block in self.blocks]) @ self.coefficients)


def reduce(
    assembly: Assembly,
    processes: Mapping[str, Admittance],
    band: tuple[float, float] | None,
    *,
    direct_current: bool = True,
    tolerance: float = TARGET,
    solver_tolerance: float = 1e-10,
    most_shifts: int = 60,
    keep: bool = False,
) -> ReducedModel:
    """Return the reduced model of an assembly for angular frequencies band[0] to band[1] (1/s); None: direct current alone.

    direct_current: whether s = 0 is solved as well (there must be a path for direct current); keep: the basis as well.
    Shifts are added, at the widest logarithmic gap next to the worst frequency, until the estimate (`ReducedModel.error`)
    is below tolerance everywhere in the band, or until rounding stops it below 1e-4. Raises ComputationError if
    most_shifts do not suffice.
    """
    queue, check = _first_shifts(band, direct_current)
    basis = _Basis(assembly, processes)
    shifts, estimate = np.empty(0), np.inf
    history: list[float] = []
    while True:
        for block in _blocks(queue, assembly.unknowns):
            basis.add(solve_shifts(assembly, evaluate(processes, block), tolerance=solver_tolerance))
        shifts = np.append(shifts, queue)
        model = ReducedModel(basis.matrices, basis.port, basis.entries, basis.coordinates, processes, shifts)
        if band is None:
            estimate = 0.0
            break
        error = model.error(check)
        worst = int(np.argmax(error))
        estimate = float(error[worst])
        history.append(estimate)
        if estimate <= tolerance:
            break
        if len(history) > PATIENCE and estimate > history[-1 - PATIENCE] / 2 and estimate <= ACCEPTED:
            break  # rounding: reported, and part of every uncertainty
        if shifts.size >= most_shifts:
            raise ComputationError(
                f"the projection on {shifts.size} real shifts has an estimated relative error of {estimate:.1e} at "
                f"{abs(check[worst]) / (2 * np.pi):.3g} Hz, asked {tolerance:.0e}"
            )
        queue = _bisect(shifts, np.abs(check), error)
    statistics = {
        **assembly.description,
        "shifts": int(shifts.size),
        "iterations": basis.iterations,
        "solver_error": basis.solver_error,
        "projection_error": estimate,
    }
    return replace(model, statistics=statistics, basis=tuple(basis.blocks) if keep else ())


def _first_shifts(band: tuple[float, float] | None, direct_current: bool) -> tuple[Array, NDArray[np.complex128]]:
    """Return the shifts to begin with, and the values of i omega to check."""
    if band is None:
        return np.zeros(1), np.zeros(1, dtype=np.complex128)
    low, high = band[0] / 10, band[1] * 10
    shifts = np.geomspace(low, high, max(6, round(1.5 * np.log10(high / low)) + 3))
    points = max(9, round(4 * np.log10(band[1] / band[0])) + 1)
    check = (1j * np.geomspace(*band, points)).astype(np.complex128)
    return np.insert(shifts, 0, 0.0) if direct_current else shifts, check


class _Basis:
    """Orthonormal columns, in blocks as they were solved, and the process matrices projected on them.

    Classical Gram-Schmidt twice, each block normalised in between by Householder QR: one pass loses four digits.
    """

    def __init__(self, assembly: Assembly, processes: Mapping[str, Admittance]) -> None:
        self.assembly = assembly
        self.blocks: list[Array] = []
        self.matrices: dict[str, Array] = {name: np.zeros((0, 0)) for name in processes}
        self.port: Array = np.zeros(0)
        self.coordinates: Array = np.zeros((0, 0))
        metal = np.zeros((assembly.unknowns, 1))
        metal[-1] = 1.0
        self.metal = {p: assembly.operators[p] @ metal for p in processes if p in (CHARGE_TRANSFER, PORE)}
        self.entries: dict[str, Array] = {name: np.zeros(0) for name in self.metal}
        self.iterations, self.solver_error = 0, 0.0

    def add(self, solved: ShiftedSolutions) -> None:
        potentials = solved.potentials / np.linalg.norm(solved.potentials, axis=0)
        new = potentials
        for _ in range(2):
            for block in self.blocks:
                new = new - block @ (block.T @ new)
            new = _orthonormal(new)
        self.blocks.append(new)
        old = self.coordinates
        within = np.concatenate([block.T @ potentials for block in self.blocks])
        self.coordinates = np.hstack([np.vstack([old, np.zeros((new.shape[1], old.shape[1]))]), within])
        for name, matrix in self.matrices.items():
            image = self.assembly.operators[name] @ new
            column = np.concatenate([block.T @ image for block in self.blocks])
            size, width = matrix.shape[0], new.shape[1]
            grown = np.zeros((size + width, size + width))
            grown[:size, :size] = matrix
            grown[:, size:] = column
            grown[size:, :size] = column[:size].T
            grown[size:, size:] = (column[size:] + column[size:].T) / 2
            self.matrices[name] = grown
        self.port = np.append(self.port, new[-1])
        for name, row in self.metal.items():
            self.entries[name] = np.append(self.entries[name], new.T @ row)
        self.iterations = max(self.iterations, solved.iterations)
        self.solver_error = max(self.solver_error, float(solved.error.max()))


def _orthonormal(columns: Array) -> Array:
    """Return an orthonormal basis of what columns of norm 1 or less span, without directions that are rounding."""
    q, r, _ = linalg.qr(columns, mode="economic", pivoting=True, overwrite_a=True, check_finite=False)
    kept = np.abs(np.diagonal(r)) > RANK
    return np.ascontiguousarray(q[:, kept])


def _blocks(shifts: Array, unknowns: int) -> list[Array]:
    width = int(np.clip(BLOCK // unknowns, 1, 8))
    return [shifts[start : start + width] for start in range(0, shifts.size, width)]


def _bisect(shifts: Array, check: Array, error: Array) -> Array:
    """Return two new shifts, in the widest logarithmic gaps next to the worst frequencies."""
    known = np.sort(np.log(shifts[shifts > 0]))
    position = np.log(check)
    chosen: list[float] = []
    for _ in range(2):
        gaps = np.diff(known)
        inside = np.clip(np.searchsorted(known, position) - 1, 0, gaps.size - 1)
        near = inside[int(np.argmax(error * gaps[inside]))]
        candidates = np.arange(max(near - 1, 0), min(near + 2, gaps.size))
        gap = candidates[int(np.argmax(gaps[candidates]))]
        chosen.append(float((known[gap] + known[gap + 1]) / 2))
        known = np.sort(np.append(known, chosen[-1]))
    return np.asarray(np.exp(chosen), dtype=np.float64)
