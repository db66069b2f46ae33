"""|Z_fast - b' A^-1 b| <= 1e-7 |Z|: the route that all backends share, beside a plain solution of each one's own matrices.

Backends are independent in what they assemble. How it is solved they share: what lies below the face eliminated mode by mode,
the face's own problem, real shifts, projection. A fault there moves both alike, and their agreement is silent on it. So in
every cross-check one coarse grid of each backend, of the user's own cell, is solved twice: by the function that solves its
families, and by one sparse factorisation of the sum of y_p L_p at each of a few frequencies, with no modes, recursion, poles,
projection or preconditioner. Of a grid too large for that, Z at any potentials x of all unknowns is 2 b'x - x'A x but for a
bound that their residual b - A x has in these matrices, however they were found. Admittances are evaluated here from the
numbers of their elements, and the one-dimensional resistance that R_Cstr is counted from is compared with that of the same
cell's matrices at full contact.

Not seen: how a cell is read into the numbers of its elements and into a grid (both solutions have them from the same place),
and what only finer grids have. Oracles stand for these (docs/trust.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, ConstrictionError, cut
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.one_dimensional import one_dimensional_resistance
from fem_constriction.problem.problem import Band, Described, Problem
from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.names import CHARGE_TRANSFER, PORE
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving.backends import Backend
from fem_constriction.solving.capabilities import FAMILY, UNIFORM, gap, offers
from fem_constriction.solving.one_grid import check_areas, solve_grid

#: Largest difference relative to |Z| that is none: ten times what the reduced models are asked for.
ALLOWED = 1e-7

#: Times that a plain solution is refined.
REFINED = 2

#: Unknowns up to which a plain solution takes a few hundredths of a second, and up to which it is made at all.
QUICK, MOST = 2_000, 20_000

#: Cells per edge of the grids that are tried where the family's own coarsest one is too large, finest first.
PER_EDGE = (16, 12, 10, 8, 6, 4)

#: Frequencies besides direct current, of a quick grid and of a larger one, and how densely the band is searched for them.
FREQUENCIES, FEWER, PER_DECADE = 4, 3, 4


@dataclass(frozen=True, eq=False, kw_only=True)
class RouteCheck:
    """One coarse grid of one backend, solved by the route of its families and plainly.

    Parameters
    ----------
    backend, grid, unknowns
        What was solved, and how many unknowns its matrices have.
    frequency
        Hz, (n,), 0 for direct current.
    fast, plain
        Z of both in ohm, (n,); where the grid is too large for a plain solution, `plain` is Z by the backend's own matrices at
        potentials of all unknowns, which is off by what `allowed` has of their residual.
    allowed
        Largest difference that is none, relative to |Z|, (n,): `ALLOWED`, more where rounding of these matrices was found to
        be larger, and what the fast route states as its own error.
    cells
        Which of several cells of one discretisation each is, from 0, (n,).
    one_dimensional
        Resistance of the cell's one-dimensional circuit in ohm: as it is subtracted from R_DC for R_Cstr, by the backend's own
        matrices at full contact, and the largest difference that is none, relative. None where there is no such circuit, or no
        direct current.
    by_residual
        Whether the grid was too large for plain solutions.
    exempt
        Why nothing was compared; all arrays are then empty.
    failed
        What this project's own code failed with, which no number explains; all arrays are then empty.
    """

    backend: str
    grid: str = ""
    unknowns: int = 0
    frequency: Array = field(default_factory=lambda: np.zeros(0))
    fast: NDArray[np.complex128] = field(default_factory=lambda: np.zeros(0, dtype=complex))
    plain: NDArray[np.complex128] = field(default_factory=lambda: np.zeros(0, dtype=complex))
    allowed: Array = field(default_factory=lambda: np.zeros(0))
    cells: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    one_dimensional: tuple[float, float, float] | None = None
    by_residual: bool = False
    exempt: str = ""
    failed: str = ""

    @property
    def difference(self) -> Array:
        """|Z_fast - Z_plain| / |Z_plain|, (n,)."""
        return np.asarray(np.abs(self.fast - self.plain) / np.abs(self.plain))

    @property
    def faults(self) -> tuple[str, ...]:
        """What proves that the shared route is wrong for this cell, in sentences."""
        found = []
        if self.failed:
            found.append(
                f"the shared route could not be looked at with {self.backend}, whose coarse grid ends in {self.failed}: a "
                "fault of this program, and agreement shows nothing without the look"
            )
        # A difference that is no number is one as well.
        wrong = ~(self.difference <= self.allowed)
        if wrong.any():
            worst = int(np.argmax(np.where(wrong, np.nan_to_num(self.difference, nan=np.inf), 0.0)))
            at = f"{self.frequency[worst]:.3g} Hz" if self.frequency[worst] else "direct current"
            found.append(
                f"the shared route is {self.difference[worst]:.1e} |Z| off the own matrices of {self.backend} at {at} "
                f"({self.grid}, {self.unknowns} unknowns; allowed {self.allowed[worst]:.0e}): what both backends are solved "
                "with is at fault, and their agreement shows nothing"
            )
        if self.one_dimensional is not None:
            claimed, own, allowed = self.one_dimensional
            if not abs(claimed - own) <= allowed * own:
                found.append(
                    f"R_Cstr is counted from {claimed:.9g} ohm, but the own matrices of {self.backend} at full contact have "
                    f"{own:.9g} ohm: the one-dimensional circuit is at fault"
                )
        return tuple(found)

    @property
    def state(self) -> str:
        """What was compared and how it came out, in a few words."""
        if self.exempt:
            return f"not looked at: {self.exempt}"
        if self.failed:
            return f"fails: {self.failed}"
        worst = float(np.max(self.difference))
        how = "residuals judged" if self.by_residual else "solved plainly"
        what = f"{self.grid}, {self.unknowns} unknowns, {how} at {self.frequency.size} frequencies"
        return f"{'off by' if self.faults else 'holds to'} {worst:.1e} |Z| ({what})"

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "backend": self.backend,
            "grid": self.grid,
            "unknowns": self.unknowns,
            "by_residual": self.by_residual,
            "frequency_Hz": self.frequency.tolist(),
            "cell": self.cells.tolist(),
            "fast_real_ohm": self.fast.real.tolist(),
            "fast_imag_ohm": self.fast.imag.tolist(),
            "plain_real_ohm": self.plain.real.tolist(),
            "plain_imag_ohm": self.plain.imag.tolist(),
            "allowed": self.allowed.tolist(),
            "one_dimensional_resistance_ohm": None if self.one_dimensional is None else list(self.one_dimensional),
            "faults": list(self.faults),
            "exempt": self.exempt or None,
            "failed": self.failed or None,
        }


#: What numbers may end in: SuperLU raises RuntimeError where a factor is exactly singular.
_NUMERICAL: Final = (ConstrictionError, ArithmeticError, np.linalg.LinAlgError, RuntimeError)

#: What a backend of somebody else's may fail with besides, at a grid that the cross-check itself does not need. Of this
#: project's own code these are faults.
_FOREIGN: Final = (AttributeError, LookupError, TypeError, ValueError)


def _ours(backend: Backend) -> bool:
    return type(backend).__module__.partition(".")[0] in ("fem_constriction", "network")


def _not_solved(backend: Backend) -> tuple[type[Exception], ...]:
    """What the coarse grids of a backend may fail with without a fault of this project."""
    return _NUMERICAL if _ours(backend) else (*_NUMERICAL, *_FOREIGN)


def check_routes(cells: Sequence[Described], chosen: Sequence[Any], band: Band) -> tuple[RouteCheck, ...]:
    """Return what `check_route` finds for each backend; those that give spectra alone have no route of ours.

    cells: one, or several of one discretisation; band: angular frequencies, 1/s. Raises what `solve_grid` raises.
    """
    return tuple(
        check_route(cells, backend, band)
        if isinstance(backend, Backend)
        else RouteCheck(backend=backend.name, exempt="it gives spectra, and was not solved here")
        for backend in chosen
    )


def check_route(cells: Sequence[Described], backend: Backend, band: Band) -> RouteCheck:
    """Return one coarse grid of a backend solved both ways: the first cell all over the band, each other one in its middle.

    A grid that one of the two does not solve (admittances so far apart that a factor is singular) is exempt, with the reason;
    so is a backend of somebody else's that fails at a grid which the cross-check itself does not need. What else this project's
    own code fails with is a fault of it, which the look then names: nothing is taken for agreed that could not be looked at.
    """
    try:
        return _check_route([Problem.of(cell) for cell in cells], backend, band)
    except _not_solved(backend) as error:
        reason = str(error) if isinstance(error, ConstrictionError) else f"{type(error).__name__}: {error}"
        return RouteCheck(backend=backend.name, exempt=cut(f"a coarse grid could not be solved both ways: {reason}"))
    except _FOREIGN as error:
        return RouteCheck(backend=backend.name, failed=cut(f"{type(error).__name__}: {error}"))


def _check_route(problems: Sequence[Problem], backend: Backend, band: Band) -> RouteCheck:
    problem, *others = problems
    grid = coarse_grid(problem, backend)
    large = backend.unknowns(problem, grid) > QUICK
    whole = backend.unknowns(problem, grid) > MOST
    solved = solve_grid(problem, backend, grid, band, others=others)
    # Potentials of all unknowns, where a face alone was solved: the route is the families', what it is held against is not.
    kept = solve_grid(problem, backend, grid, band, keep=True, others=others) if whole else solved
    own = _Own(kept.assembly or backend.assemble(problem, grid))
    flows = problem.direct_current
    rows: list[tuple[int, float, complex, complex, float]] = []
    for number, each in enumerate(problems):
        model, potentials = ((made.of(each) if others else made).model for made in (solved, kept))
        points = telling_frequencies(model, band, FEWER if large else FREQUENCIES)
        points = np.append(np.zeros(int(flows)), points) if not number else points[[len(points) // 2]]
        fast, claimed = model.impedance(1j * points), model.error(1j * points)
        for omega, z, off in zip(points, fast, claimed, strict=True):
            s = 1j * omega if omega else 0.0
            y = {name: admittance(place, s) for name, place in own.admittances(each.places).items()}
            plain, rounding = own.residual(y, potentials, s) if whole else own.impedance(y)
            rows.append((number, omega / (2 * np.pi), complex(z), plain, max(ALLOWED, rounding) + float(off)))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return RouteCheck(
        backend=backend.name,
        grid=grid.name,
        unknowns=own.unknowns,
        cells=columns[0],
        frequency=columns[1],
        fast=columns[2],
        plain=columns[3],
        allowed=columns[4],
        by_residual=whole,
        one_dimensional=_one_dimensional(problem, backend) if flows else None,
    )


def admittance(place: Admittance, s: complex) -> complex:
    """Return 1/sum of 1/(g + s c + Q s^n) from the numbers of a place's elements: independent of how `Admittance` is called."""
    impedance: complex = 0.0
    for element in place.elements:
        y = element.conductance + s * element.capacitance + element.cpe * s**element.exponent
        if y == 0:
            return 0.0
        impedance += 1 / y
    return 1 / impedance


