"""|limit - Z|/u of images whose phases differ a hundred to a million times, against sparse solutions that know their edges.

python -m validation.benchmarks.contrasts 60

Where phases meet like the fields of a chessboard no grid that is refined alike everywhere comes near: with a contrast of 1e4 a
link is missing at such an edge until voxels are cut into 2^57. But the edge is its own image at every scale, so what it lacks
at the finest cells is a number, the conductance along the edge with which a chessboard of four fields, whose Z is exactly that
of sqrt(k_1 k_2) (Keller, Dykhne), comes out right. With these links in it a plain network of finer and finer cells converges
with order 4/3, that of the corners that are left.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.constants import epsilon_0
from scipy.sparse.linalg import splu

from fem_constriction.arrays import Array, Complex
from fem_constriction.cell.cell import Cell
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import BUILT_IN, backend_named
from fem_constriction.solving.refinement import angular_band, solve_family

#: Hz, beside direct current.
FREQUENCIES = np.array([1e-2, 1e3, 1e6, 1e8])

#: Contrasts of the second phase.
CONTRASTS = (1e-6, 1e-4, 1e-2, 1e2, 1e4, 1e6)

#: S/m and relative permittivity of the first phase; edge of a voxel, m; the contact's ohm m2 and F/m2.
KAPPA, EPSILON, EDGE, RESISTANCE, CAPACITANCE = 0.046, 150.0, 1e-6, 1e-7, 1e-2

#: Parts that every voxel is cut into along its edges: of images in the plane, and in space.
PLANE, SPACE = (12, 24, 48), (4, 8)

#: Order of what is left: the potential at corners of three fields goes like r^(2/3).
ORDER = 4 / 3


@dataclass(frozen=True, eq=False)
class Drawn:
    """A random image of two phases, (nz, nx, ny).

    contrast: of the second one's conductivity over the first's; permittivity: of the second; film: whether the contact has
    charge transfer.
    """

    labels: NDArray[np.int64]
    contrast: float
    permittivity: float
    film: bool

    def conductivities(self, s: complex) -> tuple[complex, complex]:
        """Return kappa of the two phases."""
        return KAPPA + s * EPSILON * epsilon_0, KAPPA * self.contrast + s * self.permittivity * epsilon_0

    def interface(self, s: complex) -> complex:
        """Return what the contact conducts, S/m2."""
        return 1 / RESISTANCE + s * CAPACITANCE if self.film else np.inf

    @property
    def cell(self) -> Cell:
        """The same as a cell."""
        nz, nx, ny = self.labels.shape
        second = {"label": 1, "conductivity": KAPPA * self.contrast, "relative_permittivity": self.permittivity}
        structure = {"image": self.labels, "voxel": EDGE, "inclusions": [second]}
        electrode: dict[str, Any] = {"contact": {"shape": "square", "fraction": 1.0}}
        if self.film:
            electrode["charge_transfer"] = {"resistance": RESISTANCE, "capacitance": CAPACITANCE}
        return Cell(
            geometry={"width": [nx * EDGE, ny * EDGE], "thickness": nz * EDGE},
            electrolyte={"conductivity": KAPPA, "relative_permittivity": EPSILON, "microstructure": structure},
            working_electrode=electrode,
        )


def drawn(seed: int) -> Drawn:
    """Return the image of a seed: noise, or a chessboard with faults; every third in space, the others in a plane."""
    random = np.random.default_rng(seed)
    shape = (4, 4, 4) if seed % 3 == 0 else (int(random.integers(4, 7)), int(random.integers(4, 7)), 1)
    chess, part = random.integers(3) == 1, random.uniform(0.15, 0.5)
    fields = np.indices(shape).sum(0) % 2
    labels = np.where(random.random(shape) < 0.1, 1 - fields, fields) if chess else (random.random(shape) < part).astype(int)
    contrast = float(random.choice(CONTRASTS))
    permittivity = float(EPSILON * 10 ** random.uniform(-2, 2)) if random.random() < 0.5 else 0.0
    if len(np.unique(labels)) == 1:
        labels.flat[0] = 1 - labels.flat[0]
    return Drawn(labels, contrast, permittivity, bool(random.random() < 0.6))


def known(image: Drawn, s: complex) -> tuple[complex, float]:
    """Return Z of an image at s, ohm, and how far from it the finest of its grids is, relative."""
    parts = PLANE if image.labels.shape[2] == 1 else SPACE
    k = dict(enumerate(image.conductivities(s)))
    found = [impedance(image.labels, EDGE, k, image.interface(s), n) for n in parts]
    limit = found[-1] + (found[-1] - found[-2]) / (2**ORDER - 1)
    return limit, abs(found[-1] - limit) / abs(limit)


def impedance(
    labels: NDArray[Any], edge: float, k: Mapping[int, complex], interface: complex, parts: int, *, along: float | None = None
) -> complex:
    """Return Z of voxels cut into so many parts, in links between their middles and links along edges of chessboards.

    Parameters
    ----------
    labels
        (nz, nx, ny), z = 0 at the electrode; an axis with one voxel is not cut.
    edge
        Of a voxel, m.
    k
        Label -> S/m; 0 conducts nothing.
    interface
        Of the electrode at z = 0, S/m2; inf: ideal, as the other one is.
    parts
        Of a voxel, along each axis.
    along
        What an edge conducts, over that of the worse conductor; left out: what makes a chessboard right (`missing`).
    """
    times = [parts if n > 1 else 1 for n in labels.shape]
    steps = [edge / each for each in times]
    fine = labels
    for axis, each in enumerate(times):
        fine = fine.repeat(each, axis)
    kappa = np.zeros(fine.shape, dtype=np.complex128)
    for label, value in k.items():
        kappa[fine == label] = value
    number, volume = np.arange(fine.size).reshape(fine.shape), float(np.prod(steps))
    links: list[tuple[Any, Any, Any]] = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for axis, step in enumerate(steps):
            one, other = (np.moveaxis(number, axis, 0)[part].ravel() for part in (slice(None, -1), slice(1, None)))
            a, b = kappa.ravel()[one], kappa.ravel()[other]
            links.append((one, other, np.where((a == 0) | (b == 0), 0, volume / step**2 / (1 / (2 * a) + 1 / (2 * b)))))
        top = volume / steps[0] / (1 / interface + steps[0] / (2 * kappa[0].ravel()))
        bottom = 2 * volume / steps[0] ** 2 * kappa[-1].ravel()
    for axis in range(3):
        n = np.moveaxis(number, axis, 0)
        around = [each.ravel() for each in (n[:, :-1, :-1], n[:, 1:, :-1], n[:, 1:, 1:], n[:, :-1, 1:])]
        a, b, c, d = (kappa.ravel()[each] for each in around)
        crossed = (a == c) & (b == d) & (a != b) & (a != 0) & (b != 0)
        for i in np.flatnonzero(crossed):
            first = abs(a[i]) > abs(b[i])
            good, bad = (a[i], b[i]) if first else (b[i], a[i])
            more = missing(complex(good / bad)) if along is None else along
            ends = (around[0], around[2]) if first else (around[1], around[3])
            links.append(([ends[0][i]], [ends[1][i]], [more * bad * steps[axis]]))
    one, other, y = (np.concatenate(each) for each in zip(*links, strict=True))
    matrix = sparse.coo_array(
        (np.concatenate([-y, -y]), (np.concatenate([one, other]), np.concatenate([other, one]))), (fine.size,) * 2
    )
    loads = np.zeros(fine.size, dtype=np.complex128)
    face = number[0].ravel()
    loads[face] = top
    diagonal = loads - np.asarray(matrix.sum(1)).ravel()
    diagonal[number[-1].ravel()] += bottom
    kept = np.flatnonzero(diagonal != 0)
    inner = (matrix.tocsr() + sparse.diags_array(diagonal))[kept][:, kept].tocsc()
    phi = np.zeros(fine.size, dtype=np.complex128)
    kind = complex if inner.data.imag.any() else float  # of real ones in half the time
    factors = splu(_as(kind, inner), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    phi[kept] = factors.solve(loads[kept].astype(kind) if kind is complex else np.ascontiguousarray(loads[kept].real))
    return complex(1 / np.sum(top * (1 - phi[face])))


def _as(kind: type, matrix: sparse.csc_array) -> sparse.csc_array:
    """The matrix in that kind of numbers."""
    if kind is complex:
        return matrix
    data = np.ascontiguousarray(matrix.data.real)
    return sparse.csc_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


@lru_cache(maxsize=256)
def missing(contrast: complex) -> complex:
    """Return what an edge conducts besides its voxels, over that of the worse conductor, by secants on four fields."""
    fields = np.indices((2, 2, 1)).sum(0) % 2

    def off(along: complex) -> complex:
        z = impedance(fields, 1.0, {0: 1.0, 1: contrast}, np.inf, 12, along=along)  # type: ignore[arg-type]
        return complex(z * np.sqrt(contrast) - 1)

    before, now = np.sqrt(contrast) - 2, 1.1 * np.sqrt(contrast) - 2
    wrong, error = off(before), off(now)
    while abs(error) > 1e-9:
        before, now, wrong = now, now - error * (now - before) / (error - wrong), error
        error = off(now)
    return complex(now)


def compared(seed: int, names: Sequence[str] = BUILT_IN, frequency: Array = FREQUENCIES) -> dict[str, Any]:
    """Return |limit - Z| and u over |Z| of every backend at direct current and at frequencies (in space: direct current)."""
    image = drawn(seed)
    problem, band = Problem.of(image.cell), angular_band(frequency)
    alone = image.labels.shape[2] > 1
    exact = [known(image, s) for s in (0.0, *([] if alone else 2j * np.pi * frequency))]
    z = np.array([value for value, _ in exact])
    found: dict[str, Any] = {"seed": seed, "contrast": image.contrast, "known_to": [float(off) for _, off in exact]}
    for name in names:
        family = solve_family(problem, backend_named(name), band)
        direct = family.direct()
        values, u = [direct.value], [direct.uncertainty]
        if not alone:
            limit = family.limit(frequency)
            values, u = [*values, limit.value], [*u, limit.uncertainty]
        error: Complex = np.concatenate(values) - z
        found[name] = {
            "error": (np.abs(error) / np.abs(z)).tolist(),
            "u": (np.concatenate(u) / np.abs(z)).tolist(),
        }
    return found


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return, for every backend, how many points lie within u, the median of u over error, and the largest error over u.

    What Z itself is known to is part of u here.
    """
    found = {}
    for name in BUILT_IN:
        ratio = np.concatenate([np.array(row[name]["error"]) / (np.array(row[name]["u"]) + row["known_to"]) for row in rows])
        found[name] = {
            "points": float(ratio.size),
            "inside": float(np.mean(ratio <= 1)),
            "median_u_over_error": float(np.median(1 / ratio)),
            "largest_error_over_u": float(ratio.max()),
        }
    return found


def main(count: int) -> None:
    """Write one line of JSON per seed, and what they say together."""
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(count):
            rows.append(compared(seed))
            sys.stdout.write(json.dumps(rows[-1]) + "\n")
            sys.stdout.flush()
    sys.stdout.write(json.dumps(summary(rows)) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
