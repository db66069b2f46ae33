"""Z = Z_h + (Z_h - Z_2h)/(2^p - 1): the limit of a family of grids at every frequency, and how far it may be off.

The value is extrapolated with the order p that theory gives the family. What theory's term leaves of the last difference, D_2
- D_1/2^p, belongs to another term; if that falls with the observed order, its part of the error is known, and `BEYOND` times
that is the uncertainty. Of two terms in step it is |ext(p observed) - ext(p theory)|, which exceeded the true error of
asymptotic families (numerics); out of step, complex terms do not hide each other as in the moduli that observed orders come
from. An observed order below theory's is mostly on its way down: it is taken to fall short by twice as much on the grids that
follow, where that is more (of 34 random cells that were looked at for it, none was outside with or without, u 1.1 to 1.3 times
wider at 64 of 235 points: made for one cell that was, and kept since it costs little). The uncertainty is at least what an
order 1/64 below theory would make, since none is known better than that; not added, since what such an order leaves is in the
term above already. The largest within half a decade around the frequency counts.

Where theory knows the order q of the term that follows its leading one, the observed order, a mixture of both, is not taken
for it. If what theory's term leaves is a step of order q or higher, that step is rest/(1 - 2^(q - p)) at most; where this is
less than half of the last difference, the leading term leads, and the rest leaves no more in the limit than a term of order q
does: 2^p/((2^p - 1)(2^q - 1)) of it, which falls with q. `BEYOND` times that counts.

Where the observed order is below half or above one and a half of theory's, the family is not asymptotic there, and the whole
last difference is added. Steps in one direction that hardly fall promise no limit by themselves: they are taken to go on with
half of the observed order, since one that is small is mostly falling itself, down to `SLOWEST`, as a geometric series of 11
times the last difference. Where they grow no limit is to be seen: they are taken to grow as they did down to a step 256 times
smaller, and to fall slowly from then on, at most all of |Z|. Where differences follow no series, since outlines cut the cells
of each grid otherwise, the backend says which part of the last one does not (`erratic`), and that is added. The projection's
own error comes on top, never less than the 1e-8 it is asked for: rounding hides below.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.cell.units import array_in
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.problem.problem import Band, Described, Problem
from fem_constriction.reduction.assembly import Bound
from fem_constriction.reduction.projection import TARGET
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving.backends import Backend
from fem_constriction.solving.choice import FINEST, Accuracy
from fem_constriction.solving.one_grid import Solution, solve_grid
from fem_constriction.spectra.frequencies import frequencies_taken
from fem_constriction.stack.face_model import LateralModel

#: Levels a family starts with: three give an observed order.
FIRST_LEVELS = (0, 1, 2)

#: How much lower than theory's the order may be without being noticed, as a part of it.
ORDER_DEFICIT = 1 / 64

#: Part of the last difference that follows no series from which on the observed order is chance.
ERRATIC = 0.5

#: Differences in the same direction (cosine above `ALIGNED`) that grow with an order of -`GROWTH` or less show no limit: grids
#: see ever more of what none of them resolves. Below `NOISE` |Z| they are what solving leaves.
ALIGNED, GROWTH, NOISE = 0.5, 0.1, 1e-7

#: How much farther than the observed order the true one may be from theory's: 1.25 is usual (grid convergence index), and an
#: order that still changes has not shown all of it (measured: up to 1.3, uniform grids at high frequencies). With 2, of
#: mixtures of theory's order and one from half of it on 95.7 % lie within u. So they did with 1.5 and the term of
#: `ORDER_DEFICIT` on top, which was wider where nothing but theory's order shows (the network on random squares: u over error
#: 17, now 12).
BEYOND = 2.0

#: The least order that differences are taken to fall with for good, where they fall more slowly: a grid 256 times finer then
#: still has half of the error. Seen: orders of 0.02 with errors of 4 times the last difference, 11 are allowed.
SLOWEST = 1 / 8

#: Uncertainty, relative to |Z|, up to which it is not worth a word that grids are outside the asymptotic range; ten times as
#: much where that is in the kind of grids (`erratic`).
DOUBT = 1e-4

#: Frequencies looked at around each one, as factors: half a decade to both sides.
NEIGHBOURS = 10.0 ** np.linspace(-0.5, 0.5, 5)


@dataclass(frozen=True, eq=False)
class Limit:
    """The limit of a family: value and uncertainty (same unit), observed order, whether it is asymptotic (each (n,))."""

    value: NDArray[np.complex128]
    uncertainty: Array
    order: Array
    asymptotic: NDArray[np.bool_]


def extrapolate(
    grids: ArrayLike,
    order: float,
    *,
    erratic: ArrayLike = 0.0,
    following: float | None = None,
    edges: ArrayLike = np.inf,
    most: ArrayLike = np.inf,
) -> Limit:
    """Return the limit of the last three grids, each with half the step of the one before, point by point.

    Parameters
    ----------
    grids
        Values on grids, coarse to fine, (at least 3, points). Without regard to neighbouring frequencies; of equal values
        (nothing left to converge) the uncertainty is rounding.
    order
        The order of convergence that theory gives the family.
    erratic
        The part of the last difference that follows no series, 0 to 1, one or (points,): 0 where each grid refines the one
        before in the same way, 1 where an outline cuts their cells, ever differently, and nothing is known of what that does.
    following
        The order of the next term of the series, above `order`, where theory knows it.
    edges
        The order of singular edges inside, if that is below theory's: what theory's term leaves is taken for theirs; one or
        (points,).
    most
        What the limit can at most be off by for their sake.

    Notes
    -----
    Test vector: 0.96178, 0.96854, 0.97050 give the observed order 1.78618479 and with it 0.971300304.
    """
    values = np.asarray(grids, dtype=np.complex128)[-3:]
    first, last = np.abs(values[1] - values[0]), np.abs(values[2] - values[1])
    floor = 1e-13 * np.abs(values[2])  # rounding: differences below it carry no order
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = np.log2(np.maximum(first, floor) / np.maximum(last, floor))
    still = last <= floor
    loose = np.broadcast_to(np.asarray(erratic, dtype=float), last.shape)
    asymptotic = still | ((loose < 1) & (observed >= order / 2) & (observed <= 1.5 * order))
    steps = values[1] - values[0], values[2] - values[1]
    forward = np.real(np.conj(steps[0]) * steps[1]) > ALIGNED * first * last
    # Only steps in one direction are a slow series; what is erratic, or turns back, shows no order.
    slow = forward & (loose < ERRATIC) & (observed < order / 2)
    reach = np.clip(observed, order / 2, 2 * order)
    reach = np.where(slow, np.maximum(observed / 2, min(SLOWEST, order / 2)), reach)
    growing = forward & (observed < -GROWTH) & (loose < ERRATIC) & (last > NOISE * np.abs(values[2]))
    rest = np.abs(steps[1] - steps[0] / 2.0**order)  # what theory's term leaves of the last difference
    falling = np.clip(2 * reach - order, order / 4, order)
    term = reach
    if following is not None:
        leads = asymptotic & (rest <= (2.0 ** (following - order) - 1) * last / 2)
        term = np.where(leads, np.maximum(reach, following), reach)
    other = rest * np.maximum(BEYOND * _left(term, order), np.where(slow | (reach >= order), 0.0, _left(falling, order)))
    unknown = gain(order * (1 - ORDER_DEFICIT)) - gain(order)
    # A last difference of erratic ones may be small by chance: half of the order is what they are sure to fall with.
    chance = np.maximum(~asymptotic * last, loose * np.maximum(last, first / 2.0 ** (order / 2)))
    uncertainty = np.maximum(other, last * unknown) + chance
    # Edges of an order below theory's hide behind what falls faster; far from their limit they go on for twice as long.
    hidden = rest * _left(np.minimum(edges, order), order) * np.where(slow, 2.0, 1.0)
    uncertainty = np.where(np.less(edges, order), np.maximum(uncertainty, np.minimum(hidden, most)), uncertainty)
    beyond = np.minimum(last * _grown(np.minimum(observed, 0.0)), np.abs(values[2]))
    uncertainty = np.where(growing, np.maximum(uncertainty, beyond), uncertainty)
    value = values[2] + steps[1] * gain(order)
    return Limit(value, np.where(still, floor, uncertainty), observed, asymptotic)


def _left(order: Array, theory: float) -> Array:
    """Return |gain(q) - gain(p)|/|1 - 2^(q - p)|: of a term of order q, what p leaves in the limit over what it does of D_2."""
    q = np.where(np.abs(order - theory) < 1e-6, theory + 1e-6, order)
    return np.asarray(np.abs(gain(q) - gain(theory)) / np.abs(1 - 2.0 ** (q - theory)))


def _grown(order: Array) -> Array:
    """Return sum of r^k + r^K gain(SLOWEST), k = 1 to K, r = 2^-order: what is left to the limit, over the last difference.

    Differences are taken to grow for K = 1/SLOWEST more grids as they did, and to fall slowly from then on.
    """
    ratio, more = 2.0 ** -np.maximum(order, -20.0), round(1 / SLOWEST)
    return np.asarray(sum(ratio**k for k in range(1, more + 1)) + ratio**more * gain(SLOWEST))


def gain(order: ArrayLike) -> Array:
    """Return 1/(2^p - 1): what is left to the limit, over the last difference, if differences fall with this order."""
    return 1 / (2.0 ** np.asarray(order, dtype=float) - 1)


@dataclass(frozen=True, eq=False)
class Family:
    """A problem on one backend's family of grids, at least three of them, coarse to fine.

    others: further ones, different in materials alone, that the same solutions serve (`of`).
    """

    problem: Problem
    backend: Backend
    solutions: tuple[Solution, ...]
    others: tuple[Problem, ...] = ()

    @property
    def cell(self) -> Cell:
        """The description that was solved."""
        return self.problem.cell

    def of(self, described: Described) -> Family:
        """Return the family of one of its problems alone. Raises InputError for one that is none of them."""
        problem = Problem.of(described)
        known = problem.discretisation == self.problem.discretisation
        if not known or problem.places not in [each.places for each in (self.problem, *self.others)]:
            raise InputError("the cell is not allowed here: it is none of those that were solved together")
        if not self.others:
            return self
        return Family(problem, self.backend, tuple(solution.of(problem) for solution in self.solutions))

    def without_potentials(self) -> Family:
        """Return the family without what takes memory: Z at any frequency stays, and so do its relaxation times."""
        light = [solution.without_potentials() for solution in self.solutions]
        first = self.solutions[0].model
        if isinstance(first, LateralModel) and all(isinstance(each.model, LateralModel) for each in self.solutions):
            light[0] = replace(light[0], model=first.with_all_unknowns())
        return replace(self, solutions=tuple(light))

    @property
    def finest(self) -> Solution:
        """The finest grid."""
        return self.solutions[-1]

    @property
    def order(self) -> float:
        """The order of convergence that theory gives this family: the grids', where they state one, else the backend's."""
        return self.backend.order if self.finest.grid.order is None else self.finest.grid.order

    @property
    def following(self) -> float | None:
        """The order of the term that follows the leading one, where theory knows it of these grids; else None."""
        return getattr(self.finest.grid, "following", None)

    @property
    def bound(self) -> Bound:
        """What its Z at real s > 0 is of the continuum's: the backend's bound, None where the grids do not fit the contact.

        Nor is it one where potentials are torn at some nodes, as a grid's description says.
        """
        return self.backend.bound if self.fits and not self.finest.description.get("torn") else None

    @property
    def fits(self) -> bool:
        """Whether the contact's outline lies on faces of its grids."""
        return self.finest.grid.fits

    @property
    def relaxing(self) -> ReducedModel:
        """The model whose relaxations name the arcs: of the finest grid that was solved with all its unknowns.

        Where all were solved on their face alone, the coarsest one is solved now: names need no fine grid.
        """
        for solution in reversed(self.solutions):
            if not isinstance(solution.model, LateralModel):
                return solution.model
        return self.solutions[0].model.all_unknowns()

    def spectra(self, frequency: ArrayLike) -> NDArray[np.complex128]:
        """Return Z of every grid in ohm, shape (grids, frequencies)."""
        s = 2j * np.pi * array_in("Hz", frequency, "frequency").astype(float)
        if (known := self._spectra.get(s.tobytes())) is None:
            known = np.stack([solution.model.impedance(s) for solution in self.solutions])
            self._spectra[s.tobytes()] = known
            known.setflags(write=False)
        return known

    @cached_property
    def _spectra(self) -> dict[bytes, NDArray[np.complex128]]:
        """Spectra by their s: limits, tables and pictures of a result ask for the same ones."""
        return {}

    def limit(self, frequency: ArrayLike) -> Limit:
        """Return the limit of Z at frequencies in Hz, with the uncertainty of the module's head, in ohm."""
        points = array_in("Hz", frequency, "frequency").astype(float)
        low, high = self.band
        around = np.clip(points[:, None] * NEIGHBOURS, low, high)
        everywhere = self._extrapolated(around.ravel())
        relative = (everywhere.uncertainty / np.abs(everywhere.value)).reshape(around.shape)
        # Outside the asymptotic range the whole last difference counts at its own frequency alone; one that follows no series
        # may be small by chance there, and its neighbours count.
        own = self._extrapolated(points)
        chance = self.erratic(2j * np.pi * around.ravel()) >= ERRATIC
        smooth = np.where((everywhere.asymptotic | chance).reshape(around.shape), relative, 0.0).max(1)
        s = 2j * np.pi * points
        reduced = np.maximum(self.finest.model.error(s), TARGET)
        size = np.abs(own.value)
        uncertainty = np.maximum(own.uncertainty, smooth * size) + reduced * size + self.unseen(s)
        return Limit(own.value, uncertainty, own.order, own.asymptotic)

    def resistance(self) -> tuple[float, float]:
        """Return (R_DC, its uncertainty) in ohm; infinite where no direct current can flow."""
        limit = self.direct()
        return float(limit.value[0].real), float(limit.uncertainty[0])

    def direct(self) -> Limit:
        """Return the limit at direct current, of one point; infinite, without uncertainty, where none can flow."""
        values = [solution.model.resistance() for solution in self.solutions[-3:]]
        if not np.all(np.isfinite(values)):
            return Limit(np.full(1, np.inf + 0j), np.zeros(1), np.full(1, np.nan), np.ones(1, dtype=bool))
        limit = self.extrapolated(np.array(values)[:, None], np.zeros(1), self.following)
        floor = max(1e-12, self.finest.model.basis_error)
        return replace(limit, uncertainty=limit.uncertainty + floor * np.abs(limit.value) + self.unseen(np.zeros(1)))

    def doubt(self, frequency: ArrayLike, limit: Limit) -> str:
        """Return where a limit is not that of an asymptotic family, in a sentence with numbers; "" if nowhere that matters.

        Parameters
        ----------
        frequency
            In Hz, 0 for direct current, (n,).
        limit
            There, of `limit` or `direct`.
        """
        points = np.atleast_1d(np.asarray(frequency, dtype=float))
        relative = limit.uncertainty / np.abs(limit.value)
        telling = self.erratic(2j * np.pi * points) < ERRATIC
        out = ~limit.asymptotic & (relative > np.where(telling, DOUBT, 10 * DOUBT))
        if not out.any():
            return ""
        worst = int(np.argmax(np.where(out, relative, 0.0)))
        where = f"{points[worst]:.3g} Hz" if points[worst] else "direct current"
        return (
            f"{self.backend.name}: at {int(out.sum())} of {points.size} points the grids are outside the asymptotic range, "
            f"worst at {where}: observed order {limit.order[worst]:.2g}, theory's {self.order:g}; the uncertainty is "
            f"{relative[worst]:.1e} of |Z|, made for the slowest convergence that the grids allow for. A finer accuracy or "
            "another backend tells more"
        )

    def erratic(self, s: ArrayLike) -> Array:
        """Return which part of the difference between its two finest grids follows no series, (n,) of s in 1/s.

        What the backend says, `erratic(cell, grid, s)`; without a word 0 where grids fit the contact, else 1.
        """
        points = np.asarray(s)
        if (told := getattr(self.backend, "erratic", None)) is not None:
            return np.asarray(told(self.problem, self.finest.grid, points))
        return np.full(points.shape, 0.0 if self.fits else 1.0)

    def unseen(self, s: ArrayLike) -> Array:
        """Return what the limit may be off by beyond what differences of grids show, ohm, (n,) of s in 1/s."""
        told = getattr(self.backend, "unseen", None)
        return np.zeros(np.shape(s)) if told is None else np.asarray(told(self.problem, self.finest.grid, s))

    def extrapolated(self, values: ArrayLike, s: ArrayLike, following: float | None = None) -> Limit:
        """Return the limit of what its grids give at s (1/s), (grids, n): Z, or anything that converges as it does.

        following: the order of the next term, where it is that of Z.
        """
        order, most = self.edges(s)
        return extrapolate(values, self.order, erratic=self.erratic(s), following=following, edges=order, most=most)

    def edges(self, s: ArrayLike) -> tuple[Array, Array]:
        """Return the order of the most singular edges, inf without any, and the most that Z is off by for their sake, ohm."""
        told = getattr(self.backend, "edges", None)
        if told is None:
            return np.full(np.shape(s), np.inf), np.full(np.shape(s), np.inf)
        points = np.asarray(s)
        order, conducts = told(self.problem, self.finest.grid, points)
        if not np.isfinite(order).any():
            return order, np.full(np.shape(s), np.inf)
        z = self._finest_two(points)
        size = np.abs(z[1])
        falling = np.real(np.conj(z[1]) * (z[1] - z[0])) < 0  # and does not fall below 0
        return order, np.minimum(size**2 * conducts, np.where(falling, size, np.inf))

    def _finest_two(self, s: NDArray[Any]) -> NDArray[np.complex128]:
        """Z of the two finest grids, (2, n); at direct current their resistances."""
        found = np.empty((2, s.size), dtype=np.complex128)
        for row, solution in zip(found, self.solutions[-2:], strict=True):
            row[s != 0] = solution.model.impedance(s[s != 0])
            row[s == 0] = solution.model.resistance()
        return found

    def _extrapolated(self, frequency: Array) -> Limit:
        return self.extrapolated(self.spectra(frequency), 2j * np.pi * frequency, self.following)

    @property
    def band(self) -> tuple[float, float]:
        """Lowest and highest frequency in Hz the models were made for."""
        positive = self.finest.model.shifts[self.finest.model.shifts > 0]
        return float(positive.min() * 10 / (2 * np.pi)), float(positive.max() / 10 / (2 * np.pi))

    def table(self, frequency: ArrayLike) -> list[dict[str, Any]]:
        """Return a row per grid: cells, unknowns, seconds, shifts, largest relative distance to the limit."""
        limit = self.limit(frequency)
        rows = []
        for level, (solution, z) in enumerate(zip(self.solutions, self.spectra(frequency), strict=True)):
            rows.append(
                {
                    "level": level,
                    **{key: value for key, value in solution.description.items() if key != "backend"},
                    "seconds": solution.seconds,
                    "distance": float(np.max(np.abs(z - limit.value) / np.abs(limit.value))),
                }
            )
        return rows


