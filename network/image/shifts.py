"""X = span of the potentials of a label image at a few real shifts, each solved from the best guess that those before it give.

Conjugate gradients on the stencil of all links, preconditioned by the mean-field stack. The initial guess is the Galerkin
solution in the span so far, so the iterations fall from shift to shift. Z is quadratic in the potentials' error: for 1e-6 in Z,
1e-4 in the potentials is enough.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_constriction import memory
from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError
from fem_constriction.processes.elements import Admittance, evaluate
from fem_constriction.processes.names import PORE
from fem_constriction.reduction.conjugate_gradients import add_scaled, dot, not_reached
from fem_constriction.reduction.growing import Growing, bordered
from fem_constriction.reduction.projection import ends_first
from fem_constriction.reduction.reduced import ReducedModel
from network.image.edges import Edges, worst_edges
from network.image.exact import Factorised, Multigrid
from network.image.iteration import Preconditioner, improve
from network.image.meanfield import MeanField
from network.image.voxels import Voxels, Weights

Real = NDArray[Any]
Mask = NDArray[np.bool_]
Node = tuple[Real, float]

#: Unknowns up to which A is factorised. Spectra of a polycrystal, seconds, and by the mean-field stack: 0.04 and 0.07 at 8^3
#: voxels, 0.14 and 0.08 at 12^3, 0.45 and 0.08 at 16^3: a little longer at the end, for what converges whatever the contrast.
SMALL = 2000

#: Iterations that the mean-field stack may take (in single precision about 100 take as long as multigrid with its set-up); and
#: those that what sees every link may take.
PATIENCE, MOST = 150, 100

#: Bytes per voxel that multigrid takes at its peak (measured 960 and 1031 at 48^3 and 64^3 voxels, the whole process), and the
#: iterations of the mean-field stack where there is no room for that.
BYTES, LONG = 1200, 500

#: What sees every link gains more than a digit by another iteration, which costs a tenth of its set-up: so much stricter it is.
STRICTER = 0.1

#: What conducts so many times less than the best is lost in its rounding (layers: 3e-6 off and said at 1e-13, 1e-4 and not said
#: at 7e-15); of Z it may take so much (300 random images: 4e-8 off where it takes 0.5 %).
FAINT, LITTLE = 1e-14, 0.01

#: Direct current lies beside the lowest shift (1/s).
TINY = 1e-30

#: Energy error of a solution, in roots of the target of Z; and what may be left of that of its guess. A good guess is improved
#: all the same: the estimate of what the span lacks leaves out one solution after the other, and would not miss its own guess.
ERROR, GAIN = 1 / 30, 0.03

#: A solution that adds less than so many roundings to the span adds nothing. Every direction above that is kept: dropping one
#: makes the error estimate, which leaves out one solution after the other, too small.
RANK = 0.01


class ImageSolutions:
    """A growing space of solutions, held as vectors (nz, nx, ny) and their V, and the matrices of every kind projected on it.

    target: relative error of Z that it is for; kind: the precision of all vectors (sums over voxels and projected matrices are
    in double precision); strict: factor on what solutions may be off by.
    """

    def __init__(
        self,
        voxels: Voxels,
        processes: Mapping[str, Admittance],
        target: float,
        kind: type[np.floating[Any]] = np.float64,
        strict: float = 1.0,
        direct: Mask | None = None,
    ) -> None:
        self.voxels, self.processes, self.kind = voxels, processes, kind
        self.tolerance, self.gain = float(np.sqrt(target)) * ERROR * strict, GAIN * strict
        self.growing = Growing(_Volumes(kind))
        self.port: Array = np.zeros(0)
        self.matrices: dict[str, Array] = {name: np.zeros((0, 0)) for name in voxels.kinds}
        self.entries: dict[str, Array] = {name: np.zeros(0) for name in voxels.kinds if name.startswith(PORE)}
        self.direct, self.ways = direct, dict[float, str]()
        self.iterations: list[int] = []
        self.places: list[int] = []  # of each shift's solution among all, in the order in which shifts were given
        self.solver_error = 0.0
        shape = voxels.shape
        self.work = (np.empty(shape, kind), np.empty(shape, kind), np.empty(shape, kind))

    def extend(self, shifts: Array) -> None:
        """Solve at these shifts, ends and middle first, and take the solutions in."""
        order = ends_first(len(shifts))
        for place in order:
            self._add(self._solve(float(shifts[place])))
        self.places += [len(self.places) + order.index(place) for place in range(len(shifts))]

    def model(self, shifts: Array) -> ReducedModel:
        """Return the reduced model; shifts: all that were solved, in order."""
        coordinates = self.growing.coordinates[:, self.places]
        return ReducedModel(self.matrices, self.port, self.entries, coordinates, self.processes, shifts)

    def turned(self, model: ReducedModel) -> ReducedModel:
        """Return the model as it is: what rounding loses of an image is refused (`_refuse_faint`)."""
        return model

    @property
    def basis(self) -> list[Real]:
        """The orthonormal potentials."""
        return [each for each, _ in self.growing.blocks]

    def statistics(self, projection_error: float) -> dict[str, Any]:
        """Return what it took, for the provenance of a result."""
        return {
            "shifts": len(self.iterations),
            "iterations": max(self.iterations),
            "iterations_in_all": sum(self.iterations),
            "precision": np.dtype(self.kind).name,
            "solver": ", ".join(f"{name} ({count})" for name, count in Counter(self.ways.values()).items()),
            "solver_error": self.solver_error,
            "projection_error": projection_error,
        }

    @property
    def blocks(self) -> list[Array]:
        """The basis as columns of all unknowns, V last."""
        return [np.append(each.ravel(), v).astype(np.float64)[:, None] for each, v in zip(self.basis, self.port, strict=True)]

    def singular_edges(self, points: Iterable[float]) -> Edges | None:
        """Return where voxels meet in a way that they cannot resolve, at that one of some real s where it matters most."""
        found = []
        for s in points if self.voxels.phase is not None else ():
            y = {name: float(value) for name, value in evaluate(self.processes, s).items()}
            found.append(worst_edges(self.voxels, y, self._guess(s), s))
        return max((each for each in found if each is not None), key=lambda each: each.share, default=None)

    def _guess(self, s: float) -> Real:
        """Return the Galerkin solution in the span so far, scaled to V = 1."""
        potential = np.zeros(self.voxels.shape, self.kind)
        if self.basis:
            columns = self.model(np.zeros(0)).solved(np.array([s]), self.processes)[0][:, 0]
            for piece in self.voxels.slabs():
                total = np.zeros(potential[piece].shape)
                for weight, each in zip(columns / (self.port @ columns), self.basis, strict=True):
                    total += weight * each[piece].astype(np.float64)
                potential[piece] = total
        return potential

    def _solve(self, s: float) -> Real:
        """Return the potential at V = 1 for the shift s."""
        y = {name: float(value) for name, value in evaluate(self.processes, s).items()}
        weights = self.voxels.weights(y, self.kind)
        kept = self.voxels.kept if s else self.direct
        potential = self._guess(s)
        if self.voxels.metal_of is not None:
            self.voxels.metal_of.hold(potential, 1.0)
        spent = 0
        for prepare, most in self._ways(s):
            preconditioner = prepare(weights, kept)
            # Few iterations in single precision drift by less than is asked: of these the first, from no guess, stands for all.
            checked = self.kind is not np.float32 or not self.basis
            strict = 1.0 if prepare is MeanField or self.kind is np.float32 else STRICTER
            asked = strict * self.tolerance, strict * self.gain
            done = improve(potential, weights, preconditioner, self.work, *asked, most, checked)
            spent += done.iterations
            if done.reached:
                break
        if not done.reached:
            where = f"s = {s:.3g} 1/s, {np.dtype(self.kind).name}, {preconditioner.name}"
            raise not_reached(spent, done.error, self.tolerance, where, f" on {potential.size:,} voxels")
        self._refuse_faint(s, y, potential, weights)
        self.ways[s] = preconditioner.name
        self.iterations.append(spent)
        self.solver_error = max(self.solver_error, done.error)
        return potential

    def _refuse_faint(self, s: float, y: Mapping[str, float], potential: Real, weights: Weights) -> None:
        """Raise ComputationError where links that are lost in the rounding of the best ones decide what Z is."""
        largest = max(y.values())
        inside = {name: value for name, value in y.items() if not name.startswith(PORE)}
        faint = dict.fromkeys(y, 0.0) | {name: value for name, value in inside.items() if value < FAINT * largest}
        if not any(faint.values()):
            return
        share = self.voxels.weights(faint, self.kind).energy(potential) / weights.energy(potential)
        if share > LITTLE:
            smallest = min(value for value in faint.values() if value)
            raise ComputationError(
                f"what conducts {largest / smallest:.0e} times worse than the best takes {share:.0%} of Z at s = {s:.3g} 1/s: "
                f"a label image is solved up to a contrast of {1 / FAINT:.0e} in what matters"
            )

    def _ways(self, s: float) -> list[tuple[Callable[[Weights, Mask | None], Preconditioner], int]]:
        """Return the preconditioners to be tried at a shift, one after the other, and the iterations that each may take."""
        if self.voxels.unknowns <= SMALL:
            return [(Factorised, MOST)]
        if memory.free() < BYTES * self.voxels.unknowns:
            return [(MeanField, LONG)]
        last = (Multigrid, MOST)
        if not self.basis:
            return [(MeanField, 2 * PATIENCE), last]  # without a guess it says little of what others will take
        nearest = min(list(self.ways)[1:], key=lambda other: abs(np.log((other + TINY) / (s + TINY))), default=None)
        return [last] if nearest is not None and self.ways[nearest] == Multigrid.name else [(MeanField, PATIENCE), last]

    def _add(self, potential: Real) -> None:
        """Take in a solution at V = 1."""
        norm = float(np.sqrt(_dot(potential, potential) + 1.0))
        potential *= self.kind(1 / norm)
        new = self.growing.take((potential, 1 / norm), 1)
        if new is not None:
            if self.voxels.metal_of is not None:
                # What orthogonalisation leaves of a vector that is nearly in the span is rounding: without this, metal would
                # have many potentials in it, and Z come out too low.
                self.voxels.metal_of.hold(new[0], float(new[1]))
            self.port = np.append(self.port, new[1])
            self._project()

    def _project(self) -> None:
        """Add the row and column of the newest vector to every projected matrix, in double precision."""
        rows, entries = _rows(self.voxels, self.basis, self.port)
        for name, row, entry in zip(self.voxels.kinds, rows, entries, strict=True):
            self.matrices[name] = bordered(self.matrices[name], row[:, None])
            if name in self.entries:
                self.entries[name] = np.append(self.entries[name], entry)


class _Volumes:
    """Blocks of one column each: a potential (nz, nx, ny), and that of the electrode; improved in place, layer by layer."""

    def __init__(self, kind: type[np.floating[Any]]) -> None:
        self.kind = kind
        self.rounding = RANK * float(np.finfo(kind).eps)

    def products(self, one: Node, other: Node) -> Array:
        """Return one' other, (1, 1)."""
        return np.array([[_dot(one[0], other[0]) + one[1] * other[1]]])

    def without(self, new: Node, block: Node, products: Array) -> Node:
        """Return new - block products, in place."""
        add_scaled(new[0][None], -products[0], block[0][None])
        return new[0], new[1] - float(products[0, 0]) * block[1]

    def orthonormal(self, new: Node) -> tuple[Node, Array] | None:
        """Return the column divided by its norm, in place, and the norm; None where that is rounding."""
        size = float(np.sqrt(self.products(new, new)[0, 0]))
        if size <= self.rounding:
            return None
        potential, voltage = new
        potential *= self.kind(1 / size)
        return (potential, voltage / size), np.array([[size]])


