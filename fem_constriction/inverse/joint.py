"""min over u of sum |log Z(u) - log Z_measured|^2/sigma^2 + sum ((p - p_0)/sigma_p)^2: several spectra, what they share once.

The logarithm of the ratio is the relative deviation where that is small, and stays convex where it is not. lmfit minimises, in
boxes of one unit of u around where it is, so that no step solves grids far away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import lmfit
import numpy as np

from fem_constriction.arrays import Array, Complex
from fem_constriction.inverse.cell_model import CellModel
from fem_constriction.inverse.leads import impedance
from fem_constriction.inverse.unknowns import Layout

#: Half the side of the box that u stays in until models are made around it anew: a factor of e.
STRIDE: Final = 1.0
_BOXES: Final = 30  # at most; each moves by at least a part of its side
_INSIDE: Final = 1e-3  # of a stride: what is nearer to the side of a box lies on it
_TIGHT: Final = 1e-10


@dataclass(eq=False)
class Joint:
    """A joint fit.

    Parameters
    ----------
    layout
        What is varied.
    models
        One for each spectrum.
    frequency, impedance
        Hz and ohm of each spectrum, of its cell.
    sigma
        Standard deviation of log Z, each part, of each spectrum, (f,).
    scale
        By which the measured impedances of each spectrum were multiplied; its leads are, too.
    """

    layout: Layout
    models: Sequence[CellModel]
    frequency: Sequence[Array]
    impedance: Sequence[Complex]
    sigma: list[Array]
    scale: Sequence[float] = ()
    correction: list[Complex] = field(default_factory=list)
    evaluations: int = 0

    def __post_init__(self) -> None:
        places = [self.layout.places(n) for n in range(len(self.models))]
        #: Of each spectrum, where the unknowns of its cell stand; leads and where they stand.
        self.places = [each[: len(model.unknowns)] for each, model in zip(places, self.models, strict=True)]
        self.leads = [
            list(zip(self.layout.unknowns[n][len(cell) :], each[len(cell) :], strict=True))
            for n, (each, cell) in enumerate(zip(places, self.places, strict=True))
        ]
        self.scale = self.scale or [1.0] * len(self.models)
        self.entries = self.layout.entries
        self.ends = np.array([each.ends for each, _ in self.entries])
        if not self.correction:
            self.correction = [np.zeros(each.size, dtype=complex) for each in self.frequency]
        self._known: tuple[Array, Array, Array] | None = None

    @property
    def start(self) -> Array:
        """U of the values that all start from, (n,)."""
        return np.array([each.inside(each.start) for each, _ in self.entries])

    def deviation(self, n: int, u: Array) -> tuple[Complex, Complex]:
        """Return log Z(u) - log Z_measured of one spectrum, (f,), and its derivatives, (f, n)."""
        logs, slopes = self.models[n].log_impedance(self.frequency[n], u[self.places[n]])
        wide = np.zeros((logs.size, u.size), dtype=complex)
        wide[:, self.places[n]] = slopes
        total = logs + self.correction[n]
        if self.leads[n]:
            cell = np.exp(total)
            added = {place: impedance(each, u[place], self.frequency[n], self.scale[n]) for each, place in self.leads[n]}
            whole = cell + sum(added.values())
            wide *= (cell / whole)[:, None]
            for place, part in added.items():
                wide[:, place] = part / whole
            total = np.log(whole)
        off = total - np.log(self.impedance[n])
        return off.real + 1j * np.angle(np.exp(1j * off.imag)), wide

    def weighted(self, u: Array) -> tuple[Array, Array]:
        """Return the residuals over sigma, (m,), and their derivatives, (m, n): data first, then what is known beforehand."""
        if self._known is not None and np.array_equal(self._known[0], u):
            return self._known[1], self._known[2]
        self.evaluations += 1
        rows, slopes = [], []
        for n, sigma in enumerate(self.sigma):
            off, steep = self.deviation(n, u)
            rows += [off.real / sigma, off.imag / sigma]
            slopes += [steep.real / sigma[:, None], steep.imag / sigma[:, None]]
        for place, (each, _) in enumerate(self.entries):
            if each.prior is not None:
                value, width = each.prior
                rows.append(np.array([(each.outside(u[place]) - value) / width]))
                slopes.append(each.slope(u[place]) / width * np.eye(u.size)[[place]])
        self._known = (u.copy(), np.concatenate(rows), np.vstack(slopes))
        return self._known[1], self._known[2]

    @property
    def data(self) -> int:
        """How many residuals are of data, not of what is known beforehand."""
        return 2 * sum(each.size for each in self.frequency)

    def forget(self) -> None:
        """Forget the last residuals: models, corrections or sigma are others now."""
        self._known = None

    def fit(self, start: Array) -> tuple[Array, Any]:
        """Return the minimum near a start, u (n,), and lmfit's result."""
        u = np.clip(start, self.ends[:, 0], self.ends[:, 1])
        for _ in range(_BOXES):
            for places, model in zip(self.places, self.models, strict=True):
                if model.recentred(u[places]):
                    self.forget()
            low, high = np.maximum(self.ends[:, 0], u - STRIDE), np.minimum(self.ends[:, 1], u + STRIDE)
            result = self._minimised(u, low, high)
            found = np.array([each.value for each in result.params.values()])
            below = (found - low < _INSIDE) & (low > self.ends[:, 0])
            above = (high - found < _INSIDE) & (high < self.ends[:, 1])
            u = found
            if not (below | above).any():
                break
        return u, result

    def minimizer(self, u: Array, low: Array, high: Array) -> lmfit.Minimizer:
        """Return lmfit's minimizer over u within bounds, its parameters named after the keys."""
        parameters = lmfit.Parameters()
        for name, value, least, most in zip(self.layout.names, u, low, high, strict=True):
            margin = 1e-9 * (most - least)
            inside = min(max(float(value), least + margin), most - margin)
            parameters.add(_plain(name), value=inside, min=float(least), max=float(most))
        return lmfit.Minimizer(lambda p: self.weighted(_vector(p))[0], parameters, Dfun=self._slopes)

    def _slopes(self, parameters: lmfit.Parameters) -> Array:
        """Derivatives by what lmfit varies: a profile holds one of them."""
        return np.asarray(self.weighted(_vector(parameters))[1][:, [each.vary for each in parameters.values()]])

    def _minimised(self, u: Array, low: Array, high: Array) -> Any:
        return self.minimizer(u, low, high).least_squares(ftol=_TIGHT, xtol=_TIGHT, gtol=_TIGHT, max_nfev=60)


def _vector(parameters: lmfit.Parameters) -> Array:
    return np.array([each.value for each in parameters.values()], dtype=float)


def _plain(name: str) -> str:
    """A name that lmfit takes: working_electrode_contact_fraction_1."""
    return name.replace(".", "_").replace(" #", "_")
