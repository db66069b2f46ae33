"""1 - B A = (1 - w D^-1 A)(1 - P S^-1 P' A)(1 - w D^-1 A): the stack that an image is on average, between two smoothings.

S is the stiffness of trilinear elements on the lattice with one conductivity per layer and direction, boundaries in it as so
much resistance more. Its lateral modes are cosines (the transform DCT-I), each of which sees a tridiagonal system in z;
eliminated from the counter electrode upwards it leaves the mode's admittance on the face of the working electrode. Contact and
pores differ by many decades there, so the face is kept as it is, and solved by conjugate gradients on the plane. P gives all
unknowns of a node the lattice's value; what it cannot express, potentials of one node that differ, and what the mean does not
see, is smoothed before and after by the diagonal D of A. Added to the stack instead, which takes one product with A and not
three, the diagonal took 37 iterations where this takes 10. Elements of degree 2 have a lattice twice as fine, on which
trilinear ones are about as good.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import scipy
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.fem.voxels.medium import JOINED, Medium
from fem_constriction.fem.voxels.nodes import Nodes
from fem_constriction.fem.voxels.operators import face_mass, stiffness
from fem_constriction.processes.names import CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from fem_constriction.reduction.conjugate_gradients import conjugate_gradients

#: Relative residual energy at which the plane is solved, and iterations on it at most: the iteration around it is flexible.
PLANE, MOST = 1e-2, 60

#: What an ideal contact conducts, over the best layer: it holds its nodes.
HELD = 1e8

#: Part of the best layer's conductivity that each one has at least: one that conducts nothing would leave modes undefined.
LEAST = 1e-9

#: Largest w/D times A: below 2, at which smoothing would add as much as it takes away.
OVER = 1.8

WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@dataclass(frozen=True, eq=False)
class Lattice:
    """The lattice of a medium's nodes: which unknowns are at which node, and what layers are made of.

    Parameters
    ----------
    medium, nodes
        Of the image.
    copies
        Of it in the cell.
    """

    medium: Medium
    nodes: Nodes
    copies: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Nodes along z, x and y; where the counter electrode is ideal its own are none."""
        _, mz, mx, my = self.nodes.number.shape
        return mz - int(self.grounded), mx, my

    @property
    def grounded(self) -> bool:
        """Whether the counter electrode is ideal."""
        return COUNTER_ELECTRODE not in self.medium.places

    @cached_property
    def steps(self) -> tuple[float, float, float]:
        """Distances of nodes along z, x and y, m."""
        z, x, y = (edge / self.nodes.degree for edge in self.medium.edges)
        return z, x, y

    @cached_property
    def node(self) -> NDArray[np.int64]:
        """The node of every unknown in the lattice, (free,)."""
        number = self.nodes.number.reshape(8, -1)
        found = np.zeros(self.nodes.free + 1, dtype=np.int64)
        every = np.arange(number.shape[1])
        for octant in number:
            found[octant] = every  # the last one is V's, and 0 V's
        return np.minimum(found[:-1], int(np.prod(self.shape)) - 1)

    @cached_property
    def damping(self) -> float:
        """w, with which 1 - w D^-1 A does not go below -0.8, whatever the admittances.

        No eigenvalue of D^-1 A is above the largest one of all voxels and faces alone; where metal is one unknown of several
        corners, above the number of these.
        """
        own = [stiffness(self.medium.edges, self.nodes.degree), face_mass(self.nodes.degree)]
        if self.medium.floating:
            return OVER / len(own[0])
        voxel, face = (float(np.linalg.eigvalsh(each / np.sqrt(np.outer(d, d)))[-1]) for each in own for d in [np.diag(each)])
        return OVER / max(voxel, 2 * face)  # both sides of a face are unknowns

    @cached_property
    def volumes(self) -> Array:
        """The part of each phase in each layer of voxels, (phases, nz)."""
        inside = self.medium.inside
        return np.stack([(inside == number).mean((1, 2)) for number in range(len(self.medium.phases))])

    @cached_property
    def boundaries(self) -> Array:
        """Part of the faces across z, x and y that are boundaries, in each layer of voxels, (3, nz)."""
        nz = self.medium.shape[0]
        if GRAIN_BOUNDARY not in self.medium.places:
            return np.zeros((3, nz))
        code = list(self.medium.places).index(GRAIN_BOUNDARY)
        z, x, y = (faces == code for faces in self.medium.faces)
        across = z.mean((1, 2))
        sides = [each.mean((1, 2)) if each.size else np.zeros(nz) for each in (x, y)]
        return np.stack([(across[1:] + across[:-1]) / 2, *sides])

    def face(self, y: Mapping[str, float], held: float) -> Array:
        """Return what each node of the face of the working electrode conducts to it, masses lumped, (mx, my), S."""
        codes, d = self.medium.faces[0][0], self.nodes.degree
        conducts = np.zeros(codes.shape)
        for name in (CHARGE_TRANSFER, PORE):
            if name in self.medium.places:
                conducts[codes == list(self.medium.places).index(name)] = y[name]
        conducts[codes == JOINED] = held
        fine = conducts.repeat(d, 0).repeat(d, 1) * (self.copies * self.steps[1] * self.steps[2] / 4)
        found = np.zeros(self.shape[1:])
        sides = slice(None, -1), slice(1, None)
        for one, other in product(sides, repeat=2):
            found[one, other] += fine
        return found