def angular_band(frequency: ArrayLike) -> tuple[float, float]:
    """Return (lowest, highest) angular frequency in 1/s. Raises InputError for frequencies that are not positive."""
    points = frequencies_taken(frequency)
    return float(2 * np.pi * points.min()), float(2 * np.pi * points.max())


def check_affordable(problem: Problem, backend: Backend, level: int = FIRST_LEVELS[-1]) -> None:
    """Raise MemoryShort where a backend knows beforehand that a level does not fit, not after an hour on coarser ones."""
    if (affordable := getattr(backend, "affordable", None)) is not None:
        affordable(backend.grid(problem, level))


def solve_family(
    described: Described,
    backend: Backend,
    band: Band | None,
    *,
    levels: Sequence[int] = FIRST_LEVELS,
    progress: Callable[[str, int], None] | None = None,
    keep: bool = False,
    others: Sequence[Described] = (),
) -> Family:
    """Solve the family's grids of these levels; progress(backend, level) is called after each.

    keep: the potentials of the finest one, for guaranteed bounds; others: cells, different in materials alone, served as well.
    """
    problem = Problem.of(described).within(band)
    together = tuple(Problem.of(each) for each in others)
    check_affordable(problem, backend, levels[-1])
    solutions: list[Solution] = []
    for level in levels:
        finest = keep and level == levels[-1]
        coarser = solutions[-1] if solutions else None
        grid = backend.grid(problem, level)
        solutions.append(solve_grid(problem, backend, grid, band, keep=finest, others=together, coarser=coarser))
        if progress is not None:
            progress(backend.name, level)
    return Family(problem, backend, tuple(solutions), together)