def coarse_grid(problem: Problem, backend: Backend) -> Grid:
    """Return the grid that is solved both ways: the coarsest of the backend's family if it is small enough.

    Else the same triangles with one cell for each layer, or equal cells: all of them go the route of the family's grids, which
    is what is looked at. Of those that are all too large, the smallest of the family's kind.
    """
    tried = []
    for grid in _candidates(problem, backend):
        unknowns = backend.unknowns(problem, grid)
        if unknowns <= QUICK:
            return grid
        tried.append((unknowns, grid))
    alike = [each for each in tried if type(each[1]) is type(tried[0][1])]
    for some in (alike, tried):
        unknowns, grid = min(some, key=lambda each: each[0])
        if unknowns <= MOST:
            break
    return grid


def _candidates(problem: Problem, backend: Backend) -> Iterator[Grid]:
    """Grids of the same cell, by how much they have in common with those of the family."""
    coarsest = backend.grid(problem, 0)
    yield coarsest
    offered = offers(backend, problem.kind)
    if UNIFORM not in offered or FAMILY not in offered:
        return
    if type(coarsest) is not Grid:  # triangles, which no uniform grid has
        yield replace(coarsest, name=f"{coarsest.name}, one cell a layer", layers=tuple(z[[0, -1]] for z in coarsest.layers))
    for per_edge in PER_EDGE:
        try:
            grid = backend.uniform(problem, per_edge)
            check_areas(problem, grid)
        except _not_solved(backend):  # these lines do not fit this contact
            continue
        yield grid


