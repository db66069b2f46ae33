"""A few hundred functions of a plane that has too many nodes for modes, chosen by its solutions: with modes of their own.

Any potential and any current will do, so the plane's space may be replaced by a part of it: nothing is interpolated, and what a
part lacks makes a disc wider and no more. It has to hold the values on the face, exactly, and about everything that these are
continued with: rational functions of the plane, spanned by (K + p M)^-1 M phi at the poles p of the plane's functions.

Modes of potentials are K v = k^2 M v on the part. Of densities it is the least energy of a lateral current that makes up for
them which counts, C = M K^+ M (docs/discs.md): k^2 C v = M v.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError
from fem_constriction.reduction.reduced import spanned
from fem_constriction.stack.face_model import FaceSolutions
from fem_constriction.stack.layered import Layered
from fem_constriction.stack.modes import Lateral, Modes
from fem_constriction.stack.sparse_functions import Pencil

#: Every so many poles are taken (theirs are for 1e-8, and energies are as good as the square of what potentials are), and
#: directions of the solutions, and of what is spanned, below this part of the largest are left out.
EVERY, LEAST = 2, 1e-6

#: The shift p of `_Inverse` as a part of the smallest eigenvalue, what the corrections end with (relative residual: energies
#: are off by its square), and how many are made at most: each leaves an eleventh at worst.
SHIFTED, CORRECTED, CORRECTIONS = 0.1, 1e-8, 30


def potentials_within(side: Layered, face: Array, solved: FaceSolutions) -> Layered:
    """Return the stack of the potentials that the solutions span, with modes; one whose plane has modes as it is.

    face: what has to be in it, with the uniform potential, (m, n, 1).
    """
    if not isinstance(pencil := side.lateral, Pencil):
        return side
    uniform = np.ones((pencil.shape[0], 1))
    part = _spanned(pencil, np.hstack([uniform, face[:, :, 0].T]), _continued(pencil, solved))

    def energies(vectors: Array) -> Array:
        columns = part @ vectors
        return np.asarray(columns.T @ (pencil.stiffness @ columns))

    mass = part.T @ (pencil.mass @ part)
    found = Modes.refined(energies(np.eye(part.shape[1])), mass, energies)
    return _with(side, pencil, found.values, part @ found.vectors)


def currents_within(side: Layered, face: Array, solved: FaceSolutions) -> Layered:
    """Return the same of currents; face: the densities that have to be in it, (m, n, 1)."""
    if not isinstance(pencil := side.lateral, Pencil):
        return side
    size = pencil.shape[0]
    masses = np.asarray(pencil.mass.sum(1)).ravel()
    given, continued = (  # the uniform density is a mode by itself
        columns - masses @ columns / masses.sum() for columns in (face[:, :, 0].T, _continued(pencil, solved))
    )
    part = _spanned(pencil, given, continued)
    part = part - masses @ part / masses.sum()  # directions that are small among those given have a rounding in their total
    inverse = _Inverse(pencil)

    def energies(vectors: Array) -> Array:
        return inverse.energies(pencil.mass @ (part @ vectors))

    mass = part.T @ (pencil.mass @ part)
    found = Modes.refined(energies(np.eye(part.shape[1])), mass, energies)
    values, vectors = 1 / found.values[::-1], part @ found.vectors[:, ::-1]
    uniform = np.full((size, 1), 1 / np.sqrt(masses.sum()))
    return _with(side, pencil, np.append(0.0, values), np.hstack([uniform, vectors]))


class _Inverse:
    """K^+ of a plane, from factors of K + p M that are corrected by what K leaves of the right side.

    K alone, or pinned at one node, has no factors without pivoting: of currents it is a saddle point with an empty block, whose
    diagonal pivots may be any size (seen: energies off by 1e-3, some negative). With p M it is quasi-definite.
    """

    def __init__(self, pencil: Pencil) -> None:
        self.pencil = pencil
        shift = float(pencil.rational.points[1]) * SHIFTED
        (self.solver,) = pencil.factorised([shift * pencil.mass], np.ones(pencil.shape[0], dtype=bool))

    def energies(self, right: Array) -> Array:
        """Return r' K^+ r for columns r of sum 0, (k, k): 2 r'x - x'K x, off by the square of what x is off by.

        Raises ComputationError where corrections do not end.
        """
        found = self.solver.solve(np.asfortranarray(right))
        size = np.linalg.norm(right, axis=0)
        for _ in range(CORRECTIONS):
            left = right - self.pencil.stiffness @ found
            if np.all(np.linalg.norm(left, axis=0) <= CORRECTED * size):
                return np.asarray(found.T @ right + found.T @ left)
            found = found + self.solver.solve(np.asfortranarray(left))
        raise ComputationError(f"the energies of currents on a plane are not found in {CORRECTIONS} corrections")


def _with(side: Layered, pencil: Pencil, values: Array, vectors: Array) -> Layered:
    return replace(side, lateral=Lateral(Modes(values, vectors, pencil.mass @ vectors), Modes.single()))


def _continued(pencil: Pencil, solved: FaceSolutions) -> Array:
    """p (K + p M)^-1 M phi of the directions of the solutions that matter, (n, q): close to phi, or to its mean."""
    phi = solved.potential[:, :, 0].T
    _, sizes, turned = np.linalg.svd(phi * _root(pencil), full_matrices=False)
    chosen = turned[sizes > LEAST * sizes[0]].T
    return np.hstack([pole * (columns @ chosen) for pole, columns in list(solved.poles.items())[::EVERY]])


def _spanned(pencil: Pencil, exact: Array, others: Array) -> Array:
    """Return columns that span the first ones, to rounding, and most of the others, (n, q)."""
    root = _root(pencil)
    exact, others = exact * root, others * root
    first = spanned(exact / np.maximum(np.linalg.norm(exact, axis=0), 1e-300))
    size = float(np.linalg.norm(others, axis=0).max())
    for _ in range(2):
        others = others - first @ (first.T @ others)
    left, sizes, _ = np.linalg.svd(others, full_matrices=False)
    return np.asarray(np.hstack([first, left[:, sizes > LEAST * size]]) / root)


def _root(pencil: Pencil) -> Array:
    return np.asarray(np.sqrt(pencil.mass.diagonal())[:, None])