class MeanField:
    """B at one real shift.

    Parameters
    ----------
    lattice
        Of the image.
    y
        Of every place.
    apply
        x -> A x, of columns (free,).
    diagonal
        Of A, (free,).
    live
        Unknowns that count.
    """

    name = "mean-field stack"

    def __init__(
        self,
        lattice: Lattice,
        y: Mapping[str, float],
        apply: Callable[[Array], Array],
        diagonal: Array,
        live: NDArray[np.bool_],
    ) -> None:
        self.lattice, self.apply, self.live = lattice, apply, live
        self.smoothing = np.where(live, lattice.damping / np.where(diagonal > 0, diagonal, np.inf), 0.0)
        mz, mx, my = lattice.shape
        dz, dx, dy = lattice.steps
        kappa = np.array([y[name] for name in lattice.medium.phases]) @ lattice.volumes
        kappa = np.maximum(kappa, LEAST * max(float(kappa.max()), 1e-300))
        film = y.get(GRAIN_BOUNDARY, np.inf)
        with np.errstate(divide="ignore"):
            slowed = [1 / (1 / kappa + 1 / (film * edge)) if film else 0 * kappa for edge in lattice.medium.edges]
        along = [(1 - part) * kappa + part * slow for part, slow in zip(lattice.boundaries, slowed, strict=True)]
        down, across, aside = (np.repeat(each, lattice.nodes.degree) * lattice.copies for each in along)
        (kx, wx), (ky, wy) = _symbols(mx, dx), _symbols(my, dy)
        mass = wx[:, None] * wy
        spread_x, spread_y = kx[:, None] * wy, wx[:, None] * ky
        self.tie = np.empty((max(len(down) - 1 + int(not lattice.grounded), 0), mx, my))
        diagonals = np.zeros((len(down) + 1, mx, my))
        for layer in range(len(down)):
            sideways = (across[layer] * spread_x + aside[layer] * spread_y) * dz / 6
            upright = down[layer] * mass / dz
            diagonals[layer] += upright + 2 * sideways
            diagonals[layer + 1] += upright + 2 * sideways
            if layer < len(self.tie):
                self.tie[layer] = upright - sideways  # minus what is off the diagonal
        if not lattice.grounded:
            diagonals[-1] += lattice.copies * y[COUNTER_ELECTRODE] * mass
        pivot = diagonals[mz - 1]
        self.inverse = np.empty((mz, mx, my))
        for row in range(mz - 1, 0, -1):
            self.inverse[row] = 1 / pivot
            pivot = diagonals[row - 1] - self.tie[row - 1] ** 2 * self.inverse[row]
        self.admittance = pivot
        self.face = lattice.face(y, HELD * float(pivot.max()) / (lattice.copies * dx * dy)) / (_ends(mx)[:, None] * _ends(my))
        low, high = float(pivot.min()), float(pivot.max())
        weight = 1 + self.face / max(np.sqrt(abs(low * high)), float(self.face.min()), 1e-300)
        self.scaling = 1 / np.sqrt(weight)
        self.plane = 1 / (pivot + float(np.mean(self.face / weight)))

    def solve(self, residual: Array) -> Array:
        """Return B r, r of shape (free,)."""
        found = self.smoothing * residual
        left = residual - self.apply(found)
        step = self._on_average(left)
        left -= self.apply(step)
        found += step
        found += self.smoothing * left
        return found

    def _on_average(self, residual: Array) -> Array:
        """Return P S^-1 P' r."""
        lattice = self.lattice
        size = int(np.prod(lattice.shape))
        work = np.asarray(np.bincount(lattice.node, residual * self.live, size), dtype=float).reshape(lattice.shape)
        ends = np.sqrt(_ends(work.shape[1])[:, None] * _ends(work.shape[2]))
        work = _modes(work / ends)
        for row in range(len(work) - 1, 0, -1):
            work[row] *= self.inverse[row]
            work[row - 1] += self.tie[row - 1] * work[row]
        work[0] = _modes(self._on_face(_modes(work[0])))
        for row in range(1, len(work)):
            work[row] += self.tie[row - 1] * self.inverse[row] * work[row - 1]
        found = (_modes(work) / ends).ravel()[lattice.node]
        return np.asarray(found * self.live)

    def _on_face(self, right: Array) -> Array:
        """Solve (C Y C + face) phi = right on the first plane."""
        phi = np.zeros_like(right)
        conjugate_gradients(_Face(self), phi[None], right.copy()[None], lambda begin, _gained: PLANE**2 * begin, MOST)
        return phi


@dataclass(frozen=True, eq=False)
class _Face:
    """C Y C + face, C of cosines, for conjugate gradients: one system, columns (1, mx, my)."""

    stack: MeanField

    def apply(self, direction: Array) -> Array:
        plane = direction[0]
        return np.asarray((_modes(_modes(plane) * self.stack.admittance) + self.stack.face * plane)[None])

    def precondition(self, residual: Array) -> Array:
        scaling = self.stack.scaling
        return np.asarray((_modes(_modes(residual[0] * scaling) * self.stack.plane) * scaling)[None])

    def only(self, columns: NDArray[np.bool_]) -> _Face:
        return self


def _modes(values: Array) -> Array:
    """Return the orthonormal cosine transform of type 1, its own inverse, of every plane."""
    workers = WORKERS if values.size > 1 << 17 else 1
    return np.asarray(scipy.fft.dctn(values, 1, axes=(-2, -1), norm="ortho", workers=workers))


def _ends(nodes: int) -> Array:
    """What cells are at each node of a line: 1 inside, 1/2 at its ends."""
    found = np.ones(nodes)
    found[[0, -1]] = 0.5
    return found


def _symbols(nodes: int, step: float) -> tuple[Array, Array]:
    """Stiffness and mass of straight lines between nodes, of each cosine, over those of `_ends`."""
    cosines = np.cos(np.pi * np.arange(nodes) / (nodes - 1))
    return 2 * (1 - cosines) / step, step * (2 + cosines) / 3