def telling_frequencies(model: ReducedModel, band: tuple[float, float], count: int) -> Array:
    """Return omega (1/s) at both ends of a band and where shares of the processes have changed by equal parts between them."""
    points = np.geomspace(*band, max(count, round(PER_DECADE * np.log10(band[1] / band[0])) + 1))
    shares = np.stack(list(model.shares(1j * points).values()))
    path = np.append(0.0, np.cumsum(np.abs(np.diff(shares)).sum(0)))
    return np.asarray(points[np.unique(np.searchsorted(path, path[-1] * np.linspace(0, 1, count)))])


class _Own:
    """A backend's own matrices, and plain solutions of their sum."""

    def __init__(self, assembly: Assembly) -> None:
        self.operators, self.admittances = assembly.operators, assembly.admittances
        self.matrices = {name: sparse.csc_array(operator.tocsr()) for name, operator in assembly.operators.items()}
        self.unknowns = assembly.unknowns

    def system(self, y: Mapping[str, complex]) -> sparse.csc_array:
        """Return sum of y_p L_p."""
        return sparse.csc_array(sum(y[name] * matrix for name, matrix in self.matrices.items()))

    def impedance(self, y: Mapping[str, complex]) -> tuple[complex, float]:
        """Return b' A^-1 b, and what rounding of the entries of A may do to it, relative: eps |x|' |A| |x| / |Z|.

        Of the unknowns that matrix entries join to V: the others (voxels of metal, islands) have no current, and no equation of
        theirs holds one of these. Refined with residuals process by process, formed from differences: a contact that conducts
        1e9 times better than the rest would otherwise leave its rounding in the sum of all (4e-6 of Z).
        """
        system = self.system(y)
        port = np.zeros(self.unknowns, dtype=system.dtype)
        port[-1] = 1.0
        there = reached(system)
        inside = sparse.csc_array(system[there][:, there])
        factors = splu(inside, permc_spec="COLAMD", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
        x = np.zeros_like(port)
        for _ in range(REFINED + 1):
            x[there] += factors.solve(self._left(y, x, port)[there])
        size = np.abs(x)
        return complex(x[-1] + x @ self._left(y, x, port)), float(
            np.finfo(float).eps * (size @ (abs(system) @ size)) / size[-1]
        )

    def _left(self, y: Mapping[str, complex], x: NDArray[Any], port: NDArray[Any]) -> NDArray[Any]:
        """The residual b - sum of y_p (L_p x)."""
        columns = np.ascontiguousarray(np.column_stack([x.real, x.imag]))
        images = {name: operator @ columns for name, operator in self.operators.items()}
        turned = 1j if np.iscomplexobj(port) else 0.0
        return np.asarray(port - sum(y[name] * (image[:, 0] + turned * image[:, 1]) for name, image in images.items()))

    def residual(self, y: Mapping[str, complex], model: ReducedModel, s: complex) -> tuple[complex, float]:
        """Return 2 b'x - x'A x at the potentials x of a model, and 2 sqrt 2 r^H |A|^-1 r / |Z| of their residual r = b - A x.

        The first is off by r' A^-1 r, of which the second is a bound (design: admittances lie within a quarter turn).
        """
        x = model.potentials(model.solution(s)).values(slice(None))[:, 0]
        residual = -(self.system(y) @ x)
        residual[-1] += 1.0
        plain = complex(x[-1] + x @ residual)
        energy = _energy(self.system({name: abs(each) for name, each in y.items()}), residual)
        return plain, float(2 * np.sqrt(2) * energy / abs(plain))


def reached(system: sparse.csc_array) -> NDArray[np.int64]:
    """Return the unknowns that entries other than 0 join to the last one, ascending: a block that nothing else enters."""
    joined = sparse.csr_array(abs(system))
    joined.eliminate_zeros()
    part = connected_components(joined, directed=False)[1]
    return np.flatnonzero(part == part[-1])


#: Iterations, and part of the residual that may be left, in `_energy`: a bound takes no more than its first digit.
ITERATIONS, LEFT = 2000, 0.1


def _energy(system: sparse.csc_array, residual: NDArray[np.complex128]) -> float:
    """Return r^H A^-1 r of a real, positive definite matrix by conjugate gradients scaled to its diagonal, from below.

    Raises ComputationError where these do not arrive.
    """
    diagonal = system.diagonal()
    total, inverse = 0.0, np.divide(1.0, diagonal, out=np.zeros_like(diagonal), where=diagonal > 0)
    for part in (residual.real, residual.imag):
        left = part.copy()
        step = inverse * left
        direction, energy = step, float(left @ step)
        start = energy
        for _ in range(ITERATIONS):
            if energy <= LEFT**2 * start:
                break
            image = system @ direction
            length = energy / float(direction @ image)
            total += length * energy
            left = left - length * image
            step = inverse * left
            energy, before = float(left @ step), energy
            direction = step + energy / before * direction
        else:
            raise ComputationError(f"the residual of the shared route could not be judged in {ITERATIONS} iterations")
    return total / (1 - LEFT)


def _one_dimensional(problem: Problem, backend: Backend) -> tuple[float, float, float] | None:
    """R_DC(1D-PM) as R_Cstr is counted from it, by a backend's own matrices at full contact, and what may differ.

    There the current is uniform, and every grid is exact: contact and pores conduct side by side over the whole face.
    """
    offered = offers(backend, problem.kind)
    contact = problem.contact_area
    if UNIFORM not in offered or FAMILY not in offered or not contact:
        return None
    even = problem.spread("counter_electrode") if problem.patterned_counter else problem
    whole = even.vary({"working_electrode.contact": {"shape": "square", "fraction": 1.0}})
    if gap("spectrum", whole, [backend]) is not None:
        return None
    grid = backend.grid(whole, 0)
    own = _Own(backend.assemble(whole, grid))
    y = {name: admittance(place, 0.0) for name, place in whole.places.items()}
    if CHARGE_TRANSFER in y:
        pores = admittance(problem.places[PORE], 0.0).real if PORE in problem.places else 0.0
        y[CHARGE_TRANSFER] = (y[CHARGE_TRANSFER].real * contact + pores * (problem.area - contact)) / problem.area
    resistance, rounding = own.impedance({name: each.real for name, each in y.items()})
    return one_dimensional_resistance(problem), resistance.real, max(ALLOWED, rounding)