def _dot(a: Real, b: Real) -> float:
    return float(dot(a[None], b[None])[0])


def _rows(voxels: Voxels, basis: list[Real], port: Array) -> tuple[Array, Array]:
    """Return q_j' L_k q, (kinds, r), and b' L_k q, (kinds,), for the last vector q of the basis and every kind k of links."""
    nz, kinds = voxels.shape[0], len(voxels.kinds)
    q, v = basis[-1], port[-1]
    found, metal = np.zeros((kinds, len(basis))), np.zeros(kinds)
    areas = np.array(voxels.areas)
    scale = float(areas[0])
    for piece in voxels.slabs():
        a, b = piece.start, min(piece.stop, nz - 1)
        # Links go down to one layer more.
        wide = slice(a, b + 1)
        here = q[wide].astype(np.float64)
        drops = [np.diff(here, axis=0), np.diff(here[: piece.stop - a], axis=1), np.diff(here[: piece.stop - a], axis=2)]
        for drop, area in zip(drops, areas, strict=True):
            if area != scale:
                drop *= area / scale
        codes = (voxels.z[a:b], voxels.x[piece], voxels.y[piece, :, :-1])
        present = np.unique(np.concatenate([np.bincount(c.ravel(), minlength=kinds + 1).nonzero()[0] for c in codes]))
        present = present[present > 0]
        images = np.zeros((len(present), *here.shape))
        for code, image in zip(present, images, strict=True):
            down, across, along = (drop * (c == code) for drop, c in zip(drops, codes, strict=True))
            own = image[: piece.stop - a]
            image[1:] += down[: len(image) - 1]
            image[: len(down)] -= down
            own[:, 1:] += across
            own[:, :-1] -= across
            own[:, :, 1:] += along
            own[:, :, :-1] -= along
        flat = images.reshape(len(present), here.size)
        for j, each in enumerate(basis):
            found[present - 1, j] += flat @ each[wide].reshape(-1).astype(np.float64)
    for code in range(1, kinds + 1):
        entering = (voxels.metal == code) * (q[0].astype(np.float64) - v)
        leaving = (voxels.counter == code) * q[-1].astype(np.float64)
        metal[code - 1] = -np.sum(entering)
        found[code - 1] += [
            np.sum(entering * (each[0].astype(np.float64) - w)) + np.sum(leaving * each[-1])
            for each, w in zip(basis, port, strict=True)
        ]
    return scale * found, scale * metal