def refine(family: Family, band: Band | None) -> Family:
    """Return the family with its next finer grid, whose potentials are kept if those of the finest were.

    Raises ComputationError beyond the finest level.
    """
    level = len(family.solutions)
    if level > FINEST:
        raise ComputationError(f"{family.backend.name}: level {FINEST} is the finest grid of a family")
    keep = family.finest.assembly is not None
    grid = family.backend.grid(family.problem, level)
    solution = solve_grid(family.problem, family.backend, grid, band, keep=keep, others=family.others, coarser=family.finest)
    first, *coarser = family.solutions
    # Of a face the first has no potentials anyway, and may be asked for what names the arcs.
    begin = replace(first, assembly=None) if isinstance(first.model, LateralModel) else first.without_potentials()
    return replace(family, solutions=(begin, *(each.without_potentials() for each in coarser), solution))


def solve_to(
    described: Described,
    backend: Backend,
    frequency: ArrayLike,
    accuracy: Accuracy,
    progress: Callable[[str, int], None] | None = None,
) -> Family:
    """Return a family whose limit has an uncertainty of at most accuracy.relative |Z| at every frequency.

    Grids are refined until it is so. Raises ComputationError, with what was reached, if memory or the finest level end it.
    """
    points = frequencies_taken(frequency)
    band = angular_band(points)
    family = solve_family(described, backend, band, progress=progress)
    while True:
        limit = family.limit(points)
        relative = limit.uncertainty / np.abs(limit.value)
        worst = int(np.argmax(relative))
        if relative[worst] <= accuracy.relative:
            return family
        reached = (
            f"{backend.name}: the uncertainty is {relative[worst]:.1e} of |Z| at {points[worst]:.3g} Hz after "
            f"{len(family.solutions)} grids, asked {accuracy.relative:.0e}"
        )
        try:
            family = refine(family, band)
        except (InputError, ComputationError) as error:
            raise ComputationError(f"{reached}; {error}") from None
        if progress is not None:
            progress(backend.name, len(family.solutions) - 1)
