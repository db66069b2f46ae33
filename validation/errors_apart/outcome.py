"""total = grid + interface + staircase, per backend, resolution and point: relative to |Z|, with uncertainties and orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from fem_constriction.api import provenance
from fem_constriction.arrays import Array, Complex
from fem_constriction.cell.cell import Cell
from validation.errors_apart.neglected import Neglected

#: The parts, in the order in which they are added.
PARTS = ("grid", "interface", "staircase")

#: What is shown beside them: interface + staircase is all that the outline costs as the backend has it.
SHOWN = (*PARTS, "outline", "total")


@dataclass(frozen=True, eq=False)
class Split:
    """One backend on one voxelised cell: each part of Z_N - Z.

    Parameters
    ----------
    backend
        Its name.
    resolution
        Voxels per edge.
    impedance
        Z_N, ohm, shape (points,).
    parts
        Name -> ohm, complex, shape (points,).
    uncertainty
        Name -> ohm, shape (points,).
    limit, limit_uncertainty
        Of the sharp staircase as this backend alone has it, ohm, shape (points,).
    area
        A_c of the sharp staircase less the cell's, relative to the cell's.
    """

    backend: str
    resolution: int
    impedance: Complex
    parts: Mapping[str, Complex]
    uncertainty: Mapping[str, Array]
    limit: Complex
    limit_uncertainty: Array
    area: float

    def part(self, name: str) -> Complex:
        """Return a part, or a sum of parts.

        Parameters
        ----------
        name
            Of a part, or of a sum of parts: "outline", "total".

        Returns
        -------
        numpy.ndarray
            Ohm, complex, shape (points,).
        """
        chosen = {"outline": PARTS[1:], "total": PARTS}.get(name, (name,))
        return np.asarray(sum(self.parts[each] for each in chosen))

    def spread(self, name: str) -> Array:
        """Return the uncertainty of a part, or of a sum of parts. That of the total is the reference's alone.

        Parameters
        ----------
        name
            Of a part, or of a sum of parts: "outline", "total".

        Returns
        -------
        numpy.ndarray
            Ohm, shape (points,).
        """
        return self.uncertainty[name]


@dataclass(frozen=True)
class Order:
    """|part| ~ h^p: the observed p by least squares on logarithms.

    Parameters
    ----------
    value
        p.
    uncertainty
        How far it may be off with 95 % confidence.
    """

    value: float
    uncertainty: float

    def text(self) -> str:
        """Return the order in words."""
        return f"{self.value:.1f} ± {self.uncertainty:.1f}"


def observed_order(resolution: ArrayLike, error: ArrayLike) -> Order | None:
    """Return the order of errors at so many voxels per edge; None for fewer than three errors that are not zero."""
    n, e = np.asarray(resolution, dtype=float), np.abs(np.asarray(error))
    kept = e > 0
    if kept.sum() < 3:
        return None
    fit = stats.linregress(np.log(n[kept]), np.log(e[kept]))
    return Order(-float(fit.slope), float(fit.stderr * stats.t.ppf(0.975, kept.sum() - 2)))


@dataclass(frozen=True, eq=False)
class ErrorsApart:
    """Errors of voxelised grids of a cell, told apart: splits by backend and resolution.

    Parameters
    ----------
    cell
        What was solved.
    frequency
        Hz of each point, 0 at direct current, shape (points,).
    reference
        Z of the true outline, ohm, shape (points,).
    reference_uncertainty
        Ohm, shape (points,).
    enclosure
        Guaranteed bounds of the reference at direct current, ohm; None: not known.
    splits
        One per backend and resolution.
    disagreements
        One line where the backends' own limits of one staircase differ.
    neglected
        What both leave out.
    """

    cell: Cell
    frequency: Array
    reference: Complex
    reference_uncertainty: Array
    enclosure: tuple[float, float] | None
    splits: Sequence[Split]
    disagreements: tuple[str, ...]
    neglected: Neglected

    @property
    def backends(self) -> list[str]:
        """Names, in the order they were given."""
        return list(dict.fromkeys(split.backend for split in self.splits))

    @property
    def resolutions(self) -> list[int]:
        """Voxels per edge."""
        return list(dict.fromkeys(split.resolution for split in self.splits))

    @property
    def points(self) -> list[str]:
        """What each point is, in words."""
        return ["direct current" if f == 0 else f"{f:.4g} Hz" for f in self.frequency]

    def of(self, backend: str) -> list[Split]:
        """Return the splits of a backend, coarse to fine.

        Parameters
        ----------
        backend
            Its name.

        Returns
        -------
        list of Split
            One per resolution.
        """
        return [split for split in self.splits if split.backend == backend]

    def relative(self, backend: str, name: str) -> Complex:
        """Return a part over |Z| of every resolution.

        Parameters
        ----------
        backend
            Its name.
        name
            Of a part, or of a sum of parts: "outline", "total".

        Returns
        -------
        numpy.ndarray
            Complex, shape (resolutions, points).
        """
        return np.asarray([split.part(name) for split in self.of(backend)] / np.abs(self.reference), dtype=complex)

    def spread(self, backend: str, name: str) -> Array:
        """Return the uncertainty of a part over |Z|.

        Parameters
        ----------
        backend
            Its name.
        name
            Of a part, or of a sum of parts: "outline", "total".

        Returns
        -------
        numpy.ndarray
            Shape (resolutions, points).
        """
        return np.array([split.spread(name) for split in self.of(backend)]) / np.abs(self.reference)

    def order(self, backend: str, name: str) -> Order | None:
        """Return the observed order of a part, at the point where it is largest; parts below their uncertainty left out.

        Parameters
        ----------
        backend
            Its name.
        name
            Of a part, or of a sum of parts: "outline", "total".

        Returns
        -------
        Order or None
            None where too few are left.
        """
        found, spread = np.abs(self.relative(backend, name)), self.spread(backend, name)
        known = np.where(found > spread, found, 0.0).max(1)
        return observed_order(self.resolutions, known)

    def dominant(self, backend: str) -> list[str]:
        """Return which of the three parts is the largest at each resolution, at the point where it is.

        Parameters
        ----------
        backend
            Its name.

        Returns
        -------
        list of str
            One per resolution.
        """
        sizes = np.stack([np.abs(self.relative(backend, name)).max(1) for name in PARTS])
        return [PARTS[int(k)] for k in sizes.argmax(0)]

    def verdict(self) -> list[str]:
        """Return a sentence per backend: its largest part at each resolution, and where outline outweighs grid."""
        lines = []
        for backend in self.backends:
            by_part: dict[str, list[str]] = {}
            for n, name in zip(self.resolutions, self.dominant(backend), strict=True):
                by_part.setdefault(name, []).append(str(n))
            said = "; ".join(f"the {name} error at N = {', '.join(each)}" for name, each in by_part.items())
            grid, outline = (np.abs(self.relative(backend, name)).max(1) for name in ("grid", "outline"))
            more = [str(n) for n, low, high in zip(self.resolutions, grid, outline, strict=True) if high > low]
            at = f"at N = {', '.join(more)}" if more else "nowhere"
            lines.append(f"{backend}: the largest part is {said}; the outline as a whole costs more than the grid {at}.")
        return lines

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            **provenance(self.cell),
            "points": self.points,
            "frequency_Hz": self.frequency.tolist(),
            "reference_ohm": _pairs(self.reference),
            "reference_uncertainty_ohm": self.reference_uncertainty.tolist(),
            "enclosure_ohm": self.enclosure,
            "splits": [
                {
                    "backend": split.backend,
                    "resolution": split.resolution,
                    "impedance_ohm": _pairs(split.impedance),
                    "staircase_area": split.area,
                    **{f"{name}_ohm": _pairs(split.part(name)) for name in SHOWN},
                    **{f"{name}_uncertainty_ohm": split.spread(name).tolist() for name in SHOWN},
                    "own_limit_ohm": _pairs(split.limit),
                    "own_limit_uncertainty_ohm": split.limit_uncertainty.tolist(),
                }
                for split in self.splits
            ],
            "orders": {
                backend: {
                    name: None if (found := self.order(backend, name)) is None else [found.value, found.uncertainty]
                    for name in SHOWN
                }
                for backend in self.backends
            },
            "verdict": self.verdict(),
            "disagreements": list(self.disagreements),
            "neglected": self.neglected.as_dict(),
        }


def _pairs(values: Complex) -> list[list[float]]:
    return [[float(z.real), float(z.imag)] for z in values]
